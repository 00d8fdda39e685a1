//! Planned crawls: their listings have ended, and everything else waits until somebody lets them go on.
//!
//! A plan is a crawl whose `plan_only` is set: of its tasks only listings are claimed. Let go on, it is a crawl like any other, and
//! what it listed is not listed again. Whatever makes its listing worthless voids it: time, a newer listing of everything, other settings.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::column::Packed;
use super::crawls::{Outcome, from_row, select_crawls};
use super::scopes::DOUBTED;
use super::{Crawl, CrawlId, CrawlState, LeftOut, Millis, Phase, Result, Scope, Store, TaskKind, crawls};
use crate::model::{ConnectorId, ItemKind};

/// What the listings of a crawl found of one kind of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedKind {
    /// The kind.
    pub kind: ItemKind,
    /// Items that were listed and are not left out by a filter.
    pub listed: u64,
    /// Those of them whose body is to be read.
    pub to_read: u64,
    /// New ones beyond the limit.
    pub over_limit: u64,
    /// Those about which filters can decide only when bodies were read.
    pub undecided: u64,
    /// Items that a filter leaves out.
    pub filtered: u64,
}

/// What the listings of a crawl found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// By kind, those with any.
    pub kinds: Vec<PlannedKind>,
    /// Held items that Notion said are gone.
    pub gone: u64,
    /// Held items that have to be asked for because no listing returned them.
    pub to_ask: u64,
    /// Requests that are known to be made.
    pub waiting: u64,
}

impl Store {
    /// Makes a crawl in state *queued* that is to end with its listings.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_plan(
        &self,
        connector: ConnectorId,
        scope: Scope,
        started_by: &str,
        now: Timestamp,
    ) -> Result<CrawlId> {
        self.write(|tx| {
            let id = crawls::insert(tx, connector, scope, started_by, now)?;
            tx.execute("UPDATE crawls SET plan_only = 1 WHERE id = ?1", [id.0])?;
            Ok(id)
        })
    }

    /// The connector's newest plan that waits to be let go on.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_planned(&self, connector: ConnectorId) -> Result<Option<Crawl>> {
        self.read(|tx| {
            tx.prepare_cached(&select_crawls("connector = ?1 AND state = ?2 ORDER BY id DESC LIMIT 1"))?
                .query_row(params![connector.0, CrawlState::Planned], from_row)
                .optional()
        })
    }

    /// The settings that a plan's listings followed, and what they found, as JSON; none before they ended.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_plan(&self, id: CrawlId) -> Result<Option<(String, String)>> {
        self.read(|tx| {
            let plan: Option<(Option<String>, Option<String>)> = tx
                .prepare_cached("SELECT plan_settings, plan FROM crawls WHERE id = ?1")?
                .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            Ok(plan.and_then(|(settings, plan)| settings.zip(plan)))
        })
    }

    /// Lets a plan wait whose listings have ended. False, and nothing is written, if somebody let it go on or cancelled it meanwhile.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_planned(&self, id: CrawlId, settings: &str, plan: &str, now: Timestamp) -> Result<bool> {
        self.write(|tx| {
            let saved = tx.execute(
                "UPDATE crawls SET state = ?2, planned = ?3, plan_settings = ?4, plan = ?5
                 WHERE id = ?1 AND plan_only AND state = ?6",
                params![id.0, CrawlState::Planned, Millis(now), settings, plan, CrawlState::InProgress],
            )?;
            Ok(saved == 1)
        })
    }

    /// Makes a plan that waits, or is still listing, a crawl that runs to its end. False if it is none, or has ended.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn release_plan(&self, id: CrawlId) -> Result<bool> {
        self.write(|tx| {
            let released = tx.execute(
                "UPDATE crawls SET plan_only = 0, state = iif(state = ?2, ?3, state)
                 WHERE id = ?1 AND plan_only AND state IN (?2, ?3, ?4)",
                params![id.0, CrawlState::Planned, CrawlState::Queued, CrawlState::InProgress],
            )?;
            if released == 1 {
                crawls::void_approval(tx, id)?;
            }
            Ok(released == 1)
        })
    }

    /// Ends the connector's plans that wait.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn void_plans(&self, connector: ConnectorId, reason: &str, now: Timestamp) -> Result<()> {
        self.write(|tx| {
            let waiting = waiting(tx, "connector = ?2", connector.0)?;
            waiting.into_iter().try_for_each(|id| void(tx, id, reason, now))
        })
    }

    /// Ends plans that were made before an instant.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn expire_plans(&self, before: Timestamp, reason: &str, now: Timestamp) -> Result<()> {
        if self.read(|tx| waiting(tx, "planned < ?2", before.as_millisecond()))?.is_empty() {
            return Ok(());
        }
        self.write(|tx| {
            let old = waiting(tx, "planned < ?2", before.as_millisecond())?;
            old.into_iter().try_for_each(|id| void(tx, id, reason, now))
        })
    }

    /// Queues a question for each item that a plan's listings did not return, once; filters decide finally from then on.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue_unlisted(&self, crawl: &Crawl) -> Result<()> {
        if crawl.phase == Phase::Read {
            self.save_phase(crawl.id, Phase::Verify)?;
            if !crawl.incomplete {
                self.queue_unseen(crawl)?;
            }
        }
        Ok(())
    }

    /// What the listings of a crawl found.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_inventory(&self, crawl: &Crawl) -> Result<Inventory> {
        self.read(|tx| {
            let kinds = tx
                .prepare(KINDS)?
                .query_map(
                    params![
                        crawl.id.0,
                        crawl.connector.0,
                        TaskKind::ReadBody,
                        Outcome::Skipped,
                        LeftOut::Filter
                    ],
                    |row| {
                        Ok(PlannedKind {
                            kind: row.get(0)?,
                            listed: row.get(1)?,
                            to_read: row.get(2)?,
                            over_limit: row.get(3)?,
                            undecided: row.get(4)?,
                            filtered: row.get(5)?,
                        })
                    },
                )?
                .collect::<rusqlite::Result<_>>()?;
            let count = |sql: &str| tx.query_row(sql, [crawl.id.0], |row| row.get::<_, u64>(0));
            let of_connector = |sql: &str| {
                tx.query_row(sql, params![crawl.id.0, crawl.connector.0], |row| row.get::<_, u64>(0))
            };
            Ok(Inventory {
                kinds,
                gone: count("SELECT count(*) FROM departures WHERE crawl = ?1 AND proof <> 'excluded'")?,
                to_ask: match crawl.scope {
                    Scope::Full | Scope::ForceReindex if !crawl.incomplete => of_connector(UNSEEN)?,
                    Scope::Incremental => {
                        of_connector(&format!("SELECT count(*) FROM ({})", DOUBTED.replace("?3", "TRUE")))?
                    }
                    Scope::Full
                    | Scope::ForceReindex
                    | Scope::Partial
                    | Scope::Test
                    | Scope::Events
                    | Scope::People => 0,
                },
                waiting: count("SELECT count(*) FROM tasks WHERE crawl = ?1")?,
            })
        })
    }

    /// The objects that a crawl met and that lie behind the item `after`, as Notion answered them, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_met_sources(&self, crawl: &Crawl, after: i64, limit: u32) -> Result<Vec<(i64, String)>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT items.id, source FROM sightings JOIN items ON items.id = sightings.item
                 WHERE sightings.crawl = ?1 AND sightings.item > ?2 ORDER BY sightings.item LIMIT ?3",
            )?
            .query_map(params![crawl.id.0, after, limit], |row| {
                Ok((row.get(0)?, row.get::<_, Packed>(1)?.0))
            })?
            .collect()
        })
    }

    /// Requests and milliseconds of the connector's newest crawls that sent more than a few, summed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_pace(&self, connector: ConnectorId) -> Result<(u64, u64)> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT coalesce(sum(requests), 0), coalesce(sum(active_ms), 0) FROM (
                   SELECT requests, active_ms FROM crawls WHERE connector = ?1 AND NOT plan_only AND requests >= 50
                   ORDER BY id DESC LIMIT 5)",
            )?
            .query_row([connector.0], |row| Ok((row.get(0)?, row.get(1)?)))
        })
    }
}

/// Tasks of a page are found by their index; a page has one for its body at most.
const KINDS: &str = "SELECT kind, sum(listed), sum(to_read), sum(over_limit), sum(undecided), sum(filtered) FROM (
       SELECT items.kind AS kind, 1 AS listed, outcome IS ?4 AS over_limit, undecided, 0 AS filtered,
         NOT undecided AND EXISTS (SELECT 1 FROM tasks WHERE tasks.crawl = ?1 AND tasks.page = items.object AND tasks.kind = ?3)
           AS to_read
       FROM sightings JOIN items ON items.id = sightings.item WHERE sightings.crawl = ?1
       UNION ALL
       SELECT items.kind, 0, 0, 0, 1, 0 FROM left_out JOIN items ON items.id = left_out.item
       WHERE connector = ?2 AND left_out.crawl = ?1 AND reason = ?5)
     GROUP BY kind ORDER BY kind";

const UNSEEN: &str = "SELECT count(*) FROM holders WHERE connector = ?2
       AND NOT EXISTS (SELECT 1 FROM sightings WHERE crawl = ?1 AND sightings.item = holders.item)
       AND NOT EXISTS (SELECT 1 FROM departures WHERE crawl = ?1 AND departures.item = holders.item)
       AND NOT EXISTS (SELECT 1 FROM files WHERE files.item = holders.item)";

const SUPERSEDED: &str = "another crawl of the connector lists everything anew";

/// Ends the plans that wait for a connector, another crawl of which begins and lists everything.
pub(super) fn supersede(tx: &Transaction<'_>, begins: CrawlId, now: Timestamp) -> rusqlite::Result<()> {
    if !crawls::load(tx, begins)?.scope.lists_all() {
        return Ok(());
    }
    let others =
        waiting(tx, "id <> ?2 AND connector = (SELECT connector FROM crawls WHERE id = ?2)", begins.0)?;
    others.into_iter().try_for_each(|id| void(tx, id, SUPERSEDED, now))
}

fn waiting(tx: &Transaction<'_>, which: &str, value: i64) -> rusqlite::Result<Vec<CrawlId>> {
    tx.prepare_cached(&format!("SELECT id FROM crawls WHERE state = ?1 AND {which}"))?
        .query_map(params![CrawlState::Planned, value], |row| row.get(0).map(CrawlId))?
        .collect()
}

fn void(tx: &Transaction<'_>, id: CrawlId, reason: &str, now: Timestamp) -> rusqlite::Result<()> {
    crawls::end(tx, id, CrawlState::Cancelled, Some(reason), now)
}
