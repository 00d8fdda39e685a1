use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;

use crate::ops::{self, AccessOfPage, AccessOfPerson};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::parameters::Parameters;
use crate::web::problem::{Problem, ProblemBody};

/// Longest name or address that is asked about, in characters.
const MAX_NAME_CHARS: usize = 2_000;

/// Say who sees an item
///
/// With the rule that decides and why it lets each of them. Takes the role `security_admin`.
#[utoipa::path(
    get,
    path = "/api/v1/access/who",
    operation_id = "show_access_of_page",
    tag = "people",
    params(("page" = String, Query, description = "Notion's id, or the address in Notion.")),
    responses(
        (status = 200, description = "Who sees it, by each connector that holds it.", body = AccessOfPage),
        (status = 400, description = "A parameter cannot be used, or what is asked about is neither an id nor an address.", body = ProblemBody),
        (status = 403, description = "The caller is no security administrator.", body = ProblemBody),
        (status = 404, description = "There is no such item in the index.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn who(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    uri: Uri,
) -> Result<Json<AccessOfPage>, Problem> {
    let mut parameters = Parameters::of(&uri);
    let page = parameters.text("page", MAX_NAME_CHARS).unwrap_or_default();
    parameters.finish()?;
    Ok(Json(web.blocking(move |web| ops::show_access_of_page(&web.app, &caller, &page)).await?))
}

/// Say what somebody sees
///
/// As whom they are mapped, which rules let them, and how many items they see. Takes the role `security_admin`.
#[utoipa::path(
    get,
    path = "/api/v1/access/what",
    operation_id = "show_access_of_person",
    tag = "people",
    params(("person" = String, Query, description = "User name of a person of the directory.")),
    responses(
        (status = 200, description = "What they see, by connector.", body = AccessOfPerson),
        (status = 400, description = "A parameter cannot be used.", body = ProblemBody),
        (status = 403, description = "The caller is no security administrator.", body = ProblemBody),
        (status = 404, description = "There is no such person in the directory.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn what(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    uri: Uri,
) -> Result<Json<AccessOfPerson>, Problem> {
    let mut parameters = Parameters::of(&uri);
    let person = parameters.text("person", MAX_NAME_CHARS).unwrap_or_default();
    parameters.finish()?;
    Ok(Json(web.blocking(move |web| ops::show_access_of_person(&web.app, &caller, &person)).await?))
}
