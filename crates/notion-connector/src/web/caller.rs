//! Who asks: the one place that sign-in will change.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use super::problem::Problem;
use crate::model::Caller;

/// Names the one who asks, for the handlers behind. Whoever comes from this machine is its operator; nobody else is
/// heard.
pub(super) async fn identify(mut request: Request, next: Next) -> Result<Response, Problem> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    if !peer.is_some_and(|peer| peer.ip().is_loopback()) {
        return Err(Problem::forbidden("this server answers requests from its own machine only"));
    }
    request.extensions_mut().insert(Caller::LOCAL_OPERATOR);
    Ok(next.run(request).await)
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
            .ok_or_else(|| Problem::forbidden("nobody is named as the one who asks"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use axum::Extension;
    use axum::body::Body;
    use axum::http::StatusCode;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::app::App;
    use crate::config::Config;
    use crate::data_dir::DataDir;
    use crate::model::{Actor, Change, ConnectorId, PersonId, Role, Viewer};
    use crate::runtime::Runtime;
    use crate::search::fixture::{cursor, page};
    use crate::sink::index::IndexSink;
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
        (directory, Web::new(Arc::new(app), tokio::sync::watch::channel(false).1))
    }

    async fn ask(web: &Arc<Web>, caller: Option<Caller>, path: &str) -> (StatusCode, String) {
        let routes = router::routes().0;
        let routes = match caller {
            Some(caller) => routes.layer(Extension(caller)),
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
            viewer: Viewer::Mapped(connectors.iter().copied().map(ConnectorId).collect::<BTreeSet<_>>()),
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
            assert_eq!((status, body.as_str()), (StatusCode::FORBIDDEN, ""), "{path}");
        }
    }

    #[tokio::test]
    async fn a_peer_that_is_not_on_this_machine_is_not_heard() {
        let (_directory, web) = two_connectors();
        for (peer, expected) in [("192.0.2.7:1", StatusCode::FORBIDDEN), ("127.0.0.1:1", StatusCode::OK)] {
            let mut request = Request::builder()
                .uri("/healthz")
                .header("host", "127.0.0.1:7350")
                .body(Body::empty())
                .unwrap();
            request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
            let response = router::router(Arc::clone(&web), 7350).oneshot(request).await.unwrap();
            assert_eq!(response.status(), expected, "{peer}");
        }
    }
}
