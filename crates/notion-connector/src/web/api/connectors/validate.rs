use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::ops::{self, NOTION_URL, Validation};
use crate::web::Web;
use crate::web::body::SecretBody;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// A connection that is not saved yet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Connection {
    /// Origin of the API; Notion's if not given.
    notion_url: Option<String>,
    /// The integration's secret; no answer holds it.
    #[schema(value_type = String, format = Password)]
    secret: SecretString,
}

/// Validate a connection
///
/// Asks Notion what a secret opens, which capabilities it has, and what is connected to it. Saves nothing.
#[utoipa::path(
    post,
    path = "/api/v1/validate-connection",
    operation_id = "validate_connection",
    tag = "connectors",
    request_body = Connection,
    responses(
        (status = 200, description = "What the secret opens, and what to mend in Notion.", body = Validation),
        (status = 400, description = "The body is not understood, or the address cannot be used.", body = ProblemBody),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody),
        (status = 502, description = "Notion refuses the secret, or does not answer.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn validate(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    SecretBody(connection): SecretBody<Connection>,
) -> Result<Json<Validation>, Problem> {
    let notion_url = connection.notion_url.as_deref().unwrap_or(NOTION_URL);
    Ok(Json(ops::validate_connection(&web.app, &caller, notion_url, connection.secret).await?))
}
