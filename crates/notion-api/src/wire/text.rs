//! The text of what we do not know: Notion's own naming tells where text stands. And text that is none.

use std::borrow::Cow;

use serde_json::Value;

/// How deep [`collect_text`] looks. Known blocks nest rich text two levels deep (a row, its cells); eight leaves
/// room for what comes, and bounds what a hostile answer can cost.
const MAX_DEPTH: usize = 8;

/// Collects the readable text of an object of unknown kind: the `plain_text` of rich text found anywhere in it, and
/// the strings under `title`, `caption` and `name`. Each run is a line of its own.
#[must_use]
pub fn collect_text(value: &Value) -> String {
    let mut lines = Vec::new();
    walk(value, MAX_DEPTH, &mut lines);
    lines.join("\n")
}

fn walk(value: &Value, depth: usize, lines: &mut Vec<String>) {
    if depth == 0 {
        return;
    }
    match value {
        Value::Array(items) => {
            let run: String = items.iter().filter_map(rich_text_of).collect();
            if !run.trim().is_empty() {
                lines.push(run);
            }
            for item in items.iter().filter(|item| rich_text_of(item).is_none()) {
                walk(item, depth - 1, lines);
            }
        }
        Value::Object(fields) => {
            if let Some(text) = rich_text_of(value) {
                lines.push(text.to_owned());
                return;
            }
            for (key, field) in fields {
                match field.as_str() {
                    Some(text)
                        if matches!(key.as_str(), "title" | "caption" | "name")
                            && !text.trim().is_empty() =>
                    {
                        lines.push(text.to_owned());
                    }
                    Some(_) => {}
                    None => walk(field, depth - 1, lines),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn rich_text_of(value: &Value) -> Option<&str> {
    value.get("plain_text")?.as_str()
}

/// JSON without escapes of half characters (`\ud83d` without its other half), which JavaScript writes where a text was
/// cut within an emoji, and which no UTF-8 can hold: each becomes U+FFFD. Without them nothing is copied.
#[must_use]
pub fn whole_characters(json: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(step) = json.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += step;
        match (surrogate_at(json, at), surrogate_at(json, at + 6)) {
            (None, _) => at += 2,
            (Some(Half::High), Some(Half::Low)) => at += 12,
            (Some(_), _) => {
                out.extend_from_slice(&json[copied..at]);
                out.extend_from_slice(b"\\ufffd");
                at += 6;
                copied = at;
            }
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.extend_from_slice(&json[copied..]);
    Cow::Owned(out)
}

/// A half of a character beyond U+FFFF in UTF-16.
enum Half {
    High,
    Low,
}

/// Which half is escaped here, if any.
fn surrogate_at(json: &[u8], at: usize) -> Option<Half> {
    let [b'\\', b'u', b'd' | b'D', kind, a, b] = json.get(at..at + 6)? else { return None };
    if !(a.is_ascii_hexdigit() && b.is_ascii_hexdigit()) {
        return None;
    }
    match kind.to_ascii_lowercase() {
        b'8'..=b'9' | b'a'..=b'b' => Some(Half::High),
        b'c'..=b'f' => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Cow, collect_text, whole_characters};
    use serde_json::json;

    #[test]
    fn half_characters_are_replaced_and_whole_ones_kept() {
        let repaired =
            |json: &str| String::from_utf8(whole_characters(json.as_bytes()).into_owned()).unwrap();
        assert_eq!(
            repaired(r#"["cut \ud83d", "\uDE00\ud83d\ude00"]"#),
            r#"["cut \ufffd", "\ufffd\ud83d\ude00"]"#
        );
        assert_eq!(repaired(r#""\ud83d\ud83d\ude00\ud83d""#), r#""\ufffd\ud83d\ude00\ufffd""#);
        for whole in [r#""\\ud83d""#, r#""\n\ud7ff \u00e9""#, r#""\ud8""#, "\"\\", ""] {
            assert_eq!(repaired(whole), whole);
            assert!(matches!(whole_characters(whole.as_bytes()), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn text_of_an_unknown_block_is_found_wherever_it_stands() {
        let raw = json!({
            "colour": "red",
            "rich_text": [{"plain_text": "Half "}, {"plain_text": "sentence"}],
            "rows": [{"cells": [[{"plain_text": "a"}], [{"plain_text": "b"}]]}],
            "caption": [{"plain_text": "Below"}],
            "title": "A string",
        });
        assert_eq!(collect_text(&raw), "Half sentence\na\nb\nBelow\nA string");
    }

    #[test]
    fn depth_is_bounded() {
        let mut raw = json!({"rich_text": [{"plain_text": "bottom"}]});
        for _ in 0..100 {
            raw = json!([raw]);
        }
        assert_eq!(collect_text(&raw), "");
    }
}
