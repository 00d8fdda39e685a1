//! What crawls that do not list everything begin from, and what they doubt.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::tasks::ask;
use super::{Crawl, CrawlId, Millis, Result, Scope, Store, TaskKind};
use crate::model::{ConnectorId, ItemKind, NotionId};

/// What an incremental crawl asks for by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The data sources that the connector holds, and whether all of their rows were listed once.
    pub data_sources: Vec<(NotionId, bool)>,
    /// What failed and was not repaired since.
    pub failures: Vec<KnownFailure>,
}

/// Something that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFailure {
    /// The object.
    pub object: NotionId,
    /// What it is; none where the connector does not hold it.
    pub kind: Option<ItemKind>,
    /// Name of the kind of request that failed.
    pub task: String,
}

/// An item at the top of what the integration sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StartPoint {
    /// Notion's id.
    pub id: NotionId,
    /// What it is.
    #[schema(value_type = String, example = "page")]
    pub kind: ItemKind,
    /// Its title.
    pub title: String,
    /// Whether the connector leaves it out.
    pub left_out: bool,
}

impl Store {
    /// What the connector met whose parent is the workspace, or is not visible to the integration; by title. With a crawl, only
    /// what that one met.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_start_points(
        &self,
        connector: ConnectorId,
        met_by: Option<CrawlId>,
    ) -> Result<Vec<StartPoint>> {
        self.read(|tx| {
            tx.prepare_cached(START_POINTS)?
                .query_map(params![connector.0, met_by.map(|crawl| crawl.0)], |row| {
                    Ok(StartPoint {
                        id: row.get(0)?,
                        kind: row.get(1)?,
                        title: row.get(2)?,
                        left_out: row.get(3)?,
                    })
                })?
                .collect()
        })
    }

    /// Edits before this time were all listed; none until a full crawl's listings ended.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_watermark(&self, connector: ConnectorId) -> Result<Option<Timestamp>> {
        self.read(|tx| {
            let watermark = tx
                .prepare_cached("SELECT watermark FROM connectors WHERE id = ?1")?
                .query_row([connector.0], |row| row.get::<_, Option<Millis>>(0))
                .optional()?;
            Ok(watermark.flatten().map(|time| time.0))
        })
    }

    /// Remembers what Notion's clock read when a crawl began.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_notion_began(&self, crawl: CrawlId, time: Timestamp) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE crawls SET notion_began = ?2 WHERE id = ?1", params![crawl.0, Millis(time)])
                .map(|_| ())
        })
    }

    /// Moves the watermark to the beginning of a crawl whose listings all ended, and remembers whose rows it listed.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_watermark(&self, crawl: &Crawl) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE connectors SET watermark = (SELECT coalesce(notion_began, started) FROM crawls WHERE id = ?2)
                 WHERE id = ?1",
                params![crawl.connector.0, crawl.id.0],
            )?;
            tx.prepare_cached(ROWS_LISTED)?.execute(params![
                crawl.id.0,
                crawl.connector.0,
                TaskKind::QueryDataSource
            ])
            .map(|_| ())
        })
    }

    /// Whether search left a gap that neither of its directions reached.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_gap(&self, crawl: CrawlId) -> Result<bool> {
        self.read(|tx| {
            tx.prepare_cached("SELECT gap FROM crawls WHERE id = ?1")?.query_row([crawl.0], |row| row.get(0))
        })
    }

    /// Whether that gap is all that is missing: no listing broke off.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_only_gap(&self, crawl: CrawlId) -> Result<bool> {
        self.read(|tx| {
            tx.prepare_cached("SELECT gap AND NOT incomplete FROM crawls WHERE id = ?1")?
                .query_row([crawl.0], |row| row.get(0))
        })
    }

    /// Forgets the watermark: the next crawl by itself lists everything.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn clear_watermark(&self, connector: ConnectorId) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE connectors SET watermark = NULL WHERE id = ?1", [connector.0]).map(|_| ())
        })
    }

    /// What an incremental crawl of the connector asks for by itself.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_known(&self, connector: ConnectorId) -> Result<Known> {
        self.read(|tx| {
            let data_sources = tx
                .prepare_cached(DATA_SOURCES)?
                .query_map([connector.0], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let failures = tx
                .prepare_cached(FAILURES)?
                .query_map([connector.0], |row| {
                    Ok(KnownFailure { object: row.get(0)?, kind: row.get(1)?, task: row.get(2)? })
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Known { data_sources, failures })
        })
    }

    /// Queues a question for what a partial crawl has not met of what lies below its start point: rows apart, because
    /// queries list them. Returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue_below(&self, crawl: &Crawl, rows: bool) -> Result<u64> {
        let Some(start_point) = crawl.start_point else { return Ok(0) };
        self.write(|tx| ask_below(tx, crawl, start_point, rows))
    }

    /// Queues a question for what a crawl has not met and has reason to doubt: what lies below an item that is gone, the database
    /// of a data source that is, which no search lists, and, in an incremental one, pages whose body may be older than their stamp
    /// says. Returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue_doubted(&self, crawl: &Crawl) -> Result<u64> {
        self.write(|tx| {
            let doubted: Vec<NotionId> = tx
                .prepare_cached(DOUBTED)?
                .query_map(params![crawl.id.0, crawl.connector.0, crawl.scope != Scope::Events], |row| {
                    row.get(0)
                })?
                .collect::<rusqlite::Result<_>>()?;
            for object in &doubted {
                ask(tx, crawl.id, *object, TaskKind::Verify, true)?;
            }
            Ok(doubted.len() as u64)
        })
    }
}

/// Asks about what a crawl has not met of what its connector holds below an object: its rows, or all else. Returns how many.
pub(super) fn ask_below(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    object: NotionId,
    rows: bool,
) -> rusqlite::Result<u64> {
    let below: Vec<NotionId> = tx
        .prepare_cached(BELOW)?
        .query_map(params![crawl.id.0, crawl.connector.0, object, rows, ItemKind::Row], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for object in &below {
        ask(tx, crawl.id, *object, TaskKind::Verify, true)?;
    }
    Ok(below.len() as u64)
}

/// The same of its rows and all else: of an object that the connector left out alone, beyond its limit or by a filter.
pub(super) fn ask_all_below(tx: &Transaction<'_>, crawl: &Crawl, object: NotionId) -> rusqlite::Result<()> {
    ask_below(tx, crawl, object, false)?;
    ask_below(tx, crawl, object, true).map(|_| ())
}

/// Follows the index `items_data_sources`; CROSS JOIN as in `links::REDELIVER`.
pub(super) const DATA_SOURCES: &str = "SELECT items.object, rows_listed
     FROM connectors CROSS JOIN items USING (workspace) CROSS JOIN holders ON holders.item = items.id AND holders.connector = ?1
     WHERE connectors.id = ?1 AND items.kind = 'data_source' ORDER BY items.id";

/// CROSS JOIN as in `links::REDELIVER`.
pub(super) const ROWS_LISTED: &str = "UPDATE holders SET rows_listed = 1 WHERE connector = ?2 AND item IN (
       SELECT items.id FROM connectors CROSS JOIN asked CROSS JOIN items USING (workspace, object)
       WHERE connectors.id = ?2 AND asked.crawl = ?1 AND asked.kind = ?3)";

/// What failed of a connector, with its kind where that is known; of a file, its page.
pub(super) const FAILURES: &str = "SELECT failures.object, (
       SELECT items.kind FROM items JOIN holders ON holders.item = items.id AND holders.connector = ?1
       WHERE items.workspace = (SELECT workspace FROM connectors WHERE id = ?1) AND items.object = failures.object) AS known, task
     FROM failures WHERE connector = ?1 AND known IS NOT 'file'
     UNION SELECT items.home, 'page', 'read_file' FROM failures
     JOIN items ON items.workspace = (SELECT workspace FROM connectors WHERE id = ?1) AND items.object = failures.object
     WHERE connector = ?1 AND items.kind = 'file' AND items.home IS NOT NULL
     ORDER BY 1";

/// Where a page that stands in a block belongs is known when bodies were read: before that it is no start point.
const START_POINTS: &str = "SELECT items.object, items.kind, items.title, max(known.out)
     FROM (SELECT item, 0 AS out, NULL AS crawl FROM holders WHERE connector = ?1
           UNION ALL SELECT item, 1, crawl FROM left_out WHERE connector = ?1) known
     JOIN items ON items.id = known.item
     WHERE NOT EXISTS (
         SELECT 1 FROM items above WHERE above.workspace = items.workspace AND above.object = items.home
           AND (EXISTS (SELECT 1 FROM holders WHERE item = above.id AND connector = ?1)
             OR EXISTS (SELECT 1 FROM left_out WHERE item = above.id AND connector = ?1)))
       AND NOT (items.home IS NULL AND items.rendered IS NULL AND json_extract(items.parent, '$.type') = 'block')
       AND (?2 IS NULL OR known.crawl = ?2 OR EXISTS (SELECT 1 FROM sightings WHERE crawl = ?2 AND item = items.id))
     GROUP BY items.id ORDER BY items.title, items.id";

/// CROSS JOIN as in `links::REDELIVER`.
pub(super) const BELOW: &str = "WITH RECURSIVE below (workspace, object) AS (
       SELECT workspace, ?3 FROM connectors WHERE id = ?2
       UNION SELECT items.workspace, items.object FROM below CROSS JOIN items USING (workspace)
         WHERE items.home = below.object)
     SELECT items.object FROM below CROSS JOIN items USING (workspace, object)
     CROSS JOIN holders ON holders.item = items.id AND holders.connector = ?2
     WHERE (items.kind = ?5) = ?4 AND items.kind <> 'file'
       AND NOT EXISTS (SELECT 1 FROM sightings WHERE crawl = ?1 AND sightings.item = items.id)
       AND NOT EXISTS (SELECT 1 FROM departures WHERE crawl = ?1 AND departures.item = items.id)
     ORDER BY items.id";

/// CROSS JOIN as in `links::REDELIVER`. The second half follows the index `items_unsettled`.
pub(super) const DOUBTED: &str = "WITH RECURSIVE below (workspace, object) AS (
       SELECT workspace, object FROM departures JOIN items ON items.id = departures.item WHERE crawl = ?1
       UNION SELECT items.workspace, items.object FROM below CROSS JOIN items USING (workspace)
         WHERE items.home = below.object),
     doubted (id, object) AS (
       SELECT items.id, items.object FROM below CROSS JOIN items USING (workspace, object) WHERE items.kind <> 'file'
       UNION SELECT items.id, items.object FROM connectors CROSS JOIN items USING (workspace)
         WHERE ?3 AND connectors.id = ?2 AND items.kind IN ('page', 'row')
           AND (items.body_edited IS NULL OR items.body_read < items.body_edited + 120000)
       UNION SELECT items.id, items.object FROM departures CROSS JOIN items gone ON gone.id = departures.item
         CROSS JOIN items ON items.workspace = gone.workspace AND items.object = gone.home
         WHERE departures.crawl = ?1 AND gone.kind = 'data_source')
     SELECT object FROM doubted CROSS JOIN holders ON holders.item = doubted.id AND holders.connector = ?2
     WHERE NOT EXISTS (SELECT 1 FROM sightings WHERE crawl = ?1 AND sightings.item = doubted.id)
       AND NOT EXISTS (SELECT 1 FROM departures WHERE crawl = ?1 AND departures.item = doubted.id)
     ORDER BY doubted.id";
