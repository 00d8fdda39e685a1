//! One workspace, three ways to read it: a crawl by either dialect or by blocks makes the same items.

use std::collections::BTreeMap;

use notion_connector::config::BodyChoice;
use notion_connector::model::NotionId;
use notion_emulator::sample::sample;
use notion_emulator::world::World;
use notion_emulator::{DEFAULT_BASE_MS, Options};

use crate::support::Line;

/// A line that only blocks lack: a link to a page has no text of its own there, markdown writes the page's title.
const LINK_TO_PAGE: &str = "Flood alerts";

async fn read(body: BodyChoice) -> BTreeMap<NotionId, String> {
    let world = World::from_import(sample(), DEFAULT_BASE_MS).unwrap();
    let mut line = Line::in_process(world, Options::default()).await;
    line.config.notion.body = body;
    let report = line.crawl().await;
    let lost: Vec<String> =
        line.alerts(&report).into_iter().filter(|alert| !alert.contains("form")).collect();
    assert!(lost.is_empty(), "{body:?}: {lost:?}");
    line.export().into_iter().map(|item| (item.id, item.text)).collect()
}

fn without_the_title_of_a_link(text: &str) -> Vec<&str> {
    text.lines().filter(|line| *line != LINK_TO_PAGE).collect()
}

#[tokio::test(start_paused = true)]
async fn the_sample_workspace_reads_alike_in_both_dialects_and_by_blocks() {
    let v1 = read(BodyChoice::V1).await;
    assert_eq!(read(BodyChoice::Auto).await, v1);
    assert_eq!(read(BodyChoice::V2).await, v1);
    let blocks = read(BodyChoice::Blocks).await;
    assert_eq!(blocks.len(), v1.len());
    for (id, text) in &v1 {
        assert_eq!(without_the_title_of_a_link(&blocks[id]), without_the_title_of_a_link(text));
    }
    let everything = v1.values().fold(String::new(), |all, text| all + text);
    assert!(everything.contains("https://maps.example/stand-b12"), "an embed, which v1 has no form for");
    assert!(everything.contains("Stand B12, beside the lifeboat"), "the inside of a tab, likewise");
}
