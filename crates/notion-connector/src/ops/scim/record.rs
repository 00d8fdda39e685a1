//! What the audit log says of a change: of whom, and what becomes of them. An entry is written before its act, so this is found out
//! beforehand, from what is kept then. Names are told, other values are not.

use serde_json::Value;
use uuid::Uuid;

use super::patch::{self, Kind, Named};
use super::resource::User;
use super::{OpsError, PushedGroup, ScimChange, ScimError, changed};
use crate::app::App;
use crate::model::{Caller, PersonRecord, Role, on_one_line};
use crate::store::{ScimGroup, ScimKey, ScimPerson};

/// Members that an entry names; of more their number.
const NAMED: usize = 5;
/// Characters of a name that an entry tells.
const NAME_CHARS: usize = 100;

/// A user, by user name and id.
pub(super) fn of_user(app: &App, caller: &Caller, uid: Uuid) -> Result<String, OpsError> {
    Ok(find_user(app, caller, uid)?.map_or_else(|| uid.to_string(), |held| named_user(&held)))
}

/// A user, and what a change makes of them.
pub(super) fn of_user_change(
    app: &App,
    caller: &Caller,
    uid: Uuid,
    change: &ScimChange,
) -> Result<String, OpsError> {
    let Some(held) = find_user(app, caller, uid)? else { return Ok(uid.to_string()) };
    let named = named_user(&held);
    // Why it cannot be is told by the entry that says so.
    Ok(match changed(&held, change) {
        Ok((before, after)) => format!("{named}: {}", what_changes(&before, &after)),
        Err(_) => named,
    })
}

/// A group, by name and id.
pub(super) fn of_group(app: &App, caller: &Caller, uid: Uuid) -> Result<String, OpsError> {
    Ok(find_group(app, caller, uid)?.map_or_else(|| uid.to_string(), |held| named_group(&held)))
}

/// A group, and what a change makes of it.
pub(super) fn of_group_change(
    app: &App,
    caller: &Caller,
    uid: Uuid,
    change: &ScimChange,
) -> Result<String, OpsError> {
    let Some(held) = find_group(app, caller, uid)? else { return Ok(uid.to_string()) };
    let named = named_group(&held);
    let told = match change {
        ScimChange::Replace(body) => replaced(app, &held, body)?,
        ScimChange::Patch(body) => patched(app, &held, body)?,
    };
    Ok(match told {
        Ok(told) if told.is_empty() => format!("{named}: nothing"),
        Ok(told) => format!("{named}: {}", told.join(", ")),
        Err(_) => named,
    })
}

/// Nobody, for a caller who may not know them.
fn find_user(app: &App, caller: &Caller, uid: Uuid) -> Result<Option<ScimPerson>, OpsError> {
    if caller.require(Role::SecurityAdmin).is_err() {
        return Ok(None);
    }
    Ok(app.store.load_scim_people(Some(ScimKey::Uid(uid)), 0, 0, 1, false)?.pop())
}

fn find_group(app: &App, caller: &Caller, uid: Uuid) -> Result<Option<ScimGroup>, OpsError> {
    if caller.require(Role::SecurityAdmin).is_err() {
        return Ok(None);
    }
    Ok(app.store.load_scim_groups(Some(ScimKey::Uid(uid)), 0, 1)?.pop())
}

fn named_user(held: &ScimPerson) -> String {
    format!("{} ({})", quoted(&held.person.user_name), held.person.uid)
}

fn named_group(held: &ScimGroup) -> String {
    format!("{} ({})", quoted(&held.name), held.uid)
}

fn quoted(name: &str) -> String {
    format!("“{}”", on_one_line(name).chars().take(NAME_CHARS).collect::<String>())
}

fn what_changes(before: &User, after: &User) -> String {
    let (was, is) = (before.record(None), after.record(None));
    let name = |record: &PersonRecord| record.name.clone().flatten();
    let mut told: Vec<String> = Vec::new();
    match (was.active, is.active) {
        (was, is) if was == is => {}
        (_, Some(true)) => told.push("activated".to_owned()),
        _ => told.push("deactivated".to_owned()),
    }
    if was.user_name != is.user_name {
        told.push(format!("user name is now {}", quoted(&is.user_name)));
    }
    if name(&was) != name(&is) {
        told.push(
            name(&is).map_or("name taken away".to_owned(), |name| format!("name is now {}", quoted(&name))),
        );
    }
    for (differs, what) in [
        (was.email != is.email, "another e-mail address"),
        (was.external_id != is.external_id, "another external id"),
        (was.fields != is.fields, "other attributes"),
    ] {
        if differs {
            told.push(what.to_owned());
        }
    }
    match (told.is_empty(), before == after) {
        (true, true) => "nothing".to_owned(),
        // Something that the directory makes no use of.
        (true, false) => "other attributes".to_owned(),
        (false, _) => told.join(", "),
    }
}

type ToldOf = Result<Vec<String>, ScimError>;

fn replaced(app: &App, held: &ScimGroup, body: &Value) -> Result<ToldOf, OpsError> {
    let group = match PushedGroup::read(body) {
        Ok(group) => group,
        Err(error) => return Ok(Err(error)),
    };
    let mut told = Vec::new();
    if group.name != held.name {
        told.push(format!("name is now {}", quoted(&group.name)));
    }
    let ids: Vec<String> = group.members.unwrap_or_default().iter().map(Uuid::to_string).collect();
    told.push(format!("members are now {}", members(app, &ids)?));
    Ok(Ok(told))
}

fn patched(app: &App, held: &ScimGroup, body: &Value) -> Result<ToldOf, OpsError> {
    let operations = match patch::read(body) {
        Ok(operations) => operations,
        Err(error) => return Ok(Err(error)),
    };
    let (mut told, mut joining, mut leaving) = (Vec::new(), Vec::new(), Vec::new());
    for operation in &operations {
        let named = match patch::members(operation) {
            Ok(named) => named,
            Err(error) => return Ok(Err(error)),
        };
        match (named, operation.kind) {
            (None, _) if operation.target.path.is("displayName", None) => {
                let name = operation.value.as_str().unwrap_or_default();
                if name != held.name {
                    told.push(format!("name is now {}", quoted(name)));
                }
            }
            (None, _) => told.push("other attributes".to_owned()),
            (Some(Named::All), Kind::Add) => {}
            (Some(Named::All), _) => told.push("all members removed".to_owned()),
            (Some(Named::These(ids)), Kind::Remove) => leaving.extend(ids),
            (Some(Named::These(ids)), Kind::Replace) if operation.target.filter.is_none() => {
                told.push(format!("members are now {}", members(app, &ids)?));
            }
            (Some(Named::These(ids)), _) => joining.extend(ids),
        }
    }
    for (what, ids) in [("added", joining), ("removed", leaving)] {
        if !ids.is_empty() {
            told.push(format!("{what}: {}", members(app, &ids)?));
        }
    }
    told.dedup();
    Ok(Ok(told))
}

/// User names of the first, and how many there are more.
fn members(app: &App, ids: &[String]) -> Result<String, OpsError> {
    if ids.is_empty() {
        return Ok("none".to_owned());
    }
    let mut names = Vec::new();
    for id in ids.iter().take(NAMED) {
        let found = match id.parse() {
            Ok(uid) => app.store.load_scim_people(Some(ScimKey::Uid(uid)), 0, 0, 1, false)?.pop(),
            Err(_) => None,
        };
        names.push(found.map_or_else(|| quoted(id), |held| quoted(&held.person.user_name)));
    }
    if ids.len() > NAMED {
        names.push(format!("and {} more", ids.len() - NAMED));
    }
    Ok(names.join(" "))
}
