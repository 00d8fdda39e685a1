//! Switches for what was reported in more than one way, or is not said at all. Quotations as in `conformance`.

use serde_json::{Value, json};

use crate::harness::{Client, first, generated, ids, leaves, page_with};

async fn switch(client: &Client, switches: Value) {
    client.post("/_emulator/behavior", &switches).await.ok();
}

/// "pagination": the end of a list is `has_more`, not a page that is not full.
#[tokio::test]
async fn pages_of_lists_may_be_shorter_than_asked_for() {
    let client = Client::new(&generated("pages=60,seed=4"));
    let whole = client.listed().await;
    switch(&client, json!({"short_pages": 7})).await;
    let first = client.post("/v1/search", &json!({"page_size": 100})).await.ok();
    assert_eq!((first["results"].as_array().unwrap().len(), &first["has_more"]), (7, &json!(true)));
    assert_eq!(client.listed().await, whole);
    let users = client.get("/v1/users?page_size=50").await.ok();
    assert_eq!((users["results"].as_array().unwrap().len(), &users["has_more"]), (7, &json!(true)));
}

/// The changelog of April 2026 gave some lists a `request_status`; recorded ordinary answers are without it, the SDK's types
/// allow `complete`. Lists of blocks and users have none.
#[tokio::test]
async fn a_whole_list_may_say_that_it_is() {
    let (client, page) = page_with(json!([])).await;
    switch(&client, json!({"request_status_complete": true})).await;
    let complete = json!({"type": "complete"});
    assert_eq!(client.post("/v1/search", &json!({})).await.ok()["request_status"], complete);
    let comments = client.get(&format!("/v1/comments?block_id={page}")).await.ok();
    assert_eq!(comments["request_status"], complete);
    let blocks = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    assert!(blocks.get("request_status").is_none());
}

/// Recorded both: addresses since June 2026, and those of before.
#[tokio::test]
async fn addresses_may_be_those_of_before() {
    let (client, page) = page_with(json!([{"page": {"title": "Child", "name": "child"}}])).await;
    let child = client.emulator.named("child").unwrap().simple().to_string();
    for (legacy, start) in [(false, "https://app.notion.com/p/"), (true, "https://www.notion.so/")] {
        switch(&client, json!({"legacy_urls": legacy})).await;
        let read = client.get(&format!("/v1/pages/{child}")).await.ok();
        assert_eq!(read["url"], format!("{start}Child-{child}"));
        let markdown = client.get(&format!("/v1/pages/{page}/markdown")).await.ok();
        assert_eq!(markdown["markdown"], format!("<page url=\"{start}Child-{child}\">Child</page>"));
    }
}

/// Whether what stands below a page in the trash says so, is gone or goes on is not documented.
#[tokio::test]
async fn what_is_below_the_trash_reads_in_three_ways() {
    let (client, page) = page_with(json!([{"page": {"title": "Child", "name": "child"}}])).await;
    let child = client.emulator.named("child").unwrap();
    client.emulator.trash(page.parse().unwrap()).unwrap();
    let path = format!("/v1/pages/{child}");
    assert_eq!(client.get(&path).await.ok()["in_trash"], true);
    assert!(client.listed().await.is_empty());
    switch(&client, json!({"below_trash": "not_found"})).await;
    assert_eq!(client.get(&path).await.refusal(), (404, "object_not_found"));
    switch(&client, json!({"below_trash": "unmarked"})).await;
    assert_eq!(client.get(&path).await.ok()["in_trash"], false);
    assert_eq!(client.listed().await, [child.to_string()]);
    assert_eq!(client.get(&format!("/v1/pages/{page}")).await.ok()["in_trash"], true);
}

/// Whether a list of children names a page that is not shared is reported in both ways; reading it is 404.
#[tokio::test]
async fn children_that_are_not_shared_may_be_listed() {
    let (client, page) = page_with(json!([{"page": {"title": "Secret", "name": "secret"}}])).await;
    let secret = client.emulator.named("secret").unwrap();
    client.emulator.unshare(secret, None).unwrap();
    let children = format!("/v1/blocks/{page}/children");
    assert_eq!(client.get(&children).await.ok()["results"], json!([]));
    switch(&client, json!({"unshared_children_listed": true})).await;
    let listed = client.get(&children).await.ok();
    assert_eq!(ids(listed["results"].as_array().unwrap()), [secret.to_string()]);
    for path in [format!("/v1/pages/{secret}"), format!("/v1/blocks/{secret}/children")] {
        assert_eq!(client.get(&path).await.refusal(), (404, "object_not_found"));
    }
}

/// "page-property-values": a relation is empty when what it leads to is not shared.
#[tokio::test]
async fn relations_show_no_rows_that_are_not_shared() {
    let title = json!({"type": "title", "title": {}});
    let (client, _) = page_with(json!([
        {"database": {"title": "To", "name": "to", "data_sources": [{"title": "To", "name": "targets", "schema": {"Name": title},
            "rows": [{"title": "T", "name": "t"}]}]}},
        {"database": {"title": "From", "data_sources": [{"title": "From",
            "schema": {"Name": title, "Leads": {"type": "relation", "relation": {"data_source_id": {"ref": "targets"}}}},
            "rows": [{"title": "F", "name": "f", "properties": {"Leads": [{"ref": "t"}]}}]}]}},
    ]))
    .await;
    let row = client.emulator.named("f").unwrap();
    let value = async || client.get(&format!("/v1/pages/{row}")).await.ok()["properties"]["Leads"].clone();
    assert_eq!(value().await["relation"].as_array().unwrap().len(), 1);
    client.emulator.unshare(client.emulator.named("to").unwrap(), None).unwrap();
    let hidden = value().await;
    assert_eq!((&hidden["relation"], &hidden["has_more"]), (&json!([]), &json!(false)));
}

/// The changelog of July 2026: an HTML block is an `embed` whose address is signed and expires, like a file's.
#[tokio::test]
async fn an_uploaded_page_is_an_embed_with_a_signed_address() {
    let (client, page) = page_with(json!([])).await;
    let embed = json!({"block": {"kind": "embed", "payload": {"url": {"ref": "chart.html"}}}});
    client
        .post(
            "/_emulator/seed",
            &json!({"parent": page, "content": [embed], "files": {"chart.html": "<html>"}}),
        )
        .await
        .ok();
    let url = async || {
        let children = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
        children["results"][0]["embed"]["url"].as_str().unwrap().to_owned()
    };
    let before = url().await;
    client.emulator.advance(std::time::Duration::from_secs(5));
    let after = url().await;
    let path = |url: &str| url.split('?').next().unwrap().to_owned();
    assert!(path(&before).ends_with("/chart.html") && before.contains("X-Amz-Signature="), "{before}");
    assert!(before != after && path(&before) == path(&after), "each read signs anew");
    let markdown = client.get(&format!("/v1/pages/{page}/markdown?markdown_version=v2")).await.ok();
    assert!(
        markdown["markdown"].as_str().unwrap().starts_with(&format!("<embed source=\"{}?", path(&after)))
    );
}

/// "request-limits": the four reasons of a 429, of which one is not to be tried again; `Retry-After` may be absent.
/// "status-codes": any other refusal, and codes that no list has.
#[tokio::test]
async fn any_refusal_can_be_had_on_demand() {
    let client = Client::new(&generated("pages=5"));
    for reason in [
        "public_api_request_rate_limit",
        "public_api_space_request_rate_limit",
        "public_api_endpoint_rate_limit",
        "public_api_request_blocked",
        "public_api_moon_phase",
    ] {
        for wait in [json!(4), Value::Null] {
            let failure = json!({"kind": "limited", "reason": reason, "retry_after_s": wait});
            client.post("/_emulator/faults", &json!({ "failure": failure })).await.ok();
            let refused = client.get("/v1/users/me").await;
            assert_eq!(refused.refusal(), (429, "rate_limited"));
            assert_eq!(refused.body["additional_data"]["rate_limit_reason"], reason);
            assert_eq!(refused.headers.get("retry-after").is_some(), wait.is_number());
        }
    }
    for (code, status) in [
        ("validation_error", 400),
        ("invalid_request", 400),
        ("invalid_beta", 400),
        ("unauthorized", 401),
        ("restricted_resource", 403),
        ("object_not_found", 404),
        ("conflict_error", 409),
        ("unheard_of", 418),
        ("database_connection_unavailable", 503),
    ] {
        client.post("/_emulator/faults", &json!({"failure": {"kind": "refused", "code": code}})).await.ok();
        assert_eq!(client.get("/v1/users/me").await.refusal(), (status, code));
    }
    let dead = json!({"failure": {"kind": "refused", "code": "cursor_invalid"}});
    client.post("/_emulator/faults", &dead).await.ok();
    let refused = client.get("/v1/users/me").await;
    assert_eq!(refused.refusal(), (400, "validation_error"));
    assert!(refused.message().starts_with("The start_cursor provided is invalid: "));
    assert_eq!(client.get("/v1/users/me").await.status, 200);
}

/// "query-a-data-source" has `is_archived` since July 2026, which a workspace or version without it refuses.
#[tokio::test]
async fn the_younger_keys_of_a_query_may_be_unknown() {
    let emulator = generated("pages=20,seed=1,shape=database");
    let client = Client::new(&emulator);
    let source = first(&emulator, "data_source")["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/data_sources/{source}/query");
    switch(&client, json!({"unknown_query_keys": ["is_archived"]})).await;
    let refused = client.post(&path, &json!({"is_archived": true})).await;
    assert_eq!(refused.refusal(), (400, "validation_error"));
    assert_eq!(
        refused.message(),
        "body failed validation: body.is_archived should be not present, instead was `true`."
    );
    assert_eq!(client.all(&path, &json!({"result_type": "page"}), 100).await.len(), 19);
}

/// "search-optimizations-and-limitations": search is not immediate.
#[tokio::test]
async fn search_may_list_what_was_edited_as_it_was_before() {
    let emulator = generated("pages=12,shape=flat,seed=3");
    let client = Client::new(&emulator);
    emulator.advance(std::time::Duration::from_secs(86_400));
    let before = client.all("/v1/search", &json!({}), 5).await;
    let leaves = leaves(&emulator);
    let (edited, trashed) = (json!(leaves[0]), json!(leaves[1]));
    client.post("/_emulator/edit", &json!({"id": edited, "title": "New title"})).await.ok();
    client.post("/_emulator/trash", &json!({"id": trashed})).await.ok();
    switch(&client, json!({"search_stale_ms": 60_000})).await;
    let stale = client.all("/v1/search", &json!({}), 5).await;
    assert_eq!(stale.len(), before.len(), "the trashed one is still listed");
    let shown = stale.iter().find(|object| object["id"] == edited).unwrap();
    assert_eq!(shown["last_edited_time"], shown["created_time"]);
    let read = client.get(&format!("/v1/pages/{}", edited.as_str().unwrap())).await.ok();
    assert!(
        read["last_edited_time"].as_str() > shown["last_edited_time"].as_str(),
        "reading it is up to date"
    );
    emulator.advance(std::time::Duration::from_secs(61));
    let after = client.all("/v1/search", &json!({}), 5).await;
    assert_eq!((&after[0]["id"], after.len()), (&edited, before.len() - 1));
}
