//! All but PDF.

use std::fmt::Write as _;

use super::package::Package;

const WORD: &str = "xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'";
const SHEET: &str = "xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' \
    xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'";
const OPEN: &str = "xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' \
    xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0' \
    xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0'";

const MB: usize = 1 << 20;

/// An office package with its types and its first relation.
fn office(main: &str, kind: &str) -> Package {
    let types = format!(
        "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'>\
         <Default Extension='rels' ContentType='application/vnd.openxmlformats-package.relationships+xml'/>\
         <Default Extension='xml' ContentType='application/xml'/>\
         <Override PartName='/{main}' ContentType='application/vnd.openxmlformats-officedocument.{kind}.main+xml'/></Types>"
    );
    let relations = relations(&[("r1", "officeDocument", main)]);
    Package::default()
        .stored("[Content_Types].xml", types.as_bytes())
        .stored("_rels/.rels", relations.as_bytes())
}

fn relations(of: &[(&str, &str, &str)]) -> String {
    let mut relations =
        "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>".to_owned();
    for (id, kind, target) in of {
        write!(
            relations,
            "<Relationship Id='{id}' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}' \
             Target='{target}'/>"
        )
        .unwrap();
    }
    relations + "</Relationships>"
}

fn docx() -> Package {
    office("word/document.xml", "wordprocessingml.document")
}

fn docx_of(document: &str) -> Vec<u8> {
    docx().stored("word/document.xml", document.as_bytes()).finish()
}

fn xlsx(sheet: &str) -> Package {
    let workbook =
        format!("<workbook {SHEET}><sheets><sheet name='S' sheetId='1' r:id='r1'/></sheets></workbook>");
    let relations = relations(&[
        ("r1", "worksheet", "worksheets/sheet1.xml"),
        ("r2", "sharedStrings", "sharedStrings.xml"),
    ]);
    office("xl/workbook.xml", "spreadsheetml.sheet")
        .stored("xl/workbook.xml", workbook.as_bytes())
        .stored("xl/_rels/workbook.xml.rels", relations.as_bytes())
        .stored("xl/worksheets/sheet1.xml", sheet.as_bytes())
}

fn odt() -> Package {
    Package::default().stored("mimetype", b"application/vnd.oasis.opendocument.text")
}

fn odt_of(content: &str) -> Vec<u8> {
    odt().stored("content.xml", content.as_bytes()).finish()
}

fn epub() -> Package {
    let container = "<container><rootfiles><rootfile full-path='content.opf'/></rootfiles></container>";
    Package::default()
        .stored("mimetype", b"application/epub+zip")
        .stored("META-INF/container.xml", container.as_bytes())
}

fn epub_of(chapter: &str) -> Vec<u8> {
    epub()
        .stored("content.opf", package_document("ch1.xhtml").as_bytes())
        .stored("ch1.xhtml", chapter.as_bytes())
        .finish()
}

fn package_document(chapter: &str) -> String {
    format!(
        "<package xmlns='http://www.idpf.org/2007/opf'><manifest><item id='c' href='{chapter}' \
         media-type='application/xhtml+xml'/></manifest><spine><itemref idref='c'/></spine></package>"
    )
}

/// A gibibyte of text in a megabyte.
pub(super) fn bomb_docx() -> Vec<u8> {
    docx().deflated("word/document.xml", &vec![b'a'; MB], 1_024).finish()
}

pub(super) fn bomb_xlsx() -> Vec<u8> {
    xlsx(&format!(
        "<worksheet {SHEET}><sheetData><row r='1'><c r='A1' t='s'><v>0</v></c></row></sheetData></worksheet>"
    ))
    .deflated("xl/sharedStrings.xml", &b"<si><t>bomb</t></si>".repeat(MB / 20), 1_024)
    .finish()
}

pub(super) fn bomb_pptx() -> Vec<u8> {
    office("ppt/presentation.xml", "presentationml.presentation")
        .deflated("ppt/presentation.xml", &vec![b' '; MB], 4_000)
        .finish()
}

pub(super) fn bomb_odt() -> Vec<u8> {
    odt().deflated("content.xml", &vec![b'a'; MB], 4_000).finish()
}

pub(super) fn bomb_epub() -> Vec<u8> {
    epub()
        .stored("content.opf", package_document("ch1.xhtml").as_bytes())
        .deflated("ch1.xhtml", &b"<p>bomb</p>".repeat(MB / 11), 1_024)
        .finish()
}

/// As many paragraphs as are not refused for their number.
pub(super) fn bomb_below_the_limit() -> Vec<u8> {
    let mut paragraphs = String::new();
    let mut number = 1_u32;
    while paragraphs.len() < MB {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        write!(
            paragraphs,
            "<w:p/><w:p/><w:p/><w:p/><w:p/><w:p/><w:p/><w:p><w:r><w:t>{}</w:t></w:r></w:p>",
            number >> 24
        )
        .unwrap();
    }
    docx()
        .deflated_between(
            "word/document.xml",
            format!("<w:document {WORD}><w:body>").as_bytes(),
            paragraphs.as_bytes(),
            19,
            b"</w:body></w:document>",
        )
        .finish()
}

/// A string of a megabyte that every cell refers to.
pub(super) fn shared_string() -> Vec<u8> {
    let mut sheet = format!("<worksheet {SHEET}><sheetData>");
    for row in 1..=20_000 {
        write!(sheet, "<row r='{row}'><c r='A{row}' t='s'><v>0</v></c></row>").unwrap();
    }
    sheet.push_str("</sheetData></worksheet>");
    let strings = format!("<sst {SHEET}><si><t>{}</t></si></sst>", "word ".repeat(MB / 5));
    xlsx(&sheet).stored("xl/sharedStrings.xml", strings.as_bytes()).finish()
}

/// Cells at the far ends of many rows.
pub(super) fn sparse() -> Vec<u8> {
    let mut sheet = format!("<worksheet {SHEET}><sheetData>");
    for row in (1..=1_048_576).step_by(20) {
        write!(sheet, "<row r='{row}'><c r='A{row}'><v>1</v></c><c r='XFD{row}'><v>2</v></c></row>").unwrap();
    }
    sheet.push_str("</sheetData></worksheet>");
    xlsx(&sheet).finish()
}

/// A document within a document, fifty times.
pub(super) fn nested_docx() -> Vec<u8> {
    let document = format!(
        "<w:document {WORD} xmlns:o='urn:schemas-microsoft-com:office:office' \
         xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'><w:body><w:p><w:r><w:t>level</w:t>\
         <w:object><o:OLEObject Type='Embed' ProgID='Word.Document.12' r:id='r1'/></w:object></w:r></w:p></w:body></w:document>"
    );
    let relations = relations(&[("r1", "package", "embeddings/inner.docx")]);
    let mut bytes = docx_of(&document);
    for _ in 0..50 {
        bytes = docx()
            .stored("word/document.xml", document.as_bytes())
            .stored("word/_rels/document.xml.rels", relations.as_bytes())
            .stored("word/embeddings/inner.docx", &bytes)
            .finish();
    }
    bytes
}

/// Messages attached to messages.
pub(super) fn nested_eml() -> Vec<u8> {
    let mut bytes = Vec::new();
    for level in 0..20_000 {
        write_line(&mut bytes, &format!("Subject: level {level}"));
        write_line(&mut bytes, "Content-Type: message/rfc822");
        write_line(&mut bytes, "");
    }
    bytes
}

fn write_line(bytes: &mut Vec<u8>, line: &str) {
    bytes.extend(line.as_bytes());
    bytes.extend(b"\r\n");
}

/// Four gigabytes, by their own account.
pub(super) fn declared_docx() -> Vec<u8> {
    let document =
        format!("<w:document {WORD}><w:body><w:p><w:r><w:t>small</w:t></w:r></w:p></w:body></w:document>");
    docx().deflated("word/document.xml", document.as_bytes(), 1).declaring(u32::MAX - 1).finish()
}

pub(super) fn declared_odt() -> Vec<u8> {
    odt().deflated("content.xml", b"<text:p>small</text:p>", 1).declaring(u32::MAX - 1).finish()
}

/// As many parts as a directory counts.
pub(super) fn many_parts() -> Vec<u8> {
    let mut package = docx();
    for part in 0..65_000 {
        package = package.stored(&format!("word/media/{part}"), b"");
    }
    package
        .stored("word/document.xml", format!("<w:document {WORD}><w:body/></w:document>").as_bytes())
        .finish()
}

/// Ten entities, each of ten of the one before.
fn laughs() -> String {
    let mut declared = "<!DOCTYPE x [<!ENTITY e0 'lol'>".to_owned();
    for level in 1..=10 {
        write!(declared, "<!ENTITY e{level} '{}'>", format!("&e{};", level - 1).repeat(10)).unwrap();
    }
    declared + "]>"
}

pub(super) fn laughs_xml() -> Vec<u8> {
    format!("<?xml version='1.0'?>{}<a>before &e10; after</a>", laughs()).into_bytes()
}

pub(super) fn laughs_docx() -> Vec<u8> {
    docx_of(&format!(
        "<?xml version='1.0'?>{}<w:document {WORD}><w:body><w:p><w:r><w:t>&e10;</w:t></w:r></w:p></w:body></w:document>",
        laughs()
    ))
}

pub(super) fn laughs_xlsx() -> Vec<u8> {
    xlsx(&format!(
        "<worksheet {SHEET}><sheetData><row r='1'><c r='A1' t='s'><v>0</v></c></row></sheetData></worksheet>"
    ))
    .stored(
        "xl/sharedStrings.xml",
        format!("<?xml version='1.0'?>{}<sst {SHEET}><si><t>&e10;</t></si></sst>", laughs()).as_bytes(),
    )
    .finish()
}

pub(super) fn laughs_odt() -> Vec<u8> {
    odt_of(&format!(
        "<?xml version='1.0'?>{}<office:text {OPEN}><text:p>&e10;</text:p></office:text>",
        laughs()
    ))
}

pub(super) fn laughs_epub() -> Vec<u8> {
    epub_of(&format!("<?xml version='1.0'?>{}<html><body><p>&e10;</p></body></html>", laughs()))
}

/// One long entity, many times over.
pub(super) fn quadratic_xml() -> Vec<u8> {
    let entity = format!("<!DOCTYPE a [<!ENTITY e '{}'>]>", "a".repeat(MB));
    format!("<?xml version='1.0'?>{entity}<a>{}</a>", "&e;".repeat(MB)).into_bytes()
}

const OTHERS: &str = "<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'><!ENTITY n SYSTEM 'http://127.0.0.1:1/'>\
    <!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]>";

pub(super) fn external_xml() -> Vec<u8> {
    format!("<?xml version='1.0'?>{OTHERS}<a>before &f;&n; after</a>").into_bytes()
}

pub(super) fn external_docx() -> Vec<u8> {
    docx_of(&format!(
        "<?xml version='1.0'?>{OTHERS}<w:document {WORD}><w:body><w:p><w:r><w:t>before &f;&n; after</w:t></w:r></w:p></w:body>\
         </w:document>"
    ))
}

pub(super) fn external_odt() -> Vec<u8> {
    odt_of(&format!(
        "<?xml version='1.0'?>{OTHERS}<office:text {OPEN}><text:p>before &f;&n; after</text:p></office:text>"
    ))
}

/// Parts called as files are that they should not be written to.
pub(super) fn slip_docx() -> Vec<u8> {
    let document =
        format!("<w:document {WORD}><w:body><w:p><w:r><w:t>slip</w:t></w:r></w:p></w:body></w:document>");
    [
        "../../../../tmp/plaintext-slip",
        "/tmp/plaintext-slip",
        "C:\\plaintext-slip",
        "word/../../plaintext-slip",
    ]
    .into_iter()
    .fold(docx(), |package, name| package.stored(name, b"slipped"))
    .stored("word/document.xml", document.as_bytes())
    .finish()
}

/// A chapter outside of the book.
pub(super) fn slip_epub() -> Vec<u8> {
    epub().stored("content.opf", package_document("../../../../../../etc/passwd").as_bytes()).finish()
}

pub(super) fn csv_200_mb() -> Vec<u8> {
    b"name,amount,\"a note, quoted\"\n".repeat(200_000_000 / 29)
}

pub(super) fn line_100_mb() -> Vec<u8> {
    b"word ".repeat(20_000_000)
}

pub(super) fn one_line_html() -> Vec<u8> {
    format!("<p>{}", "word&nbsp;<b>bold</b> ".repeat(MB)).into_bytes()
}

/// A tag that does not end.
pub(super) fn attributes() -> Vec<u8> {
    let mut page = "<html><body><a".to_owned();
    for number in 0..1_000_000 {
        write!(page, " a{number}='v&amp;'").unwrap();
    }
    page.into_bytes()
}

pub(super) fn references() -> Vec<u8> {
    format!("<p>{}", "&amp;&#x41;&notit;&".repeat(MB)).into_bytes()
}

/// Everything is opened, nothing closed.
pub(super) fn half_open() -> Vec<u8> {
    format!("<?xml version='1.0'?><a>{}", "<![CDATA[ <!-- <? &x ".repeat(MB)).into_bytes()
}

pub(super) fn deep_html() -> Vec<u8> {
    format!("<!doctype html>{}deep", "<div><b>".repeat(2_000_000)).into_bytes()
}

pub(super) fn deep_xml() -> Vec<u8> {
    format!("<?xml version='1.0'?>{}deep", "<a>".repeat(8_000_000)).into_bytes()
}

pub(super) fn deep_rtf() -> Vec<u8> {
    format!("{{\\rtf1 {}deep", "{\\b ".repeat(5_000_000)).into_bytes()
}

pub(super) fn deep_json() -> Vec<u8> {
    "[{\"a\":".repeat(3_000_000).into_bytes()
}

/// Tables in tables.
pub(super) fn deep_docx() -> Vec<u8> {
    docx_of(&format!(
        "<w:document {WORD}><w:body>{}<w:p><w:r><w:t>deep</w:t></w:r></w:p>{}</w:body></w:document>",
        "<w:tbl><w:tr><w:tc>".repeat(200_000),
        "</w:tc></w:tr></w:tbl>".repeat(200_000)
    ))
}

pub(super) fn deep_odt() -> Vec<u8> {
    odt_of(&format!(
        "<office:text {OPEN}>{}<text:p>deep</text:p>",
        "<table:table><table:table-row><table:table-cell>".repeat(200_000)
    ))
}

/// Parts in parts.
pub(super) fn deep_eml() -> Vec<u8> {
    let mut bytes = Vec::new();
    write_line(&mut bytes, "Subject: deep");
    write_line(&mut bytes, "MIME-Version: 1.0");
    for level in 0..50_000 {
        write_line(&mut bytes, &format!("Content-Type: multipart/mixed; boundary=\"b{level}\""));
        write_line(&mut bytes, "");
        write_line(&mut bytes, &format!("--b{level}"));
    }
    bytes
}

/// A workbook whose chain of sectors is a circle: another reader's memory has no end in it.
pub(super) fn sectors_cycle() -> Vec<u8> {
    include_bytes!("../samples/evil-xls-fat-cycle.xls").to_vec()
}
