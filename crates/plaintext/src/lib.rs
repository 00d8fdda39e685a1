//! Hostile bytes in, bounded text out.
//!
//! Architecture invariant: no network, no file system, no async, no knowledge of Notion. A caller hands over bytes and
//! limits and gets an [`Extraction`]; no input is an error, and none may panic.
//!
//! This version reads what is text already: plain text, Markdown, CSV, JSON, in any common encoding. To add a format: a
//! variant of [`Format`] with its extensions, a file with its reader, an arm in [`extract`], a sample in the tests.

mod charset;

/// A format that this crate reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Text without markup.
    PlainText,
    /// Markdown; its marks stay in the text.
    Markdown,
    /// Comma-separated values; a line is a row.
    Csv,
    /// JSON, as it is written.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::PlainText, Self::Markdown, Self::Csv, Self::Json];

    /// File name extensions, in lower case.
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::PlainText => &["txt", "text", "log"],
            Self::Markdown => &["md", "markdown"],
            Self::Csv => &["csv", "tsv"],
            Self::Json => &["json"],
        }
    }

    /// The format that a file name promises.
    pub fn of_name(name: &str) -> Option<Self> {
        let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
        Self::ALL.into_iter().find(|format| format.extensions().contains(&extension.as_str()))
    }
}

/// Bounds of one extraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest input, in bytes.
    pub input_bytes: usize,
    /// Longest text, in bytes; what is beyond is cut and counted.
    pub text_bytes: usize,
}

impl Default for Limits {
    /// 25 MB of input, the product's limit for a file; 64 MiB of text, which such an input decodes to at most.
    fn default() -> Self {
        Self { input_bytes: 25_000_000, text_bytes: 64 << 20 }
    }
}

/// What became of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There is text.
    Text,
    /// It was read and holds no text.
    NoText,
    /// No format that this crate reads.
    Unsupported,
    /// Above [`Limits::input_bytes`].
    TooLarge,
}

/// What was found in the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extraction {
    /// The format, when it is one of [`Format::ALL`].
    pub format: Option<Format>,
    /// What became of the bytes.
    pub status: Status,
    /// The text, with `\n` line ends.
    pub text: String,
    /// Name of the encoding, as the WHATWG Encoding Standard names it.
    pub encoding: Option<&'static str>,
    /// Bytes of text that [`Limits::text_bytes`] cut off.
    pub cut_bytes: usize,
}

/// Reads the bytes of a file called `name`.
///
/// Content decides before the name: bytes that are no text are not read, whatever they are called.
pub fn extract(bytes: &[u8], name: &str, limits: &Limits) -> Extraction {
    let nothing =
        |status| Extraction { format: None, status, text: String::new(), encoding: None, cut_bytes: 0 };
    if bytes.len() > limits.input_bytes {
        return nothing(Status::TooLarge);
    }
    let Some(format) = Format::of_name(name) else { return nothing(Status::Unsupported) };
    let Some(decoded) = charset::decode(bytes) else { return nothing(Status::Unsupported) };
    let (text, cut_bytes) = bound(decoded.text.replace("\r\n", "\n").replace('\r', "\n"), limits.text_bytes);
    let status = if text.chars().any(|c| !c.is_whitespace()) { Status::Text } else { Status::NoText };
    Extraction { format: Some(format), status, text, encoding: Some(decoded.encoding), cut_bytes }
}

/// Cuts at a character border.
fn bound(mut text: String, at_most: usize) -> (String, usize) {
    let before = text.len();
    if before > at_most {
        text.truncate(text.floor_char_boundary(at_most));
    }
    let cut = before - text.len();
    (text, cut)
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
        let small = Limits { input_bytes: 4, text_bytes: 3 };
        assert_eq!(extract(b"12345", "a.txt", &small).status, Status::TooLarge);
        let cut = extract("aüü".as_bytes(), "a.txt", &Limits { input_bytes: 9, ..small });
        assert_eq!((cut.text.as_str(), cut.cut_bytes), ("aü", 2));
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
            let extraction = extract(&bytes, "a.txt", &Limits { input_bytes: 1_500, text_bytes: text });
            prop_assert!(extraction.text.len() <= text);
        }

        #[test]
        fn utf8_comes_out_as_it_went_in(text in "[^\r\u{0}-\u{8}\u{e}-\u{1f}\u{7f}\u{feff}]{1,300}") {
            prop_assert_eq!(read(text.as_bytes(), "a.txt").text, text);
        }
    }
}
