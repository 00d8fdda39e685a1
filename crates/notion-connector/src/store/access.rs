//! Who is granted what, for those who ask about it: the people whom a rule lets see an item, and as whom a person is mapped.

use rusqlite::{Transaction, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::audiences::GrantKind;
use super::external_users::UserState;
use super::items::{to_json, unreadable};
use super::{Packed, Result, Store};
use crate::model::{ConnectorId, Item, NotionId, PersonId, option_mark};

/// An external user that a person is mapped to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MappedAs {
    /// Name of the connector.
    pub connector: String,
    /// Notion's id.
    #[schema(value_type = String)]
    pub id: NotionId,
    /// Their name in Notion.
    pub name: Option<String>,
    /// Their e-mail address in Notion.
    pub email: Option<String>,
}

/// A person whom a rule grants something, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// Who.
    pub person: PersonId,
    /// The user name.
    pub user_name: String,
    /// The name that is shown.
    pub name: Option<String>,
    /// Whether the rule grants it to everybody.
    pub as_everyone: bool,
    /// Whether it names this person.
    pub by_name: bool,
    /// Whether the row names them.
    pub as_named: bool,
    /// Names of the groups that the rule grants it to and that they are in.
    pub groups: Vec<String>,
}

/// What a rule grants of one item, whatever its grants are worth for others.
struct Applying {
    everyone: bool,
    groups: Vec<i64>,
    persons: Vec<i64>,
    /// Ids of external users, in hexadecimal.
    named: Vec<String>,
}

impl Store {
    /// The mapped people to whom a rule grants an item with these marks, by user name, and how many there are; without a rule,
    /// all that are mapped in the connector.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_granted(
        &self,
        connector: ConnectorId,
        rule: Option<i64>,
        marks: &[String],
        limit: u32,
    ) -> Result<(u64, Vec<Granted>)> {
        const WHICH: &str = "FROM persons
             WHERE active AND id IN (SELECT person FROM external_users WHERE connector = ?1 AND state = ?2)
               AND (?3 OR id IN (SELECT person FROM memberships WHERE grp IN (SELECT value FROM json_each(?4)))
                 OR id IN (SELECT value FROM json_each(?5))
                 OR id IN (SELECT person FROM external_users
                   WHERE connector = ?1 AND state = ?2 AND lower(hex(object)) IN (SELECT value FROM json_each(?6))))";
        self.read(|tx| {
            let applying = match rule {
                Some(rule) => applying(tx, rule, marks)?,
                None => {
                    Applying { everyone: true, groups: Vec::new(), persons: Vec::new(), named: Vec::new() }
                }
            };
            let (groups, persons) = (to_json(&applying.groups)?, to_json(&applying.persons)?);
            let named = to_json(&applying.named)?;
            let which = params![connector.0, UserState::Mapped, applying.everyone, groups, persons, named];
            let total =
                tx.prepare_cached(&format!("SELECT count(*) {WHICH}"))?.query_row(which, |row| row.get(0))?;
            let found: Vec<(i64, String, Option<String>)> = tx
                .prepare_cached(&format!("SELECT id, user_name, name {WHICH} ORDER BY user_key LIMIT ?7"))?
                .query_map(
                    params![connector.0, UserState::Mapped, applying.everyone, groups, persons, named, limit],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )?
                .collect::<rusqlite::Result<_>>()?;
            let granted = found.into_iter().map(|(person, user_name, name)| {
                Ok(Granted {
                    person: PersonId(person),
                    user_name,
                    name,
                    as_everyone: applying.everyone,
                    by_name: applying.persons.contains(&person),
                    as_named: is_named(tx, connector, person, &named)?,
                    groups: groups_among(tx, person, &groups)?,
                })
            });
            Ok((total, granted.collect::<rusqlite::Result<_>>()?))
        })
    }

    /// As whom a person is mapped, by connector.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_mapped_as(&self, person: PersonId) -> Result<Vec<MappedAs>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT connectors.name, object, external_users.name, email
                 FROM external_users JOIN connectors ON connectors.id = connector
                 WHERE person = ?1 AND external_users.state = ?2 ORDER BY connectors.name, object",
            )?
            .query_map(params![person.0, UserState::Mapped], |row| {
                Ok(MappedAs {
                    connector: row.get(0)?,
                    id: row.get(1)?,
                    name: row.get(2)?,
                    email: row.get(3)?,
                })
            })?
            .collect()
        })
    }

    /// The data sources of a database, as the connector's workspace has them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_data_sources(&self, connector: ConnectorId, database: NotionId) -> Result<Vec<NotionId>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT object FROM items WHERE workspace = (SELECT workspace FROM connectors WHERE id = ?1)
                   AND home = ?2 AND kind = 'data_source' ORDER BY id",
            )?
            .query_map(params![connector.0, database], |row| row.get(0))?
            .collect()
        })
    }

    /// Some rows of a data source.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_some_rows(
        &self,
        connector: ConnectorId,
        data_source: NotionId,
        limit: u32,
    ) -> Result<Vec<Item>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT rendered FROM items WHERE workspace = (SELECT workspace FROM connectors WHERE id = ?1)
                   AND home = ?2 AND rendered IS NOT NULL LIMIT ?3",
            )?
            .query_map(params![connector.0, data_source, limit], |row| {
                let Packed(text) = row.get(0)?;
                serde_json::from_str(&text).map_err(|error| unreadable(0, error))
            })?
            .collect()
        })
    }
}

fn applying(tx: &Transaction<'_>, rule: i64, marks: &[String]) -> rusqlite::Result<Applying> {
    let mut applying =
        Applying { everyone: false, groups: Vec::new(), persons: Vec::new(), named: Vec::new() };
    let mut select =
        tx.prepare_cached("SELECT value, kind, grp, person FROM audience_grants WHERE rule = ?1")?;
    let mut grants = select.query([rule])?;
    while let Some(grant) = grants.next()? {
        let value: Option<String> = grant.get(0)?;
        let kind: GrantKind = grant.get(1)?;
        let applies = value.is_none_or(|value| marks.contains(&option_mark(rule, &value)));
        match kind {
            GrantKind::Named => {
                let prefix = format!("{rule}@");
                applying
                    .named
                    .extend(marks.iter().filter_map(|mark| mark.strip_prefix(&prefix)).map(str::to_owned));
            }
            _ if !applies => {}
            GrantKind::Everyone => applying.everyone = true,
            GrantKind::Group => applying.groups.extend(grant.get::<_, Option<i64>>(2)?),
            GrantKind::Person => applying.persons.extend(grant.get::<_, Option<i64>>(3)?),
        }
    }
    Ok(applying)
}

fn is_named(
    tx: &Transaction<'_>,
    connector: ConnectorId,
    person: i64,
    named: &str,
) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT 1 FROM external_users WHERE connector = ?1 AND person = ?2 AND state = ?3
           AND lower(hex(object)) IN (SELECT value FROM json_each(?4))",
    )?
    .exists(params![connector.0, person, UserState::Mapped, named])
}

fn groups_among(tx: &Transaction<'_>, person: i64, groups: &str) -> rusqlite::Result<Vec<String>> {
    tx.prepare_cached(
        "SELECT name FROM memberships JOIN groups_ ON groups_.id = grp
         WHERE person = ?1 AND grp IN (SELECT value FROM json_each(?2)) ORDER BY name_key",
    )?
    .query_map(params![person, groups], |row| row.get(0))?
    .collect()
}
