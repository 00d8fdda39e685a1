//! Tags and their attributes, the same in both dialects.

/// An opening or self-closing tag under construction.
pub(super) struct Tag {
    text: String,
}

impl Tag {
    pub(super) fn new(name: &str) -> Self {
        Self { text: format!("<{name}") }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        push_attribute(&mut self.text, name, value);
        self
    }

    pub(super) fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Booleans are left out when false (recorded for tables: `<table header-row="true">`).
    pub(super) fn flag(self, name: &str, value: bool) -> Self {
        if value { self.with(name, "true") } else { self }
    }

    pub(super) fn open(self, out: &mut String) {
        out.push_str(&self.text);
        out.push('>');
    }

    /// Ends with `/>` (v1) or ` />` (v2).
    pub(super) fn close_self(self, out: &mut String, end: &str) {
        out.push_str(&self.text);
        out.push_str(end);
    }
}

/// Writes ` name="value"`. Addresses keep their `&`: a signed URL must be usable as it stands; only an ampersand that
/// would read as an entity is written as one.
pub(super) fn push_attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    for (at, character) in value.char_indices() {
        match character {
            '"' => out.push_str("&quot;"),
            '\n' | '\r' => out.push(' '),
            '&' if starts_entity(&value[at..]) => out.push_str("&amp;"),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Whether text that begins with `&` would be read as a character reference.
pub(super) fn starts_entity(text: &str) -> bool {
    let rest = &text[1..];
    let length =
        rest.bytes().take(33).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#').count();
    length > 0 && rest.as_bytes().get(length) == Some(&b';')
}

/// Writes the destination of `[text](destination)`: parentheses and spaces would end it.
pub(super) fn push_destination(out: &mut String, url: &str) {
    for character in url.chars() {
        match character {
            '(' => out.push_str("%28"),
            ')' => out.push_str("%29"),
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '\\' => out.push_str("%5C"),
            ' ' => out.push_str("%20"),
            control if control.is_control() => {}
            other => out.push(other),
        }
    }
}
