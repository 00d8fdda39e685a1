use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::ops::{self, Validation};
use crate::web::Web;
use crate::web::body::SecretBody;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// A new secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct NewSecret {
    /// The integration's secret; no answer holds it.
    #[schema(value_type = String, format = Password)]
    secret: SecretString,
}

/// Replace a connector's secret
///
/// Notion is asked first: it is saved if it opens the same workspace.
#[utoipa::path(
    post,
    path = "/api/v1/connectors/{name}/secret",
    operation_id = "set_connector_secret",
    tag = "connectors",
    params(("name" = String, Path, description = "Name of the connector.")),
    request_body = NewSecret,
    responses(
        (status = 200, description = "What the new secret opens, and what to mend in Notion.", body = Validation),
        (status = 400, description = "The body is not understood.", body = ProblemBody),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody),
        (status = 409, description = "It opens another workspace; nothing was saved.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody),
        (status = 502, description = "Notion refuses the secret, or does not answer.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn set_secret(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
    SecretBody(new): SecretBody<NewSecret>,
) -> Result<Json<Validation>, Problem> {
    Ok(Json(ops::set_secret(&web.app, &caller, &name, new.secret).await?))
}
