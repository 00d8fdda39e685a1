//! Rich text items → runs: neighbours of one look become one, so that a text cut into items of 2,000 characters
//! carries one pair of marks.

use serde_json::Value;

/// How a run looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) strikethrough: bool,
    pub(super) underline: bool,
    pub(super) code: bool,
    pub(super) color: Option<String>,
    pub(super) link: Option<String>,
    /// Addresses of the discussions that hang on it.
    pub(super) discussions: Option<String>,
}

/// What a run says.
#[derive(Debug)]
pub(super) enum Saying<'v> {
    Text(String),
    Equation(&'v str),
    /// The address of what is cited, and the mark.
    Citation(&'v str, &'v str),
    /// The `mention` object and the item's `plain_text`.
    Mention(&'v Value, &'v str),
}

#[derive(Debug)]
pub(super) struct Run<'v> {
    pub(super) look: Look,
    pub(super) saying: Saying<'v>,
}

pub(super) fn runs(items: &[Value]) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::with_capacity(items.len());
    for item in items {
        let mut look = look_of(item);
        let plain = item["plain_text"].as_str().unwrap_or_default();
        let saying = match item["type"].as_str() {
            Some("equation") => Saying::Equation(item["equation"]["expression"].as_str().unwrap_or(plain)),
            Some("mention") => Saying::Mention(&item["mention"], plain),
            _ if let Some(url) = item["citation"].as_str() => {
                look.link = None;
                Saying::Citation(url, plain)
            }
            _ => Saying::Text(item["text"]["content"].as_str().unwrap_or(plain).to_owned()),
        };
        match (runs.last_mut(), saying) {
            (_, Saying::Text(text)) if text.is_empty() => {}
            (Some(Run { look: before, saying: Saying::Text(whole) }), Saying::Text(text))
                if *before == look =>
            {
                whole.push_str(&text);
            }
            (_, saying) => runs.push(Run { look, saying }),
        }
    }
    runs
}

/// What a reader sees; decides which form a block takes.
pub(super) fn plain_text(items: &[Value]) -> String {
    items.iter().filter_map(|item| item["plain_text"].as_str()).collect()
}

fn look_of(item: &Value) -> Look {
    let annotations = &item["annotations"];
    let has = |name: &str| annotations[name].as_bool().unwrap_or(false);
    Look {
        bold: has("bold"),
        italic: has("italic"),
        strikethrough: has("strikethrough"),
        underline: has("underline"),
        code: has("code"),
        color: super::markdown_color(annotations["color"].as_str()),
        link: item["text"]["link"]["url"].as_str().map(str::to_owned),
        discussions: item["discussion_urls"].as_str().map(str::to_owned),
    }
}
