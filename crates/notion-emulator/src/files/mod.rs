//! The hosts of files, on ports of their own: Notion's, whose URLs are signed and expire, and an external one, as any site
//! on the web is.
//!
//! As recorded and documented (developers.notion.com "file-object"): a URL is valid for one hour, every read gives a new
//! signature, the path alone names the file. Notion's host is S3: an expired or altered URL is a 403 with XML, and a request
//! that carries an `Authorization` header beside the signature is refused with 400. The content below a path never changes;
//! replacing a file gives it a new path. The external host keeps its address and changes the `ETag`.
//!
//! `signer` makes URLs, `host` answers, `faults` lets answers fail, `log` remembers who asked, `verbs` changes files.

pub mod faults;
pub(crate) mod host;
mod log;
pub(crate) mod signer;
mod verbs;

use std::path::PathBuf;

use bytes::Bytes;

pub use self::log::{FileLog, FileRequest};
pub use self::signer::Signer;
pub use self::verbs::NewFile;

/// How long a URL is valid when no switch says otherwise.
pub const VALID_MS: i64 = 3_600_000;

/// Which of the hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Host {
    /// That of signed URLs.
    Notion,
    /// Any other site.
    External,
}

/// The bytes of a file, or where they are: a file on disk is read when somebody asks for it.
#[derive(Debug, Clone)]
pub enum FileContent {
    /// In memory.
    Bytes(Bytes),
    /// On disk.
    Disk(PathBuf),
}

impl FileContent {
    /// All of it. What cannot be read is empty.
    #[must_use]
    pub fn load(&self) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Disk(path) => std::fs::read(path).map(Bytes::from).unwrap_or_default(),
        }
    }
}

impl From<Vec<u8>> for FileContent {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

/// The `type` of a block that shows a file of this name.
pub(crate) fn block_kind(name: &str) -> &'static str {
    match media_type(name).split_once('/') {
        Some(("image", _)) => "image",
        Some(("video", _)) => "video",
        Some(("audio", _)) => "audio",
        Some((_, "pdf")) => "pdf",
        _ => "file",
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "txt" | "md" => "text/plain",
        "csv" => "text/csv",
        "htm" | "html" => "text/html",
        "xml" => "application/xml",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "ogg" => "audio/ogg",
        "rtf" => "application/rtf",
        "epub" => "application/epub+zip",
        "eml" => "message/rfc822",
        "doc" => "application/msword",
        "xls" => "application/vnd.ms-excel",
        "ppt" | "pps" => "application/vnd.ms-powerpoint",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "odp" => "application/vnd.oasis.opendocument.presentation",
        _ => "application/octet-stream",
    }
}
