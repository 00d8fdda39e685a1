//! Reading files: their bytes come from the host, their text from a worker process; neither is a request to Notion's API.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::driver::Crawler;
use super::files::{EXTRACTOR_VERSION, FilePolicy, content_of, file_task, too_large, unwanted_everywhere};
use super::snapshot::finish;
use crate::config::{FileSettings, FilesConfig};
use crate::extract::Extractor;
use crate::files::{FetchOutcome, Fetcher, FileAddress, Hosting};
use crate::model::{FileContent, NotionId, Validators};
use crate::store::{
    Crawl, FileRead, FileState, FileTask, NewTask, PlaceDetail, Proof, StoreError, Task, TaskKind,
};

/// Reads files for crawls of any connector.
pub struct Files {
    /// How they are fetched.
    pub config: FilesConfig,
    /// Which of them the connector wants.
    pub settings: FileSettings,
    /// Whether text is generated for images.
    pub reads_images: bool,
    /// Fetches bytes.
    pub fetcher: Arc<Fetcher>,
    /// Makes text of them.
    pub extractor: Arc<Extractor>,
}

/// How often a file is fetched in one crawl, and how often a fresh address is asked for.
const ATTEMPTS: u32 = 4;
/// Pause before the second attempt; each doubles the one before.
const PAUSE: Duration = Duration::from_secs(2);

/// What reading a file came to.
enum Reading {
    /// It is done with.
    Done(FileRead, Option<Box<FileContent>>),
    /// Its host says that it is what was read before.
    Same,
    /// Its address no longer opens.
    Expired,
    /// Again, after a while.
    Later(Duration),
}

impl Crawler {
    /// Reads one file and saves what came of it.
    pub(super) async fn read_file(self: &Arc<Self>, crawl: &Crawl, task: Task) -> Result<(), StoreError> {
        let (Some(files), Some(id), Some(wanted)) = (&self.files, task.target, file_task(&task)) else {
            return self.blocking(move |crawler| crawler.store.finish_task(&task, None, &[])).await;
        };
        let reading = read(files, &wanted, task.attempts).await;
        let (crawl, now) = (crawl.clone(), self.runtime.now());
        self.blocking(move |crawler| match reading {
            Reading::Done(read, content) => {
                crawler.save_file(&crawl, &task, id, read, content.map(|content| *content))
            }
            Reading::Same => crawler.store.save_same_file(&crawl, &task),
            Reading::Later(pause) => crawler.store.retry_task(&task, now + pause, true),
            Reading::Expired => {
                let fresh = NewTask {
                    kind: TaskKind::RefreshFile,
                    target: Some(id),
                    page: None,
                    detail: task.detail.clone(),
                };
                crawler.store.replace_task(&task, &[fresh])
            }
        })
        .await
    }

    fn save_file(
        &self,
        crawl: &Crawl,
        task: &Task,
        id: NotionId,
        mut read: FileRead,
        content: Option<FileContent>,
    ) -> Result<(), StoreError> {
        let now = self.runtime.now();
        let row = self.store.load_item(crawl.connector, id)?;
        let Some(mut row) = row else { return self.store.finish_task(task, None, &[]) };
        let indexed = matches!(read.state, Some(FileState::Text | FileState::NoText));
        row.content = match (content.filter(|_| indexed), row.content.take()) {
            (Some(content), _) => Some(content),
            // What was read before is better than nothing.
            (None, Some(mut old)) if read.state != Some(FileState::TooLarge) => {
                old.facts.stale = true;
                old.facts.note.clone_from(&read.reason);
                let reason = read.reason.take().unwrap_or_default();
                read.reason = Some(format!("{reason}; its text stays as it was read before"));
                Some(old)
            }
            _ => None,
        };
        let finished = row.content.as_ref().and_then(|_| finish(&row, None, self.workspace, None));
        self.store.save_file(crawl, task, &read, row.content.as_ref().zip(finished.as_ref()), now)
    }

    /// Accounts for files that this crawl did not meet although it met their pages: those of pages that were not read, and those
    /// that settings leave out. Returns whether any is wanted.
    pub(super) fn account_for_files(&self, crawl: &Crawl, at_once: u32) -> Result<bool, StoreError> {
        let Some(policy) = self.file_policy() else { return Ok(false) };
        let (mut after, mut met) = (0, false);
        let mut left_out: BTreeMap<String, (u64, NotionId)> = BTreeMap::new();
        let now = self.runtime.now();
        loop {
            let unmet = self.store.load_unmet_files(crawl, after, at_once)?;
            let Some(last) = unmet.last() else { break };
            after = last.row;
            let mut judged = Vec::with_capacity(unmet.len());
            for file in unmet {
                let left = leaving(&policy, &file.places);
                if left.is_none() && !file.is_shown {
                    continue;
                }
                judged.push((file.row, file.id, left.as_ref().map(|(_, proof)| *proof)));
                if let Some((reason, _)) = left {
                    left_out.entry(reason).or_insert((0, file.id)).0 += 1;
                }
            }
            met |= self.store.save_unmet_files(crawl, &judged, policy.reading(), policy.item_limit, now)?;
        }
        // Where files were met this comes again.
        if !met {
            self.store.save_left_out_files(crawl, &left_out, now)?;
        }
        Ok(met)
    }
}

/// Why the settings leave a file out, and on whose word it leaves; none if they want it. Where they want it only in pages that leave
/// with this crawl, it leaves with those.
fn leaving(policy: &FilePolicy<'_>, places: &[(PlaceDetail, Option<Proof>)]) -> Option<(String, Proof)> {
    if let Some(reason) = unwanted_everywhere(policy, places.iter().map(|(place, _)| place)) {
        return Some((reason, Proof::Excluded));
    }
    let stay = places.iter().filter(|(_, leaves)| leaves.is_none()).map(|(place, _)| place);
    let reason = unwanted_everywhere(policy, stay)?;
    // Notion's word comes first: it may wait for approval.
    let words = places.iter().filter_map(|(_, leaves)| *leaves);
    let word = words.min_by_key(|proof| matches!(proof, Proof::Archived | Proof::Excluded))?;
    Some((reason, word))
}

async fn read(files: &Files, wanted: &FileTask, failures: u32) -> Reading {
    let unread = |state, reason: String, bytes| {
        let validators = Validators::default();
        let read = FileRead { state, reason: Some(reason), bytes, extractor: EXTRACTOR_VERSION, validators };
        Reading::Done(read, None)
    };
    let file = match files.fetcher.fetch(&wanted.address, &wanted.known).await {
        FetchOutcome::Fetched(file) => file,
        FetchOutcome::Unchanged => return Reading::Same,
        FetchOutcome::Expired if wanted.refreshed < ATTEMPTS => return Reading::Expired,
        FetchOutcome::Expired => return unread(None, "its host refuses each fresh address".to_owned(), 0),
        FetchOutcome::TooLarge { declared_bytes } => {
            let max_bytes = files.settings.max_bytes();
            let reason = too_large(&files.settings);
            return unread(Some(FileState::TooLarge), reason, declared_bytes.unwrap_or(max_bytes + 1));
        }
        FetchOutcome::Refused(refusal) => return unread(None, refusal.to_string(), 0),
        FetchOutcome::Gone => return unread(None, "its host does not have it".to_owned(), 0),
        FetchOutcome::Failed { retryable: true, retry_after, .. } if failures + 1 < ATTEMPTS => {
            return Reading::Later(retry_after.unwrap_or(PAUSE * 2_u32.saturating_pow(failures)));
        }
        FetchOutcome::Failed { reason, .. } => return unread(None, reason, 0),
    };
    let size = file.bytes.len() as u64;
    match files.extractor.extract(&wanted.name, &file.bytes).await {
        Ok(outcome) => {
            let media_type = file.media_type.clone();
            let (state, reason, content) = content_of(outcome, &wanted.name, media_type, size);
            let (state, extractor) = (Some(state), EXTRACTOR_VERSION);
            let validators = validators(files, wanted, &file.validators);
            let read = FileRead { state, reason, bytes: size, extractor, validators };
            Reading::Done(read, Some(Box::new(content)))
        }
        Err(error) => unread(None, error.to_string(), size),
    }
}

/// What is kept to ask a host with: a path on Notion's names the same bytes for ever.
fn validators(files: &Files, wanted: &FileTask, given: &Validators) -> Validators {
    match FileAddress::parse(&wanted.address, &files.config.test_hosts) {
        Ok(address) if address.hosting == Hosting::Other => given.clone(),
        _ => Validators::default(),
    }
}
