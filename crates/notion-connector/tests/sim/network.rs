//! The way to the emulator: each request takes its time, is written down, and may find that somebody changed something.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use notion_api::{HttpSettings, Transport, TransportError, TransportErrorKind};
use notion_connector::files::{ByteStream, FileTransport, Way, WayError};
use tower::ServiceExt as _;
use url::Url;

use crate::dice::Dice;
use crate::files::{NOTION_FILES, OTHER_FILES};
use crate::trace::Trace;
use crate::workspace::Workspace;

/// Where the emulator is addressed; nothing listens there.
pub(crate) const ADDRESS: &str = "http://127.0.0.1:1";

/// A network without a socket.
pub(crate) struct Network {
    router: Router,
    hosts: [(&'static str, Router); 2],
    workspace: Arc<Mutex<Workspace>>,
    chance: Mutex<Chance>,
    trace: Trace,
}

struct Chance {
    dice: Dice,
    /// Of a thousand requests, so many find a change.
    changes: u64,
    jitter: Duration,
    requests: u64,
    failures: u64,
}

impl Network {
    pub(crate) fn new(seed: u64, workspace: Arc<Mutex<Workspace>>, trace: Trace) -> Self {
        let notion = workspace.lock().unwrap().notion.clone();
        let hosts = [(NOTION_FILES, notion.files_router()), (OTHER_FILES, notion.external_router())];
        let mut dice = Dice::new(seed, 2);
        let jitter = Duration::from_millis(dice.pick(&[0, 50, 1_500]));
        let chance = Mutex::new(Chance { dice, changes: 0, jitter, requests: 0, failures: 0 });
        Self { router: notion.router(), hosts, workspace, chance, trace }
    }

    /// Lets so many of a thousand requests find that somebody changes something while they are under way.
    pub(crate) fn set_changes(&self, of_a_thousand: u64) {
        self.chance.lock().unwrap().changes = of_a_thousand;
    }

    /// How many requests were made, and how many of them were refused or failed.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let chance = self.chance.lock().unwrap();
        (chance.requests, chance.failures)
    }

    /// A request is under way, and perhaps somebody does something meanwhile.
    async fn travel(&self) {
        let (change, before) = {
            let mut chance = self.chance.lock().unwrap();
            let changes = chance.changes;
            let jitter_ms = chance.jitter.as_millis() as u64;
            let change = chance.dice.between(0, 999) < changes;
            (change, Duration::from_millis(chance.dice.between(0, jitter_ms)))
        };
        tokio::time::sleep(before).await;
        if change {
            self.workspace.lock().unwrap().change();
        }
    }

    async fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.travel().await;
        let Ok(answer) = self.router.clone().oneshot(request.map(Body::from)).await;
        let (parts, body) = answer.into_parts();
        let cut = |error| TransportError::new(TransportErrorKind::BodyCut, format!("{error}"));
        Ok(Response::from_parts(parts, body.collect().await.map_err(cut)?.to_bytes()))
    }
}

#[async_trait]
impl Transport for Network {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let what = format!("{} {}", request.method(), request.uri().path());
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let answer = tokio::time::timeout(HttpSettings::default().request_timeout, self.ask(request))
            .await
            .unwrap_or_else(|_| Err(TransportError::new(TransportErrorKind::Timeout, "in process")));
        {
            let mut chance = self.chance.lock().unwrap();
            chance.requests += 1;
            chance.failures += u64::from(!answer.as_ref().is_ok_and(|answer| answer.status().is_success()));
        }
        let end = match &answer {
            Ok(answer) => answer.status().as_u16().to_string(),
            Err(error) => error.to_string(),
        };
        self.trace.say(format!("{what} {body} -> {end}"));
        answer
    }
}

#[async_trait]
impl FileTransport for Network {
    fn way_to(&self, _: &Url) -> Way {
        Way::Direct
    }

    async fn get(&self, url: &Url, headers: HeaderMap, _: Way) -> Result<Response<ByteStream>, WayError> {
        self.travel().await;
        let place = format!("{}:{}", url.host_str().unwrap(), url.port_or_known_default().unwrap());
        let Some((_, host)) = self.hosts.iter().find(|(host, _)| *host == place) else {
            return Err(TransportError::new(TransportErrorKind::Connect, "nobody is there").into());
        };
        let mut request = Request::get(&url[url::Position::BeforePath..]);
        *request.headers_mut().unwrap() = headers;
        let Ok(answer) = host.clone().oneshot(request.body(Body::empty()).unwrap()).await;
        let (head, body) = answer.into_parts();
        self.trace.say(format!("GET {place}{} -> {}", url.path(), head.status.as_u16()));
        let cut = |_| WayError::from(TransportError::new(TransportErrorKind::BodyCut, "cut"));
        let pieces = TryStreamExt::map_err(body.into_data_stream(), cut);
        Ok(Response::from_parts(head, pieces.boxed()))
    }
}
