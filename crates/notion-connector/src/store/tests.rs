//! Stories of the store: what one transaction promises to the next.

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::model::{
    Change, ConnectorId, Item, ItemKey, ItemKind, Link, LinkKind, NotionId, Parent, Property, PropertyValue,
    Related,
};

mod places;
mod shared;

const WORKSPACE: NotionId = NotionId(Uuid::from_u128(0xA));
const ASKED: i64 = 1_790_000_000_000;

fn id(number: u128) -> NotionId {
    NotionId(Uuid::from_u128(number))
}

fn now() -> Timestamp {
    Timestamp::from_millisecond(ASKED).unwrap()
}

impl Fixture {
    fn sightings(&self) -> (Counters, u64, u64) {
        self.store.read(|tx| crawls::count_sightings(tx, &crawls::load(tx, self.crawl.id)?)).unwrap()
    }

    fn alerts(&self, filter: &AlertFilter, limit: u32, offset: u32) -> AlertPage {
        self.store.load_alerts(self.crawl.id, filter, limit, offset).unwrap()
    }
}

struct Fixture {
    store: Store,
    connector: ConnectorId,
    crawl: Crawl,
    _dir: tempfile::TempDir,
}

/// A store with one connector and a crawl that has begun with one search task.
fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let connector = add_connector(&store, "acme");
    let crawl = begin(&store, connector);
    Fixture { store, connector, crawl, _dir: dir }
}

fn add_connector(store: &Store, name: &str) -> ConnectorId {
    let new = NewConnector {
        name: name.to_owned(),
        notion_url: "https://api.notion.com".to_owned(),
        sealed_secret: vec![1],
        created: now(),
    };
    let connector = store.add_connector(&new).unwrap().unwrap();
    store.save_identity(connector, (WORKSPACE, Some("Acme")), (id(0xB), None)).unwrap();
    connector
}

fn begin(store: &Store, connector: ConnectorId) -> Crawl {
    let first = [NewTask::new(TaskKind::Search)];
    let crawl = store.add_crawl(connector, Scope::Full, "test", now()).unwrap();
    store.begin_crawl(crawl, &first, now()).unwrap();
    store.load_crawl(crawl).unwrap().unwrap()
}

fn listed(number: u128, title: &str, parent: Parent) -> Listed {
    Listed {
        key: ItemKey::new(WORKSPACE, ItemKind::Page, id(number)),
        kind: ItemKind::Page,
        id: id(number),
        title: title.to_owned(),
        parent,
        edited: now(),
        source: format!("{{\"id\":{number},\"title\":\"{title}\"}}"),
        cut_properties: Vec::new(),
    }
}

fn item(number: u128, title: &str, parent: Parent) -> Item {
    Item {
        key: ItemKey::new(WORKSPACE, ItemKind::Page, id(number)),
        kind: ItemKind::Page,
        id: id(number),
        title: title.to_owned(),
        url: String::new(),
        icon: None,
        cover: None,
        parent,
        text: format!("body of {title}"),
        passages: Vec::new(),
        properties: Vec::new(),
        links: Vec::new(),
        created_time: now(),
        last_edited_time: now(),
        created_by: None,
        last_edited_by: None,
        file: None,
    }
}

fn finished(item: Item) -> Finished {
    let content_hash = *blake3::hash(format!("{item:?}").as_bytes()).as_bytes();
    Finished { item, content_hash, renderer: 1, warnings: Vec::new(), files: None }
}

fn body(page: NotionId) -> PageSource {
    PageSource {
        parts: vec![Part {
            key: PartKey::Block(page),
            form: Some(AnswerForm::MarkdownV1),
            failed: false,
            answers: vec!["text".to_owned()],
        }],
    }
}

fn read_body(listed: &Listed) -> ReadPlan {
    ReadPlan::Read(vec![NewTask::for_page(TaskKind::ReadBody, listed.id, listed.id)])
}

impl Fixture {
    fn claim_one(&self, kind: TaskKind) -> Task {
        let claimed = self.store.claim_tasks(self.crawl.id, 1, now()).unwrap();
        assert_eq!(claimed.len(), 1, "nothing was due");
        assert_eq!(claimed[0].kind, kind);
        claimed[0].clone()
    }

    fn discover(&self, listed: Vec<Listed>) {
        let task = self.claim_one(TaskKind::Search);
        let discovery = Discovery { listed, ..Discovery::default() };
        self.store
            .save_discovery(&self.crawl, &task, None, &discovery, now(), |listed, _, _| read_body(listed))
            .unwrap();
    }

    /// Claims the next body and saves `item` as what it rendered to.
    fn read(&self, item: Item) {
        let task = self.claim_one(TaskKind::ReadBody);
        assert_eq!(task.target, Some(item.id));
        let source = body(item.id);
        let read = PageRead { task: &task, source: &source, body_asked: Some(now()) };
        self.store.save_page(&self.crawl, &finished(item), Some(read), now()).unwrap();
    }

    /// What the outbox says now, and an empty outbox afterwards.
    fn deliver(&self) -> Vec<Change> {
        let entries = self.store.load_outbox(0, 1_000).unwrap();
        let mut keys: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
        keys.sort();
        keys.dedup();
        if let Some(last) = entries.last() {
            self.store.prune_outbox(last.sequence).unwrap();
        }
        self.store.load_changes(keys, usize::MAX).unwrap().0
    }

    fn breadcrumbs(&self) -> Vec<(String, Vec<String>)> {
        let crumbs = |change: &Change| match change {
            Change::Upsert(delivery) => (
                delivery.item.title.clone(),
                delivery.ancestors.iter().map(|crumb| crumb.title.clone()).collect(),
            ),
            Change::Delete(key) => (format!("deleted {key}"), Vec::new()),
        };
        self.deliver().iter().map(crumbs).collect()
    }
}

#[test]
fn an_answer_is_written_once_even_if_its_task_is_run_twice() {
    let fixture = fixture();
    let task = fixture.claim_one(TaskKind::Search);
    let discovery = Discovery { listed: vec![listed(1, "Home", Parent::Workspace)], ..Discovery::default() };
    let save = || {
        fixture.store.save_discovery(
            &fixture.crawl,
            &task,
            Some("next"),
            &discovery,
            now(),
            |listed, _, _| read_body(listed),
        )
    };
    save().unwrap();
    assert!(matches!(save(), Err(StoreError::StaleTask(_))));
    let claimed = fixture.store.claim_tasks(fixture.crawl.id, 10, now()).unwrap();
    let kinds: Vec<(TaskKind, Option<&str>)> =
        claimed.iter().map(|task| (task.kind, task.cursor.as_deref())).collect();
    assert_eq!(kinds, [(TaskKind::Search, Some("next")), (TaskKind::ReadBody, None)]);
}

#[test]
fn what_was_claimed_is_ready_again_after_a_restart() {
    let fixture = fixture();
    fixture.claim_one(TaskKind::Search);
    assert!(fixture.store.claim_tasks(fixture.crawl.id, 1, now()).unwrap().is_empty());
    assert!(fixture.store.begin_crawl(fixture.crawl.id, &[], now()).unwrap());
    fixture.claim_one(TaskKind::Search);
}

#[test]
fn every_item_is_accounted_for_once_and_the_counters_agree_with_the_rows() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace), listed(2, "Plan", Parent::Page(id(1)))]);
    fixture.read(item(1, "Home", Parent::Workspace));
    let task = fixture.claim_one(TaskKind::ReadBody);
    fixture.store.fail_task(&fixture.crawl, &task, "it broke", now()).unwrap();
    let crawl = fixture.store.load_crawl(fixture.crawl.id).unwrap().unwrap();
    let (counted, _, open) = fixture.sightings();
    assert_eq!((counted.added, counted.not_indexed, open), (1, 1, 0));
    assert_eq!((crawl.counters.added, crawl.counters.not_indexed, crawl.counters.errors), (1, 1, 1));
    assert_eq!(crawl.end_state(), CrawlState::CompletedWithErrors);
    assert_eq!(fixture.store.load_failures().unwrap()[0].title.as_deref(), Some("Plan"));
}

#[test]
fn a_crawl_whose_counters_are_not_its_sightings_says_so_and_is_not_completed() {
    for (state, spoil, ends) in [
        (CrawlState::Completed, "UPDATE crawls SET unchanged = 1", CrawlState::CompletedWithErrors),
        (CrawlState::Completed, "UPDATE sightings SET outcome = 'skipped'", CrawlState::CompletedWithErrors),
        (CrawlState::Completed, "UPDATE sightings SET outcome = NULL", CrawlState::CompletedWithErrors),
        (CrawlState::AwaitingApproval, "DELETE FROM sightings", CrawlState::AwaitingApproval),
        (CrawlState::Cancelled, "UPDATE crawls SET added = 2", CrawlState::Cancelled),
        (CrawlState::Failed, "UPDATE crawls SET added = 2", CrawlState::Failed),
        (CrawlState::Completed, "", CrawlState::Completed),
    ] {
        let fixture = fixture();
        fixture.discover(vec![listed(1, "Home", Parent::Workspace)]);
        fixture.read(item(1, "Home", Parent::Workspace));
        fixture.store.write(|tx| tx.execute_batch(spoil)).unwrap();
        fixture.store.end_crawl(fixture.crawl.id, state, None, now()).unwrap();
        let crawl = fixture.store.load_crawl(fixture.crawl.id).unwrap().unwrap();
        let told = fixture.alerts(&AlertFilter::default(), 10, 0);
        assert_eq!((crawl.state, told.total), (ends, u64::from(!spoil.is_empty())), "{spoil} {told:?}");
        assert!(
            told.alerts.iter().all(|one| one.level == AlertLevel::Error && one.scope == AlertScope::Crawl)
        );
    }
    // What was still open when somebody cancelled it is no fault.
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace)]);
    fixture.store.end_crawl(fixture.crawl.id, CrawlState::Cancelled, None, now()).unwrap();
    assert_eq!(fixture.alerts(&AlertFilter::default(), 10, 0).total, 0);
}

#[test]
fn what_is_gone_after_it_was_accounted_for_is_not_discovered() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace), listed(2, "Plan", Parent::Workspace)]);
    fixture.read(item(1, "Home", Parent::Workspace));
    fixture.read(item(2, "Plan", Parent::Workspace));
    let gone = |tx: &Transaction<'_>| departures::add_departure(tx, &fixture.crawl, id(2), Proof::Trashed);
    fixture.store.write(gone).unwrap();
    assert_eq!(fixture.store.apply_departures(&fixture.crawl, false).unwrap(), 1);
    fixture.store.end_crawl(fixture.crawl.id, CrawlState::Completed, None, now()).unwrap();
    let crawl = fixture.store.load_crawl(fixture.crawl.id).unwrap().unwrap();
    let counters = crawl.counters;
    assert_eq!((crawl.state, counters.discovered(), counters.deleted), (CrawlState::Completed, 1, 1));
}

#[test]
fn a_crawl_that_may_go_on_keeps_what_it_met_when_a_newer_one_ends() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace)]);
    fixture.read(item(1, "Home", Parent::Workspace));
    let newer = begin(&fixture.store, fixture.connector);
    fixture.store.prune_sightings(&newer).unwrap();
    fixture.store.end_crawl(newer.id, CrawlState::Completed, None, now()).unwrap();
    fixture.store.end_crawl(fixture.crawl.id, CrawlState::Completed, None, now()).unwrap();
    let crawl = fixture.store.load_crawl(fixture.crawl.id).unwrap().unwrap();
    assert_eq!((crawl.state, crawl.counters.added), (CrawlState::Completed, 1));
}

#[test]
fn alerts_name_the_item_until_there_are_several_and_are_filtered_and_paged() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace), listed(2, "Plan", Parent::Workspace)]);
    let add = |alert| fixture.store.add_alert(fixture.crawl.id, alert, now()).unwrap();
    for group in ["a", "b", "c"] {
        add(NewAlert::warning(AlertScope::Item, group, "cut").about(Some(id(1))));
        add(NewAlert::warning(AlertScope::Item, group, "cut").about(Some(id(1))));
    }
    add(NewAlert::warning(AlertScope::Item, "b", "cut").about(Some(id(2))));
    add(NewAlert::error(AlertScope::AllItems, "d", "no comments"));
    add(NewAlert::new(AlertLevel::Debug, AlertScope::Crawl, "e", "again"));
    let all = fixture.alerts(&AlertFilter::default(), 10, 0);
    let shown: Vec<(AlertLevel, AlertScope, u64)> =
        all.alerts.iter().map(|one| (one.level, one.scope, one.times)).collect();
    let (warning, item) = (AlertLevel::Warning, AlertScope::Item);
    assert_eq!(
        shown,
        [
            (AlertLevel::Error, AlertScope::AllItems, 1),
            (warning, item, 2),
            (warning, AlertScope::Items, 3),
            (warning, item, 2),
            (AlertLevel::Debug, AlertScope::Crawl, 1)
        ]
    );
    assert_eq!((all.alerts[1].object, all.alerts[1].title.as_deref()), (Some(id(1)), Some("Home")));
    let filter = |levels: &[AlertLevel], scopes: &[AlertScope]| AlertFilter {
        levels: levels.to_vec(),
        scopes: scopes.to_vec(),
    };
    assert_eq!(fixture.alerts(&filter(&[warning, AlertLevel::Debug], &[]), 10, 0).total, 4);
    assert_eq!(fixture.alerts(&filter(&[warning], &[item]), 10, 0).total, 2);
    let page = fixture.alerts(&AlertFilter::default(), 2, 3);
    assert_eq!((page.total, page.alerts.len(), page.alerts[1].level), (5, 2, AlertLevel::Debug));
    let counters = fixture.store.load_crawl(fixture.crawl.id).unwrap().unwrap().counters;
    assert_eq!((counters.errors, counters.warnings), (1, 7));
}

#[test]
fn a_rename_and_a_move_redeliver_what_lies_below() {
    let mut fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace), listed(2, "Plan", Parent::Page(id(1)))]);
    fixture.read(item(1, "Home", Parent::Workspace));
    fixture.read(item(2, "Plan", Parent::Page(id(1))));
    assert_eq!(fixture.breadcrumbs().len(), 2);
    fixture.crawl = begin(&fixture.store, fixture.connector);
    let task = fixture.claim_one(TaskKind::Search);
    let renamed = Discovery { listed: vec![listed(1, "House", Parent::Workspace)], ..Discovery::default() };
    fixture
        .store
        .save_discovery(&fixture.crawl, &task, None, &renamed, now(), |_, _, _| ReadPlan::Nothing)
        .unwrap();
    let breadcrumbs = fixture.breadcrumbs();
    assert!(breadcrumbs.contains(&("Plan".to_owned(), vec!["House".to_owned()])), "{breadcrumbs:?}");
}

#[test]
fn a_block_parent_is_resolved_by_the_one_body_that_holds_the_tag() {
    let fixture = fixture();
    let nested = Parent::Block(id(77));
    fixture.discover(vec![listed(1, "Home", Parent::Workspace), listed(2, "Nested", nested)]);
    let mut home = item(1, "Home", Parent::Workspace);
    home.links.push(Link { kind: LinkKind::ChildPage, target: id(2) });
    fixture.read(home);
    fixture.read(item(2, "Nested", nested));
    assert!(fixture.breadcrumbs().contains(&("Nested".to_owned(), vec!["Home".to_owned()])));
    assert_eq!(fixture.store.queue_unresolved_parents(&fixture.crawl).unwrap(), 0);
}

#[test]
fn a_block_parent_that_no_body_showed_is_asked_for() {
    let fixture = fixture();
    fixture.discover(vec![listed(2, "Nested", Parent::Block(id(77)))]);
    fixture.read(item(2, "Nested", Parent::Block(id(77))));
    assert_eq!(fixture.store.queue_unresolved_parents(&fixture.crawl).unwrap(), 1);
    let task = fixture.claim_one(TaskKind::ResolveParent);
    assert_eq!((task.target, task.page), (Some(id(77)), Some(id(2))));
}

#[test]
fn titles_of_related_pages_are_joined_and_follow_renames() {
    let fixture = fixture();
    fixture.discover(vec![
        listed(1, "Data migration", Parent::Workspace),
        listed(2, "Launch", Parent::Workspace),
    ]);
    fixture.read(item(1, "Data migration", Parent::Workspace));
    let mut launch = item(2, "Launch", Parent::Workspace);
    launch.properties.push(Property {
        name: "Blocked by".to_owned(),
        value: PropertyValue::Relations { ids: vec![id(1)], complete: true },
        text: String::new(),
    });
    fixture.read(launch);
    let delivered = fixture.deliver();
    let titles = delivered.iter().find_map(|change| match change {
        Change::Upsert(delivery) if delivery.item.id == id(2) => Some(delivery.related.clone()),
        _ => None,
    });
    let related = Related { id: id(1), title: "Data migration".to_owned() };
    assert_eq!(titles, Some(vec![("Blocked by".to_owned(), vec![related])]));
}

#[test]
fn an_item_leaves_with_the_last_connector_that_holds_it() {
    let mut fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace)]);
    fixture.read(item(1, "Home", Parent::Workspace));
    let first = fixture.crawl.clone();
    let second = add_connector(&fixture.store, "other");
    fixture.crawl = begin(&fixture.store, second);
    fixture.discover(vec![listed(1, "Home", Parent::Workspace)]);
    fixture.read(item(1, "Home", Parent::Workspace));
    fixture.deliver();

    let gone = |crawl: &Crawl| {
        let task = NewTask::on(TaskKind::Verify, id(1));
        fixture.store.add_tasks(crawl.id, &[task]).unwrap();
        let task = fixture.store.claim_tasks(crawl.id, 1, now()).unwrap().remove(0);
        fixture.store.save_vanished(crawl, &task, id(1), Proof::NotFound).unwrap();
        assert_eq!(fixture.store.apply_departures(crawl, false).unwrap(), 1);
    };
    gone(&first);
    assert!(matches!(&fixture.deliver()[..], [Change::Upsert(delivery)] if delivery.holders == [second]));
    gone(&fixture.crawl);
    assert!(matches!(&fixture.deliver()[..], [Change::Delete(_)]));
}

#[test]
fn nothing_that_was_not_proven_gone_is_deleted_and_approvals_do_not_outlive_a_newer_crawl() {
    let mut fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace)]);
    fixture.read(item(1, "Home", Parent::Workspace));
    fixture.crawl = begin(&fixture.store, fixture.connector);
    assert_eq!(fixture.store.queue_unseen(&fixture.crawl).unwrap(), 1);
    assert_eq!(fixture.store.apply_departures(&fixture.crawl, false).unwrap(), 0);
    fixture.store.end_crawl(fixture.crawl.id, CrawlState::AwaitingApproval, None, now()).unwrap();
    begin(&fixture.store, fixture.connector);
    let older = fixture.store.load_crawl(fixture.crawl.id).unwrap().unwrap();
    assert_eq!(older.state, CrawlState::Cancelled);
}

#[test]
fn a_body_in_parts_is_complete_with_its_last_answer_whatever_the_order() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Giant", Parent::Workspace)]);
    let whole = fixture.claim_one(TaskKind::ReadBody);
    let parts = [5, 6, 5].map(|block| NewTask::for_page(TaskKind::ReadPart, id(1), id(block)));
    let answer = |form, further: &[NewTask]| PartAnswer {
        form,
        further: further.to_vec(),
        ..PartAnswer::none(false, now())
    };
    let markdown = Some(AnswerForm::MarkdownV1);
    assert_eq!(fixture.store.save_part(&whole, &answer(markdown, &parts)).unwrap(), None);
    let claimed = fixture.store.claim_tasks(fixture.crawl.id, 10, now()).unwrap();
    assert_eq!(claimed.len(), 2, "a block that is named twice is asked for once");
    assert!(!claimed[0].alone, "a page of which parts are set aside is not complete with one answer");
    assert_eq!(fixture.store.save_part(&claimed[1], &answer(None, &[])).unwrap(), None);
    let (all, _) = fixture.store.save_part(&claimed[0], &answer(markdown, &[])).unwrap().unwrap();
    let forms: Vec<(PartKey, bool)> = all.into_iter().map(|part| (part.key, part.form.is_some())).collect();
    assert_eq!(
        forms,
        [(1, true), (5, true), (6, false)].map(|(block, read)| (PartKey::Block(id(block)), read))
    );
}

#[test]
fn a_list_that_begins_again_holds_nothing_twice() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Long", Parent::Workspace)]);
    let first = fixture.claim_one(TaskKind::ReadBody);
    let slice = |text: &str, next: Option<&str>| PartAnswer {
        form: Some(AnswerForm::Blocks),
        text: text.to_owned(),
        next_cursor: next.map(str::to_owned),
        ..PartAnswer::none(false, now())
    };
    assert_eq!(fixture.store.save_part(&first, &slice("[1]", Some("dies"))).unwrap(), None);
    fixture.store.restart_task(&fixture.claim_one(TaskKind::ReadBody), now()).unwrap();
    let again = fixture.claim_one(TaskKind::ReadBody);
    assert_eq!(fixture.store.save_part(&again, &slice("[1]", Some("lives"))).unwrap(), None);
    let last = fixture.claim_one(TaskKind::ReadBody);
    let (parts, _) = fixture.store.save_part(&last, &slice("[2]", None)).unwrap().unwrap();
    assert_eq!(parts[0].answers, ["[1]", "[2]"]);
}

#[test]
fn a_page_of_which_a_part_failed_counts_as_not_read() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Page", Parent::Workspace)]);
    let task = fixture.claim_one(TaskKind::ReadBody);
    let mut source = body(id(1));
    let comments = Part { key: PartKey::Comments(id(1)), form: None, failed: true, answers: Vec::new() };
    source.parts.push(comments);
    let read = PageRead { task: &task, source: &source, body_asked: Some(now()) };
    let page = finished(item(1, "Page", Parent::Workspace));
    fixture.store.save_page(&fixture.crawl, &page, Some(read), now()).unwrap();
    begin(&fixture.store, fixture.connector);
    let search = fixture.store.claim_tasks(CrawlId(2), 1, now()).unwrap().remove(0);
    let crawl = fixture.store.load_crawl(CrawlId(2)).unwrap().unwrap();
    let discovery = Discovery { listed: vec![listed(1, "Page", Parent::Workspace)], ..Discovery::default() };
    let known = std::cell::Cell::new(None);
    let look = |_: &Listed, stored: Option<Stored>, _: &[PlaceDetail]| {
        known.set(stored);
        ReadPlan::Nothing
    };
    fixture.store.save_discovery(&crawl, &search, None, &discovery, now(), look).unwrap();
    assert_eq!(known.get().unwrap().body, None);
}

#[test]
fn what_a_crawl_rendered_in_the_meantime_is_not_rendered_back() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Page", Parent::Workspace)]);
    fixture.read(item(1, "Page", Parent::Workspace));
    fixture.deliver();
    assert!(fixture.store.has_outdated(2).unwrap() && !fixture.store.has_outdated(1).unwrap());
    let (_, row) = fixture.store.load_outdated(2, 0, 10).unwrap().remove(0);
    let older = finished(item(1, "As it was", Parent::Workspace));
    fixture.store.save_rendered_again(row.row, &older, now()).unwrap();
    assert!(fixture.deliver().is_empty(), "the item is of that version already");
    let newer = Finished { renderer: 2, ..finished(item(1, "Rendered anew", Parent::Workspace)) };
    fixture.store.save_rendered_again(row.row, &newer, now()).unwrap();
    assert_eq!(fixture.deliver().len(), 1);
    assert!(!fixture.store.has_outdated(2).unwrap());
}

#[test]
fn a_newer_database_is_refused_and_a_foreign_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    let path = dir.path().join("store.sqlite");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Newer { found: 99, .. })));
    std::fs::write(&path, "this is no database, whatever its name may say").unwrap();
    let refused = Store::open(dir.path()).err().unwrap().to_string();
    assert!(refused.contains("store.sqlite") && refused.contains("damaged"), "{refused}");
}

#[test]
fn statements_that_run_for_every_item_never_scan_all_items() {
    let fixture = fixture();
    let plan = |statement: &str| {
        fixture.store.read(|tx| {
            let mut explain = tx.prepare(&format!("EXPLAIN QUERY PLAN {statement}"))?;
            let parameters = vec![1; explain.parameter_count()];
            explain
                .query_map(rusqlite::params_from_iter(parameters), |row| row.get::<_, String>(3))?
                .collect::<rusqlite::Result<Vec<String>>>()
        })
    };
    let statements = [
        links::REDELIVER,
        items::OUTDATED,
        items::PRUNE_SIGHTINGS,
        positions::PATH,
        people::REDELIVER,
        tasks::CLAIM,
        tasks::LISTING,
        tasks::UNRESOLVED,
        tasks::UNSEEN,
        connectors::COUNT_ITEMS,
        scopes::DATA_SOURCES,
        scopes::FAILURES,
        scopes::BELOW,
        scopes::DOUBTED,
        scopes::ROWS_LISTED,
        traces::HOLDINGS,
        traces::LEFT_OUT,
        traces::GONE,
        files::LEAVE_WITH_PAGES,
        files::UNMET,
        files::WITHOUT_PLACE,
        departures::REDELIVER_AROUND,
    ];
    // What a statement asks for itself, connectors, and what waits for the index are few.
    let few = ["below", "up", "CONSTANT ROW", "doubted", "connectors", "gone", "outbox"];
    for statement in statements {
        let steps = plan(statement).unwrap();
        let scans = steps.iter().filter_map(|step| step.strip_prefix("SCAN "));
        let long: Vec<&str> = scans.filter(|table| !few.iter().any(|few| table.starts_with(few))).collect();
        assert!(long.is_empty(), "{statement}\n{steps:#?}");
        // An index of workspaces alone holds every item.
        let whole = steps.iter().any(|step| step.contains("items_by_object (workspace=?)"));
        assert!(!whole, "{statement}\n{steps:#?}");
        // So does what a connector holds: two statements ask for just that.
        let holds = steps.iter().any(|step| step.contains("holders_by_connector (connector=?)"));
        let asks = [tasks::UNSEEN, connectors::COUNT_ITEMS].contains(&statement);
        assert!(!holds || asks, "{statement}\n{steps:#?}");
    }
}

/// Another crawl of the connector of `fixture`, begun after the one that still goes on.
fn between(fixture: &Fixture) -> Crawl {
    begin(&fixture.store, fixture.connector)
}

#[test]
fn what_an_interrupted_crawl_met_is_not_forgotten_when_another_ends() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace)]);
    fixture.read(item(1, "Home", Parent::Workspace));
    let other = between(&fixture);
    fixture.store.prune_sightings(&other).unwrap();
    let (counted, gone, _) = fixture.sightings();
    assert_eq!((counted.added, gone), (1, 0));
    fixture.store.end_crawl(fixture.crawl.id, CrawlState::Completed, None, now()).unwrap();
    fixture.store.prune_sightings(&other).unwrap();
    assert_eq!(fixture.sightings().0.added, 0, "it has ended");
}

#[test]
fn an_item_that_another_crawl_lets_go_stays_in_the_count_of_the_interrupted_one() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace)]);
    fixture.read(item(1, "Home", Parent::Workspace));
    let other = between(&fixture);
    fixture.store.add_tasks(other.id, &[NewTask::on(TaskKind::Verify, id(1))]).unwrap();
    let tasks = fixture.store.claim_tasks(other.id, 2, now()).unwrap();
    let verify = tasks.iter().find(|task| task.kind == TaskKind::Verify).unwrap();
    fixture.store.save_vanished(&other, verify, id(1), Proof::Trashed).unwrap();
    assert_eq!(fixture.store.apply_departures(&other, false).unwrap(), 1);
    let (counted, gone, open) = fixture.sightings();
    let crawl = fixture.store.load_crawl(fixture.crawl.id).unwrap().unwrap();
    assert_eq!((counted.discovered(), gone, open), (0, 1, 0));
    assert_eq!(crawl.counters.discovered(), 1);
}

#[test]
fn what_is_left_out_meanwhile_an_interrupted_crawl_reads_no_more() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace)]);
    let other = between(&fixture);
    let search = fixture.store.claim_tasks(other.id, 1, now()).unwrap().remove(0);
    let discovery = Discovery {
        listed: vec![listed(1, "Home", Parent::Workspace)],
        admission: Admission { filtered: true, ..Admission::default() },
        ..Discovery::default()
    };
    fixture
        .store
        .save_discovery(&other, &search, None, &discovery, now(), |listed, _, _| read_body(listed))
        .unwrap();
    let places = fixture.store.load_places(fixture.connector, Some(&other)).unwrap();
    fixture.store.save_verdicts(&other, &[], &places, u64::MAX, now()).unwrap();
    fixture.store.apply_departures(&other, false).unwrap();
    fixture.store.prune_left_out(&other, true).unwrap();
    assert_eq!(fixture.store.load_unaccounted(&fixture.crawl, 10).unwrap().len(), 0);
    assert!(fixture.store.claim_tasks(fixture.crawl.id, 10, now()).unwrap().is_empty());
}

#[test]
fn after_so_many_changes_every_further_one_is_refused_and_none_is_half_done() {
    let fixture = fixture();
    fixture.store.refuse_after(1);
    fixture.store.save_phase(fixture.crawl.id, Phase::Verify).unwrap();
    assert!(fixture.store.save_phase(fixture.crawl.id, Phase::Settle).is_err());
    assert!(fixture.store.sync().is_err());
    assert_eq!(fixture.store.load_crawl(fixture.crawl.id).unwrap().unwrap().phase, Phase::Verify);
}

#[test]
fn beyond_the_limit_the_first_new_item_and_every_ten_thousandth_is_told() {
    let fixture = fixture();
    let task = fixture.claim_one(TaskKind::Search);
    let new = (1..=20_005).map(|number| listed(number, "Page", Parent::Workspace)).collect();
    let admission = Admission { limit: 3, ..Admission::default() };
    let discovery = Discovery { listed: new, admission, ..Discovery::default() };
    let plan = |_: &Listed, _, _: &[PlaceDetail]| ReadPlan::Nothing;
    fixture.store.save_discovery(&fixture.crawl, &task, None, &discovery, now(), plan).unwrap();
    let crawl = fixture.store.load_crawl(fixture.crawl.id).unwrap().unwrap();
    assert_eq!((crawl.counters.skipped, crawl.counters.errors), (20_002, 3));
    let told = fixture.store.load_alerts(crawl.id, &AlertFilter::default(), 100, 0).unwrap().alerts;
    let told: Vec<&str> = told.iter().map(|alert| alert.message.as_str()).collect();
    for (message, number) in told.iter().zip(["1 new", "10000 new", "20000 new"]) {
        assert!(message.contains(number), "{told:?}");
    }
}

#[test]
fn what_stays_below_an_item_that_leaves_is_delivered_without_its_title() {
    let fixture = fixture();
    fixture.discover(vec![listed(1, "Home", Parent::Workspace), listed(2, "Plan", Parent::Page(id(1)))]);
    fixture.read(item(1, "Home", Parent::Workspace));
    fixture.read(item(2, "Plan", Parent::Page(id(1))));
    assert!(fixture.breadcrumbs().contains(&("Plan".to_owned(), vec!["Home".to_owned()])));
    fixture.store.add_tasks(fixture.crawl.id, &[NewTask::on(TaskKind::Verify, id(1))]).unwrap();
    let verify = fixture.claim_one(TaskKind::Verify);
    fixture.store.save_vanished(&fixture.crawl, &verify, id(1), Proof::Archived).unwrap();
    fixture.store.apply_departures(&fixture.crawl, false).unwrap();
    assert!(fixture.breadcrumbs().contains(&("Plan".to_owned(), Vec::new())));
}

#[test]
fn what_is_archived_leaves_and_keeps_its_place_until_a_complete_crawl_does_not_meet_it() {
    let fixture = fixture();
    let (home, plan) = (|| listed(1, "Home", Parent::Workspace), || listed(2, "Plan", Parent::Page(id(1))));
    fixture.discover(vec![home(), plan()]);
    fixture.read(item(1, "Home", Parent::Workspace));
    fixture.read(item(2, "Plan", Parent::Page(id(1))));
    let (store, crawl) = (&fixture.store, &fixture.crawl);
    let say = |crawl: &Crawl, listed, archived| {
        store.add_tasks(crawl.id, &[NewTask::new(TaskKind::Search)]).unwrap();
        let search = store.claim_tasks(crawl.id, 1, now()).unwrap().remove(0);
        let discovery = Discovery { listed, archived, ..Discovery::default() };
        store
            .save_discovery(crawl, &search, None, &discovery, now(), |listed, _, _| read_body(listed))
            .unwrap();
    };
    let standing = |crawl: &Crawl, number| {
        let places = store.load_places(fixture.connector, Some(crawl)).unwrap();
        places.iter().find(|place| place.object == id(number)).map(|place| (place.standing, place.met))
    };
    // A page that nobody held is no different.
    say(crawl, Vec::new(), vec![home(), listed(3, "Shelf", Parent::Page(id(1)))]);
    assert_eq!(fixture.sightings().0.discovered(), 1);
    assert_eq!(store.load_crawl(crawl.id).unwrap().unwrap().counters.discovered(), 1);
    assert_eq!(store.apply_departures(crawl, true).unwrap(), 1);
    store.prune_left_out(crawl, true).unwrap();
    assert_eq!(store.load_item(fixture.connector, id(1)).unwrap().unwrap().source, "{}");
    assert_eq!(fixture.breadcrumbs().last(), Some(&("Plan".to_owned(), vec!["Home".to_owned()])));
    for number in [1, 3] {
        let out = Some((Standing::LeftOut(LeftOut::Archived), true));
        assert_eq!(standing(crawl, number), out);
    }
    assert_eq!(store.load_unmet(crawl, [id(1), id(2)].into_iter()).unwrap(), [id(1)], "a filter is told");

    let next = between(&fixture);
    say(&next, vec![home(), plan()], Vec::new());
    assert_eq!(standing(&next, 1), Some((Standing::Held, true)));
    assert_eq!(standing(&next, 3), Some((Standing::LeftOut(LeftOut::Archived), false)));
    store.prune_left_out(&next, true).unwrap();
    assert_eq!((standing(&next, 1).is_some(), standing(&next, 3)), (true, None));
}

fn read_page(number: u128, anyway: bool) -> Asked {
    Asked::Read { object: id(number), kind: TaskKind::ReadPage, anyway }
}

#[test]
fn events_are_known_again_and_those_about_one_object_are_one_hint() {
    let Fixture { store, connector, crawl, _dir } = fixture();
    let at = |ms: i64| now().checked_add(jiff::SignedDuration::from_millis(ms)).unwrap();
    store.open_webhook(connector, "path", at(600_000)).unwrap();
    assert!(store.save_event(connector, "a", read_page(1, true), at(0)).unwrap());
    assert!(store.save_event(connector, "b", read_page(1, false), at(5)).unwrap());
    assert!(!store.save_event(connector, "a", read_page(1, true), at(6)).unwrap());
    assert!(store.save_event(connector, "c", Asked::Unknown, at(7)).unwrap());
    assert_eq!(store.load_hinted(at(7)).unwrap().0, [connector]);
    assert_eq!(store.take_hints(&crawl, at(10)).unwrap(), 1);
    let [task] = &store.claim_urgent(crawl.id, 10, at(10)).unwrap()[..] else { panic!("one task") };
    assert!(task.urgent && task.is_hint() && task.reads_anyway(), "the stronger wish holds");

    // Again within a second: not before that is over.
    store.save_event(connector, "d", read_page(1, false), at(20)).unwrap();
    assert_eq!(store.take_hints(&crawl, at(900)).unwrap(), 0);
    assert_eq!(store.load_hinted(at(900)).unwrap(), (vec![], Some(at(1_010))));
    assert_eq!(store.take_hints(&crawl, at(1_010)).unwrap(), 1);
    let counts = store.load_webhook(connector).unwrap().unwrap().counts;
    assert_eq!((counts.accepted, counts.repeated, counts.unknown), (3, 1, 1));

    store.prune_events(at(47 * 3_600_000)).unwrap();
    assert!(
        !store.save_event(connector, "a", read_page(1, true), at(0)).unwrap(),
        "Notion may send it still"
    );
    store.prune_events(at(49 * 3_600_000)).unwrap();
    assert!(store.save_event(connector, "a", read_page(1, true), at(0)).unwrap());
}

#[test]
fn a_crawl_in_its_later_phases_takes_up_no_hints_and_cancelled_ones_neither() {
    let Fixture { store, connector, crawl, _dir } = fixture();
    store.open_webhook(connector, "path", now()).unwrap();
    store.save_event(connector, "a", read_page(1, true), now()).unwrap();
    store.save_phase(crawl.id, Phase::Verify).unwrap();
    assert_eq!(store.take_hints(&crawl, now()).unwrap(), 0);
    store.save_phase(crawl.id, Phase::Read).unwrap();
    store.request_cancel(crawl.id).unwrap();
    assert_eq!(store.take_hints(&crawl, now()).unwrap(), 0);
    assert_eq!(store.load_hinted(now()).unwrap().0, [connector], "it waits");
}

#[test]
fn crawls_of_events_of_one_day_are_one_in_the_history_unless_something_failed() {
    let Fixture { store, connector, crawl, _dir } = fixture();
    store.end_crawl(crawl.id, CrawlState::Completed, None, now()).unwrap();
    let run = |state: CrawlState, requests, at: Timestamp| {
        let id = store.add_crawl(connector, Scope::Events, "webhook", at).unwrap();
        store.begin_crawl(id, &[], at).unwrap();
        store.save_progress(id, requests, 10).unwrap();
        store.end_crawl(id, state, None, at).unwrap();
        store.fold_crawl_of_hints(id).unwrap();
        id
    };
    let first = run(CrawlState::Completed, 2, now());
    run(CrawlState::Completed, 3, now());
    let failed = run(CrawlState::CompletedWithErrors, 1, now());
    let tomorrow = run(CrawlState::Completed, 1, now() + jiff::SignedDuration::from_hours(24));
    let ids: Vec<CrawlId> = store.load_crawls(10).unwrap().iter().map(|crawl| crawl.id).collect();
    assert_eq!(ids, [tomorrow, failed, first, crawl.id]);
    let folded = store.load_crawl(first).unwrap().unwrap();
    assert_eq!((folded.counters.requests, folded.active_ms), (5, 20));
}
