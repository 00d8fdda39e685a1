//! The host of signed file URLs, on a port of its own.
//!
//! As recorded and documented (developers.notion.com "file-object"): a URL is valid for one hour, every read gives a new
//! signature, the path alone names the file. The host is S3: an expired or altered URL is a 403 with XML, and a request
//! that carries an `Authorization` header beside the signature is refused with 400.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use uuid::Uuid;

use crate::objects::exact;
use crate::rules::validate::{Query, uuid};
use crate::world::ids::Space;
use crate::world::model::Ix;
use crate::world::{World, generate};

/// How long a URL is valid.
pub const VALID_MS: i64 = 3_600_000;

const NAME: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`').add(b'/');

/// Signs URLs and checks them.
#[derive(Debug)]
pub struct Signer {
    key: [u8; 32],
    origin: std::sync::RwLock<String>,
    nonce: AtomicU64,
}

impl Signer {
    /// A signer for the host at this origin.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        let key = blake3::derive_key("notion-emulator 2026 file urls", b"emulated");
        Self { key, origin: std::sync::RwLock::new(origin.to_owned()), nonce: AtomicU64::new(1) }
    }

    /// Where the host is.
    #[must_use]
    pub fn origin(&self) -> String {
        self.origin.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub(crate) fn set_origin(&self, origin: &str) {
        origin.clone_into(&mut self.origin.write().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    /// A URL of a file and when it expires.
    #[must_use]
    pub fn sign(&self, workspace: Uuid, file: &str, name: &str, now_ms: i64) -> (String, i64) {
        let path = format!("/{workspace}/{file}/{}", utf8_percent_encode(name, NAME));
        let date = amz_date(now_ms);
        let nonce = format!("{:016x}", crate::world::rng::mix(self.nonce.fetch_add(1, Ordering::Relaxed)));
        let signature = self.signature(&path, &date, &nonce);
        let url = format!(
            "{}{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=EMULATOR%2F{}%2Fus-west-2%2Fs3%2Faws4_request&X-Amz-Date={date}&X-Amz-Expires=3600&X-Amz-Security-Token={nonce}&X-Amz-Signature={signature}&X-Amz-SignedHeaders=host&x-amz-checksum-mode=ENABLED&x-id=GetObject",
            self.origin(),
            date.get(..8).unwrap_or_default(),
        );
        (url, now_ms + VALID_MS)
    }

    fn signature(&self, path: &str, date: &str, nonce: &str) -> String {
        let text = format!("{path}\n{date}\n{nonce}");
        blake3::keyed_hash(&self.key, text.as_bytes()).to_hex().to_string()
    }

    /// Whether the signature fits the path.
    fn accepts(&self, path: &str, query: &Query) -> bool {
        let part = |key: &str| query.get(key).unwrap_or_default();
        query.get("X-Amz-Expires") == Some("3600")
            && self.signature(path, part("X-Amz-Date"), part("X-Amz-Security-Token"))
                == part("X-Amz-Signature")
    }
}

/// `20260704T090945Z`.
fn amz_date(ms: i64) -> String {
    let text: String = exact(ms).chars().filter(|c| *c != '-' && *c != ':').collect();
    format!("{}Z", text.split('.').next().unwrap_or_default())
}

fn amz_date_ms(text: &str) -> Option<i64> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
    let small = |from: usize| digits.get(from..from + 2)?.parse::<i8>().ok();
    let time =
        jiff::civil::DateTime::new(number(0, 4)?, small(4)?, small(6)?, small(8)?, small(10)?, small(12)?, 0)
            .ok()?;
    Some(jiff::tz::Offset::UTC.to_timestamp(time).ok()?.as_millisecond())
}

/// Answers a request to the file host.
pub(crate) fn answer(
    world: &World,
    signer: &Signer,
    now_ms: i64,
    (path, query): (&str, &str),
    headers: &HeaderMap,
) -> Response<Body> {
    if headers.contains_key(header::AUTHORIZATION) {
        let message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified";
        return xml(StatusCode::BAD_REQUEST, "InvalidArgument", message);
    }
    let query = Query::parse(query);
    if query.get("X-Amz-Signature").is_none() {
        return xml(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied");
    }
    if !signer.accepts(path, &query) {
        let message = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
        return xml(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", message);
    }
    let signed_ms = query.get("X-Amz-Date").and_then(amz_date_ms).unwrap_or_default();
    if now_ms >= signed_ms + VALID_MS {
        return xml(StatusCode::FORBIDDEN, "AccessDenied", "Request has expired");
    }
    let mut segments = path.split('/').skip(2);
    let file = segments.next().and_then(uuid).and_then(|id| content(world, id));
    let Some((name, bytes)) = file else {
        return xml(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.");
    };
    let mut response = Response::new(Body::from(bytes));
    if let Ok(kind) = media_type(&name).parse() {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}

/// Name and content of a hosted file.
pub(crate) fn content(world: &World, id: Uuid) -> Option<(String, Bytes)> {
    let address = world.ids().open(id).filter(|address| address.space == Space::File)?;
    if address.detail == 0 {
        let file = world.files().get(address.index as usize)?;
        return Some((file.name.clone(), file.bytes.clone()));
    }
    let ix = Ix(address.index);
    let name = generate::file_ref(world, ix)["name"].as_str()?.to_owned();
    generate::has_file(world, ix).then(|| (name, generate::file_bytes(world, ix)))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "txt" | "md" => "text/plain",
        "csv" => "text/csv",
        "htm" | "html" => "text/html",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "svg" => "image/svg+xml",
        "rtf" => "application/rtf",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        _ => "application/octet-stream",
    }
}

fn xml(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/xml"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_signatures_read_back() {
        assert_eq!(amz_date(1_783_156_185_607), "20260704T090945Z");
        assert_eq!(amz_date_ms("20260704T090945Z"), Some(1_783_156_185_000));
    }
}
