//! The cases: each block in its three forms.

use serde_json::{Value, json};
use uuid::Uuid;

use super::payloads::{
    ID, SIGNED, URL, emoji, formula, hosted, line, mention, run, styled, text, with, with_children,
};

/// A block in its three forms. Where a dialect cannot say it, its form is absent.
pub(super) struct Case {
    /// The type; variants have more behind a space.
    pub(super) name: &'static str,
    pub(super) blocks: Vec<Value>,
    pub(super) v1: Option<String>,
    pub(super) v2: Option<String>,
}

fn case(name: &'static str, blocks: Vec<Value>, v1: &str, v2: &str) -> Case {
    let present = |text: &str| (text != "-").then(|| text.to_owned());
    Case { name, blocks, v1: present(v1), v2: present(v2) }
}

pub(super) fn cases() -> Vec<Case> {
    [
        heading_cases(),
        text_cases(),
        inline_cases(),
        structure_cases(),
        section_cases(),
        reference_cases(),
        file_cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn nest(spec: Value) -> Vec<Value> {
    vec![with_children(spec, &[line("paragraph", "below")])]
}

fn heading_cases() -> Vec<Case> {
    let folded = |kind: &str, words: &str| nest(with(line(kind, words), "is_toggleable", json!(true)));
    vec![
        case("heading_1", vec![line("heading_1", "One")], "# One", "# One"),
        case(
            "heading_2",
            vec![with(line("heading_2", "Two"), "color", json!("red"))],
            "## Two {color=\"red\"}",
            "<h2 color=\"red\">\nTwo\n</h2>",
        ),
        case("heading_3", vec![line("heading_3", "Three")], "### Three", "### Three"),
        case("heading_4", vec![line("heading_4", "Four")], "#### Four", "#### Four"),
        case(
            "heading_2 that folds",
            folded("heading_2", "Two"),
            "## Two {toggle=\"true\"}\n\tbelow",
            "<toggle heading=\"h2\">\nTwo\n\nbelow\n</toggle>",
        ),
        case(
            "heading_4 that folds",
            folded("heading_4", "Four"),
            "#### Four {toggle=\"true\" color=\"blue_bg\"}\n\tbelow",
            "<toggle heading=\"h4\" color=\"blue_bg\">\nFour\n\nbelow\n</toggle>",
        ),
        case(
            "heading_1 that folds nothing",
            vec![with(line("heading_1", "One"), "is_toggleable", json!(true))],
            "# One {toggle=\"true\"}",
            "<toggle heading=\"h1\">One</toggle>",
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn text_cases() -> Vec<Case> {
    vec![
        case(
            "paragraph",
            nest(with(line("paragraph", "a *b*"), "color", json!("blue"))),
            "a \\*b\\* {color=\"blue\"}\n\tbelow",
            "<p color=\"blue\">\na \\*b\\*\n\nbelow\n</p>",
        ),
        case("paragraph empty", vec![text("paragraph", &[])], "<empty-block/>", "<p />"),
        case(
            "bulleted_list_item",
            nest(line("bulleted_list_item", "item")),
            "- item\n\tbelow",
            "- item\n\n  below",
        ),
        case(
            "numbered_list_item",
            nest(line("numbered_list_item", "item")),
            "1. item\n\tbelow",
            "<ol type=\"1\">\n<li>\nitem\n\nbelow\n</li>\n</ol>",
        ),
        case(
            "numbered_list_item that begins at seven",
            vec![
                with(
                    with(line("numbered_list_item", "seventh"), "list_start_index", json!(7)),
                    "list_format",
                    json!("letters"),
                ),
                line("numbered_list_item", "eighth"),
            ],
            "7. seventh\n8. eighth",
            "<ol type=\"a\">\n<li>seventh</li>\n<li>eighth</li>\n</ol>",
        ),
        case(
            "to_do",
            nest(with(line("to_do", "task"), "checked", json!(true))),
            "- [x] task\n\tbelow",
            "- [x] task\n\n  below",
        ),
        case("to_do open", vec![line("to_do", "task")], "- [ ] task", "<todo checked=\"false\">task</todo>"),
        case(
            "toggle",
            nest(with(line("toggle", "fold"), "color", json!("gray"))),
            "<details color=\"gray\">\n<summary>fold</summary>\n\tbelow\n</details>",
            "<toggle color=\"gray\">\nfold\n\nbelow\n</toggle>",
        ),
        case(
            "quote",
            nest(line("quote", "said\nso")),
            "> said<br>so\n\tbelow",
            "<quote>\nsaid\\\nso\n\nbelow\n</quote>",
        ),
        case(
            "callout",
            nest(with(line("callout", "mind this"), "color", json!("gray_background"))),
            "<callout icon=\"💡\" color=\"gray_bg\">\n\tmind this\n\tbelow\n</callout>",
            "<callout icon=\"💡\" color=\"gray_bg\">\nmind this\n\nbelow\n</callout>",
        ),
        case(
            "callout whose text stands below",
            nest(with(
                text("callout", &[]),
                "icon",
                json!({"type": "icon", "icon": {"name": "pizza", "color": "blue"}}),
            )),
            "<callout icon=\"pizza\">\n\tbelow\n</callout>",
            "<callout icon=\"pizza\">\nbelow\n</callout>",
        ),
        case(
            "code",
            vec![
                json!({"type": "code", "with": {"caption": [], "rich_text": [run("if a < b {\n\tc[0] *= 2;\n}")], "language": "rust"}}),
            ],
            "```rust\nif a < b {\n\tc[0] *= 2;\n}\n```",
            "```rust\nif a < b {\n\tc[0] *= 2;\n}\n```",
        ),
        case(
            "code with a caption",
            vec![
                json!({"type": "code", "with": {"caption": [run("Listing 1")], "rich_text": [run("x")], "language": "plain text"}}),
            ],
            "```plain text\nx\n```\nListing 1",
            "```plain text\nx\n```\n\nListing 1",
        ),
        case(
            "equation",
            vec![json!({"type": "equation", "with": {"expression": "\\frac{a}{b} < c"}})],
            "$$\n\\frac{a}{b} < c\n$$",
            "$$\n\\frac{a}{b} < c\n$$",
        ),
        case("template", nest(line("template", "New task")), "-", "-"),
    ]
}

/// What stands in a line: every mention and style. Names are the same in all forms where the API tells them.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn inline_cases() -> Vec<Case> {
    let user = json!({"object": "user", "id": Uuid::from_u128(7), "name": "Ada", "avatar_url": null, "type": "person",
        "person": {"email": "ada@a.example"}});
    let one = |item: Value| vec![text("paragraph", &[run("see "), item, run(" now")])];
    let date = |start: &str, end: Option<&str>| json!({"start": start, "end": end, "time_zone": end.map(|_| "Europe/Berlin")});
    vec![
        case(
            "paragraph in all styles",
            vec![text(
                "paragraph",
                &[
                    styled("bold", "bold", None),
                    run(" "),
                    styled("soft", "italic", None),
                    run(" "),
                    styled("old", "strikethrough", None),
                    run(" "),
                    styled("low", "underline", None),
                    run(" "),
                    styled("a < b", "code", None),
                    run(" "),
                    styled("link", "", Some(URL)),
                    run(" "),
                    formula("x^2"),
                ],
            )],
            &format!(
                "**bold** *soft* ~~old~~ <span underline=\"true\">low</span> `a < b` [link]({URL}) $x^2$"
            ),
            &format!("**bold** *soft* ~~old~~ <u>low</u> `a < b` [link]({URL}) $x^2$"),
        ),
        case(
            "paragraph mentions a user",
            one(mention("user", &user, "@Ada", None)),
            "see <mention-user url=\"user://00000000-0000-0000-0000-000000000007\">Ada</mention-user> now",
            "see <mention url=\"user://00000000-0000-0000-0000-000000000007\">Ada</mention> now",
        ),
        case(
            "paragraph mentions a page",
            one(mention("page", &json!({"id": ID}), "Plan", Some(URL))),
            &format!("see <mention-page url=\"{URL}\">Plan</mention-page> now"),
            &format!("see <mention url=\"{URL}\">Plan</mention> now"),
        ),
        case(
            "paragraph mentions a database",
            one(mention("database", &json!({"id": ID}), "Tasks", Some(URL))),
            &format!("see <mention-database url=\"{URL}\">Tasks</mention-database> now"),
            &format!("see <mention type=\"database\" url=\"{URL}\">Tasks</mention> now"),
        ),
        case(
            "paragraph mentions a data source",
            one(mention("data_source", &json!({"id": ID}), "Open", Some(URL))),
            &format!("see <mention-data-source url=\"collection://{ID}\">Open</mention-data-source> now"),
            &format!("see <mention url=\"collection://{ID}\">Open</mention> now"),
        ),
        case(
            "paragraph mentions a day",
            one(mention("date", &date("2026-03-01", None), "2026-03-01", None)),
            "see <mention-date start=\"2026-03-01\"/> now",
            "see <date start=\"2026-03-01\" /> now",
        ),
        case(
            "paragraph mentions a span of time",
            one(mention(
                "date",
                &date("2026-03-01T09:00:00.000+01:00", Some("2026-03-02T10:30:00.000+01:00")),
                "2026-03-01T09:00:00.000+01:00 → 2026-03-02T10:30:00.000+01:00",
                None,
            )),
            "see <mention-date start=\"2026-03-01\" startTime=\"09:00\" end=\"2026-03-02\" endTime=\"10:30\" timeZone=\"Europe/Berlin\"/> now",
            "see <date start=\"2026-03-01\" start-time=\"09:00\" end=\"2026-03-02\" end-time=\"10:30\" time-zone=\"Europe/Berlin\" /> now",
        ),
        case(
            "paragraph mentions a link",
            one(mention(
                "link_mention",
                &json!({"href": "https://a.example/x", "title": "The tale", "description": "long", "link_author": "Ada",
                    "link_provider": "Example", "thumbnail_url": "https://a.example/t.png", "icon_url": null,
                    "iframe_url": null, "height": 300, "padding": null, "padding_top": null}),
                "https://a.example/x",
                Some("https://a.example/x"),
            )),
            "see [The tale](https://a.example/x) now",
            "see [The tale](https://a.example/x) now",
        ),
        case(
            "paragraph mentions a link preview",
            one(mention(
                "link_preview",
                &json!({"url": "https://a.example/x"}),
                "https://a.example/x",
                Some("https://a.example/x"),
            )),
            "see [https://a.example/x](https://a.example/x) now",
            "see [https://a.example/x](https://a.example/x) now",
        ),
        case(
            "paragraph mentions what a template fills in",
            one(mention(
                "template_mention",
                &json!({"type": "template_mention_date", "template_mention_date": "today"}),
                "@Today",
                None,
            )),
            "see @Today now",
            "see @Today now",
        ),
        case(
            "paragraph mentions a custom emoji",
            one(mention(
                "custom_emoji",
                &json!({"id": Uuid::from_u128(5), "name": "party", "url": "https://a.example/p.png"}),
                ":party:",
                None,
            )),
            "see :party: now",
            "see :party: now",
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn structure_cases() -> Vec<Case> {
    let row = |cells: [&str; 2]| json!({"type": "table_row", "with": {"cells": cells.map(|cell| json!([run(cell)]))}});
    let table = |column: bool, first: bool, rows: &[Value]| {
        let payload = json!({"table_width": 2, "has_column_header": column, "has_row_header": first});
        vec![with_children(json!({"type": "table", "with": payload}), rows)]
    };
    let one = |kind: &str| vec![json!({"type": kind})];
    let column = |words: &str| {
        with_children(json!({"type": "column", "with": {"width_ratio": 0.5}}), &[line("paragraph", words)])
    };
    let tab = |icon: Value, label: &str, inside: &str| {
        with_children(with(line("paragraph", label), "icon", icon), &[line("paragraph", inside)])
    };
    let custom = json!({"type": "custom_emoji", "custom_emoji": {"id": Uuid::from_u128(5), "name": "party", "url": "https://a.example/p.png"}});
    let synced = |from: Value| {
        vec![with_children(
            json!({"type": "synced_block", "with": {"synced_from": from}}),
            &[line("paragraph", "shared")],
        )]
    };
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
            vec![json!({"type": "table_of_contents", "with": {"color": "gray"}})],
            "<table_of_contents color=\"gray\"/>",
            "<table-of-contents color=\"gray\" />",
        ),
        case(
            "table",
            table(true, false, &[row(["Key", "Value"]), row(["a | b", "1\n2"])]),
            "<table header-row=\"true\">\n\t<colgroup>\n\t\t<col width=\"100\">\n\t\t<col>\n\t</colgroup>\n\t<tr>\n\t\t<td>Key</td>\n\t\t<td color=\"red\">Value</td>\n\t</tr>\n\t<tr>\n\t\t<td>a \\| b</td>\n\t\t<td>1<br>2</td>\n\t</tr>\n</table>",
            "| Key | Value |\n| --- | --- |\n| a \\| b | 1<br />2 |",
        ),
        case(
            "table with a head column",
            table(true, true, &[row(["Key", "Value"]), row(["a", ""])]),
            "<table header-row=\"true\" header-column=\"true\">\n<tr>\n<td>Key</td>\n<td>Value</td>\n</tr>\n<tr>\n<td>a</td>\n<td></td>\n</tr>\n</table>",
            "<table header-row=\"true\" header-column=\"true\">\n<tr>\n<th>Key</th>\n<th>Value</th>\n</tr>\n<tr>\n<th>a</th>\n<td></td>\n</tr>\n</table>",
        ),
        case(
            "table_row",
            table(false, false, &[row(["x", "y"])]),
            "<table><tr><td>x</td><td>y</td></tr></table>",
            "<table header-row=\"true\">\n<tr>\n<th>x</th>\n<td>y</td>\n</tr>\n</table>",
        ),
        case(
            "column_list",
            vec![with_children(json!({"type": "column_list"}), &[column("left"), column("right")])],
            "<columns>\n\t<column>\n\t\tleft\n\t</column>\n\t<column ratio=\"50\">\n\t\tright\n\t</column>\n</columns>",
            "<columns><column ratio=\"50\">\nleft\n</column>\n<column ratio=\"50\">right</column></columns>",
        ),
        case("column", vec![column("alone")], "<column>\n\talone\n</column>", "<column>\nalone\n</column>"),
        case(
            "tab",
            vec![with_children(
                json!({"type": "tab"}),
                &[
                    tab(emoji("💡"), "First tab", "inside"),
                    tab(custom, "Second tab", "beside"),
                    tab(Value::Null, "Third tab", "below"),
                ],
            )],
            "<tabs>\n\t<tab icon=\"💡\">\n\t\tFirst tab\n\t\tinside\n\t</tab>\n\t<tab icon=\":party:\">\n\t\tSecond tab\n\t\tbeside\n\t</tab>\n\t<tab>\n\t\tThird tab\n\t\tbelow\n\t</tab>\n</tabs>",
            "<tabs>\n<tab icon=\"💡\">\nFirst tab\n\ninside\n</tab>\n<tab icon=\":party:\">\nSecond tab\n\nbeside\n</tab>\n<tab>\nThird tab\n\nbelow\n</tab>\n</tabs>",
        ),
        case(
            "synced_block",
            synced(Value::Null),
            &format!("<synced_block url=\"{URL}\">\n\tshared\n</synced_block>"),
            &format!("<synced-block url=\"{URL}\">\nshared\n</synced-block>"),
        ),
        case(
            "synced_block copy",
            synced(json!({"type": "block_id", "block_id": ID})),
            &format!("<synced_block_reference url=\"{URL}\">\n\tshared\n</synced_block_reference>"),
            &format!("<synced-block-reference url=\"{URL}\">\nshared\n</synced-block-reference>"),
        ),
    ]
}

fn section_cases() -> Vec<Case> {
    let id = |number: u128| Uuid::from_u128(number);
    let section = |number: u128, child: Value| {
        let mut section = with_children(text("paragraph", &[]), &[child]);
        section["id"] = json!(id(number));
        section
    };
    let payload = json!({
        "title": [run("Weekly")], "status": "notes_ready",
        "children": {"summary_block_id": id(51), "notes_block_id": id(52), "transcript_block_id": id(53)},
        "calendar_event": {"start_time": "2026-03-01T09:00:00.000Z", "end_time": "2026-03-01T10:00:00.000Z", "attendees": [id(7)]},
        "recording": {"start_time": "2026-03-01T09:01:00.000Z", "end_time": "2026-03-01T09:58:00.000Z"}
    });
    let sections = [
        section(51, line("paragraph", "We agreed")),
        section(52, line("bulleted_list_item", "my note")),
        section(53, line("paragraph", "hello hello")),
    ];
    vec![
        case(
            "meeting_notes",
            vec![with_children(json!({"type": "meeting_notes", "with": payload}), &sections)],
            "<meeting-notes>\n\tWeekly\n\t<summary>\n\t\tWe agreed\n\t</summary>\n\t<notes>\n\t\t- my note\n\t</notes>\n\t<transcript>\n\t\thello hello\n\t</transcript>\n</meeting-notes>",
            "<meeting-notes attendees=\"user://1\">Weekly<meeting-notes-section-notes>\n- my note\n</meeting-notes-section-notes>\n<meeting-notes-section-summary>We agreed</meeting-notes-section-summary><meeting-notes-section-transcript>hello hello</meeting-notes-section-transcript></meeting-notes>",
        ),
        case(
            "meeting_notes that did not begin",
            vec![
                json!({"type": "meeting_notes", "with": {"title": [], "status": "transcription_not_started"}}),
            ],
            "<meeting-notes>\n</meeting-notes>",
            "<meeting-notes></meeting-notes>",
        ),
        case(
            "transcription",
            vec![json!({"type": "transcription", "with": {"title": [run("Daily")]}})],
            "<meeting-notes>\n\tDaily\n</meeting-notes>",
            "<meeting-notes>Daily</meeting-notes>",
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn reference_cases() -> Vec<Case> {
    let child = |kind: &str, title: &str| json!({"type": kind, "id": ID, "with": {"title": title}});
    let link = |kind: &str| vec![json!({"type": "link_to_page", "with": {"type": kind, kind: ID}})];
    let web = |kind: &str, caption: &[Value]| {
        vec![json!({"type": kind, "with": {"caption": caption, "url": "https://a.example/x?q=1"}})]
    };
    vec![
        case(
            "child_page",
            vec![with_children(child("child_page", "Plan"), &[line("paragraph", "not ours")])],
            &format!("<page url=\"{URL}\">Plan</page>"),
            &format!("<page url=\"{URL}\">Plan</page>"),
        ),
        case(
            "child_database",
            vec![child("child_database", "Tasks")],
            &format!("<database url=\"{URL}\" inline=\"true\">Tasks</database>"),
            &format!("<database url=\"{URL}\" inline=\"true\" icon=\"📋\">Tasks</database>"),
        ),
        case(
            "child_database linked view",
            vec![child("child_database", "Untitled")],
            &format!("<database url=\"{URL}\">Untitled</database>"),
            &format!("<database url=\"{URL}\">Untitled</database>"),
        ),
        case("link_to_page", link("page_id"), "-", "-"),
        case("link_to_page database", link("database_id"), "-", "-"),
        case("link_to_page comment", link("comment_id"), "-", "-"),
        case(
            "bookmark",
            web("bookmark", &[run("Docs")]),
            "-",
            "<bookmark source=\"https://a.example/x?q=1\">Docs</bookmark>",
        ),
        case(
            "bookmark without a caption",
            web("bookmark", &[]),
            "-",
            "<bookmark source=\"https://a.example/x?q=1\"></bookmark>",
        ),
        case(
            "embed",
            web("embed", &[run("Docs")]),
            "-",
            "<embed source=\"https://a.example/x?q=1\">Docs</embed>",
        ),
        case(
            "embed of a page of its own",
            vec![json!({"type": "embed", "with": {"caption": [], "url": SIGNED}})],
            "-",
            &format!("<embed source=\"{SIGNED}\"></embed>"),
        ),
        case(
            "link_preview",
            vec![json!({"type": "link_preview", "with": {"url": "https://github.com/a/b/pull/1"}})],
            "-",
            "<external_object_instance integration=\"github\">https://github.com/a/b/pull/1</external_object_instance>",
        ),
        case(
            "unsupported",
            vec![json!({"type": "unsupported", "id": ID, "with": {"block_type": "form"}})],
            &format!("<unknown url=\"{URL}#393abc1eedcd81d5bf32d1339d9031c2\" alt=\"form\"/>"),
            &format!("<unknown url=\"{URL}\" alt=\"form\" />"),
        ),
        case(
            "unsupported as before 2026",
            vec![json!({"type": "unsupported", "with": {}})],
            &format!("<unknown url=\"{URL}\" alt=\"unsupported\"/>"),
            &format!("<unknown url=\"{URL}\" alt=\"unsupported\" />"),
        ),
        case(
            "unheard_of",
            vec![json!({"type": "hologram", "with": {"rich_text": [run("kept")]}})],
            "<hologram depth=\"3\">\n\tkept\n</hologram>",
            "<hologram depth=\"3\">\nkept\n</hologram>",
        ),
    ]
}

fn file_cases() -> Vec<Case> {
    let tag = |tag: &str, source: &str| format!("<{tag} {source}=\"{SIGNED}\">See page 2</{tag}>");
    let caption = json!([run("See page 2")]);
    let file = |kind: &str| {
        vec![json!({"type": kind, "with": {"caption": caption, "type": "file", "file": hosted(SIGNED)}})]
    };
    let named = json!({"caption": caption, "type": "file", "file": hosted(SIGNED), "name": "plan B.pdf"});
    let elsewhere = json!({"caption": [], "type": "external", "external": {"url": "https://a.example/pictures/dawn.jpg"}});
    vec![
        case(
            "image",
            file("image"),
            &format!("![See page 2]({SIGNED}) {{color=\"gray\"}}"),
            &format!("![See page 2]({SIGNED})"),
        ),
        case(
            "image on another host",
            vec![json!({"type": "image", "with": elsewhere})],
            "![](https://a.example/pictures/dawn.jpg)",
            "<image source=\"https://a.example/pictures/dawn.jpg\"></image>",
        ),
        case("video", file("video"), &tag("video", "src"), &tag("video", "source")),
        case("pdf", file("pdf"), &tag("pdf", "src"), &tag("pdf", "source")),
        case("audio", file("audio"), &tag("audio", "src"), &tag("audio", "source")),
        case(
            "file",
            vec![json!({"type": "file", "with": named})],
            &tag("file", "src"),
            &tag("file", "source"),
        ),
        case(
            "file with a name of its own",
            vec![
                json!({"type": "file", "with": {"caption": [], "type": "file", "file": hosted(SIGNED), "name": "Offer.pdf"}}),
            ],
            "-",
            "-",
        ),
    ]
}
