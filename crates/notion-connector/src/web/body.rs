//! The body of a request that changes something: JSON, and said to be JSON, or a form of a page.
//!
//! [`Body`] for most, [`SecretBody`] for one that holds a secret: what is wrong with that is told without repeating it. [`Form`] is
//! what the forms of pages send.

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

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

/// What a page's own form holds. Its values may be secrets: none of them is repeated or printed.
pub(super) struct Form(Vec<(String, SecretString)>);

impl Form {
    /// The value of that name; empty if there is none.
    pub(super) fn text(&self, name: &str) -> String {
        self.secret(name).expose_secret().to_owned()
    }

    /// The same, of a secret.
    pub(super) fn secret(&self, name: &str) -> SecretString {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Whether two values are one.
    pub(super) fn is_same(&self, one: &str, other: &str) -> bool {
        self.secret(one).expose_secret() == self.secret(other).expose_secret()
    }
}

impl<S: Sync + Send> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = bytes_of(request, state, "application/x-www-form-urlencoded").await?;
        let values = form_urlencoded::parse(&bytes).into_owned();
        Ok(Self(values.map(|(name, value)| (name, SecretString::from(value))).collect()))
    }
}

async fn json_bytes<S: Sync + Send>(request: Request, state: &S) -> Result<bytes::Bytes, Problem> {
    bytes_of(request, state, "application/json").await
}

async fn bytes_of<S: Sync + Send>(
    request: Request,
    state: &S,
    wanted: &str,
) -> Result<bytes::Bytes, Problem> {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted)) {
        let (what, code) =
            if wanted.ends_with("json") { ("JSON", "not_json") } else { ("a form", "no_form") };
        let message = format!("the body must be {what}, with the header Content-Type: {wanted}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, message));
    }
    bytes::Bytes::from_request(request, state).await.map_err(|rejection| {
        Problem::new(rejection.status(), "bad_body", "the body could not be read".to_owned())
    })
}
