//! Deliveries for tests.

use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{
    ConnectorId, Delivery, Item, ItemKey, ItemKind, NotionId, OutboxCursor, Parent, Position, Property,
    PropertyValue, Related,
};

/// Id number `n`.
pub(crate) fn id(n: u128) -> NotionId {
    NotionId(Uuid::from_u128(n))
}

/// Key of page number `n`.
pub(crate) fn key(n: u128) -> ItemKey {
    ItemKey::new(id(0xffff), ItemKind::Page, id(n))
}

/// Page number `n`, held by connector 1, edited `n` minutes after the epoch.
pub(crate) fn page(n: u128, title: &str, text: &str) -> Delivery {
    let time = Timestamp::from_second(i64::try_from(n).unwrap() * 60).unwrap();
    Delivery {
        item: Item {
            key: key(n),
            kind: ItemKind::Page,
            id: id(n),
            title: title.to_owned(),
            url: format!("https://www.notion.so/{}", id(n).0.simple()),
            icon: None,
            cover: None,
            parent: Parent::Workspace,
            text: text.to_owned(),
            passages: Vec::new(),
            properties: Vec::new(),
            links: Vec::new(),
            created_time: time,
            last_edited_time: time,
            created_by: None,
            last_edited_by: None,
            file: None,
        },
        holders: vec![ConnectorId(1)],
        ancestors: Vec::new(),
        position: Position { path: vec![id(n)], is_known: true, marks: Vec::new() },
        related: Vec::new(),
        last_edited_by_name: None,
    }
}

/// Related pages, numbered from 9000 on.
pub(crate) fn related(property: &str, titles: &[&str]) -> (String, Vec<Related>) {
    let related =
        titles.iter().zip(9_000..).map(|(&title, n)| Related { id: id(n), title: title.to_owned() });
    (property.to_owned(), related.collect())
}

/// A property with a text.
pub(crate) fn text_property(name: &str, text: &str) -> Property {
    Property { name: name.to_owned(), value: PropertyValue::Text(text.to_owned()), text: text.to_owned() }
}

/// Row `sequence` of outbox number 7.
pub(crate) fn cursor(sequence: i64) -> OutboxCursor {
    OutboxCursor { epoch: Uuid::from_u128(7), sequence }
}
