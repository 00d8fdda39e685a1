//! Recordings as they lie in files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

/// The oldest API version that the product reads.
const OLDEST_VERSION: &str = "2022-06-28";

/// One recorded answer with what is known of its request.
#[derive(Debug)]
pub(super) struct Exchange {
    /// Its number in the file.
    pub(super) number: Option<u64>,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) version: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) body: Payload,
}

/// The body of an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Payload {
    Json(Value),
    /// It begins like JSON and is none; why.
    Broken(String),
    /// HTML or other text, which Notion's edge answers with.
    Text,
    Empty,
}

/// The files below a folder, sorted. Links to folders are not followed, so that the walk ends.
pub(super) fn find_files(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("{} could not be listed", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("{} could not be listed", folder.display()))?;
            let kind = entry.file_type().with_context(|| format!("{:?} has no type", entry.path()))?;
            let name = entry.file_name();
            if kind.is_dir() && name != "_spec" {
                folders.push(entry.path());
            } else if name != "replayable.json" {
                let path = entry.path();
                let is_file = kind.is_file() || (kind.is_symlink() && path.is_file());
                if is_file && path.extension().is_some_and(|extension| extension == "json") {
                    found.push(path);
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The exchanges of a file, or why it holds none.
pub(super) fn read_file(path: &Path) -> Result<Vec<Exchange>, String> {
    let bytes = fs::read(path).map_err(|error| format!("the file could not be read: {error}"))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| format!("the file is not JSON: {error}"))?;
    exchanges_of(value)
}

fn exchanges_of(mut value: Value) -> Result<Vec<Exchange>, String> {
    if let Some(Value::Array(exchanges)) = value.get_mut("exchanges").map(Value::take) {
        return Ok(exchanges.into_iter().map(exchange_of).collect());
    }
    match value {
        Value::Array(exchanges) => Ok(exchanges.into_iter().map(exchange_of).collect()),
        Value::Object(ref object) if object.contains_key("body") || object.contains_key("response") => {
            Ok(vec![exchange_of(value)])
        }
        Value::Object(ref object) if object.contains_key("object") => Ok(vec![bare(value)]),
        _ => Err("the file holds neither `exchanges` nor a `body`".to_owned()),
    }
}

/// An object that was recorded without anything around it.
fn bare(body: Value) -> Exchange {
    Exchange {
        number: None,
        method: String::new(),
        url: String::new(),
        version: None,
        status: None,
        body: Payload::Json(body),
    }
}

fn exchange_of(mut value: Value) -> Exchange {
    let request = value.get_mut("request").map(Value::take).unwrap_or_default();
    let mut response = value.get_mut("response").map(Value::take).unwrap_or_default();
    let text = |key| request.get(key).and_then(Value::as_str).map(str::to_owned);
    let body = response.get_mut("body").or_else(|| value.get_mut("body")).map(Value::take);
    Exchange {
        number: value.get("n").and_then(number),
        method: text("method").unwrap_or_default().to_ascii_uppercase(),
        url: text("url").or_else(|| text("uri")).unwrap_or_default(),
        version: version_of(&request).or_else(|| version_of(&value)),
        status: response.get("status").and_then(number).and_then(|status| u16::try_from(status).ok()),
        body: payload(body.unwrap_or_default()),
    }
}

fn version_of(request: &Value) -> Option<String> {
    let named = request.get("notion_version").and_then(Value::as_str);
    let header = || {
        let headers = request.get("headers")?.as_object()?;
        headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("notion-version"))?.1.as_str()
    };
    named.or_else(header).map(str::to_owned)
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn payload(body: Value) -> Payload {
    match body {
        Value::Null => Payload::Empty,
        Value::String(text) => {
            let text = text.trim();
            if text.is_empty() {
                return Payload::Empty;
            }
            match serde_json::from_str(text) {
                Ok(value @ (Value::Object(_) | Value::Array(_))) => Payload::Json(value),
                Err(error) if text.starts_with(['{', '[']) => Payload::Broken(error.to_string()),
                Ok(_) | Err(_) => Payload::Text,
            }
        }
        body => Payload::Json(body),
    }
}

impl Exchange {
    /// Whether it speaks a version that the product does not.
    pub(super) fn is_too_old(&self) -> bool {
        // Versions are dates, whose order is that of their letters.
        self.version.as_deref().is_some_and(|version| version < OLDEST_VERSION)
    }

    /// Whether the answer is what was asked for, as far as is known.
    pub(super) fn is_success(&self) -> bool {
        self.status.is_none_or(|status| (200..300).contains(&status))
    }

    /// The value of a parameter in the address.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.url.split_once('?')?;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, v)| v)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_shapes_of_files_are_read() {
        let exchange = json!({"n": 4, "request": {"method": "get", "url": "https://x/v1/users?a=b&c=d",
            "notion_version": "2025-09-03"}, "response": {"status": 200, "body": "{\"object\":\"list\"}"}});
        let read = exchanges_of(json!({"exchanges": [exchange.clone()]})).unwrap();
        assert_eq!((read[0].number, read[0].method.as_str(), read[0].status), (Some(4), "GET", Some(200)));
        assert_eq!(read[0].version.as_deref(), Some("2025-09-03"));
        assert_eq!(read[0].parameter("c"), Some("d"));
        assert_eq!(read[0].body, Payload::Json(json!({"object": "list"})));
        assert_eq!(exchanges_of(exchange).unwrap().len(), 1);
        let single = exchanges_of(json!({"body": {"object": "user"}})).unwrap();
        assert_eq!((single[0].status, single[0].is_success()), (None, true));
        assert_eq!(exchanges_of(json!({"object": "user"})).unwrap().len(), 1);
        assert!(exchanges_of(json!({"name": "x"})).is_err());
        assert!(exchanges_of(json!(3)).is_err());
    }

    #[test]
    fn bodies_are_told_apart() {
        assert_eq!(payload(json!("<html></html>")), Payload::Text);
        assert_eq!(payload(json!("")), Payload::Empty);
        assert_eq!(payload(Value::Null), Payload::Empty);
        assert!(matches!(payload(json!("{\"object\": \"pa")), Payload::Broken(_)));
    }

    #[test]
    fn versions_before_the_oldest_are_too_old() {
        let spoken =
            |version: &str| exchange_of(json!({"request": {"notion_version": version}})).is_too_old();
        assert!(spoken("2021-08-16") && spoken("2022-02-22"));
        assert!(!spoken("2022-06-28") && !spoken("2026-03-11"));
        let header = exchange_of(json!({"request": {"headers": {"Notion-Version": "2021-05-13"}}}));
        assert!(header.is_too_old());
    }
}
