use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::ops;
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::Problem;

/// Numbers for Prometheus
///
/// Requests, items, queues, crawls, sizes and memory, in the text format. No title and no secret is in it.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "health",
    responses((status = 200, description = "The numbers.", body = String, content_type = "text/plain"))
)]
pub(in crate::web) async fn metrics(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
) -> Result<Response, Problem> {
    let text = web.blocking(move |web| ops::metrics(&web.app, &caller)).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
