use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::ops::{self, Validation};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// Check a connection
///
/// Asks Notion what the saved secret opens, which capabilities it has, and what is connected to it.
#[utoipa::path(
    post,
    path = "/api/v1/connectors/{name}/check",
    operation_id = "check_connector",
    tag = "connectors",
    params(("name" = String, Path, description = "Name of the connector.")),
    responses(
        (status = 200, description = "What the secret opens, and what to mend in Notion.", body = Validation),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody),
        (status = 502, description = "Notion refuses the secret, or does not answer.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn check(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
) -> Result<Json<Validation>, Problem> {
    Ok(Json(ops::check_connector(&web.app, &caller, Some(&name)).await?))
}
