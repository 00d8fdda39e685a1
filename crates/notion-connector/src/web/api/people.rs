use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ops::{self, ListPeople, MappingTest, TestMapping, UserCounts, UserPage};
use crate::web::Web;
use crate::web::body::Body;
use crate::web::caller::Asking;
use crate::web::parameters::Parameters;
use crate::web::problem::{Problem, ProblemBody};

/// Longest text that people are found by, in characters.
const MAX_TEXT_CHARS: usize = 320;

/// How many people of each connector are mapped.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct PeopleCounts {
    /// By name of the connector.
    connectors: Vec<UserCounts>,
}

/// List people of workspaces
///
/// With whom of the directory they are. Takes the role `security_admin`.
#[utoipa::path(
    get,
    path = "/api/v1/people",
    operation_id = "list_people",
    tag = "people",
    params(
        ("connector" = Option<String>, Query, description = "Only those of this connector."),
        ("state" = Option<String>, Query, description = "Only those: `mapped` or `unmapped`."),
        ("reason" = Option<String>, Query, description = "Only those that are unmapped for this reason: `no_value`, `unverified`, `no_match`, `several_matches`, `script_error`, `no_script_value`."),
        ("q" = Option<String>, Query, description = "Part of a name or an e-mail address, in Notion or in the directory."),
        ("sort" = Option<String>, Query, description = "By `name` (unless said otherwise), `email`, `state` or `person`."),
        ("limit" = Option<u32>, Query, description = "How many at most, 1 to 1,000; 50 unless said otherwise."),
        ("offset" = Option<u32>, Query, description = "How many to leave out first.")
    ),
    responses(
        (status = 200, description = "The people that pass.", body = UserPage),
        (status = 400, description = "A parameter cannot be used.", body = ProblemBody),
        (status = 403, description = "The caller is no security administrator.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn list(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    uri: Uri,
) -> Result<Json<UserPage>, Problem> {
    let mut parameters = Parameters::of(&uri);
    let list = ListPeople {
        connector: parameters.text("connector", MAX_TEXT_CHARS),
        state: parameters.value("state"),
        reason: parameters.value("reason"),
        text: parameters.text("q", MAX_TEXT_CHARS),
        order: parameters.value("sort"),
        limit: parameters.number("limit", 1..=1_000, 50),
        offset: parameters.number("offset", 0..=10_000_000, 0),
    };
    parameters.finish()?;
    Ok(Json(web.blocking(move |web| ops::list_people(&web.app, &caller, &list)).await?))
}

/// Count people of workspaces
///
/// How many of each connector are mapped. Takes the role `connector_admin` or `security_admin`.
#[utoipa::path(
    get,
    path = "/api/v1/people/counts",
    operation_id = "count_people",
    tag = "people",
    responses(
        (status = 200, description = "The counts, by name of the connector.", body = PeopleCounts),
        (status = 403, description = "The caller administers nothing.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn counts(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
) -> Result<Json<PeopleCounts>, Problem> {
    let connectors = web.blocking(move |web| ops::count_people(&web.app, &caller)).await?;
    Ok(Json(PeopleCounts { connectors }))
}

/// Try the mapping of a connector
///
/// What it makes of a value: exactly one person, nobody, or more than one. Nothing is changed. Takes the role
/// `connector_admin` or `security_admin`; only the latter is told who it is.
#[utoipa::path(
    post,
    path = "/api/v1/people/test",
    operation_id = "test_mapping",
    tag = "people",
    request_body = TestMapping,
    responses(
        (status = 200, description = "What came of it.", body = MappingTest),
        (status = 400, description = "The body is not understood, or the value is too long.", body = ProblemBody),
        (status = 403, description = "The caller administers nothing, or a page of another origin asked.", body = ProblemBody),
        (status = 404, description = "There is no such connector.", body = ProblemBody),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn test(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    Body(test): Body<TestMapping>,
) -> Result<Json<MappingTest>, Problem> {
    Ok(Json(ops::test_mapping(&web.app, &caller, &test).await?))
}
