//! All that is sealed in the store, whatever it is for.

use rusqlite::params;

use super::{Result, Store};

/// A sealed secret, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// What it is bound to.
    pub purpose: String,
    /// The bytes.
    pub sealed: Vec<u8>,
    connector: i64,
    is_token: bool,
}

impl Store {
    /// Every sealed secret: those of integrations, and verification tokens of webhooks.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_sealed(&self) -> Result<Vec<Sealed>> {
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT name, secret, id, 0 FROM connectors
                 UNION ALL SELECT 'webhook ' || path, token, connector, 1 FROM webhooks WHERE token IS NOT NULL",
            )?
            .query_map([], |row| {
                Ok(Sealed {
                    purpose: row.get(0)?,
                    sealed: row.get(1)?,
                    connector: row.get(2)?,
                    is_token: row.get(3)?,
                })
            })?
            .collect()
        })
    }

    /// Puts other bytes in its place; false if it is another one meanwhile.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn exchange_sealed(&self, old: &Sealed, sealed: &[u8]) -> Result<bool> {
        let sql = if old.is_token {
            "UPDATE webhooks SET token = ?3 WHERE connector = ?1 AND token = ?2"
        } else {
            "UPDATE connectors SET secret = ?3 WHERE id = ?1 AND secret = ?2"
        };
        self.write(|tx| {
            tx.prepare_cached(sql)?
                .execute(params![old.connector, old.sealed, sealed])
                .map(|changed| changed == 1)
        })
    }
}
