use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::ops::{self, CrawlSummary, StartCrawl};
use crate::web::Web;
use crate::web::body::Body;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// Start a crawl
///
/// Queues it; it begins when it has its turn. One of that connector and scope that still waits is the answer.
#[utoipa::path(
    post,
    path = "/api/v1/crawls",
    operation_id = "start_crawl",
    tag = "crawls",
    request_body = StartCrawl,
    responses(
        (status = 202, description = "The crawl, as it waits.", body = CrawlSummary),
        (status = 400, description = "The body is not understood, or says what cannot be: a partial crawl without a start point, or no connector where there are several.", body = ProblemBody),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn start(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Body(start): Body<StartCrawl>,
) -> Result<(StatusCode, Json<CrawlSummary>), Problem> {
    let crawl = web.blocking(move |web| ops::start_crawl(&web.app, &caller, &start)).await?;
    Ok((StatusCode::ACCEPTED, Json(crawl)))
}
