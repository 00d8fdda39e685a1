//! Trees of blocks of every type: nothing in them is lost by any way of reading, and large or deep ones cost what their
//! size lets expect.

use notion_api::wire::{self, BLOCK_TYPES};
use notion_emulator::markdown as emulated;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use uuid::Uuid;

use super::document::MAX_DEPTH;
use super::markdown::cost;
use super::{BlockNode, Body, PageBody, Rendered, render_page};
use crate::model::NotionId;

/// A block: its type, the runs of its text, and what is nested in it.
#[derive(Debug, Clone)]
struct Tree {
    kind: &'static str,
    runs: Vec<String>,
    children: Vec<Tree>,
}

/// Types that hold others, have text, and have a form in both dialects.
const HOLDERS: [&str; 11] = [
    "paragraph",
    "heading_1",
    "heading_4",
    "bulleted_list_item",
    "numbered_list_item",
    "to_do",
    "toggle",
    "quote",
    "callout",
    "synced_block",
    "meeting_notes",
];

/// Types whose children are of a type of their own: that type, and whether it has text.
const STRICT: [(&str, &str); 3] = [("column_list", "column"), ("table", "table_row"), ("tab", "paragraph")];

fn payload(tree: &Tree, id: u128) -> Value {
    let look =
        |number: usize| json!({"bold": number % 2 == 1, "italic": number % 3 == 1, "code": number % 5 == 4});
    let runs: Vec<Value> = tree
        .runs
        .iter()
        .enumerate()
        .map(|(number, text)| {
            json!({"type": "text", "text": {"content": text}, "plain_text": text, "annotations": look(number)})
        })
        .collect();
    match tree.kind {
        "table_row" => json!({"cells": runs.iter().map(|run| json!([run])).collect::<Vec<_>>()}),
        "table" => json!({"table_width": 2, "has_column_header": id.is_multiple_of(2)}),
        "child_page" | "child_database" => json!({"title": tree.runs.concat()}),
        "equation" => json!({"expression": tree.runs.concat()}),
        "link_preview" => json!({"url": "https://a.example/x"}),
        "link_to_page" => json!({"type": "page_id", "page_id": Uuid::from_u128(1)}),
        "bookmark" | "embed" => json!({"url": "https://a.example/x", "caption": runs}),
        "image" | "video" | "pdf" | "audio" | "file" => {
            json!({"type": "external", "external": {"url": "https://a.example/x.bin"}, "caption": runs})
        }
        "synced_block" => json!({"synced_from": null}),
        "meeting_notes" | "transcription" => {
            json!({"title": runs, "children": {"notes_block_id": Uuid::from_u128(id + 1)}})
        }
        _ => {
            json!({"rich_text": runs, "caption": [], "language": "rust", "is_toggleable": !tree.children.is_empty()})
        }
    }
}

/// Whether a block of this type shows its runs.
fn shows_runs(kind: &str) -> bool {
    !matches!(
        kind,
        "divider"
            | "breadcrumb"
            | "table_of_contents"
            | "table"
            | "column_list"
            | "column"
            | "tab"
            | "synced_block"
            | "link_to_page"
            | "link_preview"
            | "unsupported"
    )
}

/// The block as its object, ids counting up from `next`.
fn node(tree: &Tree, next: &mut u128) -> BlockNode {
    let id = *next;
    *next += 1;
    let object = json!({"object": "block", "id": Uuid::from_u128(id), "type": tree.kind,
        "has_children": !tree.children.is_empty(), tree.kind: payload(tree, id)});
    let block = serde_json::from_value(object).unwrap();
    let children = tree.children.iter().map(|child| node(child, next)).collect();
    BlockNode { block, children }
}

fn emulated(tree: &Tree, next: &mut u128) -> emulated::BlockTree {
    let id = *next;
    *next += 1;
    let value = json!({"object": "block", "id": Uuid::from_u128(id), "type": tree.kind,
        "has_children": !tree.children.is_empty(), tree.kind: payload(tree, id)});
    let children = tree.children.iter().map(|child| emulated(child, next)).collect();
    emulated::BlockTree { value, children }
}

/// Knows no object.
struct Nobody;

impl emulated::Directory for Nobody {
    fn page(&self, _: Uuid) -> Option<emulated::PageEntry> {
        None
    }

    fn database(&self, _: Uuid) -> Option<emulated::DatabaseEntry> {
        None
    }

    fn user_name(&self, _: Uuid) -> Option<String> {
        None
    }

    fn block_url(&self, _: Uuid) -> Option<String> {
        None
    }
}

fn markdown(trees: &[Tree], dialect: emulated::Dialect) -> String {
    let mut next = 100;
    let trees: Vec<emulated::BlockTree> = trees.iter().map(|tree| emulated(tree, &mut next)).collect();
    let mut options = emulated::Options::new("https://app.notion.com/p/x");
    options.include_transcript = true;
    emulated::render(&trees, dialect, &Nobody, &options).markdown
}

fn blocks(trees: &[Tree]) -> Body {
    let mut next = 100;
    Body::Blocks(trees.iter().map(|tree| node(tree, &mut next)).collect())
}

fn render(body: impl Into<PageBody>) -> Rendered {
    let page: wire::Page = serde_json::from_value(json!({"object": "page", "id": Uuid::nil()})).unwrap();
    render_page(&page, &body.into(), NotionId(Uuid::nil()))
}

fn fold(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

/// What each block says, in the order of the document.
fn said(trees: &[Tree], out: &mut Vec<String>) {
    for tree in trees {
        if shows_runs(tree.kind) {
            match tree.kind {
                "table_row" => out.extend(tree.runs.iter().map(|run| fold(run))),
                _ => out.push(fold(&tree.runs.concat())),
            }
        }
        said(&tree.children, out);
    }
}

fn holder(kind: &'static str, runs: Vec<String>, children: Vec<Tree>) -> Tree {
    let children = match kind {
        // The first child is the section that the payload names.
        "meeting_notes" => vec![Tree { kind: "paragraph", runs: Vec::new(), children }],
        _ => children,
    };
    Tree { kind, runs, children }
}

fn strict(kind: &'static str, below: &'static str, parts: Vec<(Vec<String>, Vec<Tree>)>) -> Tree {
    let child = |(runs, children): (Vec<String>, Vec<Tree>)| match below {
        "table_row" => Tree { kind: below, runs, children: Vec::new() },
        "column" => Tree { kind: below, runs: Vec::new(), children },
        _ => Tree { kind: below, runs, children },
    };
    Tree { kind, runs: Vec::new(), children: parts.into_iter().map(child).collect() }
}

/// Trees whose leaves are of `leaves` and whose runs are of `text`.
fn trees<S: Strategy<Value = String> + Clone + 'static>(
    leaves: Vec<&'static str>,
    strict_kinds: Vec<(&'static str, &'static str)>,
    text: S,
) -> impl Strategy<Value = Vec<Tree>> {
    let runs = || proptest::collection::vec(text.clone(), 1..4);
    let leaf = (prop::sample::select(leaves), runs()).prop_map(|(kind, runs)| Tree {
        kind,
        runs,
        children: Vec::new(),
    });
    let runs = proptest::collection::vec(text, 1..4);
    let tree = leaf.prop_recursive(6, 40, 4, move |inner| {
        let several = proptest::collection::vec(inner, 0..4);
        let part = (runs.clone(), several.clone());
        prop_oneof![
            4 => (prop::sample::select(HOLDERS.to_vec()), runs.clone(), several)
                .prop_map(|(kind, runs, children)| holder(kind, runs, children)),
            1 => (prop::sample::select(strict_kinds.clone()), proptest::collection::vec(part, 1..4))
                .prop_map(|((kind, below), parts)| strict(kind, below, parts)),
        ]
    });
    proptest::collection::vec(tree, 0..5)
}

/// Every type but those that hold nothing but a type of their own.
fn any_leaf() -> Vec<&'static str> {
    let alone = |kind: &&&str| !matches!(**kind, "table" | "table_row" | "column_list" | "column" | "tab");
    BLOCK_TYPES.iter().filter(alone).copied().chain(["hologram"]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_run_of_a_tree_of_blocks_is_lost(trees in trees(any_leaf(), STRICT.to_vec(), any::<String>())) {
        let mut expected = Vec::new();
        said(&trees, &mut expected);
        let text = fold(&render(blocks(&trees)).item.text);
        let mut at = 0;
        for run in expected {
            let found = text.get(at..).and_then(|rest| rest.find(&run));
            prop_assert!(found.is_some(), "{run:?} is not in {:?}", text.get(at..));
            at += found.unwrap() + run.len();
        }
    }
}

proptest! {
    // One seed: what the emulator cannot write is its own matter, and is searched for there.
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn trees_read_the_same_by_blocks_and_in_both_dialects(
        trees in trees(
            vec!["paragraph", "heading_2", "heading_3", "code", "divider", "image", "video"],
            vec![("column_list", "column"), ("table", "table_row")],
            "[a-zé日][a-zA-Z0-9 é日本*_~`$<>{}|^\\[\\]\\\\.,:&#()!-]{0,20}[a-z]",
        )
    ) {
        let expected = fold(&render(blocks(&trees)).item.text);
        let v1 = markdown(&trees, emulated::Dialect::V1);
        prop_assert_eq!(fold(&render(Body::MarkdownV1(v1.clone())).item.text), expected.clone(), "{}", v1);
        let v2 = markdown(&trees, emulated::Dialect::V2);
        prop_assert_eq!(fold(&render(Body::MarkdownV2(v2.clone())).item.text), expected, "{}", v2);
    }
}

fn leaf(kind: &'static str, text: String) -> Tree {
    Tree { kind, runs: vec![text], children: Vec::new() }
}

#[test]
fn a_thousand_levels_are_flattened_in_their_order() {
    let kinds = ["toggle", "quote", "bulleted_list_item", "callout", "paragraph", "heading_2", "to_do"];
    let alone = |level: usize| {
        let tree = leaf(kinds[level % kinds.len()], format!("word{level}."));
        node(&tree, &mut (100 + level as u128))
    };
    let mut tree = alone(1_000);
    for level in (0..1_000).rev() {
        tree = BlockNode { children: vec![tree], ..alone(level) };
    }
    let rendered = render(Body::Blocks(vec![tree]));
    let words: Vec<&str> =
        rendered.item.text.split_whitespace().filter(|word| word.starts_with("word")).collect();
    let expected: Vec<String> = (0..=1_000).map(|level| format!("word{level}.")).collect();
    assert!(words.len() > MAX_DEPTH && words == expected);
}

/// What rendering looks at, for a body of `count` parts.
fn cost_of(count: usize, body: impl Fn(usize) -> PageBody) -> u64 {
    let body = body(count);
    cost::take();
    render(body);
    cost::take()
}

#[test]
fn fifty_thousand_blocks_cost_ten_times_as_much_as_five_thousand() {
    let flat = |count: usize| {
        let all: Vec<Tree> = (0..count).map(|number| leaf("paragraph", format!("line {number}"))).collect();
        PageBody::from(blocks(&all))
    };
    let nested = |count: usize| {
        let children = |number| (0..100).map(|line| leaf("to_do", format!("{number} {line}"))).collect();
        let all: Vec<Tree> = (0..count / 100)
            .map(|number| Tree { kind: "toggle", runs: vec!["T".to_owned()], children: children(number) })
            .collect();
        PageBody::from(blocks(&all))
    };
    for body in [&flat as &dyn Fn(usize) -> PageBody, &nested] {
        let (small, large) = (cost_of(5_000, body), cost_of(50_000, body));
        assert!(small >= 5_000 && large <= small * 12, "{small} grew to {large}");
    }
}

#[test]
fn comments_cost_what_they_say() {
    let body = |count: usize| {
        let comment = |number: usize| {
            let text = format!("comment {number}");
            serde_json::from_value(json!({"object": "comment", "id": Uuid::from_u128(number as u128),
                "discussion_id": Uuid::from_u128(number as u128 % 50), "created_time": "2026-03-01T09:00:00.000Z",
                "rich_text": [{"type": "text", "text": {"content": text}, "plain_text": text}]}))
            .unwrap()
        };
        PageBody { comments: (0..count).map(comment).collect(), ..PageBody::default() }
    };
    let (small, large) = (cost_of(500, body), cost_of(5_000, body));
    assert!(small >= 500 && large <= small * 12, "{small} grew to {large}");
}

/// Rich text, relations, people, files, options and rollups of `count` entries; some 5 MB at 10,000.
fn page_of(count: usize) -> wire::Page {
    let id = |number: usize| Uuid::from_u128(number as u128 + 1);
    let all = |one: &dyn Fn(usize) -> Value| (0..count).map(one).collect::<Vec<Value>>();
    let words = "measured at the river ".repeat(20);
    let runs = all(&|_| json!({"type": "text", "text": {"content": words}, "plain_text": words}));
    let users = all(&|number| json!({"object": "user", "id": id(number), "name": "Ada"}));
    let files = all(
        &|number| json!({"name": "a.pdf", "type": "external", "external": {"url": format!("https://a.example/{number}.pdf")}}),
    );
    let shown =
        all(&|number| json!({"type": "select", "select": {"id": "x", "name": format!("option {number}")}}));
    let properties = json!({
        "Text": {"type": "rich_text", "rich_text": runs},
        "Related": {"type": "relation", "relation": all(&|number| json!({"id": id(number)})), "has_more": true},
        "People": {"type": "people", "people": users},
        "Files": {"type": "files", "files": files},
        "Options": {"type": "multi_select", "multi_select": all(&|number| json!({"name": format!("option {number}")}))},
        "Shown": {"type": "rollup", "rollup": {"type": "array", "array": shown, "function": "show_original"}}
    });
    serde_json::from_value(json!({"object": "page", "id": Uuid::nil(), "properties": properties})).unwrap()
}

#[test]
fn properties_of_five_megabytes_are_kept_whole_at_linear_cost() {
    let cost = |count: usize| {
        let page = page_of(count);
        cost::take();
        let rendered = render_page(&page, &PageBody::default(), NotionId(Uuid::nil()));
        (cost::take(), rendered)
    };
    let ((small, _), (large, rendered)) = (cost(1_000), cost(10_000));
    assert!(small >= 1_000 && large <= small * 12, "{small} grew to {large}");
    let text = &rendered.item.properties[0].text;
    assert!(text.len() > 4_000_000 && text.ends_with("at the river"), "{}", text.len());
    assert_eq!(rendered.item.links.len(), 10_000);
}
