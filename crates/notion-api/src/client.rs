//! One attempt of one request: paced, sent, classified, decoded. Retrying is the caller's, with [`crate::retry`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::base_url::BaseUrl;
use crate::budget::{Pacing, Permit, Priority};
use crate::error::{Error, LimitReason, Refusal};
use crate::transport::{Transport, TransportErrorKind};
use crate::version::ApiVersion;
use crate::wire::describe;

/// What a value of a query may hold as it is.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A client of the read side of the API. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    pacing: Option<Pacing>,
    priority: Priority,
}

struct Inner {
    transport: Arc<dyn Transport>,
    base_url: BaseUrl,
    version: ApiVersion,
    secret: SecretString,
    traffic: Counters,
}

#[derive(Default)]
struct Counters {
    requests: AtomicU64,
    granted: AtomicU64,
    rate_limited: AtomicU64,
    failed: AtomicU64,
    received_bytes: AtomicU64,
}

/// What a client has sent and received so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Requests sent.
    pub requests: u64,
    /// Answers with a status of 2xx.
    pub granted: u64,
    /// Answers with 429.
    pub rate_limited: u64,
    /// Everything else: other refusals, no answer.
    pub failed: u64,
    /// Bytes of all bodies, after decompression.
    pub received_bytes: u64,
}

/// An answer: what it says, and how it said it.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The decoded body.
    pub value: T,
    /// The body as it came.
    pub raw: Bytes,
    /// The id under which Notion's support finds the request.
    pub request_id: Option<String>,
}

impl<T> Answer<T> {
    /// Changes the value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: change(self.value), raw: self.raw, request_id: self.request_id }
    }
}

/// One request, before the secret is added.
pub(crate) struct Call {
    pub(crate) endpoint: &'static str,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
}

impl Call {
    pub(crate) fn get(endpoint: &'static str, path: String) -> Self {
        Self { endpoint, method: Method::GET, path, query: Vec::new(), body: None }
    }

    pub(crate) fn post(endpoint: &'static str, path: String, body: Value) -> Self {
        Self { endpoint, method: Method::POST, path, query: Vec::new(), body: Some(body) }
    }

    /// Adds a parameter to the address; one of `None` is left out.
    pub(crate) fn with(mut self, key: &'static str, value: Option<impl fmt::Display>) -> Self {
        if let Some(value) = value {
            self.query.push((key, value.to_string()));
        }
        self
    }

    fn target(&self, base_url: &BaseUrl) -> String {
        let mut target = format!("{base_url}/v1/{}", self.path);
        for (position, (key, value)) in self.query.iter().enumerate() {
            target.push(if position == 0 { '?' } else { '&' });
            target.push_str(key);
            target.push('=');
            target.extend(utf8_percent_encode(value, QUERY_VALUE));
        }
        target
    }
}

impl Client {
    /// A client that sends as soon as it is asked to; see [`Client::paced`].
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        base_url: BaseUrl,
        version: ApiVersion,
        secret: SecretString,
    ) -> Self {
        let inner = Inner { transport, base_url, version, secret, traffic: Counters::default() };
        Self { inner: Arc::new(inner), pacing: None, priority: Priority::Crawl }
    }

    /// The same client with each request waiting for its turn in the budgets of its integration and workspace.
    #[must_use]
    pub fn paced(&self, pacing: Pacing) -> Self {
        Self { pacing: Some(pacing), ..self.clone() }
    }

    /// The same client with another place in the queue.
    #[must_use]
    pub fn with_priority(&self, priority: Priority) -> Self {
        Self { priority, ..self.clone() }
    }

    /// The version of the API that is spoken.
    #[must_use]
    pub fn version(&self) -> ApiVersion {
        self.inner.version
    }

    /// Where the API is.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrl {
        &self.inner.base_url
    }

    /// What this client and its clones have sent and received.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        let counters = &self.inner.traffic;
        Traffic {
            requests: counters.requests.load(Ordering::Relaxed),
            granted: counters.granted.load(Ordering::Relaxed),
            rate_limited: counters.rate_limited.load(Ordering::Relaxed),
            failed: counters.failed.load(Ordering::Relaxed),
            received_bytes: counters.received_bytes.load(Ordering::Relaxed),
        }
    }

    /// Makes one attempt at `call`.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<Answer<T>, Error> {
        let request = self.request(&call)?;
        let permit = match &self.pacing {
            Some(pacing) => Some(pacing.acquire(self.priority, call.endpoint).await),
            None => None,
        };
        let response = self.send(call.endpoint, request, permit).await?;
        let request_id =
            response.headers().get("x-notion-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let raw = response.into_body();
        match serde_json::from_slice(&raw) {
            Ok(value) => Ok(Answer { value, raw, request_id }),
            Err(error) => {
                Err(Error::Protocol { endpoint: call.endpoint, detail: describe(&error), request_id })
            }
        }
    }

    fn request(&self, call: &Call) -> Result<Request<Bytes>, Error> {
        let broken = |detail: &str| Error::Request { endpoint: call.endpoint, detail: detail.to_owned() };
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.inner.secret.expose_secret()))
            .map_err(|_| broken("the secret holds characters that no secret of Notion has; copy it anew"))?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(call.target(&self.inner.base_url))
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, "application/json")
            .header("notion-version", self.inner.version.as_str());
        let mut body = Bytes::new();
        if let Some(value) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json");
            body = Bytes::from(value.to_string());
        }
        request.body(body).map_err(|_| broken("an id or cursor does not fit into an address"))
    }

    /// Sends, tells the budgets and the counters what came of it, and passes on answers of 2xx only.
    async fn send(
        &self,
        endpoint: &'static str,
        request: Request<Bytes>,
        permit: Option<Permit>,
    ) -> Result<Response<Bytes>, Error> {
        let counters = &self.inner.traffic;
        counters.requests.fetch_add(1, Ordering::Relaxed);
        let response = match self.inner.transport.send(request).await {
            Ok(response) => response,
            Err(source) => {
                counters.failed.fetch_add(1, Ordering::Relaxed);
                if let (Some(permit), TransportErrorKind::Connect) = (permit, source.kind()) {
                    permit.unsent();
                }
                return Err(Error::Network { endpoint, source });
            }
        };
        counters.received_bytes.fetch_add(response.body().len() as u64, Ordering::Relaxed);
        let status = response.status();
        tracing::debug!(endpoint, status = status.as_u16(), bytes = response.body().len(), "answered");
        if status.is_success() {
            counters.granted.fetch_add(1, Ordering::Relaxed);
            if let Some(permit) = permit {
                permit.granted();
            }
            return Ok(response);
        }
        let refusal = Refusal::read(endpoint, status, response.headers(), response.body());
        let counter = if status.as_u16() == 429 { &counters.rate_limited } else { &counters.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        if let Some(permit) = permit {
            settle(permit, &refusal);
        }
        Err(Error::Refused(Box::new(refusal)))
    }
}

/// Tells the budgets what a refusal means for them.
fn settle(permit: Permit, refusal: &Refusal) {
    match (refusal.status.as_u16(), &refusal.limit) {
        (429, Some(LimitReason::Blocked)) => permit.granted(),
        (429, reason) => permit.refused(refusal.retry_after, reason.as_ref()),
        (529, _) => permit.overloaded(refusal.retry_after),
        // Whether a failure of the server's counts is not documented; assume so.
        (500..=599, _) => drop(permit),
        _ => permit.granted(),
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.base_url)
            .field("version", &self.inner.version)
            .field("paced", &self.pacing.is_some())
            .finish_non_exhaustive()
    }
}
