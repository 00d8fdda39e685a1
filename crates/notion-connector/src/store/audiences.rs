//! Audiences: rules that say who may see a part of a connector, and what they mean for one person.
//!
//! Nothing is written down for a person: what they see is found out each time they ask, from their mappings, their groups and the
//! rules, so that a change of any of these takes effect at once. Rules by a column need marks in the index; see `positions`.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::external_users::UserState;
use super::links::redeliver;
use super::{Result, Store, named_enum};
use crate::model::{
    ConnectorId, NotionId, PersonId, RowsRuling, Ruling, Rulings, Sight, Sights, Viewer, directory_key,
    option_mark, person_mark,
};

named_enum! {
    /// What a grant names.
    pub(super) enum GrantKind {
        /// Everybody who is mapped.
        Everyone = "everyone",
        /// Whom the column of a row names.
        Named = "named",
        /// The people of a group.
        Group = "group",
        /// One person.
        Person = "person",
    }
}

/// To whom something is granted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum GrantedTo {
    /// Everybody who is mapped in the connector.
    Everyone,
    /// The people whom the row names in the rule's column.
    Named,
    /// The people of a group of the directory, by its name.
    Group(String),
    /// A person of the directory, by the user name.
    Person(String),
}

/// A part of what a rule grants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AudienceGrant {
    /// Of a rule by a column: the rows with this option only.
    pub value: Option<String>,
    /// To whom.
    pub to: GrantedTo,
}

/// A rule to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAudienceRule {
    /// What it is about, with all that lies below; none for the whole connector.
    pub place: Option<NotionId>,
    /// The column of the place, which is a data source, that its rows are decided by.
    pub column: Option<String>,
    /// What it grants; nothing closes the place to all.
    pub grants: Vec<AudienceGrant>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceRule {
    /// Its number.
    pub id: i64,
    /// What it says.
    pub rule: NewAudienceRule,
    /// The title of its place now; none where that is not known.
    pub title: Option<String>,
}

impl Store {
    /// Whether the items of a connector are seen by those only whom a rule grants them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_audiences(&self, connector: ConnectorId) -> Result<bool> {
        self.read(|tx| has_audiences(tx, connector))
    }

    /// Switches that on or off.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn set_audiences(&self, connector: ConnectorId, on: bool) -> Result<()> {
        self.write(|tx| {
            let statement = if on {
                "INSERT INTO audiences (connector) VALUES (?1) ON CONFLICT DO NOTHING"
            } else {
                "DELETE FROM audiences WHERE connector = ?1"
            };
            tx.execute(statement, [connector.0]).map(|_| ())
        })
    }

    /// The rules of a connector: that of the whole first, then as they were made.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_audience_rules(&self, connector: ConnectorId) -> Result<Vec<AudienceRule>> {
        self.read(|tx| load_rules(tx, connector))
    }

    /// Makes a rule, in place of the one that is at its place. The inner error names a group or a person that the directory does
    /// not have; then nothing is changed.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_audience_rule(
        &self,
        connector: ConnectorId,
        rule: &NewAudienceRule,
    ) -> Result<std::result::Result<i64, String>> {
        let saved = self.write(|tx| {
            for grant in &rule.grants {
                if let Err(unknown) = grantee_of(tx, &grant.to)? {
                    return Ok(Err(unknown));
                }
            }
            let id = place_rule(tx, connector, rule)?;
            let mut granted = Vec::new();
            for grant in &rule.grants {
                let Ok((kind, group, person)) = grantee_of(tx, &grant.to)? else { continue };
                // A name in two cases is one grantee.
                let one = (grant.value.clone(), kind, group, person);
                if granted.contains(&one) {
                    continue;
                }
                granted.push(one);
                tx.prepare_cached(
                    "INSERT INTO audience_grants (rule, value, kind, grp, person) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![id, grant.value, kind, group, person])?;
            }
            Ok(Ok(id))
        })?;
        self.hurry();
        Ok(saved)
    }

    /// Takes a rule away. False if there was none.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn delete_audience_rule(&self, connector: ConnectorId, id: i64) -> Result<bool> {
        self.write(|tx| {
            let deleted = tx.execute(
                "DELETE FROM audience_rules WHERE connector = ?1 AND id = ?2",
                params![connector.0, id],
            )?;
            Ok(deleted == 1)
        })
    }

    /// What a person of the directory sees: of the connectors in which they are mapped, as long as they are active, all, or what
    /// audience rules grant them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_viewer(&self, person: PersonId) -> Result<Viewer> {
        self.read(|tx| load_sights(tx, person).map(Viewer::Mapped))
    }
}

/// Whether rules go by what a row says, so that a change of it is one for all that lies below.
pub(super) fn goes_by_rows(tx: &Transaction<'_>, row: i64) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT 1 FROM items CROSS JOIN audience_rules ON place = items.home AND property IS NOT NULL WHERE items.id = ?1",
    )?
    .exists([row])
}

fn has_audiences(tx: &Transaction<'_>, connector: ConnectorId) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM audiences WHERE connector = ?1")?.exists([connector.0])
}

/// The rule at a place, without grants: the one that is there, or a new one. Marks of rows name the rule, so that those which were
/// made for another column, or for a rule that is gone, grant nothing.
fn place_rule(tx: &Transaction<'_>, connector: ConnectorId, rule: &NewAudienceRule) -> rusqlite::Result<i64> {
    const AT_PLACE: &str = "connector = ?1 AND ifnull(place, x'') = ifnull(?2, x'') AND (property IS NOT NULL) = (?3 IS NOT NULL)";
    let at_place = params![connector.0, rule.place, rule.column];
    let same: Option<i64> = tx
        .prepare_cached(&format!("SELECT id FROM audience_rules WHERE {AT_PLACE} AND property IS ?3"))?
        .query_row(at_place, |row| row.get(0))
        .optional()?;
    if let Some(id) = same {
        tx.prepare_cached("DELETE FROM audience_grants WHERE rule = ?1")?.execute([id])?;
        return Ok(id);
    }
    tx.prepare_cached(&format!("DELETE FROM audience_rules WHERE {AT_PLACE}"))?.execute(at_place)?;
    tx.prepare_cached("INSERT INTO audience_rules (connector, place, property) VALUES (?1, ?2, ?3)")?
        .execute(at_place)?;
    let id = tx.last_insert_rowid();
    if rule.column.is_some() {
        mark_rows(tx, connector, rule.place)?;
    }
    Ok(id)
}

/// What the rows of a data source say goes into the index.
fn mark_rows(tx: &Transaction<'_>, connector: ConnectorId, place: Option<NotionId>) -> rusqlite::Result<()> {
    let row: Option<i64> = tx
        .prepare_cached(
            "SELECT items.id FROM items JOIN connectors USING (workspace) WHERE connectors.id = ?1 AND object = ?2",
        )?
        .query_row(params![connector.0, place], |row| row.get(0))
        .optional()?;
    row.map_or(Ok(()), |row| redeliver(tx, row))
}

type GrantColumns = (GrantKind, Option<i64>, Option<i64>);

fn grantee_of(
    tx: &Transaction<'_>,
    grantee: &GrantedTo,
) -> rusqlite::Result<std::result::Result<GrantColumns, String>> {
    let find = |statement: &str, name: &str| {
        tx.prepare_cached(statement)?.query_row([directory_key(name)], |row| row.get::<_, i64>(0)).optional()
    };
    Ok(match grantee {
        GrantedTo::Everyone => Ok((GrantKind::Everyone, None, None)),
        GrantedTo::Named => Ok((GrantKind::Named, None, None)),
        GrantedTo::Group(name) => find("SELECT id FROM groups_ WHERE name_key = ?1", name)?
            .map(|group| (GrantKind::Group, Some(group), None))
            .ok_or_else(|| format!("the directory has no group “{name}”")),
        GrantedTo::Person(name) => find("SELECT id FROM persons WHERE user_key = ?1", name)?
            .map(|person| (GrantKind::Person, None, Some(person)))
            .ok_or_else(|| format!("the directory has nobody with the user name “{name}”")),
    })
}

fn load_rules(tx: &Transaction<'_>, connector: ConnectorId) -> rusqlite::Result<Vec<AudienceRule>> {
    let mut rules: Vec<AudienceRule> = tx
        .prepare_cached(
            "SELECT rules.id, place, property, (
               SELECT title FROM items JOIN connectors USING (workspace) WHERE connectors.id = ?1 AND object = place)
             FROM audience_rules rules WHERE connector = ?1 ORDER BY place IS NOT NULL, rules.id",
        )?
        .query_map([connector.0], |row| {
            let rule = NewAudienceRule { place: row.get(1)?, column: row.get(2)?, grants: Vec::new() };
            Ok(AudienceRule { id: row.get(0)?, rule, title: row.get(3)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut grants: BTreeMap<i64, Vec<AudienceGrant>> = BTreeMap::new();
    let mut select = tx.prepare_cached(
        "SELECT rule, value, kind, groups_.name, user_name FROM audience_rules
         JOIN audience_grants ON rule = audience_rules.id
         LEFT JOIN groups_ ON groups_.id = grp LEFT JOIN persons ON persons.id = person
         WHERE connector = ?1 ORDER BY rule, audience_grants.rowid",
    )?;
    let mut found = select.query([connector.0])?;
    while let Some(row) = found.next()? {
        grants.entry(row.get(0)?).or_default().push(AudienceGrant { value: row.get(1)?, to: grantee(row)? });
    }
    for rule in &mut rules {
        rule.rule.grants = grants.remove(&rule.id).unwrap_or_default();
    }
    Ok(rules)
}

fn grantee(row: &Row<'_>) -> rusqlite::Result<GrantedTo> {
    Ok(match row.get(2)? {
        GrantKind::Everyone => GrantedTo::Everyone,
        GrantKind::Named => GrantedTo::Named,
        GrantKind::Group => GrantedTo::Group(row.get(3)?),
        GrantKind::Person => GrantedTo::Person(row.get(4)?),
    })
}

fn load_sights(tx: &Transaction<'_>, person: PersonId) -> rusqlite::Result<Sights> {
    let mut mapped: BTreeMap<ConnectorId, Vec<NotionId>> = BTreeMap::new();
    let mut select = tx.prepare_cached(
        "SELECT connector, object FROM external_users JOIN persons ON persons.id = person
         WHERE person = ?1 AND state = ?2 AND active",
    )?;
    let mut found = select.query(params![person.0, UserState::Mapped])?;
    while let Some(row) = found.next()? {
        mapped.entry(ConnectorId(row.get(0)?)).or_default().push(row.get(1)?);
    }
    let mut sights = Sights::default();
    for (connector, named_as) in mapped {
        let sight = if has_audiences(tx, connector)? {
            Sight::Ruled(load_rulings(tx, connector, person, &named_as)?)
        } else {
            Sight::Everything
        };
        sights.connectors.insert(connector, sight);
    }
    sights.searches_joined = sees_whole_workspaces(tx, &sights)?;
    Ok(sights)
}

/// Whether a person sees all that is held of every workspace that they see anything of.
fn sees_whole_workspaces(tx: &Transaction<'_>, sights: &Sights) -> rusqlite::Result<bool> {
    let connectors: Vec<(ConnectorId, Option<NotionId>)> = tx
        .prepare_cached("SELECT id, workspace FROM connectors")?
        .query_map([], |row| Ok((ConnectorId(row.get(0)?), row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let seen = |connector: &ConnectorId| sights.connectors.get(connector) == Some(&Sight::Everything);
    let entered: BTreeSet<&Option<NotionId>> = connectors
        .iter()
        .filter(|(connector, _)| sights.connectors.contains_key(connector))
        .map(|(_, workspace)| workspace)
        .collect();
    Ok(connectors.iter().filter(|(_, workspace)| entered.contains(workspace)).all(|(one, _)| seen(one)))
}

fn load_rulings(
    tx: &Transaction<'_>,
    connector: ConnectorId,
    person: PersonId,
    named_as: &[NotionId],
) -> rusqlite::Result<Rulings> {
    let mut granted: BTreeMap<i64, Vec<(Option<String>, GrantKind)>> = BTreeMap::new();
    let mut select = tx.prepare_cached(
        "SELECT rule, value, kind FROM audience_rules JOIN audience_grants ON rule = audience_rules.id
         WHERE connector = ?1 AND (kind IN (?3, ?4) OR person = ?2
           OR grp IN (SELECT memberships.grp FROM memberships WHERE memberships.person = ?2))",
    )?;
    let mut found = select.query(params![connector.0, person.0, GrantKind::Everyone, GrantKind::Named])?;
    while let Some(row) = found.next()? {
        granted.entry(row.get(0)?).or_default().push((row.get(1)?, row.get(2)?));
    }
    let mut rulings = Rulings::default();
    let mut select =
        tx.prepare_cached("SELECT id, place, property FROM audience_rules WHERE connector = ?1")?;
    let mut found = select.query([connector.0])?;
    while let Some(row) = found.next()? {
        let (id, place, column): (i64, Option<NotionId>, Option<String>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let granted = granted.remove(&id).unwrap_or_default();
        match (place, column) {
            (None, _) => rulings.whole = !granted.is_empty(),
            (Some(place), None) => {
                rulings.places.entry(place).or_insert_with(Ruling::default).below = Some(!granted.is_empty());
            }
            (Some(place), Some(_)) => {
                let rows = rows_ruling(id, granted, named_as);
                rulings.places.entry(place).or_insert_with(Ruling::default).rows = Some(rows);
            }
        }
    }
    Ok(rulings)
}

fn rows_ruling(rule: i64, granted: Vec<(Option<String>, GrantKind)>, named_as: &[NotionId]) -> RowsRuling {
    let mut marks = BTreeSet::new();
    for (value, kind) in granted {
        match (value, kind) {
            (_, GrantKind::Named) => {
                marks.extend(named_as.iter().map(|user| person_mark(rule, *user)));
            }
            (Some(value), _) => {
                marks.insert(option_mark(rule, &value));
            }
            (None, _) => return RowsRuling::All,
        }
    }
    RowsRuling::Marked(marks)
}
