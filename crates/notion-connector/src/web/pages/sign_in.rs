//! Pages to sign in and out, and where a one-time link leads.
//!
//! Ways to sign in that lead elsewhere (a provider's page) are listed by [`ways`].

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::{ExposeSecret, SecretString};
use url::{Url, form_urlencoded};

use super::Sentence;
use crate::model::KeyScope;
use crate::ops::{self, Identity, SignIn};
use crate::web::Web;
use crate::web::assets::Assets;
use crate::web::body::Form;
use crate::web::caller::SessionToken;
use crate::web::guard::Arrival;
use crate::web::problem::Problem;
use crate::web::session::{Keeping, cookie};

/// Who is signed in, as pages show it.
pub(in crate::web) struct SignedIn {
    /// Their name.
    pub(in crate::web) name: String,
    /// What the page's forms carry.
    pub(in crate::web) form_token: String,
}

impl SignedIn {
    /// Of a request that came with a session.
    pub(in crate::web) fn of(caller: &crate::model::Caller, session: Option<&SessionToken>) -> Option<Self> {
        let SessionToken(token) = session?;
        Some(Self { name: caller.actor.to_string(), form_token: ops::form_token(token) })
    }
}

/// A way to sign in that leads elsewhere.
struct Way {
    label: String,
    address: String,
}

/// The ways that there are beside a password.
fn ways(web: &Web, to: &str) -> Vec<Way> {
    let to = form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
    let openid = ops::openid_label(&web.app)
        .map(|label| Way { label: label.to_owned(), address: format!("/sign-in/openid?{to}") });
    openid.into_iter().collect()
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    assets: &'static Assets,
    ways: Vec<Way>,
    /// What went wrong with the attempt before.
    problem: Option<Sentence<'a>>,
    user_name: &'a str,
    to: &'a str,
}

impl<'a> SignInPage<'a> {
    fn to(web: &Web, to: &'a str) -> Self {
        Self { assets: Assets::get(), ways: ways(web, to), problem: None, user_name: "", to }
    }
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct WelcomePage<'a> {
    assets: &'static Assets,
    problem: Option<Sentence<'a>>,
    code: &'a str,
    user_name: &'a str,
}

/// Where to go when signed in: a place of this server, and no other one whatever it looks like to a browser.
pub(super) fn local_path(to: &str) -> &str {
    let here = "http://here.invalid";
    let Ok(base) = Url::parse(here) else { return "/" };
    // Browsers drop tabs and line feeds, and take \ for /; the parser does as they do.
    let is_plain = to.starts_with('/') && !to.contains('\\') && !to.chars().any(char::is_control);
    let stays = base.join(to).is_ok_and(|url| url.origin() == base.origin() && url.username().is_empty());
    if is_plain && stays && !to.starts_with("//") { to } else { "/" }
}

/// The page to sign in
///
/// Leads to `to`, a path of this server, when done; and at once where somebody is signed in already.
#[utoipa::path(
    get,
    path = "/sign-in",
    operation_id = "sign_in_page",
    tag = "page",
    params(("to" = Option<String>, Query, description = "Where to go then.")),
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html"),
        (status = 303, description = "Somebody is signed in.")
    )
)]
pub(in crate::web) async fn show(
    State(web): State<Arc<Web>>,
    identity: Option<Extension<Identity>>,
    uri: Uri,
) -> Result<Response, Problem> {
    let query = uri.query().unwrap_or_default();
    let to = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "to").map(|(_, to)| to);
    let to = to.unwrap_or_default();
    if identity.is_some() {
        return Ok(Redirect::to(local_path(&to)).into_response());
    }
    super::render(&SignInPage::to(&web, local_path(&to)))
}

/// Sign in
///
/// By user name and password, as a form. What was wrong with them is not told.
#[utoipa::path(
    post,
    path = "/sign-in",
    operation_id = "sign_in",
    tag = "page",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`user_name`, `password`, `to`."),
    responses(
        (status = 303, description = "The session's cookie, and where to go."),
        (status = 401, description = "The page again: the user name or the password is wrong.", body = String, content_type = "text/html"),
        (status = 403, description = "A page of another origin asked."),
        (status = 415, description = "The body is no form."),
        (status = 429, description = "The page again: there were too many attempts.", body = String, content_type = "text/html")
    )
)]
pub(in crate::web) async fn submit(
    State(web): State<Arc<Web>>,
    Extension(arrival): Extension<Arrival>,
    before: Option<Extension<SessionToken>>,
    form: Form,
) -> Result<Response, Problem> {
    if !arrival.names_origin {
        return Err(Problem::cross_origin());
    }
    let (user_name, to) = (form.text("user_name"), form.text("to"));
    let wish = SignIn {
        user_name: user_name.clone(),
        password: form.secret("password"),
        from: Some(arrival.address),
    };
    match ops::sign_in(&web.app, &web.gate, wish).await.map_err(Problem::from) {
        Ok(token) => enter(&web, arrival, before, &token, local_path(&to)).await,
        Err(problem) if is_told_here(&problem) => {
            let page = SignInPage::to(&web, local_path(&to));
            again(
                &problem,
                &SignInPage { problem: Some(Sentence(problem.message())), user_name: &user_name, ..page },
            )
        }
        Err(problem) => Err(problem),
    }
}

/// Where a one-time link leads
///
/// What opens the door stands behind the `#` of the link, which browsers send to nobody; the page's script puts it into the form.
#[utoipa::path(
    get,
    path = "/welcome",
    operation_id = "welcome_page",
    tag = "page",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html"))
)]
pub(in crate::web) async fn welcome() -> Result<Response, Problem> {
    super::render(&WelcomePage { assets: Assets::get(), problem: None, code: "", user_name: "" })
}

/// Use a one-time link
///
/// Sets the password of whom it is for; the first one makes the first administrator.
#[utoipa::path(
    post,
    path = "/welcome",
    operation_id = "use_one_time_link",
    tag = "page",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`code`, `user_name`, `password`, `again`."),
    responses(
        (status = 303, description = "The session's cookie, and where to go."),
        (status = 401, description = "The page again: the link opens nothing.", body = String, content_type = "text/html"),
        (status = 403, description = "A page of another origin asked."),
        (status = 400, description = "The page again: the password is none, or the link is somebody else's.", body = String, content_type = "text/html"),
        (status = 415, description = "The body is no form."),
        (status = 429, description = "The page again: there were too many attempts.", body = String, content_type = "text/html")
    )
)]
pub(in crate::web) async fn accept(
    State(web): State<Arc<Web>>,
    Extension(arrival): Extension<Arrival>,
    before: Option<Extension<SessionToken>>,
    form: Form,
) -> Result<Response, Problem> {
    if !arrival.names_origin {
        return Err(Problem::cross_origin());
    }
    let (code, user_name) = (form.text("code"), form.text("user_name"));
    let link = SecretString::from(code.trim());
    let wish = SignIn {
        user_name: user_name.trim().to_owned(),
        password: form.secret("password"),
        from: Some(arrival.address),
    };
    let accepted = if form.is_same("password", "again") {
        ops::accept_link(&web.app, &web.gate, link, wish).await.map_err(Problem::from)
    } else {
        let message = "the two passwords differ";
        Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_parameters", message.to_owned()))
    };
    match accepted {
        Ok(token) => enter(&web, arrival, before, &token, "/").await,
        Err(problem) if is_told_here(&problem) => {
            let page = WelcomePage {
                assets: Assets::get(),
                problem: Some(Sentence(problem.message())),
                code: &code,
                user_name: &user_name,
            };
            again(&problem, &page)
        }
        Err(problem) => Err(problem),
    }
}

pub(super) fn is_told_here(problem: &Problem) -> bool {
    matches!(problem.status().as_u16(), 400 | 401 | 429)
}

/// The page to sign in, with what was wrong with another way.
pub(super) fn refuse(web: &Web, problem: Problem, to: &str) -> Result<Response, Problem> {
    if !is_told_here(&problem) {
        return Err(problem);
    }
    again(&problem, &SignInPage { problem: Some(Sentence(problem.message())), ..SignInPage::to(web, to) })
}

/// The page once more, with what was wrong. It is no [`Problem`] any more: nothing is to make another page of it.
pub(super) fn again(problem: &Problem, page: &impl Template) -> Result<Response, Problem> {
    let mut response = super::render(page)?;
    *response.status_mut() = problem.status();
    response.extensions_mut().insert(crate::web::problem::Rendered);
    if let Some(seconds) = problem.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

/// Gives the browser its session, and ends the one that it had.
pub(in crate::web) async fn enter(
    web: &Arc<Web>,
    arrival: Arrival,
    before: Option<Extension<SessionToken>>,
    token: &SecretString,
    to: &str,
) -> Result<Response, Problem> {
    if let Some(Extension(SessionToken(old))) = before {
        let from = Some(arrival.address);
        web.blocking(move |web| match ops::identify_session(&web.app, &old, from)? {
            Some(identity) => end(web, &identity, &old),
            None => Ok(()),
        })
        .await?;
    }
    let hours = web.app.config.server.session_hours;
    let kept = Some((token.expose_secret(), i64::from(hours) * 60));
    let cookie = cookie(Keeping::Session, kept, arrival, web.port)?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response())
}

fn end(web: &Web, identity: &Identity, token: &SecretString) -> Result<(), ops::OpsError> {
    // A session is of no key: it opens every part.
    identity.within(KeyScope::Search).map_or(Ok(()), |caller| ops::sign_out(&web.app, token, &caller))
}

/// Sign out
///
/// Ends the session of the browser; with `everywhere`, all of the person's.
#[utoipa::path(
    post,
    path = "/sign-out",
    operation_id = "sign_out",
    tag = "page",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`token` of the form; `everywhere`."),
    responses(
        (status = 303, description = "The cookie is taken away, and where to go."),
        (status = 403, description = "The form is of another session, or a page of another origin asked."),
        (status = 415, description = "The body is no form.")
    )
)]
pub(in crate::web) async fn sign_out(
    State(web): State<Arc<Web>>,
    Extension(arrival): Extension<Arrival>,
    session: Option<Extension<SessionToken>>,
    identity: Option<Extension<Identity>>,
    form: Form,
) -> Result<Response, Problem> {
    if let (Some(Extension(SessionToken(token))), Some(Extension(identity))) = (session, identity) {
        if !ops::is_form_token(&token, &form.text("token")) {
            return Err(Problem::cross_origin());
        }
        let everywhere = !form.text("everywhere").is_empty();
        let end = move |web: &Web| match identity.within(KeyScope::Search) {
            Some(caller) if everywhere => ops::sign_out_everywhere(&web.app, &caller).map(|_| ()),
            _ => end(web, &identity, &token),
        };
        web.blocking(end).await?;
    }
    let cookie = cookie(Keeping::Session, None, arrival, web.port)?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_led_to_places_of_this_server_only() {
        for good in ["/", "/search?q=a+b&kind=page", "/search?q=https://example.org/", "/a//b"] {
            assert_eq!(local_path(good), good);
        }
        for bad in [
            "",
            "search",
            "//example.org",
            "///example.org",
            "/\\example.org",
            "\\\\example.org",
            "https://example.org",
            "javascript:alert(1)",
            "/\t/example.org",
            "/\n/example.org",
            " //example.org",
            "@example.org",
        ] {
            assert_eq!(local_path(bad), "/", "{bad:?}");
        }
    }
}
