//! The fuzz targets without a fuzzer: their corpora are read again, and no format is without one.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should fail"
)]

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library of its own, too")]
mod fuzz;

use std::path::{Path, PathBuf};

use plaintext::{Format, Limits, Status, extract};

fn folder(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(of)
}

fn files(of: &str) -> Vec<PathBuf> {
    let listing = std::fs::read_dir(folder(of)).unwrap_or_else(|error| panic!("{of}: {error}"));
    listing.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn inputs_that_the_fuzzer_found_stay_mended() {
    for (target, _) in fuzz::TARGETS {
        for input in files(&format!("fuzz/corpus/{target}")) {
            fuzz::try_input(target, &std::fs::read(input).unwrap());
        }
    }
}

/// Found by fuzzing. When the crate is mended, this reads something, and the test wants another input.
#[test]
fn a_panic_of_a_reader_of_others_is_an_error() {
    let bytes = std::fs::read(folder("fuzz/corpus/pdf/slice-within-a-character.pdf")).unwrap();
    let extraction = extract(&bytes, "x.pdf", &Limits::default());
    assert_eq!(
        (extraction.status, extraction.reason.as_deref()),
        (Status::Broken, Some("its reader failed on it"))
    );
}

#[test]
fn every_format_has_sample_and_fuzz_target() {
    let samples = files("tests/samples");
    let manifest = std::fs::read_to_string(folder("fuzz/Cargo.toml")).unwrap();
    for (target, _) in fuzz::TARGETS {
        assert!(folder(&format!("fuzz/fuzz_targets/{target}.rs")).is_file(), "{target} has no program");
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target} is not in fuzz/Cargo.toml");
        assert!(files(&format!("fuzz/corpus/{target}")).len() > 1, "{target} has no corpus");
    }
    for format in Format::ALL {
        assert!(
            fuzz::TARGETS.iter().any(|(_, formats)| formats.contains(&format)),
            "{format:?} has no fuzz target"
        );
        let is_read = samples.iter().any(|sample| {
            let name = sample.file_name().unwrap().to_string_lossy();
            let extraction = extract(&std::fs::read(sample).unwrap(), &name, &Limits::default());
            Format::of_name(&name) == Some(format)
                && (extraction.format, extraction.status) == (Some(format), Status::Text)
        });
        assert!(is_read, "{format:?} has no sample that is read");
    }
}
