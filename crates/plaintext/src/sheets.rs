//! Spreadsheets of Microsoft Excel. A tree of all cells would take a hundred times the bytes of their text, so cells are
//! read one by one: those of packages from the stream of text that `office_oxide` writes, those of compound files from
//! its grid.

use std::io::{Error, Write};

use office_oxide::xls::XlsDocument;
use office_oxide::xlsx::XlsxDocument;
use office_oxide::xlsx::worksheet::HyperlinkTarget;

use crate::Reading;
use crate::office::{is_listed, is_notice};
use crate::text::Text;

/// Reads a workbook since 2007.
pub(crate) fn read_package(book: &XlsxDocument, text: &mut Text, reading: &mut Reading) {
    let mut rows = Rows {
        names: book.worksheets.iter().map(|sheet| sheet.name.as_str()).collect(),
        sheets: 0,
        line: Vec::new(),
        may_begin: true,
        text,
        left_out: &mut reading.left_out,
    };
    // The only error is ours: the text is full.
    let _ = book.write_plain_text(&mut rows);
    rows.end_line();
    for sheet in &book.worksheets {
        for link in &sheet.hyperlinks {
            if let HyperlinkTarget::External(address) = &link.target {
                reading.metadata.add_link(address);
            }
        }
        if let Some(damage) = &sheet.damage {
            reading.left_out.push(format!("a part of sheet {}: {damage}", sheet.name));
        }
    }
    for (part, why) in book.unreadable_sheets.iter().chain(&book.unreadable_parts) {
        reading.left_out.push(format!("{part}: {why}"));
    }
}

/// Writes rows as they come; a line that is the name of the next sheet and begins a part of the text is its heading.
struct Rows<'a> {
    names: Vec<&'a str>,
    /// Sheets that have begun.
    sheets: usize,
    line: Vec<u8>,
    /// Parts of the text follow a blank line.
    may_begin: bool,
    text: &'a mut Text,
    left_out: &'a mut Vec<String>,
}

impl Rows<'_> {
    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&bytes);
        let begins = self.may_begin && self.names.get(self.sheets).is_some_and(|name| *name == line);
        self.may_begin = line.is_empty();
        if begins {
            self.sheets += 1;
            self.text.headed(1, &line);
        } else if is_notice(&line) {
            if !is_listed(&line) {
                self.left_out.push(line.into_owned());
            }
        } else {
            // A row has a tab for each column that it skips.
            for cell in line.split('\t').filter(|cell| !cell.is_empty()) {
                self.text.flow(cell);
                self.text.cell();
            }
            self.text.line();
        }
        self.line = bytes;
        self.line.clear();
    }
}

impl Write for Rows<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        if self.text.is_full() {
            return Err(Error::other("the text is full"));
        }
        for (number, part) in bytes.split(|&byte| byte == b'\n').enumerate() {
            if number > 0 {
                self.end_line();
            }
            self.line.extend_from_slice(part);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Reads a workbook before 2007.
pub(crate) fn read_compound_file(book: &XlsDocument, text: &mut Text, reading: &mut Reading) {
    for sheet in &book.sheets {
        text.headed(1, &sheet.name);
        for chart in &sheet.chart_text {
            text.flow(chart);
            text.line();
        }
        for (row, cells) in sheet.rows.iter().enumerate() {
            for column in 0..cells.len() {
                text.flow(&sheet.display_text(row, column).unwrap_or_default());
                text.cell();
            }
            text.line();
            if text.is_full() {
                return;
            }
        }
        for comment in &sheet.comments {
            if let Some(author) = comment.author.as_deref().filter(|author| !author.trim().is_empty()) {
                text.flow(&format!("{author}: "));
            }
            text.flow(&comment.text);
            text.line();
        }
        for link in &sheet.hyperlinks {
            reading.metadata.add_link(&link.target);
        }
        text.paragraph();
    }
    for chart in book.chart_text() {
        text.flow(chart);
        text.line();
    }
    reading.left_out.extend(book.notices().iter().cloned());
}
