//! Browsers that are signed in, and links that let somebody in once. Of both only hashes are kept.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::accounts::has_account_with;
use super::{Millis, Result, Store};
use crate::model::{PersonId, Role, directory_key};

/// How exactly it is remembered when a session was used last: a write for each request would be dear.
const SEEN_KEPT: Duration = Duration::from_secs(60);

/// How long it is remembered where somebody signed in.
const ADDRESS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// A session, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub person: PersonId,
    /// When it was used last, to within a minute.
    pub seen: Timestamp,
    /// When it ends at the latest.
    pub ends: Timestamp,
}

/// A one-time link, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneTimeLink {
    /// Whose password it sets; none makes the first administrator.
    pub person: Option<PersonId>,
}

fn withdraw_first(tx: &Transaction<'_>, by_others: bool) -> rusqlite::Result<bool> {
    let has_one = has_account_with(tx, Role::SecurityAdmin, by_others)?;
    if has_one {
        tx.prepare_cached("DELETE FROM one_time_links WHERE person IS NULL")?.execute([])?;
    }
    Ok(has_one)
}

impl Store {
    /// Keeps a session that begins now.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_session(
        &self,
        hash: [u8; 32],
        person: PersonId,
        address: Option<&str>,
        now: Timestamp,
        ends: Timestamp,
    ) -> Result<()> {
        self.write(|tx| {
            tx.prepare_cached("DELETE FROM sessions WHERE ends < ?1")?.execute([Millis(now - ADDRESS_KEPT)])?;
            tx.prepare_cached(
                "INSERT INTO sessions (hash, person, created, seen, ends, address) VALUES (?1, ?2, ?3, ?3, ?4, ?5)",
            )?
            .execute(params![hash, person.0, Millis(now), Millis(ends), address])
            .map(|_| ())
        })
    }

    /// The session of that hash, if it has not ended.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find_session(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<Session>> {
        self.read(|tx| {
            tx.prepare_cached("SELECT person, seen, ends FROM sessions WHERE hash = ?1 AND ends > ?2")?
                .query_row(params![hash, Millis(now)], |row| {
                    let (seen, ends): (Millis, Millis) = (row.get(1)?, row.get(2)?);
                    Ok(Session { person: PersonId(row.get(0)?), seen: seen.0, ends: ends.0 })
                })
                .optional()
        })
    }

    /// Remembers that a session was used, unless that is known of the last minute.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_session_use(&self, hash: [u8; 32], session: &Session, now: Timestamp) -> Result<()> {
        if now < session.seen + SEEN_KEPT {
            return Ok(());
        }
        self.write(|tx| {
            tx.prepare_cached("UPDATE sessions SET seen = ?2 WHERE hash = ?1")?
                .execute(params![hash, Millis(now)])
                .map(|_| ())
        })
    }

    /// Ends one session.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn end_session(&self, hash: [u8; 32], now: Timestamp) -> Result<()> {
        self.write(|tx| {
            tx.prepare_cached("UPDATE sessions SET ends = ?2 WHERE hash = ?1 AND ends > ?2")?
                .execute(params![hash, Millis(now)])
                .map(|_| ())
        })
    }

    /// Ends every session of a person; how many there were.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn end_sessions(&self, person: PersonId, now: Timestamp) -> Result<u64> {
        self.write(|tx| {
            tx.prepare_cached("UPDATE sessions SET ends = ?2 WHERE person = ?1 AND ends > ?2")?
                .execute(params![person.0, Millis(now)])
                .map(|ended| ended as u64)
        })
    }

    /// Whether somebody of that user name signed in from that address lately.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_signed_in_from(&self, user_name: &str, address: &str) -> Result<bool> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM sessions JOIN persons ON persons.id = person
                   WHERE user_key = ?1 AND address = ?2)",
            )?
            .query_row(params![directory_key(user_name), address], |row| row.get(0))
        })
    }

    /// Keeps a link, instead of those before for the same.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_one_time_link(
        &self,
        hash: [u8; 32],
        person: Option<PersonId>,
        now: Timestamp,
        ends: Timestamp,
    ) -> Result<()> {
        let person = person.map(|person| person.0);
        self.write(|tx| {
            tx.prepare_cached("DELETE FROM one_time_links WHERE person IS ?1 OR ends < ?2")?
                .execute(params![person, Millis(now)])?;
            tx.prepare_cached(
                "INSERT INTO one_time_links (hash, person, created, ends) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![hash, person, Millis(now), Millis(ends)])
            .map(|_| ())
        })
    }

    /// The link of that hash, if it still opens anything.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find_one_time_link(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<OneTimeLink>> {
        self.read(|tx| {
            tx.prepare_cached("SELECT person FROM one_time_links WHERE hash = ?1 AND ends > ?2")?
                .query_row(params![hash, Millis(now)], |row| {
                    Ok(OneTimeLink { person: row.get::<_, Option<i64>>(0)?.map(PersonId) })
                })
                .optional()
        })
    }

    /// Uses a link up; whether it was there still. Of two who come at once one is too late, and so is a first administrator where
    /// there is one by now; `by_others` says that people need no account here to sign in.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn use_one_time_link(&self, hash: [u8; 32], by_others: bool, now: Timestamp) -> Result<bool> {
        self.write(|tx| {
            withdraw_first(tx, by_others)?;
            tx.prepare_cached("DELETE FROM one_time_links WHERE hash = ?1 AND ends > ?2")?
                .execute(params![hash, Millis(now)])
                .map(|used| used > 0)
        })
    }

    /// Whether there is an administrator of security who can sign in; then links for the first one are no more. `by_others` says that
    /// people need no account here to sign in.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn withdraw_first_link(&self, by_others: bool) -> Result<bool> {
        self.write(|tx| withdraw_first(tx, by_others))
    }
}
