use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;

use super::number;
use crate::ops::{self, AlertFilter, AlertPage};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::parameters::Parameters;
use crate::web::problem::{Problem, ProblemBody};

const LEVELS: &str = "debug, info, warning, error";
const SCOPES: &str = "item, items, all_items, crawl";

/// List the alerts of a crawl
///
/// The gravest first, page by page.
#[utoipa::path(
    get,
    path = "/api/v1/crawls/{id}/alerts",
    operation_id = "list_alerts",
    tag = "crawls",
    params(
        ("id" = i64, Path, description = "Number of the crawl."),
        ("level" = Option<Vec<String>>, Query,
            description = "Only these levels: `debug`, `info`, `warning`, `error`; repeat it, or separate them by commas."),
        ("scope" = Option<Vec<String>>, Query,
            description = "Only about these: `item`, `items`, `all_items`, `crawl`; repeat it, or separate them by commas."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many; 50 if not given."),
        ("offset" = Option<u32>, Query, minimum = 0, description = "How many to skip; 0 if not given.")
    ),
    responses(
        (status = 200, description = "The alerts.", body = AlertPage),
        (status = 400, description = "Parameters that cannot be used, all of them.", body = ProblemBody),
        (status = 404, description = "There is no such crawl.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn list(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<AlertPage>, Problem> {
    let id = number(&id)?;
    let mut parameters = Parameters::of(&uri);
    let filter =
        AlertFilter { levels: parameters.many("level", LEVELS), scopes: parameters.many("scope", SCOPES) };
    let limit = parameters.number("limit", 1..=1_000_u32, 50);
    let offset = parameters.number("offset", 0..=u32::MAX, 0);
    parameters.finish()?;
    web.blocking(move |web| ops::list_alerts(&web.app, &caller, id, &filter, limit, offset)).await.map(Json)
}
