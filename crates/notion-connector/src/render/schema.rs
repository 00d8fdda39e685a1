//! Databases and data sources as items: title, description, and the schema as text people would search for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use notion_api::wire::{
    DataSource, Database, PropertySchema, RelationSchema, SchemaKind, SelectOption, StatusGroup,
};

use super::blocks::inlines_of;
use super::document::{Inline, Kind, Node, plain};
use super::passages::Cutter;
use super::text::{LinkSet, write_blocks};
use super::{Rendered, cover_of, icon_of, parent_of, title_line, unknowns};
use crate::model::{Item, ItemKey, ItemKind, LinkKind, NotionId, Passage, Warning};

/// Renders a database: its title, its description, and the names of its data sources.
pub fn render_database(database: &Database, workspace: NotionId) -> Rendered {
    let mut warnings = BTreeSet::new();
    let mut links = LinkSet::default();
    let mut nodes = vec![Node::labelled(Kind::Paragraph, inlines_of(&database.description, &mut warnings))];
    for source in &database.data_sources {
        links.add(LinkKind::DataSource, Some(NotionId(source.id)));
        nodes.push(line(source.name.clone()));
    }
    nodes.extend(schema_lines(&database.properties, &mut links, &mut warnings));
    let (text, passages) = written(&nodes, &mut links, &mut warnings);
    unknowns::check_parent(database.parent.as_ref(), &mut warnings);
    unknowns::check_icon(database.icon.as_ref(), &mut warnings);
    let id = NotionId(database.id);
    let item = Item {
        key: ItemKey::new(workspace, ItemKind::Database, id),
        kind: ItemKind::Database,
        id,
        title: title_line(&plain(&inlines_of(&database.title, &mut warnings))),
        url: database.url.clone().unwrap_or_default(),
        icon: icon_of(database.icon.as_ref()),
        cover: cover_of(database.cover.as_ref(), &mut warnings),
        parent: parent_of(database.parent.as_ref()),
        text,
        passages,
        properties: Vec::new(),
        links: links.into_links(),
        created_time: database.created_time.unwrap_or(Timestamp::UNIX_EPOCH),
        last_edited_time: database.last_edited_time.unwrap_or(Timestamp::UNIX_EPOCH),
        created_by: None,
        last_edited_by: None,
        file: None,
    };
    Rendered { item, warnings: warnings.into_iter().collect(), files: Vec::new() }
}

/// Renders a data source: its title, its description, its columns and what may be chosen in them.
pub fn render_data_source(source: &DataSource, workspace: NotionId) -> Rendered {
    let mut warnings = BTreeSet::new();
    let mut links = LinkSet::default();
    let mut nodes = vec![Node::labelled(Kind::Paragraph, inlines_of(&source.description, &mut warnings))];
    nodes.extend(schema_lines(&source.properties, &mut links, &mut warnings));
    let (text, passages) = written(&nodes, &mut links, &mut warnings);
    unknowns::check_parent(source.parent.as_ref(), &mut warnings);
    unknowns::check_parent(source.database_parent.as_ref(), &mut warnings);
    unknowns::check_icon(source.icon.as_ref(), &mut warnings);
    unknowns::check_users(source.created_by.iter().chain(&source.last_edited_by), &mut warnings);
    let id = NotionId(source.id);
    let item = Item {
        key: ItemKey::new(workspace, ItemKind::DataSource, id),
        kind: ItemKind::DataSource,
        id,
        title: title_line(&plain(&inlines_of(&source.title, &mut warnings))),
        url: source.url.clone().unwrap_or_default(),
        icon: icon_of(source.icon.as_ref()),
        cover: cover_of(source.cover.as_ref(), &mut warnings),
        parent: parent_of(source.parent.as_ref()),
        text,
        passages,
        properties: Vec::new(),
        links: links.into_links(),
        created_time: source.created_time.unwrap_or(Timestamp::UNIX_EPOCH),
        last_edited_time: source.last_edited_time.unwrap_or(Timestamp::UNIX_EPOCH),
        created_by: source.created_by.as_ref().map(|user| NotionId(user.id)),
        last_edited_by: source.last_edited_by.as_ref().map(|user| NotionId(user.id)),
        file: None,
    };
    Rendered { item, warnings: warnings.into_iter().collect(), files: Vec::new() }
}

fn line(text: String) -> Node {
    Node::labelled(Kind::Paragraph, vec![Inline::plain(text)])
}

fn written(nodes: &[Node], links: &mut LinkSet, warnings: &mut BTreeSet<Warning>) -> (String, Vec<Passage>) {
    let mut cutter = Cutter::default();
    write_blocks(nodes, &BTreeMap::new(), &mut cutter, links, warnings);
    cutter.finish()
}

/// One line a column: `Stage (what it is for): Todo (not begun), Done; To-do, Complete`. Expressions of formulas and
/// functions of rollups are left out: they are programs, and their results are in the rows.
fn schema_lines(
    columns: &[PropertySchema],
    links: &mut LinkSet,
    warnings: &mut BTreeSet<Warning>,
) -> Vec<Node> {
    let mut lines = Vec::with_capacity(columns.len());
    for column in columns {
        let name = noted(&column.name, column.description.as_deref());
        let choices = choices_of(&column.kind, links, warnings);
        lines.push(line(if choices.is_empty() { name } else { format!("{name}: {choices}") }));
    }
    lines
}

/// `name (note)`
fn noted(name: &str, note: Option<&str>) -> String {
    match note.map(str::trim).filter(|note| !note.is_empty()) {
        Some(note) => format!("{name} ({note})"),
        None => name.to_owned(),
    }
}

fn choices_of(kind: &SchemaKind, links: &mut LinkSet, warnings: &mut BTreeSet<Warning>) -> String {
    match kind {
        SchemaKind::Select(options) | SchemaKind::MultiSelect(options) => option_names(options),
        SchemaKind::Status { options, groups } => {
            let (options, groups) = (option_names(options), group_names(groups));
            if groups.is_empty() { options } else { format!("{options}; {groups}") }
        }
        SchemaKind::UniqueId { prefix } => prefix.clone().unwrap_or_default(),
        SchemaKind::Relation(RelationSchema { data_source_id, database_id }) => {
            links.add(LinkKind::Mention, data_source_id.or(*database_id).map(NotionId));
            String::new()
        }
        SchemaKind::Unknown { kind, .. } => {
            warnings.insert(Warning::UnknownProperty { kind: kind.clone() });
            String::new()
        }
        _ => String::new(),
    }
}

fn option_names(options: &[SelectOption]) -> String {
    let names = options.iter().map(|option| noted(&option.name, option.description.as_deref()));
    names.collect::<Vec<_>>().join(", ")
}

fn group_names(groups: &[StatusGroup]) -> String {
    groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>().join(", ")
}
