//! Keys of programs. Only the hash of a key is kept, so that whoever reads the database has none.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Millis, Result, Store};
use crate::model::{KeyId, KeyScope, PersonId, Roles};

/// How exactly it is remembered when a key was used last: a write for each request would be dear.
const USE_KEPT: Duration = Duration::from_secs(300);

/// A key, as far as it is kept.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Key {
    /// Row id.
    #[serde(skip)]
    pub id: KeyId,
    /// What it is called.
    pub name: String,
    /// What its caller may do.
    #[schema(value_type = Vec<String>, example = json!(["search_user"]))]
    pub roles: Roles,
    /// What it opens.
    #[schema(value_type = Vec<String>, example = json!(["search"]))]
    pub scopes: Vec<KeyScope>,
    /// User name of whose it is, if it is anybody's.
    pub person: Option<String>,
    /// Row of whose it is.
    #[serde(skip)]
    pub person_id: Option<PersonId>,
    /// Whether it may search as any person.
    pub may_act_as: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// From when on it opens nothing any more.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked: Option<Timestamp>,
    /// When it was used last, to within five minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub used: Option<Timestamp>,
}

impl Key {
    /// Whether it opens anything at that time.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.ends.is_none_or(|ends| now < ends)
    }
}

/// A key to be kept.
#[derive(Debug, Clone)]
pub struct NewKey<'a> {
    /// What it is called.
    pub name: &'a str,
    /// SHA-256 of it.
    pub hash: [u8; 32],
    /// What its caller may do.
    pub roles: Roles,
    /// What it opens.
    pub scopes: &'a [KeyScope],
    /// Whose it is.
    pub person: Option<PersonId>,
    /// Whether it may search as any person.
    pub may_act_as: bool,
    /// From when on it opens nothing any more.
    pub ends: Option<Timestamp>,
}

const COLUMNS: &str =
    "keys.id, keys.name, roles, scopes, person, user_name, may_act_as, keys.created, ends, revoked, used
     FROM keys LEFT JOIN persons ON persons.id = person";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Key> {
    let unreadable = |column, error: String| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(std::io::Error::other(error)))
    };
    let (roles, scopes): (String, String) = (row.get(2)?, row.get(3)?);
    let time = |column| row.get::<_, Option<Millis>>(column).map(|time| time.map(|Millis(time)| time));
    Ok(Key {
        id: KeyId(row.get(0)?),
        name: row.get(1)?,
        roles: roles.parse().map_err(|error| unreadable(2, error))?,
        scopes: scopes
            .split_whitespace()
            .map(str::parse)
            .collect::<std::result::Result<_, String>>()
            .map_err(|error| unreadable(3, error))?,
        person_id: row.get::<_, Option<i64>>(4)?.map(PersonId),
        person: row.get(5)?,
        may_act_as: row.get(6)?,
        created: row.get::<_, Millis>(7)?.0,
        ends: time(8)?,
        revoked: time(9)?,
        used: time(10)?,
    })
}

impl Store {
    /// Keeps a key; none if one of that name is in use.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_key(&self, new: &NewKey<'_>, now: Timestamp) -> Result<Option<Key>> {
        self.write(|tx| {
            let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.as_str()).collect();
            let added = tx
                .prepare_cached(
                    "INSERT INTO keys (name, hash, roles, scopes, person, may_act_as, created, ends)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
                )?
                .execute(params![
                    new.name,
                    new.hash,
                    new.roles.to_string(),
                    scopes.join(" "),
                    new.person.map(|person| person.0),
                    new.may_act_as,
                    Millis(now),
                    new.ends.map(Millis)
                ])?;
            if added == 0 {
                return Ok(None);
            }
            tx.prepare_cached(&format!("SELECT {COLUMNS} WHERE keys.id = ?1"))?
                .query_row([tx.last_insert_rowid()], from_row)
                .map(Some)
        })
    }

    /// Every key, by name; those that were revoked, last.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn list_keys(&self) -> Result<Vec<Key>> {
        self.read(|tx| {
            tx.prepare_cached(&format!("SELECT {COLUMNS} ORDER BY revoked IS NOT NULL, keys.name, keys.id"))?
                .query_map([], from_row)?
                .collect()
        })
    }

    /// The key of that hash, good or not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find_key(&self, hash: [u8; 32]) -> Result<Option<Key>> {
        self.read(|tx| {
            tx.prepare_cached(&format!("SELECT {COLUMNS} WHERE hash = ?1"))?
                .query_row([hash], from_row)
                .optional()
        })
    }

    /// Revokes the key of that name; whether there was one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn revoke_key(&self, name: &str, now: Timestamp) -> Result<bool> {
        self.write(|tx| {
            tx.prepare_cached("UPDATE keys SET revoked = ?2 WHERE name = ?1 AND revoked IS NULL")?
                .execute(params![name, Millis(now)])
                .map(|revoked| revoked > 0)
        })
    }

    /// Whether it was noted after `since` that a key acts as a person.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn is_acting_noted(&self, key: KeyId, person: PersonId, since: Timestamp) -> Result<bool> {
        self.read(|tx| {
            tx.prepare_cached("SELECT 1 FROM key_acts WHERE key = ?1 AND person = ?2 AND noted > ?3")?
                .exists(params![key.0, person.0, Millis(since)])
        })
    }

    /// Remembers that it was noted that a key acts as a person.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_acting_noted(&self, key: KeyId, person: PersonId, now: Timestamp) -> Result<()> {
        self.write(|tx| {
            tx.prepare_cached(
                "INSERT INTO key_acts (key, person, noted) VALUES (?1, ?2, ?3)
                 ON CONFLICT (key, person) DO UPDATE SET noted = excluded.noted",
            )?
            .execute(params![key.0, person.0, Millis(now)])
            .map(|_| ())
        })
    }

    /// Remembers that a key was used, unless that is known of the last minutes.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_key_use(&self, key: &Key, now: Timestamp) -> Result<()> {
        let known = key.used.is_some_and(|used| now < used + USE_KEPT);
        if known {
            return Ok(());
        }
        self.write(|tx| {
            tx.prepare_cached("UPDATE keys SET used = ?2 WHERE id = ?1")?
                .execute(params![key.id.0, Millis(now)])
                .map(|_| ())
        })
    }
}
