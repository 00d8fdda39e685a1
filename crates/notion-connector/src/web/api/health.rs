use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::Web;
use crate::web::problem::{Problem, ProblemBody};

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct Health {
    /// Always `ok`; what is not well is an error.
    #[schema(value_type = String)]
    status: &'static str,
}

const WELL: Health = Health { status: "ok" };

/// Whether the server runs
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "alive",
    tag = "health",
    responses((status = 200, description = "It runs.", body = Health))
)]
pub(in crate::web) async fn alive() -> Json<Health> {
    Json(WELL)
}

/// Whether the server can answer searches
///
/// Reads the database and the index. An index that does not exist yet is no reason to refuse.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "ready",
    tag = "health",
    responses(
        (status = 200, description = "It can.", body = Health),
        (status = 503, description = "The database or the index cannot be read.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn ready(State(web): State<Arc<Web>>) -> Result<Json<Health>, Problem> {
    let checked = web.blocking(|web| {
        web.app.store.load_outbox_end()?;
        web.index()
    });
    match checked.await {
        Ok(_) => Ok(Json(WELL)),
        Err(problem) => Err(Problem::not_ready(problem.message())),
    }
}
