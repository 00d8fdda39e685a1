//! Hints: objects that an event named, read before all else by the crawl that runs, or by one for them alone.
//!
//! - A crawl takes hints up only while it reads: in its later phases they wait for its end.
//! - What a crawl accounted for already is opened again, so that it is counted once however often it is read.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::crawls::Outcome;
use super::parts::drop_parts;
use super::tasks::{self, HINT, HINT_ANYWAY};
use super::{Crawl, CrawlId, CrawlState, LeftOut, Millis, NewTask, Phase, Result, Scope, Store, TaskKind};
use crate::model::{ConnectorId, NotionId};

/// Hints that are taken up at once; the rest follows with the next look.
const AT_ONCE: u32 = 100;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

impl Store {
    /// Makes tasks of the connector's hints that are due, if the crawl still reads. Returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn take_hints(&self, crawl: &Crawl, now: Timestamp) -> Result<u64> {
        let due = self.read(|tx| is_due(tx, crawl, now))?;
        if !due {
            return Ok(0);
        }
        self.write(|tx| {
            let reads = tx
                .prepare_cached("SELECT 1 FROM crawls WHERE id = ?1 AND state = ?2 AND phase = ?3 AND NOT plan_only")?
                .exists(params![crawl.id.0, CrawlState::InProgress, Phase::Read])?;
            if !reads || matches!(crawl.scope, Scope::Test | Scope::People) {
                return Ok(0);
            }
            let hints: Vec<(NotionId, TaskKind, bool)> = tx
                .prepare_cached(
                    "SELECT object, kind, anyway FROM hints WHERE connector = ?1 AND due <= ?2 ORDER BY due, object LIMIT ?3",
                )?
                .query_map(params![crawl.connector.0, Millis(now), AT_ONCE], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?
                .collect::<rusqlite::Result<_>>()?;
            for (object, kind, anyway) in &hints {
                take(tx, crawl, *object, *kind, *anyway, now)?;
            }
            Ok(hints.len() as u64)
        })
    }

    /// The connectors with hints that are due, and when the next one of any is.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_hinted(&self, now: Timestamp) -> Result<(Vec<ConnectorId>, Option<Timestamp>)> {
        self.read(|tx| {
            let connectors = tx
                .prepare_cached("SELECT DISTINCT connector FROM hints WHERE due <= ?1 ORDER BY connector")?
                .query_map([Millis(now)], |row| Ok(ConnectorId(row.get(0)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let next: Option<Millis> = tx
                .prepare_cached("SELECT min(due) FROM hints WHERE due > ?1")?
                .query_row([Millis(now)], |row| row.get(0))?;
            Ok((connectors, next.map(|time| time.0)))
        })
    }

    /// Adds a crawl of hints that completed to the one of that connector and day before it: the history shows one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn fold_crawl_of_hints(&self, id: CrawlId) -> Result<()> {
        self.write(|tx| {
            let into: Option<i64> = tx
                .prepare_cached(
                    "SELECT max(before.id) FROM crawls, crawls before
                     WHERE crawls.id = ?1 AND crawls.scope = ?2 AND crawls.state = ?3 AND before.connector = crawls.connector
                       AND before.id < ?1 AND before.scope = ?2 AND before.state = ?3
                       AND before.created / ?4 = crawls.created / ?4",
                )?
                .query_row(params![id.0, Scope::Events, CrawlState::Completed, DAY_MS], |row| row.get(0))?;
            let Some(into) = into else { return Ok(()) };
            let sums = [
                "added", "updated", "unchanged", "skipped", "not_indexed", "deleted", "warnings", "requests",
                "active_ms", "resumed",
            ];
            let sums: Vec<String> =
                sums.iter().map(|one| format!("{one} = crawls.{one} + more.{one}")).collect();
            tx.execute(
                &format!(
                    "UPDATE crawls SET ended = more.ended, {} FROM crawls more WHERE crawls.id = ?1 AND more.id = ?2",
                    sums.join(", ")
                ),
                params![into, id.0],
            )?;
            for moved in [
                "UPDATE holders SET crawl = ?1 WHERE crawl = ?2 AND item IN (SELECT item FROM sightings WHERE crawl = ?2)",
                "UPDATE tombstones SET crawl = ?1 WHERE crawl = ?2",
                "UPDATE OR IGNORE alerts SET crawl = ?1 WHERE crawl = ?2",
            ] {
                tx.execute(moved, params![into, id.0])?;
            }
            tx.execute("DELETE FROM crawls WHERE id = ?1", [id.0]).map(|_| ())
        })
    }
}

fn is_due(tx: &Transaction<'_>, crawl: &Crawl, now: Timestamp) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM hints WHERE connector = ?1 AND due <= ?2")?
        .exists(params![crawl.connector.0, Millis(now)])
}

fn take(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    object: NotionId,
    kind: TaskKind,
    anyway: bool,
    now: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE hints SET due = NULL, anyway = 0, taken = ?3 WHERE connector = ?1 AND object = ?2",
    )?
    .execute(params![crawl.connector.0, object, Millis(now)])?;
    tx.prepare_cached("INSERT INTO urgent (crawl, object) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![crawl.id.0, object])?;
    // Nothing that names it has to ask for it as well.
    tx.prepare_cached(
        "INSERT INTO asked (crawl, object, kind, queued) VALUES (?1, ?2, ?3, 1) ON CONFLICT DO UPDATE SET queued = 1",
    )?
    .execute(params![crawl.id.0, object, kind])?;
    let detail = if anyway { HINT_ANYWAY } else { HINT };
    tasks::add(tx, crawl.id, &NewTask::on(kind, object).with_detail(detail))
}

/// Opens an item again that an event named and that this crawl has met: what was still to do for it may answer with what was
/// there before the event.
pub(super) fn reopen(tx: &Transaction<'_>, crawl: &Crawl, object: NotionId) -> rusqlite::Result<()> {
    let item: Option<i64> = tx
        .prepare_cached(
            "SELECT items.id FROM items JOIN connectors USING (workspace) WHERE connectors.id = ?1 AND items.object = ?2",
        )?
        .query_row(params![crawl.connector.0, object], |row| row.get(0))
        .optional()?;
    let Some(item) = item else { return Ok(()) };
    tx.prepare_cached(
        "UPDATE left_out SET crawl = 0 WHERE connector = ?1 AND item = ?2 AND crawl = ?3 AND reason = ?4",
    )?
    .execute(params![crawl.connector.0, item, crawl.id.0, LeftOut::Filter])?;
    let outcome: Option<Option<Outcome>> = tx
        .prepare_cached("SELECT outcome FROM sightings WHERE crawl = ?1 AND item = ?2")?
        .query_row(params![crawl.id.0, item], |row| row.get(0))
        .optional()?;
    let Some(outcome) = outcome else { return Ok(()) };
    if let Some(outcome) = outcome {
        tx.execute(&format!("UPDATE crawls SET {outcome} = {outcome} - 1 WHERE id = ?1"), [crawl.id.0])?;
    }
    tx.prepare_cached("DELETE FROM tasks WHERE crawl = ?1 AND page = ?2")?
        .execute(params![crawl.id.0, object])?;
    drop_parts(tx, crawl.id, object)?;
    tx.prepare_cached("UPDATE sightings SET outcome = NULL, reopened = 1 WHERE crawl = ?1 AND item = ?2")?
        .execute(params![crawl.id.0, item])
        .map(|_| ())
}

/// Whether all rows of a data source were listed once. Then those that change have events of their own.
pub(super) fn knows_rows(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    data_source: NotionId,
) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT 1 FROM items JOIN connectors USING (workspace) JOIN holders ON holders.item = items.id
         WHERE connectors.id = ?1 AND holders.connector = ?1 AND items.object = ?2 AND rows_listed",
    )?
    .exists(params![crawl.connector.0, data_source])
}
