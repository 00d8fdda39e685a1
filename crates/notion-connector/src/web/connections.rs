//! Connections of the listeners: bounded in number, altogether and for each address, in the time that a handshake and headers may
//! take, in the time that an answer may wait to be taken, and in bytes of headers.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::stalls::Unstalled;
use super::tls::Certificate;
use crate::config::Network;
use crate::runtime::Runtime;

/// How long a handshake may take, how long a request's headers may, and how long a connection may be silent.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause after a connection could not be taken: too many files are open, for example.
const PAUSE: Duration = Duration::from_millis(200);

/// How long a peer may take nothing of an answer that waits for it.
const STALL: Duration = Duration::from_secs(30);

/// What connections may take.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    /// At once; more wait.
    pub(super) connections: usize,
    /// At once from one address; more are closed.
    pub(super) of_address: usize,
    /// Addresses that may have as many as there are.
    pub(super) spared: Vec<Network>,
    /// How long one lives, however busy.
    pub(super) life: Duration,
    /// Bytes of the first line and all headers.
    pub(super) header_bytes: usize,
}

/// Stands in requests that came over TLS.
#[derive(Debug, Clone, Copy)]
pub(super) struct OverTls;

/// Connections of each address, as long as it has any.
type Held = Mutex<BTreeMap<IpAddr, usize>>;

/// One of the connections that an address may have, until it is dropped.
struct Share {
    held: Arc<Held>,
    address: IpAddr,
}

impl Share {
    /// None when the address has as many as it may.
    fn take(held: &Arc<Held>, peer: IpAddr, bounds: &Bounds) -> Option<Self> {
        let is_spared = bounds.spared.iter().any(|network| network.contains(peer));
        let most = if is_spared { usize::MAX } else { bounds.of_address };
        let address = whose(peer);
        let mut counts = held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Self { held: Arc::clone(held), address })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut counts = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let left = counts.get_mut(&self.address).map(|count| {
            *count -= 1;
            *count
        });
        if left == Some(0) {
            counts.remove(&self.address);
        }
    }
}

/// The address that counts: of IPv6 the network of 64 bits, because whoever has one has all of its addresses.
fn whose(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

/// Takes connections until `stop` says so; those that have asked are answered.
pub(super) async fn serve(
    runtime: &Runtime,
    listener: TcpListener,
    certificate: Option<Arc<Certificate>>,
    router: Router,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
) {
    let free = Arc::new(Semaphore::new(bounds.connections));
    let held = Arc::new(Held::default());
    let mut connections = JoinSet::new();
    let ended = stop.clone();
    let taking = async {
        loop {
            while connections.try_join_next().is_some() {}
            let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
            let Ok((stream, peer)) = listener.accept().await else {
                runtime.sleep(PAUSE).await;
                continue;
            };
            let Some(share) = Share::take(&held, peer.ip(), &bounds) else {
                tracing::debug!(%peer, "too many connections of this address; one more was closed");
                continue;
            };
            // Answers are short, and whoever asks waits for all of one.
            let _ = stream.set_nodelay(true);
            let (router, certificate, ended) = (router.clone(), certificate.clone(), ended.clone());
            let (life, header_bytes) = (bounds.life, bounds.header_bytes);
            connections.spawn(async move {
                let talk = converse(stream, peer, certificate, router, header_bytes, ended);
                // An end before its time is the other side's matter.
                let _ = tokio::time::timeout(life, talk).await;
                drop((share, permit));
            });
        }
    };
    tokio::select! {
        () = taking => {}
        // An error means that nobody is left who could say it: the same.
        _ = stop.wait_for(|stop| *stop) => {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    certificate: Option<Arc<Certificate>>,
    router: Router,
    header_bytes: usize,
    stop: watch::Receiver<bool>,
) {
    // Below TLS, where bytes are what the peer takes.
    let stream = Unstalled::new(stream, STALL);
    let Some(certificate) = certificate else {
        return talk(stream, peer, false, router, header_bytes, stop).await;
    };
    if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, certificate.acceptor().accept(stream)).await {
        talk(stream, peer, true, router, header_bytes, stop).await;
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    is_tls: bool,
    router: Router,
    header_bytes: usize,
    mut stop: watch::Receiver<bool>,
) {
    let named = router.map_request(move |mut request: Request<_>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        if is_tls {
            request.extensions_mut().insert(OverTls);
        }
        request.map(Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(header_bytes)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(named));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::routing::get;
    use futures::{StreamExt as _, stream};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio::net::TcpStream;
    use tokio::time::Instant;

    use super::*;

    const HERE: &str = "127.0.0.1:1";

    /// A connection to a server of large answers, and of some that come little by little; asked is for the one at `path`, often.
    async fn asking(path: &str) -> (DuplexStream, impl Future<Output = ()>) {
        let tick = |sent| async move {
            tokio::time::sleep(Duration::from_secs(100)).await;
            (sent < 5).then(|| (Ok::<_, std::io::Error>(Bytes::from_static(b"tick\n")), sent + 1))
        };
        let router = Router::new()
            .route("/large", get(|| async { vec![b'x'; 1 << 20] }))
            .route("/seldom", get(move || async move { Body::from_stream(stream::unfold(0, tick)) }));
        let (mut browser, server) = tokio::io::duplex(4096);
        let (stop, stopped) = watch::channel(false);
        let serving = async move {
            converse(server, HERE.parse().unwrap(), None, router, 64 << 10, stopped).await;
            drop(stop);
        };
        let ask = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        browser.write_all(ask.repeat(16).as_bytes()).await.unwrap();
        (browser, serving)
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_of_its_answers_is_given_up() {
        let (browser, serving) = asking("/large").await;
        let begun = Instant::now();
        serving.await;
        assert_eq!(begun.elapsed().as_secs(), STALL.as_secs());
        drop(browser);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_its_answers_slowly_gets_all_of_them() {
        let (mut browser, serving) = asking("/large").await;
        let reading = async {
            let (mut read, mut buffer) = (0, vec![0; 256 << 10]);
            while read < 16 << 20 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                read += browser.read_exact(&mut buffer).await.unwrap();
            }
        };
        tokio::select! {
            () = serving => panic!("it was given up"),
            () = reading => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_comes_seldom_is_waited_for() {
        let (mut browser, serving) = asking("/seldom").await;
        let mut read = Vec::new();
        let reading = async {
            let mut buffer = [0; 512];
            while String::from_utf8_lossy(&read).matches("tick").count() < 5 {
                let count = browser.read(&mut buffer).await.unwrap();
                assert!(count > 0, "it was given up");
                read.extend_from_slice(&buffer[..count]);
            }
        };
        tokio::select! {
            () = serving => panic!("it was given up"),
            () = reading => {}
        }
    }

    fn bounds(spared: &[&str]) -> Bounds {
        let spared = spared.iter().map(|network| network.parse().unwrap()).collect();
        Bounds { connections: 8, of_address: 2, spared, life: Duration::from_secs(60), header_bytes: 8192 }
    }

    #[test]
    fn an_address_has_its_share_and_a_trusted_one_what_there_is() {
        let held = Arc::new(Held::default());
        let bounds = bounds(&["10.0.0.0/8"]);
        let take = |peer: &str| Share::take(&held, peer.parse().unwrap(), &bounds);
        let first = [take("192.0.2.1"), take("::ffff:192.0.2.1")];
        assert!(first.iter().all(Option::is_some) && take("192.0.2.1").is_none());
        let other = [take("192.0.2.2"), take("2001:db8::1"), take("2001:db8::ffff:1")];
        assert!(other.iter().all(Option::is_some));
        assert!(take("2001:db8:0:0:7::1").is_none(), "the same network of 64 bits");
        assert!(take("2001:db8:0:1::1").is_some());
        let proxy: Vec<_> = (0..9).map(|_| take("10.1.2.3")).collect();
        assert!(proxy.iter().all(Option::is_some));
        drop((first, other, proxy));
        assert!(take("192.0.2.1").is_some());
        assert!(held.lock().unwrap().is_empty(), "nothing is kept of who is gone");
    }

    #[tokio::test]
    async fn a_connection_beyond_the_share_of_its_address_is_closed_and_the_others_are_served() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_stop, stopped) = watch::channel(false);
        let router = Router::new().route("/", get(|| async { "here" }));
        let runtime = Runtime::real();
        let serving = serve(&runtime, listener, None, router, bounds(&[]), stopped);
        let asking = async {
            let connections: Vec<_> = stream::iter(0..3)
                .then(|_| async { TcpStream::connect(address).await.unwrap() })
                .collect()
                .await;
            let mut answered = Vec::new();
            for mut connection in connections {
                let ask = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
                let mut answer = [0; 8];
                let got = match connection.write_all(ask).await {
                    Ok(()) => connection.read(&mut answer).await.unwrap_or(0),
                    Err(_) => 0,
                };
                answered.push((got > 0, connection));
            }
            assert_eq!(answered.iter().map(|(got, _)| *got).collect::<Vec<_>>(), [true, true, false]);
        };
        tokio::select! {
            () = serving => panic!("it ended"),
            () = asking => {}
        }
    }
}
