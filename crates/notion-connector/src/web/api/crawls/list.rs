use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ops::{self, CrawlSummary};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::parameters::Parameters;
use crate::web::problem::{Problem, ProblemBody};

/// Crawls.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct CrawlList {
    /// The newest first.
    crawls: Vec<CrawlSummary>,
}

/// List crawls
#[utoipa::path(
    get,
    path = "/api/v1/crawls",
    operation_id = "list_crawls",
    tag = "crawls",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many; 50 if not given.")),
    responses(
        (status = 200, description = "The newest crawls first.", body = CrawlList),
        (status = 400, description = "Parameters that cannot be used, all of them.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn list(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    uri: Uri,
) -> Result<Json<CrawlList>, Problem> {
    let mut parameters = Parameters::of(&uri);
    let limit = parameters.number("limit", 1..=1000_u32, 50);
    parameters.finish()?;
    let crawls = web.blocking(move |web| ops::list_crawls(&web.app, &caller, limit)).await?;
    Ok(Json(CrawlList { crawls }))
}
