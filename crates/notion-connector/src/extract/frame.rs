//! What parent and worker say to each other about documents, in frames (`confined::frame`); the text is a frame's body.
//!
//! The types of `plaintext` are taken apart here field by field: a new one does not compile until it travels too.

use plaintext::{Extraction, Format, Heading, Limits, Metadata, Status};
use serde::{Deserialize, Serialize};

use super::attempts::Attempt;
use super::{format_name, status_name};

/// Longest header of a request: a name and numbers.
pub(super) const MAX_REQUEST_HEADER: u32 = 1 << 16;
/// Longest header of an answer: links, headings and what was left out of the largest document.
pub(super) const MAX_ANSWER_HEADER: u32 = 48 << 20;
/// Longest name that is told to a worker, which needs its extension only.
const MAX_NAME_BYTES: usize = 1_024;

/// What the worker is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// To read the document in the body.
    Extract { name: String, input_bytes: usize, text_bytes: usize, unpacked_bytes: u64 },
    /// To do something that it should not be able to do.
    Attempt(Attempt),
}

impl Request {
    pub(super) fn extract(name: &str, limits: &Limits) -> Self {
        let Limits { input_bytes, text_bytes, unpacked_bytes } = *limits;
        // The end of a name holds its extension.
        let name = &name[name.ceil_char_boundary(name.len().saturating_sub(MAX_NAME_BYTES))..];
        Self::Extract { name: name.to_owned(), input_bytes, text_bytes, unpacked_bytes }
    }
}

/// What the worker says when it holds a request, before it looks at it: from here on its end is the document's doing.
pub(super) const BEGUN: u8 = 0x06;

/// What came of a request; the body is the text.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    format: Option<String>,
    status: String,
    reason: Option<String>,
    headings: Vec<(u8, usize, usize)>,
    title: Option<String>,
    author: Option<String>,
    created: Option<String>,
    modified: Option<String>,
    links: Vec<String>,
    encoding: Option<String>,
    cut_bytes: u64,
    left_out: Vec<String>,
    pub(super) spent: Spent,
}

/// What reading took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spent {
    /// Most memory that the worker held for this document, where the system tells.
    pub(super) peak_bytes: Option<u64>,
    /// Address space that it holds behind the document, where the system tells.
    pub(super) held_bytes: Option<u64>,
    /// Processor time that the worker took since it began.
    pub(super) cpu_ms: u64,
}

/// Every status there is.
const STATUSES: [Status; 7] = [
    Status::Text,
    Status::NoText,
    Status::Encrypted,
    Status::Unsupported,
    Status::TooLarge,
    Status::Broken,
    Status::Limit,
];

impl Answer {
    /// The header and the body.
    pub(super) fn of(extraction: Extraction, spent: Spent) -> (Self, String) {
        let Extraction { format, status, reason, text, headings, metadata, encoding, cut_bytes, left_out } =
            extraction;
        let Metadata { title, author, created, modified, links } = metadata;
        let headings =
            headings.into_iter().map(|Heading { level, start, end }| (level, start, end)).collect();
        let answer = Self {
            format: format.map(|format| format_name(format).to_owned()),
            status: status_name(status).to_owned(),
            reason,
            headings,
            title,
            author,
            created,
            modified,
            links,
            encoding: encoding.map(str::to_owned),
            cut_bytes,
            left_out,
            spent,
        };
        (answer, text)
    }

    /// The extraction again; none when it contradicts itself, as no honest worker does.
    pub(super) fn into_extraction(self, text: Vec<u8>) -> Option<Extraction> {
        let text = String::from_utf8(text).ok()?;
        let status = STATUSES.into_iter().find(|status| status_name(*status) == self.status)?;
        let format = match self.format {
            Some(name) => Some(Format::ALL.into_iter().find(|format| format_name(*format) == name)?),
            None => None,
        };
        let mut headings = Vec::with_capacity(self.headings.len());
        for (level, start, end) in self.headings {
            text.get(start..end)?;
            headings.push(Heading { level, start, end });
        }
        let encoding = match self.encoding {
            Some(label) => Some(encoding_rs::Encoding::for_label(label.as_bytes())?.name()),
            None => None,
        };
        let metadata = Metadata {
            title: self.title,
            author: self.author,
            created: self.created,
            modified: self.modified,
            links: self.links,
        };
        let (reason, cut_bytes, left_out) = (self.reason, self.cut_bytes, self.left_out);
        Some(Extraction { format, status, reason, text, headings, metadata, encoding, cut_bytes, left_out })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confined::frame::{read_request, receive, send, write};

    const SPENT: Spent = Spent { peak_bytes: Some(7), held_bytes: Some(8), cpu_ms: 9 };

    #[tokio::test]
    async fn what_a_worker_answers_arrives_as_it_was() {
        for (bytes, name) in [
            (&b"# One\n\nTwo"[..], "a.md"),
            (b"\xC4pfel und Birnen, Stra\xDFe", "a.txt"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\0", "a.png"),
            (
                b"<html><head><title>T</title></head><body><h1>H</h1><a href='https://a.example/'>b</a>",
                "a.html",
            ),
        ] {
            let extraction = plaintext::extract(bytes, name, &Limits::default());
            let (answer, text) = Answer::of(extraction.clone(), SPENT);
            let mut wire = Vec::new();
            write(&mut wire, &answer, text.as_bytes()).unwrap();
            let (answer, body) = receive::<Answer>(&mut &wire[..], MAX_ANSWER_HEADER, 1_000).await.unwrap();
            assert_eq!(answer.spent, SPENT);
            assert_eq!(answer.into_extraction(body), Some(extraction));
        }
    }

    #[tokio::test]
    async fn what_is_asked_arrives_as_it_was_and_long_names_keep_their_end() {
        let name = format!("{}.pdf", "ü".repeat(5_000));
        let mut wire = Vec::new();
        send(&mut wire, &Request::extract(&name, &Limits::default()), b"bytes").await.unwrap();
        let (request, body) = read_request::<Request>(&wire[..], MAX_REQUEST_HEADER).unwrap().unwrap();
        let Request::Extract { name, input_bytes, .. } = request else { panic!("another request") };
        assert!(name.ends_with("ü.pdf") && name.len() <= MAX_NAME_BYTES);
        assert_eq!((input_bytes, &body[..]), (Limits::default().input_bytes, &b"bytes"[..]));
        assert!(read_request::<Request>(&[][..], MAX_REQUEST_HEADER).unwrap().is_none());
        assert!(read_request::<Request>(&wire[..20], MAX_REQUEST_HEADER).is_err());
    }

    #[tokio::test]
    async fn a_worker_that_lies_is_not_believed() {
        let (answer, text) =
            Answer::of(plaintext::extract("äb".as_bytes(), "a.txt", &Limits::default()), SPENT);
        let read = |change: fn(&mut serde_json::Value), body: &[u8]| {
            let mut value = serde_json::to_value(&answer).unwrap();
            change(&mut value);
            serde_json::from_value::<Answer>(value).unwrap().into_extraction(body.to_vec())
        };
        assert!(read(|_| (), text.as_bytes()).is_some());
        assert!(read(|_| (), b"\xFF").is_none(), "a text that is none");
        assert!(
            read(|answer| answer["headings"] = serde_json::json!([[1, 1, 2]]), text.as_bytes()).is_none()
        );
        assert!(
            read(|answer| answer["headings"] = serde_json::json!([[1, 0, 90]]), text.as_bytes()).is_none()
        );
        assert!(read(|answer| answer["status"] = "good".into(), text.as_bytes()).is_none());
        assert!(read(|answer| answer["format"] = "exe".into(), text.as_bytes()).is_none());
        assert!(read(|answer| answer["encoding"] = "rot13".into(), text.as_bytes()).is_none());
        let mut wire = Vec::new();
        write(&mut wire, &answer, &[b'a'; 11]).unwrap();
        assert!(receive::<Answer>(&mut &wire[..], MAX_ANSWER_HEADER, 10).await.is_err());
        assert!(receive::<Answer>(&mut &wire[..], 10, 1_000).await.is_err());
    }
}
