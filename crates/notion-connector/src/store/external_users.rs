//! People of Notion's: whom user permission crawls met, and who of the directory they are.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::people::save_names;
use super::{Crawl, CrawlId, Millis, Result, Store, Task, TaskKind, named_enum};
use crate::model::{ConnectorId, NotionId, PersonId, directory_key};

/// How long it is believed that there is nobody of an id: editors of long ago are not asked for in every crawl.
const GONE_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A person or bot, as Notion told of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetUser {
    /// Notion's id.
    pub id: NotionId,
    /// The name, where it may be read.
    pub name: Option<String>,
    /// The e-mail address, where it may be read.
    pub email: Option<String>,
    /// Whether Notion has seen that it is theirs; none where it does not say.
    pub email_verified: Option<bool>,
    /// Not a person.
    pub is_bot: bool,
}

named_enum! {
    /// How an external user stands.
    pub enum UserState {
        /// Somebody of the directory.
        Mapped = "mapped",
        /// Nobody of the directory.
        Unmapped = "unmapped",
        /// Nobody of Notion's any more.
        Gone = "gone",
    }
}

named_enum! {
    /// Why an external user is nobody of the directory.
    pub enum UnmappedReason {
        /// Notion tells nothing to go by: no e-mail address, no name.
        NoValue = "no_value",
        /// Notion says that the e-mail address is not verified.
        Unverified = "unverified",
        /// Nobody of the directory has the value.
        NoMatch = "no_match",
        /// More than one person of the directory has it.
        SeveralMatches = "several_matches",
        /// The mapping script failed, or was stopped.
        ScriptError = "script_error",
        /// The mapping script gave nothing.
        NoScriptValue = "no_script_value",
    }
}

named_enum! {
    /// What external users are listed by.
    pub enum UserOrder {
        /// Their name.
        Name = "name",
        /// Their e-mail address.
        Email = "email",
        /// Mapped or not, and why.
        State = "state",
        /// The user name of whom they are mapped to.
        Person = "person",
    }
}

/// In which attribute of the directory somebody is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// The e-mail address, where it is known to be theirs.
    Email,
    /// The user name.
    UserName,
    /// The source's own id.
    ExternalId,
    /// The name that is shown.
    Name,
    /// A field of the organisation's own.
    Field(&'a str),
}

/// Who of the directory has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Exactly one person.
    One(PersonId),
    /// Nobody.
    None,
    /// More than one.
    Several,
}

/// What became of somebody who was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserVerdict {
    /// Who it is, or why it is nobody.
    pub mapping: std::result::Result<PersonId, UnmappedReason>,
    /// What was looked for.
    pub value: Option<String>,
}

/// What a user permission crawl did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserCounters {
    /// People of Notion's that are somebody of the directory.
    pub mapped: u64,
    /// Those that are nobody.
    pub unmapped: u64,
    /// Those that no crawl had met before.
    pub added: u64,
    /// Those that are gone from the workspace.
    pub deleted: u64,
}

/// How many people of a connector are mapped.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserCounts {
    /// Name of the connector.
    pub connector: String,
    /// Those that are somebody of the directory.
    pub mapped: u64,
    /// Those that are nobody.
    pub unmapped: u64,
}

/// Which external users are listed.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// Of this connector.
    pub connector: Option<ConnectorId>,
    /// That stand so.
    pub state: Option<UserState>,
    /// For this reason.
    pub reason: Option<UnmappedReason>,
    /// Whose name or e-mail address, or that of whom they are mapped to, holds this.
    pub text: Option<String>,
}

/// An external user with whom they are mapped to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExternalUser {
    /// Name of the connector.
    pub connector: String,
    /// Notion's id.
    #[schema(value_type = String)]
    pub id: NotionId,
    /// Their name in Notion.
    pub name: Option<String>,
    /// Their e-mail address in Notion.
    pub email: Option<String>,
    /// Whether they are a guest: no list of Notion's has them.
    pub is_guest: bool,
    /// Mapped or unmapped.
    #[schema(value_type = String, example = "mapped")]
    pub state: UserState,
    /// Why unmapped.
    #[schema(value_type = Option<String>, example = "no_match")]
    pub reason: Option<UnmappedReason>,
    /// What was looked for in the directory.
    pub value: Option<String>,
    /// User name of whom they are mapped to.
    pub person: Option<String>,
    /// Name of whom they are mapped to.
    pub person_name: Option<String>,
    /// Whether that person is active in the directory: else they see nothing.
    pub person_active: Option<bool>,
    /// That person's groups.
    pub groups: Vec<String>,
}

/// A page of external users.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserPage {
    /// How many pass the filter.
    pub total: u64,
    /// Those of this page.
    pub users: Vec<ExternalUser>,
}

impl Store {
    /// Saves whom a page of the list of people, or the question for one of them, told of, and ends the task there.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn save_met_users(
        &self,
        workspace: NotionId,
        task: &Task,
        users: &[MetUser],
        next_cursor: Option<&str>,
    ) -> Result<()> {
        self.try_write(|tx| {
            self.finish_in(tx, task, next_cursor)?;
            let save = || {
                save_names(tx, workspace, users)?;
                let mut meet = tx.prepare_cached(
                    "INSERT INTO met_users (crawl, object, name, email, email_verified, is_guest)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
                )?;
                let is_guest = task.kind == TaskKind::ReadUser;
                for user in users.iter().filter(|user| !user.is_bot) {
                    let email = user.email.as_deref().map(str::trim).filter(|email| !email.is_empty());
                    meet.execute(params![
                        task.crawl.0,
                        user.id,
                        user.name,
                        email,
                        user.email_verified,
                        is_guest
                    ])?;
                }
                Ok(())
            };
            save().map_err(|source| self.sqlite(source))
        })
    }

    /// Notion has nobody of that id: whoever was known by it is gone.
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn save_gone_user(&self, crawl: &Crawl, task: &Task, user: NotionId, now: Timestamp) -> Result<()> {
        self.try_write(|tx| {
            self.finish_in(tx, task, None)?;
            let save = || {
                let left = tx
                    .prepare_cached(
                        "UPDATE external_users SET state = ?3, person = NULL, value = NULL, reason = NULL
                         WHERE connector = ?1 AND object = ?2 AND state <> ?3",
                    )?
                    .execute(params![crawl.connector.0, user, UserState::Gone])?;
                tx.execute(
                    "UPDATE crawls SET users_deleted = users_deleted + ?2 WHERE id = ?1",
                    params![crawl.id.0, left],
                )?;
                tx.prepare_cached(
                    "INSERT INTO external_users (connector, object, is_guest, state, told) VALUES (?1, ?2, 1, ?3, ?4)
                     ON CONFLICT DO UPDATE SET told = excluded.told",
                )?
                .execute(params![crawl.connector.0, user, UserState::Gone, Millis(now)])
                .map(|_| ())
            };
            save().map_err(|source| self.sqlite(source))
        })
    }

    /// Queues a question for each person whom the list omits: those that are known already, and those whom content names.
    /// Bots aside. Returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn queue_users(&self, crawl: &Crawl, now: Timestamp) -> Result<u64> {
        let believed = now.checked_sub(GONE_FOR).unwrap_or(now);
        self.write(|tx| {
            let queued = tx.execute(
                "INSERT INTO tasks (crawl, kind, target, state, priority)
                 SELECT ?1, ?3, object, 'ready', ?4 FROM (
                     SELECT DISTINCT links.target AS object
                     FROM holders CROSS JOIN links ON links.item = holders.item
                     WHERE holders.connector = ?2 AND links.kind IN ('person', 'creator', 'mentioned')
                     UNION SELECT object FROM external_users WHERE connector = ?2 AND state <> ?5) named
                 WHERE NOT EXISTS (SELECT 1 FROM met_users WHERE crawl = ?1 AND met_users.object = named.object)
                   AND NOT EXISTS (SELECT 1 FROM people WHERE is_bot AND people.object = named.object
                     AND workspace = (SELECT workspace FROM connectors WHERE id = ?2))
                   AND NOT EXISTS (SELECT 1 FROM external_users gone WHERE gone.connector = ?2
                     AND gone.object = named.object AND gone.state = ?5 AND gone.told > ?6)",
                params![
                    crawl.id.0,
                    crawl.connector.0,
                    TaskKind::ReadUser,
                    TaskKind::ReadUser.priority(),
                    UserState::Gone,
                    Millis(believed)
                ],
            )?;
            Ok(queued as u64)
        })
    }

    /// How many people a crawl met, and how many of them with an e-mail address.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_met_users(&self, crawl: CrawlId) -> Result<(u64, u64)> {
        self.read(|tx| {
            tx.prepare_cached("SELECT count(*), count(email) FROM met_users WHERE crawl = ?1")?
                .query_row([crawl.0], |row| Ok((row.get(0)?, row.get(1)?)))
        })
    }

    /// People whom a crawl met and that are not accounted for, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_met_users(&self, crawl: CrawlId, limit: u32) -> Result<Vec<MetUser>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT object, name, email, email_verified FROM met_users WHERE crawl = ?1 AND accounted = 0
                 ORDER BY object LIMIT ?2",
            )?
            .query_map(params![crawl.0, limit], |row| {
                Ok(MetUser {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    email: row.get(2)?,
                    email_verified: row.get(3)?,
                    is_bot: false,
                })
            })?
            .collect()
        })
    }

    /// Who of the directory has this value. Those who are active go before those who are not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find_person(&self, by: Lookup<'_>, value: &str) -> Result<Found> {
        self.read(|tx| find_person(tx, by, value))
    }

    /// Whether the directory has people, and none of them has anything there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn lacks_attribute(&self, of: Lookup<'_>) -> Result<bool> {
        let (which, field) = match of {
            Lookup::Email => ("persons WHERE email_key IS NOT NULL AND email_verified", None),
            Lookup::UserName => ("persons WHERE TRUE", None),
            Lookup::ExternalId => ("persons WHERE external_id IS NOT NULL", None),
            Lookup::Name => ("persons WHERE name_key IS NOT NULL", None),
            Lookup::Field(name) => ("person_fields WHERE name = ?1", Some(name)),
        };
        self.read(|tx| {
            tx.prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM persons) AND NOT EXISTS (SELECT 1 FROM {which} AND ?1 IS ?1)"
            ))?
            .query_row([field], |row| row.get(0))
        })
    }

    /// Names of the organisation's own fields that somebody of the directory has, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_field_names(&self, limit: u32) -> Result<Vec<String>> {
        self.read(|tx| {
            // From one name to the next, whatever number of people has it.
            tx.prepare_cached(
                "WITH RECURSIVE names (name) AS (
                   SELECT min(name) FROM person_fields
                   UNION ALL SELECT (SELECT min(name) FROM person_fields WHERE name > names.name) FROM names WHERE names.name IS NOT NULL)
                 SELECT name FROM names WHERE name IS NOT NULL LIMIT ?1",
            )?
            .query_map([limit], |row| row.get(0))?
            .collect()
        })
    }

    /// Accounts for people whom a crawl met: each is mapped or not. Without a verdict somebody stays as they are, or is unmapped
    /// for want of a value if they are new. Of new ones there is room for so many; returns how many were kept, and how many
    /// not.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_user_verdicts(
        &self,
        crawl: &Crawl,
        verdicts: &[(NotionId, Option<UserVerdict>)],
        room: u64,
        now: Timestamp,
    ) -> Result<(u64, u64)> {
        self.write(|tx| {
            let (mut kept, mut left_out) = (0, 0);
            for (user, verdict) in verdicts {
                match account(tx, crawl, *user, verdict.as_ref(), kept < room, now)? {
                    Accounted::New => kept += 1,
                    Accounted::LeftOut => left_out += 1,
                    Accounted::Known => {}
                }
            }
            Ok((kept, left_out))
        })
    }

    /// How many people a connector holds.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_users_of(&self, connector: ConnectorId) -> Result<u64> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT count(*) FROM external_users WHERE connector = ?1 AND state IN (?2, ?3)",
            )?
            .query_row(params![connector.0, UserState::Mapped, UserState::Unmapped], |row| row.get(0))
        })
    }

    /// Forgets whom a crawl met, when all are accounted for.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn drop_met_users(&self, crawl: CrawlId) -> Result<()> {
        self.write(|tx| tx.execute("DELETE FROM met_users WHERE crawl = ?1", [crawl.0]).map(|_| ()))
    }

    /// How many people of a connector are mapped.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_mapped_of(&self, connector: ConnectorId) -> Result<u64> {
        self.read(|tx| {
            tx.prepare_cached("SELECT count(*) FROM external_users WHERE connector = ?1 AND state = ?2")?
                .query_row(params![connector.0, UserState::Mapped], |row| row.get(0))
        })
    }

    /// How many people of each connector are mapped, by the connector's name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_users(&self) -> Result<Vec<UserCounts>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT name, (SELECT count(*) FROM external_users WHERE connector = connectors.id AND state = ?1),
                   (SELECT count(*) FROM external_users WHERE connector = connectors.id AND state = ?2)
                 FROM connectors ORDER BY name",
            )?
            .query_map(params![UserState::Mapped, UserState::Unmapped], |row| {
                Ok(UserCounts { connector: row.get(0)?, mapped: row.get(1)?, unmapped: row.get(2)? })
            })?
            .collect()
        })
    }

    /// The external users that pass, those that are gone aside.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_users(
        &self,
        filter: &UserFilter,
        order: UserOrder,
        limit: u32,
        offset: u32,
    ) -> Result<UserPage> {
        const WHICH: &str = "FROM external_users AS met JOIN connectors ON connectors.id = met.connector
             LEFT JOIN persons ON persons.id = met.person
             WHERE met.state <> 'gone' AND (?1 IS NULL OR met.connector = ?1) AND (?2 IS NULL OR met.state = ?2)
               AND (?3 IS NULL OR met.reason = ?3)
               AND (?4 IS NULL OR instr(lower(met.name), ?4) OR instr(lower(met.email), ?4) OR instr(user_key, ?4)
                 OR instr(name_key, ?4) OR instr(email_key, ?4))";
        let order = match order {
            UserOrder::Name => "lower(met.name)",
            UserOrder::Email => "lower(met.email)",
            UserOrder::State => "met.state, met.reason, lower(met.name)",
            UserOrder::Person => "user_key IS NULL, user_key",
        };
        let text = filter.text.as_deref().map(directory_key);
        let connector = filter.connector.map(|id| id.0);
        let which = params![connector, filter.state, filter.reason, text];
        self.read(|tx| {
            let total =
                tx.prepare_cached(&format!("SELECT count(*) {WHICH}"))?.query_row(which, |row| row.get(0))?;
            let mut found: Vec<(ExternalUser, Option<i64>)> = tx
                .prepare_cached(&format!(
                    "SELECT connectors.name, met.object, met.name, met.email, met.is_guest, met.state, met.reason, met.value,
                       persons.user_name, persons.name, persons.active, persons.id
                     {WHICH} ORDER BY {order}, met.connector, met.object LIMIT ?5 OFFSET ?6"
                ))?
                .query_map(
                    params![connector, filter.state, filter.reason, text, limit, offset],
                    |row| {
                        let user = ExternalUser {
                            connector: row.get(0)?,
                            id: row.get(1)?,
                            name: row.get(2)?,
                            email: row.get(3)?,
                            is_guest: row.get(4)?,
                            state: row.get(5)?,
                            reason: row.get(6)?,
                            value: row.get(7)?,
                            person: row.get(8)?,
                            person_name: row.get(9)?,
                            person_active: row.get(10)?,
                            groups: Vec::new(),
                        };
                        Ok((user, row.get(11)?))
                    },
                )?
                .collect::<rusqlite::Result<_>>()?;
            for (user, person) in &mut found {
                if let Some(person) = person {
                    user.groups = super::directory::groups_of(tx, PersonId(*person))?;
                }
            }
            Ok(UserPage { total, users: found.into_iter().map(|(user, _)| user).collect() })
        })
    }
}

fn find_person(tx: &Transaction<'_>, by: Lookup<'_>, value: &str) -> rusqlite::Result<Found> {
    let key = directory_key(value);
    if key.is_empty() {
        return Ok(Found::None);
    }
    // Two of each tell whether there is exactly one.
    let by_column = |which: &str, value: &str| {
        tx.prepare_cached(&format!(
            "SELECT id, active FROM persons WHERE {which} ORDER BY NOT active LIMIT 3"
        ))?
        .query_map([value], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, bool)>>>()
    };
    let found = match by {
        Lookup::Email => by_column("email_key = ?1 AND email_verified", &key)?,
        Lookup::UserName => by_column("user_key = ?1", &key)?,
        Lookup::ExternalId => by_column("external_id = ?1", value.trim())?,
        Lookup::Name => by_column("name_key = ?1", &key)?,
        Lookup::Field(name) => tx
            .prepare_cached(
                "SELECT id, active FROM person_fields JOIN persons ON persons.id = person
                 WHERE person_fields.name = ?1 AND key = ?2 ORDER BY NOT active LIMIT 3",
            )?
            .query_map([name, &key], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<Vec<(i64, bool)>>>()?,
    };
    Ok(match found.as_slice() {
        [] => Found::None,
        [(only, _)] | [(only, true), (_, false), ..] => Found::One(PersonId(*only)),
        _ => Found::Several,
    })
}

/// What became of somebody's entry.
enum Accounted {
    /// There was none.
    New,
    /// There was one, or they are accounted for already.
    Known,
    /// There was none, and no room for one.
    LeftOut,
}

fn account(
    tx: &Transaction<'_>,
    crawl: &Crawl,
    user: NotionId,
    verdict: Option<&UserVerdict>,
    has_room: bool,
    now: Timestamp,
) -> rusqlite::Result<Accounted> {
    let open = tx
        .prepare_cached(
            "UPDATE met_users SET accounted = 1 WHERE crawl = ?1 AND object = ?2 AND NOT accounted",
        )?
        .execute(params![crawl.id.0, user])?;
    if open == 0 {
        return Ok(Accounted::Known);
    }
    let before: Option<UserState> = tx
        .prepare_cached("SELECT state FROM external_users WHERE connector = ?1 AND object = ?2")?
        .query_row(params![crawl.connector.0, user], |row| row.get(0))
        .optional()?;
    let is_new = before.is_none_or(|state| state == UserState::Gone);
    if is_new && !has_room {
        tx.prepare_cached("UPDATE crawls SET users_unmapped = users_unmapped + 1 WHERE id = ?1")?
            .execute([crawl.id.0])?;
        return Ok(Accounted::LeftOut);
    }
    let unmapped = UserVerdict { mapping: Err(UnmappedReason::NoValue), value: None };
    let verdict = verdict.or(is_new.then_some(&unmapped));
    tx.prepare_cached(
        "INSERT INTO external_users (connector, object, name, email, email_verified, is_guest, state, told)
         SELECT ?1, object, name, email, email_verified, is_guest, ?4, ?5 FROM met_users WHERE crawl = ?2 AND object = ?3
         ON CONFLICT DO UPDATE SET name = excluded.name, email = excluded.email, email_verified = excluded.email_verified,
           is_guest = excluded.is_guest, told = excluded.told",
    )?
    .execute(params![crawl.connector.0, crawl.id.0, user, UserState::Unmapped, Millis(now)])?;
    let state = match verdict {
        Some(verdict) => {
            let state = if verdict.mapping.is_ok() { UserState::Mapped } else { UserState::Unmapped };
            tx.prepare_cached(
                "UPDATE external_users SET state = ?3, reason = ?4, value = ?5, person = ?6
                 WHERE connector = ?1 AND object = ?2",
            )?
            .execute(params![
                crawl.connector.0,
                user,
                state,
                verdict.mapping.err(),
                verdict.value,
                verdict.mapping.ok().map(|person| person.0)
            ])?;
            state
        }
        None => before.unwrap_or(UserState::Unmapped),
    };
    let column = if state == UserState::Mapped { "users_mapped" } else { "users_unmapped" };
    tx.prepare_cached(&format!(
        "UPDATE crawls SET {column} = {column} + 1, users_added = users_added + ?2 WHERE id = ?1"
    ))?
    .execute(params![crawl.id.0, is_new])?;
    Ok(if is_new { Accounted::New } else { Accounted::Known })
}
