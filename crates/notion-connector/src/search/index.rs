//! The index as it is read: opening, checking, reloading, and how far it has come.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tantivy::directory::{Directory, MmapDirectory};
use tantivy::{Index, IndexReader, ReloadPolicy, Searcher};

use super::IndexError;
use super::analysis::analyzers;
use super::schema::{Fields, SCHEMA_VERSION, schema};
use crate::model::OutboxCursor;

/// What every commit carries. Opaque to tantivy, read back when the index is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitPayload {
    /// Which fields and analysis the entries were made with.
    pub schema_version: u32,
    /// How far the index has come; none when it is empty.
    pub cursor: Option<OutboxCursor>,
}

impl CommitPayload {
    /// For a commit of this version.
    pub const fn at(cursor: Option<OutboxCursor>) -> Self {
        Self { schema_version: SCHEMA_VERSION, cursor }
    }
}

/// The index, opened for reading. Cheap to clone; clones see the same commit.
#[derive(Clone)]
pub struct SearchIndex {
    pub(crate) index: Index,
    pub(crate) fields: Fields,
    reader: IndexReader,
    path: PathBuf,
}

impl fmt::Debug for SearchIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchIndex").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SearchIndex {
    /// Opens an existing index for reading. Takes no writer's lock: works beside a process that writes.
    ///
    /// # Errors
    /// [`IndexError::Missing`], [`IndexError::Corrupt`], or that reading failed.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        // Opening a directory makes tantivy leave files there.
        if !path.join("meta.json").is_file() {
            return Err(IndexError::Missing { path: path.to_owned() });
        }
        let directory = MmapDirectory::open(path)
            .map_err(|error| IndexError::from_tantivy(path, "open", error.into()))?;
        let index = guarded(path, || open_existing(directory, path))?;
        Self::over(index, path)
    }

    /// Wraps an index that was opened or created.
    pub(crate) fn over(mut index: Index, path: &Path) -> Result<Self, IndexError> {
        let (_, fields) = schema();
        register_analyzers(&mut index);
        let reader = guarded(path, || {
            index
                .reader_builder()
                .reload_policy(ReloadPolicy::Manual)
                .try_into()
                .map_err(|error| IndexError::from_tantivy(path, "open", error))
        })?;
        Ok(Self { index, fields, reader, path: path.to_owned() })
    }

    /// Shows searches the newest commit. Needed when another process writes.
    ///
    /// # Errors
    /// When the new files cannot be read; searches go on with the commit before.
    pub fn reload(&self) -> Result<(), IndexError> {
        self.reader.reload().map_err(|error| self.error("reload", error))
    }

    /// Shows searches the newest commit, if they do not see it yet. Cheap when they do.
    ///
    /// # Errors
    /// As [`SearchIndex::reload`].
    pub fn refresh(&self) -> Result<(), IndexError> {
        let metas = self.index.load_metas().map_err(|error| self.error("read", error))?;
        let newest: BTreeMap<_, _> =
            metas.segments.iter().map(|segment| (segment.id(), segment.delete_opstamp())).collect();
        let is_seen = *self.searcher().generation().segments() == newest;
        if is_seen { Ok(()) } else { self.reload() }
    }

    /// How far the newest commit has come.
    ///
    /// # Errors
    /// When the index's description cannot be read.
    pub fn load_cursor(&self) -> Result<Option<OutboxCursor>, IndexError> {
        let metas = self.index.load_metas().map_err(|error| self.error("read", error))?;
        Ok(payload_of(metas.payload.as_deref(), &self.path)?.and_then(|payload| payload.cursor))
    }

    /// How many entries the index holds, whoever may see them.
    pub fn count_entries(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// Bytes on disk.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn size_bytes(&self) -> Result<u64, IndexError> {
        let usage =
            self.reader.searcher().space_usage().map_err(|error| self.error("measure", error.into()))?;
        Ok(usage.total().get_bytes())
    }

    pub(crate) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn error(&self, action: &'static str, error: tantivy::TantivyError) -> IndexError {
        IndexError::from_tantivy(&self.path, action, error)
    }
}

/// Opens what is there and holds it to this version.
pub(crate) fn open_existing(directory: impl Directory, path: &Path) -> Result<Index, IndexError> {
    let directory: Box<dyn Directory> = Box::new(directory);
    let index = Index::open(directory).map_err(|error| match error {
        // Whatever it is that cannot be parsed, it is no index of ours.
        tantivy::TantivyError::IoError(source)
            if source
                .get_ref()
                .is_some_and(<dyn std::error::Error + Send + Sync>::is::<serde_json::Error>) =>
        {
            IndexError::corrupt(path, source.to_string())
        }
        error => IndexError::from_tantivy(path, "open", error),
    })?;
    let metas = index.load_metas().map_err(|error| IndexError::from_tantivy(path, "open", error))?;
    match payload_of(metas.payload.as_deref(), path)? {
        Some(payload) if payload.schema_version != SCHEMA_VERSION => {
            return Err(IndexError::corrupt(
                path,
                format!(
                    "it is of version {}, this program writes version {SCHEMA_VERSION}",
                    payload.schema_version
                ),
            ));
        }
        None if !metas.segments.is_empty() => {
            return Err(IndexError::corrupt(path, "it was not written by this program"));
        }
        _ => {}
    }
    if index.schema() != schema().0 {
        return Err(IndexError::corrupt(path, "its fields are not those of this version"));
    }
    Ok(index)
}

/// Compares every file with the checksum at its end.
pub(crate) fn check_files(directory: impl Directory, path: &Path) -> Result<(), IndexError> {
    let damaged = guarded(path, || {
        open_existing(directory, path)?
            .validate_checksum()
            .map_err(|error| IndexError::from_tantivy(path, "check", error))
    })?;
    match damaged.iter().min() {
        Some(file) => Err(IndexError::corrupt(path, format!("the file {} is damaged", file.display()))),
        None => Ok(()),
    }
}

fn payload_of(payload: Option<&str>, path: &Path) -> Result<Option<CommitPayload>, IndexError> {
    payload
        .map(serde_json::from_str)
        .transpose()
        .map_err(|error| IndexError::corrupt(path, format!("its commit cannot be read: {error}")))
}

/// The analyzers that the schema names, in an index that was opened or created.
pub(crate) fn register_analyzers(index: &mut Index) {
    for (name, analyzer) in analyzers() {
        index.tokenizers().register(name, analyzer);
    }
}

/// Runs code that reads files which may be damaged: tantivy answers some damage with a panic.
pub(crate) fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(IndexError::corrupt(path, "its files do not make sense")))
}
