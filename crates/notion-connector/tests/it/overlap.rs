//! Filters in crawls that do not list everything, and two connectors of one workspace whose filters overlap.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use notion_connector::model::{Caller, NotionId};
use notion_connector::ops::{self, AddConnector, CrawlReport, EditConnector, Setting};
use notion_connector::store::{CrawlState, Scope};
use notion_emulator::{DEFAULT_TOKEN, Edit, Options};
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use crate::support::{CONNECTOR, Exchange, IN_PROCESS, Line, generated, request, subtree};

const HOUR: Duration = Duration::from_secs(3_600);
const OTHER: &str = "others";

fn filter(line: &Line, connector: &str, include: &[Uuid], exclude: &[Uuid]) {
    let names = |ids: &[Uuid]| Some(ids.iter().map(Uuid::to_string).collect());
    let edit = EditConnector { include: names(include), exclude: names(exclude), ..EditConnector::default() };
    ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, connector, &edit).unwrap();
}

async fn crawl(line: &Line, connector: &str, scope: Scope, start: Option<Uuid>) -> CrawlReport {
    let request = ops::CrawlRequest {
        connector: Some(connector.to_owned()),
        start_point: start.map(NotionId),
        ..request(scope)
    };
    let report = ops::run_crawl(&line.app(), &Caller::LOCAL_OPERATOR, request, watch::Sender::default())
        .await
        .unwrap();
    assert_eq!(report.crawl.state, CrawlState::Completed, "{:?}", line.alerts(&report));
    report
}

fn exported(line: &Line) -> BTreeSet<Uuid> {
    let lines = line.export();
    let ids: BTreeSet<Uuid> = lines.iter().map(|item| item.id.0).collect();
    assert_eq!(ids.len(), lines.len(), "an item is indexed twice");
    let entries = line.app().require_index().unwrap().count_entries();
    assert_eq!(entries, ids.len() as u64, "entries in the index");
    ids
}

/// Objects whose body, or a part of it, was asked for since the last time.
fn read(line: &Line) -> BTreeSet<Uuid> {
    line.witness.take().iter().filter_map(Exchange::markdown_of).collect()
}

/// A page with others below it, and one of those that has some below it too.
fn nested(line: &Line) -> (Uuid, Uuid) {
    let truth = line.truth();
    let weight = |id: Uuid| subtree(&truth, id).len();
    let pages = || truth.values().filter(|fact| fact.kind == "page").map(|fact| fact.id);
    let pairs = pages().flat_map(|outer| {
        let below = subtree(&truth, outer);
        pages().filter(move |inner| *inner != outer && below.contains(inner)).map(move |inner| (outer, inner))
    });
    pairs
        .filter(|(outer, inner)| weight(*inner) >= 3 && weight(*outer) >= weight(*inner) + 3)
        .find(|(outer, _)| weight(*outer) < truth.len() / 2)
        .unwrap()
}

/// The heaviest page with less than half of all below it.
fn branch(line: &Line) -> Uuid {
    let truth = line.truth();
    let weight = |id: Uuid| subtree(&truth, id).len();
    let pages = truth.values().filter(|fact| fact.kind == "page" && weight(fact.id) < truth.len() / 2);
    pages.max_by_key(|fact| weight(fact.id)).unwrap().id
}

/// A page below `head`, itself aside, with nothing below it.
fn leaf(line: &Line, head: Uuid) -> Uuid {
    let truth = line.truth();
    let below = subtree(&truth, head);
    let fits = |id: &Uuid| *id != head && truth[id].kind == "page" && subtree(&truth, *id).len() == 1;
    below.into_iter().find(fits).unwrap()
}

#[tokio::test(start_paused = true)]
async fn filters_hold_in_incremental_and_partial_crawls_too() {
    let line = Line::in_process(generated("pages=160,seed=531"), Options::default()).await;
    let (outer, inner) = nested(&line);
    filter(&line, CONNECTOR, &[], &[inner]);
    crawl(&line, CONNECTOR, Scope::Full, None).await;
    let before = exported(&line);
    line.notion.advance(HOUR);
    read(&line);

    let renamed = || Edit { title: Some("Renamed since".to_owned()), ..Edit::default() };
    let inside = leaf(&line, inner);
    line.notion.edit(inside, renamed(), &BTreeMap::new()).unwrap();
    let append = |below: Uuid| json!({"id": below, "append": [{"page": {"title": "New", "body": []}}]});
    line.control("edit", append(inner)).await;
    line.control("edit", append(outer)).await;
    let report = crawl(&line, CONNECTOR, Scope::Incremental, None).await;
    assert_eq!((report.crawl.added, report.crawl.deleted), (1, 0), "{report:?}");
    let truth = line.truth();
    let expected = |line: &Line| -> BTreeSet<Uuid> {
        let truth = line.truth();
        let out = subtree(&truth, inner);
        truth.keys().copied().filter(|id| !out.contains(id)).collect()
    };
    assert_eq!(exported(&line), expected(&line));
    assert_eq!(exported(&line).len(), before.len() + 1);
    assert!(read(&line).is_disjoint(&subtree(&truth, inner)), "an excluded body was read");

    // What moves below something that is left out leaves, what moves out of it comes.
    line.notion.advance(HOUR);
    let outside = leaf(&line, outer);
    let outside = if subtree(&truth, inner).contains(&outside) { None } else { Some(outside) };
    line.notion.move_to(inside, Some(outer)).unwrap();
    if let Some(outside) = outside {
        line.notion.move_to(outside, Some(inner)).unwrap();
    }
    crawl(&line, CONNECTOR, Scope::Incremental, None).await;
    assert_eq!(exported(&line), expected(&line));

    line.notion.advance(HOUR);
    line.control("edit", append(inner)).await;
    line.control("edit", append(outer)).await;
    read(&line);
    let report = crawl(&line, CONNECTOR, Scope::Partial, Some(outer)).await;
    assert_eq!((report.crawl.added, report.crawl.deleted), (1, 0), "{report:?}");
    assert_eq!(exported(&line), expected(&line));
    assert!(read(&line).is_disjoint(&subtree(&line.truth(), inner)), "an excluded body was read");
    let nothing = crawl(&line, CONNECTOR, Scope::Partial, Some(inner)).await;
    assert_eq!((nothing.crawl.discovered, exported(&line)), (0, expected(&line)));
}

async fn holders(line: &Line, id: Uuid) -> Vec<String> {
    let why = ops::why(&line.app(), &Caller::LOCAL_OPERATOR, &id.to_string(), false).await.unwrap();
    let mut names: Vec<String> = why.holdings.into_iter().map(|holding| holding.connector).collect();
    names.sort();
    names
}

#[tokio::test(start_paused = true)]
async fn two_connectors_with_overlapping_filters_hold_each_item_once_and_let_go_for_themselves_alone() {
    let line = Line::in_process(generated("pages=160,seed=532"), Options::default()).await;
    let app = line.app();
    let new = AddConnector {
        name: OTHER.to_owned(),
        notion_url: IN_PROCESS.to_owned(),
        secret: SecretString::from(DEFAULT_TOKEN),
        validate: false,
    };
    ops::add_connector(&app, &Caller::LOCAL_OPERATOR, new).await.unwrap();
    drop(app);
    let (outer, inner) = nested(&line);
    let truth = line.truth();
    let all: BTreeSet<Uuid> = truth.keys().copied().collect();
    let (shared, apart) = (subtree(&truth, outer), subtree(&truth, inner));
    // One holds all but the inner page and below, the other the outer page and below.
    filter(&line, CONNECTOR, &[], &[inner]);
    filter(&line, OTHER, &[outer], &[]);
    crawl(&line, CONNECTOR, Scope::Full, None).await;
    assert_eq!(exported(&line), all.difference(&apart).copied().collect());
    crawl(&line, OTHER, Scope::Full, None).await;
    assert_eq!(exported(&line), all);
    line.assert_holds_the_truth();
    assert_eq!(holders(&line, outer).await, [OTHER, CONNECTOR]);
    assert_eq!(holders(&line, inner).await, [OTHER]);

    // Narrowed, a connector lets go of what the other keeps.
    line.notion.advance(HOUR);
    filter(&line, CONNECTOR, &[], &[outer]);
    crawl(&line, CONNECTOR, Scope::Full, None).await;
    assert_eq!(exported(&line), all, "the other one holds them");
    assert_eq!(holders(&line, outer).await, [OTHER]);
    line.notion.advance(HOUR);
    filter(&line, OTHER, &[inner], &[]);
    crawl(&line, OTHER, Scope::Full, None).await;
    let only_shared: BTreeSet<Uuid> = shared.difference(&apart).copied().collect();
    assert_eq!(exported(&line), all.difference(&only_shared).copied().collect(), "nobody holds these");
    line.notion.advance(HOUR);
    filter(&line, CONNECTOR, &[], &[]);
    crawl(&line, CONNECTOR, Scope::Incremental, None).await;
    crawl(&line, CONNECTOR, Scope::Full, None).await;
    assert_eq!(exported(&line), all);
    line.assert_holds_the_truth();
    assert_eq!(holders(&line, inner).await, [OTHER, CONNECTOR]);

    let deleted = ops::delete_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR).await.unwrap();
    assert_eq!(deleted.deleted as usize, all.len() - apart.len());
    assert_eq!(exported(&line), apart, "what the other holds stays");
    assert_eq!(
        ops::delete_connector(&line.app(), &Caller::LOCAL_OPERATOR, OTHER).await.unwrap().deleted as usize,
        apart.len()
    );
    assert!(exported(&line).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_preview_tells_what_drafts_lose_and_what_the_limit_keeps_out_and_names_slips() {
    let line = Line::in_process(generated("pages=160,seed=532"), Options::default()).await;
    let nothing = EditConnector::default();
    let early = ops::preview_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &nothing).unwrap();
    assert!(early.warnings.iter().any(|warning| warning.contains("--plan")), "{early:?}");
    let outer = branch(&line);
    filter(&line, CONNECTOR, &[], &[outer]);
    line.crawl().await;
    let (items, out) = (line.truth().len() as u64, subtree(&line.truth(), outer).len() as u64);
    let held = items - out;
    let draft = EditConnector {
        exclude: Some(Vec::new()),
        item_limit: Some(Setting::Own(held + 2)),
        ..EditConnector::default()
    };
    let preview = ops::preview_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &draft).unwrap();
    assert_eq!((preview.keep, preview.leave_out), (held, 0), "{preview:?}");
    assert_eq!((preview.newly_need, preview.over_limit), (2, out - 2));
    assert_eq!(
        preview.kinds.iter().map(|kind| kind.keep + kind.newly_need + kind.over_limit).sum::<u64>(),
        items
    );

    let comments = Some(Setting::Own(notion_connector::config::CommentsChoice::Pages));
    let rereads = EditConnector { comments, ..EditConnector::default() };
    let preview = ops::preview_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &rereads).unwrap();
    let bodies = line.export().iter().filter(|item| ["page", "row"].contains(&item.kind.as_str())).count();
    assert_eq!(preview.read_again as usize, bodies);

    // One slip, and one page that no crawl has met and Notion has.
    let slip = Uuid::from_u128(0xBAD);
    let late = json!({"id": outer, "append": [{"page": {"title": "Late", "body": []}}]});
    line.control("edit", late).await;
    let late = line.truth().values().find(|fact| fact.title == "Late").unwrap().id;
    let draft = EditConnector {
        include: Some(vec![slip.to_string(), late.to_string()]),
        exclude: Some(Vec::new()),
        ..EditConnector::default()
    };
    let preview = ops::preview_asking(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &draft).await.unwrap();
    let said = |id: Uuid, word: &str| {
        let about = preview.warnings.iter().filter(|warning| warning.contains(&id.to_string()));
        about.filter(|warning| warning.contains(word)).count()
    };
    assert_eq!((said(slip, "no crawl"), said(late, "no crawl")), (1, 1), "{preview:?}");
    assert_eq!((said(slip, "404"), said(late, "can be read")), (1, 1), "{preview:?}");

    // The crawl warns of the slip, and indexes what there is.
    filter(&line, CONNECTOR, &[slip, late], &[]);
    let report = line.try_crawl(Scope::Full).await.unwrap();
    let alerts = line.alerts(&report);
    let warned = |id: Uuid| alerts.iter().filter(|alert| alert.contains(&id.to_string())).count();
    assert_eq!((warned(slip), warned(late)), (1, 0), "{alerts:?}");
    assert_eq!(exported(&line), BTreeSet::from([late]));
}

#[tokio::test(start_paused = true)]
async fn what_is_archived_leaves_in_a_preview_of_doing_without() {
    let line = Line::in_process(generated("pages=60,seed=534"), Options::default()).await;
    let archived = |value| EditConnector { archived: Some(Setting::Own(value)), ..EditConnector::default() };
    ops::edit_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &archived(true)).unwrap();
    let truth = line.truth();
    let leaves = truth.values().filter(|fact| fact.kind == "page" && subtree(&truth, fact.id).len() == 1);
    let page = leaves.map(|fact| fact.id).next().unwrap();
    line.notion.set_archived(page, true).unwrap();
    line.crawl().await;
    assert!(exported(&line).contains(&page));
    let preview =
        ops::preview_connector(&line.app(), &Caller::LOCAL_OPERATOR, CONNECTOR, &archived(false)).unwrap();
    let leaving: Vec<Uuid> = preview.leaving.iter().map(|item| item.id.0).collect();
    assert_eq!((preview.leave_out, leaving), (1, vec![page]), "{preview:?}");
}
