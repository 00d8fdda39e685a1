//! Worlds of any size from a seed.
//!
//! Only the skeleton is laid out when a world is made: parents, times and authors, some 150 bytes for each page. Titles,
//! properties and bodies are made up from seed and number whenever they are read, always the same ([`body`], [`row`]).
//! An edit writes the page down first (`World::page_mut`), and from then on it is like any other.

mod body;
mod extreme;
mod row;
mod spec;
mod variety;
mod words;

use serde_json::json;

use super::World;
use super::ids::Ids;
use super::model::{
    Body, Comment, DataSourceDetail, DatabaseDetail, Detail, Ix, Kind, Node, PageDetail, Parent,
};
use super::rng::{Rng, mix};
use super::{rich_text, schema};
use crate::seed::Import;
use words::Vocabulary;

pub use spec::{Generate, GenerateError, Shape};

pub(crate) use body::{file_bytes, file_ref};

/// The ordinal of the first container block that holds child pages; below it are a generated body's own blocks.
const FIRST_CONTAINER: u32 = 100_000;
/// A generated page, edited, gives its next block this ordinal.
const FIRST_EDITED: u32 = 10_000_000;
/// Generated pages were created from January 2023 on …
const FIRST_CREATED_MS: i64 = 1_672_560_000_000;
/// … and last edited before July 2026.
const LAST_EDITED_MS: i64 = 1_782_864_000_000;

/// What generated pages are made from.
#[derive(Debug)]
pub struct Generator {
    seed: u64,
    vocabulary: Vocabulary,
    /// The entities up to here are generated; later ones were planted.
    entities: u32,
}

impl Generator {
    fn rng(&self, ix: Ix, stream: Stream) -> Rng {
        Rng::new(self.seed, u64::from(ix.0), stream as u64)
    }
}

/// Independent sequences of one page, so that its title can be made without its body.
#[derive(Debug, Clone, Copy)]
enum Stream {
    Title = 1,
    Body = 2,
    Row = 3,
    Marker = 4,
    File = 5,
}

/// What a marker word marks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Marked {
    /// The page: a word of its body or of a property.
    Page = 0,
    /// The content of its file.
    File = 1,
    /// A comment on it.
    Comment = 2,
}

/// Where a page's marker word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Paragraph,
    Nested,
    TableCell,
    Caption,
    Property,
}

impl World {
    /// A generated world.
    #[must_use]
    pub fn generated(generate: Generate) -> Self {
        let Generate { pages, seed, shape } = generate;
        let (ids, vocabulary) = (Ids::new(seed), || Vocabulary::new(seed));
        let import = match shape {
            Shape::Mixed | Shape::Flat | Shape::Deep | Shape::Database { .. } | Shape::Tables { .. } => {
                return Self::laid_out(generate);
            }
            Shape::Varied { depth } => variety::import(pages, seed, depth, &ids, &vocabulary()),
            Shape::Catalogue => variety::catalogue(seed, &ids, &vocabulary()),
            _ => extreme::import(generate),
        };
        Self::written(import, seed)
    }

    /// A generated world that is written down whole. Its seed names all that it refers to, and the tests below plant
    /// each; if one did not, the world would be empty and its name would say why.
    fn written(import: Import, seed: u64) -> Self {
        Self::planted(import, seed, LAST_EDITED_MS)
            .unwrap_or_else(|error| Self::new(&error.to_string(), seed, LAST_EDITED_MS))
    }

    fn laid_out(generate: Generate) -> Self {
        let mut world = Self::new("Generated Works", generate.seed, LAST_EDITED_MS);
        for number in 0..24 {
            let (name, email) = words::person(number);
            world.add_person(&json!({"name": name, "email": email, "guest": number % 12 == 11}));
        }
        let vocabulary = Vocabulary::new(generate.seed);
        world.generator = Some(Generator { seed: generate.seed, vocabulary, entities: u32::MAX });
        let mut layout = Layout { world, rng: Rng::new(generate.seed, u64::MAX, 0), of: generate, made: 0 };
        match generate.shape {
            Shape::Mixed => layout.mixed(),
            Shape::Flat => layout.flat(),
            Shape::Deep => layout.deep(),
            Shape::Tables { rows } => layout.tables(rows),
            _ => layout.database(),
        }
        let mut world = layout.world;
        world.add_generated_comments();
        let entities = u32::try_from(world.entities.len()).unwrap_or(u32::MAX);
        if let Some(generator) = &mut world.generator {
            generator.entities = entities;
        }
        world
    }

    fn add_generated_comments(&mut self) {
        let numbers = 0..u32::try_from(self.entities.len()).unwrap_or(u32::MAX);
        for ix in numbers.map(Ix).filter(|ix| ix.0 % 23 == 5) {
            let entity = self.entity(ix);
            if entity.kind != Kind::Page {
                continue;
            }
            let marker = marker(self, ix, Marked::Comment);
            let comment = Comment {
                page: ix,
                ordinal: 0,
                discussion: ix.0,
                created_by: entity.created_by,
                created_ms: entity.created_ms,
                edited_ms: entity.created_ms,
                rich_text: rich_text::plain(&format!("Please check {marker} before the review.")),
                attachments: serde_json::Value::Null,
                display_name: serde_json::Value::Null,
                resolved: false,
                markers: vec![marker],
            };
            self.add_comment(comment);
        }
    }
}

/// Lays the skeleton out.
struct Layout {
    world: World,
    rng: Rng,
    of: Generate,
    made: u32,
}

impl Layout {
    fn page(&mut self, parent: Parent) -> Ix {
        let times = self.times();
        let author = u32::try_from(self.rng.below(24)).unwrap_or_default();
        self.made += 1;
        self.world.add_generated(Kind::Page, parent, times, author)
    }

    /// Creation times grow with the number of the page; edits follow at some later minute.
    fn times(&mut self) -> (i64, i64) {
        let span = LAST_EDITED_MS - FIRST_CREATED_MS;
        let made = match self.of.shape {
            Shape::Database { per_minute: Some(rows) } => self.made - self.made % rows.max(1),
            _ => self.made,
        };
        let done = i64::from(made) * span / i64::from(self.of.pages.max(1));
        let created = FIRST_CREATED_MS + done;
        let left = usize::try_from(LAST_EDITED_MS - created).unwrap_or_default();
        let edited = created + i64::try_from(self.rng.below(left.max(1))).unwrap_or_default();
        (created - created % 60_000, edited - edited % 60_000)
    }

    fn is_full(&self) -> bool {
        self.made >= self.of.pages
    }

    /// A database below a page, with one data source.
    fn data_source(&mut self, parent: Parent) -> Ix {
        let times = self.times();
        let database = self.world.add_generated(Kind::Database, parent, times, 0);
        let mut rng = Rng::new(self.of.seed, u64::from(database.0), Stream::Title as u64);
        let title = match &self.world.generator {
            Some(generator) => generator.vocabulary.title(&mut rng, 2),
            None => String::new(),
        };
        let is_inline = rng.chance(40);
        self.world.set_detail(
            database,
            Detail::Database(Box::new(DatabaseDetail {
                title: title.clone(),
                is_inline,
                ..DatabaseDetail::default()
            })),
        );
        let data_source = self.world.add_generated(Kind::DataSource, Parent::Database(database), times, 0);
        let schema = schema::complete_schema(self.world.ids(), &row::schema());
        let detail = DataSourceDetail { title, schema, next_unique: 1, ..DataSourceDetail::default() };
        self.world.set_detail(data_source, Detail::DataSource(Box::new(detail)));
        data_source
    }

    /// Where in its parent a page stands: directly, in a toggle or in a column.
    fn place_in(&mut self, page: Ix) -> Parent {
        let number = u32::try_from(self.world.entity(page).children.len()).unwrap_or_default();
        match self.rng.below(100) {
            0..20 => Parent::Block(page, body::toggle_ordinal(number)),
            20..35 => Parent::Block(page, body::column_ordinal(number)),
            _ => Parent::Page(page),
        }
    }

    fn mixed(&mut self) {
        let roots = (self.of.pages / 500).clamp(1, 40);
        let mut open: Vec<(Ix, u32)> = Vec::new();
        for _ in 0..roots {
            open.push((self.page(Parent::Workspace), 0));
        }
        while !self.is_full() {
            let at = self.rng.below(open.len());
            let (parent, depth) = open[at];
            if self.world.entity(parent).children.len() >= 12 && open.len() > 1 {
                open.swap_remove(at);
                continue;
            }
            // About every hundredth page brings a database, whose rows make up some 45 % of the whole.
            let wants_rows = self.made % 100 == 3;
            let place = self.place_in(parent);
            if wants_rows {
                let data_source = self.data_source(place);
                for _ in 0..self.rng.between(20, 140) {
                    if self.is_full() {
                        break;
                    }
                    let row = self.page(Parent::DataSource(data_source));
                    if depth < 3 && self.rng.chance(2) {
                        open.push((row, depth + 2));
                    }
                }
                if self.is_full() {
                    break;
                }
            }
            let place = self.place_in(parent);
            let page = self.page(place);
            if depth < 8 {
                open.push((page, depth + 1));
            }
        }
    }

    fn flat(&mut self) {
        while !self.is_full() {
            let root = self.page(Parent::Workspace);
            for _ in 0..1000 {
                if self.is_full() {
                    break;
                }
                self.page(Parent::Page(root));
            }
        }
    }

    fn deep(&mut self) {
        while !self.is_full() {
            let mut parent = Parent::Workspace;
            for _ in 0..30 {
                if self.is_full() {
                    break;
                }
                let page = self.page(parent);
                parent = self.place_in(page);
            }
        }
    }

    /// What a large company has: most of it rows, every tenth data source more of them than one query lists.
    fn tables(&mut self, rows: u32) {
        let mut tables = 0_u32;
        while !self.is_full() {
            let root = self.page(Parent::Workspace);
            let middle = self.subpages(root, 9);
            for page in middle {
                for inner in self.subpages(page, 10) {
                    self.subpages(inner, 10);
                }
            }
            for _ in 0..2 {
                if self.is_full() {
                    break;
                }
                let place = self.place_in(root);
                let data_source = self.data_source(place);
                tables += 1;
                for _ in 0..(if tables.is_multiple_of(10) { rows * 5 } else { rows }) {
                    if self.is_full() {
                        break;
                    }
                    self.page(Parent::DataSource(data_source));
                }
            }
        }
    }

    /// Up to so many pages in a page.
    fn subpages(&mut self, parent: Ix, count: u32) -> Vec<Ix> {
        let mut made = Vec::new();
        while made.len() < count as usize && !self.is_full() {
            let place = self.place_in(parent);
            made.push(self.page(place));
        }
        made
    }

    fn database(&mut self) {
        let root = self.page(Parent::Workspace);
        if self.is_full() {
            return;
        }
        let data_source = self.data_source(Parent::Page(root));
        while !self.is_full() {
            self.page(Parent::DataSource(data_source));
        }
    }
}

/// A page's title.
pub(super) fn title(world: &World, ix: Ix) -> String {
    let Some(generator) = &world.generator else { return String::new() };
    let mut rng = generator.rng(ix, Stream::Title);
    let words = rng.between(2, 6);
    generator.vocabulary.title(&mut rng, words)
}

/// A page's fields without its body.
pub(super) fn page_detail(world: &World, ix: Ix) -> PageDetail {
    let Some(generator) = &world.generator else { return PageDetail::default() };
    let mut rng = generator.rng(ix, Stream::Marker);
    let icon = if rng.chance(30) {
        json!({"type": "emoji", "emoji": words::emoji(&mut rng)})
    } else {
        serde_json::Value::Null
    };
    PageDetail {
        title: title(world, ix),
        title_text: serde_json::Value::Null,
        icon,
        cover: serde_json::Value::Null,
        properties: row::properties(world, generator, ix),
        markers: vec![marker(world, ix, Marked::Page)],
        body: Body::Generated,
        next_ordinal: FIRST_EDITED,
    }
}

/// A page's body.
pub(super) fn body(world: &World, ix: Ix) -> Vec<Node> {
    match &world.generator {
        Some(generator) => body::body(world, generator, ix),
        None => Vec::new(),
    }
}

/// The marker word of a page, its file or its comment: unique in the world, because the number behind it is.
pub(crate) fn marker(world: &World, ix: Ix, marked: Marked) -> String {
    let seed = world.generator.as_ref().map_or(0, |generator| generator.seed);
    marker_word(seed, (ix.0 << 2) | marked as u32)
}

/// The marker word of a number below 2^30.
fn marker_word(seed: u64, number: u32) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstvwxyz0123456789";
    // Four Feistel rounds over 30 bits keep the numbers apart and make neighbours look unlike each other.
    let (mut left, mut right) = (number >> 15 & 0x7fff, number & 0x7fff);
    for round in 0..4_u64 {
        let mixed = mix(seed ^ (round << 32) ^ u64::from(right)) & 0x7fff;
        (left, right) = (right, left ^ u32::try_from(mixed).unwrap_or_default());
    }
    let bits = (left << 15) | right;
    let letters = (0..6).map(|at| char::from(LETTERS[(bits >> (5 * at) & 31) as usize]));
    ['m', 'k'].into_iter().chain(letters).collect()
}

/// Where a page's marker word stands.
fn marker_place(world: &World, generator: &Generator, ix: Ix) -> Place {
    let mut rng = generator.rng(ix, Stream::Marker);
    match rng.below(100) {
        0..55 => Place::Paragraph,
        55..72 => Place::Nested,
        72..84 => Place::TableCell,
        84..92 => Place::Caption,
        _ if world.is_row(ix) => Place::Property,
        _ => Place::Paragraph,
    }
}

/// Whether a page was generated with a hosted file.
pub(crate) fn has_file(world: &World, ix: Ix) -> bool {
    world.generator.as_ref().is_some_and(|generator| {
        ix.0 < generator.entities
            && world.entity(ix).kind == Kind::Page
            && generator.rng(ix, Stream::File).chance(4)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::world::find_block;

    fn world(shape: Shape, pages: u32) -> World {
        World::generated(Generate { pages, seed: 5, shape })
    }

    #[test]
    fn every_shape_has_exactly_the_pages_asked_for() {
        let database = Shape::Database { per_minute: None };
        let tables = Shape::Tables { rows: 40 };
        let shapes = [Shape::Mixed, Shape::Flat, Shape::Deep, database, tables, Shape::Varied { depth: 3 }];
        for shape in shapes {
            for pages in [1, 2, 7, 300, 1234] {
                let made = world(shape, pages).entities().filter(|(_, e)| e.kind == Kind::Page).count();
                assert_eq!(made, pages as usize, "{shape:?}");
            }
        }
    }

    #[test]
    fn marker_words_are_unique_and_each_stands_in_its_page() {
        let world = world(Shape::Mixed, 600);
        let mut seen = BTreeSet::new();
        for (ix, entity) in world.entities().filter(|(_, entity)| entity.kind == Kind::Page) {
            assert!(entity.edited_ms >= entity.created_ms);
            let page = world.page(ix);
            for marked in [Marked::Page, Marked::File, Marked::Comment] {
                assert!(seen.insert(marker(&world, ix, marked)));
            }
            let text = format!("{:?} {:?}", world.body(ix), page.properties);
            assert!(text.contains(&page.markers[0]), "{} misses its marker", world.id(ix));
        }
    }

    #[test]
    fn a_page_within_a_block_is_found_in_that_block() {
        let world = world(Shape::Mixed, 800);
        let mut nested = 0;
        for (ix, entity) in world.entities() {
            let Parent::Block(page, ordinal) = entity.parent else { continue };
            nested += 1;
            let body = world.body(page);
            let (block, _) = find_block(&body, ordinal).expect("the block of the parent exists");
            assert!(block.children.iter().any(|node| matches!(node, Node::Child(child) if *child == ix)));
        }
        assert!(nested > 50);
    }

    #[test]
    fn a_mixed_world_has_a_fair_share_of_rows() {
        let world = world(Shape::Mixed, 10_000);
        let rows = world.entities().filter(|(ix, _)| world.is_row(*ix)).count();
        assert!((2_500..7_000).contains(&rows), "{rows} rows");
    }
}
