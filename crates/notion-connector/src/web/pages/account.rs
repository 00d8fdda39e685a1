//! One's own account: another password.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::Sentence;
use super::sign_in::{SignedIn, again, enter, is_told_here};
use crate::model::{Caller, KeyScope};
use crate::ops::{self, Identity};
use crate::web::Web;
use crate::web::assets::Assets;
use crate::web::body::Form;
use crate::web::caller::SessionToken;
use crate::web::guard::Arrival;
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    assets: &'static Assets,
    who: SignedIn,
    problem: Option<Sentence<'a>>,
}

/// Who came with a session, and as whom.
fn caller_of(session: Option<&SessionToken>, identity: Option<&Identity>) -> Option<(Caller, SignedIn)> {
    let caller = identity?.within(KeyScope::Search)?;
    let who = SignedIn::of(&caller, session)?;
    Some((caller, who))
}

/// One's own account
#[utoipa::path(
    get,
    path = "/account",
    operation_id = "account_page",
    tag = "page",
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html"),
        (status = 303, description = "Nobody is signed in by a session.")
    )
)]
pub(in crate::web) async fn show(
    session: Option<Extension<SessionToken>>,
    identity: Option<Extension<Identity>>,
) -> Result<Response, Problem> {
    match caller_of(session.as_deref(), identity.as_deref()) {
        Some((_, who)) => super::render(&AccountPage { assets: Assets::get(), who, problem: None }),
        None => Ok(Redirect::to("/sign-in?to=%2Faccount").into_response()),
    }
}

/// Change one's password
///
/// For the one of now. All sessions of the person end, and the browser that asked gets a new one.
#[utoipa::path(
    post,
    path = "/account",
    operation_id = "change_password",
    tag = "page",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`token` of the form, `old`, `password`, `again`."),
    responses(
        (status = 303, description = "The new session's cookie, and where to go."),
        (status = 401, description = "The page again: the password of now is another one.", body = String, content_type = "text/html"),
        (status = 403, description = "The form is of another session, nobody is signed in, or a page of another origin asked."),
        (status = 400, description = "The page again: the new password is none.", body = String, content_type = "text/html"),
        (status = 415, description = "The body is no form."),
        (status = 429, description = "The page again: there were too many attempts.", body = String, content_type = "text/html")
    )
)]
pub(in crate::web) async fn change(
    State(web): State<Arc<Web>>,
    Extension(arrival): Extension<Arrival>,
    session: Option<Extension<SessionToken>>,
    identity: Option<Extension<Identity>>,
    form: Form,
) -> Result<Response, Problem> {
    let known = caller_of(session.as_deref(), identity.as_deref());
    let (Some((caller, who)), Some(Extension(SessionToken(token)))) = (known, session) else {
        return Err(Problem::forbidden("nobody is signed in"));
    };
    if !ops::is_form_token(&token, &form.text("token")) {
        return Err(Problem::cross_origin());
    }
    let changed = if form.is_same("password", "again") {
        let (old, new) = (form.secret("old"), form.secret("password"));
        ops::change_password(&web.app, &web.gate, caller, old, new).await.map_err(Problem::from)
    } else {
        let message = "the two passwords differ";
        Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_parameters", message.to_owned()))
    };
    match changed {
        // The session before has ended with all others.
        Ok(token) => enter(&web, arrival, None, &token, "/").await,
        Err(problem) if is_told_here(&problem) => {
            let page = AccountPage { assets: Assets::get(), who, problem: Some(Sentence(problem.message())) };
            again(&problem, &page)
        }
        Err(problem) => Err(problem),
    }
}
