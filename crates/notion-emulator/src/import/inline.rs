//! Runs of text → rich text items in the shape of the API.

use serde_json::{Value, json};

use super::library::Target;

/// The longest `text.content` (developers.notion.com "request-limits"); counted in UTF-16 units, as Notion's own
/// JavaScript does.
const MAX_ITEM_UNITS: usize = 2_000;

/// How a run looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) strikethrough: bool,
    pub(super) code: bool,
    pub(super) link: Option<Link>,
}

/// Where a run leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    Web(String),
    /// A page of the same folder whose title is not the link's text.
    Page(Target),
}

/// Text of one style, or a mention.
#[derive(Debug, Clone)]
pub(super) enum Run {
    Text(String, Style),
    Mention(Target, Style),
}

/// A line of runs under construction.
#[derive(Debug, Default)]
pub(super) struct Line {
    runs: Vec<Run>,
}

impl Line {
    pub(super) fn push(&mut self, text: &str, style: &Style) {
        if text.is_empty() {
            return;
        }
        if let Some(Run::Text(whole, before)) = self.runs.last_mut()
            && before == style
        {
            return whole.push_str(text);
        }
        self.runs.push(Run::Text(text.to_owned(), style.clone()));
    }

    /// Adds another line's runs.
    pub(super) fn append(&mut self, mut other: Self) {
        self.runs.append(&mut other.runs);
    }

    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.runs.iter().all(|run| matches!(run, Run::Text(text, _) if text.trim().is_empty()))
    }

    /// Replaces the runs from `start` on by a mention if they say just the target's title: a mention shows that title,
    /// so no word changes.
    pub(super) fn mention_from(&mut self, start: usize, target: &Target) {
        let start = start.min(self.runs.len());
        let said: String = self.runs[start..]
            .iter()
            .map(|run| match run {
                Run::Text(text, _) => text.as_str(),
                Run::Mention(target, _) => target.title.as_str(),
            })
            .collect();
        if said != target.title {
            return;
        }
        let style = match self.runs.get(start) {
            Some(Run::Text(_, style) | Run::Mention(_, style)) => Style { link: None, ..style.clone() },
            None => Style::default(),
        };
        self.runs.truncate(start);
        self.runs.push(Run::Mention(target.clone(), style));
    }

    /// The items.
    pub(super) fn into_items(self) -> Value {
        Value::Array(self.runs.iter().flat_map(items).collect())
    }

    /// Takes off spaces at the edges: they are no part of a block's text.
    pub(super) fn trimmed(mut self) -> Self {
        if let Some(Run::Text(text, Style { code: false, .. })) = self.runs.first_mut() {
            *text = text.trim_start().to_owned();
        }
        if let Some(Run::Text(text, Style { code: false, .. })) = self.runs.last_mut() {
            text.truncate(text.trim_end().len());
        }
        self.runs.retain(|run| !matches!(run, Run::Text(text, _) if text.is_empty()));
        self
    }
}

fn items(run: &Run) -> Vec<Value> {
    match run {
        Run::Text(text, style) => {
            let link = match &style.link {
                None => Value::Null,
                Some(Link::Web(url)) => json!({"url": url}),
                Some(Link::Page(target)) => json!({"url": {"ref": target.name}}),
            };
            let item = |piece: &str| {
                json!({"type": "text", "text": {"content": piece, "link": link}, "annotations": annotations(style),
                    "plain_text": piece})
            };
            pieces(text).into_iter().map(item).collect()
        }
        Run::Mention(target, style) => {
            let kind = if target.is_database { "database" } else { "page" };
            vec![json!({"type": "mention", "mention": {"type": kind, kind: {"id": {"ref": target.name}}},
                "annotations": annotations(style), "plain_text": target.title})]
        }
    }
}

fn annotations(style: &Style) -> Value {
    json!({"bold": style.bold, "italic": style.italic, "strikethrough": style.strikethrough, "underline": false,
        "code": style.code, "color": "default"})
}

/// Plain text as items.
pub(super) fn plain_items(text: &str) -> Value {
    let mut line = Line::default();
    line.push(text, &Style::default());
    line.into_items()
}

fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut units) = (0, 0);
    for (at, character) in text.char_indices() {
        if units + character.len_utf16() > MAX_ITEM_UNITS {
            pieces.push(&text[start..at]);
            (start, units) = (at, 0);
        }
        units += character.len_utf16();
    }
    pieces.push(&text[start..]);
    pieces
}
