//! The hosts of files: Notion's, whose URLs are signed ("file-object": valid for one hour), and the external one; where files
//! stand; what a test does to them.

use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use notion_emulator::files::faults::{FileFailure, FileFault};
use notion_emulator::world::World;
use notion_emulator::{DEFAULT_EXTERNAL_URL, DEFAULT_FILES_URL, Emulator, Options};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::binary::Served;
use crate::harness::{Client, page_with, sample};

async fn ask(client: &Client, url: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let (router, target) = match url.strip_prefix(DEFAULT_FILES_URL) {
        Some(target) => (client.emulator.files_router(), target),
        None => (client.emulator.external_router(), url.strip_prefix(DEFAULT_EXTERNAL_URL).unwrap()),
    };
    let mut request = Request::get(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn read(response: Response<Body>) -> (u16, String) {
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

async fn fetch(client: &Client, url: &str) -> (u16, String) {
    read(ask(client, url, &[]).await).await
}

/// All addresses on either host in an answer.
fn addresses(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => {
            let parts = text.split(['"', '(', ')', '<', '>', ' ', '\n']);
            let is_file =
                |part: &&str| part.starts_with(DEFAULT_FILES_URL) || part.starts_with(DEFAULT_EXTERNAL_URL);
            parts.filter(is_file).map(str::to_owned).collect()
        }
        Value::Array(items) => items.iter().flat_map(addresses).collect(),
        Value::Object(map) => map.values().flat_map(addresses).collect(),
        _ => Vec::new(),
    }
}

/// A page with one text file on Notion's host; the client, the page's id, the file's id.
async fn one_file() -> (Client, String, uuid::Uuid) {
    let (client, page) = page_with(json!([])).await;
    let new = json!({"id": page, "name": "grey seal.txt", "content": "first"});
    let added = client.post("/_emulator/file", &new).await.ok();
    (client, page, added["id"].as_str().unwrap().parse().unwrap())
}

async fn url_on(client: &Client, page: &str) -> String {
    let children = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    addresses(&children).remove(0)
}

#[tokio::test(start_paused = true)]
async fn a_signed_url_serves_for_one_hour_of_the_worlds_clock() {
    let (client, page, _) = one_file().await;
    let url = url_on(&client, &page).await;
    assert_eq!(fetch(&client, &url).await, (200, "first".to_owned()));
    client.emulator.advance(Duration::from_secs(3599));
    assert_eq!(fetch(&client, &url).await.0, 200);
    client.emulator.advance(Duration::from_secs(2));
    let (status, body) = fetch(&client, &url).await;
    assert_eq!(status, 403);
    assert!(body.starts_with("<?xml") && body.contains("Request has expired"), "{body}");
    let renewed = url_on(&client, &page).await;
    assert_eq!(fetch(&client, &renewed).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn how_long_a_url_is_valid_can_be_set() {
    let (client, page, _) = one_file().await;
    client.post("/_emulator/behavior", &json!({"file_url_valid_ms": 5_000})).await.ok();
    let children = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    assert_eq!(children["results"][0]["file"]["file"]["expiry_time"], "2026-11-02T08:00:05.000Z");
    let url = addresses(&children).remove(0);
    client.emulator.advance(Duration::from_secs(4));
    assert_eq!(fetch(&client, &url).await.0, 200);
    client.emulator.advance(Duration::from_secs(1));
    assert_eq!(fetch(&client, &url).await.0, 403);
    client.post("/_emulator/behavior", &json!({"file_url_valid_ms": 0})).await.ok();
    assert_eq!(fetch(&client, &url_on(&client, &page).await).await.0, 403);
}

#[tokio::test(start_paused = true)]
async fn every_read_signs_anew_over_the_same_path() {
    let (client, page, _) = one_file().await;
    let (one, two) = (url_on(&client, &page).await, url_on(&client, &page).await);
    assert_ne!(one, two);
    assert_eq!(one.split('?').next(), two.split('?').next());
}

#[tokio::test(start_paused = true)]
async fn a_tampered_url_and_a_token_are_refused() {
    let (client, page, _) = one_file().await;
    let url = url_on(&client, &page).await;
    let (path, query) = url.split_once('?').unwrap();
    assert_eq!(fetch(&client, path).await.0, 403);
    assert_eq!(fetch(&client, &format!("{path}x?{query}")).await.0, 403);
    for change in [("X-Amz-Date=2026", "X-Amz-Date=2027"), ("X-Amz-Expires=3600", "X-Amz-Expires=36000")] {
        assert_eq!(fetch(&client, &url.replace(change.0, change.1)).await.0, 403);
    }
    assert_eq!(ask(&client, &url, &[("authorization", "Bearer secret")]).await.status(), 400);
    let asked = client.emulator.file_requests().pop().unwrap();
    assert_eq!((asked.status, asked.headers.as_slice()), (400, ["authorization".to_owned()].as_slice()));
}

#[tokio::test(start_paused = true)]
async fn what_is_known_by_its_tag_or_its_time_is_not_sent_again() {
    let (client, page, _) = one_file().await;
    let url = url_on(&client, &page).await;
    let first = ask(&client, &url, &[]).await;
    let header = |name: &str| first.headers()[name].to_str().unwrap();
    for known in [("if-none-match", header("etag")), ("if-modified-since", header("last-modified"))] {
        assert_eq!(read(ask(&client, &url, &[known]).await).await, (304, String::new()));
    }
    assert_eq!(ask(&client, &url, &[("if-none-match", "\"other\"")]).await.status(), 200);
}

/// One page for all places, and another that shows the same file; the ids of the page, the row and the other page.
async fn everywhere() -> (Client, [String; 3]) {
    let emulator = Emulator::new(World::new("Test", 3, notion_emulator::DEFAULT_BASE_MS), Options::default());
    let client = Client::new(&emulator);
    let media = |kind: &str| json!({"block": {"kind": kind, "payload": {"type": "file", "file": {"ref": kind}, "caption": [{"text": {"content": "said"}}]}}});
    let mut body: Vec<Value> = ["file", "image", "video", "audio", "pdf"].map(media).to_vec();
    body.push(json!({"block": {"kind": "file", "payload": {"type": "external", "external": {"url": {"ref": "outside"}}, "caption": []}}}));
    body.push(json!({"block": {"kind": "embed", "payload": {"url": {"ref": "drawn.html"}, "caption": []}}}));
    let values = json!([{"name": "a", "type": "file", "file": {"ref": "property"}}, {"name": "b", "type": "external", "external": {"url": {"ref": "outside"}}}]);
    let icon = json!({"type": "file", "file": {"ref": "icon"}});
    let seed = json!({
        "content": [
            {"page": {"title": "All", "body": body, "icon": icon, "cover": icon,
                "comments": [{"rich_text": [], "attachments": [{"category": "pdf", "file": {"ref": "attached"}}]}]}},
            {"database": {"title": "Rows", "data_sources": [{"title": "Rows",
                "schema": {"Name": {"type": "title", "title": {}}, "Files": {"type": "files", "files": {}}},
                "rows": [{"title": "row", "name": "row", "properties": {"Files": values}}]}]}},
            {"page": {"title": "Again", "name": "again", "body": [media("pdf")]}},
        ],
        "files": {"file": "file", "image": "image", "video": "video", "audio": "audio", "pdf": "pdf", "outside": "outside",
            "drawn.html": "drawn", "property": "property", "attached": "attached", "icon": "icon"},
    });
    let planted = client.post("/_emulator/seed", &seed).await.ok();
    let page = planted["ids"][0].as_str().unwrap().to_owned();
    let named = |name: &str| client.emulator.named(name).unwrap().to_string();
    let (row, again) = (named("row"), named("again"));
    (client, [page, row, again])
}

#[tokio::test(start_paused = true)]
async fn files_stand_in_every_place_and_both_forms_of_a_body_lead_to_them() {
    let (client, [page, row, again]) = everywhere().await;
    let body = ["file", "image", "video", "audio", "pdf", "outside", "drawn"];
    let mut asked = vec![
        (format!("/v1/blocks/{page}/children"), body.to_vec()),
        // The first dialect has no form for an embed.
        (format!("/v1/pages/{page}/markdown?markdown_version=v1"), body[..6].to_vec()),
        (format!("/v1/pages/{page}/markdown?markdown_version=v2"), body.to_vec()),
        (format!("/v1/pages/{row}"), vec!["property", "outside"]),
        (format!("/v1/comments?block_id={page}"), vec!["attached"]),
    ];
    asked.push((format!("/v1/blocks/{again}/children"), vec!["pdf"]));
    for (path, expected) in asked {
        let answer = client.get(&path).await.ok();
        let mut served = Vec::new();
        for url in addresses(&answer) {
            served.push(fetch(&client, &url).await.1);
        }
        assert_eq!(served, expected, "{path}");
    }
    let truth = client.emulator.truth(None).unwrap();
    let told: Vec<(&str, &str)> = truth
        .iter()
        .filter(|object| object["kind"] == "file")
        .map(|file| (file["place"].as_str().unwrap(), file["title"].as_str().unwrap()))
        .collect();
    let expected = [
        ("file", "file"),
        ("image", "image"),
        ("video", "video"),
        ("audio", "audio"),
        ("pdf", "pdf"),
        ("file", "outside"),
        ("embed", "drawn.html"),
        ("property", "property"),
        ("property", "outside"),
        ("pdf", "pdf"),
        ("comment", "attached"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn one_file_in_several_places_has_one_path() {
    let (client, [page, row, again]) = everywhere().await;
    let path_of = |answer: &Value, name: &str| {
        let mut urls = addresses(answer).into_iter().map(|url| url.split('?').next().unwrap().to_owned());
        urls.find(|url| url.ends_with(name)).unwrap()
    };
    let all = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    let other = client.get(&format!("/v1/blocks/{again}/children")).await.ok();
    assert_eq!(path_of(&all, "/pdf"), path_of(&other, "/pdf"));
    let row = client.get(&format!("/v1/pages/{row}")).await.ok();
    assert_eq!(path_of(&all, "/outside"), path_of(&row, "/outside"));
    let truth = client.emulator.truth(None).unwrap();
    let told: Vec<&Value> = truth.iter().filter(|object| object["title"] == "pdf").collect();
    assert_eq!(format!("{DEFAULT_FILES_URL}{}", told[0]["path"].as_str().unwrap()), path_of(&all, "/pdf"));
    assert_eq!((&told[0]["id"], told[0]["parent"] == told[1]["parent"]), (&told[1]["id"], false));
}

#[tokio::test(start_paused = true)]
async fn a_replaced_upload_gets_a_new_path_and_edits_its_page() {
    let (client, page, file) = one_file().await;
    let before = url_on(&client, &page).await;
    client.emulator.advance(Duration::from_secs(600));
    let replaced = json!({"id": file, "content": {"base64": "c2Vjb25k"}, "markers": ["second"]});
    let new = client.post("/_emulator/file-content", &replaced).await.ok();
    assert_ne!(new["id"], json!(file));
    let after = url_on(&client, &page).await;
    assert_ne!(before.split('?').next(), after.split('?').next());
    assert_eq!(fetch(&client, &after).await, (200, "second".to_owned()));
    let shown = client.get(&format!("/v1/pages/{page}")).await.ok();
    assert_eq!(shown["last_edited_time"], "2026-11-02T08:10:00.000Z");
    let truth = client.emulator.truth(None).unwrap();
    let told = truth.iter().find(|object| object["kind"] == "file").unwrap();
    assert_eq!((&told["id"], &told["markers"]), (&new["id"], &json!(["second"])));
}

#[tokio::test(start_paused = true)]
async fn a_replaced_external_file_keeps_its_address_and_gets_another_tag() {
    let (client, page) = page_with(json!([])).await;
    let new = json!({"id": page, "name": "a.txt", "content": "first", "external": true, "kind": "pdf"});
    let added = client.post("/_emulator/file", &new).await.ok();
    let url = url_on(&client, &page).await;
    let tag = ask(&client, &url, &[]).await.headers()["etag"].clone();
    client.emulator.advance(Duration::from_secs(600));
    client.post("/_emulator/file-content", &json!({"id": added["id"], "content": "second"})).await.ok();
    let answer = ask(&client, &url, &[("if-none-match", tag.to_str().unwrap())]).await;
    assert_eq!(read(answer).await, (200, "second".to_owned()));
    let shown = client.get(&format!("/v1/pages/{page}")).await.ok();
    assert_eq!(shown["last_edited_time"], "2026-11-02T08:00:00.000Z");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_shown_again_is_one_file_in_two_places() {
    let (client, page, file) = one_file().await;
    let content: Vec<notion_emulator::seed::Content> =
        serde_json::from_value(json!([{"page": {"title": "Another page"}}])).unwrap();
    let another = client.emulator.seed(None, &content, &std::collections::BTreeMap::new()).unwrap()[0];
    let again = json!({"id": another, "file": file, "caption": "once more"});
    let block = client.post("/_emulator/file-place", &again).await.ok()["block"].clone();
    assert!(block.is_string());
    let path = |url: String| url.split('?').next().unwrap().to_owned();
    let (first, second) = (url_on(&client, &page).await, url_on(&client, &another.to_string()).await);
    assert_eq!(path(first), path(second));
    let truth = client.emulator.truth(None).unwrap();
    let told: Vec<&Value> = truth.iter().filter(|object| object["id"] == json!(file)).collect();
    let captions: Vec<Option<&str>> = told.iter().map(|place| place["caption"].as_str()).collect();
    assert_eq!(captions, [None, Some("once more")]);
    let unknown = client.post("/_emulator/file-place", &json!({"id": page, "file": page})).await;
    assert!(unknown.body["error"].as_str().unwrap().starts_with("there is no file"));
}

#[tokio::test(start_paused = true)]
async fn captions_change_and_files_go_from_every_place() {
    let (client, [page, row, again]) = everywhere().await;
    let children = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    let block = &children["results"][4];
    let caption = json!({"id": block["id"], "caption": "other words"});
    client.post("/_emulator/caption", &caption).await.ok();
    let read = client.get(&format!("/v1/blocks/{}", block["id"].as_str().unwrap())).await.ok();
    assert_eq!(read["pdf"]["caption"][0]["plain_text"], "other words");
    for title in ["pdf", "outside", "attached"] {
        let truth = client.emulator.truth(None).unwrap();
        let file = truth.iter().find(|object| object["title"] == title).unwrap();
        client.post("/_emulator/file-remove", &json!({"id": file["id"]})).await.ok();
    }
    let kept = |answer: &Value| addresses(answer).len();
    assert_eq!(kept(&client.get(&format!("/v1/blocks/{page}/children")).await.ok()), 5);
    assert_eq!(kept(&client.get(&format!("/v1/blocks/{again}/children")).await.ok()), 0);
    assert_eq!(kept(&client.get(&format!("/v1/comments?block_id={page}")).await.ok()), 0);
    let row = client.get(&format!("/v1/pages/{row}")).await.ok();
    assert_eq!(row["properties"]["Files"]["files"].as_array().unwrap().len(), 1);
    let unknown = client.post("/_emulator/file-remove", &json!({"id": page})).await;
    assert!(unknown.body["error"].as_str().unwrap().starts_with("there is no file"));
}

#[tokio::test(start_paused = true)]
async fn a_property_gets_a_file_and_an_edit_may_bring_one() {
    let (client, [_, row, _]) = everywhere().await;
    let new = json!({"id": row, "name": "c.pdf", "content": "third", "property": "Files"});
    assert_eq!(client.post("/_emulator/file", &new).await.ok()["block"], Value::Null);
    let shown = client.get(&format!("/v1/pages/{row}")).await.ok();
    assert_eq!(shown["properties"]["Files"]["files"][2]["name"], "c.pdf");
    let edit = json!({"id": row, "properties": {"Files": [{"name": "d", "type": "file", "file": {"ref": "d"}}]}, "files": {"d": "fourth"}});
    client.post("/_emulator/edit", &edit).await.ok();
    let shown = client.get(&format!("/v1/pages/{row}")).await.ok();
    assert_eq!(fetch(&client, &addresses(&shown)[0]).await.1, "fourth");
    let wrong = json!({"id": row, "name": "c.pdf", "content": "", "property": "None"});
    assert_eq!(client.post("/_emulator/file", &wrong).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn the_file_of_a_generated_page_can_be_replaced() {
    let client = Client::new(&crate::harness::generated("pages=200,seed=4"));
    let truth = client.emulator.truth(None).unwrap();
    let file = truth.iter().find(|object| object["kind"] == "file").unwrap();
    let body = json!({"id": file["id"], "content": "new", "markers": ["new"]});
    let new = client.post("/_emulator/file-content", &body).await.ok();
    let truth = client.emulator.truth(None).unwrap();
    let told = truth.iter().find(|object| object["id"] == new["id"]).unwrap();
    assert_eq!((&told["parent"], &told["title"]), (&file["parent"], &file["title"]));
    assert!(truth.iter().all(|object| object["id"] != file["id"]));
}

async fn after(client: &Client, page: &str, failure: Value) -> Response<Body> {
    client.post("/_emulator/file-faults", &json!({"failure": failure})).await.ok();
    let url = url_on(client, page).await;
    ask(client, &url, &[]).await
}

#[tokio::test(start_paused = true)]
async fn the_hosts_refuse_on_demand() {
    let (client, page, _) = one_file().await;
    let cases = [
        (json!({"kind": "access_denied"}), 403, "Access Denied"),
        (json!({"kind": "expired"}), 403, "Request has expired"),
        (json!({"kind": "not_found"}), 404, "NoSuchKey"),
        (json!({"kind": "internal_error"}), 500, "InternalError"),
        (json!({"kind": "slow_down", "retry_after_s": 7}), 503, "SlowDown"),
        (json!({"kind": "status", "status": 410}), 410, "410 Gone"),
    ];
    for (failure, status, words) in cases {
        let answer = after(&client, &page, failure).await;
        if status == 503 {
            assert_eq!(answer.headers()["retry-after"], "7");
        }
        let (code, body) = read(answer).await;
        assert!(code == status && body.contains(words), "{code} {body}");
    }
    let moved = json!({"kind": "redirect", "to": "http://10.0.0.1/x", "status": 307});
    let answer = after(&client, &page, moved).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (307, &"http://10.0.0.1/x".parse().unwrap())
    );
    assert_eq!(fetch(&client, &url_on(&client, &page).await).await.0, 200);
    let report = client.get("/_emulator/file-requests").await.ok();
    assert_eq!(report["total"], 8);
    assert_eq!(report["counts"][0]["status"], 200);
}

#[tokio::test(start_paused = true)]
async fn the_hosts_lie_and_dawdle_on_demand() {
    let (client, page, _) = one_file().await;
    let lies = [
        (json!({"kind": "wrong_length", "by": 10}), "content-length", "15"),
        (json!({"kind": "endless", "declared": 99}), "content-length", "99"),
        (json!({"kind": "content_type", "content_type": "image/png"}), "content-type", "image/png"),
        (json!({"kind": "content_encoding", "encoding": "gzip"}), "content-encoding", "gzip"),
    ];
    for (failure, header, value) in lies {
        assert_eq!(after(&client, &page, failure).await.headers()[header], value);
    }
    assert!(
        !after(&client, &page, json!({"kind": "endless"})).await.headers().contains_key("content-length")
    );
    for failure in ["cut", "disconnect"] {
        let answer = after(&client, &page, json!({"kind": failure})).await;
        assert!(axum::body::to_bytes(answer.into_body(), 1_000).await.is_err(), "{failure}");
    }
    assert_eq!(client.emulator.file_requests().pop().unwrap().status, 0);
    let begun = tokio::time::Instant::now();
    let answer = after(&client, &page, json!({"kind": "slow_body", "delay_ms": 1_000})).await;
    assert_eq!(read(answer).await.1, "first");
    assert_eq!(begun.elapsed().as_secs(), 5);
    let stalled = after(&client, &page, json!({"kind": "stall"})).await;
    let body = axum::body::to_bytes(stalled.into_body(), 1_000);
    assert!(tokio::time::timeout(Duration::from_secs(3_600), body).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_one_host_leaves_the_other_alone() {
    let client = Client::new(&sample());
    client.emulator.push_file_fault(FileFault {
        path_contains: Some("tide-tables".to_owned()),
        ..FileFault::once(FileFailure::NotFound)
    });
    let truth = client.emulator.truth(None).unwrap();
    let file = truth.iter().find(|object| object["external"] == true).unwrap();
    let url = format!("{DEFAULT_EXTERNAL_URL}{}", file["path"].as_str().unwrap());
    assert_eq!(fetch(&client, &url).await.0, 404);
    let (status, text) = fetch(&client, &url).await;
    assert!(status == 200 && text.contains("spring tide"), "{text}");
    let elsewhere = url.replace(DEFAULT_EXTERNAL_URL, DEFAULT_FILES_URL);
    assert_eq!(fetch(&client, &elsewhere).await.0, 403);
}

/// What a plain client of HTTP/1.1 gets, until the connection ends.
async fn raw(url: &str, headers: &str) -> Vec<u8> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    all
}

#[tokio::test]
async fn a_folder_of_files_is_served_from_disk_by_the_binary() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("deep")).unwrap();
    let big = vec![b'x'; 3_000_000];
    std::fs::write(folder.path().join("deep/big file.bin"), &big).unwrap();
    std::fs::write(folder.path().join("note.pdf"), "%PDF-").unwrap();
    let served = Served::start(&["--files", folder.path().to_str().unwrap()]);
    let json = async |path: &str| -> Value {
        let headers =
            format!("authorization: Bearer {}\r\nnotion-version: 2026-03-11\r\n", served.text("token"));
        let answer = raw(&format!("{}{path}", served.text("url")), &headers).await;
        serde_json::from_str(std::str::from_utf8(&answer).unwrap().split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let truth = json("/_emulator/truth").await;
    let page = truth.as_array().unwrap().iter().find(|object| object["title"] == "deep").unwrap();
    let listing = json(&format!("/v1/blocks/{}/children", page["id"].as_str().unwrap())).await;
    let url = listing["results"][0]["file"]["file"]["url"].as_str().unwrap();
    let answer = raw(url, "").await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(answer.ends_with(&big));
    let head = String::from_utf8_lossy(&answer[..600]).to_lowercase();
    assert!(head.contains("content-length: 3000000\r\n"), "{head}");
}
