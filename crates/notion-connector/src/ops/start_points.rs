//! Where partial crawls may begin.

use std::sync::Arc;

use tokio::sync::watch;

use super::audit::Act;
use super::connectors::find_connector;
use super::plan::queue_plan;
use super::{CrawlSummary, OpsError, PlanRequest, plan_crawl, show_crawl};
use crate::app::App;
use crate::crawl::Progress;
use crate::model::{Caller, Role};
use crate::store::{CrawlId, Scope, StartPoint};

/// What the connector met whose parent is the workspace or not visible, as the last crawls met it. Notion lists no grants, so
/// this is what can be known.
///
/// # Errors
/// When there is no such connector.
pub fn list_start_points(
    app: &App,
    caller: &Caller,
    connector: Option<&str>,
) -> Result<Vec<StartPoint>, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    let connector = find_connector(app, connector)?;
    Ok(app.store.load_start_points(connector.id, None)?)
}

/// The same as Notion lists it now: by a plan, which the next full crawl goes on with.
///
/// # Errors
/// As in [`plan_crawl`].
pub async fn refresh_start_points(
    app: &Arc<App>,
    caller: &Caller,
    connector: Option<&str>,
    progress: watch::Sender<Progress>,
) -> Result<Vec<StartPoint>, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    let connector = find_connector(app, connector)?;
    let request = PlanRequest {
        connector: Some(connector.name),
        scope: Some(Scope::Full),
        restart: false,
        first_secret: None,
    };
    // One that waits already tells what Notion listed then.
    app.store.void_plans(connector.id, ANEW, app.runtime.now())?;
    let plan = plan_crawl(app, caller, request, progress).await?;
    Ok(app.store.load_start_points(connector.id, Some(CrawlId(plan.crawl.id)))?)
}

/// Queues the plan that lists start points anew, for the service that owns the data directory.
///
/// # Errors
/// When there is no such connector.
pub fn queue_start_points(app: &App, caller: &Caller, connector: &str) -> Result<CrawlSummary, OpsError> {
    Act::of_connectors("start_points.refresh", connector).run(app, caller, || {
        let connector = find_connector(app, Some(connector))?;
        app.store.void_plans(connector.id, ANEW, app.runtime.now())?;
        let id = queue_plan(app, &connector, Some(Scope::Full), &caller.actor.to_string())?;
        Ok(show_crawl(app, caller, id.0)?.crawl)
    })
}

/// Why a plan that waits is void then.
const ANEW: &str = "the start points are listed anew";
