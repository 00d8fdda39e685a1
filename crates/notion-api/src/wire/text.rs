//! The text of what we do not know: Notion's own naming tells where text stands.

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

#[cfg(test)]
mod tests {
    use super::collect_text;
    use serde_json::json;

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
