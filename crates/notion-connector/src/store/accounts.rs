//! Accounts: how people of the directory sign in here, by a password or by what a provider knows them as.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::grants::roles_of;
use super::{Millis, Result, Store};
use crate::model::{PersonId, Role, Roles, directory_key};

/// A person who can sign in, or could with a role of theirs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Account {
    /// The name they sign in with.
    pub user_name: String,
    /// The name that is shown.
    pub name: Option<String>,
    /// Whether they belong to the organisation today; else they cannot sign in.
    pub active: bool,
    /// Whether they have a password here.
    pub has_password: bool,
    /// Providers that know them.
    pub providers: Vec<String>,
    /// What they may do beyond searching.
    #[schema(value_type = Vec<String>, example = json!(["security_admin"]))]
    pub roles: Roles,
}

/// Some of the accounts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccountPage {
    /// How many there are.
    pub total: u64,
    /// Those that were asked for, by user name.
    pub accounts: Vec<Account>,
}

/// What was taken from a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletedAccount {
    /// Whether they had a password, or a provider knew them.
    pub had_account: bool,
    /// Whether there was a link that would have set their password.
    pub had_invitation: bool,
}

/// What a password is compared with.
#[derive(Debug, Clone)]
pub struct SavedPassword {
    /// Whose it is.
    pub person: PersonId,
    /// Its hash as a PHC string.
    pub hash: String,
}

const WITH_ACCOUNT: &str = "FROM persons WHERE id IN (SELECT person FROM accounts)
     OR id IN (SELECT person FROM identities) OR id IN (SELECT person FROM role_grants WHERE person IS NOT NULL)";

impl Store {
    /// Keeps the hash of a person's password, instead of the one before. A link that would set another one opens nothing any more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_password(&self, person: PersonId, hash: &str, now: Timestamp) -> Result<()> {
        self.write(|tx| {
            tx.prepare_cached("DELETE FROM one_time_links WHERE person = ?1")?.execute([person.0])?;
            tx.prepare_cached(
                "INSERT INTO accounts (person, password, changed) VALUES (?1, ?2, ?3)
                 ON CONFLICT (person) DO UPDATE SET password = excluded.password, changed = excluded.changed",
            )?
            .execute(params![person.0, hash, Millis(now)])
            .map(|_| ())
        })
    }

    /// The password of an active person with that user name, whatever its case.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_password(&self, user_name: &str) -> Result<Option<SavedPassword>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT person, password FROM accounts JOIN persons ON persons.id = person WHERE user_key = ?1 AND active",
            )?
            .query_row([directory_key(user_name)], |row| {
                Ok(SavedPassword { person: PersonId(row.get(0)?), hash: row.get(1)? })
            })
            .optional()
        })
    }

    /// Forgets a person's password and what providers know them as, and takes their invitation back; what of it there was.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn delete_account(&self, person: PersonId, now: Timestamp) -> Result<DeletedAccount> {
        self.write(|tx| {
            let links = tx
                .prepare_cached("DELETE FROM one_time_links WHERE person = ?1 AND ends > ?2")?
                .execute(params![person.0, Millis(now)])?;
            let password =
                tx.prepare_cached("DELETE FROM accounts WHERE person = ?1")?.execute([person.0])?;
            let identities =
                tx.prepare_cached("DELETE FROM identities WHERE person = ?1")?.execute([person.0])?;
            Ok(DeletedAccount { had_account: password + identities > 0, had_invitation: links > 0 })
        })
    }

    /// People who can sign in or have a role of their own, by user name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_accounts(&self, limit: u32, offset: u32) -> Result<AccountPage> {
        self.read(|tx| {
            let total = tx
                .prepare_cached(&format!("SELECT count(*) {WITH_ACCOUNT}"))?
                .query_row([], |row| row.get(0))?;
            let found: Vec<(PersonId, Account)> = tx
                .prepare_cached(&format!(
                    "SELECT id, user_name, name, active, id IN (SELECT person FROM accounts) {WITH_ACCOUNT}
                     ORDER BY user_key LIMIT ?1 OFFSET ?2"
                ))?
                .query_map(params![limit, offset], |row| {
                    let account = Account {
                        user_name: row.get(1)?,
                        name: row.get(2)?,
                        active: row.get(3)?,
                        has_password: row.get(4)?,
                        providers: Vec::new(),
                        roles: Roles::NONE,
                    };
                    Ok((PersonId(row.get(0)?), account))
                })?
                .collect::<rusqlite::Result<_>>()?;
            let mut accounts = Vec::with_capacity(found.len());
            for (person, account) in found {
                let providers = tx
                    .prepare_cached(
                        "SELECT DISTINCT issuer FROM identities WHERE person = ?1 ORDER BY issuer",
                    )?
                    .query_map([person.0], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                accounts.push(Account { providers, roles: roles_of(tx, person)?, ..account });
            }
            Ok(AccountPage { total, accounts })
        })
    }
}

/// Whether an active person has that role and a way to sign in: an account here, or any at all where others vouch for people.
pub(super) fn has_account_with(tx: &Transaction<'_>, role: Role, by_others: bool) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM persons
           WHERE active AND (?2 OR id IN (SELECT person FROM accounts) OR id IN (SELECT person FROM identities))
             AND (id IN (SELECT person FROM role_grants WHERE role = ?1 AND person IS NOT NULL)
               OR id IN (SELECT memberships.person FROM role_grants JOIN memberships USING (grp) WHERE role = ?1)))",
    )?
    .query_row(params![role.as_str(), by_others], |row| row.get(0))
}
