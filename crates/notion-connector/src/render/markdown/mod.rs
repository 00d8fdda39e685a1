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

/// Whether a body that was asked for without naming a dialect came in the second.
///
/// The first has no blank lines outside code and formulas, since an empty paragraph is `<empty-block/>` there; a tag
/// that only one of them has decides before that. What neither decides reads the same in both.
pub fn looks_like_v2(text: &str) -> bool {
    const FIRST: [&str; 10] = [
        "<empty-block",
        "<details",
        "<mention-",
        "<synced_block",
        "<table_of_contents",
        "<summary>",
        "<colgroup>\n\t",
        "{toggle=\"true\"",
        " src=\"",
        "{color=\"",
    ];
    const SECOND: [&str; 15] = [
        "<p>",
        "<p />",
        "<p ",
        "<mention ",
        "<date ",
        "<toggle",
        "<table-of-contents",
        "<synced-block",
        " source=\"",
        "<ul>",
        "<ol",
        "<todo ",
        "<quote",
        "<meeting-notes-section-",
        "<br />",
    ];
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
        if fence.is_none() && line.contains(['<', '{']) {
            if FIRST.iter().any(|sign| line.contains(sign)) {
                return false;
            }
            if SECOND.iter().any(|sign| line.contains(sign)) {
                return true;
            }
        }
    }
    blank_between
}
