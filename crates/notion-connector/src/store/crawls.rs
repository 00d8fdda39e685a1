//! Crawls: their states, phases and counters. A crawl is open until `end_crawl`; one row of `sightings` stands for each
//! item that it counts.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::Serialize;

use super::alerts::{AlertLevel, AlertScope, NewAlert, add as add_alert};
use super::{Millis, NewTask, Result, Store, TaskKind, UserCounters, admission, named_enum, plans, tasks};
use crate::model::{ConnectorId, NotionId};

/// Row id of a crawl.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct CrawlId(pub i64);

impl std::fmt::Display for CrawlId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

named_enum! {
    /// What a crawl covers.
    pub enum Scope {
        /// Lists everything; reads what changed.
        Full = "full",
        /// Lists everything; reads everything again.
        ForceReindex = "force-reindex",
        /// Lists what was edited since the last crawl; reads what changed.
        Incremental = "incremental",
        /// One page or database and what lies below it; reads what changed.
        Partial = "partial",
        /// Reads a handful of items, to see whether that works; deletes nothing.
        Test = "test",
        /// What events named; begun by them alone.
        Events = "events",
        /// The workspace's people, and who of the directory they are: a user permission crawl.
        People = "people",
    }
}

impl Scope {
    /// Whether it lists everything, so that what it does not meet may be missing.
    pub const fn lists_all(self) -> bool {
        match self {
            Self::Full | Self::ForceReindex => true,
            Self::Incremental | Self::Partial | Self::Test | Self::Events | Self::People => false,
        }
    }
}

named_enum! {
    /// The life of a crawl.
    pub enum CrawlState {
        /// Waits for its turn.
        Queued = "queued",
        /// Runs, or was interrupted and will go on.
        InProgress = "in_progress",
        /// Somebody asked it to stop.
        Cancelling = "cancelling",
        /// Stopped on request.
        Cancelled = "cancelled",
        /// Accounts for every item it met, none of them failed.
        Completed = "completed",
        /// Accounts for every item it met; some failed and are listed.
        CompletedWithErrors = "completed_with_errors",
        /// Could not go on.
        Failed = "failed",
        /// Everything is read; more items would be deleted than the bound allows.
        AwaitingApproval = "awaiting_approval",
        /// Everything is listed and nothing read; somebody has to let it go on.
        Planned = "planned",
    }
}

impl CrawlState {
    /// Whether work may still be done for it.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Queued | Self::InProgress | Self::Cancelling => true,
            Self::Cancelled
            | Self::Completed
            | Self::CompletedWithErrors
            | Self::Failed
            | Self::AwaitingApproval
            | Self::Planned => false,
        }
    }
}

named_enum! {
    /// How far a crawl has come. Each phase begins when the queue of the one before is empty.
    pub enum Phase {
        /// Listing and reading.
        Read = "read",
        /// Finding the pages that hold the blocks which other pages name as their parent.
        ResolveParents = "resolve_parents",
        /// Asking for each item that no listing returned.
        Verify = "verify",
        /// Nothing is left to ask.
        Settle = "settle",
    }
}

/// What a crawl did, in the field's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Items indexed for the first time.
    pub added: u64,
    /// Items indexed again because they changed.
    pub updated: u64,
    /// Items as they were.
    pub unchanged: u64,
    /// Items left out by a limit.
    pub skipped: u64,
    /// Items that failed.
    pub not_indexed: u64,
    /// Items that left the index.
    pub deleted: u64,
    /// Alerts of level error.
    pub errors: u64,
    /// Alerts of level warning.
    pub warnings: u64,
    /// Requests sent to Notion, refused ones included.
    pub requests: u64,
}

impl Counters {
    /// Items that were added or updated.
    pub const fn indexed(&self) -> u64 {
        self.added + self.updated
    }

    /// Items processed: indexed + unchanged + skipped + not indexed.
    pub const fn discovered(&self) -> u64 {
        self.indexed() + self.unchanged + self.skipped + self.not_indexed
    }
}

/// One content crawl.
#[derive(Debug, Clone)]
pub struct Crawl {
    /// Row id.
    pub id: CrawlId,
    /// Whose.
    pub connector: ConnectorId,
    /// What it covers.
    pub scope: Scope,
    /// The name that somebody gave it.
    pub name: Option<String>,
    /// The page or database below which it crawls, where it is partial.
    pub start_point: Option<NotionId>,
    /// The title of that, where it is known.
    pub start_point_title: Option<String>,
    /// Where it is in its life.
    pub state: CrawlState,
    /// How far it has come.
    pub phase: Phase,
    /// Who asked for it.
    pub started_by: String,
    /// The schedule that did, by the name it had; none for one that somebody asked for.
    pub schedule: Option<String>,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it first ran.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why it failed.
    pub reason: Option<String>,
    /// Whether a listing did not end: then nothing may be judged missing.
    pub incomplete: bool,
    /// Whether a listing did not end: then the watermark stays.
    pub unended: bool,
    /// How often it was taken up again.
    pub resumed: u64,
    /// How long it ran, without interruptions, in milliseconds.
    pub active_ms: u64,
    /// Whether it ends with its listings, and waits.
    pub plan_only: bool,
    /// When its listings had ended, where it was planned first.
    pub planned: Option<Timestamp>,
    /// What it did so far.
    pub counters: Counters,
    /// What it did with people, where these are what it covers.
    pub users: UserCounters,
}

impl Crawl {
    /// How a crawl that has nothing left to do ends, deletions aside. One that lost something never says *completed*.
    pub const fn end_state(&self) -> CrawlState {
        if self.incomplete || self.counters.not_indexed > 0 || self.counters.errors > 0 {
            CrawlState::CompletedWithErrors
        } else {
            CrawlState::Completed
        }
    }
}

const COLUMNS: &str = "id, connector, scope, state, phase, started_by, created, started, ended, reason, incomplete OR gap, resumed, active_ms,
    added, updated, unchanged, skipped, not_indexed, deleted, errors, warnings, requests, schedule, unended, start_point, plan_only,
    planned, users_mapped, users_unmapped, users_added, users_deleted, name, (SELECT title FROM items WHERE items.object = crawls.start_point
       AND items.workspace = (SELECT workspace FROM connectors WHERE connectors.id = crawls.connector) LIMIT 1) AS start_point_title";

/// The query for crawls of which this holds.
pub(super) fn select_crawls(which: &str) -> String {
    format!("SELECT {COLUMNS} FROM crawls WHERE {which}")
}

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Crawl> {
    Ok(Crawl {
        id: CrawlId(row.get(0)?),
        connector: ConnectorId(row.get(1)?),
        scope: row.get(2)?,
        state: row.get(3)?,
        phase: row.get(4)?,
        started_by: row.get(5)?,
        created: row.get::<_, Millis>(6)?.0,
        started: row.get::<_, Option<Millis>>(7)?.map(|time| time.0),
        ended: row.get::<_, Option<Millis>>(8)?.map(|time| time.0),
        reason: row.get(9)?,
        incomplete: row.get(10)?,
        unended: row.get("unended")?,
        start_point: row.get("start_point")?,
        name: row.get("name")?,
        start_point_title: row.get("start_point_title")?,
        resumed: row.get(11)?,
        active_ms: row.get(12)?,
        plan_only: row.get("plan_only")?,
        planned: row.get::<_, Option<Millis>>("planned")?.map(|time| time.0),
        schedule: row.get("schedule")?,
        counters: Counters {
            added: row.get(13)?,
            updated: row.get(14)?,
            unchanged: row.get(15)?,
            skipped: row.get(16)?,
            not_indexed: row.get(17)?,
            deleted: row.get(18)?,
            errors: row.get(19)?,
            warnings: row.get(20)?,
            requests: row.get(21)?,
        },
        users: UserCounters {
            mapped: row.get("users_mapped")?,
            unmapped: row.get("users_unmapped")?,
            added: row.get("users_added")?,
            deleted: row.get("users_deleted")?,
        },
    })
}

const RESUMED: &str =
    "the crawl was interrupted and went on where it was; nothing is lost, and there is nothing to do";
const SUPERSEDED: &str = "nobody approved its deletions before the next crawl asked again";

impl Store {
    /// Makes a crawl in state *queued*. What an earlier one awaited approval for is void where the new one lists everything,
    /// and so asks Notion again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_crawl(
        &self,
        connector: ConnectorId,
        scope: Scope,
        started_by: &str,
        now: Timestamp,
    ) -> Result<CrawlId> {
        self.write(|tx| add(tx, connector, scope, None, started_by, now))
    }

    /// Makes a crawl in state *queued* of one page or database and what lies below it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_partial_crawl(
        &self,
        connector: ConnectorId,
        start_point: NotionId,
        started_by: &str,
        now: Timestamp,
    ) -> Result<CrawlId> {
        self.write(|tx| add(tx, connector, Scope::Partial, Some(start_point), started_by, now))
    }

    /// Gives a crawl a name, unless it has one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn name_crawl(&self, id: CrawlId, name: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE crawls SET name = coalesce(name, ?2) WHERE id = ?1", params![id.0, name])
                .map(|_| ())
        })
    }

    /// How many items a crawl has met so far, and whether it is still listing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_known(&self, id: CrawlId) -> Result<(u64, bool)> {
        self.read(|tx| {
            let known = tx
                .prepare_cached("SELECT coalesce((SELECT sighted FROM crawls WHERE id = ?1), 0)")?
                .query_row([id.0], |row| row.get(0))?;
            let (search, query) = (TaskKind::Search, TaskKind::QueryDataSource);
            let listing =
                tx.prepare_cached(tasks::LISTING)?.exists(params![id.0, search.priority(), search, query])?;
            Ok((known, listing))
        })
    }

    /// One crawl.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_crawl(&self, id: CrawlId) -> Result<Option<Crawl>> {
        self.read(|tx| load(tx, id).optional())
    }

    /// The newest crawls first, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_crawls(&self, limit: u32) -> Result<Vec<Crawl>> {
        self.read(|tx| {
            tx.prepare_cached(&format!("SELECT {COLUMNS} FROM crawls ORDER BY id DESC LIMIT ?1"))?
                .query_map([limit], from_row)?
                .collect()
        })
    }

    /// The crawls that have not ended, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_open_crawls(&self) -> Result<Vec<Crawl>> {
        self.read(|tx| {
            tx.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM crawls WHERE state IN (?1, ?2, ?3) ORDER BY id"
            ))?
            .query_map([CrawlState::Queued, CrawlState::InProgress, CrawlState::Cancelling], from_row)?
            .collect()
        })
    }

    /// The connector's newest crawls first, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_crawls_of(&self, connector: ConnectorId, limit: u32) -> Result<Vec<Crawl>> {
        self.read(|tx| {
            tx.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM crawls WHERE connector = ?1 ORDER BY id DESC LIMIT ?2"
            ))?
            .query_map(params![connector.0, limit], from_row)?
            .collect()
        })
    }

    /// The connector's newest crawl that was to list everything; its oldest one, if none was.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_last_listing(&self, connector: ConnectorId) -> Result<Option<Crawl>> {
        self.read(|tx| {
            tx.prepare_cached(&select_crawls(
                "connector = ?1 AND NOT plan_only AND scope <> 'people' ORDER BY iif(scope IN (?2, ?3), id, -id) DESC LIMIT 1",
            ))?
            .query_row(params![connector.0, Scope::Full, Scope::ForceReindex], from_row)
            .optional()
        })
    }

    /// The connector's newest crawls that listed content: neither those that events began, nor those of people.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_listing_crawls(&self, connector: ConnectorId, limit: u32) -> Result<Vec<Crawl>> {
        self.read(|tx| {
            tx.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM crawls WHERE connector = ?1 AND scope NOT IN (?3, ?4) ORDER BY id DESC LIMIT ?2"
            ))?
            .query_map(params![connector.0, limit, Scope::Events, Scope::People], from_row)?
            .collect()
        })
    }

    /// The connector's newest crawl of content.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_last_crawl(&self, connector: ConnectorId) -> Result<Option<Crawl>> {
        self.read(|tx| {
            tx.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM crawls WHERE connector = ?1 AND scope <> ?2 ORDER BY id DESC LIMIT 1"
            ))?
            .query_row(params![connector.0, Scope::People], from_row)
            .optional()
        })
    }

    /// The connector's oldest crawl of that scope and start point, or of any, that has not ended.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_open_crawl(
        &self,
        connector: ConnectorId,
        scope: Option<Scope>,
        start_point: Option<NotionId>,
    ) -> Result<Option<Crawl>> {
        self.read(|tx| {
            tx.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM crawls WHERE connector = ?1 AND (?2 IS NULL OR (scope = ?2 AND start_point IS ?6)) AND state IN (?3, ?4, ?5)
                 ORDER BY id LIMIT 1"
            ))?
            .query_row(
                params![
                    connector.0,
                    scope,
                    CrawlState::Queued,
                    CrawlState::InProgress,
                    CrawlState::Cancelling,
                    start_point
                ],
                from_row,
            )
            .optional()
        })
    }

    /// Takes a crawl up: *queued* or *in progress* becomes *in progress*; `first` are its tasks if it never ran, and
    /// whatever was claimed is ready again. Where it lists everything, plans of the connector that wait are void. Returns whether it had been running before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn begin_crawl(&self, id: CrawlId, first: &[NewTask], now: Timestamp) -> Result<bool> {
        self.write(|tx| {
            let before = load(tx, id)?;
            let resumed = before.started.is_some();
            // One that goes on with a plan was not interrupted: it waited.
            let interrupted = resumed && before.state != CrawlState::Queued;
            plans::supersede(tx, id, now)?;
            tx.execute(
                "UPDATE crawls SET state = iif(state = ?5, state, ?2), started = coalesce(started, ?3), resumed = resumed + ?4
                 WHERE id = ?1",
                params![id.0, CrawlState::InProgress, Millis(now), interrupted, CrawlState::Cancelling],
            )?;
            if interrupted {
                let alert = NewAlert::new(AlertLevel::Info, AlertScope::Crawl, "resumed", RESUMED);
                add_alert(tx, id, alert, now)?;
            }
            if !resumed {
                first.iter().try_for_each(|task| tasks::add_first(tx, id, task))?;
            }
            tx.execute("UPDATE tasks SET state = 'ready' WHERE crawl = ?1 AND state = 'claimed'", [id.0])?;
            Ok(resumed)
        })
    }

    /// Moves a crawl to its next phase.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_phase(&self, id: CrawlId, phase: Phase) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE crawls SET phase = ?2 WHERE id = ?1", params![id.0, phase]).map(|_| ())
        })
    }

    /// Adds to the requests and the running time of a crawl.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_progress(&self, id: CrawlId, requests: u64, active_ms: u64) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE crawls SET requests = requests + ?2, active_ms = active_ms + ?3 WHERE id = ?1",
                params![id.0, requests, active_ms],
            )
            .map(|_| ())
        })
    }

    /// Asks a crawl to stop. One that waits or has no process is cancelled by whoever takes it up next.
    /// Returns the state it is in then; `None` if there is no such crawl.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn request_cancel(&self, id: CrawlId) -> Result<Option<CrawlState>> {
        self.write(|tx| {
            tx.execute(
                "UPDATE crawls SET state = ?2 WHERE id = ?1 AND state IN (?3, ?4)",
                params![id.0, CrawlState::Cancelling, CrawlState::Queued, CrawlState::InProgress],
            )?;
            Ok(load(tx, id).optional()?.map(|crawl| crawl.state))
        })
    }

    /// Ends a crawl in `state`, and checks that every item it met is accounted for; where one is not, it says so and is not
    /// *completed*. What it had still to do is dropped.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn end_crawl(
        &self,
        id: CrawlId,
        state: CrawlState,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        self.write(|tx| end(tx, id, state, reason, now))
    }

    /// How many crawls are in which state.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_crawls(&self) -> Result<Vec<(CrawlState, u64)>> {
        self.read(|tx| {
            tx.prepare_cached("SELECT state, count(*) FROM crawls GROUP BY state ORDER BY state")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
    }
}

/// The state that a crawl may end in. Its counters are held against its sightings, one by one; a crawl that got to its end has
/// none open.
fn checked_end(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    state: CrawlState,
    now: Timestamp,
) -> rusqlite::Result<CrawlState> {
    if crawl.ended.is_some() {
        // Only what it would delete was still to be approved.
        return Ok(state);
    }
    let (counted, left, open) = count_sightings(tx, crawl)?;
    let recorded = &crawl.counters;
    // Each by itself: sightings that went with their items are missing somewhere among them.
    let none_is_invented = [
        (counted.added, recorded.added),
        (counted.updated, recorded.updated),
        (counted.unchanged, recorded.unchanged),
        (counted.skipped, recorded.skipped),
        (counted.not_indexed, recorded.not_indexed),
    ]
    .iter()
    .all(|(counted, recorded)| counted <= recorded);
    let is_settled = matches!(
        state,
        CrawlState::Completed | CrawlState::CompletedWithErrors | CrawlState::AwaitingApproval
    );
    let adds_up = none_is_invented && counted.discovered() + left == recorded.discovered();
    if adds_up && (open == 0 || !is_settled) {
        return Ok(state);
    }
    let message = format!(
        "the counters of this crawl do not add up ({} items counted, {left} left since, {} recorded, {open} open): run a full \
         crawl, and report this",
        counted.discovered(),
        recorded.discovered()
    );
    tracing::error!(
        crawl = crawl.id.0,
        ?counted,
        ?recorded,
        left,
        open,
        "the counters of a crawl do not add up"
    );
    add_alert(tx, crawl.id, NewAlert::error(AlertScope::Crawl, "counters", &message), now)?;
    Ok(if state == CrawlState::Completed { CrawlState::CompletedWithErrors } else { state })
}

/// The counters of a crawl as its sightings say, how many sightings were counted and went with their items, and how many are
/// open.
pub(super) fn count_sightings(tx: &Transaction<'_>, crawl: &Crawl) -> rusqlite::Result<(Counters, u64, u64)> {
    let left = tx
        .prepare_cached("SELECT sightings_gone FROM crawls WHERE id = ?1")?
        .query_row([crawl.id.0], |row| row.get(0))?;
    let mut counted = Counters::default();
    let mut open = 0;
    let mut rows =
        tx.prepare_cached("SELECT outcome, count(*) FROM sightings WHERE crawl = ?1 GROUP BY outcome")?;
    let mut rows = rows.query([crawl.id.0])?;
    while let Some(row) = rows.next()? {
        let count: u64 = row.get(1)?;
        match row.get::<_, Option<Outcome>>(0)? {
            None => open = count,
            Some(Outcome::Added) => counted.added = count,
            Some(Outcome::Updated) => counted.updated = count,
            Some(Outcome::Unchanged) => counted.unchanged = count,
            Some(Outcome::Skipped) => counted.skipped = count,
            Some(Outcome::NotIndexed) => counted.not_indexed = count,
        }
    }
    Ok((counted, left, open))
}

named_enum! {
    /// What became of an item in a crawl.
    pub(super) enum Outcome {
        /// Indexed for the first time.
        Added = "added",
        /// Indexed again.
        Updated = "updated",
        /// As it was.
        Unchanged = "unchanged",
        /// Left out by a limit.
        Skipped = "skipped",
        /// Failed.
        NotIndexed = "not_indexed",
    }
}

/// See [`Store::end_crawl`].
pub(super) fn end(
    tx: &Transaction<'_>,
    id: CrawlId,
    state: CrawlState,
    reason: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let Some(crawl) = load(tx, id).optional()? else { return Ok(()) };
    let state = checked_end(tx, &crawl, state, now)?;
    tx.execute(
        "UPDATE crawls SET state = ?2, reason = ?3, ended = ?4 WHERE id = ?1",
        params![id.0, state, reason, Millis(now)],
    )?;
    admission::drop_undecided(tx, id)?;
    for table in ["tasks", "parts", "asked", "urgent", "met_users"] {
        tx.execute(&format!("DELETE FROM {table} WHERE crawl = ?1"), [id.0])?;
    }
    recrawled(tx, id)
}

/// A full crawl that began after the settings changed, and listed all there is, indexed what they say.
fn recrawled(tx: &Transaction<'_>, id: CrawlId) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE connectors SET recrawl_since = NULL
         WHERE id = (SELECT connector FROM crawls WHERE id = ?1)
           AND recrawl_since <= (SELECT created FROM crawls
             WHERE id = ?1 AND NOT incomplete AND scope IN (?2, ?3) AND state IN (?4, ?5))",
        params![
            id.0,
            Scope::Full,
            Scope::ForceReindex,
            CrawlState::Completed,
            CrawlState::CompletedWithErrors
        ],
    )
    .map(|_| ())
}

/// See [`Store::add_crawl`] and [`Store::add_partial_crawl`].
pub(super) fn add(
    tx: &Transaction<'_>,
    connector: ConnectorId,
    scope: Scope,
    start_point: Option<NotionId>,
    started_by: &str,
    now: Timestamp,
) -> rusqlite::Result<CrawlId> {
    let id = insert(tx, connector, scope, started_by, now)?;
    tx.execute("UPDATE crawls SET start_point = ?2 WHERE id = ?1", params![id.0, start_point])?;
    void_approval(tx, id)?;
    Ok(id)
}

/// What earlier crawls of the connector await approval for is void where this one lists everything, and so asks Notion again.
pub(super) fn void_approval(tx: &Transaction<'_>, id: CrawlId) -> rusqlite::Result<()> {
    let crawl = load(tx, id)?;
    if !crawl.scope.lists_all() {
        return Ok(());
    }
    let (connector, awaits) = (crawl.connector.0, CrawlState::AwaitingApproval);
    tx.execute(
        "DELETE FROM departures WHERE crawl IN (SELECT id FROM crawls WHERE connector = ?1 AND state = ?2)",
        params![connector, awaits],
    )?;
    tx.execute(
        "UPDATE crawls SET state = ?2, reason = ?3 WHERE connector = ?1 AND state = ?4",
        params![connector, CrawlState::Cancelled, SUPERSEDED, awaits],
    )
    .map(|_| ())
}

/// A crawl that voids nothing.
pub(super) fn insert(
    tx: &Transaction<'_>,
    connector: ConnectorId,
    scope: Scope,
    started_by: &str,
    now: Timestamp,
) -> rusqlite::Result<CrawlId> {
    tx.execute(
        "INSERT INTO crawls (connector, scope, state, phase, started_by, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![connector.0, scope, CrawlState::Queued, Phase::Read, started_by, Millis(now)],
    )?;
    Ok(CrawlId(tx.last_insert_rowid()))
}

pub(super) fn load(tx: &Transaction<'_>, id: CrawlId) -> rusqlite::Result<Crawl> {
    tx.prepare_cached(&format!("SELECT {COLUMNS} FROM crawls WHERE id = ?1"))?.query_row([id.0], from_row)
}

/// Forgets that a crawl met an item, with what was counted for it: it is not discovered.
pub(super) fn unsee(tx: &Transaction<'_>, crawl: CrawlId, item: i64) -> rusqlite::Result<()> {
    let sighting: Option<Option<Outcome>> = tx
        .prepare_cached("DELETE FROM sightings WHERE crawl = ?1 AND item = ?2 RETURNING outcome")?
        .query_row(params![crawl.0, item], |row| row.get(0))
        .optional()?;
    if let Some(Some(outcome)) = sighting {
        tx.execute(&format!("UPDATE crawls SET {outcome} = {outcome} - 1 WHERE id = ?1"), [crawl.0])?;
    }
    Ok(())
}

/// Writes what became of an item of a crawl, once. A sighting that was accounted for already stays as it was.
pub(super) fn account(
    tx: &Transaction<'_>,
    crawl: CrawlId,
    item: i64,
    outcome: Outcome,
) -> rusqlite::Result<()> {
    let open = tx
        .prepare_cached(
            "UPDATE sightings SET outcome = ?3 WHERE crawl = ?1 AND item = ?2 AND outcome IS NULL",
        )?
        .execute(params![crawl.0, item, outcome])?;
    if open == 1 {
        tx.prepare_cached(&format!("UPDATE crawls SET {outcome} = {outcome} + 1 WHERE id = ?1"))?
            .execute([crawl.0])?;
    }
    Ok(())
}
