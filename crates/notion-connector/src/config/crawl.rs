use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Section, within};
use crate::model::Recurrence;

/// How crawls behave.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrawlConfig {
    /// Minutes without a single answer from Notion after which a crawl fails; what it read is kept. From 1 to 10,080.
    pub patience_minutes: u64,
    /// A crawl that would delete more than this share of a connector's items, by Notion's word, asks first. From 0 to 100.
    pub deletion_share_percent: u64,
    /// …but never asks for this many deletions or fewer.
    pub deletion_floor: u64,
    /// Crawls that `serve` runs at once; more wait for their turn. From 1 to 50.
    pub at_once: usize,
    /// Minutes after the end of a connector's last crawl when `serve` begins the next by itself; 0 for never. To 10,080.
    pub freshness_minutes: u64,
    /// When `serve` crawls each connector in full, to find what incremental crawls cannot: a rule as in schedules, or `never`.
    pub reconcile: String,
    /// The time zone whose clocks count for `reconcile`, by its IANA name.
    pub reconcile_zone: String,
    /// Minutes that a plan waits to be let go on; then its listing counts as old. From 1 to 1,440.
    pub plan_minutes: u64,
    /// Days that `serve` keeps crawls with their alerts; their sums by day stay. From 1 to 3,650.
    pub history_days: u64,
    /// Whether archived pages are indexed too: one request more for each data source.
    pub archived: bool,
    /// Which comments are indexed. They need the capability “Read comments”.
    pub comments: CommentsChoice,
    /// Most items that a connector holds; further ones are counted and not indexed. At least 1.
    pub item_limit: u64,
    /// Most people that a connector holds; further ones are counted as unmapped and not kept. At least 1.
    pub user_limit: u64,
}

/// Which comments are indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommentsChoice {
    /// None.
    Off,
    /// Those on pages: one request more for each page in every full crawl, since a comment does not move the time of
    /// the page's last edit.
    Pages,
    /// Those on blocks too: one request more for each block of each page that is read. Needs `notion.body = "blocks"`.
    Blocks,
}

impl Default for CrawlConfig {
    fn default() -> Self {
        Self {
            patience_minutes: 30,
            deletion_share_percent: 20,
            deletion_floor: 50,
            at_once: 5,
            freshness_minutes: 10,
            reconcile: "daily 03:00".to_owned(),
            reconcile_zone: "UTC".to_owned(),
            plan_minutes: 60,
            history_days: 30,
            archived: false,
            comments: CommentsChoice::Off,
            item_limit: 1_000_000,
            user_limit: 500_000,
        }
    }
}

/// The rule by which nothing is reconciled.
const NEVER: &str = "never";

impl CrawlConfig {
    /// When connectors are crawled in full by themselves; none for never.
    pub fn reconciling(&self) -> Option<(Recurrence, TimeZone)> {
        Some((self.reconcile.parse().ok()?, TimeZone::get(&self.reconcile_zone).ok()?))
    }
}

impl Section for CrawlConfig {
    const NAME: &'static str = "crawl";

    fn problems(&self) -> Vec<String> {
        let rule = self.reconcile.parse::<Recurrence>().err().filter(|_| self.reconcile != NEVER);
        let zone = TimeZone::get(&self.reconcile_zone).err();
        [
            rule.map(|error| format!("reconcile: {error}, or never")),
            zone.map(|_| {
                format!("reconcile_zone: “{}” is no IANA name such as Europe/Berlin", self.reconcile_zone)
            }),
            within("patience_minutes", self.patience_minutes, 1..=10_080),
            within("deletion_share_percent", self.deletion_share_percent, 0..=100),
            within("at_once", u64::try_from(self.at_once).unwrap_or(u64::MAX), 1..=50),
            within("freshness_minutes", self.freshness_minutes, 0..=10_080),
            within("plan_minutes", self.plan_minutes, 1..=1_440),
            within("item_limit", self.item_limit, 1..=u64::MAX),
            within("user_limit", self.user_limit, 1..=u64::MAX),
            within("history_days", self.history_days, 1..=3_650),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
