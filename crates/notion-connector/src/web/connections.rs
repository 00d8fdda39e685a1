//! Connections of the listeners: bounded in number, in the time that a handshake and headers may take, and in bytes of headers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::tls::Certificate;
use crate::runtime::Runtime;

/// How long a handshake may take, how long a request's headers may, and how long a connection may be silent.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause after a connection could not be taken: too many files are open, for example.
const PAUSE: Duration = Duration::from_millis(200);

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// At once; more wait.
    pub(super) connections: usize,
    /// How long one lives, however busy.
    pub(super) life: Duration,
    /// Bytes of the first line and all headers.
    pub(super) header_bytes: usize,
}

/// Stands in requests that came over TLS.
#[derive(Debug, Clone, Copy)]
pub(super) struct OverTls;

/// Takes connections until `stop` says so; those that have asked are answered.
pub(super) async fn serve(
    runtime: &Runtime,
    listener: TcpListener,
    certificate: Option<Arc<Certificate>>,
    router: Router,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
) {
    let free = Arc::new(Semaphore::new(bounds.connections));
    let mut connections = JoinSet::new();
    let ended = stop.clone();
    let taking = async {
        loop {
            while connections.try_join_next().is_some() {}
            let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
            let Ok((stream, peer)) = listener.accept().await else {
                runtime.sleep(PAUSE).await;
                continue;
            };
            let (router, certificate, ended) = (router.clone(), certificate.clone(), ended.clone());
            connections.spawn(async move {
                let talk = converse(stream, peer, certificate, router, bounds, ended);
                // An end before its time is the other side's matter.
                let _ = tokio::time::timeout(bounds.life, talk).await;
                drop(permit);
            });
        }
    };
    tokio::select! {
        () = taking => {}
        // An error means that nobody is left who could say it: the same.
        _ = stop.wait_for(|stop| *stop) => {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    certificate: Option<Arc<Certificate>>,
    router: Router,
    bounds: Bounds,
    stop: watch::Receiver<bool>,
) {
    // Answers are short, and whoever asks waits for all of one.
    let _ = stream.set_nodelay(true);
    let Some(certificate) = certificate else { return talk(stream, peer, false, router, bounds, stop).await };
    if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, certificate.acceptor().accept(stream)).await {
        talk(stream, peer, true, router, bounds, stop).await;
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    is_tls: bool,
    router: Router,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
) {
    let named = router.map_request(move |mut request: Request<_>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        if is_tls {
            request.extensions_mut().insert(OverTls);
        }
        request.map(Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(bounds.header_bytes)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(named));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
