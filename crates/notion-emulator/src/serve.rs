//! Routers and listeners. The routers work without a socket too; `serve` only puts them on three ports.

use std::future::Future;

use axum::Router;
use axum::extract::Request;
use http::{Extensions, HeaderMap, StatusCode, Version};
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;

use crate::control;
use crate::emulator::Emulator;
use crate::files::Host;

/// Marks an answer that is compressed if the client accepts it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compressible;

/// Why serving ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A listener failed.
    #[error("the emulator's listener failed")]
    Listener(#[from] std::io::Error),
}

/// Where an emulator listens.
#[derive(Debug)]
pub struct Listeners {
    /// The API.
    pub api: TcpListener,
    /// The host of signed URLs.
    pub files: TcpListener,
    /// The host of external files.
    pub external: TcpListener,
}

impl Listeners {
    /// All on free ports of this machine.
    ///
    /// # Errors
    /// If there is none.
    pub async fn loopback() -> std::io::Result<Self> {
        let free = || TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0));
        Ok(Self { api: free().await?, files: free().await?, external: free().await? })
    }
}

impl Emulator {
    /// The API and, below `/_emulator/`, the control API.
    pub fn router(&self) -> Router {
        let api = self.clone();
        Router::new()
            .nest("/_emulator", control::router())
            .fallback_service(tower::service_fn(move |request: Request| api.clone().handle(request)))
            .with_state(self.clone())
            .layer(CompressionLayer::new().compress_when(
                |_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions| {
                    extensions.get::<Compressible>().is_some()
                },
            ))
    }

    /// The host of signed URLs.
    pub fn files_router(&self) -> Router {
        self.router_of(Host::Notion)
    }

    /// The host of external files.
    pub fn external_router(&self) -> Router {
        self.router_of(Host::External)
    }

    fn router_of(&self, host: Host) -> Router {
        let emulator = self.clone();
        Router::new().fallback(move |request: Request| emulator.clone().handle_file(host, request))
    }

    /// Says where the file host is, for the signed URLs to come.
    pub fn set_files_url(&self, origin: &str) {
        self.inner.signer.set_origin(origin);
    }

    /// Says where the host of external files is.
    pub fn set_external_url(&self, origin: &str) {
        self.inner.signer.set_external_origin(origin);
    }

    /// Serves all on their listeners, and sends webhooks, until `shutdown` is ready; then answers what is under way and returns.
    ///
    /// # Errors
    /// If a listener fails.
    pub async fn serve(
        &self,
        listeners: Listeners,
        shutdown: impl Future<Output = ()> + Send + Clone + 'static,
    ) -> Result<(), ServeError> {
        self.set_files_url(&format!("http://{}", listeners.files.local_addr()?));
        self.set_external_url(&format!("http://{}", listeners.external.local_addr()?));
        let api = axum::serve(listeners.api, self.router()).with_graceful_shutdown(shutdown.clone());
        let files =
            axum::serve(listeners.files, self.files_router()).with_graceful_shutdown(shutdown.clone());
        let external =
            axum::serve(listeners.external, self.external_router()).with_graceful_shutdown(shutdown);
        let all = async { tokio::try_join!(api.into_future(), files.into_future(), external.into_future()) };
        tokio::select! {
            biased;
            served = all => served.map(|_| ()).map_err(ServeError::from),
            () = self.keep_delivering() => Ok(()),
        }
    }
}
