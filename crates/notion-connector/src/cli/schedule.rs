use clap::{Args, Subcommand};

use super::output::table;
use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, AddSchedule, EditSchedule, OpsError, ScheduleSummary};
use crate::store::Scope;

#[derive(Debug, Subcommand)]
pub(super) enum ScheduleCommand {
    /// Crawl at times to come, while `serve` runs.
    Add {
        /// A name of your choice.
        name: String,
        /// `once 2026-05-01T08:00`, `daily 02:30`, `weekly mon,thu 02:30`, `monthly 31 02:30` (on the last day of shorter
        /// months) or `every 15 minutes`.
        when: String,
        #[command(flatten)]
        what: What,
    },
    /// List schedules.
    List,
    /// Change a schedule; what is not given stays.
    Edit {
        /// The schedule.
        name: String,
        /// Another rule, as in `add`.
        #[arg(long)]
        when: Option<String>,
        /// Another name.
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        #[command(flatten)]
        what: What,
    },
    /// Let a schedule rest.
    Pause {
        /// The schedule.
        name: String,
    },
    /// Let a paused schedule run again, from now on.
    Resume {
        /// The schedule.
        name: String,
    },
    /// Delete a schedule; its crawls stay.
    Delete {
        /// The schedule.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct What {
    /// The connector; the only one if none is named.
    #[arg(long, value_name = "NAME")]
    connector: Option<String>,
    /// What to cover [default: incremental].
    #[arg(long, value_parser = ops::parse_scope)]
    scope: Option<Scope>,
    /// The page or database that partial crawls cover with all below it: its id or its address.
    #[arg(long, value_name = "ID")]
    start_point: Option<String>,
    /// The time zone whose clocks count, by its IANA name [default: UTC].
    #[arg(long)]
    zone: Option<String>,
}

pub(super) fn run(context: &Context, command: ScheduleCommand) -> Result<Exit, OpsError> {
    let app = context.open_existing()?;
    let output = context.output;
    let pause = |name: &str, paused| {
        ops::edit_schedule(
            &app,
            &Caller::LOCAL_OPERATOR,
            name,
            EditSchedule { paused: Some(paused), ..EditSchedule::default() },
        )
    };
    let schedule = match command {
        ScheduleCommand::List => {
            let schedules = ops::list_schedules(&app, &Caller::LOCAL_OPERATOR)?;
            output.show(&schedules, || table(&HEADER, &schedules.iter().map(row).collect::<Vec<_>>()));
            return Ok(Exit::Completed);
        }
        ScheduleCommand::Add { name, when, what } => {
            let What { connector, scope, start_point, zone } = what;
            ops::add_schedule(
                &app,
                &Caller::LOCAL_OPERATOR,
                AddSchedule { name, connector, scope, start_point, when, zone },
            )?
        }
        ScheduleCommand::Edit { name, when, rename, what } => {
            let What { connector, scope, start_point, zone } = what;
            let edit = EditSchedule { name: rename, connector, scope, start_point, when, zone, paused: None };
            ops::edit_schedule(&app, &Caller::LOCAL_OPERATOR, &name, edit)?
        }
        ScheduleCommand::Pause { name } => pause(&name, true)?,
        ScheduleCommand::Resume { name } => pause(&name, false)?,
        ScheduleCommand::Delete { name } => {
            let schedule = ops::delete_schedule(&app, &Caller::LOCAL_OPERATOR, &name)?;
            output.show(&schedule, || format!("Deleted schedule “{}”.", schedule.name));
            return Ok(Exit::Completed);
        }
    };
    output.show(&schedule, || table(&HEADER, &[row(&schedule)]));
    Ok(Exit::Completed)
}

const HEADER: [&str; 7] = ["SCHEDULE", "CONNECTOR", "SCOPE", "WHEN", "ZONE", "NEXT RUN", "LAST RUN"];

fn row(schedule: &ScheduleSummary) -> Vec<String> {
    let time = |time: jiff::Timestamp| time.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let rests = match (schedule.paused, schedule.connector_deactivated) {
        (true, _) => "paused",
        (_, true) => "connector deactivated",
        (false, false) => "-",
    };
    vec![
        schedule.name.clone(),
        schedule.connector.clone(),
        match schedule.start_point {
            Some(start_point) => format!("{} {start_point}", schedule.scope),
            None => schedule.scope.clone(),
        },
        schedule.when.clone(),
        schedule.zone.clone(),
        schedule.next_run.map_or_else(|| rests.to_owned(), time),
        schedule.last_run.map_or_else(|| "-".to_owned(), time),
    ]
}
