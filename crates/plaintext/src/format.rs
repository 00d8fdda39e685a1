//! Which format bytes are in: what they begin with decides, then what their text looks like, then the name.

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
    /// Rich Text Format.
    Rtf,
    /// HTML of any version.
    Html,
    /// XML of any vocabulary: its text and the values of its attributes.
    Xml,
    /// OpenDocument text.
    Odt,
    /// OpenDocument spreadsheet.
    Ods,
    /// OpenDocument presentation.
    Odp,
    /// EPUB 2 and 3.
    Epub,
    /// A message with its attachments' names.
    Eml,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 12] = [
        Self::PlainText,
        Self::Markdown,
        Self::Csv,
        Self::Json,
        Self::Rtf,
        Self::Html,
        Self::Xml,
        Self::Odt,
        Self::Ods,
        Self::Odp,
        Self::Epub,
        Self::Eml,
    ];

    /// File name extensions, in lower case.
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::PlainText => &["txt", "text", "log"],
            Self::Markdown => &["md", "markdown"],
            Self::Csv => &["csv", "tsv"],
            Self::Json => &["json"],
            Self::Rtf => &["rtf"],
            Self::Html => &["html", "htm", "xhtml"],
            Self::Xml => &["xml"],
            Self::Odt => &["odt", "ott"],
            Self::Ods => &["ods", "ots"],
            Self::Odp => &["odp", "otp"],
            Self::Epub => &["epub"],
            Self::Eml => &["eml"],
        }
    }
}

/// Bytes of a text that are looked at to tell its kind.
const PROBE_BYTES: usize = 4_096;

impl Format {
    /// The format that a file name promises.
    pub fn of_name(name: &str) -> Option<Self> {
        let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
        Self::ALL.into_iter().find(|format| format.extensions().contains(&extension.as_str()))
    }

    /// The format of `bytes` in a file called `name`.
    pub fn detect(bytes: &[u8], name: &str) -> Option<Self> {
        if bytes.starts_with(b"PK\x03\x04") {
            return Self::of_package(bytes);
        }
        if bytes.starts_with(b"{\\rtf") {
            return Some(Self::Rtf);
        }
        let named = Self::of_name(name);
        let head = bytes[..bytes.len().min(PROBE_BYTES)].to_ascii_lowercase();
        let head = head.trim_ascii_start();
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
        let begins = |marks: &[&[u8]]| marks.iter().any(|mark| head.starts_with(mark));
        match named {
            // A package or RTF by name only: what else it is, its first bytes say.
            Some(Self::Odt | Self::Ods | Self::Odp | Self::Epub | Self::Rtf) | None => {
                let html = begins(&[b"<!doctype html", b"<html"]);
                let xml = begins(&[b"<?xml"]);
                if html { Some(Self::Html) } else { xml.then_some(Self::Xml) }
            }
            // XHTML begins as XML does.
            Some(Self::PlainText) if begins(&[b"<!doctype html", b"<html"]) => Some(Self::Html),
            Some(Self::PlainText) if begins(&[b"<?xml"]) => Some(Self::Xml),
            Some(named) => Some(named),
        }
    }

    /// OpenDocument and EPUB write their media type first, unpacked (OpenDocument 1.3 part 2, 3.3; EPUB OCF 3.3, 4.3).
    fn of_package(bytes: &[u8]) -> Option<Self> {
        let head = &bytes[..bytes.len().min(PROBE_BYTES)];
        let is = |media_type: &[u8]| head.windows(media_type.len()).any(|window| window == media_type);
        [
            (&b"mimetypeapplication/vnd.oasis.opendocument.text"[..], Self::Odt),
            (b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", Self::Ods),
            (b"mimetypeapplication/vnd.oasis.opendocument.presentation", Self::Odp),
            (b"mimetypeapplication/epub+zip", Self::Epub),
        ]
        .into_iter()
        .find_map(|(media_type, format)| is(media_type).then_some(format))
    }
}
