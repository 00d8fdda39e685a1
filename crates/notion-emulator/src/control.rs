//! The control API below `/_emulator/`: the verbs over HTTP, for tests in any language and for people with curl. It needs no
//! token, obeys no limit and is in no log. Described in `docs/reference/emulator.md`.
//!
//! GET shows, POST does, DELETE clears. Every POST takes and gives one JSON object; a refusal is 400 `{"error": "…"}`.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use http::{StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::emulator::Emulator;
use crate::faults::Fault;
use crate::files::{FileContent, Host, NewFile};
use crate::options::Behavior;
use crate::rules::auth::Capabilities;
use crate::rules::limit::Window;
use crate::rules::validate::Query;
use crate::seed::{CommentSeed, Content, FileSeed};
use crate::verbs::{Edit, VerbError};
use crate::world::plant::SeedFiles;

/// Why the control API refuses.
#[derive(Debug, thiserror::Error)]
enum ControlError {
    #[error("the body does not fit this verb: {0}")]
    Body(#[from] serde_json::Error),
    #[error(transparent)]
    Verb(#[from] VerbError),
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, shown(&json!({"error": self.to_string()}))).into_response()
    }
}

fn shown(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

type Answer = Result<Response, ControlError>;

/// The control API.
pub(crate) fn router() -> Router<Emulator> {
    Router::new()
        .route("/requests", get(requests).delete(clear_requests))
        .route("/truth", get(truth))
        .route("/state", get(async |State(emulator): State<Emulator>| shown(&emulator.settings())))
        .route("/seed", post(seed))
        .route("/edit", post(edit))
        .route("/comment", post(comment))
        .route("/resolve", post(resolve))
        .route("/person", post(person))
        .route("/deliver", post(deliver))
        .route("/emoji", post(emoji))
        .route("/trash", post(async |emulator, body| on_object(emulator, body, Emulator::trash)))
        .route("/restore", post(async |emulator, body| on_object(emulator, body, Emulator::restore)))
        .route("/purge", post(async |emulator, body| on_object(emulator, body, Emulator::purge)))
        .route(
            "/archive",
            post(async |emulator, body| on_object(emulator, body, |e, id| e.set_archived(id, true))),
        )
        .route(
            "/unarchive",
            post(async |emulator, body| on_object(emulator, body, |e, id| e.set_archived(id, false))),
        )
        .route(
            "/leave",
            post(async |emulator, body| on_object(emulator, body, |e, id| e.set_user_gone(id, true))),
        )
        .route(
            "/join",
            post(async |emulator, body| on_object(emulator, body, |e, id| e.set_user_gone(id, false))),
        )
        .route("/share", post(share))
        .route("/unshare", post(unshare))
        .route("/move", post(move_to))
        .route("/token", post(token))
        .route("/advance", post(advance))
        .route("/limit", post(limit))
        .route("/latency", post(latency))
        .route("/behavior", post(behavior))
        .route("/random-faults", post(random_faults))
        .route("/plan", post(plan))
        .route("/webhooks", get(async |State(emulator): State<Emulator>| shown(&emulator.webhook_report())))
        .route("/webhook", post(subscribe))
        .route("/webhook-resend", post(resend_verification))
        .route("/webhook-verify", post(verify_subscription))
        .route(
            "/webhook-delete",
            post(async |emulator, body| on_object(emulator, body, Emulator::unsubscribe)),
        )
        .route("/webhook-deliver", post(deliver_events))
        .route("/webhook-faults", post(push_webhook_fault).delete(clear_webhook_faults))
        .route("/file", post(add_file))
        .route("/file-place", post(show_file))
        .route("/file-content", post(replace_file))
        .route("/file-remove", post(async |emulator, body| on_object(emulator, body, Emulator::remove_file)))
        .route("/caption", post(caption))
        .route(
            "/file-requests",
            get(async |State(emulator): State<Emulator>| shown(&emulator.file_report()))
                .delete(clear_file_requests),
        )
        .route("/file-faults", get(file_faults).post(push_file_fault).delete(clear_file_faults))
        .route("/random-file-faults", post(random_file_faults))
        .route("/faults", get(faults).post(push_fault).delete(clear_faults))
        .fallback(async || {
            let message = "no such verb; see docs/reference/emulator.md";
            (StatusCode::NOT_FOUND, shown(&json!({"error": message})))
        })
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, ControlError> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    Ok(serde_json::from_slice(body)?)
}

fn done() -> Answer {
    Ok(shown(&json!({"ok": true})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    id: Uuid,
}

#[expect(clippy::needless_pass_by_value, reason = "takes what the extractors give")]
fn on_object(
    State(emulator): State<Emulator>,
    body: Bytes,
    verb: impl FnOnce(&Emulator, Uuid) -> Result<(), VerbError>,
) -> Answer {
    let object: Object = read(&body)?;
    verb(&emulator, object.id)?;
    done()
}

async fn requests(State(emulator): State<Emulator>) -> Response {
    shown(&emulator.request_report())
}

async fn clear_requests(State(emulator): State<Emulator>) -> Answer {
    emulator.clear_requests();
    done()
}

async fn truth(State(emulator): State<Emulator>, RawQuery(query): RawQuery) -> Answer {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    Ok(shown(&Value::Array(emulator.truth(query.get("token"))?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    #[serde(default)]
    parent: Option<Uuid>,
    content: Vec<Content>,
    #[serde(default)]
    files: GivenFiles,
}

/// What is in a file: a text, or any bytes in base64.
#[derive(Deserialize)]
#[serde(untagged)]
enum GivenContent {
    Text(String),
    Bytes(Base64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Base64 {
    #[serde(deserialize_with = "base64_bytes")]
    base64: Vec<u8>,
}

fn base64_bytes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let kept: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(kept).map_err(serde::de::Error::custom)
}

impl From<GivenContent> for FileContent {
    fn from(given: GivenContent) -> Self {
        match given {
            GivenContent::Text(text) => text.into_bytes().into(),
            GivenContent::Bytes(Base64 { base64 }) => base64.into(),
        }
    }
}

type GivenFiles = std::collections::BTreeMap<String, GivenContent>;

fn seed_files(files: GivenFiles) -> SeedFiles {
    let seed = |(path, given): (String, GivenContent)| {
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        (path.clone(), FileSeed { name, path, content: given.into() })
    };
    files.into_iter().map(seed).collect()
}

async fn seed(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let seed: Seed = read(&body)?;
    let ids = emulator.seed(seed.parent, &seed.content, &seed_files(seed.files))?;
    Ok(shown(&json!({ "ids": ids })))
}

#[derive(Deserialize)]
struct EditBody {
    id: Uuid,
    #[serde(default)]
    files: GivenFiles,
    #[serde(flatten)]
    edit: Map,
}

type Map = serde_json::Map<String, Value>;

async fn edit(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let EditBody { id, files, edit } = read(&body)?;
    let edit: Edit = serde_json::from_value(Value::Object(edit))?;
    let ids = emulator.edit(id, edit, &seed_files(files))?;
    Ok(shown(&json!({ "ids": ids })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommentBody {
    id: Uuid,
    #[serde(default)]
    text: String,
    #[serde(default)]
    rich_text: Value,
    author: Option<String>,
    discussion: Option<String>,
    #[serde(default)]
    attachments: Value,
    #[serde(default)]
    display_name: Value,
    #[serde(default)]
    markers: Vec<String>,
    #[serde(default)]
    files: GivenFiles,
}

async fn comment(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let comment: CommentBody = read(&body)?;
    let text = json!([{"text": {"content": comment.text}}]);
    let seed = CommentSeed {
        author: comment.author,
        discussion: comment.discussion,
        rich_text: if comment.rich_text.is_null() { text } else { comment.rich_text },
        block: None,
        attachments: comment.attachments,
        display_name: comment.display_name,
        markers: comment.markers,
    };
    let id = emulator.seed_comment(comment.id, &seed, &seed_files(comment.files))?;
    Ok(shown(&json!({ "id": id })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResolveBody {
    id: Uuid,
    #[serde(default = "yes")]
    resolved: bool,
}

const fn yes() -> bool {
    true
}

async fn resolve(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let resolve: ResolveBody = read(&body)?;
    emulator.resolve_comment(resolve.id, resolve.resolved)?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delivery {
    id: Uuid,
    #[serde(rename = "as")]
    kind: Option<String>,
    object: Option<Value>,
    #[serde(default)]
    whole: bool,
}

async fn deliver(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let delivery: Delivery = read(&body)?;
    emulator.deliver(delivery.id, delivery.kind.as_deref(), delivery.object, delivery.whole)?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Emoji {
    name: String,
    url: String,
}

async fn emoji(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let emoji: Emoji = read(&body)?;
    Ok(shown(&json!({"id": emulator.add_custom_emoji(&emoji.name, &emoji.url)})))
}

async fn person(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let person: Value = read(&body)?;
    Ok(shown(&json!({"id": emulator.add_person(&person)})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sharing {
    id: Option<Uuid>,
    token: Option<String>,
}

async fn share(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let sharing: Sharing = read(&body)?;
    if let Some(id) = sharing.id {
        emulator.share(id, sharing.token.as_deref())?;
    }
    done()
}

/// Without an id, everything.
async fn unshare(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let sharing: Sharing = read(&body)?;
    match sharing.id {
        Some(id) => emulator.unshare(id, sharing.token.as_deref())?,
        None => emulator.unshare_all(sharing.token.as_deref())?,
    }
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    id: Uuid,
    #[serde(default)]
    parent: Option<Uuid>,
}

async fn move_to(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let moved: Move = read(&body)?;
    emulator.move_to(moved.id, moved.parent)?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenBody {
    token: Option<String>,
    capabilities: Option<Capabilities>,
    revoked: Option<bool>,
}

async fn token(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let token: TokenBody = read(&body)?;
    emulator.set_token(token.token.as_deref(), token.capabilities, token.revoked)?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Milliseconds {
    ms: u64,
}

async fn advance(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let by: Milliseconds = read(&body)?;
    emulator.advance(Duration::from_millis(by.ms));
    Ok(shown(&json!({"now": emulator.settings()["now"]})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitBody {
    #[serde(default)]
    token: Option<Window>,
    #[serde(default)]
    workspace: Option<Window>,
}

async fn limit(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let limit: LimitBody = read(&body)?;
    emulator.set_limits(limit.token, limit.workspace);
    done()
}

async fn latency(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let latency: Milliseconds = read(&body)?;
    emulator.set_latency(Duration::from_millis(latency.ms));
    done()
}

/// Switches that are not named keep their value.
async fn behavior(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let changes: Map = read(&body)?;
    let mut behavior = serde_json::to_value(emulator.behavior())?;
    for (key, value) in changes {
        behavior[key] = value;
    }
    let behavior: Behavior = serde_json::from_value(behavior)?;
    emulator.set_behavior(behavior);
    done()
}

async fn subscribe(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let (id, status) = emulator.subscribe(read(&body)?).await?;
    Ok(shown(&json!({"id": id, "status": status})))
}

async fn resend_verification(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let object: Object = read(&body)?;
    Ok(shown(&json!({"status": emulator.resend_verification(object.id).await?})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verification {
    id: Uuid,
    verification_token: String,
}

async fn verify_subscription(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let verification: Verification = read(&body)?;
    emulator.verify_subscription(verification.id, &verification.verification_token)?;
    done()
}

async fn deliver_events(State(emulator): State<Emulator>) -> Response {
    shown(&Value::from(emulator.deliver_events(true).await))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileBody {
    id: Uuid,
    name: String,
    content: GivenContent,
    kind: Option<String>,
    #[serde(default)]
    caption: String,
    #[serde(default)]
    external: bool,
    property: Option<String>,
    #[serde(default)]
    markers: Vec<String>,
}

async fn add_file(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let FileBody { id, name, content, kind, caption, external, property, markers } = read(&body)?;
    let host = if external { Host::External } else { Host::Notion };
    let new = NewFile { name, content: content.into(), kind, caption, host, property, markers };
    let (file, block) = emulator.add_file(id, new)?;
    Ok(shown(&json!({"id": file, "block": block})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceBody {
    id: Uuid,
    file: Uuid,
    #[serde(default)]
    caption: String,
    property: Option<String>,
}

async fn show_file(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let PlaceBody { id, file, caption, property } = read(&body)?;
    let block = emulator.show_file(id, file, &caption, property.as_deref())?;
    Ok(shown(&json!({ "block": block })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentBody {
    id: Uuid,
    content: GivenContent,
    #[serde(default)]
    markers: Vec<String>,
}

async fn replace_file(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let ContentBody { id, content, markers } = read(&body)?;
    Ok(shown(&json!({"id": emulator.replace_file(id, content.into(), markers)?})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaptionBody {
    id: Uuid,
    caption: String,
}

async fn caption(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let CaptionBody { id, caption } = read(&body)?;
    emulator.set_caption(id, &caption)?;
    done()
}

async fn clear_file_requests(State(emulator): State<Emulator>) -> Answer {
    emulator.clear_file_requests();
    done()
}

async fn file_faults(State(emulator): State<Emulator>) -> Response {
    let settings = emulator.settings();
    shown(&json!({"faults": settings["file_faults"], "random": settings["random_file_faults"]}))
}

async fn push_file_fault(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    emulator.push_file_fault(read(&body)?);
    done()
}

async fn random_file_faults(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    emulator.set_random_file_faults(read(&body)?);
    done()
}

async fn clear_file_faults(State(emulator): State<Emulator>) -> Answer {
    emulator.clear_file_faults();
    done()
}

async fn push_webhook_fault(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    emulator.push_webhook_fault(read(&body)?);
    done()
}

async fn clear_webhook_faults(State(emulator): State<Emulator>) -> Answer {
    emulator.clear_webhook_faults();
    done()
}

async fn faults(State(emulator): State<Emulator>) -> Response {
    let settings = emulator.settings();
    let refused = emulator.refused_plans();
    shown(
        &json!({"faults": settings["faults"], "random": settings["random_faults"], "plans": settings["plans"],
        "refused_plans": refused}),
    )
}

async fn push_fault(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let fault: Fault = read(&body)?;
    emulator.push_fault(fault);
    done()
}

async fn random_faults(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    emulator.set_random_faults(read(&body)?);
    done()
}

async fn plan(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    emulator.plan(read(&body)?);
    done()
}

async fn clear_faults(State(emulator): State<Emulator>) -> Answer {
    emulator.clear_faults();
    done()
}
