use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;

use crate::ops::{self, AuditPage};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::parameters::Parameters;
use crate::web::problem::{Problem, ProblemBody};

/// List the audit log
///
/// Who did what, when, from where, to what: the newest first, page by page. Reading it is an entry too.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    operation_id = "list_audit",
    tag = "security",
    params(
        ("before" = Option<i64>, Query, minimum = 1, description = "Only entries before the one of this number."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many; 50 if not given.")
    ),
    responses(
        (status = 200, description = "The entries.", body = AuditPage),
        (status = 400, description = "Parameters that cannot be used, all of them.", body = ProblemBody),
        (status = 403, description = "The caller is no security administrator.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn list(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    uri: Uri,
) -> Result<Json<AuditPage>, Problem> {
    let mut parameters = Parameters::of(&uri);
    let before = parameters.value::<i64>("before");
    let limit = parameters.number("limit", 1..=1_000_u32, 50);
    parameters.finish()?;
    web.blocking(move |web| ops::list_audit(&web.app, &caller, before, limit)).await.map(Json)
}
