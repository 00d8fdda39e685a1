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
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;

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
    /// The server's certificate was not signed by an authority that is trusted here.
    Untrusted,
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
            Self::Untrusted => {
                "the server's certificate is not trusted (where a proxy opens TLS, name its certificate authority)"
            }
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

    /// What an error of the HTTP client means, without the address that it names.
    #[must_use]
    pub fn from_reqwest(error: &reqwest::Error) -> Self {
        let kind = if error.is_timeout() {
            TransportErrorKind::Timeout
        } else if is_untrusted(error) {
            TransportErrorKind::Untrusted
        } else if error.is_connect() {
            TransportErrorKind::Connect
        } else if error.is_body() || error.is_decode() {
            TransportErrorKind::BodyCut
        } else {
            TransportErrorKind::Other
        };
        Self::new(kind, chain(error))
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
    /// Certificates in PEM of authorities that are trusted beside those of the platform; empty for none. A company's
    /// proxy that opens TLS has one.
    pub extra_roots_pem: Vec<u8>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(65),
            max_body_bytes: 64 << 20,
            extra_roots_pem: Vec::new(),
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
    /// When the TLS library cannot be set up on this machine, or the extra authorities cannot be read.
    pub fn new(settings: &HttpSettings) -> Result<Self, TransportError> {
        let tls = tls_settings(&settings.extra_roots_pem)?;
        let build = |direct: bool| {
            let mut builder = reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
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

/// TLS by rustls with *ring*, named here instead of installed for the whole process, which may use another provider. The
/// platform's authorities are trusted, and those of this PEM file.
///
/// # Errors
/// When the TLS library cannot be set up on this machine, or the extra authorities cannot be read.
pub fn tls_settings(extra_roots_pem: &[u8]) -> Result<rustls::ClientConfig, TransportError> {
    let broken =
        |error: rustls::Error| TransportError::new(TransportErrorKind::Other, format!("TLS: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(certificates(extra_roots_pem)?, Arc::clone(&provider))
        .map_err(broken)?;
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(broken)?;
    // “Dangerous” is to bring a verifier of one's own; this is the platform's.
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// All certificates of a PEM file, which holds at least one unless it is empty.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let refused = |why: String| {
        TransportError::new(TransportErrorKind::Other, format!("the extra certificate authorities: {why}"))
    };
    let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| refused(error.to_string()))?;
    if found.is_empty() && !pem.is_empty() {
        return Err(refused("there is no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned()));
    }
    Ok(found)
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let client = if is_loopback(request.uri().host().unwrap_or_default()) {
            &self.loopback
        } else {
            &self.outward
        };
        let request =
            reqwest::Request::try_from(request).map_err(|error| TransportError::from_reqwest(&error))?;
        let mut answer =
            client.execute(request).await.map_err(|error| TransportError::from_reqwest(&error))?;
        let too_large = || {
            let limit = self.max_body_bytes;
            TransportError::new(TransportErrorKind::TooLarge, format!("more than {limit} bytes"))
        };
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| TransportError::from_reqwest(&error))? {
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

/// Whether a certificate of an unknown authority is among the causes. TLS errors travel inside of I/O errors.
fn is_untrusted(error: &dyn std::error::Error) -> bool {
    let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
    std::iter::successors(error.source(), |cause| cause.source())
        .filter_map(|cause| {
            cause.downcast_ref::<std::io::Error>()?.get_ref()?.downcast_ref::<rustls::Error>()
        })
        .any(|cause| *cause == unknown)
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::*;

    /// Answers each connection with `answer` and then closes it after `linger`. Gives the origin, and what was asked.
    async fn server(answer: Vec<u8>, linger: Duration) -> (String, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (asked, seen) = mpsc::channel(16);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, asked) = (answer.clone(), asked.clone());
                tokio::spawn(async move {
                    let mut request = vec![0; 64 << 10];
                    let length = stream.read(&mut request).await.unwrap_or(0);
                    let _ = asked.send(String::from_utf8_lossy(&request[..length]).into_owned()).await;
                    let _ = stream.write_all(&answer).await;
                    tokio::time::sleep(linger).await;
                });
            }
        });
        (origin, seen)
    }

    async fn ask(origin: &str, settings: &HttpSettings) -> Result<Response<Bytes>, TransportError> {
        let request = Request::builder()
            .uri(format!("{origin}/v1/users/me?start_cursor=private"))
            .header("authorization", "Bearer ntn_verysecret")
            .body(Bytes::new())
            .unwrap();
        HttpTransport::new(settings).unwrap().send(request).await
    }

    fn small() -> HttpSettings {
        HttpSettings {
            max_body_bytes: 100_000,
            request_timeout: Duration::from_millis(700),
            ..HttpSettings::default()
        }
    }

    fn answer(head: &str, body: &[u8]) -> Vec<u8> {
        [format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), body].concat()
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    /// Fails the way it should, and says nothing it should not.
    async fn assert_fails(answer: Vec<u8>, linger: Duration, kind: TransportErrorKind) {
        let (origin, _seen) = server(answer, linger).await;
        let error = ask(&origin, &small()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("verysecret") && !text.contains("private"), "{text}");
    }

    #[tokio::test]
    async fn an_answer_of_any_status_arrives_whole() {
        let html = b"<html>Bad gateway</html>";
        let (origin, mut seen) = server(
            answer("502 Bad Gateway\r\ncontent-length: 24\r\nx-notion-request-id: r-1", html),
            Duration::ZERO,
        )
        .await;
        let response = ask(&origin, &small()).await.unwrap();
        assert_eq!((response.status().as_u16(), &response.body()[..]), (502, &html[..]));
        assert_eq!(response.headers()["x-notion-request-id"], "r-1");
        let asked = seen.recv().await.unwrap();
        assert!(asked.starts_with("GET /v1/users/me?start_cursor=private HTTP/1.1"), "{asked}");
        let agent = concat!("user-agent: notion-connector/", env!("CARGO_PKG_VERSION"));
        assert!(asked.contains(agent) && asked.contains("gzip"), "{asked}");
    }

    #[tokio::test]
    async fn a_compressed_answer_is_decompressed() {
        let body = gzip(br#"{"object":"list"}"#);
        let head = format!("200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}", body.len());
        let (origin, _seen) = server(answer(&head, &body), Duration::ZERO).await;
        assert_eq!(&ask(&origin, &small()).await.unwrap().body()[..], br#"{"object":"list"}"#);
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_the_secret_goes_nowhere_else() {
        let (elsewhere, mut seen) = server(answer("200 OK\r\ncontent-length: 0", b""), Duration::ZERO).await;
        let head = format!("307 Temporary Redirect\r\nlocation: {elsewhere}/\r\ncontent-length: 0");
        let (origin, _seen) = server(answer(&head, b""), Duration::ZERO).await;
        assert_eq!(ask(&origin, &small()).await.unwrap().status().as_u16(), 307);
        assert!(seen.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_body_that_ends_early_is_told_from_a_whole_one() {
        let cut = answer("200 OK\r\ncontent-length: 500", b"{\"object\":");
        assert_fails(cut, Duration::ZERO, TransportErrorKind::BodyCut).await;
        let chunked = answer("200 OK\r\ntransfer-encoding: chunked", b"5\r\nhello\r\n");
        assert_fails(chunked, Duration::ZERO, TransportErrorKind::BodyCut).await;
    }

    #[tokio::test]
    async fn a_body_is_bounded_after_decompression() {
        let body = gzip(&vec![b' '; 50_000_000]);
        let head = format!("200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}", body.len());
        assert_fails(answer(&head, &body), Duration::ZERO, TransportErrorKind::TooLarge).await;
        let plain = answer("200 OK\r\ncontent-length: 200000", &vec![b' '; 200_000]);
        assert_fails(plain, Duration::ZERO, TransportErrorKind::TooLarge).await;
    }

    #[tokio::test]
    async fn silence_ends_in_a_timeout_before_and_within_the_body() {
        assert_fails(Vec::new(), Duration::from_secs(30), TransportErrorKind::Timeout).await;
        let stuck = answer("200 OK\r\ncontent-length: 500", b"{");
        assert_fails(stuck, Duration::from_secs(30), TransportErrorKind::Timeout).await;
    }

    #[test]
    fn a_file_of_authorities_without_a_certificate_is_refused() {
        for (pem, expected) in [
            ("just text", "no certificate"),
            (
                "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n",
                "extra certificate authorities",
            ),
        ] {
            let settings = HttpSettings { extra_roots_pem: pem.into(), ..HttpSettings::default() };
            let error = HttpTransport::new(&settings).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[tokio::test]
    async fn a_closed_port_is_no_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        assert_eq!(ask(&origin, &small()).await.unwrap_err().kind(), TransportErrorKind::Connect);
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "localhost.example.org", "10.0.0.1", "[::2]", "127.0.0.1.example.org"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
