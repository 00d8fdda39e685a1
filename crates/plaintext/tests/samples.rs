//! Documents made by other programs (LibreOffice, Python libraries): every phrase that stands in them is found.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

use std::path::Path;

use plaintext::{Extraction, Format, Heading, Limits, Status, extract};
use proptest::prelude::*;

fn read(name: &str) -> Extraction {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name);
    extract(&std::fs::read(path).unwrap(), name, &Limits::default())
}

#[track_caller]
fn assert_holds(extraction: &Extraction, phrases: &[&str]) {
    assert_eq!(extraction.status, Status::Text, "{:?}", extraction.reason);
    for phrase in phrases {
        assert!(extraction.text.contains(phrase), "no “{phrase}” in:\n{}", extraction.text);
    }
    assert!(!extraction.text.contains("NOISE"), "{}", extraction.text);
    assert_eq!((extraction.cut_bytes, &extraction.left_out), (0, &Vec::new()));
}

/// The phrases of every sample, and those in scripts from all over the world.
const BODY: [&str; 3] =
    ["MARK_BODY", "Zürich café naïve résumé – “smart quotes” €42.", "Quarterly security review"];
const WORLD: [&str; 4] = [
    "日本語の文章を検索する MARK_JA",
    "中文搜索引擎测试 MARK_ZH",
    "Привет мир MARK_RU",
    "مرحبا بالعالم MARK_AR",
];

fn headings(extraction: &Extraction) -> Vec<(u8, &str)> {
    let title = |heading: &Heading| &extraction.text[heading.start..heading.end];
    extraction.headings.iter().map(|heading| (heading.level, title(heading))).collect()
}

#[test]
fn written_documents_are_read_with_headers_lists_tables_and_properties() {
    for name in ["text.odt", "text.rtf", "text.epub", "text.docx", "text.docm", "text.dotx", "text.doc"] {
        let document = read(name);
        assert_holds(&document, &BODY);
        assert_holds(&document, &WORLD);
        assert_holds(
            &document,
            &[
                "MARK_H1",
                "First bullet MARK_LIST\n",
                "SplitWordRun MARK_RUN",
                "cell00 MARK_T00\tcell01 MARK_T01\tcell02",
            ],
        );
        assert!(document.text.contains("token filler59."), "{name} to its end");
        assert_eq!(document.metadata.title.as_deref(), Some("Sample Title MARK_TITLE"), "{name}");
        assert_eq!(document.metadata.author.as_deref(), Some("Alice Author"), "{name}");
        if name != "text.epub" {
            assert_holds(&document, &["MARK_HEADER", "MARK_FOOTER"]);
            assert_eq!(headings(&document), [(1, "Heading One MARK_H1")], "{name}");
        }
    }
}

#[test]
fn spreadsheets_are_read_by_sheets_and_rows() {
    for name in ["book.ods", "book.xlsx", "book.xlsm", "book.xltx", "book.xls"] {
        let book = read(name);
        assert_holds(&book, &BODY);
        assert_holds(&book, &WORLD);
        assert_holds(
            &book,
            &["Name MARK_H1\tAmount\tWhen\tFormula\n", "\t1234.5\t2026-03-11", "deep cell MARK_DEEP"],
        );
        // Its maker computes no formulas.
        assert_eq!(book.text.contains("\t2469\n"), name != "book.xlsx", "{name}");
        assert_eq!(headings(&book), [(1, "Budget MARK_SHEET"), (1, "Second")], "{name}");
    }
}

#[test]
fn presentations_are_read_with_notes_and_tables() {
    for name in ["slides.odp", "slides.pptx", "slides.pptm", "slides.potx", "slides.ppsx", "slides.ppt"] {
        let slides = read(name);
        assert_holds(&slides, &BODY);
        assert_holds(&slides, &WORLD);
        assert_holds(
            &slides,
            &["Slide Title MARK_H1", "Speaker notes MARK_NOTES", "pcell00 MARK_T00", "pcell01 MARK_T01\n"],
        );
        // Before 2007 a table is a group of boxes.
        assert_eq!(
            slides.text.contains("pcell00 MARK_T00\tpcell01 MARK_T01\n"),
            name != "slides.ppt",
            "{name}"
        );
        assert!(headings(&slides).contains(&(1, "Table slide")), "{name}: {:?}", headings(&slides));
    }
}

#[test]
fn portable_documents_are_read_page_by_page() {
    for (name, phrases) in [
        (
            "text.pdf",
            &[
                "MARK_HEADER",
                "MARK_FOOTER",
                "MARK_H1",
                "MARK_LIST",
                "SplitWordRun MARK_RUN",
                "token filler59.",
            ][..],
        ),
        ("slides.pdf", &["Slide Title MARK_H1", "Table slide", "MARK_T11"]),
    ] {
        let document = read(name);
        assert_holds(&document, phrases);
        if name == "text.pdf" {
            assert_holds(&document, &BODY);
            assert_holds(&document, &WORLD);
        }
        for word in ["日本語の文章を検索する", "中文搜索引擎测试", "Привет", "MARK_AR"]
        {
            assert!(document.text.contains(word), "no {word} in {name}:\n{}", document.text);
        }
    }
}

#[test]
fn margins_notes_comments_links_and_properties_are_read() {
    for (name, phrases) in [
        (
            "review.docx",
            &[
                "Cover MARK_FIRST\n",
                "Everyone who travels MARK_BODY. Commented words\n",
                "See the policy MARK_LINK\n",
                "Carla Critic:\nIs this still true? MARK_COMMENT",
            ][..],
        ),
        (
            "review.xlsx",
            &[
                "Confidential MARK_HEADER\n",
                "Bern MARK_BODY\t420\n",
                "25%\t2026-05-17\n",
                "B2 (Carla Critic): Too much? MARK_COMMENT\n",
                "MARK_HIDDEN",
            ],
        ),
        (
            "review.xls",
            &[
                "Confidential MARK_HEADER\n",
                "Bern MARK_BODY\t420\n",
                "25%\t2026-05-17\n",
                "Too much? MARK_COMMENT\n",
                "MARK_HIDDEN",
            ],
        ),
        (
            "notes.docx",
            &[
                "with a note. And a link MARK_LINK.",
                "The footnote MARK_FOOTNOTE.",
                "Who says so? MARK_COMMENT",
            ],
        ),
        ("notes.doc", &["with a note. And a link MARK_LINK.", "The footnote MARK_FOOTNOTE."]),
        ("notes.pptx", &["a link MARK_LINK.", "The footnote MARK_FOOTNOTE."]),
        ("notes.pdf", &["a link MARK_LINK.", "The footnote MARK_FOOTNOTE."]),
    ] {
        let document = read(name);
        assert_holds(&document, phrases);
        let metadata = &document.metadata;
        let is_pandoc = name.starts_with("notes");
        let author = if is_pandoc { "Dora Dichter" } else { "Berta Brandt" };
        assert_eq!(metadata.author.as_deref(), Some(author), "{name}");
        assert!(metadata.created.as_deref().is_some_and(|created| created.starts_with("2026-")), "{name}");
        let link = match name {
            "review.docx" => "https://travel.example/policy",
            _ if is_pandoc => "https://notes.example/a",
            _ => "https://travel.example/bern",
        };
        assert_eq!(metadata.links, [link], "{name}");
        let title = match name {
            "review.docx" => None,
            _ if is_pandoc => Some("Field notes"),
            _ => Some("Travel costs"),
        };
        assert_eq!(metadata.title.as_deref(), title, "{name}");
        let expected = match name {
            "review.docx" => &[(1, "Travel policy"), (1, "Scope"), (2, "Who pays")][..],
            "notes.docx" | "notes.doc" => &[(1, "Field notes"), (1, "First chapter"), (2, "Second part")],
            "notes.pdf" => &[(1, "First chapter"), (2, "Second part")],
            "notes.pptx" => &[(1, "Field notes"), (1, "First chapter"), (1, "Notes")],
            _ => &[(1, "Costs"), (1, "Hidden rates")],
        };
        assert_eq!(headings(&document), expected, "{name}");
    }
}

#[test]
fn what_is_printed_on_every_slide_is_read_once() {
    let deck = read("margins.odp");
    assert_holds(&deck, &["Footer marigold\n", "cell dahlia\tcell crocus\n", "grouped jasmine\n"]);
    assert_eq!(deck.text.matches("marigold").count(), 1);
}

#[test]
fn bookmarks_comments_and_links_of_a_portable_document_are_read() {
    let document = read("marks.pdf");
    assert_holds(
        &document,
        &[
            "First heading\n",
            "Body MARK_BODY in a line that goes on and on for long.",
            "A comment",
            "Page two",
        ],
    );
    assert_eq!(headings(&document), [(1, "First heading"), (2, "Page two")]);
    assert_eq!(document.metadata.links, ["https://tiny.example/"]);
    assert_eq!(
        (document.metadata.title.as_deref(), document.metadata.author.as_deref()),
        (Some("Tiny"), Some("Ada"))
    );
}

#[test]
fn what_needs_a_password_says_so_and_what_needs_none_is_read() {
    for (name, format) in [
        ("locked.docx", Format::Docx),
        ("locked.xlsx", Format::Xlsx),
        ("locked.pptx", Format::Pptx),
        ("locked.doc", Format::Doc),
        ("locked.xls", Format::Xls),
        ("locked.odt", Format::Odt),
        ("locked.pdf", Format::Pdf),
    ] {
        let document = read(name);
        assert_eq!((document.format, document.status), (Some(format), Status::Encrypted), "{name}");
        assert_eq!((document.text.as_str(), document.reason.as_deref()), ("", Some("it is encrypted")));
    }
    // A password for printing, none for reading.
    for name in ["owner-only.pdf", "rc4.pdf"] {
        assert_holds(&read(name), &["1234.5", "deep cell MARK_DEEP"]);
    }
}

#[test]
fn bombs_and_cycles_end_at_once() {
    let laughs = read("laugh.docx");
    assert!(laughs.text.len() < 100_000 && !laughs.text.contains("lollollol"), "{:?}", laughs.status);
    let cycle = read("evil-xls-fat-cycle.xls");
    assert_eq!(cycle.status, Status::Broken, "{cycle:?}");
    assert!(cycle.reason.is_some_and(|reason| reason.to_lowercase().contains("cycle")));
}

#[test]
fn marked_up_text_is_read_without_its_marks() {
    let page = read("a.html");
    assert_holds(&page, &BODY);
    assert_holds(&page, &WORLD);
    assert_holds(&page, &["& link MARK_LINK", "one MARK_LIST", "c MARK_T00\td"]);
    assert_eq!(page.metadata.links, ["https://e.x/"]);
    assert_eq!(headings(&page), [(1, "Heading MARK_H1")]);
    assert_eq!(
        (read("a.htm").text.as_str(), read("a.htm").encoding),
        ("Zürich café MARK_BODY €", Some("windows-1252"))
    );
    assert_holds(&read("a.xml"), &["MARK_TITLE", "MARK_ATTR", "MARK_BODY", "cdata MARK_CDATA <b>"]);
    let rtf = read("a.rtf");
    assert_holds(
        &rtf,
        &["Heading MARK_H1\nZürich café MARK_BODY € 日本😊\nSplitWordRun MARK_RUN\nc1 MARK_T00\tc2"],
    );
    assert_eq!(rtf.metadata.title.as_deref(), Some("MARK_TITLE"));
}

#[test]
fn plain_text_is_read_in_its_encoding() {
    for (name, encoding, phrases) in [
        ("a.txt", "UTF-8", &["MARK_BODY", "MARK_AR"][..]),
        ("utf16.txt", "UTF-16LE", &["MARK_BODY", "MARK_ZH"]),
        ("sjis.txt", "Shift_JIS", &["日本語の文章を検索する MARK_BODY"]),
        ("semicolon-latin1.csv", "windows-1252", &["MARK_BODY"]),
        ("a.csv", "UTF-8", &["Quoted, MARK_BODY", "multi\nline MARK_RUN", "Zürich,3"]),
        ("a.md", "UTF-8", &["# Heading MARK_H1", "item MARK_LIST"]),
    ] {
        let extraction = read(name);
        assert_holds(&extraction, phrases);
        assert_eq!(extraction.encoding, Some(encoding), "{name}");
    }
}

#[test]
fn a_document_is_read_as_what_it_is_whatever_it_is_called() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    for (file, called, format) in [
        ("text.odt", "report.txt", Format::Odt),
        ("text.epub", "book.ods", Format::Epub),
        ("a.rtf", "letter.doc", Format::Rtf),
        ("a.html", "page.txt", Format::Html),
        ("a.xml", "feed", Format::Xml),
        ("text.docx", "letter.pdf", Format::Docx),
        ("slides.pptx", "text.xls", Format::Pptx),
        ("book.xls", "text.docx", Format::Xls),
        ("slides.ppt", "a.txt", Format::Ppt),
        ("text.doc", "no extension", Format::Doc),
        ("text.pdf", "text.doc", Format::Pdf),
        ("a.txt", "text.doc", Format::PlainText),
        ("a.csv", "table.xls", Format::PlainText),
    ] {
        let bytes = std::fs::read(path.join(file)).unwrap();
        let extraction = extract(&bytes, called, &Limits::default());
        assert_eq!(
            (extraction.format, extraction.status),
            (Some(format), Status::Text),
            "{file} as {called}"
        );
    }
}

#[test]
fn what_nests_without_end_is_read_all_the_same() {
    for (name, bytes) in [
        ("deep.html", format!("{}deep MARK_BODY", "<div>".repeat(300_000))),
        ("deep.rtf", format!("{{\\rtf1 {}deep MARK_BODY{}}}", "{".repeat(500_000), "}".repeat(500_000))),
        ("deep.xml", format!("<a>{}deep MARK_BODY", "<b>".repeat(500_000))),
    ] {
        let extraction = extract(bytes.as_bytes(), name, &Limits::default());
        assert!(extraction.text.ends_with("deep MARK_BODY"), "{name}: {:?}", extraction.status);
    }
}

/// Names of sheets are no text, and a page without content is no damage.
#[test]
fn what_is_empty_says_so() {
    for name in ["empty.xlsx", "empty.pdf", "empty.docx", "empty.pptx"] {
        let document = read(name);
        let reason = if name == "empty.pdf" { "it has no text layer" } else { "it holds no text" };
        assert_eq!(
            (document.status, document.reason.as_deref()),
            (Status::NoText, Some(reason)),
            "{name}: {document:?}"
        );
        assert_eq!((document.text.as_str(), document.left_out.len()), ("", 0), "{name}");
    }
}

#[test]
fn what_is_only_called_a_document_is_broken() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01";
    for format in
        [Format::Docx, Format::Xlsx, Format::Pptx, Format::Doc, Format::Xls, Format::Ppt, Format::Pdf]
    {
        let name = format!("x.{}", format.extensions()[0]);
        for bytes in [
            &png[..],
            b"PK\x03\x04 and no more",
            b"%PDF-1.7 and no more",
            &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1],
        ] {
            let extraction = extract(bytes, &name, &Limits::default());
            assert_eq!(extraction.status, Status::Broken, "{name}: {extraction:?}");
            assert!(extraction.reason.is_some());
        }
    }
}

/// A package whose one part says that it unpacks to little and unpacks to much.
#[test]
fn a_package_unpacks_to_its_limit_and_no_further() {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/text.odt")).unwrap();
    let limits = Limits { unpacked_bytes: 10_000, ..Limits::default() };
    let extraction = extract(&bytes, "text.odt", &limits);
    assert_eq!(extraction.status, Status::Limit, "{extraction:?}");
    let cut = extract(&bytes, "text.odt", &Limits { text_bytes: 500, ..Limits::default() });
    assert!(cut.status == Status::Text && cut.text.len() <= 500 && cut.cut_bytes > 0);
    let broken = extract(&bytes[..bytes.len() / 2], "text.odt", &Limits::default());
    assert_eq!(broken.status, Status::Broken, "{:?}", broken.reason);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Bytes overwritten, cut out, and repeated, in every sample and under every name.
    #[test]
    fn a_damaged_document_never_panics_and_every_limit_holds(
        sample in 0_usize..18,
        called in 0_usize..Format::ALL.len(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..40),
        cut in any::<proptest::sample::Index>(),
    ) {
        let samples = ["a.html", "a.xml", "a.rtf", "text.rtf", "text.odt", "text.epub", "book.ods", "slides.odp", "a.csv",
            "utf16.txt", "sjis.txt", "text.docx", "book.xlsx", "slides.pptx", "text.doc", "book.xls", "slides.ppt", "text.pdf"];
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(samples[sample]);
        let mut bytes = std::fs::read(path).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let cut = cut.index(bytes.len() * 4);
        bytes.truncate(cut.max(1));
        let name = format!("x.{}", Format::ALL[called].extensions()[0]);
        let limits = Limits { text_bytes: 5_000, unpacked_bytes: 1 << 20, ..Limits::default() };
        let extraction = extract(&bytes, &name, &limits);
        prop_assert!(extraction.text.len() <= limits.text_bytes);
        for heading in &extraction.headings {
            prop_assert!(extraction.text.get(heading.start..heading.end).is_some_and(|title| !title.is_empty()));
        }
    }
}
