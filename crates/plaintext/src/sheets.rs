//! Spreadsheets of Microsoft Excel. A tree of all cells would take a hundred times the bytes of their text, so cells are
//! read one by one: those of packages from the stream of text that `office_oxide` writes, those of compound files from
//! its grid, and headers and footers, which it does not read, from their records.

use std::io::{Cursor, Error, Write};

use encoding_rs::{UTF_16LE, WINDOWS_1252};
use office_oxide::cfb::CfbReader;
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
pub(crate) fn read_compound_file(
    book: &XlsDocument,
    margins: &[Margins],
    text: &mut Text,
    reading: &mut Reading,
) {
    for (number, sheet) in book.sheets.iter().enumerate() {
        text.headed(1, &sheet.name);
        let margins = margins.get(number);
        margins.into_iter().for_each(|margins| flow_line(text, &margins.header));
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
        margins.into_iter().for_each(|margins| flow_line(text, &margins.footer));
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

fn flow_line(text: &mut Text, line: &str) {
    if !line.is_empty() {
        text.flow(line);
        text.line();
    }
}

/// What is printed above and below the pages of a sheet.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Margins {
    header: String,
    footer: String,
}

/// Records of a workbook ([MS-XLS] 2.4): type and length, two bytes each, then the content.
mod record {
    pub(super) const EOF: u16 = 0x0a;
    pub(super) const HEADER: u16 = 0x14;
    pub(super) const FOOTER: u16 = 0x15;
    pub(super) const FILE_PASS: u16 = 0x2f;
    pub(super) const BOF: u16 = 0x809;
}

/// The version that [MS-XLS] describes; those before have strings of bytes.
const BIFF8: [u8; 2] = [0x00, 0x06];
/// The part of the stream that is of the workbook itself; each of the others is a sheet, and charts in a sheet are parts of it.
const GLOBALS: [u8; 2] = [0x05, 0x00];

/// Headers and footers of the sheets of a compound file, in their order; none where they are encrypted.
pub(crate) fn margins(bytes: &[u8]) -> Vec<Margins> {
    let Ok(mut file) = CfbReader::new(Cursor::new(bytes)) else { return Vec::new() };
    let stream = file.open_stream("Workbook").or_else(|_| file.open_stream("Book"));
    stream.map_or_else(|_| Vec::new(), |stream| margins_of(&stream))
}

fn margins_of(mut stream: &[u8]) -> Vec<Margins> {
    let (mut sheets, mut is_biff8, mut depth) = (Vec::new(), true, 0_usize);
    while let [kind_low, kind_high, low, high, rest @ ..] = stream {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let Some((content, next)) = rest.split_at_checked(length) else { break };
        stream = next;
        match (u16::from_le_bytes([*kind_low, *kind_high]), content) {
            (record::BOF, [version_low, version_high, part_low, part_high, ..]) => {
                depth += 1;
                is_biff8 = [*version_low, *version_high] == BIFF8;
                if depth == 1 && [*part_low, *part_high] != GLOBALS {
                    sheets.push(Margins::default());
                }
            }
            (record::EOF, _) => depth = depth.saturating_sub(1),
            (record::FILE_PASS, _) => return Vec::new(),
            (kind @ (record::HEADER | record::FOOTER), content) if depth == 1 => {
                let line = unformatted(&string(content, is_biff8));
                if let Some(margins) = sheets.last_mut() {
                    if kind == record::HEADER { margins.header = line } else { margins.footer = line }
                }
            }
            _ => {}
        }
    }
    sheets
}

/// [MS-XLS] 2.5.294, `XLUnicodeString`: a count, a byte that says whether characters have two bytes, and the characters.
fn string(content: &[u8], is_biff8: bool) -> String {
    match content {
        [_, _, flags, characters @ ..] if is_biff8 && flags & 1 == 1 => {
            UTF_16LE.decode_without_bom_handling(characters).0.into_owned()
        }
        // The low bytes of what is Latin-1, which this code page has where it prints anything.
        [_, _, _, characters @ ..] if is_biff8 => {
            WINDOWS_1252.decode_without_bom_handling(characters).0.into_owned()
        }
        [_, characters @ ..] => WINDOWS_1252.decode_without_bom_handling(characters).0.into_owned(),
        [] => String::new(),
    }
}

/// The text without the codes for fonts, positions and fields ([MS-XLS] 2.4.136, `Header`).
fn unformatted(line: &str) -> String {
    let (mut text, mut rest) = (String::with_capacity(line.len()), line.chars().peekable());
    while let Some(next) = rest.next() {
        if next != '&' {
            text.push(next);
            continue;
        }
        match rest.next() {
            Some('&') => text.push('&'),
            // The name of a font, or a colour.
            Some('"') => rest.by_ref().take_while(|&next| next != '"').for_each(drop),
            Some('K') => rest.by_ref().take(6).for_each(drop),
            Some(size) if size.is_ascii_digit() => while rest.next_if(char::is_ascii_digit).is_some() {},
            // Left, centre, right are columns.
            Some('L' | 'C' | 'R') if !text.is_empty() => text.push(' '),
            _ => {}
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_text_without_their_codes() {
        for (line, text) in [
            ("&CHeader magnolia", "Header magnolia"),
            ("&L&\"Arial,Bold\"&14Left&C&KFF0000Middle&RRight &P of &N", "Left Middle Right  of"),
            ("Q&&A", "Q&A"),
            ("&", ""),
            ("&\"never ends", ""),
        ] {
            assert_eq!(unformatted(line), text, "{line}");
        }
    }

    #[test]
    fn records_of_any_bytes_are_walked_to_their_end() {
        for bytes in [&[][..], &[9, 8], &[9, 8, 0xff, 0xff, 1], &[9, 8, 1, 0, 5], &[0x14, 0, 2, 0, 1, 1]] {
            assert_eq!(margins_of(bytes), []);
        }
        let sheet = |version: u8, header: &[u8]| {
            let mut bytes =
                vec![9, 8, 4, 0, 0, version, 0x10, 0, 0x14, 0, u8::try_from(header.len()).unwrap(), 0];
            bytes.extend_from_slice(header);
            margins_of(&bytes).remove(0).header
        };
        assert_eq!(sheet(6, &[2, 0, 0, b'a', 0xe9]), "aé");
        assert_eq!(sheet(6, &[1, 0, 1, 0x2f, 0x65]), "支");
        assert_eq!(sheet(5, &[2, b'a', 0xe9]), "aé");
        assert_eq!(sheet(6, &[]), "");
        let locked = [9, 8, 4, 0, 0, 6, 0x10, 0, 0x2f, 0, 0, 0, 0x14, 0, 4, 0, 1, 0, 0, b'a'];
        assert_eq!(margins_of(&locked), []);
    }
}
