//! Relative links in Markdown lead to files that exist.

use super::{File, Problem};

/// The emulator's sample links its pages in ways of its own.
const SAMPLE: &str = "crates/notion-emulator/src/sample/content/";

pub(crate) fn check(file: &File, exists: impl Fn(&str) -> bool) -> Vec<Problem> {
    if file.path.starts_with(SAMPLE) {
        return Vec::new();
    }
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut problems = Vec::new();
    for (number, target) in targets(&file.text) {
        let path = target.split('#').next().unwrap_or_default();
        if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
            continue;
        }
        let resolved = resolve(folder, path);
        if !resolved.as_deref().is_some_and(&exists) {
            let message = format!("the link to `{target}` leads nowhere: mend it or remove it");
            problems.push(Problem::new(&file.path, number, message));
        }
    }
    problems
}

/// Targets of `[text](target)` and of `src="…"` outside code, with their lines.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for (opening, closing) in [("](", ')'), ("src=\"", '"'), ("srcset=\"", '"')] {
            for (at, _) in line.match_indices(opening) {
                let in_code = line[..at].matches('`').count() % 2 == 1;
                let rest = &line[at + opening.len()..];
                if let (false, Some(end)) = (in_code, rest.find(closing)) {
                    // A title may follow the address: `[text](a.md "title")`.
                    let address = rest[..end].split(" \"").next().unwrap_or_default();
                    found.push((number + 1, address));
                }
            }
        }
    }
    found
}

/// A path from the root, without `.` and `..`; none when it leaves the repository.
fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let text =
            "[a](b.md \"B\") [c](../d.md#e) `[f](g.md)`\n```\n[h](i.md)\n```\n[j](https://k) [l](#m)\n";
        let exists = |path: &str| path == "docs/guide/b.md";
        let problems = check(&file("docs/guide/a.md", text), exists);
        assert!(matches!(problems.as_slice(), [one] if one.message.contains("../d.md#e")));
    }

    #[test]
    fn a_link_out_of_the_repository_is_found() {
        assert_eq!(check(&file("a.md", "[b](../../c.md)"), |_| true).len(), 1);
    }
}
