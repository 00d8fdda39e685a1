//! Planning a crawl: its listings, what they say it will cost, and letting it go on.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::audit::Act;
use super::connector_life::effective_settings;
use super::crawl::{crawler, find_or_make, scope_by_itself};
use super::{CrawlDetail, OpsError, scheduler, show_crawl};
use crate::app::App;
use crate::crawl::filters::Filters;
use crate::crawl::{Progress, listing_settings};
use crate::model::{Caller, Plan};
use crate::store::{Connector, Crawl, CrawlId, CrawlState, Scope};

/// Why a plan is void that nobody let go on.
const EXPIRED: &str = "nobody let the plan go on before its listing was old (crawl.plan_minutes)";

/// Why a plan is void when settings changed.
pub(super) const OTHER_SETTINGS: &str = "the settings that its listing followed have changed since";

/// Which crawl to plan.
#[derive(Debug)]
pub struct PlanRequest {
    /// The connector; the only one if none is named.
    pub connector: Option<String>,
    /// What to cover; as in a crawl.
    pub scope: Option<Scope>,
    /// List anew although a plan waits or a crawl is unfinished.
    pub restart: bool,
    /// As in a crawl.
    pub first_secret: Option<SecretString>,
}

/// A plan, and how long it holds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlanDetail {
    /// When its listings had ended.
    pub made: Timestamp,
    /// Until when a crawl goes on with it instead of listing anew.
    pub expires: Timestamp,
    /// What they found.
    #[serde(flatten)]
    pub plan: Plan,
}

/// Lists what a crawl would cover and says what it will cost; indexes and deletes nothing. The crawl of that connector that
/// follows goes on with it. A plan that waits is told again without a request.
///
/// # Errors
/// When the listing cannot begin or cannot go on, or a crawl of the connector is unfinished.
pub async fn plan_crawl(
    app: &Arc<App>,
    caller: &Caller,
    request: PlanRequest,
    progress: watch::Sender<Progress>,
) -> Result<CrawlDetail, OpsError> {
    let named = request.connector.clone().unwrap_or_default();
    let act = Act::of_connectors("crawl.plan", &named);
    act.run_async(app, caller, async {
    let connector = find_or_make(app, caller, request.connector.as_deref(), request.first_secret).await?;
    let now = app.runtime.now();
    if let Some(open) = app.store.load_open_crawl(connector.id, None, None)?.filter(|open| !open.plan_only) {
        if !request.restart {
            return Err(OpsError::Conflict(format!(
                "crawl {} of connector “{}” is unfinished, and has listed already: go on with it (notion-connector crawl), or say \
                 --restart",
                open.id, connector.name
            )));
        }
        app.store.end_crawl(open.id, CrawlState::Cancelled, Some("restarted"), now)?;
    }
    if request.restart {
        app.store.void_plans(connector.id, "restarted", now)?;
    }
    let planned = queue_plan(app, &connector, request.scope, &caller.actor.to_string())?;
    if app.store.load_crawl(planned)?.is_some_and(|crawl| crawl.state == CrawlState::Planned) {
        return show_crawl(app, caller, planned.0);
    }
    let refused = |error: OpsError| error.naming_secret_of(&connector.name);
    let crawler = Arc::new(crawler(app, &connector, Scope::Full, progress, None).await.map_err(refused)?);
    let crawl = tokio::select! {
        biased;
        crawl = crawler.run(planned) => crawl.map_err(|error| refused(error.into()))?,
        failed = scheduler::keep_ending_cancelled(app, planned) => return Err(failed),
    };
    show_crawl(app, caller, crawl.id.0)
    }).await
}

/// The plan of that scope that waits or is under way, or a new one in the queue.
pub(super) fn queue_plan(
    app: &App,
    connector: &Connector,
    scope: Option<Scope>,
    started_by: &str,
) -> Result<CrawlId, OpsError> {
    if let Some(scope @ (Scope::Partial | Scope::Test | Scope::People)) = scope {
        let reads = "finds what it covers by reading it, and cannot be planned";
        return Err(OpsError::Invalid(format!(
            "a crawl of scope {scope} {reads}: choose full or incremental"
        )));
    }
    if let Some(planned) = find_planned(app, connector, scope)? {
        return Ok(planned.id);
    }
    let scope = match scope {
        Some(scope) => scope,
        None => scope_by_itself(app, connector)?,
    };
    let open = app.store.load_open_crawls()?;
    let same = |crawl: &&Crawl| crawl.connector == connector.id && crawl.plan_only && crawl.scope == scope;
    match open.iter().filter(same).find(|crawl| crawl.state != CrawlState::Cancelling) {
        Some(open) => Ok(open.id),
        None => Ok(app.store.add_plan(connector.id, scope, started_by, app.runtime.now())?),
    }
}

/// The connector's plan of that scope that waits and still holds. One that does not is void from now on.
pub(super) fn find_planned(
    app: &App,
    connector: &Connector,
    scope: Option<Scope>,
) -> Result<Option<Crawl>, OpsError> {
    expire(app)?;
    let Some(planned) = app.store.load_planned(connector.id)? else { return Ok(None) };
    let settings = effective_settings(app, connector)?;
    let filters = Filters::new(&settings.include, &settings.exclude);
    let settings = listing_settings(settings.body, &settings.crawl, &filters);
    if app.store.load_plan(planned.id)?.is_none_or(|(followed, _)| followed != settings) {
        app.store.void_plans(connector.id, OTHER_SETTINGS, app.runtime.now())?;
        return Ok(None);
    }
    Ok(Some(planned).filter(|planned| scope.is_none_or(|scope| scope == planned.scope)))
}

/// Lets a plan go on that covers what is asked for, as the crawl that is asked for.
pub(super) fn release(
    app: &App,
    connector: &Connector,
    scope: Option<Scope>,
) -> Result<Option<CrawlId>, OpsError> {
    let Some(planned) = find_planned(app, connector, scope)? else { return Ok(None) };
    Ok(app.store.release_plan(planned.id)?.then_some(planned.id))
}

/// Ends plans that nobody let go on in time.
pub(super) fn expire(app: &App) -> Result<(), OpsError> {
    let now = app.runtime.now();
    match now.checked_sub(holds(app)) {
        Ok(before) => Ok(app.store.expire_plans(before, EXPIRED, now)?),
        Err(_) => Ok(()),
    }
}

/// The plan that a crawl was, or is.
pub(super) fn detail(app: &App, crawl: &Crawl) -> Result<Option<PlanDetail>, OpsError> {
    let Some((made, (_, plan))) = crawl.planned.zip(app.store.load_plan(crawl.id)?) else { return Ok(None) };
    let plan = serde_json::from_str(&plan).map_err(|error| {
        OpsError::Conflict(format!("the plan of crawl {} cannot be read ({error}): plan anew", crawl.id))
    })?;
    Ok(Some(PlanDetail { made, expires: made.saturating_add(holds(app)).unwrap_or(made), plan }))
}

fn holds(app: &App) -> SignedDuration {
    SignedDuration::from_mins(i64::try_from(app.config.crawl.plan_minutes).unwrap_or(i64::MAX))
}
