//! `why`: every standing that an object can have, told from the store and by Notion.

use std::time::Duration;

use notion_connector::ops::{self, Standing, Why};
use notion_connector::store::Scope;
use notion_emulator::Options;
use notion_emulator::faults::{Failure, Fault};
use uuid::Uuid;

use crate::support::{Line, generated};
use notion_connector::model::Caller;

async fn why(line: &Line, id: Uuid) -> Why {
    ops::why(&line.app(), &Caller::LOCAL_OPERATOR, &id.to_string(), false).await.unwrap()
}

fn leaves(line: &Line) -> Vec<Uuid> {
    let truth = line.truth();
    let is_leaf = |id| truth.values().all(|other| other.parent != Some(id));
    truth.values().filter(|fact| fact.has_body() && is_leaf(fact.id)).map(|fact| fact.id).collect()
}

fn says(why: &Why, words: &str) {
    assert!(
        why.reasons.iter().any(|reason| reason.message.contains(words)),
        "“{words}” in {:?}",
        why.reasons
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_found_trashed_unshared_or_never_seen_says_so() {
    let line = Line::in_process(generated("pages=60,seed=91"), Options::default()).await;
    let report = line.crawl().await;
    let leaves = leaves(&line);
    let (trashed, purged, archived) = (leaves[0], leaves[1], leaves[2]);
    let found = why(&line, trashed).await;
    assert_eq!(found.standing, Standing::InIndex);
    let holding = &found.holdings[0];
    assert_eq!((holding.connector.as_str(), holding.crawl), ("works", Some(report.crawl.id)));
    assert!(holding.since.is_some() && holding.last_read.is_some() && !holding.waits_for_index);
    says(&found, "in the index since crawl 1");
    let unheard = Uuid::from_u128(42);
    assert_eq!(why(&line, unheard).await.standing, Standing::NeverSeen);
    says(&why(&line, unheard).await, "ask Notion now with --ask");
    let asked = ops::why(&line.app(), &Caller::LOCAL_OPERATOR, &unheard.to_string(), true).await.unwrap();
    says(&asked, "Connections");
    assert!(!asked.reasons[0].message.contains("--ask"), "{:?}", asked.reasons);

    line.notion.advance(Duration::from_secs(3600));
    line.notion.trash(trashed).unwrap();
    line.notion.purge(purged).unwrap();
    line.notion.set_archived(archived, true).unwrap();
    let report = line.crawl().await;
    assert_eq!(report.crawl.deleted, 3);
    for (id, standing, words) in [
        (trashed, Standing::Trashed, "lies in the trash"),
        (purged, Standing::NotVisible, "Notion does not say which"),
        (archived, Standing::Filtered, "crawl.archived"),
    ] {
        let gone = why(&line, id).await;
        assert_eq!(gone.standing, standing, "{gone:?}");
        assert_eq!((gone.departures[0].crawl, gone.departures[0].applied), (report.crawl.id, true));
        assert!(gone.departures[0].time.is_some());
        says(&gone, words);
    }
    assert_eq!(why(&line, archived).await.setting.as_deref(), Some("crawl.archived"));

    // Notion's own word, on request only.
    line.notion.clear_requests();
    let asked =
        ops::why(&line.app(), &Caller::LOCAL_OPERATOR, &trashed.to_string(), true).await.unwrap().asked;
    assert!(asked[0].readable && asked[0].in_trash, "{asked:?}");
    let asked =
        ops::why(&line.app(), &Caller::LOCAL_OPERATOR, &purged.to_string(), true).await.unwrap().asked;
    assert!(!asked[0].readable && asked[0].message.contains("404"), "{asked:?}");
    // A page in one request; nothing at all in four: page, database, data source, block.
    assert_eq!(line.notion.request_log().len(), 5);

    line.notion.restore(trashed).unwrap();
    line.notion.advance(Duration::from_secs(3600));
    line.crawl().await;
    assert_eq!(why(&line, trashed).await.standing, Standing::InIndex);
}

#[tokio::test(start_paused = true)]
async fn what_failed_says_with_which_error_and_when_it_is_tried_again() {
    let line = Line::in_process(generated("pages=60,seed=92"), Options::default()).await;
    let leaf = leaves(&line)[0];
    for path in ["pages", "blocks"] {
        let path_prefix = Some(format!("/v1/{path}/{leaf}"));
        let failure = Failure::InternalServerError;
        line.notion.push_fault(Fault { failure, count: u32::MAX, skip: 0, method: None, path_prefix });
    }
    line.try_crawl(Scope::Full).await.unwrap();
    let failed = why(&line, leaf).await;
    assert_eq!(failed.standing, Standing::Failed);
    assert_eq!(failed.failures.len(), 1);
    says(&failed, "the next crawl of this connector tries again, which is due at 2026-11-02 08:10 UTC");
    assert!(failed.next_try.unwrap().to_string().starts_with("2026-11-02T08:10:"), "{:?}", failed.next_try);
    ops::set_connector_active(&line.app(), &Caller::LOCAL_OPERATOR, "works", false).unwrap();
    let resting = why(&line, leaf).await;
    assert_eq!(resting.next_try, None);
    says(&resting, "the next crawl of this connector tries again: start one");
}

#[tokio::test(start_paused = true)]
async fn what_a_running_crawl_has_still_to_read_says_so() {
    let line = Line::in_process(generated("pages=60,seed=93"), Options::default()).await;
    let leaf = leaves(&line)[0];
    let path_prefix = Some(format!("/v1/pages/{leaf}"));
    let slow = Failure::Slow { delay_ms: 50_000 };
    line.notion.push_fault(Fault { failure: slow, count: 1, skip: 0, method: None, path_prefix });
    let look = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        let waiting = why(&line, leaf).await;
        assert_eq!(waiting.standing, Standing::WaitsInCrawl, "{waiting:?}");
        assert_eq!((waiting.waiting[0].crawl, waiting.waiting[0].task.as_str()), (1, "read_body"));
    };
    tokio::join!(line.crawl(), look);
    assert_eq!(why(&line, leaf).await.standing, Standing::InIndex);
}

#[tokio::test(start_paused = true)]
async fn what_a_filter_or_the_limit_leaves_out_says_which() {
    let line = Line::in_process(generated("pages=60,seed=94"), Options::default()).await;
    let all = leaves(&line);
    let excluded = all[0];
    let edit =
        ops::EditConnector { exclude: Some(vec![excluded.to_string()]), ..ops::EditConnector::default() };
    ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, "works", &edit).unwrap();
    line.crawl().await;
    let out = why(&line, excluded).await;
    assert_eq!(
        (out.standing, out.setting.as_deref()),
        (Standing::Filtered, Some("filters of the connector"))
    );
    says(&out, "the connector's filters leave it out");
    let asked = ops::why(&line.app(), &Caller::LOCAL_OPERATOR, &excluded.to_string(), true).await.unwrap();
    assert!(asked.asked[0].message.contains("does not bring it"), "{:?}", asked.asked);

    let mut limited = Line::in_process(generated("pages=60,seed=95"), Options::default()).await;
    limited.config.crawl.item_limit = 10;
    let report = limited.try_crawl(Scope::Full).await.unwrap();
    assert!(report.crawl.skipped > 0, "{report:?}");
    let truth = limited.truth();
    let mut skipped = 0;
    for id in truth.keys() {
        let one = why(&limited, *id).await;
        if one.standing == Standing::Skipped {
            assert_eq!(one.setting.as_deref(), Some("crawl.item_limit"));
            says(&one, "as many items as it may");
            skipped += 1;
        }
    }
    assert_eq!(skipped, report.crawl.skipped);
}

#[tokio::test(start_paused = true)]
async fn notion_is_asked_for_databases_data_sources_and_blocks_too() {
    let line = Line::in_process(generated("pages=120,seed=96"), Options::default()).await;
    let truth = line.truth();
    for kind in ["database", "data_source", "row", "page"] {
        let one = truth.values().find(|fact| fact.kind == kind).unwrap();
        let asked = ops::why(&line.app(), &Caller::LOCAL_OPERATOR, &one.id.to_string(), true).await.unwrap();
        assert_eq!(asked.standing, Standing::NeverSeen, "{kind}");
        assert!(asked.asked[0].readable && !asked.asked[0].in_trash, "{kind} {:?}", asked.asked);
        assert!(asked.asked[0].message.contains("the next crawl brings it"), "{:?}", asked.asked);
    }
    let page = truth.values().find(|fact| fact.has_body() && !fact.markers.is_empty()).unwrap();
    let request = http::Request::get(format!("/v1/blocks/{}/children", page.id))
        .header("authorization", format!("Bearer {}", notion_emulator::DEFAULT_TOKEN))
        .header("notion-version", "2026-03-11")
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = tower::ServiceExt::oneshot(line.notion.router(), request).await.unwrap();
    let bytes = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    let listed: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let is_text = |block: &&serde_json::Value| {
        !["child_page", "child_database"].contains(&block["type"].as_str().unwrap())
    };
    let block = listed["results"].as_array().unwrap().iter().find(is_text).unwrap();
    let asked = ops::why(&line.app(), &Caller::LOCAL_OPERATOR, block["id"].as_str().unwrap(), true)
        .await
        .unwrap()
        .asked;
    assert_eq!(asked[0].page.map(|id| id.0), Some(page.id), "{asked:?}");
    assert!(asked[0].message.contains("is a block of the page"), "{asked:?}");
}
