//! Hostile bytes in, bounded text out.
//!
//! Architecture invariant: no network, no file system, no async, no knowledge of Notion. A caller hands over bytes and
//! limits and gets an [`Extraction`]; no input is an error, none may panic, and cost is linear in the bytes read.
//!
//! To add a format: a variant of [`Format`] with its extensions and, where it has any, its first bytes; a file with its
//! reader, which writes to [`text::Text`]; an arm in [`read`]; a sample in `tests/samples`; a
//! fuzz target in `fuzz/src/lib.rs`.

mod charset;
mod epub;
mod format;
mod html;
mod mail;
mod odf;
mod office;
mod package;
mod pdf;
mod rtf;
mod sheets;
mod text;
mod xml;

pub use format::Format;
pub use text::Heading;

use std::panic::{AssertUnwindSafe, catch_unwind};

use office_oxide::DocumentFormat;

use text::Text;

/// Bounds of one extraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest input, in bytes.
    pub input_bytes: usize,
    /// Longest text, in bytes; what is beyond is cut and counted.
    pub text_bytes: usize,
    /// Most bytes that are unpacked from a package, all parts together.
    pub unpacked_bytes: u64,
}

impl Default for Limits {
    /// 25 MB of input, the product's limit for a file; 64 MiB of text, which such an input decodes to at most; 256 MiB
    /// unpacked: office documents pack to a tenth, bombs to a thousandth.
    fn default() -> Self {
        Self { input_bytes: 25_000_000, text_bytes: 64 << 20, unpacked_bytes: 256 << 20 }
    }
}

/// What became of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There is text.
    Text,
    /// It was read and holds no text.
    NoText,
    /// It opens with a password only.
    Encrypted,
    /// No format that this crate reads.
    Unsupported,
    /// Above [`Limits::input_bytes`].
    TooLarge,
    /// It is not what its format demands, and nothing could be read.
    Broken,
    /// It asks for more than [`Limits`] allow, and nothing could be read.
    Limit,
}

/// What a document says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Its title.
    pub title: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// When it was made, as the document writes it.
    pub created: Option<String>,
    /// When it was last changed, as the document writes it.
    pub modified: Option<String>,
    /// Where its links lead, each once, in order of appearance.
    pub links: Vec<String>,
}

/// Most links that are kept; each is an address of at most [`MAX_LINK_BYTES`].
const MAX_LINKS: usize = 10_000;
const MAX_LINK_BYTES: usize = 2_048;

/// Longest property that is kept.
const MAX_PROPERTY_BYTES: usize = 4_096;

impl Metadata {
    /// What is blank was not written, and what is very long is something else.
    fn sound(mut self) -> Self {
        for property in [&mut self.title, &mut self.author, &mut self.created, &mut self.modified] {
            *property = property
                .take()
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty() && value.len() <= MAX_PROPERTY_BYTES);
        }
        self
    }

    /// Remembers an address on the web or of a mailbox. Places within the document are none.
    fn add_link(&mut self, address: &str) {
        let address = address.trim();
        let is_link = ["http://", "https://", "mailto:"].iter().any(|scheme| {
            address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        // Writers repeat a link for each of its runs.
        let repeats = self.links.last().is_some_and(|last| last == address);
        if is_link && !repeats && address.len() <= MAX_LINK_BYTES && self.links.len() < MAX_LINKS {
            self.links.push(address.to_owned());
        }
    }
}

/// What was found in the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extraction {
    /// The format, when it is one of [`Format::ALL`].
    pub format: Option<Format>,
    /// What became of the bytes.
    pub status: Status,
    /// Why there is no text.
    pub reason: Option<String>,
    /// The text in reading order, with `\n` line ends; cells of a row are parted by tabs.
    pub text: String,
    /// The headings in [`Self::text`], in order.
    pub headings: Vec<Heading>,
    /// What the document says of itself.
    pub metadata: Metadata,
    /// Name of the encoding, as the WHATWG Encoding Standard names it, where the bytes are text.
    pub encoding: Option<&'static str>,
    /// Bytes of text that [`Limits::text_bytes`] cut off, at least.
    pub cut_bytes: u64,
    /// Parts that could not be read, each with the reason.
    pub left_out: Vec<String>,
}

/// What a reader gives beside the text.
#[derive(Debug, Default)]
struct Reading {
    metadata: Metadata,
    encoding: Option<&'static str>,
    left_out: Vec<String>,
}

/// Why a reader gives nothing.
#[derive(Debug, PartialEq, Eq)]
struct Failure {
    status: Status,
    reason: String,
}

impl Failure {
    fn broken(reason: impl Into<String>) -> Self {
        Self { status: Status::Broken, reason: reason.into() }
    }

    /// What a reader of others says. They have an error type for each format, and all of them say these in words.
    fn told(error: &str) -> Self {
        let said = error.to_lowercase();
        if said.contains("encrypt") || said.contains("password") {
            Self::encrypted()
        } else if said.contains("limit") || said.contains("too large") || said.contains("bomb") {
            Self::limit(error)
        } else {
            Self::broken(error)
        }
    }

    fn encrypted() -> Self {
        Self { status: Status::Encrypted, reason: "it is encrypted".to_owned() }
    }

    fn limit(reason: impl Into<String>) -> Self {
        Self { status: Status::Limit, reason: reason.into() }
    }
}

/// Reads the bytes of a file called `name`.
///
/// Content decides before the name: a document is read as what it is, and bytes that are no text are not read as text,
/// whatever they are called.
pub fn extract(bytes: &[u8], name: &str, limits: &Limits) -> Extraction {
    let nothing = |format, status, reason: &str| Extraction {
        format,
        status,
        reason: Some(reason.to_owned()),
        text: String::new(),
        headings: Vec::new(),
        metadata: Metadata::default(),
        encoding: None,
        cut_bytes: 0,
        left_out: Vec::new(),
    };
    if bytes.len() > limits.input_bytes {
        let reason = format!("it is larger than {} bytes", limits.input_bytes);
        return nothing(None, Status::TooLarge, &reason);
    }
    let Some(format) = Format::detect(bytes, name) else {
        return nothing(None, Status::Unsupported, "its format is not read");
    };
    if bytes.is_empty() {
        return nothing(Some(format), Status::NoText, "it is empty");
    }
    let mut text = Text::new(limits.text_bytes);
    let read =
        guarded(|| read(format, bytes, limits, &mut text)).unwrap_or_else(|why| Err(Failure::broken(why)));
    // Every workbook has names of sheets.
    let is_sheets = matches!(format, Format::Xlsx | Format::Xls | Format::Ods);
    if is_sheets && text.is_headings_alone() {
        text = Text::new(0);
    }
    let (text, headings, cut_bytes) = text.finish();
    let has_text = text.contains(|c: char| !c.is_whitespace());
    match read {
        Ok(Reading { left_out, .. }) if !has_text && !left_out.is_empty() => {
            nothing(Some(format), Status::Broken, &left_out[0])
        }
        Ok(reading) => Extraction {
            format: Some(format),
            status: if has_text { Status::Text } else { Status::NoText },
            reason: (!has_text).then(|| {
                // The pages are pictures.
                let is_pdf = format == Format::Pdf;
                if is_pdf { "it has no text layer" } else { "it holds no text" }.to_owned()
            }),
            text,
            headings,
            metadata: reading.metadata.sound(),
            encoding: reading.encoding,
            cut_bytes,
            left_out: reading.left_out,
        },
        Err(failure) => nothing(Some(format), failure.status, &failure.reason),
    }
}

/// Runs a reader where its panic is an error: other people's readers have panicked on damaged files. What it worked on
/// is not looked at again but through it. (An abort, for want of memory or stack, is for the caller's process to survive.)
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| "its reader failed on it".to_owned())
}

fn read(format: Format, bytes: &[u8], limits: &Limits, text: &mut Text) -> Result<Reading, Failure> {
    let not_text = || Failure { status: Status::Unsupported, reason: "its bytes are no text".to_owned() };
    match format {
        Format::PlainText | Format::Markdown | Format::Csv | Format::Json => {
            // Two bytes make one at least, in UTF-16; of more than that nothing would be kept.
            let (read, cut) = bytes.split_at(bytes.len().min(limits.text_bytes.saturating_mul(2)));
            let decoded = charset::decode(read).ok_or_else(not_text)?;
            text.whole(&decoded.text);
            text.cut(cut.len());
            Ok(Reading { encoding: Some(decoded.encoding), ..Reading::default() })
        }
        Format::Html => {
            let decoded = html::decode(bytes).ok_or_else(not_text)?;
            let metadata = html::read(&decoded.text, text);
            Ok(Reading { metadata, encoding: Some(decoded.encoding), ..Reading::default() })
        }
        Format::Xml => {
            let decoded = xml::decode(bytes).ok_or_else(not_text)?;
            let left_out = xml::read(&decoded.text, text);
            Ok(Reading { encoding: Some(decoded.encoding), left_out, ..Reading::default() })
        }
        Format::Rtf => rtf::read(bytes, text),
        Format::Odt | Format::Ods | Format::Odp => odf::read(bytes, limits, text),
        Format::Epub => epub::read(bytes, limits, text),
        Format::Eml => mail::read(bytes, text),
        Format::Docx => office::read(bytes, DocumentFormat::Docx, limits, text),
        Format::Xlsx => office::read(bytes, DocumentFormat::Xlsx, limits, text),
        Format::Pptx => office::read(bytes, DocumentFormat::Pptx, limits, text),
        Format::Doc => office::read(bytes, DocumentFormat::Doc, limits, text),
        Format::Xls => office::read(bytes, DocumentFormat::Xls, limits, text),
        Format::Ppt => office::read(bytes, DocumentFormat::Ppt, limits, text),
        Format::Pdf => pdf::read(bytes, text),
    }
}
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8], name: &str) -> Extraction {
        extract(bytes, name, &Limits::default())
    }

    #[test]
    fn text_is_read_in_the_encoding_it_is_written_in() {
        assert_eq!(read("Grüße, 世界".as_bytes(), "a.txt").text, "Grüße, 世界");
        let utf16: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain("Tag".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(read(&utf16, "a.txt").text, "Tag");
        let (sjis, ..) = encoding_rs::SHIFT_JIS.encode("これは日本語の文章です。検索できる必要があります。");
        assert_eq!(read(&sjis, "a.txt").encoding, Some("Shift_JIS"));
        let (latin, ..) = encoding_rs::WINDOWS_1252.encode("Straße;Größe;Übung\n");
        assert_eq!(read(&latin, "a.csv").text, "Straße;Größe;Übung\n");
    }

    #[test]
    fn line_ends_become_one_kind() {
        assert_eq!(read(b"a\r\nb\rc\n", "a.md").text, "a\nb\nc\n");
    }

    #[test]
    fn what_is_no_text_is_not_read_whatever_it_is_called() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01";
        assert_eq!(read(png, "a.txt").status, Status::Unsupported);
        assert_eq!(read(b"text", "a.exe").status, Status::Unsupported);
        assert_eq!(read(b"", "a.txt").status, Status::NoText);
        assert_eq!(read(b" \n\t", "a.txt").status, Status::NoText);
    }

    #[test]
    fn limits_hold_and_what_they_cut_is_counted() {
        let small = Limits { input_bytes: 4, text_bytes: 3, ..Limits::default() };
        assert_eq!(extract(b"12345", "a.txt", &small).status, Status::TooLarge);
        let cut = extract("aüü".as_bytes(), "a.txt", &Limits { input_bytes: 9, ..small });
        assert_eq!((cut.text.as_str(), cut.cut_bytes), ("aü", 2));
    }

    /// Found by fuzzing: an address without an address.
    #[test]
    fn a_blank_property_is_none() {
        let message = read(b"From: friends:;\r\nSubject: \t\r\nDate: x\r\n\r\nbody", "a.eml");
        assert_eq!((message.status, &message.metadata), (Status::Text, &Metadata::default()), "{message:?}");
        let page = read(b"<title> one\n title </title>text", "a.html");
        assert_eq!(page.metadata.title.as_deref(), Some("one title"));
    }

    #[test]
    fn every_format_is_found_by_its_extensions() {
        for format in Format::ALL {
            for extension in format.extensions() {
                assert_eq!(Format::of_name(&format!("Report.{}", extension.to_uppercase())), Some(format));
            }
        }
    }

    proptest! {
        #[test]
        fn no_input_panics_and_every_limit_holds(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), text in 0_usize..500) {
            let extraction = extract(&bytes, "a.txt", &Limits { input_bytes: 1_500, text_bytes: text, ..Limits::default() });
            prop_assert!(extraction.text.len() <= text);
        }

        #[test]
        fn utf8_comes_out_as_it_went_in(text in "[^\r\u{0}-\u{8}\u{b}-\u{1f}\u{7f}-\u{9f}\u{feff}]{1,300}") {
            prop_assert_eq!(read(text.as_bytes(), "a.txt").text, text);
        }
    }
}
