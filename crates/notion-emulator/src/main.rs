//! `notion-emulator serve`: a world on three ports, until Ctrl-C.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use futures::FutureExt as _;
use notion_emulator::rules::auth::{Capabilities, UserCapability};
use notion_emulator::rules::limit::{Anchor, Window};
use notion_emulator::world::World;
use notion_emulator::world::generate::Generate;
use notion_emulator::{Behavior, DEFAULT_TOKEN, Emulator, Listeners, Options, TokenOptions};
use serde_json::json;
use tokio::net::TcpListener;

/// A Notion on loopback: serves worlds over the REST API, and refuses and fails like the real one.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a world. The first line on standard output is JSON: url, files_url, external_url, token, start_points.
    Serve(Box<Serve>),
}

#[derive(Debug, Args)]
struct Serve {
    /// Where the API listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the file host listens; a free port beside the API by default.
    #[arg(long, value_name = "ADDR")]
    files_listen: Option<SocketAddr>,
    /// Where the host of external files listens; a free port beside the API by default.
    #[arg(long, value_name = "ADDR")]
    external_listen: Option<SocketAddr>,
    #[command(flatten)]
    source: Source,
    /// A secret to accept; may be given several times, each an integration of its own that sees everything.
    #[arg(long, value_name = "TOKEN")]
    token: Vec<String>,
    /// Requests that each token may make in a window, such as 600/60, 180/60 or 100/2; unlimited by default.
    #[arg(long, value_name = "REQUESTS/SECONDS")]
    window: Option<Window>,
    /// The same for all tokens together.
    #[arg(long, value_name = "REQUESTS/SECONDS")]
    workspace_window: Option<Window>,
    /// Windows begin at multiples of their length instead of at the first request.
    #[arg(long)]
    aligned_window: bool,
    /// Time from request to answer.
    #[arg(long, value_name = "N", default_value_t = 0)]
    latency_ms: u64,
    /// How long signed URLs of files are valid, counted in whole seconds.
    #[arg(long, value_name = "N", default_value_t = notion_emulator::files::VALID_MS)]
    file_url_valid_ms: i64,
    /// The tokens lack the capability to read content.
    #[arg(long)]
    no_read_content: bool,
    /// The tokens lack the capability to read comments.
    #[arg(long)]
    no_read_comments: bool,
    /// What the tokens may learn about people.
    #[arg(long, value_enum, default_value_t = Users::WithEmail)]
    users: Users,
    /// What the clock reads at the start (RFC 3339); the present by default.
    #[arg(long, value_name = "TIME")]
    now: Option<jiff::Timestamp>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// The sample company that ships with the emulator.
    #[arg(long)]
    sample: bool,
    /// A folder of Markdown files.
    #[arg(long, value_name = "DIR")]
    markdown: Option<PathBuf>,
    /// A folder of files of any kind and size: a page for each folder, with a block for each file, and a database of them all.
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// A generated world: pages=N,seed=S,shape=mixed|flat|deep|database|tables|varied; docs/reference/emulator.md has them all.
    #[arg(long, value_name = "SPEC")]
    generate: Option<Generate>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Users {
    None,
    WithoutEmail,
    WithEmail,
}

/// How long answers under way may take once the process is asked to end.
const MAX_DRAIN: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Serve(serve) => run(*serve).await,
    }
}

async fn run(serve: Serve) -> anyhow::Result<()> {
    let listener = bind(serve.listen, "--listen").await?;
    let beside = SocketAddr::new(serve.listen.ip(), 0);
    let files_listener = bind(serve.files_listen.unwrap_or(beside), "--files-listen").await?;
    let external_listener = bind(serve.external_listen.unwrap_or(beside), "--external-listen").await?;
    let (url, files_url) = (origin(&listener)?, origin(&files_listener)?);
    let external_url = origin(&external_listener)?;
    let listeners = Listeners { api: listener, files: files_listener, external: external_listener };
    let options = options(&serve);
    let world = world(&serve.source, options.base_ms)?;
    let token = options.tokens.first().map_or_else(String::new, |token| token.secret.clone());
    let emulator = Emulator::new(world, options);
    let start_points = emulator.start_points().remove(&token).unwrap_or_default();
    // Before the first line, so that whoever reads it may end the process at once.
    let shutdown = shutdown().context("cannot listen for signals")?.shared();
    let ready = json!({"url": url, "files_url": files_url, "external_url": external_url, "token": token, "start_points": start_points});
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ready}").and_then(|()| out.flush()).context("cannot write to standard output")?;
    drop(out);
    let patience = shutdown.clone().then(|()| tokio::time::sleep(MAX_DRAIN));
    tokio::select! {
        biased;
        served = emulator.serve(listeners, shutdown) => Ok(served?),
        () = patience => Ok(()),
    }
}

async fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; is the port in use? give another one with {flag}, or port 0 for a free one")
    })
}

fn origin(listener: &TcpListener) -> anyhow::Result<String> {
    Ok(format!("http://{}", listener.local_addr().context("the listener has no address")?))
}

fn options(serve: &Serve) -> Options {
    let capabilities = Capabilities {
        read_content: !serve.no_read_content,
        read_comments: !serve.no_read_comments,
        users: match serve.users {
            Users::None => UserCapability::None,
            Users::WithoutEmail => UserCapability::WithoutEmail,
            Users::WithEmail => UserCapability::WithEmail,
        },
    };
    let given: Vec<&str> = serve.token.iter().map(String::as_str).collect();
    let secrets = if given.is_empty() { vec![DEFAULT_TOKEN] } else { given };
    let anchor = if serve.aligned_window { Anchor::Clock } else { Anchor::FirstRequest };
    let anchored = |window: Option<Window>| window.map(|window| Window { anchor, ..window });
    Options {
        tokens: secrets
            .into_iter()
            .map(|secret| TokenOptions { capabilities, ..TokenOptions::new(secret) })
            .collect(),
        window: anchored(serve.window),
        workspace_window: anchored(serve.workspace_window),
        behavior: Behavior {
            latency_ms: serve.latency_ms,
            file_url_valid_ms: serve.file_url_valid_ms,
            ..Behavior::default()
        },
        base_ms: serve.now.unwrap_or_else(present).as_millisecond(),
        ..Options::default()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where a served world learns the real time")]
fn present() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn world(source: &Source, now_ms: i64) -> anyhow::Result<World> {
    if let Some(generate) = source.generate {
        return Ok(World::generated(generate));
    }
    let import = match (&source.markdown, &source.files) {
        (Some(folder), _) => notion_emulator::import::import_folder(folder)?,
        (None, Some(folder)) => notion_emulator::import::import_files(folder)?,
        (None, None) => notion_emulator::sample::sample(),
    };
    for line in &import.left_out {
        eprintln!("left out: {line}");
    }
    World::from_import(import, now_ms).context("the world cannot be planted")
}

/// Ready when the process is asked to end. The handlers are in place when this returns.
#[cfg(unix)]
fn shutdown() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            biased;
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ready when the process is asked to end.
#[cfg(not(unix))]
fn shutdown() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
