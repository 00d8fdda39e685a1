//! Measures what deciding who may see what costs a search.
//!
//! ```text
//! cargo run --release --example access -- [ITEMS [PEOPLE]]
//! ```
//!
//! An index in memory holds ITEMS pages (a million unless said otherwise) in subtrees of a thousand; a directory on disk holds PEOPLE
//! people (500,000) of ten groups each, all of them mapped in the connector, which has 200 audience rules. The same queries are asked
//! by the operator, who sees everything without a filter, and each by another person: while audiences are off, and while they are on. A
//! search of a person begins with finding out what that person may see, as it does in the product.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use notion_connector::model::{
    Change, ConnectorId, Crumb, Delivery, Item, ItemKey, ItemKind, NotionId, OutboxCursor, Parent, PersonId,
    PersonRecord, Position, Viewer,
};
use notion_connector::runtime::Runtime;
use notion_connector::search::{FacetBy, SearchIndex, SearchRequest};
use notion_connector::sink::index::IndexSink;
use notion_connector::store::{
    AudienceGrant, DirectorySource, GrantedTo, Keep, NewAudienceRule, NewConnector, Store, StoreError,
};
use rusqlite::Connection;
use tokio::time::Instant;
use uuid::Uuid;

/// Pages below each page at the top, and of each section in it.
const SUBTREE: u64 = 1_000;
const SECTION: u64 = 50;
const BATCH: u64 = 5_000;
const WORDS: u64 = 20_000;
const WORDS_OF_A_PAGE: u64 = 60;
const RULES: u64 = 200;
const QUERIES: u64 = 200;
const GROUPS: u64 = 50_000;
const GROUPS_OF_A_PERSON: u64 = 10;
const CONNECTOR: ConnectorId = ConnectorId(1);

/// Numbers that are the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Low ones often, high ones seldom.
    fn rank(&mut self, bound: u64) -> u64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (bound as f64).powf(unit) as u64
    }

    /// A word: the first ones are in most pages, the last ones in few.
    fn word(&mut self) -> String {
        format!("w{}", self.rank(WORDS))
    }
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let items: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse()).context("ITEMS")?;
    let people: u64 = arguments.next().map_or(Ok(500_000), |text| text.parse()).context("PEOPLE")?;
    let directory = directory(people)?;
    make_rules(&directory.store, items)?;
    let index = index(items)?;
    println!("{items} items in subtrees of {SUBTREE}, {RULES} rules, {QUERIES} queries");
    // What the first queries read into memory is there for all that are measured.
    compare(&index, &directory, &BTreeSet::new(), "not counted: the first time")?;
    compare(&index, &directory, &BTreeSet::new(), "ten hits and how many there are")?;
    compare(&index, &directory, &FacetBy::ALL.into_iter().collect(), "the same with facets")
}

fn id(n: u64) -> NotionId {
    NotionId(Uuid::from_u128(u128::from(n) + 1))
}

fn index(items: u64) -> anyhow::Result<SearchIndex> {
    let sink = IndexSink::in_memory(Runtime::real())?;
    let mut numbers = Numbers(1);
    let mut batch = Vec::new();
    for n in 0..items {
        batch.push(Change::Upsert(Box::new(delivery(n, &mut numbers))));
        if batch.len() as u64 == BATCH || n + 1 == items {
            let cursor = OutboxCursor { epoch: Uuid::nil(), sequence: n as i64 + 1 };
            sink.deliver_now(&std::mem::take(&mut batch), cursor)?;
        }
    }
    Ok(sink.search_index())
}

fn delivery(n: u64, numbers: &mut Numbers) -> Delivery {
    let above = [n - n % SUBTREE, n - n % SECTION];
    let mut ancestors: Vec<Crumb> = Vec::new();
    for object in above.into_iter().filter(|object| *object != n).map(id) {
        if ancestors.last().is_none_or(|last| last.id != object) {
            ancestors.push(Crumb { id: object, kind: ItemKind::Page, title: numbers.word(), is_held: true });
        }
    }
    let path = ancestors.iter().map(|crumb| crumb.id).chain([id(n)]).collect();
    let text: Vec<String> = (0..WORDS_OF_A_PAGE).map(|_| numbers.word()).collect();
    let parent = ancestors.last().map_or(Parent::Workspace, |crumb| Parent::Page(crumb.id));
    Delivery {
        item: Item {
            key: ItemKey::new(NotionId(Uuid::nil()), ItemKind::Page, id(n)),
            kind: ItemKind::Page,
            id: id(n),
            title: format!("{} {}", numbers.word(), numbers.word()),
            url: String::new(),
            icon: None,
            cover: None,
            parent,
            text: text.join(" "),
            passages: Vec::new(),
            properties: Vec::new(),
            links: Vec::new(),
            created_time: Timestamp::UNIX_EPOCH,
            last_edited_time: Timestamp::UNIX_EPOCH + Duration::from_secs(n),
            created_by: None,
            last_edited_by: None,
            file: None,
        },
        holders: vec![CONNECTOR],
        ancestors,
        position: Position { path, is_known: true, marks: Vec::new() },
        related: Vec::new(),
        last_edited_by_name: None,
    }
}

/// People, whose groups are a few large and many small ones, and the connector in which all of them are mapped.
struct Directory {
    store: Store,
    people: Vec<PersonId>,
    _folder: tempfile::TempDir,
}

fn directory(people: u64) -> anyhow::Result<Directory> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    let mut numbers = Numbers(3);
    let mut ids = Numbers(4);
    let mut new_uid = || Uuid::from_u64_pair(ids.next(), ids.next());
    let begun = Instant::now();
    let people = store.take_in(DirectorySource::Import, Timestamp::UNIX_EPOCH, &mut new_uid, |intake| {
        let mut brought_in = Vec::new();
        for n in 0..people {
            let groups = (0..GROUPS_OF_A_PERSON).map(|_| group(&mut numbers)).collect();
            let record = PersonRecord {
                user_name: format!("person{n}"),
                email: Some(Some(format!("person{n}@acme.example"))),
                groups: Some(groups),
                ..PersonRecord::default()
            };
            brought_in.extend(intake.put(n + 1, record)?.ok());
        }
        Ok::<_, StoreError>((Keep::All, brought_in))
    })?;
    println!(
        "{} people of {GROUPS_OF_A_PERSON} groups each, brought in within {:.0} s",
        people.len(),
        begun.elapsed().as_secs_f64()
    );
    let new = NewConnector {
        name: "acme".to_owned(),
        notion_url: "http://127.0.0.1".to_owned(),
        sealed_secret: Vec::new(),
        created: Timestamp::UNIX_EPOCH,
    };
    anyhow::ensure!(store.add_connector(&new)? == Some(CONNECTOR), "another connector");
    Connection::open(folder.path().join("store.sqlite"))?.execute(
        "INSERT INTO external_users (connector, object, is_guest, state, person, told)
         SELECT ?1, uid, 0, 'mapped', id, 0 FROM persons",
        [CONNECTOR.0],
    )?;
    Ok(Directory { store, people, _folder: folder })
}

/// A group: the first ones have most people, the last ones a few.
fn group(numbers: &mut Numbers) -> String {
    format!("group {}", numbers.rank(GROUPS))
}

/// Rules about large and small places for large and small groups.
fn make_rules(store: &Store, items: u64) -> anyhow::Result<()> {
    let mut numbers = Numbers(5);
    let mut made = 0;
    while made < RULES {
        let step = if numbers.below(2) == 0 { SUBTREE } else { SECTION };
        let place = id(numbers.below(items.div_ceil(step)) * step);
        let to = (0..3).map(|_| AudienceGrant { value: None, to: GrantedTo::Group(group(&mut numbers)) });
        let rule = NewAudienceRule { place: Some(place), column: None, grants: to.collect() };
        // A group without people is not in the directory.
        made += u64::from(store.save_audience_rule(CONNECTOR, &rule)?.is_ok());
    }
    Ok(())
}

/// Whether a rule of the whole connector opens all that no other rule is about.
fn open_the_rest(store: &Store, open: bool) -> anyhow::Result<()> {
    let grants = open.then_some(AudienceGrant { value: None, to: GrantedTo::Everyone });
    let rule = NewAudienceRule { place: None, column: None, grants: grants.into_iter().collect() };
    store.save_audience_rule(CONNECTOR, &rule)?.map(drop).map_err(anyhow::Error::msg)
}

/// Who asks.
#[derive(Clone, Copy)]
enum Asks {
    /// Without a filter.
    Operator,
    /// Somebody else each time; the audiences are off, open but for some places, or closed but for some.
    People { audiences: bool, open: bool },
}

const CASES: [(&str, Asks); 4] = [
    ("the operator: no filter", Asks::Operator),
    ("people, audiences off", Asks::People { audiences: false, open: false }),
    ("people, some places closed", Asks::People { audiences: true, open: true }),
    ("people, some places open", Asks::People { audiences: true, open: false }),
];

fn compare(
    index: &SearchIndex,
    directory: &Directory,
    facets: &BTreeSet<FacetBy>,
    what: &str,
) -> anyhow::Result<()> {
    let mut numbers = Numbers(42);
    let queries: Vec<String> = (0..QUERIES)
        .map(|_| (0..=numbers.below(3)).map(|_| numbers.word()).collect::<Vec<_>>().join(" "))
        .collect();
    println!(
        "\n{what}\n{:>9} {:>9} {:>9} {:>7} {:>11} {:>12}  who asks",
        "median ms", "p95 ms", "mean ms", "ratio", "found", "decided ms"
    );
    let mut unfiltered = None;
    for (name, asks) in CASES {
        if let Asks::People { audiences, open } = asks {
            directory.store.set_audiences(CONNECTOR, audiences)?;
            open_the_rest(&directory.store, open)?;
        }
        let (mut took, mut deciding, mut found) = (Vec::new(), Duration::ZERO, 0);
        for query in &queries {
            let person = directory.people[numbers.below(directory.people.len() as u64) as usize];
            let begun = Instant::now();
            let viewer = match asks {
                Asks::Operator => Viewer::LocalOperator,
                Asks::People { .. } => directory.store.load_viewer(person)?,
            };
            deciding += begun.elapsed();
            let request = SearchRequest { facets: facets.clone(), ..SearchRequest::new(query, viewer) };
            found += index.search(&request)?.total as u64;
            took.push(begun.elapsed());
        }
        took.sort();
        let sum: Duration = took.iter().sum();
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        println!(
            "{:>9.2} {:>9.2} {:>9.2} {:>7.2} {:>11} {:>12.3}  {name}",
            ms(took[took.len() / 2]),
            ms(took[took.len() * 95 / 100]),
            ms(sum) / QUERIES as f64,
            sum.as_secs_f64() / unfiltered.get_or_insert(sum).as_secs_f64(),
            found / QUERIES,
            ms(deciding) / QUERIES as f64,
        );
    }
    Ok(())
}
