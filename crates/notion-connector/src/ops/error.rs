use notion_api::Class;

use super::scim::ScimError;
use crate::config::ConfigError;
use crate::crawl::CrawlError;
use crate::data_dir::DataDirError;
use crate::extract::ExtractError;
use crate::model::MissingRole;
use crate::scripts::ScriptsError;
use crate::search::IndexError;
use crate::secrets::SecretError;
use crate::sink::pump::PumpError;
use crate::store::StoreError;

/// Why a verb could not be done.
#[derive(Debug, thiserror::Error)]
pub enum OpsError {
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret could not be sealed or opened.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Delivering to the index failed.
    #[error(transparent)]
    Pump(#[from] PumpError),
    /// Notion refused, or did not answer.
    #[error("{advice}")]
    Notion {
        /// What happened and what to do.
        advice: String,
        /// What Notion or the network said.
        source: notion_api::Error,
    },
    /// Notion accepts the secret, and something will not work with it. Nothing was saved.
    #[error("the secret is right, but nothing was saved:\n{}\nMend this in Notion and try again, or save it as it is with --no-validate (over REST: \"validate\": false)",
        .0.iter().map(|problem| format!("  - {}", problem.advice())).collect::<Vec<_>>().join("\n"))]
    NotValid(Vec<super::Problem>),
    /// The crawl could not go on.
    #[error(transparent)]
    Crawl(#[from] CrawlError),
    /// Files could not be read.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    /// A mapping script could not be run.
    #[error(transparent)]
    Scripts(#[from] ScriptsError),
    /// The caller may not do this.
    #[error(transparent)]
    Forbidden(#[from] MissingRole),
    /// Nobody is known by what was presented.
    #[error("{0}")]
    NotIdentified(&'static str),
    /// The caller is known and may not do this, whatever their roles.
    #[error("{0}")]
    NotAllowed(String),
    /// It was tried too often.
    #[error("there were too many attempts: try again in {seconds} seconds")]
    TooMany {
        /// After how long it may be tried again.
        seconds: u64,
    },
    /// A request of an identity provider cannot be followed.
    #[error(transparent)]
    Scim(#[from] ScimError),
    /// What was named does not exist.
    #[error("{0}")]
    NotFound(String),
    /// What was asked cannot be done as it was asked, whenever it is asked.
    #[error("{0}")]
    Invalid(String),
    /// What was asked makes sense, and how things stand forbids it.
    #[error("{0}")]
    Conflict(String),
    /// A file or the network of this machine refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, to what, and what to do.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl OpsError {
    /// The same, saying whose secret it was that Notion refused.
    pub(super) fn naming_secret_of(self, connector: &str) -> Self {
        let named = |advice: String| format!("the secret of connector “{connector}” failed: {advice}");
        match self {
            Self::Notion { advice, source } if source.class() == Class::Unauthorized => {
                Self::Notion { advice: named(advice), source }
            }
            Self::Crawl(CrawlError::Stopped { advice, source }) if source.class() == Class::Unauthorized => {
                Self::Crawl(CrawlError::Stopped { advice: named(advice), source })
            }
            other => other,
        }
    }
}
