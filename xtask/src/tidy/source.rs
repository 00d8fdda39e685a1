//! Rust sources, seen coarsely: what is code, what is comment, what is only compiled for tests.
//!
//! Not a parser. Block comments and string literals that look like code are taken for code; `cargo fmt` having run
//! before makes the rest regular enough.

use std::collections::BTreeSet;

use super::File;

/// The lines of a file that are code outside tests, with their numbers from 1. Comments are cut off.
pub(crate) fn product_lines(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        if is_test_attribute(line) {
            skip_item(indent(line), &mut lines);
            continue;
        }
        let code = without_comment(line);
        if !code.trim().is_empty() {
            found.push((number + 1, code));
        }
    }
    found
}

/// Paths of the files that are modules for tests: those under `tests/`, `benches/` and `examples/` of a crate, and those
/// whose parent declares them with `#[cfg(test)]`.
pub(crate) fn test_files(files: &[File]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        if ["/tests/", "/benches/", "/examples/"].iter().any(|folder| file.path.contains(folder)) {
            found.insert(file.path.clone());
        }
        let mut lines = file.text.lines();
        while let Some(line) = lines.next() {
            if !is_test_attribute(line) {
                continue;
            }
            let declaration = lines.find(|next| !next.trim_start().starts_with("#["));
            if let Some(name) = declaration.and_then(declared_module) {
                let folder = folder_of_children(&file.path);
                found.insert(format!("{folder}/{name}.rs"));
                found.insert(format!("{folder}/{name}/mod.rs"));
            }
        }
    }
    found
}

fn is_test_attribute(line: &str) -> bool {
    line.trim() == "#[cfg(test)]"
}

/// `pub(crate) mod fixture;` → `fixture`
fn declared_module(line: &str) -> Option<&str> {
    let (_, name) = line.trim().strip_suffix(';')?.rsplit_once("mod ")?;
    Some(name)
}

/// Where the modules live that a file declares.
fn folder_of_children(path: &str) -> &str {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    match stem.rsplit_once('/') {
        Some((folder, "mod" | "lib" | "main")) => folder,
        _ => stem,
    }
}

/// Skips the item after an attribute: to its semicolon, or to the line that closes it, which stands where it began.
fn skip_item<'a>(depth: usize, lines: &mut impl Iterator<Item = (usize, &'a str)>) {
    for (_, line) in lines {
        let at_depth = indent(line) == depth;
        if at_depth
            && (line.trim_end().ends_with(';') || line.trim() == "}" || line.trim_end().ends_with("{}"))
        {
            return;
        }
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A line without its comment. Two slashes in an address within a string are none.
pub(crate) fn without_comment(line: &str) -> &str {
    let start = line.match_indices("//").map(|(at, _)| at).find(|&at| !line[..at].ends_with(':'));
    start.map_or(line, |at| &line[..at])
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    const TEXT: &str = "\
use a::b; // why
#[cfg(test)]
pub(crate) mod fixture;
let url = \"http://c\";
#[cfg(test)]
mod tests {
    use d;
}
fn e() {}
";

    #[test]
    fn comments_and_tests_are_left_out() {
        let lines = product_lines(TEXT);
        assert_eq!(lines, [(1, "use a::b; "), (4, "let url = \"http://c\";"), (9, "fn e() {}")]);
    }

    #[test]
    fn files_for_tests_are_known_by_their_parent() {
        let files =
            [file("x/src/search/mod.rs", TEXT), file("x/src/a.rs", TEXT), file("x/tests/it/main.rs", "")];
        let found = test_files(&files);
        for path in ["x/src/search/fixture.rs", "x/src/a/fixture.rs", "x/tests/it/main.rs"] {
            assert!(found.contains(path), "{path}");
        }
    }
}
