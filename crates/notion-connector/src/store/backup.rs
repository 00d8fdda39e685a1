//! Copies of the database: made beside any writer, checked before they are used.
//!
//! A copy is written under another name and gets its own when it is whole and on the disk, so that a file of that name is
//! always a whole backup. The index is in none: it is filled again from the store.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{MIGRATIONS, Result, Store, StoreError};

impl Store {
    /// Writes a copy of the database, as of now, to a new file. Other processes go on writing meanwhile.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn copy_to(&self, target: &Path) -> Result<()> {
        let fail = |source| StoreError::Copy { what: "written", path: target.to_owned(), source };
        if target.exists() {
            return Err(fail(io::Error::from(io::ErrorKind::AlreadyExists)));
        }
        // A cursor that a sink took from what came after this copy is then found ahead of it.
        self.write(|tx| {
            tx.execute("UPDATE meta SET value = value + 1 WHERE name = 'syncs'", []).map(|_| ())
        })?;
        let partial = partial(target);
        remove(&partial).map_err(fail)?;
        // SQLite takes an empty file, and would blame the database for one that cannot be made.
        File::create_new(&partial).map_err(fail)?;
        let name = partial.to_string_lossy();
        let copied = self
            .lock_writer()
            .execute("VACUUM INTO ?1", [name.as_ref()])
            .map_err(|source| self.sqlite(source));
        let wiped = copied.and_then(|_| {
            let wipe = || sign_everybody_out(&open_copy(&partial)?);
            wipe().map_err(|source| self.sqlite(source))
        });
        let moved = wiped.and_then(|()| move_into_place(&partial, target).map_err(fail));
        if moved.is_err() {
            // What is left of it is no backup; whether it can be removed changes nothing about that.
            let _ = remove(&partial);
        }
        moved
    }

    /// Makes a copy the database of a data directory that has none. Nothing is left behind when it is refused.
    ///
    /// # Errors
    /// When the file is no whole backup, or is of a newer version, or cannot be copied.
    pub fn restore(data_dir: &Path, backup: &Path) -> Result<()> {
        let target = data_dir.join("store.sqlite");
        let fail = |source| StoreError::Copy { what: "copied", path: backup.to_owned(), source };
        if target.exists() {
            let source = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(StoreError::Copy { what: "written", path: target, source });
        }
        let partial = partial(&target);
        let restored = std::fs::copy(backup, &partial)
            .map_err(fail)
            .and_then(|_| check(&partial, backup))
            .and_then(|()| move_into_place(&partial, &target).map_err(fail));
        if restored.is_err() {
            let _ = remove(&partial);
        }
        restored
    }
}

/// Reads the whole copy: SQLite finds what is damaged.
fn check(copy: &Path, backup: &Path) -> Result<()> {
    let refuse = |what: String| StoreError::NoBackup { path: backup.to_owned(), what };
    let read = || {
        let connection = open_copy(copy)?;
        let version: usize = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict == "ok" {
            sign_everybody_out(&connection)?;
        }
        Ok((version, verdict))
    };
    let (version, verdict) = read().map_err(|error: rusqlite::Error| refuse(error.to_string()))?;
    if version > MIGRATIONS.len() {
        return Err(StoreError::Newer { path: backup.to_owned(), found: version, known: MIGRATIONS.len() });
    }
    match verdict.as_str() {
        "ok" if version > 0 => Ok(()),
        "ok" => Err(refuse("it holds no schema of this program".to_owned())),
        _ => Err(refuse(verdict)),
    }
}

/// A copy that is nobody's database yet. What is deleted in it is overwritten, and stands in no journal beside it.
fn open_copy(copy: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(copy, flags)?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    Ok(connection)
}

/// Whoever was signed in when the copy was made may have signed out since; and a link may have been used. Copies by older versions
/// hold both, so that it is done when one is taken back, too.
fn sign_everybody_out(connection: &Connection) -> rusqlite::Result<()> {
    for table in ["sessions", "one_time_links"] {
        // Older copies have none.
        if connection.table_exists(None, table)? {
            connection.execute(&format!("DELETE FROM {table}"), [])?;
        }
    }
    Ok(())
}

fn partial(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// On the disk first, under its name then.
fn move_into_place(from: &Path, to: &Path) -> io::Result<()> {
    let file = File::options().write(true).open(from)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.sync_all()?;
    std::fs::rename(from, to)?;
    #[cfg(unix)]
    if let Some(directory) = to.parent() {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(backup: &Path) -> String {
        let dir = tempfile::tempdir().unwrap();
        let error = Store::restore(dir.path(), backup).unwrap_err().to_string();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "something was left behind");
        error
    }

    #[test]
    fn what_is_no_whole_backup_is_refused_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (good, bad) = (dir.path().join("good"), dir.path().join("bad"));
        Store::open(dir.path()).unwrap().copy_to(&good).unwrap();
        assert!(refused(&dir.path().join("missing")).contains("missing"));
        std::fs::write(&bad, "no database").unwrap();
        assert!(refused(&bad).contains("no whole backup"));
        let bytes = std::fs::read(&good).unwrap();
        std::fs::write(&bad, &bytes[..bytes.len() / 2]).unwrap();
        assert!(refused(&bad).contains("no whole backup"));
        std::fs::remove_file(&bad).unwrap();
        Connection::open(&bad).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
        assert!(refused(&bad).contains("no schema of this program"));
        Connection::open(&good).unwrap().pragma_update(None, "user_version", 9_999).unwrap();
        assert!(refused(&good).contains("newer program"));
    }

    fn is_of(entry: &io::Result<std::fs::DirEntry>, name: &str) -> bool {
        entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(name)
    }

    #[test]
    fn nobody_is_signed_in_by_a_backup() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = Store::open(dir.path()).unwrap();
        let (now, later) = (jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::from_second(1_000).unwrap());
        store.write(|tx| {
            tx.execute_batch(
                "INSERT INTO persons (id, uid, user_name, user_key, email_verified, active, fields, source, created, changed)
                 VALUES (1, X'00', 'ana', 'ana', 1, 1, '{}', 'local', 0, 0)",
            )
        })
        .unwrap();
        let ana = crate::model::PersonId(1);
        store.add_session([1; 32], ana, None, now, later).unwrap();
        store.add_one_time_link([2; 32], Some(ana), now, later).unwrap();
        let backup = dir.path().join("backup");
        store.copy_to(&backup).unwrap();
        let holds = |file: &Path| {
            let bytes = std::fs::read(file).unwrap();
            [[1_u8; 32], [2; 32]].map(|hash| bytes.windows(32).any(|window| window == hash))
        };
        assert_eq!(holds(&backup), [false, false], "the file itself has neither, deleted or not");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().filter(|entry| is_of(entry, "backup")).count(), 1);
        Store::restore(other.path(), &backup).unwrap();
        assert!(store.find_session([1; 32], now).unwrap().is_some());
        // As copies by older versions are.
        let old = dir.path().join("old");
        store.lock_writer().execute("VACUUM INTO ?1", [old.to_str().unwrap()]).unwrap();
        assert_eq!(holds(&old), [true, true]);
        std::fs::remove_file(other.path().join("store.sqlite")).unwrap();
        Store::restore(other.path(), &old).unwrap();
        let restored = Store::open(other.path()).unwrap();
        assert!(restored.find_session([1; 32], now).unwrap().is_none());
        assert!(restored.find_one_time_link([2; 32], now).unwrap().is_none());
    }

    #[test]
    fn a_copy_never_replaces_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let target = dir.path().join("copy");
        std::fs::write(&target, "precious").unwrap();
        assert!(store.copy_to(&target).unwrap_err().to_string().contains("copy"));
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "precious");
        assert!(Store::restore(dir.path(), &target).is_err(), "a data directory in use is not overwritten");
    }
}
