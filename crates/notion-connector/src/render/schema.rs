//! Databases and data sources as items: title, description, and the schema as text people would search for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use notion_api::wire::{DataSource, Database, PropertySchema, SchemaKind, SelectOption};

use super::blocks::inlines_of;
use super::document::{Inline, Kind, Node, plain};
use super::text::{LinkSet, render_text};
use super::{Rendered, cover_of, emoji_of, parent_of, title_line};
use crate::model::{Item, ItemKey, ItemKind, LinkKind, NotionId, Warning};

/// Renders a database: its title, its description, and the names of its data sources.
pub fn render_database(database: &Database, workspace: NotionId) -> Rendered {
    let mut warnings = BTreeSet::new();
    let mut links = LinkSet::default();
    let mut nodes = vec![Node::labelled(Kind::Paragraph, inlines_of(&database.description, &mut warnings))];
    for source in &database.data_sources {
        links.add(LinkKind::DataSource, Some(NotionId(source.id)));
        nodes.push(line(source.name.clone()));
    }
    nodes.extend(schema_lines(&database.properties, &mut warnings));
    let (text, passages) = render_text(&nodes, &BTreeMap::new(), &mut links, &mut warnings);
    let id = NotionId(database.id);
    let item = Item {
        key: ItemKey::new(workspace, ItemKind::Database, id),
        kind: ItemKind::Database,
        id,
        title: title_line(&plain(&inlines_of(&database.title, &mut warnings))),
        url: database.url.clone().unwrap_or_default(),
        icon: emoji_of(database.icon.as_ref()),
        cover: database.cover.as_ref().and_then(cover_of),
        parent: parent_of(database.parent.as_ref()),
        text,
        passages,
        properties: Vec::new(),
        links: links.into_links(),
        created_time: database.created_time.unwrap_or(Timestamp::UNIX_EPOCH),
        last_edited_time: database.last_edited_time.unwrap_or(Timestamp::UNIX_EPOCH),
        created_by: None,
        last_edited_by: None,
    };
    Rendered { item, warnings: warnings.into_iter().collect() }
}

/// Renders a data source: its title, its description, its columns and what may be chosen in them.
pub fn render_data_source(source: &DataSource, workspace: NotionId) -> Rendered {
    let mut warnings = BTreeSet::new();
    let mut links = LinkSet::default();
    let mut nodes = vec![Node::labelled(Kind::Paragraph, inlines_of(&source.description, &mut warnings))];
    nodes.extend(schema_lines(&source.properties, &mut warnings));
    let (text, passages) = render_text(&nodes, &BTreeMap::new(), &mut links, &mut warnings);
    let id = NotionId(source.id);
    let item = Item {
        key: ItemKey::new(workspace, ItemKind::DataSource, id),
        kind: ItemKind::DataSource,
        id,
        title: title_line(&plain(&inlines_of(&source.title, &mut warnings))),
        url: source.url.clone().unwrap_or_default(),
        icon: emoji_of(source.icon.as_ref()),
        cover: source.cover.as_ref().and_then(cover_of),
        parent: parent_of(source.parent.as_ref()),
        text,
        passages,
        properties: Vec::new(),
        links: links.into_links(),
        created_time: source.created_time.unwrap_or(Timestamp::UNIX_EPOCH),
        last_edited_time: source.last_edited_time.unwrap_or(Timestamp::UNIX_EPOCH),
        created_by: source.created_by.as_ref().map(|user| NotionId(user.id)),
        last_edited_by: source.last_edited_by.as_ref().map(|user| NotionId(user.id)),
    };
    Rendered { item, warnings: warnings.into_iter().collect() }
}

fn line(text: String) -> Node {
    Node::labelled(Kind::Paragraph, vec![Inline::plain(text)])
}

/// One line a column: `Stage (what it is for): Todo, Doing, Done`.
fn schema_lines(columns: &[PropertySchema], warnings: &mut BTreeSet<Warning>) -> Vec<Node> {
    let mut lines = Vec::with_capacity(columns.len());
    for column in columns {
        let mut text = column.name.clone();
        if let Some(description) = column.description.as_deref().filter(|text| !text.is_empty()) {
            text = format!("{text} ({description})");
        }
        let options = options_of(&column.kind, warnings);
        if !options.is_empty() {
            let names: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
            text = format!("{text}: {}", names.join(", "));
        }
        lines.push(line(text));
    }
    lines
}

fn options_of<'a>(kind: &'a SchemaKind, warnings: &mut BTreeSet<Warning>) -> &'a [SelectOption] {
    match kind {
        SchemaKind::Select(options)
        | SchemaKind::MultiSelect(options)
        | SchemaKind::Status { options, .. } => options,
        SchemaKind::Unknown { kind, .. } => {
            warnings.insert(Warning::UnknownProperty { kind: kind.clone() });
            &[]
        }
        _ => &[],
    }
}
