//! How things stand.

use serde::Serialize;
use utoipa::ToSchema;

use super::{CrawlSummary, OpsError};
use crate::app::App;
use crate::model::{Caller, Role};
use crate::store::{Failure, UnknownKind};

/// How things stand.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Status {
    /// Version of this program.
    pub version: &'static str,
    /// Where everything lives.
    pub data_dir: String,
    /// Each connector.
    pub connectors: Vec<ConnectorStatus>,
    /// Items that failed and were not repaired since.
    pub failures: u64,
    /// Rows of the outbox that the index has not taken yet.
    pub waiting_for_index: u64,
    /// What this system does not offer to confine the processes that read files, each a phrase; see docs/operate/extraction.md.
    pub unconfined: Vec<String>,
    /// Why the index did not take its last delivery, and what to do; none if it did. Crawls go on meanwhile.
    pub index_trouble: Option<String>,
}

/// How one connector stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConnectorStatus {
    /// Its name.
    pub name: String,
    /// Name of the workspace.
    pub workspace_name: Option<String>,
    /// Whether its schedules run.
    pub active: bool,
    /// Whether what is indexed is not what its settings say, until a full crawl completes.
    pub recrawl_required: bool,
    /// Searchable items.
    pub items: u64,
    /// Its newest crawl.
    pub last_crawl: Option<CrawlSummary>,
    /// Kinds of blocks, properties, mentions, parents, users and files in its items that this version does not know; their
    /// text was kept.
    pub unknown_kinds: Vec<UnknownKind>,
}

/// What [`Status::unconfined`] says: a worker is started to ask it, unless one was before.
pub async fn find_unconfined(app: &App) -> Vec<String> {
    let confinement = app.extractor.confinement().await;
    confinement.map_or_else(|error| vec![error.to_string()], |confinement| confinement.missing)
}

/// How things stand, with what [`find_unconfined`] found.
///
/// # Errors
/// When the database cannot be read.
pub fn status(app: &App, caller: &Caller, unconfined: Vec<String>) -> Result<Status, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    let mut connectors = Vec::new();
    for connector in app.store.load_connectors()? {
        let last = app.store.load_last_crawl(connector.id)?;
        connectors.push(ConnectorStatus {
            items: app.store.count_items(connector.id)?,
            unknown_kinds: app.store.load_unknown_kinds(connector.id)?,
            active: connector.active,
            recrawl_required: connector.recrawl_since.is_some(),
            last_crawl: last.as_ref().map(|crawl| CrawlSummary::of(&connector, crawl)),
            name: connector.name,
            workspace_name: connector.workspace_name,
        });
    }
    Ok(Status {
        version: env!("CARGO_PKG_VERSION"),
        data_dir: app.dir.path().display().to_string(),
        connectors,
        failures: app.store.count_failures()?,
        waiting_for_index: app.store.count_outbox()?,
        unconfined,
        index_trouble: app.store.load_sink_trouble(crate::sink::index::NAME)?,
    })
}

/// Items that failed and were not repaired since, newest first.
///
/// # Errors
/// When the database cannot be read.
pub fn list_failures(app: &App, caller: &Caller) -> Result<Vec<Failure>, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    Ok(app.store.load_failures()?)
}
