//! One case for each block type and property type: what it yields, and that all ways of reading yield the same.
//! To add one: a line in `cases` (`INSTA_UPDATE=always cargo test` writes the golden file).

mod blocks;
mod payloads;
mod properties;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use notion_api::wire::{self, BLOCK_TYPES, PROPERTY_TYPES};
use serde_json::{Value, json};
use uuid::Uuid;

use self::blocks::cases;
use self::payloads::{ID, URL, blocks, run};
use super::markdown::{Dialect, guess_dialect};
use super::{
    Body, PageBody, Rendered, WithheldBlock, content_hash, render_data_source, render_database, render_page,
    withheld_blocks,
};
use crate::model::{ItemKind, NotionId, Property, PropertyValue, Warning};

const WORKSPACE: NotionId = NotionId(Uuid::from_u128(1));

fn page(properties: &Value) -> wire::Page {
    serde_json::from_value(json!({
        "object": "page", "id": ID, "created_time": "2026-03-01T09:00:00.000Z",
        "last_edited_time": "2026-03-02T10:30:00.000Z", "created_by": {"object": "user", "id": Uuid::from_u128(7)},
        "last_edited_by": {"object": "user", "id": Uuid::from_u128(8)}, "cover": null,
        "icon": {"type": "emoji", "emoji": "🗺"}, "parent": {"type": "workspace", "workspace": true},
        "in_trash": false, "is_archived": false, "is_locked": false, "properties": properties, "url": URL,
        "public_url": null
    }))
    .unwrap()
}

fn titled() -> wire::Page {
    page(&json!({"Name": {"id": "title", "type": "title", "title": [run("The plan")]}}))
}

fn render(body: impl Into<PageBody>) -> Rendered {
    render_page(&titled(), &body.into(), WORKSPACE)
}

fn show(rendered: &Rendered) -> String {
    let mut out = rendered.item.text.clone();
    for link in &rendered.item.links {
        write!(out, "\n→ {:?} {}", link.kind, link.target).unwrap();
    }
    for warning in &rendered.warnings {
        write!(out, "\n! {warning:?}").unwrap();
    }
    out
}

#[test]
fn every_block_kind_has_a_golden_case() {
    let names: Vec<&str> = cases().iter().map(|case| case.name).collect();
    for kind in BLOCK_TYPES {
        let is_of = |name: &&str| name.split(' ').next() == Some(kind);
        assert!(names.iter().any(is_of), "block type {kind} needs a case");
    }
}

#[test]
fn each_block_yields_what_its_golden_file_says() {
    let mut all = String::new();
    for case in cases() {
        let rendered = render(blocks(&case.blocks));
        writeln!(all, "== {}\n{}", case.name, show(&rendered)).unwrap();
    }
    insta::with_settings!({snapshot_path => "golden", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("blocks", all);
    });
}

#[test]
fn all_ways_of_reading_yield_the_same() {
    for case in cases() {
        let expected = show(&render(blocks(&case.blocks)));
        if let Some(v1) = case.v1 {
            assert_eq!(
                show(&render(Body::MarkdownV1(v1.clone()))),
                expected,
                "{}: first dialect\n{v1}",
                case.name
            );
            // Read as the wrong dialect, a body keeps its words, links and warnings; only attribute lists are text there.
            if !v1.contains(" {") {
                let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
                let crossed = show(&render(Body::MarkdownV2(v1.clone())));
                assert_eq!(
                    words(&crossed),
                    words(&expected),
                    "{}: first dialect read as second\n{v1}",
                    case.name
                );
            }
        }
        if let Some(v2) = case.v2 {
            assert_eq!(
                show(&render(Body::MarkdownV2(v2.clone()))),
                expected,
                "{}: second dialect\n{v2}",
                case.name
            );
        }
    }
}

#[test]
fn a_whole_page_yields_the_same_in_all_ways() {
    let (mut specs, mut v1, mut v2) = (Vec::new(), Vec::new(), Vec::new());
    for case in cases() {
        if let (Some(first), Some(second)) = (case.v1, case.v2) {
            specs.extend(case.blocks);
            v1.push(first);
            v2.push(second);
        }
    }
    let read = render(blocks(&specs));
    let first = render(Body::MarkdownV1(v1.join("\n")));
    let second = render(Body::MarkdownV2(v2.join("\n\n")));
    assert_eq!(show(&first), show(&read));
    assert_eq!(show(&second), show(&read));
    let paths = |rendered: &Rendered| {
        let paths: Vec<String> =
            rendered.item.passages.iter().map(|passage| passage.heading_path.join(" / ")).collect();
        paths
    };
    assert_eq!(paths(&first), paths(&read));
    assert_eq!(paths(&second), paths(&read));
    assert!(read.item.passages.iter().all(|passage| passage.block_id.is_some()));
    assert!(
        !show(&first).contains("5ec2e7") && !read.item.text.contains("5ec2e7"),
        "a signature is in the text"
    );
}

#[test]
fn nested_fences_keep_their_text_in_both_dialects() {
    let v1 = "- item\n\t```\n\ta\n\n\t\tb\n\t```\n- next";
    assert_eq!(render(Body::MarkdownV1(v1.to_owned())).item.text, "item\na\n\n\tb\nnext");
    let v2 = "- item\n\n  ````md\n  ```\n  x\n  ```\n  ````\n- next";
    assert_eq!(render(Body::MarkdownV2(v2.to_owned())).item.text, "item\n```\nx\n```\nnext");
}

#[test]
fn a_transcript_that_was_not_asked_for_is_a_warning_and_no_text() {
    let v1 = "<meeting-notes>\n\tDaily\n\t<transcript>\n\t\tTranscript omitted. Ask again.\n\t</transcript>\n</meeting-notes>";
    let v2 = "<meeting-notes>\nDaily\n\n<meeting-notes-section-transcript>\nTranscript omitted.\n</meeting-notes-section-transcript>\n</meeting-notes>";
    for body in [Body::MarkdownV1(v1.to_owned()), Body::MarkdownV2(v2.to_owned())] {
        let rendered = render(body);
        assert_eq!(rendered.item.text, "Daily");
        assert_eq!(rendered.warnings, [Warning::Unreadable { what: "transcript".to_owned() }]);
    }
}

#[test]
fn parts_stand_where_their_block_was_withheld() {
    let id = Uuid::from_u128;
    let tag =
        |number: u128, alt: &str| format!("<unknown url=\"{URL}#{}\" alt=\"{alt}\"/>", id(number).simple());
    let mut body = PageBody::from(Body::MarkdownV1(format!("before\n{}\nafter", tag(5, "x"))));
    assert_eq!(withheld_blocks(&body).len(), 1);
    assert_eq!(render(body.clone()).warnings, [Warning::Unreadable { what: "x".to_owned() }]);
    body.parts.insert(id(5), Body::MarkdownV1(format!("middle\n{}", tag(6, "y"))));
    body.parts.insert(id(6), Body::None);
    body.parts.insert(id(8), Body::None);
    body.parts.insert(id(9), Body::MarkdownV2("stray".to_owned()));
    let rendered = render(body.clone());
    assert_eq!(rendered.item.text, "before\nmiddle\nafter\nstray");
    let missing = |what: String| Warning::Unreadable { what };
    assert_eq!(rendered.warnings, [missing(format!("block {}", id(8))), missing("y".to_owned())]);
    assert_eq!(withheld_blocks(&body), []);
}

#[test]
fn a_folder_is_filled_by_its_part_and_told_of_without() {
    let folder = Uuid::from_u128(5);
    let tag = format!("<folder url=\"https://app.notion.com/p/{}\">Reports</folder>", folder.simple());
    let mut body = PageBody::from(Body::MarkdownV2(format!("before\n\n{tag}\n\nafter")));
    let withheld = withheld_blocks(&body);
    assert_eq!(withheld, [WithheldBlock { id: Some(NotionId(folder)), kind: "folder".to_owned() }]);
    let rendered = render(body.clone());
    assert_eq!(rendered.item.text, "before\nReports\nafter");
    assert_eq!(rendered.warnings, [Warning::Unreadable { what: "folder “Reports”".to_owned() }]);
    body.parts.insert(folder, Body::MarkdownV2(format!("<page url=\"{URL}\">May</page>")));
    let rendered = render(body.clone());
    assert_eq!(show(&rendered), format!("before\nReports\nMay\nafter\n→ ChildPage {ID}"));
    assert_eq!(withheld_blocks(&body), []);
    body.parts.insert(folder, Body::None);
    assert_eq!(render(body.clone()).warnings, [Warning::Unreadable { what: "folder “Reports”".to_owned() }]);
    assert_eq!(withheld_blocks(&body), []);
}

#[test]
fn a_copy_that_shows_nothing_is_told_of_in_all_ways() {
    let copy =
        [json!({"type": "synced_block", "with": {"synced_from": {"type": "block_id", "block_id": ID}}})];
    let v1 = format!("<synced_block_reference url=\"{URL}\">\n</synced_block_reference>");
    let v2 = format!("<synced-block-reference url=\"{URL}\" notice=\"no access\" />");
    for body in [blocks(&copy), Body::MarkdownV1(v1), Body::MarkdownV2(v2)] {
        assert_eq!(render(body).warnings, [Warning::Unreadable { what: "synced block".to_owned() }]);
    }
}

#[test]
fn parts_that_name_each_other_end() {
    let id = Uuid::from_u128;
    let to = |number: u128| {
        Body::MarkdownV1(format!("x\n<unknown url=\"{URL}#{}\" alt=\"y\"/>", id(number).simple()))
    };
    let body = PageBody {
        main: to(5),
        parts: BTreeMap::from([(id(5), to(6)), (id(6), to(5))]),
        ..PageBody::default()
    };
    assert_eq!(render(body.clone()).item.text, "x\nx\nx");
    assert_eq!(withheld_blocks(&body), []);
}

#[test]
fn dialects_are_told_apart() {
    let (mut v1, mut v2) = (Vec::new(), Vec::new());
    for case in cases() {
        v1.extend(case.v1);
        v2.extend(case.v2);
    }
    assert!(guess_dialect(&v1.join("\n")) == Dialect::V1);
    assert!(guess_dialect(&v2.join("\n\n")) == Dialect::V2);
    for text in
        ["", "one line", "a\nb", "- a\n\t- b", "```\n\na\n\n```\nb", "$$\n\nx\n$$", "a\n<empty-block/>\nb"]
    {
        assert!(guess_dialect(text) == Dialect::V1, "{text}");
    }
    assert_eq!(guess_dialect("about \\<details> and `<mention-page>`\n\nnext"), Dialect::V2);
    for text in
        ["a\n\nb", "<p>\na\n</p>", "see <mention url=\"user://1\">A</mention>", "```\na\n```\n\nb", "<p />"]
    {
        assert!(guess_dialect(text) == Dialect::V2, "{text}");
    }
}

#[test]
fn every_property_kind_has_a_golden_case() {
    let names: Vec<&str> = properties::cases().iter().map(|(name, _)| *name).collect();
    for kind in PROPERTY_TYPES {
        assert!(names.contains(&kind), "property type {kind} needs a case");
    }
}

#[test]
fn each_property_yields_what_its_golden_file_says() {
    let properties: serde_json::Map<String, Value> =
        properties::cases().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let rendered = render_page(&page(&Value::Object(properties)), &PageBody::default(), WORKSPACE);
    assert_eq!(rendered.item.title, "The plan");
    let mut all = String::new();
    for Property { name, value, text } in &rendered.item.properties {
        writeln!(all, "{name}: {text:?} {value:?}").unwrap();
    }
    for warning in &rendered.warnings {
        writeln!(all, "! {warning:?}").unwrap();
    }
    assert!(!all.contains("5ec2e7"), "a signature is in a property");
    insta::with_settings!({snapshot_path => "golden", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("properties", all);
    });
}

#[test]
fn a_row_knows_its_kind_and_its_parent() {
    let mut row = titled();
    let source = Uuid::from_u128(3);
    row.parent = Some(wire::Parent::DataSource { data_source_id: source, database_id: None });
    let item = render_page(&row, &PageBody::default(), WORKSPACE).item;
    assert_eq!(item.kind, ItemKind::Row);
    assert_eq!(item.parent.id(), Some(NotionId(source)));
    assert_eq!(item.icon.as_deref(), Some("🗺"));
    assert_eq!(item.passages, []);
}

#[test]
fn databases_and_data_sources_yield_what_their_golden_file_says() {
    let database: wire::Database = serde_json::from_value(properties::database()).unwrap();
    let source: wire::DataSource = serde_json::from_value(properties::data_source()).unwrap();
    let mut all = String::new();
    for rendered in [render_database(&database, WORKSPACE), render_data_source(&source, WORKSPACE)] {
        let item = &rendered.item;
        writeln!(
            all,
            "== {} {} {:?} {:?}\n{}",
            item.kind,
            item.title,
            item.icon,
            item.cover,
            show(&rendered)
        )
        .unwrap();
    }
    assert!(!all.contains("5ec2e7"), "a signature is in an item");
    insta::with_settings!({snapshot_path => "golden", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("schemas", all);
    });
}

#[test]
fn a_new_signature_does_not_change_the_hash_and_new_text_does() {
    let body = |signature: &str, text: &str| {
        Body::MarkdownV1(format!("{text}\n![c](https://f.example/a.png?X-Amz-Signature={signature})"))
    };
    let hash = |body: Body| content_hash(&render(body).item);
    assert_eq!(hash(body("1", "a")), hash(body("2", "a")));
    assert_ne!(hash(body("1", "a")), hash(body("1", "b")));
}

#[test]
fn relations_say_when_they_are_cut() {
    let properties =
        json!({"Related": {"id": "r", "type": "relation", "relation": [{"id": ID}], "has_more": true}});
    let rendered = render_page(&page(&properties), &PageBody::default(), WORKSPACE);
    let ids = vec![ID.parse().unwrap()];
    assert_eq!(rendered.item.properties[0].value, PropertyValue::Relations { ids, complete: false });
    assert_eq!(rendered.warnings, [Warning::Incomplete { property: "Related".to_owned() }]);
}
