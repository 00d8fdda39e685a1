//! The fields of the index, and how an item becomes an entry.
//!
//! One entry an item. What is shown with a hit is stored as one JSON value ([`Entry`]); what is searched, filtered or
//! sorted by has a field. A new field: add it to [`Fields`], fill it in [`Fields::document`], raise
//! [`SCHEMA_VERSION`]; the index is then filled anew from the store, without asking Notion.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tantivy::schema::{
    DateOptions, Field, IndexRecordOption, STORED, STRING, Schema, SchemaBuilder, TextFieldIndexing,
    TextOptions,
};
use tantivy::{DateTime, TantivyDocument, Term};

use super::analysis::{COLUMN, FOLDED, MIXED, STEMMED, title_key};
use super::anchors::anchors;
use super::facets::facet_terms;
use super::filters::editor_terms;
use super::properties::{EntryProperty, PropertyTerms, entry_properties};
use super::visibility::{PLACE_UNKNOWN, place_term};
use crate::model::{ConnectorId, Crumb, Delivery, FileFacts, ItemKey, ItemKind, NotionId, Position};

/// Raised with every change to the fields or to [`super::analysis`].
pub const SCHEMA_VERSION: u32 = 4;

/// Name of the fast field with the item's key: breaks ties.
pub const KEY_FIELD: &str = "key";
/// Name of the fast field with the time of the last edit.
pub const EDITED_FIELD: &str = "edited";
/// Name of the fast field with what can be counted.
pub const FACETS_FIELD: &str = "facets";

/// The fields.
#[derive(Debug, Clone, Copy)]
pub struct Fields {
    /// Item key; one entry a key.
    pub key: Field,
    /// Notion's id.
    pub id: Field,
    /// Kind.
    pub kind: Field,
    /// Workspace.
    pub workspace: Field,
    /// Connectors that hold the item: every search filters by it.
    pub holders: Field,
    /// All ancestors: scopes.
    pub ancestors: Field,
    /// The path, each object with its depth: audience rules; see [`super::visibility`].
    pub places: Field,
    /// What rows in the path say in columns that audience rules go by.
    pub marks: Field,
    /// Parent object.
    pub parent: Field,
    /// Of files: the end of the name, in lower case.
    pub extension: Field,
    /// Who edited last.
    pub editor: Field,
    /// When it was created.
    pub created: Field,
    /// When it was last edited.
    pub edited: Field,
    /// Title, folded.
    pub title: Field,
    /// Title, stemmed.
    pub title_stem: Field,
    /// The whole title as one term.
    pub title_whole: Field,
    /// Headings of the body.
    pub headings: Field,
    /// Titles of the ancestors that can be found themselves.
    pub breadcrumb: Field,
    /// Titles of related pages as `name: titles`, folded; stored for snippets.
    pub related: Field,
    /// Titles of related pages, stemmed.
    pub related_stem: Field,
    /// What filters ask of titles of related pages.
    pub related_terms: Field,
    /// Words of titles of related pages, each behind the name of its column.
    pub related_words: Field,
    /// Body, folded; stored for snippets.
    pub body: Field,
    /// Body, stemmed.
    pub body_stem: Field,
    /// Properties as `name: value`, folded; stored for snippets.
    pub properties: Field,
    /// Properties, stemmed.
    pub properties_stem: Field,
    /// What filters ask of properties; see [`super::properties`].
    pub property_terms: Field,
    /// Words of properties, each behind the name of its column.
    pub property_words: Field,
    /// What can be counted; see [`super::facets`].
    pub facets: Field,
    /// Where in the body which block begins; see [`super::anchors`].
    pub anchors: Field,
    /// [`Entry`] as JSON.
    pub entry: Field,
}

/// What is stored of an item to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Item key.
    pub key: ItemKey,
    /// Notion's id.
    pub id: NotionId,
    /// What it is.
    pub kind: ItemKind,
    /// Title; may be empty.
    pub title: String,
    /// Where it opens.
    pub url: String,
    /// Emoji before the title.
    pub icon: Option<String>,
    /// Ancestors, outermost first.
    pub breadcrumb: Vec<Crumb>,
    /// When it was created.
    pub created_time: Timestamp,
    /// When it was last edited.
    pub last_edited_time: Timestamp,
    /// Who edited it last.
    pub last_edited_by: Option<Editor>,
    /// The connectors that hold it.
    pub holders: Vec<ConnectorId>,
    /// A few of its properties, those first that say most.
    pub properties: Vec<EntryProperty>,
    /// What is known of it, where it is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileFacts>,
}

impl Entry {
    /// Other objects of which it holds titles.
    pub(super) fn names(&self) -> impl Iterator<Item = NotionId> {
        let related = self.properties.iter().flat_map(|property| &property.related);
        self.breadcrumb.iter().map(|crumb| crumb.id).chain(related.map(|one| one.id))
    }
}

/// Who edited something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Editor {
    /// Notion's id of the person or bot.
    pub id: NotionId,
    /// Name, when known.
    pub name: Option<String>,
}

/// The schema and its fields.
pub fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let date = DateOptions::default().set_fast().set_indexed();
    let fields = Fields {
        key: builder.add_text_field(KEY_FIELD, STRING.set_fast("raw")),
        id: builder.add_text_field("id", STRING),
        kind: builder.add_text_field("kind", STRING),
        workspace: builder.add_text_field("workspace", STRING),
        holders: builder.add_text_field("holders", STRING),
        ancestors: builder.add_text_field("ancestors", STRING),
        places: builder.add_text_field("places", STRING),
        marks: builder.add_text_field("marks", STRING),
        parent: builder.add_text_field("parent", STRING),
        extension: builder.add_text_field("extension", STRING),
        editor: builder.add_text_field("editor", STRING),
        created: builder.add_date_field("created", date.clone()),
        edited: builder.add_date_field(EDITED_FIELD, date),
        title: text(&mut builder, "title", FOLDED),
        title_stem: text(&mut builder, "title_stem", STEMMED),
        title_whole: builder.add_text_field("title_whole", STRING),
        headings: text(&mut builder, "headings", MIXED),
        breadcrumb: text(&mut builder, "breadcrumb", MIXED),
        related: stored_text(&mut builder, "related", FOLDED),
        related_stem: text(&mut builder, "related_stem", STEMMED),
        related_terms: builder.add_text_field("related_terms", STRING),
        related_words: builder.add_text_field("related_words", analyzed(COLUMN)),
        body: stored_text(&mut builder, "body", FOLDED),
        body_stem: text(&mut builder, "body_stem", STEMMED),
        properties: stored_text(&mut builder, "properties", FOLDED),
        properties_stem: text(&mut builder, "properties_stem", STEMMED),
        property_terms: builder.add_text_field("property_terms", STRING),
        property_words: builder.add_text_field("property_words", analyzed(COLUMN)),
        facets: builder.add_text_field(FACETS_FIELD, TextOptions::default().set_fast("raw")),
        anchors: builder.add_bytes_field("anchors", STORED),
        entry: builder.add_text_field("entry", STORED),
    };
    (builder.build(), fields)
}

fn analyzed(analyzer: &str) -> TextOptions {
    TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(analyzer)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions),
    )
}

fn text(builder: &mut SchemaBuilder, name: &str, analyzer: &str) -> Field {
    builder.add_text_field(name, analyzed(analyzer))
}

fn stored_text(builder: &mut SchemaBuilder, name: &str, analyzer: &str) -> Field {
    builder.add_text_field(name, analyzed(analyzer).set_stored())
}

impl Fields {
    /// The term by which an entry is replaced and deleted.
    pub fn key_term(&self, key: &ItemKey) -> Term {
        Term::from_field_text(self.key, key.as_str())
    }

    /// The term of a connector that holds an item.
    pub fn holder_term(&self, holder: ConnectorId) -> Term {
        Term::from_field_text(self.holders, &holder.to_string())
    }

    /// The term of an id in one of the fields that hold ids.
    pub fn id_term(&self, field: Field, id: NotionId) -> Term {
        Term::from_field_text(field, &id.0.simple().to_string())
    }

    /// What an item becomes.
    pub fn document(&self, delivery: &Delivery) -> Result<TantivyDocument, serde_json::Error> {
        let item = &delivery.item;
        let mut document = TantivyDocument::default();
        self.add_identity(&mut document, delivery);
        document.add_date(self.created, date_time(item.created_time));
        document.add_date(self.edited, date_time(item.last_edited_time));
        document.add_text(self.title, &item.title);
        document.add_text(self.title_stem, &item.title);
        document.add_text(self.title_whole, title_key(&item.title));
        for heading in headings(delivery) {
            document.add_text(self.headings, heading);
        }
        for crumb in delivery.ancestors.iter().filter(|crumb| crumb.is_held) {
            document.add_text(self.breadcrumb, &crumb.title);
        }
        document.add_text(self.body, &item.text);
        document.add_text(self.body_stem, &item.text);
        let properties = property_text(delivery);
        document.add_text(self.properties, &properties);
        document.add_text(self.properties_stem, &properties);
        let related = related_text(delivery);
        document.add_text(self.related, &related);
        document.add_text(self.related_stem, &related);
        self.add_properties(&mut document, delivery);
        let anchors = anchors(&item.passages);
        if !anchors.is_empty() {
            document.add_bytes(self.anchors, &anchors);
        }
        document.add_text(self.entry, serde_json::to_string(&entry(delivery))?);
        Ok(document)
    }

    fn add_identity(&self, document: &mut TantivyDocument, delivery: &Delivery) {
        let item = &delivery.item;
        let simple = |id: NotionId| id.0.simple().to_string();
        document.add_text(self.key, item.key.as_str());
        document.add_text(self.id, simple(item.id));
        document.add_text(self.kind, item.kind.as_str());
        document.add_text(self.workspace, item.key.as_str().split('/').next().unwrap_or_default());
        for holder in &delivery.holders {
            document.add_text(self.holders, holder.to_string());
        }
        for ancestor in &delivery.ancestors {
            document.add_text(self.ancestors, simple(ancestor.id));
        }
        self.add_position(document, &delivery.position);
        if let Some(parent) = item.parent.id() {
            document.add_text(self.parent, simple(parent));
        }
        if let Some(file) = item.file.as_ref().filter(|file| !file.extension.is_empty()) {
            document.add_text(self.extension, &file.extension);
        }
        if let Some(editor) = item.last_edited_by {
            for term in editor_terms(editor, delivery.last_edited_by_name.as_deref()) {
                document.add_text(self.editor, term);
            }
        }
    }

    fn add_position(&self, document: &mut TantivyDocument, position: &Position) {
        for (depth, object) in position.path.iter().enumerate() {
            document.add_text(self.places, place_term(*object, depth));
        }
        if !position.is_known {
            document.add_text(self.places, PLACE_UNKNOWN);
        }
        for mark in &position.marks {
            document.add_text(self.marks, mark);
        }
    }

    fn add_properties(&self, document: &mut TantivyDocument, delivery: &Delivery) {
        let properties = PropertyTerms::of(delivery);
        for facet in facet_terms(delivery, &properties) {
            document.add_text(self.facets, facet);
        }
        for term in properties.terms {
            document.add_text(self.property_terms, term);
        }
        for text in properties.words {
            document.add_text(self.property_words, text);
        }
        for term in properties.related.terms {
            document.add_text(self.related_terms, term);
        }
        for text in properties.related.words {
            document.add_text(self.related_words, text);
        }
    }
}

fn entry(delivery: &Delivery) -> Entry {
    let item = &delivery.item;
    Entry {
        key: item.key.clone(),
        id: item.id,
        kind: item.kind,
        title: item.title.clone(),
        url: item.url.clone(),
        icon: item.icon.clone(),
        breadcrumb: delivery.ancestors.clone(),
        created_time: item.created_time,
        last_edited_time: item.last_edited_time,
        last_edited_by: item
            .last_edited_by
            .map(|id| Editor { id, name: delivery.last_edited_by_name.clone() }),
        holders: delivery.holders.clone(),
        properties: entry_properties(delivery),
        file: item.file.clone(),
    }
}

/// The headings of the body, each once for each passage chain that begins with it.
fn headings(delivery: &Delivery) -> Vec<&str> {
    let mut before: &[String] = &[];
    let mut headings = Vec::new();
    for passage in &delivery.item.passages {
        let path = &passage.heading_path;
        let shared = path.iter().zip(before).take_while(|(a, b)| a == b).count();
        headings.extend(path.iter().skip(shared).map(String::as_str));
        before = path;
    }
    headings
}

/// Titles of related pages as people read them, one property a line.
fn related_text(delivery: &Delivery) -> String {
    let lines = delivery.related.iter().filter(|(_, related)| !related.is_empty()).map(|(name, related)| {
        let titles: Vec<&str> = related.iter().map(|one| one.title.as_str()).collect();
        format!("{name}: {}", titles.join(", "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Properties as people read them, one a line; empty values are left out, and so are related pages.
pub fn property_text(delivery: &Delivery) -> String {
    let mut lines = Vec::new();
    for property in &delivery.item.properties {
        let value = &property.text;
        // The title property is the title already; a second copy would count its words twice.
        if !value.trim().is_empty() && *value != delivery.item.title {
            lines.push(format!("{}: {value}", property.name));
        }
    }
    lines.join("\n")
}

/// A time as the index keeps it.
pub(super) fn date_time(time: Timestamp) -> DateTime {
    DateTime::from_timestamp_millis(time.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Passage;
    use crate::search::fixture;

    #[test]
    fn a_heading_above_several_passages_counts_once() {
        let mut delivery = fixture::page(1, "Title", "a\nb\nc");
        let passage = |path: &[&str]| Passage {
            heading_path: path.iter().map(|&heading| heading.to_owned()).collect(),
            block_id: None,
            range: 0..1,
        };
        delivery.item.passages =
            vec![passage(&["A"]), passage(&["A", "B"]), passage(&["A", "B"]), passage(&["C"])];
        assert_eq!(headings(&delivery), ["A", "B", "C"]);
    }

    #[test]
    fn titles_of_related_pages_stand_apart_from_the_properties() {
        let mut delivery = fixture::page(1, "Title", "");
        delivery.item.properties =
            vec![fixture::text_property("Status", "Done"), fixture::text_property("Owner", "")];
        delivery.related = vec![fixture::related("Owner", &["Anna", "Ben"])];
        assert_eq!(property_text(&delivery), "Status: Done");
        assert_eq!(related_text(&delivery), "Owner: Anna, Ben");
    }
}
