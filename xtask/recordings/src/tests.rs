//! Recordings of our own making: the emulator's answers in all its versions, whole and deliberately broken.

use std::collections::BTreeSet;
use std::path::Path;

use http::Request;
use http_body_util::BodyExt as _;
use notion_emulator::world::World;
use notion_emulator::{DEFAULT_TOKEN, Emulator, Options};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::examine;
use super::report::Report;

const VERSIONS: [&str; 3] = ["2022-06-28", "2025-09-03", "2026-03-11"];

/// Asks an emulator and writes down what it answers.
struct Recorder {
    emulator: Emulator,
    version: &'static str,
    exchanges: Vec<Value>,
}

impl Recorder {
    fn new(world: World, version: &'static str) -> Self {
        Self { emulator: Emulator::new(world, Options::default()), version, exchanges: Vec::new() }
    }

    async fn ask(&mut self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("https://api.notion.com/v1/{path}");
        let sent = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1/{path}"))
            .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
            .header("notion-version", self.version)
            .header("content-type", "application/json")
            .body(sent)
            .unwrap();
        let response = self.emulator.router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        // Every other body as a string: both occur.
        let number = self.exchanges.len() + 1;
        let kept = if number.is_multiple_of(2) { Value::from(answer.to_string()) } else { answer.clone() };
        self.exchanges.push(json!({
            "n": number,
            "request": {"method": method, "url": url, "notion_version": self.version, "body": body},
            "response": {"status": status, "headers": {"content-type": "application/json"}, "body": kept},
        }));
        answer
    }

    async fn get(&mut self, path: &str) -> Value {
        self.ask("GET", path, Value::Null).await
    }

    /// All results of a listing by GET, where more parameters may follow the path.
    async fn all(&mut self, path: &str) -> Vec<Value> {
        let mut results = Vec::new();
        let mut cursor = String::new();
        loop {
            let list = self.get(&format!("{path}page_size=100{cursor}")).await;
            results.extend(list["results"].as_array().cloned().unwrap_or_default());
            let Some(next) = list["next_cursor"].as_str() else { return results };
            cursor = format!("&start_cursor={next}");
        }
    }

    async fn all_posted(&mut self, path: &str) -> Vec<Value> {
        let mut results = Vec::new();
        let mut body = json!({"page_size": 100});
        loop {
            let list = self.ask("POST", path, body.clone()).await;
            results.extend(list["results"].as_array().cloned().unwrap_or_default());
            if list["next_cursor"].is_null() {
                return results;
            }
            body["start_cursor"] = list["next_cursor"].clone();
        }
    }

    /// Everything that a crawler could ask for, and some refusals.
    async fn record_all(&mut self) {
        self.get("users/me").await;
        self.all("users?").await;
        self.get("pages/not-an-id").await;
        self.get("pages/00000000-0000-4000-8000-000000000000").await;
        for object in self.all_posted("search").await {
            let id = object["id"].as_str().unwrap();
            match object["object"].as_str().unwrap() {
                "page" => self.record_page(id).await,
                "database" => self.record_database(id).await,
                _ => {
                    self.get(&format!("data_sources/{id}")).await;
                    self.all_posted(&format!("data_sources/{id}/query")).await;
                    let database = object["parent"]["database_id"].as_str().unwrap();
                    self.get(&format!("databases/{database}")).await;
                }
            }
        }
    }

    async fn record_database(&mut self, id: &str) {
        self.get(&format!("databases/{id}")).await;
        self.all_posted(&format!("databases/{id}/query")).await;
    }

    async fn record_page(&mut self, id: &str) {
        let page = self.get(&format!("pages/{id}")).await;
        for (_, property) in page["properties"].as_object().unwrap() {
            self.get(&format!("pages/{id}/properties/{}", property["id"].as_str().unwrap())).await;
        }
        for parameters in ["", "?markdown_version=v1&include_transcript=true", "?markdown_version=v2"] {
            self.get(&format!("pages/{id}/markdown{parameters}")).await;
        }
        self.all(&format!("comments?block_id={id}&")).await;
        let mut parents = vec![id.to_owned()];
        while let Some(parent) = parents.pop() {
            for block in self.all(&format!("blocks/{parent}/children?")).await {
                let own = !matches!(block["type"].as_str(), Some("child_page" | "child_database"));
                if own && block["has_children"] == true {
                    parents.push(block["id"].as_str().unwrap().to_owned());
                }
            }
        }
    }
}

fn sample() -> World {
    World::from_import(notion_emulator::sample::sample(), notion_emulator::DEFAULT_BASE_MS).unwrap()
}

fn generated() -> World {
    World::generated("pages=60,seed=11".parse().unwrap())
}

fn write(folder: &Path, name: &str, content: &Value) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content.to_string()).unwrap();
}

/// What becomes of a single file.
fn report_of(content: &Value) -> Report {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "one.json", content);
    examine(folder.path()).unwrap()
}

/// One answer in a recording.
fn answered(url: &str, body: &Value) -> Value {
    json!({"exchanges": [{"n": 7, "request": {"method": "GET", "url": url, "notion_version": "2026-03-11"},
        "response": {"status": 200, "headers": {"authorization": "secret"}, "body": body}}]})
}

fn paragraph(text: &str) -> Value {
    json!({"object": "block", "id": "00000000-0000-4000-8000-000000000001", "type": "paragraph", "has_children": false,
        "paragraph": {"rich_text": [{"type": "text", "text": {"content": text}, "plain_text": text}]}})
}

fn losses(report: &Report) -> Vec<String> {
    let failures = report.failures.iter().map(|one| format!("{}: {}", one.place, one.reason));
    let missing = report.missing.iter().map(|one| format!("{}: {}: {}", one.place, one.what, one.excerpt));
    failures.chain(missing).collect()
}

async fn nothing_is_lost(world: fn() -> World) -> Report {
    let folder = tempfile::tempdir().unwrap();
    for version in VERSIONS {
        let mut recorder = Recorder::new(world(), version);
        recorder.record_all().await;
        write(folder.path(), &format!("{version}/all.json"), &json!({"exchanges": recorder.exchanges}));
    }
    let report = examine(folder.path()).unwrap();
    assert_eq!(losses(&report), [""; 0]);
    assert_eq!((report.files, report.not_json, report.empty), (3, 0, 0));
    assert_eq!(report.versions.keys().map(String::as_str).collect::<Vec<_>>(), VERSIONS);
    assert!(report.runs > 1000, "{report}");
    report
}

#[tokio::test]
async fn the_sample_workspace_is_read_without_loss_in_all_versions() {
    let report = nothing_is_lost(sample).await;
    let endpoints: BTreeSet<&str> = report.endpoints.keys().map(|(endpoint, _)| endpoint.as_str()).collect();
    for endpoint in [
        "GET /v1/blocks/{block_id}/children",
        "GET /v1/comments",
        "GET /v1/data_sources/{data_source_id}",
        "GET /v1/databases/{database_id}",
        "GET /v1/pages/{page_id}",
        "GET /v1/pages/{page_id}/markdown",
        "GET /v1/pages/{page_id}/properties/{property_id}",
        "GET /v1/users/me",
        "POST /v1/data_sources/{data_source_id}/query",
        "POST /v1/databases/{database_id}/query",
        "POST /v1/search",
    ] {
        assert!(endpoints.contains(endpoint), "{endpoint} of {endpoints:?}");
    }
    for object in ["page", "block", "database", "data_source", "user", "comment", "property_item", "error"] {
        assert!(report.objects.contains_key(object), "{object} of {:?}", report.objects);
    }
    let printed = report.to_string();
    let last = printed.lines().last().unwrap();
    assert!(
        last.starts_with("files=3 exchanges=") && last.ends_with(" decode_failures=0 missing_plain_text=0"),
        "{last}"
    );
}

#[tokio::test]
async fn a_generated_world_is_read_without_loss_in_all_versions() {
    let report = nothing_is_lost(generated).await;
    assert!(report.blocks.len() > 10 && report.properties.len() > 10, "{report}");
}

#[test]
fn a_broken_answer_is_found() {
    let page = json!({"object": "page", "id": "nobody", "properties": {}});
    let found = losses(&report_of(&answered("https://api.notion.com/v1/pages/x1?a=token", &page)));
    assert!(
        matches!(found.as_slice(), [one] if one.starts_with("one.json n=7 GET /v1/pages/{page_id}: ")),
        "{found:?}"
    );
    let mut block = paragraph("kept");
    block["paragraph"]["rich_text"] = json!("no runs");
    let list = json!({"object": "list", "type": "block", "has_more": false, "next_cursor": null,
        "results": [paragraph("whole"), block, {"object": "block"}]});
    let report = report_of(&answered("/v1/blocks/x1/children", &list));
    assert_eq!((report.failures.len(), report.missing.len()), (2, 0), "{report}");
    for text in [json!("{\"object\": \"page\", \"id\""), json!([1]), json!({"name": "no page"})] {
        assert_eq!(report_of(&answered("/v1/pages/x1", &text)).failures.len(), 1, "{text}");
    }
    assert_eq!(report_of(&json!({"nothing": "here"})).failures.len(), 1);
}

#[test]
fn a_lost_text_is_found() {
    // A divider has no text that anybody reads.
    let mut block = paragraph("SECRET that goes on and on ".repeat(9).as_str());
    block["type"] = json!("divider");
    block["divider"] = block["paragraph"].take();
    let report = report_of(&json!({"body": block}));
    assert!(!report.is_lossless());
    assert_eq!(report.missing.len(), 1, "{report}");
    assert_eq!(report.missing[0].excerpt.chars().count(), 80);
    // Deeper than anything is looked for in what is unknown.
    let mut deep = json!([{"plain_text": "lost"}]);
    for _ in 0..20 {
        deep = json!({"inner": deep});
    }
    let block = json!({"object": "block", "id": "00000000-0000-4000-8000-000000000001", "type": "hologram",
        "hologram": deep});
    assert_eq!(losses(&report_of(&json!({"body": block}))), ["one.json (single object): hologram: lost"]);
    let novelty = json!({"object": "novelty", "id": "x", "title": [{"plain_text": "unread"}]});
    assert_eq!(report_of(&json!({"body": novelty})).missing.len(), 1);
}

#[test]
fn an_unknown_kind_is_told_and_fails_nothing() {
    let block = json!({"object": "block", "id": "00000000-0000-4000-8000-000000000001", "type": "hologram",
        "parent": {"type": "orbit_id"}, "hologram": {"rich_text": [{"plain_text": "kept", "type": "sound"}]}});
    let property = json!({"object": "page", "id": "00000000-0000-4000-8000-000000000001", "properties": {
        "Mood": {"id": "a", "type": "mood", "mood": [{"plain_text": "fine", "type": "text", "text": {"content": "fine"}}]}}});
    let report = report_of(&json!([{"body": block}, {"body": property}]));
    assert!(report.is_lossless(), "{report}");
    let unknown: Vec<(&str, &str)> =
        report.unknown.keys().map(|(what, kind)| (*what, kind.as_str())).collect();
    assert_eq!(
        unknown,
        [("block", "hologram"), ("parent", "orbit_id"), ("property", "mood"), ("run of text", "sound")]
    );
    assert!(
        report
            .to_string()
            .ends_with("runs=2 unknown_kinds=4 unknown=4 decode_failures=0 missing_plain_text=0\n"),
        "{report}"
    );
}

#[test]
fn objects_that_the_product_never_asks_for_are_counted() {
    let task = json!({"object": "async_task", "id": "task_1", "status": "succeeded",
        "result": {"object": "page_markdown", "id": "00000000-0000-4000-8000-000000000001", "markdown": "# Hello"}});
    let emojis = json!({"object": "list", "type": "custom_emoji", "has_more": false, "next_cursor": null,
        "results": [{"id": "00000000-0000-4000-8000-000000000001", "name": "bufo"}]});
    let token =
        json!({"access_token": "secret", "owner": {"type": "user", "user": {"object": "user", "id": "x"}}});
    let view = json!({"object": "view", "id": "x", "name": "Board", "configuration": {"type": "form",
        "title": [{"type": "equation", "equation": {"expression": "x"}, "plain_text": "x"}]}});
    let query = json!({"object": "view_query", "id": "x", "results": [{"object": "page",
        "id": "00000000-0000-4000-8000-000000000001"}]});
    let templates =
        json!({"templates": [{"id": "x", "name": "Empty", "is_default": true}], "has_more": false});
    let bodies = [task, emojis, token, view, query, templates];
    let report = report_of(&Value::from_iter(bodies.map(|body| json!({"body": body}))));
    assert!(report.is_lossless() && report.unknown.is_empty(), "{report}");
    let objects: Vec<&str> = report.objects.keys().map(String::as_str).collect();
    let expected = ["(none)", "async_task", "custom_emoji", "list of custom_emoji", "page", "page_markdown"];
    assert_eq!(objects, [expected.as_slice(), &["view", "view_query"]].concat());
}

/// An exchange of a recording of many.
fn exchange(method: &str, url: &str, status: u16, body: &Value) -> Value {
    json!({"request": {"method": method, "url": url, "headers": {"Notion-Version": ["2025-09-03"]}},
        "response": {"status": status, "body": body}})
}

#[test]
fn what_holds_no_content_is_no_loss() {
    let id = "00000000000040008000000000000001";
    let exchanges = [
        exchange("DELETE", &format!("/v1/comments/{id}"), 200, &json!({"request_id": "r"})),
        exchange("POST", "https://api.notion.com/v1/oauth/revoke", 200, &json!({"request_id": "r"})),
        exchange("GET", "/v1/oauth/x", 401, &json!({"error": "invalid_client", "request_id": "r"})),
        exchange(
            "GET",
            "/v1/users",
            404,
            &json!({"object": "error", "code": "object_not_found", "status": 404}),
        ),
        exchange("GET", "/v1/users", 502, &json!("{\"object\": \"err")),
        exchange("GET", "/v1/users", 503, &json!([1])),
        exchange("PUT", "https://files.example/w/plan.pdf", 200, &json!("{not ours")),
        exchange("GET", "https://files.example/w/plan.json", 200, &json!([{"plain_text": "a file's own"}])),
        exchange("GET", "https://tasks.example/v1/lists", 200, &json!({"object": "list", "data": []})),
        exchange("GET", "https://status.example/400", 400, &json!("400 Bad Request")),
        exchange("GET", &format!("pages/{id}"), 200, &json!({"object": "page", "id": id})),
        exchange(
            "PATCH",
            &format!("/v1/pages/{id}"),
            200,
            &json!({"object": "page", "id": id,
            "properties": {"Name": {"id": "title"}}}),
        ),
        json!({"request": {"method": "GET", "url": "/v1/users"}, "response": null}),
        Value::Null,
    ];
    let report = report_of(&json!({"exchanges": exchanges}));
    assert!(report.is_lossless() && report.unknown.is_empty(), "{report}");
    assert_eq!((report.exchanges, report.empty, report.not_json, report.foreign), (14, 2, 3, 2));
    assert_eq!(report_of(&json!({"exchanges": []})).files, 1);
    let codeless = report_of(&exchange("GET", "/v1/users", 500, &json!({"object": "error"})));
    assert!(codeless.is_lossless() && codeless.unknown.len() == 1, "{codeless}");
}

#[test]
fn one_bad_file_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (name, content) in [
        ("cut.json", "{\"exchanges\": ["),
        ("deep.json", &"[".repeat(100_000)),
        ("text.json", "hello"),
        ("none.json", ""),
    ] {
        std::fs::write(path.join(name), content).unwrap();
    }
    std::fs::write(path.join("latin.json"), b"{\"body\": \"\xe9\"}").unwrap();
    write(path, "package.json", &json!({"name": "x", "version": "1"}));
    write(path, "sub/folder/good.json", &json!({"body": paragraph("found")}));
    let report = examine(path).unwrap();
    assert_eq!(
        (report.files, report.failures.len(), report.runs, report.missing.len()),
        (7, 6, 1, 0),
        "{report}"
    );
    let reasons: BTreeSet<&str> = report.failures.iter().map(|one| one.place.file.as_str()).collect();
    assert_eq!(reasons.len(), 6);
}

#[test]
fn each_run_needs_a_place_of_its_own() {
    let cell = |text: &str| json!([{"type": "text", "text": {"content": text}, "plain_text": text}]);
    let mut row = paragraph("");
    row["type"] = json!("table_row");
    row["table_row"] = json!({"cells": [cell("a"), cell("a b"), cell("a")]});
    assert!(report_of(&json!({"body": row})).is_lossless());
    // One more than the block has: what was found for one cell is no proof of another.
    row["extra"] = cell("a");
    assert_eq!(losses(&report_of(&json!({"body": row}))), ["one.json (single object): table_row: a"]);
}

fn run(text: &str) -> Value {
    json!({"type": "text", "text": {"content": text, "link": null}, "plain_text": text, "href": null,
        "annotations": {"bold": false, "italic": false, "strikethrough": false, "underline": false, "code": false,
            "color": "default"}})
}

fn mention(kind: &str, target: &Value, shown: &str) -> Value {
    let mut mention = run(shown);
    mention["type"] = json!("mention");
    mention["text"].take();
    mention["mention"] = json!({"type": kind, kind: target});
    mention
}

/// Every kind of run as versions of the API have it, and characters that rendering could trip over.
fn every_run() -> Value {
    let id = "00000000-0000-4000-8000-000000000001";
    let person = json!({"object": "user", "id": id, "name": "Ada Reed", "avatar_url": null, "type": "person",
        "person": {"email": "ada@example.org"}});
    let day = |start: &str, end: Value, zone: Value| json!({"start": start, "end": end, "time_zone": zone});
    let (morning, noon) = ("2026-01-01T09:30:00.000-05:00", "2026-01-01T12:00:00.000-05:00");
    let link = "https://links.example/q?signature=1";
    json!([
        run("Ask "),
        mention("user", &person, "@Ada Reed"),
        run(" : "),
        mention("user", &json!({"object": "user", "id": id}), "@Anonymous"),
        mention("user", &json!({"object": "user", "id": id}), "@"),
        mention("page", &json!({"id": id}), "Plan"),
        mention("database", &json!({"id": id}), "Tasks"),
        mention("data_source", &json!({"id": id}), "Tasks"),
        mention("date", &day("2026-01-01", Value::Null, Value::Null), "2026-01-01"),
        mention("date", &day(morning, json!(noon), json!("America/New_York")), &format!("{morning} → {noon}")),
        mention("link_preview", &json!({"url": link}), link),
        mention("link_mention", &json!({"href": link, "title": "A title"}), link),
        mention("link_mention", &json!({"href": link}), link),
        mention("template_mention", &json!({"type": "template_mention_date", "template_mention_date": "today"}), "@Today"),
        mention("custom_emoji", &json!({"id": id, "name": "parrot", "url": link}), ":parrot:"),
        {"type": "equation", "equation": {"expression": "a^2"}, "plain_text": "a^2"},
        run("  end\n\ttab \u{200b} e\u{301} 👩‍👩‍👧 \u{202e}rtl *a* _b_ `c` <d> & | \\ # 1."),
    ])
}

#[test]
fn every_run_is_kept_wherever_it_stands() {
    let id = "00000000-0000-4000-8000-000000000001";
    let runs = every_run();
    let mut blocks: Vec<Value> = ["paragraph", "heading_4", "quote", "callout", "to_do", "toggle", "template"]
        .map(|kind| json!({"object": "block", "id": id, "type": kind, kind: {"rich_text": runs, "color": "default"}}))
        .into();
    blocks.push(
        json!({"object": "block", "id": id, "type": "table_row", "table_row": {"cells": [runs, [], runs]}}),
    );
    blocks.push(json!({"object": "block", "id": id, "type": "image", "image": {"type": "external",
        "external": {"url": "https://x.example/a.png"}, "caption": runs}}));
    blocks.push(
        json!({"object": "block", "id": id, "type": "meeting_notes", "meeting_notes": {"title": runs}}),
    );
    let listed = |kind: &str, results: Value| json!({"object": "list", "type": kind, kind: {}, "results": results, "next_cursor": null, "has_more": false});
    let items = runs.as_array().unwrap().iter();
    let items: Value =
        items.map(|run| json!({"object": "property_item", "type": "title", "title": run})).collect();
    let mut property = listed("property_item", items);
    property["property_item"] = json!({"id": "title", "next_url": null, "type": "title", "title": {}});
    let array = json!([{"type": "title", "title": runs}, {"type": "title", "title": runs}]);
    let page = json!({"object": "page", "id": id, "properties": {
        "Name": {"id": "title", "type": "title", "title": runs},
        "Text": {"id": "a", "type": "rich_text", "rich_text": runs},
        "Rolled": {"id": "b", "type": "rollup", "rollup": {"type": "array", "array": array, "function": "show_original"}}}});
    let bodies = [
        listed("block", Value::Array(blocks)),
        property,
        page,
        json!({"object": "comment", "id": id, "rich_text": runs}),
        json!({"object": "data_source", "id": id, "title": runs, "description": runs, "properties": {}}),
        json!({"object": "database", "id": id, "title": runs, "description": runs}),
    ];
    let report = report_of(&Value::from_iter(bodies.map(|body| json!({"body": body}))));
    assert!(report.is_lossless() && report.unknown.is_empty(), "{report}");
    assert_eq!(report.runs, 21 * 17);
}

#[test]
fn known_kinds_that_cannot_be_read_are_told_as_malformed() {
    let mut block = paragraph("kept");
    block["parent"] = json!({"type": "page_id", "page_id": "nobody"});
    block["paragraph"]["icon"] = json!({"type": "emoji"});
    let link = json!({"object": "block", "id": "00000000-0000-4000-8000-000000000001", "type": "link_to_page",
        "link_to_page": {"type": "view_id", "view_id": "x"}});
    let report = report_of(&json!([{"body": block}, {"body": link}]));
    assert!(report.is_lossless(), "{report}");
    let unknown: Vec<String> = report.unknown.keys().map(|(what, kind)| format!("{what} {kind}")).collect();
    assert_eq!(unknown, ["icon emoji, malformed", "parent page_id, malformed", "target of a link view_id"]);
}

#[test]
fn old_versions_other_files_and_error_pages_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let broken = answered("/v1/pages/x1", &json!({"object": "page"}));
    write(folder.path(), "_spec/schema.json", &broken);
    write(folder.path(), "a/replayable.json", &broken);
    let mut old = broken.clone();
    old["exchanges"][0]["request"]["notion_version"] = json!("2021-08-16");
    write(folder.path(), "a/old.json", &old);
    write(folder.path(), "a/html.json", &answered("/v1/pages/x1", &json!("<html>502</html>")));
    write(folder.path(), "a/empty.json", &answered("/v1/pages/x1", &Value::Null));
    std::fs::write(folder.path().join("a/notes.txt"), "x").unwrap();
    let report = examine(folder.path()).unwrap();
    assert_eq!(losses(&report), [""; 0]);
    let skipped: Vec<(&str, u64)> =
        report.skipped.iter().map(|(version, n)| (version.as_str(), *n)).collect();
    assert_eq!(skipped, [("2021-08-16", 1)]);
    assert_eq!((report.files, report.not_json, report.empty), (3, 1, 1));
}

#[test]
fn answers_to_writing_and_blocks_in_the_trash_are_read() {
    let mut trashed = paragraph("still text");
    trashed["in_trash"] = json!(true);
    let mut written = answered("/v1/blocks/x1", &trashed);
    written["exchanges"][0]["request"]["method"] = json!("DELETE");
    let report = report_of(&written);
    assert!(report.is_lossless() && report.runs == 1, "{report}");
    assert!(report.endpoints.contains_key(&("DELETE /v1/blocks/{block_id}".to_owned(), "200".to_owned())));
}

#[test]
fn nothing_of_the_recordings_is_printed_but_what_is_missing() {
    let mut user =
        json!({"object": "user", "id": "00000000-0000-4000-8000-000000000001", "name": "Confidential"});
    user["type"] = json!("person");
    let recording = answered("https://api.notion.com/v1/users/ntn_confidential?token=confidential", &user);
    let mut broken = paragraph("confidential");
    broken["id"] = json!("confidential");
    for content in [recording, answered("/v1/blocks/confidential", &broken)] {
        let printed = report_of(&content).to_string().to_lowercase();
        assert!(!printed.contains("confidential") && !printed.contains("secret"), "{printed}");
    }
}

#[test]
fn a_folder_without_recordings_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(examine(folder.path()).is_err());
    assert!(examine(&folder.path().join("none")).is_err());
}
