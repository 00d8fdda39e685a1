use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::ops::{self, ConnectorDetail};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// Show a connector
///
/// With what it sets for itself, and what holds for it.
#[utoipa::path(
    get,
    path = "/api/v1/connectors/{name}",
    operation_id = "show_connector",
    tag = "connectors",
    params(("name" = String, Path, description = "Name of the connector.")),
    responses(
        (status = 200, description = "The connector.", body = ConnectorDetail),
        (status = 404, description = "There is no such connector.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn show(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
) -> Result<Json<ConnectorDetail>, Problem> {
    web.blocking(move |web| ops::show_connector(&web.app, &caller, Some(&name))).await.map(Json)
}
