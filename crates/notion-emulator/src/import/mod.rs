//! A folder of Markdown → a workspace.
//!
//! The folder becomes one page, its files and subfolders the pages below it, in the order of their names. A folder whose
//! files share front-matter keys becomes a database with those files as rows (`columns.rs`). Links between files become
//! mentions or links to pages, pictures and documents that lie in the folder become hosted files.
//!
//! Invariant: every word of a file's text stands, in order, in the plain text of the blocks made from it. What cannot be
//! read is named in [`Import::left_out`] with the reason; it is never an error, except for the folder itself.
//!
//! `documents` does the same with files of any kind, each as a file.
//!
//! A new kind of Markdown element: an arm in `blocks.rs` and a case in `tests.rs`.

mod blocks;
mod columns;
mod documents;
mod folder;
mod front_matter;
mod inline;
mod languages;
mod library;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde_json::Value;

pub use self::documents::import_files;
use self::folder::{Document, Folder};
use self::library::Library;
pub use crate::seed::Import;
use crate::seed::{Content, DataSourceSeed, DatabaseSeed, PageSeed, WorkspaceSeed};

/// Why a folder cannot become a workspace.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It does not exist, or may not be listed.
    #[error("cannot list the folder {path}: {source}; give the path of a folder that this user may read")]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Nothing in it is Markdown.
    #[error("{0} holds no readable .md or .markdown file, at any depth; give a folder that does")]
    NoMarkdown(PathBuf),
    /// Nothing is in it at all.
    #[error("{0} holds no readable file, at any depth; give a folder that does")]
    NoFiles(PathBuf),
}

/// Reads a folder of Markdown into a workspace with one start point, the page named after the folder.
///
/// # Errors
/// If the folder cannot be listed or holds no Markdown.
pub fn import_folder(path: &Path) -> Result<Import, ImportError> {
    let read = folder::read(path, false)?;
    if read.root.is_empty() {
        return Err(ImportError::NoMarkdown(path.to_owned()));
    }
    let mut library = Library::new(&read);
    let body = folder_body(&read.root, &mut library);
    let root = PageSeed {
        name: Some(read.root.path.clone()),
        title: read.root.title.clone(),
        icon: emoji("📁"),
        body,
        ..PageSeed::default()
    };
    let workspace =
        WorkspaceSeed { name: read.root.title.clone(), people: Vec::new(), roots: vec![Content::Page(root)] };
    let (files, more) = library.finish();
    let mut left_out = read.left_out;
    left_out.extend(more);
    Ok(Import { workspace, files, left_out })
}

/// Reads a folder that was built into the program: its entries become the top-level pages.
pub(crate) fn import_embedded(dir: &'static include_dir::Dir<'static>) -> Import {
    let read = folder::embedded(dir);
    let mut library = Library::new(&read).without_root();
    let roots = folder_body(&read.root, &mut library);
    let workspace = WorkspaceSeed { roots, ..WorkspaceSeed::default() };
    let (files, left_out) = library.finish();
    Import { workspace, files, left_out }
}

fn emoji(emoji: &str) -> Value {
    serde_json::json!({"type": "emoji", "emoji": emoji})
}

/// What stands on a folder's page.
fn folder_body(folder: &Folder, library: &mut Library<'_>) -> Vec<Content> {
    let columns = columns::shared(&folder.documents);
    let mut entries: Vec<(&str, Content)> = Vec::new();
    if let Some(columns) = &columns {
        let database = database(folder, columns, library);
        entries.push(("", Content::Database(DatabaseSeed { name: None, is_inline: true, ..database })));
    } else {
        for document in &folder.documents {
            entries.push((&document.file_name, Content::Page(page(document, library))));
        }
    }
    for child in &folder.folders {
        entries.push((&child.file_name, child_folder(child, library)));
    }
    entries.sort_by_key(|(name, _)| *name);
    entries.into_iter().map(|(_, content)| content).collect()
}

/// A database if its files are rows and nothing else is in it, a page otherwise: a database holds rows only.
fn child_folder(folder: &Folder, library: &mut Library<'_>) -> Content {
    if let (true, Some(columns)) = (folder.folders.is_empty(), columns::shared(&folder.documents)) {
        return Content::Database(database(folder, &columns, library));
    }
    Content::Page(PageSeed {
        name: Some(folder.path.clone()),
        title: folder.title.clone(),
        icon: emoji("📁"),
        body: folder_body(folder, library),
        ..PageSeed::default()
    })
}

fn database(folder: &Folder, columns: &columns::Columns, library: &mut Library<'_>) -> DatabaseSeed {
    let rows = folder
        .documents
        .iter()
        .map(|document| {
            let (properties, rest) = columns.row(document);
            let mut row = page_without_front_matter(document, rest.as_deref(), library);
            row.properties = properties;
            row
        })
        .collect();
    let data_source = DataSourceSeed {
        title: folder.title.clone(),
        schema: columns.schema(),
        rows,
        ..DataSourceSeed::default()
    };
    DatabaseSeed {
        name: Some(folder.path.clone()),
        title: folder.title.clone(),
        icon: emoji("🗂️"),
        data_sources: vec![data_source],
        ..DatabaseSeed::default()
    }
}

fn page(document: &Document, library: &mut Library<'_>) -> PageSeed {
    page_without_front_matter(
        document,
        document.front_matter.as_ref().map(|front| front.text.as_str()),
        library,
    )
}

/// A page whose body begins with this YAML, if any.
fn page_without_front_matter(document: &Document, yaml: Option<&str>, library: &mut Library<'_>) -> PageSeed {
    let mut body = Vec::new();
    if let Some(yaml) = yaml {
        body.push(Content::Block(blocks::code("yaml", yaml, "")));
    }
    body.extend(blocks::convert(&document.text, &document.path, library));
    PageSeed {
        name: Some(document.path.clone()),
        title: document.title.clone(),
        body,
        created_time: document.edited,
        last_edited_time: document.edited,
        ..PageSeed::default()
    }
}
