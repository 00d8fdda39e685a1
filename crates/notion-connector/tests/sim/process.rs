//! What processes of the connector are started for, and how they may end.

use std::sync::Arc;
use std::time::Duration;

use notion_connector::app::App;
use notion_connector::crawl::{CrawlError, Progress};
use notion_connector::model::{Caller, NotionId};
use notion_connector::ops::{self, CrawlReport, CrawlRequest, CrawlSummary, OpsError};
use notion_connector::store::{CrawlState, Scope};
use tokio::sync::watch;
use uuid::Uuid;

use crate::events::Courier;

/// How long a scheduler may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// What a process is started for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Task {
    /// One crawl.
    Crawl {
        connector: &'static str,
        scope: Option<Scope>,
        start_point: Option<Uuid>,
        restart: bool,
        cancel_after: Option<Duration>,
    },
    /// The service, for so long.
    Serve(Duration),
}

/// What the process does, and what it says at its end.
pub(crate) async fn perform(app: Arc<App>, task: Task, courier: Arc<Courier>) -> Result<String, OpsError> {
    match task {
        Task::Crawl { connector, scope, start_point, restart, cancel_after } => {
            let request = CrawlRequest {
                connector: Some(connector.to_owned()),
                scope,
                start_point: start_point.map(NotionId),
                name: None,
                restart,
                first_secret: None,
            };
            let crawl = ops::run_crawl(
                &app,
                &Caller::LOCAL_OPERATOR,
                request,
                watch::Sender::new(Progress::default()),
            );
            let cancelling = async {
                match cancel_after {
                    Some(after) => tokio::time::sleep(after).await,
                    None => std::future::pending().await,
                }
                for crawl in ops::list_crawls(&app, &Caller::LOCAL_OPERATOR, 100).unwrap_or_default() {
                    if crawl.state.is_open() {
                        drop(ops::cancel_crawl(&app, &Caller::LOCAL_OPERATOR, crawl.id));
                    }
                }
                std::future::pending::<Result<CrawlReport, OpsError>>().await
            };
            let report = tokio::select! {
                biased;
                report = crawl => report?,
                report = cancelling => report?,
            };
            Ok(format!("crawl {} has ended: {}", report.crawl.id, report.crawl.state))
        }
        Task::Serve(duration) => serve(&app, &courier, duration).await,
    }
}

/// As `serve` does it, without a socket.
async fn serve(app: &Arc<App>, courier: &Courier, duration: Duration) -> Result<String, OpsError> {
    let pump = app.pump()?;
    pump.drain().await?;
    ops::rerender(app).await?;
    let (stop, told) = watch::channel(false);
    let mut scheduler = std::pin::pin!(ops::run_scheduler(app, told));
    tokio::select! {
        biased;
        () = tokio::time::sleep(duration) => {}
        failed = pump.run() => failed?,
        () = courier.keep_going(app) => {}
        () = &mut scheduler => {}
    }
    stop.send_replace(true);
    tokio::time::timeout(GRACE, scheduler).await.unwrap_or_default();
    pump.drain().await?;
    Ok("the service ends in order".to_owned())
}

/// Whether a crawl lost nothing. That there was no room for an item, or that a file is `broken`, is said, and is no loss.
pub(crate) fn is_good(crawl: &CrawlSummary, broken: u64) -> bool {
    match crawl.state {
        CrawlState::Completed => true,
        CrawlState::CompletedWithErrors => {
            crawl.skipped + crawl.not_indexed > 0 && crawl.not_indexed <= broken
        }
        _ => false,
    }
}

/// Whether what ended a process is a fault of Notion or of the network.
pub(crate) fn is_explained(error: &OpsError) -> bool {
    match error {
        OpsError::Notion { .. }
        | OpsError::Crawl(CrawlError::Stopped { .. } | CrawlError::NoStartPoint { .. }) => true,
        OpsError::Crawl(CrawlError::Store(_) | CrawlError::Broken(_)) => false,
        _ => false,
    }
}
