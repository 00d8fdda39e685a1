//! The seam between requests and the network. [`HttpTransport`] is the real one; a test answers in process.
//!
//! Invariants: an answer is read whole and bounded before anybody sees it; redirects are answers, never followed, so
//! that the secret goes nowhere but where the request says; no error names a header.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};

/// Sends one request and reads its answer.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends `request`, whose URI is absolute, and returns the whole answer whatever its status.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError>;
}

/// Why no answer came.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct TransportError {
    kind: TransportErrorKind,
    detail: String,
}

/// How the way to Notion failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TransportErrorKind {
    /// No connection: name, route, port, or TLS.
    Connect,
    /// No answer in time.
    Timeout,
    /// The answer ended early.
    BodyCut,
    /// The answer is larger than the limit.
    TooLarge,
    /// Anything else.
    Other,
}

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "cannot connect (check the network, the proxy and the base URL)",
            Self::Timeout => "no answer in time",
            Self::BodyCut => "the answer ended early",
            Self::TooLarge => "the answer is larger than allowed",
            Self::Other => "the request failed",
        })
    }
}

impl TransportError {
    /// An error; `detail` must not hold a secret.
    pub fn new(kind: TransportErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// How the way to Notion failed.
    #[must_use]
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

/// Limits of [`HttpTransport`].
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Until a connection stands.
    pub connect_timeout: Duration,
    /// Until the answer is read whole. Notion's own deadline is 55 s (developers.notion.com "request-limits"), and its
    /// 503 says more than our timeout would.
    pub request_timeout: Duration,
    /// Largest body, counted after decompression. A page of Markdown of 20,000 blocks is a few megabytes.
    pub max_body_bytes: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(65),
            max_body_bytes: 64 << 20,
        }
    }
}

/// The network.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    /// Through the proxy that the environment names, if it does.
    outward: reqwest::Client,
    /// To this machine, where a proxy would be wrong.
    loopback: reqwest::Client,
    max_body_bytes: usize,
}

impl HttpTransport {
    /// Builds the two connection pools.
    ///
    /// # Errors
    /// When the TLS library cannot be set up on this machine.
    pub fn new(settings: &HttpSettings) -> Result<Self, TransportError> {
        let build = |direct: bool| {
            let mut builder = reqwest::Client::builder()
                .tls_backend_preconfigured(tls_settings()?)
                .connect_timeout(settings.connect_timeout)
                .timeout(settings.request_timeout)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("notion-connector/", env!("CARGO_PKG_VERSION")))
                .pool_idle_timeout(Duration::from_secs(60))
                .tcp_nodelay(true);
            if direct {
                builder = builder.no_proxy();
            }
            builder.build().map_err(|error| TransportError::new(TransportErrorKind::Other, chain(&error)))
        };
        Ok(Self { outward: build(false)?, loopback: build(true)?, max_body_bytes: settings.max_body_bytes })
    }
}

/// TLS by rustls with *ring*, named here instead of installed for the whole process, which may use another provider.
fn tls_settings() -> Result<rustls::ClientConfig, TransportError> {
    use rustls_platform_verifier::BuilderVerifierExt as _;
    let broken =
        |error: rustls::Error| TransportError::new(TransportErrorKind::Other, format!("TLS: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(broken)?;
    Ok(builder.with_platform_verifier().map_err(broken)?.with_no_client_auth())
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let client = if is_loopback(request.uri().host().unwrap_or_default()) {
            &self.loopback
        } else {
            &self.outward
        };
        let request = reqwest::Request::try_from(request).map_err(|error| classified(&error))?;
        let mut answer = client.execute(request).await.map_err(|error| classified(&error))?;
        let too_large = || {
            let limit = self.max_body_bytes;
            TransportError::new(TransportErrorKind::TooLarge, format!("more than {limit} bytes"))
        };
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| classified(&error))? {
            if body.len() + chunk.len() > self.max_body_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

/// Whether a host of a URI is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn classified(error: &reqwest::Error) -> TransportError {
    let kind = if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_body() || error.is_decode() {
        TransportErrorKind::BodyCut
    } else {
        TransportErrorKind::Other
    };
    TransportError::new(kind, chain(error))
}

/// The causes of an error, without the address that reqwest adds: it may hold a cursor.
fn chain(error: &dyn std::error::Error) -> String {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    if causes.is_empty() { "no further detail".to_owned() } else { causes.join(": ") }
}
