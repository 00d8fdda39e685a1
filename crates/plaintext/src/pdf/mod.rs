//! PDF, by the `pdf_oxide` crate: page by page, so that a page it cannot read costs that page alone.
//!
//! The crate can panic on damaged files (a slice not at a character border, tried on 600 of them); a page that does is
//! left out like one that fails.

mod structure;

use memchr::memmem;
use pdf_oxide::PdfDocument;
use pdf_oxide::annotation_types::AnnotationSubtype;
use pdf_oxide::annotations::{Annotation, LinkAction};
use pdf_oxide::extractors::xmp::XmpExtractor;
use pdf_oxide::object::Object;

use crate::text::Text;
use crate::{Failure, Metadata, Reading, guarded};

/// Most pages of a document; the largest books have a few thousand. To find running headers the crate compares each page
/// with each other.
const MAX_PAGES: usize = 5_000;

/// Pages one after another that cannot be read: behind them, nothing is expected any more. The crate looks through all
/// objects for each page that it does not find.
const MAX_UNREAD: usize = 50;

/// Pages that are named when they could not be read; the rest is counted.
const MAX_NAMED: usize = 20;

/// Pieces of text on a page: one that places every letter by itself has some thousands. What the crate does for the order
/// of reading can take the square of them.
const MAX_PIECES: usize = 30_000;
const MANY_PIECES: usize = 5_000;

/// What pages with many pieces may cost together, in pieces of a page that has no more than [`MANY_PIECES`].
const MAX_COST: usize = 500_000;

/// Reads a document.
pub(crate) fn read(bytes: &[u8], text: &mut Text) -> Result<Reading, Failure> {
    structure::check_nesting(bytes)?;
    let document = guarded(|| PdfDocument::from_bytes(bytes.to_vec()))
        .and_then(|opened| opened.map_err(|error| error.to_string()))
        .map_err(|error| Failure::told(&error))?;
    // Many are encrypted with an empty password, which forbids printing and not reading.
    if document.is_encrypted()
        && !guarded(|| document.authenticate(b"")).is_ok_and(|opened| matches!(opened, Ok(true)))
    {
        return Err(Failure::encrypted());
    }
    let pages = guarded(|| structure::pages(&document)).map_err(Failure::broken)??;
    let counted = guarded(|| document.page_count())
        .and_then(|count| count.map_err(|error| error.to_string()))
        .map_err(|error| Failure::told(&error))?;
    if counted > MAX_PAGES {
        return Err(Failure::limit(format!("it has more than {MAX_PAGES} pages")));
    }
    // Without a tree of its own, the crate looks for pages elsewhere.
    let count = if pages.is_empty() { counted } else { counted.min(pages.len()) };
    let mut reading =
        Reading { metadata: guarded(|| properties(&document)).unwrap_or_default(), ..Reading::default() };
    let bookmarks = guarded(|| structure::bookmarks(&document, &pages)).unwrap_or_default();
    let mut unread = Unread::default();
    let mut cost = 0;
    for page in 0..count {
        let content = guarded(|| read_page(&document, page, &mut cost))
            .unwrap_or_else(|panicked| Err(Failure::broken(panicked)));
        let is_read = content.is_ok();
        match content {
            Ok(content) => write_page(&content, bookmarks.get(&page).map_or(&[], Vec::as_slice), text),
            Err(failure) => unread.add(page, failure),
        }
        if unread.in_a_row(is_read) > MAX_UNREAD {
            unread.named.push(format!("all pages behind page {}", page + 1));
            break;
        }
        read_annotations(&document, page, &mut reading.metadata, text);
        if text.is_full() {
            break;
        }
    }
    if unread.count == count
        && let Some(failure) = unread.first
    {
        return Err(failure);
    }
    reading.left_out = unread.named;
    Ok(reading)
}

/// Pages that could not be read.
#[derive(Default)]
struct Unread {
    first: Option<Failure>,
    named: Vec<String>,
    count: usize,
    row: usize,
}

impl Unread {
    fn add(&mut self, page: usize, failure: Failure) {
        self.count += 1;
        if self.count <= MAX_NAMED {
            self.named.push(format!("page {}: {}", page + 1, failure.reason));
        } else {
            self.named.truncate(MAX_NAMED);
            self.named.push(format!("{} more pages", self.count - MAX_NAMED));
        }
        self.first.get_or_insert(failure);
    }

    fn in_a_row(&mut self, is_read: bool) -> usize {
        self.row = if is_read { 0 } else { self.row + 1 };
        self.row
    }
}

fn read_page(document: &PdfDocument, page: usize, cost: &mut usize) -> Result<String, Failure> {
    let told = |error: pdf_oxide::Error| Failure::told(&error.to_string());
    let content = document.get_page_content_data(page).map_err(told)?;
    let pieces = memmem::find_iter(&content, b"Tj").count() + memmem::find_iter(&content, b"TJ").count();
    drop(content);
    if pieces > MANY_PIECES {
        *cost += pieces * pieces / MANY_PIECES;
    }
    if pieces > MAX_PIECES || *cost > MAX_COST {
        return Err(Failure::limit(format!("a page has text in {pieces} pieces, which is too much")));
    }
    document.extract_text(page).map_err(told)
}

fn read_annotations(document: &PdfDocument, page: usize, metadata: &mut Metadata, text: &mut Text) {
    for annotation in guarded(|| document.get_annotations(page).unwrap_or_default()).unwrap_or_default() {
        if let Some(LinkAction::Uri(address)) = &annotation.action {
            metadata.add_link(address);
        }
        write_comment(&annotation, text);
    }
}

/// Writes the lines of a page; a line that is the title of a bookmark to this page is a heading, and lines that the
/// page's width broke are one again.
fn write_page(content: &str, bookmarks: &[(u8, String)], text: &mut Text) {
    let longest = content.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    let mut lines = content.lines().peekable();
    while let Some(line) = lines.next() {
        let squeezed = squeezed(line);
        if let Some((level, _)) =
            bookmarks.iter().find(|(_, title)| !squeezed.is_empty() && *title == squeezed)
        {
            text.headed(*level, line);
            continue;
        }
        text.flow(line);
        match lines.peek().map(|next| seam(line, next, longest)) {
            Some(Seam::Blank) => text.flow(" "),
            Some(Seam::Nothing) => {}
            Some(Seam::Line) | None => text.line(),
        }
    }
    text.paragraph();
}

/// What parts two lines of a page.
#[derive(Debug, PartialEq, Eq)]
enum Seam {
    Line,
    /// They are one sentence.
    Blank,
    /// They are one sentence of a script without blanks.
    Nothing,
}

/// A line goes on in the next if it is about as long as lines of this page get and does not end a sentence. Where the next
/// begins with a capital, it might as well be a list of names: then it has to be longer.
fn seam(line: &str, next: &str, longest: usize) -> Seam {
    let (line, next) = (line.trim(), next.trim());
    let (Some(last), Some(first)) = (line.chars().next_back(), next.chars().next()) else {
        return Seam::Line;
    };
    let tenths = line.chars().count() * 10 / longest.max(1);
    // Kana, Han; Hangul has blanks.
    let is_dense =
        |c: char| matches!(c, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{20000}'..='\u{3FFFF}');
    // Columns are parted by several blanks.
    let has_columns = line.contains("  ") || next.contains("  ");
    if tenths < 7 || ".!?:;|".contains(last) {
        Seam::Line
    } else if is_dense(last) && is_dense(first) {
        Seam::Nothing
    } else if has_columns || !first.is_alphabetic() {
        Seam::Line
    } else if !first.is_uppercase() || (tenths >= 8 && (last.is_alphanumeric() || last == ',')) {
        Seam::Blank
    } else {
        Seam::Line
    }
}

fn squeezed(line: &str) -> String {
    line.chars().filter(|c| !c.is_whitespace()).collect()
}

/// What a reader of the document wrote on it; the text of free text annotations and stamps is part of the page.
fn write_comment(annotation: &Annotation, text: &mut Text) {
    let unread = [
        AnnotationSubtype::Link,
        AnnotationSubtype::FreeText,
        AnnotationSubtype::Stamp,
        AnnotationSubtype::Widget,
        // A pop-up shows what the annotation says that it belongs to.
        AnnotationSubtype::Popup,
    ];
    if let Some(contents) = annotation.contents.as_deref().filter(|contents| !contents.trim().is_empty())
        && !unread.contains(&annotation.subtype_enum)
    {
        if let Some(author) = annotation.author.as_deref().filter(|author| !author.trim().is_empty()) {
            text.flow(&format!("{author}: "));
        }
        text.flow(contents);
        text.line();
    }
}

/// The document information dictionary (ISO 32000-1, 14.3.3).
fn properties(document: &PdfDocument) -> Metadata {
    let info = document.trailer().as_dict().and_then(|trailer| trailer.get("Info"));
    let info = info.and_then(|info| document.resolve_object(info).ok());
    let value = |key: &str| {
        let value = document.resolve_object(info.as_ref()?.as_dict()?.get(key)?).ok()?;
        let Object::String(bytes) = value else { return None };
        Some(text_string(&bytes)).filter(|value| !value.trim().is_empty())
    };
    // PDF 2.0 keeps them in XMP alone, older versions in both.
    let xmp = XmpExtractor::extract(document).ok().flatten().unwrap_or_default();
    Metadata {
        title: value("Title").or(xmp.dc_title),
        author: value("Author").or(xmp.dc_creator.into_iter().next()),
        created: value("CreationDate").and_then(|date| iso_date(&date)).or(xmp.xmp_create_date),
        modified: value("ModDate").and_then(|date| iso_date(&date)).or(xmp.xmp_modify_date),
        links: Vec::new(),
    }
}

/// UTF-16 or UTF-8 with a byte order mark, else one byte a character (ISO 32000-2, 7.9.2.2).
fn text_string(bytes: &[u8]) -> String {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, mark)) => encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned(),
        None => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// `D:20260311090000+01'00'` as `2026-03-11T09:00:00+01:00`, as far as it is written.
fn iso_date(date: &str) -> Option<String> {
    let date = date.strip_prefix("D:").unwrap_or(date);
    let digits = date.bytes().take_while(u8::is_ascii_digit).count();
    let (stamp, zone) = date.split_at(digits);
    if digits < 8 {
        return None;
    }
    let day = format!("{}-{}-{}", &stamp[..4], &stamp[4..6], &stamp[6..8]);
    if digits < 14 {
        return Some(day);
    }
    let zone: String = zone.chars().filter(|c| *c != '\'').collect();
    let zone = match zone.len() {
        5 if zone.is_ascii() => format!("{}:{}", &zone[..3], &zone[3..]),
        _ if zone.starts_with('Z') => "Z".to_owned(),
        _ => String::new(),
    };
    Some(format!("{day}T{}:{}:{}{zone}", &stamp[8..10], &stamp[10..12], &stamp[12..14]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_the_page_broke_are_one_again() {
        let mut text = Text::new(1_000);
        let page = "A heading\nThe first line goes on for long and\ndoes not end here. But\nhere it does.\n日本語の文章を検索する日本語の文章を検索する日本語\nの文章";
        write_page(page, &[(1, "Aheading".to_owned())], &mut text);
        let (text, headings, _) = text.finish();
        assert_eq!(
            text,
            "A heading\n\nThe first line goes on for long and does not end here. But\nhere it does.\n\
             日本語の文章を検索する日本語の文章を検索する日本語の文章"
        );
        assert_eq!(headings.len(), 1);
        assert_eq!(seam("Amount  12", "amount", 10), Seam::Line);
        assert_eq!(seam("it is called", "Zürich", 13), Seam::Blank);
        assert_eq!(seam("it is called", "Zürich", 16), Seam::Line);
        assert_eq!(seam("it is called", "• Zürich", 12), Seam::Line);
        assert_eq!(seam("مرحبا", "بالعالم", 7), Seam::Blank);
    }

    #[test]
    fn dates_and_text_strings_are_read_as_they_are_written() {
        assert_eq!(iso_date("D:20260311090000+01'00'").as_deref(), Some("2026-03-11T09:00:00+01:00"));
        assert_eq!(iso_date("D:20260311090000Z").as_deref(), Some("2026-03-11T09:00:00Z"));
        assert_eq!(iso_date("20260311").as_deref(), Some("2026-03-11"));
        assert_eq!(iso_date("yesterday"), None);
        assert_eq!(text_string(b"\xFE\xFF\x00T\x00\xFC"), "Tü");
        assert_eq!(text_string(b"T\xFC"), "Tü");
    }
}
