//! What links and pictures may lead to: the pages made from files and folders, and the other files beside them.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::columns;
use super::folder::{Folder, Reading};
use crate::files::FileContent;
use crate::seed::FileSeed;

/// Missing files that are named one by one.
const MAX_NOTES: usize = 1_000;

/// Where a link within the folder leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The name of the page or database in the seed.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) is_database: bool,
}

/// See the module.
pub(super) struct Library<'r> {
    targets: BTreeMap<String, Target>,
    others: &'r BTreeMap<String, FileContent>,
    taken: BTreeMap<String, FileContent>,
    left_out: Vec<String>,
}

impl<'r> Library<'r> {
    pub(super) fn new(reading: &'r Reading) -> Self {
        let mut targets = BTreeMap::new();
        add_targets(&reading.root, true, &mut targets);
        Self { targets, others: &reading.others, taken: BTreeMap::new(), left_out: Vec::new() }
    }

    /// The files that were referred to, by path, and what was refused.
    pub(super) fn finish(self) -> (Vec<FileSeed>, Vec<String>) {
        (self.taken.into_iter().map(file_seed).collect(), self.left_out)
    }

    /// The page or database that a link's destination means, seen from a file: a path with or without extension, an
    /// anchor or a query; a folder; a folder's `README` or `index`.
    pub(super) fn target(&self, from: &str, destination: &str) -> Option<&Target> {
        let path = resolve(from, destination)?;
        let built_page = path.strip_suffix(".html").map(|stem| format!("{stem}.md"));
        let candidates = [
            Some(path.clone()),
            Some(format!("{path}.md")),
            Some(format!("{path}.markdown")),
            built_page,
            Some(format!("{path}/README.md")),
            Some(format!("{path}/index.md")),
        ];
        candidates.iter().flatten().find_map(|candidate| self.targets.get(candidate))
    }

    /// For a folder whose root becomes no page.
    pub(super) fn without_root(mut self) -> Self {
        self.targets.remove(".");
        self
    }

    /// Takes over the file that a destination means and gives the name by which payloads refer to it.
    pub(super) fn take_file(&mut self, from: &str, destination: &str) -> Option<String> {
        let path = resolve(from, destination)?;
        if self.taken.contains_key(&path) {
            return Some(path);
        }
        let content = self.others.get(&path)?.clone();
        self.taken.insert(path.clone(), content);
        Some(path)
    }

    /// Notes that a document shows a file that is not there.
    pub(super) fn miss(&mut self, from: &str, destination: &str) {
        if self.left_out.len() < MAX_NOTES {
            let short: String = destination.chars().take(80).collect();
            self.left_out.push(format!("{short}: {from} shows it, but it is no readable file of the folder"));
        }
    }
}

/// A file of a folder under the name of its path's last part.
pub(super) fn file_seed((path, content): (String, FileContent)) -> FileSeed {
    let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
    FileSeed { name, path, content }
}

fn add_targets(folder: &Folder, is_root: bool, targets: &mut BTreeMap<String, Target>) {
    let is_database = !is_root && folder.folders.is_empty() && columns::shared(&folder.documents).is_some();
    let target =
        |name: &str, title: &str, is_database| Target { name: name.into(), title: title.into(), is_database };
    targets.insert(folder.path.clone(), target(&folder.path, &folder.title, is_database));
    for document in &folder.documents {
        targets.insert(document.path.clone(), target(&document.path, &document.title, false));
    }
    for child in &folder.folders {
        add_targets(child, false, targets);
    }
}

/// A destination as a path relative to the root; none if it leads elsewhere: to the web, out of the folder, or to a
/// place on the same page. A leading `/` means the root.
fn resolve(from: &str, destination: &str) -> Option<String> {
    let path = destination.split(['#', '?']).next().unwrap_or_default();
    if path.is_empty() || path.starts_with("//") || has_scheme(path) {
        return None;
    }
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    let mut parts: Vec<&str> = match decoded.starts_with('/') {
        true => Vec::new(),
        false => from.rsplit_once('/').map_or_else(Vec::new, |(folder, _)| folder.split('/').collect()),
    };
    for part in decoded.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

fn has_scheme(path: &str) -> bool {
    path.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_resolve_within_the_folder_only() {
        assert_eq!(resolve("a/b.md", "../c.md#top").as_deref(), Some("c.md"));
        assert_eq!(resolve("a/b.md", "./d%20e").as_deref(), Some("a/d e"));
        assert_eq!(resolve("a/b.md", "/x").as_deref(), Some("x"));
        assert_eq!(resolve("a/b.md", "..").as_deref(), Some("."));
        for elsewhere in ["https://example.com/x.md", "mailto:a@b.example", "#top", "../../x", "//host/x", ""]
        {
            assert_eq!(resolve("a/b.md", elsewhere), None, "{elsewhere}");
        }
    }
}
