use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;

use crate::ops::{self, Analytics, Day};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::parameters::Parameters;
use crate::web::problem::{Problem, ProblemBody};

/// What the crawls of a connector did
///
/// Sums over the crawls that ended in a range of days (UTC), beside those of as many days before, and each day.
#[utoipa::path(
    get,
    path = "/api/v1/connectors/{name}/analytics",
    operation_id = "analytics",
    tag = "crawls",
    params(
        ("name" = String, Path, description = "Name of the connector."),
        ("from" = Option<String>, Query, description = "The first day, as `2026-05-01`; 30 days before the last if not given."),
        ("to" = Option<String>, Query, description = "The last day, included; today if not given.")
    ),
    responses(
        (status = 200, description = "What they did.", body = Analytics),
        (status = 400, description = "Parameters that cannot be used, all of them; or the days are no range.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn analytics(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Json<Analytics>, Problem> {
    let mut parameters = Parameters::of(&uri);
    let from = parameters.value("from").map(|Day(day)| day);
    let to = parameters.value("to").map(|Day(day)| day);
    parameters.finish()?;
    web.blocking(move |web| ops::analytics(&web.app, &caller, Some(&name), from, to)).await.map(Json)
}
