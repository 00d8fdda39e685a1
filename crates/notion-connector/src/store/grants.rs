//! Roles of people: granted to themselves or to a group of theirs. Whoever is active in the directory is a search user.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Millis, Result, Store};
use crate::model::{PersonId, Role, Roles, directory_key};

/// Who is given a role, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grantee<'a> {
    /// A person, by user name.
    Person(&'a str),
    /// Everybody of a group.
    Group(&'a str),
}

/// What came of granting or revoking a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleChange {
    /// It was done.
    Done,
    /// It was so before.
    Already,
    /// The directory has nobody of that name.
    NoSuchGrantee,
}

/// A role that somebody was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RoleGrant {
    /// Which.
    pub role: String,
    /// User name of the person, if it was a person.
    pub person: Option<String>,
    /// Name of the group, if it was one.
    pub group: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub granted: Timestamp,
}

/// A person who may do something here today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Who.
    pub id: PersonId,
    /// The name they sign in with.
    pub user_name: String,
    /// All their roles.
    pub roles: Roles,
}

impl Store {
    /// Gives a role.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn grant_role(&self, role: Role, to: Grantee<'_>, now: Timestamp) -> Result<RoleChange> {
        self.write(|tx| {
            let Some((person, group)) = find(tx, to)? else { return Ok(RoleChange::NoSuchGrantee) };
            let added = tx
                .prepare_cached(
                    "INSERT INTO role_grants (role, person, grp, granted) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                )?
                .execute(params![role.as_str(), person, group, Millis(now)])?;
            Ok(if added > 0 { RoleChange::Done } else { RoleChange::Already })
        })
    }

    /// Takes a role back.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn revoke_role(&self, role: Role, from: Grantee<'_>) -> Result<RoleChange> {
        self.write(|tx| {
            let Some((person, group)) = find(tx, from)? else { return Ok(RoleChange::NoSuchGrantee) };
            let removed = tx
                .prepare_cached("DELETE FROM role_grants WHERE role = ?1 AND person IS ?2 AND grp IS ?3")?
                .execute(params![role.as_str(), person, group])?;
            Ok(if removed > 0 { RoleChange::Done } else { RoleChange::Already })
        })
    }

    /// Every role that was given, by role and name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_grants(&self) -> Result<Vec<RoleGrant>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT role, user_name, groups_.name, granted FROM role_grants
                   LEFT JOIN persons ON persons.id = person LEFT JOIN groups_ ON groups_.id = grp
                 ORDER BY role, user_key, groups_.name_key",
            )?
            .query_map([], |row| {
                let granted: Millis = row.get(3)?;
                Ok(RoleGrant {
                    role: row.get(0)?,
                    person: row.get(1)?,
                    group: row.get(2)?,
                    granted: granted.0,
                })
            })?
            .collect()
        })
    }

    /// What a person may do today; none where there is no such person, or they are deactivated.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_standing(&self, person: PersonId) -> Result<Option<Standing>> {
        self.read(|tx| {
            let name = tx
                .prepare_cached("SELECT user_name FROM persons WHERE id = ?1 AND active")?
                .query_row([person.0], |row| row.get(0))
                .optional()?;
            let Some(user_name) = name else { return Ok(None) };
            let granted = roles_of(tx, person)?;
            let roles = granted.or([Role::SearchUser].into_iter().collect());
            Ok(Some(Standing { id: person, user_name, roles }))
        })
    }
}

fn find(tx: &Transaction<'_>, grantee: Grantee<'_>) -> rusqlite::Result<Option<(Option<i64>, Option<i64>)>> {
    let (sql, name) = match grantee {
        Grantee::Person(name) => ("SELECT id FROM persons WHERE user_key = ?1", name),
        Grantee::Group(name) => ("SELECT id FROM groups_ WHERE name_key = ?1", name),
    };
    let id: Option<i64> =
        tx.prepare_cached(sql)?.query_row([directory_key(name)], |row| row.get(0)).optional()?;
    Ok(id.map(|id| match grantee {
        Grantee::Person(_) => (Some(id), None),
        Grantee::Group(_) => (None, Some(id)),
    }))
}

/// What was granted to a person, or to a group of theirs.
pub(super) fn roles_of(tx: &Transaction<'_>, person: PersonId) -> rusqlite::Result<Roles> {
    tx.prepare_cached(
        "SELECT role FROM role_grants WHERE person = ?1
         UNION SELECT role FROM role_grants JOIN memberships USING (grp) WHERE memberships.person = ?1",
    )?
    .query_map([person.0], |row| {
        let name: String = row.get(0)?;
        name.parse::<Role>().map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(std::io::Error::other(error)))
        })
    })?
    .collect()
}
