//! The way through the organisation's provider: off to it, and back.
//!
//! What a browser began with it alone keeps, in a cookie of ten minutes; the answer is taken from that browser only.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::sign_in::{enter, local_path, refuse};
use crate::openid::{Answer, Attempt};
use crate::ops::{self, Returning};
use crate::web::Web;
use crate::web::caller::SessionToken;
use crate::web::guard::Arrival;
use crate::web::problem::Problem;
use crate::web::session::{Keeping, cookie, token};

/// Where the provider sends browsers back to.
const BACK: &str = "/sign-in/openid/callback";
/// Minutes that somebody may take at the provider.
const PATIENCE_MINUTES: i64 = 10;

/// What the cookie holds.
#[derive(Serialize, Deserialize)]
struct Begun {
    attempt: Attempt,
    to: String,
}

#[derive(Deserialize)]
pub(in crate::web) struct Wish {
    to: Option<String>,
}

/// Sign in at the organisation's provider
///
/// Leads there, and from there back to `/sign-in/openid/callback`.
#[utoipa::path(
    get,
    path = "/sign-in/openid",
    operation_id = "begin_openid",
    tag = "page",
    params(("to" = Option<String>, Query, description = "Where to go when signed in: a path of this server.")),
    responses(
        (status = 303, description = "The provider's page, and a cookie that the answer needs."),
        (status = 401, description = "The page to sign in: the provider does not answer as one.", body = String, content_type = "text/html"),
        (status = 404, description = "No provider is set up.")
    )
)]
pub(in crate::web) async fn begin(
    State(web): State<Arc<Web>>,
    Extension(arrival): Extension<Arrival>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let to = local_path(wish.to.as_deref().unwrap_or_default()).to_owned();
    let (address, attempt) = match ops::begin_openid(&web.app, &back(&web, arrival, &headers)?).await {
        Ok(begun) => begun,
        Err(error) => return refuse(&web, error.into(), &to),
    };
    let begun = serde_json::to_vec(&Begun { attempt, to }).map_err(|_| Problem::panicked())?;
    let value = URL_SAFE_NO_PAD.encode(begun);
    let kept = cookie(Keeping::Attempt, Some((&value, PATIENCE_MINUTES)), arrival, web.port)?;
    Ok(([(header::SET_COOKIE, kept)], Redirect::to(address.as_str())).into_response())
}

/// Come back from the organisation's provider
#[utoipa::path(
    get,
    path = "/sign-in/openid/callback",
    operation_id = "finish_openid",
    tag = "page",
    params(
        ("state" = Option<String>, Query, description = "The sign-in that the provider answers."),
        ("code" = Option<String>, Query, description = "What the ID token is given for."),
        ("iss" = Option<String>, Query, description = "Who answers."),
        ("error" = Option<String>, Query, description = "Why there is no code.")
    ),
    responses(
        (status = 303, description = "The session's cookie, and where to go."),
        (status = 401, description = "The page to sign in: the answer is not taken.", body = String, content_type = "text/html"),
        (status = 404, description = "No provider is set up."),
        (status = 429, description = "The page to sign in: there were too many attempts.", body = String, content_type = "text/html")
    )
)]
pub(in crate::web) async fn finish(
    State(web): State<Arc<Web>>,
    Extension(arrival): Extension<Arrival>,
    before: Option<Extension<SessionToken>>,
    Query(answer): Query<Answer>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let kept = token(Keeping::Attempt, &headers, arrival, web.port);
    let begun: Option<Begun> = kept.and_then(|kept| {
        let bytes = URL_SAFE_NO_PAD.decode(secrecy::ExposeSecret::expose_secret(&kept)).ok()?;
        serde_json::from_slice(&bytes).ok()
    });
    let (attempt, to) = begun.map_or((None, String::new()), |begun| (Some(begun.attempt), begun.to));
    let to = local_path(&to);
    let redirect_uri = back(&web, arrival, &headers)?;
    let returning = Returning { redirect_uri, attempt, answer, from: Some(arrival.address) };
    let mut response = match ops::finish_openid(&web.app, &web.gate, returning).await {
        Ok(session) => enter(&web, arrival, before, &session, to).await?,
        Err(error) => refuse(&web, error.into(), to)?,
    };
    // It is spent, however it went.
    response.headers_mut().append(header::SET_COOKIE, cookie(Keeping::Attempt, None, arrival, web.port)?);
    Ok(response)
}

/// The address of this server as the browser knows it, that the provider has to know too.
fn back(web: &Web, arrival: Arrival, headers: &HeaderMap) -> Result<String, Problem> {
    if let Some(public) = &web.app.config.server.public_url {
        return Ok(format!("{}{BACK}", public.origin));
    }
    // The guard lets names of this server through only.
    let host = headers.get(header::HOST).map(HeaderValue::to_str);
    let host = host.and_then(Result::ok).ok_or_else(Problem::panicked)?;
    let scheme = if arrival.is_secure { "https" } else { "http" };
    Ok(format!("{scheme}://{host}{BACK}"))
}
