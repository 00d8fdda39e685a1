//! What the documentation says of every request, and the shapes of objects. Quotations name the page of
//! developers.notion.com they come from; "recorded" means that public recordings of live traffic show it.

use serde_json::{Value, json};

use crate::harness::{Client, first, generated, page_with, sample};

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// "status-codes": 401 `unauthorized`, "The bearer token is not valid".
#[tokio::test]
async fn an_unknown_token_is_401() {
    let client = Client::new(&generated("pages=5")).token("wrong");
    let answer = client.get("/v1/users/me").await;
    assert_eq!(answer.refusal(), (401, "unauthorized"));
    assert_eq!(answer.message(), "API token is invalid.");
}

/// "versioning": the `Notion-Version` header is mandatory; "status-codes": 400 `missing_version`.
#[tokio::test]
async fn a_request_without_a_version_is_refused() {
    let client = Client { version: None, ..Client::new(&generated("pages=5")) };
    assert_eq!(client.get("/v1/users/me").await.refusal(), (400, "missing_version"));
}

/// "status-codes": 400 `invalid_request_url`, "This request URL is not valid"; recorded: not a 404.
#[tokio::test]
async fn an_unknown_path_is_400() {
    let client = Client::new(&generated("pages=5"));
    for path in ["/v1/nonsense", "/v1/pages", "/", "/v1/search"] {
        let answer = client.get(path).await;
        assert_eq!(answer.refusal(), (400, "invalid_request_url"), "{path}");
        assert_eq!(answer.message(), "Invalid request URL.");
    }
}

/// Recorded: an id that is no UUID is 400, one that names nothing is 404 with the integration's id.
#[tokio::test]
async fn ids_are_checked_before_they_are_looked_up() {
    let client = Client::new(&generated("pages=5"));
    let bad = client.get("/v1/pages/12345678-1234-1234-1234-123456789abc").await;
    assert_eq!(bad.refusal(), (400, "validation_error"));
    assert_eq!(
        bad.message(),
        "path failed validation: path.page_id should be a valid uuid, instead was `\"12345678-1234-1234-1234-123456789abc\"`."
    );
    let me = client.get("/v1/users/me").await.ok();
    let nil = client.get("/v1/pages/00000000-0000-0000-0000-000000000000").await;
    assert_eq!(nil.refusal(), (404, "object_not_found"));
    assert_eq!(nil.body["additional_data"]["integration_id"], me["id"]);
    assert!(nil.message().ends_with("shared with your integration \"Emulated integration\"."));
}

/// "errors": a page's id on the database endpoint is 404, like anything not shared.
#[tokio::test]
async fn an_object_of_another_kind_is_404() {
    let emulator = generated("pages=300,seed=1");
    let client = Client::new(&emulator);
    let page = first(&emulator, "page")["id"].as_str().unwrap().to_owned();
    let database = first(&emulator, "database")["id"].as_str().unwrap().to_owned();
    for path in [
        format!("/v1/databases/{page}"),
        format!("/v1/data_sources/{database}"),
        format!("/v1/pages/{database}"),
    ] {
        assert_eq!(client.get(&path).await.refusal(), (404, "object_not_found"), "{path}");
    }
}

/// Recorded in 1,499 of 1,499 exchanges: the body's `request_id` is the header `x-notion-request-id`.
#[tokio::test]
async fn every_answer_carries_its_request_id_twice() {
    let client = Client::new(&generated("pages=5"));
    for path in ["/v1/users/me", "/v1/nonsense"] {
        let answer = client.get(path).await;
        assert_eq!(answer.headers["x-notion-request-id"], answer.body["request_id"].as_str().unwrap());
        assert_eq!(keys(&answer.body).last(), Some(&"request_id"));
        assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
    }
}

/// "status-codes": 400 `invalid_json`, "The request body could not be decoded as JSON".
#[tokio::test]
async fn a_broken_body_is_invalid_json() {
    let client = Client::new(&generated("pages=5"));
    let answer = client.send("POST", "/v1/search", "{\"query\":").await;
    assert_eq!(answer.refusal(), (400, "invalid_json"));
    assert_eq!(client.send("POST", "/v1/search", "[]").await.refusal(), (400, "validation_error"));
    assert_eq!(client.send("POST", "/v1/search", "").await.status, 200);
}

/// "pagination": `page_size` "Default: 100, Maximum: 100"; `next_cursor` "only available when has_more is true".
#[tokio::test]
async fn lists_come_in_pages_of_at_most_a_hundred() {
    let client = Client::new(&generated("pages=250,seed=4"));
    let first = client.post("/v1/search", &json!({})).await.ok();
    assert_eq!(first["results"].as_array().unwrap().len(), 100);
    assert_eq!(
        keys(&first),
        ["object", "results", "next_cursor", "has_more", "type", "page_or_data_source", "request_id"]
    );
    let whole = client.all("/v1/search", &json!({}), 100).await;
    let small = client.all("/v1/search", &json!({}), 7).await;
    assert_eq!(whole, small);
    for (size, bound) in [(json!(101), "≤ `100`"), (json!(0), "≥ `1`"), (json!("ten"), "a number")] {
        let answer = client.post("/v1/search", &json!({"page_size": size})).await;
        assert_eq!(answer.refusal(), (400, "validation_error"));
        assert!(answer.message().contains(bound), "{}", answer.message());
    }
    assert_eq!(client.get("/v1/users?page_size=0").await.refusal(), (400, "validation_error"));
}

/// Reported with this wording in many clients' issues.
#[tokio::test]
async fn a_bad_cursor_is_named_in_the_refusal() {
    let emulator = generated("pages=300,seed=1");
    let client = Client::new(&emulator);
    let source = first(&emulator, "data_source")["id"].as_str().unwrap().to_owned();
    for path in ["/v1/search".to_owned(), format!("/v1/data_sources/{source}/query")] {
        let answer = client.post(&path, &json!({"start_cursor": "nonsense"})).await;
        assert_eq!(answer.refusal(), (400, "validation_error"));
        assert_eq!(answer.message(), "The start_cursor provided is invalid: nonsense");
    }
}

/// Recorded key order of a page; times "rounded to the minute".
#[tokio::test]
async fn a_page_has_the_keys_of_the_wire() {
    let emulator = generated("pages=30");
    let client = Client::new(&emulator);
    let id = first(&emulator, "page")["id"].as_str().unwrap().to_owned();
    let page = client.get(&format!("/v1/pages/{}", id.replace('-', ""))).await.ok();
    assert_eq!(
        keys(&page),
        [
            "object",
            "id",
            "created_time",
            "last_edited_time",
            "created_by",
            "last_edited_by",
            "cover",
            "icon",
            "parent",
            "in_trash",
            "is_archived",
            "is_locked",
            "properties",
            "url",
            "public_url",
            "request_id"
        ]
    );
    assert!(page["last_edited_time"].as_str().unwrap().ends_with(":00.000Z"));
    assert_eq!(page["id"], id);
}

/// "upgrade-guide-2026-03-11": `archived` was removed; before, it repeats `in_trash` after the other keys.
#[tokio::test]
async fn archived_exists_before_2026_only() {
    let emulator = generated("pages=30");
    let client = Client::new(&emulator);
    let path = format!("/v1/pages/{}", first(&emulator, "page")["id"].as_str().unwrap());
    assert!(client.get(&path).await.ok().get("archived").is_none());
    for version in ["2025-09-03", "2022-06-28"] {
        let page = client.version(version).get(&path).await.ok();
        assert_eq!(page["archived"], false);
        assert_eq!(keys(&page).iter().rev().nth(1), Some(&"archived"));
    }
}

/// "upgrade-guide-2026-03-11": block type `transcription` became `meeting_notes`.
#[tokio::test]
async fn meeting_notes_were_called_transcription() {
    let (client, page) =
        page_with(json!([{"block": {"kind": "meeting_notes", "payload": {"title": []}}}])).await;
    let path = format!("/v1/blocks/{page}/children");
    assert_eq!(client.get(&path).await.ok()["results"][0]["type"], "meeting_notes");
    let old = client.version("2025-09-03").get(&path).await.ok();
    assert_eq!(old["results"][0]["type"], "transcription");
    assert!(old["results"][0]["transcription"].is_object());
}

/// "upgrade-guide-2025-09-03": databases were split into databases and data sources.
#[tokio::test]
async fn before_2025_a_database_is_its_data_source() {
    let emulator = generated("pages=300,seed=1");
    let client = Client::new(&emulator);
    let old = client.version("2022-06-28");
    let database = first(&emulator, "database")["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/databases/{database}");
    let container = client.get(&path).await.ok();
    assert!(container["created_time"].as_str().unwrap().ends_with("+00:00"));
    assert!(container.get("properties").is_none());
    let source = container["data_sources"][0]["id"].as_str().unwrap();
    let legacy = old.get(&path).await.ok();
    assert!(legacy["properties"].is_object());
    let rows = old.all(&format!("{path}/query"), &json!({}), 100).await;
    let rows_now = client.all(&format!("/v1/data_sources/{source}/query"), &json!({}), 100).await;
    assert_eq!(rows.len(), rows_now.len());
    assert_eq!(rows[0]["parent"], json!({"type": "database_id", "database_id": database}));
    assert_eq!(
        rows_now[0]["parent"],
        json!({"type": "data_source_id", "data_source_id": source, "database_id": database})
    );
    let searched =
        old.post("/v1/search", &json!({"filter": {"property": "object", "value": "database"}})).await.ok();
    assert!(searched["results"].as_array().unwrap().iter().any(|found| found["id"] == database.as_str()));
    assert_eq!(
        client.post(&format!("{path}/query"), &json!({})).await.refusal(),
        (400, "invalid_request_url")
    );
    assert_eq!(old.get(&format!("/v1/data_sources/{source}")).await.refusal(), (400, "invalid_request_url"));
}

/// "upgrade-guide-2025-09-03": an old client is refused as soon as a database has a second data source.
#[tokio::test]
async fn before_2025_two_data_sources_are_refused() {
    let schema = json!({"Name": {"type": "title", "title": {}}});
    let sources = json!([{"title": "A", "schema": schema}, {"title": "B", "schema": schema}]);
    let (client, page) = page_with(json!([{"database": {"title": "Two", "data_sources": sources}}])).await;
    let children = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    let path = format!("/v1/databases/{}", children["results"][0]["id"].as_str().unwrap());
    assert_eq!(client.get(&path).await.ok()["data_sources"].as_array().unwrap().len(), 2);
    let refused = client.version("2022-06-28").get(&path).await;
    assert_eq!(refused.refusal(), (400, "validation_error"));
    assert_eq!(refused.body["additional_data"]["child_data_source_ids"].as_array().unwrap().len(), 2);
}

/// Recorded: a linked view is a database titled "Untitled" without data sources.
#[tokio::test]
async fn a_linked_view_has_no_data_sources() {
    let (client, page) = page_with(json!([{"database": {"title": "Untitled", "data_sources": []}}])).await;
    let children = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    let block = &children["results"][0];
    assert_eq!((&block["type"], &block["has_children"]), (&json!("child_database"), &json!(false)));
    let database = client.get(&format!("/v1/databases/{}", block["id"].as_str().unwrap())).await.ok();
    assert_eq!(database["data_sources"], json!([]));
}

/// "retrieve-a-block": "If the block contains the key has_children: true, use the children endpoint"; one level at a time.
#[tokio::test]
async fn children_come_one_level_at_a_time() {
    let text = |text: &str| json!({"rich_text": [{"text": {"content": text}}]});
    let (client, page) =
        page_with(json!([{"block": {"kind": "toggle", "payload": text("outer"), "children": [
            {"block": {"kind": "paragraph", "payload": text("inner")}},
            {"page": {"title": "Below", "body": [{"block": {"kind": "divider", "payload": {}}}]}},
        ]}}]))
        .await;
    let top = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    let toggle = &top["results"][0];
    assert_eq!(
        keys(toggle),
        [
            "object",
            "id",
            "parent",
            "created_time",
            "last_edited_time",
            "created_by",
            "last_edited_by",
            "has_children",
            "in_trash",
            "type",
            "toggle"
        ]
    );
    assert_eq!((top["results"].as_array().unwrap().len(), &toggle["has_children"]), (1, &json!(true)));
    let toggle_id = toggle["id"].as_str().unwrap();
    let inner = client.get(&format!("/v1/blocks/{toggle_id}/children")).await.ok();
    assert_eq!(inner["results"][0]["parent"], json!({"type": "block_id", "block_id": toggle_id}));
    let child = &inner["results"][1];
    assert_eq!((&child["child_page"]["title"], &child["has_children"]), (&json!("Below"), &json!(true)));
    let below = client.get(&format!("/v1/pages/{}", child["id"].as_str().unwrap())).await.ok();
    assert_eq!(below["parent"], json!({"type": "block_id", "block_id": toggle_id}));
}

/// "retrieve-page-markdown": children of toggles are inlined, child pages are tags; a titled empty page gives "".
#[tokio::test]
async fn markdown_holds_the_body_and_nothing_else() {
    let (client, page) = page_with(json!([])).await;
    let path = format!("/v1/pages/{page}/markdown");
    let empty = client.get(&path).await.ok();
    assert_eq!(keys(&empty), ["object", "id", "markdown", "truncated", "unknown_block_ids", "request_id"]);
    assert_eq!((&empty["markdown"], &empty["truncated"]), (&json!(""), &json!(false)));
    let body = json!([{"block": {"kind": "heading_2", "payload": {"rich_text": [{"text": {"content": "Hello"}}]}}}, {"page": {"title": "Sub"}}]);
    client.post("/_emulator/edit", &json!({"id": page, "append": body})).await.ok();
    let markdown = client.get(&path).await.ok()["markdown"].as_str().unwrap().to_owned();
    assert!(markdown.starts_with("## Hello\n<page url=\"https://app.notion.com/p/Sub-"), "{markdown}");
    for version in ["v1", "v2"] {
        assert_eq!(client.get(&format!("{path}?markdown_version={version}")).await.status, 200);
    }
    assert_eq!(client.get(&format!("{path}?markdown_version=v3")).await.refusal(), (400, "validation_error"));
}

/// "working-with-markdown-content": content that is not shared makes `truncated` true and is listed in
/// `unknown_block_ids`; reading such an id says 404.
#[tokio::test]
async fn an_unshared_child_is_unknown_in_markdown_and_absent_among_children() {
    let (client, page) = page_with(json!([{"page": {"title": "Secret"}}])).await;
    let children = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    let secret = children["results"][0]["id"].as_str().unwrap().to_owned();
    client.post("/_emulator/unshare", &json!({"id": secret})).await.ok();
    let markdown = client.get(&format!("/v1/pages/{page}/markdown")).await.ok();
    assert_eq!((&markdown["truncated"], &markdown["unknown_block_ids"]), (&json!(true), &json!([secret])));
    assert!(!markdown["markdown"].as_str().unwrap().contains("Secret"));
    assert_eq!(
        client.get(&format!("/v1/pages/{secret}/markdown")).await.refusal(),
        (404, "object_not_found")
    );
    assert_eq!(client.get(&format!("/v1/blocks/{page}/children")).await.ok()["results"], json!([]));
}

/// "capabilities": without the capability a request is 403 `restricted_resource`; e-mails are left out without theirs.
#[tokio::test]
async fn lacking_capabilities_refuse_or_leave_out() {
    let emulator = sample();
    let client = Client::new(&emulator);
    let person = first(&emulator, "user")["id"].as_str().unwrap().to_owned();
    let page = first(&emulator, "page")["id"].as_str().unwrap().to_owned();
    let with = async |capabilities: Value| {
        client.post("/_emulator/token", &json!({"capabilities": capabilities})).await.ok()
    };
    let user = client.get(&format!("/v1/users/{person}")).await.ok();
    assert!(user["person"]["email"].is_string());
    with(json!({"users": "without_email"})).await;
    assert_eq!(client.get(&format!("/v1/users/{person}")).await.ok()["person"], json!({}));
    with(json!({"users": "none", "read_comments": false, "read_content": false})).await;
    assert_eq!(client.get("/v1/users").await.refusal(), (403, "restricted_resource"));
    assert_eq!(client.get(&format!("/v1/users/{person}")).await.refusal(), (404, "object_not_found"));
    assert_eq!(
        client.get(&format!("/v1/comments?block_id={page}")).await.refusal(),
        (403, "restricted_resource")
    );
    assert_eq!(client.get(&format!("/v1/pages/{page}")).await.refusal(), (403, "restricted_resource"));
    assert_eq!(client.get("/v1/users/me").await.status, 200, "users/me needs no capability");
}

/// "get-users": guests are in no list, but may be read one by one.
#[tokio::test]
async fn guests_are_read_but_not_listed() {
    let client = Client::new(&generated("pages=5"));
    let guest = client
        .post("/_emulator/person", &json!({"name": "Gil", "email": "gil@x.example", "guest": true}))
        .await
        .ok();
    let listed = client.get("/v1/users").await.ok();
    assert!(listed["results"].as_array().unwrap().iter().all(|user| user["id"] != guest["id"]));
    let read = client.get(&format!("/v1/users/{}", guest["id"].as_str().unwrap())).await.ok();
    assert_eq!(read["person"]["email"], "gil@x.example");
}

/// "working-with-comments": "only un-resolved comments"; a page's id gives its page-level discussions.
#[tokio::test]
async fn resolved_comments_cannot_be_read() {
    let (client, page) = page_with(json!([])).await;
    let first = client.post("/_emulator/comment", &json!({"id": page, "text": "One"})).await.ok();
    client.post("/_emulator/comment", &json!({"id": page, "text": "Two"})).await.ok();
    let path = format!("/v1/comments?block_id={page}");
    let listed = client.get(&path).await.ok();
    let texts: Vec<&Value> =
        listed["results"].as_array().unwrap().iter().map(|c| &c["rich_text"][0]["plain_text"]).collect();
    assert_eq!(texts, ["One", "Two"]);
    client.post("/_emulator/resolve", &first).await.ok();
    assert_eq!(client.get(&path).await.ok()["results"].as_array().unwrap().len(), 1);
    let gone = client.get(&format!("/v1/comments/{}", first["id"].as_str().unwrap())).await;
    assert_eq!(gone.refusal(), (404, "object_not_found"));
}

/// Recorded key order of the objects that hold rows, and of their times: a database's are exact, a data source's are
/// rounded to the minute.
#[tokio::test]
async fn databases_and_data_sources_have_the_keys_of_the_wire() {
    let emulator = generated("pages=300,seed=1");
    let client = Client::new(&emulator);
    let id = |kind: &str| first(&emulator, kind)["id"].as_str().unwrap().to_owned();
    let database = client.get(&format!("/v1/databases/{}", id("database"))).await.ok();
    assert_eq!(
        keys(&database).join(" "),
        "object id title description parent is_inline in_trash is_locked created_time last_edited_time data_sources icon \
         cover url public_url request_id"
    );
    assert!(database["last_edited_time"].as_str().unwrap().ends_with("+00:00"));
    let source = client.get(&format!("/v1/data_sources/{}", id("data_source"))).await.ok();
    assert_eq!(
        keys(&source).join(" "),
        "object id cover icon created_time created_by last_edited_by last_edited_time title description is_inline properties \
         parent database_parent url public_url in_trash request_id"
    );
    assert!(source["last_edited_time"].as_str().unwrap().ends_with(":00.000Z"));
    for (name, column) in source["properties"].as_object().unwrap() {
        let kind = column["type"].as_str().unwrap();
        assert_eq!(keys(column), ["id", "name", "description", "type", kind], "{name}");
    }
}

/// Recorded key order of errors, of property items and of the list around them.
#[tokio::test]
async fn errors_and_property_items_have_the_keys_of_the_wire() {
    let emulator = generated("pages=30");
    let client = Client::new(&emulator);
    let missing = client.get("/v1/pages/00000000-0000-0000-0000-000000000000").await;
    assert_eq!(keys(&missing.body), ["object", "status", "code", "message", "additional_data", "request_id"]);
    let page = first(&emulator, "page")["id"].as_str().unwrap().to_owned();
    let title = client.get(&format!("/v1/pages/{page}/properties/title")).await.ok();
    assert_eq!(
        keys(&title),
        ["object", "results", "next_cursor", "has_more", "type", "property_item", "request_id"]
    );
    assert_eq!(keys(&title["property_item"]), ["id", "next_url", "type", "title"]);
    assert_eq!(keys(&title["results"][0]), ["object", "type", "id", "title"]);
    assert_eq!(keys(&title["results"][0]["title"]), ["type", "text", "annotations", "plain_text", "href"]);
}
