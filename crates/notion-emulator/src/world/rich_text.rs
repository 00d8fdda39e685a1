//! Bringing seeds into the API's shape: rich text items and block payloads get the keys they lack, in wire order.

use serde_json::{Map, Value, json};

/// The longest `text.content` of one item; longer text arrives as several items (developers.notion.com
/// "request-limits", size limits).
const MAX_TEXT_CHARS: usize = 2000;

/// Keys of a rich text item that only the markdown dialects have a form for: `citation` is the address that a text is the
/// mark of, `discussion_urls` names the discussions that hang on it.
pub(crate) const MARKDOWN_KEYS: [&str; 2] = ["citation", "discussion_urls"];

/// Plain text as a rich text array in full form.
#[must_use]
pub(crate) fn plain(text: &str) -> Value {
    if text.is_empty() {
        return json!([]);
    }
    let mut value = json!([{ "type": "text", "text": { "content": text } }]);
    complete(&mut value);
    value
}

/// The plain text of rich text items in full form.
#[must_use]
pub(crate) fn joined(items: &Value) -> String {
    items.as_array().into_iter().flatten().filter_map(|item| item["plain_text"].as_str()).collect()
}

/// Completes every rich text item anywhere in a value.
pub(crate) fn complete(value: &mut Value) {
    match value {
        Value::Array(items) => {
            let mut done = Vec::with_capacity(items.len());
            for mut item in std::mem::take(items) {
                match item_kind(&item) {
                    Some(kind) => complete_item(kind, item, &mut done),
                    None => {
                        complete(&mut item);
                        done.push(item);
                    }
                }
            }
            *items = done;
        }
        Value::Object(map) => map.values_mut().for_each(complete),
        _ => {}
    }
}

fn item_kind(item: &Value) -> Option<&'static str> {
    ["text", "mention", "equation"].into_iter().find(|kind| {
        item.get(*kind).is_some_and(Value::is_object) && item.get("type").is_none_or(|kept| kept == *kind)
    })
}

fn complete_item(kind: &'static str, item: Value, done: &mut Vec<Value>) {
    let Value::Object(mut item) = item else { return };
    let annotations = complete_annotations(item.remove("annotations"));
    let plain_text = item.remove("plain_text");
    let href = item.remove("href").unwrap_or(Value::Null);
    let payload = item.remove(kind).unwrap_or(Value::Null);
    // What only markdown shows of an item; the block API does not deliver these keys.
    let shown_in_markdown: Vec<(&str, Value)> =
        MARKDOWN_KEYS.iter().filter_map(|key| Some((*key, item.remove(*key)?))).collect();
    let mut add = |mut whole: Value| {
        for (key, value) in &shown_in_markdown {
            whole[*key] = value.clone();
        }
        done.push(whole);
    };
    if kind == "text" {
        let content = payload["content"].as_str().unwrap_or_default();
        let link = payload.get("link").cloned().unwrap_or(Value::Null);
        let href = if href.is_null() { link["url"].clone() } else { href };
        for piece in pieces(content) {
            add(json!({"type": "text", "text": {"content": piece, "link": link},
                "annotations": annotations, "plain_text": piece, "href": href}));
        }
        return;
    }
    let payload = if kind == "mention" { complete_mention(payload) } else { payload };
    let plain_text = plain_text.unwrap_or_else(|| match kind {
        "equation" => payload["expression"].clone(),
        _ => Value::from(mention_text(&payload)),
    });
    add(json!({"type": kind, kind: payload, "annotations": annotations,
        "plain_text": plain_text, "href": href}));
}

fn complete_mention(payload: Value) -> Value {
    let Value::Object(mut payload) = payload else { return payload };
    let kind = match payload.remove("type") {
        Some(Value::String(kind)) => kind,
        _ => payload.keys().next().cloned().unwrap_or_default(),
    };
    let mut inner = payload.remove(&kind).unwrap_or(Value::Null);
    if kind == "date" {
        inner = json!({"start": inner["start"], "end": inner["end"], "time_zone": inner["time_zone"]});
    }
    json!({"type": kind, kind: inner})
}

/// The plain text of a mention that needs no look at the world (recorded: a date reads as its ISO string, a custom emoji
/// as `:name:`).
fn mention_text(mention: &Value) -> String {
    let kind = mention["type"].as_str().unwrap_or_default();
    let inner = &mention[kind];
    let text = |key: &str| inner[key].as_str().unwrap_or_default().to_owned();
    match kind {
        "date" => match inner["end"].as_str() {
            Some(end) => format!("{} → {end}", text("start")),
            None => text("start"),
        },
        "custom_emoji" => format!(":{}:", text("name")),
        "link_preview" => text("url"),
        "link_mention" => match inner["title"].as_str() {
            Some(title) => title.to_owned(),
            None => text("href"),
        },
        _ => String::new(),
    }
}

fn complete_annotations(given: Option<Value>) -> Value {
    let given = given.unwrap_or(Value::Null);
    let flag = |key: &str| given[key].as_bool().unwrap_or_default();
    json!({"bold": flag("bold"), "italic": flag("italic"), "strikethrough": flag("strikethrough"),
        "underline": flag("underline"), "code": flag("code"),
        "color": given["color"].as_str().unwrap_or("default")})
}

fn pieces(content: &str) -> Vec<&str> {
    if content.len() <= MAX_TEXT_CHARS {
        return vec![content];
    }
    let mut rest = content;
    let mut found = Vec::new();
    while let Some((at, _)) = rest.char_indices().nth(MAX_TEXT_CHARS) {
        let (piece, tail) = rest.split_at(at);
        found.push(piece);
        rest = tail;
    }
    found.push(rest);
    found
}

/// A block's payload with all keys of its type, in wire order; keys that the seed adds come last.
#[must_use]
pub(crate) fn complete_payload(kind: &str, payload: Value) -> Value {
    let mut given = match payload {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    let mut full = Map::new();
    for (key, default) in defaults(kind) {
        let value = given.shift_remove(key).unwrap_or(default);
        full.insert(key.to_owned(), value);
    }
    full.append(&mut given);
    let mut full = Value::Object(full);
    complete(&mut full);
    full
}

fn defaults(kind: &str) -> Vec<(&'static str, Value)> {
    let color = || ("color", json!("default"));
    let rich_text = || ("rich_text", json!([]));
    let caption = || ("caption", json!([]));
    match kind {
        "paragraph" => vec![rich_text(), ("icon", Value::Null), color()],
        "heading_1" | "heading_2" | "heading_3" | "heading_4" => {
            vec![rich_text(), ("is_toggleable", json!(false)), color()]
        }
        "bulleted_list_item" | "numbered_list_item" | "toggle" | "quote" => vec![rich_text(), color()],
        "to_do" => vec![rich_text(), ("checked", json!(false)), color()],
        "callout" => vec![rich_text(), ("icon", Value::Null), color()],
        "code" => vec![caption(), rich_text(), ("language", json!("plain text"))],
        "equation" => vec![("expression", json!(""))],
        "table_of_contents" => vec![color()],
        "table" => vec![
            ("table_width", json!(1)),
            ("has_column_header", json!(false)),
            ("has_row_header", json!(false)),
        ],
        "table_row" => vec![("cells", json!([]))],
        "synced_block" => vec![("synced_from", Value::Null)],
        "template" => vec![rich_text()],
        "bookmark" | "embed" => vec![caption(), ("url", json!(""))],
        "link_preview" => vec![("url", json!(""))],
        "image" | "video" | "pdf" | "audio" | "file" => vec![caption()],
        "unsupported" => vec![("block_type", json!("unsupported"))],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_item_gets_every_key_of_the_wire_in_order() {
        let text = plain("Hi");
        assert_eq!(
            text.to_string(),
            r#"[{"type":"text","text":{"content":"Hi","link":null},"annotations":{"bold":false,"italic":false,"strikethrough":false,"underline":false,"code":false,"color":"default"},"plain_text":"Hi","href":null}]"#
        );
    }

    #[test]
    fn text_over_two_thousand_characters_arrives_as_several_items() {
        let text = plain(&"ü".repeat(4500));
        let lengths: Vec<usize> = text
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["plain_text"].as_str().unwrap().chars().count())
            .collect();
        assert_eq!(lengths, [2000, 2000, 500]);
    }

    #[test]
    fn a_link_becomes_the_href() {
        let mut value = json!([{"text": {"content": "x", "link": {"url": "https://a.example"}}}]);
        complete(&mut value);
        assert_eq!(value[0]["href"], "https://a.example");
    }
}
