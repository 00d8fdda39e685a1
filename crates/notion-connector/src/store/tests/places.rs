//! Where items stand while what they lie in is not known.

use super::*;
use crate::store::departures::Proof;

impl Fixture {
    fn is_placed(&self, number: u128) -> bool {
        let stands = self.store.load_stands(id(number)).unwrap();
        assert_eq!(stands.len(), 1);
        stands[0].position.is_known
    }

    /// Notion answers the next task, which asks for what items lie in: it is not there.
    fn miss(&self, number: u128) {
        let task = self.claim_one(TaskKind::ReadPage);
        assert_eq!(task.target, Some(id(number)));
        self.store.save_absence(&self.crawl, &task).unwrap();
    }

    /// The same of something that is held.
    fn vanish(&self, number: u128) {
        let task = self.claim_one(TaskKind::Verify);
        assert_eq!(task.target, Some(id(number)));
        self.store.save_vanished(&self.crawl, &task, id(number), Proof::NotFound).unwrap();
    }

    /// Notion answers the next task: the page is there, in `parent`.
    fn confirm(&self, number: u128, parent: Parent) {
        let task = self.claim_one(TaskKind::Verify);
        assert_eq!(task.target, Some(id(number)));
        let listed = vec![listed(number, "Leaf", parent)];
        let discovery = Discovery { listed, ..Discovery::default() };
        self.store
            .save_discovery(&self.crawl, &task, None, &discovery, now(), |_, _, _| ReadPlan::Nothing)
            .unwrap();
    }

    /// A page in one that nothing listed, and which was asked for.
    fn with_a_leaf(&self) {
        self.discover(vec![listed(2, "Leaf", Parent::Page(id(1)))]);
        self.read(item(2, "Leaf", Parent::Page(id(1))));
        assert!(!self.is_placed(2));
        assert_eq!(self.store.queue_homes(&self.crawl).unwrap(), 1);
        assert_eq!(self.store.queue_homes(&self.crawl).unwrap(), 0, "once a crawl");
    }
}

#[test]
fn an_item_is_placed_when_its_home_is_not_there_for_the_integration_and_it_still_is() {
    let fixture = fixture();
    fixture.with_a_leaf();
    assert_eq!(fixture.store.queue_homeless(&fixture.crawl).unwrap(), 0, "nobody has answered yet");
    fixture.miss(1);
    fixture.store.settle_places(&fixture.crawl).unwrap();
    assert!(!fixture.is_placed(2), "it may have gone with its home");
    assert_eq!(fixture.store.queue_homeless(&fixture.crawl).unwrap(), 1);
    assert_eq!(fixture.store.queue_homeless(&fixture.crawl).unwrap(), 0);
    fixture.confirm(2, Parent::Page(id(1)));
    fixture.deliver();
    fixture.store.settle_places(&fixture.crawl).unwrap();
    assert!(fixture.is_placed(2));
    assert_eq!(fixture.deliver().len(), 1, "the index is told");

    // The next crawl has nothing to ask.
    let next = between(&fixture);
    assert_eq!(fixture.store.queue_homes(&next).unwrap(), 0);
}

#[test]
fn an_item_stays_without_a_place_while_its_home_or_itself_cannot_be_asked_for() {
    let fixture = fixture();
    fixture.with_a_leaf();
    let task = fixture.claim_one(TaskKind::ReadPage);
    fixture.store.fail_task(&fixture.crawl, &task, "Notion had an error", now()).unwrap();
    fixture.store.settle_places(&fixture.crawl).unwrap();
    assert!(!fixture.is_placed(2));

    let fixture = super::fixture();
    fixture.with_a_leaf();
    fixture.miss(1);
    fixture.store.queue_homeless(&fixture.crawl).unwrap();
    let task = fixture.claim_one(TaskKind::Verify);
    fixture.store.fail_task(&fixture.crawl, &task, "Notion had an error", now()).unwrap();
    fixture.store.settle_places(&fixture.crawl).unwrap();
    assert!(!fixture.is_placed(2));
    // Asked for again by the next crawl.
    assert_eq!(fixture.store.queue_homes(&between(&fixture)).unwrap(), 1);
}

#[test]
fn what_lies_in_something_that_goes_has_no_place_any_more_whoever_lets_it_go() {
    let home_and_leaf = |fixture: &Fixture| {
        fixture.discover(vec![listed(1, "Home", Parent::Workspace), listed(2, "Leaf", Parent::Page(id(1)))]);
        fixture.read(item(1, "Home", Parent::Workspace));
        fixture.read(item(2, "Leaf", Parent::Page(id(1))));
        assert!(fixture.is_placed(2));
        fixture.deliver();
    };
    let fixture = fixture();
    home_and_leaf(&fixture);
    fixture.store.add_tasks(fixture.crawl.id, &[NewTask::on(TaskKind::Verify, id(1))]).unwrap();
    fixture.vanish(1);
    fixture.store.apply_departures(&fixture.crawl, false).unwrap();
    assert!(!fixture.is_placed(2));
    assert_eq!(fixture.deliver().len(), 2);
    fixture.store.settle_places(&fixture.crawl).unwrap();
    assert!(!fixture.is_placed(2), "this crawl has proven nothing of it");

    // Another connector holds the leaf alone, and the one that holds both is deleted.
    let fixture = super::fixture();
    home_and_leaf(&fixture);
    let other = begin(&fixture.store, add_connector(&fixture.store, "narrow"));
    let search = fixture.store.claim_tasks(other.id, 1, now()).unwrap().remove(0);
    let discovery =
        Discovery { listed: vec![listed(2, "Leaf", Parent::Page(id(1)))], ..Discovery::default() };
    fixture
        .store
        .save_discovery(&other, &search, None, &discovery, now(), |_, _, _| ReadPlan::Nothing)
        .unwrap();
    assert!(fixture.is_placed(2));
    fixture.store.delete_connector(fixture.connector).unwrap();
    assert!(!fixture.is_placed(2));
    assert_eq!(fixture.store.queue_homes(&other).unwrap(), 1);
}

#[test]
fn an_item_that_moves_into_something_known_has_a_place_at_once() {
    let fixture = fixture();
    fixture.with_a_leaf();
    let other = between(&fixture);
    let search = fixture.store.claim_tasks(other.id, 1, now()).unwrap().remove(0);
    let moved = vec![listed(3, "Other", Parent::Workspace), listed(2, "Leaf", Parent::Page(id(3)))];
    let discovery = Discovery { listed: moved, ..Discovery::default() };
    fixture
        .store
        .save_discovery(&other, &search, None, &discovery, now(), |_, _, _| ReadPlan::Nothing)
        .unwrap();
    assert!(fixture.is_placed(2));
    assert_eq!(fixture.store.queue_homes(&other).unwrap(), 0);
}

#[test]
fn an_item_whose_page_does_not_show_it_any_more_is_asked_about_by_its_block_again() {
    let fixture = fixture();
    let nested = Parent::Block(id(77));
    fixture.discover(vec![listed(2, "Nested", nested)]);
    fixture.read(item(2, "Nested", nested));
    assert_eq!(fixture.store.queue_unresolved_parents(&fixture.crawl).unwrap(), 1);
    let task = fixture.claim_one(TaskKind::ResolveParent);
    fixture.store.save_home(&fixture.crawl, &task, id(2), id(1)).unwrap();
    assert!(!fixture.is_placed(2));

    // The next crawl meets the page that holds the block, and ends before it has settled anything. Then the block is gone.
    let crawl = between(&fixture);
    let next = Fixture { crawl, ..fixture };
    next.discover(vec![listed(1, "Home", Parent::Workspace), listed(2, "Nested", nested)]);
    let mut home = item(1, "Home", Parent::Workspace);
    home.links.push(Link { kind: LinkKind::ChildPage, target: id(2) });
    next.read(home);
    next.read(item(2, "Nested", nested));
    assert!(next.is_placed(2));
    let last = Fixture { crawl: between(&next), ..next };
    last.discover(vec![listed(1, "Home", Parent::Workspace)]);
    last.read(item(1, "Home", Parent::Workspace));
    assert!(!last.is_placed(2));
    assert_eq!(last.store.queue_homes(&last.crawl).unwrap(), 0);
    last.store.settle_places(&last.crawl).unwrap();
}

#[test]
fn what_lies_in_something_in_the_trash_that_is_not_held_is_asked_about() {
    let fixture = fixture();
    fixture.discover(vec![listed(2, "Leaf", Parent::Page(id(1)))]);
    fixture.read(item(2, "Leaf", Parent::Page(id(1))));
    let next = Fixture { crawl: between(&fixture), ..fixture };
    let task = next.claim_one(TaskKind::Search);
    let trash = Discovery { doubted: vec![id(1)], ..Discovery::default() };
    next.store.save_discovery(&next.crawl, &task, None, &trash, now(), |_, _, _| ReadPlan::Nothing).unwrap();
    assert_eq!(next.claim_one(TaskKind::Verify).target, Some(id(2)));
}
