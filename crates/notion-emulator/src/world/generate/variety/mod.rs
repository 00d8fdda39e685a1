//! Worlds with everything in them: pages and rows whose bodies hold every type of block, mention and mark in every legal
//! nesting, and whose properties hold every type of value.
//!
//! What is drawn comes from decks ([`decks`]): each form of block, each mention, each piece of hostile text comes up once
//! before any of them comes up again, so a world of some dozen pages holds all of them. Marker words stand in every text
//! that belongs to one page alone.
//!
//! A new type of block is a variant of [`blocks::Form`] or [`blocks::Holder`], a mention one of [`text::Mention`], a
//! property a line in [`rows`].

mod blocks;
mod catalogue;
mod decks;
mod rows;
#[cfg(test)]
mod tests;
mod text;

use serde_json::{Map, Value, json};

use self::decks::Decks;
use super::words::{self, Vocabulary};
use super::{FIRST_CREATED_MS, marker_word};
use crate::seed::{
    CommentSeed, Content, DataSourceSeed, DatabaseSeed, FileSeed, Import, PageSeed, WorkspaceSeed,
};
use crate::world::ids::Ids;
use crate::world::rng::Rng;

/// People of a generated workspace.
pub(super) const PEOPLE: usize = 24;

/// Who writes the pages.
struct Author<'a> {
    ids: &'a Ids,
    vocabulary: &'a Vocabulary,
    seed: u64,
    rng: Rng,
    decks: Decks,
    /// Names of all pages and rows, and of all databases.
    pages: usize,
    databases: usize,
    /// Marker words of the page that is being written.
    markers: Vec<String>,
    next_marker: u32,
    next_name: u32,
    /// Children of the page that have no place yet.
    embedded: Vec<Content>,
    /// Synced blocks of the page, by name.
    originals: Vec<String>,
    is_synced: bool,
    is_meeting: bool,
    /// What is being written shows on other pages too.
    is_shared: bool,
    /// Text is a few plain words.
    is_tame: bool,
}

/// Where a page or a database stands.
#[derive(Debug, Clone, Copy)]
enum Seat {
    Root,
    In(usize),
    Row(usize),
}

/// The world of this many pages and rows.
pub(super) fn import(pages: u32, seed: u64, depth: u32, ids: &Ids, vocabulary: &Vocabulary) -> Import {
    let pages = pages as usize;
    let mut rng = Rng::new(seed, u64::MAX, 7);
    let databases = if pages < 6 { 0 } else { (pages / 30).max(1) };
    let rows = if databases == 0 { 0 } else { pages * 2 / 5 };
    let seats = seats(&mut rng, pages, databases, rows);
    let mut author = Author::new(ids, vocabulary, seed, pages, databases);
    let root = author.tree(&seats, depth);
    written(root, people())
}

/// The world with one small page for each thing there is.
pub(super) fn catalogue(seed: u64, ids: &Ids, vocabulary: &Vocabulary) -> Import {
    let mut author = Author::new(ids, vocabulary, seed, 1, 1);
    let root = author.catalogue();
    let mut people = people();
    people.push(json!({"name": "Other bot", "type": "bot", "avatar_url": "https://icons.example/bot.png"}));
    people.push(json!({"avatar_url": null}));
    written(root, people)
}

fn written(roots: Vec<Content>, people: Vec<Value>) -> Import {
    let workspace = WorkspaceSeed { name: "Works of every kind".to_owned(), people, roots };
    Import { workspace, files: files(), left_out: Vec::new() }
}

fn people() -> Vec<Value> {
    let person = |number: usize| {
        let (name, email) = words::person(number);
        json!({"name": name, "email": email, "guest": number % 12 == 11})
    };
    (0..PEOPLE).map(person).collect()
}

/// Pages first, rows last. A page stands below an earlier one.
fn seats(rng: &mut Rng, pages: usize, databases: usize, rows: usize) -> Vec<Seat> {
    let plain = pages - rows;
    let page = |number: usize, rng: &mut Rng| match number % 20 {
        0 => Seat::Root,
        _ => Seat::In(rng.below(number)),
    };
    let mut seats: Vec<Seat> = (0..plain).map(|number| page(number, rng)).collect();
    seats.extend((0..rows).map(|row| Seat::Row(row % databases)));
    seats
}

/// One hosted file for each kind of media.
fn files() -> Vec<FileSeed> {
    let file = |name: &str| FileSeed {
        name: name.to_owned(),
        path: name.to_owned(),
        content: format!("Content of {name}.\n").into_bytes().into(),
    };
    ["drawing.png", "clip.mp4", "report (final).pdf", "memo.mp3", "Größe & Maß.txt"].map(file).to_vec()
}

fn page_name(number: usize) -> String {
    format!("page-{number}")
}

fn database_name(number: usize) -> String {
    format!("database-{number}")
}

fn table_name(number: usize) -> String {
    format!("table-{number}")
}

impl<'a> Author<'a> {
    fn new(ids: &'a Ids, vocabulary: &'a Vocabulary, seed: u64, pages: usize, databases: usize) -> Self {
        Self {
            ids,
            vocabulary,
            seed,
            rng: Rng::new(seed, u64::MAX, 8),
            decks: Decks::new(),
            pages,
            databases,
            markers: Vec::new(),
            next_marker: 0,
            next_name: 0,
            embedded: Vec::new(),
            originals: Vec::new(),
            is_synced: false,
            is_meeting: false,
            is_shared: false,
            is_tame: false,
        }
    }

    /// Writes pages from the last to the first, so that each finds its children written.
    fn tree(&mut self, seats: &[Seat], depth: u32) -> Vec<Content> {
        let mut below: Vec<Vec<Content>> = seats.iter().map(|_| Vec::new()).collect();
        let mut rows: Vec<Vec<PageSeed>> = (0..self.databases).map(|_| Vec::new()).collect();
        let mates: Vec<Vec<String>> = (0..self.databases)
            .map(|database| {
                let is_mate = |seat: &Seat| matches!(seat, Seat::Row(other) if *other == database);
                let numbers = (0..seats.len()).filter(|number| is_mate(&seats[*number]));
                numbers.map(page_name).collect()
            })
            .collect();
        let mut roots = Vec::new();
        for number in (0..seats.len()).rev() {
            if let Seat::Row(database) = seats[number] {
                let properties = if number % 3 == 0 { rows::empty() } else { self.full(&mates[database]) };
                let row = self.page(number, properties, depth, Vec::new());
                rows[database].insert(0, row);
                continue;
            }
            // Each database stands on the page of its own number; the last page has a linked view.
            let mut embedded = std::mem::take(&mut below[number]);
            if number < self.databases {
                let rows = std::mem::take(&mut rows[number]);
                embedded.push(self.database(number, rows));
            } else if number == self.databases {
                embedded.push(Content::Database(DatabaseSeed {
                    title: "Untitled".to_owned(),
                    ..DatabaseSeed::default()
                }));
            }
            let page = Content::Page(self.page(number, Map::new(), depth, embedded));
            match seats[number] {
                Seat::In(above) => below[above].insert(0, page),
                _ => roots.insert(0, page),
            }
        }
        roots
    }

    fn page(
        &mut self,
        number: usize,
        properties: Map<String, Value>,
        depth: u32,
        embedded: Vec<Content>,
    ) -> PageSeed {
        let title = if number % 17 == 16 { String::new() } else { self.title() };
        let title_text = if number % 7 == 3 { self.rich_title(&title) } else { Value::Null };
        let (icon, cover) = (self.icon(), self.cover());
        let count = self.rng.between(6, 14);
        let mut body = if number % 19 == 18 { embedded } else { self.body(depth, count, embedded) };
        if number == 0 {
            body.push(self.shared());
        }
        let comments = if number.is_multiple_of(5) { self.comments() } else { Vec::new() };
        PageSeed {
            name: Some(page_name(number)),
            title,
            icon,
            cover,
            properties,
            body,
            markers: std::mem::take(&mut self.markers),
            created_time: minute(number),
            last_edited_time: minute(number + 1000),
            comments,
            title_text,
        }
    }

    /// The synced block that other pages show copies of: what it says belongs to no page alone.
    fn shared(&mut self) -> Content {
        self.is_shared = true;
        let children = (0..3).map(|_| self.form(blocks::Form::Paragraph, 1)).collect();
        self.is_shared = false;
        Content::Block(crate::seed::BlockSeed {
            name: Some("shared".to_owned()),
            kind: "synced_block".to_owned(),
            payload: json!({"synced_from": null}),
            children,
        })
    }

    /// Two comments of one discussion and one of another, each with marker words of its own.
    fn comments(&mut self) -> Vec<CommentSeed> {
        let of_page = std::mem::take(&mut self.markers);
        let mut comment = |discussion: Option<&str>| CommentSeed {
            author: Some(words::person(self.rng.below(PEOPLE)).1),
            discussion: discussion.map(str::to_owned),
            rich_text: self.rich_text(),
            markers: std::mem::take(&mut self.markers),
            ..CommentSeed::default()
        };
        let comments = vec![comment(Some("thread")), comment(Some("thread")), comment(None)];
        self.markers = of_page;
        comments
    }

    fn database(&mut self, number: usize, rows: Vec<PageSeed>) -> Content {
        let table = table_name(number);
        let schema = rows::schema(&table);
        let mut data_sources = vec![DataSourceSeed {
            name: Some(table),
            title: self.title(),
            description: self.words(2, 5),
            schema,
            rows,
            databases: Vec::new(),
        }];
        if number.is_multiple_of(2) {
            let title = self.title();
            data_sources.push(DataSourceSeed { title, ..DataSourceSeed::default() });
        }
        Content::Database(DatabaseSeed {
            name: Some(database_name(number)),
            title: self.title(),
            description: self.words(3, 8),
            icon: self.icon(),
            cover: self.cover(),
            is_inline: self.rng.chance(50),
            is_wiki: false,
            data_sources,
        })
    }

    /// A marker word of this page with a space before it; nothing in text that several pages show.
    fn marker(&mut self) -> String {
        if self.is_shared {
            return String::new();
        }
        let word = marker_word(self.seed, self.next_marker);
        self.next_marker += 1;
        let spaced = format!(" {word}");
        self.markers.push(word);
        spaced
    }

    fn name(&mut self, kind: &str) -> String {
        self.next_name += 1;
        format!("{kind}-{}", self.next_name)
    }

    fn some_page(&mut self) -> String {
        page_name(self.rng.below(self.pages))
    }

    fn some_database(&mut self) -> Option<String> {
        (self.databases > 0).then(|| database_name(self.rng.below(self.databases)))
    }

    fn file(&mut self, kind: &str) -> &'static str {
        match kind {
            "image" => "drawing.png",
            "video" => "clip.mp4",
            "pdf" => "report (final).pdf",
            "audio" => "memo.mp3",
            _ => "Größe & Maß.txt",
        }
    }

    fn custom_emoji(&self) -> Value {
        json!({"id": self.ids.seal(crate::world::ids::Space::PropertyOption, 4, 1), "name": "gauge",
            "url": "https://s3-us-west-2.amazonaws.com/public.notion-static.com/gauge.png"})
    }

    fn icon(&mut self) -> Value {
        let kind = self.decks.icons.draw(&mut self.rng);
        self.icon_of(kind)
    }

    fn icon_of(&mut self, kind: &str) -> Value {
        match kind {
            "emoji" => json!({"type": "emoji", "emoji": words::emoji(&mut self.rng)}),
            "external" => json!({"type": "external", "external": {"url": "https://icons.example/a.svg"}}),
            "file" => json!({"type": "file", "file": {"ref": "drawing.png"}}),
            "custom_emoji" => json!({"type": "custom_emoji", "custom_emoji": self.custom_emoji()}),
            "icon" => json!({"type": "icon", "icon": {"name": "pizza", "color": "blue"}}),
            _ => Value::Null,
        }
    }

    fn cover(&mut self) -> Value {
        let kind = self.decks.covers.draw(&mut self.rng);
        self.cover_of(kind)
    }

    fn cover_of(&self, kind: &str) -> Value {
        match kind {
            "external" => {
                json!({"type": "external", "external": {"url": "https://www.notion.so/images/page-cover/woodcuts_1.jpg"}})
            }
            "file" => json!({"type": "file", "file": {"ref": "drawing.png"}}),
            _ => Value::Null,
        }
    }
}

/// The minute of that number after the first.
fn minute(number: usize) -> Option<jiff::Timestamp> {
    let minutes = i64::try_from(number).ok()?;
    jiff::Timestamp::from_millisecond(FIRST_CREATED_MS + minutes * 60_000).ok()
}
