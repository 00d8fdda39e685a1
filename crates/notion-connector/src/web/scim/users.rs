use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;

use super::{Body, Id, Told, created, query_of, search_in};
use crate::ops::{self, ScimChange, ScimKind};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::Problem;

/// List users
#[utoipa::path(
    get,
    path = "/scim/v2/Users",
    operation_id = "scim_list_users",
    tag = "scim",
    params(
        ("filter" = Option<String>, Query, description = "A condition, as RFC 7644 writes it."),
        ("startIndex" = Option<i64>, Query, description = "The first to be told, counted from 1."),
        ("count" = Option<i64>, Query, description = "How many at most, to 1,000; 100 unless said otherwise."),
        ("attributes" = Option<String>, Query, description = "Only these attributes, between commas."),
        ("excludedAttributes" = Option<String>, Query, description = "All attributes but these.")
    ),
    responses(
        (status = 200, description = "A list of RFC 7644.", content_type = "application/scim+json"),
        (status = 400, description = "The filter is none.", content_type = "application/scim+json"),
        (status = 403, description = "The caller is no security administrator.", content_type = "application/scim+json")
    )
)]
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    uri: Uri,
) -> Result<Told, Problem> {
    let query = query_of(&uri);
    web.blocking(move |web| ops::list_scim(&web.app, &caller, ScimKind::Users, &query)).await.map(Told)
}

/// Search users
#[utoipa::path(
    post,
    path = "/scim/v2/Users/.search",
    operation_id = "scim_search_users",
    tag = "scim",
    request_body(content = Object, content_type = "application/scim+json"),
    responses(
        (status = 200, description = "A list of RFC 7644.", content_type = "application/scim+json"),
        (status = 415, description = "The body is not said to be JSON.", content_type = "application/scim+json")
    )
)]
pub(super) async fn search(
    State(web): State<Arc<Web>>,
    asking: Asking,
    Body(body): Body,
) -> Result<Told, Problem> {
    search_in(web, asking, ScimKind::Users, body).await
}

/// Make a user
#[utoipa::path(
    post,
    path = "/scim/v2/Users",
    operation_id = "scim_create_user",
    tag = "scim",
    request_body(content = Object, content_type = "application/scim+json"),
    responses(
        (status = 201, description = "It was made.", content_type = "application/scim+json"),
        (status = 400, description = "It is no user.", content_type = "application/scim+json"),
        (status = 403, description = "The caller is no security administrator.", content_type = "application/scim+json"),
        (status = 409, description = "There is one of that name.", content_type = "application/scim+json"),
        (status = 415, description = "The body is not said to be JSON.", content_type = "application/scim+json")
    )
)]
pub(super) async fn create(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Body(body): Body,
) -> Result<Response, Problem> {
    let made = web.blocking(move |web| ops::create_scim_user(&web.app, &caller, body)).await?;
    Ok(created(made))
}

/// Show a user
#[utoipa::path(
    get,
    path = "/scim/v2/Users/{id}",
    operation_id = "scim_show_user",
    tag = "scim",
    params(("id" = String, Path, description = "Id of the user.")),
    responses(
        (status = 200, description = "The user.", content_type = "application/scim+json"),
        (status = 403, description = "The caller is no security administrator.", content_type = "application/scim+json"),
        (status = 404, description = "There is no such user.", content_type = "application/scim+json")
    )
)]
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Id(uid): Id,
    uri: Uri,
) -> Result<Told, Problem> {
    let query = query_of(&uri);
    web.blocking(move |web| ops::show_scim_user(&web.app, &caller, uid, &query)).await.map(Told)
}

/// Replace a user
#[utoipa::path(
    put,
    path = "/scim/v2/Users/{id}",
    operation_id = "scim_replace_user",
    tag = "scim",
    params(("id" = String, Path, description = "Id of the user.")),
    request_body(content = Object, content_type = "application/scim+json"),
    responses(
        (status = 200, description = "The user as it is now.", content_type = "application/scim+json"),
        (status = 400, description = "It is no user.", content_type = "application/scim+json"),
        (status = 403, description = "The caller is no security administrator.", content_type = "application/scim+json"),
        (status = 404, description = "There is no such user.", content_type = "application/scim+json"),
        (status = 409, description = "Another one has its name.", content_type = "application/scim+json")
    )
)]
pub(super) async fn replace(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Id(uid): Id,
    uri: Uri,
    Body(body): Body,
) -> Result<Told, Problem> {
    let query = query_of(&uri);
    web.blocking(move |web| {
        ops::change_scim_user(&web.app, &caller, uid, &ScimChange::Replace(body))?;
        ops::show_scim_user(&web.app, &caller, uid, &query)
    })
    .await
    .map(Told)
}

/// Change a user
///
/// By operations. The whole user is answered.
#[utoipa::path(
    patch,
    path = "/scim/v2/Users/{id}",
    operation_id = "scim_patch_user",
    tag = "scim",
    params(("id" = String, Path, description = "Id of the user.")),
    request_body(content = Object, content_type = "application/scim+json"),
    responses(
        (status = 200, description = "The user as it is now.", content_type = "application/scim+json"),
        (status = 400, description = "An operation cannot be.", content_type = "application/scim+json"),
        (status = 403, description = "The caller is no security administrator.", content_type = "application/scim+json"),
        (status = 404, description = "There is no such user.", content_type = "application/scim+json"),
        (status = 409, description = "Another one has its name.", content_type = "application/scim+json")
    )
)]
pub(super) async fn patch(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Id(uid): Id,
    uri: Uri,
    Body(body): Body,
) -> Result<Told, Problem> {
    let query = query_of(&uri);
    web.blocking(move |web| {
        ops::change_scim_user(&web.app, &caller, uid, &ScimChange::Patch(body))?;
        ops::show_scim_user(&web.app, &caller, uid, &query)
    })
    .await
    .map(Told)
}

/// Delete a user
#[utoipa::path(
    delete,
    path = "/scim/v2/Users/{id}",
    operation_id = "scim_delete_user",
    tag = "scim",
    params(("id" = String, Path, description = "Id of the user.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 403, description = "The caller is no security administrator.", content_type = "application/scim+json"),
        (status = 404, description = "There is no such user.", content_type = "application/scim+json")
    )
)]
pub(super) async fn delete(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Id(uid): Id,
) -> Result<StatusCode, Problem> {
    web.blocking(move |web| ops::delete_scim_user(&web.app, &caller, uid))
        .await
        .map(|()| StatusCode::NO_CONTENT)
}
