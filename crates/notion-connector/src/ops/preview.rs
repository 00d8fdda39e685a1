//! What settings would keep and lose, before they are saved: from the inventory in the store. Notion is asked only for what filters
//! name and no crawl has met.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::connector_life::{EditConnector, edited_settings, effective_settings, file_policy};
use super::connectors::find_connector;
use super::people::slips;
use super::{OpsError, why};
use crate::app::App;
use crate::config::EffectiveSettings;
use crate::crawl::files::unwanted_everywhere;
use crate::crawl::filters::{Filters, Verdict};
use crate::model::{Caller, ConnectorId, ItemKind, NotionId, Role};
use crate::store::{FileState, LeftOut, Place, PlaceDetail, Standing};

/// How many items of each sort are named.
const NAMED: usize = 20;

/// Most objects that Notion is asked for.
const ASKED: usize = 20;

/// Objects looked at in one go.
const BATCH: u32 = 500;

/// What settings would do to what is known.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Preview {
    /// Items that are indexed and stay.
    pub keep: u64,
    /// Items that are indexed and would leave.
    pub leave_out: u64,
    /// Items that are not indexed and would be read.
    pub newly_need: u64,
    /// Items that filters keep and the item limit would leave out.
    pub over_limit: u64,
    /// Bodies of items that stay and would be read again.
    pub read_again: u64,
    /// The same by kind.
    pub kinds: Vec<PreviewKind>,
    /// Some of those that would leave.
    pub leaving: Vec<PreviewItem>,
    /// Some of those that would be read.
    pub coming: Vec<PreviewItem>,
    /// What cannot be told, or may be a slip.
    pub warnings: Vec<String>,
}

/// What settings would do to items of one kind.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreviewKind {
    /// The kind.
    pub kind: ItemKind,
    /// See [`Preview::keep`].
    pub keep: u64,
    /// See [`Preview::leave_out`].
    pub leave_out: u64,
    /// See [`Preview::newly_need`].
    pub newly_need: u64,
    /// See [`Preview::over_limit`].
    pub over_limit: u64,
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

/// The items of a connector, by what settings would do to them.
#[derive(Default)]
struct Sorted {
    stay: Vec<Place>,
    leave: Vec<Place>,
    come: Vec<Place>,
    over_limit: Vec<Place>,
}

/// What a connector's settings would do after an edit, by what its crawls met so far. Notion is not asked.
///
/// # Errors
/// When there is no such connector, or the settings cannot be.
pub fn preview_connector(
    app: &App,
    caller: &Caller,
    name: &str,
    edit: &EditConnector,
) -> Result<Preview, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    let connector = find_connector(app, Some(name))?;
    let (was, is) = (effective_settings(app, &connector)?, edited_settings(app, &connector, edit)?);
    let places = app.store.load_places(connector.id, None)?;
    let archived =
        if was.crawl.archived && !is.crawl.archived { archived(app, connector.id)? } else { BTreeSet::new() };
    let held = app.store.count_held(connector.id)?;
    let mut sorted = sort(&places, &is, &archived, held);
    sort_files(app, connector.id, &is, &places, held, &mut sorted)?;
    let has_body = |place: &&Place| matches!(place.kind, ItemKind::Page | ItemKind::Row);
    let read_again =
        if was.reads_otherwise(&is) { sorted.stay.iter().filter(has_body).count() as u64 } else { 0 };
    let named = |places: &[Place]| -> Result<Vec<PreviewItem>, OpsError> {
        let rows: Vec<i64> = places.iter().take(NAMED).map(|place| place.row).collect();
        let titles = app.store.load_titles(&rows)?;
        Ok(titles.into_iter().map(|(id, kind, title)| PreviewItem { id, kind, title }).collect())
    };
    Ok(Preview {
        keep: sorted.stay.len() as u64,
        leave_out: sorted.leave.len() as u64,
        newly_need: sorted.come.len() as u64,
        over_limit: sorted.over_limit.len() as u64,
        read_again,
        kinds: by_kind(&sorted),
        leaving: named(&sorted.leave)?,
        coming: named(&sorted.come)?,
        warnings: warnings(&was, &is, &places).into_iter().chain(slips(app, &is.people)?).collect(),
    })
}

/// The same, with what Notion says of objects that filters name and no crawl has met.
///
/// # Errors
/// As without asking. What Notion refuses is a warning.
pub async fn preview_asking(
    app: &App,
    caller: &Caller,
    name: &str,
    edit: &EditConnector,
) -> Result<Preview, OpsError> {
    let mut preview = preview_connector(app, caller, name, edit)?;
    let connector = find_connector(app, Some(name))?;
    let is = edited_settings(app, &connector, edit)?;
    let places = app.store.load_places(connector.id, None)?;
    for (list, object) in strangers(&is, &places).take(ASKED) {
        let asked = why::ask_notion(app, &connector, object).await;
        preview.warnings.push(format!("{list} {object}: {}", asked.message));
    }
    Ok(preview)
}

fn sort(places: &[Place], is: &EffectiveSettings, archived: &BTreeSet<i64>, held: u64) -> Sorted {
    let filters = Filters::new(&is.include, &is.exclude);
    let mut sorted = Sorted::default();
    // What leaves is still held while the crawl that lets it go takes up what is new.
    let room = room(is, held);
    let judged = places.iter().zip(filters.judge(places, true));
    for (place, verdict) in judged.filter(|(place, _)| place.kind != ItemKind::File) {
        let keeps = verdict == Verdict::Keep && !archived.contains(&place.row);
        let sort = match place.standing {
            Standing::Held if keeps => &mut sorted.stay,
            Standing::Held => &mut sorted.leave,
            // Not all that are archived were met: how many would come is not said.
            Standing::LeftOut(LeftOut::Archived) => continue,
            Standing::LeftOut(_) | Standing::Undecided if !keeps => continue,
            Standing::LeftOut(_) | Standing::Undecided if sorted.come.len() < room => &mut sorted.come,
            Standing::LeftOut(_) | Standing::Undecided => &mut sorted.over_limit,
            Standing::Strange => continue,
        };
        sort.push(*place);
    }
    sorted
}

fn room(is: &EffectiveSettings, held: u64) -> usize {
    usize::try_from(is.crawl.item_limit.saturating_sub(held)).unwrap_or(usize::MAX)
}

/// Files go with the pages that show them, as far as settings want them there and they can be read.
fn sort_files(
    app: &App,
    connector: ConnectorId,
    is: &EffectiveSettings,
    places: &[Place],
    held: u64,
    sorted: &mut Sorted,
) -> Result<(), OpsError> {
    let kept: BTreeSet<i64> = sorted.stay.iter().chain(&sorted.come).map(|place| place.row).collect();
    let items = places.iter().filter(|place| place.kind == ItemKind::File).map(|place| (place.row, *place));
    let items: BTreeMap<i64, Place> = items.collect();
    let policy = file_policy(app, is);
    let mut after = 0;
    loop {
        let files = app.store.load_placed(connector, after, BATCH)?;
        let Some(last) = files.last() else { return Ok(()) };
        after = last.row;
        for file in files {
            let Some(item) = items.get(&file.row) else { continue };
            let on_kept = file.places.into_iter().filter(|(page, _)| kept.contains(page));
            let on_kept: Vec<PlaceDetail> = on_kept.map(|(_, detail)| detail).collect();
            let keeps = !on_kept.is_empty()
                && unwanted_everywhere(&policy, &on_kept).is_none()
                && file.bytes <= is.files.max_bytes();
            let can_be_read = !matches!(
                file.state,
                Some(FileState::Encrypted | FileState::Unsupported | FileState::Broken | FileState::Limit)
            );
            match (file.is_held, keeps) {
                (true, true) => sorted.stay.push(*item),
                (true, false) => sorted.leave.push(*item),
                (false, true) if can_be_read && sorted.come.len() < room(is, held) => sorted.come.push(*item),
                (false, true) if can_be_read => sorted.over_limit.push(*item),
                (false, _) => {}
            }
        }
    }
}

fn by_kind(sorted: &Sorted) -> Vec<PreviewKind> {
    let mut kinds: BTreeMap<&'static str, PreviewKind> = BTreeMap::new();
    let mut count = |places: &[Place], of: fn(&mut PreviewKind) -> &mut u64| {
        for place in places {
            let kind = place.kind;
            let empty = PreviewKind { kind, keep: 0, leave_out: 0, newly_need: 0, over_limit: 0 };
            *of(kinds.entry(kind.as_str()).or_insert(empty)) += 1;
        }
    };
    count(&sorted.stay, |kind| &mut kind.keep);
    count(&sorted.leave, |kind| &mut kind.leave_out);
    count(&sorted.come, |kind| &mut kind.newly_need);
    count(&sorted.over_limit, |kind| &mut kind.over_limit);
    kinds.into_values().collect()
}

/// Objects that filters name and that nothing known is or stands in.
fn strangers<'a>(
    is: &'a EffectiveSettings,
    places: &[Place],
) -> impl Iterator<Item = (&'static str, NotionId)> + 'a {
    let known: BTreeSet<NotionId> =
        places.iter().flat_map(|place| [Some(place.object), place.home]).flatten().collect();
    let lists = [("include", &is.include), ("exclude", &is.exclude)];
    let named = lists.into_iter().flat_map(|(list, named)| named.iter().map(move |object| (list, *object)));
    named.filter(move |(_, object)| !known.contains(object))
}

fn warnings(was: &EffectiveSettings, is: &EffectiveSettings, places: &[Place]) -> Vec<String> {
    let mut warnings: Vec<String> = strangers(is, places)
        .map(|(list, object)| format!("{list} {object}: no crawl of this connector has met it"))
        .collect();
    if is.crawl.archived && !was.crawl.archived {
        warnings.push("archived pages come on top: they are counted when a crawl has listed them".to_owned());
    }
    if places.is_empty() {
        warnings.push("nothing was crawled yet: list first, with crawl --plan".to_owned());
    }
    warnings
}

/// The held items that Notion said are archived.
fn archived(app: &App, connector: ConnectorId) -> Result<BTreeSet<i64>, OpsError> {
    /// What an object says of itself.
    #[derive(Deserialize)]
    struct Object {
        #[serde(default)]
        is_archived: bool,
    }
    let (mut rows, mut after) = (BTreeSet::new(), 0);
    loop {
        let some = app.store.load_held_sources(connector, after, BATCH)?;
        let Some((last, _)) = some.last() else { return Ok(rows) };
        after = *last;
        let is_archived = |source: &str| {
            source.contains("\"is_archived\"")
                && serde_json::from_str::<Object>(source).is_ok_and(|object| object.is_archived)
        };
        rows.extend(some.iter().filter(|(_, source)| is_archived(source)).map(|(row, _)| *row));
    }
}
