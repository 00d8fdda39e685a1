//! The directory as identity providers push it: SCIM 2.0 (RFC 7643, RFC 7644). Here stands what a request means; `web/scim` speaks HTTP.
//!
//! - `resource`: what is kept of a pushed user, what the directory takes from it, and how users and groups are told.
//! - `filter`: conditions on resources. `patch`: changes of them. Both pure.
//! - `record`: what the audit log says of a change.
//!
//! Everybody of the directory is a user here, whoever brought them in, so that a provider can take over people who were imported.
//! Changes are written to the audit log; that a provider reads what it pushed is not.

mod filter;
mod patch;
mod record;
mod resource;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::OpsError;
use super::audit::Act;
use crate::app::App;
use crate::model::{Caller, Role, without_controls};
use crate::store::{DirectorySource, Intake, Keep, PutRefusal, ScimGroup, ScimKey, ScimPerson};
use filter::Filter;
use patch::{Kind, Named};
use resource::{Shown, User};

/// Resources of an answer, unless it is asked for fewer.
const COUNT: u32 = 100;
/// Most resources of an answer.
pub const MAX_COUNT: u32 = 1_000;
/// Members of groups in an answer: then further groups wait for the next.
const MAX_MEMBERS: usize = 50_000;
/// People that are looked at in one go where a filter names nobody.
const BATCH: u32 = 1_000;

/// Why a request of a provider cannot be followed, with the name that RFC 7644 (section 3.12) has for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ScimError {
    scim_type: &'static str,
    detail: String,
}

impl ScimError {
    const fn bad(scim_type: &'static str, detail: String) -> Self {
        Self { scim_type, detail }
    }

    fn invalid(detail: &str) -> Self {
        Self::bad("invalidValue", detail.to_owned())
    }

    /// The name of its kind.
    pub const fn scim_type(&self) -> &'static str {
        self.scim_type
    }

    /// Whether another resource stands in the way.
    pub fn is_conflict(&self) -> bool {
        self.scim_type == "uniqueness"
    }
}

/// Which resources are told, and what of them.
#[derive(Debug, Clone, Default)]
pub struct ScimQuery {
    /// A condition.
    pub filter: Option<String>,
    /// The first to be told, counted from 1.
    pub start_index: Option<i64>,
    /// How many at most.
    pub count: Option<i64>,
    /// Only these attributes, between commas.
    pub attributes: Option<String>,
    /// All but these.
    pub excluded_attributes: Option<String>,
}

impl ScimQuery {
    fn shown(&self) -> Shown {
        Shown::read(self.attributes.as_deref(), self.excluded_attributes.as_deref())
    }

    fn filter(&self) -> Result<Option<Filter>, OpsError> {
        Ok(self.filter.as_deref().map(Filter::read).transpose()?)
    }

    fn page(&self) -> Page {
        let first = self.start_index.and_then(|first| u64::try_from(first).ok()).unwrap_or(1).max(1);
        let count = self.count.map_or(COUNT, |count| u32::try_from(count.max(0)).unwrap_or(MAX_COUNT));
        Page { first, count: count.min(MAX_COUNT), total: 0, members: 0, resources: Vec::new() }
    }
}

/// The resources that pass, as they are met: those of the page are kept, the others counted.
struct Page {
    first: u64,
    count: u32,
    total: u64,
    members: usize,
    resources: Vec<Value>,
}

impl Page {
    fn meet(&mut self, told: impl FnOnce() -> Value) {
        self.total += 1;
        let has_room = self.resources.len() < self.count as usize
            && (self.members < MAX_MEMBERS || self.resources.is_empty());
        if self.total >= self.first && has_room {
            let resource = told();
            self.members += resource.get("members").and_then(Value::as_array).map_or(0, Vec::len);
            self.resources.push(resource);
        }
    }

    /// As RFC 7644 (section 3.4.2) writes a list.
    fn told(self) -> Value {
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": self.total,
            "startIndex": self.first, "itemsPerPage": self.resources.len(), "Resources": self.resources})
    }
}

/// What kinds of resources there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScimKind {
    /// People.
    Users,
    /// Groups.
    Groups,
    /// Both.
    All,
}

/// The resources that pass.
///
/// # Errors
/// When the caller is no security administrator, or the filter is none.
pub fn list_scim(app: &App, caller: &Caller, kind: ScimKind, query: &ScimQuery) -> Result<Value, OpsError> {
    caller.require(Role::SecurityAdmin)?;
    let mut page = query.page();
    if kind != ScimKind::Groups {
        meet_users(app, query, &mut page)?;
    }
    if kind != ScimKind::Users {
        meet_groups(app, query, &mut page)?;
    }
    Ok(page.told())
}

fn meet_users(app: &App, query: &ScimQuery, page: &mut Page) -> Result<(), OpsError> {
    let shown = query.shown();
    let Some(filter) = query.filter()? else {
        let (skip, groups) = (page.first - 1, shown.has("groups"));
        let people = app.store.load_scim_people(None, 0, skip, page.count, groups)?;
        page.resources.extend(people.iter().map(|one| shown.of(resource::user(one))));
        page.total += app.store.count_people()?;
        return Ok(());
    };
    let equal = filter.equalities();
    let by = |name: &str, sub: Option<&str>| {
        equal.iter().find(|(path, _)| path.is(name, sub)).map(|(_, text)| *text)
    };
    let key = match by("id", None) {
        // An id that is none is nobody's.
        Some(id) => match id.parse() {
            Ok(uid) => Some(ScimKey::Uid(uid)),
            Err(_) => return Ok(()),
        },
        None => by("userName", None)
            .map(ScimKey::Name)
            .or_else(|| by("externalId", None).map(ScimKey::ExternalId))
            .or_else(|| by("emails", None).or_else(|| by("emails", Some("value"))).map(ScimKey::Email)),
    };
    let groups = shown.has("groups") || query.filter.as_deref().is_some_and(|text| text.contains("groups"));
    let mut after = 0;
    loop {
        let people = app.store.load_scim_people(key, after, 0, BATCH, groups)?;
        let Some(last) = people.last() else { return Ok(()) };
        after = last.person.id.0;
        for person in &people {
            let told = resource::user(person);
            if filter.holds(&told) {
                page.meet(|| shown.of(told));
            }
        }
    }
}

fn meet_groups(app: &App, query: &ScimQuery, page: &mut Page) -> Result<(), OpsError> {
    let shown = query.shown();
    let filter = query.filter()?;
    let equal = filter.as_ref().map(Filter::equalities).unwrap_or_default();
    let by = |name: &str, sub: Option<&str>| {
        equal.iter().find(|(path, _)| path.is(name, sub)).map(|(_, text)| *text)
    };
    let uid = |text: Option<&str>| text.map(str::parse::<Uuid>);
    let key = match uid(by("id", None)) {
        Some(Ok(uid)) => Some(ScimKey::Uid(uid)),
        Some(Err(_)) => return Ok(()),
        None => by("displayName", None)
            .map(ScimKey::Name)
            .or_else(|| by("externalId", None).map(ScimKey::ExternalId)),
    };
    // Whether one person is in a group takes no list of all who are.
    let member = match uid(by("members", None).or_else(|| by("members", Some("value")))) {
        Some(Ok(uid)) => Some(uid),
        Some(Err(_)) => return Ok(()),
        None => None,
    };
    let asks_members = query.filter.as_deref().is_some_and(|text| text.contains("members"));
    let mut after = 0;
    loop {
        let groups = app.store.load_scim_groups(key, after, BATCH)?;
        let Some(last) = groups.last() else { return Ok(()) };
        after = last.id;
        for mut group in groups {
            if let Some(filter) = &filter {
                if asks_members {
                    group.members = Some(app.store.load_members(group.id, member)?);
                }
                if !filter.holds(&resource::group(&group)) {
                    continue;
                }
            }
            let told = shown.has("members")
                && page.total + 1 >= page.first
                && page.resources.len() < page.count as usize;
            group.members = if told { Some(app.store.load_members(group.id, None)?) } else { None };
            page.meet(|| shown.of(resource::group(&group)));
        }
    }
}

fn nobody() -> OpsError {
    OpsError::NotFound("there is no such resource".to_owned())
}

/// A user.
///
/// # Errors
/// When the caller is no security administrator, or there is none.
pub fn show_scim_user(app: &App, caller: &Caller, uid: Uuid, query: &ScimQuery) -> Result<Value, OpsError> {
    caller.require(Role::SecurityAdmin)?;
    let found = app.store.load_scim_people(Some(ScimKey::Uid(uid)), 0, 0, 1, true)?;
    found.first().map(|person| query.shown().of(resource::user(person))).ok_or_else(nobody)
}

/// A group with its members.
///
/// # Errors
/// When the caller is no security administrator, or there is none.
pub fn show_scim_group(app: &App, caller: &Caller, uid: Uuid, query: &ScimQuery) -> Result<Value, OpsError> {
    caller.require(Role::SecurityAdmin)?;
    let shown = query.shown();
    let found = app.store.load_scim_groups(Some(ScimKey::Uid(uid)), 0, 1)?;
    let mut group = found.into_iter().next().ok_or_else(nobody)?;
    if shown.has("members") {
        group.members = Some(app.store.load_members(group.id, None)?);
    }
    Ok(shown.of(resource::group(&group)))
}

/// How a user or a group is changed.
#[derive(Debug, Clone)]
pub enum ScimChange {
    /// To what is given.
    Replace(Value),
    /// By operations.
    Patch(Value),
}

fn in_directory<T>(
    app: &App,
    work: impl FnOnce(&mut Intake<'_>) -> Result<T, OpsError>,
) -> Result<T, OpsError> {
    let mut new_uid = || app.runtime.uuid();
    app.store.take_in(DirectorySource::Scim, app.runtime.now(), &mut new_uid, |intake| {
        Ok((Keep::All, work(intake)?))
    })
}

fn put(
    intake: &mut Intake<'_>,
    held: Option<&ScimPerson>,
    user: &User,
    before: Option<&User>,
) -> Result<Uuid, OpsError> {
    let emails = user.0.get("emails").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let emails: Vec<&str> =
        emails.iter().filter_map(|one| one.get("value").unwrap_or(one).as_str()).collect();
    let put = intake.put_at(held.map(|held| &held.person), user.record(before), &user.text(), &emails)?;
    put.map_err(|refusal| match refusal {
        PutRefusal::Taken(what) => {
            ScimError::bad("uniqueness", format!("another user has this {what}")).into()
        }
        PutRefusal::Invalid(why) => ScimError::invalid(&why).into(),
    })
}

/// Makes a user.
///
/// # Errors
/// When the caller is no security administrator, the body is no user, or there is one of that name.
pub fn create_scim_user(app: &App, caller: &Caller, body: Value) -> Result<Value, OpsError> {
    let user = User::pushed(body);
    let named = user.as_ref().ok().and_then(|user| user.0.get("userName")).and_then(Value::as_str);
    Act::of_security("scim.create_user", named.unwrap_or_default()).run(app, caller, || {
        let user = user.clone()?;
        let uid = in_directory(app, |intake| put(intake, None, &user, None))?;
        show_scim_user(app, caller, uid, &ScimQuery::default())
    })
}

/// A user before and after a change.
fn changed(held: &ScimPerson, change: &ScimChange) -> Result<(User, User), ScimError> {
    // As it is told, so that a change of what others said is a change of that.
    let before = User(resource::user(held)).checked()?;
    let after = match change {
        ScimChange::Replace(body) => User::pushed(body.clone())?,
        ScimChange::Patch(body) => {
            let mut user = before.0.clone();
            for operation in patch::read(body)? {
                patch::apply(&mut user, &operation)?;
            }
            User(user).checked()?
        }
    };
    Ok((before, after))
}

/// Changes a user.
///
/// # Errors
/// When the caller is no security administrator, there is no such user, or the change cannot be.
pub fn change_scim_user(
    app: &App,
    caller: &Caller,
    uid: Uuid,
    change: &ScimChange,
) -> Result<Value, OpsError> {
    let target = record::of_user_change(app, caller, uid, change)?;
    Act::of_security("scim.change_user", &target).run(app, caller, || {
        in_directory(app, |intake| {
            let held = intake.scim_person(uid)?.ok_or_else(nobody)?;
            let (before, after) = changed(&held, change)?;
            put(intake, Some(&held), &after, Some(&before)).map(drop)
        })?;
        show_scim_user(app, caller, uid, &ScimQuery::default())
    })
}

/// Takes a user out of the directory, with all that hung on them.
///
/// # Errors
/// When the caller is no security administrator, or there is no such user.
pub fn delete_scim_user(app: &App, caller: &Caller, uid: Uuid) -> Result<(), OpsError> {
    let target = record::of_user(app, caller, uid)?;
    Act::of_security("scim.delete_user", &target).run(app, caller, || {
        in_directory(app, |intake| {
            let held = intake.scim_person(uid)?.ok_or_else(nobody)?;
            Ok(intake.delete_person(held.person.id)?)
        })
    })
}

/// A group as it is pushed.
struct PushedGroup {
    name: String,
    external_id: Option<String>,
    members: Option<Vec<Uuid>>,
}

impl PushedGroup {
    fn read(body: &Value) -> Result<Self, ScimError> {
        let no_object = || ScimError::bad("invalidSyntax", "the body is no object".to_owned());
        let body = body.as_object().ok_or_else(no_object)?;
        let text = |name: &str| filter::get(body, name).and_then(Value::as_str).map(str::to_owned);
        let name = text("displayName").ok_or_else(|| ScimError::invalid("a group has a “displayName”"))?;
        let members = filter::get(body, "members").filter(|members| !members.is_null());
        let members = members.map(|members| {
            let values = members.as_array().ok_or_else(|| ScimError::invalid("“members” is an array"))?;
            let ids = values.iter().map(|one| one.get("value").and_then(Value::as_str).unwrap_or_default());
            uids(ids)
        });
        Ok(Self { name, external_id: text("externalId"), members: members.transpose()? })
    }
}

fn uids<'a>(ids: impl Iterator<Item = &'a str>) -> Result<Vec<Uuid>, ScimError> {
    ids.map(|id| id.parse().map_err(|_| no_member(id))).collect()
}

fn no_member(id: &str) -> ScimError {
    let id: String = id.chars().take(80).collect();
    ScimError::bad("invalidValue", format!("the member “{id}” is no user"))
}

fn join(intake: &mut Intake<'_>, group: i64, members: &[Uuid]) -> Result<(), OpsError> {
    match intake.add_members(group, members)? {
        None => Ok(()),
        Some(unknown) => Err(no_member(&unknown.to_string()).into()),
    }
}

fn put_group(
    intake: &mut Intake<'_>,
    held: Option<&ScimGroup>,
    name: &str,
    external_id: Option<&str>,
) -> Result<(i64, Uuid), OpsError> {
    // As with the names of people.
    intake.put_group(held, &without_controls(name), external_id)?.map_err(|refusal| match refusal {
        PutRefusal::Taken(what) => {
            ScimError::bad("uniqueness", format!("another group has this {what}")).into()
        }
        PutRefusal::Invalid(why) => ScimError::invalid(&why).into(),
    })
}

/// Makes a group.
///
/// # Errors
/// When the caller is no security administrator, the body is no group, or there is one of that name.
pub fn create_scim_group(app: &App, caller: &Caller, body: &Value) -> Result<Value, OpsError> {
    let group = PushedGroup::read(body);
    let named = group.as_ref().map_or("", |group| &group.name);
    Act::of_security("scim.create_group", named).run(app, caller, || {
        let group = group.as_ref().map_err(Clone::clone)?;
        let uid = in_directory(app, |intake| {
            let (id, uid) = put_group(intake, None, &group.name, group.external_id.as_deref())?;
            join(intake, id, group.members.as_deref().unwrap_or_default())?;
            Ok(uid)
        })?;
        show_scim_group(app, caller, uid, &ScimQuery::default())
    })
}

/// Changes a group.
///
/// # Errors
/// When the caller is no security administrator, there is no such group, or the change cannot be.
pub fn change_scim_group(app: &App, caller: &Caller, uid: Uuid, change: &ScimChange) -> Result<(), OpsError> {
    let target = record::of_group_change(app, caller, uid, change)?;
    Act::of_security("scim.change_group", &target).run(app, caller, || {
        in_directory(app, |intake| {
            let held = intake.scim_group(uid)?.ok_or_else(nobody)?;
            match change {
                ScimChange::Replace(body) => {
                    let group = PushedGroup::read(body)?;
                    put_group(intake, Some(&held), &group.name, group.external_id.as_deref())?;
                    intake.clear_members(held.id)?;
                    join(intake, held.id, group.members.as_deref().unwrap_or_default())
                }
                ScimChange::Patch(body) => patch_group(intake, &held, body),
            }
        })
    })
}

fn patch_group(intake: &mut Intake<'_>, held: &ScimGroup, body: &Value) -> Result<(), OpsError> {
    let mut told = resource::group(held);
    for operation in patch::read(body)? {
        match (patch::members(&operation)?, operation.kind) {
            (None, _) => patch::apply(&mut told, &operation)?,
            (Some(Named::All), Kind::Add) => {}
            (Some(Named::All), Kind::Remove | Kind::Replace) => intake.clear_members(held.id)?,
            (Some(Named::These(ids)), Kind::Remove) => {
                // Who is no user is no member.
                let ids: Vec<Uuid> = ids.iter().filter_map(|id| id.parse().ok()).collect();
                intake.remove_members(held.id, &ids)?;
            }
            (Some(Named::These(ids)), kind) => {
                if kind == Kind::Replace && operation.target.filter.is_none() {
                    intake.clear_members(held.id)?;
                }
                join(intake, held.id, &uids(ids.iter().map(String::as_str))?)?;
            }
        }
    }
    let text =
        |told: &Map<String, Value>, name: &str| told.get(name).and_then(Value::as_str).map(str::to_owned);
    let name = text(&told, "displayName").ok_or_else(|| ScimError::invalid("a group has a “displayName”"))?;
    put_group(intake, Some(held), &name, text(&told, "externalId").as_deref()).map(drop)
}

/// Takes a group out of the directory. Its members stay.
///
/// # Errors
/// When the caller is no security administrator, or there is no such group.
pub fn delete_scim_group(app: &App, caller: &Caller, uid: Uuid) -> Result<(), OpsError> {
    let target = record::of_group(app, caller, uid)?;
    Act::of_security("scim.delete_group", &target).run(app, caller, || {
        in_directory(app, |intake| {
            let held = intake.scim_group(uid)?.ok_or_else(nobody)?;
            Ok(intake.delete_group(held.id)?)
        })
    })
}
