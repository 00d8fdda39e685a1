//! What must hold for any input: no panic, bounded depth, no lost text, linear cost.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::document::{MAX_DEPTH, Node};
use super::markdown::{Dialect, cost, parse};
use super::passages::Cutter;
use super::text::{LinkSet, Part, write_blocks};
use crate::model::{NotionId, Passage, Warning};

const DIALECTS: [Dialect; 2] = [Dialect::V1, Dialect::V2];

fn render(text: &str, dialect: Dialect) -> (String, Vec<Passage>) {
    let mut warnings = BTreeSet::new();
    let nodes = parse(text, dialect, &mut warnings);
    assert!(depth(&nodes) <= MAX_DEPTH + 1);
    written(&nodes, &BTreeMap::new())
}

fn written(nodes: &[Node], parts: &BTreeMap<NotionId, Part>) -> (String, Vec<Passage>) {
    let mut cutter = Cutter::default();
    write_blocks(nodes, parts, &mut cutter, &mut LinkSet::default(), &mut BTreeSet::new());
    cutter.finish()
}

fn depth(nodes: &[Node]) -> usize {
    let mut deepest = 0;
    let mut rest: Vec<(&Node, usize)> = nodes.iter().map(|node| (node, 1)).collect();
    while let Some((node, depth)) = rest.pop() {
        deepest = deepest.max(depth);
        rest.extend(node.children.iter().map(|child| (child, depth + 1)));
    }
    deepest
}

/// Passages are in order, do not overlap, and hold everything but line ends.
fn check_passages(text: &str, passages: &[Passage]) {
    let mut behind = 0;
    for passage in passages {
        assert!(passage.range.start >= behind && passage.range.start < passage.range.end);
        let between = text.get(behind..passage.range.start).unwrap();
        assert!(between.trim().is_empty(), "{between:?} stands between passages");
        text.get(passage.range.clone()).unwrap();
        behind = passage.range.end;
    }
    assert_eq!(text.get(behind..).unwrap().trim(), "");
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A piece of a document that both dialects can say.
#[derive(Debug, Clone)]
enum Piece {
    Paragraph(String),
    Heading(u8, String),
    Bullet(String, Vec<Piece>),
    Numbered(String, Vec<Piece>),
    Todo(bool, String),
    Quote(String),
    Code(String),
    Toggle(String, Vec<Piece>),
    Callout(Vec<Piece>),
    Columns(Vec<Vec<Piece>>),
    Table(Vec<[String; 2]>),
    Page(String),
}

fn line() -> impl Strategy<Value = String> {
    // Begins with a letter: neither dialect can say a paragraph that begins like another block.
    "[a-zé日][a-zA-Z0-9 é日本*_~`$<>{}|^\\[\\]\\\\.,:&#-]{0,30}[a-z]"
}

fn piece() -> impl Strategy<Value = Piece> {
    let leaf = prop_oneof![
        line().prop_map(Piece::Paragraph),
        (1..=4_u8, line()).prop_map(|(level, text)| Piece::Heading(level, text)),
        (any::<bool>(), line()).prop_map(|(done, text)| Piece::Todo(done, text)),
        line().prop_map(Piece::Quote),
        "[a-z<>*$\\\\ \n\t]{0,40}[a-z]".prop_map(Piece::Code),
        proptest::collection::vec([line(), line()], 1..3).prop_map(Piece::Table),
        line().prop_map(Piece::Page),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let several = || proptest::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            (line(), several()).prop_map(|(text, below)| Piece::Bullet(text, below)),
            (line(), several()).prop_map(|(text, below)| Piece::Numbered(text, below)),
            (line(), several()).prop_map(|(text, below)| Piece::Toggle(text, below)),
            several().prop_map(Piece::Callout),
            proptest::collection::vec(several(), 1..3).prop_map(Piece::Columns),
        ]
    })
}

fn escape(text: &str, special: &str) -> String {
    text.chars().flat_map(|c| special.contains(c).then_some('\\').into_iter().chain([c])).collect()
}

fn indented(text: &str, front: &str) -> String {
    text.lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{front}{line}\n") })
        .collect()
}

/// The text that a reader sees.
fn plain(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for piece in pieces {
        let (text, below) = match piece {
            Piece::Paragraph(text)
            | Piece::Heading(_, text)
            | Piece::Todo(false, text)
            | Piece::Quote(text)
            | Piece::Code(text)
            | Piece::Page(text) => (text.clone(), String::new()),
            Piece::Todo(true, text) => (format!("[x] {text}"), String::new()),
            Piece::Table(rows) => {
                (rows.iter().flatten().cloned().collect::<Vec<_>>().join("\n"), String::new())
            }
            Piece::Bullet(text, below) | Piece::Numbered(text, below) | Piece::Toggle(text, below) => {
                (text.clone(), plain(below))
            }
            Piece::Callout(below) => (String::new(), plain(below)),
            Piece::Columns(columns) => (String::new(), columns.iter().map(|column| plain(column)).collect()),
        };
        out.push_str(&text);
        out.push('\n');
        out.push_str(&below);
    }
    out
}

/// The first dialect, as developers.notion.com "enhanced-markdown" describes it.
fn write_v1(pieces: &[Piece], tabs: usize, out: &mut String) {
    let front = "\t".repeat(tabs);
    let text = |text: &str| escape(text, r"\*~`$[]<>{}|^");
    for piece in pieces {
        match piece {
            Piece::Paragraph(line) => *out += &format!("{front}{} {{color=\"blue\"}}\n", text(line)),
            Piece::Heading(level, line) => {
                *out += &format!("{front}{} {}\n", "#".repeat(usize::from(*level)), text(line));
            }
            Piece::Bullet(line, below) => {
                *out += &format!("{front}- {}\n", text(line));
                write_v1(below, tabs + 1, out);
            }
            Piece::Numbered(line, below) => {
                *out += &format!("{front}1. {}\n", text(line));
                write_v1(below, tabs + 1, out);
            }
            Piece::Todo(done, line) => {
                *out += &format!("{front}- [{}] {}\n", if *done { 'x' } else { ' ' }, text(line));
            }
            Piece::Quote(line) => *out += &format!("{front}> {}\n", text(line)),
            Piece::Code(code) => *out += &indented(&format!("```rust\n{code}\n```"), &front),
            Piece::Toggle(line, below) => {
                *out += &format!("{front}<details>\n{front}<summary>{}</summary>\n", text(line));
                write_v1(below, tabs + 1, out);
                *out += &format!("{front}</details>\n");
            }
            Piece::Callout(below) => {
                *out += &format!("{front}<callout icon=\"💡\">\n");
                write_v1(below, tabs + 1, out);
                *out += &format!("{front}</callout>\n");
            }
            Piece::Columns(columns) => {
                *out += &format!("{front}<columns>\n");
                for column in columns {
                    *out += &format!("{front}\t<column>\n");
                    write_v1(column, tabs + 2, out);
                    *out += &format!("{front}\t</column>\n");
                }
                *out += &format!("{front}</columns>\n");
            }
            Piece::Table(rows) => {
                *out += &format!("{front}<table header-row=\"true\">\n");
                for [a, b] in rows {
                    *out += &format!(
                        "{front}<tr>\n{front}<td>{}</td>\n{front}<td>{}</td>\n{front}</tr>\n",
                        text(a),
                        text(b)
                    );
                }
                *out += &format!("{front}</table>\n");
            }
            Piece::Page(title) => {
                *out += &format!("{front}<page url=\"https://x.y/z\">{}</page>\n", text(title));
            }
        }
    }
}

/// The second dialect, as developers.notion.com "notion-flavored-markdown" describes it.
fn write_v2(pieces: &[Piece], out: &mut String) {
    let text = |text: &str| escape(text, r"\*_~`$[]<>{}|^&#:");
    let list = |mark: &str, line: &str, below: &[Piece], out: &mut String| {
        let mut inner = String::new();
        write_v2(below, &mut inner);
        *out += &format!("{mark} {}\n\n{}", text(line), indented(&inner, "    "));
    };
    for piece in pieces {
        match piece {
            Piece::Paragraph(line) => *out += &format!("{}\n\n", text(line)),
            Piece::Heading(level, line) => {
                *out += &format!("{} {}\n\n", "#".repeat(usize::from(*level)), text(line));
            }
            Piece::Bullet(line, below) => list("-", line, below, out),
            Piece::Numbered(line, below) => list("1.", line, below, out),
            Piece::Todo(done, line) => {
                *out += &format!("- [{}] {}\n\n", if *done { 'x' } else { ' ' }, text(line));
            }
            Piece::Quote(line) => *out += &format!("> {}\n\n", text(line)),
            Piece::Code(code) => *out += &format!("```rust\n{code}\n```\n\n"),
            Piece::Toggle(line, below) => {
                *out += &format!("<toggle color=\"red\">\n{}\n\n", text(line));
                write_v2(below, out);
                *out += "</toggle>\n\n";
            }
            Piece::Callout(below) => {
                *out += "<callout icon=\"💡\">\n\n";
                write_v2(below, out);
                *out += "</callout>\n\n";
            }
            Piece::Columns(columns) => {
                *out += "<columns>";
                for column in columns {
                    *out += "<column>\n";
                    write_v2(column, out);
                    *out += "</column>";
                }
                *out += "</columns>\n\n";
            }
            Piece::Table(rows) => {
                for (number, [a, b]) in rows.iter().enumerate() {
                    *out += &format!("| {} | {} |\n", text(a), text(b));
                    if number == 0 {
                        *out += "| --- | :-: |\n";
                    }
                }
                *out += "\n";
            }
            Piece::Page(title) => *out += &format!("<page url=\"https://x.y/z\">{}</page>\n\n", text(title)),
        }
    }
}

/// Fragments that hostile or broken bodies are made of.
fn fragment() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "<callout>",
        "</callout>",
        "<details>",
        "<summary>",
        "</summary>",
        "<td>",
        "<tr>",
        "</tr>",
        "<table>",
        "</table>",
        "\n",
        "\n\n",
        "\t",
        "  ",
        "- ",
        "1. ",
        "> ",
        "# ",
        "```",
        "``",
        "`",
        "$$",
        "$",
        "**",
        "*",
        "__",
        "~~",
        "[",
        "](",
        ")",
        "![",
        "(",
        "\\",
        "<",
        ">",
        "</",
        "/>",
        "{color=\"",
        "\"}",
        "&lt;",
        "<br>",
        "|",
        "| --- |",
        "<mention-page url=\"",
        "</mention-page>",
        "<unknown url=\"https://x.y/z\" alt=\"q\"/>",
        "<li>",
        "<ul>",
        "</ul>",
        "<equation>",
        "</equation>",
        "<meeting-notes>",
        "<notes>",
        "<x-y>",
        "</x-y>",
        "<b>",
        "</b>",
        "é",
        "日本",
        "\u{0}",
        "\r",
        "[^https://",
        "<date start=\"",
        "<p />",
        "---",
        "\u{202e}",
    ]);
    prop_oneof![4 => fixed.prop_map(str::to_owned), 1 => any::<String>(), 1 => "[a-z ]{0,5}"]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_renders(text in any::<String>()) {
        for dialect in DIALECTS {
            let (text, passages) = render(&text, dialect);
            check_passages(&text, &passages);
        }
    }

    #[test]
    fn any_heap_of_fragments_renders(fragments in proptest::collection::vec(fragment(), 0..60)) {
        for dialect in DIALECTS {
            let (text, passages) = render(&fragments.concat(), dialect);
            check_passages(&text, &passages);
        }
    }

    #[test]
    fn a_damaged_document_renders(
        pieces in proptest::collection::vec(piece(), 0..6),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), fragment()), 1..6),
    ) {
        let (mut v1, mut v2) = (String::new(), String::new());
        write_v1(&pieces, 0, &mut v1);
        write_v2(&pieces, &mut v2);
        for (mut text, dialect) in [(v1, Dialect::V1), (v2, Dialect::V2)] {
            for (at, fragment) in &cuts {
                let mut at = at.index(text.len() + 1);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                text.insert_str(at, fragment);
            }
            let (text, passages) = render(&text, dialect);
            check_passages(&text, &passages);
        }
    }

    #[test]
    fn no_run_of_text_is_lost(pieces in proptest::collection::vec(piece(), 0..6)) {
        let expected = words(&plain(&pieces));
        let mut v1 = String::new();
        write_v1(&pieces, 0, &mut v1);
        prop_assert_eq!(words(&render(&v1, Dialect::V1).0), expected.clone(), "{}", v1);
        let mut v2 = String::new();
        write_v2(&pieces, &mut v2);
        prop_assert_eq!(words(&render(&v2, Dialect::V2).0), expected, "{}", v2);
    }

    #[test]
    fn text_without_markup_is_kept_to_the_letter(lines in proptest::collection::vec("[a-z][a-z0-9 ,.é日]{0,20}[a-z]", 0..8)) {
        let expected = lines.join("\n");
        prop_assert_eq!(render(&expected, Dialect::V1).0, expected.clone());
        prop_assert_eq!(render(&lines.join("\n\n"), Dialect::V2).0, expected);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of patterns")]
fn cost_is_linear_in_hostile_input() {
    let patterns = [
        "<a \"",
        "<a \"<a '",
        "<callout>\n",
        "<callout>\n</columns>\n",
        "</callout>",
        "<ul>\nx\n",
        "<ul><li>",
        "[",
        "](",
        "](<",
        "[a](b ",
        "[a](b \"",
        "![",
        "![]",
        "*",
        "**a",
        "a_",
        "_a ",
        "`",
        "`` ` ",
        "``a`",
        "$",
        "$`a ",
        "a$ ",
        "[^http://",
        "<mention-page url=\"x\">",
        "<mention-page>a</mention-page>",
        "<mention>a\\</mention>",
        "\\</mention><mention>",
        "<mention>\n</mention>",
        "<mention><td></mention>\n",
        "![`a",
        "![`` ` a",
        "`` `a ```",
        "<folder url=\"https://x.y/z\">a</folder>\n",
        "<callout>\na\n\tb\n",
        "<b>",
        "</b>",
        "<b></b>",
        "| a |\n",
        "| a |\n|-|\n",
        "> ",
        ">\n",
        "- ",
        "- a\n",
        "1. ",
        "<equation>\n",
        "$$\n",
        "$$ a\n",
        "```\n",
        "````a\n",
        "&",
        "&lt",
        "\\",
        "<td>a",
        "<tr><td>",
        "<summary>",
        "<details><summary>",
        "<x-y>\n",
        "<x-y>",
        "</x-y>",
        "<x-y/>\n",
        "<https://",
        "{color=\"a\"}",
        "{a=\"b\"",
        "\t- a\n",
        "<unknown url=\"\"/>\n",
        "a\n",
        "a\n\n",
        "\\\n",
        "<meeting-notes>\n<notes>\n",
        "<p>\na\n\n</p>\n",
    ];
    for pattern in patterns {
        for dialect in DIALECTS {
            let count = |times: usize| {
                let text = pattern.repeat(times);
                cost::take();
                render(&text, dialect);
                cost::take()
            };
            let (small, large) = (count(400), count(4_000));
            assert!(large <= small * 12 + 2_000, "{pattern:?} in {dialect:?}: {small} grew to {large}");
            assert!(large <= 4_000 * 60 * pattern.len() as u64, "{pattern:?} in {dialect:?}: {large}");
        }
    }
}

#[test]
fn a_part_is_no_deeper_for_being_a_part() {
    let url = |id: u128| format!("https://x.y/z#{}", Uuid::from_u128(id).simple());
    let text =
        |id: u128| format!("{}word <unknown url=\"{}\" alt=\"a\"/>", "<callout>\n".repeat(300), url(id));
    let mut warnings = BTreeSet::<Warning>::new();
    let parts = (1..400)
        .map(|id| {
            let nodes = parse(&text(id + 1), Dialect::V1, &mut warnings);
            (NotionId(Uuid::from_u128(id)), Part::Read(nodes))
        })
        .collect();
    let nodes = parse(&text(1), Dialect::V1, &mut warnings);
    let (text, _) = written(&nodes, &parts);
    assert_eq!(words(&text).len(), 400);
}
