//! The body of a request that changes something: JSON, and said to be JSON.
//!
//! [`Body`] for most, [`SecretBody`] for one that holds a secret: what is wrong with that is told without repeating it.

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// A value from the body. It must come as `application/json`: a form of another site cannot send that without asking the
/// server first (CORS), which stands beside the guard for browsers that send neither `Origin` nor `Sec-Fetch-Site`.
pub(super) struct Body<T>(pub(super) T);

impl<S: Sync + Send, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = json_bytes(request, state).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let message = format!("the body is not understood: {error}");
            Problem::new(StatusCode::BAD_REQUEST, "bad_body", message)
        })
    }
}

/// The same, of a body that holds a secret. An error of the parser names what it found instead of what it wanted, and that may
/// be the secret: only the place of it is told.
pub(super) struct SecretBody<T>(pub(super) T);

impl<S: Sync + Send, T: DeserializeOwned> FromRequest<S> for SecretBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = zeroize::Zeroizing::new(json_bytes(request, state).await?.to_vec());
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let message = format!(
                "the body is not understood at line {}, column {}: /api/v1/openapi.json describes it; it is not repeated here \
                 because it holds a secret",
                error.line(),
                error.column()
            );
            Problem::new(StatusCode::BAD_REQUEST, "bad_body", message)
        })
    }
}

async fn json_bytes<S: Sync + Send>(request: Request, state: &S) -> Result<bytes::Bytes, Problem> {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        let message = "the body must be JSON, with the header Content-Type: application/json".to_owned();
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message));
    }
    bytes::Bytes::from_request(request, state).await.map_err(|rejection| {
        Problem::new(rejection.status(), "bad_body", "the body could not be read".to_owned())
    })
}
