//! Worlds with everything in them, read in all three ways.

use notion_emulator::Emulator;
use serde_json::Value;

use crate::harness::{Client, generated};

/// A block's children and all that is below them, without the pages that stand there.
async fn subtree(client: &Client, id: &str, found: &mut Vec<Value>) {
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/v1/blocks/{id}/children?page_size=100{cursor}")).await.ok();
        for block in page["results"].as_array().unwrap() {
            found.push(block.clone());
            if block["has_children"] == true && block["type"] != "child_page" {
                Box::pin(subtree(client, block["id"].as_str().unwrap(), found)).await;
            }
        }
        let Some(next) = page["next_cursor"].as_str() else { return };
        cursor = format!("&start_cursor={next}");
    }
}

/// Ids in `<unknown url="…#id" …>`.
fn withheld(markdown: &str) -> Vec<String> {
    let tags = markdown.match_indices("<unknown url=\"").filter(|(at, _)| !markdown[..*at].ends_with('\\'));
    let id = |(at, _)| -> Option<String> {
        let (url, _) = markdown[at + "<unknown url=\"".len()..].split_once('"')?;
        Some(url.split_once('#')?.1.to_owned())
    };
    tags.filter_map(id).collect()
}

async fn markdown(client: &Client, id: &str, dialect: &str) -> String {
    let path = format!("/v1/pages/{id}/markdown?include_transcript=true&markdown_version={dialect}");
    let answer = client.get(&path).await.ok();
    assert_eq!(answer["truncated"], false);
    let mut text = answer["markdown"].as_str().unwrap().to_owned();
    for block in withheld(&text) {
        let mut found = vec![client.get(&format!("/v1/blocks/{block}")).await.ok()];
        if found[0]["has_children"] == true {
            subtree(client, &block, &mut found).await;
        }
        text.push_str(&Value::from(found).to_string());
    }
    text
}

async fn every_marker_shows_in_all_ways(emulator: &Emulator) {
    let client = Client::new(emulator);
    let truth = emulator.truth(None).unwrap();
    for object in truth.iter().filter(|object| object["kind"] == "page" || object["kind"] == "row") {
        let id = object["id"].as_str().unwrap();
        let page = client.get(&format!("/v1/pages/{id}")).await.ok();
        let mut blocks = Vec::new();
        subtree(&client, id, &mut blocks).await;
        let bodies = [
            ("blocks", Value::from(blocks).to_string()),
            ("v1", markdown(&client, id, "v1").await),
            ("v2", markdown(&client, id, "v2").await),
        ];
        for marker in object["markers"].as_array().unwrap() {
            let marker = marker.as_str().unwrap();
            for (way, body) in &bodies {
                let shows = body.contains(marker) || page["properties"].to_string().contains(marker);
                assert!(shows, "{marker} is missing from {} of {}:\n{body}", way, object["title"]);
            }
        }
    }
}

#[tokio::test]
async fn every_text_of_a_varied_world_shows_in_blocks_and_in_both_dialects() {
    every_marker_shows_in_all_ways(&generated("pages=50,seed=11,shape=varied")).await;
}

#[tokio::test]
async fn every_text_of_the_catalogue_shows_in_blocks_and_in_both_dialects() {
    every_marker_shows_in_all_ways(&generated("shape=catalogue")).await;
}
