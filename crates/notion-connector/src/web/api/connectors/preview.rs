use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::ops::{self, EditConnector, Preview};
use crate::web::Web;
use crate::web::body::Body;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// Preview a change of a connector's settings
///
/// What would stay, leave and come, by what was crawled so far. Saves nothing, and does not ask Notion.
#[utoipa::path(
    post,
    path = "/api/v1/connectors/{name}/preview",
    operation_id = "preview_connector",
    tag = "connectors",
    params(("name" = String, Path, description = "Name of the connector.")),
    request_body = EditConnector,
    responses(
        (status = 200, description = "What the settings would do.", body = Preview),
        (status = 400, description = "The body is not understood, or the settings cannot be or contradict each other.", body = ProblemBody),
        (status = 403, description = "A page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn preview(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
    Body(edit): Body<EditConnector>,
) -> Result<Json<Preview>, Problem> {
    web.blocking(move |web| ops::preview_connector(&web.app, &caller, &name, &edit)).await.map(Json)
}
