use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;

use super::{Body, Id, Told, created, query_of, search_in};
use crate::ops::{self, ScimChange, ScimKind};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::problem::Problem;

/// List groups
#[utoipa::path(
    get,
    path = "/scim/v2/Groups",
    operation_id = "scim_list_groups",
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
    web.blocking(move |web| ops::list_scim(&web.app, &caller, ScimKind::Groups, &query)).await.map(Told)
}

/// Search groups
#[utoipa::path(
    post,
    path = "/scim/v2/Groups/.search",
    operation_id = "scim_search_groups",
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
    search_in(web, asking, ScimKind::Groups, body).await
}

/// Make a group
#[utoipa::path(
    post,
    path = "/scim/v2/Groups",
    operation_id = "scim_create_group",
    tag = "scim",
    request_body(content = Object, content_type = "application/scim+json"),
    responses(
        (status = 201, description = "It was made.", content_type = "application/scim+json"),
        (status = 400, description = "It is no group.", content_type = "application/scim+json"),
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
    let made = web.blocking(move |web| ops::create_scim_group(&web.app, &caller, &body)).await?;
    Ok(created(made))
}

/// Show a group
#[utoipa::path(
    get,
    path = "/scim/v2/Groups/{id}",
    operation_id = "scim_show_group",
    tag = "scim",
    params(("id" = String, Path, description = "Id of the group.")),
    responses(
        (status = 200, description = "The group.", content_type = "application/scim+json"),
        (status = 403, description = "The caller is no security administrator.", content_type = "application/scim+json"),
        (status = 404, description = "There is no such group.", content_type = "application/scim+json")
    )
)]
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Id(uid): Id,
    uri: Uri,
) -> Result<Told, Problem> {
    let query = query_of(&uri);
    web.blocking(move |web| ops::show_scim_group(&web.app, &caller, uid, &query)).await.map(Told)
}

/// Replace a group
#[utoipa::path(
    put,
    path = "/scim/v2/Groups/{id}",
    operation_id = "scim_replace_group",
    tag = "scim",
    params(("id" = String, Path, description = "Id of the group.")),
    request_body(content = Object, content_type = "application/scim+json"),
    responses(
        (status = 200, description = "The group as it is now.", content_type = "application/scim+json"),
        (status = 400, description = "It is no group.", content_type = "application/scim+json"),
        (status = 403, description = "The caller is no security administrator.", content_type = "application/scim+json"),
        (status = 404, description = "There is no such group.", content_type = "application/scim+json"),
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
        ops::change_scim_group(&web.app, &caller, uid, &ScimChange::Replace(body))?;
        ops::show_scim_group(&web.app, &caller, uid, &query)
    })
    .await
    .map(Told)
}

/// Change a group
///
/// By operations. Nothing is answered: a group may have very many members.
#[utoipa::path(
    patch,
    path = "/scim/v2/Groups/{id}",
    operation_id = "scim_patch_group",
    tag = "scim",
    params(("id" = String, Path, description = "Id of the group.")),
    request_body(content = Object, content_type = "application/scim+json"),
    responses(
        (status = 204, description = "It was changed."),
        (status = 400, description = "An operation cannot be.", content_type = "application/scim+json"),
        (status = 403, description = "The caller is no security administrator.", content_type = "application/scim+json"),
        (status = 404, description = "There is no such group.", content_type = "application/scim+json"),
        (status = 409, description = "Another one has its name.", content_type = "application/scim+json")
    )
)]
pub(super) async fn patch(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Id(uid): Id,
    Body(body): Body,
) -> Result<StatusCode, Problem> {
    web.blocking(move |web| ops::change_scim_group(&web.app, &caller, uid, &ScimChange::Patch(body)))
        .await
        .map(|()| StatusCode::NO_CONTENT)
}

/// Delete a group
#[utoipa::path(
    delete,
    path = "/scim/v2/Groups/{id}",
    operation_id = "scim_delete_group",
    tag = "scim",
    params(("id" = String, Path, description = "Id of the group.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 403, description = "The caller is no security administrator.", content_type = "application/scim+json"),
        (status = 404, description = "There is no such group.", content_type = "application/scim+json")
    )
)]
pub(super) async fn delete(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Id(uid): Id,
) -> Result<StatusCode, Problem> {
    web.blocking(move |web| ops::delete_scim_group(&web.app, &caller, uid))
        .await
        .map(|()| StatusCode::NO_CONTENT)
}
