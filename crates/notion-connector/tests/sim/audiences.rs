//! Who may see what: rules, groups and mappings by chance, and a plain reading of them over the emulator's truth.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use notion_connector::app::App;
use notion_connector::model::{Caller, Change, PersonId, Viewer};
use notion_connector::ops::{self, Grant, GrantTo, SetAudience};
use notion_connector::runtime::Runtime;
use notion_connector::search::{Facet, FacetBy, SearchIndex, SearchRequest};
use notion_connector::sink::index::IndexSink;
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::dice::Dice;
use crate::facts::Fact;

const PEOPLE: usize = 4;
const GROUPS: usize = 3;

/// What somebody decided for one connector.
#[derive(Debug, Clone, Default)]
struct Decided {
    on: bool,
    /// By place; none for the whole connector.
    rules: BTreeMap<Option<Uuid>, Vec<Grant>>,
    /// By data source: the column that decides for its rows.
    columns: BTreeMap<Uuid, (String, Vec<Grant>)>,
}

/// Everything that decides who sees what, as this side understands it.
#[derive(Debug)]
pub(crate) struct Audiences {
    dice: Dice,
    groups: Vec<BTreeSet<usize>>,
    /// By connector: who is mapped.
    mapped: Vec<BTreeSet<usize>>,
    /// As whom of the workspace.
    users: Vec<Uuid>,
    decided: Vec<Decided>,
}

/// Where an object stood, with what rows above it and it itself said, and who may find it there.
#[derive(Debug, Clone)]
pub(crate) struct Anchor {
    path: Vec<Fact>,
    seers: BTreeSet<usize>,
}

impl Anchor {
    /// Whether it is there still. What is gone stands nowhere else.
    pub(crate) fn holds(&self, id: Uuid, truth: &BTreeMap<Uuid, Fact>) -> bool {
        let same = |stood: &Fact| {
            truth.get(&stood.id).is_none_or(|stands| {
                (&stands.parent, &stands.options, &stands.people)
                    == (&stood.parent, &stood.options, &stood.people)
            })
        };
        debug_assert_eq!(self.path.last().map(|fact| fact.id), Some(id));
        self.path.iter().all(same)
    }
}

impl Audiences {
    pub(crate) fn new(seed: u64) -> Self {
        let dice = Dice::new(seed, 77);
        Self { dice, groups: Vec::new(), mapped: Vec::new(), users: Vec::new(), decided: Vec::new() }
    }

    /// Other people, groups and mappings; they are put where an import and a crawl of people would put them.
    pub(crate) fn shuffle_people(&mut self, store: &Connection, connectors: &[&str], users: &[Uuid]) {
        let strangers = (0..PEOPLE).map(|person| Uuid::from_bytes([0xE0 + person as u8; 16]));
        self.users = users.iter().copied().chain(strangers).take(PEOPLE).collect();
        let dice = &mut self.dice;
        let some =
            |dice: &mut Dice, percent| (0..PEOPLE).filter(|_| dice.chance(percent)).collect::<BTreeSet<_>>();
        self.groups = (0..GROUPS).map(|_| some(dice, 40)).collect();
        self.mapped = connectors.iter().map(|_| some(dice, 80)).collect();
        store
            .execute_batch(
                "DELETE FROM memberships; UPDATE external_users SET state = 'unmapped', person = NULL;",
            )
            .unwrap();
        for person in 0..PEOPLE {
            store
                .execute(
                    "INSERT OR IGNORE INTO persons (id, uid, user_name, user_key, email_verified, active, fields, source, created, changed)
                     VALUES (?1, ?2, ?3, ?3, 1, 1, '{}', 'import', 0, 0)",
                    params![person as i64 + 1, [person as u8; 16], format!("p{person}")],
                )
                .unwrap();
        }
        for (group, members) in self.groups.iter().enumerate() {
            store
                .execute(
                    "INSERT OR IGNORE INTO groups_ (id, uid, name, name_key, source, created, changed)
                     VALUES (?1, ?2, ?3, ?3, 'import', 0, 0)",
                    params![group as i64 + 1, [group as u8; 16], format!("g{group}")],
                )
                .unwrap();
            for person in members {
                store
                    .execute(
                        "INSERT INTO memberships VALUES (?1, ?2)",
                        params![group as i64 + 1, *person as i64 + 1],
                    )
                    .unwrap();
            }
        }
        for (name, mapped) in connectors.iter().zip(&self.mapped) {
            for person in mapped {
                store
                    .execute(
                        "INSERT OR REPLACE INTO external_users (connector, object, is_guest, state, person, told)
                         SELECT id, ?2, 0, 'mapped', ?3, 0 FROM connectors WHERE name = ?1",
                        params![name, self.users[*person].as_bytes(), *person as i64 + 1],
                    )
                    .unwrap();
            }
        }
    }

    /// Other rules, by the product's own verbs.
    pub(crate) async fn change_rules(
        &mut self,
        app: &Arc<App>,
        connectors: &[&str],
        held: &[BTreeSet<Uuid>],
        truth: &BTreeMap<Uuid, Fact>,
    ) {
        let operator = &Caller::LOCAL_OPERATOR;
        self.decided.resize_with(connectors.len(), Decided::default);
        for (at, name) in connectors.iter().enumerate() {
            for rule in ops::show_audiences(app, operator, Some(name)).unwrap().rules {
                if self.dice.chance(70) {
                    let place = rule.place.map(|place| place.0);
                    match &rule.property {
                        Some(_) => drop(self.decided[at].columns.remove(&place.unwrap())),
                        None => drop(self.decided[at].rules.remove(&place)),
                    }
                    ops::remove_audience(app, operator, Some(name), rule.id).unwrap();
                }
            }
            let of_pages = |id: &&Uuid| truth.get(id).is_some_and(|fact| fact.kind != "file");
            let places: Vec<Uuid> = held[at].iter().filter(of_pages).copied().collect();
            for number in 0..self.dice.between(0, 5) {
                let place = self.dice.try_pick(&places).filter(|_| number > 0);
                let grants = self.grants();
                set(app, name, place, None, &grants).await;
                self.decided[at].rules.insert(place, grants);
            }
            let rows = held[at].iter().filter_map(|id| truth.get(id)).filter(|fact| fact.kind == "row");
            let with_columns: Vec<&Fact> =
                rows.filter(|row| !row.options.is_empty() || !row.people.is_empty()).collect();
            for _ in 0..self.dice.between(0, 2) {
                let Some(row) = self.dice.try_pick(&with_columns) else { break };
                let Some(place) = row.parent.filter(|place| held[at].contains(place)) else { continue };
                let (column, grants) = self.grants_by_column(row);
                set(app, name, Some(place), Some(&column), &grants).await;
                self.decided[at].columns.insert(place, (column, grants));
            }
            self.decided[at].on = self.dice.chance(85);
            ops::switch_audiences(app, operator, Some(name), self.decided[at].on).unwrap();
        }
    }

    /// A column of that row, and grants that go by what rows say in it.
    fn grants_by_column(&mut self, row: &Fact) -> (String, Vec<Grant>) {
        let columns: Vec<&String> = row.options.keys().chain(row.people.keys()).collect();
        let column = self.dice.pick(&columns).clone();
        let mut grants = self.grants();
        match row.options.get(&column) {
            Some(options) => {
                for grant in &mut grants {
                    grant.value = Some(self.dice.pick(options)).filter(|_| self.dice.chance(80));
                }
            }
            None => grants.push(Grant { to: GrantTo::Named, name: None, value: None }),
        }
        (column, grants)
    }

    fn grants(&mut self) -> Vec<Grant> {
        let dice = &mut self.dice;
        let grant = |dice: &mut Dice| match dice.below(8) {
            0 => Grant { to: GrantTo::Everyone, name: None, value: None },
            1..=3 => {
                Grant { to: GrantTo::Person, name: Some(format!("p{}", dice.below(PEOPLE))), value: None }
            }
            _ => Grant { to: GrantTo::Group, name: Some(format!("g{}", dice.below(GROUPS))), value: None },
        };
        (0..dice.between(0, 2)).map(|_| grant(dice)).collect()
    }

    fn grants_to<'a>(&self, grants: impl IntoIterator<Item = &'a Grant>, person: usize) -> bool {
        let number = |grant: &Grant| grant.name.as_deref().and_then(|name| name[1..].parse().ok());
        grants.into_iter().any(|grant| match grant.to {
            GrantTo::Everyone => true,
            GrantTo::Person => number(grant) == Some(person),
            GrantTo::Group => number(grant).is_some_and(|group: usize| self.groups[group].contains(&person)),
            GrantTo::Named => false,
        })
    }

    /// Whether the column that decides for the rows of a data source opens a row to somebody. One that nobody keeps says nothing.
    fn opens_row(&self, (column, grants): &(String, Vec<Grant>), person: usize, row: Option<&Fact>) -> bool {
        let chosen = row.and_then(|row| row.options.get(column)).map_or(&[][..], Vec::as_slice);
        let named = row.and_then(|row| row.people.get(column)).map_or(&[][..], Vec::as_slice);
        let apply =
            grants.iter().filter(|grant| grant.value.as_ref().is_none_or(|value| chosen.contains(value)));
        let names =
            grants.iter().any(|grant| grant.to == GrantTo::Named) && named.contains(&self.users[person]);
        names || self.grants_to(apply, person)
    }

    /// From the top down: whoever speaks last decides.
    fn sees_by(&self, connector: usize, person: usize, path: &[Uuid], kept: &BTreeMap<Uuid, Fact>) -> bool {
        let decided = &self.decided[connector];
        if !self.mapped[connector].contains(&person) {
            return false;
        }
        if !decided.on {
            return true;
        }
        let at = |place: Option<Uuid>| decided.rules.get(&place).map(|grants| self.grants_to(grants, person));
        let (mut granted, mut above) = (at(None).unwrap_or(false), None);
        for place in path {
            if let Some(rule) = above.and_then(|id| decided.columns.get(id)) {
                granted = self.opens_row(rule, person, kept.get(place));
            }
            granted = at(Some(*place)).unwrap_or(granted);
            above = Some(place);
        }
        granted
    }

    /// What differs between what people find and what they are to find. Items of which it is not told where they stand are left
    /// aside, and files whose pages are not of one mind.
    pub(crate) fn differences(
        &mut self,
        app: &App,
        index: &SearchIndex,
        held: &[BTreeSet<Uuid>],
        truth: &BTreeMap<Uuid, Fact>,
        may_end_below: &dyn Fn(&Fact) -> bool,
    ) -> Vec<String> {
        let mut differences = Vec::new();
        let everything: BTreeSet<Uuid> = held.iter().flatten().copied().collect();
        let kept = truth.iter().filter(|(id, _)| everything.contains(id));
        let kept: BTreeMap<Uuid, Fact> = kept.map(|(id, fact)| (*id, fact.clone())).collect();
        let asked = self.dice.below(PEOPLE);
        for person in 0..PEOPLE {
            let viewer = app.store.load_viewer(PersonId(person as i64 + 1)).unwrap();
            let found = found(index, &viewer);
            for id in &everything {
                let Some(paths) = paths(truth, *id, may_end_below) else { continue };
                let sees = |path: &Vec<Uuid>| {
                    (0..held.len()).any(|at| held[at].contains(id) && self.sees_by(at, person, path, &kept))
                };
                let seen: BTreeSet<bool> = paths.iter().map(sees).collect();
                if seen.len() == 1 && seen.contains(&true) != found.contains(id) {
                    let what = if found.contains(id) { "finds" } else { "does not find" };
                    differences.push(format!("p{person} {what} {id} {:?}: {:?}", truth.get(id), self));
                }
            }
            differences.extend(
                found.difference(&everything).map(|id| format!("p{person} finds {id}, which nobody holds")),
            );
            if person == asked {
                differences.extend(self.differs_from_an_index_of(app, index, &viewer, &found, truth));
            }
        }
        differences
    }

    /// Where things stand, and who may find them there by any of the connectors. Files aside: they go from page to page.
    pub(crate) fn anchor(
        &self,
        held: &BTreeSet<Uuid>,
        truth: &BTreeMap<Uuid, Fact>,
        may_end_below: &dyn Fn(&Fact) -> bool,
    ) -> BTreeMap<Uuid, Anchor> {
        let objects = held.iter().filter(|id| truth.get(id).is_some_and(|fact| fact.kind != "file"));
        let anchor = |id: &Uuid| {
            let path = paths(truth, *id, may_end_below)?.remove(0);
            let sees =
                |person: &usize| (0..self.decided.len()).any(|at| self.sees_by(at, *person, &path, truth));
            let seers = (0..PEOPLE).filter(sees).collect();
            let path = path.iter().filter_map(|id| truth.get(id)).cloned().collect();
            Some((*id, Anchor { path, seers }))
        };
        objects.filter_map(anchor).collect()
    }

    /// What people find of it that they may not.
    pub(crate) fn leaks(
        &self,
        app: &App,
        index: &SearchIndex,
        anchors: &BTreeMap<Uuid, Anchor>,
    ) -> Vec<String> {
        let mut leaks = Vec::new();
        for person in 0..PEOPLE {
            let viewer = app.store.load_viewer(PersonId(person as i64 + 1)).unwrap();
            let found = found(index, &viewer);
            let leaked =
                anchors.iter().filter(|(id, anchor)| found.contains(id) && !anchor.seers.contains(&person));
            leaks.extend(leaked.map(|(id, anchor)| format!("p{person} finds {id} {anchor:?}: {self:?}")));
        }
        leaks
    }

    /// Hits, counts and facets are those of an index that holds nothing else.
    fn differs_from_an_index_of(
        &mut self,
        app: &App,
        index: &SearchIndex,
        viewer: &Viewer,
        visible: &BTreeSet<Uuid>,
        truth: &BTreeMap<Uuid, Fact>,
    ) -> Vec<String> {
        let (changes, _) = app.store.load_changes(app.store.load_keys_by_id().unwrap(), usize::MAX).unwrap();
        let mut alone = Vec::new();
        for change in changes {
            let Change::Upsert(mut delivery) = change else { continue };
            if visible.contains(&delivery.item.id.0) {
                delivery.ancestors.retain(|crumb| visible.contains(&crumb.id.0));
                for (_, related) in &mut delivery.related {
                    related.retain(|one| visible.contains(&one.id.0));
                }
                alone.push(Change::Upsert(delivery));
            }
        }
        let sink = IndexSink::in_memory(Runtime::real()).unwrap();
        let end = app.store.load_outbox_end().unwrap();
        sink.deliver_now(&alone, end).unwrap();
        let connectors = app.store.load_connectors().unwrap();
        let reference = Viewer::of_connectors(connectors.iter().map(|connector| connector.id));
        let searches_joined = matches!(viewer, Viewer::Mapped(sights) if sights.searches_joined);
        let titles: Vec<&str> = truth.values().map(|fact| fact.title.as_str()).collect();
        let mut differences = Vec::new();
        for text in
            [String::new(), self.dice.try_pick(&titles).unwrap_or_default().to_owned(), "page -zq".to_owned()]
        {
            if searches_joined && !text.is_empty() {
                continue;
            }
            let told = |index: &SearchIndex, viewer: &Viewer| {
                let facets = BTreeSet::from(FacetBy::ALL);
                let request =
                    SearchRequest { limit: 100, facets, ..SearchRequest::new(text.as_str(), viewer.clone()) };
                let answer = index.search(&request).unwrap();
                let mut hits: Vec<(Uuid, String)> =
                    answer.hits.into_iter().map(|hit| (hit.id.0, hit.snippet.text)).collect();
                hits.sort();
                if answer.total > 100 {
                    hits.clear();
                }
                // Where what lies between is missing, a data source seems to lie in the database of its row.
                let facets: Vec<Facet> = answer
                    .facets
                    .facets
                    .into_iter()
                    .filter(|facet| !searches_joined && facet.by != FacetBy::Database)
                    .collect();
                (answer.total, hits, facets)
            };
            let (seen, alone) = (told(index, viewer), told(&sink.search_index(), &reference));
            if seen != alone {
                differences
                    .push(format!("“{text}” tells {viewer:?}\n  {seen:?}, and of that alone\n  {alone:?}"));
            }
        }
        differences
    }
}

async fn set(app: &Arc<App>, name: &str, place: Option<Uuid>, column: Option<&str>, grants: &[Grant]) {
    let place = place.map(|id| id.to_string());
    let set = SetAudience { place, property: column.map(str::to_owned), grants: grants.to_vec() };
    ops::set_audience(app, &Caller::LOCAL_OPERATOR, Some(name), &set).await.unwrap();
}

fn found(index: &SearchIndex, viewer: &Viewer) -> BTreeSet<Uuid> {
    let mut found = BTreeSet::new();
    loop {
        let request =
            SearchRequest { limit: 100, offset: found.len(), ..SearchRequest::new("", viewer.clone()) };
        let answer = index.search(&request).unwrap();
        found.extend(answer.hits.iter().map(|hit| hit.id.0));
        if found.len() >= answer.total {
            assert_eq!(found.len(), answer.total);
            assert_eq!(index.count_visible(viewer).unwrap(), answer.total);
            return found;
        }
    }
}

/// From the top down to the item; of a file one for each page that shows it. None where it is not told.
fn paths(
    truth: &BTreeMap<Uuid, Fact>,
    id: Uuid,
    may_end_below: &dyn Fn(&Fact) -> bool,
) -> Option<Vec<Vec<Uuid>>> {
    let path = |parent: Option<Uuid>| {
        let (mut path, mut at) = (vec![id], parent);
        while let Some(holder) = at {
            let fact = truth.get(&holder)?;
            if may_end_below(fact) {
                return None;
            }
            path.push(holder);
            at = fact.parent;
        }
        path.reverse();
        Some(path)
    };
    let fact = truth.get(&id)?;
    if fact.places.is_empty() {
        return Some(vec![path(fact.parent)?]);
    }
    fact.places.iter().map(|page| path(Some(*page))).collect()
}
