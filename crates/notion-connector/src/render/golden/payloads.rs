//! Objects with all the keys that Notion sends, in its order (developers.notion.com "block", "rich-text").

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::render::{BlockNode, Body};

pub(super) const ID: &str = "393abc1e-edcd-81d5-bf32-d1339d9031c2";
pub(super) const URL: &str = "https://app.notion.com/p/Plan-393abc1eedcd81d5bf32d1339d9031c2";
pub(super) const SIGNED: &str = "https://prod-files-secure.s3.us-west-2.amazonaws.com/w/f/plan%20B.pdf?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260301T090000Z&X-Amz-Expires=3600&X-Amz-Security-Token=5ec2e7&X-Amz-Signature=5ec2e7&X-Amz-SignedHeaders=host&x-id=GetObject";

fn annotations() -> Value {
    json!({"bold": false, "italic": false, "strikethrough": false, "underline": false, "code": false, "color": "default"})
}

/// A run of text.
pub(super) fn run(text: &str) -> Value {
    json!({"type": "text", "text": {"content": text, "link": null}, "annotations": annotations(),
        "plain_text": text, "href": null})
}

/// A run of text that looks like something or leads somewhere.
pub(super) fn styled(text: &str, mark: &str, link: Option<&str>) -> Value {
    let mut styled = run(text);
    if !mark.is_empty() {
        styled["annotations"][mark] = json!(true);
    }
    styled["text"]["link"] = link.map_or(Value::Null, |url| json!({ "url": url }));
    styled["href"] = json!(link);
    styled
}

/// A mention.
pub(super) fn mention(kind: &str, target: &Value, shown: &str, href: Option<&str>) -> Value {
    json!({"type": "mention", "mention": {"type": kind, kind: target}, "annotations": annotations(),
        "plain_text": shown, "href": href})
}

/// A formula in the text.
pub(super) fn formula(expression: &str) -> Value {
    json!({"type": "equation", "equation": {"expression": expression}, "annotations": annotations(),
        "plain_text": expression, "href": null})
}

pub(super) fn emoji(emoji: &str) -> Value {
    json!({"type": "emoji", "emoji": emoji})
}

pub(super) fn hosted(url: &str) -> Value {
    json!({"url": url, "expiry_time": "2026-03-01T10:00:00.000Z"})
}

/// A block of a type that carries text, as a specification for [`blocks`].
pub(super) fn text(kind: &str, runs: &[Value]) -> Value {
    let mut payload = json!({"rich_text": runs});
    match kind {
        "template" => {}
        "to_do" => payload["checked"] = json!(false),
        "callout" => payload["icon"] = emoji("💡"),
        "paragraph" => payload["icon"] = Value::Null,
        _ if kind.starts_with("heading") => payload["is_toggleable"] = json!(false),
        _ => {}
    }
    if kind != "template" {
        payload["color"] = json!("default");
    }
    json!({"type": kind, "with": payload})
}

/// [`text`] of one plain run.
pub(super) fn line(kind: &str, words: &str) -> Value {
    text(kind, &[run(words)])
}

/// A specification with something else in its payload.
pub(super) fn with(mut spec: Value, key: &str, value: Value) -> Value {
    spec["with"][key] = value;
    spec
}

pub(super) fn with_children(mut spec: Value, children: &[Value]) -> Value {
    spec["children"] = json!(children);
    spec
}

/// Blocks from `{"type": …, "with": payload, "children": […]}`; ids count up from 100.
pub(super) fn blocks(specs: &[Value]) -> Body {
    let mut next = 100;
    Body::Blocks(specs.iter().map(|spec| block(spec, &mut next)).collect())
}

fn block(spec: &Value, next: &mut u128) -> BlockNode {
    let kind = spec["type"].as_str().unwrap();
    let id = spec.get("id").and_then(Value::as_str).map_or(Uuid::from_u128(*next), |id| id.parse().unwrap());
    *next += 1;
    let children: Vec<BlockNode> =
        spec["children"].as_array().into_iter().flatten().map(|child| block(child, next)).collect();
    let user = json!({"object": "user", "id": Uuid::from_u128(7)});
    let mut object = Map::new();
    for (key, value) in [
        ("object", json!("block")),
        ("id", json!(id)),
        ("parent", json!({"type": "page_id", "page_id": ID})),
        ("created_time", json!("2026-03-01T09:00:00.000Z")),
        ("last_edited_time", json!("2026-03-01T09:00:00.000Z")),
        ("created_by", user.clone()),
        ("last_edited_by", user),
        ("has_children", json!(!children.is_empty())),
        ("in_trash", json!(false)),
        ("type", json!(kind)),
        (kind, spec.get("with").cloned().unwrap_or(json!({}))),
    ] {
        object.insert(key.to_owned(), value);
    }
    BlockNode { block: serde_json::from_value(Value::Object(object)).unwrap(), children }
}
