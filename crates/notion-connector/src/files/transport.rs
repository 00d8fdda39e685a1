//! The network as files need it: one GET, whose bytes arrive a piece at a time. A test answers in process.

use std::error::Error as StdError;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{Stream, TryStreamExt as _};
use http::{HeaderMap, Response};
use hyper_util::client::proxy::matcher::Matcher;
use notion_api::{TransportError, tls_settings};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::is_public;

/// Bytes as they arrive.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, WayError>> + Send>>;

/// By which way a host is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By its own address, which is checked.
    Direct,
    /// Through the proxy that the environment names.
    Proxy,
}

/// Why nothing, or not all, arrived.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WayError {
    /// The name resolves to addresses that are not of the open internet, and to no other.
    #[error("the host's address is not of the open internet")]
    PrivateAddress,
    /// Anything that may be different the next time.
    #[error(transparent)]
    Network(#[from] TransportError),
}

/// Sends one request for a file.
#[async_trait]
pub trait FileTransport: Send + Sync {
    /// The way to this URL.
    fn way_to(&self, url: &Url) -> Way;

    /// Asks for this URL, following nothing, and gives the head of the answer with its bytes to come.
    async fn get(&self, url: &Url, headers: HeaderMap, way: Way) -> Result<Response<ByteStream>, WayError>;
}

/// Resolves a name: `getaddrinfo` of the system, or a test's.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// The network.
pub struct HttpFiles {
    /// Its resolver gives public addresses only, and nothing is connected to that it did not give but literal ones.
    direct: reqwest::Client,
    /// Through the proxy of the environment, which resolves.
    proxied: reqwest::Client,
    proxies: Matcher,
}

impl HttpFiles {
    /// Builds the two connection pools. `extra_roots_pem` holds authorities that are trusted beside the platform's.
    ///
    /// # Errors
    /// When the TLS library cannot be set up on this machine, or the extra authorities cannot be read.
    pub fn new(connect_timeout: Duration, extra_roots_pem: &[u8]) -> Result<Self, TransportError> {
        let system: Lookup = Arc::new(|name| {
            Box::pin(async move {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        });
        // The HTTP client reads the environment the same way.
        Self::with(connect_timeout, extra_roots_pem, system, Matcher::from_system(), None)
    }

    /// The same with another resolver, and this proxy in place of the environment's.
    pub(super) fn with(
        connect_timeout: Duration,
        extra_roots_pem: &[u8],
        lookup: Lookup,
        proxies: Matcher,
        proxy: Option<reqwest::Proxy>,
    ) -> Result<Self, TransportError> {
        let tls = tls_settings(extra_roots_pem)?;
        let builder = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .connect_timeout(connect_timeout)
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .no_gzip()
                .user_agent(concat!("notion-connector/", env!("CARGO_PKG_VERSION")))
                .pool_idle_timeout(Duration::from_secs(60))
        };
        let built = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|error| TransportError::from_reqwest(&error))
        };
        let direct = builder().no_proxy().dns_resolver(Arc::new(PublicOnly { lookup }));
        let proxied = match proxy {
            Some(proxy) => builder().proxy(proxy),
            None => builder(),
        };
        Ok(Self { direct: built(direct)?, proxied: built(proxied)?, proxies })
    }
}

#[async_trait]
impl FileTransport for HttpFiles {
    fn way_to(&self, url: &Url) -> Way {
        // To this machine a proxy would be wrong.
        let is_here = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(_)) | None => false,
        };
        let uri = url.as_str().parse::<http::Uri>();
        let is_proxied = !is_here && uri.is_ok_and(|uri| self.proxies.intercept(&uri).is_some());
        if is_proxied { Way::Proxy } else { Way::Direct }
    }

    async fn get(&self, url: &Url, headers: HeaderMap, way: Way) -> Result<Response<ByteStream>, WayError> {
        let client = match way {
            Way::Direct => &self.direct,
            Way::Proxy => &self.proxied,
        };
        let mut answer =
            client.get(url.clone()).headers(headers).send().await.map_err(|error| classified(&error))?;
        let (status, head) = (answer.status(), std::mem::take(answer.headers_mut()));
        let bytes: ByteStream = Box::pin(answer.bytes_stream().map_err(|error| classified(&error)));
        let mut response = Response::new(bytes);
        *response.status_mut() = status;
        *response.headers_mut() = head;
        Ok(response)
    }
}

fn classified(error: &reqwest::Error) -> WayError {
    let mut cause = error.source();
    while let Some(one) = cause {
        if one.downcast_ref::<NotPublic>().is_some() {
            return WayError::PrivateAddress;
        }
        cause = one.source();
    }
    TransportError::from_reqwest(error).into()
}

/// No address of a name is of the open internet.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to no public address")]
struct NotPublic;

/// Resolves names to public addresses only. What it gives is what is connected to, so nothing can change in between.
struct PublicOnly {
    lookup: Lookup,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await?;
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            let public: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| is_public(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if public.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}
