//! Views, their queries, and custom emoji. Quotations as in `conformance`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Client, first, generated, page_with};

/// "list-views", "retrieve-a-view": references in the list, the view itself by its id; times as those of databases
/// (recorded).
#[tokio::test]
async fn a_database_has_a_view_of_each_data_source() {
    let emulator = generated("pages=60,seed=1,shape=database");
    let client = Client::new(&emulator);
    let [database, source] = ["database", "data_source"].map(|kind| first(&emulator, kind)["id"].clone());
    let listed = client.get(&format!("/v1/views?database_id={}", database.as_str().unwrap())).await.ok();
    assert_eq!(listed["type"], "view");
    let by_source = client.get(&format!("/v1/views?data_source_id={}", source.as_str().unwrap())).await.ok();
    assert_eq!(listed["results"], by_source["results"]);
    let reference = &listed["results"][0];
    assert_eq!(reference.as_object().unwrap().len(), 2);
    let view = client.get(&format!("/v1/views/{}", reference["id"].as_str().unwrap())).await.ok();
    assert_eq!(
        (&view["object"], &view["type"], &view["data_source_id"]),
        (&json!("view"), &json!("table"), &source)
    );
    assert_eq!(view["parent"], json!({"type": "database_id", "database_id": database}));
    assert!(view["created_time"].as_str().unwrap().ends_with("+00:00"));
    for path in ["/v1/views".to_owned(), "/v1/views?database_id=x".to_owned()] {
        assert_eq!(client.get(&path).await.refusal(), (400, "validation_error"), "{path}");
    }
    let unknown = client.get(&format!("/v1/views/{}", source.as_str().unwrap())).await;
    assert_eq!(unknown.refusal(), (404, "object_not_found"));
}

/// "create-a-view-query", "get-view-query-results": the number of rows, references to them, and some 15 minutes to read on.
#[tokio::test]
async fn the_query_of_a_view_gives_references_and_expires() {
    let emulator = generated("pages=60,seed=1,shape=database");
    let client = Client::new(&emulator);
    let source = first(&emulator, "data_source")["id"].as_str().unwrap().to_owned();
    let views = client.get(&format!("/v1/views?data_source_id={source}")).await.ok();
    let path = format!("/v1/views/{}/queries", views["results"][0]["id"].as_str().unwrap());
    let begun = client.post(&path, &json!({"page_size": 40})).await.ok();
    assert_eq!((&begun["object"], &begun["total_count"]), (&json!("view_query"), &json!(59)));
    let references = begun["results"].as_array().unwrap();
    assert!(references.len() == 40 && references.iter().all(|row| row.as_object().unwrap().len() == 2));
    let rest = format!(
        "{path}/{}?start_cursor={}",
        begun["id"].as_str().unwrap(),
        begun["next_cursor"].as_str().unwrap()
    );
    let more = client.get(&rest).await.ok();
    assert_eq!((&more["type"], more["results"].as_array().unwrap().len()), (&json!("page"), 19));
    assert!(more.get("request_status").is_none());
    client.post("/_emulator/behavior", &json!({"max_query_rows": 30})).await.ok();
    let cut = client.post(&path, &json!({})).await.ok();
    assert_eq!((&cut["request_status"]["type"], &cut["total_count"]), (&json!("incomplete"), &json!(59)));
    emulator.advance(Duration::from_secs(16 * 60));
    assert_eq!(client.get(&rest).await.refusal(), (404, "object_not_found"));
}

/// "list-custom-emojis"; recorded: `type` is the second key and no key of its name follows.
#[tokio::test]
async fn custom_emoji_are_listed_and_found_by_name() {
    let (client, _) = page_with(json!([])).await;
    for name in ["bufo", "shipit"] {
        let emoji = json!({"name": name, "url": format!("https://emoji.example/{name}.png")});
        client.post("/_emulator/emoji", &emoji).await.ok();
    }
    let all = client.get("/v1/custom_emojis").await.ok();
    let keys: Vec<&String> = all.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["object", "type", "results", "has_more", "next_cursor", "request_id"]);
    let names = |list: &Value| {
        let found = list["results"].as_array().unwrap().iter();
        found.map(|emoji| emoji["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&all), ["bufo", "shipit"]);
    assert_eq!(names(&client.get("/v1/custom_emojis?name=shipit").await.ok()), ["shipit"]);
}
