//! One case for each block type and property type: what it yields, and that all ways of reading yield the same.
//! To add one: a line in `cases` (`INSTA_UPDATE=always cargo test` writes the golden file).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use notion_api::wire::{self, BLOCK_TYPES, PROPERTY_TYPES};
use serde_json::{Value, json};
use uuid::Uuid;

use super::markdown::{Dialect, guess_dialect};
use super::{
    BlockNode, Body, PageBody, Rendered, WithheldBlock, content_hash, render_data_source, render_database,
    render_page, withheld_blocks,
};
use crate::model::{ItemKind, NotionId, Property, PropertyValue, Warning};

const WORKSPACE: NotionId = NotionId(Uuid::from_u128(1));
const ID: &str = "393abc1e-edcd-81d5-bf32-d1339d9031c2";
const URL: &str = "https://app.notion.com/p/Plan-393abc1eedcd81d5bf32d1339d9031c2";
const SIGNED: &str = "https://prod-files-secure.s3.us-west-2.amazonaws.com/w/f/plan%20B.pdf?X-Amz-Signature=5ec2e7&X-Amz-Expires=3600";

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

fn run(text: &str) -> Value {
    json!({"type": "text", "text": {"content": text, "link": null}, "plain_text": text, "href": null})
}

/// A block from `{"type": …, "with": payload, "children": […]}`; ids count up from 100.
fn block(spec: &Value, next: &mut u128) -> BlockNode {
    let kind = spec["type"].as_str().unwrap();
    let id = spec.get("id").and_then(Value::as_str).map_or(Uuid::from_u128(*next), |id| id.parse().unwrap());
    *next += 1;
    let children: Vec<BlockNode> =
        spec["children"].as_array().into_iter().flatten().map(|child| block(child, next)).collect();
    let block = json!({"object": "block", "id": id, "has_children": !children.is_empty(), "type": kind,
        kind: spec.get("with").cloned().unwrap_or(json!({}))});
    BlockNode { block: serde_json::from_value(block).unwrap(), children }
}

fn blocks(specs: &Value) -> Body {
    let mut next = 100;
    Body::Blocks(specs.as_array().unwrap().iter().map(|spec| block(spec, &mut next)).collect())
}

fn text(kind: &str, line: &str) -> Value {
    json!({"type": kind, "with": {"rich_text": [run(line)]}})
}

fn with_children(mut spec: Value, children: &Value) -> Value {
    spec["children"] = children.clone();
    spec
}

fn render(body: impl Into<PageBody>) -> Rendered {
    render_page(&titled(), &body.into(), WORKSPACE)
}

/// A block in its three forms. Where a dialect cannot say it, its form is absent.
struct Case {
    name: &'static str,
    blocks: Value,
    v1: Option<String>,
    v2: Option<String>,
}

fn case(name: &'static str, blocks: Value, v1: &str, v2: &str) -> Case {
    let present = |text: &str| (text != "-").then(|| text.to_owned());
    Case { name, blocks, v1: present(v1), v2: present(v2) }
}

fn file(kind: &str) -> Value {
    json!([{"type": kind, "with": {"type": "file", "file": {"url": SIGNED}, "caption": [run("See page 2")]}}])
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn text_cases() -> Vec<Case> {
    let nested = json!([text("paragraph", "below")]);
    let nest = |spec: Value| json!([with_children(spec, &nested)]);
    vec![
        case(
            "paragraph",
            nest(text("paragraph", "a *b*")),
            "a \\*b\\* {color=\"blue\"}\n\tbelow",
            "<p color=\"blue\">\na \\*b\\*\n\nbelow\n</p>",
        ),
        case("heading_1", json!([text("heading_1", "One")]), "# One", "# One"),
        case(
            "heading_2",
            json!([text("heading_2", "Two")]),
            "## Two {color=\"red\"}",
            "<h2 color=\"red\">\nTwo\n</h2>",
        ),
        case("heading_3", json!([text("heading_3", "Three")]), "### Three", "### Three"),
        case(
            "heading_4",
            json!([with_children(
                json!({"type": "heading_4", "with": {"rich_text": [run("Four")], "is_toggleable": true}}),
                &nested
            )]),
            "#### Four {toggle=\"true\"}\n\tbelow",
            "<toggle heading=\"h4\">\nFour\n\nbelow\n</toggle>",
        ),
        case(
            "bulleted_list_item",
            nest(text("bulleted_list_item", "item")),
            "- item\n\tbelow",
            "- item\n\n  below",
        ),
        case(
            "numbered_list_item",
            nest(text("numbered_list_item", "item")),
            "1. item\n\tbelow",
            "<ol type=\"1\">\n<li>\nitem\n\nbelow\n</li>\n</ol>",
        ),
        case(
            "to_do",
            nest(json!({"type": "to_do", "with": {"rich_text": [run("task")], "checked": true}})),
            "- [x] task\n\tbelow",
            "- [x] task\n\n  below",
        ),
        case(
            "toggle",
            nest(text("toggle", "fold")),
            "<details color=\"gray\">\n<summary>fold</summary>\n\tbelow\n</details>",
            "<toggle>\nfold\n\nbelow\n</toggle>",
        ),
        case(
            "quote",
            nest(text("quote", "said\nso")),
            "> said<br>so\n\tbelow",
            "<quote>\nsaid\\\nso\n\nbelow\n</quote>",
        ),
        case(
            "callout",
            nest(text("callout", "mind this")),
            "<callout icon=\"💡\" color=\"gray_bg\">\n\tmind this\n\tbelow\n</callout>",
            "<callout icon=\"💡\">\nmind this\n\nbelow\n</callout>",
        ),
        case(
            "code",
            json!([{"type": "code", "with": {"rich_text": [run("if a < b {\n\tc[0] *= 2;\n}")], "caption": [], "language": "rust"}}]),
            "```rust\nif a < b {\n\tc[0] *= 2;\n}\n```",
            "```rust\nif a < b {\n\tc[0] *= 2;\n}\n```",
        ),
        case(
            "equation",
            json!([{"type": "equation", "with": {"expression": "\\frac{a}{b} < c"}}]),
            "$$\n\\frac{a}{b} < c\n$$",
            "$$\n\\frac{a}{b} < c\n$$",
        ),
        case("template", json!([text("template", "New task")]), "-", "-"),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn structure_cases() -> Vec<Case> {
    let row = |cells: [&str; 2]| json!({"type": "table_row", "with": {"cells": cells.map(|cell| json!([run(cell)]))}});
    let one = |kind: &str| json!([{"type": kind}]);
    let column = |line: &str| json!({"type": "column", "children": [text("paragraph", line)]});
    let tab = json!([{"type": "tab", "children": [with_children(text("paragraph", "First tab"), &json!([text("paragraph", "inside")]))]}]);
    let synced = |from: Value| json!([{"type": "synced_block", "with": {"synced_from": from}, "children": [text("paragraph", "shared")]}]);
    let notes = json!([{"type": "meeting_notes", "with": {"title": [run("Weekly")], "children": {}}, "children": [
        with_children(text("paragraph", ""), &json!([text("paragraph", "We agreed")])),
        with_children(text("paragraph", ""), &json!([text("bulleted_list_item", "my note")])),
        with_children(text("paragraph", ""), &json!([text("paragraph", "hello hello")])),
    ]}]);
    vec![
        case("divider", one("divider"), "---", "---"),
        case(
            "breadcrumb",
            one("breadcrumb"),
            "<unknown url=\"https://x.y/z\" alt=\"breadcrumb\"/>",
            "<breadcrumb />",
        ),
        case(
            "table_of_contents",
            json!([{"type": "table_of_contents", "with": {"color": "gray"}}]),
            "<table_of_contents color=\"gray\"/>",
            "<table-of-contents color=\"gray\" />",
        ),
        case(
            "table",
            json!([{"type": "table", "with": {"table_width": 2, "has_column_header": true}, "children": [row(["Key", "Value"]), row(["a | b", "1\n2"])]}]),
            "<table header-row=\"true\">\n\t<colgroup>\n\t\t<col width=\"100\">\n\t\t<col>\n\t</colgroup>\n\t<tr>\n\t\t<td>Key</td>\n\t\t<td color=\"red\">Value</td>\n\t</tr>\n\t<tr>\n\t\t<td>a \\| b</td>\n\t\t<td>1<br>2</td>\n\t</tr>\n</table>",
            "| Key | Value |\n| --- | --- |\n| a \\| b | 1<br />2 |",
        ),
        case(
            "table_row",
            json!([{"type": "table", "with": {}, "children": [row(["x", "y"])]}]),
            "<table><tr><td>x</td><td>y</td></tr></table>",
            "<table header-row=\"true\">\n<tr>\n<th>x</th>\n<td>y</td>\n</tr>\n</table>",
        ),
        case(
            "column_list",
            json!([{"type": "column_list", "children": [column("left"), column("right")]}]),
            "<columns>\n\t<column>\n\t\tleft\n\t</column>\n\t<column ratio=\"50\">\n\t\tright\n\t</column>\n</columns>",
            "<columns><column ratio=\"50\">\nleft\n</column>\n<column ratio=\"50\">right</column></columns>",
        ),
        case(
            "column",
            json!([column("alone")]),
            "<column>\n\talone\n</column>",
            "<column>\nalone\n</column>",
        ),
        case(
            "tab",
            tab,
            "<tabs>\n\t<tab icon=\"icons/x\">\n\t\tFirst tab\n\t\tinside\n\t</tab>\n</tabs>",
            "<tabs>\n<tab icon=\"💡\">\nFirst tab\n\ninside\n</tab>\n</tabs>",
        ),
        case(
            "synced_block",
            synced(Value::Null),
            &format!("<synced_block url=\"{URL}\">\n\tshared\n</synced_block>"),
            &format!("<synced-block url=\"{URL}\">\nshared\n</synced-block>"),
        ),
        case(
            "synced_copy",
            synced(json!({"type": "block_id", "block_id": ID})),
            &format!("<synced_block_reference url=\"{URL}\">\n\tshared\n</synced_block_reference>"),
            &format!("<synced-block-reference url=\"{URL}\">\nshared\n</synced-block-reference>"),
        ),
        case(
            "meeting_notes",
            notes.clone(),
            "<meeting-notes>\n\tWeekly\n\t<summary>\n\t\tWe agreed\n\t</summary>\n\t<notes>\n\t\t- my note\n\t</notes>\n\t<transcript>\n\t\thello hello\n\t</transcript>\n</meeting-notes>",
            "<meeting-notes attendees=\"user://1\">Weekly<meeting-notes-section-summary>We agreed</meeting-notes-section-summary>\n<meeting-notes-section-notes>\n- my note\n</meeting-notes-section-notes><meeting-notes-section-transcript>hello hello</meeting-notes-section-transcript></meeting-notes>",
        ),
        case(
            "transcription",
            json!([{"type": "transcription", "with": {"title": [run("Daily")]}}]),
            "<meeting-notes>\n\tDaily\n</meeting-notes>",
            "<meeting-notes>Daily</meeting-notes>",
        ),
    ]
}

fn reference_cases() -> Vec<Case> {
    let media = |tag: &str, source: &str| format!("<{tag} {source}=\"{SIGNED}\">See page 2</{tag}>");
    let named = json!([{"type": "file", "with": {"type": "file", "file": {"url": SIGNED}, "caption": [run("See page 2")], "name": "plan B.pdf"}}]);
    let web = |kind: &str| json!([{"type": kind, "with": {"url": "https://a.example/x?q=1", "caption": [run("Docs")]}}]);
    vec![
        case(
            "child_page",
            json!([{"type": "child_page", "id": ID, "with": {"title": "Plan"}, "children": [text("paragraph", "not ours")]}]),
            &format!("<page url=\"{URL}\">Plan</page>"),
            &format!("<page url=\"{URL}\">Plan</page>"),
        ),
        case(
            "child_database",
            json!([{"type": "child_database", "id": ID, "with": {"title": "Tasks"}}]),
            &format!("<database url=\"{URL}\" inline=\"true\">Tasks</database>"),
            &format!("<database url=\"{URL}\" inline=\"true\" icon=\"📋\">Tasks</database>"),
        ),
        case(
            "link_to_page",
            json!([{"type": "link_to_page", "with": {"type": "page_id", "page_id": ID}}]),
            "-",
            "-",
        ),
        case(
            "bookmark",
            web("bookmark"),
            "-",
            "<bookmark source=\"https://a.example/x?q=1\">Docs</bookmark>",
        ),
        case("embed", web("embed"), "-", "<embed source=\"https://a.example/x?q=1\">Docs</embed>"),
        case(
            "link_preview",
            json!([{"type": "link_preview", "with": {"url": "https://a.example/x"}}]),
            "-",
            "-",
        ),
        case(
            "image",
            file("image"),
            &format!("![See page 2]({SIGNED}) {{color=\"gray\"}}"),
            &format!("![See page 2]({SIGNED})"),
        ),
        case("video", file("video"), &media("video", "src"), &media("video", "source")),
        case("pdf", file("pdf"), &media("pdf", "src"), &media("pdf", "source")),
        case("audio", file("audio"), &media("audio", "src"), &media("audio", "source")),
        case("file", named, &media("file", "src"), &media("file", "source")),
        case(
            "unsupported",
            json!([{"type": "unsupported", "id": ID, "with": {"block_type": "form"}}]),
            &format!("<unknown url=\"{URL}#393abc1eedcd81d5bf32d1339d9031c2\" alt=\"form\"/>"),
            &format!("<unknown url=\"{URL}\" alt=\"form\" />"),
        ),
        case(
            "unheard_of",
            json!([{"type": "hologram", "with": {"rich_text": [run("kept")]}}]),
            "<hologram depth=\"3\">\n\tkept\n</hologram>",
            "<hologram depth=\"3\">\nkept\n</hologram>",
        ),
    ]
}

fn cases() -> Vec<Case> {
    let mut all = text_cases();
    all.extend(structure_cases());
    all.extend(reference_cases());
    all
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
        assert!(names.contains(&kind), "block type {kind} needs a case");
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
            specs.extend(case.blocks.as_array().unwrap().clone());
            v1.push(first);
            v2.push(second);
        }
    }
    let read = render(blocks(&Value::Array(specs)));
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
        json!([{"type": "synced_block", "with": {"synced_from": {"type": "block_id", "block_id": ID}}}]);
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

fn value(kind: &str, payload: &Value) -> Value {
    json!({"id": "x", "type": kind, kind: payload})
}

fn property_cases() -> Vec<(&'static str, Value)> {
    let user =
        json!({"object": "user", "id": Uuid::from_u128(7), "name": "Ada", "type": "person", "person": {}});
    let group = json!({"object": "group", "id": Uuid::from_u128(9), "name": "Crew"});
    let option = |name: &str| json!({"id": "o", "name": name, "color": "red"});
    let date = json!({"start": "2026-03-01T09:00:00.000+01:00", "end": "2026-03-05", "time_zone": null});
    let mut relation = value("relation", &json!([{"id": ID}]));
    relation["has_more"] = json!(true);
    let shown = json!([
        value("select", &option("Red")),
        value("select", &option("Blue")),
        value("select", &option("Red"))
    ]);
    let rollup = |kind: &str, payload: &Value| {
        value("rollup", &json!({"type": kind, kind: payload, "function": "sum"}))
    };
    let mixed = json!([value("number", &json!(1)), value("checkbox", &json!(true))]);
    vec![
        ("title", value("title", &json!([run("The plan")]))),
        ("rich_text", value("rich_text", &json!([run("some "), run("words")]))),
        ("number", value("number", &json!(12.5))),
        ("number empty", value("number", &Value::Null)),
        ("select", value("select", &option("High"))),
        ("status", value("status", &option("In review"))),
        ("multi_select", value("multi_select", &json!([option("a"), option("b")]))),
        ("date", value("date", &date)),
        ("people", value("people", &json!([user, group]))),
        ("files", value("files", &json!([{"name": "plan B.pdf", "type": "file", "file": {"url": SIGNED}}]))),
        ("checkbox", value("checkbox", &json!(true))),
        ("url", value("url", &json!("https://a.example"))),
        ("email", value("email", &json!("ada@a.example"))),
        ("phone_number", value("phone_number", &json!("+49 1"))),
        ("relation", relation),
        ("formula", value("formula", &json!({"type": "string", "string": "done"}))),
        ("formula number", value("formula", &json!({"type": "number", "number": 3}))),
        ("formula boolean", value("formula", &json!({"type": "boolean", "boolean": false}))),
        ("formula date", value("formula", &json!({"type": "date", "date": date}))),
        ("formula unsupported", value("formula", &json!({"type": "unsupported", "unsupported": {}}))),
        ("rollup", rollup("number", &json!(7))),
        ("rollup date", rollup("date", &date)),
        ("rollup array", rollup("array", &shown)),
        ("rollup mixed", rollup("array", &mixed)),
        ("rollup incomplete", rollup("incomplete", &json!({}))),
        ("created_time", value("created_time", &json!("2026-03-01T09:00:00.000Z"))),
        ("last_edited_time", value("last_edited_time", &json!("2026-03-02T09:00:00.000Z"))),
        ("created_by", value("created_by", &user)),
        ("last_edited_by", value("last_edited_by", &json!({"object": "user", "id": Uuid::from_u128(8)}))),
        ("unique_id", value("unique_id", &json!({"prefix": "TASK", "number": 12}))),
        (
            "verification",
            value("verification", &json!({"state": "verified", "verified_by": user, "date": null})),
        ),
        ("place", value("place", &json!({"lat": 1.5, "lon": 2.0, "name": "Office", "address": "Main St 1"}))),
        ("button", value("button", &json!({}))),
        ("unheard of", value("mood", &json!({"name": "cheerful"}))),
        ("unheard of string", value("last_visited_time", &json!("2026-03-02T09:00:00.000Z"))),
    ]
}

#[test]
fn every_property_kind_has_a_golden_case() {
    let names: Vec<&str> = property_cases().iter().map(|(name, _)| *name).collect();
    for kind in PROPERTY_TYPES {
        assert!(names.contains(&kind), "property type {kind} needs a case");
    }
}

#[test]
fn each_property_yields_what_its_golden_file_says() {
    let properties: serde_json::Map<String, Value> =
        property_cases().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
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
fn databases_and_data_sources_are_searchable_by_their_schema() {
    let database: wire::Database = serde_json::from_value(json!({
        "object": "database", "id": ID, "title": [run("Tasks")], "description": [run("What we do")],
        "parent": {"type": "page_id", "page_id": ID}, "data_sources": [{"id": Uuid::from_u128(4), "name": "Open"}]
    }))
    .unwrap();
    let rendered = render_database(&database, WORKSPACE);
    assert_eq!((rendered.item.title.as_str(), rendered.item.text.as_str()), ("Tasks", "What we do\nOpen"));
    assert_eq!(rendered.item.links.len(), 1);
    let source: wire::DataSource = serde_json::from_value(json!({
        "object": "data_source", "id": ID, "title": [run("Open")], "description": [],
        "parent": {"type": "database_id", "database_id": ID},
        "properties": {
            "Name": {"id": "title", "name": "Name", "type": "title", "title": {}},
            "Stage": {"id": "s", "name": "Stage", "description": "how far", "type": "select",
                "select": {"options": [{"id": "1", "name": "Todo", "color": "red"}, {"id": "2", "name": "Done", "color": "red"}]}},
            "Aura": {"id": "a", "name": "Aura", "type": "aura", "aura": {}}
        }
    }))
    .unwrap();
    let rendered = render_data_source(&source, WORKSPACE);
    assert_eq!(rendered.item.text, "Name\nStage (how far): Todo, Done\nAura");
    assert_eq!(rendered.warnings, [Warning::UnknownProperty { kind: "aura".to_owned() }]);
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
