//! `connector`: connections from their validation to their end. Parses, asks where something cannot be undone, and prints; what a
//! command does is a verb of `ops`. To add a command: a variant, its arm in `run`, a line in docs/operate/commands.md.

use std::io::{BufRead, IsTerminal, Write};
use std::sync::Arc;

use clap::{Args, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use super::input::secret_line;
use super::output::{counted, table};
use super::values::setting;
use super::webhook::WebhookCommand;
use super::{Context, Exit};
use crate::config::{BodyChoice, CommentsChoice, DirectoryField, SourceField};
use crate::crawl::Progress;
use crate::model::{Caller, FilePlace};
use crate::ops::{
    self, AddConnector, ConnectorDetail, ConnectorSummary, EditConnector, NOTION_URL, OpsError, PreviewKind,
    Setting, StartPoint, Validation, typed_list,
};

/// Variable that holds an integration secret: arguments can be read by every process of the machine.
pub(super) const TOKEN_VARIABLE: &str = "NOTION_TOKEN";

#[derive(Debug, Subcommand)]
pub(super) enum ConnectorCommand {
    /// Add a connection; the secret comes from `NOTION_TOKEN`, else from standard input.
    Add {
        /// A name of your choice.
        name: String,
        /// Origin of the API.
        #[arg(long, value_name = "URL", default_value = NOTION_URL)]
        notion_url: String,
        /// Save it without asking Notion what the secret opens.
        #[arg(long)]
        no_validate: bool,
    },
    /// Replace the secret; it comes from `NOTION_TOKEN`, else from standard input.
    SetSecret {
        /// The connector.
        name: String,
    },
    /// List the pages and databases that a partial crawl may begin at: those at the top of what the integration sees.
    StartPoints {
        /// The connector; the only one if none is named.
        name: Option<String>,
        /// List them anew from Notion; bodies are not read, and the next full crawl goes on with the listing.
        #[arg(long)]
        refresh: bool,
    },
    /// List connections.
    List,
    /// Show a connection and its settings.
    Show {
        /// The connector; the only one if none is named.
        name: Option<String>,
    },
    /// Change settings; those that are not named stay, and `default` takes what the configuration says.
    Edit {
        /// The connector.
        name: String,
        #[command(flatten)]
        edit: EditArguments,
    },
    /// Show what settings would keep, leave out and newly need, by what was crawled so far; saves nothing.
    Preview {
        /// The connector.
        name: String,
        #[command(flatten)]
        edit: EditArguments,
    },
    /// Give a connection another name.
    Rename {
        /// The name it has.
        name: String,
        /// The name it is to have.
        new: String,
    },
    /// Pause the schedules; content stays searchable, and crawls that you start still run.
    Deactivate {
        /// The connector.
        name: String,
    },
    /// Let the schedules run again.
    Activate {
        /// The connector.
        name: String,
    },
    /// Delete a connection with its secret and the content that no other connection holds; irreversible.
    Delete {
        /// The connector.
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Say where Notion tells of changes, and let its verification token in.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Ask Notion what the secret opens and what is missing.
    Check {
        /// The connector; the only one if none is named.
        name: Option<String>,
    },
}

/// Settings that a connector may have of its own.
#[derive(Debug, Args)]
pub(super) struct EditArguments {
    /// Index only this page or database and what lies below it: an id or a link; may be repeated. Replaces the list.
    #[arg(long, value_name = "ID|URL")]
    include: Vec<String>,
    /// Include everything again.
    #[arg(long, conflicts_with = "include")]
    include_all: bool,
    /// Leave out this page or database and what lies below it: an id or a link; may be repeated. Replaces the list.
    #[arg(long, value_name = "ID|URL")]
    exclude: Vec<String>,
    /// Exclude nothing any more.
    #[arg(long, conflicts_with = "exclude")]
    exclude_none: bool,
    /// Whether archived pages are indexed: true, false or default.
    #[arg(long, value_name = "BOOL", value_parser = setting::<bool>("true, false"))]
    archived: Option<Setting<bool>>,
    /// Which comments are indexed: off, pages, blocks or default.
    #[arg(long, value_name = "WHICH", value_parser = setting::<CommentsChoice>("off, pages, blocks"))]
    comments: Option<Setting<CommentsChoice>>,
    /// How bodies are read: auto, v1, v2, blocks or default.
    #[arg(long, value_name = "WAY", value_parser = setting::<BodyChoice>("auto, v1, v2, blocks"))]
    body: Option<Setting<BodyChoice>>,
    /// Most items that it holds, or default.
    #[arg(long, value_name = "N", value_parser = setting::<u64>("a whole number"))]
    item_limit: Option<Setting<u64>>,
    /// Files with these extensions are read: pdf,docx,… or default.
    #[arg(long, value_name = "LIST", value_parser = typed_list::<String>)]
    include_extensions: Option<Setting<Vec<String>>>,
    /// Files with these extensions are not read: csv,… or none or default.
    #[arg(long, value_name = "LIST", value_parser = typed_list::<String>)]
    exclude_extensions: Option<Setting<Vec<String>>>,
    /// Where files are read: some of file,image,video,audio,pdf,embed,property,comment, or none or default.
    #[arg(long, value_name = "LIST", value_parser = typed_list::<FilePlace>)]
    file_places: Option<Setting<Vec<FilePlace>>>,
    /// Whether files on other hosts than Notion's are read: true, false or default.
    #[arg(long, value_name = "BOOL", value_parser = setting::<bool>("true, false"))]
    other_hosts: Option<Setting<bool>>,
    /// Largest file that is read, in megabytes, or default.
    #[arg(long, value_name = "N", value_parser = setting::<u64>("a whole number"))]
    file_mb: Option<Setting<u64>>,
    /// What people are known by in Notion: email, name, id or default (email).
    #[arg(long, value_name = "FIELD", value_parser = setting::<SourceField>("email, name, id"))]
    source_field: Option<Setting<SourceField>>,
    /// Where that is looked for in the directory: email, user_name, external_id, name, a field of your own, or default (email).
    #[arg(long, value_name = "FIELD", value_parser = setting::<DirectoryField>("a name"))]
    directory_field: Option<Setting<DirectoryField>>,
    /// Whether crawls of content that somebody or a schedule starts are followed by one of people: true, false or default (false).
    #[arg(long, value_name = "BOOL", value_parser = setting::<bool>("true, false"))]
    people_with_content: Option<Setting<bool>>,
}

impl From<EditArguments> for EditConnector {
    fn from(arguments: EditArguments) -> Self {
        let EditArguments { archived, comments, body, item_limit, .. } = arguments;
        let EditArguments { include_extensions, exclude_extensions, file_places, .. } = arguments;
        let EditArguments { other_hosts, file_mb, source_field, directory_field, .. } = arguments;
        let list = |named: Vec<String>, clear| (clear || !named.is_empty()).then_some(named);
        let include = list(arguments.include, arguments.include_all);
        let exclude = list(arguments.exclude, arguments.exclude_none);
        Self {
            include,
            exclude,
            archived,
            comments,
            body,
            item_limit,
            include_extensions,
            exclude_extensions,
            file_places,
            other_hosts,
            file_mb,
            source_field,
            directory_field,
            people_with_content: arguments.people_with_content,
        }
    }
}

pub(super) async fn run(context: &Context, command: ConnectorCommand) -> Result<Exit, OpsError> {
    let output = context.output;
    match command {
        ConnectorCommand::Add { name, notion_url, no_validate } => {
            let app = context.open()?;
            let secret = read_secret()?;
            let new = AddConnector { name: name.clone(), notion_url, secret, validate: !no_validate };
            let validation = ops::add_connector(&app, &Caller::LOCAL_OPERATOR, new).await?;
            output.show(
                &serde_json::json!({ "name": name, "validation": validation }),
                || match &validation {
                    Some(validation) => format!("Added “{name}”.\n{}", describe(validation)),
                    None => format!("Added “{name}” without validation."),
                },
            );
            Ok(Exit::Completed)
        }
        ConnectorCommand::SetSecret { name } => {
            let app = context.open_existing()?;
            let validation = ops::set_secret(&app, &Caller::LOCAL_OPERATOR, &name, read_secret()?).await?;
            output.show(&validation, || format!("Saved the secret of “{name}”.\n{}", describe(&validation)));
            Ok(Exit::Completed)
        }
        ConnectorCommand::StartPoints { name, refresh } => start_points(context, name, refresh).await,
        ConnectorCommand::List => {
            let connectors = ops::list_connectors(&context.open()?, &Caller::LOCAL_OPERATOR)?;
            output.show(&connectors, || table(&HEADER, &connectors.iter().map(row).collect::<Vec<_>>()));
            Ok(Exit::Completed)
        }
        ConnectorCommand::Show { name } => show(
            context,
            &ops::show_connector(&context.open_existing()?, &Caller::LOCAL_OPERATOR, name.as_deref())?,
        ),
        ConnectorCommand::Edit { name, edit } => show(
            context,
            &ops::edit_connector(&context.open_existing()?, &Caller::LOCAL_OPERATOR, &name, &edit.into())?,
        ),
        ConnectorCommand::Preview { name, edit } => preview(context, &name, edit).await,
        ConnectorCommand::Rename { name, new } => show(
            context,
            &ops::rename_connector(&context.open_existing()?, &Caller::LOCAL_OPERATOR, &name, &new)?,
        ),
        ConnectorCommand::Deactivate { name } => show(
            context,
            &ops::set_connector_active(&context.open_existing()?, &Caller::LOCAL_OPERATOR, &name, false)?,
        ),
        ConnectorCommand::Activate { name } => show(
            context,
            &ops::set_connector_active(&context.open_existing()?, &Caller::LOCAL_OPERATOR, &name, true)?,
        ),
        ConnectorCommand::Delete { name, yes } => delete(context, &name, yes).await,
        ConnectorCommand::Webhook(command) => super::webhook::run(context, &command),
        ConnectorCommand::Check { name } => {
            let validation =
                ops::check_connector(&context.open_existing()?, &Caller::LOCAL_OPERATOR, name.as_deref())
                    .await?;
            output.show(&validation, || describe(&validation));
            let lacks_capability = validation.problems.iter().any(|problem| problem.is_capability());
            Ok(if lacks_capability { Exit::Secret } else { Exit::Completed })
        }
    }
}

const HEADER: [&str; 7] =
    ["NAME", "SOURCE", "WORKSPACE", "STATUS", "DOCUMENTS", "LAST CRAWL", "FAILED CRAWLS"];

fn row(one: &ConnectorSummary) -> Vec<String> {
    let status = if one.recrawl_required {
        format!("{}, recrawl required", one.status)
    } else {
        one.status.to_owned()
    };
    let last = one.last_crawl.clone().unwrap_or_else(|| "never crawled".to_owned());
    let last = match one.last_crawl_started {
        Some(time) => format!("{last} ({})", time.strftime("%Y-%m-%d %H:%M UTC")),
        None => last,
    };
    vec![
        one.name.clone(),
        one.source.to_owned(),
        one.workspace_name.clone().unwrap_or_default(),
        status,
        one.items.to_string(),
        last,
        one.failed_crawls.to_string(),
    ]
}

fn show(context: &Context, detail: &ConnectorDetail) -> Result<Exit, OpsError> {
    context.output.show(detail, || {
        let mut lines = table(&HEADER, &[row(&detail.connector)]);
        if let (Ok(serde_json::Value::Object(own)), Ok(serde_json::Value::Object(effective))) =
            (serde_json::to_value(&detail.settings), serde_json::to_value(&detail.effective))
        {
            for (name, value) in effective.into_iter().filter(|(name, _)| name != "people") {
                let whose = match own.get(&name) {
                    Some(own) if *own != value => format!(" (set to {own}; the configuration allows no more)"),
                    Some(_) => String::new(),
                    None => " (default)".to_owned(),
                };
                lines.push_str(&format!("\n{name}: {value}{whose}"));
            }
        }
        lines.push_str(&format!("\npeople: {}", people_of(detail)));
        for warning in &detail.warnings {
            lines.push_str(&format!("\nwarning: {warning}"));
        }
        if detail.connector.recrawl_required {
            lines.push_str(&format!(
                "\nRecrawl required: what is indexed is not what the settings say; run: notion-connector crawl {} --scope full",
                detail.connector.name
            ));
        }
        lines
    });
    Ok(Exit::Completed)
}

/// How its people are mapped, in a line: a script is long.
fn people_of(detail: &ConnectorDetail) -> String {
    let people = &detail.effective.people;
    let script = match &detail.settings.people.script {
        Some(script) => format!("a script of its own ({} bytes: people script)", script.len()),
        None => "the default script".to_owned(),
    };
    let named = serde_json::to_value(people).unwrap_or_default();
    let name_of = |field: &str| named[field].as_str().unwrap_or_default().to_owned();
    format!(
        "{} in Notion is looked for as {} in the directory, with {script}; with content: {}",
        name_of("source"),
        name_of("directory"),
        people.with_content
    )
}

async fn start_points(context: &Context, name: Option<String>, refresh: bool) -> Result<Exit, OpsError> {
    let app = Arc::new(context.open_existing()?);
    let points = if refresh {
        let _ownership = app.own("connector start-points --refresh")?;
        let (told, progress) = watch::channel(Progress::default());
        let listing = ops::refresh_start_points(&app, &Caller::LOCAL_OPERATOR, name.as_deref(), told);
        let Some(points) = super::crawl::shown(context, progress, listing).await? else {
            return Ok(Exit::Interrupted);
        };
        points
    } else {
        ops::list_start_points(&app, &Caller::LOCAL_OPERATOR, name.as_deref())?
    };
    context.output.show(&points, || {
        let row = |point: &StartPoint| {
            let left_out = if point.left_out { "left out" } else { "" };
            vec![point.id.to_string(), point.kind.to_string(), point.title.clone(), left_out.to_owned()]
        };
        table(&["ID", "KIND", "TITLE", ""], &points.iter().map(row).collect::<Vec<_>>())
    });
    Ok(Exit::Completed)
}

async fn preview(context: &Context, name: &str, edit: EditArguments) -> Result<Exit, OpsError> {
    let preview =
        ops::preview_asking(&context.open_existing()?, &Caller::LOCAL_OPERATOR, name, &edit.into()).await?;
    context.output.show(&preview, || {
        let mut lines = format!(
            "Keeps {}, leaves out {}, newly needs {}.",
            preview.keep, preview.leave_out, preview.newly_need
        );
        if preview.over_limit > 0 {
            lines.push_str(&format!(" {} more are beyond the item limit.", preview.over_limit));
        }
        if preview.read_again > 0 {
            lines.push_str(&format!(" To be read again: {}.", counted(preview.read_again, "body", "bodies")));
        }
        let row = |kind: &PreviewKind| {
            let counts = [kind.keep, kind.leave_out, kind.newly_need, kind.over_limit];
            let mut row = vec![kind.kind.to_string()];
            row.extend(counts.map(|count| count.to_string()));
            row
        };
        let header = ["KIND", "KEEP", "LEAVE OUT", "NEWLY NEED", "OVER LIMIT"];
        let kinds = table(&header, &preview.kinds.iter().map(row).collect::<Vec<_>>());
        lines.push_str(&format!("\n{kinds}"));
        for warning in &preview.warnings {
            lines.push_str(&format!("\n! {warning}"));
        }
        for (mark, items, total) in
            [("-", &preview.leaving, preview.leave_out), ("+", &preview.coming, preview.newly_need)]
        {
            for item in items {
                lines.push_str(&format!("\n{mark} {} {} {}", item.id, item.kind, item.title));
            }
            if let Some(more) = total.checked_sub(items.len() as u64).filter(|more| *more > 0) {
                lines.push_str(&format!("\n{mark} … and {more} more"));
            }
        }
        lines
    });
    Ok(Exit::Completed)
}

/// Asks first, on a terminal; a script says `--yes`.
async fn delete(context: &Context, name: &str, yes: bool) -> Result<Exit, OpsError> {
    let app = Arc::new(context.open_existing()?);
    let detail = ops::show_connector(&app, &Caller::LOCAL_OPERATOR, Some(name))?;
    if !yes && !confirmed(&detail.connector)? {
        return Err(OpsError::Invalid(format!(
            "connector “{name}” was not deleted; without a terminal to ask on, say --yes"
        )));
    }
    let deleted = ops::delete_connector(&app, &Caller::LOCAL_OPERATOR, name).await?;
    context.output.show(&deleted, || {
        format!("Deleted “{}”; left the index: {}.", deleted.name, counted(deleted.deleted, "item", "items"))
    });
    Ok(Exit::Completed)
}

fn confirmed(connector: &ConnectorSummary) -> Result<bool, OpsError> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Ok(false);
    }
    let _ = write!(
        std::io::stderr(),
        "This deletes connector “{}”, its secret and those of its {} items that no other connector holds. It cannot be \
         undone.\nType the connector's name to go on: ",
        connector.name,
        connector.items
    );
    let mut line = String::new();
    input.lock().read_line(&mut line).map_err(|source| OpsError::Io {
        what: "the answer could not be read from standard input".to_owned(),
        source,
    })?;
    Ok(line.trim() == connector.name)
}

/// The secret from the environment, else one line of standard input.
fn read_secret() -> Result<SecretString, OpsError> {
    if let Some(secret) = secret_of_environment() {
        return Ok(secret);
    }
    let prompt = format!("Integration secret (shown while you type; {TOKEN_VARIABLE} avoids that)");
    secret_line(&prompt)?.map(|secret| SecretString::from(secret.expose_secret().trim())).ok_or_else(|| {
        OpsError::Invalid(format!(
            "there is no secret: put it into {TOKEN_VARIABLE}, or on the first line of standard input"
        ))
    })
}

/// The secret from the environment.
pub(super) fn secret_of_environment() -> Option<SecretString> {
    let text = zeroize::Zeroizing::new(std::env::var(TOKEN_VARIABLE).ok()?);
    let text = text.trim();
    (!text.is_empty()).then(|| SecretString::from(text))
}

fn describe(validation: &Validation) -> String {
    let reached = validation.start_points_at_least as u64;
    let mut lines = vec![
        format!("Workspace: {}", validation.workspace_name.as_deref().unwrap_or("(Notion does not say)")),
        format!("Integration: {}", validation.bot_name.as_deref().unwrap_or("(without a name)")),
        format!("Reaches at least {}.", counted(reached, "start point", "start points")),
    ];
    lines.extend(validation.problems.iter().map(|problem| format!("! {}", problem.advice())));
    lines.join("\n")
}
