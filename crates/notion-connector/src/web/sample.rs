//! The demo's sample people: whoever looks at it picks who they are. There is nobody to pick anywhere else.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use super::Web;
use super::guard::Arrival;
use super::problem::Problem;
use super::session::{self, Keeping};
use crate::model::{Actor, Caller};
use crate::ops::{self, Identity};

/// How long a pick is kept.
const MINUTES: i64 = 24 * 60;

/// Somebody to be picked, as the page shows them.
pub(super) struct Pick {
    /// Their name.
    pub(super) name: String,
    /// Where they are picked.
    pub(super) address: String,
    /// Whether that is who looks.
    pub(super) is_picked: bool,
}

/// Those who can be picked, everyone first; nobody where there are no sample people. Whoever is picked looks at the page of this
/// address of now.
pub(super) fn picks(web: &Web, caller: &Caller, now: &str) -> Vec<Pick> {
    let people = &web.app.config.server.sample_people;
    if people.is_empty() {
        return Vec::new();
    }
    let everyone = ("", "Everyone, without audiences".to_owned());
    let named = people.iter().map(|(user_name, name)| (user_name.as_str(), name.clone()));
    let pick = |(user_name, name): (&str, String)| {
        let is_picked = match &caller.actor {
            Actor::Person { name, .. } => name == user_name,
            _ => user_name.is_empty(),
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("as", user_name).extend_pairs(pairs_of(now));
        let query = query.finish();
        Pick { name, address: format!("/?{query}"), is_picked }
    };
    std::iter::once(everyone).chain(named).map(pick).collect()
}

/// The parameters of an address.
fn pairs_of(address: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(address.split_once('?').map_or("", |(_, query)| query).as_bytes())
}

/// Who is picked by an address of [`picks`]: the answer that leads to the page with the pick kept.
pub(super) fn pick(web: &Web, arrival: Arrival, uri: &Uri) -> Option<Result<Response, Problem>> {
    let people = &web.app.config.server.sample_people;
    if people.is_empty() || uri.path() != "/" {
        return None;
    }
    let query = || form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let picked = query().find(|(name, _)| name == "as")?.1;
    let kept = people.iter().find(|(user_name, _)| *user_name == picked).map(|(user_name, _)| user_name);
    let kept = kept.map(|user_name| (user_name.as_str(), MINUTES));
    let cookie = session::cookie(Keeping::Session, kept, arrival, web.port);
    let mut shown = form_urlencoded::Serializer::new(String::new());
    let shown = shown.extend_pairs(query().filter(|(name, _)| name != "as")).finish();
    let page = if shown.is_empty() { None } else { HeaderValue::try_from(format!("/search?{shown}")).ok() };
    let page = page.unwrap_or(HOME);
    let lead = |cookie| {
        (StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie), (header::LOCATION, page)]).into_response()
    };
    Some(cookie.map(lead))
}

const HOME: HeaderValue = HeaderValue::from_static("/");

/// Whom a request speaks for: who was picked, or the operator.
pub(super) async fn identity(
    web: &Arc<Web>,
    kept: Option<SecretString>,
    from: Option<IpAddr>,
) -> Result<Identity, Problem> {
    let people = &web.app.config.server.sample_people;
    let kept = kept.as_ref().map(ExposeSecret::expose_secret);
    let picked =
        people.iter().find(|(user_name, _)| kept == Some(user_name)).map(|(user_name, _)| user_name.clone());
    let Some(picked) = picked else { return Ok(Identity::of(Caller { from, ..Caller::LOCAL_OPERATOR })) };
    let known = web.blocking(move |web| ops::identify_named(&web.app, &picked, from)).await?;
    known.ok_or_else(|| Problem::forbidden("the directory does not have this sample person"))
}
