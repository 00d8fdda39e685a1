//! What the crawls of a connector did over some days, beside the same number of days before.

use std::str::FromStr;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{ToSpan, Unit};
use serde::Serialize;
use utoipa::ToSchema;

use super::OpsError;
use super::connector_life::effective_settings;
use super::connectors::find_connector;
use crate::app::App;
use crate::model::{Caller, Role};
use crate::store::CrawlDay;

/// Days looked at when none are named.
const DEFAULT_DAYS: i32 = 30;

/// Most days looked at.
const MAX_DAYS: i32 = 1_100;

/// The first day that is counted.
const EPOCH: Date = date(1970, 1, 1);

/// A day as it is written: 2026-05-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub Date);

impl FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| "this is no day; write for example 2026-05-01")
    }
}

/// What the crawls of a connector did over some days.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Analytics {
    /// Name of the connector.
    pub connector: String,
    /// The first day, UTC.
    #[schema(value_type = String, format = Date)]
    pub from: Date,
    /// The last day, included.
    #[schema(value_type = String, format = Date)]
    pub to: Date,
    /// Searchable items of the connector now.
    pub items: u64,
    /// How much of its item limit the connector uses now.
    pub quota: Quota,
    /// The sums, beside those of as many days before.
    pub totals: AnalyticsTotals,
    /// Each day, also those without a crawl.
    pub days: Vec<AnalyticsDay>,
}

/// How much of the item limit is used.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Quota {
    /// Items that the connector holds, also those that could not be read yet: what its limit counts.
    pub used: u64,
    /// Most that it may hold.
    pub limit: u64,
    /// The one in percent of the other; more than 100 where the limit was lowered since.
    pub used_percent: f64,
}

impl Quota {
    fn of(used: u64, limit: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a percentage for people to read")]
        let percent = used as f64 / limit.max(1) as f64 * 100.0;
        Self { used, limit, used_percent: (percent * 100.0).round() / 100.0 }
    }
}

/// A number of a period, and the same number of the period before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Trend {
    /// In the days asked for.
    pub count: u64,
    /// In as many days before.
    pub before: u64,
    /// The change in percent; none where there was nothing before.
    pub change_percent: Option<f64>,
}

/// Sums over the crawls that ended in the period.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct AnalyticsTotals {
    /// Items processed.
    pub discovered: Trend,
    /// Added and updated.
    pub indexed: Trend,
    /// Indexed for the first time.
    pub added: Trend,
    /// Indexed again.
    pub updated: Trend,
    /// As they were.
    pub unchanged: Trend,
    /// Left out by a limit.
    pub skipped: Trend,
    /// Failed.
    pub not_indexed: Trend,
    /// Gone from the index.
    pub deleted: Trend,
    /// Requests sent to Notion.
    pub requests: Trend,
    /// Crawls of content that account for everything.
    pub crawls_good: Trend,
    /// Crawls that failed.
    pub crawls_failed: Trend,
    /// User permission crawls that account for everybody; these are not among the others.
    pub people_crawls_good: Trend,
    /// User permission crawls that failed.
    pub people_crawls_failed: Trend,
}

/// One day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AnalyticsDay {
    /// The day, UTC.
    #[schema(value_type = String, format = Date)]
    pub day: Date,
    /// Items processed.
    pub discovered: u64,
    /// Items added and updated.
    pub indexed: u64,
    /// Items indexed for the first time.
    pub added: u64,
    /// Items indexed again.
    pub updated: u64,
    /// Items left out by a limit.
    pub skipped: u64,
    /// Items that left the index.
    pub deleted: u64,
    /// Crawls that ended and account for everything.
    pub crawls_good: u64,
    /// Crawls that failed.
    pub crawls_failed: u64,
    /// User permission crawls that account for everybody.
    pub people_crawls_good: u64,
    /// User permission crawls that failed.
    pub people_crawls_failed: u64,
}

/// What the crawls of a connector did from one day to another, both included; the last 30 days if none are named.
///
/// # Errors
/// When there is no such connector, or the days are none.
pub fn analytics(
    app: &App,
    caller: &Caller,
    connector: Option<&str>,
    from: Option<Date>,
    to: Option<Date>,
) -> Result<Analytics, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    let connector = find_connector(app, connector)?;
    let limit = effective_settings(app, &connector)?.crawl.item_limit;
    let to = to.unwrap_or_else(|| app.runtime.now().to_zoned(TimeZone::UTC).date());
    let from = match from {
        Some(from) => from,
        None => to.checked_sub((DEFAULT_DAYS - 1).days()).map_err(|_| no_days(to, to))?,
    };
    let (first, last) = (day_number(from), day_number(to));
    let length = last - first + 1;
    if length < 1 || length > i64::from(MAX_DAYS) || first < 0 {
        return Err(no_days(from, to));
    }
    let found = app.store.load_crawl_days(connector.id, first - length, last)?;
    let split = found.partition_point(|one| one.day < first);
    let (before, now) = (sum(&found[..split]), sum(&found[split..]));
    let days = (first..=last).map(|number| {
        let one = found[split..].iter().find(|one| one.day == number).copied().unwrap_or_default();
        let day = EPOCH.checked_add(number.days()).unwrap_or(to);
        AnalyticsDay {
            day,
            discovered: discovered(&one),
            indexed: one.added + one.updated,
            added: one.added,
            updated: one.updated,
            skipped: one.skipped,
            deleted: one.deleted,
            crawls_good: one.good,
            crawls_failed: one.failed,
            people_crawls_good: one.people_good,
            people_crawls_failed: one.people_failed,
        }
    });
    Ok(Analytics {
        items: app.store.count_items(connector.id)?,
        quota: Quota::of(app.store.count_held(connector.id)?, limit),
        totals: totals(&before, &now),
        days: days.collect(),
        connector: connector.name,
        from,
        to,
    })
}

fn no_days(from: Date, to: Date) -> OpsError {
    OpsError::Invalid(format!("{from} to {to} is no range of 1 to {MAX_DAYS} days since 1970"))
}

fn day_number(day: Date) -> i64 {
    day.since((Unit::Day, EPOCH)).map_or(-1, |span| i64::from(span.get_days()))
}

/// As of a crawl: everything that was processed.
const fn discovered(day: &CrawlDay) -> u64 {
    day.added + day.updated + day.unchanged + day.skipped + day.not_indexed
}

fn sum(days: &[CrawlDay]) -> CrawlDay {
    days.iter().fold(CrawlDay::default(), |all, one| CrawlDay {
        day: one.day,
        good: all.good + one.good,
        failed: all.failed + one.failed,
        people_good: all.people_good + one.people_good,
        people_failed: all.people_failed + one.people_failed,
        added: all.added + one.added,
        updated: all.updated + one.updated,
        unchanged: all.unchanged + one.unchanged,
        skipped: all.skipped + one.skipped,
        not_indexed: all.not_indexed + one.not_indexed,
        deleted: all.deleted + one.deleted,
        requests: all.requests + one.requests,
    })
}

fn totals(before: &CrawlDay, now: &CrawlDay) -> AnalyticsTotals {
    let trend = |number: fn(&CrawlDay) -> u64| {
        let (count, before) = (number(now), number(before));
        #[expect(clippy::cast_precision_loss, reason = "a percentage for people to read")]
        let change = (count as f64 / before as f64 - 1.0) * 100.0;
        Trend { count, before, change_percent: (before > 0).then_some((change * 10.0).round() / 10.0) }
    };
    let indexed = |day: &CrawlDay| day.added + day.updated;
    AnalyticsTotals {
        discovered: trend(discovered),
        indexed: trend(indexed),
        added: trend(|day| day.added),
        updated: trend(|day| day.updated),
        unchanged: trend(|day| day.unchanged),
        skipped: trend(|day| day.skipped),
        not_indexed: trend(|day| day.not_indexed),
        deleted: trend(|day| day.deleted),
        requests: trend(|day| day.requests),
        crawls_good: trend(|day| day.good),
        crawls_failed: trend(|day| day.failed),
        people_crawls_good: trend(|day| day.people_good),
        people_crawls_failed: trend(|day| day.people_failed),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Config;
    use crate::data_dir::DataDir;
    use crate::ops::scheduler::forget_old;
    use crate::store::{CrawlState, NewConnector, Scope};

    #[tokio::test]
    async fn crawls_are_forgotten_after_their_time_and_their_sums_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let dir = DataDir::create(&directory.path().join("data")).unwrap();
        let app = App::open(Config::default(), dir).unwrap();
        let now = app.runtime.now();
        let new = NewConnector {
            name: "one".to_owned(),
            notion_url: "http://127.0.0.1:1".to_owned(),
            sealed_secret: Vec::new(),
            created: now,
        };
        let connector = app.store.add_connector(&new).unwrap().unwrap();
        for days_ago in (0..60).rev() {
            let at = now - Duration::from_secs(days_ago * 86_400);
            let id = app.store.add_crawl(connector, Scope::Full, "test", at).unwrap();
            app.store.save_progress(id, 7, 1).unwrap();
            let state = if days_ago % 10 == 0 { CrawlState::Failed } else { CrawlState::Completed };
            app.store.end_crawl(id, state, None, at).unwrap();
        }
        let before = analytics(&app, &Caller::LOCAL_OPERATOR, None, None, None).unwrap();
        let totals = &before.totals;
        assert_eq!((totals.crawls_good.count, totals.crawls_good.before), (27, 27));
        assert_eq!((totals.crawls_failed.count, totals.requests.before), (3, 210));
        assert_eq!(before.quota, Quota { used: 0, limit: app.config.crawl.item_limit, used_percent: 0.0 });
        assert_eq!(before.days.len(), 30);
        assert!(before.days.iter().all(|day| day.crawls_good + day.crawls_failed == 1), "{:?}", before.days);
        for _ in 0..2 {
            forget_old(&app).unwrap();
            assert!((30..=31).contains(&app.store.load_crawls(1_000).unwrap().len()));
            assert_eq!(
                analytics(&app, &Caller::LOCAL_OPERATOR, None, None, None).unwrap().totals,
                before.totals
            );
        }
        assert!(
            analytics(&app, &Caller::LOCAL_OPERATOR, Some("one"), Some(before.to), Some(before.from))
                .is_err()
        );
    }

    #[test]
    fn the_quota_is_the_share_of_the_item_limit() {
        assert_eq!(Quota::of(1, 3), Quota { used: 1, limit: 3, used_percent: 33.33 });
        assert!((Quota::of(30, 20).used_percent - 150.0).abs() < f64::EPSILON);
        assert!(Quota::of(0, 0).used_percent.abs() < f64::EPSILON);
    }

    #[test]
    fn days_are_counted_and_trends_compare_with_before() {
        assert_eq!(day_number(date(1970, 1, 1)), 0);
        assert_eq!(day_number(date(2026, 11, 22)), 20_779);
        let (before, now) = (
            CrawlDay { added: 8, ..CrawlDay::default() },
            CrawlDay { added: 9, updated: 1, ..CrawlDay::default() },
        );
        let totals = totals(&before, &now);
        assert_eq!(totals.added, Trend { count: 9, before: 8, change_percent: Some(12.5) });
        assert_eq!(totals.updated, Trend { count: 1, before: 0, change_percent: None });
        assert_eq!(totals.discovered.count, 10);
    }
}
