//! One golden case for each block type and each kind of inline text, in both dialects.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{BlockTree, DatabaseEntry, Dialect, Directory, Options, PageEntry, Rendered, render};

const OPEN_PAGE: &str = "00000000-0000-8000-8000-0000000000a1";
const CLOSED_PAGE: &str = "00000000-0000-8000-8000-0000000000a2";
const DATABASE: &str = "00000000-0000-8000-8000-0000000000d1";
const USER: &str = "00000000-0000-8000-8000-0000000000e1";

pub(super) struct Office;

impl Directory for Office {
    fn page(&self, id: Uuid) -> Option<PageEntry> {
        (id.to_string() == OPEN_PAGE).then(|| PageEntry {
            title: "Travel [policy]".into(),
            url: format!("https://app.notion.com/p/Travel-policy-{}", id.simple()),
        })
    }

    fn database(&self, id: Uuid) -> Option<DatabaseEntry> {
        (id.to_string() == DATABASE).then(|| DatabaseEntry {
            title: "Projects".into(),
            url: format!("https://app.notion.com/p/{}", id.simple()),
            icon: Some("🗂".into()),
            is_inline: true,
            is_wiki: false,
            data_source_ids: vec![Uuid::from_u128(0xd5)],
        })
    }

    fn user_name(&self, id: Uuid) -> Option<String> {
        (id.to_string() == USER).then(|| "Ines Duarte".into())
    }

    fn block_url(&self, id: Uuid) -> Option<String> {
        (id == Uuid::from_u128(0x51)).then(|| format!("https://app.notion.com/p/aa#{}", id.simple()))
    }
}

fn text(content: &str) -> Value {
    look(content, &json!({}))
}

fn look(content: &str, annotations: &Value) -> Value {
    let mut all = json!({"bold": false, "italic": false, "strikethrough": false, "underline": false,
        "code": false, "color": "default"});
    for (key, value) in annotations.as_object().unwrap() {
        all[key] = value.clone();
    }
    json!({"type": "text", "text": {"content": content, "link": null}, "annotations": all,
        "plain_text": content, "href": null})
}

fn link(content: &str, url: &str, annotations: &Value) -> Value {
    let mut item = look(content, annotations);
    item["text"]["link"] = json!({"url": url});
    item["href"] = json!(url);
    item
}

fn mention(plain: &str, mention: &Value) -> Value {
    let mut item = text(plain);
    item["type"] = json!("mention");
    item["mention"] = mention.clone();
    item
}

fn equation(expression: &str) -> Value {
    let mut item = text(expression);
    item["type"] = json!("equation");
    item["equation"] = json!({"expression": expression});
    item
}

fn block(kind: &str, payload: Value, children: Vec<BlockTree>) -> BlockTree {
    with_id("00000000-0000-8000-8000-0000000000b1", kind, payload, children)
}

#[expect(clippy::needless_pass_by_value, reason = "cases read better with json!(…) in place")]
fn with_id(id: &str, kind: &str, payload: Value, children: Vec<BlockTree>) -> BlockTree {
    let value = json!({"object": "block", "id": id, "has_children": !children.is_empty(), "type": kind, kind: payload});
    BlockTree { value, children }
}

fn says(kind: &str, content: &str) -> BlockTree {
    block(kind, json!({"rich_text": [text(content)], "color": "default"}), vec![])
}

fn colored(kind: &str, content: &str, color: &str) -> BlockTree {
    block(kind, json!({"rich_text": [text(content)], "color": color}), vec![])
}

fn holds(kind: &str, content: &str, children: Vec<BlockTree>) -> BlockTree {
    block(kind, json!({"rich_text": [text(content)], "color": "default"}), children)
}

fn rendered(blocks: &[BlockTree], dialect: Dialect) -> Rendered {
    render(blocks, dialect, &Office, &Options::new("https://app.notion.com/p/Page-00"))
}

fn check(name: &str, blocks: &[BlockTree]) {
    let mut golden = String::new();
    for dialect in [Dialect::V1, Dialect::V2] {
        let answer = rendered(blocks, dialect);
        let ids = answer.unknown_block_ids.len();
        golden.push_str(&format!(
            "== {dialect:?} truncated={} ids={ids}\n{}\n",
            answer.truncated, answer.markdown
        ));
    }
    insta::assert_snapshot!(name, golden);
}

#[test]
fn paragraphs() {
    check(
        "paragraphs",
        &[
            says("paragraph", "A plain line."),
            colored("paragraph", "A blue one.", "blue_background"),
            block("paragraph", json!({"rich_text": [], "color": "default", "icon": null}), vec![]),
            says("paragraph", " edge spaces "),
            says("paragraph", "First line\nsecond line\n- third, no item"),
            holds(
                "paragraph",
                "With children",
                vec![says("paragraph", "Nested"), says("bulleted_list_item", "x")],
            ),
            block("paragraph", json!({"rich_text": []}), vec![says("paragraph", "Below nothing")]),
        ],
    );
}

#[test]
fn headings() {
    let toggle = |level: usize| {
        let payload = json!({"rich_text": [text("Toggle")], "color": "red", "is_toggleable": true});
        block(&format!("heading_{level}"), payload, vec![says("paragraph", "Inside")])
    };
    check(
        "headings",
        &[
            says("heading_1", "One"),
            says("heading_2", "Two"),
            says("heading_3", "Three"),
            says("heading_4", "Four"),
            colored("heading_2", "Green", "green"),
            says("heading_2", "In C#"),
            says("heading_3", "Two\nlines"),
            toggle(1),
            toggle(4),
        ],
    );
}

#[test]
fn lists() {
    let deep = |kind: &str| holds(kind, "outer", vec![holds(kind, "inner", vec![says(kind, "innermost")])]);
    check(
        "lists",
        &[
            says("bulleted_list_item", "bread"),
            deep("bulleted_list_item"),
            says("numbered_list_item", "first"),
            deep("numbered_list_item"),
            block("to_do", json!({"rich_text": [text("open")], "checked": false}), vec![]),
            block(
                "to_do",
                json!({"rich_text": [text("done")], "checked": true}),
                vec![says("to_do", "nested")],
            ),
            says("paragraph", "between"),
            block("numbered_list_item", json!({"rich_text": [text("seven")], "list_start_index": 7}), vec![]),
            says("numbered_list_item", "eight"),
        ],
    );
}

#[test]
fn lists_in_tag_form() {
    check(
        "lists_in_tag_form",
        &[
            says("bulleted_list_item", "plain neighbour"),
            colored("bulleted_list_item", "coloured", "pink"),
            holds("bulleted_list_item", "with a paragraph", vec![says("paragraph", "below the item")]),
            block("numbered_list_item", json!({"rich_text": [text("a")], "list_format": "letters"}), vec![]),
            block("to_do", json!({"rich_text": [text("now")], "checked": true, "color": "red"}), vec![]),
            holds("to_do", "with a quote", vec![says("quote", "said")]),
            says("bulleted_list_item", ""),
        ],
    );
}

#[test]
fn toggles_quotes_and_callouts() {
    let icon = json!({"type": "emoji", "emoji": "💡"});
    let picture = json!({"type": "external", "external": {"url": "https://example.com/i.png"}});
    check(
        "toggles_quotes_and_callouts",
        &[
            holds("toggle", "More", vec![says("paragraph", "Hidden"), says("toggle", "Empty")]),
            says("quote", "Line one\nline two"),
            holds("quote", "Said", vec![says("paragraph", "and more")]),
            colored("quote", "Purple", "purple_background"),
            block(
                "callout",
                json!({"rich_text": [text("Careful")], "icon": icon, "color": "yellow_background"}),
                vec![says("bulleted_list_item", "hot")],
            ),
            block(
                "callout",
                json!({"rich_text": [], "icon": picture, "color": "default"}),
                vec![says("paragraph", "Only children")],
            ),
            block("callout", json!({"rich_text": [text("No icon")], "icon": null}), vec![]),
        ],
    );
}

#[test]
fn code_equation_divider_and_contents() {
    let code = |content: &str, caption: Vec<Value>| {
        block("code", json!({"rich_text": [text(content)], "caption": caption, "language": "rust"}), vec![])
    };
    check(
        "code_equation_divider_and_contents",
        &[
            code("fn main() {\n\tlet x = a * b[0];\n}", vec![]),
            code("```\nfenced\n```", vec![text("A *caption*")]),
            holds("bulleted_list_item", "holds code", vec![code("one\ntwo", vec![])]),
            block("equation", json!({"expression": "E = mc^2"}), vec![]),
            block("divider", json!({}), vec![]),
            block("table_of_contents", json!({"color": "gray"}), vec![]),
            block("breadcrumb", json!({}), vec![]),
        ],
    );
}

fn table(column: bool, row: bool) -> BlockTree {
    let cells = |a: Value, b: &str| block("table_row", json!({"cells": [[a], [text(b)]]}), vec![]);
    let rows = vec![
        cells(text("Name"), "Note"),
        cells(look("a|b", &json!({"code": true})), "two\nlines | pipe"),
        block("table_row", json!({"cells": [[text("short")]]}), vec![]),
    ];
    let payload = json!({"table_width": 2, "has_column_header": column, "has_row_header": row});
    block("table", payload, rows)
}

#[test]
fn tables() {
    check("tables", &[table(true, false), table(false, false), table(true, true)]);
}

#[test]
fn bars_are_escaped_wherever_they_stand_in_a_pipe_table() {
    let head = block("table_row", json!({"cells": [[text("Size")]]}), vec![]);
    let items = vec![equation("|x|"), text(" "), link("a", "https://example.com/?q=a|b", &json!({}))];
    let row = block("table_row", json!({ "cells": [items] }), vec![]);
    let payload = json!({"table_width": 1, "has_column_header": true, "has_row_header": false});
    let table = block("table", payload, vec![head, row]);
    let written = rendered(&[table], Dialect::V2).markdown;
    assert_eq!(written, "| Size |\n| --- |\n| $`\\|x\\|`$ [a](https://example.com/?q=a\\|b) |");
}

#[test]
fn a_label_that_would_read_as_an_entity_is_escaped() {
    let see = |title: &str| {
        let page = mention(title, &json!({"type": "page", "page": {"id": CLOSED_PAGE}}));
        let line = block("paragraph", json!({"rich_text": [page]}), vec![]);
        rendered(&[line], Dialect::V2).markdown
    };
    assert!(see("R&D *now*").ends_with(">R&D *now*</mention>"));
    assert!(see("a &amp; b").ends_with(">a \\&amp; b</mention>"));
}

#[test]
fn columns_tabs_and_synced_blocks() {
    let column = |ratio: Option<f64>, content: &str| {
        block(
            "column",
            json!({"width_ratio": ratio}),
            vec![says("heading_2", content), says("paragraph", "body")],
        )
    };
    let tab = block(
        "paragraph",
        json!({"rich_text": [text("Label")], "icon": {"type": "emoji", "emoji": "🧪"}}),
        vec![says("paragraph", "Tab body")],
    );
    let copy =
        json!({"synced_from": {"type": "block_id", "block_id": "00000000-0000-0000-0000-000000000051"}});
    check(
        "columns_tabs_and_synced_blocks",
        &[
            block("column_list", json!({}), vec![column(Some(0.25), "Left"), column(None, "Right")]),
            block("tab", json!({}), vec![tab]),
            block("synced_block", json!({"synced_from": null}), vec![says("paragraph", "Shared text")]),
            block("synced_block", copy, vec![says("paragraph", "Shared text")]),
        ],
    );
}

#[test]
fn media_and_links_to_the_web() {
    let hosted = |name: &str| {
        json!({"type": "file", "file": {"url": format!("https://files.example/{name}?a=1&b=2"), "expiry_time": "x"},
            "caption": [text("A caption")], "name": name})
    };
    let web = |url: &str| json!({"url": url, "caption": [text("Seen [here]")]});
    check(
        "media_and_links_to_the_web",
        &[
            block(
                "image",
                json!({"type": "external", "external": {"url": "https://example.com/a (1).png"},
                "caption": [text("A *star*")]}),
                vec![],
            ),
            block(
                "image",
                json!({"type": "external", "external": {"url": "https://example.com/b.png"},
                "caption": [text("two\nlines")]}),
                vec![],
            ),
            block("video", hosted("v.mp4"), vec![]),
            block("audio", hosted("a.mp3"), vec![]),
            block("pdf", hosted("p.pdf"), vec![]),
            block("file", hosted("f.csv"), vec![]),
            block("bookmark", web("https://example.com/?q=\"x\""), vec![]),
            block("embed", web("https://example.com/e"), vec![]),
            block("link_preview", json!({"url": "https://github.com/a/b/pull/1"}), vec![]),
            block("link_preview", json!({"url": "https://example.com/x"}), vec![]),
        ],
    );
}

#[test]
fn pages_databases_and_links_to_them() {
    let link_to = |kind: &str, id: &str| block("link_to_page", json!({"type": kind, kind: id}), vec![]);
    check(
        "pages_databases_and_links_to_them",
        &[
            with_id(OPEN_PAGE, "child_page", json!({"title": "Travel [policy]"}), vec![]),
            with_id(CLOSED_PAGE, "child_page", json!({"title": "Salaries"}), vec![]),
            with_id(DATABASE, "child_database", json!({"title": "Projects"}), vec![]),
            with_id(CLOSED_PAGE, "child_database", json!({"title": "Hidden"}), vec![]),
            link_to("page_id", OPEN_PAGE),
            link_to("page_id", CLOSED_PAGE),
            link_to("database_id", DATABASE),
            link_to("comment_id", OPEN_PAGE),
        ],
    );
}

#[test]
fn meeting_notes() {
    let part = |id: &str, content: &str| with_id(id, "toggle", json!({}), vec![says("paragraph", content)]);
    let ids: Vec<String> = (1..=3).map(|n| format!("00000000-0000-8000-8000-00000000000{n}")).collect();
    let payload = json!({"title": [text("Weekly")], "status": "notes_ready",
        "calendar_event": {"start_time": "x", "end_time": "y", "attendees": [USER]},
        "children": {"summary_block_id": ids[0], "notes_block_id": ids[1], "transcript_block_id": ids[2]}});
    let children = vec![part(&ids[0], "Short"), part(&ids[1], "Long"), part(&ids[2], "Every word")];
    let notes = [block("meeting_notes", payload, children)];
    check("meeting_notes", &notes);
    let options = Options { include_transcript: true, ..Options::new("https://app.notion.com/p/Page-00") };
    for dialect in [Dialect::V1, Dialect::V2] {
        assert!(!rendered(&notes, dialect).markdown.contains("Every word"));
        assert!(render(&notes, dialect, &Office, &options).markdown.contains("Every word"));
    }
}

#[test]
fn what_no_dialect_knows() {
    check(
        "what_no_dialect_knows",
        &[
            block("unsupported", json!({"block_type": "form"}), vec![]),
            block("unsupported", json!({}), vec![]),
            holds("template", "Button", vec![says("paragraph", "made")]),
            block("hologram", json!({"rich_text": [text("tomorrow")]}), vec![]),
        ],
    );
}

#[test]
fn marks_and_links() {
    let line =
        |items: Vec<Value>| block("paragraph", json!({"rich_text": items, "color": "default"}), vec![]);
    let all = json!({"bold": true, "italic": true, "strikethrough": true, "underline": true, "color": "red"});
    check(
        "marks_and_links",
        &[
            line(vec![
                text("plain "),
                look("bold", &json!({"bold": true})),
                text(", "),
                look("italic", &json!({"italic": true})),
                text(" and "),
                look("struck", &json!({"strikethrough": true})),
            ]),
            line(vec![
                look("un", &json!({"bold": true})),
                text("usual "),
                look(" edges ", &json!({"italic": true})),
            ]),
            line(vec![look("everything", &all), text(" "), look("bg", &json!({"color": "blue_background"}))]),
            line(vec![
                look("let x = `1`;", &json!({"code": true})),
                text(" "),
                look("bold code", &json!({"bold": true, "code": true})),
            ]),
            line(vec![
                link("the ", "https://example.com/(a)", &json!({})),
                link("manual", "https://example.com/(a)", &json!({"bold": true})),
                text("."),
            ]),
            line(vec![look("over\ntwo lines", &json!({"bold": true}))]),
            line(vec![
                look("first half, ", &json!({"bold": true})),
                look("second half", &json!({"bold": true})),
            ]),
            line(vec![
                text("energy "),
                equation("E=mc^2"),
                text(" and "),
                equation("a[0] * b"),
                text(" done"),
            ]),
        ],
    );
}

#[test]
fn mentions() {
    let line = |item: Value| block("paragraph", json!({"rich_text": [text("see "), item]}), vec![]);
    let date = |start: &str, end: Option<&str>, zone: Option<&str>| {
        mention(start, &json!({"type": "date", "date": {"start": start, "end": end, "time_zone": zone}}))
    };
    check(
        "mentions",
        &[
            line(mention("@Ines Duarte", &json!({"type": "user", "user": {"object": "user", "id": USER}}))),
            line(mention("Travel [policy]", &json!({"type": "page", "page": {"id": OPEN_PAGE}}))),
            line(mention("Untitled", &json!({"type": "page", "page": {"id": CLOSED_PAGE}}))),
            line(mention("Projects", &json!({"type": "database", "database": {"id": DATABASE}}))),
            line(date("2026-03-01", None, None)),
            line(date("2026-03-01", Some("2026-03-04"), None)),
            line(date("2026-03-01T09:30:00.000+01:00", Some("2026-03-01T10:00:00.000+01:00"), None)),
            line(date("2026-03-01T09:30:00.000Z", None, Some("Europe/Lisbon"))),
            line(mention(
                "https://example.com/p",
                &json!({"type": "link_preview", "link_preview": {"url": "https://example.com/p"}}),
            )),
            line(mention(
                "An article",
                &json!({"type": "link_mention", "link_mention": {"href": "https://example.com/a", "title": "An article"}}),
            )),
            line(mention(
                "@Today",
                &json!({"type": "template_mention", "template_mention": {"type": "template_mention_date", "template_mention_date": "today"}}),
            )),
            line(mention(
                ":party:",
                &json!({"type": "custom_emoji", "custom_emoji": {"id": "x", "name": "party", "url": "u"}}),
            )),
        ],
    );
}

#[test]
fn text_that_looks_like_syntax() {
    let lines = [
        "# no heading",
        "1. no item",
        "- no item",
        "> no quote",
        "---",
        "``` no fence",
        "$5 and $6",
        "snake_case _x_",
        "a*b*c ~~d~~ [e](f) {g} h|i j^k \\ l",
        "if a < b && c > d then <b>bold</b> &lt;",
        "+ plus",
        "= setext",
        "12) item",
        "-5 degrees",
        "2026. was fine",
        "\tindented",
    ];
    let blocks: Vec<_> = lines.iter().map(|line| says("paragraph", line)).collect();
    check("text_that_looks_like_syntax", &blocks);
}

/// What follows a text can make syntax of its end: an attribute list, a link, the line below.
#[test]
fn the_end_of_a_text_is_no_syntax_with_what_follows_it() {
    let mut blocks = Vec::new();
    for text in ["#", "-", "1.", "####"] {
        let mut block = says("paragraph", text);
        block.value["paragraph"]["color"] = json!("red");
        blocks.push(block);
    }
    let mut linked = says("paragraph", "!");
    let mut link = linked.value["paragraph"]["rich_text"][0].clone();
    link["text"] = json!({"content": "no image", "link": {"url": "https://a.example"}});
    link["plain_text"] = json!("no image");
    linked.value["paragraph"]["rich_text"].as_array_mut().unwrap().push(link);
    blocks.push(linked);
    blocks.push(says("paragraph", "no head\n|---|\n:-:"));
    check("the_end_of_a_text", &blocks);
}

#[test]
fn blocks_beyond_the_limit_are_cut_at_subtrees_and_each_names_one_id() {
    let tree = holds(
        "toggle",
        "t",
        vec![says("paragraph", "kept"), holds("toggle", "cut", vec![says("paragraph", "below")])],
    );
    let blocks =
        [says("paragraph", "a"), tree, says("bulleted_list_item", "b"), says("bulleted_list_item", "c")];
    let options = Options { max_blocks: 3, ..Options::new("https://app.notion.com/p/Page-00") };
    for dialect in [Dialect::V1, Dialect::V2] {
        let answer = render(&blocks, dialect, &Office, &options);
        assert!(answer.truncated);
        assert_eq!(answer.unknown_block_ids.len(), 3, "{}", answer.markdown);
        assert_eq!(answer.markdown.matches("<unknown").count(), 3, "{}", answer.markdown);
        assert!(answer.markdown.contains("kept") && !answer.markdown.contains("below"));
    }
    let options =
        Options { max_blocks: 0, max_unknown_ids: 2, ..Options::new("https://app.notion.com/p/Page-00") };
    let answer = render(&blocks, Dialect::V1, &Office, &options);
    assert_eq!((answer.unknown_block_ids.len(), answer.markdown.matches("<unknown").count()), (2, 4));
}

#[test]
fn a_very_deep_tree_is_cut_instead_of_overflowing_the_stack() {
    for kind in ["bulleted_list_item", "paragraph", "toggle", "column_list", "callout"] {
        let mut tree = says(kind, "bottom");
        for _ in 0..2_000 {
            tree = holds(kind, "x", vec![tree]);
        }
        for dialect in [Dialect::V1, Dialect::V2] {
            let answer = rendered(std::slice::from_ref(&tree), dialect);
            assert!(answer.truncated && !answer.markdown.contains("bottom"), "{kind}");
        }
    }
}
