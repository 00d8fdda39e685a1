//! A folder of files of any kind and size → a workspace: a page for each folder with a block for each file, and below the
//! first page a database with a row for each file, which holds it in a `files` property. A file is one file in both places.
//!
//! Nothing is read but names; the content goes from disk to whoever asks for it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::library::file_seed;
use super::{Import, ImportError, emoji, folder};
use crate::files::block_kind;
use crate::seed::{BlockSeed, Content, DataSourceSeed, DatabaseSeed, PageSeed, WorkspaceSeed};

/// Reads a folder of files into a workspace with one start point, the page named after the folder.
///
/// # Errors
/// If the folder cannot be listed or holds no file.
pub fn import_files(path: &Path) -> Result<Import, ImportError> {
    let read = folder::read(path, true)?;
    if read.others.is_empty() {
        return Err(ImportError::NoFiles(path.to_owned()));
    }
    let mut tree = Tree::default();
    for path in read.others.keys() {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut at = &mut tree;
        for part in folder.split('/').filter(|part| !part.is_empty()) {
            at = at.folders.entry(part).or_default();
        }
        at.files.push((path, name));
    }
    let mut root = tree.page(read.root.path.clone(), read.root.title.clone());
    root.body.push(Content::Database(all_files(read.others.keys().map(String::as_str))));
    let workspace =
        WorkspaceSeed { name: root.title.clone(), people: Vec::new(), roots: vec![Content::Page(root)] };
    let files = read.others.into_iter().map(file_seed).collect();
    Ok(Import { workspace, files, left_out: read.left_out })
}

/// What is in a folder, by name.
#[derive(Default)]
struct Tree<'p> {
    /// Path and name.
    files: Vec<(&'p str, &'p str)>,
    folders: BTreeMap<&'p str, Tree<'p>>,
}

impl Tree<'_> {
    fn page(&self, path: String, title: String) -> PageSeed {
        let mut body: Vec<Content> =
            self.files.iter().map(|(path, name)| Content::Block(block(path, name))).collect();
        body.extend(self.folders.iter().map(|(name, folder)| {
            let path = if path == "." { (*name).to_owned() } else { format!("{path}/{name}") };
            Content::Page(folder.page(path, (*name).to_owned()))
        }));
        PageSeed { name: Some(path), title, icon: emoji("📁"), body, ..PageSeed::default() }
    }
}

fn block(path: &str, name: &str) -> BlockSeed {
    let kind = block_kind(name);
    let mut payload = json!({"type": "file", "file": {"ref": path}, "caption": []});
    if kind == "file" {
        payload["name"] = json!(name);
    }
    BlockSeed { kind: kind.to_owned(), payload, ..BlockSeed::default() }
}

fn all_files<'p>(paths: impl Iterator<Item = &'p str>) -> DatabaseSeed {
    let rows = paths.map(|path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let value = json!([{"name": name, "type": "file", "file": {"ref": path}}]);
        PageSeed {
            title: path.to_owned(),
            properties: std::iter::once(("Files".to_owned(), value)).collect(),
            ..PageSeed::default()
        }
    });
    let schema: Value =
        json!({"Path": {"type": "title", "title": {}}, "Files": {"type": "files", "files": {}}});
    let data_source = DataSourceSeed {
        title: "All files".to_owned(),
        schema: schema.as_object().cloned().unwrap_or_default(),
        rows: rows.collect(),
        ..DataSourceSeed::default()
    };
    DatabaseSeed {
        title: "All files".to_owned(),
        icon: emoji("🗂️"),
        data_sources: vec![data_source],
        ..DatabaseSeed::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn every_file_stands_in_a_block_of_its_folder_and_in_a_row_and_is_one_file() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("z.pdf", "%PDF-1.4"),
            ("a/b.docx", "b"),
            ("a/c/d.md", "# d"),
            ("a/e.png", "e"),
            ("b/f.txt", "f"),
        ] {
            let at = folder.path().join(path);
            std::fs::create_dir_all(at.parent().unwrap()).unwrap();
            std::fs::write(at, text).unwrap();
        }
        let import = import_files(folder.path()).unwrap();
        assert!(import.left_out.is_empty());
        let world = World::from_import(import, 0).unwrap();
        assert_eq!(world.files().len(), 5);
        let truth = world.truth(&crate::world::access::Access::everything());
        let places = |name: &str| -> Vec<&str> {
            let files = truth.iter().filter(|object| object["kind"] == "file" && object["title"] == name);
            files.filter_map(|object| object["place"].as_str()).collect()
        };
        assert_eq!(places("z.pdf"), ["pdf", "property"]);
        assert_eq!(places("b.docx"), ["file", "property"]);
        assert_eq!(places("d.md"), ["file", "property"]);
        assert_eq!(places("e.png"), ["image", "property"]);
        let titles = |kind: &str| truth.iter().filter(|object| object["kind"] == kind).count();
        assert_eq!((titles("page"), titles("row")), (4, 5));
    }

    #[test]
    fn a_folder_without_files_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("empty")).unwrap();
        assert!(matches!(import_files(folder.path()), Err(ImportError::NoFiles(_))));
    }
}
