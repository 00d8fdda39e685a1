use serde::{Deserialize, Serialize};

use super::{BodyChoice, CommentsChoice, Config, CrawlConfig, DirectoryField, FileSettings, PeopleSettings};
use crate::model::{FilePlace, NotionId};

/// What a connector sets for itself. Where it says nothing, the configuration holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectorSettings {
    /// Only these pages and databases and what lies below them; everything, if there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<NotionId>,
    /// Neither these pages and databases nor what lies below them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<NotionId>,
    /// See [`CrawlConfig::archived`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// See [`CrawlConfig::comments`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<CommentsChoice>,
    /// See [`NotionConfig::body`](super::NotionConfig::body).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyChoice>,
    /// See [`CrawlConfig::item_limit`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_limit: Option<u64>,
    /// See [`FilesConfig::include_extensions`](super::FilesConfig::include_extensions).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_extensions: Option<Vec<String>>,
    /// See [`FilesConfig::exclude_extensions`](super::FilesConfig::exclude_extensions).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_extensions: Option<Vec<String>>,
    /// See [`FilesConfig::places`](super::FilesConfig::places).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_places: Option<Vec<FilePlace>>,
    /// See [`FilesConfig::other_hosts`](super::FilesConfig::other_hosts).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_hosts: Option<bool>,
    /// Largest file that is read, in megabytes; at most [`ExtractConfig::file_mb`](super::ExtractConfig::file_mb).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_mb: Option<u64>,
    /// How the workspace's people are mapped to the directory.
    #[serde(skip_serializing_if = "PeopleSettings::is_default")]
    pub people: PeopleSettings,
}

/// Most objects that a filter names: each is a setting that somebody keeps in mind.
const MAX_NAMED: usize = 1_000;

/// The settings that crawls of a connector follow: its own before those of the configuration.
#[derive(Debug, Clone)]
pub struct EffectiveSettings {
    /// How crawls behave.
    pub crawl: CrawlConfig,
    /// How bodies are read.
    pub body: BodyChoice,
    /// See [`ConnectorSettings::include`].
    pub include: Vec<NotionId>,
    /// See [`ConnectorSettings::exclude`].
    pub exclude: Vec<NotionId>,
    /// Which files are read.
    pub files: FileSettings,
    /// See [`ConnectorSettings::people`].
    pub people: PeopleSettings,
}

impl ConnectorSettings {
    /// What holds for the connector.
    pub fn over(&self, config: &Config) -> EffectiveSettings {
        let base = &config.crawl;
        let crawl = CrawlConfig {
            archived: self.archived.unwrap_or(base.archived),
            comments: self.comments.unwrap_or(base.comments),
            item_limit: self.item_limit.unwrap_or(base.item_limit),
            ..base.clone()
        };
        let house = FileSettings::of(config);
        let files = FileSettings {
            places: self.file_places.clone().unwrap_or(house.places),
            include_extensions: self.include_extensions.clone().unwrap_or(house.include_extensions),
            exclude_extensions: self.exclude_extensions.clone().unwrap_or(house.exclude_extensions),
            other_hosts: self.other_hosts.unwrap_or(house.other_hosts),
            // What reads files has room for no larger ones.
            file_mb: self.file_mb.map_or(house.file_mb, |own| own.min(house.file_mb)),
        };
        EffectiveSettings {
            crawl,
            files,
            body: self.body.unwrap_or(config.notion.body),
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            people: self.people.clone(),
        }
    }
}

impl EffectiveSettings {
    /// What is wrong with them, each with the name of the setting first.
    pub fn problems(&self) -> Vec<String> {
        let blocks = self.crawl.comments == CommentsChoice::Blocks && self.body != BodyChoice::Blocks;
        let comments = blocks.then(|| {
            "comments: \"blocks\" needs body = \"blocks\": only block lists name the blocks to ask for"
                .to_owned()
        });
        let limit = (self.crawl.item_limit == 0).then(|| "item limit: must be at least 1".to_owned());
        let both = self.include.iter().find(|object| self.exclude.contains(object));
        let both = both.map(|object| {
            format!("include and exclude: {object} stands in both: nothing would be left of it")
        });
        let many = [("include", &self.include), ("exclude", &self.exclude)]
            .into_iter()
            .filter(|(_, list)| list.len() > MAX_NAMED)
            .map(|(name, list)| format!("{name}: names {} objects, at most {MAX_NAMED} can be", list.len()));
        let files = self.files.problems();
        let nowhere = matches!(&self.people.directory, DirectoryField::Own(name) if name.is_empty());
        let nowhere = nowhere.then(|| "directory field: needs a name".to_owned());
        comments.into_iter().chain(limit).chain(both).chain(many).chain(files).chain(nowhere).collect()
    }

    /// Whether bodies that were read under `self` are to be read again under `other`.
    pub fn reads_otherwise(&self, other: &Self) -> bool {
        self.body != other.body || self.crawl.comments != other.crawl.comments
    }

    /// Whether what was indexed under `self` is not what `other` says.
    pub fn indexes_otherwise(&self, other: &Self) -> bool {
        self.reads_otherwise(other)
            || self.crawl.archived != other.crawl.archived
            || self.crawl.item_limit < other.crawl.item_limit
            || self.include != other.include
            || self.exclude != other.exclude
            || self.files != other.files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connectors_own_settings_go_before_the_configuration() {
        let mut config = Config::default();
        config.crawl.archived = true;
        let inherited = ConnectorSettings::default().over(&config);
        assert!(inherited.crawl.archived && inherited.body == BodyChoice::Auto);
        let own = ConnectorSettings {
            archived: Some(false),
            body: Some(BodyChoice::Blocks),
            ..ConnectorSettings::default()
        };
        let own = own.over(&config);
        assert!(!own.crawl.archived && own.body == BodyChoice::Blocks && own.problems().is_empty());
        assert!(inherited.indexes_otherwise(&own) && inherited.reads_otherwise(&own));
    }

    #[test]
    fn settings_that_contradict_each_other_are_named() {
        let settings =
            ConnectorSettings { comments: Some(CommentsChoice::Blocks), ..ConnectorSettings::default() };
        let problems = settings.over(&Config::default()).problems();
        assert!(problems.len() == 1 && problems[0].starts_with("comments:"), "{problems:?}");
    }
}
