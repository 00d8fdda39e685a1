//! What crawls of the past did: each of them for some time, and their sums by day for as long as their connector lives.

use jiff::Timestamp;
use rusqlite::params;

use super::{CrawlState, Millis, Result, Scope, Store};
use crate::model::ConnectorId;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// What the crawls of a connector did that ended on one day, or their sum over several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CrawlDay {
    /// Days since 1970, UTC.
    pub day: i64,
    /// Crawls that account for everything.
    pub good: u64,
    /// Crawls that failed.
    pub failed: u64,
    /// User permission crawls that account for everybody; these are not among the others.
    pub people_good: u64,
    /// User permission crawls that failed.
    pub people_failed: u64,
    /// Items indexed for the first time.
    pub added: u64,
    /// Items indexed again.
    pub updated: u64,
    /// Items as they were.
    pub unchanged: u64,
    /// Items left out by a limit.
    pub skipped: u64,
    /// Items that failed.
    pub not_indexed: u64,
    /// Items that left the index.
    pub deleted: u64,
    /// Requests sent to Notion.
    pub requests: u64,
}

/// The sums of crawls by connector and day, in the order of the columns of `crawl_days`.
fn sums(of: &str) -> String {
    let good = [CrawlState::Completed, CrawlState::CompletedWithErrors, CrawlState::AwaitingApproval];
    let good: Vec<String> = good.iter().map(|state| format!("'{state}'")).collect();
    format!(
        "SELECT connector, ended / {DAY_MS} AS day, sum(scope <> '{people}' AND state IN ({good})),
           sum(scope <> '{people}' AND state = '{failed}'), sum(added), sum(updated), sum(unchanged),
           sum(skipped), sum(not_indexed), sum(deleted), sum(requests),
           sum(scope = '{people}' AND state IN ({good})), sum(scope = '{people}' AND state = '{failed}')
         FROM crawls WHERE ended IS NOT NULL AND {of} GROUP BY connector, day",
        people = Scope::People,
        good = good.join(", "),
        failed = CrawlState::Failed
    )
}

impl Store {
    /// Forgets crawls that ended before an instant; their sums by day stay. What awaits approval stays, and so does the
    /// newest crawl of each connector and scope. Returns how many went.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn prune_crawls(&self, before: Timestamp) -> Result<usize> {
        const OLD: &str = "ended < ?1 AND state IN (?2, ?3, ?4, ?5)
            AND id NOT IN (SELECT max(id) FROM crawls GROUP BY connector, scope)";
        let states = [
            CrawlState::Completed,
            CrawlState::CompletedWithErrors,
            CrawlState::Cancelled,
            CrawlState::Failed,
        ];
        let [completed, with_errors, cancelled, failed] = states;
        self.write(|tx| {
            let old = params![Millis(before), completed, with_errors, cancelled, failed];
            tx.execute(
                &format!(
                    "INSERT INTO crawl_days {} ON CONFLICT (connector, day) DO UPDATE SET good = good + excluded.good,
                       failed = failed + excluded.failed, added = added + excluded.added, updated = updated + excluded.updated,
                       unchanged = unchanged + excluded.unchanged, skipped = skipped + excluded.skipped,
                       not_indexed = not_indexed + excluded.not_indexed, deleted = deleted + excluded.deleted,
                       requests = requests + excluded.requests, people_good = people_good + excluded.people_good,
                       people_failed = people_failed + excluded.people_failed",
                    sums(OLD)
                ),
                old,
            )?;
            tx.execute(&format!("DELETE FROM crawls WHERE {OLD}"), old)
        })
    }

    /// What the crawls of a connector did on each of these days, in order; days without a crawl are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_crawl_days(&self, connector: ConnectorId, from: i64, to: i64) -> Result<Vec<CrawlDay>> {
        self.read(|tx| {
            tx.prepare_cached(&format!(
                "SELECT day, sum(good), sum(failed), sum(added), sum(updated), sum(unchanged), sum(skipped), sum(not_indexed),
                   sum(deleted), sum(requests), sum(people_good), sum(people_failed)
                 FROM (SELECT * FROM crawl_days WHERE connector = ?1 UNION ALL {})
                 WHERE day BETWEEN ?2 AND ?3 GROUP BY day ORDER BY day",
                sums("connector = ?1")
            ))?
            .query_map(params![connector.0, from, to], |row| {
                Ok(CrawlDay {
                    day: row.get(0)?,
                    good: row.get(1)?,
                    failed: row.get(2)?,
                    added: row.get(3)?,
                    updated: row.get(4)?,
                    unchanged: row.get(5)?,
                    skipped: row.get(6)?,
                    not_indexed: row.get(7)?,
                    deleted: row.get(8)?,
                    requests: row.get(9)?,
                    people_good: row.get(10)?,
                    people_failed: row.get(11)?,
                })
            })?
            .collect()
        })
    }
}
