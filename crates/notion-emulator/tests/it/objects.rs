//! Kinds of objects that few workspaces have, and the switches for what the documentation leaves open. Quotations name the
//! page of developers.notion.com; "recorded" and "reported" as in `conformance`.

use serde_json::{Value, json};

use crate::harness::{Client, ids, page_with};

async fn switch(client: &Client, switches: Value) {
    client.post("/_emulator/behavior", &switches).await.ok();
}

fn paragraph(name: &str, text: &str) -> Value {
    json!({"block": {"name": name, "kind": "paragraph", "payload": {"rich_text": [{"text": {"content": text}}]}}})
}

fn texts(list: &Value) -> Vec<&str> {
    let comments = list["results"].as_array().unwrap();
    comments.iter().map(|comment| comment["rich_text"][0]["plain_text"].as_str().unwrap()).collect()
}

/// "working-with-comments": comments carry attachments with a category and a file that expires, and the name that they
/// were written under.
#[tokio::test]
async fn a_comment_shows_its_attachments_and_the_name_of_its_writer() {
    let (client, page) = page_with(json!([])).await;
    let plain = client.post("/_emulator/comment", &json!({"id": page, "text": "Plain"})).await.ok();
    let plain = client.get(&format!("/v1/comments/{}", plain["id"].as_str().unwrap())).await.ok();
    assert!(plain.get("attachments").is_none());
    assert_eq!(plain["display_name"]["type"], "user");
    let comment = json!({
        "id": page, "text": "See the drawing",
        "attachments": [{"category": "image", "file": {"ref": "drawing.png"}}],
        "display_name": {"type": "custom", "resolved_name": "Survey desk"},
        "files": {"drawing.png": "not really a picture"},
    });
    let made = client.post("/_emulator/comment", &comment).await.ok();
    let path = format!("/v1/comments/{}", made["id"].as_str().unwrap());
    let read = client.get(&path).await.ok();
    assert_eq!(
        read.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "object",
            "id",
            "parent",
            "discussion_id",
            "created_time",
            "last_edited_time",
            "created_by",
            "rich_text",
            "display_name",
            "attachments",
            "request_id"
        ]
    );
    assert_eq!(read["display_name"], json!({"type": "custom", "resolved_name": "Survey desk"}));
    let attachment = &read["attachments"][0];
    assert_eq!(attachment["category"], "image");
    assert!(attachment["file"]["url"].as_str().unwrap().contains("drawing.png?X-Amz-"));
    assert!(attachment["file"]["expiry_time"].as_str().unwrap().ends_with('Z'));
}

/// "working-with-comments": a page's id gives the discussions on the page, a block's id those on the block. Whether the
/// former include the latter is not said; a switch makes them.
#[tokio::test]
async fn comments_on_blocks_are_read_by_the_blocks_id() {
    let (client, page) = page_with(json!([paragraph("here", "Text")])).await;
    let block = client.emulator.named("here").unwrap();
    for (id, text) in [(page.clone(), "first"), (block.to_string(), "on the block"), (page.clone(), "second")]
    {
        client.post("/_emulator/comment", &json!({"id": id, "text": text})).await.ok();
    }
    let of_page = format!("/v1/comments?block_id={page}");
    let of_block = client.get(&format!("/v1/comments?block_id={block}")).await.ok();
    assert_eq!(texts(&client.get(&of_page).await.ok()), ["first", "second"]);
    assert_eq!(texts(&of_block), ["on the block"]);
    assert_eq!(of_block["results"][0]["parent"], json!({"type": "block_id", "block_id": block}));
    switch(&client, json!({"comments_include_inline": true})).await;
    assert_eq!(texts(&client.get(&of_page).await.ok()), ["first", "on the block", "second"]);
    let paged = client.get(&format!("{of_page}&page_size=2")).await.ok();
    let rest = format!("{of_page}&start_cursor={}", paged["next_cursor"].as_str().unwrap());
    assert_eq!(texts(&client.get(&rest).await.ok()), ["second"]);
}

/// A seed hangs comments on blocks by their names; replies of one discussion share its id ("working-with-comments").
#[tokio::test]
async fn comments_of_one_discussion_share_its_id() {
    let (client, _) = page_with(json!([{"page": {
        "title": "Reviewed", "name": "reviewed", "body": [paragraph("clause", "A clause")],
        "comments": [
            {"block": "clause", "discussion": "wording", "rich_text": [{"text": {"content": "Why?"}}]},
            {"block": "clause", "discussion": "wording", "rich_text": [{"text": {"content": "Because."}}]},
            {"rich_text": [{"text": {"content": "All in all fine"}}]},
        ],
    }}]))
    .await;
    let id = |name: &str| client.emulator.named(name).unwrap();
    let inline = client.get(&format!("/v1/comments?block_id={}", id("clause"))).await.ok();
    assert_eq!(texts(&inline), ["Why?", "Because."]);
    assert_eq!(inline["results"][0]["discussion_id"], inline["results"][1]["discussion_id"]);
    let page = client.get(&format!("/v1/comments?block_id={}", id("reviewed"))).await.ok();
    assert_eq!(texts(&page), ["All in all fine"]);
}

fn wiki() -> Value {
    let schema = json!({
        "Page": {"type": "title", "title": {}},
        "Owner": {"id": "verification_owner", "type": "people", "people": {}},
        "Verification": {"type": "verification", "verification": {}},
    });
    let inner = json!({"title": "Inner", "name": "inner", "data_sources": [{
        "title": "Inner", "name": "inner rows", "schema": {"Name": {"type": "title", "title": {}}},
        "rows": [{"title": "Inner row"}],
    }]});
    json!([{"database": {"title": "Wiki", "name": "wiki", "is_wiki": true, "data_sources": [{
        "title": "Wiki", "name": "wiki rows", "schema": schema, "databases": [inner],
        "rows": [
            {"title": "Home", "properties": {"Verification": {"state": "verified", "verified_by": null, "date": null}}},
            {"title": "Away"},
        ],
    }]}}])
}

/// "query-a-data-source": the data source of a wiki answers with pages and with the data sources of the databases in it;
/// `result_type` chooses. Recorded: the ids of a wiki's own columns.
#[tokio::test]
async fn a_wiki_has_data_sources_among_its_rows() {
    let (client, _) = page_with(wiki()).await;
    let id = |name: &str| client.emulator.named(name).unwrap();
    let path = format!("/v1/data_sources/{}/query", id("wiki rows"));
    let kinds = |found: &[Value]| {
        let mut kinds: Vec<String> =
            found.iter().map(|found| found["object"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        kinds
    };
    for page_size in [100, 1] {
        let all = client.all(&path, &json!({}), page_size).await;
        assert_eq!(kinds(&all), ["data_source", "page", "page"]);
    }
    let pages = client.all(&path, &json!({"result_type": "page"}), 100).await;
    assert_eq!(kinds(&pages), ["page", "page"]);
    let sources = client.all(&path, &json!({"result_type": "data_source"}), 100).await;
    assert_eq!(ids(&sources), [id("inner rows").to_string()]);
    assert_eq!(sources[0]["parent"], json!({"type": "database_id", "database_id": id("inner")}));
    assert_eq!(sources[0]["database_parent"], json!({"type": "database_id", "database_id": id("wiki")}));
    let refused = client.post(&path, &json!({"result_type": "view"})).await;
    assert_eq!(refused.refusal(), (400, "validation_error"));
    let by_title = json!({"filter": {"property": "Page", "title": {"contains": "inn"}}});
    assert_eq!(client.all(&path, &by_title, 100).await.len(), 1);
    let schema = client.get(&format!("/v1/data_sources/{}", id("wiki rows"))).await.ok();
    assert_eq!(schema["properties"]["Owner"]["id"], "verification_owner");
    assert_eq!(schema["properties"]["Verification"]["id"], "verification");
}

/// "enhanced-markdown", "notion-flavored-markdown": the tag of a database says that it is a wiki.
#[tokio::test]
async fn the_tag_of_a_wiki_says_so() {
    let (client, page) = page_with(wiki()).await;
    for dialect in ["v1", "v2"] {
        let path = format!("/v1/pages/{page}/markdown?markdown_version={dialect}");
        let markdown = client.get(&path).await.ok()["markdown"].as_str().unwrap().to_owned();
        assert!(markdown.contains(" wiki=\"true\">Wiki</database>"), "{markdown}");
    }
}

/// Recorded in June 2026: a linked view is 200 and empty; reported of earlier versions: 400 in one of two wordings. It is
/// in no search ("search-optimizations-and-limitations").
#[tokio::test]
async fn a_linked_view_may_be_refused_as_it_once_was() {
    let (client, page) = page_with(json!([{"database": {"title": "Anything"}}])).await;
    let children = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    assert_eq!(children["results"][0]["child_database"]["title"], "Untitled");
    let id = children["results"][0]["id"].as_str().unwrap();
    let path = format!("/v1/databases/{id}");
    assert_eq!(client.get(&path).await.ok()["data_sources"], json!([]));
    assert_eq!(client.listed().await, [page]);
    for (switched, message) in [
        (
            "refused",
            format!(
                "Database with ID {id} is a linked database. Database retrievals do not support linked databases."
            ),
        ),
        (
            "without_data_sources",
            format!("Database with ID {id} does not contain any data sources accessible by this API bot."),
        ),
    ] {
        switch(&client, json!({"linked_views": switched})).await;
        let refused = client.get(&path).await;
        assert_eq!(refused.refusal(), (400, "validation_error"));
        assert_eq!(refused.message(), message);
    }
    switch(&client, json!({"linked_views": "not_found"})).await;
    assert_eq!(client.get(&path).await.refusal(), (404, "object_not_found"));
}

/// Archived pages are a partition of their own ("query-a-data-source"); whether search lists them is not said, reports
/// saw them there.
#[tokio::test]
async fn search_may_leave_out_what_is_archived() {
    let (client, page) = page_with(json!([{"page": {"title": "Old", "name": "old"}}])).await;
    let old = client.emulator.named("old").unwrap();
    client.emulator.set_archived(old, true).unwrap();
    assert_eq!(client.listed().await.len(), 2);
    let read = client.get(&format!("/v1/pages/{old}")).await.ok();
    assert_eq!((&read["is_archived"], &read["in_trash"]), (&json!(true), &json!(false)));
    switch(&client, json!({"search_lists_archived": false})).await;
    assert_eq!(client.listed().await, [page]);
}

/// "migrate-to-notion-flavored-markdown": a later version answers in v2 and refuses v1; earlier ones knew no v2, or not
/// even the parameter.
#[tokio::test]
async fn versions_differ_in_the_dialects_that_they_know() {
    let (client, page) =
        page_with(json!([{"block": {"kind": "paragraph", "payload": {"rich_text": []}}}])).await;
    let ask = async |version: &str| client.get(&format!("/v1/pages/{page}/markdown{version}")).await;
    let [none, v1, v2] = ["", "?markdown_version=v1", "?markdown_version=v2"];
    assert_eq!(ask(none).await.ok()["markdown"], "<empty-block/>");
    assert_eq!(ask(v2).await.ok()["markdown"], "<p />");
    let refused = ask("?markdown_version=v3").await;
    assert_eq!(
        refused.message(),
        "query failed validation: query.markdown_version should be `\"v1\"`, `\"v2\"`, or `undefined`, instead was `\"v3\"`."
    );
    switch(&client, json!({"markdown_versions": ["v2"], "markdown_default": "v2"})).await;
    assert_eq!(ask(none).await.ok()["markdown"], "<p />");
    assert_eq!(ask(v1).await.refusal(), (400, "validation_error"));
    switch(&client, json!({"markdown_versions": ["v1"], "markdown_default": "v1"})).await;
    assert_eq!(ask(v2).await.refusal(), (400, "validation_error"));
    switch(&client, json!({"markdown_versions": []})).await;
    assert_eq!(ask(v1).await.refusal(), (400, "validation_error"));
    assert_eq!(ask(none).await.ok()["markdown"], "<empty-block/>");
    switch(&client, json!({"markdown_version_ignored": true})).await;
    assert_eq!(ask(v2).await.ok()["markdown"], "<empty-block/>");
}

/// "retrieve-page-markdown", "working-with-markdown-content": what is too large is cut, each cut block leaves a tag, and
/// `unknown_block_ids` names some (reported: 100), which the same endpoint gives one by one.
#[tokio::test]
async fn a_cut_page_names_some_of_what_is_missing_and_tags_all_of_it() {
    let lines: Vec<Value> = (0..12).map(|n| paragraph(&format!("p{n}"), &format!("Line {n}"))).collect();
    let (client, page) = page_with(json!(lines)).await;
    for dialect in ["v1", "v2"] {
        switch(&client, json!({"markdown_max_blocks": 5, "markdown_max_unknown_ids": 3})).await;
        let path = format!("/v1/pages/{page}/markdown?markdown_version={dialect}");
        let answer = client.get(&path).await.ok();
        let tags = |answer: &Value| answer["markdown"].as_str().unwrap().matches("<unknown url=").count();
        assert_eq!((&answer["truncated"], tags(&answer)), (&json!(true), 7), "{answer}");
        let named = ["p5", "p6", "p7"].map(|name| client.emulator.named(name).unwrap());
        assert_eq!(answer["unknown_block_ids"], json!(named));
        let part = client.get(&format!("/v1/pages/{}/markdown", named[0])).await.ok();
        assert_eq!((&part["markdown"], &part["truncated"]), (&json!("Line 5"), &json!(false)));
        assert_eq!(part["id"], json!(named[0]));
        switch(&client, json!({"markdown_max_unknown_ids": 0})).await;
        let unnamed = client.get(&path).await.ok();
        assert_eq!((tags(&unnamed), &unnamed["unknown_block_ids"]), (7, &json!([])));
        assert_eq!(unnamed["truncated"], true);
    }
}

/// "working-with-markdown-content": types without a form leave a tag; whether they count as truncation is not said.
#[tokio::test]
async fn unsupported_blocks_may_count_as_unknown() {
    let (client, page) = page_with(json!([{"block": {"kind": "breadcrumb", "payload": {}}}])).await;
    let block = client.get(&format!("/v1/blocks/{page}/children")).await.ok()["results"][0]["id"].clone();
    for dialect in ["v1", "v2"] {
        let path = format!("/v1/pages/{page}/markdown?markdown_version={dialect}");
        for (counts, ids) in [(false, json!([])), (true, json!([block]))] {
            switch(&client, json!({"markdown_lists_unsupported": counts})).await;
            let answer = client.get(&path).await.ok();
            assert!(answer["markdown"].as_str().unwrap().contains("alt=\"breadcrumb\""), "{answer}");
            assert_eq!((&answer["truncated"], &answer["unknown_block_ids"]), (&json!(counts), &ids));
        }
    }
}

fn synced() -> Value {
    json!([
        {"page": {"title": "Home", "name": "home", "body": [
            {"block": {"name": "original", "kind": "synced_block", "payload": {}, "children": [paragraph("inner", "shared words")]}},
        ]}},
        {"page": {"title": "Guest", "name": "guest", "body": [
            {"block": {"name": "copy", "kind": "synced_block", "payload": {"synced_from": {"type": "block_id", "block_id": {"ref": "original"}}}}},
        ]}},
    ])
}

/// The children of a copy of a synced block by the copy's own id are reported in three ways ("block", synced blocks).
#[tokio::test]
async fn the_children_of_a_synced_copy_depend_on_a_switch() {
    let (client, _) = page_with(synced()).await;
    let copy = client.emulator.named("copy").unwrap();
    let path = format!("/v1/blocks/{copy}/children");
    let inner = client.emulator.named("inner").unwrap().to_string();
    assert_eq!(ids(client.get(&path).await.ok()["results"].as_array().unwrap()), [inner]);
    switch(&client, json!({"synced_copies": "empty"})).await;
    assert_eq!(client.get(&path).await.ok()["results"], json!([]));
    switch(&client, json!({"synced_copies": "not_found"})).await;
    assert_eq!(client.get(&path).await.refusal(), (404, "object_not_found"));
    assert_eq!(client.get(&format!("/v1/blocks/{copy}")).await.ok()["has_children"], true);
}

/// "working-with-markdown-content": what is not accessible is `<unknown>` and truncates; the endpoint then answers 404 for
/// its id. By blocks a copy of an inaccessible original has no children (reported: 404).
#[tokio::test]
async fn a_synced_copy_of_an_inaccessible_original_is_unknown() {
    let (client, _) = page_with(synced()).await;
    let id = |name: &str| client.emulator.named(name).unwrap();
    client.emulator.unshare(id("home"), None).unwrap();
    assert_eq!(client.get(&format!("/v1/blocks/{}/children", id("copy"))).await.refusal().0, 404);
    for dialect in ["v1", "v2"] {
        let markdown = |of: uuid::Uuid| format!("/v1/pages/{of}/markdown?markdown_version={dialect}");
        let page = client.get(&markdown(id("guest"))).await.ok();
        assert!(page["markdown"].as_str().unwrap().contains("alt=\"synced_block\""), "{page}");
        assert_eq!((&page["truncated"], &page["unknown_block_ids"]), (&json!(true), &json!([id("copy")])));
        assert_eq!(client.get(&markdown(id("copy"))).await.refusal(), (404, "object_not_found"));
    }
}

/// "meeting-notes": the payload names three blocks, whose children are the summary, the notes and the transcript; markdown
/// has the transcript only with `include_transcript` ("retrieve-page-markdown").
#[tokio::test]
async fn meeting_notes_are_read_by_the_ids_of_their_sections() {
    let section = |name: &str| json!({"block": {"name": name, "kind": "paragraph", "payload": {}, "children": [paragraph(&format!("{name} text"), &format!("The {name}"))]}});
    let payload = json!({
        "title": [{"text": {"content": "Kickoff"}}], "status": "notes_ready",
        "children": {"summary_block_id": {"ref": "summary"}, "notes_block_id": {"ref": "notes"}, "transcript_block_id": {"ref": "transcript"}},
        "calendar_event": {"start_time": "2026-10-01T09:00:00.000Z", "end_time": "2026-10-01T10:00:00.000Z", "attendees": []},
    });
    let sections = ["summary", "notes", "transcript"].map(section);
    let (client, page) =
        page_with(json!([{"block": {"kind": "meeting_notes", "payload": payload, "children": sections}}]))
            .await;
    let children = format!("/v1/blocks/{page}/children");
    for (version, kind) in [("2026-03-11", "meeting_notes"), ("2025-09-03", "transcription")] {
        let client = client.version(version);
        let block = client.get(&children).await.ok()["results"][0].clone();
        assert_eq!((&block["type"], &block["has_children"]), (&json!(kind), &json!(true)));
        assert_eq!(
            (&block[kind]["status"], &block[kind]["title"][0]["plain_text"]),
            (&json!("notes_ready"), &json!("Kickoff"))
        );
        for part in ["summary", "notes", "transcript"] {
            let id = block[kind]["children"][format!("{part}_block_id")].as_str().unwrap();
            let inner = client.get(&format!("/v1/blocks/{id}/children")).await.ok();
            assert_eq!(inner["results"][0]["paragraph"]["rich_text"][0]["plain_text"], format!("The {part}"));
        }
    }
    for dialect in ["v1", "v2"] {
        let path = format!("/v1/pages/{page}/markdown?markdown_version={dialect}");
        let short = client.get(&path).await.ok()["markdown"].as_str().unwrap().to_owned();
        assert!(
            short.contains("Kickoff") && short.contains("The summary") && short.contains("The notes"),
            "{short}"
        );
        assert!(!short.contains("The transcript"), "{short}");
        let whole = client.get(&format!("{path}&include_transcript=true")).await.ok();
        assert!(whole["markdown"].as_str().unwrap().contains("The transcript"), "{whole}");
    }
}
