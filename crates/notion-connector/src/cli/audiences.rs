use std::sync::Arc;

use clap::{ArgGroup, Args, Subcommand};

use super::output::table;
use super::values::whole;
use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, Audiences, Grant, OpsError, SetAudience};

#[derive(Debug, Subcommand)]
pub(super) enum AudiencesCommand {
    /// Let the rules hold: what no rule grants is closed.
    On(OfConnector),
    /// Let everybody who is mapped see all of the connector; rules are kept.
    Off(OfConnector),
    /// Show the rules and how many items each decides.
    Show(OfConnector),
    /// Make a rule, in place of the one at the same place.
    #[command(group(ArgGroup::new("whom").required(true).multiple(false).args(["to", "nobody"])))]
    Set {
        /// The page, database or row, by its id or its address in Notion, with all that lies below it.
        #[arg(required_unless_present = "whole", conflicts_with = "whole")]
        place: Option<String>,
        /// The whole connector: decides what no other rule does.
        #[arg(long)]
        whole: bool,
        /// Decide the rows of the database by this column: person, select, multi-select or status.
        #[arg(long, value_name = "COLUMN", conflicts_with = "whole")]
        property: Option<String>,
        /// To whom: everyone, group:NAME, person:NAME; by a column also named (the people named in it), and with an option before it,
        /// Finance=group:NAME. May be repeated.
        #[arg(long = "to", value_name = "GRANT")]
        to: Vec<Grant>,
        /// To nobody.
        #[arg(long)]
        nobody: bool,
        #[command(flatten)]
        of: OfConnector,
    },
    /// Take a rule away: the next one further up decides.
    Remove {
        /// Its number, as `audiences show` tells it.
        #[arg(value_parser = whole::<i64>)]
        rule: i64,
        #[command(flatten)]
        of: OfConnector,
    },
}

#[derive(Debug, Args)]
pub(super) struct OfConnector {
    /// The connector; the only one if none is named.
    #[arg(long, value_name = "NAME")]
    connector: Option<String>,
}

pub(super) async fn run(context: &Context, command: AudiencesCommand) -> Result<Exit, OpsError> {
    let app = Arc::new(context.open_existing()?);
    let caller = &Caller::LOCAL_OPERATOR;
    let audiences = match command {
        AudiencesCommand::On(of) => ops::switch_audiences(&app, caller, of.connector.as_deref(), true)?,
        AudiencesCommand::Off(of) => ops::switch_audiences(&app, caller, of.connector.as_deref(), false)?,
        AudiencesCommand::Show(of) => ops::show_audiences(&app, caller, of.connector.as_deref())?,
        AudiencesCommand::Set { place, property, to, of, .. } => {
            let set = SetAudience { place, property, grants: to };
            ops::set_audience(&app, caller, of.connector.as_deref(), &set).await?
        }
        AudiencesCommand::Remove { rule, of } => {
            ops::remove_audience(&app, caller, of.connector.as_deref(), rule)?
        }
    };
    context.output.show(&audiences, || told(&audiences));
    Ok(Exit::Completed)
}

fn told(audiences: &Audiences) -> String {
    let state = if audiences.on {
        "on: what no rule grants is closed"
    } else {
        "off: everybody who is mapped sees all of it; the rules wait for: audiences on"
    };
    let count = |items: Option<usize>| items.map_or_else(|| "-".to_owned(), |items| items.to_string());
    let rows: Vec<Vec<String>> = audiences
        .rules
        .iter()
        .map(|rule| {
            let place = match (&rule.title, rule.place) {
                (_, None) => "the whole connector".to_owned(),
                (Some(title), Some(_)) if !title.trim().is_empty() => title.clone(),
                (_, Some(id)) => id.to_string(),
            };
            let by = rule.property.as_ref().map(|column| format!(" by {column}")).unwrap_or_default();
            let unused = |grant: &Grant| {
                let of = |one: &&ops::OptionItems| Some(&one.value) == grant.value.as_ref();
                rule.options.iter().find(of).is_some_and(|one| one.items == Some(0))
            };
            let grants = rule.grants.iter().map(|grant| {
                if unused(grant) { format!("{grant} (no row has that option)") } else { grant.to_string() }
            });
            let grants: Vec<String> = grants.collect();
            let grants = if grants.is_empty() { "nobody".to_owned() } else { grants.join(", ") };
            vec![rule.id.to_string(), format!("{place}{by}"), grants, count(rule.items)]
        })
        .collect();
    format!(
        "Audiences of “{}” are {state}\n{}\n{} items without a rule",
        audiences.connector,
        table(&["RULE", "PLACE", "TO", "ITEMS"], &rows),
        count(audiences.without_rule)
    )
}
