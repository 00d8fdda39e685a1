use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::output::table;
use super::values::whole;
use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, ListPeople, MappingAnswer, MappingTest, OpsError, TestMapping};
use crate::store::{UnmappedReason, UserOrder, UserState};

#[derive(Debug, Subcommand)]
pub(super) enum PeopleCommand {
    /// List people of workspaces with whom of the directory they are.
    List {
        /// Part of a name or an e-mail address, in Notion or in the directory.
        text: Option<String>,
        /// Only those of this connector.
        #[arg(long, value_name = "NAME")]
        connector: Option<String>,
        /// Only those: mapped or unmapped.
        #[arg(long)]
        state: Option<UserState>,
        /// Only those that are unmapped for this reason.
        #[arg(long)]
        reason: Option<UnmappedReason>,
        /// By what: name, email, state or person.
        #[arg(long, value_name = "FIELD")]
        sort: Option<UserOrder>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = whole::<u32>)]
        limit: u32,
        /// How many to leave out first.
        #[arg(long, default_value_t = 0, value_parser = whole::<u32>)]
        offset: u32,
    },
    /// Say how many people of each connector are mapped.
    Counts,
    /// Try what the mapping of a connector makes of a value.
    Test {
        /// What Notion would tell of somebody: an e-mail address, unless the source field is another.
        value: String,
        /// The connector; the only one if none is named.
        #[arg(long, value_name = "NAME")]
        connector: Option<String>,
    },
    /// Show a connector's mapping script, or give it another.
    Script {
        /// A file with JavaScript, or default, for the one that gives what it is given.
        #[arg(value_name = "FILE|default")]
        script: Option<PathBuf>,
        /// The connector; the only one if none is named.
        #[arg(long, value_name = "NAME")]
        connector: Option<String>,
    },
}

pub(super) async fn run(context: &Context, command: PeopleCommand) -> Result<Exit, OpsError> {
    let app = context.open_existing()?;
    let caller = &Caller::LOCAL_OPERATOR;
    match command {
        PeopleCommand::List { text, connector, state, reason, sort, limit, offset } => {
            let list = ListPeople { connector, state, reason, text, order: sort, limit, offset };
            let page = ops::list_people(&app, caller, &list)?;
            context.output.show(&page, || {
                let cell = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
                let rows: Vec<Vec<String>> = page
                    .users
                    .iter()
                    .map(|user| {
                        let state = match (user.reason, user.person_active) {
                            (Some(reason), _) => format!("{} ({reason})", user.state),
                            (None, Some(false)) => format!("{} (deactivated)", user.state),
                            (None, _) => user.state.to_string(),
                        };
                        let name = if user.is_guest { " (guest)" } else { "" };
                        vec![
                            format!("{}{name}", cell(&user.name)),
                            cell(&user.email),
                            user.connector.clone(),
                            state,
                            cell(&user.person),
                            user.groups.join(", "),
                        ]
                    })
                    .collect();
                format!("{}\n{} of {}", table(&HEADER, &rows), page.users.len(), page.total)
            });
        }
        PeopleCommand::Counts => {
            let counts = ops::count_people(&app, caller)?;
            context.output.show(&counts, || {
                let row = |one: &crate::store::UserCounts| {
                    vec![one.connector.clone(), one.mapped.to_string(), one.unmapped.to_string()]
                };
                table(&["CONNECTOR", "MAPPED", "UNMAPPED"], &counts.iter().map(row).collect::<Vec<_>>())
            });
        }
        PeopleCommand::Test { value, connector } => {
            let test = ops::test_mapping(&app, caller, &TestMapping { connector, value }).await?;
            context.output.show(&test, || tried(&test));
        }
        PeopleCommand::Script { script, connector } => {
            let mut detail = ops::show_connector(&app, caller, connector.as_deref())?;
            if let Some(script) = script {
                let text = read_script(&script)?;
                let name = detail.connector.name;
                detail = ops::set_mapping_script(&app, caller, &name, text.as_deref()).await?;
            }
            let people = detail.effective.people;
            context.output.show(&people, || people.script.clone().unwrap_or_default());
        }
    }
    Ok(Exit::Completed)
}

fn tried(test: &MappingTest) -> String {
    let answer = match test.answer {
        MappingAnswer::Match => {
            let state =
                if test.person_active == Some(false) { ", who is deactivated and sees nothing" } else { "" };
            format!("match: {}{state}", test.person.as_deref().unwrap_or_default())
        }
        MappingAnswer::NoMatch => "no match".to_owned(),
        MappingAnswer::Inconclusive => "inconclusive: more than one person has it".to_owned(),
    };
    match (&test.error, &test.looked_for) {
        (Some(error), _) => format!("{answer}: {error}"),
        (None, Some(value)) => format!("{answer} (“{value}” as {})", test.directory_field),
        (None, None) if test.value.trim().is_empty() => format!("{answer}: the value is empty"),
        (None, None) => format!("{answer}: the script gave nothing"),
    }
}

/// None for the default.
fn read_script(path: &Path) -> Result<Option<String>, OpsError> {
    if path == Path::new("default") {
        return Ok(None);
    }
    std::fs::read_to_string(path).map(Some).map_err(|source| OpsError::Io {
        what: format!("the script {} could not be read", path.display()),
        source,
    })
}

const HEADER: [&str; 6] = ["NAME", "E-MAIL", "CONNECTOR", "STATE", "PERSON", "GROUPS"];
