use clap::Args;

use super::output::table;
use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, Analytics, Day, OpsError, Trend};

#[derive(Debug, Args)]
pub(super) struct AnalyticsArguments {
    /// The connector; the only one if none is named.
    name: Option<String>,
    /// The first day, as 2026-05-01, UTC [default: 30 days before the last].
    #[arg(long, value_name = "DAY")]
    from: Option<Day>,
    /// The last day, included [default: today].
    #[arg(long, value_name = "DAY")]
    to: Option<Day>,
}

pub(super) fn run(context: &Context, arguments: AnalyticsArguments) -> Result<Exit, OpsError> {
    let AnalyticsArguments { name, from, to } = arguments;
    let (from, to) = (from.map(|Day(day)| day), to.map(|Day(day)| day));
    let analytics =
        ops::analytics(&context.open_existing()?, &Caller::LOCAL_OPERATOR, name.as_deref(), from, to)?;
    context.output.show(&analytics, || describe(&analytics));
    Ok(Exit::Completed)
}

fn describe(analytics: &Analytics) -> String {
    let totals = &analytics.totals;
    let rows = [
        ("crawls, good", totals.crawls_good),
        ("crawls, failed", totals.crawls_failed),
        ("discovered", totals.discovered),
        ("indexed", totals.indexed),
        ("added", totals.added),
        ("updated", totals.updated),
        ("unchanged", totals.unchanged),
        ("skipped", totals.skipped),
        ("not indexed", totals.not_indexed),
        ("deleted", totals.deleted),
        ("requests", totals.requests),
    ];
    let row = |(name, trend): (&str, Trend)| {
        let change = trend.change_percent.map_or_else(|| "-".to_owned(), |change| format!("{change:+.1} %"));
        vec![name.to_owned(), trend.count.to_string(), trend.before.to_string(), change]
    };
    let mut lines = format!(
        "“{}” from {} to {}, {} items now\nQuota used: {} of {} items ({:.2} %)\n\n",
        analytics.connector,
        analytics.from,
        analytics.to,
        analytics.items,
        analytics.quota.used,
        analytics.quota.limit,
        analytics.quota.used_percent
    );
    lines.push_str(&table(&["", "COUNT", "BEFORE", "CHANGE"], &rows.map(row)));
    let days = analytics.days.iter().filter(|day| day.crawls_good + day.crawls_failed > 0);
    let days: Vec<Vec<String>> = days
        .map(|day| {
            let counts = [
                day.discovered,
                day.indexed,
                day.added,
                day.updated,
                day.skipped,
                day.deleted,
                day.crawls_good,
                day.crawls_failed,
            ];
            std::iter::once(day.day.to_string()).chain(counts.map(|count| count.to_string())).collect()
        })
        .collect();
    lines.push_str("\n\n");
    let header = ["DAY", "DISCOVERED", "INDEXED", "ADDED", "UPDATED", "SKIPPED", "DELETED", "GOOD", "FAILED"];
    lines.push_str(&table(&header, &days));
    lines
}
