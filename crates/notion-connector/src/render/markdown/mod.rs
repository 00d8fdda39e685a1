//! Both dialects of Notion's Markdown, into the tree of [`crate::render::document`].
//!
//! `lines.rs` reads line by line and decides what a line is, `elements.rs` what a tag is, `inline.rs` what stands in
//! a block; `builder.rs` makes the tree. The dialects differ in few places, and those are marked by
//! [`Dialect`]; each understands the other's constructs where they do not contradict, because workspaces move from
//! one to the other at a time that is not announced.
//!
//! Sources: developers.notion.com "enhanced-markdown" (first dialect), "notion-flavored-markdown" and
//! "migrate-to-notion-flavored-markdown" (second), "working-with-markdown-content".
//!
//! A new tag is one line in `elements.rs` and a golden case.

mod builder;
pub(super) mod cost;
mod elements;
mod inline;
mod lines;
mod table;
mod tags;

pub(super) use elements::media_of;

use std::collections::BTreeSet;

use super::document::Node;
use crate::model::Warning;

/// Which of Notion's Markdown dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// "Enhanced markdown": one line a block, children indented by tabs.
    V1,
    /// "Notion-flavored Markdown": CommonMark with tags, blocks parted by blank lines.
    V2,
}

/// Parses a body. Never fails: what is not understood is text.
pub fn parse(text: &str, dialect: Dialect, warnings: &mut BTreeSet<Warning>) -> Vec<Node> {
    lines::Parser::new(text, dialect, warnings).parse()
}

/// The dialect of a body that was asked for without naming one; nothing in the answer tells.
///
/// The first has no blank lines outside code and formulas, since an empty paragraph is `<empty-block/>` there; a tag
/// that only one of them has decides before that. What neither decides reads the same in both.
pub fn guess_dialect(text: &str) -> Dialect {
    let mut literal: Option<&str> = None;
    let mut blank_between = false;
    let mut blank = false;
    let mut seen = false;
    for line in text.lines() {
        let line = line.trim();
        let mark = line.len() - line.trim_start_matches('`').len();
        let fence = if mark >= 3 { line.get(..mark) } else { (line == "$$").then_some("$$") };
        match literal {
            Some(open) if fence.is_some_and(|close| close.starts_with(open)) && fence == Some(line) => {
                literal = None;
            }
            Some(_) => continue,
            None => literal = fence,
        }
        blank_between |= blank && seen && !line.is_empty();
        blank = line.is_empty();
        seen |= !line.is_empty();
        if fence.is_none()
            && let Some(dialect) = telling_sign(line)
        {
            return dialect;
        }
    }
    if blank_between { Dialect::V2 } else { Dialect::V1 }
}

/// The dialect that alone writes something that stands in `line`, neither escaped nor as code.
fn telling_sign(line: &str) -> Option<Dialect> {
    const FIRST: [&str; 7] = [
        "<empty-block",
        "<details",
        "<mention-",
        "<synced_block",
        "<table_of_contents",
        "{toggle=\"true\"",
        "{color=\"",
    ];
    const SECOND: [&str; 14] = [
        "<p>",
        "<p />",
        "<p ",
        "<mention ",
        "<date ",
        "<toggle",
        "<table-of-contents",
        "<synced-block",
        "<ul>",
        "<ol",
        "<todo ",
        "<quote",
        "<meeting-notes-section-",
        "<br />",
    ];
    if !line.contains(['<', '{']) {
        return None;
    }
    let literal = |offset: usize| line.get(..offset).is_some_and(|front| front.ends_with(['\\', '`']));
    let holds = |sign: &&str| line.match_indices(*sign).any(|(offset, _)| !literal(offset));
    if FIRST.iter().any(holds) {
        return Some(Dialect::V1);
    }
    let source = line.starts_with('<') && line.contains(" source=\"");
    (source || SECOND.iter().any(holds)).then_some(Dialect::V2)
}
