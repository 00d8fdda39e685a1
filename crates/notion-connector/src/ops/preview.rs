//! What filters would keep, before they are saved: from the inventory in the store, without asking Notion.

use serde::Serialize;
use utoipa::ToSchema;

use super::OpsError;
use super::connector_life::{EditConnector, edited_settings};
use super::connectors::find_connector;
use crate::app::App;
use crate::crawl::filters::{Filters, Verdict};
use crate::model::{ItemKind, NotionId};
use crate::store::Standing;

/// How many items of each sort are named.
const NAMED: usize = 20;

/// What filters would do to what is known.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Preview {
    /// Items that are indexed and stay.
    pub keep: u64,
    /// Items that are indexed and would leave.
    pub leave_out: u64,
    /// Items that are not indexed and would be read.
    pub newly_need: u64,
    /// Some of those that would leave.
    pub leaving: Vec<PreviewItem>,
    /// Some of those that would be read.
    pub coming: Vec<PreviewItem>,
}

/// An item in a preview.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreviewItem {
    /// Notion's id.
    pub id: NotionId,
    /// What it is.
    pub kind: ItemKind,
    /// Its title.
    pub title: String,
}

/// What a connector's filters would do after an edit, by what its crawls met so far.
///
/// # Errors
/// When there is no such connector, or the settings cannot be.
pub fn preview_connector(app: &App, name: &str, edit: &EditConnector) -> Result<Preview, OpsError> {
    let connector = find_connector(app, Some(name))?;
    let settings = edited_settings(app, &connector, edit)?;
    let filters = Filters::new(&settings.include, &settings.exclude);
    let places = app.store.load_places(connector.id, None)?;
    let (mut keep, mut leaving, mut coming) = (0, Vec::new(), Vec::new());
    for (place, verdict) in places.iter().zip(filters.judge(&places, true)) {
        match (place.standing, verdict) {
            (Standing::Held, Verdict::Keep) => keep += 1,
            (Standing::Held, _) => leaving.push(place.row),
            (Standing::LeftOut(_) | Standing::Undecided, Verdict::Keep) => coming.push(place.row),
            (Standing::LeftOut(_) | Standing::Undecided | Standing::Strange, _) => {}
        }
    }
    let named = |rows: &[i64]| -> Result<Vec<PreviewItem>, OpsError> {
        let titles = app.store.load_titles(&rows[..rows.len().min(NAMED)])?;
        Ok(titles.into_iter().map(|(id, kind, title)| PreviewItem { id, kind, title }).collect())
    };
    Ok(Preview {
        keep,
        leave_out: leaving.len() as u64,
        newly_need: coming.len() as u64,
        leaving: named(&leaving)?,
        coming: named(&coming)?,
    })
}
