use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ops::{self, RoleChanged, RoleGrant, RoleOf};
use crate::web::Web;
use crate::web::body::Body;
use crate::web::caller::Asking;
use crate::web::problem::{Problem, ProblemBody};

/// Every role that was given to somebody.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct RoleGrants {
    /// By role and name.
    roles: Vec<RoleGrant>,
}

/// List roles
///
/// Who was given which role. Everybody who is active in the directory is a search user besides. Takes the role
/// `security_admin`.
#[utoipa::path(
    get,
    path = "/api/v1/roles",
    operation_id = "list_roles",
    tag = "security",
    responses(
        (status = 200, description = "The roles.", body = RoleGrants),
        (status = 403, description = "The caller is no security administrator.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn list(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
) -> Result<Json<RoleGrants>, Problem> {
    let roles = web.blocking(move |web| ops::list_roles(&web.app, &caller)).await?;
    Ok(Json(RoleGrants { roles }))
}

/// Give a role
///
/// To a person, or to everybody of a group. Takes the role `security_admin`.
#[utoipa::path(
    post,
    path = "/api/v1/roles",
    operation_id = "grant_role",
    tag = "security",
    request_body = RoleOf,
    responses(
        (status = 200, description = "Whether anything changed.", body = RoleChanged),
        (status = 400, description = "The body is not understood, there is no such role, or not one person or group is named.", body = ProblemBody),
        (status = 403, description = "The caller is no security administrator, or a page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such person or group.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn grant(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Body(wish): Body<RoleOf>,
) -> Result<Json<RoleChanged>, Problem> {
    web.blocking(move |web| ops::grant_role(&web.app, &caller, &wish)).await.map(Json)
}

/// Take a role back
///
/// As it was given. Takes the role `security_admin`.
#[utoipa::path(
    delete,
    path = "/api/v1/roles",
    operation_id = "revoke_role",
    tag = "security",
    request_body = RoleOf,
    responses(
        (status = 200, description = "Whether anything changed.", body = RoleChanged),
        (status = 400, description = "The body is not understood, there is no such role, or not one person or group is named.", body = ProblemBody),
        (status = 403, description = "The caller is no security administrator, or a page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such person or group.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn revoke(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Body(wish): Body<RoleOf>,
) -> Result<Json<RoleChanged>, Problem> {
    web.blocking(move |web| ops::revoke_role(&web.app, &caller, &wish)).await.map(Json)
}
