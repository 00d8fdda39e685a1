use std::path::PathBuf;

use clap::Subcommand;

use super::output::{counted, table};
use super::values::whole;
use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, DirectoryFilter, DirectoryImport, ImportDirectory, OpsError};

#[derive(Debug, Subcommand)]
pub(super) enum DirectoryCommand {
    /// Bring people in from CSV or JSON: all of the file, or nothing and what is wrong in which line.
    Import {
        /// The file; see docs/guide/people.md.
        file: PathBuf,
        /// Change nothing; say what would change.
        #[arg(long)]
        dry_run: bool,
        /// Deactivate people who were imported once and are not in the file.
        #[arg(long)]
        deactivate_missing: bool,
    },
    /// List people, by user name.
    List {
        /// Part of a user name, name or e-mail address.
        text: Option<String>,
        /// Only those in this group.
        #[arg(long)]
        group: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = whole::<u32>)]
        limit: u32,
        /// How many to leave out first.
        #[arg(long, default_value_t = 0, value_parser = whole::<u32>)]
        offset: u32,
    },
}

pub(super) fn run(context: &Context, command: DirectoryCommand) -> Result<Exit, OpsError> {
    match command {
        DirectoryCommand::Import { file, dry_run, deactivate_missing } => {
            let how = ImportDirectory { dry_run, deactivate_missing };
            let import = ops::import_directory(&context.open()?, &Caller::LOCAL_OPERATOR, &file, how)?;
            context.output.show(&import, || told(&import));
        }
        DirectoryCommand::List { text, group, limit, offset } => {
            let filter = DirectoryFilter { text, group };
            let app = context.open_existing()?;
            let page = ops::list_directory(&app, &Caller::LOCAL_OPERATOR, &filter, limit, offset)?;
            context.output.show(&page, || {
                let rows: Vec<Vec<String>> = page
                    .people
                    .iter()
                    .map(|one| {
                        vec![
                            one.user_name.clone(),
                            one.name.clone().unwrap_or_else(|| "-".to_owned()),
                            one.email.clone().unwrap_or_else(|| "-".to_owned()),
                            if one.active { "active" } else { "deactivated" }.to_owned(),
                            one.groups.join(", "),
                        ]
                    })
                    .collect();
                format!("{}\n{} of {}", table(&HEADER, &rows), page.people.len(), page.total)
            });
        }
    }
    Ok(Exit::Completed)
}

const HEADER: [&str; 5] = ["USER NAME", "NAME", "E-MAIL", "STATE", "GROUPS"];

fn told(import: &DirectoryImport) -> String {
    let counts = &import.counts;
    let changed = counts.added + counts.updated + counts.deactivated;
    let head = if import.dry_run { "Nothing was changed; this would be: " } else { "" };
    let fields = if import.fields.is_empty() {
        String::new()
    } else {
        format!(
            "\nKept as fields of your own, by columns that are none of ours: {}",
            import.fields.join(", ")
        )
    };
    if counts.people == 0 {
        return "There is nobody in the file; nothing was changed.".to_owned();
    }
    format!(
        "{head}{}: {changed} changed ({} added, {} updated, {} deactivated), {} unchanged; {} groups added, {} memberships added, {} removed{fields}",
        counted(counts.people, "person", "people"),
        counts.added,
        counts.updated,
        counts.deactivated,
        counts.unchanged,
        counts.groups_added,
        counts.memberships_added,
        counts.memberships_removed
    )
}
