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

/// A mapping script.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct NewScript {
    /// JavaScript with `mapSourceUser(sourceUserValue)`; `null` for the default, which gives what it is given.
    script: Option<String>,
}

/// Give a connector a mapping script
///
/// It runs in user permission crawls, between what Notion tells of somebody and what is looked for in the directory.
#[utoipa::path(
    post,
    path = "/api/v1/connectors/{name}/script",
    operation_id = "set_mapping_script",
    tag = "connectors",
    params(("name" = String, Path, description = "Name of the connector.")),
    request_body = NewScript,
    responses(
        (status = 200, description = "The connector with its settings.", body = ConnectorDetail),
        (status = 400, description = "The body is not understood, or the script is no JavaScript, has no function `mapSourceUser`, or is too long; nothing was saved.", body = ProblemBody),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn set_script(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
    Body(new): Body<NewScript>,
) -> Result<Json<ConnectorDetail>, Problem> {
    Ok(Json(ops::set_mapping_script(&web.app, &caller, &name, new.script.as_deref()).await?))
}
