//! However often a connector crawls, what it keeps grows by what there is to keep.

use notion_connector::store::{CrawlState, Scope};
use notion_emulator::Options;
use serde_json::json;

use crate::support::{Line, generated};

/// What one crawl may leave behind: the row of itself, which is kept for some time.
const ROW_BYTES: u64 = 1_024;

#[tokio::test(start_paused = true)]
async fn the_store_does_not_grow_by_crawling_again_and_again() {
    let line = Line::in_process(generated("pages=120,seed=9"), Options::default()).await;
    line.crawl().await;
    let page = line.truth().values().find(|fact| fact.kind == "page").unwrap().id;
    // A full crawl meets every item, an incremental one those that were edited.
    let round = async || {
        for scope in [Scope::Full, Scope::Incremental] {
            line.control("edit", json!({"id": page, "title": "Edited again"})).await;
            line.control("advance", json!({"ms": 600_000})).await;
            let crawl = line.try_crawl(scope).await.unwrap().crawl;
            assert_eq!(crawl.state, CrawlState::Completed);
            assert!(crawl.discovered > 0, "the edit was not met");
        }
    };
    let size = || line.data_dir().join("store.sqlite").metadata().unwrap().len();
    for _ in 0..3 {
        round().await;
    }
    let before = size();
    let rounds = 20;
    for _ in 0..rounds {
        round().await;
    }
    let grown = size() - before;
    assert!(grown <= 2 * rounds * ROW_BYTES, "{grown} bytes in {rounds} rounds");
    line.assert_holds_the_truth();
}
