use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ops::{self, ConnectorSummary};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::Problem;

/// Connectors.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct ConnectorList {
    /// By name.
    connectors: Vec<ConnectorSummary>,
}

/// List connectors
///
/// With source, status, documents, last crawl and failed crawls.
#[utoipa::path(
    get,
    path = "/api/v1/connectors",
    operation_id = "list_connectors",
    tag = "connectors",
    responses((status = 200, description = "All connectors, by name.", body = ConnectorList))
)]
pub(in crate::web) async fn list(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
) -> Result<Json<ConnectorList>, Problem> {
    let connectors = web.blocking(move |web| ops::list_connectors(&web.app, &caller)).await?;
    Ok(Json(ConnectorList { connectors }))
}
