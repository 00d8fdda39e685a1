//! Descriptions of images, by a model behind an endpoint that speaks the chat completions of OpenAI.
//!
//! The image leaves this machine for the address in the settings, and for no other: redirects are not followed.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use notion_api::{HttpSettings, HttpTransport, Transport as _};
use serde::Deserialize;
use serde_json::json;

use crate::config::CaptionsConfig;

/// What the model is asked.
const QUESTION: &str = "Describe this image in at most three sentences, for people who search for it by words. Name what it \
    shows, and repeat the most important words that are written in it. Answer with the description alone.";
/// Longest answer, in the model's own measure.
const ANSWER_TOKENS: u32 = 300;
/// Longest answer that is believed to be one, with all that is around it.
const ANSWER_BYTES: usize = 1 << 20;
/// Longest description, in characters.
const CAPTION_CHARS: usize = 4_000;
/// How long a model may think.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Longest key.
const KEY_BYTES: u64 = 8_192;
/// What the endpoints of most vendors read.
const READ: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

/// Has an image described.
///
/// # Errors
/// With the reason why there is no description.
pub(super) async fn describe(
    settings: &CaptionsConfig,
    media_type: &str,
    image: &[u8],
) -> Result<String, String> {
    if !READ.contains(&media_type) {
        return Err(format!("{media_type} is not described"));
    }
    let http =
        HttpSettings { request_timeout: TIMEOUT, max_body_bytes: ANSWER_BYTES, ..HttpSettings::default() };
    let failed =
        |error: &dyn std::fmt::Display| format!("the model that describes images did not answer: {error}");
    let transport = HttpTransport::new(&http).map_err(|error| failed(&error))?;
    let request = request(settings, media_type, image)?;
    let answer = transport.send(request).await.map_err(|error| failed(&error))?;
    if answer.status() != StatusCode::OK {
        return Err(failed(&format!("status {}", answer.status().as_u16())));
    }
    let completion: Completion =
        serde_json::from_slice(answer.body()).map_err(|_| failed(&"not with a chat completion"))?;
    let content = completion.choices.into_iter().next().and_then(|choice| choice.message.content);
    let caption: String = content.unwrap_or_default().trim().chars().take(CAPTION_CHARS).collect();
    if caption.is_empty() { Err(failed(&"nothing was said")) } else { Ok(caption) }
}

fn request(settings: &CaptionsConfig, media_type: &str, image: &[u8]) -> Result<Request<Bytes>, String> {
    let image = format!("data:{media_type};base64,{}", STANDARD.encode(image));
    let body = json!({
        "model": settings.model,
        "max_tokens": ANSWER_TOKENS,
        "messages": [{ "role": "user", "content": [
            { "type": "text", "text": QUESTION },
            { "type": "image_url", "image_url": { "url": image } },
        ] }],
    });
    let address = format!("{}/chat/completions", settings.url.trim_end_matches('/'));
    let mut request = Request::post(address).header(header::CONTENT_TYPE, "application/json");
    if let Some(file) = &settings.key_file {
        request = request.header(header::AUTHORIZATION, key(file)?);
    }
    request.body(Bytes::from(body.to_string())).map_err(|error| format!("extract.captions.url: {error}"))
}

/// The header that lets in; it is not shown where headers are.
fn key(file: &Path) -> Result<HeaderValue, String> {
    let unreadable =
        |error: &dyn std::fmt::Display| format!("extract.captions.key_file could not be read: {error}");
    let mut text = String::new();
    let file = std::fs::File::open(file).map_err(|error| unreadable(&error))?;
    file.take(KEY_BYTES).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    let mut value = HeaderValue::try_from(format!("Bearer {}", text.trim()))
        .map_err(|_| unreadable(&"it holds no key"))?;
    value.set_sensitive(true);
    Ok(value)
}
