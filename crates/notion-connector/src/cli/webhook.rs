//! `connector webhook`: where Notion tells a connector of changes.

use clap::Subcommand;

use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, OpsError, WebhookDetail};

#[derive(Debug, Subcommand)]
pub(super) enum WebhookCommand {
    /// Let the verification token in that Notion sends, for ten minutes; makes the address if there is none.
    Open {
        /// The connector; the only one if none is named.
        name: Option<String>,
    },
    /// Show the address, what came there and, for ten minutes after it was opened, the verification token to paste in Notion.
    Show {
        /// The connector; the only one if none is named.
        name: Option<String>,
    },
    /// Let no verification token in any more; events go on.
    Close {
        /// The connector; the only one if none is named.
        name: Option<String>,
    },
    /// Forget the address and the token: events are refused from now on.
    Forget {
        /// The connector; the only one if none is named.
        name: Option<String>,
    },
}

pub(super) fn run(context: &Context, command: &WebhookCommand) -> Result<Exit, OpsError> {
    let app = context.open_existing()?;
    let detail = match command {
        WebhookCommand::Open { name } => ops::open_webhook(&app, &Caller::LOCAL_OPERATOR, name.as_deref())?,
        WebhookCommand::Show { name } => ops::show_webhook(&app, &Caller::LOCAL_OPERATOR, name.as_deref())?,
        WebhookCommand::Close { name } => ops::close_webhook(&app, &Caller::LOCAL_OPERATOR, name.as_deref())?,
        WebhookCommand::Forget { name } => {
            let detail = ops::forget_webhook(&app, &Caller::LOCAL_OPERATOR, name.as_deref())?;
            context.output.show(&detail, || format!("Forgot the webhook of “{}”.", detail.connector));
            return Ok(Exit::Completed);
        }
    };
    context.output.show(&detail, || describe(&detail));
    Ok(Exit::Completed)
}

fn describe(detail: &WebhookDetail) -> String {
    let mut lines = vec![format!("Endpoint: {}", detail.endpoint)];
    match (&detail.verification_token, detail.window_ends) {
        (Some(token), _) => {
            lines.push(format!("Verification token, to paste in Notion: {token}"));
        }
        (None, Some(ends)) => lines.push(format!(
            "Waiting until {} for the verification token: create the subscription in Notion now, then run \
             notion-connector connector webhook show {}",
            ends.strftime("%H:%M UTC"),
            detail.connector
        )),
        (None, None) if detail.verification_received.is_none() => {
            lines.push("No verification token came yet, and none is let in.".to_owned());
        }
        (None, None) => {}
    }
    let last = detail
        .last_event
        .map_or_else(|| "none yet".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    lines.push(format!("Last event: {last}"));
    lines.push(format!(
        "Events: {} accepted, {} repeated, {} of no concern, {} of unknown types; {} requests refused",
        detail.accepted, detail.repeated, detail.ignored, detail.unknown, detail.refused
    ));
    lines.join("\n")
}
