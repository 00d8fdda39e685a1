//! Schedules: saying what is crawled when. `scheduler` runs them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::OpsError;
use super::audit::Act;
use super::connectors::find_connector;
use super::crawl::BY_EVENTS_ALONE;
use crate::app::App;
use crate::crawl::filters::parse_object;
use crate::model::{Caller, NotionId, Recurrence, Role};
use crate::store::{Schedule, Scope};

/// Longest name of a schedule, in characters.
const MAX_NAME_CHARS: usize = 200;

/// A schedule as it is listed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ScheduleSummary {
    /// Its name.
    pub name: String,
    /// Name of the connector.
    pub connector: String,
    /// What its crawls cover.
    pub scope: String,
    /// The page or database that its partial crawls cover with all below it.
    #[schema(value_type = Option<String>)]
    pub start_point: Option<NotionId>,
    /// When it runs.
    #[schema(example = "weekly mon,thu 02:30")]
    pub when: String,
    /// The time zone whose clocks count.
    #[schema(example = "Europe/Berlin")]
    pub zone: String,
    /// Whether it does not run for now.
    pub paused: bool,
    /// Whether its connector is deactivated, so that it does not run for now either.
    pub connector_deactivated: bool,
    /// When it runs next; none when it will not, or not for now.
    pub next_run: Option<Timestamp>,
    /// When it last started a crawl.
    pub last_run: Option<Timestamp>,
}

/// What a schedule is made from.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddSchedule {
    /// A name of its own.
    pub name: String,
    /// Name of the connector; the only one if none is named.
    pub connector: Option<String>,
    /// What to cover; `incremental` if not given, which is full where none completed yet.
    #[serde(default, deserialize_with = "optional_scope")]
    #[schema(value_type = Option<String>, example = "full")]
    pub scope: Option<Scope>,
    /// The page or database that partial crawls cover with all below it: its id, or the link that Notion copies for it.
    pub start_point: Option<String>,
    /// `once 2026-05-01T08:00`, `daily 02:30`, `weekly mon,thu 02:30`, `monthly 31 02:30` (on the last day of shorter months) or
    /// `every 15 minutes`.
    pub when: String,
    /// The time zone whose clocks count, by its IANA name; `UTC` if not given.
    pub zone: Option<String>,
}

/// What to change of a schedule; what is not given stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditSchedule {
    /// Another name.
    pub name: Option<String>,
    /// Another connector.
    pub connector: Option<String>,
    /// Another scope.
    #[serde(default, deserialize_with = "optional_scope")]
    #[schema(value_type = Option<String>)]
    pub scope: Option<Scope>,
    /// Another start point, by id or link. A scope that is not partial drops the one there is.
    pub start_point: Option<String>,
    /// Another rule.
    pub when: Option<String>,
    /// Another time zone.
    pub zone: Option<String>,
    /// Whether it does not run for now. Runs that it missed while paused are not made up for.
    pub paused: Option<bool>,
}

/// Adds a schedule. It counts from now: a run that would have been earlier is not missed.
///
/// # Errors
/// When the name is taken, the connector does not exist, or the rule is none.
pub fn add_schedule(app: &App, caller: &Caller, new: AddSchedule) -> Result<ScheduleSummary, OpsError> {
    let name = new.name.clone();
    Act::of_connectors("schedule.add", &name).run(app, caller, || {
        let connector = find_connector(app, new.connector.as_deref())?;
        let name = checked_name(&new.name)?;
        let scope = new.scope.unwrap_or(Scope::Incremental);
        let (scope, start_point) = covers(scope, start_point(new.start_point.as_deref())?)?;
        let mut schedule = Schedule {
            id: 0,
            name: name.clone(),
            connector: connector.id,
            scope,
            start_point,
            recurrence: rule(&new.when)?,
            zone: new.zone.unwrap_or_else(|| "UTC".to_owned()),
            paused: false,
            anchor: app.runtime.now(),
            next: None,
            last: None,
        };
        set_next(app, &mut schedule)?;
        if !app.store.add_schedule(&schedule)? {
            return Err(taken(&name));
        }
        show(app, &name)
    })
}

/// Changes a schedule, pauses it or lets it run again.
///
/// # Errors
/// When there is no such schedule, or what it should become cannot be.
pub fn edit_schedule(
    app: &App,
    caller: &Caller,
    name: &str,
    edit: EditSchedule,
) -> Result<ScheduleSummary, OpsError> {
    Act::of_connectors("schedule.edit", name).run(app, caller, || {
        let mut schedule = find(app, name)?;
        if let Some(name) = edit.name {
            schedule.name = checked_name(&name)?;
        }
        if let Some(connector) = edit.connector {
            schedule.connector = find_connector(app, Some(&connector))?.id;
        }
        let resumed = schedule.paused && edit.paused == Some(false);
        schedule.paused = edit.paused.unwrap_or(schedule.paused);
        let scope = edit.scope.unwrap_or(schedule.scope);
        let stays = schedule.start_point.filter(|_| scope == Scope::Partial);
        let start_point = start_point(edit.start_point.as_deref())?.or(stays);
        (schedule.scope, schedule.start_point) = covers(scope, start_point)?;
        let is_new = edit.when.is_some() || edit.zone.is_some();
        if let Some(when) = edit.when {
            schedule.recurrence = rule(&when)?;
        }
        schedule.zone = edit.zone.unwrap_or(schedule.zone);
        if is_new {
            schedule.anchor = app.runtime.now();
        }
        if is_new || resumed {
            set_next(app, &mut schedule)?;
        }
        if !app.store.save_schedule(&schedule)? {
            return Err(taken(&schedule.name));
        }
        show(app, &schedule.name)
    })
}

/// Deletes a schedule; crawls that it started stay.
///
/// # Errors
/// When there is no such schedule.
pub fn delete_schedule(app: &App, caller: &Caller, name: &str) -> Result<ScheduleSummary, OpsError> {
    Act::of_connectors("schedule.delete", name).run(app, caller, || {
        let schedule = find(app, name)?;
        let summary = show(app, name)?;
        app.store.delete_schedule(schedule.id)?;
        Ok(summary)
    })
}

/// All schedules, by name.
///
/// # Errors
/// When the database cannot be read.
pub fn list_schedules(app: &App, caller: &Caller) -> Result<Vec<ScheduleSummary>, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    app.store.load_schedules()?.into_iter().map(|schedule| summary(app, schedule)).collect()
}

/// Runs every schedule that is due. One that missed runs, because nothing served them, runs once.
///
/// # Errors
/// When the database cannot be used.
pub(super) fn run_due(app: &App) -> Result<(), OpsError> {
    let now = app.runtime.now();
    for schedule in app.store.load_schedules()? {
        if schedule.paused || schedule.next.is_none_or(|next| next > now) {
            continue;
        }
        let active = app.store.load_connector_by_id(schedule.connector)?.is_some_and(|one| one.active);
        if !active {
            continue;
        }
        let next = schedule.recurrence.next_after(now, schedule.anchor, &zone(&schedule.zone)?);
        app.store.run_schedule(&schedule, next, "schedule", now)?;
    }
    Ok(())
}

/// When it runs next, from now on.
fn set_next(app: &App, schedule: &mut Schedule) -> Result<(), OpsError> {
    let zone = zone(&schedule.zone)?;
    schedule.next = schedule.recurrence.next_after(app.runtime.now(), schedule.anchor, &zone);
    if schedule.next.is_none() {
        return Err(OpsError::Invalid(format!(
            "“{}” is in the past: name a time to come",
            schedule.recurrence
        )));
    }
    Ok(())
}

fn zone(name: &str) -> Result<TimeZone, OpsError> {
    TimeZone::get(name).map_err(|_| {
        OpsError::Invalid(format!("“{name}” is no time zone: use an IANA name such as Europe/Berlin, or UTC"))
    })
}

/// A scope with its start point, which a partial crawl needs and no other has.
pub(super) fn covers(
    scope: Scope,
    start_point: Option<NotionId>,
) -> Result<(Scope, Option<NotionId>), OpsError> {
    let wrong = match (scope, start_point) {
        (Scope::Events, _) => BY_EVENTS_ALONE,
        (Scope::Partial, None) => {
            "a partial crawl needs a start point (--start-point ID, over REST \"start_point\"): connector start-points lists some"
        }
        (Scope::Partial, Some(_)) | (_, None) => return Ok((scope, start_point)),
        (_, Some(_)) => "a start point goes with scope partial",
    };
    Err(OpsError::Invalid(wrong.to_owned()))
}

/// The object that a start point names by id or link.
pub(super) fn start_point(text: Option<&str>) -> Result<Option<NotionId>, OpsError> {
    text.map(parse_object).transpose().map_err(OpsError::Invalid)
}

/// The scope of that name.
///
/// # Errors
/// When there is none; says which there are.
pub fn parse_scope(text: &str) -> Result<Scope, String> {
    text.parse().map_err(|_| {
        // Nobody can ask for a crawl of events.
        let known = Scope::ALL.iter().filter(|scope| **scope != Scope::Events);
        format!("“{text}” is none of {}", known.map(|scope| scope.as_str()).collect::<Vec<_>>().join(", "))
    })
}

/// The same in a body of JSON, where it may be left out.
pub(super) fn optional_scope<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Scope>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    text.as_deref().map(parse_scope).transpose().map_err(D::Error::custom)
}

fn rule(text: &str) -> Result<Recurrence, OpsError> {
    text.parse().map_err(|error| OpsError::Invalid(format!("{error}")))
}

fn checked_name(name: &str) -> Result<String, OpsError> {
    let name = name.trim();
    let chars = name.chars().count();
    if chars == 0 || chars > MAX_NAME_CHARS || name.contains('/') || name.chars().any(char::is_control) {
        let message = format!("a schedule's name has 1 to {MAX_NAME_CHARS} characters, none of them a slash");
        return Err(OpsError::Invalid(message));
    }
    Ok(name.to_owned())
}

fn taken(name: &str) -> OpsError {
    OpsError::Conflict(format!("there is a schedule “{name}” already: choose another name, or edit that one"))
}

fn find(app: &App, name: &str) -> Result<Schedule, OpsError> {
    app.store.load_schedule(name)?.ok_or_else(|| {
        OpsError::NotFound(format!("there is no schedule “{name}”; see: notion-connector schedule list"))
    })
}

fn show(app: &App, name: &str) -> Result<ScheduleSummary, OpsError> {
    summary(app, find(app, name)?)
}

fn summary(app: &App, schedule: Schedule) -> Result<ScheduleSummary, OpsError> {
    let connector = app.store.load_connector_by_id(schedule.connector)?.ok_or_else(|| {
        OpsError::NotFound(format!("the connector of schedule “{}” was deleted", schedule.name))
    })?;
    let runs = !schedule.paused && connector.active;
    Ok(ScheduleSummary {
        name: schedule.name,
        connector: connector.name,
        scope: schedule.scope.to_string(),
        start_point: schedule.start_point,
        when: schedule.recurrence.to_string(),
        zone: schedule.zone,
        paused: schedule.paused,
        connector_deactivated: !connector.active,
        next_run: schedule.next.filter(|_| runs),
        last_run: schedule.last,
    })
}
