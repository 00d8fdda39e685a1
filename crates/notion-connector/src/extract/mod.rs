//! Text out of files that strangers wrote, in a process that can do nothing else.
//!
//! [`Extractor`] keeps a few worker processes: this program again, called with [`COMMAND`], which [`worker_main`] answers.
//! A worker is confined before it reads the first byte (room `confined`). Then it reads one document after another from
//! standard input, has `plaintext` read it, and writes the answer to standard output (`frame`).
//!
//! Invariants: what a document does to its worker costs that document's outcome and nothing else. An answer is as hostile as
//! the document: it is bounded and checked. A document that ends its worker is not tried again; a worker that ended through
//! nothing that the document did is replaced, and the document is read by the next.
//!
//! What has no text of its own is looked at where that is switched on (`images`): by programs of the system, within limits too
//! (`ocr`, `launch`), and by a model behind an endpoint (`captions`).
//!
//! To try whether something is refused: `attempts`.

mod attempts;
mod captions;
mod frame;
mod images;
mod launch;
mod ocr;
mod pool;
mod worker;

pub use attempts::Attempt;
pub use images::Generated;
pub use pool::{Confinement, Counters, ExtractError, Extractor};
pub use worker::{COMMAND, worker_main};

use crate::config::ExtractConfig;

/// What became of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What was found in it.
    pub extraction: plaintext::Extraction,
    /// How its text came to be, where it is not the file's own.
    pub generated: Vec<Generated>,
    /// How long that took, with the way to the worker and back.
    pub millis: u64,
    /// Most memory that the worker held meanwhile, the program itself included; none where the system does not tell.
    pub peak_bytes: Option<u64>,
}

/// How a status is called in JSON.
pub const fn status_name(status: plaintext::Status) -> &'static str {
    use plaintext::Status;
    match status {
        Status::Text => "text",
        Status::NoText => "no_text",
        Status::Encrypted => "encrypted",
        Status::Unsupported => "unsupported",
        Status::TooLarge => "too_large",
        Status::Broken => "broken",
        Status::Limit => "limit",
    }
}

/// How a format is called: by its first extension.
pub fn format_name(format: plaintext::Format) -> &'static str {
    format.extensions().first().copied().unwrap_or_default()
}

fn limits_of(settings: &ExtractConfig) -> plaintext::Limits {
    let bytes = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
    plaintext::Limits {
        input_bytes: bytes(settings.file_bytes()),
        text_bytes: bytes(settings.text_bytes()),
        ..plaintext::Limits::default()
    }
}

/// An extraction without text.
fn nothing(status: plaintext::Status, reason: String) -> plaintext::Extraction {
    plaintext::Extraction {
        format: None,
        status,
        reason: Some(reason),
        text: String::new(),
        headings: Vec::new(),
        metadata: plaintext::Metadata::default(),
        encoding: None,
        cut_bytes: 0,
        left_out: Vec::new(),
    }
}
