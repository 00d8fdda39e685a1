//! What filters keep, leave out and bring back; what a limit leaves out; all of it counted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use notion_connector::ops::{self, EditConnector, Setting, Standing};
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::seed::{Content, DataSourceSeed, DatabaseSeed, PageSeed};
use notion_emulator::{Behavior, Options};
use uuid::Uuid;

use crate::support::{CONNECTOR, Line, assert_counters_add_up, generated, subtree};
use crate::truth::page;
use notion_connector::model::Caller;

const HOUR: Duration = Duration::from_secs(3600);

fn edit(line: &Line, include: &[Uuid], exclude: &[Uuid]) {
    let names = |ids: &[Uuid]| Some(ids.iter().map(Uuid::to_string).collect());
    let edit = EditConnector { include: names(include), exclude: names(exclude), ..EditConnector::default() };
    ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &edit).unwrap();
}

fn exported(line: &Line) -> BTreeSet<Uuid> {
    line.export().into_iter().map(|item| item.id.0).collect()
}

/// Objects whose body, or a part of it, was asked for.
fn read(line: &Line) -> BTreeSet<Uuid> {
    line.witness.take().iter().filter_map(crate::support::Exchange::markdown_of).collect()
}

/// Items of that kind with something below them, the heaviest first.
fn heads(line: &Line, kind: &str) -> Vec<Uuid> {
    let truth = line.truth();
    let mut heads: Vec<(usize, Uuid)> = truth
        .values()
        .filter(|fact| fact.kind == kind)
        .map(|fact| (subtree(&truth, fact.id).len(), fact.id))
        .filter(|(weight, _)| *weight > 1)
        .collect();
    heads.sort_by(|one, other| other.cmp(one));
    heads.into_iter().map(|(_, id)| id).collect()
}

/// Index and store hold these items and no others.
fn assert_holds(line: &Line, expected: &BTreeSet<Uuid>, story: &str) {
    assert_eq!(&exported(line), expected, "{story}");
    let index = line.app().require_index().unwrap();
    assert_eq!(index.count_entries(), expected.len() as u64, "entries in the index: {story}");
    for fact in line.truth().values().filter(|fact| !fact.markers.is_empty()) {
        let found = line.search(&fact.markers[0]).hits.iter().any(|hit| hit.id.0 == fact.id);
        assert_eq!(found, expected.contains(&fact.id), "{story}: {}", fact.title);
    }
}

#[tokio::test(start_paused = true)]
async fn an_excluded_subtree_is_not_read_and_what_was_indexed_of_it_leaves_without_approval() {
    for (seed, kind) in [(401, "page"), (402, "database"), (403, "page"), (404, "data_source")] {
        let line = Line::in_process(generated(&format!("pages=150,seed={seed}")), Options::default()).await;
        let truth = line.truth();
        let all: BTreeSet<Uuid> = truth.keys().copied().collect();
        let head = heads(&line, kind)[0];
        let out = subtree(&truth, head);
        let kept: BTreeSet<Uuid> = all.difference(&out).copied().collect();

        edit(&line, &[], &[head]);
        let first = line.crawl().await;
        assert!(read(&line).is_disjoint(&out), "an excluded body was asked for: seed {seed}");
        assert_counters_add_up(&first, kept.len());
        assert_holds(&line, &kept, &format!("excluded at once, seed {seed}"));
        let why = ops::why(&line.app(), &Caller::LOCAL_OPERATOR, &head.to_string(), false).await.unwrap();
        assert_eq!(serde_json::to_value(&why).unwrap()["standing"], "filtered", "{why:?}");

        edit(&line, &[], &[]);
        line.notion.advance(HOUR);
        line.crawl().await;
        line.assert_holds_the_truth();

        let turned = EditConnector {
            include: Some(vec![head.to_string()]),
            exclude: Some(Vec::new()),
            ..EditConnector::default()
        };
        let preview =
            ops::preview_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &turned).unwrap();
        assert_eq!((preview.keep, preview.leave_out), (out.len() as u64, kept.len() as u64));

        // More than the bound for deletions by Notion's word.
        edit(&line, &[head], &[]);
        line.notion.advance(HOUR);
        line.witness.take();
        let third = line.crawl().await;
        assert_eq!(third.crawl.deleted, kept.len() as u64);
        assert!(read(&line).is_disjoint(&kept), "seed {seed}");
        assert_counters_add_up(&third, out.len());
        assert_holds(&line, &out, &format!("included alone, seed {seed}"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_that_moves_across_the_border_of_a_filter_changes_sides() {
    let line = Line::in_process(generated("pages=200,seed=411"), Options::default()).await;
    let pages = heads(&line, "page");
    let inside = |head: Uuid| subtree(&line.truth(), head);
    let head = *pages.iter().find(|id| inside(**id).len() < 40).unwrap();
    let other =
        *pages.iter().find(|id| !inside(**id).contains(&head) && !inside(head).contains(*id)).unwrap();
    edit(&line, &[], &[head]);
    line.crawl().await;
    let before = exported(&line);
    assert!(before.contains(&other) && !before.contains(&head));

    line.notion.advance(HOUR);
    line.notion.move_to(other, Some(head)).unwrap();
    let expect = |line: &Line| -> BTreeSet<Uuid> {
        let truth = line.truth();
        let out = subtree(&truth, head);
        truth.keys().copied().filter(|id| !out.contains(id)).collect()
    };
    line.crawl().await;
    assert!(!exported(&line).contains(&other));
    assert_holds(&line, &expect(&line), "moved in");

    line.notion.advance(HOUR);
    line.notion.move_to(other, None).unwrap();
    line.crawl().await;
    assert_holds(&line, &expect(&line), "moved out");
}

#[tokio::test(start_paused = true)]
async fn an_included_page_that_no_search_lists_is_found() {
    let behavior = Behavior { search_omits_inherited: true, ..Behavior::default() };
    let options = Options { behavior, ..Options::default() };
    let line = Line::in_process(generated("pages=120,seed=421,shape=deep"), options).await;
    let truth = line.truth();
    let head = *heads(&line, "page").iter().find(|id| truth[*id].parent.is_some()).unwrap();
    edit(&line, &[head], &[]);
    line.crawl().await;
    assert_holds(&line, &subtree(&truth, head), "below a page that is not indexed");
}

fn plant(line: &Line, below: Option<Uuid>, content: Content) -> Uuid {
    line.notion.seed(below, &[content], &BTreeMap::new()).unwrap()[0]
}

/// A database with one table and one row.
fn table(title: &str) -> Content {
    let rows = vec![PageSeed { title: format!("Row of {title}"), ..PageSeed::default() }];
    let schema = serde_json::json!({"Name": {"type": "title"}}).as_object().unwrap().clone();
    let data_source = DataSourceSeed { title: title.to_owned(), schema, rows, ..DataSourceSeed::default() };
    let data_sources = vec![data_source];
    Content::Database(DatabaseSeed { title: title.to_owned(), data_sources, ..DatabaseSeed::default() })
}

/// Notion says of pages that they are archived, and not of the databases below them (developers.notion.com "archive-a-page").
#[tokio::test(start_paused = true)]
async fn what_lies_below_an_archived_page_is_judged_by_what_that_lies_below() {
    for search_lists_archived in [true, false] {
        let behavior = Behavior { search_lists_archived, ..Behavior::default() };
        let options = Options { behavior, ..Options::default() };
        let line = Line::in_process(generated("pages=20,seed=441"), options).await;
        let secret = plant(&line, None, page("Secret", "zqsecret", Vec::new()));
        let shelf = plant(&line, Some(secret), page("Shelf", "zqshelf", Vec::new()));
        let below = plant(&line, Some(shelf), page("Below", "zqbelow", Vec::new()));
        let (near, far) = (plant(&line, None, table("Near")), plant(&line, None, table("Far")));
        let truth = line.truth();
        let secrets = subtree(&truth, secret);
        let tables = &subtree(&truth, near) | &subtree(&truth, far);
        let others: BTreeSet<Uuid> =
            truth.keys().copied().filter(|id| !secrets.contains(id) && !tables.contains(id)).collect();
        edit(&line, &[], &[secret]);
        line.crawl().await;
        assert_eq!(exported(&line), &others | &tables);

        line.notion.advance(HOUR);
        line.notion.set_archived(shelf, true).unwrap();
        line.crawl().await;
        line.notion.advance(HOUR);
        line.notion.move_to(near, Some(shelf)).unwrap();
        line.notion.move_to(far, Some(below)).unwrap();
        plant(&line, Some(below), page("New", "zqnew", Vec::new()));
        let story = format!("search lists what is archived: {search_lists_archived}");
        // What search keeps back, no incremental crawl sees move; a full one asks for it.
        let scopes =
            if search_lists_archived { &[Scope::Incremental, Scope::Full][..] } else { &[Scope::Full] };
        for scope in scopes.iter().copied() {
            let report = line.try_crawl(scope).await.unwrap();
            assert_eq!(exported(&line), others, "{story}, {scope}: {:?}", line.alerts(&report));
            line.notion.advance(HOUR);
        }
        let why = async |id: Uuid| {
            let why = ops::why(&line.app(), &Caller::LOCAL_OPERATOR, &id.to_string(), false).await.unwrap();
            (why.standing, why.setting.clone())
        };
        assert_eq!(why(near).await, (Standing::Filtered, Some("filters of the connector".into())));
        assert_eq!(why(shelf).await, (Standing::Filtered, Some("crawl.archived".into())));
        let plan = ops::preview_connector(
            &line.app(),
            &Caller::LOCAL_OPERATOR,
            CONNECTOR,
            &EditConnector::default(),
        )
        .unwrap();
        assert_eq!((plan.keep, plan.leave_out, plan.newly_need), (others.len() as u64, 0, 0));

        // The rows are archived with the page that they lie below; the tables themselves nothing else names.
        let is_shown = |id: &Uuid| search_lists_archived && !truth[id].has_body();
        let shown: BTreeSet<Uuid> = tables.iter().copied().filter(is_shown).collect();
        edit(&line, &[], &[]);
        let report = line.crawl().await;
        let kept = &(&others | &shown) | &BTreeSet::from([secret]);
        assert_eq!(exported(&line), kept, "{story}");
        assert_counters_add_up(&report, kept.len());

        line.notion.advance(HOUR);
        edit(&line, &[secret], &[]);
        let report = line.crawl().await;
        let kept = &shown | &BTreeSet::from([secret]);
        assert_eq!(exported(&line), kept, "{story}: included alone");
        assert_counters_add_up(&report, kept.len());
    }
}

#[tokio::test(start_paused = true)]
async fn beyond_the_limit_new_items_are_counted_and_old_ones_still_change_and_leave() {
    let line = Line::in_process(generated("pages=60,seed=431"), Options::default()).await;
    let limit = |limit| {
        let edit = EditConnector { item_limit: Some(limit), ..EditConnector::default() };
        ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &edit).unwrap()
    };
    let items = line.truth().len() as u64;
    limit(Setting::Own(40));
    let report = line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!(report.crawl.state, CrawlState::CompletedWithErrors);
    assert_eq!((report.crawl.added, report.crawl.skipped), (40, items - 40));
    assert_counters_add_up(&report, line.truth().len());
    assert!(line.alerts(&report).iter().any(|alert| alert.starts_with("error") && alert.contains("limit")));

    line.notion.advance(HOUR);
    let gone = exported(&line).into_iter().find(|id| subtree(&line.truth(), *id).len() == 1).unwrap();
    line.notion.trash(gone).unwrap();
    let held = exported(&line);
    let stays = |fact: &&crate::support::Fact| fact.has_body() && fact.id != gone && held.contains(&fact.id);
    let renamed = line.truth().values().find(stays).unwrap().id;
    line.control("edit", serde_json::json!({"id": renamed, "title": "Renamed at the limit"})).await;
    let report = line.try_crawl(Scope::Full).await.unwrap();
    assert_eq!(line.item("Renamed at the limit").id.0, renamed);
    assert_eq!((report.crawl.deleted, report.crawl.skipped), (1, items - 40), "{:?}", line.alerts(&report));
    assert!(!exported(&line).contains(&gone));

    assert!(limit(Setting::Own(items)).connector.recrawl_required);
    line.notion.advance(HOUR);
    let report = line.crawl().await;
    assert_eq!((report.crawl.skipped, report.crawl.warnings), (0, 1), "{:?}", line.alerts(&report));
    line.assert_holds_the_truth();
    limit(Setting::Inherited);
}
