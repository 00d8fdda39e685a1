//! Which format bytes are in: what they begin with decides, then what their text looks like, then the name.

use std::io::Cursor;

use memchr::memmem;
use office_oxide::cfb::CfbReader;

use crate::charset;

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
    /// A message with its attachments' names, and with messages that are attached.
    Eml,
    /// Word since 2007: documents, templates, with macros or without.
    Docx,
    /// Excel since 2007.
    Xlsx,
    /// PowerPoint since 2007.
    Pptx,
    /// Word before.
    Doc,
    /// Excel before.
    Xls,
    /// PowerPoint before.
    Ppt,
    /// Portable Document Format.
    Pdf,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 19] = [
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
        Self::Docx,
        Self::Xlsx,
        Self::Pptx,
        Self::Doc,
        Self::Xls,
        Self::Ppt,
        Self::Pdf,
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
            Self::Docx => &["docx", "docm", "dotx", "dotm"],
            Self::Xlsx => &["xlsx", "xlsm", "xltx", "xltm"],
            Self::Pptx => &["pptx", "pptm", "potx", "potm", "ppsx", "ppsm"],
            Self::Doc => &["doc", "dot"],
            Self::Xls => &["xls", "xlt"],
            Self::Ppt => &["ppt", "pot", "pps"],
            Self::Pdf => &["pdf"],
        }
    }
}

/// What compound files begin with (MS-CFB 2.2).
pub(crate) const COMPOUND_FILE: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

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
            return Self::of_package(bytes).or(Self::of_name(name).filter(|named| !named.is_text()));
        }
        if bytes.starts_with(&COMPOUND_FILE) {
            return Self::of_compound_file(bytes, name);
        }
        if bytes.starts_with(b"{\\rtf") {
            return Some(Self::Rtf);
        }
        // Readers accept what stands before the header (ISO 32000-1, annex H.3, note 13).
        if memmem::find(&bytes[..bytes.len().min(1_024)], b"%PDF-").is_some() {
            return Some(Self::Pdf);
        }
        let head = bytes[..bytes.len().min(PROBE_BYTES)].to_ascii_lowercase();
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head).trim_ascii_start();
        let begins = |marks: &[&[u8]]| marks.iter().any(|mark| head.starts_with(mark));
        let by_content = if begins(&[b"<!doctype html", b"<html"]) {
            Some(Self::Html)
        } else {
            begins(&[b"<?xml"]).then_some(Self::Xml)
        };
        match Self::of_name(name) {
            Some(named @ Self::PlainText) => by_content.or(Some(named)),
            // XHTML begins as XML does; Markdown and messages may begin as anything.
            Some(named) if named.is_text() => Some(named),
            // Programs that export tables call text a spreadsheet. What is no text either is called broken by its reader.
            Some(named) => by_content.or_else(|| {
                let is_text = named != Self::Pdf && charset::is_text(bytes);
                Some(if is_text { Self::PlainText } else { named })
            }),
            None => by_content,
        }
    }

    /// Whether its bytes are text.
    const fn is_text(self) -> bool {
        matches!(
            self,
            Self::PlainText | Self::Markdown | Self::Csv | Self::Json | Self::Html | Self::Xml | Self::Eml
        )
    }

    /// OpenDocument and EPUB write their media type first, unpacked (OpenDocument 1.3 part 2, 3.3; EPUB OCF 3.3, 4.3);
    /// Office packages are told by the folder of their main part.
    fn of_package(bytes: &[u8]) -> Option<Self> {
        let head = &bytes[..bytes.len().min(PROBE_BYTES)];
        let by_media_type = [
            (&b"mimetypeapplication/vnd.oasis.opendocument.text"[..], Self::Odt),
            (b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", Self::Ods),
            (b"mimetypeapplication/vnd.oasis.opendocument.presentation", Self::Odp),
            (b"mimetypeapplication/epub+zip", Self::Epub),
        ]
        .into_iter()
        .find_map(|(mark, format)| memmem::find(head, mark).map(|_| format));
        by_media_type.or_else(|| {
            part_names(bytes).find_map(|part| {
                [(&b"word/"[..], Self::Docx), (b"xl/", Self::Xlsx), (b"ppt/", Self::Pptx)]
                    .into_iter()
                    .find_map(|(folder, format)| part.starts_with(folder).then_some(format))
            })
        })
    }

    /// Compound files are told by the stream of their document. One within the document does not count, unless the
    /// directory is damaged: then its names are searched, which are in UTF-16.
    fn of_compound_file(bytes: &[u8], name: &str) -> Option<Self> {
        let directory = CfbReader::new(Cursor::new(bytes)).ok();
        let holds = |stream: &str| match &directory {
            Some(directory) => directory.has_root_entry(stream),
            None => {
                let name: Vec<u8> = stream.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
                memmem::find(bytes, &name).is_some()
            }
        };
        // A package is encrypted as a whole (MS-OFFCRYPTO 2.3.1), and then only the name says which.
        if holds("EncryptedPackage") {
            let packages = [Self::Docx, Self::Xlsx, Self::Pptx];
            return Self::of_name(name).filter(|named| packages.contains(named)).or(Some(Self::Docx));
        }
        // Book: Excel 5 and 95.
        [
            ("WordDocument", Self::Doc),
            ("Workbook", Self::Xls),
            ("PowerPoint Document", Self::Ppt),
            ("Book", Self::Xls),
        ]
        .into_iter()
        .find_map(|(stream, format)| holds(stream).then_some(format))
    }
}

/// What the local headers of a package call its parts (APPNOTE 4.3.7: 30 bytes, then the name). A package within the
/// package comes behind the folder that it is in.
fn part_names(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    memmem::find_iter(bytes, b"PK\x03\x04").filter_map(|at| bytes.get(at + 30..))
}
