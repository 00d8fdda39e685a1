use std::path::{Path, PathBuf};

use tantivy::TantivyError;
use tantivy::directory::error::{LockError, OpenReadError};

/// What can go wrong with the index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is no index at this place yet.
    #[error("there is no search index in {}; run a crawl first", path.display())]
    Missing {
        /// The index directory.
        path: PathBuf,
    },
    /// The files are damaged, of another version, or not ours. The index holds nothing that the store does not:
    /// delete the directory and fill it again.
    #[error("the search index in {} cannot be used and has to be filled anew: {reason}", path.display())]
    Corrupt {
        /// The index directory.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Another process writes to it.
    #[error("the search index in {} is being written by another process; stop that one first", path.display())]
    Locked {
        /// The index directory.
        path: PathBuf,
    },
    /// Reading or writing failed; what was committed before is still there.
    #[error("cannot {action} the search index in {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The index directory.
        path: PathBuf,
        /// Why it failed.
        source: TantivyError,
    },
}

impl IndexError {
    /// Whether deleting the index and filling it from the store mends it.
    pub const fn is_mended_by_rebuild(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }

    pub(crate) fn corrupt(path: &Path, reason: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), reason: reason.into() }
    }

    /// Classifies what tantivy says.
    pub(crate) fn from_tantivy(path: &Path, action: &'static str, error: TantivyError) -> Self {
        let senseless = |source: &std::io::Error| {
            matches!(
                source.kind(),
                std::io::ErrorKind::InvalidData
                    | std::io::ErrorKind::UnexpectedEof
                    | std::io::ErrorKind::NotFound
            )
        };
        let damaged = match &error {
            TantivyError::DataCorruption(_)
            | TantivyError::IncompatibleIndex(_)
            | TantivyError::DeserializeError(_)
            | TantivyError::SchemaError(_)
            | TantivyError::FieldNotFound(_)
            | TantivyError::MissingPlugin(_)
            | TantivyError::UnexpectedPlugin(_)
            | TantivyError::OpenReadError(
                OpenReadError::FileDoesNotExist(_) | OpenReadError::IncompatibleIndex(_),
            ) => true,
            TantivyError::OpenReadError(OpenReadError::IoError { io_error, .. }) => senseless(io_error),
            TantivyError::IoError(source) => senseless(source),
            _ => false,
        };
        match &error {
            TantivyError::LockFailure(LockError::LockBusy, _) => Self::Locked { path: path.to_owned() },
            _ if damaged => Self::corrupt(path, error.to_string()),
            _ => Self::Io { action, path: path.to_owned(), source: error },
        }
    }
}
