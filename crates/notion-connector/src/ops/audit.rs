//! The audit log: what is written of an act, and how the log is read.
//!
//! An act is written down before it is done, so that nothing is done unseen; a second entry says that it failed. Who may not do
//! it is written down too.

use std::fmt::Write as _;

use serde::Serialize;
use utoipa::ToSchema;

use super::OpsError;
use crate::app::App;
use crate::model::{Actor, Caller, Role};
use crate::store::{AuditCheck, AuditEntry, AuditRow, AuditStage};

/// Entries that are read at once.
const BATCH: u32 = 1_000;

/// What somebody does: its name in the log, and to what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Act<'a> {
    /// What it is called: the thing and the verb, as `connector.edit`.
    pub(super) action: &'static str,
    /// To what, as the caller named it.
    pub(super) target: &'a str,
    /// Which role it takes.
    pub(super) role: Role,
}

impl<'a> Act<'a> {
    /// Something that administrators of connectors do.
    pub(super) const fn of_connectors(action: &'static str, target: &'a str) -> Self {
        Self { action, target, role: Role::ConnectorAdmin }
    }

    /// Something that security administrators do.
    pub(super) const fn of_security(action: &'static str, target: &'a str) -> Self {
        Self { action, target, role: Role::SecurityAdmin }
    }

    /// Something that everybody who searches does, and that is written down for whom it shows.
    pub(super) const fn of_searching(action: &'static str, target: &'a str) -> Self {
        Self { action, target, role: Role::SearchUser }
    }

    /// Does it, on the record.
    ///
    /// # Errors
    /// When the caller may not do it, the log cannot be written, or the act fails.
    pub(super) fn run<T>(
        self,
        app: &App,
        caller: &Caller,
        act: impl FnOnce() -> Result<T, OpsError>,
    ) -> Result<T, OpsError> {
        let begun = self.begin(app, caller)?;
        act().map_err(|error| self.fail(app, caller, begun, error))
    }

    /// Writes down that it was refused for another reason than a missing role.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub(super) fn refuse(self, app: &App, caller: &Caller, reason: &str) -> Result<(), OpsError> {
        let reason = Some(reason.to_owned());
        app.store.add_audit(&AuditEntry { reason, ..self.entry(app, caller, AuditStage::Refused) })?;
        Ok(())
    }

    /// The same for what waits for others.
    ///
    /// # Errors
    /// As in [`Act::run`].
    pub(super) async fn run_async<T>(
        self,
        app: &App,
        caller: &Caller,
        act: impl Future<Output = Result<T, OpsError>>,
    ) -> Result<T, OpsError> {
        let begun = self.begin(app, caller)?;
        act.await.map_err(|error| self.fail(app, caller, begun, error))
    }

    fn begin(self, app: &App, caller: &Caller) -> Result<i64, OpsError> {
        match caller.require(self.role) {
            Ok(()) => Ok(app.store.add_audit(&self.entry(app, caller, AuditStage::Begun))?),
            Err(missing) => {
                let reason = Some(missing.to_string());
                app.store
                    .add_audit(&AuditEntry { reason, ..self.entry(app, caller, AuditStage::Refused) })?;
                Err(missing.into())
            }
        }
    }

    /// The error, written down as far as the database still lets.
    fn fail(self, app: &App, caller: &Caller, begun: i64, error: OpsError) -> OpsError {
        // What follows the first line may name what people are called, line by line of their file; an entry stays for ever.
        let reason = error.to_string().lines().next().map(str::to_owned);
        let of = Some(begun);
        let entry = AuditEntry { of, reason, ..self.entry(app, caller, AuditStage::Failed) };
        if let Err(unwritten) = app.store.add_audit(&entry) {
            tracing::error!(%unwritten, action = self.action, "the audit log does not say that this failed");
        }
        error
    }

    fn entry(self, app: &App, caller: &Caller, stage: AuditStage) -> AuditEntry {
        let (actor_kind, actor_id) = match &caller.actor {
            Actor::LocalOperator => ("local_operator", None),
            Actor::Person { id, .. } => ("person", Some(id.0)),
            Actor::Key { id, .. } => ("key", Some(id.0)),
        };
        let actor = match &caller.actor {
            Actor::Key { name, .. } => name.clone(),
            other => other.to_string(),
        };
        AuditEntry {
            seq: 0,
            at: app.runtime.now(),
            actor_kind: actor_kind.to_owned(),
            actor_id,
            actor,
            from: caller.from.map(|address| address.to_string()),
            action: self.action.to_owned(),
            target: self.target.to_owned(),
            stage,
            of: None,
            reason: None,
        }
    }
}

/// A part of the audit log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditPage {
    /// The entries, the newest first.
    pub entries: Vec<AuditRow>,
    /// The number to ask for those before with; none at the end.
    pub before: Option<i64>,
}

/// Entries of the audit log, the newest first: those before the entry of that number, or the newest of all.
///
/// # Errors
/// When the caller is no security administrator.
pub fn list_audit(
    app: &App,
    caller: &Caller,
    before: Option<i64>,
    limit: u32,
) -> Result<AuditPage, OpsError> {
    Act::of_security("audit.list", "").run(app, caller, || {
        let entries = app.store.load_audit(before, limit)?;
        let is_full = entries.len() as u64 == u64::from(limit);
        let before = entries.last().map(|row| row.entry.seq).filter(|seq| is_full && *seq > 1);
        Ok(AuditPage { entries, before })
    })
}

/// Hands every entry to `write` as a line of JSON, the oldest first, and checks the chain meanwhile.
///
/// # Errors
/// When the caller is no security administrator, or `write` fails.
pub fn export_audit(
    app: &App,
    caller: &Caller,
    mut write: impl FnMut(&str) -> std::io::Result<()>,
) -> Result<AuditCheck, OpsError> {
    Act::of_security("audit.export", "").run(app, caller, || {
        let fail = |source| OpsError::Io { what: "the audit log could not be written".to_owned(), source };
        let (mut check, mut after, mut line) = (AuditCheck::default(), 0, String::new());
        loop {
            let links = app.store.load_audit_links(after, BATCH)?;
            let Some(last) = links.last() else { return Ok(check) };
            after = last.seq;
            for link in &links {
                check.see(link);
                line.clear();
                // Writing to a text does not fail.
                let _ = writeln!(line, "{}", link.line());
                write(&line).map_err(fail)?;
            }
        }
    })
}
