//! Reads a body line by line.
//!
//! In the first dialect every line is a block and deeper indentation means nesting. In the second, lines up to a
//! blank one are one paragraph, and nesting is made by tags, in lists by indentation. Code and displayed formulas are
//! literal in both.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Warning;
use crate::render::document::{Inline, Kind, Media, Node};

use super::builder::{Body, Builder, Until};
use super::cost::looked_at;
use super::elements::{self, Element};
use super::tags::{self, Form, Tag};
use super::{Dialect, inline, table};

/// The state of one run over a body.
pub(super) struct Parser<'a, 'w> {
    lines: Vec<&'a str>,
    dialect: Dialect,
    warnings: &'w mut BTreeSet<Warning>,
    builder: Builder,
    /// Last line on which each name is closed.
    last_closing_line: BTreeMap<&'a str, usize>,
    /// Lines that hold `$$` and nothing else, in order.
    formula_lines: Vec<usize>,
    /// Text of the paragraph that is being read.
    paragraph: String,
    /// The line in work.
    line: usize,
    /// A line, and the mentions that nothing closes in the rest of it: a search that failed is not tried again.
    unclosed: (usize, BTreeSet<&'a str>),
}

/// A line parted into indentation (in columns, a tab being four) and the rest. The first dialect indents by tabs alone:
/// a space there is how somebody's text begins.
fn indentation(line: &str, dialect: Dialect) -> (usize, &str) {
    let rest = line.trim_start_matches([' ', '\t']);
    let front = line.len() - rest.len();
    match dialect {
        Dialect::V1 => (4 * (line.len() - line.trim_start_matches('\t').len()), rest),
        Dialect::V2 => (front + 3 * line.bytes().take(front).filter(|byte| *byte == b'\t').count(), rest),
    }
}

/// `line` without its first `columns` columns of indentation.
fn without_indentation(line: &str, columns: usize) -> &str {
    let mut column = 0;
    for (offset, byte) in line.bytes().enumerate() {
        let width = match byte {
            b'\t' => 4,
            b' ' => 1,
            _ => return line.get(offset..).unwrap_or_default(),
        };
        if column + width > columns {
            return line.get(offset..).unwrap_or_default();
        }
        column += width;
    }
    ""
}

impl<'a, 'w> Parser<'a, 'w> {
    pub(super) fn new(text: &'a str, dialect: Dialect, warnings: &'w mut BTreeSet<Warning>) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let mut last_closing_line = BTreeMap::new();
        let mut formula_lines = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            if line.trim() == "$$" {
                formula_lines.push(number);
            }
            if line.contains("</") {
                last_closing_line.extend(tags::last_closings(line).into_keys().map(|name| (name, number)));
            }
        }
        let builder = Builder::default();
        let paragraph = String::new();
        let unclosed = (0, BTreeSet::new());
        Self {
            lines,
            dialect,
            warnings,
            builder,
            last_closing_line,
            formula_lines,
            paragraph,
            line: 0,
            unclosed,
        }
    }

    pub(super) fn parse(mut self) -> Vec<Node> {
        while let Some(line) = self.lines.get(self.line).copied() {
            self.read_line(line);
            self.line += 1;
        }
        self.flush();
        self.builder.finish()
    }

    fn read_line(&mut self, line: &'a str) {
        looked_at(line.len());
        let (indent, rest) = indentation(line, self.dialect);
        if rest.trim().is_empty() {
            self.flush();
            if self.dialect == Dialect::V2 {
                self.builder.end_label();
            }
            return;
        }
        let nested = self.dialect == Dialect::V1;
        if nested || self.paragraph.is_empty() || self.begins_block(rest) {
            self.flush();
            self.builder.dedent(indent, nested);
            self.read_block(indent, rest);
        } else {
            self.read_content(indent, rest);
        }
    }

    /// Whether a line ends the paragraph before it (CommonMark "paragraphs").
    fn begins_block(&self, rest: &'a str) -> bool {
        match rest.as_bytes().first() {
            Some(b'#') => self.heading(rest).is_some(),
            Some(b'`' | b'~') => fence(rest).is_some(),
            Some(b'>') => true,
            Some(b'-' | b'*' | b'+' | b'_') => self.is_divider(rest) || self.list_marker(rest).is_some(),
            Some(b'0'..=b'9') => self.list_marker(rest).is_some(),
            Some(b'$') => rest.trim_end() == "$$",
            Some(b'<') => Tag::parse(rest).is_some_and(|tag| {
                let name = elements::canonical(tag.name);
                let element = elements::element(&tag, &name, None);
                !matches!(element, Element::Inline | Element::Unknown) || self.builder.is_open(&name)
            }),
            Some(b'|') => self.begins_table(),
            _ => false,
        }
    }

    fn begins_table(&self) -> bool {
        self.lines.get(self.line + 1).is_some_and(|next| table::is_delimiter_row(next))
    }

    fn read_block(&mut self, indent: usize, rest: &'a str) {
        let done = match rest.as_bytes().first() {
            Some(b'#') => self.read_heading(indent, rest),
            Some(b'`' | b'~') => self.read_code(indent, rest),
            Some(b'$') => self.read_formula(indent, rest),
            Some(b'>') => self.read_quote(indent, rest),
            Some(b'-' | b'*' | b'+' | b'_' | b'0'..=b'9') => {
                self.read_divider(rest) || self.read_item(indent, rest)
            }
            Some(b'|') => self.read_table(indent),
            Some(b'!') => self.read_image(rest),
            _ => false,
        };
        if !done {
            self.read_content(indent, rest);
        }
    }

    /// Opens a block that deeper lines belong to, and takes its first text.
    fn open_line(&mut self, kind: Kind, least_indent: usize, indent: usize, text: &'a str) {
        self.builder.open(Until::Dedent(least_indent), Body::Node(Node::new(kind)), true);
        self.read_content(indent, text);
        if self.dialect == Dialect::V1 {
            self.flush();
            self.builder.end_label();
        }
    }

    /// The text of a line without the attribute list that the first dialect ends it with.
    fn split_attributes(&self, text: &'a str) -> (&'a str, Option<&'a str>) {
        match self.dialect {
            Dialect::V1 => tags::split_attribute_list(text),
            Dialect::V2 => (text, None),
        }
    }

    fn read_heading(&mut self, indent: usize, rest: &'a str) -> bool {
        let Some((level, text)) = self.heading(rest) else { return false };
        let (text, attributes) = self.split_attributes(text);
        let toggle = attributes.is_some_and(|list| {
            tags::attributes(list).any(|(key, value)| key == "toggle" && value == "true")
        });
        let kind = Kind::Heading { level, toggle };
        match self.dialect {
            Dialect::V1 => self.open_line(kind, indent + 1, indent, text),
            Dialect::V2 => {
                let label = self.inlines(text);
                self.builder.add(Node::labelled(kind, label));
            }
        }
        true
    }

    /// Level and text of a heading line. CommonMark knows six levels, Notion four, and its first dialect writes four.
    fn heading<'t>(&self, rest: &'t str) -> Option<(u8, &'t str)> {
        let text = rest.trim_start_matches('#');
        let level = rest.len() - text.len();
        let ends = text.is_empty() || text.starts_with([' ', '\t']);
        let most = if self.dialect == Dialect::V1 { 4 } else { 6 };
        let known = ends && (1..=most).contains(&level);
        known.then(|| (u8::try_from(level).unwrap_or(4).min(4), text.trim()))
    }

    fn read_quote(&mut self, indent: usize, rest: &'a str) -> bool {
        let strip = |text: &'a str| text.trim_start_matches(['>', ' ', '\t']);
        match self.dialect {
            // Each line is a quote of its own; a break inside one is a <br>.
            Dialect::V1 => {
                let text = rest.strip_prefix("> ").or_else(|| rest.strip_prefix('>')).unwrap_or(rest);
                let (text, _) = self.split_attributes(text);
                self.open_line(Kind::Quote, indent + 1, indent, text);
            }
            Dialect::V2 => {
                let mut text = String::from(strip(rest));
                while let Some(next) =
                    self.lines.get(self.line + 1).map(|line| indentation(line, Dialect::V2).1)
                    && next.starts_with('>')
                {
                    let next = strip(next);
                    text.push_str(if next.is_empty() { "\\\n" } else { "\n" });
                    text.push_str(next);
                    self.line += 1;
                }
                let label = self.inlines(&text);
                self.builder.add(Node::labelled(Kind::Quote, label));
            }
        }
        true
    }

    fn read_divider(&mut self, rest: &str) -> bool {
        let divides = self.is_divider(rest);
        if divides {
            self.builder.add(Node::new(Kind::Divider));
        }
        divides
    }

    /// The first dialect writes dashes only, and escapes no other character that CommonMark makes a rule of.
    fn is_divider(&self, rest: &str) -> bool {
        let rest = rest.trim_end();
        let Some(marker) = rest.chars().next().filter(|c| matches!(c, '-' | '*' | '_')) else { return false };
        let fits = |c: char| match self.dialect {
            Dialect::V1 => c == '-',
            Dialect::V2 => c == marker || c == ' ',
        };
        rest.chars().all(fits) && rest.chars().filter(|c| *c == marker).count() >= 3
    }

    fn read_item(&mut self, indent: usize, rest: &'a str) -> bool {
        let Some((kind, text)) = self.list_marker(rest) else { return false };
        let (text, _) = self.split_attributes(text);
        let least = if self.dialect == Dialect::V1 { indent + 1 } else { indent + 2 };
        self.open_line(kind, least, indent, text);
        true
    }

    /// Kind and text of a list item. The first dialect writes `-` and `1.` only, and escapes no other marker.
    fn list_marker(&self, rest: &'a str) -> Option<(Kind, &'a str)> {
        let (bullets, ends): (&[char], &[char]) = match self.dialect {
            Dialect::V1 => (&['-'], &['.']),
            Dialect::V2 => (&['-', '*', '+'], &['.', ')']),
        };
        let ends_marker = |text: &&str| text.is_empty() || text.starts_with([' ', '\t']);
        if let Some(text) = rest.strip_prefix(bullets).filter(ends_marker) {
            let text = text.trim_start();
            for (mark, checked) in [("[ ]", false), ("[x]", true), ("[X]", true)] {
                if let Some(label) = text.strip_prefix(mark).filter(ends_marker) {
                    return Some((Kind::Todo { checked }, label.trim_start()));
                }
            }
            return Some((Kind::BulletedItem, text));
        }
        let text = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = rest.len() - text.len();
        // "2024. A year" is a sentence: what has more digits is no number of an item, and a year must not be lost.
        let text = text.strip_prefix(ends).filter(|_| (1..=3).contains(&digits)).filter(ends_marker)?;
        Some((Kind::NumberedItem, text.trim_start()))
    }

    fn read_code(&mut self, indent: usize, rest: &'a str) -> bool {
        let Some((marker, length, information)) = fence(rest) else { return false };
        let closes = |line: &&str| {
            let inner = line.trim();
            inner.len() >= length && inner.chars().all(|c| c == marker)
        };
        let behind = self.lines.get(self.line + 1..).unwrap_or_default();
        let end = behind.iter().position(closes);
        looked_at(end.unwrap_or(behind.len()));
        let lines = behind.get(..end.unwrap_or(behind.len())).unwrap_or_default();
        let text = lines.iter().map(|line| without_indentation(line, indent)).collect::<Vec<_>>().join("\n");
        self.line += lines.len() + usize::from(end.is_some());
        let (information, _) = self.split_attributes(information);
        let language = (!information.trim().is_empty()).then(|| information.trim().to_owned());
        self.builder.add(Node::new(Kind::Code { language, text }));
        true
    }

    fn read_formula(&mut self, indent: usize, rest: &'a str) -> bool {
        let Some(inner) = rest.trim_end().strip_prefix("$$") else { return false };
        let expression = if inner.is_empty() {
            let next = self.formula_lines.partition_point(|number| *number <= self.line);
            let Some(end) = self.formula_lines.get(next).copied() else { return false };
            let lines = self.lines.get(self.line + 1..end).unwrap_or_default();
            self.line = end;
            lines.iter().map(|line| without_indentation(line, indent)).collect::<Vec<_>>().join("\n")
        } else if let Some(inner) = inner.strip_suffix("$$") {
            inner.trim().to_owned()
        } else {
            return false;
        };
        self.builder.add(Node::new(Kind::Equation { expression }));
        true
    }

    fn read_table(&mut self, indent: usize) -> bool {
        if !self.begins_table() {
            return false;
        }
        let mut rows = Vec::new();
        let first = self.line;
        while let Some(line) = self.lines.get(self.line).copied() {
            let (own, rest) = indentation(line, self.dialect);
            if own < indent || !rest.starts_with('|') {
                break;
            }
            if self.line != first + 1 {
                let cells = table::cells(rest).iter().map(|cell| self.inlines(cell)).collect();
                rows.push(Node::new(Kind::TableRow { cells }));
            }
            self.line += 1;
        }
        self.line -= 1;
        self.builder.add(Node { children: rows, ..Node::new(Kind::Table) });
        true
    }

    /// `![caption](address)` alone on its line.
    fn read_image(&mut self, rest: &'a str) -> bool {
        let (line, _) = tags::split_attribute_list(rest);
        let Some(inner) = line.trim_end().strip_prefix("![") else { return false };
        let Some((caption, url)) = image_parts(inner) else { return false };
        let label = self.inlines(caption);
        let kind = elements::media_of(Media::Image, Some(&url), None);
        self.builder.add(Node::labelled(kind, label));
        true
    }

    fn inlines(&mut self, text: &str) -> Vec<Inline> {
        inline::parse(text, self.dialect, self.warnings)
    }

    /// Adds the paragraph that was read so far.
    fn flush(&mut self) {
        if self.paragraph.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.paragraph);
        let inlines = self.inlines(text.trim_end_matches('\n'));
        self.builder.add_text(inlines);
    }

    /// Reads what may hold tags: text up to a tag, the tag, and so on.
    fn read_content(&mut self, indent: usize, text: &'a str) {
        let mut rest = text;
        let mut at_start = true;
        while !rest.is_empty() {
            let Some((before, tag, name)) = self.next_tag(rest, at_start) else { break };
            let text = before.trim_matches([' ', '\t']);
            if !text.is_empty() {
                self.take_text(indent, text);
            }
            at_start = true;
            let behind = rest.get(before.len() + tag.length..).unwrap_or_default();
            rest = self.take_tag(indent, &tag, &name, behind);
        }
        if !rest.trim().is_empty() {
            self.take_text(indent, rest);
        }
    }

    /// The next tag in `text` that makes or ends a block, with the text before it.
    fn next_tag(&mut self, text: &'a str, at_start: bool) -> Option<(&'a str, Tag<'a>, String)> {
        let mut at = 0;
        while let Some(found) = text.get(at..).and_then(|rest| rest.find(['<', '`', '\\'])) {
            looked_at(found + 1);
            at += found;
            let rest = text.get(at..)?;
            let skip = match rest.as_bytes().first() {
                Some(b'\\') => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
                Some(b'`') => code_length(rest),
                _ => match Tag::parse(rest) {
                    None => 1,
                    Some(tag) => {
                        let name = elements::canonical(tag.name);
                        if self.makes_block(&tag, &name, at_start && at == 0, rest) {
                            return Some((text.get(..at)?, tag, name));
                        }
                        tag.length + self.label_length(&tag, rest)
                    }
                },
            };
            at += skip;
        }
        None
    }

    /// The length of a mention's label and closing tag: what stands there is no tag, whatever it looks like
    /// (developers.notion.com "notion-flavored-markdown", where labels are literal).
    fn label_length(&mut self, tag: &Tag<'a>, rest: &str) -> usize {
        let closes = self.last_closing_line.get(tag.name).is_some_and(|line| *line >= self.line);
        if tag.form != Form::Open || !tag.name.starts_with("mention") || !closes {
            return 0;
        }
        if self.unclosed.0 != self.line {
            self.unclosed = (self.line, BTreeSet::new());
        }
        if self.unclosed.1.contains(tag.name) {
            return 0;
        }
        let found = inline::label_end(rest.get(tag.length..).unwrap_or_default(), tag.name);
        if found.is_none() {
            self.unclosed.1.insert(tag.name);
        }
        found.map_or(0, |(_, end)| end)
    }

    fn makes_block(&self, tag: &Tag<'_>, name: &str, at_start: bool, rest: &str) -> bool {
        if tag.form == Form::Close {
            return self.builder.is_open(name) || matches!(name, "col" | "empty-block");
        }
        match elements::element(tag, name, self.builder.innermost_tag()) {
            Element::Inline => false,
            Element::Unknown => at_start && self.unknown_makes_block(tag, rest),
            _ => true,
        }
    }

    /// An unknown tag is a block when it begins its line and is closed at the end of it or later; otherwise it is
    /// left to the text around it.
    fn unknown_makes_block(&self, tag: &Tag<'_>, rest: &str) -> bool {
        let behind = rest.get(tag.length..).unwrap_or_default().trim_end();
        if tag.form == Form::SelfClosing {
            return behind.is_empty() && (tag.has_attributes() || tag.name.contains(['-', '_']));
        }
        let close = format!("</{}>", tag.name);
        if behind.is_empty() {
            return self.last_closing_line.get(tag.name).is_some_and(|line| *line > self.line);
        }
        behind.ends_with(&close)
    }

    /// Takes one tag and returns what is left of the line.
    fn take_tag(&mut self, indent: usize, tag: &Tag<'a>, name: &str, behind: &'a str) -> &'a str {
        if tag.form == Form::Close {
            self.flush();
            self.builder.close(name);
            return behind;
        }
        self.flush();
        let element = elements::element(tag, name, self.builder.innermost_tag());
        let until = Until::Closed { name: name.to_owned(), indent };
        let (body, takes_label) = match element {
            Element::Labelled(kind) => (Body::Node(self.node_of(kind, tag)), true),
            Element::Holder(kind) => (Body::Node(self.node_of(kind, tag)), false),
            Element::Cell => (Body::Cell(Vec::new()), true),
            Element::Summary if matches!(self.builder.innermost_kind(), Some(Kind::Toggle)) => {
                (Body::Label(Vec::new()), true)
            }
            Element::Summary | Element::Transparent => (Body::Ghost, false),
            Element::Void => return behind,
            Element::Equation => return self.take_equation(indent, tag, behind),
            Element::Inline | Element::Unknown => {
                self.warnings.insert(Warning::UnknownBlock { kind: tag.name.to_owned() });
                let kind = Kind::Unknown { kind: tag.name.to_owned(), withheld: false };
                (Body::Node(elements::node_of(kind, tag)), true)
            }
        };
        self.open_element(until, body, takes_label, tag.form);
        behind
    }

    fn open_element(&mut self, until: Until, body: Body, takes_label: bool, form: Form) {
        match (form, body) {
            (Form::SelfClosing, Body::Node(node)) => self.builder.add(node),
            (Form::SelfClosing, Body::Label(_) | Body::Ghost) => {}
            (form, body) => {
                let name = match &until {
                    Until::Closed { name, .. } => name.clone(),
                    Until::Dedent(_) => String::new(),
                };
                self.builder.open(until, body, takes_label);
                if form == Form::SelfClosing {
                    self.builder.close(&name);
                }
            }
        }
    }

    fn node_of(&mut self, kind: Kind, tag: &Tag<'a>) -> Node {
        let mut node = elements::node_of(kind, tag);
        match &node.kind {
            Kind::Mail => {
                let subject = tag.attribute("subject").unwrap_or_default();
                node.label = if subject.is_empty() { Vec::new() } else { vec![Inline::plain(subject)] };
            }
            Kind::Synced { .. } if tag.attribute("notice").is_some_and(|notice| !notice.is_empty()) => {
                self.warnings.insert(Warning::Unreadable { what: "synced block".to_owned() });
            }
            _ => {}
        }
        node
    }

    /// The formula is literal when it is closed on its own line or on a later one.
    fn take_equation(&mut self, indent: usize, tag: &Tag<'a>, behind: &'a str) -> &'a str {
        const CLOSE: &str = "</equation>";
        let mut expression = String::new();
        let mut rest = behind;
        let last = self.last_closing_line.get(tag.name).copied();
        if tag.form == Form::SelfClosing || last.is_none_or(|line| line < self.line) {
            return behind;
        }
        loop {
            if let Some((inner, after)) = rest.split_once(CLOSE) {
                expression.push_str(inner);
                rest = after;
                break;
            }
            expression.push_str(rest);
            expression.push('\n');
            let Some(next) = self.lines.get(self.line + 1).copied().filter(|_| last > Some(self.line)) else {
                rest = "";
                break;
            };
            self.line += 1;
            rest = without_indentation(next, indent);
        }
        let expression = expression.trim();
        let expression = match self.dialect {
            Dialect::V1 => expression.to_owned(),
            Dialect::V2 => tags::decode_entities(expression).into_owned(),
        };
        self.builder.add(Node::new(Kind::Equation { expression }));
        rest
    }

    /// Whether a text on a line of its own, which could be the label of the tag around it, has lines nested below. A label
    /// has none: then it is a paragraph, and the tag has no label.
    fn nests_below(&self, indent: usize) -> bool {
        let deeper = |line: &&str| {
            let (own, rest) = indentation(line, Dialect::V1);
            own > indent && !rest.trim().is_empty()
        };
        self.builder.tag_indent().is_some_and(|tag| tag < indent)
            && self.lines.get(self.line + 1).is_some_and(deeper)
    }

    /// Takes text that holds no block: in the first dialect a block of its own, else a line of the paragraph.
    fn take_text(&mut self, indent: usize, text: &'a str) {
        if self.dialect == Dialect::V2 {
            if !self.paragraph.is_empty() {
                self.paragraph.push('\n');
            }
            self.paragraph.push_str(text);
            return;
        }
        let (text, _) = tags::split_attribute_list(text);
        let inlines = self.inlines(text);
        if self.builder.takes_label() && !self.nests_below(indent) {
            self.builder.add_text(inlines);
            self.builder.end_label();
        } else if !inlines.is_empty() {
            // Deeper lines that follow are its children.
            let node = Node::labelled(Kind::Paragraph, inlines);
            self.builder.open(Until::Dedent(indent + 1), Body::Node(node), false);
        }
    }
}

/// The length of the code span or the run of backticks at the start of `text`. A search fails only at the last run of
/// its length, so that long runs, which nobody writes, are all that has to be bounded.
fn code_length(text: &str) -> usize {
    let length = run_of_backticks(text);
    let mut at = length;
    while length <= 32
        && let Some(found) = text.get(at..).and_then(|rest| rest.find('`'))
    {
        looked_at(found + 1);
        at += found;
        let run = run_of_backticks(text.get(at..).unwrap_or_default());
        at += run;
        if run == length {
            return at;
        }
    }
    length
}

fn run_of_backticks(text: &str) -> usize {
    text.len() - text.trim_start_matches('`').len()
}

/// Character, length and information of the fence that opens a code block.
fn fence(rest: &str) -> Option<(char, usize, &str)> {
    let marker = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let information = rest.trim_start_matches(marker);
    let length = rest.len() - information.len();
    (length >= 3 && !(marker == '`' && information.contains('`'))).then_some((marker, length, information))
}

/// Caption and address of an image, when nothing follows it.
fn image_parts(inner: &str) -> Option<(&str, String)> {
    looked_at(inner.len());
    let mut depth = 0_usize;
    let mut escaped = false;
    let mut code_end = 0;
    for (offset, c) in inner.char_indices() {
        match c {
            _ if offset < code_end => {}
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '`' => code_end = offset + code_length(inner.get(offset..).unwrap_or_default()),
            '[' => depth += 1,
            ']' if depth > 0 => depth -= 1,
            ']' => {
                let address = inner.get(offset + 1..)?;
                let (url, length) = inline::destination(address).ok()?;
                return (length == address.len()).then(|| (inner.get(..offset).unwrap_or_default(), url));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::document::plain;

    fn tree(text: &str, dialect: Dialect) -> Vec<String> {
        fn show(nodes: &[Node], depth: usize, out: &mut Vec<String>) {
            for node in nodes {
                let kind = format!("{:?}", node.kind);
                let name = kind.split([' ', '(']).next().unwrap_or_default();
                out.push(format!("{}{name} {}", ".".repeat(depth), plain(&node.label)).trim_end().to_owned());
                show(&node.children, depth + 1, out);
            }
        }
        let mut out = Vec::new();
        show(&Parser::new(text, dialect, &mut BTreeSet::new()).parse(), 0, &mut out);
        out
    }

    #[test]
    fn tabs_nest_in_the_first_dialect() {
        let text = "- a\n\tb\n\t\t- c\n\td\ne";
        assert_eq!(
            tree(text, Dialect::V1),
            ["BulletedItem a", ".Paragraph b", "..BulletedItem c", ".Paragraph d", "Paragraph e"]
        );
    }

    #[test]
    fn captions_hold_code_with_brackets() {
        for dialect in [Dialect::V1, Dialect::V2] {
            assert_eq!(tree("![a `]` b ``]`c`` d](https://a.example/x)", dialect), ["Media a ] b ]`c d"]);
        }
    }

    #[test]
    fn a_line_with_nothing_but_a_nameless_mention_is_kept() {
        let mut warnings = BTreeSet::new();
        let url = "https://app.notion.com/p/393abc1eedcd81d5bf32d1339d9031c2";
        let nodes =
            Parser::new(&format!("<mention-page url=\"{url}\"/>"), Dialect::V1, &mut warnings).parse();
        assert!(matches!(nodes[0].label[0], Inline::Mention { .. }));
    }

    #[test]
    fn a_text_with_lines_below_is_no_label_of_the_first_dialect() {
        let text = "<callout>\n\ta\n\t\tb\n\tc\n</callout>\n<details>\n<summary>d</summary>\n\te\n</details>";
        let expected =
            ["Callout", ".Paragraph a", "..Paragraph b", ".Paragraph c", "Toggle d", ".Paragraph e"];
        assert_eq!(tree(text, Dialect::V1), expected);
    }

    #[test]
    fn spaces_do_not_nest_in_the_first_dialect() {
        let text = "<callout>\n\ta\n\t b\n</callout>\n c\n - d";
        let expected = ["Callout a", ".Paragraph b", "Paragraph c", "BulletedItem d"];
        assert_eq!(tree(text, Dialect::V1), expected);
    }

    #[test]
    fn the_label_of_a_mention_holds_no_tags() {
        let second = "see <mention url=\"user://1\">a <summary> b</mention> and <callout>\nc\n</callout>";
        assert_eq!(tree(second, Dialect::V2), ["Paragraph see @a <summary> b and", "Callout c"]);
        let cut = "<mention url=\"user://1\">a\n\n<callout>\nb</mention>\n</callout>";
        assert_eq!(tree(cut, Dialect::V2), ["Paragraph a", "Callout b</mention>"]);
    }

    #[test]
    fn lines_join_in_the_second_dialect_until_a_blank_one() {
        let text = "a\nb\n\nc\n- d\n  e\n\n  f\n\ng";
        let expected = ["Paragraph a b", "Paragraph c", "BulletedItem d e", ".Paragraph f", "Paragraph g"];
        assert_eq!(tree(text, Dialect::V2), expected);
    }

    #[test]
    fn the_first_text_of_a_tag_is_its_label() {
        let second = "<quote color=\"red\">\nTitle\n\n- child\n\n<callout>\nBody\n</callout>\n</quote>";
        assert_eq!(tree(second, Dialect::V2), ["Quote Title", ".BulletedItem child", ".Callout Body"]);
        let first =
            "<details>\n<summary>T **b**</summary>\n\tx\n</details>\n<callout>\n\tBody\n\t# H\n</callout>";
        assert_eq!(tree(first, Dialect::V1), ["Toggle T b", ".Paragraph x", "Callout Body", ".Heading H"]);
    }

    #[test]
    fn a_tag_that_nothing_closes_ends_where_the_indentation_does() {
        assert_eq!(
            tree("- a\n\t<callout>\n\t\tb\nc", Dialect::V1),
            ["BulletedItem a", ".Callout b", "Paragraph c"]
        );
    }

    #[test]
    fn what_only_looks_like_a_marker_is_text() {
        for text in [
            "2024. was a year",
            "-5 degrees",
            "#tag",
            "$$ alone",
            "| a |",
            "</callout>",
            "![no](image",
            "***bold***",
        ] {
            for dialect in [Dialect::V1, Dialect::V2] {
                let shown = text.trim_matches('*');
                assert_eq!(tree(text, dialect), [format!("Paragraph {shown}")], "{dialect:?}");
            }
        }
        assert_eq!(
            tree("12) x\n+ y\n___", Dialect::V1),
            ["Paragraph 12) x", "Paragraph + y", "Paragraph ___"]
        );
        assert_eq!(tree("___", Dialect::V2), ["Divider"]);
    }

    #[test]
    fn tags_in_code_are_code() {
        let text = "<callout>\n\tsee `</callout>` and ``<td>``\n</callout>";
        assert_eq!(tree(text, Dialect::V1), ["Callout see </callout> and <td>"]);
    }
}
