use std::collections::BTreeSet;

use serde_json::Value;

use super::sample;
use crate::seed::{Content, Import};

/// Names that the seed gives, and names that it refers to.
#[derive(Default)]
struct Names {
    given: BTreeSet<String>,
    used: BTreeSet<String>,
    kinds: BTreeSet<String>,
    pages: usize,
}

impl Names {
    fn of(import: &Import) -> Self {
        let mut names = Self::default();
        names.given.extend(import.files.iter().map(|file| file.path.clone()));
        names.contents(&import.workspace.roots);
        names
    }

    fn contents(&mut self, contents: &[Content]) {
        for content in contents {
            // Seen as JSON, every kind of seed is the same.
            self.value(&serde_json::to_value(content).unwrap());
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(map) => {
                if let (1, Some(name)) = (map.len(), map.get("ref").and_then(Value::as_str)) {
                    self.used.insert(name.to_owned());
                }
                let is_seed =
                    map.contains_key("body") || map.contains_key("data_sources") || map.contains_key("rows");
                if (is_seed || map.contains_key("kind"))
                    && let Some(name) = map.get("name").and_then(Value::as_str)
                {
                    assert!(self.given.insert(name.to_owned()), "{name} is given twice");
                }
                if let Some(kind) = map.get("kind").and_then(Value::as_str) {
                    self.kinds.insert(kind.to_owned());
                }
                self.pages += usize::from(map.contains_key("body"));
                map.values().for_each(|value| self.value(value));
            }
            _ => {}
        }
    }
}

#[test]
fn every_reference_of_the_sample_leads_somewhere() {
    let import = sample();
    let names = Names::of(&import);
    let lost: Vec<_> = names.used.difference(&names.given).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(import.left_out, Vec::<String>::new());
    assert!((45..=70).contains(&names.pages), "{} pages and rows", names.pages);
}

#[test]
fn the_sample_shows_most_block_types_and_several_start_points() {
    let import = sample();
    let names = Names::of(&import);
    for kind in [
        "paragraph",
        "heading_1",
        "heading_2",
        "heading_3",
        "bulleted_list_item",
        "numbered_list_item",
        "to_do",
        "toggle",
        "quote",
        "callout",
        "code",
        "equation",
        "divider",
        "table_of_contents",
        "table",
        "column_list",
        "tab",
        "synced_block",
        "link_to_page",
        "bookmark",
        "embed",
        "image",
        "pdf",
        "audio",
        "video",
        "file",
        "unsupported",
    ] {
        assert!(names.kinds.contains(kind), "no {kind}");
    }
    assert!(import.workspace.roots.len() >= 5);
    assert!(import.workspace.people.len() >= 6);
    let people: BTreeSet<&str> =
        import.workspace.people.iter().filter_map(|person| person["email"].as_str()).collect();
    for email in emails(&serde_json::to_value(&import.workspace.roots).unwrap()) {
        assert!(people.contains(email.as_str()), "{email} is nobody");
    }
}

/// Addresses by which people are named.
fn emails(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(emails).collect(),
        Value::Object(map) => {
            let own =
                ["email", "author"].into_iter().filter_map(|key| Some(map.get(key)?.as_str()?.to_owned()));
            own.filter(|text| text.contains("@")).chain(map.values().flat_map(emails)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn files_of_the_sample_are_small_and_what_their_names_say() {
    let import = sample();
    assert!(import.files.len() >= 13);
    let all: usize = import.files.iter().map(|file| file.content.load().len()).sum();
    assert!(all < 300_000, "{all} bytes");
    for file in &import.files {
        let bytes = file.content.load();
        assert!(!bytes.is_empty() && bytes.len() < 60_000, "{}", file.path);
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        match file.name.rsplit('.').next() {
            Some("pdf") => assert!(starts(b"%PDF")),
            Some("png") => assert!(starts(b"\x89PNG")),
            Some("wav") => assert!(starts(b"RIFF")),
            Some("svg") => assert!(starts(b"<svg")),
            Some("docx" | "xlsx" | "pptx") => assert!(starts(b"PK\x03\x04")),
            _ => assert!(std::str::from_utf8(&bytes).is_ok()),
        }
    }
}

#[test]
fn the_sample_can_be_planted() {
    let world = crate::world::World::from_import(sample(), 1_772_000_000_000);
    assert!(world.is_ok(), "{:?}", world.err().map(|error| error.to_string()));
}
