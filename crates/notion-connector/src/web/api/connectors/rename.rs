use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::ops::{self, ConnectorDetail};
use crate::web::Web;
use crate::web::body::Body;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// A new name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct NewName {
    /// A name that no other connector has, of 1 to 100 characters.
    name: String,
}

/// Rename a connector
#[utoipa::path(
    post,
    path = "/api/v1/connectors/{name}/rename",
    operation_id = "rename_connector",
    tag = "connectors",
    params(("name" = String, Path, description = "The name it has.")),
    request_body = NewName,
    responses(
        (status = 200, description = "The connector under its new name.", body = ConnectorDetail),
        (status = 400, description = "The body is not understood, or the name is none.", body = ProblemBody),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody),
        (status = 409, description = "The name is taken.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn rename(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
    Body(new): Body<NewName>,
) -> Result<Json<ConnectorDetail>, Problem> {
    web.blocking(move |web| ops::rename_connector(&web.app, &caller, &name, &new.name)).await.map(Json)
}
