//! Rich text of every kind: marks, colours, links, equations, mentions, other scripts, and text that looks like syntax.

use serde_json::{Value, json};

use super::{Author, PEOPLE};
use crate::world::generate::words;

/// Text that is markup in one of the two dialects, or in CommonMark, when it begins a line.
pub(super) const LINE_STARTS: [&str; 38] = [
    "# no heading",
    "#### no heading",
    "##### five",
    "#hash",
    "> no quote",
    ">> deeper",
    "- no item",
    "* no item",
    "+ no item",
    "1. no number",
    "12) no number",
    "a. letter",
    "- [ ] no task",
    "- [x] no task",
    "[ ] box",
    "---",
    "- - -",
    "***",
    "___",
    "===",
    "```rust",
    "~~~",
    "$$",
    "| a | b |",
    "|---|",
    "    four spaces",
    "{color=\"red\"}",
    ":::note",
    "[^1]: note",
    "[label]: https://label.example",
    "<details>",
    "</details>",
    "<summary>",
    "<p>",
    "<empty-block/>",
    "<!-- comment -->",
    "<unknown url=\"https://app.notion.com/p/x\" alt=\"y\"/>",
    "<page url=\"https://app.notion.com/p/x\">",
];

/// Text that is markup anywhere in a line.
pub(super) const INSIDE: [&str; 58] = [
    "*",
    "**",
    "**bold**",
    "a*b*c",
    "_",
    "__init__",
    "snake_case_name",
    "~",
    "~~struck~~",
    "`",
    "``",
    "`code`",
    "$",
    "$5 and $6",
    "$x$",
    "$`y`$",
    "[",
    "]",
    "[]",
    "[text](https://text.example)",
    "![image](https://image.example)",
    "[^https://cite.example]",
    "[[wiki]]",
    "<",
    ">",
    "<>",
    "2 < 3 > 1",
    "a<b",
    "->",
    "<b>bold</b>",
    "<br>",
    "<br />",
    "</span>",
    "</callout>",
    "</details>",
    "</td></tr></table>",
    "</mention>",
    "<mention-user url=\"user://x\"/>",
    "</meeting-notes>",
    "<https://auto.example>",
    "{",
    "}",
    "{toggle=\"true\"}",
    "|",
    "^",
    "x^2",
    ":",
    ":smile:",
    "\\",
    "\\\\",
    "\\*",
    "\\n",
    "C:\\new\\table",
    "&",
    "&amp;",
    "&#60;",
    "https://bare.example/a_b_c?d=e&f=g",
    "\"quoted\" 'single'",
];

/// Other scripts, and characters that are hard to see.
pub(super) const SCRIPTS: [&str; 18] = [
    "東京オフィスの水位計",
    "물높이 측정",
    "水位监测站",
    "مرحبا بالعالم",
    "שלום עולם",
    "Ελληνικά",
    "Привет, мир",
    "हिन्दी",
    "ภาษาไทย",
    "Größe ändern",
    "e\u{301}clair",
    "👩‍👩‍👧‍👦 🇯🇵 👍🏽",
    "𝒜𝓁𝑔𝑒𝒷𝓇𝒶",
    "zero\u{200b}width",
    "\u{feff}mark",
    "no\u{a0}break",
    "soft\u{ad}hyphen",
    "\u{202e}reversed\u{202c}",
];

pub(super) const SPACES: [&str; 9] =
    ["  two before", "two after  ", "\ttab before", "tab after\t", "a\tb", " ", "   ", "\t", "a  b"];

pub(super) const EXPRESSIONS: [&str; 8] = [
    "E = mc^2",
    "\\frac{a}{b}",
    "x_1 + x_2",
    "a < b > c",
    "\\text{cost in \\$}",
    "|x| \\cdot [y]",
    "a * b ~ c",
    "\\begin{matrix} 1 & 2 \\\\ 3 & 4 \\end{matrix}",
];

pub(super) const ADDRESSES: [&str; 6] = [
    "https://works.example/wiki",
    "https://works.example/a_(b)",
    "https://works.example/?q=a&b=c#d",
    "https://works.example/two%20words",
    "https://works.example/\"quoted\"",
    "mailto:desk@works.example",
];

pub(super) const COLORS: [&str; 20] = [
    "default",
    "gray",
    "brown",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "red",
    "default_background",
    "gray_background",
    "brown_background",
    "orange_background",
    "yellow_background",
    "green_background",
    "blue_background",
    "purple_background",
    "pink_background",
    "red_background",
];

/// One kind of piece that text is put together from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece {
    Plain,
    LineStart,
    Inside,
    Marked,
    Colored,
    Linked,
    Code,
    Equation,
    Mention,
    Breaks,
    Spaces,
    Script,
}

pub(super) const PIECES: [Piece; 16] = [
    Piece::Plain,
    Piece::Plain,
    Piece::LineStart,
    Piece::LineStart,
    Piece::Inside,
    Piece::Inside,
    Piece::Marked,
    Piece::Colored,
    Piece::Linked,
    Piece::Code,
    Piece::Equation,
    Piece::Mention,
    Piece::Mention,
    Piece::Breaks,
    Piece::Spaces,
    Piece::Script,
];

/// What is mentioned.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mention {
    User,
    Page,
    Database,
    Day,
    Days,
    Instant,
    ZonedRange,
    LinkPreview,
    LinkCard,
    BareLink,
    TemplateToday,
    TemplateNow,
    TemplateMe,
    CustomEmoji,
}

pub(super) const MENTIONS: [Mention; 14] = [
    Mention::User,
    Mention::Page,
    Mention::Database,
    Mention::Day,
    Mention::Days,
    Mention::Instant,
    Mention::ZonedRange,
    Mention::LinkPreview,
    Mention::LinkCard,
    Mention::BareLink,
    Mention::TemplateToday,
    Mention::TemplateNow,
    Mention::TemplateMe,
    Mention::CustomEmoji,
];

fn text(content: &str) -> Value {
    json!({"type": "text", "text": {"content": content}})
}

impl Author<'_> {
    /// A few plain words.
    pub(super) fn words(&mut self, low: usize, high: usize) -> String {
        let count = self.rng.between(low, high);
        let words: Vec<String> = (0..count).map(|_| self.vocabulary.word(&mut self.rng).to_owned()).collect();
        words.join(" ")
    }

    /// Rich text with a marker word, unless what is written now may show on several pages.
    pub(super) fn rich_text(&mut self) -> Value {
        if self.is_tame {
            return self.label();
        }
        let pieces = self.rng.between(1, 4);
        let at = self.rng.below(pieces + 1);
        let mut items = Vec::with_capacity(pieces + 2);
        for number in 0..=pieces {
            if number == at {
                items.push(self.marked());
            }
            if number < pieces {
                self.piece(&mut items);
            }
        }
        Value::Array(items)
    }

    /// Rich text in one line without marks, with a marker word.
    pub(super) fn label(&mut self) -> Value {
        let (words, marker) = (self.words(1, 4), self.marker());
        json!([text(&format!("{words}{marker}"))])
    }

    /// Literal text of several lines: code.
    pub(super) fn literal(&mut self) -> Value {
        let (first, marker) = (self.words(1, 3), self.marker());
        let (start, inside) =
            (self.decks.line_starts.draw(&mut self.rng), self.decks.inside.draw(&mut self.rng));
        let lines = [&first, start, "", "\tindented", inside, &format!("end{marker}")];
        json!([text(&lines.join("\n"))])
    }

    pub(super) fn expression(&mut self) -> &'static str {
        self.decks.expressions.draw(&mut self.rng)
    }

    pub(super) fn address(&mut self) -> &'static str {
        self.decks.addresses.draw(&mut self.rng)
    }

    pub(super) fn color(&mut self) -> &'static str {
        self.decks.colors.draw(&mut self.rng)
    }

    /// A title: plain, in another script, or hostile; never empty and of one line.
    pub(super) fn title(&mut self) -> String {
        let words = self.words(1, 4);
        if self.is_tame {
            return words;
        }
        let odd = match self.rng.below(6) {
            0 => self.decks.line_starts.draw(&mut self.rng),
            1 => self.decks.inside.draw(&mut self.rng),
            2 => self.decks.scripts.draw(&mut self.rng),
            _ => return words,
        };
        if self.rng.chance(50) { format!("{odd} {words}") } else { format!("{words} {odd} end") }
    }

    /// A title with a mention in it.
    pub(super) fn rich_title(&mut self, title: &str) -> Value {
        let which = self.decks.mentions.draw(&mut self.rng);
        json!([text(&format!("{title} ")), self.mention(which), text(" after")])
    }

    fn marked(&mut self) -> Value {
        let marker = self.marker();
        let content = if marker.is_empty() { " plain ".to_owned() } else { format!("{marker} ") };
        let mut item = text(&content);
        if self.rng.chance(30) {
            item["annotations"] = self.marks();
        }
        item
    }

    /// One of the 31 combinations of marks; code alone, as text in code has no other marks inside.
    fn marks(&mut self) -> Value {
        let bits = self.decks.marks.draw(&mut self.rng);
        let has = |bit: u8| bits & bit != 0;
        json!({"bold": has(1), "italic": has(2), "strikethrough": has(4), "underline": has(8), "code": has(16)})
    }

    fn piece(&mut self, items: &mut Vec<Value>) {
        let words = self.words(1, 5);
        let item = match self.decks.pieces.draw(&mut self.rng) {
            Piece::Plain => text(&format!("{words}. ")),
            Piece::LineStart => {
                let start = self.decks.line_starts.draw(&mut self.rng);
                text(&match self.rng.below(3) {
                    0 => format!("{start} {words} "),
                    1 => format!("\n{start}\n{words} "),
                    _ => format!("{words} {start} "),
                })
            }
            Piece::Inside => {
                let inside = self.decks.inside.draw(&mut self.rng);
                text(&match self.rng.below(3) {
                    0 => format!("{words}{inside}{words} "),
                    1 => format!("{words} {inside} "),
                    _ => format!("{inside}{words}{inside} "),
                })
            }
            Piece::Marked => {
                let marks = self.marks();
                // With nothing between neighbours: marks inside a word.
                items.push(text("before"));
                items.push(json!({"text": {"content": words}, "annotations": marks}));
                text("after ")
            }
            Piece::Colored => {
                let (mut annotations, color) = (self.marks(), self.color());
                annotations["color"] = Value::from(color);
                json!({"text": {"content": format!("{words} ")}, "annotations": annotations})
            }
            Piece::Linked => {
                let url = self.address();
                let inside = self.decks.inside.draw(&mut self.rng);
                items.push(json!({"text": {"content": format!("{words} {inside}"), "link": {"url": url}}}));
                let annotations = self.marks();
                json!({"text": {"content": words, "link": {"url": url}}, "annotations": annotations})
            }
            Piece::Code => {
                let inside = self.decks.inside.draw(&mut self.rng);
                json!({"text": {"content": format!("{inside} {words}")}, "annotations": {"code": true}})
            }
            Piece::Equation => {
                let expression = self.expression();
                items.push(json!({"type": "equation", "equation": {"expression": expression}}));
                text(" ")
            }
            Piece::Mention => {
                let which = self.decks.mentions.draw(&mut self.rng);
                items.push(self.mention(which));
                text(" ")
            }
            Piece::Breaks => {
                let breaks = if self.rng.chance(60) { "\n" } else { "\n\n" };
                text(&format!("{words}{breaks}{words} "))
            }
            Piece::Spaces => text(self.decks.spaces.draw(&mut self.rng)),
            Piece::Script => text(&format!("{} ", self.decks.scripts.draw(&mut self.rng))),
        };
        items.push(item);
    }

    /// A mention; the marks of a fifth of them show that a mention can carry some.
    pub(super) fn mention(&mut self, which: Mention) -> Value {
        let mut item = match which {
            Mention::User => {
                let email = words::person(self.rng.below(PEOPLE)).1;
                json!({"mention": {"type": "user", "user": {"email": email}}})
            }
            Mention::Page => {
                let page = self.some_page();
                json!({"mention": {"type": "page", "page": {"id": {"ref": page}}}})
            }
            Mention::Database => match self.some_database() {
                Some(name) => json!({"mention": {"type": "database", "database": {"id": {"ref": name}}}}),
                None => json!({"mention": {"date": {"start": "2026-01-31"}}}),
            },
            Mention::Day => json!({"mention": {"date": {"start": "2026-03-01"}}}),
            Mention::Days => json!({"mention": {"date": {"start": "2026-03-01", "end": "2026-03-05"}}}),
            Mention::Instant => json!({"mention": {"date": {"start": "2026-03-01T09:30:00.000+02:00"}}}),
            Mention::ZonedRange => json!({"mention": {"date": {"start": "2026-03-01T09:30:00.000+09:00",
                "end": "2026-03-01T11:00:00.000+09:00", "time_zone": "Asia/Tokyo"}}}),
            Mention::LinkPreview => {
                json!({"mention": {"type": "link_preview", "link_preview": {"url": "https://github.com/works/gauge/issues/7"}},
                    "href": "https://github.com/works/gauge/issues/7"})
            }
            Mention::LinkCard => {
                let (title, href) = (self.title(), "https://news.example/gauges");
                json!({"mention": {"type": "link_mention", "link_mention": {"href": href, "title": title,
                    "description": "How rivers are measured", "link_author": "A. Writer", "link_provider": "News",
                    "thumbnail_url": "https://news.example/t.png", "icon_url": "https://news.example/i.png",
                    "iframe_url": "https://news.example/embed", "height": 320, "padding": 8, "padding_top": 4}}, "href": href})
            }
            Mention::BareLink => {
                let href = "https://news.example/bare";
                json!({"mention": {"type": "link_mention", "link_mention": {"href": href}}, "href": href})
            }
            Mention::TemplateToday => json!({"mention": {"type": "template_mention", "template_mention":
                {"type": "template_mention_date", "template_mention_date": "today"}}, "plain_text": "@Today"}),
            Mention::TemplateNow => json!({"mention": {"type": "template_mention", "template_mention":
                {"type": "template_mention_date", "template_mention_date": "now"}}, "plain_text": "@Now"}),
            Mention::TemplateMe => json!({"mention": {"type": "template_mention", "template_mention":
                {"type": "template_mention_user", "template_mention_user": "me"}}, "plain_text": "@Me"}),
            Mention::CustomEmoji => {
                json!({"mention": {"type": "custom_emoji", "custom_emoji": self.custom_emoji()}})
            }
        };
        if self.rng.chance(20) {
            item["annotations"] = json!({"bold": true, "color": "blue"});
        }
        item
    }
}
