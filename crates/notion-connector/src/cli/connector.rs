use std::io::{BufRead, IsTerminal, Write};

use clap::Subcommand;
use secrecy::SecretString;

use super::output::table;
use super::{Context, Exit};
use crate::ops::{self, AddConnector, NOTION_URL, OpsError, Validation};

/// Variable that holds an integration secret: arguments can be read by every process of the machine.
pub(super) const TOKEN_VARIABLE: &str = "NOTION_TOKEN";

#[derive(Debug, Subcommand)]
pub(super) enum ConnectorCommand {
    /// Add a connection; the secret comes from `NOTION_TOKEN`, else from standard input.
    Add {
        /// A name of your choice.
        name: String,
        /// Origin of the API.
        #[arg(long, value_name = "URL", default_value = NOTION_URL)]
        notion_url: String,
        /// Save it without asking Notion what the secret opens.
        #[arg(long)]
        no_validate: bool,
    },
    /// Replace the secret; it comes from `NOTION_TOKEN`, else from standard input.
    SetSecret {
        /// The connector.
        name: String,
    },
    /// List connections.
    List,
    /// Ask Notion what the secret opens and what is missing.
    Check {
        /// The connector; the only one if none is named.
        name: Option<String>,
    },
}

pub(super) async fn run(context: &Context, command: ConnectorCommand) -> Result<Exit, OpsError> {
    let output = context.output;
    match command {
        ConnectorCommand::Add { name, notion_url, no_validate } => {
            let app = context.open()?;
            let secret = read_secret()?;
            let new = AddConnector { name: name.clone(), notion_url, secret, validate: !no_validate };
            let validation = ops::add_connector(&app, new).await?;
            output.show(
                &serde_json::json!({ "name": name, "validation": validation }),
                || match &validation {
                    Some(validation) => format!("Added “{name}”.\n{}", describe(validation)),
                    None => format!("Added “{name}” without validation."),
                },
            );
            Ok(Exit::Completed)
        }
        ConnectorCommand::SetSecret { name } => {
            let app = context.open_existing()?;
            let validation = ops::set_secret(&app, &name, read_secret()?).await?;
            output.show(&validation, || format!("Saved the secret of “{name}”.\n{}", describe(&validation)));
            Ok(Exit::Completed)
        }
        ConnectorCommand::List => {
            let connectors = ops::list_connectors(&context.open()?)?;
            output.show(&connectors, || {
                let rows: Vec<Vec<String>> = connectors
                    .iter()
                    .map(|one| {
                        let workspace = one.workspace_name.clone().unwrap_or_default();
                        let last = one.last_crawl.clone().unwrap_or_else(|| "never crawled".to_owned());
                        vec![one.name.clone(), workspace, one.items.to_string(), last]
                    })
                    .collect();
                table(&["NAME", "WORKSPACE", "ITEMS", "LAST CRAWL"], &rows)
            });
            Ok(Exit::Completed)
        }
        ConnectorCommand::Check { name } => {
            let validation = ops::check_connector(&context.open_existing()?, name.as_deref()).await?;
            output.show(&validation, || describe(&validation));
            let lacks_capability = validation.problems.iter().any(|problem| problem.is_capability());
            Ok(if lacks_capability { Exit::Secret } else { Exit::Completed })
        }
    }
}

/// The secret from the environment, else one line of standard input.
fn read_secret() -> Result<SecretString, OpsError> {
    if let Some(secret) = secret_of_environment() {
        return Ok(secret);
    }
    let input = std::io::stdin();
    if input.is_terminal() {
        let _ = write!(
            std::io::stderr(),
            "Integration secret (shown while you type; {TOKEN_VARIABLE} avoids that): "
        );
    }
    let mut line = zeroize::Zeroizing::new(String::new());
    input.lock().read_line(&mut line).map_err(|source| OpsError::Io {
        what: "the secret could not be read from standard input".to_owned(),
        source,
    })?;
    let secret = line.trim();
    if secret.is_empty() {
        return Err(OpsError::Invalid(format!(
            "there is no secret: put it into {TOKEN_VARIABLE}, or on the first line of standard input"
        )));
    }
    Ok(SecretString::from(secret))
}

/// The secret from the environment.
pub(super) fn secret_of_environment() -> Option<SecretString> {
    let text = zeroize::Zeroizing::new(std::env::var(TOKEN_VARIABLE).ok()?);
    let text = text.trim();
    (!text.is_empty()).then(|| SecretString::from(text))
}

fn describe(validation: &Validation) -> String {
    let mut lines = vec![
        format!("Workspace: {}", validation.workspace_name.as_deref().unwrap_or("(Notion does not say)")),
        format!("Integration: {}", validation.bot_name.as_deref().unwrap_or("(without a name)")),
        format!("Reaches at least {} start points.", validation.start_points_at_least),
    ];
    lines.extend(validation.problems.iter().map(|problem| format!("! {}", problem.advice())));
    lines.join("\n")
}
