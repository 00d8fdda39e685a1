//! Rich text in both dialects: escapes, marks, links, mentions, inline equations.

use serde_json::Value;

use super::attributes::{Tag, push_destination, starts_entity};
use super::runs::{Look, Run, Saying, runs};
use super::{Dialect, Page, array_at, uuid_at};

/// Where inline text stands; this decides how a line break inside a block is written and what needs an escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'p> {
    /// v1: any block. A line break is `<br>`.
    V1,
    /// v2: a block of its own. A line break is a backslash and a new line that begins with this prefix.
    Lines(&'p str),
    /// v2: a cell of a table, a caption or a title inside a tag. A line break is `<br />`.
    Tagged,
}

impl Place<'_> {
    fn dialect(self) -> Dialect {
        if self == Place::V1 { Dialect::V1 } else { Dialect::V2 }
    }
}

/// Writes rich text items.
pub(super) fn rich_text(page: &mut Page<'_>, items: &[Value], place: Place<'_>) {
    let runs = runs(items);
    let mut at = 0;
    while let Some(run) = runs.get(at) {
        // One link around all its runs: `[plain **bold**](url)`.
        let Some(url) = &run.look.link else {
            write_run(page, run, runs.get(at + 1), place);
            at += 1;
            continue;
        };
        let same = runs[at..].iter().take_while(|next| next.look.link.as_ref() == Some(url)).count();
        // CommonMark "images": an exclamation mark before a link makes it one. v1 knows images as lines of their own only.
        if place.dialect() == Dialect::V2 && at > 0 && page.out.ends_with('!') {
            page.out.insert(page.out.len() - 1, '\\');
        }
        page.out.push('[');
        for (offset, linked) in runs[at..at + same].iter().enumerate() {
            write_run(page, linked, runs[at..at + same].get(offset + 1), place);
        }
        page.out.push_str("](");
        push_destination(&mut page.out, url);
        page.out.push(')');
        at += same;
    }
}

/// Writes text that has no marks, such as a title.
pub(super) fn plain(out: &mut String, text: &str, place: Place<'_>) {
    for (at, line) in lines(text).enumerate() {
        if at > 0 {
            line_break(out, place);
        }
        escape(out, line, place);
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(|line| line.trim_end_matches('\r'))
}

fn line_break(out: &mut String, place: Place<'_>) {
    match place {
        Place::V1 => out.push_str("<br>"),
        Place::Lines(prefix) => {
            out.push_str("\\\n");
            out.push_str(prefix);
        }
        Place::Tagged => out.push_str("<br />"),
    }
}

fn write_run(page: &mut Page<'_>, run: &Run<'_>, next: Option<&Run<'_>>, place: Place<'_>) {
    match &run.saying {
        Saying::Text(text) => {
            let mut lines = lines(text).enumerate().peekable();
            while let Some((at, line)) = lines.next() {
                if at > 0 {
                    line_break(&mut page.out, place);
                }
                let ends_line = lines.peek().is_some();
                let follower = if ends_line { None } else { next };
                write_marked(&mut page.out, &run.look, line, follower, place);
            }
        }
        Saying::Equation(expression) => {
            let wrap = Wrap::tags(&run.look, place.dialect());
            page.out.push_str(&wrap.before);
            equation(&mut page.out, expression);
            page.out.push_str(&wrap.after);
        }
        Saying::Citation(url, label) => {
            // "enhanced-markdown" has a form for citations; v2 names none, so there a citation is the link that it is.
            if place == Place::V1 {
                page.out.push_str("[^");
                push_destination(&mut page.out, &url.replace(']', "%5D"));
                return page.out.push(']');
            }
            page.out.push('[');
            plain(&mut page.out, label, place);
            page.out.push_str("](");
            push_destination(&mut page.out, url);
            page.out.push(')');
        }
        Saying::Mention(mention, plain_text) => {
            let wrap = Wrap::tags(&run.look, place.dialect());
            page.out.push_str(&wrap.before);
            write_mention(page, mention, plain_text, place);
            page.out.push_str(&wrap.after);
        }
    }
}

/// `$x$`; with backticks inside when the expression holds delimiters of markdown ("enhanced-markdown", inline math).
fn equation(out: &mut String, expression: &str) {
    let marks = expression.contains(['*', '~', '`', '$', '[', ']', '<', '>', '|']);
    out.push_str(if marks { "$`" } else { "$" });
    out.extend(expression.chars().map(|character| if character.is_control() { ' ' } else { character }));
    out.push_str(if marks { "`$" } else { "$" });
}

/// What stands around a run.
#[derive(Default)]
struct Wrap {
    before: String,
    after: String,
}

impl Wrap {
    fn around(&mut self, before: &str, after: &str) {
        self.before.push_str(before);
        self.after.insert_str(0, after);
    }

    /// Colour and underline have only a tag form. v1 carries both on one span, v2 nests `<span>` and `<u>`.
    fn spans(&mut self, look: &Look, dialect: Dialect) {
        if look.color.is_none() && look.discussions.is_none() && !look.underline {
            return;
        }
        if dialect == Dialect::V2 {
            if look.color.is_some() || look.discussions.is_some() {
                let mut tag = String::new();
                Tag::new("span")
                    .maybe("color", look.color.as_deref())
                    .maybe("discussion-urls", look.discussions.as_deref())
                    .open(&mut tag);
                self.around(&tag, "</span>");
            }
            if look.underline {
                self.around("<u>", "</u>");
            }
            return;
        }
        if look.color.is_none() && !look.underline {
            return;
        }
        let mut tag = String::new();
        Tag::new("span")
            .flag("underline", look.underline)
            .maybe("color", look.color.as_deref())
            .open(&mut tag);
        self.around(&tag, "</span>");
    }

    fn marks(&mut self, look: &Look) {
        for (on, mark) in [(look.bold, "**"), (look.italic, "*"), (look.strikethrough, "~~")] {
            if on {
                self.around(mark, mark);
            }
        }
    }

    /// The form around something that is not text, and around text whose edges would not let marks bind.
    fn tags(look: &Look, dialect: Dialect) -> Self {
        let mut wrap = Self::default();
        wrap.spans(look, dialect);
        if dialect == Dialect::V1 {
            wrap.marks(look);
            return wrap;
        }
        for (on, name) in [(look.bold, "b"), (look.italic, "i"), (look.strikethrough, "s")] {
            if on {
                wrap.around(&format!("<{name}>"), &format!("</{name}>"));
            }
        }
        wrap
    }
}

fn write_marked(out: &mut String, look: &Look, text: &str, next: Option<&Run<'_>>, place: Place<'_>) {
    if text.is_empty() {
        return;
    }
    let dialect = place.dialect();
    let styled = look.bold || look.italic || look.strikethrough;
    // v1 writes marks wherever the style begins and ends, spaces included (seen in answers: `👉** **[…`).
    let wrap = if dialect == Dialect::V1 || !styled || !marks_bind(out, text, look, next) {
        Wrap::tags(look, dialect)
    } else {
        let mut wrap = Wrap::default();
        wrap.spans(look, dialect);
        wrap.marks(look);
        wrap
    };
    out.push_str(&wrap.before);
    if look.code {
        code_span(out, text);
    } else {
        escape(out, text, place);
    }
    out.push_str(&wrap.after);
}

/// v2: whether `**…**` around this text is emphasis by CommonMark's rules for flanking delimiter runs, decided
/// narrowly: letters or code at both edges, and on the outside nothing, a space or punctuation that is not itself a mark.
/// A span stands between the text around it and the mark, and is such punctuation.
fn marks_bind(out: &str, text: &str, look: &Look, next: Option<&Run<'_>>) -> bool {
    let inside = |edge: Option<char>| look.code || edge.is_some_and(char::is_alphanumeric);
    let outside = |edge: Option<char>| {
        edge.is_none_or(|character| {
            character.is_whitespace()
                || matches!(character, '.' | ',' | ';' | ':' | '!' | '?' | '(' | ')' | '"' | '[' | '>')
        })
    };
    let after = match next.map(|run| (&run.saying, &run.look)) {
        None => None,
        Some((Saying::Text(text), look)) if !look.code && *look == Look::default() => text.chars().next(),
        Some(_) => Some('x'),
    };
    inside(text.chars().next())
        && inside(text.chars().next_back())
        && outside(out.chars().next_back())
        && outside(after)
}

/// Code is literal in both dialects; the fence is longer than any run of backticks inside (CommonMark "code spans").
fn code_span(out: &mut String, text: &str) {
    let fence = "`".repeat(longest_run(text, '`') + 1);
    let padded =
        text.starts_with('`') || text.ends_with('`') || (text.starts_with(' ') && text.ends_with(' '));
    out.push_str(&fence);
    if padded {
        out.push(' ');
    }
    out.push_str(text);
    if padded {
        out.push(' ');
    }
    out.push_str(&fence);
}

/// Length of the longest run of one character.
pub(super) fn longest_run(text: &str, wanted: char) -> usize {
    let (mut longest, mut current) = (0, 0);
    for character in text.chars() {
        current = if character == wanted { current + 1 } else { 0 };
        longest = longest.max(current);
    }
    longest
}

fn escape(out: &mut String, text: &str, place: Place<'_>) {
    match place.dialect() {
        Dialect::V1 => escape_v1(out, text),
        Dialect::V2 => escape_v2(out, text),
    }
}

/// The characters that "enhanced-markdown" lists.
fn escape_v1(out: &mut String, text: &str) {
    for character in text.chars() {
        if matches!(character, '\\' | '*' | '~' | '`' | '$' | '[' | ']' | '<' | '>' | '{' | '}' | '|' | '^') {
            out.push('\\');
        }
        out.push(character);
    }
}

/// What CommonMark, GFM and the tags of Notion would read as syntax. The format names `\<tag>` and entities; which
/// other characters Notion escapes is open, so only those are escaped that would change the text.
fn escape_v2(out: &mut String, text: &str) {
    let mut before = None;
    let mut rest = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        let next = rest.peek().map(|(_, next)| *next);
        let syntax = match character {
            '\\' | '`' | '*' | '[' | ']' | '~' | '$' => true,
            '_' => !(before.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric)),
            '<' => next.is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')),
            '&' => starts_entity(&text[at..]),
            _ => false,
        };
        if syntax {
            out.push('\\');
        }
        out.push(character);
        before = Some(character);
    }
}

fn write_mention(page: &mut Page<'_>, mention: &Value, plain_text: &str, place: Place<'_>) {
    let kind = mention["type"].as_str().unwrap_or_default();
    let target = &mention[kind];
    let directory = page.directory;
    match kind {
        "user" => {
            let Some(id) = uuid_at(target, "id") else { return plain(&mut page.out, plain_text, place) };
            let name =
                directory.user_name(id).unwrap_or_else(|| plain_text.trim_start_matches('@').to_owned());
            entity(&mut page.out, "user", &format!("user://{id}"), &name, place);
        }
        "page" => {
            let Some(id) = uuid_at(target, "id") else { return plain(&mut page.out, plain_text, place) };
            let (url, title) = directory.page(id).map_or_else(
                || (inaccessible_url(id), plain_text.to_owned()),
                |entry| (entry.url, entry.title),
            );
            entity(&mut page.out, "page", &url, &title, place);
        }
        "database" => {
            let Some(id) = uuid_at(target, "id") else { return plain(&mut page.out, plain_text, place) };
            let (url, title) = directory.database(id).map_or_else(
                || (inaccessible_url(id), plain_text.to_owned()),
                |entry| (entry.url, entry.title),
            );
            entity(&mut page.out, "database", &url, &title, place);
        }
        // A data source is a collection in addresses. What the block API calls a mention of an agent is not published; this
        // is the form of its other mentions.
        "data_source" | "agent" => {
            let Some(id) = uuid_at(target, "id") else { return plain(&mut page.out, plain_text, place) };
            let (name, scheme) =
                if kind == "agent" { (kind, "agent") } else { ("data-source", "collection") };
            let label = plain_text.trim_start_matches('@');
            entity(&mut page.out, name, &format!("{scheme}://{id}"), label, place);
        }
        "date" => date(&mut page.out, target, place.dialect()),
        // Neither dialect has a form for these two; a link says as much. An empty title shows its address.
        "link_preview" | "link_mention" => {
            let url = target["url"].as_str().or_else(|| target["href"].as_str()).unwrap_or_default();
            let label = if plain_text.is_empty() { url } else { plain_text };
            page.out.push('[');
            plain(&mut page.out, label, place);
            page.out.push_str("](");
            push_destination(&mut page.out, url);
            page.out.push(')');
        }
        "custom_emoji" => {
            let name = target["name"].as_str().unwrap_or_else(|| plain_text.trim_matches(':'));
            page.out.push(':');
            page.out.push_str(name);
            page.out.push(':');
        }
        // template_mention, and what Notion adds tomorrow.
        _ => plain(&mut page.out, plain_text, place),
    }
}

/// Where a page would be found that cannot be seen: titles are part of an address only when they are known.
fn inaccessible_url(id: uuid::Uuid) -> String {
    format!("https://app.notion.com/p/{}", id.simple())
}

/// A mention of a user, page or database. v2 has one tag, in which the label is literal ("notion-flavored-markdown",
/// rules); a label that holds a tag's end or would read as an entity is escaped all the same.
fn entity(out: &mut String, kind: &str, url: &str, label: &str, place: Place<'_>) {
    let (name, end) = match place {
        Place::V1 => (format!("mention-{kind}"), "/>"),
        _ => ("mention".to_owned(), " />"),
    };
    let tag = Tag::new(&name);
    let tag = if name == "mention" && kind == "database" { tag.with("type", "database") } else { tag };
    let tag = tag.with("url", url);
    if label.is_empty() {
        return tag.close_self(out, end);
    }
    tag.open(out);
    let one_line: String = label.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let reads_otherwise =
        one_line.contains("</") || one_line.match_indices('&').any(|(at, _)| starts_entity(&one_line[at..]));
    if place == Place::V1 || reads_otherwise {
        escape(out, &one_line, place);
    } else {
        out.push_str(&one_line);
    }
    out.push_str("</");
    out.push_str(&name);
    out.push('>');
}

fn date(out: &mut String, date: &Value, dialect: Dialect) {
    let (name, start_time, end_time, zone, end) = match dialect {
        Dialect::V1 => ("mention-date", "startTime", "endTime", "timeZone", "/>"),
        Dialect::V2 => ("date", "start-time", "end-time", "time-zone", " />"),
    };
    let mut tag = Tag::new(name);
    let mut offset = None;
    for (key, time_name) in [("start", start_time), ("end", end_time)] {
        let Some(text) = date[key].as_str() else { continue };
        tag = tag.with(key, text.get(..10).unwrap_or(text));
        let Some(clock) = text.get(11..16) else { continue };
        tag = tag.with(time_name, clock);
        offset = offset.or(text.get(19..).map(|rest| rest.trim_start_matches(['.', '0'])));
    }
    // The formats name IANA zones only; a date that has just an offset keeps that, so that no instant is lost.
    let offset = offset.map(|rest| if rest == "Z" || rest.is_empty() { "UTC" } else { rest });
    tag.maybe(zone, date["time_zone"].as_str().or(offset)).close_self(out, end);
}

/// Cells of a table row.
pub(super) fn cells(row: &super::BlockTree) -> impl Iterator<Item = &[Value]> {
    array_at(row.payload(), "cells").iter().map(|cell| cell.as_array().map_or(&[][..], Vec::as_slice))
}
