//! What becomes of folders of Markdown: links, databases, ids, and every element of CommonMark and GFM.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::folder::document;
use super::{Import, ImportError, blocks, import_folder};
use crate::seed::{Content, DatabaseSeed, PageSeed};

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let at = root.join(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, text).unwrap();
    }
}

fn imported(files: &[(&str, &str)]) -> Import {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("Docs");
    fs::create_dir(&root).unwrap();
    write(&root, files);
    let mut import = import_folder(&root).unwrap();
    // The folder goes when this returns.
    for file in &mut import.files {
        file.content = file.content.load().to_vec().into();
    }
    import
}

fn root(import: &Import) -> &PageSeed {
    match import.workspace.roots.as_slice() {
        [Content::Page(page)] => page,
        other => panic!("one start point, not {}", other.len()),
    }
}

fn pages(contents: &[Content]) -> Vec<&PageSeed> {
    contents
        .iter()
        .filter_map(|content| if let Content::Page(page) = content { Some(page) } else { None })
        .collect()
}

fn databases(contents: &[Content]) -> Vec<&DatabaseSeed> {
    contents
        .iter()
        .filter_map(|content| if let Content::Database(found) = content { Some(found) } else { None })
        .collect()
}

/// Blocks of one document that stands alone in a folder.
fn body(text: &str) -> Vec<Content> {
    let import = imported(&[("page.md", text)]);
    pages(&root(&import).body)[0].body.clone()
}

fn plain(items: &Value) -> String {
    items.as_array().into_iter().flatten().map(|item| item["plain_text"].as_str().unwrap()).collect()
}

/// `type: text` lines, children indented: what a test compares.
fn outline(contents: &[Content]) -> String {
    let mut out = String::new();
    outline_into(contents, 0, &mut out);
    out
}

fn outline_into(contents: &[Content], depth: usize, out: &mut String) {
    for content in contents {
        let Content::Block(block) = content else { continue };
        let mut line =
            format!("{}{}: {}", "  ".repeat(depth), block.kind, plain(&block.payload["rich_text"]));
        for (key, value) in block.payload.as_object().unwrap() {
            match key.as_str() {
                "rich_text" => {}
                "caption" => line.push_str(&format!(" caption={}", plain(value))),
                "cells" => {
                    let cells: Vec<String> = value.as_array().unwrap().iter().map(plain).collect();
                    line.push_str(&cells.join(" | "));
                }
                _ => line.push_str(&format!(" {key}={value}")),
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
        outline_into(&block.children, depth + 1, out);
    }
}

#[test]
fn every_element_of_commonmark_and_gfm_becomes_a_block() {
    let text = "\
# Title

Plain *italic* **bold** ~~gone~~ `code` <kbd>Ctrl</kbd>
next line\\
hard break.

##### Fifth

- one
  - two

    with a second paragraph
    1. three
- [x] done
- [ ] open

7. seven
8. eight

> quoted
>
> - in a quote

| Name | Note |
|------|:----:|
| `a`  | **b** [c](https://example.com) |

```rs
fn main() {
    let x = 1;
}
```

    indented code

---

![A cat](https://example.com/cat.png) after the cat

<details>
<summary>HTML</summary>
</details>

A claim[^1] and [a reference].

[^1]: The proof.

[a reference]: https://example.com/ref
";
    insta::assert_snapshot!(outline(&body(text)));
}

#[test]
fn cells_beyond_the_head_of_a_table_widen_it() {
    let text = "| a | b |\n|---|---|\n| 1 | `x\\|y` | **three** | four\\|4 |\nno row\n| only |\n";
    assert_eq!(
        outline(&body(text)),
        "table:  table_width=4 has_column_header=true has_row_header=false
  table_row: a | b |  |
  table_row: 1 | x|y | three | four|4
  table_row: no row |  |  |
  table_row: only |  |  |
"
    );
}

#[test]
fn a_folder_becomes_pages_in_the_order_of_names_with_one_start_point() {
    let import = imported(&[
        ("b.md", "# Bee\n\ntext"),
        ("a/two.markdown", "no heading"),
        ("a/one.md", "Intro first\n\n# Late heading"),
        ("c.txt", "not markdown"),
        ("empty/x.txt", "no markdown in here"),
        (".git/config.md", "hidden"),
    ]);
    let root = root(&import);
    assert_eq!((root.title.as_str(), import.workspace.name.as_str()), ("Docs", "Docs"));
    let titles: Vec<&str> = pages(&root.body).iter().map(|page| page.title.as_str()).collect();
    assert_eq!(titles, ["a", "Bee"]);
    let inner: Vec<&str> = pages(&pages(&root.body)[0].body).iter().map(|page| page.title.as_str()).collect();
    assert_eq!(inner, ["one", "two"]);
    assert_eq!(outline(&pages(&root.body)[1].body), "heading_1: Bee is_toggleable=false\nparagraph: text\n");
    assert!(import.files.is_empty() && import.left_out.is_empty());
}

#[test]
fn a_link_is_a_mention_only_if_its_text_is_the_title_of_its_target() {
    let import = imported(&[
        (
            "a.md",
            "[Set up](guide/setup.md) [the guide](guide/setup#install) [web](https://example.com) [here](#x) [gone](no.md)",
        ),
        ("guide/setup.md", "# Set up\n\nBack to [a](../a.md), [guide](./), [root](/a)."),
    ]);
    let page = pages(&root(&import).body)[0];
    let Content::Block(line) = &page.body[0] else { panic!("a paragraph") };
    let items = line.payload["rich_text"].as_array().unwrap();
    assert_eq!(plain(&line.payload["rich_text"]), "Set up the guide web here gone");
    assert_eq!(items[0]["mention"], json!({"type": "page", "page": {"id": {"ref": "guide/setup.md"}}}));
    let linked = |text: &str| &items.iter().find(|item| item["plain_text"] == text).unwrap()["text"]["link"];
    assert_eq!(linked("the guide"), &json!({"url": {"ref": "guide/setup.md"}}));
    assert_eq!(linked("web"), &json!({"url": "https://example.com"}));
    assert!(items.iter().any(|item| item["plain_text"] == " here gone" && item["text"]["link"].is_null()));
    let inner = pages(&pages(&root(&import).body)[1].body)[0];
    let Content::Block(line) = &inner.body[1] else { panic!("a paragraph") };
    let items = line.payload["rich_text"].as_array().unwrap();
    assert_eq!(items[1]["mention"]["page"]["id"]["ref"], "a.md");
    assert_eq!(items[3]["mention"]["page"]["id"]["ref"], "guide");
    assert_eq!(items[5]["text"]["link"]["url"]["ref"], "a.md");
}

#[test]
fn pictures_and_documents_of_the_folder_are_served_as_files() {
    let import = imported(&[
        (
            "guide/page.md",
            "- See ![the plan](../img/plan%201.png) and [the figures](figures.csv), ![lost](no.png).",
        ),
        ("img/plan 1.png", "not really a picture"),
        ("guide/figures.csv", "a,b"),
        ("guide/unused.csv", "c,d"),
    ]);
    let page = pages(&pages(&root(&import).body)[0].body)[0];
    assert_eq!(
        outline(&page.body),
        "bulleted_list_item: See
  image:  type=\"file\" file={\"ref\":\"img/plan 1.png\"} caption=the plan
  paragraph: and the figures,
  file:  type=\"file\" file={\"ref\":\"guide/figures.csv\"} caption= name=\"figures.csv\"
  paragraph: lost
  paragraph: .
"
    );
    let files: BTreeMap<&str, _> =
        import.files.iter().map(|file| (file.path.as_str(), file.content.load())).collect();
    assert_eq!(files.keys().copied().collect::<Vec<_>>(), ["guide/figures.csv", "img/plan 1.png"]);
    assert_eq!(files["guide/figures.csv"].as_ref(), b"a,b");
    assert!(import.left_out[0].starts_with("no.png: guide/page.md shows it"), "{:?}", import.left_out);
}

#[test]
fn shared_front_matter_makes_a_database_with_typed_properties() {
    let row = |n: u32, state: &str, more: &str| {
        format!(
            "---\ntitle: Row {n}\nstate: {state}\ndone: true\nscore: {n}.5\ndue: 2026-03-0{n}\ntags: [red, blue]\nsite: https://example.com/{n}\nmail: r{n}@example.com\nnote: |\n  Long text,\n  over lines {n}\n{more}---\n# Row {n}\n\nBody {n}\n"
        )
    };
    let import = imported(&[
        ("rows/1.md", &row(1, "open", "extra: {deep: [1, 2]}\n")),
        ("rows/2.md", &row(2, "open", "")),
        ("rows/3.md", &row(3, "shut", "")),
        ("rows/4.md", "no front matter"),
        ("lone.md", "---\nonly: here\n---\ntext"),
    ]);
    let root = root(&import);
    let database = databases(&root.body)[0];
    assert_eq!((database.title.as_str(), database.is_inline), ("rows", false));
    let schema = &database.data_sources[0].schema;
    let kinds: Vec<String> =
        schema.iter().map(|(name, column)| format!("{name}:{}", column["type"].as_str().unwrap())).collect();
    assert_eq!(
        kinds,
        [
            "Name:title",
            "state:select",
            "done:checkbox",
            "score:number",
            "due:date",
            "tags:multi_select",
            "site:url",
            "mail:email",
            "note:rich_text"
        ]
    );
    let rows = &database.data_sources[0].rows;
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0].properties["due"]["start"], "2026-03-01");
    assert_eq!(rows[0].properties["score"], 1.5);
    assert_eq!(rows[2].properties["state"]["name"], "shut");
    assert_eq!(plain(&rows[0].properties["note"]), "Long text,\nover lines 1\n");
    assert!(
        outline(&rows[0].body).starts_with("code: extra:\n  deep:\n  - 1\n  - 2"),
        "{}",
        outline(&rows[0].body)
    );
    assert!(outline(&rows[1].body).starts_with("heading_1: Row 2"));
    assert!(rows[3].properties.is_empty());
    let lone = pages(&root.body)[0];
    assert_eq!(outline(&lone.body), "code: only: here caption= language=\"yaml\"\nparagraph: text\n");
}

#[test]
fn a_folder_with_rows_and_subfolders_is_a_page_that_holds_both() {
    let import = imported(&[
        ("mix/1.md", "---\nkind: a\n---\nx"),
        ("mix/2.md", "---\nkind: a\n---\ny"),
        ("mix/sub/3.md", "z"),
    ]);
    let mix = pages(&root(&import).body)[0];
    assert_eq!(databases(&mix.body).len(), 1);
    assert!(databases(&mix.body)[0].is_inline);
    assert_eq!(pages(&mix.body)[0].title, "sub");
}

#[test]
fn a_folder_with_links_files_and_rows_can_be_planted() {
    let import = imported(&[
        ("a.md", "# A\n\n[B](rows/b.md) [other words](rows/b.md) [rows](rows) ![x](p.png) [data](t.csv)"),
        ("p.png", "picture"),
        ("t.csv", "1,2"),
        ("rows/b.md", "---\nstate: new\ntags: [x, y]\nwhen: 2026-01-02\n---\n# B"),
        ("rows/c.md", "---\nstate: new\n---\n[A](../a.md) [home](/)"),
    ]);
    let world = crate::world::World::from_import(import, 1_772_000_000_000);
    assert!(world.is_ok(), "{:?}", world.err().map(|error| error.to_string()));
}

#[test]
fn a_title_in_every_file_makes_no_database() {
    let import =
        imported(&[("site/1.md", "---\ntitle: One\n---\nx"), ("site/2.md", "---\ntitle: Two\n---\ny")]);
    let site = pages(&root(&import).body)[0];
    let titles: Vec<&str> = pages(&site.body).iter().map(|page| page.title.as_str()).collect();
    assert_eq!(titles, ["One", "Two"]);
}

#[test]
fn what_is_no_front_matter_stays_text() {
    for text in ["---\n\nafter a rule\n\n---\n", "---\njust words\n---\n", "---\nkey: [broken\n---\n"] {
        let words = words_of_blocks(&body(text));
        for word in words_of(text) {
            assert!(words.contains(&word), "{word} of {text:?}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("good.md", "fine"), ("deep/also.md", "fine")]);
    fs::write(folder.path().join("latin1.md"), b"caf\xe9").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("..", folder.path().join("deep/loop")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("out.md")).unwrap();
        std::os::unix::fs::symlink("good.md", folder.path().join("link.md")).unwrap();
    }
    let import = import_folder(folder.path()).unwrap();
    assert!(import.left_out.iter().any(|line| line == "latin1.md: is not UTF-8 text"));
    #[cfg(unix)]
    {
        assert!(
            import.left_out.iter().any(|line| line.starts_with("deep/loop: is a symbolic link to a folder"))
        );
        assert!(import.left_out.iter().any(|line| line.starts_with("out.md: ")));
        let names: Vec<&str> = pages(&root(&import).body).iter().map(|page| page.title.as_str()).collect();
        assert_eq!(names, ["deep", "good", "link"]);
    }
}

#[test]
fn a_folder_without_markdown_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(import_folder(folder.path()), Err(ImportError::NoMarkdown(_))));
    let missing = import_folder(&folder.path().join("missing")).unwrap_err();
    assert!(missing.to_string().contains("give the path of a folder"), "{missing}");
}

#[test]
fn nesting_without_end_stops_at_a_depth_and_loses_no_word() {
    let quotes: String = (0..500).map(|n| format!("{}word{n}\n>\n", ">".repeat(n + 1))).collect();
    let list: String = (0..200).map(|n| format!("{}- item{n}\n", "  ".repeat(n))).collect();
    for text in [quotes, list] {
        let blocks = body(&text);
        assert_eq!(words_of_blocks(&blocks), words_of(&text));
        assert!(depth(&blocks) <= 61);
    }
}

fn depth(contents: &[Content]) -> usize {
    let below =
        |content: &Content| if let Content::Block(block) = content { depth(&block.children) } else { 0 };
    contents.iter().map(below).max().map_or(0, |below| below + 1)
}

#[test]
fn long_text_is_split_into_items_of_two_thousand_characters() {
    let blocks = body(&"wörd 😀 ".repeat(1_000));
    let Content::Block(line) = &blocks[0] else { panic!("a paragraph") };
    let items = line.payload["rich_text"].as_array().unwrap();
    assert!(items.len() > 3);
    assert!(
        items.iter().all(|item| item["text"]["content"].as_str().unwrap().encode_utf16().count() <= 2_000)
    );
}

#[test]
fn front_matter_gives_the_title_if_no_heading_does() {
    let title = |text: &str| document("file-name.md".into(), "file-name.md".into(), text, None).title;
    assert_eq!(title("---\ntitle: From  above\n---\ntext"), "From above");
    assert_eq!(title("---\ntitle: From above\n---\n\n# *Own* `title`\n"), "Own title");
    assert_eq!(title("Setext\n===\n"), "Setext");
    assert_eq!(title("## Second level\n"), "file-name");
    assert_eq!(title("#\n\ntext"), "file-name");
    assert_eq!(title("\u{feff}# With a mark\n"), "With a mark");
}

/// A second reader that shares nothing with the importer: runs of letters and digits, in order.
fn words_of(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn words_of_blocks(contents: &[Content]) -> Vec<String> {
    let mut text = String::new();
    text_of_blocks(contents, &mut text);
    words_of(&text)
}

fn text_of_blocks(contents: &[Content], text: &mut String) {
    for content in contents {
        let Content::Block(block) = content else { continue };
        // What a fence says beside its language stands before the code.
        let keys = if block.kind == "code" { ["caption", "rich_text"] } else { ["rich_text", "caption"] };
        for key in keys {
            text.push_str(&plain(&block.payload[key]));
            text.push('\n');
        }
        for cell in block.payload["cells"].as_array().into_iter().flatten() {
            text.push_str(&plain(cell));
            text.push('\n');
        }
        text_of_blocks(&block.children, text);
    }
}

/// Markdown and the words a reader sees in it.
type Marked = (String, Vec<String>);

fn inline() -> impl Strategy<Value = Marked> {
    let word = "[a-zäöß語]{3,9}";
    let one = (word, word, 0..9_u8).prop_map(|(a, b, form)| {
        let both = vec![a.clone(), b.clone()];
        match form {
            0 => (format!("*{a} {b}*"), both),
            1 => (format!("**{a}** ~~{b}~~"), both),
            2 => (format!("`{a} * {b}`"), both),
            3 => (format!("[{a}](https://example.com/{b})"), vec![a]),
            4 => (format!("[**{a}** {b}](other.md)"), both),
            5 => (format!("![{a} {b}](https://example.com/x.png)"), both),
            6 => (format!("{a}\\\n{b}"), both),
            7 => (format!("<b>{a}</b> {b}"), vec!["b".into(), a, "b".into(), b]),
            _ => (format!("{a} {b}"), both),
        }
    });
    prop::collection::vec(one, 1..5).prop_map(joined(" "))
}

fn joined(separator: &'static str) -> impl Fn(Vec<Marked>) -> Marked {
    move |parts| {
        let (texts, words): (Vec<String>, Vec<Vec<String>>) = parts.into_iter().unzip();
        (texts.join(separator), words.concat())
    }
}

/// Blocks of Markdown, nested, and the words a reader sees in them.
fn markdown() -> impl Strategy<Value = Marked> {
    let leaf = (inline(), inline(), 0..7_u8).prop_map(|((a, mut seen), (b, more), form)| {
        let one_line = |text: &str| text.replace("\\\n", " ");
        match form {
            0 => (format!("### {}", one_line(&a)), seen),
            1 => {
                let literal = words_of(&seen.join(" ")).join(" ");
                (format!("```rust\n{literal}\n```"), seen)
            }
            2 => {
                let cell = |text: &str| one_line(text);
                seen.extend(more);
                (format!("| {} | x |\n|---|---|\n| y | {} |", cell(&a), cell(&b)), split_cells(&seen, &a))
            }
            3 => {
                seen.extend(more);
                (format!("{a}\n\n---\n\n{b}"), seen)
            }
            _ => (a, seen),
        }
    });
    let nested = leaf.prop_recursive(4, 24, 4, |inner| {
        (prop::collection::vec(inner, 1..4).prop_map(joined("\n\n")), 0..4_u8).prop_map(
            |((text, words), form)| {
                let prefixed = |first: &str, rest: &str| {
                    let lines: Vec<String> = text
                        .lines()
                        .enumerate()
                        .map(|(n, line)| format!("{}{line}", if n == 0 { first } else { rest }))
                        .collect();
                    lines.join("\n")
                };
                let text = match form {
                    0 => prefixed("- ", "  "),
                    1 => prefixed("1. ", "   "),
                    2 => prefixed("> ", "> "),
                    _ => prefixed("- [ ] intro\n\n  ", "  "),
                };
                let words = if form == 3 { [vec!["intro".to_owned()], words].concat() } else { words };
                (text, words)
            },
        )
    });
    prop::collection::vec(nested, 1..6).prop_map(joined("\n\n"))
}

/// The words of a table's first row, its two literal cells, and of its second row.
fn split_cells(seen: &[String], first: &str) -> Vec<String> {
    let visible = words_of_inline(first);
    let (before, after) = seen.split_at(visible.min(seen.len()));
    [before, &["x".to_owned(), "y".to_owned()], after].concat()
}

/// Number of visible words in inline Markdown: addresses do not count.
fn words_of_inline(text: &str) -> usize {
    let mut visible = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("](") {
        visible.push_str(&rest[..at]);
        rest = rest[at..].split_once(')').map_or("", |(_, after)| after);
        visible.push(' ');
    }
    visible.push_str(rest);
    words_of(&visible).len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn generated_markdown_keeps_its_words_in_order((text, words) in markdown()) {
        prop_assert_eq!(words_of_blocks(&converted(&text)), words, "{}", text);
    }

    /// Any mixture of words and marks: what is no address, no info string and no task mark is text.
    #[test]
    fn any_soup_of_marks_keeps_its_words_in_order(
        soup in prop::collection::vec(
            prop_oneof![
                "[a-z]{3,8}", Just("\n".to_owned()), Just("\n\n".to_owned()), Just("  ".to_owned()),
                Just("# ".to_owned()), Just("- ".to_owned()), Just("> ".to_owned()), Just("1. ".to_owned()),
                Just("*".to_owned()), Just("**".to_owned()), Just("_".to_owned()), Just("~~".to_owned()),
                Just("` ".to_owned()), Just("[".to_owned()), Just("] ".to_owned()), Just("!".to_owned()),
                Just("<".to_owned()), Just(">".to_owned()), Just("\\".to_owned()), Just("\t".to_owned()),
                Just("---".to_owned()), Just("===".to_owned()), Just(" ".to_owned()),
            ],
            0..60,
        )
    ) {
        let text = soup.concat();
        let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).collect::<String>();
        let mut kept = String::new();
        text_of_blocks(&converted(&text), &mut kept);
        prop_assert_eq!(letters(&kept), letters(&text), "{:?}", text);
    }
}

/// The blocks of a text, without a folder.
fn converted(text: &str) -> Vec<Content> {
    let reading = super::folder::Reading::empty();
    blocks::convert(text, "page.md", &mut super::Library::new(&reading))
}
