//! Sink 1: the embedded full-text index, which searches read.
//!
//! A delivery is one commit of tantivy, whose payload holds the outbox cursor: entries and cursor are durable
//! together or not at all. After any failure the writer is dropped with everything uncommitted in it, and the next
//! delivery begins from the last commit.
//!
//! The index holds nothing that the store does not. Damage, a foreign directory or another version is
//! [`IndexError::Corrupt`]: remove the directory ([`IndexSink::remove`]), open again, deliver from the start.
//!
//! The caller decides how much one delivery carries: a commit costs some ten milliseconds whatever its size, and the
//! documents of one delivery wait in memory.

mod merges;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tantivy::directory::{Directory, MmapDirectory, RamDirectory};
use tantivy::indexer::IndexWriterOptions;
use tantivy::{Index, IndexSettings, IndexWriter, TantivyError};

use self::merges::BoundedMerges;
use super::{Sink, SinkError};
use crate::model::{Change, OutboxCursor};
use crate::runtime::Runtime;
use crate::search::schema::schema;
use crate::search::{CommitPayload, IndexError, SearchIndex, check_files, guarded, open_existing};

/// Memory in which one thread gathers a segment before it goes to disk.
const WRITER_HEAP_BYTES: usize = 48 << 20;

/// The embedded index as a sink. Cheap to clone.
#[derive(Clone)]
pub struct IndexSink {
    core: Arc<Core>,
    runtime: Runtime,
}

struct Core {
    search: SearchIndex,
    /// Taken out while a delivery works, so that one that fails or panics leaves nothing half done behind.
    writer: Mutex<Option<IndexWriter>>,
}

impl IndexSink {
    /// Opens the index in a directory for writing, or makes a new one there. Compares all files with their
    /// checksums, which takes about a second for each gigabyte.
    ///
    /// # Errors
    /// [`IndexError::Locked`] when another process writes to it, [`IndexError::Corrupt`] when it has to be made
    /// anew, or that reading or writing failed.
    pub fn open(path: &Path, runtime: Runtime) -> Result<Self, IndexError> {
        std::fs::create_dir_all(path)
            .map_err(|error| IndexError::from_tantivy(path, "create", TantivyError::from(error)))?;
        let open = || {
            MmapDirectory::open(path).map_err(|error| IndexError::from_tantivy(path, "open", error.into()))
        };
        Self::open_in(open()?, open()?, path, runtime)
    }

    /// An index in memory, which is gone with the process: for simulations and trials.
    ///
    /// # Errors
    /// When memory cannot hold it.
    pub fn in_memory(runtime: Runtime) -> Result<Self, IndexError> {
        let directory = RamDirectory::create();
        Self::open_in(directory.clone(), directory, Path::new("(in memory)"), runtime)
    }

    /// `checked` is the same directory, opened apart: what a reader has mapped stays in memory once it was looked at, and
    /// the check looks at all of it.
    fn open_in(
        directory: impl Directory,
        checked: impl Directory,
        path: &Path,
        runtime: Runtime,
    ) -> Result<Self, IndexError> {
        let tantivy = |action| move |error: TantivyError| IndexError::from_tantivy(path, action, error);
        let exists = Index::exists(&directory).map_err(|error| tantivy("open")(error.into()))?;
        let index = if exists {
            guarded(path, || open_existing(directory, path))?
        } else {
            Index::create(directory, schema().0, IndexSettings::default()).map_err(tantivy("create"))?
        };
        let search = SearchIndex::over(index, path)?;
        // The lock first: while another process writes, its files come and go.
        let writer = guarded(path, || open_writer(&search))?;
        if exists {
            check_files(checked, path)?;
        }
        let sink = Self { core: Arc::new(Core { search, writer: Mutex::new(Some(writer)) }), runtime };
        let metas = sink.core.search.index.load_metas().map_err(tantivy("read"))?;
        if metas.payload.is_none() {
            sink.core.commit(|_| Ok(()), CommitPayload::at(None))?;
        }
        Ok(sink)
    }

    /// Deletes an index directory that cannot be used, so that a new one can be made there.
    ///
    /// # Errors
    /// When the files cannot be deleted.
    pub fn remove(path: &Path) -> Result<(), IndexError> {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(IndexError::Io { action: "delete", path: path.to_owned(), source: error.into() })
            }
            _ => Ok(()),
        }
    }

    /// The same index for searches: it sees each delivery as soon as that is made.
    pub fn search_index(&self) -> SearchIndex {
        self.core.search.clone()
    }

    /// Applies changes in order and commits them with the cursor. Blocks.
    ///
    /// # Errors
    /// When writing failed; what was committed before is still there and is what searches see.
    pub fn deliver_now(&self, changes: &[Change], cursor: OutboxCursor) -> Result<(), IndexError> {
        self.core.commit(|writer| self.core.apply(writer, changes), CommitPayload::at(Some(cursor)))
    }

    /// Takes everything out. Blocks.
    ///
    /// # Errors
    /// When writing failed; then nothing was taken out.
    pub fn clear_now(&self) -> Result<(), IndexError> {
        self.core.commit(|writer| writer.delete_all_documents().map(drop), CommitPayload::at(None))
    }

    /// Waits for merges and lets go of the lock. A later delivery takes it again. Blocks.
    ///
    /// # Errors
    /// When a merge failed; what was committed is still there.
    pub fn close_now(&self) -> Result<(), IndexError> {
        match self.core.slot().take() {
            Some(writer) => {
                writer.wait_merging_threads().map_err(|error| self.core.search.error("merge", error))
            }
            None => Ok(()),
        }
    }
}

impl Core {
    fn slot(&self) -> std::sync::MutexGuard<'_, Option<IndexWriter>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One commit: all that `change` does to the writer, and the payload.
    fn commit(
        &self,
        change: impl FnOnce(&mut IndexWriter) -> tantivy::Result<()>,
        payload: CommitPayload,
    ) -> Result<(), IndexError> {
        let mut slot = self.slot();
        let mut writer = match slot.take() {
            Some(writer) => writer,
            None => open_writer(&self.search)?,
        };
        let payload = serde_json::to_string(&payload).map_err(TantivyError::from);
        let committed = payload.and_then(|payload| {
            change(&mut writer)?;
            let mut commit = writer.prepare_commit()?;
            commit.set_payload(&payload);
            commit.commit()
        });
        if let Err(error) = committed {
            abandon(writer);
            return Err(self.search.error("write to", error));
        }
        *slot = Some(writer);
        self.search.reload()
    }

    fn apply(&self, writer: &IndexWriter, changes: &[Change]) -> tantivy::Result<()> {
        let fields = &self.search.fields;
        for change in changes {
            match change {
                Change::Upsert(delivery) => {
                    writer.delete_term(fields.key_term(&delivery.item.key));
                    writer.add_document(fields.document(delivery)?)?;
                }
                Change::Delete(key) => {
                    writer.delete_term(fields.key_term(key));
                }
            }
        }
        Ok(())
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        if let Some(writer) = self.slot().take() {
            abandon(writer);
        }
    }
}

/// Drops a writer once its merges have ended. One that ended later would write the list of segments anew, with files in it that
/// the next writer has taken for rubbish.
fn abandon(mut writer: IndexWriter) {
    // A worker that failed is waited for here; left to the call below, it would keep that from waiting for merges.
    drop(writer.prepare_commit());
    drop(writer.wait_merging_threads());
}

fn open_writer(search: &SearchIndex) -> Result<IndexWriter, IndexError> {
    let options = IndexWriterOptions::builder()
        .num_worker_threads(1)
        .num_merge_threads(1)
        .memory_budget_per_thread(WRITER_HEAP_BYTES)
        .build();
    let writer = search.index.writer_with_options(options).map_err(|error| search.error("open", error))?;
    writer.set_merge_policy(Box::new(BoundedMerges::of(search.path())));
    // A commit that a kill or a full disk broke off leaves files that no commit names. The next one may choose the same
    // names, because it counts on from the same place, and would be refused for good.
    writer.garbage_collect_files().wait().map_err(|error| search.error("clean", error))?;
    count_past_commits(&search.index, &writer).map_err(|error| search.error("open", error))?;
    Ok(writer)
}

/// Lets the numbers of operations begin behind all that were ever written.
///
/// A writer of tantivy 0.27 counts on *from* the number of the last commit, so that its first deletion has that number too.
/// A merge that is begun then, of segments that a killed process left, takes the deletion for done in those whose list of
/// deleted entries has the number, and the entry is there twice from then on. The same happens where a commit that failed
/// had left lists with higher numbers. Found by `cargo xtask kill`; the test beside it breaks off deliveries.
fn count_past_commits(index: &Index, writer: &IndexWriter) -> tantivy::Result<()> {
    let metas = index.load_metas()?;
    let of_lists = metas.segments.iter().filter_map(tantivy::SegmentMeta::delete_opstamp);
    let last = of_lists.fold(metas.opstamp, u64::max);
    // Doing nothing takes a number.
    while writer.run(Vec::new())? <= last {}
    Ok(())
}

/// Name of this sink.
pub const NAME: &str = "index";

impl From<IndexError> for SinkError {
    fn from(error: IndexError) -> Self {
        if error.is_mended_by_rebuild() {
            Self::Unusable { sink: NAME, reason: error.to_string() }
        } else {
            Self::Failed { sink: NAME, source: Box::new(error) }
        }
    }
}

#[async_trait]
impl Sink for IndexSink {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn load_cursor(&self) -> Result<Option<OutboxCursor>, SinkError> {
        let search = self.search_index();
        Ok(self.runtime.blocking(move || search.load_cursor()).await?)
    }

    async fn deliver(&self, changes: Vec<Change>, cursor: OutboxCursor) -> Result<(), SinkError> {
        let sink = self.clone();
        Ok(self.runtime.blocking(move || sink.deliver_now(&changes, cursor)).await?)
    }

    async fn clear(&self) -> Result<(), SinkError> {
        let sink = self.clone();
        Ok(self.runtime.blocking(move || sink.clear_now()).await?)
    }

    async fn check(&self) -> Result<(), SinkError> {
        self.load_cursor().await.map(drop)
    }
}

#[cfg(test)]
mod tests;
