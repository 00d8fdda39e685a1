//! The tags of both Markdown dialects: `<callout icon="💡">`, `</callout>`, `<empty-block/>`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::cost::looked_at;

/// Whether a tag opens, closes, or does both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Open,
    Close,
    SelfClosing,
}

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// The name as written, in which `_` may stand for `-`.
    pub(super) name: &'a str,
    pub(super) form: Form,
    attributes: &'a str,
    /// Bytes from `<` to behind `>`.
    pub(super) length: usize,
}

impl<'a> Tag<'a> {
    /// The tag at the start of `text`.
    ///
    /// An unquoted `<` ends the attempt. That bounds the cost of hostile text: of two attempts that began at
    /// different places, at most one is outside quotes at any later `<`, so no place is scanned more than twice.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.first() != Some(&b'<') {
            return None;
        }
        let closing = bytes.get(1) == Some(&b'/');
        let name_start = if closing { 2 } else { 1 };
        if !bytes.get(name_start)?.is_ascii_lowercase() {
            return None;
        }
        looked_at(1);
        let name_end = bytes.iter().skip(name_start).position(|byte| {
            !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
        })? + name_start;
        if !matches!(bytes.get(name_end), Some(b'>' | b'/' | b' ' | b'\t' | b'\n')) {
            return None;
        }
        let end = unquoted_end(bytes, name_end)?;
        let inner = text.get(name_end..end)?;
        let (attributes, form) = match (closing, inner.strip_suffix('/')) {
            (true, _) => (inner, Form::Close),
            (false, Some(front)) => (front, Form::SelfClosing),
            (false, None) => (inner, Form::Open),
        };
        Some(Self { name: text.get(name_start..name_end)?, form, attributes, length: end + 1 })
    }

    /// The value of attribute `name`, decoded; an attribute without a value is empty.
    pub(super) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        attributes(self.attributes).find(|(key, _)| *key == name).map(|(_, value)| decode_entities(value))
    }

    /// Whether attribute `name` is set to true.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.attribute(name).is_some_and(|value| value == "true")
    }

    /// Whether the tag has attributes.
    pub(super) fn has_attributes(&self) -> bool {
        !self.attributes.trim().is_empty()
    }
}

fn unquoted_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut quoted = false;
    for (offset, byte) in bytes.iter().enumerate().skip(from) {
        looked_at(1);
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(offset),
            b'<' if !quoted => return None,
            _ => {}
        }
    }
    None
}

/// The `key="value"` pairs of `text`; ends at the first thing that is none.
pub(super) fn attributes(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text.trim_start();
    std::iter::from_fn(move || {
        let key_end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '?' | ':')))
            .unwrap_or(rest.len());
        let (key, behind) = rest.split_at_checked(key_end).filter(|(key, _)| !key.is_empty())?;
        let (value, behind) = match behind.strip_prefix('=') {
            None => ("", behind),
            Some(value) => match value.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => value.split_at_checked(value.find(char::is_whitespace).unwrap_or(value.len()))?,
            },
        };
        rest = behind.trim_start();
        Some((key.trim_end_matches('?'), value))
    })
}

/// The attribute list that ends a line of the first dialect: `Text {color="blue"}`. Returns the text before it.
///
/// Literal braces are escaped there, so a list that parses is one.
pub(super) fn split_attribute_list(line: &str) -> (&str, Option<&str>) {
    looked_at(line.len());
    let trimmed = line.trim_end();
    let Some(front) = trimmed.strip_suffix('}') else { return (line, None) };
    let Some(open) = front.rfind('{') else { return (line, None) };
    let (Some(text), Some(list)) = (front.get(..open), front.get(open + 1..)) else { return (line, None) };
    let known = |(key, value): (&str, &str)| matches!(key, "color" | "toggle") && !value.is_empty();
    let ends = list.trim_end().ends_with('"');
    if text.ends_with('\\') || !ends || attributes(list).next().is_none() || !attributes(list).all(known) {
        return (line, None);
    }
    (text.trim_end_matches(' '), Some(list))
}

/// Where each name is closed for the last time in `text`: an unknown opening tag is one only if it is closed.
pub(super) fn last_closings(text: &str) -> BTreeMap<&str, usize> {
    let mut closings = BTreeMap::new();
    looked_at(text.len());
    for (offset, _) in text.match_indices("</") {
        if let Some(tag) = text.get(offset..).and_then(Tag::parse) {
            closings.insert(tag.name, offset);
        }
    }
    closings
}

/// `text` with its character references decoded.
pub(super) fn decode_entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((front, behind)) = rest.split_once('&') {
        out.push_str(front);
        match entity(behind) {
            Some((decoded, length)) => {
                out.push(decoded);
                rest = behind.get(length..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character reference that follows a `&`, with its length.
pub(super) fn entity(text: &str) -> Option<(char, usize)> {
    // The longest reference that is understood here is `&#x10FFFF;`.
    let end = text.bytes().take(10).position(|byte| byte == b';')?;
    let name = text.get(..end)?;
    let decoded = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')?
        }
    };
    Some((decoded, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_parse_with_their_attributes() {
        let tag = Tag::parse(r#"<callout icon="💡" color="gray_bg" note="a > b &amp; c">rest"#).unwrap();
        assert_eq!((tag.name, tag.form), ("callout", Form::Open));
        assert_eq!(tag.attribute("icon").as_deref(), Some("💡"));
        assert_eq!(tag.attribute("note").as_deref(), Some("a > b & c"));
        assert_eq!(tag.attribute("missing"), None);
        assert_eq!(Tag::parse("<empty-block/>").unwrap().form, Form::SelfClosing);
        assert_eq!(Tag::parse("<p />").unwrap().form, Form::SelfClosing);
        assert_eq!(Tag::parse("</synced_block>").unwrap().form, Form::Close);
    }

    #[test]
    fn what_is_no_tag_is_left_alone() {
        for text in ["<", "<3", "a<b>", "< b>", "<String>", "<https://x.y>", "<a <b>", "<a \"x>", "<name,x>"]
        {
            assert_eq!(Tag::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_attribute_list_ends_a_line_only_when_it_parses() {
        assert_eq!(split_attribute_list(r#"Text {color="blue"}"#), ("Text", Some(r#"color="blue""#)));
        assert_eq!(split_attribute_list(r"Text \{a\}").1, None);
        assert_eq!(split_attribute_list("set {1, 2}").1, None);
        assert_eq!(split_attribute_list("fn main() {}").1, None);
    }

    #[test]
    fn entities_decode_once() {
        assert_eq!(decode_entities("a &lt;b&gt; &amp;lt; &#65;&#x42; &no; &"), "a <b> &lt; AB &no; &");
    }
}
