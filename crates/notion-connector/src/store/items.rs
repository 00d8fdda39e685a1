//! Items: what Notion said, what rendering made of it, who holds it, and what hangs together with it.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;

use super::admission::{self, Admission, Entry};
use super::alerts::{AlertScope, NewAlert, add as add_alert, remove_failure};
use super::crawls::{Outcome, account};
use super::departures::{Proof, add_departure, held};
use super::links::{home_by_tags, missing_below, redeliver, save_links};
use super::parts::{AnswerForm, PageSource, drop_parts};
use super::positions::note_place;
use super::sameness::says_the_same;
use super::scopes::ask_all_below;
use super::tasks::{add as add_task, ask, mark_unended, sighted};
use super::{
    Crawl, LeftOut, Millis, NewTask, Packed, PageFiles, PlaceDetail, Result, Scope, Store, Task, TaskKind,
    audiences, files, hints, outbox,
};
use crate::model::{ConnectorId, FileContent, Item, ItemKey, ItemKind, NotionId, Parent, Warning};

/// An object as a listing returned it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Key of the item that it is.
    pub key: ItemKey,
    /// What it is.
    pub kind: ItemKind,
    /// Notion's id.
    pub id: NotionId,
    /// Its title, for breadcrumbs of what lies below it.
    pub title: String,
    /// Where it stands.
    pub parent: Parent,
    /// `last_edited_time`, rounded to the minute for pages.
    pub edited: Timestamp,
    /// The object as Notion answered it.
    pub source: String,
    /// Ids of the properties of which it holds the beginning only.
    pub cut_properties: Vec<String>,
}

/// What the store knew of an object before it was listed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// `last_edited_time` of the object when its body was asked for, and when that was.
    pub body: Option<(Timestamp, Timestamp)>,
    /// Version of the renderer that made the indexed item.
    pub renderer: Option<u32>,
    /// Whether the object is what the indexed item was made from.
    pub same_source: bool,
    /// Whether it failed in the last crawl that tried.
    pub failed: bool,
}

/// What an object that was listed needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadPlan {
    /// These requests are to be made for it.
    Read(Vec<NewTask>),
    /// What is known is to be rendered again.
    Render,
    /// It is as it was.
    Nothing,
}

/// An item with all that it was made from.
#[derive(Debug, Clone)]
pub struct ItemRow {
    /// Row id.
    pub row: i64,
    /// What it is.
    pub kind: ItemKind,
    /// Notion's id.
    pub id: NotionId,
    /// `last_edited_time`.
    pub edited: Timestamp,
    /// The object as Notion answered it.
    pub source: String,
    /// What was read beside it.
    pub read: Option<PageSource>,
    /// What was found in its bytes, where it is a file.
    pub content: Option<FileContent>,
}

/// A page that was read, beside the page object.
#[derive(Debug, Clone, Copy)]
pub struct PageRead<'a> {
    /// The task that brought the last answer.
    pub task: &'a Task,
    /// All that is known of the page now.
    pub source: &'a PageSource,
    /// When the first answer of its body was asked for; none where the body is the one that was stored.
    pub body_asked: Option<Timestamp>,
}

/// A rendered item, ready to be saved.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The item.
    pub item: Item,
    /// Hash of what a searcher can see.
    pub content_hash: [u8; 32],
    /// Version of the renderer.
    pub renderer: u32,
    /// What was lost or unknown.
    pub warnings: Vec<Warning>,
    /// The files in it, where it is a page.
    pub files: Option<PageFiles>,
}

/// What a listing says beside the objects themselves.
#[derive(Debug, Clone, Default)]
pub struct Discovery {
    /// Objects that exist.
    pub listed: Vec<Listed>,
    /// Objects that exist, and are archived where nothing archived is wanted.
    pub archived: Vec<Listed>,
    /// Objects that Notion says are gone.
    pub gone: Vec<(NotionId, Proof)>,
    /// Objects that may be gone: to be asked for where the connector holds them.
    pub doubted: Vec<NotionId>,
    /// Objects named and not returned; asked for at once (`true`) or when all listings have ended.
    pub named: Vec<(NotionId, TaskKind, bool)>,
    /// Whether Notion ended the listing before its end.
    pub cut: bool,
    /// Between which times of edit no search lists what there is.
    pub gap: Option<(Timestamp, Timestamp)>,
    /// How many elements of the listing were not the objects that it promises.
    pub malformed: u64,
    /// Kinds of objects that this version does not know.
    pub unknown: Vec<String>,
    /// Further requests of the same listing.
    pub further: Vec<NewTask>,
    /// Further requests, should any of `listed` be new to the crawl.
    pub if_new: Vec<NewTask>,
    /// What the task asks for from now on, where that changed.
    pub progress: Option<String>,
    /// What decides about objects that are new.
    pub admission: Admission,
}

const LISTING_CUT: &str = "Notion ended a listing before its end; what it left out is indexed only as far as it was met elsewhere, \
    and nothing is deleted";

const SEARCH_CUT: &str = "is not listed by search in either direction: of these pages only those are indexed that a data source lists or \
    another page holds; a full crawl asks for each that is indexed by itself. Connect fewer pages to the integration, and the others to \
    another one";

const ROWS_UNREACHABLE: &str = "could not be listed: more rows were made in the same minute, and last edited in the same minute, than \
    Notion lists in a query; nothing is deleted. Edit some of them in Notion, a minute apart, and crawl again";

impl Store {
    /// Writes the answer to a listing (or to the reading of one object) and finishes its task, or moves it on.
    ///
    /// `plan` decides for each object that this crawl meets for the first time, with what is known of it and the files in it that
    /// are still to be read.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn save_discovery(
        &self,
        crawl: &Crawl,
        task: &Task,
        next_cursor: Option<&str>,
        discovery: &Discovery,
        now: Timestamp,
        plan: impl Fn(&Listed, Option<Stored>, &[PlaceDetail]) -> ReadPlan,
    ) -> Result<()> {
        self.try_write(|tx| {
            self.finish_in(tx, task, next_cursor)?;
            let save = || {
                if !discovery.if_new.is_empty() && has_new(tx, crawl, &discovery.listed)? {
                    discovery.if_new.iter().try_for_each(|task| add_task(tx, crawl.id, task).map(drop))?;
                }
                for listed in &discovery.listed {
                    if task.is_hint() {
                        hints::reopen(tx, crawl, listed.id)?;
                    }
                    save_listed(tx, crawl, listed, discovery.admission, now, &plan)?;
                }
                for archived in &discovery.archived {
                    let (row, _) = save_place(tx, crawl, archived)?;
                    admission::shelve(tx, crawl, row, archived.id)?;
                }
                for (object, proof) in &discovery.gone {
                    add_departure(tx, crawl, *object, *proof)?;
                }
                for object in &discovery.doubted {
                    if held(tx, crawl, *object)?.is_some() {
                        ask(tx, crawl.id, *object, TaskKind::Verify, true)?;
                    } else {
                        ask_all_below(tx, crawl, *object)?;
                    }
                }
                for (object, kind, at_once) in &discovery.named {
                    let rows = *kind == TaskKind::QueryDataSource;
                    let by_events = rows && crawl.scope == Scope::Events && !task.reads_anyway();
                    // Where filters decide, they ask for the rows of what they keep.
                    if (rows && discovery.admission.filtered)
                        || (by_events && hints::knows_rows(tx, crawl, *object)?)
                    {
                        continue;
                    }
                    ask(tx, crawl.id, *object, *kind, *at_once)?;
                }
                if let Some(detail) = &discovery.progress {
                    tx.execute("UPDATE tasks SET detail = ?2 WHERE id = ?1", params![task.id.0, detail])?;
                }
                for task in &discovery.further {
                    add_task(tx, crawl.id, task)?;
                }
                for kind in &discovery.unknown {
                    let (group, message) = (
                        format!("unknown kind of object “{kind}”"),
                        format!("objects of the unknown kind “{kind}” are not indexed: use a newer version, or report it"),
                    );
                    add_alert(tx, crawl.id, NewAlert::warning(AlertScope::Items, &group, &message), now)?;
                }
                if discovery.cut {
                    mark_unended(tx, crawl.id)?;
                    let group = format!("cut {:?}", task.target);
                    let alert = NewAlert::error(AlertScope::Items, &group, LISTING_CUT).about(task.target);
                    add_alert(tx, crawl.id, alert, now)?;
                }
                if let Some((from, to)) = discovery.gap {
                    tx.execute("UPDATE crawls SET gap = 1 WHERE id = ?1", [crawl.id.0])?;
                    let message = format!("what was edited last between {from} and {to} {SEARCH_CUT}");
                    add_alert(tx, crawl.id, NewAlert::error(AlertScope::Items, "search", &message), now)?;
                }
                if discovery.malformed > 0 {
                    let (count, what_to_do) = (discovery.malformed, "crawl again, and report it if it stays");
                    let message = format!("{count} objects of a listing could not be understood: {what_to_do}");
                    let alert = NewAlert::error(AlertScope::Items, "malformed", &message).about(task.target);
                    add_alert(tx, crawl.id, alert, now)?;
                }
                Ok(())
            };
            save().map_err(|source| self.sqlite(source))
        })
    }

    /// An object of the connector's workspace with all that it was made from.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_item(&self, connector: ConnectorId, object: NotionId) -> Result<Option<ItemRow>> {
        self.read(|tx| {
            tx.prepare_cached(&format!(
                "SELECT {ROW_COLUMNS} FROM items JOIN connectors USING (workspace)
                 WHERE connectors.id = ?1 AND items.object = ?2"
            ))?
            .query_row(params![connector.0, object], row_from)
            .optional()
        })
    }

    /// Items that this crawl met and has not accounted for, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_unaccounted(&self, crawl: &Crawl, limit: u32) -> Result<Vec<ItemRow>> {
        self.read(|tx| {
            tx.prepare_cached(&format!(
                "SELECT {ROW_COLUMNS} FROM sightings JOIN items ON items.id = sightings.item
                 WHERE sightings.crawl = ?1 AND outcome IS NULL AND NOT undecided ORDER BY sightings.item LIMIT ?2"
            ))?
            .query_map(params![crawl.id.0, limit], row_from)?
            .collect()
        })
    }

    /// Saves a rendered item and accounts for it, with what was read for it.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn save_page(
        &self,
        crawl: &Crawl,
        finished: &Finished,
        read: Option<PageRead<'_>>,
        now: Timestamp,
    ) -> Result<()> {
        self.try_write(|tx| {
            if let Some(read) = read {
                self.finish_in(tx, read.task, None)?;
            }
            save_finished(tx, crawl, finished, read, now).map_err(|source| self.sqlite(source))
        })
    }

    /// Accounts for the rows of a data source that no query lists: as many as there are more in `total`, if Notion tells.
    /// While some are missing nothing may be judged gone.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn save_row_count(
        &self,
        crawl: &Crawl,
        task: &Task,
        total: Option<u64>,
        now: Timestamp,
    ) -> Result<()> {
        self.try_write(|tx| {
            self.finish_in(tx, task, None)?;
            let save = || {
                let listed: u64 = tx.query_row(
                    "SELECT count(*) FROM items JOIN connectors USING (workspace)
                     WHERE connectors.id = ?2 AND items.home = ?3 AND items.kind = ?4
                       AND (EXISTS (SELECT 1 FROM sightings WHERE item = items.id AND crawl = ?1)
                         OR EXISTS (SELECT 1 FROM left_out WHERE item = items.id AND crawl = ?1 AND reason <> ?5))",
                    // A query lists no archived rows, and does not count them.
                    params![crawl.id.0, crawl.connector.0, task.target, ItemKind::Row, LeftOut::Archived],
                    |row| row.get(0),
                )?;
                let missing = match total.map(|total| total.saturating_sub(listed)) {
                    Some(0) => return Ok(()),
                    Some(missing) => format!("{missing} of {} rows", missing + listed),
                    None => format!("an unknown number of rows (beside {listed} that were found)"),
                };
                let message = format!("{missing} {ROWS_UNREACHABLE}");
                mark_unended(tx, crawl.id)?;
                let group = format!("rows {:?}", task.target);
                let alert = NewAlert::error(AlertScope::Items, &group, &message).about(task.target);
                add_alert(tx, crawl.id, alert, now)
            };
            save().map_err(|source| self.sqlite(source))
        })
    }

    /// Whether another version of the renderer made any item.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_outdated(&self, renderer: u32) -> Result<bool> {
        self.read(|tx| tx.prepare_cached(OUTDATED)?.exists([renderer]))
    }

    /// Items that another version of the renderer made, behind the item `after`, at most `limit`; with the workspace of each.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_outdated(&self, renderer: u32, after: i64, limit: u32) -> Result<Vec<(NotionId, ItemRow)>> {
        self.read(|tx| {
            tx.prepare_cached(&format!(
                "SELECT {ROW_COLUMNS}, workspace FROM items
                 WHERE id > ?2 AND renderer <> ?1 AND rendered IS NOT NULL ORDER BY id LIMIT ?3"
            ))?
            .query_map(params![renderer, after, limit], |row| Ok((row.get(6)?, row_from(row)?)))?
            .collect()
        })
    }

    /// Saves an item that was rendered again from what is kept of it, and delivers it if it changed. One that a crawl has
    /// rendered in the meantime stays: that is newer.
    ///
    /// A page that now shows to hold an object which is not known is read again by the next crawl, which then asks for it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_rendered_again(&self, row: i64, finished: &Finished, now: Timestamp) -> Result<()> {
        self.write(|tx| {
            let before: Option<Vec<u8>> = tx
                .prepare_cached("SELECT content_hash FROM items WHERE id = ?1 AND renderer <> ?2")?
                .query_row(params![row, finished.renderer], |columns| columns.get(0))
                .optional()?;
            let Some(before) = before else { return Ok(()) };
            let changed = before != finished.content_hash;
            save_rendered(tx, row, finished, changed, now)?;
            if let Some(found) = &finished.files {
                files::save_places(tx, row, found)?;
            }
            if !changed {
                return Ok(());
            }
            for (object, _) in save_links(tx, row, &finished.item)? {
                tx.prepare_cached(
                    "UPDATE items SET body_edited = NULL WHERE id = ?1 AND NOT EXISTS (
                       SELECT 1 FROM items held WHERE held.workspace = items.workspace AND held.object = ?2)",
                )?
                .execute(params![row, object])?;
            }
            if audiences::goes_by_rows(tx, row)? {
                return redeliver(tx, row);
            }
            outbox::push(tx, finished.item.key.as_str())
        })
    }

    /// Takes back that this crawl met an object: it vanished between its listing and its reading.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn save_vanished(&self, crawl: &Crawl, task: &Task, object: NotionId, proof: Proof) -> Result<()> {
        self.try_write(|tx| {
            self.finish_in(tx, task, None)?;
            let save = || {
                tx.execute("DELETE FROM tasks WHERE crawl = ?1 AND page = ?2", params![crawl.id.0, object])?;
                drop_parts(tx, crawl.id, object)?;
                add_departure(tx, crawl, object, proof)
            };
            save().map_err(|source| self.sqlite(source))
        })
    }

    /// Forgets what earlier crawls of the connector met; the sightings of the newest stay, and of those that still go on or wait.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn prune_sightings(&self, crawl: &Crawl) -> Result<()> {
        let crawls: Vec<i64> = self.read(|tx| {
            tx.prepare_cached(
                "SELECT id FROM crawls WHERE connector = ?1 AND id < ?2 AND ended IS NOT NULL AND sighted > 0",
            )?
            .query_map(params![crawl.connector.0, crawl.id.0], |row| row.get(0))?
                .collect()
        })?;
        for old in crawls {
            // Few at a time: others write meanwhile, and the log of one long transaction would be as long as the table.
            while self
                .write(|tx| tx.prepare_cached(PRUNE_SIGHTINGS)?.execute(params![old, PRUNED_AT_ONCE]))?
                > 0
            {}
        }
        Ok(())
    }
}

/// Sightings that are forgotten in one transaction.
const PRUNED_AT_ONCE: u32 = 10_000;

pub(super) const PRUNE_SIGHTINGS: &str = "DELETE FROM sightings WHERE crawl = ?1
     AND item IN (SELECT item FROM sightings WHERE crawl = ?1 ORDER BY item LIMIT ?2)";

/// Two ranges instead of one inequality, which no index serves.
pub(super) const OUTDATED: &str =
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM items WHERE rendered IS NOT NULL AND renderer < ?1)
     OR EXISTS (SELECT 1 FROM items WHERE rendered IS NOT NULL AND renderer > ?1)";

const ROW_COLUMNS: &str = "items.id, items.kind, items.object, items.edited, items.source, items.body";

fn row_from(row: &rusqlite::Row<'_>) -> rusqlite::Result<ItemRow> {
    let kind: ItemKind = row.get(1)?;
    let (mut read, mut content) = (None, None);
    if let Some(Packed(text)) = row.get(5)? {
        if kind == ItemKind::File {
            content = Some(serde_json::from_str(&text).map_err(|error| unreadable(5, error))?);
        } else {
            read = Some(serde_json::from_str(&text).map_err(|error| unreadable(5, error))?);
        }
    }
    Ok(ItemRow {
        row: row.get(0)?,
        kind,
        id: row.get(2)?,
        edited: row.get::<_, Millis>(3)?.0,
        source: row.get::<_, Packed>(4)?.0,
        read,
        content,
    })
}

/// A column whose JSON this program did not write.
pub(super) fn unreadable(column: usize, error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, Box::new(error))
}

pub(super) fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

struct Known {
    title: String,
    parent: String,
    home: Option<NotionId>,
    /// Whether the object is what was answered last.
    same_answer: bool,
    stored: Stored,
}

fn load_known(tx: &Transaction<'_>, crawl: &Crawl, listed: &Listed) -> rusqlite::Result<Option<Known>> {
    let failed = tx
        .prepare_cached("SELECT 1 FROM failures WHERE connector = ?1 AND object = ?2")?
        .exists(params![crawl.connector.0, listed.id])?;
    tx.prepare_cached(
        "SELECT title, parent, home, body_edited, body_read, renderer, source FROM items WHERE key = ?1",
    )?
    .query_row([listed.key.as_str()], |row| {
        let body_edited: Option<Millis> = row.get(3)?;
        let body_read: Option<Millis> = row.get(4)?;
        let renderer: Option<u32> = row.get(5)?;
        let same_answer = says_the_same(&row.get::<_, Packed>(6)?.0, &listed.source);
        Ok(Known {
            title: row.get(0)?,
            parent: row.get(1)?,
            home: row.get(2)?,
            same_answer,
            stored: Stored {
                body: body_edited.zip(body_read).map(|(edited, read)| (edited.0, read.0)),
                renderer,
                // An answer that came since the item was made took its renderer away: `upsert_listed`.
                same_source: same_answer && renderer.is_some(),
                failed,
            },
        })
    })
    .optional()
}

/// Whether the crawl has not met one of these.
fn has_new(tx: &Transaction<'_>, crawl: &Crawl, listed: &[Listed]) -> rusqlite::Result<bool> {
    let mut met = tx.prepare_cached(
        "SELECT 1 FROM items JOIN connectors USING (workspace)
         WHERE connectors.id = ?2 AND items.object = ?3
           AND (EXISTS (SELECT 1 FROM sightings WHERE item = items.id AND crawl = ?1)
             OR EXISTS (SELECT 1 FROM left_out WHERE item = items.id AND crawl = ?1))",
    )?;
    for one in listed {
        if !met.exists(params![crawl.id.0, crawl.connector.0, one.id])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes what an object is and where it stands. Returns its row, and what was known of it before.
fn save_place(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    listed: &Listed,
) -> rusqlite::Result<(i64, Option<Known>)> {
    let known = load_known(tx, crawl, listed)?;
    let parent = to_json(&listed.parent)?;
    let unclear = matches!(listed.parent, Parent::Block(_) | Parent::Unknown);
    // A place that was found before stays while Notion names the same parent.
    let found_before =
        known.as_ref().filter(|known| unclear && known.parent == parent).and_then(|known| known.home);
    let named = if unclear { found_before } else { listed.parent.id() };
    let same_answer = known.as_ref().is_some_and(|known| known.same_answer);
    let row = upsert_listed(tx, crawl, listed, same_answer, (&parent, named))?;
    let home = if unclear && named.is_none() { home_by_tags(tx, row, listed.id)? } else { named };
    if home != named {
        tx.prepare_cached("UPDATE items SET home = ?2 WHERE id = ?1")?.execute(params![row, home])?;
    }
    let moved_or_renamed =
        known.as_ref().is_none_or(|known| known.title != listed.title || known.home != home);
    if known.as_ref().is_none_or(|known| known.home != home) {
        note_place(tx, row, home)?;
    }
    if moved_or_renamed {
        redeliver(tx, row)?;
    }
    Ok((row, known))
}

fn save_listed(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    listed: &Listed,
    admission: Admission,
    now: Timestamp,
    plan: &impl Fn(&Listed, Option<Stored>, &[PlaceDetail]) -> ReadPlan,
) -> rusqlite::Result<()> {
    let (row, known) = save_place(tx, crawl, listed)?;
    let entry = admission::enter(tx, crawl, row, admission, now)?;
    if matches!(entry, Entry::LeftOut) {
        return Ok(());
    }
    // It exists, whatever an earlier crawl that still awaits approval was told.
    tx.prepare_cached(
        "DELETE FROM departures WHERE item = ?2 AND crawl IN (SELECT id FROM crawls WHERE connector = ?1)",
    )?
    .execute(params![crawl.connector.0, row])?;
    let Entry::First { fresh, undecided } = entry else { return Ok(()) };
    let stored = known.map(|known| known.stored);
    let plan = plan(listed, stored, &files::load_due(tx, row, admission.files)?);
    if let (ItemKind::DataSource, Parent::Database(database)) = (listed.kind, listed.parent) {
        // It has a title of its own, which no search lists.
        let wanted = match crawl.scope {
            Scope::Full | Scope::ForceReindex => true,
            Scope::Incremental | Scope::Events => {
                plan != ReadPlan::Nothing || held(tx, crawl, database)?.is_none()
            }
            Scope::Partial => held(tx, crawl, database)?.is_none(),
            Scope::Test | Scope::People => false,
        };
        if wanted {
            ask(tx, crawl.id, database, TaskKind::ReadDatabase, true)?;
        }
    }
    if crawl.scope.lists_all() && !matches!(plan, ReadPlan::Read(_)) {
        for (object, task) in missing_below(tx, crawl, row)? {
            ask(tx, crawl.id, object, task, false)?;
        }
    }
    match plan {
        ReadPlan::Read(tasks) => {
            tasks.iter().try_for_each(|task| add_task(tx, crawl.id, task))?;
            if undecided { admission::hold_back(tx, crawl, listed.id) } else { Ok(()) }
        }
        // Rendered by the driver when the queue is empty: an open sighting without a task.
        ReadPlan::Render => Ok(()),
        ReadPlan::Nothing if fresh => Ok(()),
        // Where a filter leaves it out later, that is taken back.
        ReadPlan::Nothing => account(tx, crawl.id, row, Outcome::Unchanged),
    }
}

/// Writes what a listing says of an object. An item made from another answer has no renderer from then on, until it is made
/// again: whoever meets the object next, in this crawl, after a cancelled one or for another connector, must not take it for
/// unchanged.
fn upsert_listed(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    listed: &Listed,
    same_answer: bool,
    (parent, home): (&str, Option<NotionId>),
) -> rusqlite::Result<i64> {
    tx.prepare_cached(
        "INSERT INTO items (key, workspace, object, kind, title, parent, home, edited, source)
         SELECT ?1, workspace, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM connectors WHERE id = ?9
         ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, title = excluded.title, parent = excluded.parent,
           home = excluded.home, edited = excluded.edited, source = excluded.source, renderer = iif(?10, renderer, NULL)
         RETURNING id",
    )?
    .query_row(
        params![
            listed.key.as_str(),
            listed.id,
            listed.kind,
            listed.title,
            parent,
            home,
            Millis(listed.edited),
            Packed(listed.source.clone()),
            crawl.connector.0,
            same_answer
        ],
        |row| row.get(0),
    )
}

pub(super) fn save_finished(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    finished: &Finished,
    read: Option<PageRead<'_>>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let item = &finished.item;
    let Some(row) = sighted(tx, crawl, item.id)? else { return Ok(()) };
    let before: Option<Vec<u8>> = tx
        .prepare_cached("SELECT content_hash FROM items WHERE id = ?1")?
        .query_row([row], |columns| columns.get(0))?;
    let fresh: bool = tx
        .prepare_cached("SELECT fresh FROM sightings WHERE crawl = ?1 AND item = ?2")?
        .query_row(params![crawl.id.0, row], |columns| columns.get(0))?;
    let changed = before.as_deref() != Some(finished.content_hash.as_slice());
    if let Some(read) = read {
        save_source(tx, row, &read)?;
        drop_parts(tx, read.task.crawl, item.id)?;
    }
    save_rendered(tx, row, finished, changed, now)?;
    if changed || read.is_some() {
        for (object, task) in save_links(tx, row, item)? {
            // A view of a data source may lead out of what a partial crawl covers, and a test follows nothing.
            let followed = match crawl.scope {
                Scope::Full | Scope::ForceReindex | Scope::Incremental | Scope::Events => true,
                Scope::Partial => task != TaskKind::ReadDataSource,
                Scope::Test | Scope::People => false,
            };
            if !followed {
                continue;
            }
            ask(tx, crawl.id, object, task, false)?;
        }
    }
    for warning in &finished.warnings {
        let (group, message) = (warning.group(), warning.to_string());
        let alert = NewAlert::warning(AlertScope::Item, &group, &message).about(Some(item.id));
        add_alert(tx, crawl.id, alert, now)?;
    }
    remove_failure(tx, crawl.connector, item.id)?;
    if let Some(found) = &finished.files {
        files::meet(tx, crawl, row, found, now)?;
    }
    if changed && audiences::goes_by_rows(tx, row)? {
        // What lies below the row is seen by whom the row names.
        redeliver(tx, row)?;
    } else if changed || fresh {
        outbox::push(tx, item.key.as_str())?;
    }
    let outcome = match (changed, fresh, &before) {
        (_, true, _) | (_, _, None) => Outcome::Added,
        (true, false, Some(_)) => Outcome::Updated,
        (false, false, Some(_)) => Outcome::Unchanged,
    };
    account(tx, crawl.id, row, outcome)
}

/// A page of which a part failed counts as not read, so that the next crawl reads it again.
fn save_source(tx: &Transaction<'_>, row: i64, read: &PageRead<'_>) -> rusqlite::Result<()> {
    let parts = &read.source.parts;
    let form = parts.first().and_then(|part| part.form).unwrap_or(AnswerForm::Blocks);
    tx.prepare_cached("UPDATE items SET body_form = ?2, body = ?3 WHERE id = ?1")?.execute(params![
        row,
        form,
        Packed(to_json(read.source)?)
    ])?;
    if let Some(asked) = read.body_asked {
        tx.prepare_cached("UPDATE items SET body_edited = edited, body_read = ?2 WHERE id = ?1")?
            .execute(params![row, Millis(asked)])?;
    }
    if parts.iter().any(|part| part.failed) {
        tx.prepare_cached("UPDATE items SET body_edited = NULL WHERE id = ?1")?.execute([row])?;
    }
    Ok(())
}

pub(super) fn save_rendered(
    tx: &Transaction<'_>,
    row: i64,
    finished: &Finished,
    changed: bool,
    now: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE items SET rendered = ?2, content_hash = ?3, renderer = ?4, indexed = CASE WHEN ?5 THEN ?6 ELSE indexed END
         WHERE id = ?1",
    )?
    .execute(params![
        row,
        Packed(to_json(&finished.item)?),
        finished.content_hash,
        finished.renderer,
        changed,
        Millis(now)
    ])?;
    tx.prepare_cached("DELETE FROM unknown_kinds WHERE item = ?1")?.execute([row])?;
    for (what, kind) in finished.warnings.iter().filter_map(Warning::unknown_kind) {
        tx.prepare_cached(
            "INSERT INTO unknown_kinds (item, what, kind) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![row, what, kind])?;
    }
    Ok(())
}
