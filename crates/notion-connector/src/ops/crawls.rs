//! Looking at crawls, cancelling them, approving what they would delete.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audit::Act;
use super::connectors::find_connector;
use super::crawl::scope_by_itself;
use super::{OpsError, PlanDetail, plan, rerender, scheduler, schedules};
use crate::app::App;
use crate::model::{Caller, NotionId, Role};
use crate::store::{
    Alert, AlertFilter, AlertPage, Connector, Crawl, CrawlId, CrawlState, Scope, UserCounters,
};

/// Alerts shown with their crawl; `list_alerts` has the rest.
const ALERTS_SHOWN: u32 = 100;

/// Longest name of a crawl, in characters.
const MAX_NAME_CHARS: usize = 200;

/// A crawl as it is listed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CrawlSummary {
    /// Number of the crawl.
    pub id: i64,
    /// The name it was given, else that of its schedule, else one made of connector, scope and time.
    pub name: String,
    /// Name of the connector.
    pub connector: String,
    /// What it covers.
    pub scope: String,
    /// The page or database that a partial crawl covers with all below it.
    #[schema(value_type = Option<String>)]
    pub start_point: Option<NotionId>,
    /// Its title, where it is known.
    pub start_point_title: Option<String>,
    /// Whether somebody asked for it, *one_time*, or a schedule or the wish to stay fresh does again and again, *scheduled*.
    #[schema(value_type = String, example = "one_time")]
    pub occurrence: &'static str,
    /// Where it is in its life.
    #[schema(value_type = String, example = "completed")]
    pub state: CrawlState,
    /// Who asked for it.
    pub started_by: String,
    /// The schedule that started it, by the name it had; none for one that somebody asked for.
    pub schedule: Option<String>,
    /// When it first ran.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Seconds that it ran, without interruptions.
    pub duration_seconds: f64,
    /// Items processed in a second of that, on average; none before any was.
    pub average_items_per_second: Option<f64>,
    /// Why it failed.
    pub reason: Option<String>,
    /// Items processed.
    pub discovered: u64,
    /// Added and updated.
    pub indexed: u64,
    /// Indexed for the first time.
    pub added: u64,
    /// Indexed again.
    pub updated: u64,
    /// Gone from the index.
    pub deleted: u64,
    /// As they were.
    pub unchanged: u64,
    /// Left out by a limit.
    pub skipped: u64,
    /// Failed.
    pub not_indexed: u64,
    /// Alerts of level error.
    pub errors: u64,
    /// Alerts of level warning.
    pub warnings: u64,
    /// Requests sent to Notion.
    pub requests: u64,
    /// What it did with people; none but of scope `people`.
    pub people: Option<PeopleCounters>,
}

/// What a user permission crawl did.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct PeopleCounters {
    /// People of the workspace that it met, guests included.
    pub discovered: u64,
    /// The counts.
    #[serde(flatten)]
    pub counts: UserCounters,
    /// Groups of the workspace: Notion's API lists none.
    pub groups_discovered: u64,
    /// Groups that are gone: none.
    pub groups_deleted: u64,
    /// People a second, on average; none before any was met.
    pub users_per_second: Option<f64>,
}

impl PeopleCounters {
    fn of(crawl: &Crawl) -> Option<Self> {
        let counts = crawl.users;
        let discovered = counts.mapped + counts.unmapped;
        (crawl.scope == Scope::People).then(|| Self {
            discovered,
            counts,
            groups_discovered: 0,
            groups_deleted: 0,
            users_per_second: rate(discovered, crawl.active_ms),
        })
    }
}

/// How many of something a second, to one place; none of nothing.
fn rate(count: u64, active_ms: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "numbers for people to read")]
    let (count, seconds) = (count as f64, active_ms as f64 / 1_000.0);
    (seconds > 0.0 && count > 0.0).then(|| (count / seconds * 10.0).round() / 10.0)
}

impl CrawlSummary {
    pub(super) fn of(connector: &Connector, crawl: &Crawl) -> Self {
        let counters = &crawl.counters;
        let is_scheduled = crawl.schedule.is_some() || crawl.started_by == scheduler::FRESHNESS;
        #[expect(clippy::cast_precision_loss, reason = "numbers for people to read")]
        let seconds = crawl.active_ms as f64 / 1_000.0;
        Self {
            id: crawl.id.0,
            name: crawl.name.clone().or_else(|| crawl.schedule.clone()).unwrap_or_else(|| {
                let created = crawl.created.strftime("%Y-%m-%d %H:%M UTC");
                format!("{} {} {created}", connector.name, crawl.scope)
            }),
            start_point_title: crawl.start_point_title.clone(),
            occurrence: if is_scheduled { "scheduled" } else { "one_time" },
            duration_seconds: seconds,
            average_items_per_second: rate(counters.discovered(), crawl.active_ms),
            connector: connector.name.clone(),
            scope: crawl.scope.to_string(),
            start_point: crawl.start_point,
            state: crawl.state,
            started_by: crawl.started_by.clone(),
            schedule: crawl.schedule.clone(),
            started: crawl.started,
            ended: crawl.ended,
            reason: crawl.reason.clone(),
            discovered: counters.discovered(),
            indexed: counters.indexed(),
            added: counters.added,
            updated: counters.updated,
            deleted: counters.deleted,
            unchanged: counters.unchanged,
            skipped: counters.skipped,
            not_indexed: counters.not_indexed,
            errors: counters.errors,
            warnings: counters.warnings,
            requests: counters.requests,
            people: PeopleCounters::of(crawl),
        }
    }
}

/// A crawl with its alerts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CrawlDetail {
    /// The crawl.
    #[serde(flatten)]
    pub crawl: CrawlSummary,
    /// How many alerts there are.
    pub alerts_total: u64,
    /// What happened in it, gravest first: at most 100 of them.
    pub alerts: Vec<Alert>,
    /// What its listings said it would cost, where it was planned first.
    pub plan: Option<PlanDetail>,
}

/// Which crawl to queue.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartCrawl {
    /// Name of the connector; the only one if none is named.
    pub connector: Option<String>,
    /// What to cover; if not given `incremental` once a full crawl listed everything, else `full`.
    #[serde(default, deserialize_with = "schedules::optional_scope")]
    #[schema(value_type = Option<String>, example = "full")]
    pub scope: Option<Scope>,
    /// The page or database that a partial crawl covers with all below it: its id, or the link that Notion copies for it.
    pub start_point: Option<String>,
    /// List only and say what the crawl will cost; the next crawl that is asked for goes on with it.
    #[serde(default)]
    pub plan: bool,
    /// A name to find it by in the history.
    #[serde(default)]
    pub name: Option<String>,
}

/// A name that a crawl can have.
///
/// # Errors
/// When it is none.
pub(super) fn check_name(name: &str) -> Result<&str, OpsError> {
    let name = name.trim();
    let chars = name.chars().count();
    if chars == 0 || chars > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(OpsError::Invalid(format!("the name of a crawl has 1 to {MAX_NAME_CHARS} characters")));
    }
    Ok(name)
}

/// Queues a crawl for the service that owns the data directory. One of that connector and scope that still waits is the
/// one that was asked for, and so is a plan of it that still holds.
///
/// # Errors
/// When there is no such connector.
pub fn start_crawl(app: &App, caller: &Caller, start: &StartCrawl) -> Result<CrawlSummary, OpsError> {
    Act::of_connectors("crawl.start", start.connector.as_deref().unwrap_or_default()).run(app, caller, || {
        let connector = find_connector(app, start.connector.as_deref())?;
        let name = start.name.as_deref().map(check_name).transpose()?;
        let id = queued(app, &connector, start, &caller.actor.to_string())?;
        if let Some(name) = name {
            app.store.name_crawl(id, name)?;
        }
        summary(app, &find(app, id.0)?)
    })
}

/// The crawl or plan that was asked for, as it waits.
fn queued(
    app: &App,
    connector: &Connector,
    start: &StartCrawl,
    started_by: &str,
) -> Result<CrawlId, OpsError> {
    let start_point = schedules::start_point(start.start_point.as_deref())?;
    if start.plan {
        if start_point.is_some() {
            return Err(OpsError::Invalid("a plan has no start point: it lists".to_owned()));
        }
        return plan::queue_plan(app, connector, start.scope, started_by);
    }
    if let Some(planned) = plan::release(app, connector, start.scope)? {
        return Ok(planned);
    }
    let scope = match start.scope {
        Some(scope) => scope,
        None => scope_by_itself(app, connector)?,
    };
    let covers = schedules::covers(scope, start_point)?;
    scheduler::queue(app, connector.id, covers, started_by)
}

/// The newest crawls first.
///
/// # Errors
/// When the database cannot be read.
pub fn list_crawls(app: &App, caller: &Caller, limit: u32) -> Result<Vec<CrawlSummary>, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    app.store.load_crawls(limit)?.iter().map(|crawl| summary(app, crawl)).collect()
}

/// One crawl with its alerts.
///
/// # Errors
/// When there is no such crawl.
pub fn show_crawl(app: &App, caller: &Caller, id: i64) -> Result<CrawlDetail, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    let crawl = find(app, id)?;
    let AlertPage { total, alerts } =
        app.store.load_alerts(crawl.id, &AlertFilter::default(), ALERTS_SHOWN, 0)?;
    Ok(CrawlDetail {
        crawl: summary(app, &crawl)?,
        alerts_total: total,
        alerts,
        plan: plan::detail(app, &crawl)?,
    })
}

/// One crawl without its alerts.
///
/// # Errors
/// When there is no such crawl.
pub(super) fn summary_of(app: &App, id: i64) -> Result<CrawlSummary, OpsError> {
    summary(app, &find(app, id)?)
}

/// The alerts of a crawl that a filter shows, gravest first: at most `limit`, after the first `offset`.
///
/// # Errors
/// When there is no such crawl.
pub fn list_alerts(
    app: &App,
    caller: &Caller,
    id: i64,
    filter: &AlertFilter,
    limit: u32,
    offset: u32,
) -> Result<AlertPage, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    let crawl = find(app, id)?;
    Ok(app.store.load_alerts(crawl.id, filter, limit, offset)?)
}

/// Asks a crawl to stop; the process that runs it does so within seconds, and one that nobody runs is cancelled at once.
///
/// # Errors
/// When there is no such crawl, or it has ended.
pub fn cancel_crawl(app: &App, caller: &Caller, id: i64) -> Result<CrawlSummary, OpsError> {
    Act::of_connectors("crawl.cancel", &id.to_string()).run(app, caller, || {
        let crawl = find(app, id)?;
        if crawl.state == CrawlState::Planned {
            app.store.void_plans(crawl.connector, "the plan was given up", app.runtime.now())?;
            return summary(app, &find(app, id)?);
        }
        if !crawl.state.is_open() {
            return Err(OpsError::Conflict(format!("crawl {id} has ended already ({})", crawl.state)));
        }
        app.store.request_cancel(crawl.id)?;
        if let Ok(_ownership) = app.own("crawls cancel") {
            // Nobody owns the data directory: no process runs the crawl.
            app.store.end_crawl(crawl.id, CrawlState::Cancelled, None, app.runtime.now())?;
        }
        summary(app, &find(app, id)?)
    })
}

/// Deletes what a crawl that awaits approval found gone.
///
/// Where another process serves, its pump takes the items out of the index; else this one does before it answers.
///
/// # Errors
/// When the crawl does not await approval.
pub async fn approve_deletions(app: &Arc<App>, caller: &Caller, id: i64) -> Result<CrawlSummary, OpsError> {
    let named = id.to_string();
    let act = Act::of_connectors("crawl.approve_deletions", &named);
    act.run_async(app, caller, async {
        find(app, id)?;
        let ownership = app.own("crawls approve-deletions").ok();
        let pump = ownership.as_ref().map(|_| app.pump()).transpose()?;
        if let Some(pump) = &pump {
            // Before anything new is written, as in a crawl.
            pump.drain().await?;
        }
        let approved = app.store.approve_departures(CrawlId(id), app.runtime.now())?;
        // Files may be described by other pages now.
        rerender(app).await?;
        if let Some(pump) = &pump {
            pump.drain().await?;
        }
        let crawl = summary_of(app, id)?;
        if approved {
            return Ok(crawl);
        }
        Err(OpsError::Conflict(format!("crawl {id} does not await approval ({})", crawl.state)))
    })
    .await
}

fn find(app: &App, id: i64) -> Result<Crawl, OpsError> {
    app.store.load_crawl(CrawlId(id))?.ok_or_else(|| {
        OpsError::NotFound(format!("there is no crawl {id}; see: notion-connector crawls list"))
    })
}

fn summary(app: &App, crawl: &Crawl) -> Result<CrawlSummary, OpsError> {
    let connector = app
        .store
        .load_connector_by_id(crawl.connector)?
        .ok_or_else(|| OpsError::NotFound(format!("the connector of crawl {} was deleted", crawl.id)))?;
    Ok(CrawlSummary::of(&connector, crawl))
}
