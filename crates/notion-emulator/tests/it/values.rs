//! Properties of every kind, what pages cut of them, and JSON that no version knows. Quotations as in `conformance`.

use serde_json::{Value, json};

use crate::harness::{Client, page_with};

/// A database of one row, called `row`, with these columns and values.
async fn row_with(schema: Value, properties: Value, title_text: Value) -> (Client, String) {
    let mut columns = json!({"Name": {"type": "title", "title": {}}});
    columns.as_object_mut().unwrap().extend(schema.as_object().unwrap().clone());
    let row = json!({"title": "Row", "title_text": title_text, "name": "row", "properties": properties});
    let seed = json!([{"database": {"title": "Base", "data_sources": [{"title": "Base", "schema": columns, "rows": [row]}]}}]);
    let (client, _) = page_with(seed).await;
    let row = client.emulator.named("row").unwrap().to_string();
    (client, row)
}

async fn property(client: &Client, row: &str, name: &str) -> Value {
    client.get(&format!("/v1/pages/{row}")).await.ok()["properties"][name].clone()
}

/// All results of the property item endpoint, and its last answer.
async fn items(client: &Client, row: &str, id: &str, page_size: usize) -> (Vec<Value>, Vec<Value>) {
    let path = format!("/v1/pages/{row}/properties/{id}?page_size={page_size}");
    let (mut results, mut answers) = (Vec::new(), Vec::new());
    let mut cursor = String::new();
    loop {
        let answer = client.get(&format!("{path}{cursor}")).await.ok();
        results.extend(answer["results"].as_array().unwrap().iter().cloned());
        let next = answer["next_cursor"].as_str().map(str::to_owned);
        answers.push(answer);
        match next {
            Some(next) => cursor = format!("&start_cursor={next}"),
            None => return (results, answers),
        }
    }
}

/// "retrieve-a-page": at most 25 mentions of a text are filled in; "retrieve-a-page-property" pages through all. What
/// stands beyond is not said, so a switch has three readings.
#[tokio::test]
async fn a_text_of_many_mentions_is_whole_only_by_the_property_endpoint() {
    let target = json!({"mention": {"page": {"id": {"ref": "row"}}}});
    let mut text: Vec<Value> = (0..30).map(|_| target.clone()).collect();
    text.push(json!({"text": {"content": "the end"}}));
    let schema = json!({"Notes": {"type": "rich_text", "rich_text": {}}});
    let (client, row) = row_with(schema, json!({"Notes": text}), json!(text)).await;
    for (switched, count, filled) in [("bare", 31, 25), ("cut", 25, 25), ("none", 31, 30)] {
        client.post("/_emulator/behavior", &json!({"mention_cut": switched})).await.ok();
        for (name, kind) in [("Notes", "rich_text"), ("Name", "title")] {
            let value = property(&client, &row, name).await;
            let found = value[kind].as_array().unwrap();
            assert_eq!(found.len(), count, "{switched} {name}");
            assert_eq!(found.iter().filter(|item| item["plain_text"] == "Row").count(), filled);
            assert!(
                found
                    .iter()
                    .filter(|item| item["type"] == "mention")
                    .all(|item| item["mention"]["page"]["id"] == row.as_str())
            );
            let (all, _) = items(&client, &row, value["id"].as_str().unwrap(), 20).await;
            assert_eq!(all.len(), 31);
            assert!(all.iter().all(|item| item["object"] == "property_item" && item[kind].is_object()));
            assert_eq!(all[29][kind]["plain_text"], "Row");
        }
    }
}

/// "retrieve-a-page": 25 people, without a sign that there are more. "page-property-values": a value may hold groups;
/// reported: bots too.
#[tokio::test]
async fn people_are_cut_without_a_sign_and_may_be_groups_and_bots() {
    let group =
        json!({"object": "group", "id": "6d4ab1b9-6bd8-4a1f-9e64-0ba8e0d3a7b5", "name": "Field crew"});
    let schema = json!({"Crew": {"type": "people", "people": {}}});
    let (client, row) = row_with(schema, json!({}), Value::Null).await;
    let bot = client.get("/v1/users/me").await.ok()["id"].clone();
    let mut crew = vec![group.clone(), json!({"id": bot})];
    for number in 0..30 {
        let person = json!({"name": format!("P{number}"), "email": format!("p{number}@x.example")});
        crew.push(json!({"id": client.post("/_emulator/person", &person).await.ok()["id"]}));
    }
    client.post("/_emulator/edit", &json!({"id": row, "properties": {"Crew": crew}})).await.ok();
    let value = property(&client, &row, "Crew").await;
    assert_eq!(value["people"].as_array().unwrap().len(), 25);
    assert!(value.get("has_more").is_none());
    assert_eq!((&value["people"][0], &value["people"][1]["type"]), (&group, &json!("bot")));
    assert_eq!(value["people"][2]["person"]["email"], "p0@x.example");
    let (all, answers) = items(&client, &row, value["id"].as_str().unwrap(), 10).await;
    assert_eq!((all.len(), answers.len()), (32, 4));
    assert_eq!(all[31]["people"]["name"], "P29");
}

/// "retrieve-a-page-property": while a rollup is paged through it is `incomplete`; the last page tells its value, the items
/// are those of `show_original`. A page object has no items of a rollup that is a number.
#[tokio::test]
async fn a_rollup_is_incomplete_until_its_last_page() {
    let parts: Vec<Value> = (0..30).map(|n| json!({"type": "number", "number": n})).collect();
    let schema = json!({
        "Sum": {"type": "rollup", "rollup": {"function": "sum"}},
        "All": {"type": "rollup", "rollup": {"function": "show_original"}},
    });
    let values = json!({
        "Sum": {"type": "number", "number": 435, "function": "sum", "array": parts},
        "All": {"type": "array", "array": parts, "function": "show_original"},
    });
    let (client, row) = row_with(schema, values, Value::Null).await;
    let sum = property(&client, &row, "Sum").await;
    assert_eq!(sum["rollup"], json!({"type": "number", "number": 435, "function": "sum"}));
    let (all, answers) = items(&client, &row, sum["id"].as_str().unwrap(), 12).await;
    assert_eq!((all.len(), answers.len()), (30, 3));
    let told: Vec<&Value> = answers.iter().map(|answer| &answer["property_item"]["rollup"]["type"]).collect();
    assert_eq!(told, ["incomplete", "incomplete", "number"]);
    assert_eq!(
        answers[2]["property_item"]["rollup"],
        json!({"type": "number", "number": 435, "function": "sum"})
    );
    assert!(
        answers[0]["property_item"]["next_url"].is_string()
            && answers[2]["property_item"]["next_url"].is_null()
    );
    let original = property(&client, &row, "All").await;
    let (all, answers) = items(&client, &row, original["id"].as_str().unwrap(), 100).await;
    assert_eq!(
        all[7],
        json!({"object": "property_item", "id": original["id"], "type": "number", "number": 7})
    );
    assert_eq!(
        answers[0]["property_item"]["rollup"],
        json!({"type": "array", "array": [], "function": "show_original"})
    );
}

/// "retrieve-a-page", "retrieve-a-page-property": a formula or rollup that is too much to compute is `unsupported`.
#[tokio::test]
async fn what_is_too_much_to_compute_is_unsupported() {
    let schema = json!({
        "Count": {"type": "rollup", "rollup": {"function": "count"}},
        "Score": {"type": "formula", "formula": {"expression": "1"}},
    });
    let values = json!({
        "Count": {"type": "unsupported", "unsupported": {}, "function": "count"},
        "Score": {"type": "unsupported", "unsupported": {}},
    });
    let (client, row) = row_with(schema, values, Value::Null).await;
    let (count, score) = (property(&client, &row, "Count").await, property(&client, &row, "Score").await);
    assert_eq!(count["rollup"], json!({"type": "unsupported", "unsupported": {}, "function": "count"}));
    assert_eq!(score["formula"], json!({"type": "unsupported", "unsupported": {}}));
    let path = |value: &Value| format!("/v1/pages/{row}/properties/{}", value["id"].as_str().unwrap());
    let item = client.get(&path(&score)).await.ok();
    assert_eq!((&item["object"], &item["formula"]), (&json!("property_item"), &score["formula"]));
    let list = client.get(&path(&count)).await.ok();
    assert_eq!(
        (&list["results"], &list["property_item"]["rollup"]["type"]),
        (&json!([]), &json!("unsupported"))
    );
}

/// "page-property-values": kinds that few bases have, as their values come.
#[tokio::test]
async fn rare_kinds_of_values_come_as_documented() {
    let kinds = ["place", "verification", "unique_id", "button", "location", "last_visited_time"];
    let schema: serde_json::Map<String, Value> =
        kinds.iter().map(|kind| ((*kind).to_owned(), json!({"type": kind}))).collect();
    let place = json!({"lat": 38.7, "lon": -9.1, "name": "Cais", "address": "Cais 4, Lisboa", "aws_place_id": null, "google_place_id": "ChIJx"});
    let verified = json!({"state": "verified", "verified_by": null, "date": {"start": "2026-10-01", "end": null, "time_zone": null}});
    let values =
        json!({"place": place, "verification": verified, "last_visited_time": "2026-10-01T10:00:00.000Z"});
    let (client, row) = row_with(Value::Object(schema), values, Value::Null).await;
    let page = client.get(&format!("/v1/pages/{row}")).await.ok();
    let value = |kind: &str| page["properties"][kind][kind].clone();
    assert_eq!((value("place"), value("verification")), (place, verified));
    assert_eq!(value("unique_id"), json!({"prefix": null, "number": 1}));
    assert_eq!((value("button"), value("location")), (json!({}), Value::Null));
    assert_eq!(value("last_visited_time"), "2026-10-01T10:00:00.000Z");
    assert_eq!(page["properties"]["verification"]["id"], "verification");
    let source = page["parent"]["data_source_id"].as_str().unwrap();
    let schema = client.get(&format!("/v1/data_sources/{source}")).await.ok()["properties"].clone();
    assert!(kinds.iter().all(|kind| schema[kind]["type"] == *kind && schema[kind][kind].is_object()));
    let by_number = json!({"filter": {"property": "unique_id", "unique_id": {"equals": 1}}});
    assert_eq!(client.all(&format!("/v1/data_sources/{source}/query"), &by_number, 10).await.len(), 1);
}

/// "versioning": fields and values are added to every version at any time. Whatever a test gives is delivered so.
#[tokio::test]
async fn any_json_can_be_delivered_for_an_object() {
    let file = json!({"block": {"kind": "file", "name": "file", "payload": {"type": "teleported", "teleported": {"beam": 7}}}});
    let unknown = json!({"block": {"kind": "hologram", "name": "hologram", "payload": {"rich_text": [
        {"type": "scent", "scent": {"note": "pine"}, "plain_text": "pine", "href": null},
        {"mention": {"type": "planet", "planet": {"id": 3}}, "plain_text": "@Earth"},
    ]}}});
    let (client, page) =
        page_with(json!([file, unknown, {"page": {"title": "Child", "name": "child"}}])).await;
    let id = |name: &str| client.emulator.named(name).unwrap();
    let blocks = client.get(&format!("/v1/blocks/{page}/children")).await.ok();
    assert_eq!(
        blocks["results"][0]["file"],
        json!({"caption": [], "type": "teleported", "teleported": {"beam": 7}})
    );
    let texts = blocks["results"][1]["hologram"]["rich_text"].clone();
    assert_eq!((&texts[0]["type"], &texts[1]["mention"]["type"]), (&json!("scent"), &json!("planet")));
    assert_eq!(texts[1]["plain_text"], "@Earth");
    let deliver = async |delivery: Value| client.post("/_emulator/deliver", &delivery).await.ok();
    let parent = json!({"type": "agent_id", "agent_id": id("child")});
    deliver(json!({"id": page, "object": {"parent": parent, "is_locked": true, "properties": {"Mood": {"id": "mood", "type": "mood", "mood": "calm"}}}})).await;
    let read = client.get(&format!("/v1/pages/{page}")).await.ok();
    assert_eq!((&read["parent"]["type"], &read["is_locked"]), (&json!("agent_id"), &json!(true)));
    assert_eq!(
        (&read["properties"]["Mood"]["mood"], &read["properties"]["title"]["type"]),
        (&json!("calm"), &json!("title"))
    );
    let partial = json!({"object": "page", "id": id("child")});
    deliver(json!({"id": id("child"), "object": partial, "whole": true})).await;
    deliver(json!({"id": id("child"), "as": "block", "object": {"type": "child_world"}})).await;
    let mut child = client.get(&format!("/v1/pages/{}", id("child"))).await.ok();
    child.as_object_mut().unwrap().remove("request_id");
    assert_eq!(child, partial);
    let block = client.get(&format!("/v1/blocks/{}", id("child"))).await.ok();
    assert_eq!((&block["object"], &block["type"]), (&json!("block"), &json!("child_world")));
    let person =
        client.post("/_emulator/person", &json!({"name": "Ada", "email": "ada@x.example"})).await.ok();
    deliver(json!({"id": person["id"], "object": {"type": "agent", "agent": {}}})).await;
    let user = client.get(&format!("/v1/users/{}", person["id"].as_str().unwrap())).await.ok();
    assert_eq!((&user["type"], &user["name"]), (&json!("agent"), &json!("Ada")));
    deliver(json!({"id": page, "object": null})).await;
    assert_eq!(client.get(&format!("/v1/pages/{page}")).await.ok()["is_locked"], false);
    let nothing =
        client.post("/_emulator/deliver", &json!({"id": "00000000-0000-0000-0000-000000000000"})).await;
    assert_eq!(nothing.status, 400);
}

/// "notion-flavored-markdown" grows like everything else; a client must read on when a tag is new to it.
#[tokio::test]
async fn any_markdown_can_be_delivered_for_a_page() {
    let (client, page) = page_with(json!([])).await;
    let text = "<hologram depth=\"3\">\nseen from all sides\n</hologram>";
    let delivery =
        json!({"id": page, "as": "page_markdown", "object": {"markdown": text, "warnings": ["new"]}});
    client.post("/_emulator/deliver", &delivery).await.ok();
    let answer = client.get(&format!("/v1/pages/{page}/markdown")).await.ok();
    assert_eq!((&answer["markdown"], &answer["warnings"]), (&json!(text), &json!(["new"])));
    assert_eq!((&answer["object"], &answer["truncated"]), (&json!("page_markdown"), &json!(false)));
}

/// "data-source": the parent of one that is synced from elsewhere is a data source, not a database.
#[tokio::test]
async fn an_externally_synced_data_source_has_a_data_source_above_it() {
    let schema = json!({"Name": {"type": "title", "title": {}}});
    let (client, _) = page_with(json!([{"database": {"title": "Synced", "data_sources": [
        {"title": "Upstream", "name": "upstream", "schema": schema},
        {"title": "Local", "name": "local", "schema": schema, "rows": [{"title": "R"}]},
    ]}}]))
    .await;
    let id = |name: &str| client.emulator.named(name).unwrap();
    let own = client.get(&format!("/v1/data_sources/{}", id("local"))).await.ok();
    let database = own["parent"]["database_id"].clone();
    let parent = json!({"type": "data_source_id", "data_source_id": id("upstream"), "database_id": database});
    client.post("/_emulator/deliver", &json!({"id": id("local"), "object": {"parent": parent}})).await.ok();
    let read = client.get(&format!("/v1/data_sources/{}", id("local"))).await.ok();
    assert_eq!(read["parent"], parent);
    let searched = client.post("/v1/search", &json!({"query": "Local"})).await.ok();
    assert_eq!(searched["results"][0]["parent"], parent);
    let rows = client.post(&format!("/v1/data_sources/{}/query", id("local")), &json!({})).await.ok();
    assert_eq!(rows["results"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_truth_tells_what_a_row_says_in_columns_of_options_and_people() {
    let schema = json!({"Team": {"type": "select", "select": {}}, "Tags": {"type": "multi_select", "multi_select": {}},
        "Owner": {"type": "people", "people": {}}, "Stage": {"type": "status", "status": {}}, "Empty": {"type": "select", "select": {}}});
    let owner = "11111111-2222-4333-8444-555555555555";
    let values = json!({"Team": {"name": "Red"}, "Tags": [{"name": "a"}, {"name": "b"}], "Owner": [{"id": owner}],
        "Stage": {"name": "Done"}, "Empty": null});
    let (client, row) = row_with(schema, values, Value::Null).await;
    let truth = client.emulator.truth(None).unwrap();
    let told = truth.iter().find(|object| object["id"] == row.as_str()).unwrap();
    assert_eq!(told["options"], json!({"Team": ["Red"], "Tags": ["a", "b"], "Stage": ["Done"]}));
    assert_eq!(told["people"], json!({"Owner": [owner]}));
}
