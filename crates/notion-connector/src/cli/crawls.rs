use std::sync::Arc;

use clap::Subcommand;

use super::output::{Output, table};
use super::{Context, Exit};
use crate::app::App;
use crate::ops::{self, CrawlProgress, CrawlSummary, CrawlWatch, OpsError};

#[derive(Debug, Subcommand)]
pub(super) enum CrawlsCommand {
    /// List crawls, newest first.
    List {
        /// How many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Show one crawl with its alerts.
    Show {
        /// Its number.
        id: i64,
    },
    /// Follow a crawl until it has ended, whichever process runs it.
    Watch {
        /// Its number.
        id: i64,
    },
    /// Stop a crawl.
    Cancel {
        /// Its number.
        id: i64,
    },
    /// Delete what a crawl that awaits approval found gone in Notion.
    ApproveDeletions {
        /// Its number.
        id: i64,
    },
}

pub(super) async fn run(context: Context, command: CrawlsCommand) -> Result<Exit, OpsError> {
    let app = Arc::new(context.open_existing()?);
    let output = context.output;
    match command {
        CrawlsCommand::List { limit } => {
            let crawls = ops::list_crawls(&app, limit)?;
            output.show(&crawls, || table(&HEADER, &crawls.iter().map(row).collect::<Vec<_>>()));
        }
        CrawlsCommand::Show { id } => {
            let detail = ops::show_crawl(&app, id)?;
            output.show(&detail, || {
                let mut lines = table(&HEADER, &[row(&detail.crawl)]);
                if detail.plan.is_some() {
                    lines = format!("{lines}\n{}", super::crawl::describe_plan(&detail));
                }
                for alert in &detail.alerts {
                    lines.push_str(&format!("\n{}: {} (×{})", alert.level, alert.message, alert.times));
                }
                lines
            });
        }
        CrawlsCommand::Watch { id } => return watch(app, output, id).await,
        CrawlsCommand::Cancel { id } => {
            let crawl = ops::cancel_crawl(&app, id)?;
            output.show(&crawl, || format!("Crawl {id}: {}", crawl.state));
        }
        CrawlsCommand::ApproveDeletions { id } => {
            let _ownership = app.own("crawls approve-deletions")?;
            let crawl = ops::approve_deletions(&app, id).await?;
            output.show(&crawl, || format!("Crawl {id}: {}, {} items deleted", crawl.state, crawl.deleted));
        }
    }
    Ok(Exit::Completed)
}

/// A line each second; with `--json` a line of JSON each.
async fn watch(app: Arc<App>, output: Output, id: i64) -> Result<Exit, OpsError> {
    let mut watch = CrawlWatch::new(app, id)?;
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

const HEADER: [&str; 7] = ["CRAWL", "CONNECTOR", "SCOPE", "STATE", "STARTED", "ITEMS", "NOT INDEXED"];

fn row(crawl: &CrawlSummary) -> Vec<String> {
    vec![
        crawl.id.to_string(),
        crawl.connector.clone(),
        crawl.scope.clone(),
        crawl.state.to_string(),
        crawl.started.map_or_else(|| "-".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string()),
        crawl.discovered.to_string(),
        crawl.not_indexed.to_string(),
    ]
}
