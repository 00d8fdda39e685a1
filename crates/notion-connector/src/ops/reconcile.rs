//! What a full crawl would change, without changing it.
//!
//! The listings and the questions of a full crawl are made on a copy of the store, by the crawl's own code; then the copy is read and
//! thrown away. So what is told is what a crawl would do, and nothing of it is done.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;

use super::connectors::find_connector;
use super::crawl::crawler;
use super::{OpsError, PreviewItem};
use crate::app::App;
use crate::config::{CommentsChoice, CrawlConfig};
use crate::crawl::{self, Crawler, Progress};
use crate::data_dir::{DataDir, Ownership};
use crate::model::{Caller, Role};
use crate::store::{Crawl, CrawlId, CrawlState, Difference, Scope, Store, TaskKind};

/// How many items of each sort are named.
const NAMED: usize = 1_000;

/// How Notion and the index differ.
#[derive(Debug, Clone, Serialize)]
pub struct Reconciliation {
    /// Name of the connector.
    pub connector: String,
    /// Whether every listing ended. If not, what was not listed was not asked for.
    pub complete: bool,
    /// Items that do not differ.
    pub same: u64,
    /// Items that differ, by what a full crawl would do about them.
    pub differences: BTreeMap<Difference, Differences>,
    /// Items that no listing returned and about which Notion gave no answer that says anything.
    pub unanswered: u64,
    /// Requests that this took.
    pub requests: u64,
}

/// Items that differ in one way.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Differences {
    /// How many there are.
    pub count: u64,
    /// The first thousand by title.
    pub items: Vec<PreviewItem>,
}

/// Asks Notion what a full crawl would ask, bodies aside, and says what it would change. Nothing is indexed, deleted or kept.
///
/// # Errors
/// When there is no room for a copy of the store, or Notion refuses or does not answer.
pub async fn compare(
    app: &Arc<App>,
    caller: &Caller,
    connector: Option<&str>,
    progress: watch::Sender<Progress>,
) -> Result<Reconciliation, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    let connector = find_connector(app, connector)?;
    let refused = |error: OpsError| error.naming_secret_of(&connector.name);
    let usual = crawler(app, &connector, Scope::Full, progress, None).await.map_err(refused)?;
    let at = Arc::clone(app);
    let copy = app.runtime.blocking(move || Copy::make(&at)).await?;
    let (store, now) = (Arc::clone(&copy.store), app.runtime.now());
    // What another version rendered would seem to have changed.
    let config = app.config.clone();
    app.runtime.blocking(move || crawl::rerender(&store, &config, now)).await?;
    let id = copy.store.add_plan(connector.id, Scope::Full, "reconciliation", now)?;
    let crawler = Arc::new(Crawler {
        store: Arc::clone(&copy.store),
        // A comment moves no stamp, and reading them all is what a crawl is for.
        settings: CrawlConfig { comments: CommentsChoice::Off, ..usual.settings.clone() },
        ..usual
    });
    let listed = list(&crawler, id).await.map_err(refused)?;
    let unlisted = copy.store.load_targets(&listed, TaskKind::Verify)?;
    let crawl = list(&crawler, id).await.map_err(refused)?;
    let mut differences: BTreeMap<Difference, Differences> = BTreeMap::new();
    let mut answered = 0;
    let same = copy.store.load_differences(&crawl, &unlisted, |one| {
        answered += u64::from(unlisted.contains(&one.id));
        let of_kind = differences.entry(one.difference).or_default();
        of_kind.count += 1;
        if of_kind.items.len() < NAMED {
            of_kind.items.push(PreviewItem { id: one.id, kind: one.kind, title: one.title });
        }
    })?;
    Ok(Reconciliation {
        connector: connector.name,
        complete: !crawl.incomplete,
        same,
        differences,
        unanswered: (unlisted.len() as u64).saturating_sub(answered),
        requests: crawl.counters.requests,
    })
}

/// Runs the plan until it waits; then there may be more to ask.
async fn list(crawler: &Arc<Crawler>, id: CrawlId) -> Result<Crawl, OpsError> {
    let crawl = crawler.run(id).await?;
    if crawl.state != CrawlState::Planned {
        return Err(OpsError::Invalid(format!("the comparison ended as {}; run it again", crawl.state)));
    }
    crawler.store.queue_unlisted(&crawl)?;
    Ok(crawl)
}

/// A copy of the store that lasts as long as this does.
struct Copy {
    store: Arc<Store>,
    file: PathBuf,
    /// Comparisons of other processes wait for their own turn.
    _turn: Ownership,
}

impl Copy {
    fn make(app: &App) -> Result<Self, OpsError> {
        let dir = DataDir::create(&app.dir.path().join("comparison"))?;
        let turn = dir.own("crawl --reconcile --dry-run")?;
        let file = dir.path().join("store.sqlite");
        // A process that was killed may have left one.
        remove(&file);
        app.store.copy_to(&file)?;
        Ok(Self { store: Arc::new(Store::open(dir.path())?), file, _turn: turn })
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        remove(&self.file);
    }
}

/// What cannot be removed now is removed by the next comparison, or makes it fail with the reason.
fn remove(file: &std::path::Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        let _ = std::fs::remove_file(PathBuf::from(name));
    }
}
