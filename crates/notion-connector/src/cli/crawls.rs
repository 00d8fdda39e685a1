use std::sync::Arc;

use clap::Subcommand;
use jiff::Timestamp;

use super::output::{Output, counted, table};
use super::values::whole;
use super::{Context, Exit};
use crate::app::App;
use crate::model::Caller;
use crate::ops::{
    self, AlertFilter, AlertLevel, AlertPage, AlertScope, CrawlDetail, CrawlProgress, CrawlSummary,
    CrawlWatch, OpsError,
};
use crate::store::Alert;

#[derive(Debug, Subcommand)]
pub(super) enum CrawlsCommand {
    /// List crawls, newest first.
    List {
        /// How many.
        #[arg(long, default_value_t = 20, value_parser = whole::<u32>)]
        limit: u32,
    },
    /// Show one crawl with its alerts.
    Show {
        /// Its number.
        #[arg(value_parser = whole::<i64>)]
        id: i64,
    },
    /// List the alerts of a crawl, gravest first.
    Alerts {
        /// Its number.
        #[arg(value_parser = whole::<i64>)]
        id: i64,
        /// Only this level: debug, info, warning or error; may be repeated.
        #[arg(long, value_name = "LEVEL")]
        level: Vec<AlertLevel>,
        /// Only about this: item, items, all_items or crawl; may be repeated.
        #[arg(long, value_name = "SCOPE")]
        scope: Vec<AlertScope>,
        /// How many.
        #[arg(long, default_value_t = 50, value_parser = whole::<u32>)]
        limit: u32,
        /// How many to skip.
        #[arg(long, default_value_t = 0, value_parser = whole::<u32>)]
        offset: u32,
    },
    /// Follow a crawl until it has ended, whichever process runs it.
    Watch {
        /// Its number.
        #[arg(value_parser = whole::<i64>)]
        id: i64,
    },
    /// Stop a crawl.
    Cancel {
        /// Its number.
        #[arg(value_parser = whole::<i64>)]
        id: i64,
    },
    /// Delete what a crawl that awaits approval found gone in Notion.
    ApproveDeletions {
        /// Its number.
        #[arg(value_parser = whole::<i64>)]
        id: i64,
    },
}

pub(super) async fn run(context: Context, command: CrawlsCommand) -> Result<Exit, OpsError> {
    let app = Arc::new(context.open_existing()?);
    let output = context.output;
    match command {
        CrawlsCommand::List { limit } => {
            let crawls = ops::list_crawls(&app, &Caller::LOCAL_OPERATOR, limit)?;
            output.show(&crawls, || table(&HEADER, &crawls.iter().map(row).collect::<Vec<_>>()));
        }
        CrawlsCommand::Show { id } => {
            let detail = ops::show_crawl(&app, &Caller::LOCAL_OPERATOR, id)?;
            output.show(&detail, || show(&detail));
        }
        CrawlsCommand::Alerts { id, level, scope, limit, offset } => {
            let filter = AlertFilter { levels: level, scopes: scope };
            let page = ops::list_alerts(&app, &Caller::LOCAL_OPERATOR, id, &filter, limit, offset)?;
            output.show(&page, || list(&page, offset));
        }
        CrawlsCommand::Watch { id } => return watch(app, output, id).await,
        CrawlsCommand::Cancel { id } => {
            let crawl = ops::cancel_crawl(&app, &Caller::LOCAL_OPERATOR, id)?;
            output.show(&crawl, || format!("Crawl {id}: {}", crawl.state));
        }
        CrawlsCommand::ApproveDeletions { id } => {
            let crawl = ops::approve_deletions(&app, &Caller::LOCAL_OPERATOR, id).await?;
            output.show(&crawl, || {
                format!("Crawl {id}: {}, {} deleted", crawl.state, counted(crawl.deleted, "item", "items"))
            });
        }
    }
    Ok(Exit::Completed)
}

/// A line each second; with `--json` a line of JSON each.
async fn watch(app: Arc<App>, output: Output, id: i64) -> Result<Exit, OpsError> {
    let mut watch = CrawlWatch::new(app, &Caller::LOCAL_OPERATOR, id)?;
    let mut last = None;
    while let Some(progress) = watch.next().await? {
        output.show(&progress, || describe(&progress));
        last = Some(progress.crawl.state);
    }
    Ok(last.map_or(Exit::Other, super::crawl::exit_of))
}

fn describe(progress: &CrawlProgress) -> String {
    let crawl = &progress.crawl;
    let more = if progress.listing { "+" } else { "" };
    let rate = progress.items_per_second.map(|rate| format!(", {rate:.1} items a second"));
    let eta =
        progress.eta_seconds.map(|seconds| format!(", about {}:{:02} left", seconds / 60, seconds % 60));
    format!(
        "{}: {} of {}{more} items, {} requests{}{}",
        crawl.state,
        crawl.discovered,
        progress.known,
        crawl.requests,
        rate.unwrap_or_default(),
        eta.unwrap_or_default()
    )
}

const HEADER: [&str; 13] = [
    "CRAWL",
    "NAME",
    "CONNECTOR",
    "SCOPE",
    "STATE",
    "STARTED",
    "DURATION",
    "ITEMS",
    "INDEXED",
    "DELETED",
    "SKIPPED",
    "NOT INDEXED",
    "ITEMS/S",
];

fn row(crawl: &CrawlSummary) -> Vec<String> {
    let counts = [crawl.discovered, crawl.indexed, crawl.deleted, crawl.skipped, crawl.not_indexed];
    [
        crawl.id.to_string(),
        crawl.name.clone(),
        crawl.connector.clone(),
        scope(crawl),
        crawl.state.to_string(),
        at(crawl.started),
        duration(crawl),
    ]
    .into_iter()
    .chain(counts.map(|count| count.to_string()))
    .chain([speed(crawl)])
    .collect()
}

/// What it covers; of a partial crawl by the title of its start point.
fn scope(crawl: &CrawlSummary) -> String {
    let below = crawl.start_point_title.clone().or_else(|| crawl.start_point.map(|id| id.to_string()));
    below.map_or_else(|| crawl.scope.clone(), |below| format!("{} ({below})", crawl.scope))
}

fn at(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// As hours, minutes and seconds.
pub(super) fn duration(crawl: &CrawlSummary) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole seconds, never negative"
    )]
    let seconds = crawl.duration_seconds.round() as u64;
    format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

fn speed(crawl: &CrawlSummary) -> String {
    crawl.average_items_per_second.map_or_else(|| "-".to_owned(), |speed| format!("{speed:.1}"))
}

/// Everything about a crawl, a line each, and its gravest alerts.
fn show(detail: &CrawlDetail) -> String {
    let crawl = &detail.crawl;
    let how = match &crawl.schedule {
        Some(schedule) => format!("{} by schedule “{schedule}”", crawl.occurrence),
        None => format!("{} by {}", crawl.occurrence, crawl.started_by),
    };
    let mut lines = vec![
        format!("Crawl {} “{}” of “{}”: {}", crawl.id, crawl.name, crawl.connector, crawl.state),
        format!("Scope: {}; {how}", scope(crawl)),
        format!(
            "Started {}, ended {}, ran {}, {} items a second",
            at(crawl.started),
            at(crawl.ended),
            duration(crawl),
            speed(crawl)
        ),
        format!(
            "{} discovered: {} indexed ({} added, {} updated), {} unchanged, {} skipped, {} not indexed; {} deleted",
            crawl.discovered,
            crawl.indexed,
            crawl.added,
            crawl.updated,
            crawl.unchanged,
            crawl.skipped,
            crawl.not_indexed,
            crawl.deleted
        ),
        super::crawl::describe_counts(crawl),
    ];
    lines.extend(crawl.people.as_ref().map(super::crawl::describe_people));
    lines.extend(crawl.reason.iter().map(|reason| format!("Reason: {reason}")));
    lines.extend(detail.plan.is_some().then(|| super::crawl::describe_listing(detail)));
    lines.extend(detail.alerts.iter().map(line));
    if detail.alerts_total > detail.alerts.len() as u64 {
        lines.push(format!("… {} alerts: notion-connector crawls alerts {}", detail.alerts_total, crawl.id));
    }
    lines.join("\n")
}

fn line(alert: &Alert) -> String {
    let Alert { level, scope, message, times, .. } = alert;
    let whom = match (&alert.title, alert.object) {
        (Some(title), Some(id)) => format!(" “{title}” ({id})"),
        (None, Some(id)) => format!(" {id}"),
        _ => String::new(),
    };
    format!("{level}, {scope}{whom}: {message} (×{times})")
}

fn list(page: &AlertPage, offset: u32) -> String {
    let mut lines: Vec<String> = page.alerts.iter().map(line).collect();
    let end = u64::from(offset) + page.alerts.len() as u64;
    lines.push(format!("{end} of {}", counted(page.total, "alert", "alerts")));
    lines.join("\n")
}
