//! The passage of a text that shows best why it was found, and where in it the query's words stand.
//!
//! Text and ranges only: escaping and marking up is the caller's business. Pure.

use std::collections::BTreeMap;
use std::ops::Range;

use tantivy::tokenizer::{Token, TokenStream as _};

use super::analysis::{FOLDED, MIXED, analyzers, stem};
use super::query::{Matching, ParsedQuery};

/// Length of a snippet in characters, roughly.
pub const SNIPPET_CHARS: usize = 240;
/// How much of a text is looked at. A hit behind it is found and shows the beginning of the text.
const MAX_SCANNED_BYTES: usize = 1 << 20;
/// Most matches that are weighed.
const MAX_MATCHES: usize = 2_000;

/// A piece of text and the parts of it to highlight.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snippet {
    /// One line of plain text; `…` stands where it was cut.
    pub text: String,
    /// Bytes of `text`, in order, without overlap.
    pub highlights: Vec<Range<usize>>,
}

/// Where a snippet is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which of the texts.
    pub text: usize,
    /// The first byte that matches.
    pub byte: usize,
}

/// Finds the words of a query in texts.
#[derive(Debug, Clone)]
pub struct Highlighter {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    /// Which wanted thing it belongs to.
    clause: usize,
    weight: u32,
    terms: Vec<String>,
    /// The terms' stems, where a stem is as good.
    stems: Option<Vec<String>>,
    last_is_prefix: bool,
}

/// A place where a pattern matched.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Match {
    range: Range<usize>,
    clause: usize,
    weight: u32,
}

impl Highlighter {
    /// For what a query wants.
    pub fn new(query: &ParsedQuery) -> Self {
        let mut patterns = Vec::new();
        for (at, clause) in query.wanted.iter().enumerate() {
            let stemmed = clause.matching == Matching::Word && !clause.unspaced;
            for terms in &clause.sequences {
                patterns.push(Pattern {
                    clause: at,
                    weight: if clause.optional { 1 } else { 8 },
                    stems: stemmed.then(|| terms.iter().map(|term| stem(term)).collect()),
                    last_is_prefix: clause.matching == Matching::Prefix,
                    terms: terms.clone(),
                });
            }
        }
        Self { patterns }
    }

    /// What to highlight in a short text that is shown whole, such as a title.
    pub fn highlights(&self, text: &str) -> Vec<Range<usize>> {
        merged(&self.matches(text), 0..text.len())
    }

    /// The best passage of the first text in which anything matches, else the beginning of the first; and with a
    /// match, which text that is and where in it the matches begin.
    pub fn snippet(&self, texts: &[&str]) -> (Snippet, Option<Place>) {
        for (at, text) in texts.iter().enumerate() {
            let matches = self.matches(text);
            if !matches.is_empty() {
                let core = best_stretch(text, &matches);
                let place = Place { text: at, byte: core.start };
                return (cut(text, around(text, &core), &matches), Some(place));
            }
        }
        let text = texts.iter().find(|text| !text.trim().is_empty()).copied().unwrap_or_default();
        let end = nth_char(text, 0, SNIPPET_CHARS);
        (cut(text, 0..snap_end(text, end), &[]), None)
    }

    fn matches(&self, text: &str) -> Vec<Match> {
        if self.patterns.is_empty() {
            return Vec::new();
        }
        let text = &text[..text.floor_char_boundary(MAX_SCANNED_BYTES)];
        let tokens = tokens(text);
        let mut found = Vec::new();
        for at in 0..tokens.len() {
            for pattern in &self.patterns {
                if let Some(end) = pattern.match_at(&tokens, at) {
                    let start = tokens[at].offsets.start;
                    found.push(Match { range: start..end, clause: pattern.clause, weight: pattern.weight });
                }
            }
            if found.len() >= MAX_MATCHES {
                break;
            }
        }
        found.sort_by_key(|found| (found.range.start, found.range.end));
        // A stop word is worth marking only beside something that was meant.
        if found.iter().all(|found| found.weight <= 1) { Vec::new() } else { found }
    }
}

struct TextToken {
    folded: String,
    stemmed: String,
    position: usize,
    offsets: Range<usize>,
}

fn tokens(text: &str) -> Vec<TextToken> {
    let mut streams: Vec<_> =
        analyzers().into_iter().filter(|(name, _)| [FOLDED, MIXED].contains(name)).map(|(_, a)| a).collect();
    let [folded, mixed] = streams.as_mut_slice() else { return Vec::new() };
    let (mut folded, mut mixed) = (folded.token_stream(text), mixed.token_stream(text));
    let mut tokens = Vec::new();
    // Both streams make the same tokens; one stems them.
    while folded.advance() && mixed.advance() {
        let Token { offset_from, offset_to, position, text, .. } = folded.token();
        tokens.push(TextToken {
            folded: text.clone(),
            stemmed: mixed.token().text.clone(),
            position: *position,
            offsets: *offset_from..*offset_to,
        });
    }
    tokens
}

impl Pattern {
    /// Where the match that begins with token `first` ends.
    fn match_at(&self, tokens: &[TextToken], first: usize) -> Option<usize> {
        let mut end = 0;
        let mut at = first;
        for index in 0..self.terms.len() {
            let position = tokens[first].position + index;
            if index > 0 {
                at += tokens[at..].iter().position(|token| {
                    token.position > position || (token.position == position && self.accepts(token, index))
                })?;
            }
            let token = tokens.get(at)?;
            if token.position != position || !self.accepts(token, index) {
                return None;
            }
            end = end.max(token.offsets.end);
        }
        Some(end)
    }

    fn accepts(&self, token: &TextToken, index: usize) -> bool {
        let Some(term) = self.terms.get(index) else { return false };
        if self.last_is_prefix && index + 1 == self.terms.len() {
            return token.folded.starts_with(term.as_str());
        }
        token.folded == *term
            || self
                .stems
                .as_ref()
                .and_then(|stems| stems.get(index))
                .is_some_and(|stem| token.stemmed == *stem)
    }
}

/// The stretch of text with the most different things wanted, the earliest of equals.
fn best_stretch(text: &str, matches: &[Match]) -> Range<usize> {
    let mut best = (0, 0..0);
    for (first, start) in matches.iter().enumerate() {
        let limit = nth_char(text, start.range.start, SNIPPET_CHARS);
        let inside = matches[first..].iter().take_while(|found| found.range.start < limit);
        let mut seen: BTreeMap<usize, u32> = BTreeMap::new();
        let mut repeats = 0;
        let mut end = start.range.end;
        for found in inside.filter(|found| found.range.end <= limit || found.range == start.range) {
            end = end.max(found.range.end);
            if seen.insert(found.clause, found.weight).is_some() {
                repeats += 1;
            }
        }
        let score = 4 * seen.values().sum::<u32>() + repeats.min(8);
        if score > best.0 {
            best = (score, start.range.start..end);
        }
    }
    best.1
}

/// Extends to the length of a snippet: from the beginning of the line if that is near, to the end of a word.
fn around(text: &str, core: &Range<usize>) -> Range<usize> {
    let length = text[core.clone()].chars().count();
    let spare = SNIPPET_CHARS.saturating_sub(length);
    let earliest = nth_char_back(text, core.start, spare / 3);
    let before = &text[earliest..core.start];
    let start = match before.find('\n') {
        _ if earliest == 0 => 0,
        Some(line_break) => earliest + line_break + 1,
        None => before.find(char::is_whitespace).map_or(earliest, |at| nth_char(text, earliest + at, 1)),
    };
    let used = text[start..core.end].chars().count();
    let end = nth_char(text, core.end, SNIPPET_CHARS.saturating_sub(used));
    start..snap_end(text, end).max(core.end)
}

/// Moves a cut back to the end of a word, unless the text there has no spaces.
fn snap_end(text: &str, end: usize) -> usize {
    if end >= text.len() {
        return text.len();
    }
    let reach = nth_char_back(text, end, 24);
    text[reach..end].rfind(char::is_whitespace).map_or(end, |at| reach + at)
}

fn nth_char(text: &str, from: usize, count: usize) -> usize {
    text[from..].char_indices().nth(count).map_or(text.len(), |(at, _)| from + at)
}

fn nth_char_back(text: &str, from: usize, count: usize) -> usize {
    text[..from].char_indices().rev().take(count).last().map_or(from, |(at, _)| at)
}

/// Makes one line of a range of text and carries the highlights over.
fn cut(text: &str, range: Range<usize>, matches: &[Match]) -> Snippet {
    let marks = merged(matches, range.clone());
    let mut snippet = Snippet::default();
    if range.start > 0 {
        snippet.text.push('…');
    }
    let mut marks = marks.into_iter().peekable();
    let mut open = None;
    let mut space_due = false;
    for (at, c) in text[range.clone()].char_indices() {
        let at = range.start + at;
        if marks.peek().is_some_and(|mark| mark.end <= at) {
            marks.next();
            if let Some(start) = open.take() {
                snippet.highlights.push(start..snippet.text.len());
            }
        }
        if c.is_whitespace() {
            space_due = !snippet.text.is_empty() && !snippet.text.ends_with('…');
            continue;
        }
        if c.is_control() {
            continue;
        }
        if std::mem::take(&mut space_due) {
            snippet.text.push(' ');
        }
        if marks.peek().is_some_and(|mark| mark.start <= at) && open.is_none() {
            open = Some(snippet.text.len());
        }
        snippet.text.push(c);
    }
    if let Some(start) = open {
        snippet.highlights.push(start..snippet.text.len());
    }
    if text[range.end..].chars().any(|c| !c.is_whitespace()) {
        snippet.text.push('…');
    }
    snippet
}

/// The matches inside a range, overlapping ones joined.
fn merged(matches: &[Match], within: Range<usize>) -> Vec<Range<usize>> {
    let mut marks: Vec<Range<usize>> = Vec::new();
    for found in
        matches.iter().filter(|found| found.range.start >= within.start && found.range.end <= within.end)
    {
        match marks.last_mut() {
            Some(last) if found.range.start <= last.end => last.end = last.end.max(found.range.end),
            _ => marks.push(found.range.clone()),
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::super::query::parse;
    use super::*;

    fn marked(query: &str, text: &str) -> String {
        let (snippet, _) = Highlighter::new(&parse(query)).snippet(&[text]);
        let mut shown = snippet.text.clone();
        for range in snippet.highlights.iter().rev() {
            shown.insert(range.end, ']');
            shown.insert(range.start, '[');
        }
        shown
    }

    #[test]
    fn words_are_marked_in_every_form_that_matched() {
        assert_eq!(marked("running test*", "Runs of tested things"), "[Runs] of [tested] things");
        assert_eq!(marked("uber", "Wir über uns"), "Wir [über] uns");
        assert_eq!(marked("error code", "errorCode, error_code!"), "[errorCode], [error]_[code]!");
        assert_eq!(marked("予算", "来年の予算案"), "来年の[予算]案");
        assert_eq!(marked("\"big plan\"", "plan a big plan"), "plan a [big plan]");
    }

    #[test]
    fn words_that_only_help_are_not_marked_alone() {
        assert_eq!(marked("how to deploy", "to be or not to be"), "to be or not to be");
        assert_eq!(marked("how to deploy", "we deploy to production"), "we [deploy] [to] production");
    }

    #[test]
    fn the_passage_with_most_of_the_words_wins() {
        let text = format!(
            "alpha here.\n{}\nalpha meets beta at last.\n{}",
            "filler ".repeat(100),
            "more ".repeat(100)
        );
        let shown = marked("alpha beta", &text);
        assert!(shown.contains("[alpha] meets [beta] at last."), "{shown}");
        assert!(shown.starts_with("…[alpha]"), "it begins with the line: {shown}");
        assert!(shown.ends_with("more…"), "it ends with a word: {shown}");
    }

    #[test]
    fn lines_become_one_line() {
        assert_eq!(marked("b", " a\n\n b\tc "), "a [b] c");
    }

    #[test]
    fn without_a_match_the_text_begins() {
        assert_eq!(marked("zebra", "Some text."), "Some text.");
        assert_eq!(marked("", ""), "");
        let texts = ["The body.", "Status: Done"];
        let (snippet, place) = Highlighter::new(&parse("done")).snippet(&texts);
        assert_eq!((snippet.text.as_str(), place), ("Status: Done", Some(Place { text: 1, byte: 8 })));
        assert_eq!(Highlighter::new(&parse("zebra")).snippet(&texts).1, None);
    }

    #[test]
    fn text_without_spaces_is_cut_by_characters() {
        let shown = marked("目的", &format!("{}目的{}", "山".repeat(500), "川".repeat(500)));
        assert!(shown.contains("[目的]"));
        assert!(shown.chars().count() <= SNIPPET_CHARS + 4, "{}", shown.chars().count());
    }

    proptest::proptest! {
        #[test]
        fn ranges_are_ordered_and_on_characters(query in "[a-cé日本]{1,3} [a-c]{1,3}", text in "[a-cé日本 \\n._]{0,400}") {
            let (snippet, _) = Highlighter::new(&parse(&query)).snippet(&[&text]);
            let mut last = 0;
            for range in &snippet.highlights {
                proptest::prop_assert!(range.start >= last && range.end > range.start);
                proptest::prop_assert!(snippet.text.get(range.clone()).is_some());
                last = range.end;
            }
        }
    }
}
