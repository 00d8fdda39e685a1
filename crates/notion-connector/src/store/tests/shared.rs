//! What one crawl writes down and another finds: of another connector, of the same one after it was cancelled, or beside it.

use super::*;

/// A crawl of a second connector of the workspace, under filters, that has met one page and not decided about it.
fn undecided(fixture: &Fixture) -> Crawl {
    let other = begin(&fixture.store, add_connector(&fixture.store, "others"));
    let search = fixture.store.claim_tasks(other.id, 1, now()).unwrap().remove(0);
    let discovery = Discovery {
        listed: vec![listed(1, "Home", Parent::Workspace)],
        admission: Admission { filtered: true, ..Admission::default() },
        ..Discovery::default()
    };
    let plan = |listed: &Listed, _, _: &[PlaceDetail]| read_body(listed);
    fixture.store.save_discovery(&other, &search, None, &discovery, now(), plan).unwrap();
    other
}

fn keep(fixture: &Fixture, crawl: &Crawl) -> Vec<Task> {
    let places = fixture.store.load_places(crawl.connector, Some(crawl)).unwrap();
    fixture.store.save_verdicts(crawl, &places, &[], u64::MAX, now()).unwrap();
    fixture.store.claim_tasks(crawl.id, 10, now()).unwrap()
}

#[test]
fn what_another_connector_has_not_decided_about_outlives_the_last_that_held_it() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace)]);
    fixture.read(item(1, "Home", Parent::Workspace));
    let other = undecided(&fixture);
    fixture.store.add_tasks(fixture.crawl.id, &[NewTask::on(TaskKind::Verify, id(1))]).unwrap();
    let verify = fixture.claim_one(TaskKind::Verify);
    // Archived, and the other indexes what is archived.
    fixture.store.save_vanished(&fixture.crawl, &verify, id(1), Proof::Archived).unwrap();
    assert_eq!(fixture.store.apply_departures(&fixture.crawl, false).unwrap(), 1);
    assert!(matches!(&fixture.deliver()[..], [Change::Delete(_)]));
    let tasks = keep(&fixture, &other);
    let read: Vec<_> = tasks.iter().map(|task| (task.kind, task.target)).collect();
    assert_eq!(read, [(TaskKind::ReadBody, Some(id(1)))]);
}

#[test]
fn a_connector_that_is_deleted_leaves_what_another_has_not_decided_about() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace)]);
    fixture.read(item(1, "Home", Parent::Workspace));
    let other = undecided(&fixture);
    assert_eq!(fixture.store.delete_connector(fixture.connector).unwrap(), 1);
    assert_eq!(keep(&fixture, &other).len(), 1);
}

#[test]
fn what_nobody_decided_about_goes_with_the_crawl_that_met_it() {
    let fixture = fixture();
    let other = undecided(&fixture);
    let count = || fixture.store.load_places(other.connector, None).unwrap().len();
    assert_eq!(count(), 1);
    fixture.store.end_crawl(other.id, CrawlState::Cancelled, None, now()).unwrap();
    assert_eq!(count(), 0);
}

/// Lists the page once more; whether its item is to be made again.
fn list_again(fixture: &Fixture, crawl: &Crawl, title: &str) -> bool {
    fixture.store.add_tasks(crawl.id, &[NewTask::new(TaskKind::Search)]).unwrap();
    let search = fixture.store.claim_tasks(crawl.id, 1, now()).unwrap().remove(0);
    let discovery = Discovery { listed: vec![listed(1, title, Parent::Workspace)], ..Discovery::default() };
    let plan = |_: &Listed, stored: Option<Stored>, _: &[PlaceDetail]| {
        let same = stored.is_some_and(|stored| stored.same_source);
        if same { ReadPlan::Nothing } else { ReadPlan::Render }
    };
    fixture.store.save_discovery(crawl, &search, None, &discovery, now(), plan).unwrap();
    !fixture.store.load_unaccounted(crawl, 1).unwrap().is_empty()
}

#[test]
fn an_answer_that_no_item_was_made_from_is_not_taken_for_known() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace)]);
    fixture.read(item(1, "Home", Parent::Workspace));
    let end = |crawl: &Crawl| fixture.store.end_crawl(crawl.id, CrawlState::Cancelled, None, now()).unwrap();
    end(&fixture.crawl);
    let crawl = begin(&fixture.store, fixture.connector);
    assert!(!list_again(&fixture, &crawl, "Home"), "it is as it was");
    end(&crawl);
    let crawl = begin(&fixture.store, fixture.connector);
    assert!(list_again(&fixture, &crawl, "Renamed"));
    end(&crawl);
    let other = begin(&fixture.store, add_connector(&fixture.store, "others"));
    assert!(list_again(&fixture, &other, "Renamed"), "the first crawl was cancelled before it made the item");
    let renamed = finished(item(1, "Renamed", Parent::Workspace));
    fixture.store.save_page(&other, &renamed, None, now()).unwrap();
    let crawl = begin(&fixture.store, fixture.connector);
    assert!(!list_again(&fixture, &crawl, "Renamed"), "now it is");
}

#[test]
fn what_stays_below_an_item_that_is_known_no_more_is_delivered_without_its_title() {
    let fixture = fixture();
    let search = fixture.claim_one(TaskKind::Search);
    let both = vec![listed(2, "Plan", Parent::Page(id(1))), listed(1, "Home", Parent::Workspace)];
    let admission = Admission { limit: 1, ..Admission::default() };
    let discovery = Discovery { listed: both, admission, ..Discovery::default() };
    let plan = |listed: &Listed, _, _: &[PlaceDetail]| read_body(listed);
    fixture.store.save_discovery(&fixture.crawl, &search, None, &discovery, now(), plan).unwrap();
    fixture.read(item(2, "Plan", Parent::Page(id(1))));
    assert!(fixture.breadcrumbs().contains(&("Plan".to_owned(), vec!["Home".to_owned()])));
    fixture.deliver();

    // Beyond the limit, and no longer met.
    let next = between(&fixture);
    fixture.store.prune_left_out(&next, true).unwrap();
    let delivered = fixture.deliver();
    let [Change::Upsert(delivery)] = &delivered[..] else { panic!("{delivered:?}") };
    assert_eq!((delivery.item.title.as_str(), delivery.ancestors.len()), ("Plan", 0));
}

#[test]
fn what_a_later_crawl_found_gone_is_not_read_by_one_that_met_it_before() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace), listed(2, "Plan", Parent::Workspace)]);
    fixture.read(item(1, "Home", Parent::Workspace));
    fixture.read(item(2, "Plan", Parent::Workspace));
    // Interrupted, with one page met and not yet read.
    let interrupted = begin(&fixture.store, fixture.connector);
    let search = fixture.store.claim_tasks(interrupted.id, 1, now()).unwrap().remove(0);
    let discovery = Discovery { listed: vec![listed(2, "Plan", Parent::Workspace)], ..Discovery::default() };
    let plan = |listed: &Listed, _, _: &[PlaceDetail]| read_body(listed);
    fixture.store.save_discovery(&interrupted, &search, None, &discovery, now(), plan).unwrap();
    let later = begin(&fixture.store, fixture.connector);
    let gone = |crawl: Crawl| {
        let departure =
            move |tx: &Transaction<'_>| departures::add_departure(tx, &crawl, id(2), Proof::NotFound);
        fixture.store.write(departure).unwrap();
    };
    gone(later.clone());
    assert_eq!(fixture.store.apply_departures(&later, false).unwrap(), 1);
    assert!(
        fixture.store.claim_tasks(interrupted.id, 10, now()).unwrap().is_empty(),
        "there is nothing to read"
    );
    assert!(fixture.store.load_unaccounted(&interrupted, 10).unwrap().is_empty(), "nothing is owed");
    // Nor where it hears of it once more.
    gone(interrupted.clone());
    assert!(fixture.store.load_unaccounted(&interrupted, 10).unwrap().is_empty());
}

#[test]
fn what_another_connector_has_read_is_delivered_as_soon_as_it_is_held_whatever_becomes_of_the_crawl() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace)]);
    fixture.read(item(1, "Home", Parent::Workspace));
    fixture.deliver();
    let other = begin(&fixture.store, add_connector(&fixture.store, "others"));
    let search = fixture.store.claim_tasks(other.id, 1, now()).unwrap().remove(0);
    let discovery = Discovery { listed: vec![listed(1, "Home", Parent::Workspace)], ..Discovery::default() };
    let plan = |listed: &Listed, _, _: &[PlaceDetail]| read_body(listed);
    fixture.store.save_discovery(&other, &search, None, &discovery, now(), plan).unwrap();
    fixture.store.end_crawl(other.id, CrawlState::Failed, None, now()).unwrap();
    let delivered = fixture.deliver();
    let [Change::Upsert(delivery)] = &delivered[..] else { panic!("{delivered:?}") };
    assert_eq!(delivery.holders, [fixture.connector, other.connector]);
}

#[test]
fn a_connector_that_comes_to_a_workspace_with_audiences_begins_with_them_whatever_was_switched_before() {
    let fixture = fixture();
    fixture.store.set_audiences(fixture.connector, true).unwrap();
    for (name, before) in [("closed", true), ("fresh", false)] {
        let (name, notion_url) = (name.to_owned(), "https://api.notion.com".to_owned());
        let new = NewConnector { name, notion_url, sealed_secret: vec![1], created: now() };
        let connector = fixture.store.add_connector(&new).unwrap().unwrap();
        fixture.store.set_audiences(connector, before).unwrap();
        fixture.store.save_identity(connector, (WORKSPACE, None), (id(0xB), None)).unwrap();
        assert!(fixture.store.has_audiences(connector).unwrap());
        // Switched off by somebody who may: it stays off.
        fixture.store.set_audiences(connector, false).unwrap();
        fixture.store.save_identity(connector, (WORKSPACE, None), (id(0xB), None)).unwrap();
        assert!(!fixture.store.has_audiences(connector).unwrap());
    }
}
