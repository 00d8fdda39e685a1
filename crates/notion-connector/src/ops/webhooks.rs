//! Webhooks: the endpoint of a connector, how its verification token gets in, and what becomes of an event.
//!
//! - An event is a hint: the object that it names is read afresh, and what Notion then says is what counts.
//! - A request is heard at an unguessable address only, and believed by its signature only: HMAC-SHA256 under the verification
//!   token over the bytes as they came (developers.notion.com "webhooks").
//! - That token gets in while an administrator lets it, for ten minutes; it is kept sealed, shown in that time, and logged nowhere.

use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OpsError;
use super::audit::Act;
use super::connector_life::effective_settings;
use super::connectors::find_connector;
use crate::app::App;
use crate::crawl::events::Event;
use crate::model::{Caller, Role};
use crate::store::{Connector, Webhook};

/// How long a verification token is let in after somebody asked for that.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// Bytes of a verification token at most.
const MAX_TOKEN_BYTES: usize = 512;

/// Where endpoints are, below the address of the listener.
pub const WEBHOOKS: &str = "/webhooks/notion/";

/// A connector's endpoint, as it is shown to an administrator.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookDetail {
    /// Name of the connector.
    pub connector: String,
    /// Path of the endpoint; where a public address is set, the whole of it. Nobody can guess it: keep it so.
    pub endpoint: String,
    /// Until when the verification token is let in and shown; none if it is not.
    pub window_ends: Option<Timestamp>,
    /// The verification token that Notion sent, to be pasted in Notion. Shown in the window only.
    pub verification_token: Option<String>,
    /// When Notion sent it; none until then, and nothing but the token is believed until then.
    pub verification_received: Option<Timestamp>,
    /// When the last event came.
    pub last_event: Option<Timestamp>,
    /// Events that asked for something to be read.
    pub accepted: u64,
    /// Events that had come before.
    pub repeated: u64,
    /// Events that change nothing that is indexed.
    pub ignored: u64,
    /// Events of types that this version does not know.
    pub unknown: u64,
    /// Requests with a wrong signature, of another workspace, or with a token that was not let in.
    pub refused: u64,
}

/// What became of a request to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// A verification token was kept.
    Token,
    /// An event is written down, or was before.
    Event,
    /// There is no such endpoint.
    Nowhere,
    /// It is neither event nor token.
    Malformed,
    /// The signature is missing or wrong, or no token was let in.
    Unsigned,
    /// A token that nobody lets in, or an event of another workspace.
    Unwanted,
}

/// Opens the endpoint of a connector for a verification token, for ten minutes. An endpoint that there is keeps its address
/// and, until another one comes, its token.
///
/// # Errors
/// When there is no such connector, or no key to seal the token with.
pub fn open_webhook(app: &App, caller: &Caller, name: Option<&str>) -> Result<WebhookDetail, OpsError> {
    Act::of_connectors("webhook.open", name.unwrap_or_default()).run(app, caller, || {
        let connector = find_connector(app, name)?;
        // Without a key the token could not be kept when it comes, and Notion sends it once.
        app.vault()?;
        let path = format!("{}{}", app.runtime.uuid().simple(), app.runtime.uuid().simple());
        app.store.open_webhook(connector.id, &path, app.runtime.now() + WINDOW)?;
        show_webhook(app, caller, Some(&connector.name))
    })
}

/// The endpoint of a connector.
///
/// # Errors
/// When there is no such connector, or it has no endpoint.
pub fn show_webhook(app: &App, caller: &Caller, name: Option<&str>) -> Result<WebhookDetail, OpsError> {
    caller.require(Role::ConnectorAdmin)?;
    let connector = find_connector(app, name)?;
    let webhook = find_webhook(app, &connector)?;
    let is_open = webhook.window_ends.is_some_and(|ends| app.runtime.now() < ends);
    let token = match &webhook.sealed_token {
        Some(_) if is_open => Some(token_of(app, &connector, &webhook)?.expose_secret().to_owned()),
        _ => None,
    };
    let path = format!("{WEBHOOKS}{}", webhook.path);
    let counts = webhook.counts;
    Ok(WebhookDetail {
        connector: connector.name,
        endpoint: match &app.config.webhooks.public_url {
            Some(origin) => format!("{}{path}", origin.trim_end_matches('/')),
            None => path,
        },
        window_ends: webhook.window_ends.filter(|_| is_open),
        verification_token: token,
        verification_received: webhook.received,
        last_event: webhook.last_event,
        accepted: counts.accepted,
        repeated: counts.repeated,
        ignored: counts.ignored,
        unknown: counts.unknown,
        refused: counts.refused,
    })
}

/// Lets no verification token in any more, and shows none. Events go on.
///
/// # Errors
/// When there is no such connector, or it has no endpoint.
pub fn close_webhook(app: &App, caller: &Caller, name: Option<&str>) -> Result<WebhookDetail, OpsError> {
    Act::of_connectors("webhook.close", name.unwrap_or_default()).run(app, caller, || {
        let connector = find_connector(app, name)?;
        find_webhook(app, &connector)?;
        app.store.close_webhook(connector.id)?;
        show_webhook(app, caller, Some(&connector.name))
    })
}

/// Forgets the endpoint of a connector, its token and what came there: events to it are refused from now on.
///
/// # Errors
/// When there is no such connector, or it has no endpoint.
pub fn forget_webhook(app: &App, caller: &Caller, name: Option<&str>) -> Result<WebhookDetail, OpsError> {
    Act::of_connectors("webhook.forget", name.unwrap_or_default()).run(app, caller, || {
        let detail = show_webhook(app, caller, name)?;
        app.store.delete_webhook(find_connector(app, Some(&detail.connector))?.id)?;
        Ok(WebhookDetail { verification_token: None, window_ends: None, ..detail })
    })
}

/// Takes a request to the endpoint at `path`. When this says that an event was taken, its hint survives a loss of power.
///
/// # Errors
/// When the database fails, or the token that was kept does not open.
pub fn receive_webhook(
    app: &App,
    path: &str,
    signature: Option<&[u8]>,
    body: &[u8],
) -> Result<Received, OpsError> {
    let well_formed = path.len() == 64 && path.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Some(webhook) = app.store.load_webhook_at(path).map(|found| found.filter(|_| well_formed))? else {
        return Ok(Received::Nowhere);
    };
    let Some(connector) = app.store.load_connector_by_id(webhook.connector)? else {
        return Ok(Received::Nowhere);
    };
    let received = match verification_token(body) {
        Some(token) => receive_token(app, &webhook, &token)?,
        None => receive_event(app, &connector, &webhook, signature, body)?,
    };
    if matches!(received, Received::Unsigned | Received::Unwanted) {
        app.store.count_refused(connector.id)?;
        tracing::warn!(connector = connector.name, ?received, "a request to the webhook was refused");
    }
    Ok(received)
}

/// The token of a request that brings one. It is not signed: nobody could check that yet.
fn verification_token(body: &[u8]) -> Option<SecretString> {
    #[derive(Deserialize)]
    struct Handshake {
        verification_token: SecretString,
    }
    let Handshake { verification_token } = serde_json::from_slice(body).ok()?;
    Some(verification_token)
}

fn receive_token(app: &App, webhook: &Webhook, token: &SecretString) -> Result<Received, OpsError> {
    let text = token.expose_secret();
    if text.is_empty() || text.len() > MAX_TOKEN_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Received::Malformed);
    }
    let sealed = app.vault()?.seal(&purpose(webhook), token);
    let saved = app.store.save_verification(webhook.connector, &sealed, app.runtime.now())?;
    Ok(if saved { Received::Token } else { Received::Unwanted })
}

fn receive_event(
    app: &App,
    connector: &Connector,
    webhook: &Webhook,
    signature: Option<&[u8]>,
    body: &[u8],
) -> Result<Received, OpsError> {
    if webhook.sealed_token.is_none() {
        return Ok(Received::Unsigned);
    }
    let token = token_of(app, connector, webhook)?;
    if !signature.is_some_and(|signature| is_signed(&token, signature, body)) {
        return Ok(Received::Unsigned);
    }
    let Some(event) = Event::parse(body) else { return Ok(Received::Malformed) };
    let foreign = event.workspace_id.zip(connector.workspace).is_some_and(|(theirs, ours)| theirs != ours.0);
    if foreign {
        return Ok(Received::Unwanted);
    }
    let comments = effective_settings(app, connector)?.crawl.comments;
    app.store.save_event(connector.id, &event.id, event.asked(comments), app.runtime.now())?;
    Ok(Received::Event)
}

/// Whether `signature` is `sha256=` and the digits of the body's HMAC under the token. Compared in constant time.
fn is_signed(token: &SecretString, signature: &[u8], body: &[u8]) -> bool {
    let Some(given) = signature.strip_prefix(b"sha256=").and_then(from_hex) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.expose_secret().as_bytes());
    hmac::verify(&key, body, &given).is_ok()
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let value = |digit: &u8| char::from(*digit).to_digit(16);
    let pair = |pair: &[u8]| u8::try_from(value(pair.first()?)? * 16 + value(pair.get(1)?)?).ok();
    digits.chunks(2).map(pair).collect()
}

/// What a token is sealed for: the address stays when the connector is renamed.
fn purpose(webhook: &Webhook) -> String {
    format!("webhook {}", webhook.path)
}

fn token_of(app: &App, connector: &Connector, webhook: &Webhook) -> Result<SecretString, OpsError> {
    let sealed = webhook.sealed_token.as_deref().unwrap_or_default();
    app.vault()?.open(&purpose(webhook), sealed).map_err(|_| {
        OpsError::Conflict(format!(
            "the verification token of connector “{0}” does not open with this key: use the key it was kept with, or run \
             `notion-connector connector webhook forget {0}` and make a new subscription in Notion",
            connector.name
        ))
    })
}

fn find_webhook(app: &App, connector: &Connector) -> Result<Webhook, OpsError> {
    app.store.load_webhook(connector.id)?.ok_or_else(|| {
        OpsError::NotFound(format!(
            "connector “{0}” has no webhook yet; make one with: notion-connector connector webhook open {0}",
            connector.name
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_these_bytes_under_this_token() {
        // printf '{"a":1}' | openssl dgst -sha256 -hmac secret_abc
        let right = "sha256=9496ff66662afa1740cc4242fea698a0d8ff8a8dc0eb589fc369a4169793b8a0";
        let token = SecretString::from("secret_abc");
        let signed = |signature: &str, body: &[u8]| is_signed(&token, signature.as_bytes(), body);
        assert!(signed(right, br#"{"a":1}"#));
        assert!(!signed(right, br#"{"a": 1}"#), "other bytes of the same JSON");
        assert!(!is_signed(&SecretString::from("secret_abd"), right.as_bytes(), br#"{"a":1}"#));
        for wrong in
            ["", "sha256=", "sha1=94", &right[7..], &right[..70], &right.replace('9', "g"), "sha256=\u{0}é"]
        {
            assert!(!signed(wrong, br#"{"a":1}"#), "{wrong}");
        }
    }

    #[test]
    fn a_handshake_is_told_from_an_event() {
        assert!(verification_token(br#"{"verification_token":"secret_x"}"#).is_some());
        for other in
            [&br#"{"id":"1","type":"page.created"}"#[..], b"{}", b"[]", b"", br#"{"verification_token":7}"#]
        {
            assert!(verification_token(other).is_none());
        }
    }
}
