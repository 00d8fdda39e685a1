use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ops::{self, AddConnector, ConnectorDetail, NOTION_URL, Validation};
use crate::web::Web;
use crate::web::body::SecretBody;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// What a connector is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct NewConnection {
    /// A name that no other connector has, of 1 to 100 characters.
    name: String,
    /// Origin of the API; Notion's if not given.
    notion_url: Option<String>,
    /// The integration's secret; no answer holds it.
    #[schema(value_type = String, format = Password)]
    secret: SecretString,
    /// Whether Notion is asked first what the secret opens; if not given it is, and nothing is saved unless all is well.
    validate: Option<bool>,
}

/// A connector that was added.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct AddedConnector {
    /// The connector.
    connector: ConnectorDetail,
    /// What its secret opens; none where Notion was not asked.
    validation: Option<Validation>,
}

/// Add a connector
///
/// Asks Notion first what the secret opens; nothing is saved unless it validates, except on request.
#[utoipa::path(
    post,
    path = "/api/v1/connectors",
    operation_id = "add_connector",
    tag = "connectors",
    request_body = NewConnection,
    responses(
        (status = 201, description = "The connector.", body = AddedConnector),
        (status = 400, description = "The body is not understood, the name is none, or the address cannot be used.", body = ProblemBody),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 409, description = "The name is taken.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody),
        (status = 422, description = "Notion takes the secret, and something is missing; nothing was saved.", body = ProblemBody),
        (status = 502, description = "Notion refuses the secret, or does not answer.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn add(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    SecretBody(new): SecretBody<NewConnection>,
) -> Result<(StatusCode, Json<AddedConnector>), Problem> {
    let name = new.name.trim().to_owned();
    let new = AddConnector {
        name: new.name,
        notion_url: new.notion_url.unwrap_or_else(|| NOTION_URL.to_owned()),
        secret: new.secret,
        validate: new.validate.unwrap_or(true),
    };
    let validation = ops::add_connector(&web.app, &caller, new).await?;
    let connector = web.blocking(move |web| ops::show_connector(&web.app, &caller, Some(&name))).await?;
    Ok((StatusCode::CREATED, Json(AddedConnector { connector, validation })))
}
