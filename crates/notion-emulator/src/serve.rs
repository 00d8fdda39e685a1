//! Routers and listeners. The routers work without a socket too; `serve` only puts them on two ports.

use std::future::Future;

use axum::Router;
use axum::extract::Request;
use http::{Extensions, HeaderMap, StatusCode, Version};
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;

use crate::control;
use crate::emulator::Emulator;

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

    /// The file host.
    pub fn files_router(&self) -> Router {
        let emulator = self.clone();
        Router::new().fallback(move |request: Request| {
            let response = emulator.handle_file(&request);
            async move { response }
        })
    }

    /// Says where the file host is, for the signed URLs to come.
    pub fn set_files_url(&self, origin: &str) {
        self.inner.signer.set_origin(origin);
    }

    /// Serves both on their listeners, and sends webhooks, until `shutdown` is ready; then answers what is under way and returns.
    ///
    /// # Errors
    /// If a listener fails.
    pub async fn serve(
        &self,
        listener: TcpListener,
        files_listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + Clone + 'static,
    ) -> Result<(), ServeError> {
        self.set_files_url(&format!("http://{}", files_listener.local_addr()?));
        let api = axum::serve(listener, self.router()).with_graceful_shutdown(shutdown.clone());
        let files = axum::serve(files_listener, self.files_router()).with_graceful_shutdown(shutdown);
        let both = async { tokio::try_join!(api.into_future(), files.into_future()) };
        tokio::select! {
            biased;
            served = both => served.map(|_| ()).map_err(ServeError::from),
            () = self.keep_delivering() => Ok(()),
        }
    }
}
