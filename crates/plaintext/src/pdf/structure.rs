//! What the crate walks without bounds is walked here first, or instead: nesting, the page tree, bookmarks.

use std::collections::{BTreeMap, BTreeSet};

use memchr::memmem;
use pdf_oxide::PdfDocument;
use pdf_oxide::object::{Object, ObjectRef};

use super::{squeezed, text_string};
use crate::Failure;

/// Arrays and dictionaries in each other. The specification advises writers against more than 28 levels of anything
/// (ISO 32000-1, annex C); the crate follows them on its stack.
const MAX_NESTING: usize = 500;

/// Nodes of the page tree above a page, and nodes in all.
const MAX_TREE_DEPTH: usize = 50;
const MAX_TREE_NODES: usize = 200_000;

/// Bookmarks within bookmarks, and bookmarks in all.
const MAX_OUTLINE_DEPTH: u8 = 6;
const MAX_OUTLINE: usize = 20_000;

/// Pages that are looked at, all names of destinations together, to find where they lead.
const MAX_NAMED_STEPS: usize = 1_000_000;

/// Refuses what would not fit on the stack. What a stream hides does not show here.
pub(super) fn check_nesting(bytes: &[u8]) -> Result<(), Failure> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(offset) = bytes[at..].iter().position(|byte| b"[]<>se".contains(byte)) {
        at += offset;
        let rest = &bytes[at..];
        let (step, length) = match rest {
            [b'[', ..] => (1, 1),
            [b'<', b'<', ..] => (1, 2),
            [b']', ..] => (-1, 1),
            [b'>', b'>', ..] => (-1, 2),
            _ if rest.starts_with(b"endobj") => {
                depth = 0;
                (0, 6)
            }
            _ if rest.starts_with(b"stream\n") || rest.starts_with(b"stream\r") => {
                (0, memmem::find(rest, b"endstream").map_or(rest.len(), |end| end + 9))
            }
            _ => (0, 1),
        };
        depth = depth.saturating_add_signed(step);
        if depth > MAX_NESTING {
            return Err(Failure::limit(format!("its objects nest deeper than {MAX_NESTING} levels")));
        }
        at += length;
    }
    Ok(())
}

/// Where a page stands among its like, by its object.
pub(super) type Pages = BTreeMap<(u32, u16), usize>;

const fn key(reference: ObjectRef) -> (u32, u16) {
    (reference.id, reference.r#gen)
}

/// The pages of the tree, each once. None if there is no tree.
pub(super) fn pages(document: &PdfDocument) -> Result<Pages, Failure> {
    let mut pages = Pages::new();
    let catalog = document.catalog().ok();
    let Some(root) =
        catalog.as_ref().and_then(Object::as_dict).and_then(|catalog| catalog.get("Pages")?.as_reference())
    else {
        return Ok(pages);
    };
    let mut seen = BTreeSet::new();
    let mut open = vec![(root, 0)];
    while let Some((node, depth)) = open.pop() {
        if depth > MAX_TREE_DEPTH {
            return Err(Failure::limit(format!("its pages nest deeper than {MAX_TREE_DEPTH} levels")));
        }
        if !seen.insert(key(node)) {
            continue;
        }
        let Ok(object) = document.load_object(node) else { continue };
        let Some(node_of) = object.as_dict() else { continue };
        match node_of.get("Kids").and_then(|kids| document.resolve_object(kids).ok()) {
            Some(kids) => {
                let kids = kids.as_array().map(Vec::as_slice).unwrap_or_default();
                let room = MAX_TREE_NODES.saturating_sub(seen.len() + open.len());
                open.extend(
                    kids.iter().take(room).rev().filter_map(|kid| Some((kid.as_reference()?, depth + 1))),
                );
            }
            None => {
                pages.insert(key(node), pages.len());
            }
        }
    }
    Ok(pages)
}

/// Titles without white space, with their levels, by the page that they lead to.
pub(super) type Bookmarks = BTreeMap<usize, Vec<(u8, String)>>;

/// The bookmarks that lead to a page.
pub(super) fn bookmarks(document: &PdfDocument, pages: &Pages) -> Bookmarks {
    let mut walk = Walk { document, pages, named_steps: 0, by_page: Bookmarks::new() };
    let mut seen = BTreeSet::new();
    let catalog = document.catalog().ok();
    let outlines = catalog.as_ref().and_then(Object::as_dict).and_then(|catalog| catalog.get("Outlines"));
    let outlines = outlines.and_then(|outlines| document.resolve_object(outlines).ok());
    let mut open: Vec<(ObjectRef, u8)> = Vec::new();
    open.extend(reference(outlines.as_ref(), "First").map(|first| (first, 1)));
    while let Some((item, level)) = open.pop() {
        if seen.len() >= MAX_OUTLINE || !seen.insert(key(item)) {
            continue;
        }
        let Ok(item) = document.load_object(item) else { continue };
        walk.add(&item, level);
        open.extend(reference(Some(&item), "Next").map(|next| (next, level)));
        if level < MAX_OUTLINE_DEPTH {
            open.extend(reference(Some(&item), "First").map(|first| (first, level + 1)));
        }
    }
    walk.by_page
}

fn reference(object: Option<&Object>, name: &str) -> Option<ObjectRef> {
    object?.as_dict()?.get(name)?.as_reference()
}

struct Walk<'a> {
    document: &'a PdfDocument,
    pages: &'a Pages,
    named_steps: usize,
    by_page: Bookmarks,
}

impl Walk<'_> {
    fn add(&mut self, item: &Object, level: u8) {
        let title = self.value(item, "Title");
        let Some(title) =
            title.as_ref().and_then(Object::as_string).map(|title| squeezed(&text_string(title)))
        else {
            return;
        };
        let destination = self.value(item, "Dest").or_else(|| self.value(&self.value(item, "A")?, "D"));
        if let Some(page) = destination.and_then(|destination| self.page_of(&destination))
            && !title.is_empty()
        {
            self.by_page.entry(page).or_default().push((level, title));
        }
    }

    fn value(&self, object: &Object, name: &str) -> Option<Object> {
        self.document.resolve_object(object.as_dict()?.get(name)?).ok()
    }

    fn page_of(&mut self, destination: &Object) -> Option<usize> {
        match destination {
            Object::Array(place) => self.pages.get(&key(place.first()?.as_reference()?)).copied(),
            Object::Name(name) => self.named(name),
            Object::String(name) => self.named(&String::from_utf8_lossy(name)),
            _ => None,
        }
    }

    fn named(&mut self, name: &str) -> Option<usize> {
        self.named_steps = self.named_steps.saturating_add(self.pages.len());
        if self.named_steps > MAX_NAMED_STEPS {
            return None;
        }
        self.document.resolve_named_destination(name).ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted_in_objects_and_not_in_streams() {
        let deep =
            |levels: usize| format!("1 0 obj {}{} endobj", "[<</A".repeat(levels), ">>]".repeat(levels));
        assert!(check_nesting(deep(200).as_bytes()).is_ok());
        assert!(check_nesting(deep(300).as_bytes()).is_err());
        assert!(check_nesting("1 0 obj [ endobj ".repeat(1_000).as_bytes()).is_ok());
        let stream = format!("<</Length 9>>stream\n{}endstream", "[".repeat(1_000));
        assert!(check_nesting(stream.as_bytes()).is_ok());
        assert!(check_nesting(format!("<</Length 9>>stream\n{}", "[".repeat(1_000)).as_bytes()).is_ok());
    }
}
