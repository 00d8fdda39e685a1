//! The directory as SCIM sees it: users with what their provider said of them, groups with members, each found by keys.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::directory::{COLUMNS, Intake, from_row, uid};
use super::{DirectoryPerson, Millis, Result, Store, UnmappedReason, UserState};
use crate::model::{PersonId, PersonRecord, checked_group, directory_key};

/// Somebody of the directory, as SCIM sees them.
#[derive(Debug, Clone)]
pub struct ScimPerson {
    /// What the directory knows.
    pub person: DirectoryPerson,
    /// What a provider said, in JSON.
    pub resource: Option<String>,
    /// When they came in.
    pub created: Timestamp,
    /// When something of them changed last.
    pub changed: Timestamp,
    /// Ids and names of their groups; none where they were not loaded.
    pub groups: Vec<(Uuid, String)>,
}

/// A group of the directory.
#[derive(Debug, Clone)]
pub struct ScimGroup {
    /// Row id.
    pub id: i64,
    /// The id that is shown to others.
    pub uid: Uuid,
    /// The source's own id.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// When it came in.
    pub created: Timestamp,
    /// When something of it changed last.
    pub changed: Timestamp,
    /// Ids and user names of its members, where they were loaded.
    pub members: Option<Vec<(Uuid, String)>>,
}

/// What users or groups are found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScimKey<'a> {
    /// The id that is shown to others.
    Uid(Uuid),
    /// User name, or name of a group.
    Name(&'a str),
    /// The source's own id.
    ExternalId(&'a str),
    /// One of their e-mail addresses.
    Email(&'a str),
}

/// Why somebody, or a group, cannot be as it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutRefusal {
    /// Another one has this.
    Taken(&'static str),
    /// A value is none of its kind.
    Invalid(String),
}

const GROUP_COLUMNS: &str = "id, uid, external_id, name, created, changed";

fn group_from_row(row: &Row<'_>) -> rusqlite::Result<ScimGroup> {
    Ok(ScimGroup {
        id: row.get(0)?,
        uid: uid(row, 1)?,
        external_id: row.get(2)?,
        name: row.get(3)?,
        created: row.get::<_, Millis>(4)?.0,
        changed: row.get::<_, Millis>(5)?.0,
        members: None,
    })
}

fn person_from_row(row: &Row<'_>) -> rusqlite::Result<ScimPerson> {
    Ok(ScimPerson {
        person: from_row(row)?,
        created: row.get::<_, Millis>(10)?.0,
        changed: row.get::<_, Millis>(11)?.0,
        resource: row.get(12)?,
        groups: Vec::new(),
    })
}

/// The condition and its value.
fn condition(key: Option<ScimKey<'_>>, name: &'static str) -> (String, rusqlite::types::Value) {
    use rusqlite::types::Value;
    match key {
        None => ("?1 IS NULL".to_owned(), Value::Null),
        Some(ScimKey::Uid(uid)) => ("uid = ?1".to_owned(), Value::Blob(uid.as_bytes().to_vec())),
        Some(ScimKey::Name(text)) => (format!("{name} = ?1"), Value::Text(directory_key(text))),
        Some(ScimKey::ExternalId(text)) => {
            ("external_id = ?1".to_owned(), Value::Text(text.trim().to_owned()))
        }
        Some(ScimKey::Email(text)) => {
            let which = "id IN (SELECT id FROM persons WHERE email_key = ?1 UNION SELECT person FROM scim_emails WHERE key = ?1)";
            (which.to_owned(), Value::Text(directory_key(text)))
        }
    }
}

fn people(
    tx: &Transaction<'_>,
    key: Option<ScimKey<'_>>,
    (after, skip, limit): (i64, u64, u32),
    with_groups: bool,
) -> rusqlite::Result<Vec<ScimPerson>> {
    let (which, value) = condition(key, "user_key");
    let mut people: Vec<ScimPerson> = tx
        .prepare_cached(&format!(
            "SELECT {COLUMNS}, created, changed, (SELECT resource FROM scim_users WHERE person = persons.id)
             FROM persons WHERE {which} AND id > ?2 ORDER BY id LIMIT ?3 OFFSET ?4"
        ))?
        .query_map(params![value, after, limit, skip], person_from_row)?
        .collect::<rusqlite::Result<_>>()?;
    if with_groups {
        for person in &mut people {
            person.groups = tx
                .prepare_cached(
                    "SELECT uid, name FROM memberships JOIN groups_ ON groups_.id = grp WHERE person = ?1 ORDER BY name_key",
                )?
                .query_map([person.person.id.0], |row| Ok((uid(row, 0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
        }
    }
    Ok(people)
}

fn groups(
    tx: &Transaction<'_>,
    key: Option<ScimKey<'_>>,
    after: i64,
    limit: u32,
) -> rusqlite::Result<Vec<ScimGroup>> {
    let (which, value) = condition(key, "name_key");
    tx.prepare_cached(&format!(
        "SELECT {GROUP_COLUMNS} FROM groups_ WHERE {which} AND id > ?2 ORDER BY id LIMIT ?3"
    ))?
    .query_map(params![value, after, limit], group_from_row)?
    .collect()
}

impl Store {
    /// People behind a row, those with the key or all, `skip` of them left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_scim_people(
        &self,
        key: Option<ScimKey<'_>>,
        after: i64,
        skip: u64,
        limit: u32,
        with_groups: bool,
    ) -> Result<Vec<ScimPerson>> {
        self.read(|tx| people(tx, key, (after, skip, limit), with_groups))
    }

    /// How many people the directory has.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_people(&self) -> Result<u64> {
        self.read(|tx| tx.prepare_cached("SELECT count(*) FROM persons")?.query_row([], |row| row.get(0)))
    }

    /// Groups behind a row, those with the key or all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_scim_groups(
        &self,
        key: Option<ScimKey<'_>>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ScimGroup>> {
        self.read(|tx| groups(tx, key, after, limit))
    }

    /// Ids and user names of a group's members; with `only`, of this one if they are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_members(&self, group: i64, only: Option<Uuid>) -> Result<Vec<(Uuid, String)>> {
        self.read(|tx| {
            tx.prepare_cached(match only {
                None => {
                    "SELECT uid, user_name FROM memberships JOIN persons ON persons.id = person
                     WHERE grp = ?1 AND ?2 IS NULL ORDER BY person"
                }
                Some(_) => {
                    "SELECT uid, user_name FROM memberships JOIN persons ON persons.id = person
                     WHERE grp = ?1 AND person = (SELECT id FROM persons WHERE uid = ?2)"
                }
            })?
            .query_map(params![group, only.map(|uid| uid.as_bytes().to_vec())], |row| {
                Ok((uid(row, 0)?, row.get(1)?))
            })?
            .collect()
        })
    }
}

impl Intake<'_> {
    /// The user of that id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scim_person(&self, uid: Uuid) -> Result<Option<ScimPerson>> {
        let found = people(self.tx, Some(ScimKey::Uid(uid)), (0, 0, 1), false);
        Ok(found.map_err(|source| self.store.sqlite(source))?.pop())
    }

    /// The group of that id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scim_group(&self, uid: Uuid) -> Result<Option<ScimGroup>> {
        let found = groups(self.tx, Some(ScimKey::Uid(uid)), 0, 1);
        Ok(found.map_err(|source| self.store.sqlite(source))?.pop())
    }

    /// Takes in somebody new, or what is said of somebody known, with what their provider said and all their addresses.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put_at(
        &mut self,
        held: Option<&DirectoryPerson>,
        record: PersonRecord,
        resource: &str,
        emails: &[&str],
    ) -> Result<std::result::Result<Uuid, PutRefusal>> {
        let record = match record.checked() {
            Ok(record) => record,
            Err(why) => return Ok(Err(PutRefusal::Invalid(why))),
        };
        let store = self.store;
        let put = || {
            let own = held.map_or(0, |held| held.id.0);
            if self.is_taken("persons", "user_key", &directory_key(&record.user_name), own)? {
                return Ok(Err(PutRefusal::Taken("userName")));
            }
            if let Some(id) = &record.external_id
                && self.is_taken("persons", "external_id", id, own)?
            {
                return Ok(Err(PutRefusal::Taken("externalId")));
            }
            let id = match held {
                Some(held) => {
                    self.change(held, &record)?;
                    held.id
                }
                None => self.insert(&record)?,
            };
            if record.external_id.is_none() {
                self.tx
                    .prepare_cached("UPDATE persons SET external_id = NULL WHERE id = ?1")?
                    .execute([id.0])?;
            }
            self.save_resource(id, resource, emails)?;
            let told = "SELECT uid FROM persons WHERE id = ?1";
            self.tx.prepare_cached(told)?.query_row([id.0], |row| uid(row, 0)).map(Ok)
        };
        let mut put = put;
        put().map_err(|source| store.sqlite(source))
    }

    fn is_taken(&self, table: &str, column: &str, value: &str, own: i64) -> rusqlite::Result<bool> {
        self.tx
            .prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM {table} WHERE {column} = ?1 AND id <> ?2)"
            ))?
            .query_row(params![value, own], |row| row.get(0))
    }

    fn save_resource(&self, person: PersonId, resource: &str, emails: &[&str]) -> rusqlite::Result<()> {
        let changed = self
            .tx
            .prepare_cached(
                "INSERT INTO scim_users (person, resource) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET resource = excluded.resource WHERE resource <> excluded.resource",
            )?
            .execute(params![person.0, resource])?;
        if changed == 0 {
            return Ok(());
        }
        self.tx
            .prepare_cached("UPDATE persons SET changed = ?2 WHERE id = ?1")?
            .execute(params![person.0, Millis(self.now)])?;
        self.tx.prepare_cached("DELETE FROM scim_emails WHERE person = ?1")?.execute([person.0])?;
        let mut add = self
            .tx
            .prepare_cached("INSERT INTO scim_emails (key, person) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
        emails.iter().try_for_each(|email| add.execute(params![directory_key(email), person.0]).map(drop))
    }

    /// Takes somebody out of the directory: whoever of Notion's was mapped to them is nobody now.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn delete_person(&self, person: PersonId) -> Result<()> {
        let delete = || {
            self.tx
                .prepare_cached(
                    "UPDATE external_users SET state = ?2, reason = ?3, person = NULL WHERE person = ?1",
                )?
                .execute(params![person.0, UserState::Unmapped, UnmappedReason::NoMatch])?;
            self.tx.prepare_cached("DELETE FROM persons WHERE id = ?1")?.execute([person.0]).map(drop)
        };
        delete().map_err(|source| self.store.sqlite(source))
    }

    /// Takes in a new group, or what is said of one that is known.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put_group(
        &mut self,
        held: Option<&ScimGroup>,
        name: &str,
        external_id: Option<&str>,
    ) -> Result<std::result::Result<(i64, Uuid), PutRefusal>> {
        let (name, external_id) = match checked_group(name, external_id) {
            Ok(checked) => checked,
            Err(why) => return Ok(Err(PutRefusal::Invalid(why))),
        };
        let new = held.is_none().then(|| (self.new_uid)());
        let put = || {
            let own = held.map_or(0, |held| held.id);
            if self.is_taken("groups_", "name_key", &directory_key(&name), own)? {
                return Ok(Err(PutRefusal::Taken("displayName")));
            }
            if let Some(id) = &external_id
                && self.is_taken("groups_", "external_id", id, own)?
            {
                return Ok(Err(PutRefusal::Taken("externalId")));
            }
            let now = Millis(self.now);
            let Some(held) = held else {
                let uid = new.unwrap_or_default();
                self.tx
                    .prepare_cached(
                        "INSERT INTO groups_ (uid, name, name_key, external_id, source, created, changed)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                    )?
                    .execute(params![
                        uid.as_bytes(),
                        name,
                        directory_key(&name),
                        external_id,
                        self.source,
                        now
                    ])?;
                return Ok(Ok((self.tx.last_insert_rowid(), uid)));
            };
            self.tx
                .prepare_cached(
                    "UPDATE groups_ SET name = ?2, name_key = ?3, external_id = ?4, changed = ?5 WHERE id = ?1",
                )?
                .execute(params![held.id, name, directory_key(&name), external_id, now])?;
            Ok(Ok((held.id, held.uid)))
        };
        put().map_err(|source| self.store.sqlite(source))
    }

    /// Puts people into a group. If one of them is nobody, says who.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_members(&self, group: i64, members: &[Uuid]) -> Result<Option<Uuid>> {
        let add = || {
            let mut known = self.tx.prepare_cached("SELECT id FROM persons WHERE uid = ?1")?;
            let mut add = self.tx.prepare_cached(
                "INSERT INTO memberships (grp, person) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            )?;
            for uid in members {
                let person: Option<i64> = known.query_row([uid.as_bytes()], |row| row.get(0)).optional()?;
                let Some(person) = person else { return Ok(Some(*uid)) };
                add.execute([group, person])?;
            }
            Ok(None)
        };
        add().map_err(|source| self.store.sqlite(source))
    }

    /// Takes people out of a group.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn remove_members(&self, group: i64, members: &[Uuid]) -> Result<()> {
        let remove = || {
            let mut remove = self.tx.prepare_cached(
                "DELETE FROM memberships WHERE grp = ?1 AND person = (SELECT id FROM persons WHERE uid = ?2)",
            )?;
            members.iter().try_for_each(|uid| remove.execute(params![group, uid.as_bytes()]).map(drop))
        };
        remove().map_err(|source| self.store.sqlite(source))
    }

    /// Takes everybody out of a group.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn clear_members(&self, group: i64) -> Result<()> {
        let clear = self.tx.execute("DELETE FROM memberships WHERE grp = ?1", [group]);
        clear.map(drop).map_err(|source| self.store.sqlite(source))
    }

    /// Takes a group out of the directory.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn delete_group(&self, group: i64) -> Result<()> {
        let delete = self.tx.execute("DELETE FROM groups_ WHERE id = ?1", [group]);
        delete.map(drop).map_err(|source| self.store.sqlite(source))
    }
}
