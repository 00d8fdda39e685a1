//! Copies of everything that cannot be made again, while crawls run, and back.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::OpsError;
use super::audit::Act;
use crate::app::App;
use crate::data_dir::DataDir;
use crate::model::Caller;
use crate::store::Store;

/// What was written or taken back.
#[derive(Debug, Clone, Serialize)]
pub struct Backup {
    /// The file.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// Writes the store, as of now, to a new file. Secrets in it stay sealed; their key and the index are not in it.
///
/// # Errors
/// When the file exists or cannot be written.
pub fn backup(app: &App, caller: &Caller, file: &Path) -> Result<Backup, OpsError> {
    Act::of_connectors("store.backup", &file.display().to_string()).run(app, caller, || {
        app.store.copy_to(file)?;
        measured(file)
    })
}

/// Makes a backup the store of a data directory that holds nothing yet. The index is filled by the next crawl or server.
///
/// # Errors
/// When the directory holds something, or the file is no whole backup.
pub fn restore(dir: &DataDir, file: &Path) -> Result<Backup, OpsError> {
    let _ownership = dir.own("restore")?;
    let unreadable = |source| OpsError::Io {
        what: format!("the data directory {} could not be read", dir.path().display()),
        source,
    };
    for entry in std::fs::read_dir(dir.path()).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        // What a restore left that was killed: the next one writes over it.
        if name != "owner" && !name.to_string_lossy().starts_with("store.sqlite.partial") {
            return Err(OpsError::Invalid(format!(
                "the data directory {} holds something already: name an empty one with --data-dir",
                dir.path().display()
            )));
        }
    }
    Store::restore(dir.path(), file)?;
    measured(file)
}

fn measured(file: &Path) -> Result<Backup, OpsError> {
    let bytes = file
        .metadata()
        .map(|metadata| metadata.len())
        .map_err(|source| OpsError::Io { what: format!("{} could not be read", file.display()), source })?;
    Ok(Backup { file: file.to_owned(), bytes })
}
