//! The data directory: where everything lives, and who owns it.
//!
//! One process at a time may crawl and write the index; an operating-system lock that dies with the process says who.
//! Commands that only read work beside it. A server writes down where it is found, in a file that it keeps locked.
//!
//! What lies here is readable text: nobody but the owner of the directory is to read it, whatever mode it was made with.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The file that says where the server is found.
const SERVER: &str = "server";

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
    /// Another process owns it, and crawls what it is asked to.
    #[error(
        "the data directory {path} is in use by process {owner}, which crawls by itself: to start a crawl there, send POST \
         /api/v1/crawls with a key (notion-connector keys create NAME --scope connectors), or name a time: notion-connector schedule \
         add NAME 'once 2026-05-01T08:00'; for anything else stop that process, or choose another directory with --data-dir"
    )]
    Serving {
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

/// Says where the server of a data directory is found, for as long as it lives.
#[derive(Debug)]
pub struct Announcement {
    path: PathBuf,
    #[expect(dead_code, reason = "the lock is held by the open file")]
    file: File,
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // One that stays is not locked, and so not believed.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Makes what this process writes from now on readable for its owner only. Before there is any thread.
pub fn write_for_owner_only() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// What others could read, where it was made by other means than [`write_for_owner_only`].
#[cfg(unix)]
const PRIVATE: [&str; 5] = ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm", "index", "owner"];

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

    /// Takes from others what files of an older version let them read, and warns of a directory that others may enter: it was
    /// made by somebody else, who may have a reason.
    #[cfg(unix)]
    pub fn keep_private(&self) {
        use std::os::unix::fs::PermissionsExt;
        let open_to_others =
            |path: &Path| Some(path.metadata().ok()?.permissions()).filter(|it| it.mode() & 0o077 != 0);
        for path in PRIVATE.map(|name| self.0.join(name)) {
            let Some(mut permissions) = open_to_others(&path) else { continue };
            permissions.set_mode(permissions.mode() & 0o700);
            if let Err(error) = std::fs::set_permissions(&path, permissions) {
                let path = path.display();
                tracing::warn!(%path, %error, "others on this machine may read this, and it cannot be changed; run: chmod go= {path}");
            }
        }
        if open_to_others(&self.0).is_some() {
            let path = self.0.display();
            tracing::warn!("others on this machine may enter the data directory; run: chmod 700 {path}");
        }
    }

    /// Elsewhere files have no such modes.
    #[cfg(not(unix))]
    pub fn keep_private(&self) {}

    /// Writes down where the server is found that owns this directory.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn announce(&self, origin: &str) -> Result<Announcement, DataDirError> {
        let fail = |source| DataDirError::Unusable { path: self.0.clone(), source };
        let path = self.0.join(SERVER);
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(false).open(&path).map_err(fail)?;
        // Whoever looks holds it for a moment.
        file.lock().map_err(fail)?;
        file.set_len(0).map_err(fail)?;
        file.write_all(origin.as_bytes()).map_err(fail)?;
        Ok(Announcement { path, file })
    }

    /// Where the server is found that owns this directory; none when no server does.
    pub fn server(&self) -> Option<String> {
        let mut file = File::open(self.0.join(SERVER)).ok()?;
        if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return None;
        }
        let mut origin = String::new();
        file.read_to_string(&mut origin).ok()?;
        Some(origin).filter(|origin| !origin.is_empty())
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
                let path = self.0.clone();
                let serves = owner.ends_with("(serve)") && purpose != "serve";
                Err(if serves {
                    DataDirError::Serving { path, owner }
                } else {
                    DataDirError::InUse { path, owner }
                })
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
        let serving = dir.own("serve").unwrap();
        let refused = dir.own("crawl").unwrap_err().to_string();
        assert!(refused.contains("POST /api/v1/crawls") && refused.contains("crawls by itself"), "{refused}");
        assert!(!dir.own("serve").unwrap_err().to_string().contains("POST"));
        drop(serving);
        assert!(dir.own("crawl").is_ok());
    }

    #[test]
    fn a_server_is_found_while_it_runs_and_not_by_what_a_dead_one_left() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = DataDir::create(&temporary.path().join("data")).unwrap();
        assert_eq!(dir.server(), None);
        let announced = dir.announce("http://127.0.0.1:7361").unwrap();
        assert_eq!(dir.server().as_deref(), Some("http://127.0.0.1:7361"));
        drop(announced);
        assert!(!dir.path().join(SERVER).exists());
        std::fs::write(dir.path().join(SERVER), "http://127.0.0.1:7361").unwrap();
        assert_eq!(dir.server(), None);
        let _announced = dir.announce("http://[::1]:1").unwrap();
        assert_eq!(dir.server().as_deref(), Some("http://[::1]:1"));
    }

    #[cfg(unix)]
    #[test]
    fn what_others_may_read_of_an_older_version_is_taken_from_them() {
        use std::os::unix::fs::PermissionsExt;
        let temporary = tempfile::tempdir().unwrap();
        let dir = DataDir::create(&temporary.path().join("data")).unwrap();
        let set = |name: &str, mode| {
            std::fs::set_permissions(dir.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        std::fs::create_dir(dir.index()).unwrap();
        for name in ["store.sqlite", "store.sqlite-wal", "of-somebody"] {
            std::fs::write(dir.path().join(name), "text").unwrap();
            set(name, 0o664);
        }
        set("index", 0o755);
        dir.keep_private();
        let mode = |name: &str| dir.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
        let modes = ["store.sqlite", "store.sqlite-wal", "of-somebody", "index"].map(mode);
        assert_eq!(modes, [0o600, 0o600, 0o664, 0o700]);
    }
}
