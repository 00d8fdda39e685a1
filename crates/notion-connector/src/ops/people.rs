//! People of Notion's: who of the directory they are, and a box to try that in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OpsError;
use super::audiences::check_may_open;
use super::audit::Act;
use super::connector_life::{ConnectorDetail, effective_settings, settings_of, show_connector};
use super::connectors::find_connector;
use crate::app::App;
use crate::config::PeopleSettings;
use crate::crawl::people::{look_up, lookup_of};
use crate::model::{Caller, Role};
use crate::scripts::{DEFAULT_SCRIPT, MAX_SCRIPT_BYTES};
use crate::store::{
    Found, SettingsEffect, UnmappedReason, UserCounts, UserFilter, UserOrder, UserPage, UserState,
};

/// Fields of the directory that are named where none has the one that was meant.
const FIELDS_TOLD: u32 = 20;

/// Longest value that is tried, in characters.
const MAX_VALUE_CHARS: usize = 2_000;

/// Which people are listed, and how.
#[derive(Debug, Clone, Default)]
pub struct ListPeople {
    /// Of this connector; of all if none is named.
    pub connector: Option<String>,
    /// That stand so.
    pub state: Option<UserState>,
    /// Unmapped for this reason.
    pub reason: Option<UnmappedReason>,
    /// Whose name or e-mail address, or that of whom they are mapped to, holds this.
    pub text: Option<String>,
    /// By what; by name if it is not said.
    pub order: Option<UserOrder>,
    /// How many at most.
    pub limit: u32,
    /// How many to leave out first.
    pub offset: u32,
}

/// The people of workspaces with whom they are mapped to.
///
/// # Errors
/// When the caller is no security administrator, or there is no such connector.
pub fn list_people(app: &App, caller: &Caller, list: &ListPeople) -> Result<UserPage, OpsError> {
    Act::of_security("people.list", list.connector.as_deref().unwrap_or_default()).run(app, caller, || {
        let named = list.connector.as_deref().map(|name| find_connector(app, Some(name))).transpose()?;
        let filter = UserFilter {
            connector: named.map(|connector| connector.id),
            state: list.state,
            reason: list.reason,
            text: list.text.clone(),
        };
        Ok(app.store.load_users(&filter, list.order.unwrap_or(UserOrder::Name), list.limit, list.offset)?)
    })
}

/// How many people of each connector are mapped: what administrators of connectors may know.
///
/// # Errors
/// When the caller administers nothing.
pub fn count_people(app: &App, caller: &Caller) -> Result<Vec<UserCounts>, OpsError> {
    caller.require(Role::SecurityAdmin).or_else(|_| caller.require(Role::ConnectorAdmin))?;
    Ok(app.store.count_users()?)
}

/// A value to try the mapping with.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestMapping {
    /// Name of the connector whose settings hold; the only one if none is named.
    pub connector: Option<String>,
    /// What Notion would tell of somebody: an e-mail address, unless the source field is another.
    pub value: String,
}

/// What the mapping makes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MappingAnswer {
    /// Exactly one person of the directory.
    Match,
    /// Nobody.
    NoMatch,
    /// More than one.
    Inconclusive,
}

/// What was tried, and what came of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MappingTest {
    /// Name of the connector.
    pub connector: String,
    /// The value that was given.
    pub value: String,
    /// The value that was looked for: what the script made of it; none where it gave nothing.
    pub looked_for: Option<String>,
    /// Why the script gave nothing.
    pub error: Option<String>,
    /// In which attribute of the directory.
    pub directory_field: String,
    /// What was found.
    pub answer: MappingAnswer,
    /// User name of the one who was found; told to security administrators.
    pub person: Option<String>,
    /// Whether that one is active in the directory: else they see nothing. Told with the name.
    pub person_active: Option<bool>,
}

/// Tries what the mapping of a connector makes of a value. Nothing is changed.
///
/// # Errors
/// When the caller administers nothing, or there is no such connector.
pub async fn test_mapping(app: &App, caller: &Caller, test: &TestMapping) -> Result<MappingTest, OpsError> {
    let may_know = caller.require(Role::SecurityAdmin).is_ok();
    let role = if may_know { Role::SecurityAdmin } else { Role::ConnectorAdmin };
    let act = Act { action: "people.test", target: test.connector.as_deref().unwrap_or_default(), role };
    act.run_async(app, caller, async {
        if test.value.chars().count() > MAX_VALUE_CHARS {
            return Err(OpsError::Invalid(format!("a value has at most {MAX_VALUE_CHARS} characters")));
        }
        let connector = find_connector(app, test.connector.as_deref())?;
        let settings = effective_settings(app, &connector)?.people;
        let given = Some(test.value.trim().to_owned()).filter(|value| !value.is_empty());
        let mapped = match (given, &settings.script) {
            (Some(value), Some(script)) => {
                let mut mapped = app.scripts.session(script).map(&[value]).await?;
                mapped.pop().unwrap_or(Ok(None))
            }
            (given, _) => Ok(given),
        };
        let (looked_for, error) = match mapped {
            Ok(looked_for) => (looked_for, None),
            Err(error) => (None, Some(error.to_string())),
        };
        let found = match &looked_for {
            Some(value) => look_up(&app.store, &settings.directory, value)?,
            None => Found::None,
        };
        let (answer, person) = match found {
            Found::One(person) => (MappingAnswer::Match, Some(person)),
            Found::None => (MappingAnswer::NoMatch, None),
            Found::Several => (MappingAnswer::Inconclusive, None),
        };
        let person = person.filter(|_| may_know).map(|id| app.store.load_person_by_id(id)).transpose()?;
        let person = person.flatten();
        Ok(MappingTest {
            connector: connector.name,
            value: test.value.clone(),
            looked_for,
            error,
            directory_field: settings.directory.into(),
            answer,
            person_active: person.as_ref().map(|person| person.active),
            person: person.map(|person| person.user_name),
        })
    })
    .await
}

/// Which settings of the mapping lead nowhere, as far as the directory shows.
///
/// # Errors
/// When the database cannot be read.
pub(super) fn slips(app: &App, settings: &PeopleSettings) -> Result<Vec<String>, OpsError> {
    if !app.store.lacks_attribute(lookup_of(&settings.directory))? {
        return Ok(Vec::new());
    }
    let field = String::from(settings.directory.clone());
    let known = app.store.load_field_names(FIELDS_TOLD)?;
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Ok(vec![format!(
        "people are looked for in the directory by “{field}”, which nobody there has, so that nobody can be mapped; its own fields, \
         exactly as they are written: {known}"
    )])
}

/// Gives a connector its mapping script, or with none the default back, which gives what it is given.
///
/// # Errors
/// When there is no such connector, or the text is no script that could map anybody.
pub async fn set_mapping_script(
    app: &App,
    caller: &Caller,
    name: &str,
    script: Option<&str>,
) -> Result<ConnectorDetail, OpsError> {
    let act = Act::of_connectors("connector.script", name);
    act.run_async(app, caller, async {
        let connector = find_connector(app, Some(name))?;
        check_may_open(app, caller, &connector)?;
        if let Some(script) = script {
            if script.len() > MAX_SCRIPT_BYTES {
                return Err(OpsError::Invalid(format!("a script has at most {MAX_SCRIPT_BYTES} bytes")));
            }
            if let Err(why) = app.scripts.check(script).await? {
                return Err(OpsError::Invalid(why));
            }
        }
        let mut settings = settings_of(&connector)?;
        settings.people.script = script.map(str::to_owned).filter(|script| script != DEFAULT_SCRIPT);
        let text = serde_json::to_string(&settings)
            .map_err(|error| OpsError::Invalid(format!("the settings could not be written: {error}")))?;
        // What is indexed stays as it is.
        let effect = SettingsEffect { recrawl: false, read_again: false };
        app.store.save_settings(connector.id, &text, effect, app.runtime.now())?;
        show_connector(app, caller, Some(&connector.name))
    })
    .await
}
