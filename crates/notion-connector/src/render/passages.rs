//! Cuts the text into passages while it is written.
//!
//! A passage never crosses a heading, ends at a block's end where it can, and is about [`TARGET`] wide: 200 to 400
//! tokens of any script, since the width of a character is what it costs in tokens. Passages cover the whole text
//! but for the line ends between them.

use std::ops::Range;

use super::markdown::cost::looked_at;
use crate::model::{NotionId, Passage};

/// Width at which a passage is complete.
const TARGET: usize = 1_400;
/// Width that a passage does not pass.
const LIMIT: usize = 1_800;
/// Headings kept of a path: more than that is nesting by accident.
const PATH_LENGTH: usize = 8;
/// Characters kept of a heading in a path.
const HEADING_LENGTH: usize = 200;

/// Letters of alphabets cost a quarter of a token, ideographs and syllables about one.
fn width_of(c: char) -> usize {
    if u32::from(c) >= 0x2E80 { 4 } else { 1 }
}

fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

#[derive(Debug)]
struct Open {
    range: Range<usize>,
    width: usize,
    path: Vec<String>,
    block_id: Option<NotionId>,
    only_headings: bool,
}

/// The text so far, and the passage that is being filled.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    text: String,
    passages: Vec<Passage>,
    open: Option<Open>,
    /// Level and text of the headings above.
    path: Vec<(u8, String)>,
    scopes: Vec<usize>,
}

impl Cutter {
    /// Headings from here on count until [`Cutter::leave_scope`].
    pub(super) fn enter_scope(&mut self) {
        self.scopes.push(self.path.len());
    }

    /// Forgets the headings of the scope.
    pub(super) fn leave_scope(&mut self) {
        let base = self.scopes.pop().unwrap_or(0);
        if self.path.len() > base {
            self.path.truncate(base);
            self.close();
        }
    }

    /// Adds a heading.
    pub(super) fn heading(&mut self, level: u8, line: &str, block_id: Option<NotionId>) {
        let base = self.scopes.last().copied().unwrap_or(0);
        while self.path.len() > base && self.path.last().is_some_and(|(above, _)| *above >= level) {
            self.path.pop();
        }
        if line.is_empty() {
            self.close();
            return;
        }
        self.path.push((level, line.chars().take(HEADING_LENGTH).collect()));
        // A heading without text below it shares a passage with the next.
        if self.open.as_ref().is_some_and(|open| !open.only_headings || open.width > TARGET) {
            self.close();
        }
        self.append(line, block_id, true);
    }

    /// Adds a block that is no heading.
    pub(super) fn block(&mut self, line: &str, block_id: Option<NotionId>) {
        if !line.is_empty() {
            self.append(line, block_id, false);
        }
    }

    /// Begins what is no part of the document so far, under one heading that is no line of the text.
    pub(super) fn section(&mut self, name: &str) {
        self.close();
        self.scopes.clear();
        self.path = vec![(0, name.to_owned())];
    }

    /// The text and its passages.
    pub(super) fn finish(mut self) -> (String, Vec<Passage>) {
        self.close();
        (self.text, self.passages)
    }

    fn append(&mut self, line: &str, block_id: Option<NotionId>, heading: bool) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let start = self.text.len();
        self.text.push_str(line);
        looked_at(line.len());
        let whole = width(line);
        let full = |open: &Open| {
            !open.only_headings && (open.width >= TARGET || open.width + whole.min(TARGET) > LIMIT)
        };
        if self.open.as_ref().is_some_and(full) {
            self.close();
        }
        let room = LIMIT.saturating_sub(self.open.as_ref().map_or(0, |open| open.width));
        if whole <= room {
            self.extend(start..self.text.len(), whole, block_id, heading);
            return;
        }
        for (piece, width) in pieces(line) {
            if self.open.as_ref().is_some_and(|open| open.width + width > LIMIT) {
                self.close();
            }
            self.extend(start + piece.start..start + piece.end, width, block_id, heading);
        }
    }

    fn extend(&mut self, range: Range<usize>, width: usize, block_id: Option<NotionId>, heading: bool) {
        if let Some(open) = &mut self.open {
            open.range.end = range.end;
            open.width += width;
            if heading {
                open.path = path_of(&self.path);
            } else {
                open.only_headings = false;
            }
            return;
        }
        self.open = Some(Open { range, width, path: path_of(&self.path), block_id, only_headings: heading });
    }

    /// Ends the passage.
    pub(super) fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.passages.push(Passage {
                heading_path: open.path,
                block_id: open.block_id,
                range: open.range,
            });
        }
    }
}

fn path_of(path: &[(u8, String)]) -> Vec<String> {
    let skip = path.len().saturating_sub(PATH_LENGTH);
    path.iter().skip(skip).map(|(_, heading)| heading.clone()).collect()
}

/// Cuts a long block into pieces of at most [`TARGET`]: behind a sentence, else at white space, else anywhere
/// between characters.
fn pieces(line: &str) -> Vec<(Range<usize>, usize)> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut now = 0;
    // Best ends so far in this piece: offset and width up to there.
    let mut sentence = None;
    let mut space = None;
    let mut previous = ' ';
    for (offset, c) in line.char_indices() {
        if now + width_of(c) > TARGET {
            let (end, used) =
                sentence.filter(|(_, used)| *used > TARGET / 2).or(space).unwrap_or((offset, now));
            pieces.push((start..end, used));
            (start, now, sentence, space) = (end, now - used, None, None);
        }
        if c.is_whitespace() {
            space = Some((offset + c.len_utf8(), now + width_of(c)));
        }
        if matches!(c, '。' | '！' | '？' | '\n') || (c == ' ' && matches!(previous, '.' | '!' | '?' | '…'))
        {
            sentence = Some((offset + c.len_utf8(), now + width_of(c)));
        }
        now += width_of(c);
        previous = c;
    }
    if start < line.len() {
        pieces.push((start..line.len(), now));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(feed: impl Fn(&mut Cutter)) -> (String, Vec<Passage>) {
        let mut cutter = Cutter::default();
        feed(&mut cutter);
        cutter.finish()
    }

    fn texts(result: &(String, Vec<Passage>)) -> Vec<&str> {
        result.1.iter().map(|passage| &result.0[passage.range.clone()]).collect()
    }

    #[test]
    fn headings_bound_passages_and_name_them() {
        let result = cut(|cutter| {
            cutter.block("intro", None);
            cutter.heading(1, "A", None);
            cutter.heading(2, "B", None);
            cutter.block("one", None);
            cutter.block("two", None);
            cutter.heading(1, "C", None);
        });
        assert_eq!(texts(&result), ["intro", "A\nB\none\ntwo", "C"]);
        let paths: Vec<_> = result.1.iter().map(|passage| passage.heading_path.join("/")).collect();
        assert_eq!(paths, ["", "A/B", "C"]);
    }

    #[test]
    fn a_heading_in_a_column_does_not_govern_what_follows_it() {
        let result = cut(|cutter| {
            cutter.heading(1, "A", None);
            cutter.enter_scope();
            cutter.heading(1, "inner", None);
            cutter.block("x", None);
            cutter.leave_scope();
            cutter.block("y", None);
        });
        assert_eq!(result.1.last().map(|passage| passage.heading_path.clone()), Some(vec!["A".to_owned()]));
        assert_eq!(texts(&result).last(), Some(&"y"));
    }

    #[test]
    fn long_blocks_are_cut_at_sentences_and_nothing_is_lost() {
        for sentence in ["This is a sentence of some length. ", "これは文です。", "nospaceatall"] {
            let block = sentence.repeat(600);
            let block = block.trim_end();
            let result = cut(|cutter| cutter.block(block, None));
            assert_eq!(texts(&result).concat(), block);
            assert!(result.1.len() > 3);
            for text in texts(&result) {
                assert!(width(text) <= LIMIT, "{}", width(text));
            }
            let first = texts(&result)[0];
            assert!(sentence == "nospaceatall" || first.trim_end().ends_with(['.', '。']), "{first}");
        }
    }

    #[test]
    fn short_blocks_are_gathered() {
        let result =
            cut(|cutter| (0..1_000).for_each(|number| cutter.block(&format!("line {number}"), None)));
        assert!(result.1.len() < 10, "{}", result.1.len());
        assert!(result.1.iter().all(|passage| passage.range.len() <= LIMIT + 300));
    }
}
