use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, OpsError};

pub(super) fn run(context: &Context) -> Result<Exit, OpsError> {
    let failures = ops::list_failures(&context.open_existing()?, &Caller::LOCAL_OPERATOR)?;
    context.output.show(&failures, || {
        if failures.is_empty() {
            return "Nothing failed.".to_owned();
        }
        let lines: Vec<String> = failures
            .iter()
            .map(|one| {
                let title = one.title.as_deref().unwrap_or("Untitled");
                format!("{} {title} ({}, {}×): {}", one.object, one.task, one.times, one.message)
            })
            .collect();
        lines.join("\n")
    });
    Ok(Exit::Completed)
}
