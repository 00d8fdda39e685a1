use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ops::{self, CreateKey, CreatedKey, Key};
use crate::web::Web;
use crate::web::body::Body;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// Every key.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct Keys {
    /// By name; those that were revoked, last.
    keys: Vec<Key>,
}

/// List keys
///
/// What each opens, whom it speaks for, and when it was used last. Takes the role `security_admin`.
#[utoipa::path(
    get,
    path = "/api/v1/keys",
    operation_id = "list_keys",
    tag = "security",
    responses(
        (status = 200, description = "The keys, without what opens anything.", body = Keys),
        (status = 403, description = "The caller is no security administrator.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn list(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
) -> Result<Json<Keys>, Problem> {
    let keys = web.blocking(move |web| ops::list_keys(&web.app, &caller)).await?;
    Ok(Json(Keys { keys }))
}

/// Make a key
///
/// The answer holds it, this once. Takes the role `security_admin`.
#[utoipa::path(
    post,
    path = "/api/v1/keys",
    operation_id = "create_key",
    tag = "security",
    request_body = CreateKey,
    responses(
        (status = 201, description = "The key, and what is kept of it.", body = CreatedKey),
        (status = 400, description = "The body is not understood, or what was asked for makes no sense.", body = ProblemBody),
        (status = 403, description = "The caller is no security administrator, or a page of another origin asked.", body = ProblemBody),
        (status = 404, description = "The directory has no such active person.", body = ProblemBody),
        (status = 409, description = "The name is in use.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn create(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Body(create): Body<CreateKey>,
) -> Result<(StatusCode, Json<CreatedKey>), Problem> {
    let created = web.blocking(move |web| ops::create_key(&web.app, &caller, &create)).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Revoke a key
///
/// It opens nothing from the next request on. Takes the role `security_admin`.
#[utoipa::path(
    delete,
    path = "/api/v1/keys/{name}",
    operation_id = "revoke_key",
    tag = "security",
    params(("name" = String, Path, description = "Name of the key.")),
    responses(
        (status = 204, description = "It is revoked."),
        (status = 403, description = "The caller is no security administrator, or a page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such key in use.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn revoke(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    web.blocking(move |web| ops::revoke_key(&web.app, &caller, &name)).await?;
    Ok(StatusCode::NO_CONTENT)
}
