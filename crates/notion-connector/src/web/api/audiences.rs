use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::ops::{self, Audiences, SetAudience};
use crate::web::Web;
use crate::web::body::Body;
use crate::web::caller::Asking;
use crate::web::parameters::from_path;
use crate::web::problem::{Problem, ProblemBody};

/// Whether audience rules hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct SwitchAudiences {
    /// Whether they do.
    on: bool,
}

/// Show a connector's audiences
///
/// The rules and how many items each decides. Takes the role `security_admin`.
#[utoipa::path(
    get,
    path = "/api/v1/connectors/{name}/audiences",
    operation_id = "show_audiences",
    tag = "people",
    params(("name" = String, Path, description = "Name of the connector.")),
    responses(
        (status = 200, description = "The rules, and whether they hold.", body = Audiences),
        (status = 403, description = "The caller is no security administrator.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn show(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
) -> Result<Json<Audiences>, Problem> {
    Ok(Json(web.blocking(move |web| ops::show_audiences(&web.app, &caller, Some(&name))).await?))
}

/// Switch a connector's audiences on or off
///
/// On, what no rule grants is closed. Off, everybody who is mapped sees all of the connector; the rules are kept. Takes the role
/// `security_admin`.
#[utoipa::path(
    patch,
    path = "/api/v1/connectors/{name}/audiences",
    operation_id = "switch_audiences",
    tag = "people",
    params(("name" = String, Path, description = "Name of the connector.")),
    request_body = SwitchAudiences,
    responses(
        (status = 200, description = "The audiences as they are now.", body = Audiences),
        (status = 400, description = "The body is not understood.", body = ProblemBody),
        (status = 403, description = "The caller is no security administrator, or a page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn switch(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
    Body(SwitchAudiences { on }): Body<SwitchAudiences>,
) -> Result<Json<Audiences>, Problem> {
    Ok(Json(web.blocking(move |web| ops::switch_audiences(&web.app, &caller, Some(&name), on)).await?))
}

/// Make an audience rule
///
/// In place of the one at the same place: there is one for a place and what lies below it, and of a data source one by a column
/// beside it. Takes the role `security_admin`.
#[utoipa::path(
    post,
    path = "/api/v1/connectors/{name}/audiences/rules",
    operation_id = "set_audience",
    tag = "people",
    params(("name" = String, Path, description = "Name of the connector.")),
    request_body = SetAudience,
    responses(
        (status = 200, description = "The audiences as they are now.", body = Audiences),
        (status = 400, description = "The body is not understood, or the place, the column, a group or a person is not known.", body = ProblemBody),
        (status = 403, description = "The caller is no security administrator, or a page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody),
        (status = 409, description = "There are too many rules.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn set(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path(name): Path<String>,
    Body(set): Body<SetAudience>,
) -> Result<Json<Audiences>, Problem> {
    Ok(Json(ops::set_audience(&web.app, &caller, Some(&name), &set).await?))
}

/// Take an audience rule away
///
/// What it decided is decided by the next rule further up, or by none. Takes the role `security_admin`.
#[utoipa::path(
    delete,
    path = "/api/v1/connectors/{name}/audiences/rules/{rule}",
    operation_id = "remove_audience",
    tag = "people",
    params(
        ("name" = String, Path, description = "Name of the connector."),
        ("rule" = i64, Path, description = "Number of the rule.")
    ),
    responses(
        (status = 200, description = "The audiences as they are now.", body = Audiences),
        (status = 400, description = "The number is none.", body = ProblemBody),
        (status = 403, description = "The caller is no security administrator, or a page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector or rule.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn remove(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Path((name, rule)): Path<(String, String)>,
) -> Result<Json<Audiences>, Problem> {
    let rule = from_path("rule", &rule, "the number of a rule")?;
    Ok(Json(web.blocking(move |web| ops::remove_audience(&web.app, &caller, Some(&name), rule)).await?))
}
