//! Items as they are: one by one, or all of them.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::OpsError;
use super::search::{path, title_or_untitled};
use crate::app::App;
use crate::model::{Change, Delivery, ItemKind, NotionId, Property, PropertyValue, Viewer};

/// Bytes of items read from the store at once.
const BATCH_BYTES: usize = 8 << 20;

/// An item as it is exported and shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExportLine {
    /// Notion's id.
    pub id: NotionId,
    /// What it is.
    pub kind: ItemKind,
    /// Title.
    pub title: String,
    /// Where it opens in Notion.
    pub url: String,
    /// Titles from the top of the workspace down to its parent.
    pub breadcrumb: Vec<String>,
    /// The body as plain text.
    pub text: String,
    /// Typed values and as people read them.
    pub properties: Vec<Property>,
    /// When it was created.
    pub created_time: Timestamp,
    /// When it was last edited.
    pub last_edited_time: Timestamp,
}

impl From<Delivery> for ExportLine {
    fn from(delivery: Delivery) -> Self {
        let Delivery { item, ancestors, relation_titles, .. } = delivery;
        let mut properties = item.properties;
        for property in &mut properties {
            let joined = relation_titles.iter().find(|(name, _)| *name == property.name);
            if let (PropertyValue::Relations { .. }, Some((_, titles))) = (&property.value, joined) {
                property.text = titles.join(", ");
            }
        }
        Self {
            id: item.id,
            kind: item.kind,
            title: title_or_untitled(item.title),
            url: item.url,
            breadcrumb: path(&ancestors),
            text: item.text,
            properties,
            created_time: item.created_time,
            last_edited_time: item.last_edited_time,
        }
    }
}

/// Hands every searchable item to `write`, ordered by Notion's id.
///
/// # Errors
/// When the database cannot be read, or `write` fails.
pub fn export(app: &App, mut write: impl FnMut(&ExportLine) -> std::io::Result<()>) -> Result<u64, OpsError> {
    let mut keys = app.store.load_keys_by_id()?;
    let exported = keys.len() as u64;
    while !keys.is_empty() {
        let (changes, rest) = app.store.load_changes(keys, BATCH_BYTES)?;
        keys = rest;
        for change in changes {
            let Change::Upsert(delivery) = change else { continue };
            write(&ExportLine::from(*delivery)).map_err(|source| OpsError::Io {
                what: "the export could not be written".to_owned(),
                source,
            })?;
        }
    }
    Ok(exported)
}

/// One item, if the viewer may see it.
///
/// # Errors
/// When there is none that the viewer may see; which of the two is not said.
pub fn load_item(app: &App, id: NotionId, viewer: &Viewer) -> Result<ExportLine, OpsError> {
    let missing = || OpsError::NotFound(format!("there is no item {id} in the index"));
    let keys = app.store.load_keys_of(id)?;
    for change in app.store.load_changes(keys, BATCH_BYTES)?.0 {
        if let Change::Upsert(delivery) = change {
            let visible = match viewer {
                Viewer::LocalOperator => true,
                Viewer::Mapped(connectors) => {
                    delivery.holders.iter().any(|holder| connectors.contains(holder))
                }
            };
            if visible {
                return Ok(ExportLine::from(*delivery));
            }
        }
    }
    Err(missing())
}
