//! Which of the items that a crawl meets its connector holds: what filters keep, as far as the limit reaches.
//!
//! Under filters an item is *undecided* when it is listed: it has a sighting and no holder, and its requests are held back. What
//! is left out has a row in `left_out` and no sighting, so that it is not discovered. What the connector held before leaves at
//! the end of the crawl, by a departure with a proof of its own.
//!
//! What is archived and not wanted is left out too, and keeps its place: what lies below it may not be archived itself, and filters
//! judge that by all that it lies in.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::alerts::{AlertScope, NewAlert, add as add_alert, remove_failure};
use super::column::Packed;
use super::crawls::{Outcome, account, unsee};
use super::links::redeliver;
use super::parts::drop_parts;
use super::tasks::ask;
use super::{
    Crawl, CrawlId, FileReading, FileState, NewTask, Proof, Result, Scope, Store, TaskKind, hints,
    named_enum, tasks,
};
use crate::model::{ConnectorId, ItemKind, NotionId};

/// After each so many new items that the limit leaves out there is another alert.
const LIMIT_ALERT_EVERY: u64 = 10_000;

/// What decides about new items.
#[derive(Debug, Clone, Copy)]
pub struct Admission {
    /// Whether filters decide later about everything that is listed.
    pub filtered: bool,
    /// Most items that the connector may hold.
    pub limit: u64,
    /// How files are read.
    pub files: FileReading,
}

impl Default for Admission {
    fn default() -> Self {
        Self { filtered: false, limit: u64::MAX, files: FileReading::default() }
    }
}

named_enum! {
    /// Why a connector does not index an item that it met.
    pub enum LeftOut {
        /// Its filters.
        Filter = "filter",
        /// It holds as many items as it may.
        Limit = "limit",
        /// It is archived, and its settings want nothing archived.
        Archived = "archived",
    }
}

/// Where an item stands, and what a connector does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Row id.
    pub row: i64,
    /// Notion's id.
    pub object: NotionId,
    /// What it is.
    pub kind: ItemKind,
    /// The object that it stands in; none at the top and where that is not known.
    pub home: Option<NotionId>,
    /// Whether its parent is the workspace.
    pub is_top: bool,
    /// Whether the crawl met it: what is known of it is fresh.
    pub met: bool,
    /// What the connector does with it.
    pub standing: Standing,
}

/// What a connector does with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Holds it.
    Held,
    /// Met it, and filters have to decide.
    Undecided,
    /// Met it, and leaves it out.
    LeftOut(LeftOut),
    /// Nothing: another connector's.
    Strange,
}

/// What follows from the sight of an item.
pub(super) enum Entry {
    /// Met for the first time in this crawl.
    First {
        /// Whether the connector did not hold it before.
        fresh: bool,
        /// Whether its requests are to wait.
        undecided: bool,
    },
    /// Met before in this crawl, or skipped.
    Known,
    /// Left out by a filter in this crawl.
    LeftOut,
}

/// Takes note that a crawl met an item, and takes hold of it where that is decided.
pub(super) fn enter(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    item: i64,
    admission: Admission,
    now: Timestamp,
) -> rusqlite::Result<Entry> {
    let is_left_out = tx
        .prepare_cached(
            "SELECT 1 FROM left_out WHERE connector = ?1 AND item = ?2 AND crawl = ?3 AND reason = ?4",
        )?
        .exists(params![crawl.connector.0, item, crawl.id.0, LeftOut::Filter])?;
    if is_left_out {
        return Ok(Entry::LeftOut);
    }
    tx.prepare_cached("DELETE FROM left_out WHERE connector = ?1 AND item = ?2 AND reason = ?3")?
        .execute(params![crawl.connector.0, item, LeftOut::Archived])?;
    let fresh = !is_held(tx, crawl, item)?;
    // What was met before and opened again stays as new as it was.
    let first_sight: Option<bool> = tx
        .prepare_cached(
            "INSERT INTO sightings (crawl, item, fresh, undecided) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET reopened = 0, undecided = excluded.undecided WHERE reopened RETURNING fresh",
        )?
        .query_row(params![crawl.id.0, item, fresh, admission.filtered], |row| row.get(0))
        .optional()?;
    let Some(was_fresh) = first_sight else { return Ok(Entry::Known) };
    if !admission.filtered && !hold(tx, crawl, item, fresh, admission.limit, now)? {
        return Ok(Entry::Known);
    }
    Ok(Entry::First { fresh: was_fresh, undecided: admission.filtered })
}

fn is_held(tx: &Transaction<'_>, crawl: &Crawl, item: i64) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM holders WHERE item = ?1 AND connector = ?2")?
        .exists(params![item, crawl.connector.0])
}

/// Makes the connector a holder of an item that it may have; a new one beyond the limit is *skipped*, and false.
fn hold(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    item: i64,
    fresh: bool,
    limit: u64,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    if !fresh {
        return Ok(true);
    }
    let held: u64 = tx
        .prepare_cached("SELECT held FROM connectors WHERE id = ?1")?
        .query_row([crawl.connector.0], |row| row.get(0))?;
    if held >= limit {
        account(tx, crawl.id, item, Outcome::Skipped)?;
        leave(tx, crawl, item, LeftOut::Limit)?;
        alert_limit(tx, crawl, item, limit, now)?;
        return Ok(false);
    }
    tx.prepare_cached("INSERT INTO holders (item, connector, crawl) VALUES (?1, ?2, ?3)")?
        .execute(params![item, crawl.connector.0, crawl.id.0])?;
    let was_left_out = tx
        .prepare_cached("DELETE FROM left_out WHERE connector = ?1 AND item = ?2")?
        .execute(params![crawl.connector.0, item])?;
    if was_left_out > 0 {
        redeliver(tx, item)?;
    } else {
        // What another connector had read is this one's too from now on, whatever becomes of the crawl.
        tx.prepare_cached(
            "INSERT INTO outbox (key) SELECT key FROM items WHERE id = ?1 AND rendered IS NOT NULL",
        )?
        .execute([item])?;
    }
    Ok(true)
}

/// The first item that is skipped, and every ten-thousandth, is told.
fn alert_limit(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    item: i64,
    limit: u64,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let skipped: u64 = tx
        .prepare_cached("SELECT skipped FROM crawls WHERE id = ?1")?
        .query_row([crawl.id.0], |row| row.get(0))?;
    if skipped != 1 && !skipped.is_multiple_of(LIMIT_ALERT_EVERY) {
        return Ok(());
    }
    let object =
        tx.prepare_cached("SELECT object FROM items WHERE id = ?1")?.query_row([item], |row| row.get(0))?;
    let message = format!(
        "the connector holds {limit} items, which is its limit: {skipped} new ones so far were counted and not indexed; raise \
         the limit (connector edit NAME --item-limit N), or leave more out"
    );
    let group = format!("item limit {skipped}");
    add_alert(tx, crawl.id, NewAlert::error(AlertScope::Items, &group, &message).about(Some(object)), now)
}

fn leave(tx: &Transaction<'_>, crawl: &Crawl, item: i64, reason: LeftOut) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO left_out (connector, item, crawl, reason) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET crawl = excluded.crawl, reason = excluded.reason",
    )?
    .execute(params![crawl.connector.0, item, crawl.id.0, reason])
    .map(|_| ())
}

/// Holds back the requests for an item that filters have not decided about.
pub(super) fn hold_back(tx: &Transaction<'_>, crawl: &Crawl, object: NotionId) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE tasks SET state = 'held' WHERE crawl = ?1 AND page = ?2 AND state = 'ready'")?
        .execute(params![crawl.id.0, object])
        .map(|_| ())
}

/// A filter keeps an item.
fn keep(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    place: &Place,
    limit: u64,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let (id, item) = (crawl.id.0, place.row);
    let fresh = !is_held(tx, crawl, item)?;
    tx.prepare_cached("DELETE FROM left_out WHERE connector = ?1 AND item = ?2")?
        .execute(params![crawl.connector.0, item])?;
    tx.prepare_cached(
        "INSERT INTO sightings (crawl, item, fresh) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET undecided = 0",
    )?
    .execute(params![id, item, fresh])?;
    if !hold(tx, crawl, item, fresh, limit, now)? {
        tx.prepare_cached("DELETE FROM tasks WHERE crawl = ?1 AND page = ?2")?
            .execute(params![id, place.object])?;
    } else {
        if fresh {
            // What lies below it, or is related to it, is found by its title from now on.
            redeliver(tx, item)?;
        }
        tx.prepare_cached(
            "UPDATE tasks SET state = 'ready' WHERE crawl = ?1 AND page = ?2 AND state = 'held'",
        )?
        .execute(params![id, place.object])?;
    }
    tx.prepare_cached("DELETE FROM departures WHERE crawl = ?1 AND item = ?2 AND proof = ?3")?
        .execute(params![id, item, Proof::Excluded])?;
    let kind: ItemKind =
        tx.prepare_cached("SELECT kind FROM items WHERE id = ?1")?.query_row([item], |row| row.get(0))?;
    // Rows are found by this request, also where the data source itself is beyond the limit: they are counted.
    let by_events = crawl.scope == Scope::Events && hints::knows_rows(tx, crawl, place.object)?;
    if kind == ItemKind::DataSource && !by_events {
        ask(tx, crawl.id, place.object, TaskKind::QueryDataSource, true)?;
    }
    Ok(())
}

/// A setting leaves an item out. It is not discovered; what was held leaves when the crawl ends.
fn exclude(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    (item, object): (i64, NotionId),
    (why, proof): (LeftOut, Proof),
) -> rusqlite::Result<()> {
    unsee(tx, crawl.id, item)?;
    drop_parts(tx, crawl.id, object)?;
    drop_from_interrupted(tx, crawl, (item, object))?;
    leave(tx, crawl, item, why)?;
    if is_held(tx, crawl, item)? {
        tx.prepare_cached(
            "INSERT INTO departures (crawl, item, proof) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET proof = excluded.proof",
        )?
        .execute(params![crawl.id.0, item, proof])?;
    }
    Ok(())
}

/// A crawl met an item that is archived, and archived ones are not wanted.
pub(super) fn shelve(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    item: i64,
    object: NotionId,
) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM tasks WHERE crawl = ?1 AND page = ?2")?
        .execute(params![crawl.id.0, object])?;
    remove_failure(tx, crawl.connector, object)?;
    exclude(tx, crawl, (item, object), (LeftOut::Archived, Proof::Archived))
}

/// An interrupted crawl of the connector may have met, and not yet read, what leaves now or is left out: there is nothing to read
/// until it is met anew.
pub(super) fn drop_from_interrupted(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    (item, object): (i64, NotionId),
) -> rusqlite::Result<()> {
    let interrupted: Vec<i64> = tx
        .prepare_cached(
            "DELETE FROM sightings WHERE item = ?1 AND outcome IS NULL AND crawl <> ?2
               AND crawl IN (SELECT id FROM crawls WHERE connector = ?3) RETURNING crawl",
        )?
        .query_map(params![item, crawl.id.0, crawl.connector.0], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for crawl in interrupted {
        tx.execute("DELETE FROM tasks WHERE crawl = ?1 AND page = ?2", params![crawl, object])?;
        drop_parts(tx, CrawlId(crawl), object)?;
    }
    Ok(())
}

/// Whether a crawl that still goes on met an item and may yet hold it.
pub(super) fn is_awaited(tx: &Transaction<'_>, item: i64) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT 1 FROM sightings JOIN crawls ON crawls.id = sightings.crawl
         WHERE item = ?1 AND outcome IS NULL AND ended IS NULL",
    )?
    .exists([item])
}

/// Deletes what a crawl that ended before filters had decided met, and what nobody holds, left out or awaits.
pub(super) fn drop_undecided(tx: &Transaction<'_>, crawl: CrawlId) -> rusqlite::Result<()> {
    let dropped: Vec<i64> = tx
        .prepare_cached(
            "SELECT item FROM sightings WHERE crawl = ?1 AND undecided
               AND NOT EXISTS (SELECT 1 FROM holders WHERE holders.item = sightings.item)
               AND NOT EXISTS (SELECT 1 FROM left_out WHERE left_out.item = sightings.item)
               AND NOT EXISTS (
                 SELECT 1 FROM sightings other JOIN crawls ON crawls.id = other.crawl
                 WHERE other.item = sightings.item AND other.outcome IS NULL AND ended IS NULL)",
        )?
        .query_map([crawl.0], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for item in dropped {
        // What is indexed below it stands nowhere that is known.
        redeliver(tx, item)?;
        tx.prepare_cached("DELETE FROM items WHERE id = ?1")?.execute([item])?;
    }
    Ok(())
}

/// Forgets the content of an item that nobody holds any more and somebody left out, unless it is awaited.
pub(super) fn forget(tx: &Transaction<'_>, item: i64) -> rusqlite::Result<()> {
    if is_awaited(tx, item)? {
        return Ok(());
    }
    tx.prepare_cached(
        "UPDATE items SET source = ?2, body = NULL, body_form = NULL, body_edited = NULL, body_read = NULL,
           renderer = NULL, content_hash = NULL, rendered = NULL, indexed = NULL WHERE id = ?1",
    )?
    .execute(params![item, nothing()])?;
    tx.prepare_cached("UPDATE files SET state = NULL WHERE item = ?1 AND state IN (?2, ?3)")?
        .execute(params![item, FileState::Text, FileState::NoText])?;
    for (table, column) in [("links", "item"), ("unknown_kinds", "item"), ("file_places", "page")] {
        tx.execute(&format!("DELETE FROM {table} WHERE {column} = ?1"), [item])?;
    }
    Ok(())
}

/// What an object is that is not known: something that stands in it may name its kind.
fn kind_by_what_it_holds(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    object: NotionId,
) -> rusqlite::Result<Option<ItemKind>> {
    tx.prepare_cached(
        "SELECT json_extract(parent, '$.type') FROM items
         WHERE workspace = (SELECT workspace FROM connectors WHERE id = ?1) AND home = ?2
           AND json_extract(parent, '$.type') IN ('page', 'database', 'data_source') LIMIT 1",
    )?
    .query_row(params![crawl.connector.0, object], |row| row.get(0))
    .optional()
}

fn nothing() -> Packed {
    Packed("{}".to_owned())
}

impl Store {
    /// Whether filters have still to decide about items of a crawl.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_undecided(&self, crawl: &Crawl) -> Result<bool> {
        self.read(|tx| {
            tx.prepare_cached("SELECT 1 FROM sightings WHERE crawl = ?1 AND undecided")?.exists([crawl.id.0])
        })
    }

    /// Whether a crawl has met anything, indexed or left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_met(&self, crawl: &Crawl) -> Result<bool> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT 1 FROM sightings WHERE crawl = ?1
                 UNION ALL SELECT 1 FROM left_out WHERE connector = ?2 AND crawl = ?1",
            )?
            .exists(params![crawl.id.0, crawl.connector.0])
        })
    }

    /// Where everything known of the connector's workspace stands. What `crawl` met is fresh; without a crawl nothing is.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_places(&self, connector: ConnectorId, crawl: Option<&Crawl>) -> Result<Vec<Place>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT items.id, object, home, json_extract(parent, '$.type') = 'workspace', sightings.undecided,
                   left_out.crawl = ?2, left_out.reason, holders.item IS NOT NULL, kind
                 FROM items
                 LEFT JOIN sightings ON sightings.crawl = ?2 AND sightings.item = items.id
                 LEFT JOIN left_out ON left_out.connector = ?1 AND left_out.item = items.id
                 LEFT JOIN holders ON holders.item = items.id AND holders.connector = ?1
                 WHERE workspace = (SELECT workspace FROM connectors WHERE id = ?1)",
            )?
            .query_map(params![connector.0, crawl.map(|crawl| crawl.id.0)], |row| {
                let undecided: Option<bool> = row.get(4)?;
                let reason: Option<LeftOut> = row.get(6)?;
                let standing = match (undecided, reason, row.get(7)?) {
                    (Some(true), _, _) => Standing::Undecided,
                    (_, Some(reason), _) => Standing::LeftOut(reason),
                    (_, None, true) => Standing::Held,
                    (_, None, false) => Standing::Strange,
                };
                let met = undecided.is_some() || row.get::<_, Option<bool>>(5)? == Some(true);
                let kind = row.get(8)?;
                let (row, object, home, is_top) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                Ok(Place { row, object, kind, home, is_top, met, standing })
            })?
            .collect()
        })
    }

    /// Writes what filters decided about items that a crawl met.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_verdicts(
        &self,
        crawl: &Crawl,
        kept: &[Place],
        left_out: &[Place],
        limit: u64,
        now: Timestamp,
    ) -> Result<()> {
        self.write(|tx| {
            kept.iter().try_for_each(|place| keep(tx, crawl, place, limit, now))?;
            let by_filter = (LeftOut::Filter, Proof::Excluded);
            left_out.iter().try_for_each(|place| exclude(tx, crawl, (place.row, place.object), by_filter))
        })
    }

    /// Asks for objects that settings name, or that something stands in, and that nothing listed, once a crawl. Of one that is
    /// not known at all, nobody knows what it is. Returns how many requests that makes.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn ask_for_given(&self, crawl: &Crawl, given: impl IntoIterator<Item = NotionId>) -> Result<u64> {
        self.write(|tx| {
            let mut asked = 0;
            for object in given {
                let known: Option<ItemKind> = tx
                    .prepare_cached(
                        "SELECT kind FROM items JOIN connectors USING (workspace) WHERE connectors.id = ?1 AND object = ?2",
                    )?
                    .query_row(params![crawl.connector.0, object], |row| row.get(0))
                    .optional()?;
                let known = if known.is_none() { kind_by_what_it_holds(tx, crawl, object)? } else { known };
                let kinds = match known {
                    Some(ItemKind::Page | ItemKind::Row) => &[TaskKind::ReadPage][..],
                    Some(ItemKind::Database) => &[TaskKind::ReadDatabase],
                    Some(ItemKind::DataSource) => &[TaskKind::ReadDataSource],
                    // It is found in its page.
                    Some(ItemKind::File) => &[],
                    None => &[TaskKind::ReadPage, TaskKind::ReadDatabase, TaskKind::ReadDataSource],
                };
                for kind in kinds {
                    let fresh = tx.execute(
                        "INSERT INTO asked (crawl, object, kind, queued) VALUES (?1, ?2, ?3, 1) ON CONFLICT DO NOTHING",
                        params![crawl.id.0, object, kind],
                    )?;
                    if fresh == 1 {
                        tasks::add(tx, crawl.id, &NewTask::on(*kind, object).with_detail(tasks::GIVEN))?;
                        asked += 1;
                    }
                }
            }
            Ok(asked)
        })
    }

    /// Those of these objects that a crawl did not meet, or met archived and not wanted.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_unmet(
        &self,
        crawl: &Crawl,
        objects: impl Iterator<Item = NotionId>,
    ) -> Result<Vec<NotionId>> {
        self.read(|tx| {
            let mut met = tx.prepare_cached(
                "SELECT 1 FROM items JOIN connectors USING (workspace) WHERE connectors.id = ?2 AND object = ?3
                   AND (EXISTS (SELECT 1 FROM sightings WHERE crawl = ?1 AND item = items.id)
                     OR EXISTS (
                       SELECT 1 FROM left_out WHERE connector = ?2 AND item = items.id AND crawl = ?1 AND reason <> ?4))",
            )?;
            let mut unmet = Vec::new();
            for object in objects {
                if !met.exists(params![crawl.id.0, crawl.connector.0, object, LeftOut::Archived])? {
                    unmet.push(object);
                }
            }
            Ok(unmet)
        })
    }

    /// The objects that a connector holds and that lie behind the item `after`, as Notion answered them, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_held_sources(
        &self,
        connector: ConnectorId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, String)>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT items.id, source FROM holders JOIN items ON items.id = holders.item
                 WHERE holders.connector = ?1 AND holders.item > ?2 ORDER BY holders.item LIMIT ?3",
            )?
            .query_map(params![connector.0, after, limit], |row| {
                Ok((row.get(0)?, row.get::<_, Packed>(1)?.0))
            })?
            .collect()
        })
    }

    /// Forgets what the connector left out in earlier crawls and a complete one did not meet (`all`), and the content of what
    /// this one left out and nobody holds. A file is known as long as a page shows it, which is not read again for it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn prune_left_out(&self, crawl: &Crawl, all: bool) -> Result<()> {
        self.write(|tx| {
            if all {
                let gone: Vec<i64> = tx
                    .prepare_cached(
                        "SELECT item FROM left_out WHERE connector = ?1 AND crawl < ?2
                           AND NOT EXISTS (SELECT 1 FROM holders WHERE holders.item = left_out.item)
                           AND NOT EXISTS (SELECT 1 FROM file_places WHERE file = left_out.item)
                           AND NOT EXISTS (SELECT 1 FROM left_out other WHERE other.item = left_out.item AND other.connector <> ?1)",
                    )?
                    .query_map(params![crawl.connector.0, crawl.id.0], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                for item in gone {
                    // What is indexed below it shows its title.
                    redeliver(tx, item)?;
                    tx.prepare_cached("DELETE FROM items WHERE id = ?1")?.execute([item])?;
                }
                tx.execute(
                    "DELETE FROM left_out WHERE connector = ?1 AND crawl < ?2",
                    params![crawl.connector.0, crawl.id.0],
                )?;
            }
            let bare: Vec<i64> = tx
                .prepare_cached(
                    "SELECT items.id FROM left_out JOIN items ON items.id = left_out.item
                     WHERE connector = ?1 AND (source <> ?2 OR rendered IS NOT NULL)
                       AND NOT EXISTS (SELECT 1 FROM holders WHERE item = items.id)",
                )?
                .query_map(params![crawl.connector.0, nothing()], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            bare.into_iter().try_for_each(|item| forget(tx, item))
        })
    }

    /// How many items the connector holds, rendered or not: what its limit counts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_held(&self, connector: ConnectorId) -> Result<u64> {
        self.read(|tx| {
            tx.prepare_cached("SELECT held FROM connectors WHERE id = ?1")?
                .query_row([connector.0], |row| row.get(0))
        })
    }

    /// Kind and title of items.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_titles(&self, rows: &[i64]) -> Result<Vec<(NotionId, ItemKind, String)>> {
        self.read(|tx| {
            let mut select = tx.prepare_cached("SELECT object, kind, title FROM items WHERE id = ?1")?;
            rows.iter()
                .map(|row| {
                    select.query_row([row], |columns| Ok((columns.get(0)?, columns.get(1)?, columns.get(2)?)))
                })
                .collect()
        })
    }
}
