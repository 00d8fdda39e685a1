use clap::{ArgGroup, Args, Subcommand};

use super::output::table;
use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, OpsError, RoleOf};

#[derive(Debug, Subcommand)]
pub(super) enum RolesCommand {
    /// Give a role to a person, or to everybody of a group.
    Grant(RoleArguments),
    /// Take a role back, as it was given.
    Revoke(RoleArguments),
    /// List who was given which role.
    List,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whom").required(true).args(["person", "group"])))]
pub(super) struct RoleArguments {
    /// The role: connector_admin or security_admin. Everybody of the directory is a search user.
    role: String,
    /// A person, by user name.
    #[arg(long, value_name = "USER")]
    person: Option<String>,
    /// A group of the directory, by name.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
}

pub(super) fn run(context: &Context, command: RolesCommand) -> Result<Exit, OpsError> {
    let app = context.open_existing()?;
    let caller = &Caller::LOCAL_OPERATOR;
    let wish_of = |RoleArguments { role, person, group }| RoleOf { role, person, group };
    let (changed, told) = match command {
        RolesCommand::Grant(arguments) => {
            (ops::grant_role(&app, caller, &wish_of(arguments))?, ["Granted.", "They had it already."])
        }
        RolesCommand::Revoke(arguments) => {
            (ops::revoke_role(&app, caller, &wish_of(arguments))?, ["Revoked.", "They did not have it so."])
        }
        RolesCommand::List => {
            let grants = ops::list_roles(&app, caller)?;
            context.output.show(&grants, || {
                let who = |grant: &ops::RoleGrant| match (&grant.person, &grant.group) {
                    (Some(person), _) => person.clone(),
                    (None, group) => format!("group {}", group.as_deref().unwrap_or_default()),
                };
                let rows: Vec<Vec<String>> = grants
                    .iter()
                    .map(|grant| {
                        vec![grant.role.clone(), who(grant), grant.granted.strftime("%Y-%m-%d").to_string()]
                    })
                    .collect();
                table(&["ROLE", "WHO", "SINCE"], &rows)
            });
            return Ok(Exit::Completed);
        }
    };
    context.output.show(&changed, || told[usize::from(!changed.changed)].to_owned());
    Ok(Exit::Completed)
}
