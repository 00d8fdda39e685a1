//! Microsoft Office documents, packages (since 2007) and compound files (before), by the `office_oxide` crate, which makes
//! one tree of them all. Its bounds are set from ours; what it could not read is left out by name.

use std::io::Cursor;

use office_oxide::ir::{Element, InlineContent, List, Section, Table};
use office_oxide::limits::Limits as OfficeLimits;
use office_oxide::options::ParseOptions;
use office_oxide::{Document, DocumentFormat};

use crate::format::COMPOUND_FILE;
use crate::text::Text;
use crate::{Failure, Limits, Metadata, Reading, sheets};

/// Elements within elements that are read; deeper ones are tables in tables that nobody wrote.
const MAX_DEPTH: usize = 100;

/// Damages that are told; the rest is counted.
const MAX_DAMAGES: usize = 20;

/// Most bytes that a part unpacks to. Of paragraphs the crate makes a tree that takes up to fourteen times their bytes, of
/// cells one that takes four times; a process has half a gigabyte.
const MAX_PART_BYTES: u64 = 20 << 20;
const MAX_SHEET_BYTES: u64 = 96 << 20;

/// Memory that the crate multiplies from a small file: pictures, the empty cells of sparse sheets.
const MEMORY_BYTES: u64 = 128 << 20;

/// The heading that the crate makes up for what stands on every slide.
const EVERY_SLIDE: &str = "Slide Master";

/// Reads a document.
pub(crate) fn read(
    bytes: &[u8],
    format: DocumentFormat,
    limits: &Limits,
    text: &mut Text,
) -> Result<Reading, Failure> {
    // A compound file for a package: it is encrypted. Only of workbooks is it known that a password that everybody knows may
    // open them, and to try it takes a hundred thousand rounds of hashing.
    let is_text_or_slides = matches!(format, DocumentFormat::Docx | DocumentFormat::Pptx);
    if is_text_or_slides && bytes.starts_with(&COMPOUND_FILE) {
        return Err(Failure::encrypted());
    }
    let mut options = ParseOptions::default();
    options.limits = OfficeLimits::strict();
    options.limits.package_bytes = limits.unpacked_bytes;
    let (part_bytes, inflate_ratio) = match format {
        DocumentFormat::Xlsx => (MAX_SHEET_BYTES, 500),
        _ => (MAX_PART_BYTES, 200),
    };
    options.limits.part_bytes = part_bytes.min(limits.unpacked_bytes);
    options.limits.inflate_ratio = inflate_ratio;
    options.limits.text_chars = limits.text_bytes;
    options.limits.memory_bytes = MEMORY_BYTES;
    let document = Document::from_reader_with(Cursor::new(bytes.to_vec()), format, &options)
        .map_err(|error| Failure::told(&error.to_string()))?;
    let mut reading = Reading { metadata: properties(&document), ..Reading::default() };
    if let Some(book) = document.as_xlsx() {
        sheets::read_package(book, text, &mut reading);
    } else if let Some(book) = document.as_xls() {
        sheets::read_compound_file(book, &sheets::margins(bytes), text, &mut reading);
    } else {
        let tree = document.to_ir();
        let has_slides = matches!(tree.metadata.format, DocumentFormat::Pptx | DocumentFormat::Ppt);
        let mut writer = Writer { text, reading: &mut reading, has_slides, depth: 0, lift: 0 };
        for (number, section) in tree.sections.iter().enumerate() {
            writer.section(number, section);
        }
        // Warnings of a document that lost nothing are of its form.
        if tree.metadata.text_truncated {
            reading.left_out.extend(tree.metadata.warnings);
        }
    }
    reading.left_out.dedup();
    if reading.left_out.len() > MAX_DAMAGES {
        let more = reading.left_out.split_off(MAX_DAMAGES).len();
        reading.left_out.push(format!("{more} more parts"));
    }
    Ok(reading)
}

/// Properties as they are written; the crate's tree would take the first heading or sheet for a title.
fn properties(document: &Document) -> Metadata {
    let package = match document.format() {
        DocumentFormat::Docx => document.as_docx().and_then(|docx| docx.core_properties.as_ref()),
        DocumentFormat::Xlsx => document.as_xlsx().and_then(|xlsx| xlsx.core_properties.as_ref()),
        _ => document.as_pptx().and_then(|pptx| pptx.core_properties.as_ref()),
    };
    let compound_file = match document.format() {
        DocumentFormat::Doc => document.as_doc().and_then(|doc| doc.summary_properties()),
        DocumentFormat::Xls => document.as_xls().and_then(|xls| xls.summary_properties()),
        _ => document.as_ppt().and_then(|ppt| ppt.summary_properties()),
    };
    let [title, author, created, modified] = match (package, compound_file) {
        (Some(core), _) => [&core.title, &core.creator, &core.created, &core.modified].map(Option::clone),
        (None, Some(summary)) => {
            [&summary.title, &summary.author, &summary.created, &summary.modified].map(Option::clone)
        }
        (None, None) => Default::default(),
    };
    Metadata { title, author, created, modified, links: Vec::new() }
}

/// How notices begin that name what the crate lists, too.
const UNREADABLE_SHEET: &str = "[unreadable sheet ";
const UNREADABLE_PART: &str = "[skipped unreadable part ";

/// Whether a notice tells nothing that is not told elsewhere.
pub(crate) fn is_listed(notice: &str) -> bool {
    notice.starts_with(UNREADABLE_SHEET) || notice.starts_with(UNREADABLE_PART)
}

/// Whether a paragraph is the crate's own word on what it left out.
pub(crate) fn is_notice(paragraph: &str) -> bool {
    paragraph.starts_with('[')
        && paragraph.ends_with(']')
        && (paragraph.contains("office_oxide::")
            || [UNREADABLE_SHEET, UNREADABLE_PART, "[some pictures not shown", "[pivot cache truncated"]
                .iter()
                .any(|notice| paragraph.starts_with(notice)))
}

struct Writer<'a> {
    text: &'a mut Text,
    reading: &'a mut Reading,
    has_slides: bool,
    depth: usize,
    /// Levels by which headings of this section are raised: titles of slides come as second ones.
    lift: u8,
}

impl Writer<'_> {
    fn section(&mut self, number: usize, section: &Section) {
        // Slides repeat their title as their first element; that of a text is its first heading.
        let first_level = match section.elements.first() {
            Some(Element::Heading(heading)) => Some(heading.clamped_level()),
            _ => None,
        };
        if self.has_slides {
            self.lift = first_level.map_or(0, |level| level - 1);
            if let (Some(title), None) = (&section.title, first_level)
                && title != EVERY_SLIDE
                // Made up, too.
                && *title != format!("Slide {}", number + 1)
            {
                self.text.headed(1, title);
            }
        }
        let margins = [
            &section.header,
            &section.first_page_header,
            &section.even_page_header,
            &section.footer,
            &section.first_page_footer,
            &section.even_page_footer,
        ];
        for margin in margins.into_iter().flatten() {
            self.elements(&margin.content);
            self.text.paragraph();
        }
        self.elements(&section.elements);
        if let Some(notes) = &section.speaker_notes {
            self.text.paragraph();
            self.elements(notes);
        }
        self.text.paragraph();
    }

    fn elements(&mut self, elements: &[Element]) {
        if self.depth > MAX_DEPTH {
            return;
        }
        self.depth += 1;
        for element in elements {
            self.element(element);
        }
        self.depth -= 1;
    }

    fn element(&mut self, element: &Element) {
        match element {
            Element::Heading(heading) => {
                self.text.heading(heading.clamped_level().saturating_sub(self.lift).max(1));
                self.inline(&heading.content);
                self.text.paragraph();
            }
            Element::Paragraph(paragraph) => {
                if let [InlineContent::Text(span)] = paragraph.content.as_slice()
                    && is_notice(&span.text)
                {
                    // Its warnings say the same.
                    return;
                }
                // Word's title of the document, which is no heading of the outline.
                let is_title = paragraph.style.as_deref() == Some("Title");
                if is_title {
                    self.text.heading(1);
                } else {
                    self.text.begin_line();
                }
                self.inline(&paragraph.content);
                if is_title {
                    self.text.paragraph();
                } else {
                    self.text.line();
                }
            }
            Element::Table(table) => self.table(table),
            Element::List(list) => self.list(list),
            Element::Image(image) => {
                if let Some(alternative) = &image.alt_text {
                    self.text.begin_line();
                    self.text.flow(alternative);
                    self.text.line();
                }
                self.link(image.hyperlink.as_deref());
            }
            Element::TextBox(text_box) => self.aside(&text_box.content),
            Element::Footnote(note) | Element::Endnote(note) => {
                // Of the notes, comments have authors.
                self.text.begin_line();
                if let Some(author) = &note.author {
                    self.text.flow(&format!("{author}:"));
                }
                self.aside(&note.content);
            }
            Element::CodeBlock(code) => {
                self.text.begin_line();
                self.text.verbatim(&code.content);
                self.text.line();
            }
            // Breaks and shapes without text.
            _ => {}
        }
    }

    /// Beside the text that it stands in.
    fn aside(&mut self, elements: &[Element]) {
        self.text.begin_line();
        self.elements(elements);
        self.text.line();
    }

    fn table(&mut self, table: &Table) {
        self.text.paragraph();
        for row in &table.rows {
            for cell in &row.cells {
                self.text.begin_cell();
                self.elements(&cell.content);
                self.text.end_cell();
            }
            self.text.line();
            if self.text.is_full() {
                return;
            }
        }
        self.text.paragraph();
    }

    fn list(&mut self, list: &List) {
        if self.depth > MAX_DEPTH {
            return;
        }
        self.depth += 1;
        for item in &list.items {
            self.text.begin_line();
            self.elements(&item.content);
            self.text.line();
            if let Some(nested) = &item.nested {
                self.list(nested);
            }
        }
        self.depth -= 1;
    }

    fn inline(&mut self, content: &[InlineContent]) {
        for run in content {
            match run {
                InlineContent::Text(span) => {
                    self.text.flow(&span.text);
                    self.link(span.hyperlink.as_deref());
                }
                InlineContent::LineBreak => self.text.line(),
                // Where notes and comments are anchored.
                _ => {}
            }
        }
    }

    fn link(&mut self, address: Option<&str>) {
        if let Some(address) = address {
            self.reading.metadata.add_link(address);
        }
    }
}
