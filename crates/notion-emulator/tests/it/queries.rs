//! Data-source queries and property items.

use serde_json::{Value, json};

use crate::harness::{Client, first, generated, ids, page_with};

/// "query-a-data-source": at most 10,000 rows, then `request_status` says "incomplete"; the remedy is to restart by
/// `created_time`.
#[tokio::test]
async fn a_query_ends_at_the_row_cap_and_says_so() {
    let emulator = generated("pages=500,seed=2,shape=database");
    let client = Client::new(&emulator);
    client.post("/_emulator/behavior", &json!({"max_query_rows": 120})).await.ok();
    let source = first(&emulator, "data_source")["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/data_sources/{source}/query");
    for body in [json!({}), json!({"sorts": [{"timestamp": "created_time", "direction": "ascending"}]})] {
        assert_eq!(client.all(&path, &body, 50).await.len(), 120);
        let page = client.post(&path, &body).await.ok();
        assert_eq!(
            page["request_status"],
            json!({"type": "incomplete", "incomplete_reason": "query_result_limit_reached"})
        );
    }
    let mut seen: Vec<String> = Vec::new();
    let mut since = json!("2000-01-01");
    loop {
        let body = json!({"sorts": [{"timestamp": "created_time", "direction": "ascending"}],
            "filter": {"timestamp": "created_time", "created_time": {"on_or_after": since}}});
        let rows = client.all(&path, &body, 100).await;
        since = rows.last().unwrap()["created_time"].clone();
        seen.extend(ids(&rows));
        if rows.len() < 120 {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 499);
}

#[tokio::test]
async fn filters_and_sorts_agree_with_the_values() {
    let emulator = generated("pages=300,seed=2,shape=database");
    let client = Client::new(&emulator);
    let source = first(&emulator, "data_source")["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/data_sources/{source}/query");
    let all = client.all(&path, &json!({}), 100).await;
    type Holds = fn(&Value) -> bool;
    let cases: [(Value, Holds); 5] = [
        (json!({"property": "Status", "status": {"equals": "Done"}}), |p| {
            p["Status"]["status"]["name"] == "Done"
        }),
        (json!({"property": "Budget", "number": {"greater_than": 100_000}}), |p| {
            p["Budget"]["number"].as_f64().is_some_and(|n| n > 100_000.0)
        }),
        (json!({"property": "Due", "date": {"on_or_after": "2026-01-01"}}), |p| {
            p["Due"]["date"]["start"].as_str().is_some_and(|d| d >= "2026-01-01")
        }),
        (
            json!({"and": [{"property": "Approved", "checkbox": {"equals": true}}, {"property": "Link", "url": {"is_empty": true}}]}),
            |p| p["Approved"]["checkbox"] == true && p["Link"]["url"].is_null(),
        ),
        (json!({"property": "Tags", "multi_select": {"contains": "legal"}}), |p| {
            p["Tags"]["multi_select"].to_string().contains("\"legal\"")
        }),
    ];
    for (filter, holds) in cases {
        let wanted = all.iter().filter(|row| holds(&row["properties"])).count();
        let found = client.all(&path, &json!({ "filter": filter }), 30).await;
        assert!(wanted > 0 && wanted < all.len(), "{filter}");
        assert_eq!(found.len(), wanted, "{filter}");
        assert!(found.iter().all(|row| holds(&row["properties"])), "{filter}");
    }
    let sorted =
        client.all(&path, &json!({"sorts": [{"property": "Budget", "direction": "descending"}]}), 30).await;
    let budgets: Vec<Option<f64>> =
        sorted.iter().map(|row| row["properties"]["Budget"]["number"].as_f64()).collect();
    let known: Vec<f64> = budgets.iter().flatten().copied().collect();
    assert!(known.is_sorted_by(|a, b| a >= b));
    assert!(budgets[known.len()..].iter().all(Option::is_none), "rows without a value come last");
}

#[tokio::test]
async fn filter_properties_keeps_only_those() {
    let emulator = generated("pages=20,seed=2,shape=database");
    let client = Client::new(&emulator);
    let row = first(&emulator, "row")["id"].as_str().unwrap().to_owned();
    let page = client.get(&format!("/v1/pages/{row}")).await.ok();
    let id = page["properties"]["Status"]["id"].as_str().unwrap();
    for key in ["filter_properties", "filter_properties[]"] {
        let encoded = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
        let cut = client.get(&format!("/v1/pages/{row}?{key}={encoded}")).await.ok();
        assert_eq!(cut["properties"].as_object().unwrap().keys().collect::<Vec<_>>(), ["Status"], "{key}");
    }
}

/// "retrieve-a-page": references beyond 25 are cut; "retrieve-a-page-property" pages through all of them.
#[tokio::test]
async fn a_relation_beyond_25_is_cut_in_the_page_and_whole_in_the_property() {
    let title = json!({"Name": {"type": "title", "title": {}}});
    let targets: Vec<Value> =
        (0..60).map(|n| json!({"title": format!("T{n}"), "name": format!("t{n}")})).collect();
    let references: Vec<Value> = (0..60).map(|n| json!({"ref": format!("t{n}")})).collect();
    let mut schema = title.clone();
    schema["Parts"] = json!({"type": "relation", "relation": {"data_source_id": {"ref": "parts"}}});
    let (client, page) = page_with(json!([
        {"database": {"title": "Whole", "data_sources": [{"title": "Whole", "schema": schema, "rows": [{"title": "W", "name": "w", "properties": {"Parts": references}}]}]}},
        {"database": {"title": "Parts", "data_sources": [{"title": "Parts", "name": "parts", "schema": title, "rows": targets}]}},
    ]))
    .await;
    assert!(client.get(&format!("/v1/pages/{page}")).await.status.is_success());
    let row = client.emulator.named("w").unwrap();
    let value = client.get(&format!("/v1/pages/{row}")).await.ok()["properties"]["Parts"].clone();
    assert_eq!((value["relation"].as_array().unwrap().len(), &value["has_more"]), (25, &json!(true)));
    let path = format!("/v1/pages/{row}/properties/{}?page_size=50", value["id"].as_str().unwrap());
    let first = client.get(&path).await.ok();
    assert_eq!(first["results"].as_array().unwrap().len(), 50);
    assert_eq!(first["property_item"]["type"], "relation");
    assert!(first["property_item"]["next_url"].as_str().unwrap().contains("start_cursor="));
    let rest =
        client.get(&format!("{path}&start_cursor={}", first["next_cursor"].as_str().unwrap())).await.ok();
    assert_eq!((rest["results"].as_array().unwrap().len(), &rest["has_more"]), (10, &json!(false)));
    let source = client.emulator.named("parts").unwrap();
    let schema = client.get(&format!("/v1/pages/{row}")).await.ok()["parent"]["data_source_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let schema = client.get(&format!("/v1/data_sources/{schema}")).await.ok();
    assert_eq!(schema["properties"]["Parts"]["relation"]["data_source_id"], source.to_string());
}
