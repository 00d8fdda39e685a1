//! Recordings as they lie in files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use notion_api::wire::whole_characters;
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

/// What lies below a folder.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The recordings, sorted.
    pub(super) files: Vec<PathBuf>,
    /// The folders that could not be listed to their end, and why.
    pub(super) unreadable: Vec<(PathBuf, String)>,
}

/// The files below a folder. Links are followed, and each folder is listed once, so that the walk ends.
pub(super) fn find_files(directory: &Path) -> Found {
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        let listed = fs::canonicalize(&folder).and_then(|own| {
            if seen.insert(own) { list_folder(&folder, &mut folders, &mut found.files) } else { Ok(()) }
        });
        if let Err(error) = listed {
            found.unreadable.push((folder, format!("the folder could not be listed: {error}")));
        }
    }
    found.files.sort();
    found
}

fn list_folder(folder: &Path, folders: &mut Vec<PathBuf>, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        let is_recording = name != "replayable.json" && path.extension().is_some_and(|kind| kind == "json");
        if path.is_dir() {
            if name != "_spec" {
                folders.push(path);
            }
        } else if is_recording && (path.is_file() || path.is_symlink()) {
            // A link to nowhere is found too: reading it says so.
            files.push(path);
        }
    }
    Ok(())
}

/// The exchanges of a file, or why it holds none.
pub(super) fn read_file(path: &Path) -> Result<Vec<Exchange>, String> {
    let bytes = fs::read(path).map_err(|error| format!("the file could not be read: {error}"))?;
    exchanges_of(parse(&bytes).map_err(|error| format!("the file is not JSON: {error}"))?)
}

/// Reads JSON as the client does, and after a byte order mark.
fn parse(json: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(&whole_characters(json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json)))
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
        status: status_of(&response),
        body: payload(body.unwrap_or_default()),
    }
}

fn version_of(request: &Value) -> Option<String> {
    let named = request.get("notion_version").and_then(Value::as_str);
    let header = || {
        let headers = request.get("headers")?.as_object()?;
        let value = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("notion-version"))?.1;
        // Some recorders keep a list for each header.
        value.get(0).unwrap_or(value).as_str()
    };
    named.or_else(header).map(str::trim).filter(|version| !version.is_empty()).map(str::to_owned)
}

/// A number, or one within what some recorders keep, `{"code": 200, "message": "OK"}`.
fn status_of(response: &Value) -> Option<u16> {
    let status = response.get("status").or_else(|| response.get("status_code"))?;
    number(status.get("code").unwrap_or(status)).and_then(|status| u16::try_from(status).ok())
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn payload(body: Value) -> Payload {
    match body {
        Value::Null => Payload::Empty,
        // The text of a body as some recorders keep it.
        Value::Object(mut fields) if fields.len() == 1 && fields.contains_key("string") => {
            payload(fields.get_mut("string").map(Value::take).unwrap_or_default())
        }
        Value::String(text) => {
            let text = text.trim_start_matches('\u{feff}').trim();
            if text.is_empty() || text == "null" {
                return Payload::Empty;
            }
            match parse(text.as_bytes()) {
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
        // Versions are dates, whose order is that of their letters; what is no date says nothing of its age.
        let is_date = |text: &str| text.len() == OLDEST_VERSION.len() && text.starts_with("20");
        self.version.as_deref().is_some_and(|version| is_date(version) && version < OLDEST_VERSION)
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
        for header in [json!("2021-05-13"), json!(["2021-05-13"])] {
            let exchange = exchange_of(json!({"request": {"headers": {"Notion-Version": header}}}));
            assert!(exchange.is_too_old());
        }
        assert!(!spoken("") && !spoken("1") && !spoken("latest"));
        assert_eq!(exchange_of(json!({"request": {"notion_version": ""}})).version, None);
    }

    #[test]
    fn what_other_recorders_keep_is_read() {
        let exchange = exchange_of(json!({"response": {"status": {"code": 404, "message": "Not Found"},
            "body": {"string": "\u{feff}{\"object\":\"error\"}"}}}));
        assert_eq!((exchange.status, exchange.is_success()), (Some(404), false));
        assert_eq!(exchange.body, Payload::Json(json!({"object": "error"})));
        assert_eq!(exchange_of(json!({"response": {"status": "201"}})).status, Some(201));
        assert_eq!(exchange_of(json!({"response": null})).body, Payload::Empty);
        assert_eq!(exchange_of(json!(null)).status, None);
    }

    #[test]
    fn text_that_was_cut_within_a_character_is_read() {
        let file = br#"{"body": "{\"object\": \"cut \\ud83d\", \"id\": \"\ud83d\"}"}"#;
        let read = exchanges_of(parse(file).unwrap()).unwrap();
        assert_eq!(read[0].body, Payload::Json(json!({"object": "cut \u{fffd}", "id": "\u{fffd}"})));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_folders_listed_once() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("linked.json"), "{}").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("a")).unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("circle")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("dangling.json")).unwrap();
        fs::create_dir(folder.path().join("folder.json")).unwrap();
        let found = find_files(folder.path());
        let names: Vec<_> =
            found.files.iter().map(|path| path.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, [Path::new("a/linked.json"), Path::new("dangling.json")]);
        assert!(read_file(&found.files[1]).is_err());
        assert_eq!(find_files(&folder.path().join("none")).unreadable.len(), 1);
    }
}
