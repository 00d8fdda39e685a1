//! The queue: one row for each request still to be made.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::alerts::{AlertLevel, add as add_alert, add_failure};
use super::crawls::{Outcome, account};
use super::{Crawl, CrawlId, Millis, Packed, Result, Store, StoreError, named_enum};
use crate::model::{ItemKind, NotionId};

/// Row id of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskId(pub i64);

named_enum! {
    /// What a task asks Notion for.
    pub enum TaskKind {
        /// `GET /users`: names for editors. Pages by cursor.
        ListUsers = "list_users",
        /// `POST /search`: everything shared. Pages by cursor.
        Search = "search",
        /// `POST /data_sources/{target}/query`: its rows. Pages by cursor.
        QueryDataSource = "query_data_source",
        /// `GET /databases/{target}`.
        ReadDatabase = "read_database",
        /// `GET /data_sources/{target}`.
        ReadDataSource = "read_data_source",
        /// `GET /pages/{target}`: a page that no listing returned.
        ReadPage = "read_page",
        /// `GET` of an item that no listing returned, to learn whether it is gone.
        Verify = "verify",
        /// `GET /blocks/{target}`: one step up from a block towards the page that holds `page`.
        ResolveParent = "resolve_parent",
        /// `GET /pages/{target}/markdown` of a block of `page` that the page's own answer left out.
        ReadPart = "read_part",
        /// `GET /blocks/{target}`: a block of `page` that markdown has no form for.
        ReadBlock = "read_block",
        /// `GET /blocks/{target}/children` for the body of `page`. Pages by cursor.
        ReadChildren = "read_children",
        /// `GET /pages/{page}/markdown`: a whole body.
        ReadBody = "read_body",
    }
}

impl TaskKind {
    /// Listings run ahead, because they say what there is; parts of a page come before the next page, because what is
    /// begun takes room until it is complete.
    const fn priority(self) -> u8 {
        match self {
            Self::ListUsers | Self::Search | Self::QueryDataSource => 0,
            Self::ReadDatabase
            | Self::ReadDataSource
            | Self::ReadPage
            | Self::Verify
            | Self::ResolveParent => 1,
            Self::ReadPart | Self::ReadBlock | Self::ReadChildren => 2,
            Self::ReadBody => 3,
        }
    }

    /// Whether the answer is (part of) the body of the task's page.
    pub const fn reads_body(self) -> bool {
        matches!(self, Self::ReadBody | Self::ReadPart | Self::ReadBlock | Self::ReadChildren)
    }
}

/// One request to make, as claimed from the queue.
#[derive(Debug, Clone)]
pub struct Task {
    /// Row id.
    pub id: TaskId,
    /// Whose.
    pub crawl: CrawlId,
    /// What it asks for.
    pub kind: TaskKind,
    /// The object asked for.
    pub target: Option<NotionId>,
    /// The page that the answer belongs to.
    pub page: Option<NotionId>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How often it failed by itself.
    pub attempts: u32,
    /// How often the listing began again because its cursor died. Progress does not take these back: a cursor that always
    /// dies at the same place would be followed for ever.
    pub restarts: u32,
    /// What the target is, where it is a known item.
    pub target_kind: Option<ItemKind>,
}

/// A request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// What it asks for.
    pub kind: TaskKind,
    /// The object asked for.
    pub target: Option<NotionId>,
    /// The page that the answer belongs to.
    pub page: Option<NotionId>,
}

impl NewTask {
    /// A task on one object.
    pub const fn on(kind: TaskKind, target: NotionId) -> Self {
        Self { kind, target: Some(target), page: None }
    }

    /// A task for the body of `page`.
    pub const fn for_page(kind: TaskKind, page: NotionId, target: NotionId) -> Self {
        Self { kind, target: Some(target), page: Some(page) }
    }
}

/// One answer towards a body that takes several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyPart {
    /// The page itself, or the block that the part begins at.
    pub part: NotionId,
    /// Form of the answer; none where Notion has no answer (not shared, deleted, not deliverable).
    pub form: Option<super::BodyForm>,
    /// The answers, in order.
    pub answers: Vec<String>,
}

impl Store {
    /// Adds tasks to a crawl.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_tasks(&self, crawl: CrawlId, tasks: &[NewTask]) -> Result<()> {
        self.write(|tx| tasks.iter().try_for_each(|task| add(tx, crawl, task)))
    }

    /// Claims up to `limit` tasks that are due.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn claim_tasks(&self, crawl: CrawlId, limit: usize, now: Timestamp) -> Result<Vec<Task>> {
        self.write(|tx| {
            let mut select = tx.prepare_cached(
                "SELECT id, crawl, kind, target, page, cursor, attempts, restarts,
                   (SELECT items.kind FROM items JOIN connectors USING (workspace) JOIN crawls ON crawls.connector = connectors.id
                    WHERE crawls.id = tasks.crawl AND items.object = tasks.target AND tasks.kind = 'verify')
                 FROM tasks WHERE crawl = ?1 AND state = 'ready' AND not_before <= ?2 ORDER BY priority, id LIMIT ?3",
            )?;
            let claimed: Vec<Task> = select
                .query_map(params![crawl.0, Millis(now), limit], from_row)?
                .collect::<rusqlite::Result<_>>()?;
            let mut claim = tx.prepare_cached("UPDATE tasks SET state = 'claimed' WHERE id = ?1")?;
            for task in &claimed {
                claim.execute([task.id.0])?;
            }
            Ok(claimed)
        })
    }

    /// When the next task of the crawl is due; `None` when nothing waits.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_next_due(&self, crawl: CrawlId) -> Result<Option<Timestamp>> {
        self.read(|tx| {
            tx.prepare_cached("SELECT min(not_before) FROM tasks WHERE crawl = ?1 AND state = 'ready'")?
                .query_row([crawl.0], |row| Ok(row.get::<_, Option<Millis>>(0)?.map(|due| due.0)))
        })
    }

    /// How many tasks of a crawl are still to do, by kind.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_tasks(&self, crawl: CrawlId) -> Result<Vec<(TaskKind, u64)>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT kind, count(*) FROM tasks WHERE crawl = ?1 GROUP BY kind ORDER BY kind",
            )?
            .query_map([crawl.0], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
        })
    }

    /// Puts a claimed task back, to be tried again at `not_before`; `counted` failures use up its attempts.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn retry_task(&self, task: &Task, not_before: Timestamp, counted: bool) -> Result<()> {
        self.try_write(|tx| {
            let changed = tx
                .prepare_cached(
                    "UPDATE tasks SET state = 'ready', not_before = ?3, attempts = attempts + ?4
                     WHERE id = ?1 AND state = 'claimed' AND cursor IS ?2",
                )
                .and_then(|mut update| {
                    update.execute(params![task.id.0, task.cursor, Millis(not_before), counted])
                })
                .map_err(|source| self.sqlite(source))?;
            expect_one(changed, task)
        })
    }

    /// Begins a listing again from its start: its cursor died. What it listed stays listed.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn restart_task(&self, task: &Task) -> Result<()> {
        self.try_write(|tx| {
            let changed = tx
                .prepare_cached(
                    "UPDATE tasks SET state = 'ready', cursor = NULL, restarts = restarts + 1
                     WHERE id = ?1 AND state = 'claimed' AND cursor IS ?2",
                )
                .and_then(|mut update| update.execute(params![task.id.0, task.cursor]))
                .map_err(|source| self.sqlite(source))?;
            expect_one(changed, task)
        })
    }

    /// Replaces a task that cannot succeed by others: another way to the same answer.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn replace_task(&self, task: &Task, others: &[NewTask]) -> Result<()> {
        self.try_write(|tx| {
            self.finish_in(tx, task, None)?;
            let replace = || {
                if let (true, Some(page)) = (task.kind.reads_body(), task.page) {
                    drop_body_parts(tx, task.crawl, page)?;
                }
                others.iter().try_for_each(|other| add(tx, task.crawl, other))
            };
            replace().map_err(|source| self.sqlite(source))
        })
    }

    /// Gives a task up: its item is *not indexed*, with a failure row and an alert; a listing leaves the crawl incomplete.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn fail_task(&self, crawl: &Crawl, task: &Task, message: &str, now: Timestamp) -> Result<()> {
        self.try_write(|tx| {
            self.finish_in(tx, task, None)?;
            let object = task.page.or(task.target);
            let record = || {
                record_failure(tx, crawl, object, task.kind.as_str(), message, now)?;
                match task.kind {
                    TaskKind::Search
                    | TaskKind::QueryDataSource
                    | TaskKind::ReadDataSource
                    | TaskKind::ReadDatabase => {
                        tx.execute("UPDATE crawls SET incomplete = 1 WHERE id = ?1", [crawl.id.0]).map(|_| ())
                    }
                    TaskKind::ReadBody
                    | TaskKind::ReadPart
                    | TaskKind::ReadBlock
                    | TaskKind::ReadChildren => object.map_or(Ok(()), |page| drop_item_work(tx, crawl, page)),
                    TaskKind::ListUsers | TaskKind::ReadPage | TaskKind::Verify | TaskKind::ResolveParent => {
                        Ok(())
                    }
                }
            };
            record().map_err(|source| self.sqlite(source))
        })
    }

    /// Gives an item up that was read and cannot be rendered.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn fail_item(&self, crawl: &Crawl, object: NotionId, message: &str, now: Timestamp) -> Result<()> {
        self.write(|tx| {
            record_failure(tx, crawl, Some(object), "render", message, now)?;
            drop_item_work(tx, crawl, object)
        })
    }

    /// Finishes a task whose answer changes nothing.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn finish_task(&self, task: &Task, next_cursor: Option<&str>, follow_up: &[NewTask]) -> Result<()> {
        self.try_write(|tx| {
            self.finish_in(tx, task, next_cursor)?;
            follow_up
                .iter()
                .try_for_each(|new| add(tx, task.crawl, new))
                .map_err(|source| self.sqlite(source))
        })
    }

    pub(super) fn finish_in(
        &self,
        tx: &Transaction<'_>,
        task: &Task,
        next_cursor: Option<&str>,
    ) -> Result<()> {
        if finish(tx, task, next_cursor).map_err(|source| self.sqlite(source))? {
            Ok(())
        } else {
            Err(StoreError::StaleTask(task.id.0))
        }
    }

    /// Queues a task for each object that a tag named and that no listing returned. Returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue_asked(&self, crawl: &Crawl) -> Result<u64> {
        self.write(|tx| {
            let waiting: Vec<(NotionId, TaskKind)> = tx
                .prepare_cached(
                    "SELECT object, kind FROM asked WHERE crawl = ?1 AND queued = 0 AND NOT EXISTS (
                       SELECT 1 FROM items JOIN connectors USING (workspace) JOIN sightings ON sightings.item = items.id
                       WHERE connectors.id = ?2 AND items.object = asked.object AND sightings.crawl = ?1)",
                )?
                .query_map(params![crawl.id.0, crawl.connector.0], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            tx.execute("UPDATE asked SET queued = 1 WHERE crawl = ?1", [crawl.id.0])?;
            let mut queued = 0;
            for (object, kind) in waiting {
                add(tx, crawl.id, &NewTask::on(kind, object))?;
                queued += 1;
            }
            Ok(queued)
        })
    }

    /// Queues a step up for each page whose parent is a block that no body showed. Returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue_unresolved_parents(&self, crawl: &Crawl) -> Result<u64> {
        self.write(|tx| {
            let queued = tx.execute(
                "INSERT INTO tasks (crawl, kind, target, page, state, priority)
                 SELECT ?1, ?2, unhex(json_extract(parent, '$.id'), '-'), object, 'ready', ?3
                 FROM items JOIN sightings ON sightings.item = items.id AND sightings.crawl = ?1
                 WHERE home IS NULL AND json_extract(parent, '$.type') = 'block' ORDER BY items.id",
                params![crawl.id.0, TaskKind::ResolveParent, TaskKind::ResolveParent.priority()],
            )?;
            Ok(queued as u64)
        })
    }

    /// Queues a question for each item of the connector that this crawl has not met. Returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue_unseen(&self, crawl: &Crawl) -> Result<u64> {
        self.write(|tx| {
            let queued = tx.execute(
                "INSERT INTO tasks (crawl, kind, target, state, priority)
                 SELECT ?1, ?2, items.object, 'ready', ?4 FROM holders JOIN items ON items.id = holders.item
                 WHERE holders.connector = ?3
                   AND NOT EXISTS (SELECT 1 FROM sightings WHERE crawl = ?1 AND sightings.item = items.id)
                   AND NOT EXISTS (SELECT 1 FROM departures WHERE crawl = ?1 AND departures.item = items.id)
                 ORDER BY items.id",
                params![crawl.id.0, TaskKind::Verify, crawl.connector.0, TaskKind::Verify.priority()],
            )?;
            Ok(queued as u64)
        })
    }

    /// Saves one answer towards the body of a page and, when it was the last one missing, returns all of them; then the
    /// task stays claimed until the page is saved with [`Store::save_page`].
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn save_body_part(
        &self,
        task: &Task,
        form: Option<super::BodyForm>,
        answer: &str,
        next_cursor: Option<&str>,
        further: &[NewTask],
    ) -> Result<Option<Vec<BodyPart>>> {
        let (Some(page), Some(part)) = (task.page, task.target) else { return Ok(None) };
        self.try_write(|tx| {
            let save = || {
                let held: bool = tx
                    .prepare_cached("SELECT 1 FROM tasks WHERE id = ?1 AND state = 'claimed' AND cursor IS ?2")?
                    .exists(params![task.id.0, task.cursor])?;
                if !held {
                    return Ok(None);
                }
                save_slice(tx, task.crawl, page, part, form, answer)?;
                for new in further {
                    let Some(block) = new.target else { continue };
                    // The row is the mark that keeps a cycle (a synced block inside its own copy) from running for ever.
                    let fresh = tx
                        .prepare_cached(
                            "INSERT INTO body_parts (crawl, page, part, slice) VALUES (?1, ?2, ?3, 0) ON CONFLICT DO NOTHING",
                        )?
                        .execute(params![task.crawl.0, page, block])?;
                    if fresh == 1 {
                        add(tx, task.crawl, new)?;
                    }
                }
                let others: bool = tx
                    .prepare_cached("SELECT 1 FROM tasks WHERE crawl = ?1 AND page = ?2 AND id <> ?3")?
                    .exists(params![task.crawl.0, page, task.id.0])?;
                if next_cursor.is_some() || others {
                    finish(tx, task, next_cursor)?;
                    return Ok(Some(None));
                }
                load_body_parts(tx, task.crawl, page).map(|parts| Some(Some(parts)))
            };
            save().map_err(|source| self.sqlite(source))?.ok_or(StoreError::StaleTask(task.id.0))
        })
    }
}

fn record_failure(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    object: Option<NotionId>,
    doing: &str,
    message: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    if let Some(object) = object {
        add_failure(tx, crawl, object, doing, message, now)?;
    }
    let group = object.map_or_else(|| doing.to_owned(), |object| format!("{doing} {object}"));
    add_alert(tx, crawl.id, AlertLevel::Error, &group, object, message, now)
}

/// Drops what was still to do for an item, and accounts for it as *not indexed*.
fn drop_item_work(tx: &Transaction<'_>, crawl: &Crawl, object: NotionId) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM tasks WHERE crawl = ?1 AND page = ?2", params![crawl.id.0, object])?;
    drop_body_parts(tx, crawl.id, object)?;
    match sighted(tx, crawl, object)? {
        Some(item) => account(tx, crawl.id, item, Outcome::NotIndexed),
        None => Ok(()),
    }
}

fn save_slice(
    tx: &Transaction<'_>,
    crawl: CrawlId,
    page: NotionId,
    part: NotionId,
    form: Option<super::BodyForm>,
    answer: &str,
) -> rusqlite::Result<()> {
    let slice: i64 = tx
        .prepare_cached("SELECT count(*) FROM body_parts WHERE crawl = ?1 AND page = ?2 AND part = ?3 AND form IS NOT NULL")?
        .query_row(params![crawl.0, page, part], |row| row.get(0))?;
    let form = form.map_or("unreadable", super::BodyForm::as_str);
    tx.prepare_cached(
        "INSERT INTO body_parts (crawl, page, part, slice, form, answer) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET form = excluded.form, answer = excluded.answer",
    )?
    .execute(params![crawl.0, page, part, slice, form, Packed(answer.to_owned())])
    .map(|_| ())
}

fn load_body_parts(tx: &Transaction<'_>, crawl: CrawlId, page: NotionId) -> rusqlite::Result<Vec<BodyPart>> {
    let mut parts: Vec<BodyPart> = Vec::new();
    let mut select = tx.prepare_cached(
        "SELECT part, form, answer FROM body_parts WHERE crawl = ?1 AND page = ?2 AND form IS NOT NULL ORDER BY part, slice",
    )?;
    let mut rows = select.query(params![crawl.0, page])?;
    while let Some(row) = rows.next()? {
        let (part, form, answer): (NotionId, String, Packed) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match parts.last_mut() {
            Some(last) if last.part == part => last.answers.push(answer.0),
            _ => parts.push(BodyPart { part, form: form.parse().ok(), answers: vec![answer.0] }),
        }
    }
    Ok(parts)
}

pub(super) fn drop_body_parts(tx: &Transaction<'_>, crawl: CrawlId, page: NotionId) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM body_parts WHERE crawl = ?1 AND page = ?2")?
        .execute(params![crawl.0, page])
        .map(|_| ())
}

pub(super) fn add(tx: &Transaction<'_>, crawl: CrawlId, task: &NewTask) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO tasks (crawl, kind, target, page, state, priority) VALUES (?1, ?2, ?3, ?4, 'ready', ?5)",
    )?
    .execute(params![crawl.0, task.kind, task.target, task.page, task.kind.priority()])
    .map(|_| ())
}

/// Asks for an object once a crawl: at once, or when every listing has ended and none returned it.
pub(super) fn ask(
    tx: &Transaction<'_>,
    crawl: CrawlId,
    object: NotionId,
    kind: TaskKind,
    at_once: bool,
) -> rusqlite::Result<()> {
    let fresh = tx
        .prepare_cached(
            "INSERT INTO asked (crawl, object, kind, queued) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![crawl.0, object, kind, at_once])?;
    if fresh == 1 && at_once {
        add(tx, crawl, &NewTask::on(kind, object))?;
    }
    Ok(())
}

/// Deletes a claimed task, or moves it on to its next cursor. False when it is not claimed at the cursor it was run from.
fn finish(tx: &Transaction<'_>, task: &Task, next_cursor: Option<&str>) -> rusqlite::Result<bool> {
    let changed = match next_cursor {
        Some(next) => tx
            .prepare_cached(
                "UPDATE tasks SET state = 'ready', cursor = ?3, attempts = 0, not_before = 0
                 WHERE id = ?1 AND state = 'claimed' AND cursor IS ?2",
            )?
            .execute(params![task.id.0, task.cursor, next])?,
        None => tx
            .prepare_cached("DELETE FROM tasks WHERE id = ?1 AND state = 'claimed' AND cursor IS ?2")?
            .execute(params![task.id.0, task.cursor])?,
    };
    Ok(changed == 1)
}

fn expect_one(changed: usize, task: &Task) -> Result<()> {
    if changed == 1 { Ok(()) } else { Err(StoreError::StaleTask(task.id.0)) }
}

/// The row id of an object that this crawl has met.
pub(super) fn sighted(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    object: NotionId,
) -> rusqlite::Result<Option<i64>> {
    tx.prepare_cached(
        "SELECT items.id FROM items JOIN connectors USING (workspace) JOIN sightings ON sightings.item = items.id
         WHERE connectors.id = ?1 AND items.object = ?2 AND sightings.crawl = ?3",
    )?
    .query_row(params![crawl.connector.0, object, crawl.id.0], |row| row.get(0))
    .optional()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Task> {
    Ok(Task {
        id: TaskId(row.get(0)?),
        crawl: CrawlId(row.get(1)?),
        kind: row.get(2)?,
        target: row.get(3)?,
        page: row.get(4)?,
        cursor: row.get(5)?,
        attempts: row.get(6)?,
        restarts: row.get(7)?,
        target_kind: row.get(8)?,
    })
}
