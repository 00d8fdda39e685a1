//! Worlds at the edge answer like any other.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Client, first, generated};

async fn children(client: &Client, id: &str) -> (Vec<Value>, usize) {
    let (mut blocks, mut requests, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = client.get(&format!("/v1/blocks/{id}/children?page_size=100{cursor}")).await.ok();
        requests += 1;
        blocks.extend(page["results"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return (blocks, requests) };
        cursor = format!("&start_cursor={next}");
    }
}

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

fn text(block: &Value) -> &str {
    block[block["type"].as_str().unwrap()]["rich_text"][0]["plain_text"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_thousand_levels_can_be_walked_and_markdown_names_where_it_stops() {
    let emulator = generated("shape=nested,depth=1000");
    let client = Client::new(&emulator);
    let page = first(&emulator, "page");
    let markers = page["markers"].as_array().unwrap();
    assert_eq!(markers.len(), 1000);
    let (mut at, mut levels) = (id(&page).to_owned(), 0);
    loop {
        let (blocks, _) = children(&client, &at).await;
        let Some(block) = blocks.first() else { break };
        levels += 1;
        assert!(text(block).starts_with(&format!("Level {levels} ")), "{block}");
        at = id(block).to_owned();
        if block["has_children"] == false {
            break;
        }
    }
    assert_eq!(levels, 1000);
    for dialect in ["v1", "v2"] {
        let mut at = id(&page).to_owned();
        let mut found = String::new();
        loop {
            let path = format!("/v1/pages/{at}/markdown?markdown_version={dialect}");
            let answer = client.get(&path).await.ok();
            found.push_str(answer["markdown"].as_str().unwrap());
            let Some(next) = answer["unknown_block_ids"][0].as_str() else { break };
            assert_eq!(answer["truncated"], true);
            at = next.to_owned();
        }
        assert!(markers.iter().all(|marker| found.contains(marker.as_str().unwrap())), "{dialect}");
    }
}

#[tokio::test]
async fn a_page_of_fifty_thousand_blocks_is_listed_by_the_hundred_and_cut_in_markdown() {
    for spec in ["shape=long,blocks=50000", "shape=long,blocks=250,toggles=50,children=150"] {
        let emulator = generated(spec);
        let client = Client::new(&emulator);
        let page = first(&emulator, "page");
        let (blocks, mut requests) = children(&client, id(&page)).await;
        let mut count = blocks.len();
        for toggle in blocks.iter().filter(|block| block["type"] == "toggle") {
            let (inside, asked) = children(&client, id(toggle)).await;
            count += inside.len();
            requests += asked;
        }
        assert_eq!(count, page["markers"].as_array().unwrap().len());
        let expected = match spec {
            "shape=long,blocks=50000" => (50_000, 500),
            // Three pages of the page itself, two for each toggle.
            _ => (7_750, 3 + 50 * 2),
        };
        assert_eq!((count, requests), expected, "{spec}");
        let answer = client.get(&format!("/v1/pages/{}/markdown", id(&page))).await.ok();
        assert_eq!(answer["truncated"], count > 20_000, "{spec}");
    }
}

#[tokio::test]
async fn circles_of_synced_blocks_end() {
    let emulator = generated("shape=synced");
    let client = Client::new(&emulator);
    let pages = emulator.truth(None).unwrap().into_iter().filter(|object| object["kind"] == "page");
    let mut circles = 0;
    for page in pages {
        for dialect in ["v1", "v2"] {
            let path = format!("/v1/pages/{}/markdown?markdown_version={dialect}", id(&page));
            let markdown = client.get(&path).await.ok()["markdown"].as_str().unwrap().to_owned();
            assert!(markdown.contains(page["markers"][0].as_str().unwrap()), "{dialect}: {markdown}");
            assert!(markdown.len() < 20_000, "{} bytes", markdown.len());
        }
        // By blocks a circle is the reader's to break: going down always finds another copy, whose original is above.
        let mut open = vec![(id(&page).to_owned(), BTreeSet::new())];
        while let Some((at, above)) = open.pop() {
            for block in children(&client, &at).await.0 {
                let origin = block["synced_block"]["synced_from"]["block_id"]
                    .as_str()
                    .unwrap_or(id(&block))
                    .to_owned();
                if above.contains(&origin) {
                    circles += 1;
                } else if block["has_children"] == true {
                    let mut above: BTreeSet<String> = above.clone();
                    above.insert(origin);
                    open.push((id(&block).to_owned(), above));
                }
            }
        }
    }
    assert!(circles >= 4, "{circles}");
}

#[tokio::test]
async fn a_text_of_five_megabytes_and_a_relation_to_five_thousand_pages_are_read_to_the_end() {
    let emulator = generated("shape=text,bytes=5000000");
    let row = first(&emulator, "row");
    let page = Client::new(&emulator).get(&format!("/v1/pages/{}", id(&row))).await.ok();
    let items = page["properties"]["Notes"]["rich_text"].as_array().unwrap();
    let text: String = items.iter().map(|item| item["plain_text"].as_str().unwrap()).collect();
    assert!((4_999_900..=5_000_000).contains(&text.len()), "{} bytes", text.len());
    assert!(row["markers"].as_array().unwrap().iter().all(|marker| text.contains(marker.as_str().unwrap())));

    let emulator = generated("shape=relations,count=5000");
    let client = Client::new(&emulator);
    let truth = emulator.truth(None).unwrap();
    let river = truth.iter().find(|object| object["title"] == "River").unwrap();
    let stations = truth.iter().filter(|object| object["kind"] == "row").count() - 1;
    let page = client.get(&format!("/v1/pages/{}", id(river))).await.ok();
    let relation = &page["properties"]["Stations"];
    assert_eq!((relation["relation"].as_array().unwrap().len(), &relation["has_more"]), (25, &json!(true)));
    let (mut related, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let property = relation["id"].as_str().unwrap();
        let path = format!("/v1/pages/{}/properties/{property}?page_size=100{cursor}", id(river));
        let list = client.get(&path).await.ok();
        related.extend(
            list["results"].as_array().unwrap().iter().map(|item| item["relation"]["id"].to_string()),
        );
        let Some(next) = list["next_cursor"].as_str() else { break };
        cursor = format!("&start_cursor={next}");
    }
    assert_eq!((related.len(), stations), (5000, 5000));
}

#[tokio::test]
async fn rows_can_share_their_minute_of_creation() {
    let emulator = generated("shape=database,pages=1201,per_minute=400");
    let client = Client::new(&emulator);
    let source = first(&emulator, "data_source");
    let rows = client.all(&format!("/v1/data_sources/{}/query", id(&source)), &json!({}), 100).await;
    let mut minutes = std::collections::BTreeMap::<&str, usize>::new();
    for row in &rows {
        *minutes.entry(row["created_time"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(minutes.values().copied().collect::<Vec<_>>(), [399, 400, 400, 1]);
}
