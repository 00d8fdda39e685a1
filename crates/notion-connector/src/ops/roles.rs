//! Roles of people: granted, revoked, listed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OpsError;
use super::audit::Act;
use crate::app::App;
use crate::model::{Caller, Role};
use crate::store::{Grantee, RoleChange, RoleGrant};

/// A role, and who is meant: one person or one group.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleOf {
    /// `connector_admin` or `security_admin`.
    pub role: String,
    /// User name of a person.
    pub person: Option<String>,
    /// Name of a group of the directory.
    pub group: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct RoleChanged {
    /// Whether anything changed; else it was so before.
    pub changed: bool,
}

/// Gives a role to a person, or to everybody of a group.
///
/// # Errors
/// When the caller is no security administrator, or there is no such role, person or group.
pub fn grant_role(app: &App, caller: &Caller, wish: &RoleOf) -> Result<RoleChanged, OpsError> {
    change(app, caller, "role.grant", wish, |role, to| {
        Ok(app.store.grant_role(role, to, app.runtime.now())?)
    })
}

/// Takes a role back, as it was given.
///
/// # Errors
/// When the caller is no security administrator, or there is no such role, person or group.
pub fn revoke_role(app: &App, caller: &Caller, wish: &RoleOf) -> Result<RoleChanged, OpsError> {
    change(app, caller, "role.revoke", wish, |role, from| Ok(app.store.revoke_role(role, from)?))
}

fn change(
    app: &App,
    caller: &Caller,
    action: &'static str,
    wish: &RoleOf,
    act: impl FnOnce(Role, Grantee<'_>) -> Result<RoleChange, OpsError>,
) -> Result<RoleChanged, OpsError> {
    let (kind, name) = match (&wish.person, &wish.group) {
        (Some(name), _) => ("person", name.as_str()),
        (None, Some(name)) => ("group", name.as_str()),
        (None, None) => ("nobody", ""),
    };
    let target = format!("{} of {kind} {name}", wish.role);
    Act::of_security(action, &target).run(app, caller, || {
        let who = match (&wish.person, &wish.group) {
            (Some(name), None) => Grantee::Person(name),
            (None, Some(name)) => Grantee::Group(name),
            _ => return Err(OpsError::Invalid("name one person or one group".to_owned())),
        };
        let role: Role = wish.role.parse().map_err(OpsError::Invalid)?;
        if role == Role::SearchUser {
            let why = "everybody who is active in the directory is a search user; what they see, their mapping decides";
            return Err(OpsError::Invalid(why.to_owned()));
        }
        match act(role, who)? {
            RoleChange::Done => Ok(RoleChanged { changed: true }),
            RoleChange::Already => Ok(RoleChanged { changed: false }),
            RoleChange::NoSuchGrantee => {
                Err(OpsError::NotFound(format!("the directory has no {kind} “{name}”")))
            }
        }
    })
}

/// Every role that was given to somebody.
///
/// # Errors
/// When the caller is no security administrator.
pub fn list_roles(app: &App, caller: &Caller) -> Result<Vec<RoleGrant>, OpsError> {
    Act::of_security("role.list", "").run(app, caller, || Ok(app.store.load_grants()?))
}
