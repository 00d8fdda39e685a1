//! Nothing left for later, nothing silenced, no paths of somebody's machine.

use super::source::without_comment;
use super::{File, Problem};

/// This file names what it forbids.
const ITSELF: &str = "xtask/src/tidy/words.rs";

/// The emulator's sample is prose of another company.
const SAMPLE: &str = "crates/notion-emulator/src/sample/content/";

/// In any text: a word, and what to do instead.
const ANYWHERE: &[(&str, &str)] = &[
    ("TODO", "finish it, or open an issue and say in CHANGELOG.md what is not there yet"),
    ("FIXME", "mend it, or open an issue and say in CHANGELOG.md what does not work"),
    ("XXX:", "say what is meant"),
    ("/home/", "paths of somebody's machine mean nothing to others"),
    ("/Users/", "paths of somebody's machine mean nothing to others"),
];

/// In Rust code outside comments.
const IN_CODE: &[(&str, &str)] = &[
    ("todo!", "an unfinished function does not land"),
    ("unimplemented!", "an unfinished function does not land"),
    ("dbg!", "print through tracing, or not at all"),
    ("#[ignore", "a test that does not run proves nothing: mend it or remove it"),
    ("#[allow(", "write #[expect(lint, reason = \"…\")]: it disappears when its cause does"),
    ("#![allow(", "write #[expect(lint, reason = \"…\")] where the cause is"),
];

pub(crate) fn check(file: &File) -> Vec<Problem> {
    if file.path == ITSELF || file.path.starts_with(SAMPLE) || file.path.ends_with("package-lock.json") {
        return Vec::new();
    }
    let is_rust = file.path.ends_with(".rs");
    let mut problems = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        // Users are a resource of SCIM.
        let may = |word: &str| word == "/Users/" && file.path.contains("scim");
        let found = ANYWHERE.iter().filter(|(word, _)| stands_alone(line, word) && !may(word));
        let code = if is_rust { without_comment(line) } else { "" };
        let found = found.chain(IN_CODE.iter().filter(|(word, _)| code.contains(word)));
        problems.extend(
            found.map(|(word, advice)| Problem::new(&file.path, number + 1, format!("`{word}`: {advice}"))),
        );
    }
    problems
}

/// Whether a word occurs that is not a part of another.
fn stands_alone(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let starts = word.starts_with('/') || !line[..at].ends_with(char::is_alphanumeric);
        let ends = word.ends_with(['/', ':']) || !line[at + word.len()..].starts_with(char::is_alphanumeric);
        // `https://host/home/…` is a page, not a machine.
        let is_address = word.starts_with('/') && line[..at].ends_with(|c: char| c.is_alphanumeric());
        starts && ends && !is_address
    })
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&file(path, text)).len()
    }

    #[test]
    fn what_is_left_for_later_is_found() {
        assert_eq!(count("a.rs", "// TODO: more\nfn a() { todo!() }\n"), 2);
        assert_eq!(count("a.md", "FIXME\n"), 1);
        assert_eq!(count("a.rs", "    dbg!(x);\n#[ignore = \"slow\"]\n"), 2);
        assert_eq!(count("a.rs", "const METODO: u8 = 1; // no todo!\n"), 0);
    }

    #[test]
    fn silenced_lints_are_found() {
        assert_eq!(count("a.rs", "#[allow(dead_code)]\n"), 1);
        assert_eq!(count("a.rs", "#[expect(dead_code, reason = \"the lock is held\")]\n"), 0);
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        assert_eq!(count("a.toml", "path = \"/home/anna/x\"\n"), 1);
        assert_eq!(count("a.md", "https://example.com/home/x\n"), 0);
    }
}
