use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;

use crate::ops::{self, AccountPage};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::parameters::Parameters;
use crate::web::problem::{Problem, ProblemBody};

/// List accounts
///
/// People who can sign in or have a role of their own. Takes the role `security_admin`.
#[utoipa::path(
    get,
    path = "/api/v1/accounts",
    operation_id = "list_accounts",
    tag = "security",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many; 50 if not given."),
        ("offset" = Option<u32>, Query, description = "How many to leave out first.")
    ),
    responses(
        (status = 200, description = "The accounts, by user name.", body = AccountPage),
        (status = 400, description = "Parameters that cannot be used, all of them.", body = ProblemBody),
        (status = 403, description = "The caller is no security administrator.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn list(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    uri: Uri,
) -> Result<Json<AccountPage>, Problem> {
    let mut parameters = Parameters::of(&uri);
    let limit = parameters.number("limit", 1..=1_000_u32, 50);
    let offset = parameters.number("offset", 0..=10_000_000_u32, 0);
    parameters.finish()?;
    web.blocking(move |web| ops::list_accounts(&web.app, &caller, limit, offset)).await.map(Json)
}
