//! After every crawl the index equals the truth: everything once, in its place, found by its words; nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use notion_connector::ops;
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::seed::{BlockSeed, Content, PageSeed};
use notion_emulator::{Behavior, Edit, Emulator, Options};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Dice, Fact, Line, assert_counters_add_up, body_requests, generated, subtree, truth_of};
use notion_connector::model::Caller;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn every_item_of_every_shape_of_workspace_is_indexed_once_over_http() {
    for spec in [
        "pages=260,seed=11,shape=mixed",
        "pages=75,seed=12,shape=deep",
        "pages=130,seed=13,shape=database",
        "pages=110,seed=14,shape=flat",
    ] {
        let line = Line::over_http(generated(spec)).await;
        let items = line.truth().len();
        let first = line.crawl().await;
        assert_counters_add_up(&first, items);
        assert_eq!((first.crawl.added, first.crawl.deleted), (items as u64, 0), "{spec}");
        line.assert_holds_the_truth();

        line.notion.advance(HOUR);
        line.witness.take();
        let second = line.crawl().await;
        assert_counters_add_up(&second, items);
        assert_eq!(second.crawl.unchanged, items as u64, "{spec}");
        assert_eq!(body_requests(&line.witness.take()), 0, "unchanged pages were read again: {spec}");
        line.assert_holds_the_truth();
    }
}

#[tokio::test(start_paused = true)]
async fn a_forced_reindex_reads_everything_and_changes_nothing() {
    let line = Line::in_process(generated("pages=60,seed=3"), Options::default()).await;
    line.crawl().await;
    line.notion.advance(HOUR);
    line.witness.take();
    let report = line.try_crawl(Scope::ForceReindex).await.unwrap();
    let truth = line.truth();
    assert_eq!(report.crawl.unchanged, truth.len() as u64);
    let pages = truth.values().filter(|fact| fact.has_body()).count();
    assert!(body_requests(&line.witness.take()) >= pages);
    line.assert_holds_the_truth();
}

/// A paragraph with one word that stands nowhere else.
fn paragraph(marker: &str) -> Content {
    Content::Block(BlockSeed {
        kind: "paragraph".to_owned(),
        payload: json!({"rich_text": [{"text": {"content": format!("Written later: {marker}.")}}]}),
        ..BlockSeed::default()
    })
}

pub(crate) fn page(title: &str, marker: &str, below: Vec<Content>) -> Content {
    let body = [vec![paragraph(marker)], below].concat();
    let markers = vec![marker.to_owned()];
    Content::Page(PageSeed { title: title.to_owned(), body, markers, ..PageSeed::default() })
}

pub(crate) fn edited(marker: &str) -> Edit {
    Edit { body: Some(vec![paragraph(marker)]), markers: Some(vec![marker.to_owned()]), ..Edit::default() }
}

pub(crate) fn renamed(title: &str) -> Edit {
    Edit { title: Some(title.to_owned()), ..Edit::default() }
}

/// Pages in an order that depends on the world only, those with the most below them first.
fn by_weight(truth: &BTreeMap<Uuid, Fact>, kind: &str) -> Vec<Uuid> {
    let of_kind = truth.values().filter(|fact| fact.kind == kind);
    let mut found: Vec<(usize, Uuid)> =
        of_kind.map(|fact| (subtree(truth, fact.id).len(), fact.id)).collect();
    found.sort_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, id)| id).collect()
}

#[tokio::test(start_paused = true)]
async fn renames_and_moves_reach_everything_below() {
    let line = Line::in_process(generated("pages=240,seed=21"), Options::default()).await;
    line.crawl().await;
    line.notion.advance(HOUR);
    let truth = line.truth();
    let pages = by_weight(&truth, "page");
    let files = BTreeMap::new();

    line.notion.edit(pages[0], renamed("Root, renamed"), &files).unwrap();
    line.notion.edit(pages[2], renamed("Branch, renamed"), &files).unwrap();
    let database = by_weight(&truth, "database")[0];
    line.notion.edit(database, renamed("Ledger, renamed"), &files).unwrap();
    let outside = |id: &&Uuid| !subtree(&truth, pages[3]).contains(*id) && truth[*id].parent != Some(**id);
    let target = *pages.iter().rev().find(outside).unwrap();
    line.notion.move_to(pages[3], Some(target)).unwrap();
    let leaf = *pages.last().unwrap();
    if leaf != target {
        line.notion.move_to(leaf, None).unwrap();
    }
    let row = by_weight(&truth, "row")[0];
    line.notion.move_to(row, Some(pages[0])).unwrap();

    let report = line.crawl().await;
    assert_counters_add_up(&report, truth.len());
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn what_is_added_edited_trashed_unshared_and_archived_is_followed_and_what_returns_returns() {
    let line = Line::in_process(generated("pages=240,seed=22"), Options::default()).await;
    line.crawl().await;
    line.notion.advance(HOUR);
    let before = line.truth();
    let files = BTreeMap::new();
    let light: Vec<Uuid> = by_weight(&before, "page").into_iter().rev().collect();
    let rows = by_weight(&before, "row");
    let middle = *light.iter().find(|id| (3..20).contains(&subtree(&before, **id).len())).unwrap();
    let unshared = *light
        .iter()
        .find(|id| subtree(&before, **id).len() == 2 && !subtree(&before, middle).contains(*id))
        .unwrap();

    line.notion.edit(light[0], edited("zqeditedpage"), &files).unwrap();
    line.notion.edit(rows[0], edited("zqeditedrow"), &files).unwrap();
    line.notion.trash(middle).unwrap();
    line.notion.trash(rows[1]).unwrap();
    line.notion.unshare(unshared, None).unwrap();
    line.notion.set_archived(light[1], true).unwrap();
    line.notion.purge(rows[2]).unwrap();
    let born = page("Born later", "zqborn", vec![page("Below it", "zqbelow", Vec::new())]);
    line.notion.seed(Some(light[2]), &[born], &files).unwrap();
    line.notion.seed(None, &[page("A new root", "zqroot", Vec::new())], &files).unwrap();

    let report = line.crawl().await;
    assert_counters_add_up(&report, line.truth().len());
    line.assert_holds_the_truth();
    let gone: Vec<&Fact> = before.values().filter(|fact| !line.truth().contains_key(&fact.id)).collect();
    assert_eq!(report.crawl.deleted, gone.len() as u64);
    for fact in gone {
        for marker in &fact.markers {
            let hits = line.search(marker).hits;
            assert!(hits.iter().all(|hit| hit.id.0 != fact.id), "{marker} still finds what is gone");
        }
    }

    line.notion.advance(HOUR);
    line.notion.restore(middle).unwrap();
    line.notion.restore(rows[1]).unwrap();
    line.notion.share(unshared, None).unwrap();
    line.notion.set_archived(light[1], false).unwrap();
    line.notion.advance(HOUR);
    let report = line.crawl().await;
    assert_counters_add_up(&report, line.truth().len());
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn random_changes_between_crawls_leave_no_trace_of_what_was() {
    for seed in 0..4 {
        let mut dice = Dice::new(seed);
        let line = Line::in_process(generated(&format!("pages=90,seed={seed}")), Options::default()).await;
        line.crawl().await;
        let mut gone = Vec::new();
        for round in 0..4 {
            line.notion.advance(HOUR);
            for change in 0..8 {
                change_at_random(&line.notion, &mut dice, &mut gone, &format!("zq{seed}x{round}x{change}"));
            }
            let report = line.crawl().await;
            assert_counters_add_up(&report, line.truth().len());
            line.assert_holds_the_truth();
        }
    }
}

/// One change by whoever works in the workspace. Some are refused (what lies in the trash takes no page): then nothing
/// changes.
pub(crate) fn change_at_random(notion: &Emulator, dice: &mut Dice, gone: &mut Vec<Uuid>, marker: &str) {
    let truth = truth_of(notion);
    let ids: Vec<Uuid> = truth.keys().copied().collect();
    let pages: Vec<Uuid> = truth.values().filter(|fact| fact.has_body()).map(|fact| fact.id).collect();
    let (object, one, other) = (dice.pick(&ids), dice.pick(&pages), dice.pick(&pages));
    let is_light = subtree(&truth, one).len() < 6;
    let files = BTreeMap::new();
    match dice.below(8) {
        0 => drop(notion.edit(object, renamed(&format!("Renamed {marker}")), &files)),
        1 => drop(notion.edit(one, edited(marker), &files)),
        2 if !subtree(&truth, one).contains(&other) => drop(notion.move_to(one, Some(other))),
        3 if is_light => {
            notion.trash(one).unwrap();
            gone.push(one);
        }
        4 if is_light => {
            notion.unshare(one, None).unwrap();
            gone.push(one);
        }
        // Its title stands in the text of its holder too: the marker must not.
        5 => drop(notion.seed(Some(one), &[page("A new page", marker, Vec::new())], &files)),
        6 if !gone.is_empty() => {
            let back = gone.swap_remove(dice.below(gone.len()));
            notion.restore(back).unwrap();
            notion.share(back, None).unwrap();
        }
        _ => drop(notion.move_to(one, None)),
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_deletions_wait_until_somebody_approves_them() {
    let mut line = Line::in_process(generated("pages=120,seed=31"), Options::default()).await;
    line.config.crawl.deletion_floor = 10;
    line.crawl().await;
    let before = line.truth();
    line.notion.advance(HOUR);
    let database = by_weight(&before, "database")[0];
    assert!(subtree(&before, database).len() * 4 > before.len(), "a large part of the world");
    line.notion.unshare(database, None).unwrap();

    let report = line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!(report.crawl.state, CrawlState::AwaitingApproval);
    assert_eq!(report.crawl.deleted, 0);
    let kept = line.export();
    assert_eq!(kept.len(), before.len(), "nothing leaves before it is approved");

    let approved =
        ops::approve_deletions(&line.app(), &Caller::LOCAL_OPERATOR, report.crawl.id).await.unwrap();
    assert_eq!(approved.state, CrawlState::Completed);
    assert_eq!(approved.deleted, (before.len() - line.truth().len()) as u64);
    line.assert_holds_the_truth();
}

#[tokio::test(start_paused = true)]
async fn what_is_shared_again_below_a_page_that_was_not_edited_comes_back_with_the_next_full_crawl() {
    // Search lists start points alone: the page below is known by the tag in its parent's body, which is not read again.
    let behavior = Behavior { search_omits_inherited: true, ..Behavior::default() };
    let options = Options { behavior, ..Options::default() };
    let line = Line::in_process(generated("pages=40,seed=48,shape=deep"), options).await;
    line.crawl().await;
    line.assert_holds_the_truth();
    let truth = line.truth();
    let is_leaf = |id: &Uuid| truth.values().all(|fact| fact.parent != Some(*id));
    let is_below_a_page = |fact: &Fact| fact.parent.is_some_and(|parent| truth.contains_key(&parent));
    let page = truth
        .values()
        .find(|fact| fact.kind == "page" && is_leaf(&fact.id) && is_below_a_page(fact))
        .unwrap();

    line.notion.unshare(page.id, None).unwrap();
    line.notion.advance(Duration::from_secs(3600));
    line.crawl().await;
    line.assert_holds_the_truth();
    assert!(!line.export().iter().any(|item| item.id.0 == page.id));

    line.notion.share(page.id, None).unwrap();
    line.notion.advance(Duration::from_secs(3600));
    let before = line.bill();
    line.notion.clear_requests();
    line.crawl().await;
    line.assert_holds_the_truth();
    assert!(line.export().iter().any(|item| item.id.0 == page.id), "{before:?} {:?}", line.bill());
}
