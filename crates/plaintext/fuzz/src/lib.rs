//! What every fuzz target does with its input, and what must hold of the outcome. The tests of the crate replay the
//! corpora by the same functions.
//!
//! To add a format: put it into [`TARGETS`], at a target that reads the like or at one of its own (a file in
//! `fuzz_targets`, an entry in `Cargo.toml`, a folder in `corpus`).

use std::collections::BTreeSet;
use std::sync::{Mutex, Once};

#[path = "../../tests/hostile/package.rs"]
#[expect(dead_code, reason = "only the hostile set packs and lies")]
mod package;

use package::Package;
use plaintext::{Format, Limits, Status, extract};

/// Targets, and the formats they read. Where a target reads several, the first byte of its input chooses.
pub const TARGETS: &[(&str, &[Format])] = &[
    (
        "ooxml_odf_epub",
        &[Format::Docx, Format::Xlsx, Format::Pptx, Format::Odt, Format::Ods, Format::Odp, Format::Epub],
    ),
    ("ole", &[Format::Doc, Format::Xls, Format::Ppt]),
    ("pdf", &[Format::Pdf]),
    ("html_xml", &[Format::Html, Format::Xml]),
    ("rtf", &[Format::Rtf]),
    ("text_csv_json", &[Format::PlainText, Format::Markdown, Format::Csv, Format::Json]),
    ("eml", &[Format::Eml]),
];

static PANICS_OF_OTHERS: Once = Once::new();

/// The fuzzer ends at every panic. Those of other people's readers are an error to our crate, as is what they are to a
/// user: they are told once for each place and the fuzzer goes on.
fn forgive_panics_of_others() {
    let end = std::panic::take_hook();
    let told = Mutex::new(BTreeSet::new());
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        if !place.contains("/registry/") && !place.contains("/rustc/") {
            end(panic);
        } else if told.lock().is_ok_and(|mut told| told.insert(place)) {
            eprintln!("a reader of others panicked: {panic}");
        }
    }));
}

/// Small, so that they are met.
const LIMITS: Limits = Limits { input_bytes: 1 << 20, text_bytes: 1 << 18, unpacked_bytes: 4 << 20 };

/// Reads an input as `target` does.
///
/// # Panics
///
/// When an invariant of the crate does not hold, or there is no such target.
pub fn try_input(target: &str, input: &[u8]) {
    PANICS_OF_OTHERS.call_once(forgive_panics_of_others);
    let formats = TARGETS.iter().find(|(name, _)| *name == target).expect("a target of the table").1;
    let Some((&choice, rest)) = input.split_first() else { return };
    match formats {
        [format] => check(*format, input),
        // One in two is a package as it stands; the other is made of the parts that matter, so that mutations need not
        // get through a checksum.
        _ if target == "ooxml_odf_epub" => {
            let format = formats[usize::from(choice >> 1) % formats.len()];
            if choice & 1 == 0 { check(format, rest) } else { check(format, &package_of(format, rest)) }
        }
        // They begin with what tells them.
        _ if target == "ole" => check(Format::Doc, input),
        _ => check(formats[usize::from(choice) % formats.len()], rest),
    }
}

fn check(format: Format, bytes: &[u8]) {
    let name = format!("x.{}", format.extensions()[0]);
    let extraction = extract(bytes, &name, &LIMITS);
    assert!(extraction.text.len() <= LIMITS.text_bytes);
    assert_eq!(extraction.status == Status::Text, extraction.reason.is_none());
    assert_eq!(extraction.status == Status::Text, extraction.text.contains(|c: char| !c.is_whitespace()));
    let mut end = 0;
    for heading in &extraction.headings {
        assert!((1..=6).contains(&heading.level));
        assert!(heading.start >= end && heading.end > heading.start);
        let title =
            extraction.text.get(heading.start..heading.end).expect("a heading is a piece of the text");
        assert!(!title.contains('\n'), "a heading is one line: {title:?}");
        end = heading.end;
    }
    for property in [&extraction.metadata.title, &extraction.metadata.author].into_iter().flatten() {
        assert!(!property.trim().is_empty());
    }
}

/// Parts of the input are parted by a byte that is in no UTF-8.
const SEPARATOR: u8 = 0xFF;

/// A package of `format` whose parts are those of the input, in the order of the table below.
fn package_of(format: Format, input: &[u8]) -> Vec<u8> {
    let (fixed, names) = skeleton(format);
    let mut package = Package::default();
    for (name, content) in fixed {
        package = package.stored(name, content.as_bytes());
    }
    for (name, part) in names.iter().zip(input.split(|&byte| byte == SEPARATOR)) {
        if !part.is_empty() {
            package = package.stored(name, part);
        }
    }
    package.finish()
}

type Skeleton = (&'static [(&'static str, &'static str)], &'static [&'static str]);

/// Parts that say what the package is, and the names of those that the input gives.
fn skeleton(format: Format) -> Skeleton {
    const TYPES: &str = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'>\
        <Default Extension='rels' ContentType='application/vnd.openxmlformats-package.relationships+xml'/>\
        <Default Extension='xml' ContentType='application/xml'/></Types>";
    macro_rules! relations {
        ($main:literal) => {
            concat!(
                "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>",
                "<Relationship Id='r1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument' Target='",
                $main,
                "'/><Relationship Id='r2' Type='http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties' ",
                "Target='docProps/core.xml'/></Relationships>"
            )
        };
    }
    match format {
        Format::Docx => (
            &[("[Content_Types].xml", TYPES), ("_rels/.rels", relations!("word/document.xml"))],
            &[
                "word/document.xml",
                "word/_rels/document.xml.rels",
                "word/comments.xml",
                "word/footnotes.xml",
                "word/header1.xml",
                "word/styles.xml",
                "word/numbering.xml",
                "docProps/core.xml",
            ],
        ),
        Format::Xlsx => (
            &[("[Content_Types].xml", TYPES), ("_rels/.rels", relations!("xl/workbook.xml"))],
            &[
                "xl/workbook.xml",
                "xl/_rels/workbook.xml.rels",
                "xl/worksheets/sheet1.xml",
                "xl/sharedStrings.xml",
                "xl/styles.xml",
                "xl/worksheets/_rels/sheet1.xml.rels",
                "xl/comments/comment1.xml",
                "docProps/core.xml",
            ],
        ),
        Format::Pptx => (
            &[("[Content_Types].xml", TYPES), ("_rels/.rels", relations!("ppt/presentation.xml"))],
            &[
                "ppt/presentation.xml",
                "ppt/_rels/presentation.xml.rels",
                "ppt/slides/slide1.xml",
                "ppt/slides/_rels/slide1.xml.rels",
                "ppt/notesSlides/notesSlide1.xml",
                "ppt/comments/comment1.xml",
                "docProps/core.xml",
            ],
        ),
        Format::Epub => (
            &[("mimetype", "application/epub+zip")],
            &["META-INF/container.xml", "content.opf", "ch1.xhtml", "nav.xhtml", "toc.ncx"],
        ),
        Format::Ods => (
            &[("mimetype", "application/vnd.oasis.opendocument.spreadsheet")],
            &["content.xml", "styles.xml", "meta.xml", "META-INF/manifest.xml"],
        ),
        Format::Odp => (
            &[("mimetype", "application/vnd.oasis.opendocument.presentation")],
            &["content.xml", "styles.xml", "meta.xml", "META-INF/manifest.xml"],
        ),
        _ => (
            &[("mimetype", "application/vnd.oasis.opendocument.text")],
            &["content.xml", "styles.xml", "meta.xml", "META-INF/manifest.xml"],
        ),
    }
}
