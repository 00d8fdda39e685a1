//! The queue: one row for each request still to be made.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::alerts::{AlertLevel, AlertScope, NewAlert, add as add_alert, add_failure};
use super::crawls::{Outcome, account};
use super::parts::{self, drop_parts};
use super::{Crawl, CrawlId, Millis, PartKey, Result, Scope, Store, StoreError, named_enum};
use crate::model::{ItemKind, NotionId};

/// Row id of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskId(pub i64);

named_enum! {
    /// What a task asks Notion for.
    pub enum TaskKind {
        /// `GET /users`: names for editors. Pages by cursor.
        ListUsers = "list_users",
        /// `GET /users/{target}`: a person whom the list omits.
        ReadUser = "read_user",
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
        /// `GET /blocks/{target}`, then its children: a block of `page` that markdown has no form for.
        ReadBlock = "read_block",
        /// `GET /blocks/{target}/children` for the body of `page`. Pages by cursor.
        ReadChildren = "read_children",
        /// `GET /pages/{page}/properties/{detail}`: a property of which the page object holds the beginning. Pages by cursor.
        ReadProperty = "read_property",
        /// `GET /comments?block_id={target}`: open comments on `page`, or on a block of it. Pages by cursor.
        ReadComments = "read_comments",
        /// `GET /views?data_source_id={target}` and a query of one of them: how many rows a data source has, where not all
        /// could be listed.
        CountRows = "count_rows",
        /// `GET /pages/{page}/markdown`: a whole body.
        ReadBody = "read_body",
        /// The bytes of a file, from their host: no request to Notion's API.
        ReadFile = "read_file",
        /// A fresh address for the file `target`, whose signature has ended: the block, page or comments that show it.
        RefreshFile = "refresh_file",
    }
}

impl TaskKind {
    /// Listings run ahead, because they say what there is; parts of a page come before the next page, because what is
    /// begun takes room until it is complete.
    pub(super) const fn priority(self) -> u8 {
        match self {
            Self::ListUsers | Self::Search | Self::QueryDataSource => 0,
            Self::ReadDatabase
            | Self::ReadDataSource
            | Self::ReadPage
            | Self::ReadUser
            | Self::Verify
            | Self::ResolveParent => 1,
            Self::ReadPart
            | Self::ReadBlock
            | Self::ReadChildren
            | Self::ReadProperty
            | Self::ReadComments
            // Before its address grows old.
            | Self::ReadFile
            | Self::RefreshFile => 2,
            Self::ReadBody => 3,
            // When all that can be listed is.
            Self::CountRows => 4,
        }
    }

    /// Whether the answer is part of what is read of the task's page.
    pub const fn reads_page(self) -> bool {
        match self {
            Self::ReadBody
            | Self::ReadPart
            | Self::ReadBlock
            | Self::ReadChildren
            | Self::ReadProperty
            | Self::ReadComments => true,
            Self::ListUsers
            | Self::ReadUser
            | Self::Search
            | Self::QueryDataSource
            | Self::ReadDatabase
            | Self::ReadDataSource
            | Self::ReadPage
            | Self::Verify
            | Self::ResolveParent
            | Self::CountRows
            | Self::ReadFile
            | Self::RefreshFile => false,
        }
    }

    fn part(self, target: Option<NotionId>, detail: Option<&str>) -> Option<PartKey> {
        match self {
            Self::ReadProperty => detail.map(|property| PartKey::Property(property.to_owned())),
            Self::ReadComments => target.map(PartKey::Comments),
            _ if self.reads_page() => target.map(PartKey::Block),
            _ => None,
        }
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
    /// What is asked for beyond the target.
    pub detail: Option<String>,
    /// Whether no other request of that page was to be made, or had been answered, when it was claimed.
    pub alone: bool,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How often it failed by itself.
    pub attempts: u32,
    /// How often the listing began again because its cursor died. Progress does not take these back: a cursor that always
    /// dies at the same place would be followed for ever.
    pub restarts: u32,
    /// What the target is, where it is a known item.
    pub target_kind: Option<ItemKind>,
    /// Whether it goes before all others, because an event named the object.
    pub urgent: bool,
}

impl Task {
    /// Whether an event asked for it.
    pub fn is_hint(&self) -> bool {
        is_hint(self.detail.as_deref())
    }

    /// Whether the object's content is to be read whatever its stamp says.
    pub fn reads_anyway(&self) -> bool {
        self.detail.as_deref() == Some(HINT_ANYWAY)
    }

    /// Which part of its page the answer is.
    pub fn part(&self) -> Option<PartKey> {
        self.kind.part(self.target, self.detail.as_deref())
    }
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
    /// What is asked for beyond the target.
    pub detail: Option<String>,
}

/// Detail of a request for an object that settings name: what kind of object it is, is not known.
pub const GIVEN: &str = "given";

/// Detail of a request for an object that an event named.
pub(super) const HINT: &str = "hint";

/// The same where the content is to be read whatever the object's stamp says.
pub(super) const HINT_ANYWAY: &str = "hint anyway";

fn is_hint(detail: Option<&str>) -> bool {
    matches!(detail, Some(HINT | HINT_ANYWAY))
}

/// Priority of what an event asked for.
const URGENT: i64 = -1;

impl NewTask {
    /// A task on nothing in particular.
    pub const fn new(kind: TaskKind) -> Self {
        Self { kind, target: None, page: None, detail: None }
    }

    /// A task on one object.
    pub const fn on(kind: TaskKind, target: NotionId) -> Self {
        Self { kind, target: Some(target), page: None, detail: None }
    }

    /// A task for a part of `page`.
    pub const fn for_page(kind: TaskKind, page: NotionId, target: NotionId) -> Self {
        Self { kind, target: Some(target), page: Some(page), detail: None }
    }

    /// The same with something more to ask for.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// Which part of its page the answer is.
    pub fn part(&self) -> Option<PartKey> {
        self.kind.part(self.target, self.detail.as_deref())
    }
}

/// Tasks that are due, in the order in which they are made; of a plan, those that list (see [`TaskKind::priority`]).
pub(super) const CLAIM: &str = "SELECT id, crawl, kind, target, page, detail, cursor, attempts, restarts,
       page IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM tasks other WHERE other.crawl = tasks.crawl AND other.page = tasks.page AND other.id <> tasks.id)
         AND NOT EXISTS (SELECT 1 FROM parts WHERE parts.crawl = tasks.crawl AND parts.page = tasks.page),
       (SELECT items.kind FROM items JOIN connectors USING (workspace) JOIN crawls ON crawls.connector = connectors.id
        WHERE crawls.id = tasks.crawl AND items.object = tasks.target AND tasks.kind = 'verify'), priority < 0
     FROM tasks WHERE crawl = ?1 AND state = 'ready' AND not_before <= ?2 AND priority < ?4 AND (kind = 'read_file') = ?5
       AND (priority <= 1 OR NOT (SELECT plan_only FROM crawls WHERE id = ?1))
     ORDER BY priority, id LIMIT ?3";

/// Whether a listing is still to be done. The states and the priority keep it off the requests for bodies.
pub(super) const LISTING: &str = "SELECT 1 FROM tasks
     WHERE crawl = ?1 AND state IN ('ready', 'claimed') AND priority = ?2 AND kind IN (?3, ?4)";

/// Pages of a crawl whose place is not known. CROSS JOIN as in `links::REDELIVER`: they are few, what a crawl met may be much.
pub(super) const UNRESOLVED: &str = "INSERT INTO tasks (crawl, kind, target, page, state, priority)
     SELECT ?1, ?2, unhex(json_extract(parent, '$.id'), '-'), object, 'ready', ?3
     FROM connectors CROSS JOIN items USING (workspace) CROSS JOIN sightings ON sightings.item = items.id AND sightings.crawl = ?1
     WHERE connectors.id = ?6 AND items.home IS NULL AND json_extract(parent, '$.type') = 'block' AND (?4 OR outcome <> ?5)
     ORDER BY items.id";

/// What a connector holds and a crawl has not met. Only of that its item is looked at.
pub(super) const UNSEEN: &str = "INSERT INTO tasks (crawl, kind, target, state, priority)
     SELECT ?1, ?2, (SELECT object FROM items WHERE id = holders.item), 'ready', ?4 FROM holders
     WHERE holders.connector = ?3
       AND NOT EXISTS (SELECT 1 FROM files WHERE files.item = holders.item)
       AND NOT EXISTS (SELECT 1 FROM sightings WHERE crawl = ?1 AND sightings.item = holders.item)
       AND NOT EXISTS (SELECT 1 FROM departures WHERE crawl = ?1 AND departures.item = holders.item)
     ORDER BY holders.item";

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
        self.claim(crawl, limit, now, (i64::MAX, false))
    }

    /// Claims up to `limit` files whose bytes are to be read.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn claim_files(&self, crawl: CrawlId, limit: usize, now: Timestamp) -> Result<Vec<Task>> {
        self.claim(crawl, limit, now, (i64::MAX, true))
    }

    /// Claims up to `limit` tasks that are due and go before all others.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn claim_urgent(&self, crawl: CrawlId, limit: usize, now: Timestamp) -> Result<Vec<Task>> {
        self.claim(crawl, limit, now, (URGENT + 1, false))
    }

    fn claim(
        &self,
        crawl: CrawlId,
        limit: usize,
        now: Timestamp,
        (below, files): (i64, bool),
    ) -> Result<Vec<Task>> {
        self.write(|tx| {
            let mut select = tx.prepare_cached(CLAIM)?;
            let claimed: Vec<Task> = select
                .query_map(params![crawl.0, Millis(now), limit, below, files], from_row)?
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
            tx.prepare_cached(
                "SELECT min(not_before) FROM tasks WHERE crawl = ?1 AND state = 'ready'
                   AND (priority <= 1 OR NOT (SELECT plan_only FROM crawls WHERE id = ?1))",
            )?
            .query_row([crawl.0], |row| Ok(row.get::<_, Option<Millis>>(0)?.map(|due| due.0)))
        })
    }

    /// Whether a task is still to be done, or under way.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_task(&self, task: TaskId) -> Result<bool> {
        self.read(|tx| tx.prepare_cached("SELECT 1 FROM tasks WHERE id = ?1")?.exists([task.0]))
    }

    /// Tasks of a crawl that ask Notion for something and are still to be done or under way, at most so many.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_open_requests(&self, crawl: CrawlId, limit: usize) -> Result<Vec<TaskId>> {
        self.read(|tx| {
            tx.prepare_cached("SELECT id FROM tasks WHERE crawl = ?1 AND kind <> ?2 LIMIT ?3")?
                .query_map(params![crawl.0, TaskKind::ReadFile, limit as u64], |row| row.get(0).map(TaskId))?
                .collect()
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

    /// Begins a listing again from its start: its cursor died. What it listed stays listed; of a part of a page, what was
    /// read of it is dropped.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn restart_task(&self, task: &Task, now: Timestamp) -> Result<()> {
        const RESTARTED: &str =
            "a listing began again from its start, because Notion no longer took its cursor; nothing is lost";
        self.try_write(|tx| {
            let changed = tx
                .prepare_cached(
                    "UPDATE tasks SET state = 'ready', cursor = NULL, restarts = restarts + 1
                     WHERE id = ?1 AND state = 'claimed' AND cursor IS ?2",
                )
                .and_then(|mut update| update.execute(params![task.id.0, task.cursor]))
                .map_err(|source| self.sqlite(source))?;
            expect_one(changed, task)?;
            let alert =
                NewAlert::new(AlertLevel::Debug, AlertScope::Items, "cursor", RESTARTED).about(task.target);
            parts::forget_answers(tx, task)
                .and_then(|()| add_alert(tx, task.crawl, alert, now))
                .map_err(|source| self.sqlite(source))
        })
    }

    /// Replaces a task that cannot succeed by others: another way to the same answer.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn replace_task(&self, task: &Task, others: &[NewTask]) -> Result<()> {
        self.try_write(|tx| {
            self.finish_in(tx, task, None)?;
            others
                .iter()
                .try_for_each(|other| add(tx, task.crawl, other))
                .map_err(|source| self.sqlite(source))
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
                    TaskKind::Search | TaskKind::QueryDataSource | TaskKind::ListUsers => {
                        mark_unended(tx, crawl.id)
                    }
                    TaskKind::ReadDataSource | TaskKind::ReadDatabase => {
                        tx.execute("UPDATE crawls SET incomplete = 1 WHERE id = ?1", [crawl.id.0]).map(|_| ())
                    }
                    TaskKind::ReadBody
                    | TaskKind::ReadPart
                    | TaskKind::ReadBlock
                    | TaskKind::ReadChildren
                    | TaskKind::ReadProperty
                    | TaskKind::ReadComments => object.map_or(Ok(()), |page| drop_item_work(tx, crawl, page)),
                    TaskKind::ReadUser
                    | TaskKind::ReadPage
                    | TaskKind::Verify
                    | TaskKind::ResolveParent
                    | TaskKind::CountRows => Ok(()),
                    TaskKind::ReadFile | TaskKind::RefreshFile => {
                        object.map_or(Ok(()), |file| drop_item_work(tx, crawl, file))
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

    /// Queues a task for each object that a tag named and that no listing returned; in a crawl that lists only what was
    /// edited, for those that are not known either. Returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue_asked(&self, crawl: &Crawl) -> Result<u64> {
        self.write(|tx| {
            let waiting: Vec<(NotionId, TaskKind)> = tx
                .prepare_cached(
                    "SELECT object, kind FROM asked WHERE crawl = ?1 AND queued = 0 AND NOT EXISTS (
                       SELECT 1 FROM items JOIN connectors USING (workspace) JOIN sightings ON sightings.item = items.id
                       WHERE connectors.id = ?2 AND items.object = asked.object AND sightings.crawl = ?1)
                       AND NOT EXISTS (
                         SELECT 1 FROM items JOIN left_out ON left_out.item = items.id
                         WHERE left_out.connector = ?2 AND items.object = asked.object AND left_out.crawl = ?1)
                       AND NOT (?3 AND EXISTS (
                         SELECT 1 FROM items JOIN holders ON holders.item = items.id
                         WHERE holders.connector = ?2 AND items.object = asked.object))",
                )?
                .query_map(params![crawl.id.0, crawl.connector.0, matches!(crawl.scope, Scope::Incremental | Scope::Events)], |row| Ok((row.get(0)?, row.get(1)?)))?
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

    /// Queues a step up for each page whose parent is a block that no body showed; in a crawl that does not list everything,
    /// not for those that did not change. Returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue_unresolved_parents(&self, crawl: &Crawl) -> Result<u64> {
        self.write(|tx| {
            let queued = tx.execute(
                UNRESOLVED,
                params![
                    crawl.id.0,
                    TaskKind::ResolveParent,
                    TaskKind::ResolveParent.priority(),
                    crawl.scope.lists_all(),
                    Outcome::Unchanged,
                    crawl.connector.0
                ],
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
                UNSEEN,
                params![crawl.id.0, TaskKind::Verify, crawl.connector.0, TaskKind::Verify.priority()],
            )?;
            Ok(queued as u64)
        })
    }
}

pub(super) fn record_failure(
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
    let (group, scope) = match object {
        Some(object) => (format!("{doing} {object}"), AlertScope::Item),
        None => (doing.to_owned(), AlertScope::Crawl),
    };
    let message = format!("{message}; the next crawl of this connector tries it again");
    add_alert(tx, crawl.id, NewAlert::error(scope, &group, &message).about(object), now)
}

/// Drops what was still to do for an item, and accounts for it as *not indexed*.
fn drop_item_work(tx: &Transaction<'_>, crawl: &Crawl, object: NotionId) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM tasks WHERE crawl = ?1 AND page = ?2", params![crawl.id.0, object])?;
    drop_parts(tx, crawl.id, object)?;
    match sighted(tx, crawl, object)? {
        Some(item) => account(tx, crawl.id, item, Outcome::NotIndexed),
        None => Ok(()),
    }
}

pub(super) fn add(tx: &Transaction<'_>, crawl: CrawlId, task: &NewTask) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO tasks (crawl, kind, target, page, detail, state, priority) VALUES (?1, ?2, ?3, ?4, ?5, 'ready',
           iif(?7 OR EXISTS (SELECT 1 FROM urgent WHERE crawl = ?1 AND object = ?4), ?8, ?6))",
    )?
    .execute(params![
        crawl.0,
        task.kind,
        task.target,
        task.page,
        task.detail,
        task.kind.priority(),
        is_hint(task.detail.as_deref()),
        URGENT
    ])
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

/// Adds a first task of a crawl; what it asks for is not asked for again when it is named.
pub(super) fn add_first(tx: &Transaction<'_>, crawl: CrawlId, task: &NewTask) -> rusqlite::Result<()> {
    if let Some(target) = task.target {
        tx.prepare_cached(
            "INSERT INTO asked (crawl, object, kind, queued) VALUES (?1, ?2, ?3, 1) ON CONFLICT DO NOTHING",
        )?
        .execute(params![crawl.0, target, task.kind])?;
    }
    add(tx, crawl, task)
}

/// A listing did not end: nothing may be judged missing, and the watermark stays.
pub(super) fn mark_unended(tx: &Transaction<'_>, crawl: CrawlId) -> rusqlite::Result<()> {
    tx.execute("UPDATE crawls SET incomplete = 1, unended = 1 WHERE id = ?1", [crawl.0]).map(|_| ())
}

/// Deletes a claimed task, or moves it on to its next cursor. False when it is not claimed at the cursor it was run from.
pub(super) fn finish(tx: &Transaction<'_>, task: &Task, next_cursor: Option<&str>) -> rusqlite::Result<bool> {
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
        detail: row.get(5)?,
        cursor: row.get(6)?,
        attempts: row.get(7)?,
        restarts: row.get(8)?,
        alone: row.get(9)?,
        target_kind: row.get(10)?,
        urgent: row.get(11)?,
    })
}
