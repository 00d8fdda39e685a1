//! Kinds of users, parents, files and icons that this version does not know: each is a warning, and what is known of the
//! object is kept.

use std::collections::BTreeSet;

use notion_api::wire::{FileSource, Icon, Parent, User, UserKind};

use crate::model::Warning;

/// Warns of a user whose kind is unknown.
pub(super) fn check_user(user: &User, warnings: &mut BTreeSet<Warning>) {
    if let UserKind::Unknown { kind, .. } = &user.kind {
        warnings.insert(Warning::UnknownUser { kind: named(kind) });
    }
}

/// Warns of each of `users` whose kind is unknown.
pub(super) fn check_users<'a>(users: impl IntoIterator<Item = &'a User>, warnings: &mut BTreeSet<Warning>) {
    users.into_iter().for_each(|user| check_user(user, warnings));
}

/// Warns of a parent whose kind is unknown. An agent is known, though it is no place.
pub(super) fn check_parent(parent: Option<&Parent>, warnings: &mut BTreeSet<Warning>) {
    if let Some(Parent::Unknown { kind, .. }) = parent {
        warnings.insert(Warning::UnknownParent { kind: named(kind) });
    }
}

/// Warns of a file whose source is unknown.
pub(super) fn check_file(source: &FileSource, warnings: &mut BTreeSet<Warning>) {
    if let FileSource::Unknown { kind, .. } = source {
        warnings.insert(Warning::UnknownFile { kind: named(kind) });
    }
}

/// Warns of an icon whose kind is unknown.
pub(super) fn check_icon(icon: Option<&Icon>, warnings: &mut BTreeSet<Warning>) {
    match icon {
        Some(Icon::File(source)) => check_file(source, warnings),
        Some(Icon::Unknown { kind, .. }) => {
            warnings.insert(Warning::UnknownFile { kind: named(kind) });
        }
        Some(Icon::Emoji(_) | Icon::CustomEmoji(_) | Icon::Named { .. }) | None => {}
    }
}

fn named(kind: &str) -> String {
    if kind.is_empty() { "without a type" } else { kind }.to_owned()
}

#[cfg(test)]
mod tests {
    use notion_api::wire;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::model::NotionId;
    use crate::render::{BlockNode, Body, render_data_source, render_database, render_page};

    const ID: Uuid = Uuid::from_u128(1);

    fn unknown_user() -> Value {
        json!({"object": "user", "id": ID, "type": "agent", "agent": {}, "name": "Robo"})
    }

    fn warned(kind: &str) -> [Warning; 3] {
        let kind = kind.to_owned();
        [
            Warning::UnknownParent { kind: kind.clone() },
            Warning::UnknownUser { kind: "agent".to_owned() },
            Warning::UnknownFile { kind },
        ]
    }

    #[test]
    fn every_object_tells_of_unknown_kinds_in_it_once() {
        let odd = json!({"type": "dream", "dream": {}});
        let mut object = json!({"id": ID, "parent": odd, "icon": odd, "cover": odd,
            "created_by": unknown_user(), "last_edited_by": unknown_user()});
        let source: wire::DataSource = serde_json::from_value(object.clone()).unwrap();
        assert_eq!(render_data_source(&source, NotionId(ID)).warnings, warned("dream"));
        let database: wire::Database = serde_json::from_value(object.clone()).unwrap();
        let [parent, _, file] = warned("dream");
        assert_eq!(render_database(&database, NotionId(ID)).warnings, [parent, file]);
        object["properties"] = json!({
            "Who": {"type": "people", "people": [unknown_user()]},
            "By": {"type": "created_by", "created_by": unknown_user()},
            "Checked": {"type": "verification", "verification": {"state": "verified", "verified_by": unknown_user()}},
            "Papers": {"type": "files", "files": [{"name": "plan.pdf", "type": "dream", "dream": {}}]}
        });
        let page: wire::Page = serde_json::from_value(object).unwrap();
        let rendered = render_page(&page, &Body::None.into(), NotionId(ID));
        assert_eq!(rendered.warnings, warned("dream"));
        let texts: Vec<&str> =
            rendered.item.properties.iter().map(|property| property.text.as_str()).collect();
        assert_eq!(texts, ["Robo", "Robo", "verified by Robo", "plan.pdf"]);
    }

    #[test]
    fn blocks_keep_their_text_and_tell_of_unknown_kinds() {
        let odd = json!({"type": "dream", "dream": {}});
        let run = json!({"type": "mention", "mention": {"type": "user", "user": unknown_user()}, "plain_text": "@Robo"});
        let blocks = [
            json!({"id": ID, "parent": odd, "type": "callout", "callout": {"rich_text": [run], "icon": odd}}),
            json!({"id": ID, "created_by": unknown_user(), "type": "image",
                "image": {"type": "dream", "dream": {}, "caption": [{"plain_text": "Sunset", "type": "text", "text": {"content": "Sunset"}}]}}),
        ];
        let nodes = blocks
            .map(|block| BlockNode { block: serde_json::from_value(block).unwrap(), children: Vec::new() });
        let page: wire::Page = serde_json::from_value(json!({"id": ID})).unwrap();
        let rendered = render_page(&page, &Body::Blocks(nodes.into()).into(), NotionId(ID));
        assert_eq!(rendered.item.text, "@Robo\nSunset");
        assert_eq!(rendered.warnings, warned("dream"));
    }

    #[test]
    fn what_is_not_there_is_not_unknown() {
        let page = json!({"id": ID, "parent": null, "icon": null, "cover": null, "created_by": {"id": ID, "object": "user"},
            "properties": {"Who": {"type": "people", "people": [{"object": "group", "id": ID, "name": null}]}}});
        let page: wire::Page = serde_json::from_value(page).unwrap();
        assert_eq!(render_page(&page, &Body::None.into(), NotionId(ID)).warnings, []);
    }
}
