use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::ops::{self, ExportLine};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::parameters::from_path;
use crate::web::problem::{Problem, ProblemBody};

/// Show an item
///
/// Everything that is searchable of one item: its text, properties, place and times.
#[utoipa::path(
    get,
    path = "/api/v1/items/{id}",
    operation_id = "show_item",
    tag = "search",
    params(("id" = String, Path, description = "Notion's id of the item, with or without dashes.")),
    responses(
        (status = 200, description = "The item.", body = ExportLine),
        (status = 400, description = "This is not an id.", body = ProblemBody),
        (status = 404, description = "There is no such item, or the one who asks may not see it.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn show(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(id): Path<String>,
) -> Result<Json<ExportLine>, Problem> {
    let id = from_path("id", &id, "an id of Notion's (32 hexadecimal digits, with or without dashes)")?;
    web.blocking(move |web| ops::load_item(&web.app, id, &caller)).await.map(Json)
}
