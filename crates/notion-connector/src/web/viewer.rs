//! Who asks: the one place that sign-in will change.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use super::problem::Problem;
use crate::model::Viewer;

/// Names the one who asks, for the handlers behind. Whoever comes from this machine is its operator; nobody else is
/// heard.
pub(super) async fn identify(mut request: Request, next: Next) -> Result<Response, Problem> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    if !peer.is_some_and(|peer| peer.ip().is_loopback()) {
        return Err(Problem::forbidden("this server answers requests from its own machine only"));
    }
    request.extensions_mut().insert(Viewer::LocalOperator);
    Ok(next.run(request).await)
}

/// The one who asks, for handlers whose answers depend on it.
pub(super) struct Asking(pub(super) Viewer);

impl<S: Sync> FromRequestParts<S> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Viewer>()
            .cloned()
            .map(Self)
            .ok_or_else(|| Problem::forbidden("nobody is named as the one who asks"))
    }
}

/// Proof that the one who asks runs this installation, for handlers that show or change how it runs.
pub(super) struct Operator;

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Asking::from_request_parts(parts, state).await?.0 {
            Viewer::LocalOperator => Ok(Self),
            Viewer::Mapped(_) => {
                Err(Problem::forbidden("only an administrator may see or change how crawls run"))
            }
        }
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
    use crate::model::{Change, ConnectorId};
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

    async fn ask(web: &Arc<Web>, viewer: Option<Viewer>, path: &str) -> (StatusCode, String) {
        let routes = router::routes().0;
        let routes = match viewer {
            Some(viewer) => routes.layer(Extension(viewer)),
            None => routes,
        };
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = routes.with_state(Arc::clone(web)).oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn mapped(connectors: &[i64]) -> Option<Viewer> {
        Some(Viewer::Mapped(connectors.iter().copied().map(ConnectorId).collect::<BTreeSet<_>>()))
    }

    #[tokio::test]
    async fn every_mouth_of_search_shows_each_viewer_their_own_only() {
        let (_directory, web) = two_connectors();
        for (viewer, expected) in [
            (Some(Viewer::LocalOperator), 2),
            (mapped(&[1, 2]), 2),
            (mapped(&[2]), 1),
            (mapped(&[3]), 0),
            (mapped(&[]), 0),
        ] {
            let (_, json) = ask(&web, viewer.clone(), "/api/v1/search?q=tide").await;
            let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(answer["total"], expected, "{viewer:?}: {answer}");
            let (_, html) = ask(&web, viewer.clone(), "/search?q=tide").await;
            assert_eq!(html.matches("class=\"hit\"").count(), expected, "{viewer:?}: {html}");
            let count = format!("{expected} item");
            assert!(expected == 0 || html.contains(&count), "{viewer:?}: {html}");
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
        assert_eq!(ask(&web, Some(Viewer::LocalOperator), "/api/v1/status").await.0, StatusCode::OK);
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
