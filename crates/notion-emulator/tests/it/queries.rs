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

/// "query-a-data-source": every page of a result that ends at the cap says so, and the last one ends it like any other.
#[tokio::test]
async fn every_page_of_a_cut_result_is_incomplete() {
    let emulator = generated("pages=300,seed=2,shape=database");
    let client = Client::new(&emulator);
    client.post("/_emulator/behavior", &json!({"max_query_rows": 120})).await.ok();
    let source = first(&emulator, "data_source")["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/data_sources/{source}/query");
    for sorts in [json!([]), json!([{"property": "title", "direction": "ascending"}])] {
        let mut body = json!({"sorts": sorts, "page_size": 50});
        let mut sizes = Vec::new();
        loop {
            let page = client.post(&path, &body).await.ok();
            assert_eq!(page["request_status"]["type"], "incomplete");
            sizes.push(page["results"].as_array().unwrap().len());
            body["start_cursor"] = page["next_cursor"].clone();
            if page["has_more"] == false {
                break;
            }
        }
        assert_eq!(sizes, [50, 50, 20]);
    }
    client.post("/_emulator/behavior", &json!({"max_query_rows": 10000})).await.ok();
    assert!(client.post(&path, &json!({})).await.ok().get("request_status").is_none());
}

/// "filter-data-source-entries", "sort-data-source-entries": a row's own times filter and sort, together with properties
/// below one `and`; two levels of nesting at most.
#[tokio::test]
async fn windows_of_time_sort_and_filter_together_with_properties() {
    let emulator = generated("pages=300,seed=2,shape=database");
    let client = Client::new(&emulator);
    let source = first(&emulator, "data_source")["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/data_sources/{source}/query");
    let all = client.all(&path, &json!({}), 100).await;
    for key in ["created_time", "last_edited_time"] {
        for direction in ["ascending", "descending"] {
            let body = json!({"sorts": [{"timestamp": key, "direction": direction}]});
            let times: Vec<String> = client
                .all(&path, &body, 100)
                .await
                .iter()
                .map(|row| row[key].as_str().unwrap().to_owned())
                .collect();
            let ordered = times.is_sorted_by(|a, b| if direction == "ascending" { a <= b } else { a >= b });
            assert!(ordered && times.len() == all.len(), "{key} {direction}");
        }
        let mut times: Vec<&str> = all.iter().map(|row| row[key].as_str().unwrap()).collect();
        times.sort_unstable();
        let [from, to] = [times[100], times[200]];
        let filter = json!({"and": [
            {"timestamp": key, key: {"on_or_after": from}}, {"timestamp": key, key: {"on_or_before": to}},
            {"or": [{"property": "Approved", "checkbox": {"equals": true}}, {"property": "Budget", "number": {"is_empty": true}}]},
        ]});
        let found = client.all(&path, &json!({ "filter": filter }), 100).await;
        let holds = |row: &&Value| {
            let at = row[key].as_str().unwrap();
            let properties = &row["properties"];
            at >= from
                && at <= to
                && (properties["Approved"]["checkbox"] == true || properties["Budget"]["number"].is_null())
        };
        assert_eq!(found.len(), all.iter().filter(holds).count());
        assert!(!found.is_empty() && found.iter().all(|row| holds(&row)));
        let deeper = json!({"filter": {"or": [{"and": [filter]}]}});
        assert_eq!(client.post(&path, &deeper).await.refusal(), (400, "validation_error"));
    }
    let by_title =
        client.all(&path, &json!({"sorts": [{"property": "Name", "direction": "ascending"}]}), 100).await;
    let titles: Vec<String> = by_title
        .iter()
        .map(|row| row["properties"]["Name"]["title"][0]["plain_text"].as_str().unwrap().to_lowercase())
        .collect();
    assert!(titles.is_sorted() && titles.len() == all.len());
    let later = json!({"filter": {"property": "Number", "unique_id": {"greater_than": 200}}});
    let found = client.all(&path, &later, 100).await;
    assert!(
        !found.is_empty()
            && found
                .iter()
                .all(|row| row["properties"]["Number"]["unique_id"]["number"].as_u64() > Some(200))
    );
}

/// "query-a-data-source": windows by `created_time` fail when one minute made more rows than one query gives; the times
/// themselves are rounded to the minute (recorded).
#[tokio::test]
async fn rows_of_one_minute_cannot_be_told_apart_by_time() {
    let rows: Vec<Value> = (0..40).map(|n| json!({"title": format!("Imported {n}")})).collect();
    let schema = json!({"Name": {"type": "title", "title": {}}});
    let (client, _) = page_with(json!([{"database": {"title": "B", "data_sources": [{"title": "B", "name": "rows", "schema": schema, "rows": rows}]}}])).await;
    client.post("/_emulator/behavior", &json!({"max_query_rows": 25})).await.ok();
    let path = format!("/v1/data_sources/{}/query", client.emulator.named("rows").unwrap());
    let body = json!({"sorts": [{"timestamp": "created_time", "direction": "ascending"}]});
    let found = client.all(&path, &body, 10).await;
    let minute = found[0]["created_time"].clone();
    assert!(found.len() == 25 && found.iter().all(|row| row["created_time"] == minute));
    let mut window = body.clone();
    window["filter"] = json!({"timestamp": "created_time", "created_time": {"on_or_after": minute}});
    assert_eq!(ids(&client.all(&path, &window, 10).await), ids(&found), "the window stands still");
}

/// Cursors of a query name its session (recorded form `s:<session>:<row>`), so a cursor of another query is refused; a
/// change of the world in between shows in what comes next.
#[tokio::test]
async fn a_cursor_belongs_to_its_query() {
    let emulator = generated("pages=100,seed=2,shape=database");
    let client = Client::new(&emulator);
    let source = first(&emulator, "data_source")["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/data_sources/{source}/query");
    let sorted = json!({"sorts": [{"property": "Name", "direction": "ascending"}], "page_size": 10});
    let page = client.post(&path, &sorted).await.ok();
    let cursor = page["next_cursor"].clone();
    let mut other = json!({"page_size": 10});
    other["start_cursor"] = cursor.clone();
    assert_eq!(client.post(&path, &other).await.refusal(), (400, "validation_error"));
    let mut next = sorted.clone();
    next["start_cursor"] = cursor.clone();
    let before = ids(client.post(&path, &next).await.ok()["results"].as_array().unwrap());
    assert!(cursor.as_str().unwrap().ends_with(&before[0]));
    emulator.trash(before[1].parse().unwrap()).unwrap();
    let after = ids(client.post(&path, &next).await.ok()["results"].as_array().unwrap());
    assert_eq!((&after[0], &after[1]), (&before[0], &before[2]));
    emulator.trash(before[0].parse().unwrap()).unwrap();
    assert_eq!(client.post(&path, &next).await.refusal(), (400, "validation_error"));
}
