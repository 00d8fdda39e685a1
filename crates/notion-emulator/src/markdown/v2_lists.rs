//! Lists of v2. A run of items is a CommonMark list if every item in it, at every depth, needs nothing but text and
//! nested items; otherwise the whole run takes the tag form.

use super::attributes::Tag;
use super::v2::{close, colored, cut, stands_alone, text_lines, titled, todo};
use super::{BlockTree, MAX_DEPTH, Page};

/// Nested lists deeper than this take the tag form, which needs no indentation.
const MAX_PLAIN_DEPTH: usize = 32;

/// Whether a block is an item of a list.
pub(super) fn is_item(block: &BlockTree) -> bool {
    matches!(block.kind(), "bulleted_list_item" | "numbered_list_item" | "to_do")
}

/// Renders the first run of items of one kind and returns its length.
pub(super) fn run(page: &mut Page<'_>, siblings: &[BlockTree], depth: usize) -> usize {
    let kind = siblings.first().map_or("", BlockTree::kind);
    let length = siblings.iter().take_while(|block| block.kind() == kind).count();
    let items = &siblings[..length];
    let size = items.iter().try_fold(0_usize, |sum, item| Some(sum + plain_size(item, 0)?));
    match size {
        Some(size) if size <= page.remaining && depth + MAX_PLAIN_DEPTH < MAX_DEPTH => {
            page.remaining -= size;
            plain_list(page, items, "");
        }
        _ => tag_list(page, items, depth),
    }
    length
}

/// Number of blocks in an item that can be written without tags; none if it cannot.
fn plain_size(item: &BlockTree, depth: usize) -> Option<usize> {
    let list_format = item.payload()["list_format"].as_str().unwrap_or("numbers");
    let fits = is_item(item)
        && depth < MAX_PLAIN_DEPTH
        && item.color().is_none()
        && list_format == "numbers"
        && stands_alone(item.rich_text());
    if !fits {
        return None;
    }
    item.children.iter().try_fold(1_usize, |sum, child| Some(sum + plain_size(child, depth + 1)?))
}

/// Tight items; nested lists are indented by the width of their item's marker. A change of kind is a new list.
fn plain_list(page: &mut Page<'_>, items: &[BlockTree], indent: &str) {
    let mut before: Option<&str> = None;
    let mut number = 0_u64;
    for item in items {
        if let Some(kind) = before {
            page.out.push_str(if kind == item.kind() { "\n" } else { "\n\n" });
            page.out.push_str(indent);
        }
        if before != Some(item.kind()) {
            number = 0;
        }
        before = Some(item.kind());
        number = item.payload()["list_start_index"].as_u64().unwrap_or(number.saturating_add(1));
        // CommonMark reads numbers of up to nine digits.
        number = number.min(999_999_999);
        let marker = match item.kind() {
            "numbered_list_item" => format!("{number}. "),
            _ => "- ".to_owned(),
        };
        page.out.push_str(&marker);
        if item.kind() == "to_do" {
            page.out.push_str(if item.is_true("checked") { "[x] " } else { "[ ] " });
        }
        let inner = format!("{indent}{}", " ".repeat(marker.len()));
        text_lines(page, item.rich_text(), &inner);
        if !item.children.is_empty() {
            page.out.push('\n');
            page.out.push_str(&inner);
            plain_list(page, &item.children, &inner);
        }
    }
}

/// `<ul>` and `<ol>` with `<li>`; to-dos have a tag of their own and no list around it.
fn tag_list(page: &mut Page<'_>, items: &[BlockTree], depth: usize) {
    let Some(first) = items.first() else { return };
    let (name, tag) = match first.kind() {
        "to_do" => return todos(page, items, depth),
        "bulleted_list_item" => ("ul", Tag::new("ul")),
        _ => {
            let style = match first.payload()["list_format"].as_str() {
                Some("letters") => Some("a"),
                Some("roman") => Some("i"),
                _ => None,
            };
            ("ol", Tag::new("ol").maybe("type", style))
        }
    };
    tag.open(&mut page.out);
    for item in items {
        page.out.push('\n');
        if page.admit(depth) {
            titled(page, "li", colored("li", item), item.rich_text(), &item.children, depth);
        } else {
            cut(page, item);
        }
    }
    page.out.push('\n');
    close(page, name);
}

fn todos(page: &mut Page<'_>, items: &[BlockTree], depth: usize) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            page.out.push_str("\n\n");
        }
        let is_plain = item.children.is_empty() && plain_size(item, 0).is_some();
        if !page.admit(depth) {
            cut(page, item);
        } else if is_plain {
            page.out.push_str(if item.is_true("checked") { "- [x] " } else { "- [ ] " });
            text_lines(page, item.rich_text(), "  ");
        } else {
            todo(page, item, depth);
        }
    }
}
