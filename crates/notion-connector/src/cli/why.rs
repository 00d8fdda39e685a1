use clap::Args;

use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, OpsError, Why};

#[derive(Debug, Args)]
pub(super) struct WhyArguments {
    /// Its id, or its address in Notion.
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
    let title = why.holdings.first().map_or("", |holding| holding.title.as_str());
    let mut lines = vec![format!("{} {title}", why.id).trim_end().to_owned()];
    for reason in &why.reasons {
        let whose = reason.connector.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
        lines.push(format!("  {whose}{}", reason.message));
    }
    lines.extend(why.asked.iter().map(|asked| format!("  {}: {}", asked.connector, asked.message)));
    lines.join("\n")
}
