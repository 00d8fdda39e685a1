//! Answers of the two hosts of files.

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use tokio::io::AsyncReadExt as _;

use super::faults::FileFailure;
use super::{FileContent, FileRequest, Host, media_type};
use crate::emulator::{Emulator, broken_off};
use crate::objects::{exact_utc, http_date};
use crate::rules::validate::{Query, uuid};
use crate::world::ids::Space;
use crate::world::model::Ix;
use crate::world::{World, generate};

/// Read from disk at once.
const PIECE_BYTES: usize = 64 << 10;

/// A file that a host has.
pub(crate) struct Hosted {
    pub(crate) name: String,
    pub(crate) content: FileContent,
    pub(crate) modified_ms: i64,
}

/// The file of this id, if that host has it.
pub(crate) fn hosted(world: &World, host: Host, id: uuid::Uuid) -> Option<Hosted> {
    let address = world.ids().open(id).filter(|address| address.space == Space::File)?;
    if address.detail == 0 {
        let file = world.files().get(address.index as usize).filter(|file| file.host == host)?;
        return Some(Hosted {
            name: file.name.clone(),
            content: file.content.clone(),
            modified_ms: file.modified_ms,
        });
    }
    let ix = Ix(address.index);
    if host != Host::Notion || !generate::has_file(world, ix) {
        return None;
    }
    Some(Hosted {
        name: generate::file_ref(world, ix)["name"].as_str()?.to_owned(),
        content: FileContent::Bytes(generate::file_bytes(world, ix)),
        modified_ms: world.entity(ix).created_ms,
    })
}

impl Emulator {
    /// Answers one request to a file host.
    pub(crate) async fn handle_file(self, host: Host, request: Request) -> Response<Body> {
        let (parts, _) = request.into_parts();
        let path = parts.uri.path();
        let failure = self.file_faults().strike(host, path);
        if let Some(FileFailure::Slow { delay_ms }) = &failure {
            tokio::time::sleep(std::time::Duration::from_millis(*delay_ms)).await;
        }
        let answer = match failure.as_ref().and_then(|failure| refusal(failure, &parts.uri)) {
            Some(refusal) => refusal,
            None => self.file_answer(host, &parts).await,
        };
        let is_lost = failure == Some(FileFailure::Disconnect);
        let mut response = match failure {
            Some(failure) if answer.status() == StatusCode::OK => spoilt(answer, failure).await,
            _ => answer,
        };
        let now_ms = self.inner.clock.now_ms();
        if let Ok(date) = HeaderValue::from_str(&http_date(now_ms)) {
            response.headers_mut().insert(header::DATE, date);
        }
        self.file_log().push(FileRequest {
            time: exact_utc(now_ms),
            host,
            method: parts.method.to_string(),
            path: path.to_owned(),
            status: if is_lost { 0 } else { response.status().as_u16() },
            headers: parts.headers.keys().map(ToString::to_string).collect(),
        });
        response
    }

    async fn file_answer(&self, host: Host, parts: &http::request::Parts) -> Response<Body> {
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return xml(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "The method is not allowed.");
        }
        let path = parts.uri.path();
        if host == Host::Notion
            && let Some(refusal) = self.unsigned(path, parts.uri.query().unwrap_or_default(), &parts.headers)
        {
            return refusal;
        }
        let found =
            path.split('/').nth(2).and_then(uuid).and_then(|id| hosted(&self.state().world, host, id));
        match found {
            None if host == Host::Notion => no_such_key(),
            None => page(StatusCode::NOT_FOUND),
            Some(file) => match serve(file, parts).await {
                Ok(response) => response,
                Err(_) => page(StatusCode::INTERNAL_SERVER_ERROR),
            },
        }
    }

    /// Why a request to Notion's host is refused, if it is.
    fn unsigned(&self, path: &str, query: &str, headers: &HeaderMap) -> Option<Response<Body>> {
        if headers.contains_key(header::AUTHORIZATION) {
            let message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified";
            return Some(xml(StatusCode::BAD_REQUEST, "InvalidArgument", message));
        }
        let query = Query::parse(query);
        if query.get("X-Amz-Signature").is_none() {
            return Some(denied("Access Denied"));
        }
        let Some(expires_ms) = self.inner.signer.verify(path, &query) else {
            let message = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
            return Some(xml(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", message));
        };
        (self.inner.clock.now_ms() >= expires_ms).then(|| denied("Request has expired"))
    }
}

async fn serve(file: Hosted, parts: &http::request::Parts) -> std::io::Result<Response<Body>> {
    let (length, tag, modified_ms, body) = match file.content {
        FileContent::Bytes(bytes) => {
            let tag = blake3::hash(&bytes).to_hex();
            (bytes.len() as u64, tag, file.modified_ms, Body::from(bytes))
        }
        FileContent::Disk(path) => {
            let opened = tokio::fs::File::open(&path).await?;
            let metadata = opened.metadata().await?;
            let modified = metadata.modified().ok().and_then(|time| jiff::Timestamp::try_from(time).ok());
            let modified_ms = modified.map_or(file.modified_ms, jiff::Timestamp::as_millisecond);
            let tag =
                blake3::hash(format!("{}\n{}\n{modified:?}", path.display(), metadata.len()).as_bytes());
            (metadata.len(), tag.to_hex(), modified_ms, read_through(opened))
        }
    };
    let tag = format!("\"{}\"", tag.get(..32).unwrap_or_default());
    let modified = http_date(modified_ms);
    let header = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let is_unchanged = match header(header::IF_NONE_MATCH) {
        Some(known) => known == tag,
        None => header(header::IF_MODIFIED_SINCE) == Some(modified.as_str()),
    };
    let mut response = Response::new(match parts.method == Method::HEAD || is_unchanged {
        true => Body::empty(),
        false => body,
    });
    let headers = response.headers_mut();
    set(headers, header::ETAG, &tag);
    set(headers, header::LAST_MODIFIED, &modified);
    if is_unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        set(headers, header::CONTENT_TYPE, media_type(&file.name));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(response)
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// A file of any size, a piece at a time.
fn read_through(file: tokio::fs::File) -> Body {
    Body::from_stream(stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE_BYTES];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(piece), file)))
    }))
}

/// The answer in place of a file.
fn refusal(failure: &FileFailure, asked: &http::Uri) -> Option<Response<Body>> {
    let status = |code: &u16| StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Some(match failure {
        FileFailure::AccessDenied => denied("Access Denied"),
        FileFailure::Expired => denied("Request has expired"),
        FileFailure::NotFound => no_such_key(),
        FileFailure::InternalError => {
            let message = "We encountered an internal error. Please try again.";
            xml(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
        }
        FileFailure::SlowDown { retry_after_s } => {
            let message = "Please reduce your request rate.";
            let mut response = xml(StatusCode::SERVICE_UNAVAILABLE, "SlowDown", message);
            if let Some(seconds) = retry_after_s {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            response
        }
        FileFailure::Status { status: code } => page(status(code)),
        FileFailure::Redirect { to, status: code } => {
            let mut response = page(status(code));
            let location = to.clone().unwrap_or_else(|| asked.to_string());
            set(response.headers_mut(), header::LOCATION, &location);
            response
        }
        FileFailure::Slow { .. }
        | FileFailure::SlowBody { .. }
        | FileFailure::Stall
        | FileFailure::Cut
        | FileFailure::Disconnect
        | FileFailure::WrongLength { .. }
        | FileFailure::Endless { .. }
        | FileFailure::ContentType { .. }
        | FileFailure::ContentEncoding { .. } => return None,
    })
}

/// The right answer, made wrong.
async fn spoilt(answer: Response<Body>, failure: FileFailure) -> Response<Body> {
    let (mut parts, body) = answer.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let half = bytes.slice(..bytes.len() / 2);
    let headers = &mut parts.headers;
    let body = match failure {
        FileFailure::SlowBody { piece_bytes, delay_ms } => dripping(bytes, piece_bytes.max(1), delay_ms),
        FileFailure::Stall => {
            use futures::StreamExt as _;
            Body::from_stream(stream::iter([Ok::<_, std::io::Error>(half)]).chain(stream::pending()))
        }
        FileFailure::Cut => broken_off(Some(half)),
        FileFailure::Disconnect => broken_off(None),
        FileFailure::WrongLength { by } => {
            let length = (bytes.len() as u64).saturating_add_signed(by);
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            // As a stream, whose length the server does not know better.
            Body::from_stream(stream::iter([Ok::<_, std::io::Error>(bytes)]))
        }
        FileFailure::Endless { declared } => {
            match declared {
                Some(length) => headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length)),
                None => headers.remove(header::CONTENT_LENGTH),
            };
            endless()
        }
        FileFailure::ContentType { content_type } => {
            headers.remove(header::CONTENT_TYPE);
            if !content_type.is_empty() {
                set(headers, header::CONTENT_TYPE, &content_type);
            }
            Body::from(bytes)
        }
        FileFailure::ContentEncoding { encoding } => {
            set(headers, header::CONTENT_ENCODING, &encoding);
            Body::from(bytes)
        }
        _ => Body::from(bytes),
    };
    Response::from_parts(parts, body)
}

fn dripping(bytes: Bytes, piece_bytes: usize, delay_ms: u64) -> Body {
    Body::from_stream(stream::unfold(bytes, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(std::time::Duration::from_millis(delay_ms)).await;
        let piece = rest.split_to(piece_bytes.min(rest.len()));
        Some((Ok::<_, std::io::Error>(piece), rest))
    }))
}

fn endless() -> Body {
    let piece = Bytes::from("on and on ".repeat(PIECE_BYTES / 10));
    Body::from_stream(stream::unfold(piece, |piece| async move {
        tokio::task::yield_now().await;
        Some((Ok::<_, std::io::Error>(piece.clone()), piece))
    }))
}

fn denied(message: &str) -> Response<Body> {
    xml(StatusCode::FORBIDDEN, "AccessDenied", message)
}

fn no_such_key() -> Response<Body> {
    xml(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
}

fn xml(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    with(status, "application/xml", body)
}

fn page(status: StatusCode) -> Response<Body> {
    with(status, "text/html", format!("<html><body><h1>{status}</h1></body></html>"))
}

fn with(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
