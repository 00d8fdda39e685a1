use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::ops::{self, ConnectorDetail, EditConnector};
use crate::web::Web;
use crate::web::body::Body;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// Change a connector's settings
///
/// What is not given stays; `null` takes what the configuration says. Where that makes what is indexed wrong, the answer says
/// `recrawl_required`.
#[utoipa::path(
    patch,
    path = "/api/v1/connectors/{name}",
    operation_id = "edit_connector",
    tag = "connectors",
    params(("name" = String, Path, description = "Name of the connector.")),
    request_body = EditConnector,
    responses(
        (status = 200, description = "The connector as it is now.", body = ConnectorDetail),
        (status = 400, description = "The body is not understood, or the settings cannot be or contradict each other; nothing was saved.", body = ProblemBody),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn edit(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
    Body(edit): Body<EditConnector>,
) -> Result<Json<ConnectorDetail>, Problem> {
    web.blocking(move |web| ops::edit_connector(&web.app, &caller, &name, &edit)).await.map(Json)
}
