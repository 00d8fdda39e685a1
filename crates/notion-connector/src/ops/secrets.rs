//! The key of the secrets: exchanging it.

use serde::Serialize;

use super::OpsError;
use super::audit::Act;
use crate::app::App;
use crate::model::Caller;
use crate::secrets::{KEY_VARIABLE, KeySource, Vault, add_key, keep_first_key};

/// What a rotation did.
#[derive(Debug, Clone, Serialize)]
pub struct Rotation {
    /// Secrets that are sealed under the new key since.
    pub resealed: u64,
    /// Whether the old key is gone from where keys are kept; else it is to be taken away there.
    pub old_key_removed: bool,
}

/// Seals every secret under a new key. Killed at any instant, all secrets open, and the same command goes on.
///
/// The key of a file is made here; elsewhere the new one stands before the old one, which goes afterwards.
///
/// # Errors
/// When the caller is no security administrator, a secret does not open, or there is no new key.
pub fn rotate_secrets(app: &App, caller: &Caller) -> Result<Rotation, OpsError> {
    Act::of_security("secrets.rotate", "").run(app, caller, || {
        let source = app.key_source()?;
        let mut vault = app.vault()?;
        // Before anything changes: the old key may be the last that opens something.
        for one in app.store.load_sealed()? {
            vault.open(&one.purpose, &one.sealed)?;
        }
        if !vault.has_older_keys() {
            let place = match &source {
                KeySource::File(path) => {
                    add_key(path)?;
                    vault = app.vault()?;
                    None
                }
                KeySource::Variable(_) => Some(format!("in {KEY_VARIABLE}")),
                KeySource::Command(_) => Some("in what secrets.key_command prints".to_owned()),
            };
            if let Some(place) = place {
                return Err(OpsError::Invalid(format!(
                    "there is one key only: put the new one before it {place}, with a space between (make one with: openssl \
                     rand -hex 32), restart serve, and run this again; then take the old one away"
                )));
            }
        }
        let mut resealed = reseal_all(app, &vault)?;
        // A process that took the old key in its hand before the new one was there has saved what it sealed by now.
        resealed += reseal_all(app, &vault)?;
        app.store.sync()?;
        let old_key_removed = match &source {
            KeySource::File(path) => {
                keep_first_key(path)?;
                true
            }
            KeySource::Variable(_) | KeySource::Command(_) => false,
        };
        Ok(Rotation { resealed, old_key_removed })
    })
}

fn reseal_all(app: &App, vault: &Vault) -> Result<u64, OpsError> {
    let mut resealed = 0;
    for one in app.store.load_sealed()? {
        if let Some(sealed) = vault.reseal(&one.purpose, &one.sealed)? {
            resealed += u64::from(app.store.exchange_sealed(&one, &sealed)?);
        }
    }
    Ok(resealed)
}
