//! What a search page says around its results.

use super::OpsError;
use crate::app::App;
use crate::model::Caller;
use crate::search::SearchIndex;

/// What there is to search, and whether more is coming.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// Items that the viewer can find.
    pub items: usize,
    /// Names of the workspaces, each once.
    pub workspaces: Vec<String>,
    /// Crawls that have not ended, of connectors of which the caller sees everything.
    pub under_way: Vec<UnderWay>,
}

/// A crawl that has not ended.
#[derive(Debug, Clone)]
pub struct UnderWay {
    /// Name of the connector.
    pub connector: String,
    /// Items processed.
    pub processed: u64,
    /// Items met.
    pub known: u64,
    /// Whether more may be met.
    pub listing: bool,
}

/// What there is to search, and whether more is coming.
///
/// # Errors
/// When the database or the index cannot be read.
pub fn overview(app: &App, index: Option<&SearchIndex>, caller: &Caller) -> Result<Overview, OpsError> {
    let mut overview = Overview {
        items: index.map(|index| index.count_visible(&caller.viewer)).transpose()?.unwrap_or_default(),
        ..Overview::default()
    };
    for connector in app.store.load_connectors()? {
        if !caller.viewer.enters(connector.id) {
            continue;
        }
        if let Some(name) = connector.workspace_name.filter(|name| !overview.workspaces.contains(name)) {
            overview.workspaces.push(name);
        }
        if !caller.viewer.sees_all_of(connector.id) {
            continue;
        }
        let Some(crawl) = app.store.load_last_crawl(connector.id)?.filter(|crawl| crawl.state.is_open())
        else {
            continue;
        };
        let (known, listing) = app.store.count_known(crawl.id)?;
        let processed = crawl.counters.discovered();
        overview.under_way.push(UnderWay { connector: connector.name, processed, known, listing });
    }
    Ok(overview)
}
