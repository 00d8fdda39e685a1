//! "Notion-flavored Markdown": blocks separated by blank lines; plain CommonMark where a block has neither attributes
//! nor children nor edge spaces, a tag otherwise.

use serde_json::{Value, json};

use super::attributes::{Tag, push_destination};
use super::inline::{Place, cells, longest_run, plain, rich_text};
use super::v1::sections;
use super::{BlockTree, DatabaseEntry, Page, array_at, icon_text, runs, uuid_at, v2_lists};

/// Body of a transcript that was not asked for. The format fixes the first two words only.
pub(super) const TRANSCRIPT_OMITTED: &str =
    "Transcript omitted. Request the page again with include_transcript=true to load it.";

/// Renders siblings; the first begins where the output stands.
pub(super) fn blocks(page: &mut Page<'_>, siblings: &[BlockTree], depth: usize) {
    let mut at = 0;
    while let Some(block) = siblings.get(at) {
        if at > 0 {
            page.out.push_str("\n\n");
        }
        if v2_lists::is_item(block) {
            at += v2_lists::run(page, &siblings[at..], depth);
            continue;
        }
        at += 1;
        if page.admit(depth) {
            one(page, block, depth);
        } else {
            cut(page, block);
        }
    }
}

pub(super) fn cut(page: &mut Page<'_>, block: &BlockTree) {
    page.unknown_tag(block);
    page.record_unknown(block);
}

fn one(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    match block.kind() {
        "paragraph" => paragraph(page, block, depth),
        "heading_1" => heading(page, block, 1, depth),
        "heading_2" => heading(page, block, 2, depth),
        "heading_3" => heading(page, block, 3, depth),
        "heading_4" => heading(page, block, 4, depth),
        "to_do" => todo(page, block, depth),
        "quote" => quote(page, block, depth),
        "toggle" => {
            titled(page, "toggle", colored("toggle", block), block.rich_text(), &block.children, depth);
        }
        "callout" => callout(page, block, depth),
        "code" => code(page, block),
        "equation" => {
            page.out.push_str("$$\n");
            page.out.push_str(block.str_at("expression"));
            page.out.push_str("\n$$");
        }
        "divider" => page.out.push_str("---"),
        "table_of_contents" => colored("table-of-contents", block).close_self(&mut page.out, " />"),
        "table" => table(page, block, depth),
        "table_row" => row(page, block, RowHeads::default()),
        "column_list" => column_list(page, block, depth),
        "column" => column(page, block, depth),
        "tab" => tabs(page, block, depth),
        "synced_block" => synced(page, block, depth),
        "child_page" => child_page(page, block),
        "child_database" => child_database(page, block),
        "link_to_page" => match mention_of_link(block) {
            Some(item) => rich_text(page, &[item], Place::Lines("")),
            None => page.unsupported(block),
        },
        "image" => image(page, block),
        kind @ ("video" | "pdf" | "audio" | "file" | "bookmark" | "embed") => media(page, block, kind),
        "link_preview" => link_preview(page, block),
        "meeting_notes" => meeting_notes(page, block, depth),
        "folder" => folder(page, block),
        "mail" => {
            let tag = Tag::new("mail").maybe("url", block.payload()["url"].as_str());
            titled(page, "mail", tag, block.rich_text(), &block.children, depth);
        }
        "custom_block" => Tag::new("custom-block")
            .maybe("definition-id", block.payload()["definition_id"].as_str())
            .with("url", &page.url_of(block))
            .close_self(&mut page.out, " />"),
        "external_object_instance" => {
            external_object(page, block.str_at("integration"), block.rich_text(), block.media_url());
        }
        // breadcrumb, template, `unsupported` and what is new tomorrow have no form.
        _ => page.unsupported(block),
    }
}

pub(super) fn colored(name: &str, block: &BlockTree) -> Tag {
    Tag::new(name).maybe("color", block.color().as_deref())
}

pub(super) fn close(page: &mut Page<'_>, name: &str) {
    page.out.push_str("</");
    page.out.push_str(name);
    page.out.push('>');
}

/// Whether text can stand without a tag: it has something to show and no edge spaces. Line breaks at the edges count
/// as spaces; a hard break needs text on both sides.
pub(super) fn stands_alone(items: &[Value]) -> bool {
    let text = runs::plain_text(items);
    text.trim() == text && (!text.is_empty() || items.iter().any(|item| item["type"] != "text"))
}

/// Lines of text, with an escape wherever a line would begin another block. Edge spaces of lines inside the text
/// cannot be kept, edge spaces of the whole only on one line with its tag.
pub(super) fn text_lines(page: &mut Page<'_>, items: &[Value], prefix: &str) {
    let start = page.out.len();
    rich_text(page, items, Place::Lines(prefix));
    let written = page.out.split_off(start);
    for (at, line) in written.split('\n').enumerate() {
        let (before, text) = if at == 0 { ("", line) } else { line.split_at(prefix.len().min(line.len())) };
        if at > 0 {
            page.out.push('\n');
        }
        page.out.push_str(before);
        let (left, right) = text.split_at(escape_at(text).unwrap_or(0));
        page.out.push_str(left);
        if escape_at(text).is_some() {
            page.out.push('\\');
        }
        page.out.push_str(right);
    }
}

/// Where a backslash keeps a line from being a heading, list item, quote, underline, table or rule. `<`, backticks and tildes
/// are escaped wherever they are syntax.
fn escape_at(line: &str) -> Option<usize> {
    // Spaces before a marker do not keep it from being one.
    let text = line.trim_start_matches([' ', '\t']);
    escape_in(text).map(|at| line.len() - text.len() + at)
}

fn escape_in(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let ends_marker = |at: usize| matches!(bytes.get(at), None | Some(b' ' | b'\t'));
    let run_of = |wanted: u8| bytes.iter().take_while(|byte| **byte == wanted).count();
    match bytes.first()? {
        b'>' | b'=' => Some(0),
        b'#' => ends_marker(run_of(b'#')).then_some(0),
        b'+' => ends_marker(1).then_some(0),
        b'-' => (ends_marker(1) || bytes[1] == b'-').then_some(0),
        // What could be the line below the head of a pipe table.
        b'|' => Some(0),
        b':' => (text.starts_with(":::") || text.starts_with(":-")).then_some(0),
        digit if digit.is_ascii_digit() => {
            let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            (matches!(bytes.get(digits), Some(b'.' | b')')) && ends_marker(digits + 1)).then_some(digits)
        }
        _ => None,
    }
}

/// `<name>title</name>`, or over several lines: title, blank line, children. `<p />` is an empty title.
pub(super) fn titled(
    page: &mut Page<'_>,
    name: &str,
    tag: Tag,
    title: &[Value],
    children: &[BlockTree],
    depth: usize,
) {
    tag.open(&mut page.out);
    if children.is_empty() {
        text_lines(page, title, "");
        return close(page, name);
    }
    page.out.push('\n');
    if runs::plain_text(title).trim().is_empty() && title.iter().all(|item| item["type"] == "text") {
        page.out.push_str("<p />");
    } else {
        text_lines(page, title, "");
    }
    page.out.push_str("\n\n");
    blocks(page, children, depth + 1);
    page.out.push('\n');
    close(page, name);
}

/// A container without title. Blank lines at its edges would be content.
fn untitled(page: &mut Page<'_>, name: &str, tag: Tag, children: &[BlockTree], depth: usize) {
    tag.open(&mut page.out);
    if !children.is_empty() {
        page.out.push('\n');
        blocks(page, children, depth + 1);
        page.out.push('\n');
    }
    close(page, name);
}

fn paragraph(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    let text = block.rich_text();
    if block.children.is_empty() && block.color().is_none() {
        if text.is_empty() {
            return page.out.push_str("<p />");
        }
        if stands_alone(text) {
            return text_lines(page, text, "");
        }
    }
    titled(page, "p", colored("p", block), text, &block.children, depth);
}

fn heading(page: &mut Page<'_>, block: &BlockTree, level: usize, depth: usize) {
    let text = block.rich_text();
    let name = format!("h{level}");
    if block.is_true("is_toggleable") {
        let tag = Tag::new("toggle").with("heading", &name).maybe("color", block.color().as_deref());
        return titled(page, "toggle", tag, text, &block.children, depth);
    }
    let shown = runs::plain_text(text);
    let plain_form = block.children.is_empty() && block.color().is_none() && stands_alone(text);
    // A `#` heading is one line, and closing hashes are not part of its text.
    if plain_form && !shown.contains('\n') && !shown.ends_with('#') {
        page.out.push_str(&"#".repeat(level));
        page.out.push(' ');
        return rich_text(page, text, Place::Lines(""));
    }
    titled(page, &name, colored(&name, block), text, &block.children, depth);
}

fn quote(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    let text = block.rich_text();
    if block.children.is_empty() && block.color().is_none() && stands_alone(text) {
        page.out.push_str("> ");
        return text_lines(page, text, "> ");
    }
    titled(page, "quote", colored("quote", block), text, &block.children, depth);
}

/// The tag form; `- [ ]` is a list's matter.
pub(super) fn todo(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    let checked = if block.is_true("checked") { "true" } else { "false" };
    let tag = Tag::new("todo").with("checked", checked).maybe("color", block.color().as_deref());
    titled(page, "todo", tag, block.rich_text(), &block.children, depth);
}

/// A callout's own text is the first line of its body; without it the body begins with the children.
fn callout(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    let icon = icon_text(&block.payload()["icon"]);
    let tag = Tag::new("callout").maybe("icon", icon.as_deref()).maybe("color", block.color().as_deref());
    if block.rich_text().is_empty() {
        return untitled(page, "callout", tag, &block.children, depth);
    }
    tag.open(&mut page.out);
    page.out.push('\n');
    text_lines(page, block.rich_text(), "");
    if !block.children.is_empty() {
        page.out.push_str("\n\n");
        blocks(page, &block.children, depth + 1);
    }
    page.out.push('\n');
    close(page, "callout");
}

fn code(page: &mut Page<'_>, block: &BlockTree) {
    let text = runs::plain_text(block.rich_text());
    let fence = "`".repeat(longest_run(&text, '`').max(2) + 1);
    for part in [&fence, block.str_at("language"), "\n", &text, "\n", &fence] {
        page.out.push_str(part);
    }
    // The format has no place for a code block's caption; a paragraph loses nothing.
    if !block.caption().is_empty() {
        page.out.push_str("\n\n");
        text_lines(page, block.caption(), "");
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct RowHeads {
    is_head: bool,
    first_cell: bool,
}

/// A pipe table has a head row and knows no head column: other tables take the tag form.
fn table(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    let has_head = block.is_true("has_column_header");
    let heads_column = block.is_true("has_row_header");
    let width = block.children.iter().map(|row| cells(row).count()).max().unwrap_or(0);
    let fits = block.children.len() <= page.remaining && width > 0;
    if has_head && !heads_column && fits {
        return pipe_table(page, block, width);
    }
    Tag::new("table").flag("header-row", has_head).flag("header-column", heads_column).open(&mut page.out);
    page.out.push('\n');
    let mut left_out = Vec::new();
    for (at, child) in block.children.iter().enumerate() {
        if page.admit(depth + 1) {
            row(page, child, RowHeads { is_head: has_head && at == 0, first_cell: heads_column });
            page.out.push('\n');
        } else {
            left_out.push(child);
        }
    }
    close(page, "table");
    for child in left_out {
        page.out.push_str("\n\n");
        cut(page, child);
    }
}

fn row(page: &mut Page<'_>, block: &BlockTree, heads: RowHeads) {
    page.out.push_str("<tr>\n");
    for (at, cell) in cells(block).enumerate() {
        let name = if heads.is_head || (heads.first_cell && at == 0) { "th" } else { "td" };
        Tag::new(name).open(&mut page.out);
        rich_text(page, cell, Place::Tagged);
        close(page, name);
        page.out.push('\n');
    }
    close(page, "tr");
}

fn pipe_table(page: &mut Page<'_>, block: &BlockTree, width: usize) {
    page.remaining -= block.children.len();
    for (at, child) in block.children.iter().enumerate() {
        if at > 0 {
            page.out.push('\n');
        }
        page.out.push('|');
        let mut written = 0;
        for cell in cells(child) {
            page.out.push(' ');
            let start = page.out.len();
            rich_text(page, cell, Place::Tagged);
            // Wherever it stands, in code, formulas and addresses too (GFM "tables").
            let escaped = page.out.split_off(start).replace('|', "\\|");
            page.out.push_str(&escaped);
            page.out.push_str(" |");
            written += 1;
        }
        page.out.push_str(&"  |".repeat(width - written));
        if at == 0 {
            page.out.push_str("\n|");
            page.out.push_str(&" --- |".repeat(width));
        }
    }
}

fn column_list(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    page.out.push_str("<columns>");
    for child in &block.children {
        page.out.push('\n');
        if !page.admit(depth + 1) {
            cut(page, child);
        } else if child.kind() == "column" {
            column(page, child, depth + 1);
        } else {
            one(page, child, depth + 1);
        }
    }
    page.out.push('\n');
    close(page, "columns");
}

/// The API gives a fraction of the list's width, the format a percentage.
fn column(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    let ratio = block.payload()["width_ratio"].as_f64().map(|part| format!("{:.0}", part * 100.0));
    untitled(page, "column", Tag::new("column").maybe("ratio", ratio.as_deref()), &block.children, depth);
}

/// Children of a `tab` block are paragraphs: a tab's label and icon, and in them the tab's body.
fn tabs(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    page.out.push_str("<tabs>");
    for child in &block.children {
        page.out.push('\n');
        if page.admit(depth + 1) {
            let icon = icon_text(&child.payload()["icon"]);
            let tag = Tag::new("tab").maybe("icon", icon.as_deref());
            titled(page, "tab", tag, child.rich_text(), &child.children, depth + 1);
        } else {
            cut(page, child);
        }
    }
    page.out.push('\n');
    close(page, "tabs");
}

fn synced(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    let Some((name, url)) = page.synced_tag(block, "synced-block", "synced-block-reference") else {
        return cut(page, block);
    };
    untitled(page, name, Tag::new(name).with("url", &url), &block.children, depth);
}

fn child_page(page: &mut Page<'_>, block: &BlockTree) {
    let Some(entry) = block.id().and_then(|id| page.directory.page(id)) else { return cut(page, block) };
    Tag::new("page").with("url", &entry.url).open(&mut page.out);
    plain(&mut page.out, &entry.title, Place::Tagged);
    close(page, "page");
}

fn child_database(page: &mut Page<'_>, block: &BlockTree) {
    let Some(entry) = block.id().and_then(|id| page.directory.database(id)) else { return cut(page, block) };
    database_tag(&entry).open(&mut page.out);
    plain(&mut page.out, &entry.title, Place::Tagged);
    close(page, "database");
}

/// The opening tag, the same in both dialects. `data-source-url` names one data source: of several it names the first.
pub(super) fn database_tag(entry: &DatabaseEntry) -> Tag {
    let source = entry.data_source_ids.first().map(|id| format!("collection://{id}"));
    Tag::new("database")
        .with("url", &entry.url)
        .flag("inline", entry.is_inline)
        .maybe("icon", entry.icon.as_deref())
        .maybe("data-source-url", source.as_deref())
        .flag("wiki", entry.is_wiki)
}

/// A `link_to_page` block as a mention; none for a link to a comment.
pub(super) fn mention_of_link(block: &BlockTree) -> Option<Value> {
    let payload = block.payload();
    let (kind, key) = match payload["type"].as_str()? {
        "page_id" => ("page", "page_id"),
        "database_id" => ("database", "database_id"),
        _ => return None,
    };
    let id = uuid_at(payload, key)?;
    Some(json!({"type": "mention", "mention": {"type": kind, kind: {"id": id}}, "plain_text": ""}))
}

fn image(page: &mut Page<'_>, block: &BlockTree) {
    if block.color().is_some() || runs::plain_text(block.caption()).contains('\n') {
        return media(page, block, "image");
    }
    page.out.push_str("![");
    rich_text(page, block.caption(), Place::Tagged);
    page.out.push_str("](");
    push_destination(&mut page.out, block.media_url());
    page.out.push(')');
}

/// A file block's name has no attribute in the format, so it is not shown, as in v1.
fn media(page: &mut Page<'_>, block: &BlockTree, name: &str) {
    Tag::new(name)
        .with("source", block.media_url())
        .maybe("color", block.color().as_deref())
        .open(&mut page.out);
    rich_text(page, block.caption(), Place::Tagged);
    close(page, name);
}

/// The format knows placeholders for three services; a preview of another site is unknown.
fn link_preview(page: &mut Page<'_>, block: &BlockTree) {
    let url = block.media_url();
    let host = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?', '#']).next();
    let integration = match host.unwrap_or_default().trim_start_matches("www.") {
        "github.com" => "github",
        "figma.com" => "figma",
        "drive.google.com" | "docs.google.com" => "google_drive",
        _ => return page.unsupported(block),
    };
    external_object(page, integration, &[], url);
}

fn external_object(page: &mut Page<'_>, integration: &str, label: &[Value], url: &str) {
    Tag::new("external_object_instance").with("integration", integration).open(&mut page.out);
    if label.is_empty() {
        plain(&mut page.out, url, Place::Tagged);
    } else {
        rich_text(page, label, Place::Tagged);
    }
    close(page, "external_object_instance");
}

/// A folder has an address of its own, by which the endpoint lists what is in it.
fn folder(page: &mut Page<'_>, block: &BlockTree) {
    let id = block.id().map_or_else(String::new, |id| id.simple().to_string());
    Tag::new("folder").with("url", &format!("https://app.notion.com/p/{id}")).open(&mut page.out);
    plain(&mut page.out, block.str_at("title"), Place::Tagged);
    close(page, "folder");
}

fn meeting_notes(page: &mut Page<'_>, block: &BlockTree, depth: usize) {
    let attendees: Vec<String> = array_at(&block.payload()["calendar_event"], "attendees")
        .iter()
        .filter_map(|person| person.as_str().or_else(|| person["id"].as_str()))
        .map(|id| format!("user://{id}"))
        .collect();
    let attendees = (!attendees.is_empty()).then(|| attendees.join(","));
    Tag::new("meeting-notes")
        .maybe("attendees", attendees.as_deref())
        .with("view-url", &page.url_of(block))
        .open(&mut page.out);
    page.out.push('\n');
    text_lines(page, array_at(block.payload(), "title"), "");
    for (section, part) in sections(block, ["notes", "summary", "transcript"]) {
        let name = format!("meeting-notes-section-{part}");
        page.out.push_str("\n\n");
        Tag::new(&name).open(&mut page.out);
        page.out.push('\n');
        if part == "transcript" && !page.options.include_transcript {
            page.out.push_str(TRANSCRIPT_OMITTED);
        } else {
            section_body(page, section, depth + 1);
        }
        page.out.push('\n');
        close(page, &name);
    }
    page.out.push('\n');
    close(page, "meeting-notes");
}

fn section_body(page: &mut Page<'_>, section: &BlockTree, depth: usize) {
    if !section.rich_text().is_empty() {
        text_lines(page, section.rich_text(), "");
        if !section.children.is_empty() {
            page.out.push_str("\n\n");
        }
    }
    blocks(page, &section.children, depth);
}
