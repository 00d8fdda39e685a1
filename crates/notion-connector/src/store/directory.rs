//! The directory: people of the organisation with their groups and free fields. What a source says of somebody goes in by
//! one way, [`Intake::put`], whoever the source is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Millis, Result, Store, named_enum};
use crate::model::{PersonId, PersonRecord, directory_key, is_group_name};

/// Groups whose ids an import remembers; with more of them it asks the database each time.
const GROUPS_REMEMBERED: usize = 100_000;

named_enum! {
    /// Who made an entry of the directory.
    pub enum DirectorySource {
        /// A file.
        Import = "import",
        /// An identity provider that pushes by SCIM.
        Scim = "scim",
        /// A first sign-in by OpenID Connect.
        Openid = "openid",
        /// Somebody, here.
        Local = "local",
    }
}

/// A person of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DirectoryPerson {
    /// Row id.
    #[serde(skip)]
    pub id: PersonId,
    /// The id that is shown to others.
    #[serde(rename = "id")]
    pub uid: Uuid,
    /// The source's own id.
    pub external_id: Option<String>,
    /// The name they sign in with.
    pub user_name: String,
    /// The name that is shown.
    pub name: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Whether the address is known to be theirs.
    pub email_verified: bool,
    /// Whether they belong to the organisation today.
    pub active: bool,
    /// Fields of the organisation's own.
    pub fields: BTreeMap<String, String>,
    /// Names of their groups, in order.
    pub groups: Vec<String>,
    /// Who made the entry.
    #[schema(value_type = String, example = "import")]
    pub source: DirectorySource,
}

/// Which people are listed.
#[derive(Debug, Clone, Default)]
pub struct DirectoryFilter {
    /// What their user name, name or e-mail address holds, whatever the case.
    pub text: Option<String>,
    /// A group they are in, by its name.
    pub group: Option<String>,
}

/// A page of the directory.
#[derive(Debug, Clone, Serialize)]
pub struct DirectoryPage {
    /// How many people pass the filter.
    pub total: u64,
    /// Those of this page, by user name.
    pub people: Vec<DirectoryPerson>,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct IntakeCounts {
    /// People that the source names.
    pub people: u64,
    /// Those that are new.
    pub added: u64,
    /// Those of whom something changed, their groups included.
    pub updated: u64,
    /// Those who are as they were.
    pub unchanged: u64,
    /// People whom the source did not name, and who are deactivated therefore.
    pub deactivated: u64,
    /// Groups that are new.
    pub groups_added: u64,
    /// People who came into a group, each time.
    pub memberships_added: u64,
    /// People who left a group, each time.
    pub memberships_removed: u64,
}

pub(super) const COLUMNS: &str =
    "id, uid, external_id, user_name, name, email, email_verified, active, fields, source";

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<DirectoryPerson> {
    let fields: String = row.get(8)?;
    Ok(DirectoryPerson {
        id: PersonId(row.get(0)?),
        uid: uid(row, 1)?,
        external_id: row.get(2)?,
        user_name: row.get(3)?,
        name: row.get(4)?,
        email: row.get(5)?,
        email_verified: row.get(6)?,
        active: row.get(7)?,
        fields: serde_json::from_str(&fields)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(8, Type::Text, Box::new(error)))?,
        groups: Vec::new(),
        source: row.get(9)?,
    })
}

pub(super) fn uid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    let bytes: Vec<u8> = row.get(column)?;
    Uuid::from_slice(&bytes)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error)))
}

impl Store {
    /// Lets people into the directory, in one transaction that is undone if `work` says so or fails.
    ///
    /// # Errors
    /// When the database cannot be written, and what `work` fails with.
    pub fn take_in<T, E: From<super::StoreError>>(
        &self,
        source: DirectorySource,
        now: Timestamp,
        new_uid: &mut dyn FnMut() -> Uuid,
        work: impl FnOnce(&mut Intake<'_>) -> std::result::Result<(Keep, T), E>,
    ) -> std::result::Result<T, E> {
        self.admit_change()?;
        let mut writer = self.lock_writer();
        let tx = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|source| self.sqlite(source))?;
        // Gone with the transaction, or at its end.
        tx.execute_batch("CREATE TEMP TABLE taken_in (person INTEGER PRIMARY KEY, line INTEGER NOT NULL)")
            .map_err(|source| self.sqlite(source))?;
        let mut intake = Intake {
            store: self,
            tx: &tx,
            source,
            now,
            new_uid,
            groups: BTreeMap::new(),
            counts: IntakeCounts::default(),
        };
        let (keep, value) = work(&mut intake)?;
        if keep == Keep::All {
            let end = || {
                tx.execute_batch("DROP TABLE taken_in")?;
                tx.commit()
            };
            end().map_err(|source| self.sqlite(source))?;
        }
        Ok(value)
    }

    /// The people that pass, by user name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_directory(&self, filter: &DirectoryFilter, limit: u32, offset: u32) -> Result<DirectoryPage> {
        const WHICH: &str = "FROM persons WHERE (?1 IS NULL OR instr(user_key, ?1) OR instr(email_key, ?1) OR instr(name_key, ?1))
             AND (?2 IS NULL OR id IN (SELECT person FROM memberships JOIN groups_ ON groups_.id = grp WHERE name_key = ?2))";
        let text = filter.text.as_deref().map(directory_key);
        let group = filter.group.as_deref().map(directory_key);
        self.read(|tx| {
            let total = tx
                .prepare_cached(&format!("SELECT count(*) {WHICH}"))?
                .query_row(params![text, group], |row| row.get(0))?;
            let mut people: Vec<DirectoryPerson> = tx
                .prepare_cached(&format!("SELECT {COLUMNS} {WHICH} ORDER BY user_key LIMIT ?3 OFFSET ?4"))?
                .query_map(params![text, group, limit, offset], from_row)?
                .collect::<rusqlite::Result<_>>()?;
            for person in &mut people {
                person.groups = groups_of(tx, person.id)?;
            }
            Ok(DirectoryPage { total, people })
        })
    }

    /// Whether there is a group of that name, whatever its case.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_group(&self, name: &str) -> Result<bool> {
        self.read(|tx| {
            tx.prepare_cached("SELECT 1 FROM groups_ WHERE name_key = ?1")?.exists([directory_key(name)])
        })
    }

    /// The person with that user name, whatever its case.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_person(&self, user_name: &str) -> Result<Option<DirectoryPerson>> {
        self.read(|tx| {
            let found = tx
                .prepare_cached(&format!("SELECT {COLUMNS} FROM persons WHERE user_key = ?1"))?
                .query_row([directory_key(user_name)], from_row)
                .optional()?;
            let Some(person) = found else { return Ok(None) };
            let groups = groups_of(tx, person.id)?;
            Ok(Some(DirectoryPerson { groups, ..person }))
        })
    }

    /// The person of that row.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_person_by_id(&self, id: PersonId) -> Result<Option<DirectoryPerson>> {
        self.read(|tx| person_by_id(tx, id))
    }
}

pub(super) fn person_by_id(tx: &Transaction<'_>, id: PersonId) -> rusqlite::Result<Option<DirectoryPerson>> {
    let found = tx
        .prepare_cached(&format!("SELECT {COLUMNS} FROM persons WHERE id = ?1"))?
        .query_row([id.0], from_row)
        .optional()?;
    let Some(person) = found else { return Ok(None) };
    let groups = groups_of(tx, person.id)?;
    Ok(Some(DirectoryPerson { groups, ..person }))
}

pub(super) fn groups_of(tx: &Transaction<'_>, person: PersonId) -> rusqlite::Result<Vec<String>> {
    tx.prepare_cached(
        "SELECT name FROM memberships JOIN groups_ ON groups_.id = grp WHERE person = ?1 ORDER BY name_key",
    )?
    .query_map([person.0], |row| row.get(0))?
    .collect()
}

/// Whether what was taken in stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It does.
    All,
    /// Nothing was changed: what was counted is what would be.
    Nothing,
}

/// People on their way into the directory, within one transaction.
pub struct Intake<'a> {
    pub(super) store: &'a Store,
    pub(super) tx: &'a Transaction<'a>,
    pub(super) source: DirectorySource,
    pub(super) now: Timestamp,
    pub(super) new_uid: &'a mut dyn FnMut() -> Uuid,
    groups: BTreeMap<String, i64>,
    counts: IntakeCounts,
}

impl Intake<'_> {
    /// What was done so far.
    pub const fn counts(&self) -> IntakeCounts {
        self.counts
    }

    /// Takes in what stands at `line` of the source. The inner error says why this person cannot be; then nothing is to be
    /// kept.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put(&mut self, line: u64, record: PersonRecord) -> Result<std::result::Result<PersonId, String>> {
        let checked = match record.checked() {
            Ok(checked) => checked,
            Err(why) => return Ok(Err(why)),
        };
        self.put_checked(line, &checked).map_err(|source| self.store.sqlite(source))
    }

    /// Deactivates those whom this source made and did not name this time.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn deactivate_missing(&mut self) -> Result<()> {
        let deactivated = self
            .tx
            .execute(
                "UPDATE persons SET active = 0, changed = ?2
                 WHERE active AND source = ?1 AND id NOT IN (SELECT person FROM taken_in)",
                params![self.source, Millis(self.now)],
            )
            .map_err(|source| self.store.sqlite(source))?;
        self.counts.deactivated = deactivated as u64;
        Ok(())
    }

    fn put_checked(
        &mut self,
        line: u64,
        record: &PersonRecord,
    ) -> rusqlite::Result<std::result::Result<PersonId, String>> {
        let found = match self.find(record)? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let (id, mut changed) = match &found {
            Some(old) => (old.id, self.change(old, record)?),
            None => (self.insert(record)?, false),
        };
        let fresh = self
            .tx
            .prepare_cached("INSERT INTO taken_in (person, line) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![id.0, line])?;
        if fresh == 0 {
            let first: u64 = self
                .tx
                .prepare_cached("SELECT line FROM taken_in WHERE person = ?1")?
                .query_row([id.0], |row| row.get(0))?;
            return Ok(Err(format!("this is the same person as in line {first}")));
        }
        if let Some(groups) = &record.groups {
            changed |= self.put_groups(id, groups)?;
        }
        self.counts.people += 1;
        match (found.is_some(), changed) {
            (false, _) => self.counts.added += 1,
            (true, true) => self.counts.updated += 1,
            (true, false) => self.counts.unchanged += 1,
        }
        Ok(Ok(id))
    }

    /// Whom the record means: by the source's id, else by user name.
    fn find(
        &self,
        record: &PersonRecord,
    ) -> rusqlite::Result<std::result::Result<Option<DirectoryPerson>, String>> {
        let by_name = self
            .tx
            .prepare_cached(&format!("SELECT {COLUMNS} FROM persons WHERE user_key = ?1"))?
            .query_row([directory_key(&record.user_name)], from_row)
            .optional()?;
        let Some(external_id) = &record.external_id else { return Ok(Ok(by_name)) };
        let by_id = self
            .tx
            .prepare_cached(&format!("SELECT {COLUMNS} FROM persons WHERE external_id = ?1"))?
            .query_row([external_id], from_row)
            .optional()?;
        let other = |name: &DirectoryPerson| {
            let theirs = name.external_id.as_deref().unwrap_or_default();
            format!(
                "the user name “{}” is that of another person, whose external id is “{theirs}”",
                record.user_name
            )
        };
        Ok(match (by_id, by_name) {
            (Some(id), Some(name)) if id.id != name.id => Err(other(&name)),
            (None, Some(name)) if name.external_id.is_some() => Err(other(&name)),
            (Some(found), _) | (None, Some(found)) => Ok(Some(found)),
            (None, None) => Ok(None),
        })
    }

    pub(super) fn insert(&mut self, record: &PersonRecord) -> rusqlite::Result<PersonId> {
        let fields: BTreeMap<&String, &String> =
            record.fields.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))).collect();
        let email = record.email.as_ref().and_then(Option::as_deref);
        let name = record.name.as_ref().and_then(Option::as_deref);
        self.tx
            .prepare_cached(
                "INSERT INTO persons (uid, external_id, user_name, user_key, name, name_key, email, email_key,
                   email_verified, active, fields, source, created, changed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13)",
            )?
            .execute(params![
                (self.new_uid)().as_bytes(),
                record.external_id,
                record.user_name,
                directory_key(&record.user_name),
                name,
                name.map(directory_key),
                email,
                email.map(directory_key),
                record.email_verified.unwrap_or(true),
                record.active.unwrap_or(true),
                json_of(&fields),
                self.source,
                Millis(self.now)
            ])?;
        let id = PersonId(self.tx.last_insert_rowid());
        fields.iter().try_for_each(|(name, value)| self.index_field(id, name, value))?;
        Ok(id)
    }

    /// Whether anything of the person changed.
    pub(super) fn update(&self, old: &DirectoryPerson, record: &PersonRecord) -> rusqlite::Result<bool> {
        let mut new = old.clone();
        new.user_name.clone_from(&record.user_name);
        new.external_id = record.external_id.clone().or(new.external_id);
        new.name = record.name.clone().unwrap_or(new.name);
        new.email = record.email.clone().unwrap_or(new.email);
        new.active = record.active.unwrap_or(new.active);
        // A new address is as good as its source says; the old one stays what it was.
        let said = record.email_verified.or((new.email != old.email).then_some(true));
        new.email_verified = said.unwrap_or(new.email_verified);
        for (name, value) in &record.fields {
            match value {
                Some(value) => new.fields.insert(name.clone(), value.clone()),
                None => new.fields.remove(name),
            };
        }
        if new == *old {
            return Ok(false);
        }
        self.tx
            .prepare_cached(
                "UPDATE persons SET external_id = ?2, user_name = ?3, user_key = ?4, name = ?5, email = ?6, email_key = ?7,
                   email_verified = ?8, active = ?9, fields = ?10, changed = ?11, name_key = ?12 WHERE id = ?1",
            )?
            .execute(params![
                new.id.0,
                new.external_id,
                new.user_name,
                directory_key(&new.user_name),
                new.name,
                new.email,
                new.email.as_deref().map(directory_key),
                new.email_verified,
                new.active,
                json_of(&new.fields),
                Millis(self.now),
                new.name.as_deref().map(directory_key)
            ])?;
        if new.fields != old.fields {
            self.tx.prepare_cached("DELETE FROM person_fields WHERE person = ?1")?.execute([new.id.0])?;
            new.fields.iter().try_for_each(|(name, value)| self.index_field(new.id, name, value))?;
        }
        Ok(true)
    }

    fn index_field(&self, person: PersonId, name: &str, value: &str) -> rusqlite::Result<()> {
        self.tx
            .prepare_cached("INSERT INTO person_fields (name, key, person) VALUES (?1, ?2, ?3)")?
            .execute(params![name, directory_key(value), person.0])
            .map(|_| ())
    }

    /// Whether somebody signs in with that name.
    pub(super) fn has_user_name(&self, user_name: &str) -> rusqlite::Result<bool> {
        self.tx
            .prepare_cached("SELECT 1 FROM persons WHERE user_key = ?1")?
            .exists([directory_key(user_name)])
    }

    /// Makes these the person's groups among those that this source made; others say themselves who is in theirs.
    pub(super) fn put_own_groups(&mut self, person: PersonId, groups: &[String]) -> rusqlite::Result<()> {
        let mut wanted = BTreeSet::new();
        for name in groups.iter().map(|name| name.trim()).filter(|name| is_group_name(name)) {
            wanted.insert(self.group(name)?);
        }
        let own = "SELECT id FROM groups_ WHERE source = ?2";
        self.tx
            .prepare_cached(&format!("DELETE FROM memberships WHERE person = ?1 AND grp IN ({own})"))?
            .execute(params![person.0, self.source])?;
        let mut join = self.tx.prepare_cached(&format!(
            "INSERT INTO memberships (grp, person) SELECT ?3, ?1 WHERE ?3 IN ({own})"
        ))?;
        for group in wanted {
            join.execute(params![person.0, self.source, group])?;
        }
        Ok(())
    }

    /// Whether the person's groups changed.
    fn put_groups(&mut self, person: PersonId, groups: &[String]) -> rusqlite::Result<bool> {
        let wanted: BTreeSet<i64> =
            groups.iter().map(|group| self.group(group)).collect::<rusqlite::Result<_>>()?;
        let held: BTreeSet<i64> = self
            .tx
            .prepare_cached("SELECT grp FROM memberships WHERE person = ?1")?
            .query_map([person.0], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut leave = self.tx.prepare_cached("DELETE FROM memberships WHERE grp = ?1 AND person = ?2")?;
        for group in held.difference(&wanted) {
            self.counts.memberships_removed += leave.execute(params![group, person.0])? as u64;
        }
        let mut join = self.tx.prepare_cached("INSERT INTO memberships (grp, person) VALUES (?1, ?2)")?;
        for group in wanted.difference(&held) {
            self.counts.memberships_added += join.execute(params![group, person.0])? as u64;
        }
        Ok(held != wanted)
    }

    /// The group of that name, made if it is new.
    fn group(&mut self, name: &str) -> rusqlite::Result<i64> {
        let key = directory_key(name);
        if let Some(id) = self.groups.get(&key) {
            return Ok(*id);
        }
        let known = self
            .tx
            .prepare_cached("SELECT id FROM groups_ WHERE name_key = ?1")?
            .query_row([&key], |row| row.get(0))
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => {
                self.tx
                    .prepare_cached(
                        "INSERT INTO groups_ (uid, name, name_key, source, created, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
                    )?
                    .execute(params![(self.new_uid)().as_bytes(), name, key, self.source, Millis(self.now)])?;
                self.counts.groups_added += 1;
                self.tx.last_insert_rowid()
            }
        };
        if self.groups.len() < GROUPS_REMEMBERED {
            self.groups.insert(key, id);
        }
        Ok(id)
    }
}

fn json_of(fields: &impl Serialize) -> String {
    // Texts by text: there is nothing in it that JSON has no form for.
    serde_json::to_string(fields).unwrap_or_else(|_| "{}".to_owned())
}
