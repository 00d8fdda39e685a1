use std::sync::Arc;

use super::{Context, Exit};
use crate::ops::{self, OpsError};

pub(super) async fn run(context: &Context) -> Result<Exit, OpsError> {
    let app = Arc::new(context.open_existing()?);
    let _ownership = app.own("rerender")?;
    let rerendered = ops::rerender(&app).await?;
    app.pump()?.drain().await?;
    context.output.show(&rerendered, || match rerendered.items {
        0 => "Everything is rendered by this version already.".to_owned(),
        items => format!("{items} items rendered again, without asking Notion."),
    });
    Ok(Exit::Completed)
}
