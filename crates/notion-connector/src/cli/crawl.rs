//! `crawl`: runs, plans and compares, shows how far it is, and tells what came of it. The lines about a crawl that other commands print
//! too are here. To add an option: a field of [`CrawlArguments`], and what it asks of `ops`.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::watch;

use super::connector::secret_of_environment;
use super::output::{counted, table};
use super::{Context, Exit};
use crate::app::App;
use crate::crawl::Progress;
use crate::model::{Caller, NotionId};
use crate::ops::{
    self, CrawlDetail, CrawlReport, CrawlRequest, CrawlSummary, Difference, OpsError, PeopleCounters,
    PlanDetail, PlanRequest, PlannedItems, Reconciliation,
};
use crate::store::{CrawlState, Scope};

/// How the program is called.
const PROGRAM: &str = "notion-connector";

#[derive(Debug, Args)]
pub(super) struct CrawlArguments {
    /// The connector; without it the only one, else one named `default` made from `NOTION_TOKEN`.
    #[arg(value_name = "NAME")]
    connector: Option<String>,
    /// What to cover: full (lists everything, reads what changed), incremental (lists what was edited since the last crawl),
    /// partial (one start point and below), force-reindex (reads everything again), test (reads a handful) or people (the
    /// workspace's people, and who of the directory they are) [default: what is unfinished, else incremental once a full crawl
    /// listed everything].
    #[arg(long, value_parser = ops::parse_scope)]
    scope: Option<Scope>,
    /// The page or database that a partial crawl covers with all below it: its id or its address.
    #[arg(long, value_name = "ID", value_parser = NotionId::in_address)]
    start_point: Option<NotionId>,
    /// A name to find the crawl by in the history [default: connector, scope and time].
    #[arg(long)]
    name: Option<String>,
    /// Begin anew instead of going on with an unfinished crawl or a plan.
    #[arg(long)]
    restart: bool,
    /// List only, and say what the crawl will cost; the next `crawl` goes on with that listing.
    #[arg(long, conflicts_with = "start_point")]
    plan: bool,
    /// List everything, to find what incremental crawls cannot: the same as `--scope full`.
    #[arg(long, conflicts_with_all = ["scope", "start_point", "plan"])]
    reconcile: bool,
    /// With `--reconcile`: print how Notion and the index differ, and change nothing.
    #[arg(long, requires = "reconcile", conflicts_with = "restart")]
    dry_run: bool,
}

pub(super) async fn run(context: Context, arguments: CrawlArguments) -> Result<Exit, OpsError> {
    let app = Arc::new(context.open()?);
    if arguments.dry_run {
        return compare(&context, &app, arguments.connector.as_deref()).await;
    }
    let _ownership = app.own("crawl")?;
    if arguments.plan {
        return plan(&context, &app, arguments).await;
    }
    let request = CrawlRequest {
        connector: arguments.connector,
        scope: if arguments.reconcile { Some(Scope::Full) } else { arguments.scope },
        start_point: arguments.start_point,
        name: arguments.name,
        restart: arguments.restart,
        first_secret: secret_of_environment(),
    };
    let (told, progress) = watch::channel(Progress::default());
    let Some(report) =
        shown(&context, progress, ops::run_crawl(&app, &Caller::LOCAL_OPERATOR, request, told)).await?
    else {
        return Ok(Exit::Interrupted);
    };
    context.output.show(&report, || describe(&report, PROGRAM));
    Ok(exit_of(report.crawl.state))
}

/// Requests and what went wrong.
pub(super) fn describe_counts(crawl: &CrawlSummary) -> String {
    [
        counted(crawl.requests, "request", "requests"),
        counted(crawl.errors, "error", "errors"),
        counted(crawl.warnings, "warning", "warnings"),
    ]
    .join(", ")
}

/// Shows how far the work is until it has ended; none if somebody interrupted it.
pub(super) async fn shown<T>(
    context: &Context,
    progress: watch::Receiver<Progress>,
    work: impl Future<Output = Result<T, OpsError>>,
) -> Result<Option<T>, OpsError> {
    let bar = tokio::spawn(show_progress(progress));
    let done = tokio::select! {
        biased;
        () = super::serve::interrupted() => None,
        done = work => Some(done),
    };
    bar.abort();
    let _ = bar.await;
    if done.is_none() {
        context.output.remark("interrupted; the same command goes on where it was");
    }
    done.transpose()
}

async fn plan(context: &Context, app: &Arc<App>, arguments: CrawlArguments) -> Result<Exit, OpsError> {
    let request = PlanRequest {
        connector: arguments.connector,
        scope: arguments.scope,
        restart: arguments.restart,
        first_secret: secret_of_environment(),
    };
    let (told, progress) = watch::channel(Progress::default());
    let Some(detail) =
        shown(context, progress, ops::plan_crawl(app, &Caller::LOCAL_OPERATOR, request, told)).await?
    else {
        return Ok(Exit::Interrupted);
    };
    context.output.show(&detail, || describe_plan(&detail));
    Ok(exit_of(detail.crawl.state))
}

async fn compare(context: &Context, app: &Arc<App>, name: Option<&str>) -> Result<Exit, OpsError> {
    let (told, progress) = watch::channel(Progress::default());
    let Some(found) =
        shown(context, progress, ops::compare(app, &Caller::LOCAL_OPERATOR, name, told)).await?
    else {
        return Ok(Exit::Interrupted);
    };
    context.output.show(&found, || describe_differences(&found));
    Ok(Exit::Completed)
}

/// How many items of each sort are named; the JSON names more.
const NAMED: usize = 50;

fn describe_differences(found: &Reconciliation) -> String {
    let mut lines = vec![format!(
        "“{}”: {} items are as in Notion ({} requests; nothing was changed)",
        found.connector, found.same, found.requests
    )];
    for (difference, all) in &found.differences {
        lines.push(format!("{}: {}", meaning(*difference), all.count));
        let named = all.items.iter().take(NAMED);
        lines.extend(named.map(|item| format!("  {} {} {}", item.id, item.kind, item.title)));
        if all.count > NAMED as u64 {
            lines.push(format!("  … and {} more", all.count - NAMED as u64));
        }
    }
    if found.unanswered > 0 {
        lines.push(format!("Not listed, and Notion did not say what became of them: {}", found.unanswered));
    }
    if !found.complete {
        lines.push("A listing broke off: what was not listed was not asked for.".to_owned());
    }
    lines.join("\n")
}

const fn meaning(difference: Difference) -> &'static str {
    match difference {
        Difference::New => "New in Notion",
        Difference::Changed => "Changed in Notion",
        Difference::ReadAgain => "To be read again, perhaps unchanged",
        Difference::OverLimit => "New, and beyond the item limit",
        Difference::Trashed => "In Notion's trash",
        Difference::NotFound => "Gone or no longer shared (404)",
        Difference::Archived => "Archived in Notion",
        Difference::Excluded => "Left out by the filters",
        Difference::Unlisted => "Not listed, but still there",
    }
}

/// What is an estimate has a `~` before it.
pub(super) fn describe_plan(detail: &CrawlDetail) -> String {
    let crawl = &detail.crawl;
    let head = format!("Crawl {} of “{}” ({}): {}", crawl.id, crawl.connector, crawl.scope, crawl.state);
    if detail.plan.is_none() { head } else { format!("{head}\n{}", describe_listing(detail)) }
}

/// The same without the crawl itself.
pub(super) fn describe_listing(detail: &CrawlDetail) -> String {
    let crawl = &detail.crawl;
    let Some(PlanDetail { expires, plan, .. }) = &detail.plan else { return String::new() };
    let mut lines = Vec::new();
    let row = |items: &PlannedItems| {
        let counts = [
            items.listed,
            items.to_read,
            items.unchanged,
            items.undecided,
            items.left_out_by_filters,
            items.left_out_by_limit,
        ];
        let mut row = vec![items.kind.to_string()];
        row.extend(counts.map(|count| count.to_string()));
        row
    };
    let header = ["KIND", "LISTED", "TO READ", "UNCHANGED", "UNDECIDED", "FILTERED", "OVER LIMIT"];
    lines.push(table(&header, &plan.items.iter().map(row).collect::<Vec<_>>()));
    if !plan.complete {
        lines.push("A listing broke off: there are more items than these.".to_owned());
    }
    lines.push(format!("Gone in Notion: {}; not listed, to be asked for: ~{}", plan.gone, plan.unlisted));
    lines.push(format!(
        "Files: ~{}, to read: ~{}; new ones in bodies are not known before bodies are read",
        plan.files, plan.files_to_read
    ));
    lines.push(format!(
        "{} requests so far, ~{} to come: ~{:.1} minutes at {:.0} a minute ({})",
        plan.requests_made, plan.requests_to_come, plan.minutes, plan.requests_per_minute, plan.rate_from
    ));
    if crawl.state == CrawlState::Planned {
        lines.push(format!(
            "Nothing was indexed or deleted. Until {} this goes on with it: notion-connector crawl {}",
            expires.strftime("%Y-%m-%d %H:%M UTC"),
            crawl.connector
        ));
    }
    lines.join("\n")
}

pub(super) const fn exit_of(state: CrawlState) -> Exit {
    match state {
        CrawlState::Completed | CrawlState::Planned => Exit::Completed,
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

/// What a user permission crawl did.
pub(super) fn describe_people(people: &PeopleCounters) -> String {
    let counts = &people.counts;
    format!(
        "{}: {} mapped, {} unmapped, {} new; {} gone",
        counted(people.discovered, "person", "people"),
        counts.mapped,
        counts.unmapped,
        counts.added,
        counts.deleted
    )
}

/// What it did, and which commands of the program tell more.
pub(super) fn describe(report: &CrawlReport, program: &str) -> String {
    let crawl = &report.crawl;
    let head = format!(
        "Crawl {} of “{}”: {}{}",
        crawl.id,
        crawl.connector,
        crawl.state,
        if report.resumed { " (resumed)" } else { "" }
    );
    let did = match &crawl.people {
        Some(people) => describe_people(people),
        None => format!(
            "{}: {} added, {} updated, {} unchanged, {} skipped, {} not indexed; {} deleted",
            counted(crawl.discovered, "item", "items"),
            crawl.added,
            crawl.updated,
            crawl.unchanged,
            crawl.skipped,
            crawl.not_indexed,
            crawl.deleted
        ),
    };
    let rate = match crawl.people {
        Some(_) => String::new(),
        None => format!(" ({:.0} items a second)", report.pages_per_second),
    };
    let requests = counted(crawl.requests, "request", "requests");
    let mut lines = vec![head, did, format!("{requests} in {:.1} s{rate}", report.seconds)];
    if crawl.errors + crawl.warnings > 0 {
        lines.push(format!(
            "{}, {}: {program} crawls show {}",
            counted(crawl.errors, "error", "errors"),
            counted(crawl.warnings, "warning", "warnings"),
            crawl.id
        ));
    }
    if crawl.state == CrawlState::AwaitingApproval {
        lines.push(format!("To delete what is gone: {program} crawls approve-deletions {}", crawl.id));
    }
    lines.join("\n")
}
