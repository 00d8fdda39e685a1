//! The web server: search page and REST API, both over the product's verbs.
//!
//! ```text
//! headers → problems → guard (host, origin, size) → timeout → caller → one handler → one verb of ops
//! ```
//!
//! - `router` names every route; `api/` has a file for each resource, `pages/` what browsers are shown.
//! - `guard` decides which requests are heard at all; `caller` says who asks; `problem` is the only place that knows
//!   which failure is which status.
//! - `connections` bounds what may be asked of a listener at all, `stalls` how long an answer waits to be taken; `tls` keeps the
//!   certificate fresh.
//! - `session` is the cookie of a browser that is signed in; `pages/sign_in` is where it gets one.
//! - `webhooks` is a listener of its own, which others may reach: it serves Notion's events and nothing else.
//! - Verbs block (database, index): handlers run them through [`Web::blocking`], a bounded number at once.
//!
//! To add a route: a verb in `ops`, a handler under `api/`, a line in `router`; then refresh the committed document
//! with `UPDATE_DOCS=1 cargo test -p notion-connector web::openapi`.

mod api;
mod assets;
mod body;
mod caller;
mod connections;
mod guard;
mod openapi;
mod pages;
mod parameters;
mod problem;
mod router;
mod sample;
mod scim;
mod session;
mod stalls;
mod tls;
mod webhooks;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::app::App;
use crate::config::Network;
use crate::ops::{OpsError, SignInGate};
use crate::search::SearchIndex;
use connections::Bounds;
use problem::Problem;
pub use webhooks::serve_webhooks;

/// Verbs that run at once; more wait. Each may hold a thread and a share of the page cache.
const WORKING_AT_ONCE: usize = 16;

/// What connections may take. Proxies keep theirs for long.
const CONNECTIONS: Bounds = Bounds {
    connections: 1024,
    of_address: 128,
    spared: Vec::new(),
    life: Duration::from_secs(86_400),
    header_bytes: 64 << 10,
};

/// Crawls that are followed at once: each costs a look at the database every second.
const FOLLOWING_AT_ONCE: usize = 32;

/// The web server with all that it takes: from here on it can serve.
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    port: u16,
    certificate: Option<(Arc<tls::Certificate>, tls::Hangups)>,
}

impl Server {
    /// Takes the listener, and reads the certificate where there is one.
    ///
    /// # Errors
    /// When the listener can be reached from other machines and the settings do not provide for that, or the certificate cannot be
    /// used.
    pub fn new(app: Arc<App>, listener: TcpListener) -> Result<Self, OpsError> {
        let fail = |source| OpsError::Io { what: "the server's own address is not known".to_owned(), source };
        let address = listener.local_addr().map_err(fail)?;
        app.config.check_listen(address).map_err(OpsError::Invalid)?;
        let certificate = tls::Certificate::load(&app.config.tls)?;
        Ok(Self { app, listener, port: address.port(), certificate })
    }

    /// Serves until `stop` says so, and then answers what was asked before.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let Self { app, listener, port, certificate } = self;
        let router = router::router(Web::new(Arc::clone(&app), port, stop.clone()));
        let proxy = app.config.server.proxy.as_ref().map_or(&[][..], |proxy| &proxy.from);
        // For whom a proxy speaks, its connection does not say; and it may well stand on this machine.
        let bounds = Bounds { spared: [&Network::LOOPBACK, proxy].concat(), ..CONNECTIONS };
        let shown = certificate.as_ref().map(|(certificate, _)| Arc::clone(certificate));
        let serving = connections::serve(&app.runtime, listener, shown, router, bounds, stop);
        let refreshing = async {
            match certificate {
                Some((certificate, asked)) => certificate.keep_fresh(asked, &app.runtime).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = serving => {}
            () = refreshing => {}
        }
    }
}

/// What handlers share.
pub(crate) struct Web {
    app: Arc<App>,
    /// Where it listens.
    port: u16,
    /// What stands before passwords.
    gate: SignInGate,
    /// Opened when there is one for the first time.
    index: Mutex<Option<SearchIndex>>,
    working: Arc<Semaphore>,
    /// Crawls that somebody may follow still.
    following: Arc<Semaphore>,
    /// When it says so, nobody follows a crawl any more.
    stop: watch::Receiver<bool>,
}

impl Web {
    pub(crate) fn new(app: Arc<App>, port: u16, stop: watch::Receiver<bool>) -> Arc<Self> {
        Arc::new(Self {
            app,
            port,
            gate: SignInGate::default(),
            index: Mutex::new(None),
            working: Arc::new(Semaphore::new(WORKING_AT_ONCE)),
            following: Arc::new(Semaphore::new(FOLLOWING_AT_ONCE)),
            stop,
        })
    }

    /// Runs a verb where it does not hold up the network. One that panics fails its own request and nothing else.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        verb: impl FnOnce(&Self) -> Result<T, OpsError> + Send + 'static,
    ) -> Result<T, Problem> {
        let permit = Arc::clone(&self.working).acquire_owned().await;
        let web = Arc::clone(self);
        let work = move || {
            // Held by the work and not by the request: work goes on when nobody waits for it any more.
            let _permit = permit;
            catch_unwind(AssertUnwindSafe(|| verb(&web)))
        };
        self.app.runtime.blocking(work).await.map_err(|_| Problem::panicked())?.map_err(Problem::from)
    }

    /// The index at its newest commit; none while nothing was indexed. Blocks.
    fn index(&self) -> Result<Option<SearchIndex>, OpsError> {
        let mut slot = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_none_or(|index| index.refresh().is_err()) {
            // None yet, or its directory was made anew under it.
            *slot = self.app.open_index()?;
        }
        Ok(slot.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::data_dir::DataDir;

    #[tokio::test]
    async fn a_verb_that_panics_fails_its_own_request_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let dir = DataDir::create(&directory.path().join("data")).unwrap();
        let app = Arc::new(App::open(Config::default(), dir).unwrap());
        let web = Web::new(app, 7350, watch::channel(false).1);
        for _ in 0..2 * WORKING_AT_ONCE {
            let problem =
                web.blocking(|_| -> Result<(), OpsError> { panic!("a fault in a verb") }).await.unwrap_err();
            assert_eq!(problem.status().as_u16(), 500);
        }
        assert!(web.blocking(Web::index).await.is_ok_and(|index| index.is_none()));
    }
}
