//! Text inside one block, in both dialects.
//!
//! Two passes, no recursion: the first cuts the text into pieces (text, delimiters, brackets, tags, finished atoms),
//! the second walks the pieces with the current style. A delimiter without a partner, a bracket without an address
//! and a tag that nothing closes are text. Each place of the input is looked at a constant number of times: a search
//! that failed is remembered (`*_end` fields), so it is not tried again.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Warning;
use crate::render::address;
use crate::render::document::{Inline, Marks, Mention, readable_date};

use super::Dialect;
use super::cost::looked_at;
use super::tags::{self, Form, Tag};

/// Parses the text of one block.
pub(super) fn parse(text: &str, dialect: Dialect, warnings: &mut BTreeSet<Warning>) -> Vec<Inline> {
    if !text.contains(['\\', '*', '_', '~', '`', '$', '[', ']', '<', '&', '\n']) {
        return if text.is_empty() { Vec::new() } else { vec![Inline::plain(text)] };
    }
    let mut scanner = Scanner {
        text,
        dialect,
        warnings,
        closings: if text.contains('<') { tags::last_closings(text) } else { BTreeMap::new() },
        at: 0,
        pending: String::new(),
        pieces: Vec::new(),
        openers: BTreeMap::new(),
        brackets: Vec::new(),
        open_tags: BTreeMap::new(),
        missing_code_closers: BTreeSet::new(),
        no_quoted_math: false,
        no_plain_math: false,
        address_end: 0,
    };
    scanner.scan();
    scanner.finish()
}

/// A style that a delimiter or a tag switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Style {
    Bold,
    Italic,
    Strikethrough,
    Underline,
    Code,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    /// A delimiter or bracket that has no partner yet; text if it never gets one.
    Unpaired(&'static str),
    On(Style),
    Off(Style),
    LinkOn(String),
    LinkOff,
    Atom(Inline),
}

struct Scanner<'a, 'w> {
    text: &'a str,
    dialect: Dialect,
    warnings: &'w mut BTreeSet<Warning>,
    closings: BTreeMap<&'a str, usize>,
    at: usize,
    pending: String,
    pieces: Vec<Piece>,
    /// Unpaired delimiters by their spelling.
    openers: BTreeMap<&'static str, Vec<usize>>,
    brackets: Vec<usize>,
    open_tags: BTreeMap<&'a str, Vec<Vec<Style>>>,
    missing_code_closers: BTreeSet<usize>,
    no_quoted_math: bool,
    no_plain_math: bool,
    address_end: usize,
}

impl<'a> Scanner<'a, '_> {
    fn scan(&mut self) {
        while let Some(c) = self.rest().chars().next() {
            looked_at(1);
            let taken = match c {
                '\\' => self.escape(),
                '*' | '_' | '~' => self.delimiters(c),
                '`' => self.code_span(),
                '$' => self.math(),
                '!' if self.rest().starts_with("![") => self.open_bracket("!["),
                '[' => self.citation() || self.open_bracket("["),
                ']' => self.close_bracket(),
                '<' => self.tag() || self.autolink(),
                '&' if self.dialect == Dialect::V2 => self.entity(),
                '\n' => self.newline(),
                _ => false,
            };
            if !taken {
                self.pending.push(c);
                self.at += c.len_utf8();
            }
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, piece: Piece) -> usize {
        if !self.pending.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.pending)));
        }
        self.pieces.push(piece);
        self.pieces.len() - 1
    }

    fn escape(&mut self) -> bool {
        match self.rest().chars().nth(1) {
            Some('\n') => {
                self.push(Piece::Atom(Inline::LineBreak));
                self.at += 2;
                true
            }
            Some(c) if c.is_ascii_punctuation() => {
                self.pending.push(c);
                self.at += 2;
                true
            }
            _ => false,
        }
    }

    /// A line end inside a block: in CommonMark a space, or a break after two spaces.
    fn newline(&mut self) -> bool {
        if self.dialect == Dialect::V1 || self.pending.ends_with("  ") {
            let kept = self.pending.trim_end_matches(' ').len();
            self.pending.truncate(kept);
            self.push(Piece::Atom(Inline::LineBreak));
        } else if !self.pending.ends_with(' ') {
            self.pending.push(' ');
        }
        self.at += 1;
        true
    }

    fn entity(&mut self) -> bool {
        let Some((decoded, length)) = self.rest().get(1..).and_then(tags::entity) else { return false };
        self.pending.push(decoded);
        self.at += 1 + length;
        true
    }

    fn delimiters(&mut self, c: char) -> bool {
        let rest = self.rest();
        let length = rest.len() - rest.trim_start_matches(c).len();
        let before = self.text.get(..self.at).and_then(|text| text.chars().next_back());
        let after = rest.get(length..).and_then(|text| text.chars().next());
        let (can_open, can_close) = self.flanks(c, before, after);
        let mut left = length;
        while left > 0 {
            let (spelling, style) = match (c, left) {
                ('*', 2..) => ("**", Some(Style::Bold)),
                ('*', _) => ("*", Some(Style::Italic)),
                // The first dialect marks with asterisks only, and does not escape `_` (developers.notion.com
                // "enhanced-markdown"): `__init__` and `_private_` mean themselves.
                ('_', _) if self.dialect == Dialect::V1 => ("_", None),
                ('_', 2..) => ("__", Some(Style::Bold)),
                ('_', _) => ("_", Some(Style::Italic)),
                ('~', 2..) => ("~~", Some(Style::Strikethrough)),
                _ => ("~", None),
            };
            left -= spelling.len();
            match style {
                Some(style) => self.delimiter(spelling, style, can_open, can_close),
                None => self.pending.push_str(spelling),
            }
        }
        self.at += length;
        true
    }

    /// Whether a run of `c` may open and close. The first dialect escapes every literal `*` and `~`, and closes bold
    /// behind a space (recorded), so there each one counts; `_` stands inside words, so it needs a word's edge.
    fn flanks(&self, c: char, before: Option<char>, after: Option<char>) -> (bool, bool) {
        let opens = after.is_some_and(|c| !c.is_whitespace());
        let closes = before.is_some_and(|c| !c.is_whitespace());
        match (c, self.dialect) {
            ('_', _) => (
                opens && !before.is_some_and(|c| c.is_alphanumeric() || c == '_'),
                closes && !after.is_some_and(|c| c.is_alphanumeric() || c == '_'),
            ),
            (_, Dialect::V1) => (true, true),
            (_, Dialect::V2) => (opens, closes),
        }
    }

    fn delimiter(&mut self, spelling: &'static str, style: Style, can_open: bool, can_close: bool) {
        if can_close && let Some(opener) = self.openers.get_mut(spelling).and_then(Vec::pop) {
            if let Some(piece) = self.pieces.get_mut(opener) {
                *piece = Piece::On(style);
            }
            self.push(Piece::Off(style));
        } else if can_open {
            let index = self.push(Piece::Unpaired(spelling));
            self.openers.entry(spelling).or_default().push(index);
        } else {
            self.pending.push_str(spelling);
        }
    }

    fn code_span(&mut self) -> bool {
        let rest = self.rest();
        let length = rest.len() - rest.trim_start_matches('`').len();
        if let Some(end) = self.code_end(length) {
            let code = self.text.get(self.at + length..end).unwrap_or_default();
            // One space on each side keeps backticks apart; more are the code's own.
            let padded = code.strip_prefix(' ').and_then(|code| code.strip_suffix(' '));
            let code = padded.filter(|inner| inner.contains('`')).unwrap_or(code);
            let marks = Marks { code: true, ..Marks::default() };
            let text = code.replace('\n', " ");
            self.push(Piece::Atom(Inline::Text { text, marks, link: None }));
            self.at = end + length;
        } else {
            self.pending.push_str(rest.get(..length).unwrap_or_default());
            self.at += length;
        }
        true
    }

    /// Where the run of backticks that closes a run of `length` begins.
    fn code_end(&mut self, length: usize) -> Option<usize> {
        // Nobody writes longer runs; without a bound, runs of many lengths would each be searched to the end.
        if length > 32 || self.missing_code_closers.contains(&length) {
            return None;
        }
        let mut at = self.at + length;
        while let Some(found) = self.text.get(at..).and_then(|text| text.find('`')) {
            looked_at(found + 1);
            let start = at + found;
            let run =
                self.text.get(start..).map_or(0, |text| text.len() - text.trim_start_matches('`').len());
            if run == length {
                return Some(start);
            }
            at = start + run;
        }
        looked_at(self.text.len() - self.at);
        self.missing_code_closers.insert(length);
        None
    }

    /// `$x$`, and `` $`x`$ `` as Notion's first dialect was recorded.
    fn math(&mut self) -> bool {
        let inner = self.rest().get(1..).unwrap_or_default();
        let quoted = inner.starts_with('`');
        let length = if quoted { self.quoted_math_close(inner) } else { self.plain_math_close(inner) };
        let Some(length) = length else { return false };
        let (from, behind) = if quoted { (1, 2) } else { (0, 1) };
        let Some(expression) = inner.get(from..length).filter(|text| !text.trim().is_empty()) else {
            return false;
        };
        self.push(Piece::Atom(Inline::Equation(expression.trim().to_owned())));
        self.at += 1 + length + behind;
        true
    }

    fn quoted_math_close(&mut self, inner: &str) -> Option<usize> {
        if self.no_quoted_math {
            return None;
        }
        let found = inner.find("`$");
        looked_at(found.unwrap_or(inner.len()));
        self.no_quoted_math = found.is_none();
        found.filter(|end| *end > 0)
    }

    fn plain_math_close(&mut self, inner: &str) -> Option<usize> {
        let strict = self.dialect == Dialect::V2;
        if self.no_plain_math || (strict && inner.starts_with(char::is_whitespace)) {
            return None;
        }
        let mut escaped = false;
        let mut previous = ' ';
        for (offset, c) in inner.char_indices() {
            looked_at(1);
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '$' => {
                    // "costs $5 and $10" is no formula: the closing sign must not be led by a space or followed
                    // by a digit. The first dialect escapes a literal sign.
                    let behind = inner.get(offset + 1..).unwrap_or_default();
                    let loose = previous.is_whitespace() || behind.starts_with(|c: char| c.is_ascii_digit());
                    return (!strict || !loose).then_some(offset);
                }
                _ => {}
            }
            previous = c;
        }
        self.no_plain_math = true;
        None
    }

    fn open_bracket(&mut self, spelling: &'static str) -> bool {
        let index = self.push(Piece::Unpaired(spelling));
        self.brackets.push(index);
        self.at += spelling.len();
        true
    }

    fn close_bracket(&mut self) -> bool {
        let Some(opener) = self.brackets.pop() else { return false };
        let Some((url, length)) = self.address(self.at + 1) else { return false };
        if let Some(piece) = self.pieces.get_mut(opener) {
            *piece = Piece::LinkOn(url);
        }
        self.push(Piece::LinkOff);
        self.at += 1 + length;
        true
    }

    /// The `(address "title")` at `from`, with its length.
    fn address(&mut self, from: usize) -> Option<(String, usize)> {
        if from < self.address_end {
            return None;
        }
        let text = self.text.get(from..).filter(|text| text.starts_with('('))?;
        let found = destination(text);
        if let Err(reached) = found {
            self.address_end = from + reached;
        }
        found.ok()
    }

    /// `[^https://…]`: a citation; shown by what it cites.
    fn citation(&mut self) -> bool {
        let Some(inner) = self.rest().strip_prefix("[^") else { return false };
        let stop = inner.find(|c: char| c == ']' || c == '[' || c.is_whitespace());
        looked_at(stop.unwrap_or(inner.len()));
        let Some(url) =
            stop.filter(|stop| inner.as_bytes().get(*stop) == Some(&b']')).and_then(|stop| inner.get(..stop))
        else {
            return false;
        };
        if !url.contains("://") {
            return false;
        }
        let target = unescape(url);
        let text = address::unsigned(&target).to_owned();
        self.push(Piece::Atom(Inline::Text { text, marks: Marks::default(), link: Some(target) }));
        self.at += url.len() + 3;
        true
    }

    fn autolink(&mut self) -> bool {
        let Some(inner) = self.rest().get(1..) else { return false };
        let stop = inner.find(|c: char| matches!(c, '>' | '<') || c.is_whitespace());
        looked_at(stop.unwrap_or(inner.len()));
        let Some(url) =
            stop.filter(|stop| inner.as_bytes().get(*stop) == Some(&b'>')).and_then(|stop| inner.get(..stop))
        else {
            return false;
        };
        if !url.contains("://") && !url.starts_with("mailto:") {
            return false;
        }
        let text = address::unsigned(url.trim_start_matches("mailto:")).to_owned();
        self.push(Piece::Atom(Inline::Text { text, marks: Marks::default(), link: Some(url.to_owned()) }));
        self.at += url.len() + 2;
        true
    }

    fn tag(&mut self) -> bool {
        let Some(tag) = Tag::parse(self.rest()) else { return false };
        match tag.form {
            Form::Close => return self.close_tag(&tag),
            Form::Open | Form::SelfClosing => {}
        }
        if tag.name == "br" {
            self.push(Piece::Atom(Inline::LineBreak));
            self.at += tag.length;
            return true;
        }
        if tag.name == "date" || tag.name.starts_with("mention") {
            return self.mention(&tag);
        }
        self.style_tag(&tag)
    }

    fn is_closed_later(&self, name: &str) -> bool {
        self.closings.get(name).is_some_and(|offset| *offset > self.at)
    }

    fn style_tag(&mut self, tag: &Tag<'a>) -> bool {
        let styles = match tag.name {
            "b" | "strong" => vec![Style::Bold],
            "i" | "em" => vec![Style::Italic],
            "s" | "del" => vec![Style::Strikethrough],
            "u" => vec![Style::Underline],
            "code" => vec![Style::Code],
            "span" if tag.flag("underline") => vec![Style::Underline],
            _ => Vec::new(),
        };
        let known = !styles.is_empty() || matches!(tag.name, "span" | "a" | "sup" | "sub" | "mark");
        if tag.form == Form::SelfClosing {
            if !known {
                self.warnings.insert(Warning::UnknownBlock { kind: tag.name.to_owned() });
            }
            self.at += tag.length;
            return true;
        }
        if !self.is_closed_later(tag.name) {
            return false;
        }
        if !known {
            self.warnings.insert(Warning::UnknownBlock { kind: tag.name.to_owned() });
        }
        for style in &styles {
            self.push(Piece::On(*style));
        }
        self.open_tags.entry(tag.name).or_default().push(styles);
        self.at += tag.length;
        true
    }

    fn close_tag(&mut self, tag: &Tag<'a>) -> bool {
        let Some(styles) = self.open_tags.get_mut(tag.name).and_then(Vec::pop) else { return false };
        for style in styles {
            self.push(Piece::Off(style));
        }
        self.at += tag.length;
        true
    }

    fn mention(&mut self, tag: &Tag<'a>) -> bool {
        let behind = self.rest().get(tag.length..).unwrap_or_default();
        let mut length = tag.length;
        let mut label = "";
        if tag.form == Form::Open
            && self.is_closed_later(tag.name)
            && let Some((end, behind_tag)) = label_end(behind, tag.name)
        {
            label = behind.get(..end).unwrap_or_default();
            length += behind_tag;
        }
        let label = self.mention_label(label);
        let url = tag.attribute("url").unwrap_or_default();
        let target = mention_target(tag, &url);
        let label = match target {
            Mention::Date => date_label(tag).unwrap_or(label),
            Mention::User(_) if !label.is_empty() && !label.starts_with('@') => format!("@{label}"),
            _ => label,
        };
        let known = matches!(tag.name, "mention" | "mention-agent" | "mention-link" | "mention-link-preview");
        if target == Mention::Other && !known {
            self.warnings.insert(Warning::UnknownMention { kind: tag.name.to_owned() });
        }
        self.push(Piece::Atom(Inline::Mention { target, label }));
        self.at += length;
        true
    }

    /// The first dialect escapes inside a label, the second takes it literally, unless it escapes what would
    /// read as a tag or an entity.
    fn mention_label(&self, label: &str) -> String {
        let label = match self.dialect {
            Dialect::V1 => unescape(label),
            Dialect::V2 if label.contains("\\<") || label.contains("\\&") => unescape(label),
            Dialect::V2 => tags::decode_entities(label).into_owned(),
        };
        label.replace(['\n', '\r'], " ")
    }

    fn finish(mut self) -> Vec<Inline> {
        self.push(Piece::Text(String::new()));
        let mut out = Output { joins_italics: self.dialect == Dialect::V1, ..Output::default() };
        for piece in self.pieces {
            out.take(piece);
        }
        out.inlines
    }
}

/// The second pass: the current style and the runs made so far.
#[derive(Default)]
struct Output {
    inlines: Vec<Inline>,
    depth: BTreeMap<Style, i32>,
    links: Vec<String>,
    /// The first dialect ends one italic run and begins the next with `**`; if that pairs with nothing, it is such a
    /// seam and no text, since a literal asterisk is escaped there.
    joins_italics: bool,
}

impl Output {
    fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Text(text) => self.text(&text),
            Piece::Unpaired("**") if self.joins_italics && self.marks().italic => {}
            Piece::Unpaired(text) => self.text(text),
            Piece::On(style) => *self.depth.entry(style).or_default() += 1,
            Piece::Off(style) => *self.depth.entry(style).or_default() -= 1,
            Piece::LinkOn(url) => self.links.push(url),
            Piece::LinkOff => {
                self.links.pop();
            }
            Piece::Atom(Inline::Text { text, marks, link }) => {
                let marks = Marks { code: marks.code || self.marks().code, ..self.marks() };
                let link = link.or_else(|| self.links.last().cloned());
                self.inlines.push(Inline::Text { text, marks, link });
            }
            Piece::Atom(inline) => self.inlines.push(inline),
        }
    }

    fn marks(&self) -> Marks {
        let on = |style| self.depth.get(&style).is_some_and(|depth| *depth > 0);
        Marks {
            bold: on(Style::Bold),
            italic: on(Style::Italic),
            strikethrough: on(Style::Strikethrough),
            underline: on(Style::Underline),
            code: on(Style::Code),
        }
    }

    fn text(&mut self, more: &str) {
        if more.is_empty() {
            return;
        }
        let now = self.marks();
        let now_link = self.links.last();
        if let Some(Inline::Text { text, marks, link }) = self.inlines.last_mut()
            && *marks == now
            && link.as_ref() == now_link
        {
            text.push_str(more);
            return;
        }
        self.inlines.push(Inline::Text { text: more.to_owned(), marks: now, link: now_link.cloned() });
    }
}

/// Where the label of a mention `name` at the start of `text` ends, and where the tag that closes it does.
///
/// An escaped closing tag belongs to the label, unless another mention begins before the next closing tag: then it was a
/// literal backslash that stood there.
pub(super) fn label_end(text: &str, name: &str) -> Option<(usize, usize)> {
    let close = format!("</{name}>");
    let first = text.find(&close);
    looked_at(first.unwrap_or(text.len()));
    let mut end = first?;
    while text.get(..end).is_some_and(|front| front.ends_with('\\')) {
        let behind = text.get(end + close.len()..).unwrap_or_default();
        let next = behind.find("<mention").map_or(behind, |at| behind.get(..at).unwrap_or_default());
        looked_at(next.len());
        let Some(found) = next.find(&close) else { break };
        end += close.len() + found;
    }
    Some((end, end + close.len()))
}

fn mention_target(tag: &Tag<'_>, url: &str) -> Mention {
    let id = address::object_of(url);
    match tag.name {
        "mention-user" => Mention::User(id),
        "mention-page" => Mention::Page(id),
        "mention-database" => Mention::Database(id),
        "mention-data-source" => Mention::DataSource(id),
        "mention-date" | "date" => Mention::Date,
        "mention" if url.starts_with("user://") => Mention::User(id),
        "mention" if url.starts_with("collection://") => Mention::DataSource(id),
        "mention" if tag.attribute("type").as_deref() == Some("database") => Mention::Database(id),
        "mention" if id.is_some() && url.starts_with("http") => Mention::Page(id),
        _ => Mention::Other,
    }
}

/// Day and time stand apart, in camel case in the first dialect and in kebab case in the second.
fn date_label(tag: &Tag<'_>) -> Option<String> {
    let instant = |day: &str, time: [&str; 2]| {
        let day = tag.attribute(day)?;
        let time = time.into_iter().find_map(|name| tag.attribute(name));
        Some(time.map_or_else(|| day.to_string(), |time| format!("{day} {time}")))
    };
    let start = instant("start", ["startTime", "start-time"])?;
    let end = instant("end", ["endTime", "end-time"]);
    Some(readable_date(&start, end.as_deref()))
}

/// The address in `(…)` at the start of `text`, with the length of the whole; else how far it was looked for.
pub(super) fn destination(text: &str) -> Result<(String, usize), usize> {
    let inner = text.strip_prefix('(').ok_or(0_usize)?;
    if let Some(pointed) = inner.strip_prefix('<') {
        let end = pointed.find(['>', '\n']).ok_or(text.len());
        looked_at(end.unwrap_or(text.len()));
        let end = end?;
        let closes = pointed.get(end..).is_some_and(|text| text.starts_with(">)"));
        let url = pointed.get(..end).filter(|_| closes).ok_or(end)?;
        return Ok((unescape(url), end + 4));
    }
    let mut depth = 0_usize;
    let mut escaped = false;
    for (offset, c) in inner.char_indices() {
        looked_at(1);
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' => depth += 1,
            ')' if depth == 0 => {
                let url = inner.get(..offset).unwrap_or_default();
                return Ok((unescape(url), offset + 2));
            }
            ')' => depth -= 1,
            _ if c.is_whitespace() => {
                let title = title_length(inner.get(offset..).unwrap_or_default()).ok_or(offset)?;
                let url = inner.get(..offset).unwrap_or_default();
                return Ok((unescape(url), 1 + offset + title));
            }
            _ => {}
        }
    }
    Err(text.len())
}

/// The length of ` "title")`.
fn title_length(text: &str) -> Option<usize> {
    let inner = text.trim_start().strip_prefix('"')?;
    // A title longer than this is no title: the bound keeps a failed search cheap.
    let window = inner.char_indices().nth(300).map_or(inner, |(end, _)| inner.get(..end).unwrap_or(inner));
    looked_at(window.len());
    let end = window.find("\")")?;
    Some(text.len() - inner.len() + end + 2)
}

/// `text` with backslash escapes resolved.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(next) if c == '\\' && next.is_ascii_punctuation() => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::document::plain;

    fn v1(text: &str) -> Vec<Inline> {
        parse(text, Dialect::V1, &mut BTreeSet::new())
    }

    fn text_of(text: &str, dialect: Dialect) -> String {
        plain(&parse(text, dialect, &mut BTreeSet::new()))
    }

    fn run(text: &str, marks: Marks) -> Inline {
        Inline::Text { text: text.to_owned(), marks, link: None }
    }

    #[test]
    fn styles_nest_and_cross() {
        let bold = Marks { bold: true, ..Marks::default() };
        let both = Marks { italic: true, ..bold };
        assert_eq!(
            v1("a **b *c* d**"),
            [Inline::plain("a "), run("b ", bold), run("c", both), run(" d", bold)]
        );
        assert_eq!(v1("***x***"), [run("x", both)]);
        let struck = Marks { strikethrough: true, ..Marks::default() };
        assert_eq!(v1("~~x~~"), [run("x", struck)]);
        let underline = Marks { underline: true, ..Marks::default() };
        assert_eq!(
            v1(r#"<span underline="true" color="red">x</span>y"#),
            [run("x", underline), Inline::plain("y")]
        );
    }

    #[test]
    fn code_with_backticks_loses_the_padding_and_not_its_own_spaces() {
        assert_eq!(text_of("`` `a` b  ``two", Dialect::V1), "`a` b two");
        assert_eq!(text_of("`` ` ``, ` a `", Dialect::V1), "`,  a ");
    }

    #[test]
    fn bold_of_the_first_dialect_may_end_behind_a_space() {
        let marked = v1("**其中 **$`S`$** 是非**");
        assert_eq!(plain(&marked), "其中 S 是非");
        assert_eq!(marked.get(1), Some(&Inline::Equation("S".to_owned())));
    }

    #[test]
    fn italic_runs_that_touch_leave_no_asterisks() {
        assert_eq!(text_of("*works with **`rustc 1.0`* now", Dialect::V1), "works with rustc 1.0 now");
    }

    #[test]
    fn words_keep_their_underscores() {
        for dialect in [Dialect::V1, Dialect::V2] {
            assert_eq!(text_of("snake_case_name and a_b", dialect), "snake_case_name and a_b");
        }
        assert_eq!(text_of("_soft_ words", Dialect::V2), "soft words");
        assert_eq!(text_of("_private_ and __init__", Dialect::V1), "_private_ and __init__");
    }

    #[test]
    fn what_has_no_partner_is_text() {
        assert_eq!(text_of("2 * 3 [x] ~ ` $ < & ](", Dialect::V1), "2 * 3 [x] ~ ` $ < & ](");
        assert_eq!(text_of("costs $5 and $10", Dialect::V2), "costs $5 and $10");
        assert_eq!(text_of("Vec<String> </b> <int>", Dialect::V2), "Vec<String> </b> <int>");
        assert_eq!(text_of("![a [b](no url", Dialect::V1), "![a [b](no url");
    }

    #[test]
    fn escapes_and_entities_are_resolved() {
        assert_eq!(text_of(r"\*a\* \<b\> C:\\d \{e\}", Dialect::V1), r"*a* <b> C:\d {e}");
        assert_eq!(text_of("&lt;b&gt; \\<i> AT&T", Dialect::V2), "<b> <i> AT&T");
        assert_eq!(text_of("&lt;", Dialect::V1), "&lt;");
    }

    #[test]
    fn links_hold_styled_text() {
        let parsed = v1("[**t** u](https://a.example/x_(y)) z");
        let link = Some("https://a.example/x_(y)".to_owned());
        let bold = Marks { bold: true, ..Marks::default() };
        assert_eq!(
            parsed,
            [
                Inline::Text { text: "t".to_owned(), marks: bold, link: link.clone() },
                Inline::Text { text: " u".to_owned(), marks: Marks::default(), link },
                Inline::plain(" z"),
            ]
        );
    }

    #[test]
    fn citations_show_what_they_cite_without_a_signature() {
        assert_eq!(text_of("x[^https://a.example/b?X-Amz-Signature=1]", Dialect::V1), "xhttps://a.example/b");
        assert_eq!(text_of("x[^1]", Dialect::V1), "x[^1]");
    }

    #[test]
    fn mentions_are_read_in_both_dialects() {
        let page = "https://app.notion.com/p/T-393abc1eedcd81d5bf32d1339d9031c2";
        let id = address::object_of(page);
        let first = v1(&format!(r#"see <mention-page url="{page}">A \*b</mention-page>."#));
        let mention = Inline::Mention { target: Mention::Page(id), label: "A *b".to_owned() };
        assert_eq!(first.get(1), Some(&mention));
        let second = format!(r#"<mention url="{page}">A *b</mention>"#);
        assert_eq!(parse(&second, Dialect::V2, &mut BTreeSet::new()), [mention]);
        assert_eq!(text_of(r#"<mention-user url="user://1">Ada</mention-user>"#, Dialect::V1), "@Ada");
        let dated = r#"<mention-date start="2026-03-01" startTime="09:00" end="2026-03-02" timeZone="UTC"/>"#;
        assert_eq!(text_of(dated, Dialect::V1), "2026-03-01 09:00 → 2026-03-02");
        assert_eq!(
            text_of(r#"<date start="2026-03-01" start-time="09:00" />"#, Dialect::V2),
            "2026-03-01 09:00"
        );
    }

    #[test]
    fn labels_hold_escaped_tags_and_literal_backslashes() {
        let mention = |label: &str| format!(r#"<mention url="user://1">{label}</mention>"#);
        assert_eq!(text_of(&mention(r"a\</mention> \*b"), Dialect::V2), "@a</mention> *b");
        let two = format!("{} and {}", mention(r"C:\"), mention("b"));
        assert_eq!(text_of(&two, Dialect::V2), r"@C:\ and @b");
        assert_eq!(text_of(&mention(r"a \&amp; b"), Dialect::V2), "@a &amp; b");
    }

    #[test]
    fn unknown_tags_leave_their_text_and_a_warning() {
        let mut warnings = BTreeSet::new();
        let parsed = parse(
            "a <newmark x=\"1\">b</newmark> <mention-robot>c</mention-robot>",
            Dialect::V1,
            &mut warnings,
        );
        assert_eq!(plain(&parsed), "a b c");
        assert_eq!(
            warnings.into_iter().collect::<Vec<_>>(),
            [
                Warning::UnknownBlock { kind: "newmark".to_owned() },
                Warning::UnknownMention { kind: "mention-robot".to_owned() },
            ]
        );
    }

    #[test]
    fn a_soft_line_end_is_a_space_and_a_hard_one_a_break() {
        assert_eq!(text_of("a\nb\\\nc", Dialect::V2), "a b\nc");
        assert_eq!(text_of("a<br>b<br/>c", Dialect::V1), "a\nb\nc");
    }
}
