//! Signing, and sending to endpoints on this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use ring::hmac;
use serde_json::Value;
use tokio::net::TcpStream;
use uuid::Uuid;

use super::Delivery;
use crate::emulator::Emulator;

/// How long an endpoint may take to answer; not published.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether an event is due.
const LOOK: Duration = Duration::from_millis(50);

/// `X-Notion-Signature`: HMAC-SHA256 under the verification token, over the body as it is sent ("webhooks").
pub(crate) fn sign(verification_token: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, verification_token.as_bytes());
    let digits: String = hmac::sign(&key, body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

/// Where an endpoint on this machine listens; none for any other. Notion wants public HTTPS; an emulator that sent to others
/// would be a tool to knock at doors with.
pub(crate) fn loopback(url: &str) -> Option<SocketAddr> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    let ip = match host.parse::<IpAddr>() {
        Ok(ip) => ip,
        Err(_) if host.eq_ignore_ascii_case("localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Err(_) => return None,
    };
    let plain = uri.scheme_str() == Some("http");
    (plain && ip.is_loopback()).then(|| SocketAddr::new(ip, uri.port_u16().unwrap_or(80)))
}

impl Emulator {
    /// Sends a request; the status of the answer, 0 if there was none.
    pub(crate) async fn send(&self, delivery: &Delivery) -> u16 {
        let sent = tokio::time::timeout(PATIENCE, post(delivery)).await;
        sent.ok().flatten().unwrap_or(0)
    }

    /// Sends every event that is due, one after the other; with `all`, every event that waits. What came of each, as the
    /// control API shows it.
    pub async fn deliver_events(&self, mut all: bool) -> Vec<Value> {
        let mut done = Vec::new();
        loop {
            let due = self.take_deliveries(all);
            if due.is_empty() {
                return done;
            }
            for delivery in due {
                let status = self.send(&delivery).await;
                let Some(event) = delivery.event else { continue };
                self.settle_delivery(event, status);
                done.extend(self.webhooks().report_of(event));
            }
            // What is sent twice is due again; what failed waits for its time.
            all = false;
        }
    }

    /// Sends events when they are due, until it is dropped. [`Emulator::serve`] does; a router by itself has nobody who would.
    pub async fn keep_delivering(&self) {
        loop {
            self.deliver_events(false).await;
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The requests that are due, or with `all` all that wait, for who sends them in another way. Each is to be settled.
    #[must_use]
    pub fn take_deliveries(&self, all: bool) -> Vec<Delivery> {
        let reversed = self.behavior().webhook_reversed;
        self.webhooks().take_due(self.inner.clock.now_ms(), all, reversed)
    }

    /// Says what came of a delivery: the status of the answer, 0 if there was none.
    pub fn settle_delivery(&self, event: Uuid, status: u16) {
        self.webhooks().answered(event, status, self.inner.clock.now_ms());
    }
}

async fn post(delivery: &Delivery) -> Option<u16> {
    let address = loopback(&delivery.url)?;
    let uri: Uri = delivery.url.parse().ok()?;
    let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut request = Request::post(target)
        .header(header::HOST, address.to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "NotionWebhook/1.0");
    if let Some(signature) = &delivery.signature {
        request = request.header("X-Notion-Signature", signature);
    }
    let request = request.body(Body::from(Bytes::clone(&delivery.body))).ok()?;
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let driving = tokio::spawn(connection);
    let answer = sender.send_request(request).await;
    driving.abort();
    Some(answer.ok()?.status().as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_that_openssl_makes() {
        // printf '{"a":1}' | openssl dgst -sha256 -hmac secret_abc
        let signed = sign("secret_abc", br#"{"a":1}"#);
        assert_eq!(signed, "sha256=9496ff66662afa1740cc4242fea698a0d8ff8a8dc0eb589fc369a4169793b8a0");
    }

    #[test]
    fn only_endpoints_on_this_machine_are_sent_to() {
        let here =
            ["http://127.0.0.1:7351/x", "http://localhost:80/", "http://[::1]:9/", "http://127.9.9.9/"];
        assert!(here.iter().all(|url| loopback(url).is_some()));
        let elsewhere = [
            "https://127.0.0.1/x",
            "http://192.168.1.1/",
            "http://example.org/",
            "http://127.0.0.1.example.org/",
            "http://localhost.example.org/",
            "nothing",
        ];
        assert!(elsewhere.iter().all(|url| loopback(url).is_none()));
    }
}
