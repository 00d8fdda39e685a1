//! Items as they are: one by one, or all of them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::OpsError;
use super::audit::Act;
use super::search::{path, title_or_untitled};
use crate::app::App;
use crate::model::{
    Caller, Change, Delivery, FileFacts, ItemKey, ItemKind, NotionId, Property, PropertyValue, Role, Viewer,
};

/// Bytes of items read from the store at once.
const BATCH_BYTES: usize = 8 << 20;

/// Most pages that are named of a file.
const MAX_PAGES: u32 = 100;

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
    /// What is known of it, where it is a file; its title is the file's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<ExportedFile>,
}

/// What is known of a file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExportedFile {
    /// What is known of its bytes and its text.
    #[serde(flatten)]
    pub facts: FileFacts,
    /// The pages that it stands in, its parent first; at most 100.
    pub pages: Vec<FileStands>,
}

/// A page that a file stands in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FileStands {
    /// Notion's id of the page.
    pub id: NotionId,
    /// Its title.
    pub title: String,
    /// Where it shows the file: the page, or the block in it.
    pub url: String,
    /// What it says of the file.
    pub caption: String,
}

impl From<Delivery> for ExportLine {
    fn from(delivery: Delivery) -> Self {
        let Delivery { item, ancestors, related, .. } = delivery;
        let mut properties = item.properties;
        for property in &mut properties {
            let joined = related.iter().find(|(name, _)| *name == property.name);
            if let (PropertyValue::Relations { .. }, Some((_, related))) = (&property.value, joined) {
                let titles: Vec<&str> = related.iter().map(|one| one.title.as_str()).collect();
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
            file: item.file.map(|facts| ExportedFile { facts, pages: Vec::new() }),
        }
    }
}

/// An item with what the store knows beside it, as far as the viewer may see it.
fn line_of(app: &App, mut delivery: Delivery, viewer: &Viewer) -> Result<ExportLine, OpsError> {
    let key = delivery.item.key.clone();
    withhold(app, &mut delivery, viewer)?;
    let mut line = ExportLine::from(delivery);
    if let Some(file) = &mut line.file {
        file.pages = pages_of(app, &key, viewer)?;
    }
    Ok(line)
}

/// Takes titles of other items away that the viewer may not see.
fn withhold(app: &App, delivery: &mut Delivery, viewer: &Viewer) -> Result<(), OpsError> {
    let related = delivery.related.iter().flat_map(|(_, related)| related).map(|one| one.id);
    let named: Vec<NotionId> = delivery.ancestors.iter().map(|crumb| crumb.id).chain(related).collect();
    let visible = visible_of(app, &delivery.item.key, &named, viewer)?;
    delivery.ancestors.retain(|crumb| visible.contains(&crumb.id));
    for (_, related) in &mut delivery.related {
        related.retain(|one| visible.contains(&one.id));
    }
    Ok(())
}

fn visible_of(
    app: &App,
    beside: &ItemKey,
    objects: &[NotionId],
    viewer: &Viewer,
) -> Result<BTreeSet<NotionId>, OpsError> {
    if *viewer == Viewer::LocalOperator {
        return Ok(objects.iter().copied().collect());
    }
    let stands = app.store.load_stands_beside(beside, objects)?.into_iter();
    Ok(stands.filter(|stand| viewer.sees(&stand.holders, &stand.position)).map(|stand| stand.id).collect())
}

fn pages_of(app: &App, file: &ItemKey, viewer: &Viewer) -> Result<Vec<FileStands>, OpsError> {
    let pages = app.store.load_file_pages(file, MAX_PAGES)?;
    let named: Vec<NotionId> = pages.iter().map(|page| page.id).collect();
    let visible = visible_of(app, file, &named, viewer)?;
    let stands = pages.into_iter().filter(|page| visible.contains(&page.id)).map(|page| FileStands {
        id: page.id,
        title: title_or_untitled(page.title),
        url: page.detail.page.url,
        caption: page.detail.caption,
    });
    Ok(stands.collect())
}

/// Hands every item that the caller may find to `write`, ordered by Notion's id.
///
/// # Errors
/// When the database cannot be read, or `write` fails.
pub fn export(
    app: &App,
    caller: &Caller,
    mut write: impl FnMut(&ExportLine) -> std::io::Result<()>,
) -> Result<u64, OpsError> {
    Act::of_searching("items.export", "").run(app, caller, || {
        let mut keys = app.store.load_keys_by_id()?;
        let mut exported = 0;
        while !keys.is_empty() {
            let (changes, rest) = app.store.load_changes(keys, BATCH_BYTES)?;
            keys = rest;
            for change in changes {
                let Change::Upsert(delivery) = change else { continue };
                if !caller.viewer.sees(&delivery.holders, &delivery.position) {
                    continue;
                }
                exported += 1;
                write(&line_of(app, *delivery, &caller.viewer)?).map_err(|source| OpsError::Io {
                    what: "the export could not be written".to_owned(),
                    source,
                })?;
            }
        }
        Ok(exported)
    })
}

/// One item, if the viewer may see it. Where the caller sees everything, it is on the record.
///
/// # Errors
/// When there is none that the viewer may see; which of the two is not said. When the audit log cannot be written.
pub fn load_item(app: &App, id: NotionId, caller: &Caller) -> Result<ExportLine, OpsError> {
    match caller.viewer {
        Viewer::LocalOperator => Act::of_searching("items.show", &id.to_string())
            .run(app, caller, || load_visible(app, id, caller)),
        Viewer::Mapped(_) => load_visible(app, id, caller),
    }
}

fn load_visible(app: &App, id: NotionId, caller: &Caller) -> Result<ExportLine, OpsError> {
    caller.require(Role::SearchUser)?;
    let viewer = &caller.viewer;
    let missing = || OpsError::NotFound(format!("there is no item {id} in the index"));
    let keys = app.store.load_keys_of(id)?;
    for change in app.store.load_changes(keys, BATCH_BYTES)?.0 {
        if let Change::Upsert(delivery) = change
            && viewer.sees(&delivery.holders, &delivery.position)
        {
            return line_of(app, *delivery, viewer);
        }
    }
    Err(missing())
}
