//! One running emulator: the shared state, and the way of a request through it.
//!
//! Order of a request: plans → fault → token (401) → version (400) → limit (429) → path (400) → body (400) → capability (403) →
//! endpoint. What is refused before the limit, and by the limit, counts in no window.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::clock::Clock;
use crate::control;
use crate::error::ApiError;
use crate::faults::{Effect, Failure, Faults};
use crate::files::faults::FileFaults;
use crate::files::{FileLog, Signer};
use crate::log::{Entry, Log};
use crate::objects::{Reader, exact_utc, http_date};
use crate::options::{Behavior, Options};
use crate::routes::{self, Call, Matched};
use crate::rules::auth::{Token, token_of};
use crate::rules::limit::Limits;
use crate::rules::validate::Query;
use crate::rules::version::Version;
use crate::serve::Compressible;
use crate::webhooks::Webhooks;
use crate::world::World;
use crate::world::access::Access;
use crate::world::ids::Space;
use crate::world::model::User;

/// The largest request body (developers.notion.com "request-limits": 500 KB).
const MAX_BODY: usize = 512_000;

/// A Notion on loopback. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Emulator {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    state: RwLock<State>,
    behavior: RwLock<Behavior>,
    limits: Mutex<Limits>,
    log: Mutex<Log>,
    matched: Matched,
    faults: Mutex<Faults>,
    file_faults: Mutex<FileFaults>,
    file_log: Mutex<FileLog>,
    webhooks: Mutex<Webhooks>,
    pub(crate) clock: Clock,
    pub(crate) signer: Signer,
    requests: AtomicU64,
}

/// What a request reads and a verb changes.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) tokens: Vec<Token>,
    /// Grows with every change.
    revision: u64,
}

/// An answer before it becomes HTTP.
struct Answer {
    endpoint: String,
    token: Option<usize>,
    status: u16,
    retry_after_s: Option<u64>,
    request_id: String,
    body: Bytes,
    content_type: &'static str,
    breaks: Break,
}

/// Where an answer breaks on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    Nowhere,
    /// Nothing of it arrives.
    AtOnce,
    /// Its first half arrives.
    Halfway,
    /// It arrives, and its JSON is cut in half.
    Json,
}

impl Break {
    const fn loses_the_answer(self) -> bool {
        matches!(self, Self::AtOnce | Self::Halfway)
    }
}

impl Emulator {
    /// An emulator of this world. Needs no runtime; under tokio's paused clock, make it inside the runtime.
    #[must_use]
    pub fn new(mut world: World, options: Options) -> Self {
        let tokens = options
            .tokens
            .into_iter()
            .map(|token| {
                let bot = world.add_user(User {
                    name: Some(token.name.clone()),
                    email: None,
                    email_verified: false,
                    avatar_url: None,
                    is_guest: false,
                    is_bot: true,
                    is_gone: false,
                });
                let access = match token.shared {
                    None => Access::everything(),
                    Some(shared) => Access { grants: shared.into_iter().collect(), ..Access::default() },
                };
                Token {
                    secret: token.secret,
                    name: token.name,
                    bot,
                    access,
                    capabilities: token.capabilities,
                    revoked: false,
                }
            })
            .collect();
        Self {
            inner: Arc::new(Inner {
                state: RwLock::new(State { world, tokens, revision: 0 }),
                behavior: RwLock::new(options.behavior),
                limits: Mutex::new(Limits::new(options.window, options.workspace_window)),
                log: Mutex::default(),
                matched: Matched::default(),
                faults: Mutex::default(),
                file_faults: Mutex::default(),
                file_log: Mutex::default(),
                webhooks: Mutex::default(),
                clock: Clock::new(options.base_ms),
                signer: Signer::new(&options.files_url, &options.external_url),
                requests: AtomicU64::new(0),
            }),
        }
    }

    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.inner.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        let mut state = self.inner.state.write().unwrap_or_else(PoisonError::into_inner);
        state.revision += 1;
        state
    }

    pub(crate) fn limits(&self) -> MutexGuard<'_, Limits> {
        self.inner.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.inner.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.inner.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn file_faults(&self) -> MutexGuard<'_, FileFaults> {
        self.inner.file_faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn file_log(&self) -> MutexGuard<'_, FileLog> {
        self.inner.file_log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn webhooks(&self) -> MutexGuard<'_, Webhooks> {
        self.inner.webhooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn behavior_mut(&self) -> RwLockWriteGuard<'_, Behavior> {
        self.inner.behavior.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present switches.
    #[must_use]
    pub fn behavior(&self) -> Behavior {
        self.inner.behavior.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does what is planned for this request. The verbs are those of the control API, and so are the refusals.
    async fn carry_out_plans(&self, method: &str, path: &str) {
        let due = self.faults().due(method, path);
        for plan in due {
            let request = Request::post(format!("/{}", plan.verb)).body(Body::from(plan.body.to_string()));
            let Ok(request) = request else {
                self.faults().refuse(&plan, &Value::from("this is no verb"));
                continue;
            };
            let Ok(answer) = control::router().with_state(self.clone()).oneshot(request).await;
            if !answer.status().is_success() {
                let body = axum::body::to_bytes(answer.into_body(), MAX_BODY).await.unwrap_or_default();
                self.faults().refuse(&plan, &Value::from(String::from_utf8_lossy(&body)));
            }
        }
    }

    /// Answers one API request.
    pub(crate) async fn handle(self, request: Request) -> Result<Response<Body>, Infallible> {
        let (parts, body) = request.into_parts();
        let method = parts.method.as_str();
        let path = parts.uri.path();
        self.carry_out_plans(method, path).await;
        let struck = self.faults().strike(method, path).map(Failure::refusal);
        if let Some(Effect::Delay(delay_ms)) = struck {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        }
        let breaks = match struck {
            Some(Effect::Drop) => Break::Halfway,
            Some(Effect::Disconnect) => Break::AtOnce,
            Some(Effect::Garble) => Break::Json,
            _ => Break::Nowhere,
        };
        let mut answer = match axum::body::to_bytes(body, MAX_BODY).await {
            Ok(body) => {
                let query = parts.uri.query().unwrap_or_default();
                self.answer((method, path, query), &parts.headers, &body, struck)
            }
            Err(_) => {
                let error = ApiError::validation("body failed validation: body should be at most 500KB.");
                self.refused(path.to_owned(), None, &error)
            }
        };
        answer.breaks = breaks;
        let target = parts.uri.path_and_query().map_or(path, http::uri::PathAndQuery::as_str);
        self.log().push(Entry {
            time: exact_utc(self.inner.clock.now_ms()),
            method: method.to_owned(),
            endpoint: answer.endpoint.clone(),
            path: target.to_owned(),
            status: if breaks.loses_the_answer() { 0 } else { answer.status },
            token: answer.token,
            bytes: answer.body.len(),
            request_id: answer.request_id.clone(),
        });
        let behavior = self.behavior();
        if !behavior.latency().is_zero() {
            tokio::time::sleep(behavior.latency()).await;
        }
        let mut response = answer.into_response();
        if let Ok(date) = HeaderValue::from_str(&http_date(self.inner.clock.now_ms())) {
            response.headers_mut().insert(header::DATE, date);
        }
        if behavior.gzip {
            response.extensions_mut().insert(Compressible);
        }
        Ok(response)
    }

    fn answer(
        &self,
        (method, path, query): (&str, &str, &str),
        headers: &HeaderMap,
        body: &[u8],
        struck: Option<Effect>,
    ) -> Answer {
        let endpoint = routes::resolve(method, path);
        let template = endpoint.as_ref().map_or(path, |endpoint| endpoint.template).to_owned();
        match struck {
            Some(Effect::Refuse(error)) => return self.refused(template, None, &error),
            Some(Effect::Html(status)) => return html(template, status),
            Some(Effect::Drop | Effect::Disconnect | Effect::Garble | Effect::Delay(_)) | None => {}
        }
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let now_ms = self.inner.clock.now_ms();
        let state = self.state();
        let token = match token_of(&state.tokens, header("authorization")) {
            Ok(token) => token,
            Err(error) => return self.refused(template, None, &error),
        };
        let result = Version::from_header(header("notion-version")).and_then(|version| {
            self.limits().admit(token, now_ms)?;
            let endpoint = endpoint.ok_or_else(ApiError::url)?;
            let body = read_body(method, body)?;
            let behavior = self.inner.behavior.read().unwrap_or_else(PoisonError::into_inner);
            let reader = Reader {
                world: &state.world,
                token: &state.tokens[token],
                version,
                behavior: &behavior,
                signer: &self.inner.signer,
                now_ms,
                for_markdown: false,
            };
            if endpoint.needs_content && !reader.token.capabilities.read_content {
                return Err(ApiError::restricted());
            }
            let call = Call {
                reader,
                matched: &self.inner.matched,
                revision: state.revision,
                segments: endpoint.segments,
                query: Query::parse(query),
                body,
            };
            (endpoint.handler)(&call)
        });
        match result {
            Ok(body) => {
                let request_id = self.request_id(&state.world);
                Answer::json(template, Some(token), 200, None, request_id, body)
            }
            Err(error) => {
                drop(state);
                self.refused(template, Some(token), &error)
            }
        }
    }

    fn refused(&self, template: String, token: Option<usize>, error: &ApiError) -> Answer {
        let request_id = self.request_id(&self.state().world);
        Answer::json(template, token, error.status, error.retry_after_s, request_id, error.body())
    }

    fn request_id(&self, world: &World) -> String {
        let number = self.inner.requests.fetch_add(1, Ordering::Relaxed);
        world.ids().seal(Space::Request, 0, number).to_string()
    }

    /// Start points of each token, by secret.
    #[must_use]
    pub fn start_points(&self) -> BTreeMap<String, Vec<uuid::Uuid>> {
        let state = self.state();
        let points = |token: &Token| {
            token.access.start_points(&state.world).into_iter().map(|ix| state.world.id(ix)).collect()
        };
        state.tokens.iter().map(|token| (token.secret.clone(), points(token))).collect()
    }
}

/// The body of a POST as JSON. An absent one is an empty object.
fn read_body(method: &str, body: &[u8]) -> Result<Value, ApiError> {
    if method == "GET" || body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(other) => Err(ApiError::validation(format!(
            "body failed validation: body should be an object or `undefined`, instead was `{other}`."
        ))),
        Err(_) => Err(ApiError::new(400, "invalid_json", "Error parsing JSON body.")),
    }
}

fn html(template: String, status: u16) -> Answer {
    let title = match status {
        403 => "Attention Required!",
        504 => "504 Gateway Time-out",
        _ => "502 Bad Gateway",
    };
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
    );
    Answer {
        endpoint: template,
        token: None,
        status,
        retry_after_s: None,
        request_id: String::new(),
        body: Bytes::from(page),
        content_type: "text/html",
        breaks: Break::Nowhere,
    }
}

impl Answer {
    fn json(
        endpoint: String,
        token: Option<usize>,
        status: u16,
        retry_after_s: Option<u64>,
        request_id: String,
        mut body: Value,
    ) -> Self {
        // Recorded: every body ends with the request id, and the header repeats it.
        body["request_id"] = Value::from(request_id.as_str());
        let body = Bytes::from(body.to_string());
        let content_type = "application/json; charset=utf-8";
        Self {
            endpoint,
            token,
            status,
            retry_after_s,
            request_id,
            body,
            content_type,
            breaks: Break::Nowhere,
        }
    }

    fn into_response(self) -> Response<Body> {
        let half = self.body.slice(..self.body.len() / 2);
        let body = match self.breaks {
            Break::Nowhere => Body::from(self.body),
            Break::Json => Body::from(half),
            Break::Halfway => broken_off(Some(half)),
            Break::AtOnce => broken_off(None),
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::SERVER, HeaderValue::from_static("cloudflare"));
        headers.insert("cf-cache-status", HeaderValue::from_static("DYNAMIC"));
        if let Ok(id) = HeaderValue::from_str(&self.request_id)
            && !self.request_id.is_empty()
        {
            headers.insert("x-notion-request-id", id);
        } else {
            headers.insert("cf-ray", HeaderValue::from_static("0000000000000000-EMU"));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A body that ends with an error, so that the connection breaks: after `first`, or before anything is sent.
pub(crate) fn broken_off(first: Option<Bytes>) -> Body {
    let reset = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let Some(first) = first else {
        return Body::from_stream(futures::stream::iter([Err::<Bytes, _>(reset())]));
    };
    let end = async move {
        // The server sends what it has only when there is nothing more to be had at the moment.
        tokio::task::yield_now().await;
        Err(reset())
    };
    Body::from_stream(futures::stream::iter([Ok(first)]).chain(futures::stream::once(end)))
}
