use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::ops::{self, ConnectorDetail};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// Let a connector's schedules run
///
/// Also the crawls that keep it fresh.
#[utoipa::path(
    post,
    path = "/api/v1/connectors/{name}/activate",
    operation_id = "activate_connector",
    tag = "connectors",
    params(("name" = String, Path, description = "Name of the connector.")),
    responses(
        (status = 200, description = "The connector as it is now.", body = ConnectorDetail),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn activate(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
) -> Result<Json<ConnectorDetail>, Problem> {
    web.blocking(move |web| ops::set_connector_active(&web.app, &caller, &name, true)).await.map(Json)
}
