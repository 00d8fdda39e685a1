//! A company's network: Notion is reached through a proxy only, which opens TLS and shows a certificate of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::Listener;
use notion_emulator::{Emulator, Options};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use crate::program::Home;
use crate::support::generated;

/// A name that nobody but the proxy can resolve.
const NOTION: &str = "https://api.notion.invalid";

/// “user:pass-word” as the proxy is told it.
const CREDENTIALS: &str = "Basic dXNlcjpwYXNzLXdvcmQ=";

/// Grants tunnels, in which it plays Notion itself.
struct Proxy {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    asked: mpsc::Sender<String>,
}

impl Proxy {
    async fn tunnel(&self, mut stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let _ = self.asked.send(String::from_utf8_lossy(&head).into_owned()).await;
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        self.acceptor.accept(stream).await
    }
}

impl Listener for Proxy {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            // A client that does not trust the certificate hangs up.
            if let Ok(tunnel) = self.tunnel(stream).await {
                return (tunnel, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A proxy that is running, and what is needed to use it.
struct Company {
    proxy: SocketAddr,
    authority_pem: String,
    asked: mpsc::Receiver<String>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Company {
    async fn start() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = CertificateParams::new([NOTION.trim_start_matches("https://").to_owned()]).unwrap();
        let certificate = names.signed_by(&key, &authority).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = listener.local_addr().unwrap();
        let (sender, asked) = mpsc::channel(1_000);
        let proxied = Proxy { listener, acceptor: TlsAcceptor::from(Arc::new(config)), asked: sender };
        let notion = Emulator::new(generated("pages=5,seed=7"), Options::default());
        let serving = tokio::spawn(async move { axum::serve(proxied, notion.router()).await });
        Self { proxy, authority_pem: authority.pem(), asked, serving }
    }

    fn asked(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.asked.try_recv().ok()).collect()
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn notion_is_reached_through_a_proxy_that_shows_a_certificate_of_its_own() {
    let mut company = Company::start().await;
    let mut home = Home::new();
    home.set("HTTPS_PROXY", &format!("http://user:pass-word@{}", company.proxy));
    home.set("NOTION_TOKEN", notion_emulator::DEFAULT_TOKEN);
    let add = ["connector", "add", "works", "--notion-url", NOTION];

    let distrusted = home.expect(5, &add).await;
    assert!(distrusted.stderr.contains("certificate is not trusted"), "{distrusted:?}");
    assert!(!distrusted.stderr.contains("pass-word"), "{distrusted:?}");

    let authority = home.path().join("ca.pem");
    home.set("NOTION_CONNECTOR__NOTION__CA_FILE", authority.to_str().unwrap());
    let absent = home.expect(2, &add).await;
    assert!(absent.stderr.contains("notion.ca_file") && absent.stderr.contains("ca.pem"), "{absent:?}");

    std::fs::write(&authority, &company.authority_pem).unwrap();
    company.asked();
    home.expect(0, &add).await;
    let crawl = home.expect(0, &["crawl", "--json"]).await.json();
    assert!(crawl["state"] == "completed" && crawl["added"].as_u64() >= Some(5), "{crawl}");
    let asked = company.asked();
    assert!(!asked.is_empty());
    for head in asked {
        assert!(head.starts_with("CONNECT api.notion.invalid:443 HTTP/1.1"), "{head}");
        assert!(head.contains(CREDENTIALS) && !head.contains("ntn_"), "{head}");
    }
}
