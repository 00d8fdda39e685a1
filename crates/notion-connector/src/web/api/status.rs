use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::ops::{self, Status};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::Problem;

/// How things stand
///
/// The connectors with their newest crawls, what failed, and what the index has still to take.
#[utoipa::path(
    get,
    path = "/api/v1/status",
    operation_id = "status",
    tag = "crawls",
    responses((status = 200, description = "How things stand.", body = Status))
)]
pub(in crate::web) async fn status(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
) -> Result<Json<Status>, Problem> {
    let unconfined = ops::find_unconfined(&web.app).await;
    web.blocking(move |web| ops::status(&web.app, &caller, unconfined)).await.map(Json)
}
