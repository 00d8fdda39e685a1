use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::number;
use crate::ops::{self, CrawlSummary};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// Approve what a crawl would delete
///
/// Of a crawl that found more gone in Notion than the bound allows, and awaits approval.
#[utoipa::path(
    post,
    path = "/api/v1/crawls/{id}/approve-deletions",
    operation_id = "approve_deletions",
    tag = "crawls",
    params(("id" = i64, Path, description = "Number of the crawl.")),
    responses(
        (status = 200, description = "The crawl as it is now.", body = CrawlSummary),
        (status = 400, description = "This is not a number.", body = ProblemBody),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such crawl.", body = ProblemBody),
        (status = 409, description = "The crawl does not await approval.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn approve(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(id): Path<String>,
) -> Result<Json<CrawlSummary>, Problem> {
    let id = number(&id)?;
    Ok(Json(ops::approve_deletions(&web.app, &caller, id).await?))
}
