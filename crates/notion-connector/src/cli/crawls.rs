use std::sync::Arc;

use clap::Subcommand;

use super::output::table;
use super::{Context, Exit};
use crate::ops::{self, CrawlSummary, OpsError};

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
                for alert in &detail.alerts {
                    lines.push_str(&format!("\n{}: {} (×{})", alert.level, alert.message, alert.times));
                }
                lines
            });
        }
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
