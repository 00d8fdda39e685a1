use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::watch;

use super::connector::secret_of_environment;
use super::{Context, Exit};
use crate::crawl::Progress;
use crate::model::NotionId;
use crate::ops::{self, CrawlReport, CrawlRequest, OpsError};
use crate::store::{CrawlState, Scope};

#[derive(Debug, Args)]
pub(super) struct CrawlArguments {
    /// The connector; without it the only one, else one named `default` made from `NOTION_TOKEN`.
    name: Option<String>,
    /// What to cover: full (lists everything, reads what changed), incremental (lists what was edited since the last crawl),
    /// partial (one start point and below), force-reindex (reads everything again) or test (reads a handful) [default: what is
    /// unfinished, else incremental once a full crawl listed everything].
    #[arg(long)]
    scope: Option<Scope>,
    /// The page or database that a partial crawl covers with all below it: its id or its address.
    #[arg(long, value_name = "ID", value_parser = NotionId::in_address)]
    start_point: Option<NotionId>,
    /// Begin anew instead of going on with an unfinished crawl.
    #[arg(long)]
    restart: bool,
}

pub(super) async fn run(context: Context, arguments: CrawlArguments) -> Result<Exit, OpsError> {
    let app = Arc::new(context.open()?);
    let _ownership = app.own("crawl")?;
    let request = CrawlRequest {
        connector: arguments.name,
        scope: arguments.scope,
        start_point: arguments.start_point,
        restart: arguments.restart,
        started_by: "local operator".to_owned(),
        first_secret: secret_of_environment(),
    };
    let (told, progress) = watch::channel(Progress::default());
    let bar = tokio::spawn(show_progress(progress));
    let report = tokio::select! {
        biased;
        () = super::serve::interrupted() => {
            bar.abort();
            context.output.remark("interrupted; the same command goes on where it was");
            return Ok(Exit::Interrupted);
        }
        report = ops::run_crawl(&app, request, told) => report,
    };
    bar.abort();
    let _ = bar.await;
    let report = report?;
    context.output.show(&report, || describe(&report));
    Ok(exit_of(report.crawl.state))
}

pub(super) const fn exit_of(state: CrawlState) -> Exit {
    match state {
        CrawlState::Completed => Exit::Completed,
        CrawlState::CompletedWithErrors => Exit::CompletedWithErrors,
        CrawlState::AwaitingApproval => Exit::AwaitingApproval,
        CrawlState::Cancelled | CrawlState::Cancelling => Exit::Interrupted,
        CrawlState::Failed | CrawlState::Queued | CrawlState::InProgress => Exit::Other,
    }
}

/// A bar on standard error, while that is a terminal.
pub(super) async fn show_progress(mut progress: watch::Receiver<Progress>) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = "{spinner} {pos} of {len}{msg} items  {wide_bar}  {per_sec}  {elapsed}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    loop {
        let now = *progress.borrow_and_update();
        bar.set_length(now.known);
        bar.set_position(now.done);
        bar.set_message(if now.listing { "+" } else { "" });
        if progress.changed().await.is_err() {
            bar.finish_and_clear();
            return;
        }
    }
}

pub(super) fn describe(report: &CrawlReport) -> String {
    let crawl = &report.crawl;
    let mut lines = vec![
        format!(
            "Crawl {} of “{}”: {}{}",
            crawl.id,
            crawl.connector,
            crawl.state,
            if report.resumed { " (resumed)" } else { "" }
        ),
        format!(
            "{} items: {} added, {} updated, {} unchanged, {} skipped, {} not indexed; {} deleted",
            crawl.discovered,
            crawl.added,
            crawl.updated,
            crawl.unchanged,
            crawl.skipped,
            crawl.not_indexed,
            crawl.deleted
        ),
        format!(
            "{} requests in {:.1} s ({:.0} items a second)",
            crawl.requests, report.seconds, report.pages_per_second
        ),
    ];
    if crawl.errors + crawl.warnings > 0 {
        lines.push(format!(
            "{} errors, {} warnings: notion-connector crawls show {}",
            crawl.errors, crawl.warnings, crawl.id
        ));
    }
    if crawl.state == CrawlState::AwaitingApproval {
        lines.push(format!("To delete what is gone: notion-connector crawls approve-deletions {}", crawl.id));
    }
    lines.join("\n")
}
