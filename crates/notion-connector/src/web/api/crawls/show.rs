use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::number;
use crate::ops::{self, CrawlDetail};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// Show a crawl
///
/// Its counters and its alerts, gravest first.
#[utoipa::path(
    get,
    path = "/api/v1/crawls/{id}",
    operation_id = "show_crawl",
    tag = "crawls",
    params(("id" = i64, Path, description = "Number of the crawl.")),
    responses(
        (status = 200, description = "The crawl.", body = CrawlDetail),
        (status = 400, description = "This is not a number.", body = ProblemBody),
        (status = 404, description = "There is no such crawl.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn show(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(id): Path<String>,
) -> Result<Json<CrawlDetail>, Problem> {
    let id = number(&id)?;
    web.blocking(move |web| ops::show_crawl(&web.app, &caller, id)).await.map(Json)
}
