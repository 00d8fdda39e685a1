//! What readers write to: one text in reading order, with its headings, bounded.
//!
//! Invariants: the text never grows beyond its bound; what is beyond is counted. Lines end in `\n` alone, no line ends in
//! a blank, no two blank lines follow each other, cells of a row are parted by a tab.

/// Where a heading stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heading {
    /// 1 for the highest.
    pub level: u8,
    /// First byte of its line in the text.
    pub start: usize,
    /// Byte behind its line.
    pub end: usize,
}

/// A text in the making.
#[derive(Debug)]
pub(crate) struct Text {
    text: String,
    headings: Vec<Heading>,
    at_most: usize,
    cut_bytes: u64,
    /// What stands between what was written and what is written next.
    gap: Gap,
    /// A cell was begun, and nothing was written since.
    in_new_cell: bool,
    /// A heading that is being written: its level and where it began.
    heading: Option<(u8, Option<usize>)>,
}

/// Kinds of space, the stronger the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Blank,
    Cell,
    Line,
    Paragraph,
}

/// Most headings that are remembered: more is no structure any more.
const MAX_HEADINGS: usize = 20_000;

impl Text {
    /// An empty text that grows to `at_most` bytes.
    pub(crate) fn new(at_most: usize) -> Self {
        Self {
            text: String::new(),
            headings: Vec::new(),
            at_most,
            cut_bytes: 0,
            gap: Gap::None,
            in_new_cell: false,
            heading: None,
        }
    }

    /// Text that flows: any white space is one blank.
    pub(crate) fn flow(&mut self, text: &str) {
        if text.starts_with(char::is_whitespace) {
            self.widen(Gap::Blank);
        }
        for word in text.split_whitespace() {
            self.append(word);
            self.widen(Gap::Blank);
        }
        if self.gap == Gap::Blank && !text.ends_with(char::is_whitespace) && !text.is_empty() {
            self.gap = Gap::None;
        }
    }

    /// Text as it stands, with its own lines and blanks.
    pub(crate) fn verbatim(&mut self, text: &str) {
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.widen(if self.gap >= Gap::Line { Gap::Paragraph } else { Gap::Line });
            }
            let line = line.trim_end_matches('\r');
            if !line.trim_end().is_empty() {
                self.append(line.trim_end());
            }
            if line.ends_with([' ', '\t']) {
                self.widen(Gap::Blank);
            }
        }
    }

    /// All of a file that is text already; only its line ends become one kind.
    pub(crate) fn whole(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('\r') {
            self.append(&rest[..at]);
            self.append("\n");
            rest = &rest[at + 1..];
            rest = rest.strip_prefix('\n').unwrap_or(rest);
        }
        self.append(rest);
    }

    /// Counts bytes that were not even looked at.
    pub(crate) fn cut(&mut self, bytes: usize) {
        self.cut_bytes += bytes as u64;
    }

    /// Ends a cell of a row, or sets a tab.
    pub(crate) fn cell(&mut self) {
        self.widen(Gap::Cell);
    }

    /// Begins a cell of a row.
    pub(crate) fn begin_cell(&mut self) {
        self.widen(Gap::Cell);
        self.in_new_cell = true;
    }

    /// Ends a cell of a row that may hold lines and paragraphs: the end of its last one is the cell's.
    pub(crate) fn end_cell(&mut self) {
        self.end_heading();
        if self.gap < Gap::Cell || !self.in_new_cell {
            self.gap = Gap::Cell;
        }
    }

    /// Begins a line, unless a cell has just begun: its first line stands in it.
    pub(crate) fn begin_line(&mut self) {
        if !self.in_new_cell {
            self.line();
        }
    }

    /// Begins a paragraph; the same holds.
    pub(crate) fn begin_paragraph(&mut self) {
        if !self.in_new_cell {
            self.paragraph();
        }
    }

    /// Ends a line.
    pub(crate) fn line(&mut self) {
        self.in_new_cell = false;
        self.widen(Gap::Line);
    }

    /// Ends a paragraph.
    pub(crate) fn paragraph(&mut self) {
        self.end_heading();
        self.in_new_cell = false;
        self.widen(Gap::Paragraph);
    }

    /// Begins a heading, which the end of the paragraph ends.
    pub(crate) fn heading(&mut self, level: u8) {
        self.paragraph();
        self.heading = Some((level.clamp(1, 6), None));
    }

    /// The whole heading at once.
    pub(crate) fn headed(&mut self, level: u8, title: &str) {
        self.heading(level);
        self.flow(title);
        self.paragraph();
    }

    /// Whether all further text would be cut: a reader may stop then.
    pub(crate) fn is_full(&self) -> bool {
        self.cut_bytes > 0
    }

    /// Whether nothing was written yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether there is nothing but headings.
    pub(crate) fn is_headings_alone(&self) -> bool {
        let of_headings: usize = self.headings.iter().map(|heading| heading.end - heading.start).sum();
        let white = self.text.bytes().filter(|byte| *byte == b'\n').count();
        of_headings + white == self.text.len()
    }

    /// The text, its headings, and how many bytes the bound cut off (at least).
    pub(crate) fn finish(mut self) -> (String, Vec<Heading>, u64) {
        self.end_heading();
        (self.text, self.headings, self.cut_bytes)
    }

    fn widen(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn end_heading(&mut self) {
        if let Some((level, Some(start))) = self.heading.take()
            && self.text.len() > start
            && self.headings.len() < MAX_HEADINGS
        {
            self.headings.push(Heading { level, start, end: self.text.len() });
        }
    }

    fn append(&mut self, run: &str) {
        self.in_new_cell = false;
        let gap = match std::mem::replace(&mut self.gap, Gap::None) {
            _ if self.text.is_empty() => "",
            Gap::None => "",
            Gap::Blank => " ",
            Gap::Cell => "\t",
            // A heading is one line.
            Gap::Line | Gap::Paragraph if matches!(self.heading, Some((_, Some(_)))) => " ",
            Gap::Line => "\n",
            Gap::Paragraph => "\n\n",
        };
        let room = self.at_most.saturating_sub(self.text.len());
        if self.cut_bytes > 0 || gap.len() + run.len() > room {
            let fits = run.floor_char_boundary(room.saturating_sub(gap.len()));
            if self.cut_bytes == 0 && fits > 0 {
                self.push(gap, &run[..fits]);
                self.cut_bytes += (run.len() - fits) as u64;
            } else {
                self.cut_bytes += run.len() as u64;
            }
            return;
        }
        self.push(gap, run);
    }

    fn push(&mut self, gap: &str, run: &str) {
        self.text.push_str(gap);
        if let Some((_, start @ None)) = &mut self.heading {
            *start = Some(self.text.len());
        }
        // Control characters are no text, whatever a file says.
        if run.contains(is_noise) {
            self.text.extend(run.chars().filter(|&c| !is_noise(c)));
        } else {
            self.text.push_str(run);
        }
    }
}

fn is_noise(c: char) -> bool {
    c.is_control() && c != '\t' && c != '\n'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Text)) -> String {
        let mut text = Text::new(1_000);
        write(&mut text);
        text.finish().0
    }

    #[test]
    fn words_keep_the_blanks_between_runs_and_no_others() {
        let written = text(|text| {
            text.flow("  one\n two");
            text.flow("half ");
            text.flow(" three ");
            text.line();
            text.flow(" four");
        });
        assert_eq!(written, "one twohalf three\nfour");
    }

    #[test]
    fn cells_lines_and_paragraphs_part_what_follows_them() {
        let written = text(|text| {
            for cell in ["a", "", "c"] {
                text.flow(cell);
                text.cell();
            }
            text.line();
            text.flow("next");
            text.paragraph();
            text.paragraph();
            text.verbatim("  kept\n\n\n  as it is \r\n");
            text.verbatim("end");
        });
        assert_eq!(written, "a\tc\nnext\n\n  kept\n\n  as it is\nend");
    }

    #[test]
    fn headings_are_ranges_of_one_line() {
        let mut text = Text::new(1_000);
        text.flow("before");
        text.heading(2);
        text.flow("A");
        text.line();
        text.flow("title");
        text.paragraph();
        text.headed(9, " ");
        text.flow("after");
        let (text, headings, _) = text.finish();
        assert_eq!(text, "before\n\nA title\n\nafter");
        assert_eq!(headings.len(), 1);
        assert_eq!((headings[0].level, &text[headings[0].start..headings[0].end]), (2, "A title"));
    }

    #[test]
    fn the_bound_holds_and_what_it_cut_is_counted() {
        let mut text = Text::new(5);
        text.flow("aüü bb ccc");
        assert!(text.is_full());
        let (text, _, cut) = text.finish();
        assert_eq!((text.as_str(), cut), ("aüü", 5));
    }
}
