use clap::Args;

use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, OpsError, Why};

#[derive(Debug, Args)]
pub(super) struct WhyArguments {
    /// Its id, or its address in Notion; of a file, its id.
    page: String,
    /// Ask Notion too: at most four requests for each connector, and a few more from a block up to its page.
    #[arg(long)]
    ask: bool,
}

pub(super) async fn run(context: &Context, arguments: WhyArguments) -> Result<Exit, OpsError> {
    let app = context.open_existing()?;
    let why = ops::why(&app, &Caller::LOCAL_OPERATOR, &arguments.page, arguments.ask).await?;
    context.output.show(&why, || describe(&why));
    Ok(Exit::Completed)
}

fn describe(why: &Why) -> String {
    let held = why.holdings.first().map(|holding| holding.title.as_str());
    let title = held.or(why.file.as_ref().map(|file| file.name.as_str())).unwrap_or_default();
    let mut lines = vec![format!("{} {title}", why.id).trim_end().to_owned()];
    for reason in &why.reasons {
        let whose = reason.connector.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
        lines.push(format!("  {whose}{}", reason.message));
    }
    for page in why.file.iter().flat_map(|file| &file.pages) {
        lines.push(format!("  stands in {} {}", page.id, page.title));
    }
    if !why.files.is_empty() {
        lines.push("files that are not indexed:".to_owned());
    }
    for file in &why.files {
        let due = file.next_try.map(|time| format!(", due at {}", time.strftime("%Y-%m-%d %H:%M UTC")));
        let due = due.unwrap_or_default();
        lines.push(format!("  {} {}: {}: {}{due}", file.id, file.name, file.connector, file.message));
    }
    lines.extend(why.asked.iter().map(|asked| format!("  {}: {}", asked.connector, asked.message)));
    lines.join("\n")
}
