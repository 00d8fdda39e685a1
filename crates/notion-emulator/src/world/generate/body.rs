//! The body of a generated page: prose, lists, tables, code, media and links, the page's marker word in its place, and
//! the child pages in the containers that their parents name.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{FIRST_CONTAINER, Generator, Marked, Place, Stream, has_file, marker, marker_place};
use crate::world::World;
use crate::world::ids::Space;
use crate::world::model::{Block, Ix, Kind, Node, Parent};
use crate::world::rich_text;
use crate::world::rng::Rng;

const CODE: [(&str, &str); 3] = [
    ("rust", "fn area(width: u32, height: u32) -> u32 {\n    width * height\n}"),
    ("python", "def area(width, height):\n    return width * height"),
    ("bash", "set -eu\nfor file in *.csv; do\n  wc -l \"$file\"\ndone"),
];

/// The toggle that holds a page's child of this number.
pub(super) const fn toggle_ordinal(number: u32) -> u32 {
    FIRST_CONTAINER + 2 * number
}

/// The column that holds a page's child of this number.
pub(super) const fn column_ordinal(number: u32) -> u32 {
    FIRST_CONTAINER + 2 * number + 1
}

const COLUMN_LISTS: u32 = FIRST_CONTAINER * 10;

pub(super) fn body(world: &World, generator: &Generator, ix: Ix) -> Vec<Node> {
    let rng = generator.rng(ix, Stream::Body);
    let mut writer = Writer {
        world,
        generator,
        rng,
        ix,
        next_ordinal: 1,
        marker: Some(marker_place(world, generator, ix)),
    };
    let mut nodes = writer.prose();
    writer.place_marker(&mut nodes);
    if has_file(world, ix) {
        nodes.push(writer.block(
            "file",
            json!({"caption": [], "type": "file", "file": file_ref(world, ix), "name": file_name(ix)}),
            Vec::new(),
        ));
    }
    writer.children(&mut nodes);
    nodes
}

struct Writer<'a> {
    world: &'a World,
    generator: &'a Generator,
    rng: Rng,
    ix: Ix,
    next_ordinal: u32,
    /// Where the marker is still to be written.
    marker: Option<Place>,
}

impl Writer<'_> {
    fn block(&mut self, kind: &str, payload: Value, children: Vec<Node>) -> Node {
        let ordinal = self.next_ordinal;
        self.next_ordinal += 1;
        self.block_at(ordinal, kind, payload, children)
    }

    fn block_at(&self, ordinal: u32, kind: &str, payload: Value, children: Vec<Node>) -> Node {
        let payload = rich_text::complete_payload(kind, payload);
        Node::Block(Block {
            ordinal,
            kind: kind.to_owned(),
            payload,
            children,
            trashed: false,
            edited_ms: None,
        })
    }

    fn sentences(&mut self, low: usize, high: usize) -> String {
        let mut text = String::with_capacity(high * 90);
        for number in 0..self.rng.between(low, high) {
            if number > 0 {
                text.push(' ');
            }
            let words = self.rng.between(7, 18);
            self.generator.vocabulary.push_sentence(&mut self.rng, words, &mut text);
        }
        text
    }

    fn phrase(&mut self) -> String {
        let words = self.rng.between(2, 9);
        self.generator.vocabulary.sentence(&mut self.rng, words)
    }

    /// A paragraph; some have a bold word, a link or a mention.
    fn paragraph(&mut self) -> Value {
        let mut items = vec![json!({"text": {"content": self.sentences(2, 5)}})];
        match self.rng.below(10) {
            0 => items.push(json!({"text": {"content": format!(" {}", self.phrase())}, "annotations": {"bold": true}})),
            1 => items.push(json!({"text": {"content": " reference", "link": {"url": format!("https://works.example/wiki/{}", self.ix.0)}}})),
            2 => {
                if let Some(page) = self.some_page() {
                    items.push(json!({"text": {"content": " See "}}));
                    items.push(json!({"mention": {"page": {"id": self.world.id(page)}}}));
                    items.push(json!({"text": {"content": "."}}));
                }
            }
            3 => items.push(json!({"text": {"content": " config.toml"}, "annotations": {"code": true}})),
            _ => {}
        }
        json!({ "rich_text": items })
    }

    /// Some page near this one in number.
    fn some_page(&mut self) -> Option<Ix> {
        let count = self.world.len().min(self.generator.entities as usize);
        let ix = Ix(u32::try_from(self.rng.below(count)).ok()?);
        (self.world.entity(ix).kind == Kind::Page).then_some(ix)
    }

    fn plain(&mut self, kind: &str, text: &str) -> Node {
        self.block(kind, json!({"rich_text": [{"text": {"content": text}}]}), Vec::new())
    }

    fn prose(&mut self) -> Vec<Node> {
        let is_row = self.world.is_row(self.ix);
        let sections = if is_row { self.rng.between(1, 3) } else { self.rng.between(2, 6) };
        let mut nodes = Vec::with_capacity(sections * 4);
        for section in 0..sections {
            if !is_row || section > 0 {
                let kind = match self.rng.below(10) {
                    0..2 => "heading_1",
                    2..7 => "heading_2",
                    7..9 => "heading_3",
                    _ => "heading_4",
                };
                let text = self.generator.vocabulary.title(&mut self.rng, 3);
                let heading = self.plain(kind, &text);
                nodes.push(heading);
            }
            let payload = self.paragraph();
            let paragraph = self.block("paragraph", payload, Vec::new());
            nodes.push(paragraph);
            if self.rng.chance(if is_row { 40 } else { 80 }) {
                self.figure(&mut nodes);
            }
        }
        nodes
    }

    /// Something else than a paragraph.
    fn figure(&mut self, nodes: &mut Vec<Node>) {
        let node = match self.rng.below(12) {
            0 | 1 => return self.list(nodes, "bulleted_list_item"),
            2 => return self.list(nodes, "numbered_list_item"),
            3 => return self.tasks(nodes),
            4 => {
                let text = self.sentences(1, 2);
                self.plain("quote", &text)
            }
            5 => {
                let (language, text) = self.rng.pick(&CODE).copied().unwrap_or(CODE[0]);
                self.block(
                    "code",
                    json!({"rich_text": [{"text": {"content": text}}], "language": language}),
                    Vec::new(),
                )
            }
            6 => self.table(),
            7 => {
                let text = self.phrase();
                let inside = self.paragraph();
                let inside = self.block("paragraph", inside, Vec::new());
                self.block("toggle", json!({"rich_text": [{"text": {"content": text}}]}), vec![inside])
            }
            8 => {
                let text = self.sentences(1, 2);
                self.block("callout", json!({"rich_text": [{"text": {"content": text}}], "icon": {"type": "emoji", "emoji": "💡"}}), Vec::new())
            }
            9 => self.block("equation", json!({"expression": "E = m c^2"}), Vec::new()),
            10 => self.image(),
            _ => self.block("divider", json!({}), Vec::new()),
        };
        nodes.push(node);
    }

    fn list(&mut self, nodes: &mut Vec<Node>, kind: &str) {
        for _ in 0..self.rng.between(2, 5) {
            let nested = if self.rng.chance(20) {
                let text = self.phrase();
                vec![self.plain(kind, &text)]
            } else {
                Vec::new()
            };
            let text = self.phrase();
            let node = self.block(kind, json!({"rich_text": [{"text": {"content": text}}]}), nested);
            nodes.push(node);
        }
    }

    fn tasks(&mut self, nodes: &mut Vec<Node>) {
        for _ in 0..self.rng.between(2, 4) {
            let text = self.phrase();
            let checked = self.rng.chance(50);
            let node = self.block(
                "to_do",
                json!({"rich_text": [{"text": {"content": text}}], "checked": checked}),
                Vec::new(),
            );
            nodes.push(node);
        }
    }

    fn table(&mut self) -> Node {
        let width = self.rng.between(2, 4);
        let rows = self.rng.between(2, 5);
        let mut children = Vec::with_capacity(rows);
        for row in 0..rows {
            let mut cells: Vec<Value> = Vec::with_capacity(width);
            for _ in 0..width {
                let text = self.generator.vocabulary.word(&mut self.rng).to_owned();
                cells.push(json!([{"text": {"content": text}}]));
            }
            if row == 1 && self.marker == Some(Place::TableCell) {
                cells[0] = json!([{"text": {"content": self.take_marker()}}]);
            }
            children.push(self.block("table_row", json!({ "cells": cells }), Vec::new()));
        }
        self.block("table", json!({"table_width": width, "has_column_header": true}), children)
    }

    fn image(&mut self) -> Node {
        let mut caption = self.phrase();
        if self.marker == Some(Place::Caption) {
            caption = format!("{caption} {}", self.take_marker());
        }
        let url = format!("https://images.works.example/{}.png", self.ix.0);
        self.block("image", json!({"caption": [{"text": {"content": caption}}], "type": "external", "external": {"url": url}}), Vec::new())
    }

    fn take_marker(&mut self) -> String {
        self.marker = None;
        marker(self.world, self.ix, Marked::Page)
    }

    /// Writes the marker where it belongs, unless a table or an image took it already.
    fn place_marker(&mut self, nodes: &mut Vec<Node>) {
        let node = match self.marker {
            None | Some(Place::Property) => return,
            Some(Place::Paragraph) => {
                let text = format!("{} {} {}", self.sentences(1, 1), self.take_marker(), self.phrase());
                self.plain("paragraph", &text)
            }
            Some(Place::Nested) => {
                let text = format!("{} {}", self.phrase(), self.take_marker());
                let inner = self.plain("paragraph", &text);
                let item = json!({"rich_text": [{"text": {"content": self.phrase()}}]});
                let middle = self.block("bulleted_list_item", item, vec![inner]);
                let outer = json!({"rich_text": [{"text": {"content": self.phrase()}}]});
                self.block("toggle", outer, vec![middle])
            }
            Some(Place::TableCell) => self.table(),
            Some(Place::Caption) => self.image(),
        };
        let at = self.rng.below(nodes.len() + 1);
        nodes.insert(at, node);
    }

    /// Child pages and databases, each where its parent says.
    fn children(&mut self, nodes: &mut Vec<Node>) {
        let mut columns = Vec::new();
        for child in self.world.entity(self.ix).children.clone() {
            match self.world.entity(child).parent {
                Parent::Block(_, ordinal) if ordinal % 2 == 0 => {
                    let text = json!({"rich_text": [{"text": {"content": self.phrase()}}]});
                    nodes.push(self.block_at(ordinal, "toggle", text, vec![Node::Child(child)]));
                }
                Parent::Block(_, ordinal) => {
                    let column = json!({"width_ratio": 0.5});
                    columns.push(self.block_at(ordinal, "column", column, vec![Node::Child(child)]));
                    if columns.len() == 2 {
                        nodes.push(self.column_list(&mut columns));
                    }
                }
                _ => nodes.push(Node::Child(child)),
            }
        }
        if !columns.is_empty() {
            let text = self.sentences(1, 1);
            let beside = self.plain("paragraph", &text);
            columns.push(self.block("column", json!({"width_ratio": 0.5}), vec![beside]));
            nodes.push(self.column_list(&mut columns));
        }
    }

    fn column_list(&self, columns: &mut Vec<Node>) -> Node {
        let first = match columns.first() {
            Some(Node::Block(block)) => block.ordinal,
            _ => 0,
        };
        self.block_at(COLUMN_LISTS + first, "column_list", json!({}), std::mem::take(columns))
    }
}

fn file_name(ix: Ix) -> String {
    format!("attachment-{}.txt", ix.0)
}

/// What a payload keeps for the file of a generated page.
pub(crate) fn file_ref(world: &World, ix: Ix) -> Value {
    json!({"hosted": world.ids().seal(Space::File, ix.0, 1), "name": file_name(ix)})
}

/// The content of the file of a generated page.
pub(crate) fn file_bytes(world: &World, ix: Ix) -> Bytes {
    let Some(generator) = &world.generator else { return Bytes::new() };
    let mut rng = generator.rng(ix, Stream::File);
    let mut text = String::new();
    for line in 0..20 {
        let words = rng.between(6, 16);
        generator.vocabulary.push_sentence(&mut rng, words, &mut text);
        text.push('\n');
        if line == 11 {
            text.push_str(&marker(world, ix, Marked::File));
            text.push('\n');
        }
    }
    Bytes::from(text)
}
