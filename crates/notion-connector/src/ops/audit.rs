//! The audit log: what is written of an act, and how the log is read.
//!
//! An act is written down before it is done, so that nothing is done unseen; a second entry says that it failed. Who may not do
//! it is written down too.
//!
//! The log is never shortened, so that nobody may make it grow at will: texts are cut, and of what is refused to one actor an hour
//! gets a bounded number of entries.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::OpsError;
use crate::app::App;
use crate::model::{Actor, Caller, Role};
use crate::store::{AuditCheck, AuditEntry, AuditRow, AuditStage};

/// Entries that are read at once.
const BATCH: u32 = 1_000;
/// Characters that an entry keeps of a text.
const MAX_CHARS: usize = 300;
/// Entries of what is refused to one actor, in each hour.
const REFUSALS_AN_HOUR: u64 = 60;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Actors that are remembered before those are forgotten whose hour is over.
const REMEMBERED: usize = 1_000;

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

    /// Writes down that it was refused for another reason than a missing role: somebody who may be another tried.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub(super) fn refuse(self, app: &App, caller: &Caller, reason: &str) -> Result<(), OpsError> {
        self.add_refusal(app, caller, reason, false)
    }

    fn add_refusal(self, app: &App, caller: &Caller, reason: &str, is_known: bool) -> Result<(), OpsError> {
        let entry = self.entry(app, caller, AuditStage::Refused);
        let (kind, id) = actor_id(&caller.actor);
        let Some(remark) = app.refusals.see((kind, id, is_known), entry.at) else { return Ok(()) };
        let reason = Some(cut(reason) + &remark);
        app.store.add_audit(&AuditEntry { reason, ..entry })?;
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
                self.add_refusal(app, caller, &missing.to_string(), true)?;
                Err(missing.into())
            }
        }
    }

    /// The error, written down as far as the database still lets.
    fn fail(self, app: &App, caller: &Caller, begun: i64, error: OpsError) -> OpsError {
        // What follows the first line may name what people are called, line by line of their file; an entry stays for ever.
        let reason = error.to_string().lines().next().map(cut);
        let of = Some(begun);
        let entry = AuditEntry { of, reason, ..self.entry(app, caller, AuditStage::Failed) };
        if let Err(unwritten) = app.store.add_audit(&entry) {
            tracing::error!(%unwritten, action = self.action, "the audit log does not say that this failed");
        }
        error
    }

    fn entry(self, app: &App, caller: &Caller, stage: AuditStage) -> AuditEntry {
        let (actor_kind, actor_id) = actor_id(&caller.actor);
        let actor = match &caller.actor {
            Actor::Key { name, .. } => name.clone(),
            other => other.to_string(),
        };
        AuditEntry {
            seq: 0,
            at: app.runtime.now(),
            actor_kind: actor_kind.to_owned(),
            actor_id,
            actor: cut(&actor),
            from: caller.from.map(|address| address.to_string()),
            action: self.action.to_owned(),
            target: cut(self.target),
            stage,
            of: None,
            reason: None,
        }
    }
}

fn actor_id(actor: &Actor) -> (&'static str, Option<i64>) {
    match actor {
        Actor::LocalOperator => ("local_operator", None),
        Actor::Person { id, .. } => ("person", Some(id.0)),
        Actor::Key { id, .. } => ("key", Some(id.0)),
    }
}

/// As much of a text as an entry keeps.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}… (cut: {} characters)", &text[..end], text.chars().count()),
        None => text.to_owned(),
    }
}

/// What was refused lately.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<BTreeMap<Refusee, Refused>>);

/// Kind and number of an actor, and whether it is known to be them.
type Refusee = (&'static str, Option<i64>, bool);

/// What was refused to an actor in an hour.
#[derive(Debug, Clone, Copy)]
struct Refused {
    since: Timestamp,
    times: u64,
}

impl Refused {
    fn is_over(self, now: Timestamp) -> bool {
        // A clock that was set back begins anew.
        !(SignedDuration::ZERO..HOUR).contains(&now.duration_since(self.since))
    }
}

impl Refusals {
    /// What the entry says beside its reason; none when there is to be no entry.
    fn see(&self, actor: Refusee, now: Timestamp) -> Option<String> {
        let mut refusals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if refusals.len() >= REMEMBERED {
            refusals.retain(|known, refused| *known == actor || !refused.is_over(now));
        }
        let refused = refusals.entry(actor).or_insert(Refused { since: now, times: 0 });
        let mut remark = String::new();
        if refused.is_over(now) {
            let unwritten = refused.times.saturating_sub(REFUSALS_AN_HOUR);
            if unwritten > 0 {
                remark = format!("; {unwritten} refusals before it are not written down");
            }
            *refused = Refused { since: now, times: 0 };
        }
        refused.times += 1;
        if refused.times == REFUSALS_AN_HOUR {
            remark.push_str("; what else is refused to them within the hour is only counted");
        }
        (refused.times <= REFUSALS_AN_HOUR).then_some(remark)
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
