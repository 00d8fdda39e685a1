//! The life of a connector after it was added: its own settings, its name, its rest and its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::audiences::check_may_open;
use super::audit::Act;
use super::connectors::{check_name, find_connector};
use super::{ConnectorSummary, OpsError, people, plan, rerender};
use crate::app::App;
use crate::config::{
    BodyChoice, CommentsChoice, ConnectorSettings, DirectoryField, EffectiveSettings, PeopleSettings,
    SourceField,
};
use crate::crawl::files::FilePolicy;
use crate::crawl::filters::parse_object;
use crate::model::{Caller, FilePlace, NotionId, Role};
use crate::scripts::DEFAULT_SCRIPT;
use crate::store::{Connector, SettingsEffect};

/// What becomes of one setting: the connector's own value, or that of the configuration (written `default`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting<T> {
    /// The configuration's value holds.
    Inherited,
    /// This value holds.
    Own(T),
}

impl<T> Setting<T> {
    /// The connector's own value, if it has one.
    fn own(self) -> Option<T> {
        match self {
            Self::Inherited => None,
            Self::Own(value) => Some(value),
        }
    }
}

impl<T: DeserializeOwned> Setting<T> {
    /// As it is typed, where `default` stands for the configuration's value; none of a text that says nothing.
    pub fn typed(text: &str) -> Option<Self> {
        if text == "default" {
            return Some(Self::Inherited);
        }
        // Names of choices are JSON only between quotes; numbers, true and false as they are.
        let own =
            serde_json::from_str(text).or_else(|_| serde_json::from_value(serde_json::Value::from(text)));
        own.ok().map(Self::Own)
    }
}

/// A list as it is typed: names between commas, `none` for an empty one, `default` for what the configuration says.
///
/// # Errors
/// When a name is none of those that can be.
pub fn typed_list<T: DeserializeOwned>(text: &str) -> Result<Setting<Vec<T>>, String> {
    if text == "default" {
        return Ok(Setting::Inherited);
    }
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty() && text != "none");
    let values = names.map(|name| {
        serde_json::from_value(serde_json::Value::from(name))
            .map_err(|error| format!("{error}; or none, or default, for what the configuration says"))
    });
    values.collect::<Result<_, _>>().map(Setting::Own)
}

/// In JSON `null` says that the configuration's value holds.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(from)?.map_or(Self::Inherited, Self::Own))
    }
}

/// A setting that is there, also as `null`; serde takes `null` for an option that is not there.
fn given<'de, D, T>(from: D) -> Result<Option<Setting<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Setting::deserialize(from).map(Some)
}

/// Changes of a connector's settings; what is not given stays as it is.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditConnector {
    /// Only these and what lies below them: ids or links; everything, if the list is empty.
    pub include: Option<Vec<String>>,
    /// Neither these nor what lies below them: ids or links.
    pub exclude: Option<Vec<String>>,
    /// Whether archived pages are indexed; `null` for what the configuration says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    pub archived: Option<Setting<bool>>,
    /// Which comments are indexed: `off`, `pages` or `blocks`; `null` for what the configuration says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "pages")]
    pub comments: Option<Setting<CommentsChoice>>,
    /// How bodies are read: `auto`, `v1`, `v2` or `blocks`; `null` for what the configuration says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "auto")]
    pub body: Option<Setting<BodyChoice>>,
    /// Most items that it holds; `null` for what the configuration says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>)]
    pub item_limit: Option<Setting<u64>>,
    /// What people are known by in Notion: `email`, `name` or `id`; `null` for `email`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "email")]
    pub source_field: Option<Setting<SourceField>>,
    /// Where that is looked for in the directory: `email`, `user_name`, `external_id`, `name`, or a field of your own; `null` for
    /// `email`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "email")]
    pub directory_field: Option<Setting<DirectoryField>>,
    /// Whether crawls of content that somebody or a schedule starts are followed by one of people; `null` for no.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    pub people_with_content: Option<Setting<bool>>,
    /// Extensions of files that are read; `null` for what the configuration says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["pdf", "docx"]))]
    pub include_extensions: Option<Setting<Vec<String>>>,
    /// Extensions of files that are not, whatever else is said; `null` for what the configuration says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["csv"]))]
    pub exclude_extensions: Option<Setting<Vec<String>>>,
    /// Where files are read: `file`, `image`, `video`, `audio`, `pdf`, `embed`, `property`, `comment`, or nowhere, if the list is
    /// empty; `null` for what the configuration says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["file", "pdf", "property"]))]
    pub file_places: Option<Setting<Vec<FilePlace>>>,
    /// Whether files on other hosts than Notion's are read; `null` for what the configuration says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    pub other_hosts: Option<Setting<bool>>,
    /// Largest file that is read, in megabytes, as far as the configuration allows; `null` for what that says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>)]
    pub file_mb: Option<Setting<u64>>,
}

impl EditConnector {
    /// The settings as they are after it.
    fn apply(&self, mut settings: ConnectorSettings) -> Result<ConnectorSettings, OpsError> {
        for (edit, list) in [(&self.include, &mut settings.include), (&self.exclude, &mut settings.exclude)] {
            if let Some(named) = edit {
                let named: Result<BTreeSet<NotionId>, String> =
                    named.iter().map(|text| parse_object(text)).collect();
                *list = named.map_err(OpsError::Invalid)?.into_iter().collect();
            }
        }
        if let Some(limit) = self.item_limit {
            settings.item_limit = limit.own();
        }
        if let Some(archived) = self.archived {
            settings.archived = archived.own();
        }
        if let Some(comments) = self.comments {
            settings.comments = comments.own();
        }
        if let Some(body) = self.body {
            settings.body = body.own();
        }
        // The configuration has nothing of these: what holds without them is what holds for everybody.
        let people = &mut settings.people;
        if let Some(source) = self.source_field {
            people.source = source.own().unwrap_or_default();
        }
        if let Some(field) = &self.directory_field {
            people.directory = field.clone().own().unwrap_or_default();
        }
        if let Some(with_content) = self.people_with_content {
            people.with_content = with_content.own().unwrap_or_default();
        }
        self.apply_to_files(&mut settings);
        Ok(settings)
    }

    fn apply_to_files(&self, settings: &mut ConnectorSettings) {
        let lists = [
            (&self.include_extensions, &mut settings.include_extensions),
            (&self.exclude_extensions, &mut settings.exclude_extensions),
        ];
        for (edit, list) in lists {
            if let Some(edit) = edit {
                let written = |extension: &String| extension.trim().trim_start_matches('.').to_lowercase();
                *list = edit.clone().own().map(|own| in_order(own.iter().map(written)));
            }
        }
        if let Some(places) = &self.file_places {
            settings.file_places = places.clone().own().map(|own| in_order(own.into_iter()));
        }
        if let Some(other_hosts) = self.other_hosts {
            settings.other_hosts = other_hosts.own();
        }
        if let Some(file_mb) = self.file_mb {
            settings.file_mb = file_mb.own();
        }
    }
}

/// Each value once, so that lists compare by what they say.
fn in_order<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.collect::<BTreeSet<T>>().into_iter().collect()
}

/// A connector with its settings.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConnectorDetail {
    /// The connector.
    #[serde(flatten)]
    pub connector: ConnectorSummary,
    /// What it sets for itself.
    #[schema(value_type = Object)]
    pub settings: ConnectorSettings,
    /// What holds for it.
    pub effective: Effective,
    /// What of it may be a slip.
    pub warnings: Vec<String>,
}

/// The settings that crawls of a connector follow.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Effective {
    /// Only these and what lies below them; everything, if there is none.
    pub include: Vec<NotionId>,
    /// Neither these nor what lies below them.
    pub exclude: Vec<NotionId>,
    /// Whether archived pages are indexed.
    pub archived: bool,
    /// Which comments are indexed.
    #[schema(value_type = String, example = "off")]
    pub comments: CommentsChoice,
    /// How bodies are read.
    #[schema(value_type = String, example = "auto")]
    pub body: BodyChoice,
    /// Most items that it holds.
    pub item_limit: u64,
    /// How its people are mapped.
    #[schema(value_type = Object)]
    pub people: PeopleSettings,
    /// Extensions of files that are read.
    pub include_extensions: Vec<String>,
    /// Extensions of files that are not, whatever else is said.
    pub exclude_extensions: Vec<String>,
    /// Where files are read.
    #[schema(value_type = Vec<String>, example = json!(["file", "pdf"]))]
    pub file_places: Vec<FilePlace>,
    /// Whether files on other hosts than Notion's are read.
    pub other_hosts: bool,
    /// Largest file that is read, in megabytes.
    pub file_mb: u64,
}

/// A connector with its settings.
///
/// # Errors
/// When there is no such connector.
pub fn show_connector(app: &App, caller: &Caller, name: Option<&str>) -> Result<ConnectorDetail, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    let connector = find_connector(app, name)?;
    let settings = settings_of(&connector)?;
    let effective = settings.over(&app.config);
    let warnings = people::slips(app, &effective.people)?;
    let effective = Effective {
        include: effective.include,
        exclude: effective.exclude,
        item_limit: effective.crawl.item_limit,
        people: PeopleSettings {
            script: effective.people.script.or_else(|| Some(DEFAULT_SCRIPT.to_owned())),
            ..effective.people
        },
        archived: effective.crawl.archived,
        comments: effective.crawl.comments,
        body: effective.body,
        include_extensions: effective.files.include_extensions,
        exclude_extensions: effective.files.exclude_extensions,
        file_places: effective.files.places,
        other_hosts: effective.files.other_hosts,
        file_mb: effective.files.file_mb,
    };
    Ok(ConnectorDetail { connector: ConnectorSummary::of(app, connector)?, settings, effective, warnings })
}

/// Changes a connector's settings, or nothing when one of them is wrong.
///
/// # Errors
/// When there is no such connector, or the settings contradict each other.
pub fn edit_connector(
    app: &App,
    caller: &Caller,
    name: &str,
    edit: &EditConnector,
) -> Result<ConnectorDetail, OpsError> {
    Act::of_connectors("connector.edit", name).run(app, caller, || {
        let connector = find_connector(app, Some(name))?;
        let before = settings_of(&connector)?;
        let after = edit.apply(before.clone())?;
        if before.people != after.people {
            check_may_open(app, caller, &connector)?;
        }
        let (was, is) = (before.over(&app.config), effective(app, &connector.name, &after)?);
        let effect =
            SettingsEffect { recrawl: was.indexes_otherwise(&is), read_again: was.reads_otherwise(&is) };
        let text = serde_json::to_string(&after)
            .map_err(|error| OpsError::Invalid(format!("the settings could not be written: {error}")))?;
        let now = app.runtime.now();
        app.store.save_settings(connector.id, &text, effect, now)?;
        if was.indexes_otherwise(&is) {
            app.store.void_plans(connector.id, plan::OTHER_SETTINGS, now)?;
        }
        show_connector(app, caller, Some(&connector.name))
    })
}

/// The settings that crawls of the connector follow.
///
/// # Errors
/// When they contradict each other, or were written by a newer version.
pub(super) fn effective_settings(app: &App, connector: &Connector) -> Result<EffectiveSettings, OpsError> {
    effective(app, &connector.name, &settings_of(connector)?)
}

/// What such settings say of files.
pub(super) fn file_policy<'a>(app: &'a App, settings: &'a EffectiveSettings) -> FilePolicy<'a> {
    FilePolicy {
        settings: &settings.files,
        hosts: &app.config.files.test_hosts,
        reads_images: app.config.extract.reads_images(),
        item_limit: settings.crawl.item_limit,
    }
}

/// The settings that would hold after an edit.
///
/// # Errors
/// When they cannot be.
pub(super) fn edited_settings(
    app: &App,
    connector: &Connector,
    edit: &EditConnector,
) -> Result<EffectiveSettings, OpsError> {
    effective(app, &connector.name, &edit.apply(settings_of(connector)?)?)
}

fn effective(app: &App, name: &str, settings: &ConnectorSettings) -> Result<EffectiveSettings, OpsError> {
    let effective = settings.over(&app.config);
    let problems = effective.problems();
    if problems.is_empty() {
        return Ok(effective);
    }
    Err(OpsError::Invalid(format!(
        "the settings of connector “{name}”, with the configuration where it has none of its own, cannot be: {}",
        problems.join("; ")
    )))
}

pub(super) fn settings_of(connector: &Connector) -> Result<ConnectorSettings, OpsError> {
    serde_json::from_str(&connector.settings).map_err(|error| {
        OpsError::Conflict(format!(
            "the settings of connector “{}” cannot be read ({error}): use the newer version that wrote them",
            connector.name
        ))
    })
}

/// Gives a connector another name.
///
/// # Errors
/// When there is no such connector, the name is taken or unusable, or the secret does not open.
pub fn rename_connector(
    app: &App,
    caller: &Caller,
    name: &str,
    new: &str,
) -> Result<ConnectorDetail, OpsError> {
    Act::of_connectors("connector.rename", name).run(app, caller, || {
        let connector = find_connector(app, Some(name))?;
        let new = check_name(new)?;
        // A sealed secret is bound to the name.
        let vault = app.vault()?;
        let sealed = vault.seal(new, &vault.open(&connector.name, &connector.sealed_secret)?);
        if !app.store.rename_connector(connector.id, new, &sealed)? {
            return Err(OpsError::Conflict(format!(
                "there is a connector “{new}” already; choose another name"
            )));
        }
        show_connector(app, caller, Some(new))
    })
}

/// Lets a connector's schedules run, or pauses them. Its content stays searchable, and crawls that somebody starts still run.
///
/// # Errors
/// When there is no such connector.
pub fn set_connector_active(
    app: &App,
    caller: &Caller,
    name: &str,
    active: bool,
) -> Result<ConnectorDetail, OpsError> {
    Act::of_connectors(if active { "connector.activate" } else { "connector.deactivate" }, name).run(
        app,
        caller,
        || {
            let connector = find_connector(app, Some(name))?;
            app.store.set_active(connector.id, active)?;
            show_connector(app, caller, Some(&connector.name))
        },
    )
}

/// What went with a connector.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeletedConnector {
    /// Its name.
    pub name: String,
    /// Items that left the index; what another connector holds stays.
    pub deleted: u64,
}

/// Deletes a connector: definition, secret, crawls, and the content that no other connector holds. Irreversible.
///
/// Where another process serves, its pump takes the items out of the index; else this one does before it answers.
///
/// # Errors
/// When there is no such connector, or another process crawls it.
pub async fn delete_connector(
    app: &Arc<App>,
    caller: &Caller,
    name: &str,
) -> Result<DeletedConnector, OpsError> {
    let act = Act::of_connectors("connector.delete", name);
    act.run_async(app, caller, async {
    let connector = find_connector(app, Some(name))?;
    // Its rules go with it, and a new one has none.
    check_may_open(app, caller, &connector)?;
    let ownership = app.own("connector delete").ok();
    let open = app.store.load_open_crawl(connector.id, None, None)?;
    if let Some(crawl) = open.filter(|_| ownership.is_none()) {
        return Err(OpsError::Conflict(format!(
            "crawl {0} of connector “{1}” is running: cancel it first with: notion-connector crawls cancel {0}",
            crawl.id, connector.name
        )));
    }
    let pump = ownership.as_ref().map(|_| app.pump()).transpose()?;
    if let Some(pump) = &pump {
        // Before anything new is written, as in a crawl.
        pump.drain().await?;
    }
    let deleted = app.store.delete_connector(connector.id)?;
    // Files that others hold may be described by other pages now.
    rerender(app).await?;
    if let Some(pump) = &pump {
        pump.drain().await?;
    }
    Ok(DeletedConnector { name: connector.name, deleted })
    }).await
}
