//! Keys of programs: made, listed, revoked, and who a key speaks for.

use std::net::IpAddr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audit::Act;
use super::tokens::{hash_of, new_token};
use super::{OpsError, PointInTime};
use crate::app::App;
use crate::model::{Actor, Caller, KeyScope, Role, Roles, Viewer};
use crate::store::{Key, NewKey};

/// What every key begins with: so that programs which look for secrets in texts know one.
const PREFIX: &str = "nck_";
/// Longest name of a key, in characters.
const MAX_NAME_CHARS: usize = 100;
/// How long an entry of the audit log stands for whatever a key does as one person.
const ACTING_NOTED: Duration = Duration::from_secs(3_600);

/// A key to be made.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// What it is called.
    pub name: String,
    /// What it opens: `search`, `connectors`, `security`, `scim`, `metrics`.
    pub scopes: Vec<String>,
    /// What its caller may do; what the scopes take, if nothing is said.
    pub roles: Option<Vec<String>>,
    /// User name of whose it is: it sees what they see, and does nothing that they may not.
    pub person: Option<String>,
    /// Whether it may search as any person, named in the header `X-Act-As`.
    #[serde(default)]
    pub may_act_as: bool,
    /// From when on it opens nothing any more, a day (midnight UTC) or a time with its offset; never, if nothing is said.
    #[schema(value_type = Option<String>, example = "2027-01-31")]
    pub ends: Option<PointInTime>,
}

/// A key that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedKey {
    /// The key itself. It is shown this once and kept nowhere.
    pub key: String,
    /// What is kept of it.
    #[serde(flatten)]
    pub kept: Key,
    /// Roles of the key that its person does not have now: what takes them it opens when they have.
    #[schema(value_type = Vec<String>)]
    pub lacking: Roles,
}

/// Makes a key.
///
/// # Errors
/// When the caller is no security administrator, or what was asked for makes no sense.
pub fn create_key(app: &App, caller: &Caller, create: &CreateKey) -> Result<CreatedKey, OpsError> {
    Act::of_security("key.create", &create.name).run(app, caller, || {
        let name = checked_name(&create.name)?;
        let (scopes, roles) = powers_of(create)?;
        if create.person.is_some() && create.may_act_as {
            let why = "a key is either somebody's or may act as anybody: give --person or --act-as";
            return Err(OpsError::Invalid(why.to_owned()));
        }
        if create.may_act_as && !scopes.contains(&KeyScope::Search) {
            let why = "a key acts as people to search: it takes the scope search";
            return Err(OpsError::Invalid(why.to_owned()));
        }
        let now = app.runtime.now();
        let ends = create.ends.map(|PointInTime(time)| time);
        if ends.is_some_and(|ends| ends <= now) {
            return Err(OpsError::Invalid("a key cannot end in the past".to_owned()));
        }
        let person = match &create.person {
            None => None,
            Some(name) => {
                let found = app.store.load_person(name)?.filter(|person| person.active);
                let none = || OpsError::NotFound(format!("the directory has no active person “{name}”"));
                Some(found.ok_or_else(none)?.id)
            }
        };
        let token = new_token(PREFIX);
        let hash = hash_of(&token, PREFIX).unwrap_or_default();
        let new = NewKey { name, hash, roles, scopes: &scopes, person, may_act_as: create.may_act_as, ends };
        let taken = || {
            OpsError::Conflict(format!("there is a key “{name}”: revoke it first, or choose another name"))
        };
        let kept = app.store.add_key(&new, now)?.ok_or_else(taken)?;
        let standing = person.map(|person| app.store.load_standing(person)).transpose()?.flatten();
        let held = standing.map_or(Roles::ALL, |standing| standing.roles);
        let lacking = roles.iter().filter(|role| !held.contains(*role)).collect();
        Ok(CreatedKey { key: token.expose_secret().to_owned(), kept, lacking })
    })
}

fn checked_name(name: &str) -> Result<&str, OpsError> {
    let name = name.trim();
    let chars = name.chars().count();
    if chars == 0 || chars > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        let why = format!("the name of a key has 1 to {MAX_NAME_CHARS} characters on one line");
        return Err(OpsError::Invalid(why));
    }
    Ok(name)
}

fn powers_of(create: &CreateKey) -> Result<(Vec<KeyScope>, Roles), OpsError> {
    let mut scopes: Vec<KeyScope> = create
        .scopes
        .iter()
        .map(|scope| scope.parse())
        .collect::<Result<_, _>>()
        .map_err(OpsError::Invalid)?;
    scopes.sort();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(OpsError::Invalid("a key takes at least one scope".to_owned()));
    }
    let possible: Roles = scopes.iter().map(|scope| scope.role()).collect();
    let Some(named) = &create.roles else { return Ok((scopes, possible)) };
    let roles: Roles =
        named.iter().map(|role| role.parse::<Role>()).collect::<Result<_, _>>().map_err(OpsError::Invalid)?;
    if let Some(useless) = roles.iter().find(|role| !possible.contains(*role)) {
        return Err(OpsError::Invalid(format!("no scope of this key takes the role {useless}")));
    }
    Ok((scopes, roles))
}

/// Every key, with what it opens and when it was used.
///
/// # Errors
/// When the caller is no security administrator.
pub fn list_keys(app: &App, caller: &Caller) -> Result<Vec<Key>, OpsError> {
    Act::of_security("key.list", "").run(app, caller, || Ok(app.store.list_keys()?))
}

/// Revokes the key of that name, from the next request on.
///
/// # Errors
/// When the caller is no security administrator, or there is no such key.
pub fn revoke_key(app: &App, caller: &Caller, name: &str) -> Result<(), OpsError> {
    Act::of_security("key.revoke", name).run(app, caller, || {
        let none = || OpsError::NotFound(format!("there is no key “{name}” in use"));
        app.store.revoke_key(name.trim(), app.runtime.now())?.then_some(()).ok_or_else(none)
    })
}

/// Whom a request speaks for, and which part of the server it may ask.
#[derive(Debug, Clone)]
pub struct Identity {
    caller: Caller,
    /// What the key opens; everything, where it was no key.
    scopes: Option<Vec<KeyScope>>,
    /// Whether it is a key that acts as people, and was not told as whom.
    lacks_person: bool,
}

impl Identity {
    /// Somebody who may ask every part.
    pub const fn of(caller: Caller) -> Self {
        Self { caller, scopes: None, lacks_person: false }
    }

    /// Whether that part cannot be asked before a person is named: a key that acts as people would see nothing of its own, and an
    /// empty answer would pass for one that was looked for.
    pub fn needs_person(&self, scope: KeyScope) -> bool {
        self.lacks_person && scope == KeyScope::Search
    }

    /// The caller, as they stand in that part; none where their key does not open it.
    pub fn within(&self, scope: KeyScope) -> Option<Caller> {
        let caller = self.caller.clone();
        let Some(scopes) = &self.scopes else { return Some(caller) };
        let roles = scope.roles_within(scopes, caller.roles)?;
        Some(Caller { roles, ..caller })
    }
}

/// What a key may do and sees that acts as the person of that name. Whom it reads as is on the record, once an hour for each.
fn speak_as(app: &App, key: &Key, name: &str, from: Option<IpAddr>) -> Result<(Roles, Viewer), OpsError> {
    let person = app.store.load_person(name)?.filter(|person| person.active);
    let none = || OpsError::NotAllowed("X-Act-As names nobody who is active in the directory".to_owned());
    let person = person.ok_or_else(none)?;
    let searching: Roles = [Role::SearchUser].into_iter().collect();
    let (roles, viewer) = (key.roles.and(searching), app.store.load_viewer(person.id)?);
    let now = app.runtime.now();
    if roles.contains(Role::SearchUser)
        && !app.store.is_acting_noted(key.id, person.id, now - ACTING_NOTED)?
    {
        let actor = Actor::Key { id: key.id, name: key.name.clone() };
        let caller = Caller { actor, roles, viewer: viewer.clone(), from };
        Act::of_searching("key.act_as", &person.user_name)
            .run(app, &caller, || Ok(app.store.save_acting_noted(key.id, person.id, now)?))?;
    }
    Ok((roles, viewer))
}

/// Whom a key speaks for: the person it belongs to, the one it acts as, or itself, who sees no content.
///
/// # Errors
/// When the key opens nothing (any more), or may not act as that person.
pub fn identify_key(
    app: &App,
    token: &SecretString,
    act_as: Option<&str>,
    from: Option<IpAddr>,
) -> Result<Identity, OpsError> {
    const UNKNOWN: OpsError = OpsError::NotIdentified("this key is unknown, expired or revoked");
    let now = app.runtime.now();
    let hash = hash_of(token, PREFIX).ok_or(UNKNOWN)?;
    let key = app.store.find_key(hash)?.filter(|key| key.is_good(now)).ok_or(UNKNOWN)?;
    let actor = Actor::Key { id: key.id, name: key.name.clone() };
    let nobody = Viewer::Mapped(Default::default());
    let (roles, viewer) = match (key.person_id, act_as) {
        (_, Some(_)) if !key.may_act_as => {
            return Err(OpsError::NotAllowed(
                "this key may not act as anybody: leave the header X-Act-As out".to_owned(),
            ));
        }
        (Some(person), _) => {
            // Who left takes their keys along.
            let standing = app.store.load_standing(person)?.ok_or(UNKNOWN)?;
            (key.roles.and(standing.roles), app.store.load_viewer(person)?)
        }
        (None, Some(name)) => speak_as(app, &key, name, from)?,
        (None, None) => (key.roles, nobody),
    };
    app.store.save_key_use(&key, now)?;
    let lacks_person = key.may_act_as && act_as.is_none();
    Ok(Identity { caller: Caller { actor, roles, viewer, from }, scopes: Some(key.scopes), lacks_person })
}
