use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;

use crate::ops::{self, Why};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::parameters::Parameters;
use crate::web::problem::{Problem, ProblemBody};

/// Say why something is, or is not, in the index
///
/// From what the store knows; with `ask=true` Notion is asked too, in at most four requests for each connector, and a few more
/// from a block up to its page.
#[utoipa::path(
    get,
    path = "/api/v1/why/{id}",
    operation_id = "why",
    tag = "crawls",
    params(
        ("id" = String, Path, description = "Notion's id, or a percent-encoded address."),
        ("ask" = Option<bool>, Query, description = "Whether Notion is asked.")
    ),
    responses(
        (status = 200, description = "Where it stands, and why.", body = Why),
        (status = 400, description = "A parameter cannot be used, or this names nothing.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn why(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<Why>, Problem> {
    let mut parameters = Parameters::of(&uri);
    let ask = parameters.value::<bool>("ask").unwrap_or_default();
    parameters.finish()?;
    Ok(Json(ops::why(&web.app, &caller, &id, ask).await?))
}
