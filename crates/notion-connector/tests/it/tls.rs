//! TLS of the web server, by the real program: who trusts its certificate is answered, and a new one is taken up while it serves.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use notion_api::{HttpSettings, HttpTransport, Transport as _, TransportErrorKind};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::program::Home;

/// Writes a fresh certificate of `localhost` and its key; returns it in PEM.
fn issue(directory: &Path) -> String {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.join("server.key"), signing_key.serialize_pem()).unwrap();
    std::fs::write(directory.join("server.pem"), cert.pem()).unwrap();
    cert.pem()
}

/// The status that `/healthz` answers who trusts this certificate and no other, with word that browsers come by TLS only.
async fn ask(origin: &str, trusted: &str) -> Result<StatusCode, TransportErrorKind> {
    let settings = HttpSettings { extra_roots_pem: trusted.as_bytes().to_vec(), ..HttpSettings::default() };
    let request = Request::get(format!("{origin}/healthz")).body(Bytes::new()).unwrap();
    let answer = HttpTransport::new(&settings).unwrap().send(request).await.map_err(|error| error.kind())?;
    assert!(answer.headers().contains_key("strict-transport-security"));
    Ok(answer.status())
}

#[cfg(unix)]
#[tokio::test]
async fn a_certificate_is_exchanged_while_the_server_runs_and_a_broken_one_changes_nothing() {
    let mut home = Home::new();
    let first = issue(home.path());
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (at("server.pem"), at("server.key"));
    home.set("NOTION_CONNECTOR__TLS__CERTIFICATE_FILE", &certificate);
    let lame = home.expect(2, &["serve", "--listen", "127.0.0.1:0"]).await;
    assert!(lame.stderr.contains("tls.key_file"), "{lame:?}");
    home.set("NOTION_CONNECTOR__TLS__KEY_FILE", &key);

    let mut process = home.spawn(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let told: serde_json::Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let origin = told["url"].as_str().unwrap().replace("127.0.0.1", "localhost");
    assert!(origin.starts_with("https://localhost:"), "{told}");
    assert_eq!(ask(&origin, &first).await, Ok(StatusCode::OK));

    // Who speaks without TLS is not answered, and keeps nobody from being.
    let mut plain = TcpStream::connect(origin.trim_start_matches("https://")).await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said).await;
    assert!(!said.starts_with(b"HTTP"), "{said:?}");

    let second = issue(home.path());
    let hang_up = async || {
        let id = process.id().unwrap().to_string();
        assert!(tokio::process::Command::new("kill").args(["-HUP", &id]).status().await.unwrap().success());
    };
    hang_up().await;
    let mut waits = 0;
    while ask(&origin, &second).await != Ok(StatusCode::OK) {
        waits += 1;
        assert!(waits < 200, "the new certificate is not shown; {:?}", process.try_wait());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(ask(&origin, &first).await.is_err(), "the old one is not shown any more");

    // A key of another certificate.
    let CertifiedKey { signing_key, .. } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    hang_up().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(ask(&origin, &second).await, Ok(StatusCode::OK));
    process.kill().await.unwrap();
    let refused = home.expect(2, &["serve", "--listen", "127.0.0.1:0"]).await;
    assert!(refused.stderr.contains("server.key") && refused.stderr.contains("TLS"), "{refused:?}");
    assert_eq!(refused.stdout, "", "nothing is announced that cannot be served");
}

#[tokio::test]
async fn who_does_not_go_on_with_a_request_is_hung_up_on() {
    let home = Home::new();
    let mut process = home.spawn(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let told: serde_json::Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let address = told["url"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let mut slow = TcpStream::connect(&address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: ").await.unwrap();
    let mut long = TcpStream::connect(&address).await.unwrap();
    long.write_all(b"GET /healthz HTTP/1.1\r\nx: ").await.unwrap();
    // More than is read; the server may hang up before all of it is sent.
    let _ = long.write_all(&vec![b'a'; 100 << 10]).await;
    let mut said = Vec::new();
    let _ = long.read_to_end(&mut said).await;
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&said));
    let mut said = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(30), slow.read_to_end(&mut said)).await;
    assert!(ended.is_ok(), "the connection is held for whoever is slow");
}
