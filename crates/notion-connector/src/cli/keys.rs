use clap::{Args, Subcommand};

use super::output::table;
use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, CreateKey, Key, OpsError, PointInTime};

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make a key for a program. It is shown this once.
    Create(CreateArguments),
    /// List keys: what they open, and when they were used last.
    List,
    /// Revoke a key, from the next request on.
    Revoke {
        /// Its name.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct CreateArguments {
    /// A name of your choice.
    name: String,
    /// What it opens: search, connectors, security, scim, metrics; may be repeated, or separated by commas.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',', required = true)]
    scopes: Vec<String>,
    /// What its caller may do [default: what the scopes take]: connector_admin, security_admin, search_user.
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',')]
    roles: Option<Vec<String>>,
    /// Whose it is, by user name: it sees what they see, and does nothing that they may not.
    #[arg(long, value_name = "USER", conflicts_with = "act_as")]
    person: Option<String>,
    /// Let it search as any person, named in the header X-Act-As.
    #[arg(long)]
    act_as: bool,
    /// From when on it opens nothing any more: 2027-01-31, or with a time. Never, if nothing is said.
    #[arg(long, value_name = "TIME")]
    ends: Option<PointInTime>,
}

pub(super) fn run(context: &Context, command: KeysCommand) -> Result<Exit, OpsError> {
    let app = context.open_existing()?;
    let caller = &Caller::LOCAL_OPERATOR;
    match command {
        KeysCommand::Create(CreateArguments { name, scopes, roles, person, act_as, ends }) => {
            let create = CreateKey { name, scopes, roles, person, may_act_as: act_as, ends };
            let created = ops::create_key(&app, caller, &create)?;
            context.output.show(&created, || {
                let opens = scopes_of(&created.kept);
                let mut told =
                    format!("{}\n\nThis is the only time that it is shown. It opens {opens}.", created.key);
                let person = created.kept.person.as_deref().unwrap_or_default();
                for role in created.lacking.iter() {
                    told.push_str(&format!(
                        "\nBut “{person}” does not have the role {role}: what takes it is closed to the key until they do."
                    ));
                }
                told
            });
        }
        KeysCommand::List => {
            let keys = ops::list_keys(&app, caller)?;
            context.output.show(&keys, || {
                let rows: Vec<Vec<String>> = keys.iter().map(row).collect();
                table(&["NAME", "SCOPES", "ROLES", "SPEAKS FOR", "ENDS", "USED"], &rows)
            });
        }
        KeysCommand::Revoke { name } => {
            ops::revoke_key(&app, caller, &name)?;
            context.output.show(&serde_json::json!({ "revoked": name }), || {
                format!("“{name}” opens nothing any more.")
            });
        }
    }
    Ok(Exit::Completed)
}

fn scopes_of(key: &Key) -> String {
    key.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ")
}

fn row(key: &Key) -> Vec<String> {
    let day = |time: Option<jiff::Timestamp>| time.map(|time| time.strftime("%Y-%m-%d").to_string());
    let speaks_for = match (&key.person, key.may_act_as) {
        (Some(person), _) => person.clone(),
        (None, true) => "anybody".to_owned(),
        (None, false) => "itself".to_owned(),
    };
    let ends = match day(key.revoked) {
        Some(day) => format!("revoked {day}"),
        None => day(key.ends).unwrap_or_else(|| "never".to_owned()),
    };
    let roles = key.roles.to_string();
    vec![
        key.name.clone(),
        scopes_of(key),
        if roles.is_empty() { "-".to_owned() } else { roles },
        speaks_for,
        ends,
        day(key.used).unwrap_or_else(|| "never".to_owned()),
    ]
}
