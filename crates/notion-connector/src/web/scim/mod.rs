//! SCIM 2.0 over HTTP (RFC 7644): paths, bodies and statuses. What requests mean stands in `ops`.

mod discovery;
mod groups;
mod users;

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::Web;
use super::caller::Asking;
use super::problem::Problem;
use crate::ops::{self, ScimKind, ScimQuery};

/// The media type of all bodies.
pub(super) const MEDIA_TYPE: &str = "application/scim+json";

/// Bytes of a request's body: a group with all its members, or a batch of changes of them.
pub(super) const MAX_BODY_BYTES: usize = 8 << 20;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::new()
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::show, users::replace, users::patch, users::delete))
        .routes(routes!(users::search))
        .routes(routes!(groups::list, groups::create))
        .routes(routes!(groups::show, groups::replace, groups::patch, groups::delete))
        .routes(routes!(groups::search))
        .routes(routes!(search))
        .routes(routes!(me))
        .routes(routes!(discovery::config))
        .routes(routes!(discovery::resource_types))
        .routes(routes!(discovery::resource_type))
        .routes(routes!(discovery::schemas))
        .routes(routes!(discovery::schema))
}

/// Whether answers at this path are SCIM's.
pub(super) fn is_scim(path: &str) -> bool {
    path == "/scim" || path.starts_with("/scim/")
}

/// Names that RFC 7644 (section 3.12) has for what is wrong.
const TYPES: [&str; 8] = [
    "invalidFilter",
    "tooMany",
    "uniqueness",
    "mutability",
    "invalidSyntax",
    "invalidPath",
    "noTarget",
    "invalidValue",
];

/// What went wrong, as SCIM writes it.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let mut body = serde_json::json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": status.as_u16().to_string(), "detail": message});
    if TYPES.contains(&code) {
        body["scimType"] = code.into();
    }
    (status, Told(body)).into_response()
}

/// A resource, or a list of them.
struct Told(Value);

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, MEDIA_TYPE)], self.0.to_string()).into_response()
    }
}

/// A resource that was made, with its address.
fn created(resource: Value) -> Response {
    let location = resource["meta"]["location"].as_str().unwrap_or_default().to_owned();
    (StatusCode::CREATED, [(header::LOCATION, location)], Told(resource)).into_response()
}

/// A body in JSON.
struct Body(Value);

impl<S: Sync + Send> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind =
            kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
        if kind != MEDIA_TYPE && kind != "application/json" {
            let message = format!("the body must be JSON, with the header Content-Type: {MEDIA_TYPE}");
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message));
        }
        let bytes = bytes::Bytes::from_request(request, state).await.map_err(|rejection| {
            Problem::new(rejection.status(), "bad_body", "the body could not be read".to_owned())
        })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            // What the parser found may be a password: only the place is told.
            let (line, column) = (error.line(), error.column());
            let message = format!("the body is no JSON, at line {line}, column {column}");
            Problem::new(StatusCode::BAD_REQUEST, "invalidSyntax", message)
        })
    }
}

/// An id in the path; one that is none is nobody's.
struct Id(Uuid);

impl<S: Sync + Send> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, state).await.ok();
        let uid = id.and_then(|Path(id)| id.parse().ok()).map(Self);
        uid.ok_or_else(|| {
            Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such resource".to_owned())
        })
    }
}

/// Parameters of a list.
fn query_of(uri: &Uri) -> ScimQuery {
    let mut query = ScimQuery::default();
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        let (value, number) = (value.clone().into_owned(), value.trim().parse().ok());
        match name.to_ascii_lowercase().as_str() {
            "filter" => query.filter = Some(value),
            "startindex" => query.start_index = number,
            "count" => query.count = number,
            "attributes" => query.attributes = Some(value),
            "excludedattributes" => query.excluded_attributes = Some(value),
            // RFC 7644, section 3.4.2.3: who does not sort passes it over.
            _ => {}
        }
    }
    query
}

/// The same as a body (RFC 7644, section 3.4.3).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SearchRequest {
    filter: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
    #[serde(default)]
    attributes: Vec<String>,
    #[serde(default)]
    excluded_attributes: Vec<String>,
}

async fn search_in(web: Arc<Web>, asking: Asking, kind: ScimKind, body: Value) -> Result<Told, Problem> {
    let request: SearchRequest = serde_json::from_value(body).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, "invalidSyntax", format!("the body is no search: {error}"))
    })?;
    let joined = |names: Vec<String>| (!names.is_empty()).then(|| names.join(","));
    let query = ScimQuery {
        filter: request.filter,
        start_index: request.start_index,
        count: request.count,
        attributes: joined(request.attributes),
        excluded_attributes: joined(request.excluded_attributes),
    };
    web.blocking(move |web| ops::list_scim(&web.app, &asking.0, kind, &query)).await.map(Told)
}

/// Search users and groups
#[utoipa::path(
    post,
    path = "/scim/v2/.search",
    operation_id = "scim_search",
    tag = "scim",
    request_body(content = Object, content_type = "application/scim+json"),
    responses(
        (status = 200, description = "A list of RFC 7644.", content_type = "application/scim+json"),
        (status = 415, description = "The body is not said to be JSON.", content_type = "application/scim+json")
    )
)]
async fn search(State(web): State<Arc<Web>>, asking: Asking, Body(body): Body) -> Result<Told, Problem> {
    search_in(web, asking, ScimKind::All, body).await
}

/// Nobody in particular
///
/// A key is no user: RFC 7644, section 3.11, has 501 for that.
#[utoipa::path(
    get,
    path = "/scim/v2/Me",
    operation_id = "scim_me",
    tag = "scim",
    responses((status = 501, description = "This is not supported."))
)]
async fn me() -> Problem {
    Problem::new(StatusCode::NOT_IMPLEMENTED, "not_supported", "a key is no user".to_owned())
}
