use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::ops::{self, ConnectorDetail};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// Pause a connector's schedules
///
/// Its content stays searchable, and crawls that somebody asks for still run.
#[utoipa::path(
    post,
    path = "/api/v1/connectors/{name}/deactivate",
    operation_id = "deactivate_connector",
    tag = "connectors",
    params(("name" = String, Path, description = "Name of the connector.")),
    responses(
        (status = 200, description = "The connector as it is now.", body = ConnectorDetail),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn deactivate(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
) -> Result<Json<ConnectorDetail>, Problem> {
    web.blocking(move |web| ops::set_connector_active(&web.app, &caller, &name, false)).await.map(Json)
}
