//! Asking an emulator in process, and running the binary.

use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use notion_emulator::world::World;
use notion_emulator::{DEFAULT_TOKEN, Emulator, Options};
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub(crate) const CURRENT: &str = "2026-03-11";

/// An answer as a client sees it.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The body of an answer that must be a success.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body
    }

    /// Status and code of an answer that must be a refusal.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        assert_eq!(self.body["object"], "error", "{}", self.body);
        assert_eq!(self.body["status"], self.status.as_u16());
        (self.status.as_u16(), self.body["code"].as_str().unwrap())
    }

    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap()
    }
}

/// One client of an emulator.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) emulator: Emulator,
    pub(crate) token: String,
    pub(crate) version: Option<&'static str>,
}

impl Client {
    pub(crate) fn new(emulator: &Emulator) -> Self {
        Self { emulator: emulator.clone(), token: DEFAULT_TOKEN.to_owned(), version: Some(CURRENT) }
    }

    pub(crate) fn version(&self, version: &'static str) -> Self {
        Self { version: Some(version), ..self.clone() }
    }

    pub(crate) fn token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        if let Some(version) = self.version {
            request = request.header("notion-version", version);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (parts, body) = self.emulator.router().oneshot(request).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &body.to_string()).await
    }

    /// All results of a paged POST.
    pub(crate) async fn all(&self, path: &str, body: &Value, page_size: usize) -> Vec<Value> {
        let mut results = Vec::new();
        let mut body = body.clone();
        body["page_size"] = json!(page_size);
        loop {
            let page = self.post(path, &body).await.ok();
            results.extend(page["results"].as_array().unwrap().iter().cloned());
            assert_eq!(page["has_more"], !page["next_cursor"].is_null());
            if page["next_cursor"].is_null() {
                return results;
            }
            body["start_cursor"] = page["next_cursor"].clone();
        }
    }

    /// Ids that search lists.
    pub(crate) async fn listed(&self) -> Vec<String> {
        ids(&self.all("/v1/search", &json!({}), 100).await)
    }
}

pub(crate) fn ids(objects: &[Value]) -> Vec<String> {
    objects.iter().map(|object| object["id"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn generated(spec: &str) -> Emulator {
    Emulator::new(World::generated(spec.parse().unwrap()), Options::default())
}

pub(crate) fn sample() -> Emulator {
    let options = Options::default();
    let world = World::from_import(notion_emulator::sample::sample(), options.base_ms).unwrap();
    Emulator::new(world, options)
}

/// An empty workspace with one page; the client and the page's id.
pub(crate) async fn page_with(content: Value) -> (Client, String) {
    let client = Client::new(&Emulator::new(
        World::new("Test", 3, notion_emulator::DEFAULT_BASE_MS),
        Options::default(),
    ));
    let seed = json!({"content": [{"page": {"title": "Test page", "body": content}}]});
    let planted = client.post("/_emulator/seed", &seed).await.ok();
    (client, planted["ids"][0].as_str().unwrap().to_owned())
}

/// Pages that hold nothing.
pub(crate) fn leaves(emulator: &Emulator) -> Vec<String> {
    let truth = emulator.truth(None).unwrap();
    let is_leaf = |id: &&Value| truth.iter().all(|other| other["parent"] != **id);
    let pages = truth.iter().filter(|object| object["kind"] == "page").map(|object| &object["id"]);
    pages.filter(is_leaf).map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// The first true object of a kind.
pub(crate) fn first(emulator: &Emulator, kind: &str) -> Value {
    emulator.truth(None).unwrap().into_iter().find(|object| object["kind"] == kind).unwrap()
}
