use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::StreamExt as _;
use futures::stream::unfold;

use super::number;
use crate::ops::{CrawlProgress, CrawlWatch};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// How long a crawl is followed by one request: the next one finds out anew who asks, who may have been signed out.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// Follow a crawl
///
/// Server-sent events named `progress`, each with how far the crawl is as JSON: one at once, then one a second, until the one
/// that says how it ended. After ten minutes they end in any case: ask again, as browsers do by themselves.
#[utoipa::path(
    get,
    path = "/api/v1/crawls/{id}/events",
    operation_id = "follow_crawl",
    tag = "crawls",
    params(("id" = i64, Path, description = "Number of the crawl.")),
    responses(
        (status = 200, description = "The events.", body = CrawlProgress, content_type = "text/event-stream"),
        (status = 400, description = "This is not a number.", body = ProblemBody),
        (status = 404, description = "There is no such crawl.", body = ProblemBody),
        (status = 503, description = "Too many crawls are followed already.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn events(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let id = number(&id)?;
    let permit = Arc::clone(&web.following).try_acquire_owned().map_err(|_| {
        let message = "as many crawls are followed as this server allows; try again later".to_owned();
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_followers", message)
    })?;
    let watch = web.blocking(move |web| CrawlWatch::new(Arc::clone(&web.app), &caller, id)).await?;
    let mut stop = web.stop.clone();
    let events = unfold((watch, permit), |(mut watch, permit)| async move {
        let progress =
            watch.next().await.inspect_err(|error| tracing::warn!(%error, "a crawl is no longer followed"));
        let progress = progress.ok().flatten()?;
        let event = Event::default().event("progress").json_data(&progress).ok()?;
        Some((Ok::<_, Infallible>(event), (watch, permit)))
    });
    let end = async move {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = web.app.runtime.sleep(LONGEST) => {}
        }
    };
    let events = events.take_until(Box::pin(end));
    // Stricter than what the events say by themselves: nothing of them is to be kept.
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((headers, Sse::new(events).keep_alive(KeepAlive::default())))
}
