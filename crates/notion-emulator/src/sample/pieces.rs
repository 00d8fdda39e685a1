//! Short ways to write blocks and values.

use serde_json::{Value, json};

use crate::seed::{BlockSeed, CommentSeed, Content};

pub(super) fn emoji(emoji: &str) -> Value {
    json!({"type": "emoji", "emoji": emoji})
}

/// Text without marks.
pub(super) fn text(content: &str) -> Value {
    json!({"type": "text", "text": {"content": content}})
}

pub(super) fn bold(content: &str) -> Value {
    json!({"type": "text", "text": {"content": content}, "annotations": {"bold": true}})
}

pub(super) fn linked(content: &str, url: &str) -> Value {
    json!({"type": "text", "text": {"content": content, "link": {"url": url}}})
}

/// A mention of a page by its name in the seed.
pub(super) fn page(name: &str) -> Value {
    json!({"type": "mention", "mention": {"type": "page", "page": {"id": {"ref": name}}}})
}

/// A mention of a person by their e-mail address.
pub(super) fn person(email: &str) -> Value {
    json!({"type": "mention", "mention": {"type": "user", "user": {"email": email}}})
}

pub(super) fn day(start: &str) -> Value {
    json!({"type": "mention", "mention": {"type": "date", "date": {"start": start, "end": null, "time_zone": null}}})
}

pub(super) fn formula(expression: &str) -> Value {
    json!({"type": "equation", "equation": {"expression": expression}})
}

/// A block with a payload and nested blocks.
pub(super) fn block(kind: &str, payload: Value, children: Vec<Content>) -> Content {
    Content::Block(BlockSeed { kind: kind.into(), payload, children, ..BlockSeed::default() })
}

/// A block of a kind that has rich text.
#[expect(clippy::needless_pass_by_value, reason = "content reads better with vec![…] in place")]
pub(super) fn rich(kind: &str, items: Vec<Value>) -> Content {
    block(kind, json!({"rich_text": items}), Vec::new())
}

/// A block of a kind that has rich text, with plain text.
pub(super) fn says(kind: &str, content: &str) -> Content {
    rich(kind, vec![text(content)])
}

/// As `says`, with nested blocks.
pub(super) fn holds(kind: &str, content: &str, children: Vec<Content>) -> Content {
    block(kind, json!({"rich_text": [text(content)]}), children)
}

pub(super) fn task(content: &str, checked: bool) -> Content {
    block("to_do", json!({"rich_text": [text(content)], "checked": checked}), Vec::new())
}

/// A table whose first row is its head.
pub(super) fn table(rows: &[&[&str]]) -> Content {
    let width = rows.first().map_or(1, |row| row.len());
    let row = |cells: &&[&str]| {
        let cells: Vec<Value> = cells.iter().map(|cell| json!([text(cell)])).collect();
        block("table_row", json!({"cells": cells}), Vec::new())
    };
    let payload = json!({"table_width": width, "has_column_header": true, "has_row_header": false});
    block("table", payload, rows.iter().map(row).collect())
}

/// A file of the sample as a block of this kind.
pub(super) fn file(kind: &str, path: &str, caption: &str) -> Content {
    let mut payload = json!({"type": "file", "file": {"ref": path}, "caption": [text(caption)]});
    if kind == "file" {
        payload["name"] = json!(path.rsplit('/').next());
    }
    block(kind, payload, Vec::new())
}

/// A file of the sample on the external host.
pub(super) fn external_file(kind: &str, path: &str, caption: &str) -> Content {
    let mut payload =
        json!({"type": "external", "external": {"url": {"ref": path}}, "caption": [text(caption)]});
    if kind == "file" {
        payload["name"] = json!(path.rsplit('/').next());
    }
    block(kind, payload, Vec::new())
}

pub(super) fn comment(author: &str, discussion: Option<&str>, content: &str) -> CommentSeed {
    CommentSeed {
        author: Some(author.into()),
        discussion: discussion.map(str::to_owned),
        rich_text: json!([text(content)]),
        ..CommentSeed::default()
    }
}
