//! The REST API over a real socket, read without a client that could hide what is wrong. A new route is asked here by itself;
//! what it answers gets a test below.

use std::collections::BTreeMap;
use url::form_urlencoded;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Server, hostile};

/// The description as it is committed.
const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/openapi.json");

/// An answer, read without a client that could hide what is wrong with it.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json", "{}", self.body);
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn code(&self) -> (u16, String) {
        (self.status, self.json()["error"]["code"].as_str().unwrap().to_owned())
    }
}

impl Server {
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.exchange(method, path, headers, "").await
    }

    /// With a body of JSON.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let length = body.len().to_string();
        let headers = [("content-type", "application/json"), ("content-length", length.as_str())];
        self.exchange(method, path, &headers, &body).await
    }

    pub(crate) async fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let host = self.address.to_string();
        let mut lines = vec![("host", host.as_str()), ("connection", "close")];
        lines.retain(|(name, _)| headers.iter().all(|(given, _)| given != name));
        lines.extend(headers.iter().filter(|(_, value)| !value.is_empty()));
        let lines: String = lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(format!("{method} {path} HTTP/1.1\r\n{lines}\r\n{body}").as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Answer { status, headers, body: body.to_owned() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[]).await
    }
}

fn assert_hardened(what: &str, answer: &Answer) {
    let policy = &answer.headers["content-security-policy"];
    for part in ["default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{what}: {policy}");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{what}");
    assert_eq!(answer.headers["referrer-policy"], "same-origin", "{what}");
    let caching = &answer.headers["cache-control"];
    let is_asset = what.contains("/assets/") && answer.status == 200;
    assert_eq!(caching == "no-store", !is_asset, "{what}: {caching}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_document_answers_hardened() {
    let server = Server::sample().await;
    let document = server.get("/api/v1/openapi.json").await.json();
    let item =
        server.get("/api/v1/search?limit=1").await.json()["hits"][0]["id"].as_str().unwrap().to_owned();
    let page = server.get("/").await.body;
    let style = page.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".css")).unwrap();
    // There is no webhook to show before somebody opened it.
    assert_eq!(server.ask("GET", "/api/v1/connectors/sample/webhook", &[]).await.status, 404);
    assert_eq!(server.ask("POST", "/api/v1/connectors/sample/webhook", &[]).await.status, 200);
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let address = path
            .replace("/items/{id}", &format!("/items/{item}"))
            .replace("/why/{id}", &format!("/why/{item}"))
            .replace("/access/who", &format!("/access/who?page={item}"))
            .replace("/access/what", "/access/what?person=nobody")
            .replace("/rules/{rule}", "/rules/1")
            .replace("/crawls/{id}", "/crawls/1")
            .replace("/connectors/{name}", "/connectors/sample")
            .replace("/schedules/{name}", "/schedules/none")
            .replace("/keys/{name}", "/keys/none")
            .replace("{id}", "none")
            .replace("/assets/{name}", style);
        for (method, operation) in operations.as_object().unwrap() {
            let answer = server.ask(&method.to_uppercase(), &address, &[]).await;
            let what = format!("{method} {address}");
            let name = operation["operationId"].as_str().unwrap();
            let expected = match (name, method.as_str(), operation["requestBody"].is_object()) {
                ("activate_connector" | "deactivate_connector" | "check_connector", ..) => 200,
                // The directory is empty.
                ("show_access_of_person", ..) => 404,
                // Nobody confirms it.
                ("delete_connector", ..) => 400,
                // Nobody has to.
                ("sign_in_page" | "account_page", ..) => 303,
                // No provider is set up.
                ("begin_openid" | "finish_openid", ..) => 404,
                ("scim_me", ..) => 501,
                // Nobody has that id.
                (name, ..) if name.starts_with("scim_") && path.ends_with("{id}") => 404,
                ("open_webhook" | "forget_webhook", ..) | (_, "get", _) => 200,
                // What changes something takes JSON only.
                (_, _, true) => 415,
                ("refresh_start_points", ..) => 202,
                (_, "delete", false) => 404,
                // The only crawl there is has ended.
                (_, _, false) => 409,
            };
            assert_eq!(answer.status, expected, "{what}: {}", answer.body);
            assert!(operation["responses"][expected.to_string()].is_object(), "{what} is not described so");
            assert_hardened(&what, &answer);
            asked += 1;
        }
        let unknown = if operations.get("put").is_some() { "OPTIONS" } else { "PUT" };
        let refused = server.ask(unknown, &address, &[]).await;
        assert_eq!(refused.status, 405, "{address}");
        assert!(
            ["GET", "POST", "PATCH", "DELETE"].iter().any(|method| refused.headers["allow"].contains(method)),
            "{address}"
        );
        assert_hardened(&format!("{unknown} {address}"), &refused);
    }
    let committed: Value = serde_json::from_slice(&std::fs::read(COMMITTED).unwrap()).unwrap();
    let described = committed["paths"].as_object().unwrap().values();
    let described: usize = described.map(|operations| operations.as_object().unwrap().len()).sum();
    assert!(asked > 20 && asked == described, "{asked} routes asked, {described} committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_find_what_was_crawled_and_items_can_be_read() {
    let server = Server::sample().await;
    let answer = server.get("/api/v1/search?q=incident+response&limit=2").await.json();
    assert!(answer["total"].as_u64().unwrap() >= 1, "{answer}");
    let hit = &answer["hits"][0];
    assert_eq!(hit["title"], "Incident response");
    let [start, end] = [0, 1].map(|at| usize::try_from(hit["highlights"][0][at].as_u64().unwrap()).unwrap());
    let marked = &hit["snippet"].as_str().unwrap()[start..end];
    assert_eq!(marked.to_lowercase(), "incident");

    let item = server.get(&format!("/api/v1/items/{}", hit["id"].as_str().unwrap())).await.json();
    assert_eq!(item["title"], "Incident response");
    assert!(item["text"].as_str().unwrap().contains("incident"), "{item}");

    let rows = server.get("/api/v1/search?kind=row&limit=100").await.json();
    assert!(rows["hits"].as_array().unwrap().iter().all(|hit| hit["kind"] == "row"), "{rows}");
    let (first, second) =
        (server.get("/api/v1/search?limit=5").await, server.get("/api/v1/search?limit=5&offset=5").await);
    assert_ne!(first.json()["hits"], second.json()["hits"]);

    let crawl = server.get("/api/v1/crawls/1").await.json();
    assert_eq!((&crawl["state"], &crawl["connector"]), (&"completed".into(), &"sample".into()), "{crawl}");
    assert_eq!(server.get("/api/v1/crawls").await.json()["crawls"].as_array().unwrap().len(), 1);
    assert!(crawl["name"].as_str().unwrap().starts_with("sample full 2"), "{crawl}");
    assert!(crawl["average_items_per_second"].as_f64() > Some(0.0), "{crawl}");
    let warnings =
        server.get("/api/v1/crawls/1/alerts?level=warning,error&scope=item,items&limit=1").await.json();
    assert!(warnings["total"].as_u64() <= crawl["alerts_total"].as_u64(), "{warnings}");
    for alert in warnings["alerts"].as_array().unwrap() {
        assert_eq!(alert["level"], "warning", "{alert}");
    }
    assert_eq!(server.get("/api/v1/crawls/1/alerts?level=loud&scope=all").await.status, 400);
    assert_eq!(server.get("/api/v1/crawls/9/alerts").await.status, 404);
    let status = server.get("/api/v1/status").await.json();
    assert_eq!(status["connectors"][0]["items"], crawl["added"], "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_another_process_is_found_by_the_next_search() {
    let server = Server::empty().await;
    let before = server.get("/api/v1/search?q=hostilemarker").await.json();
    assert_eq!(before["total"], 0);
    assert_eq!(server.get("/readyz").await.status, 200, "an index that is not there yet is no fault");
    server.index(hostile());
    assert_eq!(server.get("/api/v1/search?q=hostilemarker").await.json()["total"], 1);
    let mut other = hostile();
    other.title = "renamedmarker".to_owned();
    server.index(other);
    assert_eq!(server.get("/api/v1/search?q=renamedmarker").await.json()["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_answers_while_nothing_is_indexed_and_says_how_to_begin() {
    let server = Server::empty().await;
    let page = server.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Nothing is indexed yet") && page.body.contains("notion-connector crawl"));
    assert_eq!(server.get("/search?q=x&kind=nest&page=-1").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_marks_and_escapes_what_it_shows() {
    let server = Server::sample().await;
    let page = server.get("/search?q=incident").await.body;
    assert!(page.contains("<mark>Incident</mark> response"), "{page}");
    server.index(hostile());
    let page = server.get("/search?q=hostilemarker+%3Cscript%3Ealert").await.body;
    assert!(page.contains("<mark>hostilemarker</mark>"), "{page}");
    for harm in ["<script>alert", "<img", "<iframe", "<b>Mallory", "javascript:"] {
        assert!(!page.contains(harm), "{harm} in {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_name_another_host_are_refused() {
    let server = Server::empty().await;
    let port = server.address.port();
    for host in
        ["example.org".to_owned(), format!("example.org:{port}"), "127.0.0.1".to_owned(), String::new()]
    {
        let answer = server.ask("GET", "/api/v1/status", &[("host", &host)]).await;
        assert!(
            answer.status == 421 || (host.is_empty() && answer.status == 400),
            "{host}: {}",
            answer.status
        );
        if answer.status == 421 {
            assert_eq!(answer.code().1, "wrong_host");
            assert_hardened(&host, &answer);
        }
    }
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
        assert_eq!(server.ask("GET", "/api/v1/status", &[("host", &host)]).await.status, 200, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_change_nothing() {
    let server = Server::sample().await;
    let cancel = "/api/v1/crawls/1/cancel";
    let refused = [("origin", "http://example.org"), ("origin", "null"), ("sec-fetch-site", "cross-site")];
    for header in refused {
        let answer = server.ask("POST", cancel, &[header]).await;
        assert_eq!(answer.code(), (403, "cross_origin".to_owned()), "{header:?}");
    }
    let own = server.origin();
    let answer = server.ask("POST", cancel, &[("origin", &own), ("sec-fetch-site", "same-origin")]).await;
    assert_eq!(answer.code(), (409, "not_possible".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_told_everything_that_is_wrong() {
    let server = Server::empty().await;
    let answer = server.get("/api/v1/search?limit=0&offset=x&kind=nest&colour=red").await;
    assert_eq!(answer.code(), (400, "invalid_parameters".to_owned()));
    let problems = answer.json();
    let named: Vec<&str> = problems["error"]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["name"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["limit", "offset", "kind", "colour"]);
    let long = "x".repeat(2_001);
    assert_eq!(server.get(&format!("/api/v1/search?q={long}")).await.status, 400);
    for (path, expected) in [
        ("/api/v1/items/no-id", (400, "invalid_parameters")),
        ("/api/v1/items/00000000-0000-0000-0000-000000000001", (404, "not_found")),
        ("/api/v1/why/foo", (400, "invalid_parameters")),
        ("/api/v1/access/who", (400, "invalid_parameters")),
        ("/api/v1/crawls/one", (400, "invalid_parameters")),
        ("/api/v1/crawls/77/alerts", (404, "not_found")),
        ("/api/v1/crawls/77", (404, "not_found")),
        ("/api/v1/nothing", (404, "no_such_path")),
        ("/api", (404, "no_such_path")),
    ] {
        let (status, code) = server.get(path).await.code();
        assert_eq!((status, code.as_str()), expected, "{path}");
    }
    let page = server.get("/nothing").await;
    assert_eq!((page.status, page.headers["content-type"].as_str()), (404, "text/html; charset=utf-8"));
    assert!(page.body.contains("There is no such page"), "{}", page.body);
    assert_hardened("/nothing", &page);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_limits_are_refused() {
    let server = Server::empty().await;
    let large = "x".repeat(20 << 10);
    assert_eq!(server.ask("GET", "/api/v1/status", &[("x-filler", &large)]).await.code().0, 431);
    let long = "x".repeat(33 << 10);
    assert_eq!(server.get(&format!("/api/v1/search?q={long}")).await.code().0, 414);
    let body = server.ask("POST", "/api/v1/crawls/1/cancel", &[("content-length", "1000000")]).await;
    assert_eq!(body.code(), (413, "body_too_large".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_filtered_and_counted_by_their_properties() {
    let server = Server::sample().await;
    let counted = server.get("/api/v1/search?kind=row&limit=1&facets=property,database").await.json();
    let facets = counted["facets"].as_array().unwrap();
    let status = facets.iter().find(|facet| facet["property"] == "Status").unwrap();
    let value = &status["values"][0];
    let filter: String =
        form_urlencoded::byte_serialize(value["filter"].as_str().unwrap().as_bytes()).collect();
    let found = server.get(&format!("/api/v1/search?property={filter}&limit=100")).await.json();
    assert_eq!(found["total"], value["count"], "{found}");
    for hit in found["hits"].as_array().unwrap() {
        let properties = hit["properties"].as_array().unwrap();
        let shown = properties.iter().find(|one| one["name"] == "Status").unwrap();
        assert_eq!(shown["text"], value["label"], "{hit}");
    }
    let database = facets.iter().find(|facet| facet["by"] == "database").unwrap()["values"][0].clone();
    let below = format!("/api/v1/search?kind=row&in={}", database["filter"].as_str().unwrap());
    assert_eq!(server.get(&below).await.json()["total"], database["count"]);

    let wrong = "/api/v1/search?property=Status&property=Due%3E%3Dsoon&in=x&edited_after=x&facets=colour";
    let refused = server.get(wrong).await;
    assert_eq!(refused.status, 400);
    let refused = refused.json();
    let names: Vec<&str> = refused["error"]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["edited_after", "in", "property", "property", "facets"], "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_is_followed_until_the_event_that_says_how_it_ended() {
    let server = Server::sample().await;
    let answer = server.get("/api/v1/crawls/1/events").await;
    assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, "text/event-stream"));
    let told = answer.body.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let event: Value = serde_json::from_str(told).unwrap();
    assert_eq!((&event["state"], &event["listing"]), (&"completed".into(), &false.into()), "{event}");
    assert_eq!(event["known"], event["discovered"]);
    assert_eq!(server.get("/api/v1/crawls/99/events").await.code().0, 404);

    // One that waits is followed; once it is cancelled, the events end.
    let queued = server.app.store.load_connectors().unwrap()[0].id;
    let now = server.app.runtime.now();
    let scope = notion_connector::store::Scope::Full;
    let id = server.app.store.add_crawl(queued, scope, "a test", now).unwrap();
    let (followed, cancelled) = tokio::join!(server.get("/api/v1/crawls/2/events"), async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        server.ask("POST", &format!("/api/v1/crawls/{id}/cancel"), &[]).await
    });
    assert_eq!(cancelled.status, 200);
    let states = ["queued", "cancelled"].map(|state| followed.body.find(&format!("\"state\":\"{state}\"")));
    assert!(states[0].is_some() && states[0] < states[1], "{}", followed.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_end_answers_what_was_asked_and_keeps_nobody_waiting() {
    let mut server = Server::sample().await;
    let connector = server.app.store.load_connectors().unwrap()[0].id;
    let (scope, now) = (notion_connector::store::Scope::Full, server.app.runtime.now());
    server.app.store.add_crawl(connector, scope, "a test", now).unwrap();
    let (followed, ()) = tokio::join!(server.get("/api/v1/crawls/2/events"), async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        server.stop.send_replace(true);
    });
    assert!(followed.status == 200 && followed.body.contains("\"state\":\"queued\""), "{}", followed.body);
    tokio::time::timeout(std::time::Duration::from_secs(30), &mut server.serving).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_index_cannot_be_read_is_alive_and_not_ready() {
    let server = Server::sample().await;
    let broken = server.app.dir.index().join("meta.json");
    std::fs::write(&broken, "no index").unwrap();
    let ready = server.get("/readyz").await;
    assert_eq!((ready.code().0, ready.code().1.as_str()), (503, "not_ready"), "{}", ready.body);
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_requests_items_and_crawls_and_name_no_content() {
    let server = Server::sample().await;
    let answer = server.get("/metrics").await;
    assert_eq!(
        (answer.status, answer.headers["content-type"].as_str()),
        (200, "text/plain; version=0.0.4; charset=utf-8")
    );
    let values: BTreeMap<&str, u64> = answer
        .body
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit_once(' ').map(|(name, value)| (name, value.parse().unwrap())).unwrap())
        .collect();
    let items = server.get("/api/v1/status").await.json()["connectors"][0]["items"].as_u64().unwrap();
    assert_eq!(values["notion_connector_items{connector=\"sample\"}"], items);
    assert_eq!(values["notion_connector_crawls{state=\"completed\"}"], 1);
    let bodies = "notion_connector_notion_requests_total{method=\"GET\",endpoint=\"/v1/pages/{id}/markdown\",status=\"200\"}";
    assert!(values[bodies] > 10, "{}", answer.body);
    assert_eq!(values["notion_connector_outbox_rows"], 0);
    assert!(values["notion_connector_index_bytes"] > 1_000 && values["notion_connector_store_bytes"] > 1_000);
    let titles = server.get("/api/v1/search?limit=50").await.json();
    for hit in titles["hits"].as_array().unwrap() {
        let (id, title) = (hit["id"].as_str().unwrap(), hit["title"].as_str().unwrap());
        assert!(!answer.body.contains(id) && (title.len() < 6 || !answer.body.contains(title)), "{title}");
    }
    assert!(!answer.body.contains(notion_emulator::DEFAULT_TOKEN));
}
