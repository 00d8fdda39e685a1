//! The audit log: who did what, from where, to what. Rows are only added, and each one's hash covers the one before it: what is
//! changed or taken out by other means shows from there on.

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Result, Store, named_enum};

named_enum! {
    /// How far an act that the log names came.
    pub enum AuditStage {
        /// It is about to be done; written before it is.
        Begun = "begun",
        /// The caller may not do it, and it was not done.
        Refused = "refused",
        /// It was begun, and failed.
        Failed = "failed",
    }
}

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its number.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What kind of caller: `local_operator`, `person`, `key`.
    pub actor_kind: String,
    /// The number of the person or key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<i64>,
    /// The name they had then.
    pub actor: String,
    /// The address that they called from, where it was over a network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What was done, as `connector.edit`.
    pub action: String,
    /// To what.
    pub target: String,
    /// How far it came.
    #[schema(value_type = String, example = "begun")]
    pub stage: AuditStage,
    /// The number of the entry that says that it was begun, in one that says that it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<i64>,
    /// Why it was refused or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An entry with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditRow {
    /// The entry.
    #[serde(flatten)]
    pub entry: AuditEntry,
    /// SHA-256, in hexadecimal digits, over the hash before (64 zeros before the first), a line feed, and the entry as it is
    /// exported without this field.
    pub hash: String,
}

/// An entry as it was written and hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLink {
    /// Its number.
    pub seq: i64,
    /// The entry as JSON, byte for byte.
    pub text: String,
    /// SHA-256 over the hash before, as hexadecimal digits, a line feed and `text`.
    pub hash: Vec<u8>,
}

impl AuditLink {
    /// The line that is exported: the entry with its hash as its last field.
    pub fn line(&self) -> String {
        let open = self.text.strip_suffix('}').unwrap_or(&self.text);
        format!("{open},\"hash\":\"{}\"}}", hex(&self.hash))
    }
}

/// Whether every entry stands where it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditCheck {
    /// Entries that were looked at.
    pub entries: u64,
    /// The number of the first that is not as it was written, or before which one is missing; none where all is well.
    pub broken_at: Option<i64>,
    /// The hash of the last: kept elsewhere, it shows later whether the end was cut off.
    pub last_hash: String,
}

impl Default for AuditCheck {
    fn default() -> Self {
        Self { entries: 0, broken_at: None, last_hash: hex(&BEFORE_THE_FIRST) }
    }
}

impl AuditCheck {
    /// Looks at the entry behind those that it saw.
    pub fn see(&mut self, link: &AuditLink) {
        self.entries += 1;
        let is_whole = link.hash == chain(&self.last_hash, &link.text)
            && serde_json::from_str::<AuditEntry>(&link.text).is_ok_and(|entry| entry.seq == link.seq);
        if !is_whole {
            self.broken_at = self.broken_at.or(Some(link.seq));
        }
        self.last_hash = hex(&link.hash);
    }
}

/// What stands for the hash before the first.
const BEFORE_THE_FIRST: [u8; 32] = [0; 32];

/// The hash of an entry behind one with the hash `before`, given in hexadecimal digits.
fn chain(before: &str, entry: &str) -> Vec<u8> {
    digest(&SHA256, format!("{before}\n{entry}").as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn last(tx: &Transaction<'_>) -> rusqlite::Result<(i64, Vec<u8>)> {
    let last = tx
        .query_row("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    Ok(last.unwrap_or((0, BEFORE_THE_FIRST.to_vec())))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let (text, hash): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
    let entry = serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })?;
    Ok(AuditRow { entry, hash: hex(&hash) })
}

impl Store {
    /// Adds an entry, whatever its number says; the number it got.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_audit(&self, entry: &AuditEntry) -> Result<i64> {
        self.write(|tx| {
            let (seq, before) = last(tx)?;
            let entry = AuditEntry { seq: seq + 1, ..entry.clone() };
            let text = serde_json::to_string(&entry)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            tx.prepare_cached("INSERT INTO audit (seq, entry, hash) VALUES (?1, ?2, ?3)")?
                .execute(params![entry.seq, text, chain(&hex(&before), &text)])?;
            Ok(entry.seq)
        })
    }

    /// Entries, the newest first: those before the entry of that number, or the newest of all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>> {
        self.read(|tx| {
            let mut select =
                tx.prepare_cached("SELECT entry, hash FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2")?;
            select.query_map(params![before.unwrap_or(i64::MAX), limit], from_row)?.collect()
        })
    }

    /// Entries behind that of this number, the oldest first, as they were written and hashed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_audit_links(&self, after: i64, limit: u32) -> Result<Vec<AuditLink>> {
        self.read(|tx| {
            let mut select =
                tx.prepare_cached("SELECT seq, entry, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
            let link =
                |row: &Row<'_>| Ok(AuditLink { seq: row.get(0)?, text: row.get(1)?, hash: row.get(2)? });
            select.query_map(params![after, limit], link)?.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(action: &str) -> AuditEntry {
        AuditEntry {
            seq: 0,
            at: Timestamp::UNIX_EPOCH,
            actor_kind: "local_operator".to_owned(),
            actor_id: None,
            actor: "local operator".to_owned(),
            from: None,
            action: action.to_owned(),
            target: "“acme”\n".to_owned(),
            stage: AuditStage::Begun,
            of: None,
            reason: None,
        }
    }

    fn check(store: &Store) -> AuditCheck {
        let mut check = AuditCheck::default();
        store.load_audit_links(0, 100).unwrap().iter().for_each(|link| check.see(link));
        check
    }

    #[test]
    fn what_is_changed_taken_out_or_put_in_by_other_means_shows() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        assert_eq!(check(&store), AuditCheck::default());
        for (number, action) in
            ["connector.add", "connector.edit", "crawl.run", "key.add"].into_iter().enumerate()
        {
            assert_eq!(store.add_audit(&entry(action)).unwrap(), number as i64 + 1);
        }
        let whole = check(&store);
        assert_eq!((whole.entries, whole.broken_at), (4, None));
        assert_eq!(
            store.load_audit(None, 2).unwrap().iter().map(|row| row.entry.seq).collect::<Vec<_>>(),
            [4, 3]
        );
        assert_eq!(
            store.load_audit(Some(3), 9).unwrap().iter().map(|row| row.entry.seq).collect::<Vec<_>>(),
            [2, 1]
        );
        assert_eq!(store.load_audit(None, 1).unwrap()[0].hash, whole.last_hash);

        let attack = |sql: &str| {
            let connection = rusqlite::Connection::open(directory.path().join("store.sqlite")).unwrap();
            connection.execute_batch(sql)
        };
        assert!(attack("UPDATE audit SET entry = '{}' WHERE seq = 2").is_err());
        assert!(attack("DELETE FROM audit WHERE seq = 4").is_err());
        assert_eq!(check(&store), whole);
        // Who can write the file can also take the guards away.
        attack("DROP TRIGGER audit_is_not_changed; UPDATE audit SET entry = replace(entry, 'edit', 'show') WHERE seq = 2")
            .unwrap();
        assert_eq!(check(&store).broken_at, Some(2));
        attack("UPDATE audit SET entry = replace(entry, 'show', 'edit') WHERE seq = 2").unwrap();
        assert_eq!(check(&store), whole);
        attack("DROP TRIGGER audit_is_not_cut; DELETE FROM audit WHERE seq = 3").unwrap();
        assert_eq!(check(&store).broken_at, Some(4));
    }

    #[test]
    fn a_line_of_the_export_can_be_checked_without_this_program() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        store.add_audit(&entry("connector.add")).unwrap();
        let line = store.load_audit_links(0, 1).unwrap()[0].line();
        let (text, hash) = line.strip_suffix("\"}").unwrap().split_once(",\"hash\":\"").unwrap();
        let hashed = format!("{}\n{text}}}", "0".repeat(64));
        assert_eq!(hash, hex(digest(&SHA256, hashed.as_bytes()).as_ref()));
        let row: AuditRow = serde_json::from_str(&line).unwrap();
        assert_eq!(row, store.load_audit(None, 1).unwrap()[0]);
    }
}
