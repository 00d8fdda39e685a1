//! "Enhanced markdown": one line a block, children one tab deeper.

use serde_json::Value;

use super::attributes::{Tag, push_destination};
use super::inline::{Place, cells, longest_run, plain, rich_text};
use super::{BlockTree, Page, array_at, icon_text, runs, uuid_at};

pub(super) fn blocks(page: &mut Page<'_>, siblings: &[BlockTree], depth: usize) {
    let mut number = None;
    for block in siblings {
        if !page.admit(depth) {
            line(page, depth);
            page.unknown_tag(block);
            page.record_unknown(block);
            continue;
        }
        number = (block.kind() == "numbered_list_item").then(|| next_number(number, block));
        one(page, block, depth, number.unwrap_or(1));
    }
}

/// Items are numbered as they show ("1.", "2.", …: seen in answers).
fn next_number(before: Option<u64>, block: &BlockTree) -> u64 {
    let start = block.payload()["list_start_index"].as_u64();
    before.map_or_else(|| start.unwrap_or(1), |number| start.unwrap_or(number.saturating_add(1)))
}

/// Begins a line at this depth.
fn line(page: &mut Page<'_>, depth: usize) {
    if !page.out.is_empty() {
        page.out.push('\n');
    }
    page.out.extend(std::iter::repeat_n('\t', depth));
}

fn one(page: &mut Page<'_>, block: &BlockTree, depth: usize, number: u64) {
    match block.kind() {
        "paragraph" => paragraph(page, block, depth),
        "heading_1" => prefixed(page, block, depth, "# "),
        "heading_2" => prefixed(page, block, depth, "## "),
        "heading_3" => prefixed(page, block, depth, "### "),
        "heading_4" => prefixed(page, block, depth, "#### "),
        "bulleted_list_item" => prefixed(page, block, depth, "- "),
        "numbered_list_item" => prefixed(page, block, depth, &format!("{number}. ")),
        "to_do" if block.is_true("checked") => prefixed(page, block, depth, "- [x] "),
        "to_do" => prefixed(page, block, depth, "- [ ] "),
        "quote" => prefixed(page, block, depth, "> "),
        "toggle" => toggle(page, block, depth),
        "callout" => callout(page, block, depth),
        "code" => code(page, block, depth),
        "equation" => fenced(page, "$$", "", block.str_at("expression"), depth),
        "divider" => {
            line(page, depth);
            page.out.push_str("---");
        }
        "table_of_contents" => {
            line(page, depth);
            let color = block.color();
            Tag::new("table_of_contents").maybe("color", color.as_deref()).close_self(&mut page.out, "/>");
        }
        "table" => table(page, block, depth),
        "table_row" => row(page, block, depth),
        "column_list" => container(page, "columns", Tag::new("columns"), &block.children, depth),
        "column" => container(page, "column", Tag::new("column"), &block.children, depth),
        "synced_block" => synced(page, block, depth),
        "child_page" => child_page(page, block, depth),
        "child_database" => child_database(page, block, depth),
        "link_to_page" => link_to_page(page, block, depth),
        "image" => image(page, block, depth),
        kind @ ("video" | "pdf" | "audio" | "file") => media(page, block, kind, depth),
        "meeting_notes" => meeting_notes(page, block, depth),
        // bookmark, embed, link_preview, breadcrumb, template and `unsupported` by the table of
        // "working-with-markdown-content"; tab, which neither that table nor the format knows; and what is new tomorrow.
        _ => {
            line(page, depth);
            page.unsupported(block);
        }
    }
}

/// Text of a line that has no prefix. What would read as another block is escaped: the format lists inline characters
/// only, and this is the one place where a literal `# ` or `1. ` would change its meaning.
fn unprefixed(page: &mut Page<'_>, items: &[Value]) {
    let start = page.out.len();
    rich_text(page, items, Place::V1);
    let text = page.out[start..].trim_start();
    let indent = page.out.len() - start - text.len();
    let hashes = text.bytes().take_while(|byte| *byte == b'#').count();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    // At the end of the text too: an attribute list may follow, with a space before it.
    let ends_marker = |rest: Option<&str>| rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    let is_heading = (1..=4).contains(&hashes) && ends_marker(text.get(hashes..));
    let is_number = digits > 0 && ends_marker(text[digits..].strip_prefix('.'));
    let is_item = ends_marker(text.strip_prefix('-'));
    // An exclamation mark before a link would make it an image.
    let escape_at =
        if is_heading || is_item || ["---", ":::", "!["].iter().any(|start| text.starts_with(start)) {
            Some(0)
        } else {
            is_number.then_some(digits)
        };
    if let Some(offset) = escape_at {
        page.out.insert(start + indent + offset, '\\');
    }
    // A tab at the start of a line is indentation.
    let tabs = page.out[start..].bytes().take_while(|byte| *byte == b'\t').count();
    page.out.replace_range(start..start + tabs, &" ".repeat(tabs));
}

fn paragraph(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    line(page, depth);
    if runs::plain_text(block.rich_text()).trim().is_empty() && !has_mention(block.rich_text()) {
        page.out.push_str("<empty-block/>");
    } else {
        unprefixed(page, block.rich_text());
        attribute_list(page, block, false);
    }
    blocks(page, &block.children, depth + 1);
}

fn has_mention(items: &[Value]) -> bool {
    items.iter().any(|item| item["type"] != "text")
}

fn prefixed(page: &mut Page<'_>, block: &BlockTree, depth: usize, prefix: &str) {
    line(page, depth);
    page.out.push_str(prefix);
    rich_text(page, block.rich_text(), Place::V1);
    attribute_list(page, block, block.is_true("is_toggleable"));
    blocks(page, &block.children, depth + 1);
}

/// `{toggle="true" color="blue"}`
fn attribute_list(page: &mut Page<'_>, block: &BlockTree, is_toggle: bool) {
    let color = block.color();
    if !is_toggle && color.is_none() {
        return;
    }
    page.out.push_str(" {");
    if is_toggle {
        page.out.push_str("toggle=\"true\"");
    }
    if let Some(color) = color {
        if is_toggle {
            page.out.push(' ');
        }
        page.out.push_str("color=\"");
        page.out.push_str(&color);
        page.out.push('"');
    }
    page.out.push('}');
}

fn open(page: &mut Page<'_>, tag: Tag, depth: usize) {
    line(page, depth);
    tag.open(&mut page.out);
}

fn close(page: &mut Page<'_>, name: &str, depth: usize) {
    line(page, depth);
    close_here(page, name);
}

fn close_here(page: &mut Page<'_>, name: &str) {
    page.out.push_str("</");
    page.out.push_str(name);
    page.out.push('>');
}

fn container(page: &mut Page<'_>, name: &str, tag: Tag, children: &[BlockTree], depth: usize) {
    open(page, tag, depth);
    blocks(page, children, depth + 1);
    close(page, name, depth);
}

fn toggle(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    open(page, Tag::new("details").maybe("color", block.color().as_deref()), depth);
    open(page, Tag::new("summary"), depth);
    rich_text(page, block.rich_text(), Place::V1);
    close_here(page, "summary");
    blocks(page, &block.children, depth + 1);
    close(page, "details", depth);
}

fn callout(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    let icon = icon_text(&block.payload()["icon"]);
    let tag = Tag::new("callout").maybe("icon", icon.as_deref()).maybe("color", block.color().as_deref());
    open(page, tag, depth);
    if !block.rich_text().is_empty() {
        line(page, depth + 1);
        unprefixed(page, block.rich_text());
    }
    blocks(page, &block.children, depth + 1);
    close(page, "callout", depth);
}

fn code(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    let text = runs::plain_text(block.rich_text());
    let fence = "`".repeat(longest_run(&text, '`').max(2) + 1);
    fenced(page, &fence, block.str_at("language"), &text, depth);
    // The format has no place for a code block's caption; a line of its own loses nothing.
    if !block.caption().is_empty() {
        line(page, depth);
        unprefixed(page, block.caption());
    }
}

/// Literal lines between fences; each is indented like the block, so that the reader takes off `depth` tabs.
fn fenced(page: &mut Page<'_>, fence: &str, language: &str, text: &str, depth: usize) {
    line(page, depth);
    page.out.push_str(fence);
    page.out.push_str(language);
    for text_line in text.split('\n') {
        line(page, depth);
        page.out.push_str(text_line.trim_end_matches('\r'));
    }
    line(page, depth);
    page.out.push_str(fence);
}

/// Rows and cells stand at the depth of the table (seen in answers; the format's sample indents them).
fn table(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    let tag = Tag::new("table")
        .flag("header-row", block.is_true("has_column_header"))
        .flag("header-column", block.is_true("has_row_header"));
    open(page, tag, depth);
    let mut cut = Vec::new();
    for child in &block.children {
        if page.admit(depth + 1) {
            row(page, child, depth);
        } else {
            cut.push(child);
        }
    }
    close(page, "table", depth);
    for child in cut {
        line(page, depth);
        page.unknown_tag(child);
        page.record_unknown(child);
    }
}

fn row(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    open(page, Tag::new("tr"), depth);
    for cell in cells(block) {
        open(page, Tag::new("td"), depth);
        rich_text(page, cell, Place::V1);
        close_here(page, "td");
    }
    close(page, "tr", depth);
}

fn synced(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    let Some((name, url)) = page.synced_tag(block, "synced_block", "synced_block_reference") else {
        line(page, depth);
        page.unknown_tag(block);
        return page.record_unknown(block);
    };
    container(page, name, Tag::new(name).with("url", &url), &block.children, depth);
}

fn child_page(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    line(page, depth);
    let Some(entry) = block.id().and_then(|id| page.directory.page(id)) else {
        page.unknown_tag(block);
        return page.record_unknown(block);
    };
    Tag::new("page").with("url", &entry.url).open(&mut page.out);
    plain(&mut page.out, &entry.title, Place::V1);
    close_here(page, "page");
}

fn child_database(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    line(page, depth);
    let Some(entry) = block.id().and_then(|id| page.directory.database(id)) else {
        page.unknown_tag(block);
        return page.record_unknown(block);
    };
    super::v2::database_tag(&entry).open(&mut page.out);
    plain(&mut page.out, &entry.title, Place::V1);
    close_here(page, "database");
}

/// Neither dialect has a block for this; a line with a mention is how such a block reads. A link to a comment is unknown.
fn link_to_page(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    line(page, depth);
    match super::v2::mention_of_link(block) {
        Some(item) => rich_text(page, &[item], Place::V1),
        None => page.unsupported(block),
    }
}

fn image(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    line(page, depth);
    page.out.push_str("![");
    rich_text(page, block.caption(), Place::V1);
    page.out.push_str("](");
    push_destination(&mut page.out, block.media_url());
    page.out.push(')');
    attribute_list(page, block, false);
}

/// A file block's name is not shown ("working-with-markdown-content").
fn media(page: &mut Page<'_>, block: &BlockTree, name: &str, depth: usize) {
    open(page, Tag::new(name).with("src", block.media_url()).maybe("color", block.color().as_deref()), depth);
    rich_text(page, block.caption(), Place::V1);
    close_here(page, name);
}

fn meeting_notes(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    open(page, Tag::new("meeting-notes"), depth);
    if !array_at(block.payload(), "title").is_empty() {
        line(page, depth + 1);
        unprefixed(page, array_at(block.payload(), "title"));
    }
    for (section, name) in sections(block, ["summary", "notes", "transcript"]) {
        open(page, Tag::new(name), depth + 1);
        if name == "transcript" && !page.options.include_transcript {
            line(page, depth + 2);
            page.out.push_str(super::v2::TRANSCRIPT_OMITTED);
        } else {
            section_body(page, section, depth + 2);
        }
        close(page, name, depth + 1);
    }
    close(page, "meeting-notes", depth);
}

fn section_body(page: &mut Page<'_>, section: &BlockTree, depth: usize) {
    if !section.rich_text().is_empty() {
        line(page, depth);
        unprefixed(page, section.rich_text());
    }
    blocks(page, &section.children, depth);
}

/// The parts of meeting notes that exist, in this order. A child that the payload does not name counts as notes.
pub(super) fn sections<'b>(
    block: &'b BlockTree,
    names: [&'static str; 3],
) -> Vec<(&'b BlockTree, &'static str)> {
    let ids = &block.payload()["children"];
    let name_of = |child: &BlockTree| {
        let id = child.id();
        let named =
            names.into_iter().find(|name| id.is_some() && uuid_at(ids, &format!("{name}_block_id")) == id);
        named.unwrap_or("notes")
    };
    let named: Vec<_> = block.children.iter().map(|child| (child, name_of(child))).collect();
    names
        .into_iter()
        .flat_map(|name| named.iter().filter(move |(_, found)| *found == name).copied())
        .collect()
}
