//! The emulated workspace: its truth, and what people do to it.

use std::collections::{BTreeMap, BTreeSet};

use notion_emulator::faults::{Failure, Fault, RandomFaults, RefusalCode};
use notion_emulator::rules::limit::Window;
use notion_emulator::seed::{BlockSeed, Content, DataSourceSeed, DatabaseSeed, PageSeed};
use notion_emulator::world::World;
use notion_emulator::{Behavior, DEFAULT_TOKEN, Edit, Emulator, Options, TokenOptions, VerbError};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::audiences::Anchor;
use crate::dice::Dice;
use crate::facts::{Fact, Wanted, subtree};
use crate::files::{FileRules, PAPERS, Shelf, ShownFile};
use crate::trace::Trace;

/// The secret that the integration has after the first one was revoked.
pub(crate) const SECOND_TOKEN: &str = "ntn_emulator1111111111111111111111111111111111111";

/// A workspace under the hands of its people.
pub(crate) struct Workspace {
    pub(crate) notion: Emulator,
    dice: Dice,
    trace: Trace,
    /// What each connector is to index.
    wanted: Vec<Wanted>,
    /// Every marker word that ever stood anywhere.
    marked: BTreeSet<String>,
    /// Words of which this side does not know whether they are still there.
    doubtful: BTreeSet<String>,
    /// What was taken away and can be brought back.
    away: Vec<(Uuid, Away)>,
    /// Comments that were made here: id and word.
    comments: Vec<(Uuid, String)>,
    /// Columns that data sources were given here.
    columns: BTreeMap<Uuid, String>,
    /// The secret that Notion accepts now.
    token: &'static str,
    /// What each connector was to index at every instant since [`Workspace::watch`].
    steady: Option<Vec<Steady>>,
    pub(crate) shelf: Shelf,
    words: Words,
    changes: u64,
    /// Whose text was edited last by somebody whose edits are to be found.
    latest: Option<Uuid>,
    /// Who may find what has not moved since.
    anchors: BTreeMap<Uuid, Anchor>,
}

/// What a connector was to index all the time.
#[derive(Debug, Clone, Default)]
struct Steady {
    objects: BTreeSet<Uuid>,
    /// Files with the pages that show them: one that lost a page since may have left with it, and come back with another.
    files: BTreeMap<Uuid, BTreeSet<Uuid>>,
}

impl Steady {
    fn keep(&mut self, now: &Self) {
        self.objects.retain(|id| now.objects.contains(id));
        self.files.retain(|id, pages| now.files.get(id).is_some_and(|now| pages.is_subset(now)));
    }

    /// Whether that is to be there; of a file, because of a page that is held: under a limit another one may not be.
    fn has(&self, id: Uuid, held: &BTreeSet<Uuid>) -> bool {
        let shown = self.files.get(&id).is_some_and(|pages| !pages.is_disjoint(held));
        self.objects.contains(&id) || shown
    }
}

/// Words of letters without a pattern: no search takes one for a part or a form of another.
pub(crate) struct Words {
    seed: u64,
    number: u32,
}

impl Words {
    pub(crate) fn next(&mut self, prefix: &str) -> String {
        self.number += 1;
        let mut rest =
            (u64::from(self.number) << 32 | self.seed & 0xffff_ffff).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let letters = [(); 12].map(|()| {
            let letter = b'a' + (rest >> 59) as u8 % 26;
            rest = rest.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(0x1405);
            char::from(letter)
        });
        format!("{prefix}{}", String::from_iter(letters))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Away {
    Trashed,
    Unshared,
    Archived,
}

impl Workspace {
    pub(crate) fn new(seed: u64, trace: Trace) -> Self {
        let mut dice = Dice::new(seed, 1);
        let shape = dice.pick(&["mixed", "mixed", "database", "deep", "flat", "varied"]);
        let pages = if shape == "varied" { dice.between(8, 16) } else { dice.between(12, 40) };
        let depth = if shape == "varied" { ",depth=3" } else { "" };
        let spec = format!("pages={pages},seed={seed},shape={shape}{depth}");
        trace.say(format!("world {spec}"));
        let tokens = [DEFAULT_TOKEN, SECOND_TOKEN].map(TokenOptions::new).to_vec();
        let behavior = Behavior { latency_ms: dice.between(5, 400), ..Behavior::default() };
        let options = Options { tokens, behavior, ..Options::default() };
        let notion = Emulator::new(World::generated(spec.parse().unwrap()), options);
        let mut workspace = Self {
            shelf: Shelf::new(seed, notion.clone(), shape != "varied"),
            words: Words { seed, number: 0 },
            notion,
            dice,
            trace,
            wanted: vec![Wanted::default()],
            marked: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            away: Vec::new(),
            comments: Vec::new(),
            columns: BTreeMap::new(),
            token: DEFAULT_TOKEN,
            steady: None,
            changes: 0,
            latest: None,
            anchors: BTreeMap::new(),
        };
        workspace.furnish();
        workspace
    }

    /// Files that are there from the beginning.
    fn furnish(&mut self) {
        let truth = self.truth();
        let bodies: Vec<Uuid> = truth.values().filter(|fact| fact.has_body()).map(|fact| fact.id).collect();
        for _ in 0..self.dice.between(0, 4) {
            let page = self.dice.pick(&bodies);
            let told = self.shelf.add(&mut self.words, &truth, page);
            self.trace.say(format!("there is: {}", told.0));
        }
        if self.dice.chance(30) {
            let told = self.add_database(bodies.first().copied());
            self.trace.say(format!("there is: {}", told.0));
        }
    }

    /// Everything that the integration can see and that may become an item, archived or not.
    pub(crate) fn truth(&self) -> BTreeMap<Uuid, Fact> {
        let (files, all): (Vec<Value>, Vec<Value>) =
            self.notion.truth(None).unwrap().into_iter().partition(|fact| fact["kind"] == "file");
        let facts: Vec<Fact> = all.into_iter().map(|fact| serde_json::from_value(fact).unwrap()).collect();
        let of_data_sources = facts.iter().filter(|fact| fact.kind == "data_source");
        let originals: BTreeSet<Option<Uuid>> = of_data_sources.map(|fact| fact.parent).collect();
        let mut commented: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
        for fact in facts.iter().filter(|fact| fact.kind == "comment" && self.wanted[0].comments) {
            let own = fact.markers.iter().filter(|marker| marker.starts_with("zc")).cloned();
            commented.entry(fact.parent.unwrap()).or_default().extend(own);
        }
        let mut items = BTreeMap::new();
        for mut fact in facts.into_iter().filter(Fact::is_item) {
            // A database without data sources is a linked view: a window to another one.
            if fact.kind != "database" || originals.contains(&Some(fact.id)) {
                fact.markers.extend(commented.remove(&fact.id).unwrap_or_default());
                fact.markers.extend(self.columns.get(&fact.id).cloned());
                items.insert(fact.id, fact);
            }
        }
        for file in files {
            let file: ShownFile = serde_json::from_value(file).unwrap();
            if !file.is_comments() || self.wanted[0].comments {
                let page = items.get_mut(&file.parent).unwrap();
                page.said.extend(file.said());
                page.files.push(file);
            }
        }
        items
    }

    /// The people of the workspace.
    pub(crate) fn people(&self) -> Vec<Uuid> {
        let all = self.notion.truth(None).unwrap();
        let people = all.iter().filter(|fact| fact["kind"] == "user");
        people.map(|person| person["id"].as_str().unwrap().parse().unwrap()).collect()
    }

    /// What is to be in the index.
    pub(crate) fn expected(&self) -> BTreeMap<Uuid, Fact> {
        self.expected_of(&self.truth())
    }

    fn expected_of(&self, truth: &BTreeMap<Uuid, Fact>) -> BTreeMap<Uuid, Fact> {
        let keep = |fact: &&Fact| self.wanted.iter().any(|wanted| wanted.keeps(truth, fact));
        let kept: Vec<&Fact> = truth.values().filter(keep).collect();
        let files = self.shelf.expected(kept.iter().copied());
        kept.into_iter().cloned().chain(files).map(|fact| (fact.id, fact)).collect()
    }

    /// How many of the files that are wanted can never be read.
    pub(crate) fn broken(&self) -> u64 {
        self.shelf.broken(self.truth().values())
    }

    /// What a connector is to hold now.
    fn all(&self, wanted: &Wanted, truth: &BTreeMap<Uuid, Fact>) -> Steady {
        let objects = wanted.all(truth);
        let pages = truth.values().filter(|fact| objects.contains(&fact.id));
        Steady { files: self.shelf.lasting(pages), objects }
    }

    /// Databases and tables below archived pages. Notion says of pages alone that they are archived (developers.notion.com
    /// "archive-a-page"): whether these are indexed is not held against anybody.
    pub(crate) fn tolerated(&self) -> BTreeMap<Uuid, Fact> {
        let truth = self.truth();
        let may_stay = |fact: &&Fact| {
            let passes = || self.wanted.iter().any(|wanted| wanted.passes(&truth, fact));
            fact.archived && !fact.has_body() && passes()
        };
        truth.values().filter(may_stay).map(|fact| (fact.id, fact.clone())).collect()
    }

    /// Words that stood somewhere once, and are in nothing that is to be indexed.
    pub(crate) fn retired(&mut self) -> BTreeSet<String> {
        let truth = self.truth();
        self.remember(&truth);
        let there = self.expected().into_values().chain(self.tolerated().into_values());
        let now: BTreeSet<String> = there.flat_map(|fact| [fact.markers, fact.said].concat()).collect();
        self.marked
            .iter()
            .filter(|word| !now.contains(*word) && !self.doubtful.contains(*word))
            .cloned()
            .collect()
    }

    fn remember(&mut self, truth: &BTreeMap<Uuid, Fact>) {
        self.marked.extend(truth.values().flat_map(Fact::words));
    }

    /// What the connectors are to index from now on. Whether comments are read is one for all of them: they share the items.
    pub(crate) fn set_wanted(&mut self, wanted: Vec<Wanted>) {
        self.wanted = wanted;
        let truth = self.truth();
        self.settle(&truth);
    }

    pub(crate) fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// From now on, what is to be indexed all the time is looked after.
    pub(crate) fn watch(&mut self) {
        let truth = self.truth();
        self.steady = Some(self.wanted.iter().map(|wanted| self.all(wanted, &truth)).collect());
    }

    /// From now on it is looked after where these stand.
    pub(crate) fn anchor(&mut self, anchors: BTreeMap<Uuid, Anchor>) {
        self.anchors = anchors;
    }

    /// Those that stand where they stood, or are gone.
    pub(crate) fn anchors(&self) -> &BTreeMap<Uuid, Anchor> {
        &self.anchors
    }

    /// Somebody trashes something in which that stands, and of what stands below it nothing can be asked any more.
    pub(crate) fn bury(&mut self) {
        let truth = self.truth();
        self.remember(&truth);
        let stand = self.anchors.keys().filter_map(|id| truth.get(id)?.parent);
        let holders: Vec<Uuid> = stand.filter(|id| self.anchors.contains_key(id)).collect();
        let Some(top) = self.dice.try_pick(&holders) else { return };
        let buried = self.notion.trash(top);
        for id in subtree(&truth, top).into_iter().filter(|id| *id != top) {
            for of in ["pages", "databases", "data_sources"] {
                self.notion.push_fault(Fault {
                    failure: Failure::InternalServerError,
                    count: u32::MAX,
                    skip: 0,
                    method: None,
                    path_prefix: Some(format!("/v1/{of}/{id}")),
                });
            }
        }
        self.note(&format!("bury {top}: {buried:?}"));
    }

    /// Nothing can be said of what was to be indexed all the time.
    pub(crate) fn stop_watching(&mut self) {
        self.steady = None;
    }

    /// What a connector held before and does not hold any more, and was to hold all the time.
    pub(crate) fn lost(&self, before: &[BTreeSet<Uuid>], now: &[BTreeSet<Uuid>]) -> Vec<Uuid> {
        let Some(steady) = &self.steady else { return Vec::new() };
        let of_each = before.iter().zip(now).zip(steady);
        let left = of_each.map(|((before, now), steady)| (before - now, steady, now));
        left.flat_map(|(left, steady, now)| left.into_iter().filter(|id| steady.has(*id, now))).collect()
    }

    fn settle(&mut self, truth: &BTreeMap<Uuid, Fact>) {
        let now: Vec<Steady> = self.wanted.iter().map(|wanted| self.all(wanted, truth)).collect();
        for (steady, now) in self.steady.iter_mut().flatten().zip(&now) {
            steady.keep(now);
        }
        self.anchors.retain(|id, anchor| anchor.holds(*id, truth));
    }

    /// Somebody changes which files are wanted.
    pub(crate) fn change_file_rules(&mut self) -> FileRules {
        self.shelf.change_rules();
        let truth = self.truth();
        self.settle(&truth);
        self.shelf.rules().clone()
    }

    fn word(&mut self, prefix: &str) -> String {
        self.words.next(prefix)
    }

    /// How often somebody did something.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Somebody does something. Some of it is refused: then nothing changes.
    pub(crate) fn change(&mut self) {
        let truth = self.truth();
        self.remember(&truth);
        let (what, result) = self.change_something(&truth);
        let refused = result.err().map(|error| format!(" refused: {error}")).unwrap_or_default();
        self.note(&format!("{what}{refused}"));
    }

    fn change_something(&mut self, truth: &BTreeMap<Uuid, Fact>) -> (String, Result<(), VerbError>) {
        let of = |kinds: &[&str]| -> Vec<Uuid> {
            truth.values().filter(|fact| kinds.contains(&fact.kind.as_str())).map(|fact| fact.id).collect()
        };
        let all: Vec<Uuid> = truth.keys().copied().collect();
        let (pages, bodies) = (of(&["page"]), of(&["page", "row"]));
        let movable = of(&["page", "row", "database"]);
        let (Some(any), Some(body), Some(moved)) =
            (self.dice.try_pick(&all), self.dice.try_pick(&bodies), self.dice.try_pick(&movable))
        else {
            let word = self.word("zq");
            return (format!("begin anew {word}"), self.plant(None, page("begun anew", &word)));
        };
        match self.dice.below(22) {
            0 | 1 => self.rename(any),
            2 | 3 => self.rewrite(&truth[&body]),
            4 => self.append(&truth[&body]),
            5 => {
                let word = self.word("zq");
                let below = if self.dice.chance(15) { None } else { Some(body) };
                let title = self.word("zt");
                (format!("add page {word} below {below:?}"), self.plant(below, page(&title, &word)))
            }
            6 => match self.dice.try_pick(&of(&["data_source"])) {
                Some(table) => {
                    let word = self.word("zq");
                    let title = self.word("zt");
                    (format!("add row {word} to {table}"), self.plant(Some(table), page(&title, &word)))
                }
                None => self.add_database(self.dice.clone().try_pick(&pages)),
            },
            7 => self.add_database(self.dice.clone().try_pick(&pages)),
            8 | 9 => {
                let places: Vec<Option<Uuid>> =
                    of(&["page", "row", "data_source"]).into_iter().map(Some).chain([None]).collect();
                let place = self.dice.pick(&places);
                (format!("move {moved} below {place:?}"), self.notion.move_to(moved, place))
            }
            10 | 11 => self.take_away(truth, any),
            12 | 13 => self.bring_back(),
            14 => self.comment(body),
            15 => match self.dice.try_pick(&of(&["data_source"])) {
                Some(table) => self.add_column(table),
                None => self.rename(any),
            },
            16 if self.dice.chance(50) => self.choose(truth),
            16 => self.fill_in(truth),
            _ => self.shelf.change(&mut self.words, truth, body, false),
        }
    }

    fn rename(&mut self, id: Uuid) -> (String, Result<(), VerbError>) {
        let word = self.word("zt");
        let edit = Edit { title: Some(format!("Renamed {word}")), ..Edit::default() };
        (format!("rename {id} {word}"), self.edit(id, edit))
    }

    fn edit(&self, id: Uuid, edit: Edit) -> Result<(), VerbError> {
        self.notion.edit(id, edit, &BTreeMap::new()).map(drop)
    }

    fn plant(&self, below: Option<Uuid>, content: Content) -> Result<(), VerbError> {
        self.notion.seed(below, &[content], &BTreeMap::new()).map(drop)
    }

    fn rewrite(&mut self, fact: &Fact) -> (String, Result<(), VerbError>) {
        let word = self.word("zq");
        // Words in the title and in properties stay, and the emulator does not say which those are.
        self.doubtful.extend(fact.markers.iter().cloned());
        let edit =
            Edit { body: Some(vec![paragraph(&word)]), markers: Some(vec![word.clone()]), ..Edit::default() };
        (format!("rewrite {} {word}", fact.id), self.edit(fact.id, edit))
    }

    fn append(&mut self, fact: &Fact) -> (String, Result<(), VerbError>) {
        let word = self.word("zq");
        let comments: Vec<&str> = self.comments.iter().map(|(_, word)| word.as_str()).collect();
        let own = fact.markers.iter().filter(|marker| !comments.contains(&marker.as_str()));
        let markers = Some(own.cloned().chain([word.clone()]).collect());
        let edit = Edit { append: vec![paragraph(&word)], markers, ..Edit::default() };
        (format!("append to {} {word}", fact.id), self.edit(fact.id, edit))
    }

    fn add_database(&mut self, below: Option<Uuid>) -> (String, Result<(), VerbError>) {
        let word = self.word("zq");
        let (rows, other) = (self.dice.between(0, 4), self.dice.chance(25));
        let mut data_sources = vec![self.data_source(&word, rows)];
        if other {
            data_sources.push(self.data_source(&format!("{word} too"), 1));
        }
        let database =
            DatabaseSeed { title: format!("Table {word}"), data_sources, ..DatabaseSeed::default() };
        (format!("add database {word} below {below:?}"), self.plant(below, Content::Database(database)))
    }

    fn data_source(&mut self, title: &str, rows: u64) -> DataSourceSeed {
        let schema =
            json!({"Name": {"type": "title"}, "Notes": {"type": "rich_text"}, (PAPERS): {"type": "files"}});
        let rows = (0..rows).map(|_| {
            let (body, note) = (self.word("zq"), self.word("zn"));
            let Content::Page(row) = page("in a table", &body) else { unreachable!() };
            PageSeed { properties: notes(&note), markers: vec![body, note], ..row }
        });
        DataSourceSeed {
            title: title.to_owned(),
            rows: rows.collect(),
            schema: schema.as_object().unwrap().clone(),
            ..DataSourceSeed::default()
        }
    }

    /// A column in place of the one that was added before.
    fn add_column(&mut self, table: Uuid) -> (String, Result<(), VerbError>) {
        let word = self.word("zk");
        let column = json!({"id": "sim%3A", "name": word, "type": "rich_text", "rich_text": {}});
        let object = json!({"properties": {(word.as_str()): column}});
        self.columns.insert(table, word.clone());
        (format!("add column {word} to {table}"), self.notion.deliver(table, None, Some(object), false))
    }

    fn take_away(&mut self, truth: &BTreeMap<Uuid, Fact>, id: Uuid) -> (String, Result<(), VerbError>) {
        // Now and then a large part goes at once.
        let size = subtree(truth, id).len();
        if size * 4 > truth.len() && !self.dice.chance(25) {
            return self.rename(id);
        }
        let fact = &truth[&id];
        match self.dice.below(8) {
            0 if fact.kind != "data_source" => (format!("purge {id}"), self.notion.purge(id)),
            1 | 2 if fact.kind != "data_source" => {
                self.away.push((id, Away::Unshared));
                (format!("unshare {id}"), self.share(id, false))
            }
            3 if fact.has_body() => {
                self.away.push((id, Away::Archived));
                (format!("archive {id}"), self.notion.set_archived(id, true))
            }
            _ => {
                self.away.push((id, Away::Trashed));
                (format!("trash {id}"), self.notion.trash(id))
            }
        }
    }

    /// Both secrets are of one integration.
    fn share(&self, id: Uuid, shared: bool) -> Result<(), VerbError> {
        [DEFAULT_TOKEN, SECOND_TOKEN].into_iter().try_for_each(|token| {
            if shared { self.notion.share(id, Some(token)) } else { self.notion.unshare(id, Some(token)) }
        })
    }

    fn bring_back(&mut self) -> (String, Result<(), VerbError>) {
        if self.away.is_empty() {
            return ("rest".to_owned(), Ok(()));
        }
        let (id, how) = self.away.swap_remove(self.dice.below(self.away.len()));
        match how {
            Away::Trashed => (format!("restore {id}"), self.notion.restore(id)),
            Away::Unshared => (format!("share {id}"), self.share(id, true)),
            Away::Archived => (format!("unarchive {id}"), self.notion.set_archived(id, false)),
        }
    }

    fn comment(&mut self, id: Uuid) -> (String, Result<(), VerbError>) {
        if self.dice.chance(30) && !self.comments.is_empty() {
            let (comment, word) = self.comments.swap_remove(self.dice.below(self.comments.len()));
            return (format!("resolve {word}"), self.notion.resolve_comment(comment, true));
        }
        let word = self.word("zc");
        self.marked.insert(word.clone());
        let made = self.notion.comment(id, &format!("A remark: {word}."), vec![word.clone()]);
        let what = format!("comment on {id} {word}");
        (what, made.map(|comment| self.comments.push((comment, word))))
    }

    /// A value of a row of a database that was made here.
    fn fill_in(&mut self, truth: &BTreeMap<Uuid, Fact>) -> (String, Result<(), VerbError>) {
        let rows: Vec<&Fact> = truth
            .values()
            .filter(|fact| fact.kind == "row" && fact.markers.iter().any(|marker| marker.starts_with("zn")))
            .collect();
        let Some(row) = self.dice.try_pick(&rows) else { return ("rest".to_owned(), Ok(())) };
        let word = self.word("zn");
        let kept = row.markers.iter().filter(|marker| !marker.starts_with("zn") && !marker.starts_with("zc"));
        let markers = Some(kept.cloned().chain([word.clone()]).collect());
        let edit = Edit { properties: notes(&word), markers, ..Edit::default() };
        (format!("fill in {} {word}", row.id), self.edit(row.id, edit))
    }

    /// Another option in a column of a row, or none, or somebody else.
    fn choose(&mut self, truth: &BTreeMap<Uuid, Fact>) -> (String, Result<(), VerbError>) {
        let rows: Vec<&Fact> = truth.values().filter(|fact| !fact.options.is_empty()).collect();
        let Some(row) = self.dice.try_pick(&rows) else { return ("rest".to_owned(), Ok(())) };
        let (columns, named) = match self.dice.chance(30) && !row.people.is_empty() {
            true => (row.people.keys().cloned().collect::<Vec<_>>(), true),
            false => (row.options.keys().cloned().collect(), false),
        };
        let column = self.dice.pick(&columns);
        let value = if named {
            let somebody = self.people().get(self.dice.below(4)).copied();
            Value::from_iter(somebody.map(|person| json!({"object": "user", "id": person})))
        } else {
            let values = truth.values().filter_map(|fact| fact.options.get(&column)).flatten();
            let option = self.dice.pick(&values.collect::<Vec<_>>());
            // A list that is given one option alone has none from then on.
            let is_list = row.options[&column].len() > 1;
            if is_list { json!([{"name": option}]) } else { json!({"name": option}) }
        };
        let what = format!("set {column} of {} to {value}", row.id);
        let edit = Edit { properties: Map::from_iter([(column, value)]), ..Edit::default() };
        (what, self.edit(row.id, edit))
    }

    /// The secret that the connector has is accepted no more, and another one is.
    pub(crate) fn revoke(&mut self) -> &'static str {
        let revoked = self.token;
        self.token = if revoked == DEFAULT_TOKEN { SECOND_TOKEN } else { DEFAULT_TOKEN };
        self.notion.set_token(Some(revoked), None, Some(true)).unwrap();
        self.notion.set_token(Some(self.token), None, Some(false)).unwrap();
        self.trace.say("people revoke the secret");
        self.token
    }

    /// The secret that is accepted now.
    pub(crate) fn token(&self) -> &'static str {
        self.token
    }

    /// What a person changes whose edits every crawl for changes is to find.
    pub(crate) fn edit_something(&mut self) {
        let truth = self.truth();
        self.remember(&truth);
        let of = |kinds: &[&str]| -> Vec<&Fact> {
            truth.values().filter(|fact| kinds.contains(&fact.kind.as_str())).collect()
        };
        let (bodies, tables) = (of(&["page", "row"]), of(&["data_source"]));
        let (Some(body), Some(other)) = (self.dice.try_pick(&bodies), self.dice.try_pick(&bodies)) else {
            return;
        };
        self.latest = Some(body.id);
        let (what, result) = match self.dice.below(10) {
            7.. => self.shelf.change(&mut self.words, &truth, body.id, true),
            0 => self.rename(body.id),
            1 => self.rewrite(body),
            2 => self.append(body),
            3 => {
                let (title, word) = (self.word("zt"), self.word("zq"));
                (format!("add page {word} below {}", body.id), self.plant(Some(body.id), page(&title, &word)))
            }
            4 => match self.dice.try_pick(&tables) {
                Some(table) => {
                    let (title, word) = (self.word("zt"), self.word("zq"));
                    (
                        format!("add row {word} to {}", table.id),
                        self.plant(Some(table.id), page(&title, &word)),
                    )
                }
                None => self.add_database(Some(body.id)),
            },
            5 => {
                (format!("move {} below {}", body.id, other.id), self.notion.move_to(body.id, Some(other.id)))
            }
            _ if subtree(&truth, body.id).len() < 4 => {
                (format!("trash {}", body.id), self.notion.trash(body.id))
            }
            _ if self.dice.chance(50) => self.choose(&truth),
            _ => self.fill_in(&truth),
        };
        let refused = result.err().map(|error| format!(" refused: {error}")).unwrap_or_default();
        self.note(&format!("{what}{refused}"));
    }

    /// The same person writes on, perhaps within the minute that the stamp of the first edit names.
    pub(crate) fn edit_again(&mut self) {
        let truth = self.truth();
        let Some(fact) = self.latest.and_then(|id| truth.get(&id)) else { return };
        let (what, result) = self.append(fact);
        let refused = result.err().map(|error| format!(" refused: {error}")).unwrap_or_default();
        self.note(&format!("{what}{refused}"));
    }

    fn note(&mut self, what: &str) {
        self.trace.say(format!("people {what}"));
        self.changes += 1;
        let truth = self.truth();
        self.remember(&truth);
        self.settle(&truth);
    }

    /// Notion as it is when nothing is wrong.
    pub(crate) fn calm(&self) {
        self.notion.clear_faults();
        self.notion.clear_file_faults();
        let behavior = self.notion.behavior();
        // Where search lists start points only, what comes back below a page that was not edited is seen by nobody.
        let calm = Behavior {
            search_lag_ms: 0,
            search_stale_ms: 0,
            search_wall: None,
            search_omits_inherited: false,
            ..behavior
        };
        self.notion.set_behavior(calm);
    }

    /// Search shows edits late, and lists come in short answers; all else is well.
    pub(crate) fn lag(&mut self) {
        let search_lag_ms = self.dice.pick(&[0, 60_000, 300_000]);
        let short_pages = self.dice.pick(&[None, Some(3), Some(7)]);
        self.trace.say(format!("search is {search_lag_ms} ms behind, pages of {short_pages:?}"));
        self.notion.set_behavior(Behavior { search_lag_ms, short_pages, ..self.notion.behavior() });
    }

    /// How Notion fares from now on.
    pub(crate) fn weather(&mut self) {
        self.calm();
        let mut behavior = self.notion.behavior();
        let mut told = Vec::new();
        if self.dice.chance(50) {
            let percent = self.dice.pick(&[1, 3, 8, 20, 100]);
            let seed = self.dice.between(0, u64::MAX - 1);
            self.notion.set_random_faults(RandomFaults {
                seed,
                percent,
                failures: RandomFaults::passing(),
                method: None,
                path_prefix: None,
            });
            told.push(format!("{percent} of 100 requests fail"));
        }
        for _ in 0..self.dice.below(4) {
            // Some of these last as long as the object is asked for in this way.
            let refused = |code| Failure::Refused { code };
            let failure = self.dice.pick(&[
                refused(RefusalCode::CursorInvalid),
                refused(RefusalCode::CursorInvalid),
                refused(RefusalCode::ValidationError),
                refused(RefusalCode::UnheardOf),
                Failure::EdgeForbidden,
                Failure::Garbled,
                Failure::Drop,
                Failure::Slow { delay_ms: 70_000 },
                Failure::InternalServerError,
            ]);
            let path = match failure {
                Failure::Refused { code: RefusalCode::CursorInvalid } => "/v1/search",
                _ => self.dice.pick(&["/v1/pages", "/v1/blocks", "/v1/data_sources/", "/v1/search"]),
            };
            let (count, skip) = (self.dice.between(1, 7) as u32, self.dice.between(0, 30) as u32);
            self.notion.push_fault(Fault {
                failure,
                count,
                skip,
                method: None,
                path_prefix: Some(path.to_owned()),
            });
            told.push(format!("{count} requests to {path} get {failure:?} after {skip}"));
        }
        if self.dice.chance(30) {
            behavior.search_stale_ms = self.dice.pick(&[5_000, 60_000, 300_000]);
            behavior.search_lag_ms = self.dice.pick(&[0, 5_000, 60_000, 300_000]);
            told.push(format!(
                "search is {} and {} ms behind",
                behavior.search_stale_ms, behavior.search_lag_ms
            ));
        }
        if self.dice.chance(40) {
            behavior.short_pages = self.dice.pick(&[None, Some(3), Some(7)]);
            behavior.search_omits_inherited = self.dice.chance(50);
            behavior.search_wall = self.dice.pick(&[None, None, Some(20)]);
            told.push(format!(
                "pages of {:?}, search to {:?}, start points only: {}",
                behavior.short_pages, behavior.search_wall, behavior.search_omits_inherited
            ));
        }
        if self.dice.chance(30) {
            let windows: [Option<&str>; 4] = [None, Some("40/20"), Some("90/60"), Some("15/5")];
            let [token, space] = [(); 2].map(|()| self.dice.pick(&windows));
            let window = |text: Option<&str>| text.map(|text| text.parse::<Window>().unwrap());
            self.notion.set_limits(window(token), window(space));
            told.push(format!("limits {token:?} and {space:?}"));
        }
        told.extend(Some(self.shelf.weather()).filter(|told| !told.is_empty()));
        self.notion.set_behavior(behavior);
        self.trace
            .say(format!("weather: {}", if told.is_empty() { "fair".to_owned() } else { told.join(", ") }));
    }
}

/// A paragraph with a word that stands nowhere else.
fn paragraph(word: &str) -> Content {
    Content::Block(BlockSeed {
        kind: "paragraph".to_owned(),
        payload: json!({"rich_text": [{"text": {"content": format!("Written later: {word}.")}}]}),
        ..BlockSeed::default()
    })
}

fn page(title: &str, word: &str) -> Content {
    Content::Page(PageSeed {
        title: format!("Page {title}"),
        body: vec![paragraph(word)],
        markers: vec![word.to_owned()],
        ..PageSeed::default()
    })
}

fn notes(word: &str) -> Map<String, Value> {
    let value = json!([{"text": {"content": format!("Noted: {word}.")}}]);
    Map::from_iter([("Notes".to_owned(), value)])
}
