use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use crate::web::openapi;
use crate::web::problem::Problem;

/// This document
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    operation_id = "openapi",
    tag = "health",
    responses((status = 200, description = "The OpenAPI 3.1 document of this server."))
)]
pub(in crate::web) async fn document() -> Result<impl IntoResponse, Problem> {
    let document = openapi::document().map_err(|error| {
        tracing::error!(%error, "the OpenAPI document could not be written");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the document could not be written".to_owned(),
        )
    })?;
    Ok(([(header::CONTENT_TYPE, "application/json")], document))
}
