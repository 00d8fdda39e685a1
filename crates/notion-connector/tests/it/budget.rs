//! What a crawl costs: a bound for every shape of workspace, and the exact numbers for one.
//!
//! The bound for P pages and rows and D data sources is 1.02 P + 3 D + 10 requests, and one more for each page that no
//! listing returned, each `unknown_block_ids` entry and each 100 users. The emulator's own log counts.

use std::collections::BTreeMap;
use std::time::Duration;

use notion_connector::config::BodyChoice;
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::{Behavior, Options};
use tokio::time::Instant;

use crate::support::{Line, generated, listed, unknown_blocks};

const HOUR: Duration = Duration::from_secs(3600);

/// Crawls once and holds the emulator's count against the bound.
async fn assert_within_budget(spec: &str, behavior: Behavior) {
    let options = Options { behavior, ..Options::default() };
    let line = Line::in_process(generated(spec), options).await;
    line.notion.clear_requests();
    line.crawl().await;
    line.assert_holds_the_truth();

    let requests = line.notion.request_report()["total"].as_u64().unwrap();
    let seen = line.witness.take();
    let (listed, truth) = (listed(&seen), line.truth());
    let count = |kinds: &[&str]| truth.values().filter(|fact| kinds.contains(&fact.kind.as_str())).count();
    let pages = count(&["page", "row"]);
    let unlisted = truth.values().filter(|fact| fact.has_body() && !listed.contains(&fact.id)).count();
    let people = line.notion.truth(None).unwrap().iter().filter(|fact| fact["kind"] == "user").count();
    let extra = unlisted + unknown_blocks(&seen) + people.div_ceil(100);
    let bound = 1.02 * pages as f64 + 3.0 * count(&["data_source"]) as f64 + 10.0 + extra as f64;
    assert!(requests as f64 <= bound, "{requests} requests for {spec}, at most {bound} are allowed");
}

#[tokio::test(start_paused = true)]
async fn a_full_crawl_costs_one_request_for_each_page_and_little_else() {
    for spec in [
        "pages=500,seed=41,shape=mixed",
        "pages=150,seed=42,shape=deep",
        "pages=350,seed=43,shape=database",
        "pages=250,seed=44,shape=flat",
        "pages=1,seed=45",
        "pages=3,seed=46,shape=database",
    ] {
        assert_within_budget(spec, Behavior::default()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_search_keeps_back_costs_one_request_more() {
    let behavior = Behavior { search_omits_inherited: true, ..Behavior::default() };
    for spec in
        ["pages=220,seed=47,shape=mixed", "pages=60,seed=48,shape=deep", "pages=130,seed=49,shape=database"]
    {
        assert_within_budget(spec, behavior.clone()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_an_answer_leaves_out_costs_one_request() {
    for markdown_max_blocks in [3, 10] {
        let behavior = Behavior { markdown_max_blocks, ..Behavior::default() };
        assert_within_budget("pages=80,seed=50,shape=mixed", behavior).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_block_walker_finds_what_markdown_finds() {
    let mut line = Line::in_process(generated("pages=90,seed=51"), Options::default()).await;
    line.config.notion.body = BodyChoice::Blocks;
    line.crawl().await;
    line.assert_holds_the_truth();
    let markdown = line.witness.take().iter().filter(|exchange| exchange.markdown_of().is_some()).count();
    assert_eq!(markdown, 0);
}

/// Requests by endpoint, and how long the crawl took on the virtual clock.
async fn bill(line: &Line) -> String {
    bill_of(line, Scope::Full).await
}

async fn bill_of(line: &Line, scope: Scope) -> String {
    line.notion.clear_requests();
    let began = Instant::now();
    let report = line.try_crawl(scope).await.unwrap();
    assert_eq!(report.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&report));
    let took = began.elapsed();
    let mut counts = BTreeMap::new();
    for entry in line.notion.request_log() {
        *counts.entry(format!("{} {} {}", entry.method, entry.endpoint, entry.status)).or_insert(0) += 1;
    }
    let total: u32 = counts.values().sum();
    let lines: Vec<String> = counts.iter().map(|(what, count)| format!("{count:>5}  {what}")).collect();
    format!("{}\n{total:>5}  in {:.1} virtual seconds", lines.join("\n"), took.as_secs_f64())
}

/// The budget snapshot: a change that costs requests or time shows here.
#[tokio::test(start_paused = true)]
async fn the_bill_for_the_reference_workspace() {
    let behavior = Behavior { latency_ms: 250, ..Behavior::default() };
    let window = Some("180/60".parse().unwrap());
    let options = Options { behavior, window, ..Options::default() };
    let line = Line::in_process(generated("pages=500,seed=1"), options).await;
    let full = bill(&line).await;
    line.notion.advance(HOUR);
    let second = bill(&line).await;
    line.notion.advance(HOUR);
    let incremental = bill_of(&line, Scope::Incremental).await;
    insta::assert_snapshot!(format!(
        "full crawl\n{full}\n\nsecond crawl, nothing changed\n{second}\n\nincremental crawl, nothing changed\n{incremental}"
    ));
}
