//! The composition root: opens what a command needs, in the right order, once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use notion_api::budget::{BudgetSettings, Budgets, Priority};
use notion_api::{BaseUrl, Client, HttpSettings, HttpTransport, Transport, TransportError};
use secrecy::SecretString;

use crate::config::{Config, default_key_file};
use crate::data_dir::{DataDir, Ownership};
use crate::extract::Extractor;
use crate::files::{FetchSettings, Fetcher, HttpFiles};
use crate::openid::Provider;
use crate::ops::{OpsError, Refusals};
use crate::runtime::Runtime;
use crate::scripts::Scripts;
use crate::search::{IndexError, SearchIndex};
use crate::secrets::{KEY_VARIABLE, KeySource, Vault};
use crate::sink::Sink;
use crate::sink::index::IndexSink;
use crate::sink::pump::Pump;
use crate::store::{Connector, Store};

/// Everything that verbs need. Cheap to share behind an [`Arc`].
pub struct App {
    /// The settings.
    pub config: Config,
    /// Where everything lives.
    pub dir: DataDir,
    /// Clock, randomness, blocking work.
    pub runtime: Runtime,
    /// The database.
    pub store: Arc<Store>,
    /// The request budgets, shared by all crawls of this process.
    pub budgets: Arc<Budgets>,
    /// Requests to Notion so far.
    pub requests: Arc<RequestCounts>,
    /// What this process refused lately, so that the audit log stays within bounds.
    pub refusals: Refusals,
    /// What makes text of files.
    pub extractor: Arc<Extractor>,
    /// What runs mapping scripts.
    pub scripts: Arc<Scripts>,
    /// The organisation's provider, where people sign in by one.
    pub openid: Option<Arc<Provider>>,
    /// What fetches files; none where crawls leave them alone.
    pub fetcher: Option<Arc<Fetcher>>,
    transport: Arc<dyn Transport>,
    /// Where items are delivered instead of the index on disk.
    sink: Option<Arc<dyn Sink>>,
}

/// Requests of this process to Notion, by method, endpoint and status; 0 where no answer came.
#[derive(Debug, Default)]
pub struct RequestCounts(Mutex<BTreeMap<(String, String, u16), u64>>);

impl RequestCounts {
    /// What was counted so far.
    pub fn snapshot(&self) -> BTreeMap<(String, String, u16), u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, method: &str, path: &str, status: u16) {
        // Ids are left out: the number of rows is that of the endpoints.
        let template = |part: &str| {
            let is_word =
                part.len() < 20 && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            let is_name = is_word || part == "v1";
            if is_name { part.to_owned() } else { "{id}".to_owned() }
        };
        let endpoint = path.split('/').map(template).collect::<Vec<_>>().join("/");
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((method.to_owned(), endpoint, status)).or_insert(0) += 1;
    }
}

/// Counts what passes.
struct Counting {
    inner: Arc<dyn Transport>,
    counts: Arc<RequestCounts>,
}

#[async_trait]
impl Transport for Counting {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = self.inner.send(request).await;
        let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
        self.counts.add(method.as_str(), &path, status);
        answer
    }
}

impl App {
    /// Opens the data directory (making it if `create`) and its database.
    ///
    /// # Errors
    /// When the directory or the database cannot be used.
    pub fn open(config: Config, dir: DataDir) -> Result<Self, OpsError> {
        dir.keep_private();
        let settings = HttpSettings {
            extra_roots_pem: read_authorities(config.notion.ca_file.as_deref())?,
            connect_timeout: Duration::from_secs(config.notion.connect_timeout_seconds),
            request_timeout: Duration::from_secs(config.notion.request_timeout_seconds),
            ..HttpSettings::default()
        };
        let unusable = |error| OpsError::Invalid(format!("the HTTP client could not be made: {error}"));
        let transport = HttpTransport::new(&settings).map_err(unusable)?;
        let files = FetchSettings::new(&config.files, config.extract.file_bytes());
        let network = HttpFiles::new(files.connect_timeout, &settings.extra_roots_pem).map_err(unusable)?;
        let openid = Provider::of(&config.openid, &settings.extra_roots_pem).map_err(unusable)?;
        let app = Self::with(config, dir, Runtime::real(), Arc::new(transport))?;
        let app = Self { openid: openid.map(Arc::new), ..app };
        let fetcher = Fetcher::new(files, Arc::new(network), app.runtime.clone());
        let extractor = Arc::clone(&app.extractor);
        Ok(app.reading_files(fetcher, extractor))
    }

    /// The same with crawls that read files.
    #[must_use]
    pub fn reading_files(self, fetcher: Fetcher, extractor: Arc<Extractor>) -> Self {
        Self { fetcher: Some(Arc::new(fetcher)), extractor, ..self }
    }

    /// The same over another transport and runtime: simulations and tests.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub fn with(
        config: Config,
        dir: DataDir,
        runtime: Runtime,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, OpsError> {
        let store = Arc::new(Store::open(dir.path())?);
        let budgets = Arc::new(Budgets::new(BudgetSettings { max_in_flight: config.notion.concurrency }));
        let requests = Arc::new(RequestCounts::default());
        let transport = Arc::new(Counting { inner: transport, counts: Arc::clone(&requests) });
        // A simulated clock does not wait for processes.
        let settings = config.extract.clone();
        let extractor =
            if runtime.is_simulated() { Extractor::in_process(settings) } else { Extractor::new(settings) };
        let extractor = Arc::new(extractor);
        let scripts = if runtime.is_simulated() { Scripts::in_process() } else { Scripts::new() };
        Ok(Self {
            config,
            dir,
            runtime,
            store,
            budgets,
            requests,
            refusals: Refusals::default(),
            extractor,
            scripts: Arc::new(scripts),
            openid: None,
            fetcher: None,
            transport,
            sink: None,
        })
    }

    /// The same, delivering to this sink instead of the index on disk: simulations keep theirs in memory.
    #[must_use]
    pub fn delivering_to(self, sink: Arc<dyn Sink>) -> Self {
        Self { sink: Some(sink), ..self }
    }

    /// The vault, under the keys that the environment or the settings name.
    ///
    /// # Errors
    /// When there is no usable key.
    pub fn vault(&self) -> Result<Vault, OpsError> {
        Ok(Vault::load(&self.key_source()?, self.dir.path())?)
    }

    /// Where the vault's keys come from.
    ///
    /// # Errors
    /// When there is no such place.
    pub fn key_source(&self) -> Result<KeySource, OpsError> {
        let variable = std::env::var(KEY_VARIABLE).ok().map(SecretString::from);
        let settings = &self.config.secrets;
        let file = settings.key_file.clone().or_else(default_key_file);
        Ok(KeySource::choose(variable, &settings.key_command, file)?)
    }

    /// A client for `notion_url` with `secret`.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn client(&self, notion_url: &str, secret: SecretString) -> Result<Client, OpsError> {
        let base_url: BaseUrl = notion_url.parse().map_err(|error| OpsError::Invalid(format!("{error}")))?;
        Ok(Client::new(Arc::clone(&self.transport), base_url, self.config.notion.api_version, secret))
    }

    /// A client for a connector, with its secret opened. Somebody waits for its answers: of the budget that crawls share
    /// it has the first turns.
    ///
    /// # Errors
    /// When the secret does not open.
    pub fn client_of(&self, connector: &Connector) -> Result<Client, OpsError> {
        let secret = self.vault()?.open(&connector.name, &connector.sealed_secret)?;
        let client = self.client(&connector.notion_url, secret)?.with_priority(Priority::Interactive);
        Ok(match connector.bot {
            Some(bot) => client.paced(self.budgets.pacing(bot.0, connector.workspace.map(|id| id.0))),
            None => client,
        })
    }

    /// Takes ownership of the data directory for as long as the answer lives.
    ///
    /// # Errors
    /// When another process has it.
    pub fn own(&self, purpose: &str) -> Result<Ownership, OpsError> {
        Ok(self.dir.own(purpose)?)
    }

    /// The index for searching; none when nothing was indexed yet.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn open_index(&self) -> Result<Option<SearchIndex>, OpsError> {
        match SearchIndex::open(&self.dir.index()) {
            Ok(index) => Ok(Some(index)),
            Err(IndexError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The pump from the outbox to its sink, which is the embedded index unless another was given. An index that cannot be
    /// used is made anew and filled from the store: that takes no request to Notion. The caller owns the data directory.
    ///
    /// # Errors
    /// When the index can neither be opened nor made.
    pub fn pump(&self) -> Result<Pump, OpsError> {
        let sink = self.sink.as_ref().map_or_else(|| self.open_sink(), |sink| Ok(Arc::clone(sink)))?;
        let commit_after = Duration::from_secs(self.config.index.commit_seconds);
        Ok(Pump::new(Arc::clone(&self.store), sink, self.runtime.clone(), commit_after))
    }

    fn open_sink(&self) -> Result<Arc<dyn Sink>, OpsError> {
        let path = self.dir.index();
        let index = match IndexSink::open(&path, self.runtime.clone()) {
            Err(IndexError::Corrupt { .. }) => {
                tracing::warn!("the index cannot be used; it is made anew from the store");
                IndexSink::remove(&path)?;
                IndexSink::open(&path, self.runtime.clone())?
            }
            opened => opened?,
        };
        Ok(Arc::new(index))
    }
}

/// The PEM file of `notion.ca_file`; nothing where the setting is not made.
fn read_authorities(file: Option<&Path>) -> Result<Vec<u8>, OpsError> {
    let Some(path) = file else { return Ok(Vec::new()) };
    std::fs::read(path).map_err(|error| {
        let path = path.display();
        OpsError::Invalid(format!("notion.ca_file: {path} could not be read: {error}"))
    })
}
