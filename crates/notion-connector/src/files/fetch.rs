//! The way of one fetch: a place, a URL that may be asked, redirects, bytes within their bounds, another try.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use notion_api::retry::{self, Decision, RetryPolicy};
use notion_api::{Class, TransportErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use url::Url;

use super::headers;
use super::identity::{Hosting, parsed};
use super::policy::{FetchSettings, Refusal};
use super::transport::{ByteStream, FileTransport, Way, WayError};
use crate::model::Validators;
use crate::runtime::Runtime;

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// A longer wait is the caller's: it has other work in the meantime.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Attempts in all. The caller tries again later.
const MAX_ATTEMPTS: u32 = 4;
/// How much of a refusal is read, to find its code.
const MAX_REFUSAL_BYTES: usize = 4 << 10;

/// A whole file. It keeps a place among those fetched at once until it is dropped, so that memory stays bounded.
#[derive(Debug)]
pub struct FetchedFile {
    /// All of its bytes.
    pub bytes: Bytes,
    /// What the host says it is, which may be wrong.
    pub media_type: Option<String>,
    /// What the host says it is called.
    pub name: Option<String>,
    /// To ask with the next time.
    pub validators: Validators,
    _place: OwnedSemaphorePermit,
}

/// What became of a fetch.
#[derive(Debug)]
pub enum FetchOutcome {
    /// The file.
    Fetched(FetchedFile),
    /// It is what the validators say.
    Unchanged,
    /// A host of Notion's refuses the signature: the page or block is to be read again, for a new one. Who has just done that
    /// and gets this again is not let in.
    Expired,
    /// It is larger than allowed.
    TooLarge {
        /// How large, if the host said so.
        declared_bytes: Option<u64>,
    },
    /// The host has no such file.
    Gone,
    /// It is not asked for, or not taken.
    Refused(Refusal),
    /// It could not be had.
    Failed {
        /// What happened, without the address.
        reason: String,
        /// Whether another try later makes sense.
        retryable: bool,
        /// When the host wants to be asked again.
        retry_after: Option<Duration>,
    },
}

/// Why an attempt brought nothing and another may.
struct Trouble {
    class: Class,
    reason: String,
}

impl Trouble {
    fn network(kind: TransportErrorKind, reason: &str) -> Self {
        Self { class: Class::Network(kind), reason: reason.to_owned() }
    }
}

type Attempt = Result<FetchOutcome, Trouble>;

/// Fetches files. Cheap to share; all who share it share its places.
pub struct Fetcher {
    settings: FetchSettings,
    transport: Arc<dyn FileTransport>,
    runtime: Runtime,
    places: Arc<Semaphore>,
    retry: RetryPolicy,
}

impl Fetcher {
    /// A fetcher over this network.
    #[must_use]
    pub fn new(settings: FetchSettings, transport: Arc<dyn FileTransport>, runtime: Runtime) -> Self {
        let places = Arc::new(Semaphore::new(settings.concurrency));
        let retry = RetryPolicy { max_attempts: MAX_ATTEMPTS, ..RetryPolicy::default() };
        Self { settings, transport, runtime, places, retry }
    }

    /// The same for files that are at most so large, and with or without other hosts than Notion's. Both share their places.
    #[must_use]
    pub fn within(&self, max_bytes: u64, other_hosts: bool) -> Self {
        Self {
            settings: FetchSettings { max_bytes, other_hosts, ..self.settings.clone() },
            transport: Arc::clone(&self.transport),
            runtime: self.runtime.clone(),
            places: Arc::clone(&self.places),
            retry: self.retry,
        }
    }

    /// Fetches the file at this address, waiting for a place first. With `known` validators, only if it is another by now:
    /// that is for other hosts, since a path on Notion's names the same bytes for ever.
    pub async fn fetch(&self, address: &str, known: &Validators) -> FetchOutcome {
        let Ok(url) = parsed(address) else { return FetchOutcome::Refused(Refusal::Address) };
        let begun = tokio::time::Instant::now();
        let mut attempt = 1;
        loop {
            // Nothing closes it.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                return failed("the fetcher is closed".to_owned(), None);
            };
            let asked = timeout(self.settings.total_timeout, self.attempt(url.clone(), known, place)).await;
            let trouble = match asked {
                Ok(Ok(outcome)) => return outcome,
                Ok(Err(trouble)) => trouble,
                Err(_) => {
                    let seconds = self.settings.total_timeout.as_secs();
                    // Whoever sends this slowly does so again.
                    return failed(format!("the file did not arrive within {seconds} seconds"), None);
                }
            };
            let retry_after = match trouble.class {
                Class::Unavailable { retry_after, .. } => retry_after,
                _ => None,
            };
            match retry::decide(&self.retry, &trouble.class, attempt, begun.elapsed(), self.runtime.random())
            {
                Decision::Retry { after, .. } if after <= LONGEST_WAIT => {
                    self.runtime.sleep(after).await;
                    attempt += 1;
                }
                Decision::Retry { .. } | Decision::GiveUp => return failed(trouble.reason, retry_after),
            }
        }
    }

    /// One request, and those that redirects lead to.
    async fn attempt(&self, mut url: Url, known: &Validators, place: OwnedSemaphorePermit) -> Attempt {
        let headers = request_headers(known);
        for _ in 0..=MAX_REDIRECTS {
            let hosting = match self.settings.admit(&url) {
                Ok(hosting) => hosting,
                Err(refusal) => return Ok(FetchOutcome::Refused(refusal)),
            };
            let way = self.transport.way_to(&url);
            if way == Way::Proxy && hosting == Hosting::Other && !self.settings.other_hosts_by_proxy {
                return Ok(FetchOutcome::Refused(Refusal::Proxy));
            }
            let asked = self.transport.get(&url, headers.clone(), way);
            let answer = match timeout(self.settings.idle_timeout, asked).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(WayError::PrivateAddress)) => {
                    return Ok(FetchOutcome::Refused(Refusal::PrivateAddress));
                }
                Ok(Err(WayError::Network(error))) => {
                    return Err(Trouble { class: Class::Network(error.kind()), reason: error.to_string() });
                }
                Err(_) => return Err(self.silence()),
            };
            if answer.status() == StatusCode::NOT_MODIFIED && *known != Validators::default() {
                return Ok(FetchOutcome::Unchanged);
            }
            if !is_redirect(answer.status()) {
                return self.taken(answer, hosting, place).await;
            }
            match target(&url, answer.headers()) {
                Some(next) => url = next,
                None => break,
            }
        }
        Ok(FetchOutcome::Refused(Refusal::Redirects))
    }

    fn silence(&self) -> Trouble {
        let seconds = self.settings.idle_timeout.as_secs();
        Trouble::network(TransportErrorKind::Timeout, &format!("the host was silent for {seconds} seconds"))
    }

    /// What an answer that is no redirect means.
    async fn taken(
        &self,
        answer: Response<ByteStream>,
        hosting: Hosting,
        place: OwnedSemaphorePermit,
    ) -> Attempt {
        let status = answer.status();
        let (head, body) = answer.into_parts();
        Ok(match status.as_u16() {
            200 | 203 => return self.read(&head.headers, body, place).await,
            404 | 410 => FetchOutcome::Gone,
            401 | 403 if hosting == Hosting::Notion => FetchOutcome::Expired,
            // S3 says so of a signature whose session ended before it.
            400 if hosting == Hosting::Notion && self.says(body, "<Code>ExpiredToken</Code>").await => {
                FetchOutcome::Expired
            }
            code @ (401 | 402 | 403 | 407 | 451) => {
                FetchOutcome::Refused(Refusal::Forbidden { status: code })
            }
            code @ (408 | 425 | 429 | 500..=599) => {
                let retry_after = headers::retry_after_s(&head.headers).map(Duration::from_secs);
                let class = Class::Unavailable { status: code, retry_after };
                return Err(Trouble { class, reason: format!("the host answers with status {code}") });
            }
            code => FetchOutcome::Failed {
                reason: format!("the host answers with status {code}"),
                retryable: false,
                retry_after: None,
            },
        })
    }

    /// Whether the beginning of a refusal holds these words.
    async fn says(&self, mut body: ByteStream, words: &str) -> bool {
        let mut read = Vec::new();
        while let Ok(Some(Ok(piece))) = timeout(self.settings.idle_timeout, body.next()).await {
            read.extend_from_slice(&piece[..piece.len().min(MAX_REFUSAL_BYTES - read.len())]);
            if read.len() == MAX_REFUSAL_BYTES {
                break;
            }
        }
        String::from_utf8_lossy(&read).contains(words)
    }

    /// All bytes of an answer, as long as they are few enough and keep coming.
    async fn read(&self, head: &HeaderMap, mut body: ByteStream, place: OwnedSemaphorePermit) -> Attempt {
        if headers::is_encoded(head) {
            return Ok(FetchOutcome::Refused(Refusal::Encoded));
        }
        let declared = declared_bytes(head);
        let max_bytes = self.settings.max_bytes;
        if declared.is_some_and(|length| length > max_bytes) {
            return Ok(FetchOutcome::TooLarge { declared_bytes: declared });
        }
        let room = usize::try_from(declared.unwrap_or_default()).unwrap_or_default();
        let mut bytes = BytesMut::with_capacity(room);
        loop {
            let piece = match timeout(self.settings.idle_timeout, body.next()).await {
                Ok(None) => break,
                Ok(Some(Ok(piece))) => piece,
                Ok(Some(Err(WayError::PrivateAddress))) => {
                    return Ok(FetchOutcome::Refused(Refusal::PrivateAddress));
                }
                Ok(Some(Err(WayError::Network(error)))) => {
                    return Err(Trouble { class: Class::Network(error.kind()), reason: error.to_string() });
                }
                Err(_) => return Err(self.silence()),
            };
            let length = bytes.len().saturating_add(piece.len());
            if u64::try_from(length).unwrap_or(u64::MAX) > max_bytes {
                return Ok(FetchOutcome::TooLarge { declared_bytes: None });
            }
            bytes.extend_from_slice(&piece);
        }
        if declared.is_some_and(|declared| u64::try_from(bytes.len()).unwrap_or(u64::MAX) < declared) {
            return Err(Trouble::network(
                TransportErrorKind::BodyCut,
                "the file ended before its declared length",
            ));
        }
        Ok(FetchOutcome::Fetched(FetchedFile {
            bytes: bytes.freeze(),
            media_type: headers::media_type(head),
            name: headers::disposition_name(head),
            validators: Validators {
                etag: headers::validator(head, header::ETAG),
                last_modified: headers::validator(head, header::LAST_MODIFIED),
            },
            _place: place,
        }))
    }
}

fn failed(reason: String, retry_after: Option<Duration>) -> FetchOutcome {
    FetchOutcome::Failed { reason, retryable: true, retry_after }
}

/// All that a request carries beside the user agent.
fn request_headers(known: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    // One of them: where both are sent the date is not looked at (RFC 9110, 13.1.3).
    let validator = match (&known.etag, &known.last_modified) {
        (Some(etag), _) => Some((header::IF_NONE_MATCH, etag)),
        (None, Some(time)) => Some((header::IF_MODIFIED_SINCE, time)),
        (None, None) => None,
    };
    if let Some((name, value)) = validator
        && let Ok(value) = HeaderValue::from_str(value)
    {
        headers.insert(name, value);
    }
    headers
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn target(url: &Url, head: &HeaderMap) -> Option<Url> {
    url.join(head.get(header::LOCATION)?.to_str().ok()?).ok()
}

fn declared_bytes(head: &HeaderMap) -> Option<u64> {
    head.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}
