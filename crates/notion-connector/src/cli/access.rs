use clap::Subcommand;

use super::output::table;
use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, AccessOfPage, AccessOfPerson, Deciding, MappedAs, OpsError};

#[derive(Debug, Subcommand)]
pub(super) enum AccessCommand {
    /// Say who would see an item, and by which rule.
    Who {
        /// Its id, or its address in Notion.
        page: String,
    },
    /// Say what somebody would see, and by which rules.
    What {
        /// The user name of a person of the directory.
        person: String,
    },
}

pub(super) fn run(context: &Context, command: &AccessCommand) -> Result<Exit, OpsError> {
    let app = context.open_existing()?;
    let caller = &Caller::LOCAL_OPERATOR;
    match command {
        AccessCommand::Who { page } => {
            let access = ops::show_access_of_page(&app, caller, page)?;
            context.output.show(&access, || who(&access));
        }
        AccessCommand::What { person } => {
            let access = ops::show_access_of_person(&app, caller, person)?;
            context.output.show(&access, || what(&access));
        }
    }
    Ok(Exit::Completed)
}

fn who(access: &AccessOfPage) -> String {
    let mut told = vec![format!("{} “{}” ({})", access.kind, access.title, access.id)];
    for by in &access.connectors {
        let rule = match (&by.rule, by.audiences) {
            (_, false) => "audiences are off: everybody who is mapped".to_owned(),
            (Some(rule), true) => described(rule),
            (None, true) if !by.place_is_known => {
                "where it stands is not known for certain: nobody, until a crawl has found out".to_owned()
            }
            (None, true) => "no rule decides it: nobody".to_owned(),
        };
        told.push(format!("\nBy connector “{}”: {rule}", by.connector));
        let rows: Vec<Vec<String>> = by
            .people
            .iter()
            .map(|one| vec![one.user_name.clone(), one.because.join(", "), named_as(&one.mapped_as)])
            .collect();
        if !rows.is_empty() {
            told.push(table(&["PERSON", "BECAUSE", "MAPPED AS"], &rows));
        }
        told.push(format!("{} of {} people", by.people.len(), by.total));
    }
    told.join("\n")
}

fn what(access: &AccessOfPerson) -> String {
    let state = if access.active { "" } else { ", deactivated: sees nothing" };
    let groups = if access.groups.is_empty() { "none".to_owned() } else { access.groups.join(", ") };
    let mut told =
        vec![format!("{}{state}; groups: {groups}; sees {} items", access.user_name, access.items)];
    for sight in &access.connectors {
        let by = match (sight.mapped_as.is_empty(), sight.audiences) {
            (true, _) => "not mapped there: sees nothing".to_owned(),
            (false, false) => {
                format!("mapped as {}; audiences are off: sees all of it", named_as(&sight.mapped_as))
            }
            (false, true) => format!("mapped as {}", named_as(&sight.mapped_as)),
        };
        told.push(format!("\nConnector “{}”: {} items; {by}", sight.connector, sight.items));
        let rows: Vec<Vec<String>> =
            sight.rules.iter().map(|one| vec![described(&one.rule), granted(&one.grants_them)]).collect();
        if !rows.is_empty() {
            told.push(table(&["RULE", "GRANTS THEM"], &rows));
        }
    }
    told.join("\n")
}

fn granted(what: &str) -> String {
    match what {
        "marked" => "rows that name them, or have an option that is granted to them".to_owned(),
        other => other.to_owned(),
    }
}

fn described(rule: &Deciding) -> String {
    let place = match (&rule.title, rule.place) {
        (_, None) => "the whole connector".to_owned(),
        (Some(title), Some(_)) if !title.trim().is_empty() => format!("“{title}”"),
        (_, Some(id)) => id.to_string(),
    };
    let by = rule.property.as_ref().map(|column| format!(" by {column}")).unwrap_or_default();
    format!("rule {} on {place}{by}", rule.id)
}

fn named_as(mapped: &[MappedAs]) -> String {
    let names = mapped
        .iter()
        .map(|one| one.email.clone().or_else(|| one.name.clone()).unwrap_or_else(|| one.id.to_string()));
    names.collect::<Vec<_>>().join(", ")
}
