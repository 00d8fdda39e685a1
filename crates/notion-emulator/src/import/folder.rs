//! Reading the folder: bounded, without following links out of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use include_dir::{Dir, DirEntry};
use jiff::Timestamp;

use super::ImportError;
use super::front_matter::{self, FrontMatter};
use crate::files::FileContent;

/// Longest Markdown file that is read. Documentation is far below; generated dumps are not documentation.
const MAX_DOCUMENT_BYTES: u64 = 16 << 20;
/// Markdown files at most: the world is held in memory.
const MAX_DOCUMENTS: usize = 100_000;
/// Folders nested deeper are left out: the file system's own limit on paths is near.
const MAX_FOLDER_DEPTH: usize = 64;

/// What version control and package managers keep beside the documents of a folder.
const NOT_CONTENT: [&str; 5] = [".git", ".hg", ".svn", ".jj", "node_modules"];

/// Everything that was found below a folder.
pub(super) struct Reading {
    pub(super) root: Folder,
    /// Files that are not Markdown, by path relative to the folder.
    pub(super) others: BTreeMap<String, FileContent>,
    pub(super) left_out: Vec<String>,
    documents: usize,
    /// Markdown is files too.
    only_files: bool,
    canonical_root: PathBuf,
}

/// A folder that holds Markdown, at some depth.
#[derive(Default)]
pub(super) struct Folder {
    /// Relative to the root, with `/`; `.` for the root.
    pub(super) path: String,
    pub(super) file_name: String,
    pub(super) title: String,
    pub(super) documents: Vec<Document>,
    pub(super) folders: Vec<Folder>,
}

impl Folder {
    pub(super) fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.folders.is_empty()
    }
}

/// A Markdown file.
pub(super) struct Document {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    pub(super) file_name: String,
    pub(super) title: String,
    pub(super) front_matter: Option<FrontMatter>,
    /// What follows the front matter.
    pub(super) text: String,
    pub(super) edited: Option<Timestamp>,
}

/// Reads a folder; with `only_files` its Markdown is left among the others, unread.
pub(super) fn read(path: &Path, only_files: bool) -> Result<Reading, ImportError> {
    let unreadable = |source| ImportError::Unreadable { path: path.to_owned(), source };
    let canonical_root = path.canonicalize().map_err(unreadable)?;
    fs::read_dir(&canonical_root).map_err(unreadable)?;
    let title = canonical_root
        .file_name()
        .map_or_else(|| "Workspace".into(), |name| name.to_string_lossy().into_owned());
    let mut reading = Reading {
        root: Folder::default(),
        others: BTreeMap::new(),
        left_out: Vec::new(),
        documents: 0,
        only_files,
        canonical_root: canonical_root.clone(),
    };
    let mut root = reading.folder(&canonical_root, String::new(), 0);
    root.path = ".".into();
    root.title = title;
    reading.root = root;
    Ok(reading)
}

/// A folder that was built into the program. Files that are not UTF-8 text are no documents.
pub(super) fn embedded(dir: &'static Dir<'static>) -> Reading {
    let mut reading = Reading {
        root: Folder::default(),
        others: BTreeMap::new(),
        left_out: Vec::new(),
        documents: 0,
        only_files: false,
        canonical_root: PathBuf::new(),
    };
    reading.root = Folder { path: ".".into(), ..reading.embedded_folder(dir, 0) };
    reading
}

impl Reading {
    /// Of no folder.
    #[cfg(test)]
    pub(super) fn empty() -> Self {
        Self {
            root: Folder::default(),
            others: BTreeMap::new(),
            left_out: Vec::new(),
            documents: 0,
            only_files: false,
            canonical_root: PathBuf::new(),
        }
    }

    fn leave_out(&mut self, path: &str, reason: impl std::fmt::Display) {
        self.left_out.push(format!("{path}: {reason}"));
    }

    fn folder(&mut self, at: &Path, path: String, depth: usize) -> Folder {
        let name = at.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let mut folder = Folder { path, title: name.clone(), file_name: name, ..Folder::default() };
        let entries = match fs::read_dir(at) {
            Ok(entries) => entries,
            Err(error) => {
                self.leave_out(&folder.path, format_args!("cannot be listed: {error}"));
                return folder;
            }
        };
        let mut names: Vec<(String, PathBuf)> = Vec::new();
        for entry in entries.filter_map(Result::ok) {
            match entry.file_name().into_string() {
                Ok(name) if NOT_CONTENT.contains(&name.as_str()) => {}
                Ok(name) => names.push((name, entry.path())),
                Err(name) => {
                    let shown = format!("{}/{}", folder.path, name.to_string_lossy());
                    self.leave_out(shown.trim_start_matches('/'), "its name is not UTF-8");
                }
            }
        }
        names.sort();
        for (name, at) in names {
            let path = if folder.path.is_empty() { name.clone() } else { format!("{}/{name}", folder.path) };
            self.entry(&mut folder, name, path, &at, depth);
        }
        folder
    }

    fn embedded_folder(&mut self, dir: &'static Dir<'static>, depth: usize) -> Folder {
        let path = dir.path().to_string_lossy().into_owned();
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        let mut folder = Folder { path, title: name.clone(), file_name: name, ..Folder::default() };
        let mut entries: Vec<&'static DirEntry<'static>> = dir.entries().iter().collect();
        entries.sort_by_key(|entry| entry.path());
        for entry in entries {
            match entry {
                DirEntry::Dir(dir) if depth < MAX_FOLDER_DEPTH => {
                    let child = self.embedded_folder(dir, depth + 1);
                    if !child.is_empty() {
                        folder.folders.push(child);
                    }
                }
                DirEntry::Dir(_) => {}
                DirEntry::File(file) => {
                    let path = file.path().to_string_lossy().into_owned();
                    let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
                    match file.contents_utf8() {
                        Some(text) if is_markdown(&name) => {
                            folder.documents.push(document(name, path, text, None));
                        }
                        _ => {
                            self.others.insert(path, FileContent::Bytes(Bytes::from_static(file.contents())));
                        }
                    }
                }
            }
        }
        folder
    }

    fn entry(&mut self, folder: &mut Folder, name: String, path: String, at: &Path, depth: usize) {
        let Some(kind) = self.kind_of(&path, at) else { return };
        if kind.is_dir() {
            if depth >= MAX_FOLDER_DEPTH {
                return self.leave_out(&path, format_args!("lies deeper than {MAX_FOLDER_DEPTH} folders"));
            }
            let child = self.folder(at, path, depth + 1);
            if !child.is_empty() {
                folder.folders.push(child);
            }
        } else if kind.is_file() && is_markdown(&name) && !self.only_files {
            if self.documents >= MAX_DOCUMENTS {
                return self.leave_out(&path, format_args!("more than {MAX_DOCUMENTS} Markdown files"));
            }
            if let Some(document) = self.document(name, path, at, &kind) {
                self.documents += 1;
                folder.documents.push(document);
            }
        } else if kind.is_file() {
            self.others.insert(path, FileContent::Disk(at.to_owned()));
        }
    }

    /// What an entry is. A symbolic link counts as the file it leads to if that lies in the folder; links to folders are
    /// not followed, since they may lead in circles.
    fn kind_of(&mut self, path: &str, at: &Path) -> Option<fs::Metadata> {
        let found = fs::symlink_metadata(at).and_then(|own| {
            if own.is_symlink() { Ok((fs::metadata(at)?, Some(at.canonicalize()?))) } else { Ok((own, None)) }
        });
        match found {
            Ok((kind, None)) => Some(kind),
            Ok((kind, Some(_))) if kind.is_dir() => {
                self.leave_out(path, "is a symbolic link to a folder; these are not followed");
                None
            }
            Ok((_, Some(target))) if !target.starts_with(&self.canonical_root) => {
                self.leave_out(path, "is a symbolic link out of the folder; these are not followed");
                None
            }
            Ok((kind, Some(_))) => Some(kind),
            Err(error) => {
                self.leave_out(path, format_args!("cannot be examined: {error}"));
                None
            }
        }
    }

    fn document(
        &mut self,
        file_name: String,
        path: String,
        at: &Path,
        kind: &fs::Metadata,
    ) -> Option<Document> {
        if kind.len() > MAX_DOCUMENT_BYTES {
            self.leave_out(&path, format_args!("is larger than {} MiB", MAX_DOCUMENT_BYTES >> 20));
            return None;
        }
        let bytes = match fs::read(at) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.leave_out(&path, format_args!("cannot be read: {error}"));
                return None;
            }
        };
        let Ok(text) = String::from_utf8(bytes) else {
            self.leave_out(&path, "is not UTF-8 text");
            return None;
        };
        let edited = kind.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        Some(document(file_name, path, &text, edited))
    }
}

/// A document from a file's text. The title is the H1 the file begins with, else the front matter's, else the file's
/// name; a heading stays in the text, so that nothing of the file is lost.
pub(super) fn document(file_name: String, path: String, text: &str, edited: Option<Timestamp>) -> Document {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (front_matter, text) = front_matter::split(text);
    let stem = file_name.rsplit_once('.').map_or(file_name.as_str(), |(stem, _)| stem);
    let named =
        || front_matter.as_ref().and_then(|front| front.fields.get("title")?.as_str().map(str::to_owned));
    let title = super::blocks::leading_title(text).or_else(named).unwrap_or_else(|| stem.to_owned());
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    Document { title, text: text.to_owned(), path, front_matter, edited, file_name }
}

fn is_markdown(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    matches!(extension.as_deref(), Some("md" | "markdown"))
}
