//! Why files are, or are not, in the index: a setting, their size, what became of their bytes.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::connector_life::{effective_settings, file_policy};
use super::scheduler::next_crawl;
use super::why::{Reason, Standing};
use super::{FileStands, OpsError};
use crate::app::App;
use crate::config::EffectiveSettings;
use crate::crawl::files::{too_large, unwanted_everywhere};
use crate::model::NotionId;
use crate::store::{Connector, FileState, FileTrace, PlaceDetail};

/// Most files of a page, and most pages of a file, that are looked at.
const MAX_NAMED: u32 = 100;

/// What a file has to wait for that was read and cannot be indexed.
const UNTIL_REPLACED: &str = "it is looked at again when it is replaced, or by a force reindex";

/// What is known of a file that is asked for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FileAnswer {
    /// Its name.
    pub name: String,
    /// What became of its bytes: `text`, `no_text`, `encrypted`, `unsupported`, `too_large`, `broken` or `limit`; none until they
    /// were read.
    pub state: Option<String>,
    /// Its size in bytes, at least; 0 until it is known.
    pub bytes: u64,
    /// The pages that show it; at most 100.
    pub pages: Vec<FileStands>,
}

/// A file that a page shows and that is not indexed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FileNotIndexed {
    /// To ask why for.
    pub id: NotionId,
    /// Its name.
    pub name: String,
    /// The connector that it is about.
    pub connector: String,
    /// Why it is not indexed, and what to do.
    pub message: String,
    /// When a crawl that nobody has to ask for tries again, while `serve` runs; none where nothing is due.
    pub next_try: Option<Timestamp>,
}

/// Where a file stands for one connector, and in words why; none where it is indexed and there is nothing to say.
pub(super) struct Verdict {
    pub(super) standing: Standing,
    pub(super) setting: Option<&'static str>,
    pub(super) message: String,
}

/// A connector that holds pages with files, and what it wants of them.
struct Judge<'a> {
    app: &'a App,
    connector: Connector,
    settings: EffectiveSettings,
}

impl<'a> Judge<'a> {
    fn all(app: &'a App) -> Result<Vec<Self>, OpsError> {
        let mut judges = Vec::new();
        for connector in app.store.load_connectors()? {
            let settings = effective_settings(app, &connector)?;
            judges.push(Self { app, connector, settings });
        }
        Ok(judges)
    }

    /// None where the connector holds no page with it, or indexes it.
    fn judge(&self, file: &FileTrace) -> Option<Verdict> {
        let id = self.connector.id;
        let held = file.pages.iter().filter(|page| page.holders.contains(&id));
        let places: Vec<PlaceDetail> = held.map(|page| page.detail.clone()).collect();
        if places.is_empty() {
            return None;
        }
        if file.is_indexed && file.holders.contains(&id) {
            return old_text(file);
        }
        let verdict = |standing, setting, message: String| Some(Verdict { standing, setting, message });
        let reason = file.reason.as_deref().unwrap_or_default();
        if let Some(reason) = unwanted_everywhere(&file_policy(self.app, &self.settings), &places) {
            let setting = Some("file settings of the connector");
            return verdict(Standing::Filtered, setting, format!("left out by a setting: {reason}"));
        }
        if file.bytes > self.settings.files.max_bytes() {
            let reason = too_large(&self.settings.files);
            let message = format!(
                "skipped: {reason}; raise the limit (connector edit NAME --file-mb N, extract.file_mb)"
            );
            return verdict(Standing::Skipped, Some("extract.file_mb"), message);
        }
        match file.state {
            Some(FileState::Encrypted | FileState::Unsupported) => {
                verdict(Standing::Skipped, None, format!("skipped: {reason}; {UNTIL_REPLACED}"))
            }
            Some(FileState::Broken) => verdict(
                Standing::Failed,
                None,
                format!("not indexed: it is broken: {reason}; {UNTIL_REPLACED}"),
            ),
            Some(FileState::Limit) => {
                verdict(Standing::Failed, None, format!("not indexed: {reason}; {UNTIL_REPLACED}"))
            }
            None | Some(FileState::TooLarge | FileState::Text | FileState::NoText) => {
                let message = "not read yet: the next full crawl reads its page and it".to_owned();
                verdict(Standing::WaitsInCrawl, None, message)
            }
        }
    }
}

/// It is found by what it held before.
fn old_text(file: &FileTrace) -> Option<Verdict> {
    let until = match (file.state, &file.reason) {
        (Some(FileState::Text | FileState::NoText), _) | (None, None) => return None,
        (None, Some(_)) => "the next full crawl reads it again",
        _ => UNTIL_REPLACED,
    };
    let reason = file.reason.as_deref().unwrap_or_default();
    let message = format!("its text is old: {reason}; {until}");
    Some(Verdict { standing: Standing::InIndex, setting: None, message })
}

/// What is known of the file with this id; none if there is none.
pub(super) fn of_file(app: &App, id: NotionId) -> Result<Option<FileAnswer>, OpsError> {
    let mut traces = app.store.load_file_traces(id, MAX_NAMED)?.into_iter();
    let Some(first) = traces.next() else { return Ok(None) };
    let pages = first.pages.into_iter().chain(traces.flat_map(|trace| trace.pages));
    let pages = pages.map(|page| FileStands {
        id: page.id,
        title: super::search::title_or_untitled(page.title),
        url: page.detail.page.url,
        caption: page.detail.caption,
    });
    let state = first.state.map(|state| state.to_string());
    Ok(Some(FileAnswer { name: first.name, state, bytes: first.bytes, pages: pages.collect() }))
}

/// What each connector that holds a page with this file says of it, the gravest first.
pub(super) fn verdicts(app: &App, id: NotionId) -> Result<Vec<(Verdict, Reason)>, OpsError> {
    let mut verdicts = Vec::new();
    for file in app.store.load_file_traces(id, MAX_NAMED)? {
        for judge in Judge::all(app)? {
            let Some(verdict) = judge.judge(&file) else { continue };
            let reason =
                Reason { connector: Some(judge.connector.name.clone()), message: verdict.message.clone() };
            verdicts.push((verdict, reason));
        }
    }
    Ok(verdicts)
}

/// The files of a page that are not indexed.
pub(super) fn not_indexed(app: &App, page: NotionId) -> Result<Vec<FileNotIndexed>, OpsError> {
    let files = app.store.load_files_of(page, MAX_NAMED)?;
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let mut missing = Vec::new();
    let judges = Judge::all(app)?;
    for file in files {
        for judge in &judges {
            let Some(verdict) = judge.judge(&file).filter(|verdict| verdict.standing != Standing::InIndex)
            else {
                continue;
            };
            let name = judge.connector.name.clone();
            let failed =
                app.store.load_trace(file.id)?.failures.into_iter().find(|one| one.connector == name);
            let (message, next_try) = match (failed, verdict.standing) {
                (Some(failure), Standing::WaitsInCrawl) => {
                    let message = format!("not indexed: {}; the next crawl tries again", failure.message);
                    (message, next_crawl(app, &judge.connector)?)
                }
                _ => (verdict.message, None),
            };
            let (id, name) = (file.id, file.name.clone());
            let connector = judge.connector.name.clone();
            missing.push(FileNotIndexed { id, name, connector, message, next_try });
        }
    }
    Ok(missing)
}
