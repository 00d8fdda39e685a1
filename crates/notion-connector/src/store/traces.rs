//! Everything that is known of one object: who holds it, what failed, what is still to be asked, what left and why.

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::crawls::Outcome;
use super::{Crawl, Failure, LeftOut, Millis, Proof, Result, Store, alerts};
use crate::model::{ItemKind, NotionId};

/// An item as one connector holds it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Holding {
    /// Name of the connector.
    pub connector: String,
    /// Title.
    pub title: String,
    /// What it is.
    pub kind: ItemKind,
    /// The crawl that brought it; none for what was held before this was recorded.
    pub crawl: Option<i64>,
    /// When that crawl began; none when it is no longer remembered.
    pub since: Option<Timestamp>,
    /// When what is searchable of it last changed; none while nothing is.
    pub indexed: Option<Timestamp>,
    /// When its body was last asked for.
    pub last_read: Option<Timestamp>,
    /// When it was last edited, as Notion said then.
    pub last_edited: Timestamp,
    /// What became of it in the connector's newest crawl; none while that is open, or did not meet it.
    pub outcome: Option<String>,
    /// Whether the index has still to take it.
    pub waits_for_index: bool,
}

/// A request that a crawl has still to make.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Waiting {
    /// Name of the connector.
    pub connector: String,
    /// The crawl.
    pub crawl: i64,
    /// What it will ask for.
    pub task: String,
    /// How often it failed so far.
    pub attempts: u32,
    /// Not before this time.
    pub not_before: Timestamp,
}

/// An object that left a connector.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Departure {
    /// Name of the connector.
    pub connector: String,
    /// What it was.
    pub kind: String,
    /// The crawl that let it go.
    pub crawl: i64,
    /// When that crawl ended.
    pub time: Option<Timestamp>,
    /// What Notion said.
    #[schema(value_type = String, example = "trashed")]
    pub proof: Proof,
    /// Whether it has left, or somebody has still to approve it.
    pub applied: bool,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// The connectors that hold it.
    pub holdings: Vec<Holding>,
    /// What failed and was not repaired.
    pub failures: Vec<Failure>,
    /// What crawls have still to ask.
    pub waiting: Vec<Waiting>,
    /// The connectors that it left.
    pub departures: Vec<Departure>,
    /// The connectors that met it and do not index it, with the crawl that met it last, and why.
    pub left_out: Vec<(String, i64, LeftOut)>,
}

/// Remembers what leaves; the items themselves are about to be deleted.
pub(super) fn bury(tx: &Transaction<'_>, crawl: &Crawl, only_excluded: bool) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO tombstones (object, connector, kind, crawl, proof)
         SELECT object, ?2, kind, ?1, proof FROM departures JOIN items ON items.id = departures.item
         WHERE crawl = ?1 AND (NOT ?3 OR proof IN (?4, ?5))",
    )?
    .execute(params![crawl.id.0, crawl.connector.0, only_excluded, Proof::Archived, Proof::Excluded])
    .map(|_| ())
}

impl Store {
    /// Everything that is known of one object.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_trace(&self, object: NotionId) -> Result<Trace> {
        self.read(|tx| {
            Ok(Trace {
                holdings: holdings(tx, object)?,
                failures: alerts::load_failures(tx, Some(object))?,
                waiting: waiting(tx, object)?,
                departures: departures(tx, object)?,
                left_out: left_out(tx, object)?,
            })
        })
    }
}

/// As [`HOLDINGS`].
pub(super) const LEFT_OUT: &str = "SELECT connectors.name, left_out.crawl, reason
     FROM items JOIN left_out ON left_out.item = items.id JOIN connectors ON connectors.id = left_out.connector
     WHERE items.object = ?1 AND items.workspace IN (SELECT DISTINCT workspace FROM connectors) ORDER BY connectors.id";

fn left_out(tx: &Transaction<'_>, object: NotionId) -> rusqlite::Result<Vec<(String, i64, LeftOut)>> {
    tx.prepare_cached(LEFT_OUT)?
        .query_map([object], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect()
}

/// With the workspaces it is found by an index; an id alone is in none.
pub(super) const HOLDINGS: &str = "SELECT connectors.name, items.title, items.kind, holders.crawl,
           (SELECT started FROM crawls WHERE crawls.id = holders.crawl),
           CASE WHEN rendered IS NULL THEN NULL ELSE indexed END, body_read, edited,
           (SELECT outcome FROM sightings WHERE sightings.item = items.id
             AND sightings.crawl = (SELECT max(id) FROM crawls WHERE crawls.connector = connectors.id)),
           EXISTS (SELECT 1 FROM outbox WHERE outbox.key = items.key)
         FROM items JOIN holders ON holders.item = items.id JOIN connectors ON connectors.id = holders.connector
         WHERE items.object = ?1 AND items.workspace IN (SELECT DISTINCT workspace FROM connectors) ORDER BY connectors.id";

fn holdings(tx: &Transaction<'_>, object: NotionId) -> rusqlite::Result<Vec<Holding>> {
    tx.prepare_cached(HOLDINGS)?
        .query_map([object], |row| {
            Ok(Holding {
                connector: row.get(0)?,
                title: row.get(1)?,
                kind: row.get(2)?,
                crawl: row.get(3)?,
                since: time(row, 4)?,
                indexed: time(row, 5)?,
                last_read: time(row, 6)?,
                last_edited: row.get::<_, Millis>(7)?.0,
                outcome: row.get::<_, Option<Outcome>>(8)?.map(|outcome| outcome.to_string()),
                waits_for_index: row.get(9)?,
            })
        })?
        .collect()
}

fn waiting(tx: &Transaction<'_>, object: NotionId) -> rusqlite::Result<Vec<Waiting>> {
    tx.prepare_cached(
        "SELECT connectors.name, tasks.crawl, tasks.kind, tasks.attempts, tasks.not_before
         FROM tasks JOIN crawls ON crawls.id = tasks.crawl JOIN connectors ON connectors.id = crawls.connector
         WHERE tasks.target = ?1 OR tasks.page = ?1 ORDER BY tasks.id LIMIT 20",
    )?
    .query_map([object], |row| {
        Ok(Waiting {
            connector: row.get(0)?,
            crawl: row.get(1)?,
            task: row.get(2)?,
            attempts: row.get(3)?,
            not_before: row.get::<_, Millis>(4)?.0,
        })
    })?
    .collect()
}

/// As [`HOLDINGS`].
pub(super) const GONE: &str = "SELECT connectors.name, gone.kind, gone.crawl, crawls.ended, gone.proof, gone.applied FROM (
           SELECT connector, kind, crawl, proof, 1 AS applied FROM tombstones WHERE object = ?1
           UNION ALL SELECT crawls.connector, items.kind, departures.crawl, proof, 0
             FROM departures JOIN items ON items.id = departures.item JOIN crawls ON crawls.id = departures.crawl
             WHERE items.object = ?1 AND items.workspace IN (SELECT DISTINCT workspace FROM connectors)) gone
         JOIN connectors ON connectors.id = gone.connector JOIN crawls ON crawls.id = gone.crawl
         ORDER BY gone.crawl DESC";

fn departures(tx: &Transaction<'_>, object: NotionId) -> rusqlite::Result<Vec<Departure>> {
    tx.prepare_cached(GONE)?
        .query_map([object], |row| {
            Ok(Departure {
                connector: row.get(0)?,
                kind: row.get(1)?,
                crawl: row.get::<_, i64>(2)?,
                time: time(row, 3)?,
                proof: row.get(4)?,
                applied: row.get(5)?,
            })
        })?
        .collect()
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<Millis>>(column)?.map(|time| time.0))
}
