//! How long files may be, and that each says what it is for.

use super::{File, Problem};

/// Longer files are split where they have a seam.
const MAX_LINES: usize = 800;

/// Shorter files say what they are for by their name and their documented items…
const MAX_LINES_WITHOUT_HEAD: usize = 300;

/// …but a room does not, unless it is nothing but a list of modules.
const MAX_LINES_OF_A_LIST: usize = 20;

pub(crate) fn check(file: &File) -> Vec<Problem> {
    let lines = file.text.lines().count();
    let mut problems = Vec::new();
    if lines > MAX_LINES {
        let message = format!("{lines} lines; split the file at a seam, below {MAX_LINES}");
        problems.push(Problem::new(&file.path, lines, message));
    }
    let is_room = file.path.ends_with("/mod.rs") || file.path.ends_with("/lib.rs");
    let without_head = !file.text.starts_with("//!");
    let free = if is_room { MAX_LINES_OF_A_LIST } else { MAX_LINES_WITHOUT_HEAD };
    if without_head && lines > free {
        let message = "begin the file with `//!`: its purpose, its invariants, where to add things";
        problems.push(Problem::new(&file.path, 1, message));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn long_files_are_found() {
        let text = format!("//! Head.\n{}", "x\n".repeat(MAX_LINES));
        assert_eq!(check(&file("a.rs", &text)).len(), 1);
        assert_eq!(check(&file("a.rs", "//! Head.\n")), []);
    }

    #[test]
    fn rooms_and_larger_files_need_a_head() {
        assert_eq!(check(&file("a/mod.rs", &"mod b;\n".repeat(MAX_LINES_OF_A_LIST + 1))).len(), 1);
        assert_eq!(check(&file("a/mod.rs", "mod b;\n")), []);
        assert_eq!(check(&file("a/b.rs", &"x\n".repeat(MAX_LINES_WITHOUT_HEAD + 1))).len(), 1);
        assert_eq!(check(&file("a/b.rs", "fn c() {}\n")), []);
    }
}
