//! Who asks.
//!
//! [`identify`] finds out whom a request speaks for; [`within`] marks which part of the server a route belongs to, and lets
//! nobody through whom it does not know or whose key does not open that part. What they may do there, verbs judge.
//!
//! What names somebody, the first that is there: a key; where nobody signs in, the machine itself; the proxy that is believed; a
//! session's cookie. Browsers send the last two by themselves, so that with them a request that changes something has to say
//! which page it is from.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;

use super::Web;
use super::guard::Arrival;
use super::problem::{Problem, wants_json};
use super::sample;
use super::session::{self, Keeping};
use crate::config::SignInChoice;
use crate::model::{Caller, KeyScope};
use crate::ops::{self, Identity};

/// Names the person that a key acts as.
const ACT_AS: &str = "x-act-as";

/// The token of the session that a request came with. It is in no log: its only printing is the cookie's.
#[derive(Clone)]
pub(super) struct SessionToken(pub(super) Arc<SecretString>);

/// Finds out whom the request speaks for, for [`within`] behind.
pub(super) async fn identify(
    State(web): State<Arc<Web>>,
    Extension(arrival): Extension<Arrival>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let headers = request.headers();
    let from = Some(arrival.address);
    let (act_as, key) = (act_as(headers)?, bearer(headers)?);
    if act_as.is_some() && key.is_none() {
        return Err(Problem::forbidden("X-Act-As is for keys that may act as people"));
    }
    let is_open = web.app.config.server.sign_in == SignInChoice::None;
    let named = named_by_proxy(&web, arrival, headers)?;
    let cookie = session::token(Keeping::Session, headers, arrival, web.port);
    if is_open && let Some(picked) = sample::pick(&web, arrival, request.uri()) {
        return picked;
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let identity = match (key, named, cookie) {
        (Some(key), ..) => {
            let known = move |web: &Web| ops::identify_key(&web.app, &key, act_as.as_deref(), from);
            Some(web.blocking(known).await?)
        }
        (None, _, kept) if is_open => Some(sample::identity(&web, kept, from).await?),
        (None, None, None) => None,
        _ if changes && !arrival.names_origin => return Err(Problem::cross_origin()),
        (None, Some(name), _) => {
            let known = web.blocking(move |web| ops::identify_named(&web.app, &name, from)).await?;
            let unknown = "the directory has no such active person: ask a security administrator";
            Some(known.ok_or_else(|| Problem::forbidden(unknown))?)
        }
        (None, None, Some(token)) => {
            let token = Arc::new(token);
            let of_session = Arc::clone(&token);
            let known = move |web: &Web| ops::identify_session(&web.app, &of_session, from);
            let known = web.blocking(known).await?;
            if known.is_some() {
                request.extensions_mut().insert(SessionToken(token));
            }
            known
        }
    };
    if let Some(identity) = identity {
        request.extensions_mut().insert(identity);
    }
    Ok(next.run(request).await)
}

/// Whom the proxy says it is, where it is one that is believed.
fn named_by_proxy(web: &Web, arrival: Arrival, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(name) = web.app.config.server.user_header().filter(|_| arrival.by_proxy) else {
        return Ok(None);
    };
    let mut given = headers.get_all(name).iter();
    let Some(user) = given.next() else { return Ok(None) };
    // Two of them, and one may be what the client wrote.
    match (std::str::from_utf8(user.as_bytes()), given.next()) {
        (Ok(user), None) => Ok(Some(user.trim()).filter(|user| !user.is_empty()).map(str::to_owned)),
        _ => Err(Problem::forbidden("the proxy names more than one user, or none that can be read")),
    }
}

/// The key that came with the request.
fn bearer(headers: &HeaderMap) -> Result<Option<SecretString>, Problem> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = given.next() else { return Ok(None) };
    let parted = value.to_str().ok().and_then(|text| text.split_once(' '));
    match (parted, given.next()) {
        (Some((scheme, key)), None) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(Some(SecretString::from(key.trim())))
        }
        _ => Err(Problem::not_identified("the header Authorization must be there once, as: Bearer nck_…")),
    }
}

fn act_as(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all(ACT_AS).iter();
    let Some(value) = given.next() else { return Ok(None) };
    // Names are of any script: as UTF-8.
    match (std::str::from_utf8(value.as_bytes()), given.next()) {
        (Ok(name), None) if !name.trim().is_empty() => Ok(Some(name.trim().to_owned())),
        _ => Err(Problem::forbidden("X-Act-As must be there once, with a user name")),
    }
}

/// Routes that only those reach who may ask this part of the server.
pub(super) fn within(scope: KeyScope, mut routes: OpenApiRouter<Arc<Web>>) -> OpenApiRouter<Arc<Web>> {
    for path in routes.get_openapi_mut().paths.paths.values_mut() {
        let operations =
            [&mut path.get, &mut path.post, &mut path.put, &mut path.patch, &mut path.delete, &mut path.head];
        operations.into_iter().flatten().for_each(|operation| describe(operation, scope));
    }
    routes.route_layer(from_fn_with_state(scope, admit))
}

fn describe(operation: &mut Operation, scope: KeyScope) {
    let key = SecurityRequirement::new("key", [scope.as_str()]);
    let session = SecurityRequirement::new("session", [] as [&str; 0]);
    operation.security = Some(vec![key, session]);
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("ProblemBody"))).build();
    let refused = ResponseBuilder::new()
        .description("Nobody is known as the one who asks.")
        .content("application/json", body)
        .build();
    operation.responses.responses.insert("401".to_owned(), RefOr::T(refused));
}

/// Lets through whom [`identify`] found, as they stand in this part. It stands before each route of it. A browser that nobody
/// is known to use is shown where to sign in.
pub(super) async fn admit(
    State(scope): State<KeyScope>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(identity) = request.extensions().get::<Identity>() else {
        let looks = matches!(*request.method(), Method::GET | Method::HEAD);
        if looks && !wants_json(request.uri().path()) {
            return Ok(to_sign_in(request.uri()).into_response());
        }
        return Err(Problem::not_identified("nobody is known as the one who asks: sign in, or bring a key"));
    };
    let Some(caller) = identity.within(scope) else {
        return Err(Problem::forbidden(&format!("this key does not have the scope {scope}")));
    };
    if identity.needs_person(scope) {
        let why = "this key searches as people: name one, by user name, in the header X-Act-As";
        return Err(Problem::forbidden(why));
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Where one signs in, and comes back from.
fn to_sign_in(uri: &Uri) -> Redirect {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    if path == "/" {
        return Redirect::to("/sign-in");
    }
    let to: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
    Redirect::to(&format!("/sign-in?to={to}"))
}

/// The one who asks; verbs judge what they may do.
pub(super) struct Asking(pub(super) Caller);

impl<S: Sync> FromRequestParts<S> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Caller>()
            .cloned()
            .map(Self)
            .ok_or_else(|| Problem::not_identified("nobody is known as the one who asks"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::body::Body;
    use axum::http::StatusCode;
    use http_body_util::BodyExt;
    use jiff::Timestamp;
    use tower::ServiceExt;

    use super::*;
    use crate::app::App;
    use crate::config::Config;
    use crate::data_dir::DataDir;
    use crate::model::{Actor, Change, ConnectorId, PersonId, Role, Viewer};
    use crate::runtime::Runtime;
    use crate::search::fixture::{cursor, page};
    use crate::sink::index::IndexSink;
    use crate::store::{NewConnector, Scope};
    use crate::web::{Web, router};

    /// Two pages that say "tide": one held by connector 1, one by connector 2.
    fn two_connectors() -> (tempfile::TempDir, Arc<Web>) {
        let directory = tempfile::tempdir().unwrap();
        let app =
            App::open(Config::default(), DataDir::create(&directory.path().join("data")).unwrap()).unwrap();
        let sink = IndexSink::open(&app.dir.index(), Runtime::real()).unwrap();
        let (one, mut two) = (page(1, "Tide tables", "tide"), page(2, "Tidal power", "tide"));
        two.holders = vec![ConnectorId(2)];
        let changes = [one, two].map(|delivery| Change::Upsert(Box::new(delivery)));
        sink.deliver_now(&changes, cursor(2)).unwrap();
        (directory, Web::new(Arc::new(app), 7350, tokio::sync::watch::channel(false).1))
    }

    async fn ask(web: &Arc<Web>, caller: Option<Caller>, path: &str) -> (StatusCode, String) {
        let routes = router::routes().0;
        let routes = match caller {
            Some(caller) => routes.layer(Extension(Identity::of(caller))),
            None => routes,
        };
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = routes.with_state(Arc::clone(web)).oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn mapped(connectors: &[i64]) -> Option<Caller> {
        Some(Caller {
            actor: Actor::Person { id: PersonId(1), name: "ana".to_owned() },
            roles: [Role::SearchUser].into_iter().collect(),
            viewer: Viewer::of_connectors(connectors.iter().copied().map(ConnectorId)),
            from: None,
        })
    }

    #[tokio::test]
    async fn every_mouth_of_search_shows_each_viewer_their_own_only() {
        let (_directory, web) = two_connectors();
        for (caller, expected) in [
            (Some(Caller::LOCAL_OPERATOR), 2),
            (mapped(&[1, 2]), 2),
            (mapped(&[2]), 1),
            (mapped(&[3]), 0),
            (mapped(&[]), 0),
        ] {
            let (_, json) = ask(&web, caller.clone(), "/api/v1/search?q=tide").await;
            let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(answer["total"], expected, "{caller:?}: {answer}");
            let (_, html) = ask(&web, caller.clone(), "/search?q=tide").await;
            assert_eq!(html.matches("class=\"hit\"").count(), expected, "{caller:?}: {html}");
            let count = format!("{expected} item");
            assert!(expected == 0 || html.contains(&count), "{caller:?}: {html}");
        }
        let (_, json) = ask(&web, mapped(&[2]), "/api/v1/search?q=tide").await;
        assert!(json.contains("Tidal power") && !json.contains("Tide tables"), "{json}");
    }

    #[tokio::test]
    async fn only_the_operator_sees_how_crawls_run_and_nobody_unnamed_sees_anything() {
        let (_directory, web) = two_connectors();
        for path in ["/api/v1/status", "/api/v1/crawls", "/api/v1/crawls/1"] {
            assert_eq!(ask(&web, mapped(&[1, 2]), path).await.0, StatusCode::FORBIDDEN, "{path}");
        }
        assert_eq!(ask(&web, Some(Caller::LOCAL_OPERATOR), "/api/v1/status").await.0, StatusCode::OK);
        for path in ["/", "/api/v1/search?q=tide", "/api/v1/items/00000000-0000-0000-0000-000000000001"] {
            let (status, body) = ask(&web, None, path).await;
            let expected = if path == "/" { StatusCode::SEE_OTHER } else { StatusCode::UNAUTHORIZED };
            assert_eq!((status, body.as_str()), (expected, ""), "{path}");
        }
    }

    /// Whoever was signed out meanwhile follows no longer than that.
    #[tokio::test(start_paused = true)]
    async fn a_crawl_that_waits_is_followed_for_ten_minutes() {
        let (_directory, web) = two_connectors();
        let (_sender, stop) = tokio::sync::watch::channel(false);
        let web = Web::new(Arc::clone(&web.app), 7350, stop);
        let (name, notion_url) = ("acme".to_owned(), "http://127.0.0.1".to_owned());
        let new =
            NewConnector { name, notion_url, sealed_secret: Vec::new(), created: Timestamp::UNIX_EPOCH };
        let connector = web.app.store.add_connector(&new).unwrap().unwrap();
        let id = web.app.store.add_crawl(connector, Scope::Full, "a test", Timestamp::UNIX_EPOCH).unwrap();
        let begun = tokio::time::Instant::now();
        let path = format!("/api/v1/crawls/{id}/events");
        let (status, told) = ask(&web, Some(Caller::LOCAL_OPERATOR), &path).await;
        assert_eq!((status, begun.elapsed().as_secs()), (StatusCode::OK, 600));
        assert!(told.matches("\"state\":\"queued\"").count() > 100, "{told}");
    }
}
