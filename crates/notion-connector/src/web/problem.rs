//! What went wrong, as an answer: the only place that knows which failure is which status.
//!
//! Handlers and the layers before them return a [`Problem`]; [`render`] makes JSON of it below `/api` and for health
//! checks, and a page everywhere else.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{pages, scim};
use crate::ops::OpsError;
use crate::search::IndexError;

/// Why a request was not answered as it was meant.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    error: ProblemDetail,
    /// Seconds after which it may be tried again.
    retry_after: Option<u64>,
}

/// The body of every answer that is an error.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct ProblemBody {
    /// What went wrong.
    error: ProblemDetail,
}

/// What went wrong.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct ProblemDetail {
    /// A name for programs; it does not change.
    #[schema(value_type = String, example = "invalid_parameters")]
    code: &'static str,
    /// What happened and what to do, for people.
    message: String,
    /// For `invalid_parameters`: every parameter of the address that cannot be used, where the address is what is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<ParameterProblem>,
}

/// A parameter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ParameterProblem {
    /// Its name.
    pub(super) name: String,
    /// What is wrong with it.
    pub(super) message: String,
}

impl Problem {
    pub(super) const fn new(status: StatusCode, code: &'static str, message: String) -> Self {
        Self { status, error: ProblemDetail { code, message, parameters: Vec::new() }, retry_after: None }
    }

    pub(super) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message.to_owned())
    }

    /// A page of another origin.
    pub(super) fn cross_origin() -> Self {
        let message = "a page of another origin may not change anything here";
        Self::new(StatusCode::FORBIDDEN, "cross_origin", message.to_owned())
    }

    /// Nobody is known as the one who asks.
    pub(super) fn not_identified(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not_identified", message.to_owned())
    }

    pub(super) fn invalid_parameters(parameters: Vec<ParameterProblem>) -> Self {
        let listed: Vec<String> =
            parameters.iter().map(|one| format!("{}: {}", one.name, one.message)).collect();
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "invalid_parameters", listed.join("; "));
        problem.error.parameters = parameters;
        problem
    }

    pub(super) fn not_ready(message: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", message.to_owned())
    }

    /// A fault of this program; its message is in the log already.
    pub(super) fn panicked() -> Self {
        Self::of_status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) const fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    pub(super) fn message(&self) -> &str {
        &self.error.message
    }

    /// For an answer that a layer made, which says nothing but its status.
    fn of_status(status: StatusCode) -> Self {
        let (code, message) = match status {
            StatusCode::GATEWAY_TIMEOUT => {
                ("timeout", "the answer took too long; try a simpler search, or again later")
            }
            StatusCode::PAYLOAD_TOO_LARGE => ("body_too_large", "the request's body is too large"),
            _ if status.is_server_error() => ("internal", "the server failed; its log says why"),
            _ => ("bad_request", "the request could not be understood"),
        };
        Self::new(status, code, message.to_owned())
    }
}

/// Marks an answer that is an error and has its body already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rendered;

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110 wants a challenge with each 401; browsers show no dialog of their own for this one.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<OpsError> for Problem {
    /// What the operator can do is in the message; what only the log should hold (paths, what the system said) is not.
    fn from(error: OpsError) -> Self {
        match error {
            OpsError::Forbidden(_) => Self::forbidden(&error.to_string()),
            OpsError::NotIdentified(message) => Self::not_identified(message),
            OpsError::NotAllowed(message) => Self::forbidden(&message),
            OpsError::TooMany { seconds } => {
                let message = error.to_string();
                let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message);
                Self { retry_after: Some(seconds), ..problem }
            }
            OpsError::Scim(error) => {
                let status = if error.is_conflict() { StatusCode::CONFLICT } else { StatusCode::BAD_REQUEST };
                Self::new(status, error.scim_type(), error.to_string())
            }
            OpsError::NotFound(message) => Self::new(StatusCode::NOT_FOUND, "not_found", message),
            OpsError::Invalid(message) => Self::new(StatusCode::BAD_REQUEST, "invalid_parameters", message),
            OpsError::Conflict(message) => Self::new(StatusCode::CONFLICT, "not_possible", message),
            OpsError::Index(IndexError::Corrupt { .. }) => failed(
                StatusCode::SERVICE_UNAVAILABLE,
                "index_unusable",
                "the search index cannot be used; restart the server, which fills it again from the store",
                &error,
            ),
            OpsError::Index(_) => failed(
                StatusCode::SERVICE_UNAVAILABLE,
                "index_unavailable",
                "the search index cannot be read at the moment; the server's log says why",
                &error,
            ),
            OpsError::Store(_) => failed(
                StatusCode::SERVICE_UNAVAILABLE,
                "store_unavailable",
                "the database cannot be used at the moment; the server's log says why",
                &error,
            ),
            OpsError::DataDir(_)
            | OpsError::Config(_)
            | OpsError::Secret(_)
            | OpsError::Pump(_)
            | OpsError::Crawl(_)
            | OpsError::Extract(_)
            | OpsError::Scripts(_)
            | OpsError::Io { .. } => failed(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "the server could not do this; its log says why",
                &error,
            ),
            OpsError::NotValid(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "does_not_validate", error.to_string())
            }
            OpsError::Notion { advice, .. } => Self::new(StatusCode::BAD_GATEWAY, "notion", advice),
        }
    }
}

fn failed(status: StatusCode, code: &'static str, message: &str, error: &OpsError) -> Problem {
    tracing::error!(%error, code, "a request could not be answered");
    Problem::new(status, code, message.to_owned())
}

/// No route has this path.
pub(super) async fn no_such_path(uri: Uri) -> Problem {
    let message = if wants_json(uri.path()) {
        "there is nothing at this address; /api/v1/openapi.json lists what there is"
    } else {
        "nothing is served at this address; perhaps it was mistyped"
    };
    Problem::new(StatusCode::NOT_FOUND, "no_such_path", message.to_owned())
}

/// The path is known, the method is not.
pub(super) async fn no_such_method() -> Problem {
    let message = "this address cannot be asked with this method; the Allow header names those it takes";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message.to_owned())
}

/// Gives every answer that is an error its body.
pub(super) async fn render(request: Request, next: Next) -> Response {
    let as_json = wants_json(request.uri().path());
    let as_scim = scim::is_scim(request.uri().path());
    let mut response = next.run(request).await;
    let status = response.status();
    let is_whole = response.extensions().get::<Rendered>().is_some();
    if is_whole || !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let problem = response.extensions_mut().remove::<Problem>().unwrap_or_else(|| Problem::of_status(status));
    let rendered = if as_scim {
        scim::error(status, problem.error.code, &problem.error.message)
    } else if as_json {
        (status, Json(ProblemBody { error: problem.error })).into_response()
    } else {
        pages::problem::page(&problem)
    };
    // What the answer already says beside its body stays: Allow, above all.
    let (mut parts, body) = rendered.into_parts();
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            parts.headers.append(name.clone(), value.clone());
        }
    }
    Response::from_parts(parts, body)
}

/// Whether a program asks there, and no browser that could be shown a page.
pub(super) fn wants_json(path: &str) -> bool {
    let parts = ["/api", "/mcp", "/scim", "/healthz", "/readyz", "/metrics"];
    parts
        .iter()
        .any(|part| path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}
