//! Crawls that do not list everything: what they find, what they cost, and what they leave alone.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use notion_connector::model::{Caller, NotionId};
use notion_connector::ops::{self, CrawlReport};
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::faults::{Failure, Fault};
use notion_emulator::seed::{BlockSeed, Content};
use notion_emulator::{Behavior, Edit, Options};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Fact, Line, generated, listed, subtree};

const HOUR: Duration = Duration::from_secs(3_600);
const MARKDOWN: &str = "/v1/pages/{page_id}/markdown";

/// Crawled whole, an hour ago.
async fn crawled(spec: &str, behavior: Behavior) -> Line {
    let line = Line::in_process(generated(spec), Options { behavior, ..Options::default() }).await;
    line.crawl().await;
    line.notion.advance(HOUR);
    line.notion.clear_requests();
    line.witness.take();
    line
}

async fn incremental(line: &Line) -> CrawlReport {
    let report = line.try_crawl(Scope::Incremental).await.unwrap();
    assert_eq!(report.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&report));
    report
}

fn paragraph(marker: &str) -> Content {
    Content::Block(BlockSeed {
        kind: "paragraph".to_owned(),
        payload: json!({"rich_text": [{"text": {"content": format!("Written later: {marker}.")}}]}),
        ..BlockSeed::default()
    })
}

fn edit(line: &Line, page: Uuid, marker: &str) {
    let markers = Some(vec![marker.to_owned()]);
    let edit = Edit { body: Some(vec![paragraph(marker)]), markers, ..Edit::default() };
    line.notion.edit(page, edit, &BTreeMap::new()).unwrap();
}

/// Objects of that kind with nothing below them.
fn leaves(truth: &BTreeMap<Uuid, Fact>, kind: &str) -> Vec<Uuid> {
    let of_kind = truth.values().filter(|fact| fact.kind == kind);
    of_kind.map(|fact| fact.id).filter(|id| subtree(truth, *id).len() == 1).collect()
}

fn requests(line: &Line) -> usize {
    line.bill().values().sum()
}

#[tokio::test(start_paused = true)]
async fn an_idle_crawl_of_ten_thousand_pages_costs_three_requests_and_one_for_each_data_source() {
    let line = crawled("pages=10000,seed=201", Behavior::default()).await;
    let truth = line.truth();
    assert!(truth.values().filter(|fact| fact.has_body()).count() >= 10_000);
    let data_sources = truth.values().filter(|fact| fact.kind == "data_source").count();
    let idle = 3 + data_sources;
    let report = incremental(&line).await;
    assert_eq!((requests(&line), report.crawl.indexed, report.crawl.deleted), (idle, 0, 0));

    for kind in ["page", "row"] {
        let changed = leaves(&truth, kind)[0];
        edit(&line, changed, &format!("mkchanged{kind}"));
        let report = incremental(&line).await;
        assert_eq!((requests(&line), report.crawl.updated), (idle + 1, 1), "a {kind} changed");
        // It was read within its stamp's minute.
        line.notion.advance(Duration::from_secs(180));
        let report = incremental(&line).await;
        assert_eq!((requests(&line), report.crawl.updated), (idle + 1, 0), "a {kind} is read once more");
        line.notion.advance(Duration::from_secs(180));
        incremental(&line).await;
        assert_eq!(requests(&line), idle, "and then no more");
        assert_eq!(line.search(&format!("mkchanged{kind}")).total, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_edit_within_the_same_minute_is_caught_by_the_next_round() {
    let line = crawled("pages=60,seed=202", Behavior::default()).await;
    let page = leaves(&line.truth(), "page")[0];
    edit(&line, page, "mkfirstedit");
    incremental(&line).await;
    assert_eq!(line.search("mkfirstedit").total, 1);
    edit(&line, page, "mksecondedit");
    line.notion.advance(Duration::from_secs(600));
    incremental(&line).await;
    assert_eq!((line.search("mkfirstedit").total, line.search("mksecondedit").total), (0, 1));
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_loses_no_edit_and_costs_no_request() {
    for minutes in [-60 * 24 * 365, -16, 16, 60 * 24 * 365] {
        let mut line = crawled("pages=60,seed=202", Behavior::default()).await;
        line.ahead = SignedDuration::from_mins(minutes);
        incremental(&line).await;
        let idle = requests(&line);
        let page = leaves(&line.truth(), "page")[0];
        line.notion.advance(Duration::from_secs(60));
        edit(&line, page, "mkfirstedit");
        incremental(&line).await;
        assert_eq!((requests(&line), line.search("mkfirstedit").total), (idle + 1, 1), "{minutes} minutes");
        // Within the minute of the stamp: only Notion's clock tells that the body may be old.
        edit(&line, page, "mksecondedit");
        line.notion.advance(Duration::from_secs(600));
        incremental(&line).await;
        assert_eq!(line.search("mksecondedit").total, 1, "{minutes} minutes");
        line.notion.advance(Duration::from_secs(600));
        incremental(&line).await;
        line.bill();
        incremental(&line).await;
        assert_eq!(requests(&line), idle, "{minutes} minutes");
        line.assert_holds_the_truth();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_added_moved_renamed_trashed_and_restored_is_followed_from_crawl_to_crawl() {
    let line = crawled("pages=240,seed=203", Behavior::default()).await;
    let truth = line.truth();
    let (pages, rows) = (leaves(&truth, "page"), leaves(&truth, "row"));
    let files = BTreeMap::new();
    let renamed = Edit { title: Some("Renamed since".to_owned()), ..Edit::default() };
    line.notion.edit(rows[0], renamed, &files).unwrap();
    line.notion.move_to(pages[0], Some(pages[1])).unwrap();
    line.notion.trash(pages[2]).unwrap();
    line.notion.trash(rows[1]).unwrap();
    // Everything below goes with it.
    let outside = |fact: &&Fact| fact.kind == "page" && (2..20).contains(&subtree(&truth, fact.id).len());
    let branch = truth.values().filter(outside).find(|fact| {
        let below = subtree(&truth, fact.id);
        [pages[0], pages[1]].iter().all(|other| !below.contains(other))
    });
    let branch = branch.unwrap().id;
    line.notion.trash(branch).unwrap();
    let below = json!({"page": {"title": "Below", "body": [{"block": {"kind": "paragraph",
        "payload": {"rich_text": [{"text": {"content": "mkbelowthenew"}}]}}}]}});
    let database = json!({"database": {"title": "New", "data_sources": [{"title": "New",
        "schema": {"Name": {"type": "title"}}, "rows": [{"title": "First"}, {"title": "Second"}]}]}});
    let new = json!({"id": pages[1], "append": [{"page": {"title": "New", "body": [below, database]}}]});
    line.control("edit", new).await;
    let report = incremental(&line).await;
    assert!(report.crawl.deleted >= 3, "{report:?}");
    line.assert_holds_the_truth();

    line.notion.advance(HOUR);
    line.notion.restore(pages[2]).unwrap();
    line.notion.restore(branch).unwrap();
    incremental(&line).await;
    assert!(line.truth().contains_key(&pages[2]));
    // What lies below keeps its own stamp: only a full listing meets it again.
    line.notion.advance(HOUR);
    line.crawl().await;
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn what_is_not_listed_is_not_judged_missing() {
    let line = crawled("pages=120,seed=204", Behavior::default()).await;
    let held = line.export().len();
    line.notion.unshare_all(None).unwrap();
    let page = leaves(&line.truth(), "page").first().copied();
    assert_eq!(page, None, "nothing is shared any more");
    let report = incremental(&line).await;
    assert_eq!((report.crawl.deleted, line.export().len()), (0, held));
}

fn broken(path: String) -> Fault {
    let failure = Failure::InternalServerError;
    Fault { failure, count: u32::MAX, skip: 0, method: None, path_prefix: Some(path) }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_failed_is_tried_again_although_the_watermark_moved() {
    let line = crawled("pages=160,seed=205", Behavior::default()).await;
    let page = leaves(&line.truth(), "page")[0];
    edit(&line, page, "mkfailedonce");
    for path in ["pages", "blocks"] {
        line.notion.push_fault(broken(format!("/v1/{path}/{page}")));
    }
    let report = line.try_crawl(Scope::Incremental).await.unwrap();
    assert_eq!((report.crawl.state, report.crawl.not_indexed), (CrawlState::CompletedWithErrors, 1));
    line.notion.clear_faults();
    line.notion.advance(HOUR);
    line.bill();
    incremental(&line).await;
    assert_eq!(line.bill().get(MARKDOWN), Some(&1));
    assert!(ops::list_failures(&line.app(), &Caller::LOCAL_OPERATOR).unwrap().is_empty());
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn the_watermark_stays_when_a_listing_did_not_end() {
    let line = crawled("pages=120,seed=206,shape=database", Behavior::default()).await;
    let truth = line.truth();
    let row = leaves(&truth, "row")[0];
    edit(&line, row, "mkrowedited");
    line.notion.push_fault(broken("/v1/data_sources/".to_owned()));
    // Search shows it only after hours.
    line.notion.push_fault(broken("/v1/search".to_owned()));
    let report = line.try_crawl(Scope::Incremental).await.unwrap();
    assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors, "{:?}", line.alerts(&report));
    assert_eq!(report.crawl.deleted, 0);
    line.notion.clear_faults();
    line.notion.advance(HOUR * 5);
    incremental(&line).await;
    assert_eq!(line.search("mkrowedited").total, 1);
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn a_crawl_is_incremental_by_itself_once_a_full_one_listed_everything() {
    let line = Line::in_process(generated("pages=40,seed=207"), Options::default()).await;
    let by_itself = || async {
        let request = ops::CrawlRequest { scope: None, ..crate::support::request(Scope::Full) };
        let progress = tokio::sync::watch::Sender::default();
        ops::run_crawl(&line.app(), &Caller::LOCAL_OPERATOR, request, progress).await.unwrap().crawl.scope
    };
    assert_eq!(by_itself().await, "full");
    line.notion.advance(HOUR);
    assert_eq!(by_itself().await, "incremental");
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn pages_that_search_keeps_back_are_read_once_more_when_their_stamp_has_settled() {
    let behavior = Behavior { search_omits_inherited: true, ..Behavior::default() };
    let line = crawled("pages=60,seed=208", behavior).await;
    let truth = line.truth();
    let shown = listed(&line.witness.take());
    let hidden = leaves(&truth, "page").into_iter().find(|id| !shown.contains(id)).unwrap();
    edit(&line, hidden, "mkhiddenone");
    line.crawl().await;
    edit(&line, hidden, "mkhiddentwo");
    line.notion.advance(HOUR);
    incremental(&line).await;
    assert_eq!(line.search("mkhiddentwo").total, 1);
    line.assert_holds_the_truth();
}

async fn partial(line: &Line, start: Uuid) -> CrawlReport {
    let start_point = Some(NotionId(start));
    let request = ops::CrawlRequest { start_point, ..crate::support::request(Scope::Partial) };
    ops::run_crawl(&line.app(), &Caller::LOCAL_OPERATOR, request, tokio::sync::watch::Sender::default())
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_partial_crawl_follows_what_lies_below_its_start_point_and_nothing_else() {
    let line = crawled("pages=240,seed=209", Behavior::default()).await;
    let truth = line.truth();
    let of_size = |fact: &&Fact| fact.kind == "page" && (12..120).contains(&subtree(&truth, fact.id).len());
    let start = truth.values().find(of_size).unwrap().id;
    let below = subtree(&truth, start);
    let leaf = |inside: bool, number: usize| {
        let fitting = |id: &Uuid| below.contains(id) == inside && *id != start;
        leaves(&truth, "page").into_iter().filter(fitting).nth(number).unwrap()
    };
    edit(&line, leaf(true, 0), "mkinside");
    edit(&line, leaf(false, 0), "mkoutside");
    line.notion.trash(leaf(true, 1)).unwrap();
    line.notion.trash(leaf(false, 1)).unwrap();
    let new = json!({"id": leaf(true, 0), "append": [{"page": {"title": "New and below", "body": []}}]});
    line.control("edit", new).await;
    let held = line.export().len();
    let report = partial(&line, start).await;
    assert_eq!(report.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&report));
    assert_eq!((report.crawl.deleted, report.crawl.added, line.export().len()), (1, 1, held));
    assert_eq!((line.search("mkinside").total, line.search("mkoutside").total), (1, 0));
    assert_eq!(report.crawl.discovered as usize, below.len());
    assert_eq!(report.crawl.start_point, Some(NotionId(start)));
    line.crawl().await;
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn a_partial_crawl_begins_anywhere_and_says_when_it_sees_nothing() {
    let mut line = Line::in_process(generated("pages=240,seed=210"), Options::default()).await;
    line.config.crawl.deletion_floor = 1_000;
    let truth = line.truth();
    let database = truth.values().find(|fact| fact.kind == "database").unwrap().id;
    let report = partial(&line, database).await;
    let below = subtree(&truth, database);
    assert_eq!((report.crawl.state, report.crawl.added as usize), (CrawlState::Completed, below.len()));
    // What is gone leaves with all below it.
    line.notion.trash(database).unwrap();
    assert_eq!(partial(&line, database).await.crawl.deleted as usize, below.len());
    assert!(line.export().is_empty());
    let nowhere = Some(NotionId(Uuid::from_u128(7)));
    let request = ops::CrawlRequest { start_point: nowhere, ..crate::support::request(Scope::Partial) };
    let refused =
        ops::run_crawl(&line.app(), &Caller::LOCAL_OPERATOR, request, tokio::sync::watch::Sender::default())
            .await;
    assert!(refused.unwrap_err().to_string().contains("Connections"));
    assert!(line.try_crawl(Scope::Partial).await.unwrap_err().to_string().contains("--start-point"));
}

#[tokio::test(start_paused = true)]
async fn a_test_crawl_reads_a_handful_and_deletes_nothing() {
    let line = crawled("pages=240,seed=211", Behavior::default()).await;
    let held = line.export().len();
    let report = line.try_crawl(Scope::Test).await.unwrap();
    assert_eq!((report.crawl.state, report.crawl.discovered), (CrawlState::Completed, 5));
    assert!(requests(&line) <= 10, "a handful");
    line.notion.unshare_all(None).unwrap();
    let report = line.try_crawl(Scope::Test).await.unwrap();
    let alerts = line.alerts(&report);
    assert!(alerts.iter().any(|alert| alert.contains("Connections")), "{alerts:?}");
    assert_eq!((report.crawl.deleted, line.export().len()), (0, held));
}

#[tokio::test(start_paused = true)]
async fn behind_a_wall_of_search_everything_is_listed_from_the_other_end() {
    let behavior = Behavior { search_wall: Some(120), ..Behavior::default() };
    let line = Line::in_process(
        generated("pages=230,seed=212,shape=flat"),
        Options { behavior, ..Options::default() },
    )
    .await;
    line.crawl().await;
    line.assert_holds_the_truth();
    line.notion.advance(HOUR);
    let gone = leaves(&line.truth(), "page")[..3].to_vec();
    gone.iter().for_each(|id| line.notion.purge(*id).unwrap());
    assert_eq!(line.crawl().await.crawl.deleted, 3, "a listing from both ends is complete");
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn what_no_search_reaches_is_found_by_data_sources_and_tags_and_the_crawl_says_what_may_be_missing() {
    for spec in ["pages=400,seed=213,shape=mixed", "pages=300,seed=214,shape=database"] {
        let line = Line::in_process(generated(spec), Options::default()).await;
        line.crawl().await;
        let held = line.export().len();
        line.notion.advance(HOUR);
        let gone = leaves(&line.truth(), "page").first().copied();
        gone.into_iter().for_each(|id| line.notion.purge(id).unwrap());
        line.notion.set_behavior(Behavior { search_wall: Some(40), ..Behavior::default() });
        let report = line.try_crawl(Scope::Full).await.unwrap();
        assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors);
        let alerts = line.alerts(&report);
        assert!(alerts.iter().any(|alert| alert.contains("in either direction")), "{alerts:?}");
        // What no listing returned was asked for by itself: Notion's own word says that it is gone.
        assert_eq!(
            (report.crawl.deleted as usize, line.export().len()),
            (gone.iter().len(), held - gone.iter().len())
        );
        assert_eq!(report.crawl.discovered as usize, line.truth().len());
        let rows = line.truth().values().filter(|fact| fact.kind == "row").count();
        assert!(report.crawl.discovered as usize >= rows, "queries list all rows");
    }
}

#[tokio::test(start_paused = true)]
async fn a_search_that_ends_too_early_without_a_word_costs_one_request_to_find_out() {
    let behavior = Behavior { search_wall: Some(2_150), search_wall_silent: true, ..Behavior::default() };
    let options = Options { behavior, ..Options::default() };
    let line = Line::in_process(generated("pages=2300,seed=217,shape=flat"), options).await;
    line.crawl().await;
    let items = line.truth().len();
    assert!(items > 2_200, "beyond the wall");
    assert_eq!(line.export().len(), items);
    line.notion.set_behavior(Behavior::default());
    line.notion.advance(HOUR);
    line.bill();
    line.crawl().await;
    assert_eq!(line.bill()["/v1/search"], items.div_ceil(100) + 1, "one request, where nothing is missing");
    line.notion.advance(HOUR);
    incremental(&line).await;
    assert_eq!(line.bill()["/v1/search"], 2);
}

#[tokio::test(start_paused = true)]
async fn search_that_repeats_and_keeps_back_what_it_likes_loses_nothing() {
    let behavior = Behavior { search_repeats: 9, search_omits_percent: 40, ..Behavior::default() };
    let options = Options { behavior, ..Options::default() };
    let line = Line::in_process(generated("pages=240,seed=218"), options).await;
    let report = line.crawl().await;
    assert_eq!(report.crawl.discovered as usize, line.truth().len());
    let seen = line.witness.take();
    let searches = seen.into_iter().filter(|exchange| exchange.path == "/v1/search").collect::<Vec<_>>();
    assert!(listed(&searches).len() * 10 < line.truth().len() * 8, "search kept a part back");
    line.assert_holds_the_truth();
    line.notion.advance(HOUR);
    let truth = line.truth();
    let kept_back = leaves(&truth, "page").into_iter().find(|id| !listed(&searches).contains(id)).unwrap();
    edit(&line, kept_back, "mkkeptback");
    line.notion.trash(leaves(&truth, "row")[0]).unwrap();
    line.notion.advance(HOUR);
    line.crawl().await;
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn a_workspace_larger_than_search_reaches_is_crawled_by_changes_all_the_same() {
    let behavior = Behavior { search_wall: Some(40), ..Behavior::default() };
    let options = Options { behavior, ..Options::default() };
    let line = Line::in_process(generated("pages=400,seed=219"), options).await;
    let by_itself = async |line: &Line| {
        let request = ops::CrawlRequest { scope: None, ..crate::support::request(Scope::Full) };
        ops::run_crawl(&line.app(), &Caller::LOCAL_OPERATOR, request, tokio::sync::watch::Sender::default())
            .await
            .unwrap()
    };
    // What is connected directly is guaranteed to be listed; here it is what was edited last.
    line.notion.advance(HOUR);
    for fact in line.truth().values().filter(|fact| fact.parent.is_none()) {
        line.control("edit", json!({"id": fact.id, "title": format!("{} again", fact.title)})).await;
    }
    let first = by_itself(&line).await;
    assert_eq!((first.crawl.scope.as_str(), first.crawl.state), ("full", CrawlState::CompletedWithErrors));
    line.assert_holds_the_truth();
    line.notion.advance(HOUR);
    let pages = leaves(&line.truth(), "page");
    edit(&line, pages[0], "mkonechange");
    line.notion.advance(HOUR);
    line.bill();
    let second = by_itself(&line).await;
    assert_eq!((second.crawl.scope.as_str(), second.crawl.state), ("incremental", CrawlState::Completed));
    assert!(requests(&line) < 20, "only what changed");
    assert_eq!(line.search("mkonechange").total, 1);

    // More was edited than search lists from either end: what is in the middle would be missed for ever.
    line.notion.advance(HOUR);
    let edited: Vec<Uuid> =
        line.truth().values().filter(|fact| fact.has_body()).map(|fact| fact.id).collect();
    for (number, page) in edited[..200].iter().enumerate() {
        edit(&line, *page, &format!("mkmany{number}"));
        line.notion.advance(Duration::from_secs(60));
    }
    let third = by_itself(&line).await;
    assert_eq!(third.crawl.scope, "incremental");
    assert!(line.alerts(&third).iter().any(|alert| alert.contains("the next crawl is a full one")));
    assert_eq!(by_itself(&line).await.crawl.scope, "full");
    line.assert_holds_the_truth();
    assert_eq!(by_itself(&line).await.crawl.scope, "incremental");
}

#[tokio::test(start_paused = true)]
async fn edits_while_a_search_is_paged_lose_nothing_and_count_nothing_twice() {
    let behavior = Behavior { latency_ms: 200, short_pages: Some(7), ..Behavior::default() };
    let line = crawled("pages=150,seed=215,shape=flat", behavior).await;
    let pages: Vec<Uuid> = leaves(&line.truth(), "page");
    let editing = async {
        for (number, page) in pages.iter().rev().step_by(5).enumerate() {
            tokio::time::sleep(Duration::from_millis(350)).await;
            edit(&line, *page, &format!("mkmoved{number}"));
        }
    };
    let (report, ()) = tokio::join!(line.crawl(), editing);
    assert_eq!(report.crawl.discovered as usize, line.truth().len());
    line.notion.advance(HOUR);
    incremental(&line).await;
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn start_points_are_what_stands_at_the_top_of_what_is_visible() {
    let line = crawled("pages=120,seed=216", Behavior::default()).await;
    let truth = line.truth();
    let expected: std::collections::BTreeSet<Uuid> =
        truth.values().filter(|fact| fact.parent.is_none()).map(|fact| fact.id).collect();
    let listed = ops::list_start_points(&line.app(), &Caller::LOCAL_OPERATOR, None).unwrap();
    assert!(!expected.is_empty());
    assert_eq!(listed.iter().map(|point| point.id.0).collect::<std::collections::BTreeSet<_>>(), expected);
    assert!(listed.iter().all(|point| truth[&point.id.0].title == point.title));
}

#[tokio::test(start_paused = true)]
async fn start_points_are_listed_anew_from_notion_and_the_next_full_crawl_goes_on_with_that() {
    let mut line = crawled("pages=120,seed=217", Behavior::default()).await;
    line.config.crawl.deletion_floor = 1_000;
    let before = ops::list_start_points(&line.app(), &Caller::LOCAL_OPERATOR, None).unwrap();
    let leaf = leaves(&line.truth(), "page")[0];
    line.notion.move_to(leaf, None).unwrap();
    let gone = before[0].id.0;
    line.notion.trash(gone).unwrap();
    let held = line.export().len();
    let progress = tokio::sync::watch::Sender::default();
    let listed =
        ops::refresh_start_points(&line.app(), &Caller::LOCAL_OPERATOR, None, progress).await.unwrap();
    let truth = line.truth();
    let tops: Vec<Uuid> = truth.values().filter(|fact| fact.parent.is_none()).map(|fact| fact.id).collect();
    assert!(tops.contains(&leaf) && !tops.contains(&gone));
    let mut ids: Vec<Uuid> = listed.iter().map(|point| point.id.0).collect();
    ids.sort_unstable();
    assert_eq!(ids, tops);
    assert_eq!(line.export().len(), held, "nothing is indexed or deleted");
    line.bill();
    line.crawl().await;
    assert_eq!(line.bill().get("/v1/search"), None, "the crawl goes on with the listing");
    line.assert_holds_the_truth();
}
