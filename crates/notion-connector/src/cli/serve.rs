use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::accounts::welcome_url;
use super::{Context, Exit};
use crate::app::App;
use crate::config::{Config, SignInChoice};
use crate::model::Caller;
use crate::ops::{self, OpsError};
use crate::web;

/// How long crawls and answers may take to end; longer than a crawl waits for its requests.
const LEAVING: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Address to listen on for Notion's events, and for nothing else; by itself `serve` does not. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    webhook_listen: Option<SocketAddr>,
    /// Let whoever works at this machine in as its operator, and hear nobody else.
    #[arg(long)]
    no_sign_in: bool,
}

pub(super) async fn run(mut context: Context, arguments: ServeArguments) -> Result<Exit, OpsError> {
    let ended = interrupted();
    let address = arguments.listen.unwrap_or(context.config.server.listen);
    if arguments.no_sign_in {
        if !address.ip().to_canonical().is_loopback() {
            return Err(OpsError::Invalid(format!(
                "{address} can be reached from other machines, and --no-sign-in is for this one alone: leave it out, or listen on \
                 127.0.0.1"
            )));
        }
        context.config.server.let_everybody_in().map_err(OpsError::Invalid)?;
    }
    let app = Arc::new(context.open()?);
    let _ownership = app.own("serve")?;
    let settings = &app.config.server;
    let listener = bind(address, &app.config).await?;
    let mut url = url_of(&listener)?;
    if app.config.tls.is_on() {
        url = url.replacen("http:", "https:", 1);
    }
    let webhooks = match arguments.webhook_listen.or(app.config.webhooks.listen) {
        Some(address) => Some(listen(address, "--webhook-listen").await?),
        None => None,
    };
    let webhook_url = webhooks.as_ref().map(url_of).transpose()?;
    let server = web::Server::new(Arc::clone(&app), listener)?;
    let reached = settings.public_url.as_ref().map_or(&url, |public| &public.origin);
    let _announcement = app.dir.announce(reached)?;
    let welcome = match settings.sign_in {
        SignInChoice::Required => ops::link_for_first_administrator(&app, &Caller::LOCAL_OPERATOR)?,
        SignInChoice::None => None,
    };
    let welcome = welcome.map(|link| welcome_url(reached, &link));
    let shown = serde_json::json!({ "url": url, "webhook_url": webhook_url, "welcome_url": welcome });
    let announce = || {
        context.output.show(&shown, || {
            let mut lines = vec![format!("Search page: {reached}/")];
            lines
                .extend(webhook_url.as_ref().map(|url| format!("Events of Notion: {url}{}…", ops::WEBHOOKS)));
            lines.extend(
                welcome.as_ref().map(|url| format!("First administrator, once and within a day: {url}")),
            );
            lines.join("\n")
        });
    };
    keep_serving(&app, server, webhooks, announce, ended).await
}

/// Once all is there that may be missing, it announces that, and serves, delivers and crawls until `end`. Then it leaves in order: what
/// is under way is finished or given back.
pub(super) async fn keep_serving(
    app: &Arc<App>,
    server: web::Server,
    webhooks: Option<TcpListener>,
    announce: impl FnOnce(),
    end: impl Future<Output = ()>,
) -> Result<Exit, OpsError> {
    let pump = app.pump()?;
    announce();
    // Before anything new is written: rows that are added could hide that index and store have parted.
    pump.drain().await?;
    let (stop, told) = watch::channel(false);
    let mut scheduler = std::pin::pin!(ops::run_scheduler(app, told.clone()));
    let mut serving = std::pin::pin!(server.run(told.clone()));
    let mut serves = true;
    // Beside serving: what an older version rendered stays searchable until its turn comes.
    let rerendering = async {
        match ops::rerender(app).await {
            Ok(_) => std::future::pending().await,
            Err(error) => error,
        }
    };
    let hearing = async {
        match webhooks {
            Some(listener) => web::serve_webhooks(Arc::clone(app), listener, told).await,
            None => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        biased;
        () = end => Ok(Exit::Completed),
        error = rerendering => Err(error),
        failed = pump.run() => failed.map(|()| Exit::Other).map_err(OpsError::from),
        () = &mut serving => {
            serves = false;
            Ok(Exit::Completed)
        }
        () = hearing => Ok(Exit::Other),
        () = &mut scheduler => return Ok(Exit::Other),
    };
    stop.send_replace(true);
    let answers = async {
        if serves {
            // How it ends does not matter any more.
            serving.await;
        }
    };
    if tokio::time::timeout(LEAVING, futures::future::join(scheduler, answers)).await.is_err() {
        tracing::warn!("not everything ended in time; crawls go on where they were with the next start");
    }
    if ended.is_ok() {
        pump.drain().await?;
    }
    ended
}

/// A socket for the web server, where its settings let it listen.
pub(super) async fn bind(address: SocketAddr, config: &Config) -> Result<TcpListener, OpsError> {
    config.check_listen(address).map_err(OpsError::Invalid)?;
    listen(address, "--listen").await
}

async fn listen(address: SocketAddr, option: &str) -> Result<TcpListener, OpsError> {
    TcpListener::bind(address).await.map_err(|source| OpsError::Io {
        what: format!(
            "{address} cannot be listened on (is another program using the port? choose one with {option})"
        ),
        source,
    })
}

/// Where the server is found.
pub(super) fn url_of(listener: &TcpListener) -> Result<String, OpsError> {
    let address = listener.local_addr().map_err(|source| OpsError::Io {
        what: "the server's own address is not known".to_owned(),
        source,
    })?;
    Ok(format!("http://{address}"))
}

/// Waits until somebody wants the process to end. It listens from the call on, not only while it is awaited.
pub(super) fn interrupted() -> impl Future<Output = ()> + Send {
    #[cfg(unix)]
    let terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok())
    };
    async move {
        #[cfg(unix)]
        if let [Some(mut interrupt), Some(mut terminate)] = terminate {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        // A system that refuses this too cannot be asked to end but by force.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
