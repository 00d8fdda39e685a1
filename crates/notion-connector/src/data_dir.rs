//! The data directory: where everything lives, and who owns it.
//!
//! One process at a time may crawl and write the index; an operating-system lock that dies with the process says who.
//! Commands that only read work beside it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// The file system refused.
    #[error("the data directory {path} cannot be used: {source}; choose another with --data-dir")]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process owns it.
    #[error(
        "the data directory {path} is in use by process {owner}: stop that process, or choose another directory with --data-dir"
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The other process: its number and what it runs.
        owner: String,
    },
    /// Nothing was crawled into it yet.
    #[error(
        "there is nothing in the data directory {0} yet: crawl first, or name another directory with --data-dir"
    )]
    Empty(PathBuf),
    /// The system names no home.
    #[error("this system names no place for data: give one with --data-dir")]
    NoPlace,
}

/// A data directory.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

/// Ownership of a data directory, for as long as it lives.
#[derive(Debug)]
pub struct Ownership(#[expect(dead_code, reason = "the lock is held by the open file")] File);

impl DataDir {
    /// Makes the directory if it is missing; only its owner may enter it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> Result<Self, DataDirError> {
        let fail = |source| DataDirError::Unusable { path: path.to_owned(), source };
        if !path.is_dir() {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(path).map_err(fail)?;
        }
        Ok(Self(path.to_owned()))
    }

    /// A directory that holds something.
    ///
    /// # Errors
    /// When it does not.
    pub fn existing(path: &Path) -> Result<Self, DataDirError> {
        let dir = Self(path.to_owned());
        if path.join("store.sqlite").is_file() { Ok(dir) } else { Err(DataDirError::Empty(path.to_owned())) }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the embedded index lives.
    pub fn index(&self) -> PathBuf {
        self.0.join("index")
    }

    /// Takes ownership, until the answer is dropped or the process ends.
    ///
    /// # Errors
    /// When another process has it.
    pub fn own(&self, purpose: &str) -> Result<Ownership, DataDirError> {
        let fail = |source| DataDirError::Unusable { path: self.0.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.0.join("owner"))
            .map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(fail)?;
                file.rewind().map_err(fail)?;
                write!(file, "{} ({purpose})", std::process::id()).map_err(fail)?;
                Ok(Ownership(file))
            }
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // The number is a courtesy: the lock itself is what counts.
                let _ = file.read_to_string(&mut owner);
                Err(DataDirError::InUse { path: self.0.clone(), owner })
            }
            Err(TryLockError::Error(source)) => Err(fail(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_told_who_the_first_is() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = DataDir::create(&temporary.path().join("data")).unwrap();
        let first = dir.own("crawl").unwrap();
        let refused = dir.own("serve").unwrap_err().to_string();
        assert!(refused.contains(&format!("process {} (crawl)", std::process::id())), "{refused}");
        drop(first);
        assert!(dir.own("serve").is_ok());
    }
}
