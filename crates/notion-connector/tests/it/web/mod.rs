//! The web server over a real listener, with what a real crawl of the sample workspace left in store and index.

mod agent;
mod browser;
mod connectors;
mod keys;
mod node;
mod openid;
mod rest;
mod scim;
mod sign_in;

pub(crate) use rest::Answer;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use notion_connector::app::App;
use notion_connector::config::{Config, ServerConfig, SignInChoice};
use notion_connector::crawl::Progress;
use notion_connector::data_dir::DataDir;
use notion_connector::model::{
    Caller, Change, ConnectorId, Delivery, FileFacts, Item, ItemKey, ItemKind, NotionId, OutboxCursor,
    Parent, Position,
};
use notion_connector::ops::{self, AddConnector, CrawlRequest};
use notion_connector::runtime::Runtime;
use notion_connector::sink::index::IndexSink;
use notion_connector::store::Scope;
use notion_connector::web;
use notion_emulator::sample::sample;
use notion_emulator::world::World;
use notion_emulator::{DEFAULT_TOKEN, Emulator, Listeners, Options};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::scratch::Scratch;

/// A server and what it stands on; both end with it.
pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    pub(crate) address: SocketAddr,
    serving: JoinHandle<()>,
    /// Tells it to end.
    stop: watch::Sender<bool>,
    /// The emulated Notion that was crawled.
    notion: Option<JoinHandle<()>>,
    directory: Scratch,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
        if let Some(notion) = &self.notion {
            notion.abort();
        }
    }
}

impl Server {
    /// With nothing indexed.
    async fn empty() -> Self {
        let server = ServerConfig { sign_in: SignInChoice::None, ..ServerConfig::default() };
        Self::with_settings(server).await
    }

    /// With nothing indexed, under these settings.
    async fn with_settings(server: ServerConfig) -> Self {
        let directory = Scratch::new();
        let mut config = Config { server, ..Config::default() };
        config.secrets.key_file = Some(directory.path().join("key/secret.key"));
        let dir = DataDir::create(&directory.path().join("data")).unwrap();
        let app = Arc::new(App::open(config, dir).unwrap());
        let listener = loopback().await;
        let address = listener.local_addr().unwrap();
        let served = Arc::clone(&app);
        let (stop, told) = watch::channel(false);
        let serving = tokio::spawn(web::Server::new(served, listener).unwrap().run(told));
        Self { app, address, serving, stop, notion: None, directory }
    }

    /// With the sample workspace, crawled.
    async fn sample() -> Self {
        Self::empty().await.crawled().await
    }

    pub(crate) async fn crawled(mut self) -> Self {
        let server = &mut self;
        let now_ms = server.app.runtime.now().as_millisecond();
        let world = World::from_import(sample(), now_ms).unwrap();
        let emulator = Emulator::new(world, Options { base_ms: now_ms, ..Options::default() });
        let listeners = Listeners::loopback().await.unwrap();
        let notion_url = format!("http://{}", listeners.api.local_addr().unwrap());
        let emulating = tokio::spawn(async move {
            emulator.serve(listeners, std::future::pending()).await.unwrap();
        });
        let token = SecretString::from(DEFAULT_TOKEN);
        let new = AddConnector { name: "sample".to_owned(), notion_url, secret: token, validate: true };
        ops::add_connector(&server.app, &Caller::LOCAL_OPERATOR, new).await.unwrap();
        let added = server.crawl(Scope::Full).await;
        assert!(added > 20, "{added}");
        server.notion = Some(emulating);
        self
    }

    /// Crawls the connector, if there is one; how many items came.
    async fn crawl(&self, scope: Scope) -> u64 {
        if self.app.store.load_connectors().unwrap().is_empty() {
            return 0;
        }
        let request = CrawlRequest {
            connector: None,
            scope: Some(scope),
            start_point: None,
            name: None,
            restart: false,
            first_secret: None,
        };
        let progress = watch::channel(Progress::default()).0;
        let report = ops::run_crawl(&self.app, &Caller::LOCAL_OPERATOR, request, progress).await.unwrap();
        report.crawl.added
    }

    /// Puts an item into the index, past the store.
    fn index(&self, item: Item) {
        let sink = IndexSink::open(&self.directory.path().join("data/index"), Runtime::real()).unwrap();
        let delivery = Delivery {
            item,
            holders: vec![ConnectorId(1)],
            ancestors: Vec::new(),
            position: Position::default(),
            related: Vec::new(),
            last_edited_by_name: Some("<b>Mallory</b>".to_owned()),
        };
        let cursor = OutboxCursor { epoch: Uuid::from_u128(1), sequence: 1 };
        sink.deliver_now(&[Change::Upsert(Box::new(delivery))], cursor).unwrap();
        sink.close_now().unwrap();
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn loopback() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap()
}

/// A file whose text is old and was recognised, with a name that is long and hostile.
fn old_file() -> Item {
    let id = NotionId(Uuid::from_u128(0xf11e));
    let facts = FileFacts {
        extension: "pdf".to_owned(),
        format: Some("pdf".to_owned()),
        media_type: Some("application/pdf".to_owned()),
        bytes: 1_250_000,
        note: Some("its host does not have it".to_owned()),
        stale: true,
        generated: Some("ocr".to_owned()),
    };
    Item {
        key: ItemKey::new(NotionId(Uuid::from_u128(1)), ItemKind::File, id),
        kind: ItemKind::File,
        id,
        title: format!("filemarker <b>scan</b> {}.pdf", "of_a_long_name_".repeat(12)),
        url: "https://app.notion.com/p/1#2".to_owned(),
        icon: None,
        text: "filemarker invoice 4711".to_owned(),
        file: Some(facts),
        ..hostile()
    }
}

/// An item whose texts and address are made to do harm on a careless page.
fn hostile() -> Item {
    let id = NotionId(Uuid::from_u128(0xbad));
    Item {
        key: ItemKey::new(NotionId(Uuid::from_u128(1)), ItemKind::Page, id),
        kind: ItemKind::Page,
        id,
        title: "hostilemarker <img src=x onerror=alert(1)>".to_owned(),
        url: "javascript:alert(1)".to_owned(),
        icon: Some("<script>".to_owned()),
        cover: None,
        parent: Parent::Workspace,
        text: "</p></li><script>alert(1)</script> hostilemarker <iframe src=\"https://example.org/\">"
            .to_owned(),
        passages: Vec::new(),
        properties: Vec::new(),
        links: Vec::new(),
        created_time: Timestamp::UNIX_EPOCH,
        last_edited_time: Timestamp::UNIX_EPOCH,
        created_by: None,
        last_edited_by: None,
        file: None,
    }
}
