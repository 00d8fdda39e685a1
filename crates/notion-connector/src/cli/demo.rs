use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use notion_emulator::sample::sample;
use notion_emulator::world::World;
use notion_emulator::{DEFAULT_TOKEN, Emulator, Listeners, Options};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::crawl::{describe, show_progress};
use super::serve::{bind, interrupted, keep_serving, url_of};
use super::{Context, Exit};
use crate::app::App;
use crate::config::{Config, ServerConfig, SignInChoice, TlsConfig};
use crate::crawl::Progress;
use crate::data_dir::DataDir;
use crate::model::Caller;
use crate::ops::{self, AddConnector, CrawlRequest, Grant, GrantTo, ImportDirectory, OpsError, SetAudience};
use crate::store::Scope;
use crate::web;

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// Address for the search page; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    listen: SocketAddr,
}

/// The demo's data: gone when the demo ends.
struct TemporaryDir(PathBuf);

impl TemporaryDir {
    fn new() -> Result<Self, OpsError> {
        let name = format!("notion-connector-demo-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        DataDir::create(&path)?;
        Ok(Self(path))
    }

    fn data(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryDir {
    fn drop(&mut self) {
        // What cannot be deleted here, the system's own cleaning of temporary files takes.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) async fn run(context: Context, arguments: DemoArguments) -> Result<Exit, OpsError> {
    let temporary = TemporaryDir::new()?;
    tokio::select! {
        biased;
        () = interrupted() => Ok(Exit::Completed),
        ended = show(&context, arguments, &temporary) => ended,
    }
}

async fn show(
    context: &Context,
    arguments: DemoArguments,
    temporary: &TemporaryDir,
) -> Result<Exit, OpsError> {
    let mut config = context.config.clone();
    // Beside the data and not in it, and gone with both: the demo touches nothing else of the user's.
    config.secrets.key_file = Some(temporary.data().join("key/secret.key"));
    let listeners =
        Listeners { api: loopback().await?, files: loopback().await?, external: loopback().await? };
    config.files.test_hosts = vec![place_of(&listeners.files)?];
    config.files.test_other_hosts = vec![place_of(&listeners.external)?];
    config.files.other_hosts = true;
    // Whoever works at this machine may look at it.
    let sample_people =
        PEOPLE.iter().map(|(user, name, ..)| ((*user).to_owned(), (*name).to_owned())).collect();
    config.server = ServerConfig { sign_in: SignInChoice::None, sample_people, ..ServerConfig::default() };
    config.tls = TlsConfig::default();
    let dir = DataDir::create(&temporary.data().join("data"))?;
    let app = Arc::new(App::open(config, dir)?);
    let _ownership = app.own("demo")?;
    // The port first: when it is taken, nobody should wait for a crawl to learn that.
    let listener = bind(arguments.listen, &app.config).await?;
    let url = url_of(&listener)?;
    let emulator = sample_emulator(app.runtime.now().as_millisecond())?;
    let notion_url = url_of(&listeners.api)?;
    let serving = tokio::spawn(async move { emulator.serve(listeners, std::future::pending()).await });
    let secret = SecretString::from(DEFAULT_TOKEN);
    let new = AddConnector { name: "demo".to_owned(), notion_url, secret, validate: true };
    ops::add_connector(&app, &Caller::LOCAL_OPERATOR, new).await?;
    let (told, progress) = watch::channel(Progress::default());
    let bar = tokio::spawn(show_progress(progress));
    let report = ops::run_crawl(&app, &Caller::LOCAL_OPERATOR, crawl(Scope::Full), told).await;
    bar.abort();
    let _ = bar.await;
    let report = report?;
    let_people_in(&app, temporary.data()).await?;
    let program = format!("notion-connector --data-dir {}", app.dir.path().display());
    context.output.remark(&describe(&report, &program));
    let announce =
        || context.output.show(&serde_json::json!({ "url": url, "crawl": report }), || try_this(&url));
    let server = web::Server::new(Arc::clone(&app), listener)?;
    let served = keep_serving(&app, server, None, announce, std::future::pending()).await;
    serving.abort();
    served
}

/// People of the sample workspace: user name, name, and groups.
const PEOPLE: [(&str, &str, &str); 4] = [
    ("ines.duarte", "Ines Duarte, management", "Management|Engineering|Bremen"),
    ("tomasz.wilk", "Tomasz Wilk, engineering", "Engineering"),
    ("jonas.reuter", "Jonas Reuter, Bremen", "Bremen"),
    ("priya.raman", "Priya Raman, in no group", ""),
];

/// What is not for everyone: titles at the top of the sample workspace, and groups.
const CLOSED: [(&str, &str); 2] = [("Engineering", "Engineering"), ("Standort Bremen", "Bremen")];

fn crawl(scope: Scope) -> CrawlRequest {
    CrawlRequest {
        connector: Some("demo".to_owned()),
        scope: Some(scope),
        start_point: None,
        name: None,
        restart: false,
        first_secret: None,
    }
}

/// A directory of some of the workspace's people, and audiences, so that what they find differs.
async fn let_people_in(app: &Arc<App>, beside: &Path) -> Result<(), OpsError> {
    let operator = &Caller::LOCAL_OPERATOR;
    let rows =
        PEOPLE.iter().map(|(user, _, groups)| format!("{user},{user}@halden-brook.example,{groups}\n"));
    let file = beside.join("people.csv");
    let lines = format!("user_name,email,groups\n{}", rows.collect::<String>());
    std::fs::write(&file, lines).map_err(|source| OpsError::Io {
        what: format!("the sample people could not be written to {}", file.display()),
        source,
    })?;
    ops::import_directory(app, operator, &file, ImportDirectory::default())?;
    ops::run_crawl(app, operator, crawl(Scope::People), watch::channel(Progress::default()).0).await?;
    let set = async |place: Option<String>, to: Grant| {
        let set = SetAudience { place, property: None, grants: vec![to] };
        ops::set_audience(app, operator, Some("demo"), &set).await
    };
    set(None, Grant { to: GrantTo::Everyone, name: None, value: None }).await?;
    let start_points = ops::list_start_points(app, operator, Some("demo"))?;
    for (title, group) in CLOSED {
        if let Some(place) = start_points.iter().find(|point| point.title == title) {
            let grant = Grant { to: GrantTo::Group, name: Some(group.to_owned()), value: None };
            set(Some(place.id.to_string()), grant).await?;
        }
    }
    ops::switch_audiences(app, operator, Some("demo"), true).map(drop)
}

/// The sample workspace, its clock at `now_ms`.
fn sample_emulator(now_ms: i64) -> Result<Emulator, OpsError> {
    let world = World::from_import(sample(), now_ms)
        .map_err(|error| OpsError::Invalid(format!("the sample workspace could not be made: {error}")))?;
    Ok(Emulator::new(world, Options { base_ms: now_ms, ..Options::default() }))
}

fn try_this(url: &str) -> String {
    format!(
        "\nSearch page: {url}/\n\n\
         Try:  incident           what to do when something breaks\n      \
         \"on call\"          a phrase\n      \
         Hochwassermeldung  a German page\n      \
         towing basin       in a document that stands in a page\n      \
         議事録             a Japanese one\n      \
         curl '{url}/api/v1/search?q=backup'\n\n\
         At the top of the page you choose as whom of its people you look.\n\n\
         A workspace of your own:  NOTION_TOKEN=ntn_… notion-connector crawl\n\
         Ctrl-C ends the demo and deletes its data."
    )
}

/// Where a host of files listens, as settings name it.
fn place_of(listener: &TcpListener) -> Result<String, OpsError> {
    Ok(url_of(listener)?.trim_start_matches("http://").to_owned())
}

async fn loopback() -> Result<TcpListener, OpsError> {
    bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &Config::default()).await
}
