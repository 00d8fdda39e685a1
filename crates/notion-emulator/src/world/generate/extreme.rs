//! Worlds at the edge: very deep, very long, very large, and in circles. Each is one or two pages, written down whole.

use serde_json::{Map, Value, json};

use super::marker_word;
use super::spec::{Generate, Shape};
use crate::seed::{BlockSeed, Content, DataSourceSeed, DatabaseSeed, Import, PageSeed, WorkspaceSeed};

/// Kinds that a chain goes through: all may hold any block.
const CHAIN: [&str; 6] =
    ["toggle", "bulleted_list_item", "quote", "paragraph", "numbered_list_item", "to_do"];

/// What is planted for a shape of this kind.
pub(super) fn import(generate: Generate) -> Import {
    let mut author = Author { seed: generate.seed, next_marker: 0, markers: Vec::new() };
    let roots = match generate.shape {
        Shape::Nested { depth } => author.nested(depth),
        Shape::Long { blocks, toggles, children } => author.long(blocks, toggles, children),
        Shape::Synced => author.circles(),
        Shape::Text { bytes } => author.text(bytes),
        Shape::Relations { count } => author.relations(count),
        _ => Vec::new(),
    };
    let people = vec![json!({"name": "Ada Example", "email": "ada@works.example"})];
    let workspace = WorkspaceSeed { name: "Works of extremes".to_owned(), people, roots };
    Import { workspace, ..Import::default() }
}

struct Author {
    seed: u64,
    next_marker: u32,
    /// Marker words of the page that is being written.
    markers: Vec<String>,
}

fn block(name: Option<&str>, kind: &str, payload: Value, children: Vec<Content>) -> Content {
    Content::Block(BlockSeed { name: name.map(str::to_owned), kind: kind.to_owned(), payload, children })
}

impl Author {
    fn marker(&mut self) -> String {
        let word = marker_word(self.seed, self.next_marker);
        self.next_marker += 1;
        self.markers.push(word.clone());
        word
    }

    fn says(&mut self, kind: &str, words: &str, children: Vec<Content>) -> Content {
        let content = format!("{words} {}", self.marker());
        block(None, kind, json!({"rich_text": [{"text": {"content": content}}]}), children)
    }

    fn page(&mut self, title: &str, properties: Map<String, Value>, body: Vec<Content>) -> PageSeed {
        let markers = std::mem::take(&mut self.markers);
        PageSeed { title: title.to_owned(), properties, body, markers, ..PageSeed::default() }
    }

    /// One chain of blocks.
    fn nested(&mut self, depth: u32) -> Vec<Content> {
        let mut inner = Vec::new();
        for level in (1..=depth).rev() {
            let kind = CHAIN.get(level as usize % CHAIN.len()).copied().unwrap_or("toggle");
            inner = vec![self.says(kind, &format!("Level {level}"), inner)];
        }
        vec![Content::Page(self.page("Nested", Map::new(), inner))]
    }

    /// Toggles are spread evenly over the page.
    fn long(&mut self, blocks: u32, toggles: u32, children: u32) -> Vec<Content> {
        let every = blocks.checked_div(toggles).unwrap_or(u32::MAX).max(1);
        let mut left = toggles;
        let mut body = Vec::with_capacity(blocks as usize);
        for number in 1..=blocks {
            let is_toggle = left > 0 && (number % every == 0 || blocks - number < left);
            if !is_toggle {
                body.push(self.says("paragraph", &format!("Paragraph {number}"), Vec::new()));
                continue;
            }
            left -= 1;
            let inside = (1..=children)
                .map(|child| self.says("paragraph", &format!("Line {number}.{child}"), Vec::new()));
            let inside = inside.collect();
            body.push(self.says("toggle", &format!("Toggle {number}"), inside));
        }
        vec![Content::Page(self.page("Long", Map::new(), body))]
    }

    /// A synced block that holds a copy of itself, two on different pages that hold copies of each other, and a copy of a
    /// copy. What the originals say shows on several pages, so it is marked by none.
    fn circles(&mut self) -> Vec<Content> {
        let plain = |text: &str| {
            block(None, "paragraph", json!({"rich_text": [{"text": {"content": text}}]}), Vec::new())
        };
        let original =
            |name: &str, children| block(Some(name), "synced_block", json!({"synced_from": null}), children);
        let copy = |name: Option<&str>, of: &str| {
            block(
                name,
                "synced_block",
                json!({"synced_from": {"type": "block_id", "block_id": {"ref": of}}}),
                Vec::new(),
            )
        };
        let own = original("own", vec![plain("Holds itself"), copy(None, "own"), plain("After itself")]);
        let left = original("left", vec![plain("Left holds right"), copy(None, "right"), plain("Left ends")]);
        let right =
            original("right", vec![plain("Right holds left"), copy(None, "left"), plain("Right ends")]);
        let deep = block(
            None,
            "toggle",
            json!({}),
            vec![copy(None, "deep"), plain("Beside the copy of what is above")],
        );
        let bodies = [
            ("In itself", vec![own]),
            ("Left", vec![left]),
            ("Right", vec![right, copy(Some("copy"), "left"), copy(None, "copy")]),
            ("Above itself", vec![original("deep", vec![deep])]),
        ];
        let pages = bodies.into_iter().map(|(title, mut body)| {
            body.push(self.says("paragraph", "After the circle", Vec::new()));
            Content::Page(self.page(title, Map::new(), body))
        });
        pages.collect()
    }

    /// A row whose text has this many bytes; marker words stand at its beginning, middle and end.
    fn text(&mut self, bytes: u32) -> Vec<Content> {
        let bytes = bytes as usize;
        let mut text = self.marker();
        for half in [bytes / 2, bytes] {
            while text.len() + 40 < half {
                text.push_str(" water stands at the gauge");
            }
            text.push(' ');
            text.push_str(&self.marker());
        }
        let rest = bytes.saturating_sub(text.len());
        text.push_str(&".".repeat(rest));
        let mut properties = Map::new();
        properties.insert("Notes".to_owned(), Value::from(text));
        let row = self.page("Long text", properties, Vec::new());
        let mut schema = Map::new();
        schema.insert("Name".to_owned(), json!({"type": "title", "title": {}}));
        schema.insert("Notes".to_owned(), json!({"type": "rich_text", "rich_text": {}}));
        vec![database("Texts", schema, vec![row])]
    }

    /// A row that is related to so many others.
    fn relations(&mut self, count: u32) -> Vec<Content> {
        let name = |number: u32| format!("station-{number}");
        let mut stations = Vec::with_capacity(count as usize);
        for number in 1..=count {
            self.marker();
            let title = format!("Station {number} {}", self.markers.concat());
            stations.push(PageSeed { name: Some(name(number)), ..self.page(&title, Map::new(), Vec::new()) });
        }
        let relation = json!({"type": "relation", "relation": {"data_source_id": {"ref": "Stations"},
            "type": "single_property", "single_property": {}}});
        let mut schema = Map::new();
        schema.insert("Name".to_owned(), json!({"type": "title", "title": {}}));
        let targets = database("Stations", schema.clone(), stations);
        schema.insert("Stations".to_owned(), relation);
        let related: Vec<Value> = (1..=count).map(|number| json!({ "ref": name(number) })).collect();
        let mut properties = Map::new();
        properties.insert("Stations".to_owned(), Value::from(related));
        let body = vec![self.says("paragraph", "One river", Vec::new())];
        let river = self.page("River", properties, body);
        vec![targets, database("Rivers", schema, vec![river])]
    }
}

fn database(title: &str, schema: Map<String, Value>, rows: Vec<PageSeed>) -> Content {
    let data_source = DataSourceSeed {
        name: Some(title.to_owned()),
        title: title.to_owned(),
        schema,
        rows,
        ..DataSourceSeed::default()
    };
    Content::Database(DatabaseSeed {
        title: title.to_owned(),
        data_sources: vec![data_source],
        ..DatabaseSeed::default()
    })
}
