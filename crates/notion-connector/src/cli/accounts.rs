use clap::Subcommand;
use secrecy::{ExposeSecret, SecretString};

use super::input::secret_line;
use super::output::{counted, table};
use super::values::whole;
use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, Account, OpsError};

#[derive(Debug, Subcommand)]
pub(super) enum AccountsCommand {
    /// List people who can sign in or have a role of their own.
    List {
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = whole::<u32>)]
        limit: u32,
        /// How many to leave out first.
        #[arg(long, default_value_t = 0, value_parser = whole::<u32>)]
        offset: u32,
    },
    /// Give a person a password: the first line of standard input.
    SetPassword {
        /// The person, by user name.
        user: String,
        /// Make the person, if the directory has nobody of that name.
        #[arg(long)]
        create: bool,
    },
    /// Print a link by which a person sets their password, once and within a day.
    Invite {
        /// The person, by user name.
        user: String,
        /// Make the person, if the directory has nobody of that name.
        #[arg(long)]
        create: bool,
    },
    /// End every session of a person.
    SignOut {
        /// The person, by user name.
        user: String,
    },
    /// Take a person's password away, what providers know them as, and their invitation.
    Delete {
        /// The person, by user name.
        user: String,
    },
}

pub(super) fn run(context: &Context, command: AccountsCommand) -> Result<Exit, OpsError> {
    let caller = &Caller::LOCAL_OPERATOR;
    match command {
        AccountsCommand::List { limit, offset } => {
            let page = ops::list_accounts(&context.open_existing()?, caller, limit, offset)?;
            context.output.show(&page, || {
                let rows: Vec<Vec<String>> = page.accounts.iter().map(row).collect();
                let header = ["USER NAME", "NAME", "STATE", "SIGNS IN BY", "ROLES"];
                format!("{}\n{} of {}", table(&header, &rows), page.accounts.len(), page.total)
            });
        }
        AccountsCommand::SetPassword { user, create } => {
            let app = context.open()?;
            let none =
                || OpsError::Invalid("there is no password on the first line of standard input".to_owned());
            let password = secret_line("Password (shown while you type)")?.ok_or_else(none)?;
            ops::set_password(&app, caller, &user, &password, create)?;
            context.output.show(&serde_json::json!({ "user_name": user }), || {
                format!("“{user}” signs in with this password from now on.")
            });
        }
        AccountsCommand::Invite { user, create } => {
            let app = context.open()?;
            let link = ops::invite(&app, caller, &user, create)?;
            let server = app.dir.server();
            let is_known = server.is_some() || app.config.server.public_url.is_some();
            let url = welcome_url(&server.unwrap_or_else(|| app.config.origin()), &link);
            let shown = serde_json::json!({ "user_name": user, "url": url, "address_is_known": is_known });
            context.output.show(&shown, || {
                let unknown = "\nNo server runs on this data directory and server.public_url is not set: where serve listens elsewhere \
                               (--listen), put its address in place of what stands before /welcome.";
                let more = if is_known { "" } else { unknown };
                format!("{url}\n\nIt sets the password of “{user}”, once and within a day.{more}")
            });
        }
        AccountsCommand::SignOut { user } => {
            let ended = ops::sign_out_account(&context.open_existing()?, caller, &user)?;
            context.output.show(&serde_json::json!({ "user_name": user, "ended": ended }), || {
                format!("Ended of “{user}”: {}.", counted(ended, "session", "sessions"))
            });
        }
        AccountsCommand::Delete { user } => {
            let deleted = ops::delete_account(&context.open_existing()?, caller, &user)?;
            let told =
                serde_json::json!({ "user_name": user, "invitation_taken_back": deleted.had_invitation });
            context.output.show(&told, || {
                let account = deleted.had_account.then(|| format!("“{user}” has no account any more."));
                let link =
                    deleted.had_invitation.then(|| format!("The invitation of “{user}” was taken back."));
                account.into_iter().chain(link).collect::<Vec<_>>().join("\n")
            });
        }
    }
    Ok(Exit::Completed)
}

/// Where a one-time link leads. What opens the door stands behind the #: browsers send that to nobody.
pub(super) fn welcome_url(origin: &str, link: &SecretString) -> String {
    format!("{origin}/welcome#{}", link.expose_secret())
}

fn row(account: &Account) -> Vec<String> {
    let mut ways = account.providers.clone();
    if account.has_password {
        ways.insert(0, "password".to_owned());
    }
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    vec![
        account.user_name.clone(),
        or_dash(account.name.clone().unwrap_or_default()),
        if account.active { "active" } else { "deactivated" }.to_owned(),
        or_dash(ways.join(", ")),
        or_dash(account.roles.to_string()),
    ]
}
