use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;

use crate::ops::{self, DeletedConnector};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::parameters::Parameters;
use crate::web::problem::{ParameterProblem, Problem, ProblemBody};

/// Characters of a name that are read: more than one may have.
const MAX_NAME_CHARS: usize = 200;

/// Delete a connector
///
/// With its secret, its crawls, and the content that no other connector holds. Irreversible: its name is given once more.
#[utoipa::path(
    delete,
    path = "/api/v1/connectors/{name}",
    operation_id = "delete_connector",
    tag = "connectors",
    params(
        ("name" = String, Path, description = "Name of the connector."),
        ("confirm" = String, Query, description = "The connector's name once more.")
    ),
    responses(
        (status = 200, description = "What went with it.", body = DeletedConnector),
        (status = 400, description = "It is not confirmed.", body = ProblemBody),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody),
        (status = 409, description = "A crawl of it is running: cancel that first.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn delete(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Json<DeletedConnector>, Problem> {
    let mut parameters = Parameters::of(&uri);
    let confirm = parameters.text("confirm", MAX_NAME_CHARS);
    parameters.finish()?;
    let (at, asking) = (name.clone(), caller.clone());
    let connector = web.blocking(move |web| ops::show_connector(&web.app, &asking, Some(&at))).await?;
    if confirm.as_deref() != Some(connector.connector.name.as_str()) {
        let message = "give the connector's name once more: deleting it cannot be undone".to_owned();
        return Err(Problem::invalid_parameters(vec![ParameterProblem {
            name: "confirm".to_owned(),
            message,
        }]));
    }
    Ok(Json(ops::delete_connector(&web.app, &caller, &name).await?))
}
