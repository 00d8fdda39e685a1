use std::io::{BufWriter, ErrorKind, Write};

use clap::Subcommand;

use super::output::table;
use super::values::{whole, whole_of};
use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, AuditCheck, AuditPage, AuditStage, OpsError};

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List the newest entries.
    List {
        /// Only entries before the one of this number.
        #[arg(long, value_name = "NUMBER", value_parser = whole::<i64>)]
        before: Option<i64>,
        /// How many.
        #[arg(long, default_value_t = 50, value_parser = whole_of::<u32>(1..=1000))]
        limit: u32,
    },
    /// Write every entry as JSON Lines, the oldest first.
    Export,
    /// Check that no entry was changed or taken out.
    Verify,
}

pub(super) fn run(context: &Context, command: &AuditCommand) -> Result<Exit, OpsError> {
    let app = context.open_existing()?;
    match command {
        AuditCommand::List { before, limit } => {
            let page = ops::list_audit(&app, &Caller::LOCAL_OPERATOR, *before, *limit)?;
            context.output.show(&page, || describe(&page));
            Ok(Exit::Completed)
        }
        AuditCommand::Export => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            let exported =
                ops::export_audit(&app, &Caller::LOCAL_OPERATOR, |line| out.write_all(line.as_bytes()));
            let failed =
                |source| OpsError::Io { what: "the audit log could not be written".to_owned(), source };
            match exported.and_then(|check| out.flush().map_err(failed).map(|()| check)) {
                // Whoever reads has seen enough, as `head` does.
                Err(OpsError::Io { source, .. }) if source.kind() == ErrorKind::BrokenPipe => {
                    Ok(Exit::Completed)
                }
                ended => ended.map(|check| exit_of(&check)),
            }
        }
        AuditCommand::Verify => {
            let check = ops::export_audit(&app, &Caller::LOCAL_OPERATOR, |_| Ok(()))?;
            context.output.show(&check, || told(&check));
            Ok(exit_of(&check))
        }
    }
}

const fn exit_of(check: &AuditCheck) -> Exit {
    if check.broken_at.is_none() { Exit::Completed } else { Exit::Other }
}

fn told(check: &AuditCheck) -> String {
    match check.broken_at {
        None => format!(
            "{} entries, each as it was written. The last has the hash {}: kept elsewhere, it shows later whether the end was cut off.",
            check.entries, check.last_hash
        ),
        Some(seq) => format!(
            "Entry {seq} is not as it was written, or one before it is missing: somebody changed the database by other means. Compare it \
             with an export or backup of before."
        ),
    }
}

fn describe(page: &AuditPage) -> String {
    let rows: Vec<Vec<String>> = page
        .entries
        .iter()
        .map(|row| {
            let entry = &row.entry;
            let what = match entry.stage {
                AuditStage::Begun => entry.action.clone(),
                AuditStage::Refused => format!("{} (refused)", entry.action),
                AuditStage::Failed => format!("{} (failed)", entry.action),
            };
            let from = entry.from.clone().unwrap_or_default();
            let seq = entry.seq.to_string();
            let at = entry.at.strftime("%Y-%m-%d %H:%M:%S").to_string();
            let who = match entry.actor_kind.as_str() {
                "key" => format!("key “{}”", entry.actor),
                _ => entry.actor.clone(),
            };
            vec![seq, at, who, from, what, entry.target.clone()]
        })
        .collect();
    table(&["ENTRY", "WHEN (UTC)", "WHO", "FROM", "WHAT", "TO WHAT"], &rows)
}
