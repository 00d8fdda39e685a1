//! Folders of Markdown as workspaces: every file is found by its rarest words, and its exported text holds all of its
//! words in order. The files are read a second time here, by a reader that shares nothing with the emulator's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use notion_connector::model::Caller;
use notion_connector::ops;
use notion_emulator::import::import_folder;
use notion_emulator::world::World;
use notion_emulator::{Behavior, DEFAULT_BASE_MS, MarkdownDefault, Options};

use crate::support::{Line, query};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn markdown_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(markdown_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The words of a text: runs of letters and digits.
fn words(text: &str) -> Vec<String> {
    let runs = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    runs.map(str::to_lowercase).collect()
}

/// What a reader of the page sees of a file, in the order in which it stands there.
struct Reading {
    /// Fields before the text; they become properties.
    fields: String,
    text: String,
}

fn read(source: &str) -> Reading {
    let (fields, body) = front_matter(source);
    let mut text = String::new();
    let mut fence: Option<String> = None;
    for line in body.lines() {
        let bare = line.trim_start_matches([' ', '>']);
        if let Some(open) = &fence {
            if bare.starts_with(open.as_str()) && bare.trim_matches(['`', '~', ' ']).is_empty() {
                fence = None;
            } else {
                text.push_str(line);
                text.push('\n');
            }
            continue;
        }
        if bare.starts_with("```") || bare.starts_with("~~~") {
            fence = Some(bare.chars().take_while(|c| ['`', '~'].contains(c)).collect());
            continue;
        }
        text.push_str(&inline(without_mark(bare)));
        text.push('\n');
    }
    Reading { fields, text }
}

fn front_matter(source: &str) -> (String, &str) {
    let Some(rest) = source.strip_prefix("---\n") else { return (String::new(), source) };
    let Some((head, body)) = rest.split_once("\n---\n") else { return (String::new(), source) };
    let values = head.lines().filter_map(|line| line.split_once(':')).map(|(_, value)| value.trim());
    (values.collect::<Vec<_>>().join(" "), body)
}

/// A line without its number, its box, or its footnote's label; a definition of an address shows nothing.
fn without_mark(line: &str) -> &str {
    let mut rest = line;
    let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    if digits.len() < rest.len() && (digits.starts_with(". ") || digits.starts_with(") ")) {
        rest = &digits[2..];
    }
    for mark in ["- [ ] ", "- [x] ", "* [ ] ", "* [x] "] {
        rest = rest.strip_prefix(mark).unwrap_or(rest);
    }
    match rest.strip_prefix('[').and_then(|label| label.split_once("]:")) {
        Some((label, text)) if label.starts_with('^') => text,
        Some(_) => "",
        None => rest,
    }
}

/// Text of links and images without their addresses, without tags and footnote marks.
fn inline(line: &str) -> String {
    let mut shown = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        let skipped = match c {
            '`' => {
                let code = tail.split_once('`');
                shown.push(' ');
                code.map(|(code, after)| {
                    shown.push_str(code);
                    after
                })
            }
            ']' => tail
                .strip_prefix('(')
                .and_then(|address| Some(address.split_once(')')?.1))
                .or_else(|| tail.strip_prefix('[').and_then(|label| Some(label.split_once(']')?.1))),
            '[' => tail.strip_prefix('^').and_then(|label| Some(label.split_once(']')?.1)),
            '<' if tail.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!')
                && !tail.starts_with("http") =>
            {
                tail.split_once('>').map(|(_, after)| after)
            }
            '&' => tail
                .split_once(';')
                .filter(|(name, _)| name.len() < 6 && !name.contains(' '))
                .map(|(_, after)| after),
            _ => None,
        };
        match skipped {
            Some(after) => {
                shown.push(' ');
                rest = after;
            }
            None => {
                shown.push(c);
                rest = tail;
            }
        }
    }
    shown
}

/// The first word that `text` does not hold after those before it.
fn first_lost<'a>(wanted: &'a [String], text: &[String]) -> Option<&'a String> {
    let mut left = text.iter();
    wanted.iter().find(|word| !left.any(|found| found == *word))
}

async fn assert_folder_is_searchable(folder: &Path, behavior: Behavior) {
    let import = import_folder(folder).unwrap();
    assert!(import.left_out.is_empty(), "{:?}", import.left_out);
    let world = World::from_import(import, DEFAULT_BASE_MS).unwrap();
    let line = Line::in_process(world, Options { behavior, ..Options::default() }).await;
    line.crawl().await;
    line.assert_holds_the_truth();

    let files = markdown_files(folder);
    let readings: Vec<Reading> =
        files.iter().map(|file| read(&std::fs::read_to_string(file).unwrap())).collect();
    let mut holders: BTreeMap<String, u32> = BTreeMap::new();
    for reading in &readings {
        let distinct: BTreeSet<String> =
            words(&format!("{} {}", reading.fields, reading.text)).into_iter().collect();
        for word in distinct {
            *holders.entry(word).or_default() += 1;
        }
    }
    let app = line.app();
    let index = app.require_index().unwrap();
    let exported: BTreeMap<_, _> = line.export().into_iter().map(|line| (line.id.0, line)).collect();
    for (file, reading) in files.iter().zip(&readings) {
        let name = file.strip_prefix(folder).unwrap().to_str().unwrap();
        let id = line.notion.named(name).unwrap_or_else(|| panic!("{name} became no page"));
        let item = &exported[&id];
        let wanted = words(&reading.text);
        let found = words(&format!("{}\n{}", item.title, item.text));
        if let Some(lost) = first_lost(&wanted, &found) {
            panic!("“{lost}” of {name} is lost or out of order in\n{}\n{}", item.title, item.text);
        }
        let properties = words(&serde_json::to_string(&item.properties).unwrap());
        for value in words(&reading.fields) {
            let titled = words(&item.title).contains(&value);
            assert!(titled || properties.contains(&value), "“{value}” of {name} in {properties:?}");
        }

        let mut rarest: Vec<&String> = wanted.iter().filter(|word| word.chars().count() > 2).collect();
        rarest.sort_by_key(|word| (holders[*word], std::cmp::Reverse(word.chars().count()), *word));
        rarest.dedup();
        for word in rarest.into_iter().take(5) {
            let answer = ops::search(&index, &query(word, 10), &Caller::LOCAL_OPERATOR).unwrap();
            let found = answer.hits.iter().any(|hit| hit.id.0 == id);
            assert!(found || holders[word] > 10, "“{word}” does not find {name}: {:?}", answer.hits);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn folders_of_documentation_are_found_by_their_rarest_words_and_lose_none() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/markdown");
    for folder in
        [fixtures, repository().join("docs"), repository().join("crates/notion-emulator/src/sample/content")]
    {
        for markdown_default in [MarkdownDefault::V1, MarkdownDefault::V2] {
            let behavior = Behavior { markdown_default, ..Behavior::default() };
            assert_folder_is_searchable(&folder, behavior).await;
        }
    }
}
