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
