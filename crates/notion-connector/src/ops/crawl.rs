//! Running a content crawl, with the pump beside it.

use std::sync::Arc;
use std::time::Duration;

use notion_api::Client;
use notion_api::budget::Priority;
use notion_api::retry::{self, Decision, RetryPolicy};
use secrecy::SecretString;
use serde::Serialize;
use tokio::sync::watch;

use super::audit::Act;
use super::connector_life::effective_settings;
use super::connectors::{AddConnector, NOTION_URL, add_connector, find_connector, identify};
use super::crawls::check_name;
use super::{CrawlSummary, OpsError, Validation, plan, scheduler, schedules};
use crate::app::App;
use crate::config::FileSettings;
use crate::config::PeopleSettings;
use crate::crawl::filters::Filters;
use crate::crawl::{CrawlError, Crawler, Files, Progress, Refused};
use crate::files::Fetcher;
use crate::model::{Caller, NotionId};
use crate::sink::pump::Pump;
use crate::store::{Connector, Crawl, CrawlId, CrawlState, Scope};

/// Name of the connector that `crawl` makes when there is none.
const DEFAULT_NAME: &str = "default";

/// Which crawl to run.
#[derive(Debug)]
pub struct CrawlRequest {
    /// The connector; the only one if none is named.
    pub connector: Option<String>,
    /// What to cover; by itself what is unfinished, else what changed once a full crawl listed everything.
    pub scope: Option<Scope>,
    /// The page or database that a partial crawl covers with all below it.
    pub start_point: Option<NotionId>,
    /// A name to find it by in the history.
    pub name: Option<String>,
    /// Begin anew instead of resuming.
    pub restart: bool,
    /// A secret and the address it is for, to make a connector named `default` from when there is none.
    pub first_secret: Option<SecretString>,
}

/// How a crawl went, in the field's words.
#[derive(Debug, Clone, Serialize)]
pub struct CrawlReport {
    /// The crawl.
    #[serde(flatten)]
    pub crawl: CrawlSummary,
    /// Whether an interrupted crawl was taken up.
    pub resumed: bool,
    /// Seconds that it ran, without interruptions.
    pub seconds: f64,
    /// Items processed in a second of this run.
    pub pages_per_second: f64,
    /// Most memory this process held, in bytes; none where the system does not say.
    pub peak_rss_bytes: Option<u64>,
}

/// Runs a crawl, or resumes the unfinished one of that scope, until it ended and all of it is searchable.
///
/// # Errors
/// When the crawl cannot begin or cannot go on.
pub async fn run_crawl(
    app: &Arc<App>,
    caller: &Caller,
    request: CrawlRequest,
    progress: watch::Sender<Progress>,
) -> Result<CrawlReport, OpsError> {
    let named = request.connector.clone().unwrap_or_default();
    let act = Act::of_connectors("crawl.run", &named);
    act.run_async(app, caller, async {
        match (request.scope, request.start_point) {
            (Some(scope), start_point) => schedules::covers(scope, start_point).map(drop)?,
            (None, Some(_)) => {
                return Err(OpsError::Invalid("a start point goes with --scope partial".to_owned()));
            }
            (None, None) => {}
        }
        let connector =
            find_or_make(app, caller, request.connector.as_deref(), request.first_secret.clone()).await?;
        let pump = Arc::new(app.pump()?);
        // Before anything new is written: rows that are added could hide that index and store have parted.
        pump.drain().await?;
        super::rerender(app).await?;
        let refused = |error: OpsError| error.naming_secret_of(&connector.name);
        let crawler = Arc::new(crawler(app, &connector, Scope::Full, progress, None).await.map_err(refused)?);
        let name = request.name.as_deref().map(check_name).transpose()?;
        let (id, resumed) = open_crawl(app, caller, &connector, &request)?;
        if let Some(name) = name {
            app.store.name_crawl(id, name)?;
        }
        let crawl = tokio::select! {
            biased;
            crawl = run_beside_pump(&crawler, &pump, id) => crawl.map_err(refused)?,
            failed = scheduler::keep_ending_cancelled(app, id) => return Err(failed),
        };
        if followed_by_people(&crawler.people, &crawl) {
            let (actor, now) = (caller.actor.to_string(), app.runtime.now());
            let people = match app.store.load_open_crawl(connector.id, Some(Scope::People), None)? {
                Some(open) => open.id,
                None => app.store.add_crawl(connector.id, Scope::People, &actor, now)?,
            };
            run_beside_pump(&crawler, &pump, people).await.map_err(refused)?;
        }
        Ok(report(&connector, &crawl, resumed))
    })
    .await
}

/// Whether a crawl of content that has ended is followed by one of people.
pub(super) fn followed_by_people(settings: &PeopleSettings, crawl: &Crawl) -> bool {
    let covers = match crawl.scope {
        Scope::Full | Scope::ForceReindex | Scope::Incremental => true,
        Scope::Partial | Scope::Test | Scope::Events | Scope::People => false,
    };
    let settled = matches!(
        crawl.state,
        CrawlState::Completed | CrawlState::CompletedWithErrors | CrawlState::AwaitingApproval
    );
    // Those every few minutes aside: a list of everybody costs a request for each hundred.
    settings.with_content && covers && settled && crawl.started_by != scheduler::FRESHNESS
}

/// The connector of that name, or the only one; where there is none yet, one made from a bare secret.
pub(super) async fn find_or_make(
    app: &App,
    caller: &Caller,
    name: Option<&str>,
    first_secret: Option<SecretString>,
) -> Result<Connector, OpsError> {
    match find_connector(app, name) {
        Err(OpsError::NotFound(_)) if name.is_none() && first_secret.is_some() => {
            make_default(app, caller, first_secret).await
        }
        found => found,
    }
}

/// A connector made from a bare secret. Only what stops a crawl stops it: names of people are a comfort.
async fn make_default(
    app: &App,
    caller: &Caller,
    secret: Option<SecretString>,
) -> Result<Connector, OpsError> {
    if let Some(secret) = secret {
        let notion_url = std::env::var("NOTION_URL").unwrap_or_else(|_| NOTION_URL.to_owned());
        identify(&app.client(&notion_url, secret.clone())?).await?;
        let new = AddConnector { name: DEFAULT_NAME.to_owned(), notion_url, secret, validate: false };
        add_connector(app, caller, new).await?;
    }
    find_connector(app, Some(DEFAULT_NAME))
}

/// Everything that crawls of this connector share, with the secret checked.
pub(super) async fn crawler(
    app: &App,
    connector: &Connector,
    scope: Scope,
    progress: watch::Sender<Progress>,
    service: Option<watch::Receiver<bool>>,
) -> Result<Crawler, OpsError> {
    let settings = effective_settings(app, connector)?;
    let client = app.client_of(connector)?;
    let (bot, workspace) = match (connector.bot, connector.workspace) {
        // Whoever replaced the secret asked what it opens. A request for each event would be one of two or three.
        (Some(bot), Some(workspace)) if scope == Scope::Events => (bot, workspace),
        _ => {
            let identity = match service {
                // The service comes back by itself.
                Some(_) => identify(&client).await?,
                None => identify_patiently(app, &client).await?,
            };
            (identity.bot, workspace_of(app, connector, &identity)?)
        }
    };
    let client = client.paced(app.budgets.pacing(bot.0, Some(workspace.0))).with_priority(Priority::Crawl);
    Ok(Crawler {
        store: Arc::clone(&app.store),
        client,
        runtime: app.runtime.clone(),
        workspace,
        body: settings.body,
        files: app.fetcher.as_ref().map(|fetcher| Arc::new(files_of(app, fetcher, settings.files))),
        filters: Filters::new(&settings.include, &settings.exclude),
        people: settings.people,
        scripts: Arc::clone(&app.scripts),
        settings: settings.crawl,
        concurrency: app.config.notion.concurrency,
        progress,
        refused: Refused::default(),
        service,
    })
}

/// Another process may have used up what Notion allows in a minute: whoever started a crawl waits for as long as Notion says,
/// as the crawl itself would.
async fn identify_patiently(app: &App, client: &Client) -> Result<Validation, OpsError> {
    let begun = tokio::time::Instant::now();
    let patience = Duration::from_secs(app.config.crawl.patience_minutes * 60);
    let policy = RetryPolicy { patience, ..RetryPolicy::default() };
    let mut attempt = 0;
    loop {
        let (advice, source) = match identify(client).await {
            Err(OpsError::Notion { advice, source }) => (advice, source),
            answer => return answer,
        };
        attempt += 1;
        let random = app.runtime.random();
        let decision = retry::decide(&policy, &source.class(), attempt, begun.elapsed(), random);
        let Decision::Retry { after, counts: false } = decision else {
            return Err(OpsError::Notion { advice, source });
        };
        tracing::warn!("Notion asks to wait: the crawl begins in {} s", after.as_secs() + 1);
        tokio::time::sleep(after).await;
    }
}

fn files_of(app: &App, fetcher: &Fetcher, settings: FileSettings) -> Files {
    Files {
        config: app.config.files.clone(),
        reads_images: app.config.extract.reads_images(),
        fetcher: Arc::new(fetcher.within(settings.max_bytes(), settings.other_hosts)),
        extractor: Arc::clone(&app.extractor),
        settings,
    }
}

/// The workspace that items belong to; a secret of another workspace than before is refused, because every item would
/// seem to be gone.
fn workspace_of(app: &App, connector: &Connector, identity: &Validation) -> Result<NotionId, OpsError> {
    // An integration without a workspace id is keyed by its bot, which is as stable.
    let workspace = identity.workspace.unwrap_or(identity.bot);
    match connector.workspace {
        Some(before) if before != workspace => Err(OpsError::Conflict(format!(
            "the secret of connector “{}” opens another workspace ({}) than the one that was crawled ({}): add a new \
             connector for it",
            connector.name,
            identity.workspace_name.as_deref().unwrap_or("without a name"),
            connector.workspace_name.as_deref().unwrap_or("without a name"),
        ))),
        _ => {
            let workspace_name = identity.workspace_name.as_deref();
            let bot = (identity.bot, identity.bot_name.as_deref());
            app.store.save_identity(connector.id, (workspace, workspace_name), bot)?;
            Ok(workspace)
        }
    }
}

/// What a crawl covers unless somebody says: what changed, once a full one listed everything under the settings of today.
pub(super) fn scope_by_itself(app: &App, connector: &Connector) -> Result<Scope, OpsError> {
    let listed = connector.recrawl_since.is_none() && app.store.load_watermark(connector.id)?.is_some();
    Ok(if listed { Scope::Incremental } else { Scope::Full })
}

/// Why nobody can ask for a crawl of what events named.
pub(super) const BY_EVENTS_ALONE: &str =
    "a crawl of scope events begins by itself when a webhook's event comes; choose another scope";

/// The unfinished crawl of that scope, or a new one.
fn open_crawl(
    app: &App,
    caller: &Caller,
    connector: &Connector,
    request: &CrawlRequest,
) -> Result<(CrawlId, bool), OpsError> {
    let now = app.runtime.now();
    let start_point = request.start_point;
    // What a service left of them, this crawl finds by listing.
    while let Some(left) = app.store.load_open_crawl(connector.id, Some(Scope::Events), None)? {
        app.store.end_crawl(left.id, CrawlState::Cancelled, Some("another crawl lists all of it"), now)?;
    }
    // One of people is taken up by who asks for people.
    let open = match request.scope {
        Some(scope) => app.store.load_open_crawl(connector.id, Some(scope), start_point)?,
        None => {
            let is_content = |one: &Crawl| one.connector == connector.id && one.scope != Scope::People;
            app.store.load_open_crawls()?.into_iter().find(is_content)
        }
    };
    if let Some(open) = open {
        if !request.restart {
            app.store.release_plan(open.id)?;
            return Ok((open.id, open.started.is_some()));
        }
        app.store.end_crawl(open.id, CrawlState::Cancelled, Some("restarted"), now)?;
    }
    if !request.restart
        && let Some(planned) = plan::release(app, connector, request.scope)?
    {
        return Ok((planned, false));
    }
    let scope = match request.scope {
        Some(scope) => scope,
        None => scope_by_itself(app, connector)?,
    };
    let id = match start_point {
        Some(start_point) => {
            app.store.add_partial_crawl(connector.id, start_point, &caller.actor.to_string(), now)?
        }
        None => app.store.add_crawl(connector.id, scope, &caller.actor.to_string(), now)?,
    };
    Ok((id, false))
}

/// The pump delivers while the crawl runs, and once more when it has ended.
async fn run_beside_pump(crawler: &Arc<Crawler>, pump: &Arc<Pump>, id: CrawlId) -> Result<Crawl, OpsError> {
    let crawl = tokio::select! {
        biased;
        crawl = crawler.run(id) => crawl,
        failed = pump.run() => return Err(failed.err().map_or_else(stopped_pumping, OpsError::from)),
    };
    let drained = pump.drain().await;
    let crawl = crawl?;
    drained?;
    Ok(crawl)
}

fn stopped_pumping() -> OpsError {
    OpsError::Crawl(CrawlError::Broken("the pump ended by itself".to_owned()))
}

fn report(connector: &Connector, crawl: &Crawl, resumed: bool) -> CrawlReport {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let (seconds, discovered) = (crawl.active_ms as f64 / 1_000.0, crawl.counters.discovered() as f64);
    CrawlReport {
        crawl: CrawlSummary::of(connector, crawl),
        resumed,
        seconds,
        pages_per_second: if seconds > 0.0 { discovered / seconds } else { 0.0 },
        peak_rss_bytes: peak_rss_bytes(),
    }
}

/// Most memory this process ever held, as Linux counts it (proc_pid_status(5), VmHWM).
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}
