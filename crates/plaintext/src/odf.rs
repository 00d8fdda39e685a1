//! OpenDocument text, spreadsheets and presentations (OASIS OpenDocument 1.3): one vocabulary for all.

use quick_xml::events::{BytesStart, Event};

use crate::package::Package;
use crate::text::Text;
use crate::{Failure, Limits, Metadata, Reading, xml};

/// Reads a document: headers and footers, then the body, with notes and comments where they stand.
pub(crate) fn read(bytes: &[u8], limits: &Limits, text: &mut Text) -> Result<Reading, Failure> {
    let mut package = Package::open(bytes, limits)?;
    if let Some(manifest) = package.part("META-INF/manifest.xml")?
        && String::from_utf8_lossy(&manifest).contains("encryption-data")
    {
        return Err(Failure::encrypted());
    }
    let mut reading = Reading::default();
    if let Some(meta) = package.part("meta.xml")? {
        read_properties(&String::from_utf8_lossy(&meta), &mut reading.metadata);
    }
    if let Some(styles) = package.part("styles.xml")? {
        Body::new(text, &mut reading, true).read(&String::from_utf8_lossy(&styles));
    }
    let content = package.required("content.xml")?;
    text.paragraph();
    Body::new(text, &mut reading, false).read(&String::from_utf8_lossy(&content));
    Ok(reading)
}

/// `meta.xml`: its elements hold text alone.
fn read_properties(meta: &str, metadata: &mut Metadata) {
    let mut reader = xml::reader(meta);
    let mut value = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) => value.clear(),
            Ok(Event::Text(run)) => value.push_str(&run),
            Ok(Event::GeneralRef(reference)) => value.push_str(&xml::resolve(&reference)),
            Ok(Event::End(tag)) => {
                let slot = match tag.local_name().as_ref() {
                    "title" => &mut metadata.title,
                    "initial-creator" => &mut metadata.author,
                    "creation-date" => &mut metadata.created,
                    "date" => &mut metadata.modified,
                    _ => continue,
                };
                *slot = Some(value.clone());
            }
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// The description of a picture; `text:title` is something else, a field.
fn is_description(name: &str) -> bool {
    matches!(name, "svg:title" | "svg:desc")
}

/// A part of the document that holds paragraphs.
struct Body<'a> {
    text: &'a mut Text,
    reading: &'a mut Reading,
    /// In `styles.xml` only headers and footers are text.
    margins_only: bool,
    /// Elements around us that hold paragraphs to be read.
    margins: usize,
    /// Elements around us whose text is not part of the document.
    unread: usize,
    paragraphs: usize,
    /// Sheets are headed by their names; tables of a text are not.
    headed_tables: bool,
}

impl<'a> Body<'a> {
    fn new(text: &'a mut Text, reading: &'a mut Reading, margins_only: bool) -> Self {
        Self { text, reading, margins_only, margins: 0, unread: 0, paragraphs: 0, headed_tables: false }
    }

    fn read(mut self, part: &str) {
        let mut reader = xml::reader(part);
        while !self.text.is_full() {
            match reader.read_event() {
                Ok(Event::Start(tag)) => self.start(&tag),
                Ok(Event::Empty(tag)) => self.empty(&tag),
                Ok(Event::End(tag)) if is_description(tag.name().as_ref()) => self.end("p"),
                Ok(Event::End(tag)) => self.end(tag.local_name().as_ref()),
                Ok(Event::Text(run)) => self.run(&run),
                Ok(Event::CData(run)) => self.run(&run),
                Ok(Event::GeneralRef(reference)) => self.run(&xml::resolve(&reference)),
                Ok(Event::Eof) => return,
                Ok(_) => {}
                Err(error) => {
                    let at = reader.error_position();
                    self.reading.left_out.push(format!("what follows byte {at} of a part: {error}"));
                    return;
                }
            }
        }
    }

    fn is_read(&self) -> bool {
        self.unread == 0 && (!self.margins_only || self.margins > 0)
    }

    fn run(&mut self, run: &str) {
        if self.paragraphs > 0 && self.is_read() {
            self.text.flow(run);
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "header" | "footer" | "header-first" | "footer-first" | "header-left" | "footer-left" => {
                self.margins += 1;
            }
            // What was deleted while changes were tracked; scripts.
            "tracked-changes" | "scripts" => self.unread += 1,
            // Those of slides are declared before them, without paragraphs.
            "p" | "header-decl" | "footer-decl" => self.begin_paragraph(),
            "table-cell" if self.is_read() => self.text.begin_cell(),
            "h" => {
                if self.is_read() {
                    let level = xml::attribute(tag.attributes(), "outline-level");
                    self.text.heading(level.and_then(|level| level.parse().ok()).unwrap_or(1));
                }
                self.paragraphs += 1;
            }
            "spreadsheet" => self.headed_tables = true,
            "table" if self.headed_tables => self.begin_named(tag),
            "table" => self.text.paragraph(),
            "page" => self.begin_named(tag),
            "a" => {
                if let Some(address) = xml::attribute(tag.attributes(), "href") {
                    self.reading.metadata.add_link(&address);
                }
            }
            "title" | "desc" if is_description(tag.name().as_ref()) => self.begin_paragraph(),
            _ => {}
        }
    }

    fn begin_paragraph(&mut self) {
        if self.is_read() {
            self.text.begin_line();
        }
        self.paragraphs += 1;
    }

    fn begin_named(&mut self, tag: &BytesStart<'_>) {
        if let Some(name) = xml::attribute(tag.attributes(), "name")
            && self.is_read()
        {
            self.text.headed(1, &name);
        }
    }

    fn empty(&mut self, tag: &BytesStart<'_>) {
        if !self.is_read() {
            return;
        }
        match tag.local_name().as_ref() {
            "s" => self.text.flow(" "),
            "tab" | "table-cell" => self.text.cell(),
            "line-break" => self.text.line(),
            "p" | "h" => self.text.paragraph(),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "header" | "footer" | "header-first" | "footer-first" | "header-left" | "footer-left" => {
                self.margins = self.margins.saturating_sub(1);
            }
            "tracked-changes" | "scripts" => self.unread = self.unread.saturating_sub(1),
            "p" | "h" | "header-decl" | "footer-decl" => {
                self.paragraphs = self.paragraphs.saturating_sub(1);
                if self.is_read() {
                    if name == "h" { self.text.paragraph() } else { self.text.line() }
                }
            }
            "table-cell" if self.is_read() => self.text.end_cell(),
            "table-row" if self.is_read() => self.text.line(),
            "table" | "page" if self.is_read() => self.text.paragraph(),
            _ => {}
        }
    }
}
