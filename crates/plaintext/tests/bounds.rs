//! The hostile set: no file of it makes a reader panic, and every bound holds. How long they take and how much memory, only a
//! process of their own can say.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod hostile;

use std::collections::BTreeSet;

use plaintext::{Limits, Status, extract};

#[test]
fn no_hostile_file_gives_more_than_is_allowed_or_what_is_not_its_own() {
    let limits = Limits { input_bytes: hostile::INPUT_BYTES, ..Limits::default() };
    let mut names = BTreeSet::new();
    for file in hostile::ALL {
        assert!(names.insert(file.name), "{} twice", file.name);
        let bytes = (file.make)();
        assert!(bytes.len() <= hostile::INPUT_BYTES, "{}", file.name);
        let extraction = extract(&bytes, file.name, &limits);
        assert!(extraction.text.len() <= limits.text_bytes, "{}", file.name);
        assert!(!extraction.text.contains(hostile::SECRET), "{}", file.name);
        assert!(!extraction.text.contains("lollol"), "{}", file.name);
        let reason = extraction.reason.as_deref().unwrap_or_default();
        assert_ne!(reason, "its reader failed on it", "{}", file.name);
        // As they come they are refused or read within the product's limit.
        let extraction = extract(&bytes, file.name, &Limits::default());
        let is_large = bytes.len() > Limits::default().input_bytes;
        assert_eq!(extraction.status == Status::TooLarge, is_large, "{}", file.name);
    }
}

#[test]
fn what_a_hostile_file_says_beside_its_trick_is_read() {
    for (name, said) in [
        ("external.xml", "before"),
        ("external.docx", "before"),
        ("external.odt", "before"),
        ("laughs.xml", "before"),
        ("slip.docx", "slip"),
        ("nested.docx", "level"),
        ("deep.html", "deep"),
        ("deep.rtf", "deep"),
        ("deep.odt", "deep"),
        ("outline-cycle.pdf", "words"),
        ("previous-cycle.pdf", "words"),
        ("xref-of-a-billion.pdf", "words"),
        ("count-lies.pdf", "words"),
    ] {
        let file = hostile::ALL.iter().find(|file| file.name == name).unwrap();
        let extraction = extract(&(file.make)(), name, &Limits::default());
        assert!(extraction.text.contains(said), "{name}: {extraction:?}");
    }
    for (name, status) in [
        ("bomb.docx", Status::Limit),
        ("bomb.odt", Status::Limit),
        ("bomb.pptx", Status::Limit),
        ("bomb.epub", Status::Limit),
        ("operators.pdf", Status::Limit),
        ("stream-bomb.pdf", Status::Limit),
        ("stream-bomb-twice.pdf", Status::Limit),
        ("many-parts.docx", Status::Limit),
        ("deep-array.pdf", Status::Limit),
        ("page-tree-deep.pdf", Status::Limit),
        ("pages-of-one.pdf", Status::Limit),
        ("sectors-cycle.xls", Status::Broken),
    ] {
        let file = hostile::ALL.iter().find(|file| file.name == name).unwrap();
        assert_eq!(extract(&(file.make)(), name, &Limits::default()).status, status, "{name}");
    }
}
