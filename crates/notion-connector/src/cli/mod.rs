//! The command line: parses, calls `ops`, prints.
//!
//! With `--json`, standard output holds JSON and nothing else; logs and progress go to standard error. Exit codes are in
//! `exit`. To add a command: a file here, an arm of [`Command`], and a verb in `ops`.

mod access;
mod accounts;
mod analytics;
mod audiences;
mod audit;
mod backup;
mod connector;
mod crawl;
mod crawls;
mod demo;
mod directory;
mod exit;
mod export;
mod extract;
mod failures;
mod input;
mod keys;
mod mcp;
mod output;
mod people;
mod rerender;
mod roles;
mod schedule;
mod search;
mod secrets;
mod serve;
mod status;
mod values;
mod webhook;
mod why;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use notion_api::Class;

pub use exit::Exit;
use output::Output;

use crate::app::App;
use crate::config::{Config, default_data_dir};
use crate::crawl::CrawlError;
use crate::data_dir::{DataDir, DataDirError};
use crate::observe;
use crate::ops::OpsError;

/// Makes a Notion workspace searchable: crawls it, keeps an index of it, answers searches.
#[derive(Debug, Parser)]
#[command(name = "notion-connector", version, arg_required_else_help = true, after_help = AFTER_HELP)]
struct Arguments {
    /// Where everything is kept [default: the user's data directory].
    #[arg(long, global = true, value_name = "DIR", env = "NOTION_CONNECTOR_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Settings, as TOML; see docs/operate/config.example.toml.
    #[arg(long, global = true, value_name = "FILE", env = "NOTION_CONNECTOR_CONFIG")]
    config: Option<PathBuf>,
    /// Print JSON on standard output, and nothing else there.
    #[arg(long, global = true)]
    json: bool,
    /// Say more on standard error; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Try it:                      notion-connector demo
With a workspace of yours:   NOTION_TOKEN=ntn_… notion-connector crawl
Then:                        notion-connector search WORDS…
                             notion-connector serve

Exit codes: 0 done, 1 other, 2 usage, 3 completed with errors, 4 secret or capability, 5 Notion unreachable,
6 awaiting approval, 130 interrupted.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Add, list and check connections to workspaces.
    #[command(subcommand)]
    Connector(connector::ConnectorCommand),
    /// Crawl a workspace; an unfinished crawl goes on where it was.
    Crawl(crawl::CrawlArguments),
    /// Look at crawls, cancel them, approve what they would delete.
    #[command(subcommand)]
    Crawls(crawls::CrawlsCommand),
    /// Crawl at times to come, while `serve` runs.
    #[command(subcommand)]
    Schedule(schedule::ScheduleCommand),
    /// Bring the organisation's people in, and look at them.
    #[command(subcommand)]
    Directory(directory::DirectoryCommand),
    /// Look at people of workspaces: who of the directory they are.
    #[command(subcommand)]
    People(people::PeopleCommand),
    /// Say who signs in here with a password.
    #[command(subcommand)]
    Accounts(accounts::AccountsCommand),
    /// Say who administers connectors and who security.
    #[command(subcommand)]
    Roles(roles::RolesCommand),
    /// Make, list and revoke keys of programs.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Decide who may see which part of a connector.
    #[command(subcommand)]
    Audiences(audiences::AudiencesCommand),
    /// Say who would see an item, and what somebody would see.
    #[command(subcommand)]
    Access(access::AccessCommand),
    /// Show what a connector's crawls did over some days, beside as many days before.
    Analytics(analytics::AnalyticsArguments),
    /// Read and check the log of who did what.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Search what was crawled.
    Search(search::SearchArguments),
    /// Write every item as JSON Lines, ordered by id.
    Export,
    /// Read the text of files, as a crawl does.
    Extract(extract::ExtractArguments),
    /// Show how things stand.
    Status,
    /// List items that failed.
    Failures,
    /// Say why a page is, or is not, in the index.
    Why(why::WhyArguments),
    /// Copy the store to a file, while crawls run.
    Backup(backup::BackupArguments),
    /// Fill an empty data directory from a backup.
    Restore(backup::BackupArguments),
    /// Exchange the key that encrypts secrets.
    #[command(subcommand)]
    Secrets(secrets::SecretsCommand),
    /// Render again what an older version rendered, without asking Notion; crawl and serve do it by themselves.
    Rerender,
    /// Serve the search page and the REST API.
    Serve(serve::ServeArguments),
    /// Serve an agent on standard input and output: tools of the Model Context Protocol.
    Mcp,
    /// Crawl a sample workspace and serve it: nothing to set up.
    Demo(demo::DemoArguments),
}

/// What a command works with before it opens anything.
struct Context {
    config: Config,
    data_dir: Option<PathBuf>,
    output: Output,
}

impl Context {
    /// The data directory, made if it is missing.
    fn open(self: &Context) -> Result<App, OpsError> {
        let path = self.path()?;
        App::open(self.config.clone(), DataDir::create(&path)?)
    }

    /// The data directory, which must hold something.
    fn open_existing(&self) -> Result<App, OpsError> {
        let path = self.path()?;
        App::open(self.config.clone(), DataDir::existing(&path)?)
    }

    fn path(&self) -> Result<PathBuf, OpsError> {
        Ok(self.data_dir.clone().or_else(default_data_dir).ok_or(DataDirError::NoPlace)?)
    }
}

/// Runs as a worker, if that is what this process was started for.
pub fn work() -> Option<ExitCode> {
    crate::extract::worker_main(std::env::args_os())
        .or_else(|| crate::scripts::worker_main(std::env::args_os()))
}

/// Runs the program.
pub async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error).into(),
    };
    observe::start(arguments.verbose);
    let output = Output::new(arguments.json);
    match run(arguments, output).await {
        Ok(exit) => exit.into(),
        Err(error) => {
            report(&error, output);
            exit_of(&error).into()
        }
    }
}

async fn run(arguments: Arguments, output: Output) -> Result<Exit, OpsError> {
    let config = Config::load(arguments.config.as_deref(), std::env::vars())?;
    let context = Context { config, data_dir: arguments.data_dir, output };
    match arguments.command {
        Command::Connector(command) => connector::run(&context, command).await,
        Command::Crawl(arguments) => crawl::run(context, arguments).await,
        Command::Crawls(command) => crawls::run(context, command).await,
        Command::Schedule(command) => schedule::run(&context, command),
        Command::Directory(command) => directory::run(&context, command),
        Command::People(command) => people::run(&context, command).await,
        Command::Accounts(command) => accounts::run(&context, command),
        Command::Roles(command) => roles::run(&context, command),
        Command::Keys(command) => keys::run(&context, command),
        Command::Secrets(command) => secrets::run(&context, &command),
        Command::Audiences(command) => audiences::run(&context, command).await,
        Command::Access(command) => access::run(&context, &command),
        Command::Analytics(arguments) => analytics::run(&context, arguments),
        Command::Audit(command) => audit::run(&context, &command),
        Command::Search(arguments) => search::run(&context, arguments),
        Command::Export => export::run(&context),
        Command::Extract(arguments) => extract::run(&context, arguments).await,
        Command::Status => status::run(&context).await,
        Command::Failures => failures::run(&context),
        Command::Why(arguments) => why::run(&context, arguments).await,
        Command::Backup(arguments) => backup::run(&context, &arguments),
        Command::Restore(arguments) => backup::restore(&context, &arguments),
        Command::Rerender => rerender::run(&context).await,
        Command::Serve(arguments) => serve::run(context, arguments).await,
        Command::Mcp => mcp::run(&context).await,
        Command::Demo(arguments) => demo::run(context, arguments).await,
    }
}

/// What is not understood is told by the parser; for scripts on standard output too. Help and version are answers, not errors: clap
/// knows which stream is whose.
fn refuse(error: &clap::Error) -> Exit {
    let _ = error.print();
    if !error.use_stderr() {
        return Exit::Completed;
    }
    let mut given = std::env::args_os().take_while(|argument| argument != "--");
    if given.any(|argument| argument == "--json") {
        let told = error.render().to_string();
        let told = match error.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a command is missing: see --help",
            _ => told.split("\n\nUsage:").next().unwrap_or_default().trim().trim_start_matches("error: "),
        };
        let told = serde_json::json!({ "message": told, "exit_code": Exit::Usage as u8 });
        Output::new(true).json(&serde_json::json!({ "error": told }));
    }
    Exit::Usage
}

/// Says what went wrong: for people on standard error, for scripts on standard output too.
fn report(error: &OpsError, output: Output) {
    if output.is_json() {
        output.json(&serde_json::json!({ "error": { "message": error.to_string(), "exit_code": exit_of(error) as u8 } }));
    }
    let _ = writeln!(std::io::stderr(), "error: {error}");
}

/// Which number an error has; see [`Exit`].
fn exit_of(error: &OpsError) -> Exit {
    match error {
        OpsError::Config(_)
        | OpsError::Invalid(_)
        | OpsError::Conflict(_)
        | OpsError::Crawl(CrawlError::NoStartPoint { .. }) => Exit::Usage,
        OpsError::Notion { source, .. } => exit_of_class(&source.class()),
        OpsError::Crawl(CrawlError::Stopped { source, .. }) => exit_of_class(&source.class()),
        OpsError::Secret(_) => Exit::Secret,
        OpsError::NotValid(problems) if problems.iter().any(|problem| problem.is_capability()) => {
            Exit::Secret
        }
        OpsError::DataDir(_)
        | OpsError::Store(_)
        | OpsError::Index(_)
        | OpsError::Pump(_)
        | OpsError::Crawl(CrawlError::Store(_) | CrawlError::Broken(_))
        | OpsError::Extract(_)
        | OpsError::Scripts(_)
        | OpsError::Forbidden(_)
        | OpsError::NotIdentified(_)
        | OpsError::NotAllowed(_)
        | OpsError::TooMany { .. }
        | OpsError::NotFound(_)
        | OpsError::Scim(_)
        | OpsError::NotValid(_)
        | OpsError::Io { .. } => Exit::Other,
    }
}

fn exit_of_class(class: &Class) -> Exit {
    match class {
        Class::Unauthorized | Class::MissingCapability => Exit::Secret,
        Class::Network(_)
        | Class::Unavailable { .. }
        | Class::Overloaded { .. }
        | Class::RateLimited { .. }
        | Class::RequestBlocked
        | Class::EdgeBlocked
        | Class::Protocol => Exit::Unreachable,
        Class::NotFound | Class::Validation(_) | Class::InvalidCursor | Class::Request => Exit::Other,
    }
}
