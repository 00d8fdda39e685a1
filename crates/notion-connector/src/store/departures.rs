//! How items leave: on Notion's word, written down while a crawl runs and applied when it settles.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::admission;
use super::alerts::remove_failure;
use super::connectors::COUNT_ITEMS;
use super::crawls::{end, load, unsee};
use super::positions::note_absence;
use super::scopes::ask_all_below;
use super::tasks::sighted;
use super::{Crawl, CrawlId, CrawlState, Result, Scope, Store, files, named_enum, outbox, traces};
use crate::model::NotionId;

named_enum! {
    /// Why an item may leave the index.
    pub enum Proof {
        /// Notion says that it is in the trash.
        Trashed = "trashed",
        /// Notion says that it does not exist, or is no longer shared: it does not say which.
        NotFound = "not_found",
        /// It is archived, and archived pages are not indexed.
        Archived = "archived",
        /// Every page that held the file was read again without it.
        Removed = "removed",
        /// A filter of the connector leaves it out.
        Excluded = "excluded",
    }
}

impl Store {
    /// How many of the connector's items Notion says are gone, and how many it holds that are searchable.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_departures(&self, crawl: &Crawl) -> Result<(u64, u64)> {
        self.read(|tx| {
            let gone = tx.query_row(
                "SELECT count(*) FROM departures JOIN items ON items.id = departures.item
                 WHERE crawl = ?1 AND proof NOT IN (?2, ?3) AND rendered IS NOT NULL",
                params![crawl.id.0, Proof::Archived, Proof::Excluded],
                |row| row.get(0),
            )?;
            let held = tx.prepare_cached(COUNT_ITEMS)?.query_row([crawl.connector.0], |row| row.get(0))?;
            Ok((gone, held))
        })
    }

    /// Lets the connector's hold on departed items go; an item that nobody holds any more is deleted. With
    /// `only_excluded`, those that Notion's word alone would delete stay. Returns how many left.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn apply_departures(&self, crawl: &Crawl, only_excluded: bool) -> Result<u64> {
        self.write(|tx| apply(tx, crawl, only_excluded))
    }

    /// Deletes what a crawl found gone and awaits approval for, and ends it. False, and nothing is written, if it awaits none
    /// any more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn approve_departures(&self, id: CrawlId, now: Timestamp) -> Result<bool> {
        self.write(|tx| {
            let waiting =
                load(tx, id).optional()?.filter(|crawl| crawl.state == CrawlState::AwaitingApproval);
            let Some(crawl) = waiting else { return Ok(false) };
            apply(tx, &crawl, false)?;
            files::describe_astray(tx)?;
            end(tx, id, crawl.end_state(), None, now)?;
            Ok(true)
        })
    }
}

fn apply(tx: &Transaction<'_>, crawl: &Crawl, only_excluded: bool) -> rusqlite::Result<u64> {
    files::leave_with_pages(tx, crawl, only_excluded)?;
    let leaving: Vec<(i64, String, NotionId, bool)> = tx
                .prepare_cached(
                    "SELECT items.id, key, object, rendered IS NOT NULL FROM departures JOIN items ON items.id = departures.item
                     WHERE crawl = ?1 AND (NOT ?2 OR proof IN (?3, ?4)) ORDER BY items.id",
                )?
                .query_map(params![crawl.id.0, only_excluded, Proof::Archived, Proof::Excluded], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })?
                .collect::<rusqlite::Result<_>>()?;
    traces::bury(tx, crawl, only_excluded)?;
    let (mut left, mut gone) = (0, Vec::new());
    for (item, key, object, indexed) in leaving {
        tx.execute("DELETE FROM departures WHERE crawl = ?1 AND item = ?2", params![crawl.id.0, item])?;
        tx.execute(
            "DELETE FROM holders WHERE item = ?1 AND connector = ?2",
            params![item, crawl.connector.0],
        )?;
        admission::drop_from_interrupted(tx, crawl, (item, object))?;
        let held: bool = tx.prepare_cached("SELECT 1 FROM holders WHERE item = ?1")?.exists([item])?;
        if !held {
            let left_out: bool =
                tx.prepare_cached("SELECT 1 FROM left_out WHERE item = ?1")?.exists([item])?;
            // What somebody left out keeps its place, and so does a file that a page shows; what another connector has met and not
            // decided about, its content too.
            if left_out || files::is_placed(tx, item)? || admission::is_awaited(tx, item)? {
                admission::forget(tx, item)?;
            } else {
                tx.execute("DELETE FROM items WHERE id = ?1", [item])?;
            }
        }
        remove_failure(tx, crawl.connector, object)?;
        if indexed {
            outbox::push(tx, &key)?;
            left += 1;
        }
        gone.extend((!held).then_some(object));
    }
    // Only now: most of what lies below something that leaves has left too.
    for object in gone {
        tx.prepare_cached(REDELIVER_AROUND)?.execute(params![crawl.connector.0, object])?;
    }
    tx.execute("UPDATE crawls SET deleted = deleted + ?2 WHERE id = ?1", params![crawl.id.0, left])?;
    Ok(left)
}

/// What stays below an object that left shows no title of it in its breadcrumb any more, nor does what is related to it.
pub(super) const REDELIVER_AROUND: &str = "WITH RECURSIVE below (workspace, object) AS (
       SELECT workspace, ?2 FROM connectors WHERE id = ?1
       UNION SELECT items.workspace, items.object FROM below CROSS JOIN items USING (workspace)
         WHERE items.home = below.object)
     INSERT INTO outbox (key)
     SELECT key FROM below CROSS JOIN items USING (workspace, object) WHERE rendered IS NOT NULL
     UNION SELECT key FROM links JOIN items ON items.id = links.item
       WHERE links.kind = 'relation' AND links.target = ?2 AND rendered IS NOT NULL";

/// The row id of an object that the connector holds.
pub(super) fn held(tx: &Transaction<'_>, crawl: &Crawl, object: NotionId) -> rusqlite::Result<Option<i64>> {
    tx.prepare_cached(
        "SELECT items.id FROM items JOIN connectors USING (workspace) JOIN holders ON holders.item = items.id
         WHERE connectors.id = ?1 AND holders.connector = ?1 AND items.object = ?2",
    )?
    .query_row(params![crawl.connector.0, object], |row| row.get(0))
    .optional()
}

/// Writes down Notion's word that an object is gone, until the crawl settles.
pub(super) fn add_departure(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    object: NotionId,
    proof: Proof,
) -> rusqlite::Result<()> {
    let Some(item) = held(tx, crawl, object)? else {
        if proof == Proof::NotFound {
            note_absence(tx, crawl, object)?;
        }
        // A crawl that met it and went on later, when another had found it gone: there is nothing to account for.
        if let Some(item) = sighted(tx, crawl, object)? {
            unsee(tx, crawl.id, item)?;
        }
        // The connector may hold what lies below it all the same: beyond its limit, and by filters, an object is left out alone.
        if matches!(crawl.scope, Scope::Incremental | Scope::Events) {
            ask_all_below(tx, crawl, object)?;
        }
        return remove_failure(tx, crawl.connector, object);
    };
    // Also one that was accounted for, and is gone since.
    unsee(tx, crawl.id, item)?;
    tx.prepare_cached(
        "INSERT INTO departures (crawl, item, proof) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?
    .execute(params![crawl.id.0, item, proof])
    .map(|_| ())
}
