//! One attempt of one request: paced, sent, classified, decoded. Retrying is the caller's, with [`crate::retry`].

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use http::{Method, Request, Response};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use crate::base_url::BaseUrl;
use crate::budget::{Pacing, Permit, Priority};
use crate::error::{Error, LimitReason, Refusal};
use crate::transport::{Transport, TransportErrorKind};
use crate::version::ApiVersion;
use crate::wire::{describe, whole_characters};

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
    clock: Mutex<Option<ServerClock>>,
}

/// What the server's clock read when an answer came.
#[derive(Clone, Copy)]
struct ServerClock {
    read: Timestamp,
    at: Instant,
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
        let inner = Inner {
            transport,
            base_url,
            version,
            secret,
            traffic: Counters::default(),
            clock: Mutex::default(),
        };
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

    /// What the server's clock reads now, by the `Date` of its last answer (RFC 9110, 6.6.1); none before one came. It is
    /// behind by up to a second and the way of that answer, never ahead: what the server stamps from now on is not older.
    #[must_use]
    pub fn server_time(&self) -> Option<Timestamp> {
        let clock = (*self.inner.clock.lock().unwrap_or_else(PoisonError::into_inner))?;
        let since = SignedDuration::try_from(clock.at.elapsed()).ok()?;
        clock.read.checked_add(since).ok()
    }

    fn read_clock(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        if let Some(read) = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok()) {
            let clock = ServerClock { read, at: Instant::now() };
            *self.inner.clock.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock);
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
        let mut raw = response.into_body();
        if let Cow::Owned(whole) = whole_characters(&raw) {
            raw = whole.into();
        }
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
                if let (Some(permit), TransportErrorKind::Connect | TransportErrorKind::Untrusted) =
                    (permit, source.kind())
                {
                    permit.unsent();
                }
                return Err(Error::Network { endpoint, source });
            }
        };
        counters.received_bytes.fetch_add(response.body().len() as u64, Ordering::Relaxed);
        self.read_clock(response.headers());
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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::time::Duration;

    use async_trait::async_trait;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::budget::{BudgetSettings, Budgets};
    use crate::endpoints::{
        Direction, MarkdownOptions, MarkdownVersion, Paging, QueryFilter, QueryRequest, QuerySort,
        ResultType, SearchObject, SearchRequest, SortKey, TimeCondition, Timestamp,
    };
    use crate::error::Class;
    use crate::transport::TransportError;

    const SECRET: &str = "ntn_verysecret";

    /// Answers from a script and remembers what it was asked.
    #[derive(Default)]
    struct Script {
        answers: Mutex<VecDeque<Result<Response<Bytes>, TransportError>>>,
        asked: Mutex<Vec<Request<Bytes>>>,
    }

    #[async_trait]
    impl Transport for Script {
        async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
            self.asked.lock().unwrap().push(request);
            self.answers.lock().unwrap().pop_front().unwrap_or_else(|| Ok(answer(200, &empty_list())))
        }
    }

    impl Script {
        fn then(&self, answer: Response<Bytes>) {
            self.answers.lock().unwrap().push_back(Ok(answer));
        }

        /// The last request, as method, path with query, and body.
        fn last(&self) -> (String, String, Value) {
            let asked = self.asked.lock().unwrap();
            let request = asked.last().unwrap();
            let body = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
            (request.method().to_string(), request.uri().path_and_query().unwrap().to_string(), body)
        }
    }

    fn empty_list() -> Value {
        json!({"object": "list", "results": [], "next_cursor": null, "has_more": false})
    }

    #[tokio::test(start_paused = true)]
    async fn the_servers_clock_is_read_from_every_answer_and_runs_on() {
        let (client, script) = client(ApiVersion::default());
        assert_eq!(client.server_time(), None);
        let mut refused = answer(429, &json!({"object": "error"}));
        refused.headers_mut().insert(DATE, HeaderValue::from_static("Sun, 22 Nov 2026 08:49:37 GMT"));
        script.then(refused);
        client.fetch_me().await.unwrap_err();
        tokio::time::advance(Duration::from_secs(90)).await;
        let read = client.server_time().map(|time| time.to_string());
        assert_eq!(read.as_deref(), Some("2026-11-22T08:51:07Z"));
        let mut without = answer(200, &empty_list());
        without.headers_mut().insert(DATE, HeaderValue::from_static("yesterday"));
        script.then(without);
        client.fetch_users(&Paging::default()).await.unwrap();
        assert!(client.server_time().is_some(), "what cannot be read is not believed");
    }

    fn answer(status: u16, body: &Value) -> Response<Bytes> {
        let response = Response::builder().status(status).header("x-notion-request-id", "r-1");
        response.body(Bytes::from(body.to_string())).unwrap()
    }

    fn limited(seconds: u64) -> Response<Bytes> {
        let body = json!({"object": "error", "status": 429, "code": "rate_limited", "message": "m",
            "additional_data": {"rate_limit_reason": "public_api_request_rate_limit"}});
        let mut response = answer(429, &body);
        response.headers_mut().insert("retry-after", seconds.into());
        response
    }

    fn client(version: ApiVersion) -> (Client, Arc<Script>) {
        let script = Arc::new(Script::default());
        let base_url = "http://127.0.0.1:9".parse().unwrap();
        (Client::new(Arc::clone(&script) as Arc<dyn Transport>, base_url, version, SECRET.into()), script)
    }

    #[tokio::test]
    async fn requests_carry_the_secret_the_version_and_the_absolute_address() {
        let (client, script) = client(ApiVersion::V2025_09_03);
        client.fetch_users(&Paging::at(Some("a b&c"))).await.unwrap();
        let asked = script.asked.lock().unwrap();
        let request = &asked[0];
        assert_eq!(
            request.uri().to_string(),
            "http://127.0.0.1:9/v1/users?start_cursor=a%20b%26c&page_size=100"
        );
        assert_eq!(request.headers()["notion-version"], "2025-09-03");
        assert_eq!(request.headers()[AUTHORIZATION], format!("Bearer {SECRET}"));
        assert!(request.headers()[AUTHORIZATION].is_sensitive());
        assert!(!format!("{request:?} {client:?}").contains(SECRET));
    }

    #[tokio::test]
    async fn every_endpoint_is_asked_as_documented() {
        let (client, script) = client(ApiVersion::V2026_03_11);
        let id = Uuid::from_u128(1);
        let page = &Paging { start_cursor: Some("c".to_owned()), page_size: 7 };
        let tail = "start_cursor=c&page_size=7";
        // The scripted answer fits listings only; what was asked is what matters.
        let _ = client.fetch_me().await;
        assert_eq!(script.last().1, "/v1/users/me");
        let _ = client.fetch_user(id).await;
        assert_eq!(script.last().1, format!("/v1/users/{id}"));
        let _ = client.fetch_page(id).await;
        assert_eq!(script.last().1, format!("/v1/pages/{id}"));
        let _ = client.fetch_property(id, "%3FB%3AW", page).await;
        assert_eq!(script.last().1, format!("/v1/pages/{id}/properties/%3FB%3AW?{tail}"));
        let _ = client.fetch_markdown(id, MarkdownOptions::default()).await;
        assert_eq!(script.last().1, format!("/v1/pages/{id}/markdown"));
        let options = MarkdownOptions { include_transcript: true, version: Some(MarkdownVersion::V2) };
        let _ = client.fetch_markdown(id, options).await;
        assert_eq!(
            script.last().1,
            format!("/v1/pages/{id}/markdown?include_transcript=true&markdown_version=v2")
        );
        let _ = client.fetch_block(id).await;
        assert_eq!(script.last().1, format!("/v1/blocks/{id}"));
        client.fetch_block_children(id, page).await.unwrap();
        assert_eq!(script.last().1, format!("/v1/blocks/{id}/children?{tail}"));
        client.fetch_comments(id, page).await.unwrap();
        assert_eq!(script.last().1, format!("/v1/comments?block_id={id}&{tail}"));
        let _ = client.fetch_database(id).await;
        assert_eq!(script.last().1, format!("/v1/databases/{id}"));
        let _ = client.fetch_data_source(id).await;
        assert_eq!(script.last(), ("GET".to_owned(), format!("/v1/data_sources/{id}"), Value::Null));
    }

    #[tokio::test]
    async fn a_search_says_what_it_wants_in_the_words_of_the_version() {
        let request = SearchRequest {
            query: Some("plan".to_owned()),
            object: Some(SearchObject::DataSource),
            in_trash: true,
            sort: Some(Direction::Descending),
            paging: Paging::at(Some("c")),
        };
        for (version, object) in
            [(ApiVersion::V2026_03_11, "data_source"), (ApiVersion::V2022_06_28, "database")]
        {
            let (client, script) = client(version);
            client.fetch_search(&request).await.unwrap();
            let body = json!({"query": "plan", "filter": {"property": "object", "value": object, "in_trash": true},
                "sort": {"timestamp": "last_edited_time", "direction": "descending"}, "start_cursor": "c", "page_size": 100});
            assert_eq!(script.last(), ("POST".to_owned(), "/v1/search".to_owned(), body));
            client.fetch_search(&SearchRequest::default()).await.unwrap();
            assert_eq!(script.last().2, json!({"page_size": 100}));
        }
    }

    #[tokio::test]
    async fn a_query_says_what_it_wants() {
        let (client, script) = client(ApiVersion::V2026_03_11);
        let id = Uuid::from_u128(1);
        let at = "2026-07-04T09:08:00Z".parse().unwrap();
        let request = QueryRequest {
            filter: Some(QueryFilter::Time(Timestamp::LastEdited, TimeCondition::OnOrAfter(at))),
            sorts: vec![
                QuerySort { key: SortKey::Time(Timestamp::Created), direction: Direction::Ascending },
                QuerySort { key: SortKey::Property("Name".to_owned()), direction: Direction::Descending },
            ],
            is_archived: true,
            result_type: Some(ResultType::Page),
            paging: Paging::default(),
        };
        client.fetch_data_source_query(id, &request).await.unwrap();
        let body = json!({
            "filter": {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2026-07-04T09:08:00Z"}},
            "sorts": [{"timestamp": "created_time", "direction": "ascending"},
                {"property": "Name", "direction": "descending"}],
            "is_archived": true, "result_type": "page", "page_size": 100});
        assert_eq!(script.last(), ("POST".to_owned(), format!("/v1/data_sources/{id}/query"), body));
        client.fetch_database_query(id, &QueryRequest::default()).await.unwrap();
        assert_eq!(script.last().1, format!("/v1/databases/{id}/query"));
    }

    #[tokio::test]
    async fn ids_of_properties_cannot_leave_their_segment() {
        let (client, script) = client(ApiVersion::V2026_03_11);
        for property in ["", ".", ".."] {
            let error = client.fetch_property(Uuid::nil(), property, &Paging::default()).await.unwrap_err();
            assert_eq!(error.class(), Class::Request);
        }
        let _ = client.fetch_property(Uuid::nil(), "../a?b#c", &Paging::default()).await;
        assert!(script.last().1.contains("/properties/..%2Fa%3Fb%23c?"), "{}", script.last().1);
    }

    #[tokio::test]
    async fn an_answer_comes_with_its_bytes_and_its_id() {
        let (client, script) = client(ApiVersion::V2026_03_11);
        let body = json!({"object": "user", "id": Uuid::from_u128(3), "type": "bot", "bot": {}});
        script.then(answer(200, &body));
        let me = client.fetch_me().await.unwrap();
        assert_eq!((me.value.id, me.request_id.as_deref()), (Uuid::from_u128(3), Some("r-1")));
        assert_eq!(me.raw, body.to_string());
    }

    #[tokio::test]
    async fn half_an_emoji_costs_no_page() {
        let (client, script) = client(ApiVersion::V2026_03_11);
        let cut = r#"{"object": "list", "results": [], "next_cursor": "cut \ud83d", "has_more": true}"#;
        script.then(Response::builder().status(200).body(Bytes::from(cut)).unwrap());
        let listing = client.fetch_users(&Paging::default()).await.unwrap();
        assert_eq!(listing.value.next_cursor.as_deref(), Some("cut \u{fffd}"));
        assert!(serde_json::from_slice::<Value>(&listing.raw).is_ok());
    }

    #[tokio::test]
    async fn what_is_no_json_is_a_protocol_error_that_quotes_nothing() {
        let (client, script) = client(ApiVersion::V2026_03_11);
        script.then(Response::new(Bytes::from_static(b"<html>sign in to the network</html>")));
        let error = client.fetch_me().await.unwrap_err();
        assert_eq!(error.class(), Class::Protocol);
        assert!(!error.to_string().contains("sign in"), "{error}");
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_sent_is_not_shown() {
        let script = Arc::new(Script::default());
        let client = Client::new(script, BaseUrl::notion(), ApiVersion::default(), "ntn_x\ny".into());
        let error = client.fetch_me().await.unwrap_err();
        assert_eq!(error.class(), Class::Request);
        assert!(!error.to_string().contains("ntn_"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_all_requests_of_the_integration() {
        let (client, script) = client(ApiVersion::V2026_03_11);
        let client =
            client.paced(Budgets::new(BudgetSettings::default()).pacing(Uuid::nil(), Some(Uuid::nil())));
        script.then(answer(200, &empty_list()));
        script.then(limited(9));
        client.fetch_users(&Paging::default()).await.unwrap();
        let error = client.fetch_users(&Paging::default()).await.unwrap_err();
        assert!(
            matches!(error.class(), Class::RateLimited { retry_after: Some(wait), .. } if wait.as_secs() == 9)
        );
        let start = Instant::now();
        client.fetch_search(&SearchRequest::default()).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 9);
        let expected = Traffic { requests: 3, granted: 2, rate_limited: 1, ..Traffic::default() };
        assert_eq!(Traffic { received_bytes: 0, ..client.traffic() }, expected);
        assert!(client.traffic().received_bytes > 100);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_of_the_way_and_of_the_server_leave_no_request_in_flight() {
        let (client, script) = client(ApiVersion::V2026_03_11);
        let pacing = Budgets::new(BudgetSettings { max_in_flight: 1 }).pacing(Uuid::nil(), None);
        let client = client.paced(pacing.clone());
        for kind in [TransportErrorKind::Connect, TransportErrorKind::Timeout] {
            script.answers.lock().unwrap().push_back(Err(TransportError::new(kind, "x")));
            assert_eq!(client.fetch_me().await.unwrap_err().class(), Class::Network(kind));
        }
        script.then(answer(502, &json!("<html>")));
        assert!(matches!(
            client.fetch_me().await.unwrap_err().class(),
            Class::Unavailable { status: 502, .. }
        ));
        let mut given_up = Box::pin(client.fetch_me());
        assert!(tokio::time::timeout(Duration::ZERO, &mut given_up).await.is_ok());
        drop(given_up);
        let snapshot = pacing.integration().snapshot();
        // The request that never left does not count; the two without a clear outcome and the last one do.
        assert_eq!((snapshot.pace.in_flight, snapshot.pace.spent), (0, 3));
    }
}
