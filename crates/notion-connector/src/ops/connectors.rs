//! Connectors: adding, checking, listing.

use jiff::Timestamp;
use notion_api::endpoints::{Paging, SearchRequest};
use notion_api::wire::{SearchResult, UserKind};
use notion_api::{Class, Client};
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::audit::Act;
use super::{OpsError, plan};
use crate::app::App;
use crate::crawl::{NOTHING_CONNECTED, advise, step};
use crate::model::{Actor, Caller, NotionId, Parent, Role};
use crate::store::{Connector, NewConnector};

/// Where Notion's API is, when nothing else is said.
pub const NOTION_URL: &str = "https://api.notion.com";

/// What a connector is to be made of.
#[derive(Debug)]
pub struct AddConnector {
    /// A name that no other connector has.
    pub name: String,
    /// Origin of the API.
    pub notion_url: String,
    /// The integration's secret.
    pub secret: SecretString,
    /// Whether to ask Notion first what the secret opens; nothing is saved when that fails.
    pub validate: bool,
}

/// What a secret opens.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Validation {
    /// The workspace.
    pub workspace: Option<NotionId>,
    /// Its name.
    pub workspace_name: Option<String>,
    /// The integration's bot user.
    pub bot: NotionId,
    /// The integration's name.
    pub bot_name: Option<String>,
    /// At least so many start points are connected.
    pub start_points_at_least: usize,
    /// Whether people can be listed.
    pub reads_people: bool,
    /// Whether their e-mail addresses come along.
    pub reads_email_addresses: bool,
    /// What will not work, and what to do about it in Notion.
    pub problems: Vec<Problem>,
    /// The same in words, in the same order: what to do in Notion about each.
    #[schema(value_type = Vec<String>)]
    pub advice: Vec<&'static str>,
}

/// Something that will not work with a secret that Notion accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConnectionProblem)]
pub enum Problem {
    /// The integration reaches no page.
    NothingConnected,
    /// It may not list people.
    NoUserInformation,
    /// It may list people without their e-mail addresses.
    NoEmailAddresses,
}

impl Problem {
    /// What to do about it in Notion.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::NothingConnected => NOTHING_CONNECTED,
            Self::NoUserInformation => {
                "people cannot be listed: in the integration's settings choose “Read user information including email \
                 addresses”"
            }
            Self::NoEmailAddresses => {
                "people come without e-mail addresses: in the integration's settings choose “Read user information \
                 including email addresses”"
            }
        }
    }

    /// Whether the integration lacks a capability.
    pub const fn is_capability(self) -> bool {
        match self {
            Self::NothingConnected => false,
            Self::NoUserInformation | Self::NoEmailAddresses => true,
        }
    }
}

/// A connector as it is listed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConnectorSummary {
    /// Its name.
    pub name: String,
    /// Always `notion`.
    #[schema(value_type = String, example = "notion")]
    pub source: &'static str,
    /// Origin of the API.
    pub notion_url: String,
    /// Name of the workspace.
    pub workspace_name: Option<String>,
    /// Whether its schedules run: *active* or *deactivated*.
    #[schema(value_type = String, example = "active")]
    pub status: &'static str,
    /// Whether what is indexed is not what its settings say, until a full crawl completes.
    pub recrawl_required: bool,
    /// Searchable items.
    pub items: u64,
    /// State of its newest crawl.
    pub last_crawl: Option<String>,
    /// When that began.
    pub last_crawl_started: Option<Timestamp>,
    /// How many of its crawls failed.
    pub failed_crawls: u64,
}

impl ConnectorSummary {
    pub(super) fn of(app: &App, connector: Connector) -> Result<Self, OpsError> {
        let last = app.store.load_last_crawl(connector.id)?;
        Ok(Self {
            source: "notion",
            status: if connector.active { "active" } else { "deactivated" },
            recrawl_required: connector.recrawl_since.is_some(),
            items: app.store.count_items(connector.id)?,
            last_crawl: last.as_ref().map(|crawl| crawl.state.to_string()),
            last_crawl_started: last.and_then(|crawl| crawl.started),
            failed_crawls: app.store.count_failed_crawls(connector.id)?,
            name: connector.name,
            notion_url: connector.notion_url,
            workspace_name: connector.workspace_name,
        })
    }
}

/// Adds a connector.
///
/// # Errors
/// When the name is taken or unusable, or the secret does not validate.
pub async fn add_connector(
    app: &App,
    caller: &Caller,
    new: AddConnector,
) -> Result<Option<Validation>, OpsError> {
    let name = new.name.clone();
    let act = Act::of_connectors("connector.add", &name);
    act.run_async(app, caller, async {
        check_origin(app, caller, &new.notion_url)?;
        let name = check_name(&new.name)?;
        if app.store.load_connector(name)?.is_some() {
            return Err(OpsError::Conflict(format!(
                "there is a connector “{name}” already; choose another name"
            )));
        }
        app.vault()?;
        let client = app.client(&new.notion_url, new.secret.clone())?;
        let validation = if new.validate { Some(validate(&client).await?) } else { None };
        if let Some(validation) = &validation
            && !validation.problems.is_empty()
        {
            return Err(OpsError::NotValid(validation.problems.clone()));
        }
        let row = NewConnector {
            name: name.to_owned(),
            notion_url: new.notion_url,
            sealed_secret: app.vault()?.seal(name, &new.secret),
            created: app.runtime.now(),
        };
        let Some(id) = app.store.add_connector(&row)? else {
            return Err(OpsError::Conflict(format!(
                "there is a connector “{name}” already; choose another name"
            )));
        };
        if let Some(validation) = &validation {
            save_identity(app, id, validation)?;
        }
        Ok(validation)
    })
    .await
}

/// Another origin than Notion's may be any machine that this one reaches: who owns this one brings it in, by command, and only
/// then others may use it.
fn check_origin(app: &App, caller: &Caller, notion_url: &str) -> Result<(), OpsError> {
    let is_known = || {
        let connectors = app.store.load_connectors()?;
        Ok::<_, OpsError>(connectors.iter().any(|connector| connector.notion_url == notion_url))
    };
    if notion_url == NOTION_URL || caller.actor == Actor::LocalOperator || is_known()? {
        return Ok(());
    }
    Err(OpsError::NotAllowed(format!(
        "{notion_url} is not Notion ({NOTION_URL}): the owner of the data directory adds the first connector there, by command"
    )))
}

/// A name that a connector can have.
///
/// # Errors
/// When it is none.
pub(super) fn check_name(name: &str) -> Result<&str, OpsError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(OpsError::Invalid("the name of a connector has 1 to 100 characters".to_owned()));
    }
    Ok(name)
}

fn save_identity(app: &App, id: crate::model::ConnectorId, validation: &Validation) -> Result<(), OpsError> {
    let Some(workspace) = validation.workspace else { return Ok(()) };
    let workspace = (workspace, validation.workspace_name.as_deref());
    Ok(app.store.save_identity(id, workspace, (validation.bot, validation.bot_name.as_deref()))?)
}

/// Replaces a connector's secret, if it opens the same workspace.
///
/// # Errors
/// When Notion refuses the new secret, or it opens another workspace.
pub async fn set_secret(
    app: &App,
    caller: &Caller,
    name: &str,
    secret: SecretString,
) -> Result<Validation, OpsError> {
    let act = Act::of_connectors("connector.set_secret", name);
    act.run_async(app, caller, async {
        let connector = find_connector(app, Some(name))?;
        app.vault()?;
        let validation = validate(&app.client(&connector.notion_url, secret.clone())?).await?;
        if connector.workspace.is_some_and(|before| validation.workspace != Some(before)) {
            return Err(OpsError::Conflict(format!(
                "this secret opens another workspace ({}): add a new connector for it",
                validation.workspace_name.as_deref().unwrap_or("without a name")
            )));
        }
        // By the key of now: it may have been exchanged while Notion was asked.
        let sealed = app.vault()?.seal(&connector.name, &secret);
        app.store.save_secret(connector.id, &sealed)?;
        // Another integration may see other pages.
        app.store.void_plans(connector.id, plan::OTHER_SETTINGS, app.runtime.now())?;
        save_identity(app, connector.id, &validation)?;
        Ok(validation)
    })
    .await
}

/// Asks Notion what a connector's secret opens, now.
///
/// # Errors
/// When there is no such connector, or Notion refuses the secret.
pub async fn check_connector(app: &App, caller: &Caller, name: Option<&str>) -> Result<Validation, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    let connector = find_connector(app, name)?;
    validate(&app.client_of(&connector)?).await
}

/// Asks Notion what a secret opens; saves nothing.
///
/// # Errors
/// When Notion refuses the secret, or the address cannot be used.
pub async fn validate_connection(
    app: &App,
    caller: &Caller,
    notion_url: &str,
    secret: SecretString,
) -> Result<Validation, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    check_origin(app, caller, notion_url)?;
    validate(&app.client(notion_url, secret)?).await
}

/// All connectors.
///
/// # Errors
/// When the database cannot be read.
pub fn list_connectors(app: &App, caller: &Caller) -> Result<Vec<ConnectorSummary>, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    app.store.load_connectors()?.into_iter().map(|connector| ConnectorSummary::of(app, connector)).collect()
}

/// The connector of that name, or the only one.
///
/// # Errors
/// When it does not exist, or which one is meant is not clear.
pub(super) fn find_connector(app: &App, name: Option<&str>) -> Result<Connector, OpsError> {
    let mut all = app.store.load_connectors()?;
    let names = || all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    match name {
        Some(name) => app.store.load_connector(name)?.ok_or_else(|| {
            OpsError::NotFound(format!("there is no connector “{name}”; there are: {}", names()))
        }),
        None if all.len() == 1 => Ok(all.remove(0)),
        None if all.is_empty() => Err(OpsError::NotFound(
            "there is no connector yet; add one with: notion-connector connector add NAME".to_owned(),
        )),
        None => Err(OpsError::Invalid(format!("name one of the connectors: {}", names()))),
    }
}

/// What a secret opens, in three requests.
async fn validate(client: &Client) -> Result<Validation, OpsError> {
    let identity = identify(client).await?;
    let mut problems = Vec::new();
    let listing = client.fetch_search(&SearchRequest::default()).await.map_err(OpsError::notion)?;
    let at_the_top = |found: &SearchResult| match found {
        SearchResult::Page(page) => matches!(step::parent_of(page.parent.as_ref()), Parent::Workspace),
        SearchResult::DataSource(found) => {
            matches!(step::parent_of(found.database_parent.as_ref()), Parent::Workspace)
        }
        SearchResult::Database(_) | SearchResult::Unknown(_) => false,
    };
    let listed = listing.value.results.len();
    let start_points = listing.value.values().filter(|found| at_the_top(found)).count();
    if listed == 0 {
        problems.push(Problem::NothingConnected);
    }
    let (reads_people, reads_email_addresses) = probe_people(client, &mut problems).await?;
    Ok(Validation {
        start_points_at_least: start_points.max(usize::from(listed > 0)),
        reads_people,
        reads_email_addresses,
        advice: problems.iter().map(|problem| problem.advice()).collect(),
        problems,
        ..identity
    })
}

async fn probe_people(client: &Client, problems: &mut Vec<Problem>) -> Result<(bool, bool), OpsError> {
    let people = match client.fetch_users(&Paging::at(None)).await {
        Ok(answer) => answer.value,
        Err(error) if error.class() == Class::MissingCapability => {
            problems.push(Problem::NoUserInformation);
            return Ok((false, false));
        }
        Err(error) => return Err(OpsError::notion(error)),
    };
    let persons = || people.values().filter(|user| matches!(user.kind, UserKind::Person { .. }));
    let with_address = persons().next().is_none() || persons().any(|user| user.email().is_some());
    if !with_address {
        problems.push(Problem::NoEmailAddresses);
    }
    Ok((true, with_address))
}

/// Which workspace and bot a client's secret belongs to: one request.
///
/// # Errors
/// When Notion refuses the secret or does not answer.
pub(super) async fn identify(client: &Client) -> Result<Validation, OpsError> {
    let me = client.fetch_me().await.map_err(OpsError::notion)?.value;
    let (workspace, workspace_name) = match me.kind {
        UserKind::Bot(bot) => (bot.workspace_id.map(NotionId), bot.workspace_name),
        _ => (None, None),
    };
    Ok(Validation {
        workspace,
        workspace_name,
        bot: NotionId(me.id),
        bot_name: me.name,
        start_points_at_least: 0,
        reads_people: false,
        reads_email_addresses: false,
        problems: Vec::new(),
        advice: Vec::new(),
    })
}

impl OpsError {
    /// A refusal of Notion's, with what to do about it.
    pub(super) fn notion(source: notion_api::Error) -> Self {
        Self::Notion { advice: advise(&source), source }
    }
}
