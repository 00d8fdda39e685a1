//! The listener for Notion's events: one route, and 404 for all else.
//!
//! Unlike the rest of the server it can be reached from other machines, so it trusts nobody: who speaks to it has a bounded time,
//! body, headers and number of connections, and learns nothing but a status. What is believed is decided in `ops`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use super::connections::{self, Bounds};
use crate::app::App;
use crate::ops::{self, OpsError, Received};

/// Bytes of a body. An event names the blocks that changed, some hundred bytes each.
const MAX_BODY_BYTES: usize = 256 << 10;
/// A proxy brings all of them from one address.
const BOUNDS: Bounds = Bounds {
    connections: 128,
    of_address: 128,
    spared: Vec::new(),
    life: Duration::from_secs(300),
    header_bytes: 16 << 10,
};
/// Requests that are worked on at once; more wait.
const WORKING_AT_ONCE: usize = 8;
/// How long a request may take once its headers are read, its body included.
const PATIENCE: Duration = Duration::from_secs(15);

struct Endpoint {
    app: Arc<App>,
    working: Semaphore,
}

/// Serves until `stop` says so.
pub async fn serve_webhooks(app: Arc<App>, listener: TcpListener, stop: watch::Receiver<bool>) {
    let router = router(Arc::clone(&app));
    connections::serve(&app.runtime, listener, None, router, BOUNDS, stop).await;
}

fn router(app: Arc<App>) -> Router {
    let endpoint = Arc::new(Endpoint { app, working: Semaphore::new(WORKING_AT_ONCE) });
    let nothing = async || StatusCode::NOT_FOUND;
    Router::new()
        .route(&format!("{}{{id}}", ops::WEBHOOKS), post(receive))
        .fallback(nothing)
        .method_not_allowed_fallback(nothing)
        .layer(RequestBodyLimitLayer::new(MAX_BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, PATIENCE))
        .with_state(endpoint)
}

async fn receive(
    State(endpoint): State<Arc<Endpoint>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let Ok(_permit) = endpoint.working.acquire().await else { return StatusCode::SERVICE_UNAVAILABLE };
    let app = Arc::clone(&endpoint.app);
    let work = move || {
        let signature = headers.get("x-notion-signature").map(HeaderValue::as_bytes);
        ops::receive_webhook(&app, &id, signature, &body)
    };
    match endpoint.app.runtime.blocking(work).await {
        Ok(received) => status_of(received),
        Err(error) => {
            log(&error);
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

fn log(error: &OpsError) {
    tracing::error!(%error, "an event could not be written down; Notion sends it again");
}

const fn status_of(received: Received) -> StatusCode {
    match received {
        Received::Token | Received::Event => StatusCode::OK,
        Received::Nowhere => StatusCode::NOT_FOUND,
        Received::Malformed => StatusCode::BAD_REQUEST,
        Received::Unsigned => StatusCode::UNAUTHORIZED,
        Received::Unwanted => StatusCode::FORBIDDEN,
    }
}
