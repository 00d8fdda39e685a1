//! Settings: a TOML file, overridden by environment variables, checked as a whole.
//!
//! Every section is a file here; every field has its meaning, unit and default. A broken configuration is reported with
//! all of its problems at once, each with its path.
//!
//! To add a setting: a field with a doc comment and a default in its section; what it must hold in `problems`.

mod connector;
mod crawl;
mod extract;
mod file_settings;
mod files;
mod index;
mod notion;
mod openid;
mod people;
mod secrets;
mod server;
mod tls;
mod webhooks;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

pub use connector::{ConnectorSettings, EffectiveSettings};
pub use crawl::{CommentsChoice, CrawlConfig};
pub use extract::{CaptionsConfig, ExtractConfig};
pub use file_settings::FileSettings;
pub use files::FilesConfig;
pub use index::IndexConfig;
pub use notion::{BodyChoice, NotionConfig};
pub use openid::OpenidConfig;
pub use people::{DirectoryField, PeopleSettings, SourceField};
pub use secrets::SecretsConfig;
pub use server::{Network, ProxyConfig, PublicUrl, ServerConfig, SignInChoice};
pub use tls::TlsConfig;
pub use webhooks::WebhooksConfig;

/// Prefix of environment variables that override the file: `NOTION_CONNECTOR__CRAWL__CONCURRENCY=4`.
const ENVIRONMENT_PREFIX: &str = "NOTION_CONNECTOR__";

/// All settings.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// How Notion is spoken to.
    pub notion: NotionConfig,
    /// How crawls behave.
    pub crawl: CrawlConfig,
    /// How text is read out of files.
    pub extract: ExtractConfig,
    /// Which files are read, and how they are fetched.
    pub files: FilesConfig,
    /// The embedded index.
    pub index: IndexConfig,
    /// Sign-in through the organisation's provider.
    pub openid: OpenidConfig,
    /// Where secrets are kept.
    pub secrets: SecretsConfig,
    /// The web server.
    pub server: ServerConfig,
    /// TLS of the web server.
    pub tls: TlsConfig,
    /// The listener for Notion's events.
    pub webhooks: WebhooksConfig,
}

/// A configuration that cannot be used: every problem, with its path.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {}:\n{}", plural(.0.len()), .0.iter().map(|problem| format!("  - {problem}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError(pub Vec<String>);

fn plural(problems: usize) -> String {
    if problems == 1 { "a problem".to_owned() } else { format!("{problems} problems") }
}

/// One section: its name in the file, and what its values must hold.
trait Section: Default + DeserializeOwned {
    /// Name of the table.
    const NAME: &'static str;

    /// What is wrong with the values, each with the name of the field first.
    fn problems(&self) -> Vec<String>;
}

impl Config {
    /// Whether the web server may listen there: else what is to be set first.
    ///
    /// # Errors
    /// With the reason why not.
    pub fn check_listen(&self, address: SocketAddr) -> Result<(), String> {
        self.server.check_listen(address, self.tls.is_on())
    }

    /// Where people find the web server.
    pub fn origin(&self) -> String {
        match &self.server.public_url {
            Some(public) => public.origin.clone(),
            None if self.tls.is_on() => format!("https://{}", self.server.listen),
            None => format!("http://{}", self.server.listen),
        }
    }

    /// Reads the file, if one is named, and the environment.
    ///
    /// # Errors
    /// With every problem of file and environment.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut table = match file {
            Some(path) => read_file(path).map_err(|problem| ConfigError(vec![problem]))?,
            None => Table::new(),
        };
        override_from(&mut table, environment, &mut problems);
        let config = Self {
            notion: section(&mut table, &mut problems),
            crawl: section(&mut table, &mut problems),
            extract: section(&mut table, &mut problems),
            files: section(&mut table, &mut problems),
            index: section(&mut table, &mut problems),
            openid: section(&mut table, &mut problems),
            secrets: section(&mut table, &mut problems),
            server: section(&mut table, &mut problems),
            tls: section(&mut table, &mut problems),
            webhooks: section(&mut table, &mut problems),
        };
        if config.crawl.comments == CommentsChoice::Blocks && config.notion.body != BodyChoice::Blocks {
            problems.push(
                "crawl.comments: \"blocks\" needs notion.body = \"blocks\": only block lists name the blocks to ask for"
                    .to_owned(),
            );
        }
        let known = "known are notion, crawl, extract, files, index, openid, secrets, server, tls, webhooks";
        problems.extend(table.keys().map(|name| format!("[{name}]: there is no such section; {known}")));
        if problems.is_empty() { Ok(config) } else { Err(ConfigError(problems)) }
    }
}

fn read_file(path: &Path) -> Result<Table, String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!("{}: could not be read: {error}; check the path given with --config", path.display())
    })?;
    text.parse::<Table>()
        .map_err(|error| format!("{}: is not TOML: {}", path.display(), error.to_string().trim_end()))
}

fn override_from(
    table: &mut Table,
    environment: impl Iterator<Item = (String, String)>,
    problems: &mut Vec<String>,
) {
    let mut named: Vec<(String, String)> =
        environment.filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX)).collect();
    named.sort();
    for (name, text) in named {
        let path = name[ENVIRONMENT_PREFIX.len()..].to_lowercase();
        let Some((section, key)) = path.split_once("__") else {
            problems.push(format!("{name}: must be {ENVIRONMENT_PREFIX}SECTION__KEY"));
            continue;
        };
        // A value is TOML where it reads as TOML (numbers, true, false), and plain text otherwise.
        let value = format!("value = {text}")
            .parse::<Table>()
            .ok()
            .and_then(|mut parsed| parsed.remove("value"))
            .unwrap_or(Value::String(text));
        let slot = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(fields) = slot {
            fields.insert(key.to_owned(), value);
        }
    }
}

/// Reads one section field by field, so that every wrong field is reported and not the first alone.
fn section<S: Section>(table: &mut Table, problems: &mut Vec<String>) -> S {
    let fields = match table.remove(S::NAME) {
        None => return S::default(),
        Some(Value::Table(fields)) => fields,
        Some(other) => {
            problems.push(format!("{}: must be a table, is {}", S::NAME, other.type_str()));
            return S::default();
        }
    };
    let mut good = Table::new();
    let mut wrong = Vec::new();
    for (key, value) in fields {
        let single = Table::from_iter([(key.clone(), value.clone())]);
        match S::deserialize(single) {
            Ok(_) => drop(good.insert(key, value)),
            Err(error) => {
                problems.push(format!("{}.{key}: {}", S::NAME, error.message()));
                wrong.push(key);
            }
        }
    }
    // What is to hold of the values is told too; but not of one that was not read, for which the default stands.
    let is_new = |problem: &String| wrong.iter().all(|key| !problem.starts_with(&format!("{key}:")));
    match S::deserialize(good) {
        Ok(section) => {
            let found = section.problems().into_iter().filter(is_new);
            problems.extend(found.map(|problem| format!("{}.{problem}", S::NAME)));
            section
        }
        Err(error) => {
            problems.push(format!("{}: {}", S::NAME, error.message()));
            S::default()
        }
    }
}

/// A problem when `value` is not within `range`.
fn within<T: Copy + PartialOrd + std::fmt::Display>(
    field: &str,
    value: T,
    range: std::ops::RangeInclusive<T>,
) -> Option<String> {
    let fits = range.contains(&value);
    (!fits).then(|| format!("{field}: must be from {} to {}, is {value}", range.start(), range.end()))
}

/// Where things are kept when the command line names no data directory.
pub fn default_data_dir() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "notion-connector").map(|dirs| dirs.data_local_dir().to_owned())
}

/// Where the key is kept when no setting names a file: never inside the data directory, so that a copy of the data is
/// not a copy of the key. (The directory for preferences: on macOS that for settings is also the one for data.)
pub fn default_key_file() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "notion-connector")
        .map(|dirs| dirs.preference_dir().join("secret.key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(
            Some(&path),
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn all_problems_are_reported_at_once_with_their_paths() {
        let error = load(
            "[crawl]\ndeletion_share_percent = 300\npatience = 1\n[notion]\nconcurrency = 'many'\nbody = 'v9'\n[sever]\n",
            &[("NOTION_CONNECTOR__SERVER__LISTEN", "nowhere")],
        )
        .unwrap_err();
        let report = error.to_string();
        for path in ["crawl.patience:", "notion.concurrency:", "notion.body:", "[sever]", "server.listen:"] {
            assert!(report.contains(path), "{path} is missing in\n{report}");
        }
        let both =
            load("[server]\nport = 1\nsession_hours = 0\nsession_idle_minutes = 'x'\n", &[]).unwrap_err();
        assert_eq!(both.0.len(), 3, "{both}");
        let comments = load("[crawl]\ncomments = 'blocks'\n", &[]).unwrap_err();
        assert!(comments.to_string().contains("crawl.comments:"), "{comments}");
        let extraction = load(
            "[extract]\nseconds = 0\nocr_languages = '-c x'\ncaptions = { url = 'http://a.example/v1', model = 'm' }\n",
            &[],
        );
        assert!(extraction.is_err_and(|error| error.0.len() == 3));
        let local = "[extract]\nocr_languages = 'eng+chi_sim'\ncaptions = { url = 'http://127.0.0.1:1/v1', model = 'm' }\n";
        assert!(load(local, &[]).is_ok());
        let ranges = load(
            "[crawl]\ndeletion_share_percent = 300\ndeletion_floor = 0\n[notion]\nconcurrency = 0\n",
            &[],
        );
        assert!(ranges.is_err_and(|error| error.0.len() == 2));
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let config =
            load("[notion]\nconcurrency = 3\n", &[("NOTION_CONNECTOR__NOTION__CONCURRENCY", "7")]).unwrap();
        assert_eq!(config.notion.concurrency, 7);
    }

    #[test]
    fn the_shipped_example_equals_the_defaults() {
        let example = include_str!("../../../../docs/operate/config.example.toml");
        let config = load(example, &[]).unwrap();
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    }
}
