//! Kinds within an object that the wire types do not know.
//!
//! The raw JSON is walked and each part decoded by itself, so that a part which decoding leaves out of its object without
//! a word (an editor without an id, say) is seen too.

use notion_api::wire::{
    BLOCK_TYPES, BotOwner, CommentAttachment, FileObject, FileSource, Formula, Icon, Mention, PROPERTY_TYPES,
    Parent, PropertyValue, RichText, RichTextKind, RollupValue, SchemaKind, User, UserKind,
};
use serde::Deserialize as _;
use serde_json::Value;

use super::report::Report;

/// Kinds that the wire types know. What they cannot read of one of these is malformed, not unknown.
const KNOWN: &[(&str, &[&str])] = &[
    ("run of text", &["text", "mention", "equation"]),
    (
        "mention",
        &[
            "user",
            "page",
            "database",
            "data_source",
            "date",
            "link_preview",
            "link_mention",
            "template_mention",
            "custom_emoji",
        ],
    ),
    ("parent", &["page_id", "data_source_id", "database_id", "block_id", "workspace", "agent_id"]),
    ("icon", &["emoji", "custom_emoji", "external", "file", "file_upload", "icon"]),
    ("cover", &["external", "file", "file_upload"]),
    ("file", &["external", "file", "file_upload"]),
    ("attachment", &["external", "file", "file_upload"]),
    ("formula", &["string", "number", "boolean", "date", "unsupported"]),
    ("rollup", &["number", "date", "array", "unsupported", "incomplete"]),
];

/// Targets of links that the wire types know.
const LINK_TARGETS: [&str; 3] = ["page_id", "database_id", "comment_id"];

/// Tells of a kind, and whether it is one that should have been read.
fn tell(report: &mut Report, what: &'static str, kind: &str) {
    report.note_unknown(what, &name_of(what, kind));
}

fn name_of(what: &str, kind: &str) -> String {
    let known = KNOWN.iter().any(|(name, kinds)| *name == what && kinds.contains(&kind));
    if known { format!("{kind}, malformed") } else { kind.to_owned() }
}

/// Notes the unknown kinds anywhere below an object.
pub(super) fn note(object: &Value, report: &mut Report) {
    // The depth is bounded: serde_json reads no deeper than 128 levels.
    match object {
        Value::Array(items) => items.iter().for_each(|item| note(item, report)),
        Value::Object(fields) => {
            note_run(object, report);
            if object["object"] == "user" {
                note_user(object, report);
            }
            for (key, value) in fields.iter().filter(|(_, value)| value.is_object() || value.is_array()) {
                note_field(key, value, report);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn note_field(key: &str, value: &Value, report: &mut Report) {
    match key {
        // Its keys are names that people gave to columns.
        "properties" if value.is_object() => {
            value.as_object().into_iter().flatten().for_each(|(_, property)| note(property, report));
            return;
        }
        "parent" | "database_parent" => {
            if let Ok(Parent::Unknown { kind, .. }) = Parent::deserialize(value) {
                tell(report, "parent", &kind);
            }
            return;
        }
        "icon" if value.is_object() => {
            if let Ok(Icon::Unknown { kind, .. }) = Icon::deserialize(value) {
                tell(report, "icon", &kind);
            }
            return;
        }
        "cover" => {
            if let Ok(FileSource::Unknown { kind, .. }) = FileSource::deserialize(value) {
                tell(report, "cover", &kind);
            }
            return;
        }
        "image" | "video" | "pdf" | "audio" | "file" => note_file(value, report),
        "files" => value.as_array().into_iter().flatten().for_each(|file| note_file(file, report)),
        "attachments" => value.as_array().into_iter().flatten().for_each(|one| {
            if let Ok(attachment) = CommentAttachment::deserialize(one)
                && let FileSource::Unknown { kind, .. } = attachment.source
            {
                tell(report, "attachment", &kind);
            }
        }),
        "owner" if value.get("type").is_some() => {
            if let Ok(BotOwner::Unknown(_)) = BotOwner::deserialize(value) {
                report.note_unknown("owner of a bot", value["type"].as_str().unwrap_or_default());
            }
        }
        _ => {}
    }
    note(value, report);
}

/// The payload of a file block, or an element of a files property. The same names stand for types of files within a
/// file, whose payload is an address.
fn note_file(value: &Value, report: &mut Report) {
    if !value.is_object() || value.get("url").is_some() {
        return;
    }
    if let Ok(FileObject { source: FileSource::Unknown { kind, .. }, .. }) = FileObject::deserialize(value) {
        tell(report, "file", &kind);
    }
}

fn note_user(value: &Value, report: &mut Report) {
    match User::deserialize(value) {
        Ok(User { kind: UserKind::Unknown { kind, .. }, .. }) => report.note_unknown("user", &kind),
        Ok(_) => {}
        Err(_) => report.note_unknown("user", "without an id"),
    }
}

fn note_run(value: &Value, report: &mut Report) {
    if value.get("plain_text").is_none_or(|text| !text.is_string()) {
        return;
    }
    match RichText::deserialize(value).map(|run| run.kind) {
        Ok(RichTextKind::Unknown { kind, .. }) => tell(report, "run of text", &kind),
        Ok(RichTextKind::Mention(Mention::Unknown { kind, .. })) => tell(report, "mention", &kind),
        Ok(_) | Err(_) => {}
    }
}

/// What an unknown block or property is: a type of tomorrow, or one that should have been understood.
pub(super) enum Unknown {
    /// The type is not known.
    Kind(&'static str, String),
    /// The type is known, what came under it is not understood.
    Malformed(String),
}

/// A block of which nothing is understood.
pub(super) fn unknown_block(kind: &str, raw: &Value) -> Unknown {
    if kind == "link_to_page"
        && let Some(target) = raw["type"].as_str().filter(|target| !LINK_TARGETS.contains(target))
    {
        return Unknown::Kind("target of a link", target.to_owned());
    }
    if BLOCK_TYPES.contains(&kind) || kind == "transcription" {
        return Unknown::Malformed(format!(
            "a block of the known type {kind} has a payload of another shape"
        ));
    }
    Unknown::Kind("block", kind.to_owned())
}

/// What is not understood in the value of a property.
pub(super) fn unknown_properties(value: &PropertyValue, found: &mut Vec<Unknown>) {
    match value {
        // Early answers of 2022-06-28 held the ids of properties only.
        PropertyValue::Unknown { kind, raw } if kind.is_empty() && raw.get("id").is_some() => {}
        PropertyValue::Unknown { kind, .. } if PROPERTY_TYPES.contains(&kind.as_str()) => {
            let reason = format!("a property of the known type {kind} has a value of another shape");
            found.push(Unknown::Malformed(reason));
        }
        PropertyValue::Unknown { kind, .. } => found.push(Unknown::Kind("property", kind.clone())),
        PropertyValue::Formula(Formula::Unknown { kind, .. }) => {
            found.push(Unknown::Kind("formula", name_of("formula", kind)));
        }
        PropertyValue::Rollup(rollup) => match &rollup.value {
            RollupValue::Array(values) => values.iter().for_each(|value| unknown_properties(value, found)),
            RollupValue::Unknown { kind, .. } => {
                found.push(Unknown::Kind("rollup", name_of("rollup", kind)));
            }
            _ => {}
        },
        _ => {}
    }
}

/// A column whose type is not understood.
pub(super) fn unknown_column(kind: &SchemaKind) -> Option<Unknown> {
    let SchemaKind::Unknown { kind, .. } = kind else { return None };
    Some(Unknown::Kind("column", kind.clone()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn noted(object: &Value) -> Vec<String> {
        let mut report = Report::default();
        note(object, &mut report);
        report.unknown.into_keys().map(|(what, kind)| format!("{what} {kind}")).collect()
    }

    #[test]
    fn unknown_parts_are_found_wherever_they_stand() {
        let object = json!({
            "object": "page",
            "parent": {"type": "orbit_id", "orbit_id": "x"},
            "icon": {"type": "hologram", "hologram": {}},
            "cover": {"type": "painting", "painting": {}},
            "created_by": {"object": "user", "id": "none"},
            "properties": {"icon": {"type": "people", "people": [
                {"object": "user", "id": "00000000-0000-4000-8000-000000000001", "type": "robot"}]}},
            "rich_text": [
                {"type": "mention", "plain_text": "x", "mention": {"type": "smell", "smell": {}}},
                {"type": "sound", "plain_text": "y", "sound": {}}],
            "image": {"type": "scroll", "scroll": {}},
        });
        assert_eq!(
            noted(&object),
            [
                "cover painting",
                "file scroll",
                "icon hologram",
                "mention smell",
                "parent orbit_id",
                "run of text sound",
                "user robot",
                "user without an id"
            ]
        );
    }

    #[test]
    fn known_parts_and_names_of_columns_are_not_unknown() {
        let file = json!({"type": "file", "file": {"url": "https://x.example/a", "expiry_time": "2026-01-01T00:00:00Z"}});
        let object = json!({
            "parent": {"type": "workspace", "workspace": true},
            "icon": {"type": "emoji", "emoji": "🎉"}, "cover": file.clone(), "type": "image", "image": file.clone(),
            "properties": {"parent": {"id": "a", "type": "files", "files": [file]}, "cover": {"type": "relation",
                "relation": []}},
        });
        assert_eq!(noted(&object), [""; 0]);
    }
}
