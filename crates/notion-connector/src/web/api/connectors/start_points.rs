use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ops::{self, CrawlSummary, StartPoint};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// Where partial crawls may begin.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct StartPointList {
    /// By title.
    start_points: Vec<StartPoint>,
}

/// List a connector's start points
///
/// The items at the top of what the integration sees, as the last crawls met them.
#[utoipa::path(
    get,
    path = "/api/v1/connectors/{name}/start-points",
    operation_id = "list_start_points",
    tag = "connectors",
    params(("name" = String, Path, description = "Name of the connector.")),
    responses(
        (status = 200, description = "The start points, by title.", body = StartPointList),
        (status = 404, description = "There is no such connector.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn list(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
) -> Result<Json<StartPointList>, Problem> {
    let start_points =
        web.blocking(move |web| ops::list_start_points(&web.app, &caller, Some(&name))).await?;
    Ok(Json(StartPointList { start_points }))
}

/// List start points anew from Notion
///
/// Queues a plan: a crawl that lists and reads no bodies. When it is `planned`, the list is new.
#[utoipa::path(
    post,
    path = "/api/v1/connectors/{name}/start-points/refresh",
    operation_id = "refresh_start_points",
    tag = "connectors",
    params(("name" = String, Path, description = "Name of the connector.")),
    responses(
        (status = 202, description = "The plan, as it waits.", body = CrawlSummary),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn refresh(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<CrawlSummary>), Problem> {
    let plan = web.blocking(move |web| ops::queue_start_points(&web.app, &caller, &name)).await?;
    Ok((StatusCode::ACCEPTED, Json(plan)))
}
