//! Rich Text Format, as “Rich Text Format (RTF) Specification 1.9.1” has it.
//!
//! A document is one stream of words (`\par`), characters and groups. Groups hold state, so there is a stack of it; what
//! lies deeper than [`MAX_DEPTH`] shares the state of its holder. Nothing recurses.

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GBK, MACINTOSH, SHIFT_JIS, UTF_8, WINDOWS_874, WINDOWS_1250, WINDOWS_1251,
    WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256, WINDOWS_1257, WINDOWS_1258,
};

use crate::text::Text;
use crate::{Failure, Metadata, Reading};

/// Groups within groups that keep a state of their own. Writers stay below twenty.
const MAX_DEPTH: usize = 500;

/// Fonts and styles that are remembered.
const MAX_TABLE: usize = 10_000;

/// Reads a document. One that ends early, or closes more groups than it opens, gives what it has.
pub(crate) fn read(bytes: &[u8], text: &mut Text) -> Result<Reading, Failure> {
    if !bytes.starts_with(b"{\\rtf") {
        return Err(Failure::broken("it does not begin as RTF does"));
    }
    let mut reader = Reader::new(text);
    let tokens = Tokens { bytes, at: 0 };
    for token in tokens {
        reader.take(token);
        if reader.text.is_full() {
            break;
        }
    }
    reader.flush();
    let left_out = (reader.depth > 0 && !reader.text.is_full())
        .then(|| "the document ends within a group; it was cut short".to_owned());
    Ok(Reading { metadata: reader.metadata, left_out: left_out.into_iter().collect(), ..Reading::default() })
}

/// What the stream consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    /// `\word` with its number.
    Word(&'a str, Option<i32>),
    /// `\` and a character that is no letter.
    Symbol(u8),
    /// `\'hh`.
    Hex(u8),
    /// Characters of the text in the encoding of their font.
    Bytes(&'a [u8]),
}

struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    fn run(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| !accept(*byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn control(&mut self) -> Option<Token<'a>> {
        let first = *self.bytes.get(self.at)?;
        if !first.is_ascii_alphabetic() {
            self.at += 1;
            if first != b'\'' {
                return Some(Token::Symbol(first));
            }
            let digits = self.bytes.get(self.at..self.at + 2).and_then(|hex| std::str::from_utf8(hex).ok());
            let byte = digits.and_then(|hex| u8::from_str_radix(hex, 16).ok());
            self.at += if byte.is_some() { 2 } else { 0 };
            return Some(byte.map_or(Token::Bytes(b""), Token::Hex));
        }
        let word = std::str::from_utf8(self.run(|byte| byte.is_ascii_alphabetic())).unwrap_or_default();
        let from = self.at;
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        self.run(|byte| byte.is_ascii_digit());
        let number = std::str::from_utf8(&self.bytes[from..self.at]).ok().and_then(|text| text.parse().ok());
        // A blank ends the word and belongs to it.
        if self.bytes.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        if let ("bin", Some(length)) = (word, number) {
            self.at = self.at.saturating_add(usize::try_from(length).unwrap_or(0)).min(self.bytes.len());
        }
        Some(Token::Word(word, number))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        // Line ends stand between words only for those who read the file itself.
        self.run(|byte| matches!(byte, b'\r' | b'\n' | 0));
        let first = *self.bytes.get(self.at)?;
        match first {
            b'{' | b'}' => {
                self.at += 1;
                Some(if first == b'{' { Token::Open } else { Token::Close })
            }
            b'\\' => {
                self.at += 1;
                self.control()
            }
            _ => {
                Some(Token::Bytes(self.run(|byte| !matches!(byte, b'{' | b'}' | b'\\' | b'\r' | b'\n' | 0))))
            }
        }
    }
}

/// Where the characters of a group go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination {
    Text,
    Nowhere,
    Fonts,
    Styles,
    /// The properties of the document: only those that are known are kept.
    Properties,
    Title,
    Author,
    Instruction,
}

/// What a group inherits and gives back at its end.
#[derive(Debug, Clone)]
struct State {
    destination: Destination,
    font: i32,
    hidden: bool,
    /// Characters that follow a `\u` for readers without Unicode.
    fallback: u16,
    style: i32,
    /// Beside the text that it stands in: a header, a footnote, a comment.
    aside: bool,
}

struct Reader<'t> {
    text: &'t mut Text,
    metadata: Metadata,
    stack: Vec<State>,
    state: State,
    depth: usize,
    /// `\*` was just read: the next word names a destination that may be left out.
    starred: bool,
    code_page: &'static Encoding,
    fonts: std::collections::BTreeMap<i32, &'static Encoding>,
    /// Heading levels of the styles that have one.
    levels: std::collections::BTreeMap<i32, u8>,
    pending: Vec<u8>,
    high_surrogate: Option<u16>,
    /// Fallback characters still to be left out.
    skip: u16,
    named: String,
    instruction: String,
    heading_begun: bool,
}

impl<'t> Reader<'t> {
    fn new(text: &'t mut Text) -> Self {
        let state = State {
            destination: Destination::Text,
            font: 0,
            hidden: false,
            fallback: 1,
            style: 0,
            aside: false,
        };
        Self {
            text,
            metadata: Metadata::default(),
            stack: Vec::new(),
            state,
            depth: 0,
            starred: false,
            code_page: WINDOWS_1252,
            fonts: std::collections::BTreeMap::new(),
            levels: std::collections::BTreeMap::new(),
            pending: Vec::new(),
            high_surrogate: None,
            skip: 0,
            named: String::new(),
            instruction: String::new(),
            heading_begun: false,
        }
    }

    fn take(&mut self, token: Token<'_>) {
        match token {
            Token::Open => {
                self.flush();
                self.depth += 1;
                if self.stack.len() < MAX_DEPTH {
                    self.stack.push(self.state.clone());
                }
                self.skip = 0;
            }
            Token::Close => {
                self.flush();
                self.close();
            }
            Token::Hex(byte) => self.byte(byte),
            Token::Bytes(run) => run.iter().for_each(|byte| self.byte(*byte)),
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Word(word, number) => {
                if self.skip > 0 && word != "u" {
                    self.skip -= 1;
                } else {
                    self.word(word, number);
                }
            }
        }
        self.starred = token == Token::Symbol(b'*');
    }

    fn close(&mut self) {
        let (ended, aside) = (self.state.destination, self.state.aside);
        if self.depth <= self.stack.len()
            && let Some(outer) = self.stack.pop()
        {
            self.state = outer;
        }
        self.depth = self.depth.saturating_sub(1);
        self.skip = 0;
        if aside && !self.state.aside {
            self.text.line();
        }
        if ended == self.state.destination {
            return;
        }
        match ended {
            Destination::Title => self.metadata.title = filled(&mut self.named),
            Destination::Author => self.metadata.author = filled(&mut self.named),
            Destination::Styles | Destination::Fonts => self.named.clear(),
            Destination::Instruction => {
                let link = link_of(&std::mem::take(&mut self.instruction));
                if let Some(link) = link {
                    self.metadata.add_link(&link);
                }
            }
            Destination::Text | Destination::Properties | Destination::Nowhere => {}
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else {
            self.high_surrogate = None;
            self.pending.push(byte);
        }
    }

    fn encoding(&self) -> &'static Encoding {
        self.fonts.get(&self.state.font).copied().unwrap_or(self.code_page)
    }

    /// Writes the bytes that were gathered: a character may lie in two of them.
    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.pending);
        let (decoded, _) = self.encoding().decode_without_bom_handling(&bytes);
        self.write(&decoded);
        self.pending = bytes;
        self.pending.clear();
    }

    fn write(&mut self, run: &str) {
        match self.state.destination {
            Destination::Text if !self.state.hidden => {
                if !self.heading_begun
                    && let Some(level) = self.levels.get(&self.state.style)
                    && !run.trim().is_empty()
                {
                    self.text.heading(*level);
                    self.heading_begun = true;
                }
                self.text.flow(run);
            }
            Destination::Title | Destination::Author => push_bounded(&mut self.named, run),
            Destination::Instruction => push_bounded(&mut self.instruction, run),
            Destination::Styles => {
                push_bounded(&mut self.named, run);
                self.end_style();
            }
            Destination::Text | Destination::Properties | Destination::Nowhere | Destination::Fonts => {}
        }
    }

    /// A style's name ends in a semicolon; “heading 2” is a heading.
    fn end_style(&mut self) {
        if !self.named.contains(';') {
            return;
        }
        let name = std::mem::take(&mut self.named).to_lowercase();
        let level = name.trim_end_matches(';').trim().strip_prefix("heading").map(str::trim);
        if let Some(level) = level.and_then(|level| level.parse().ok())
            && self.levels.len() < MAX_TABLE
        {
            self.levels.insert(self.state.style, level);
        }
    }

    fn unicode(&mut self, number: i32) {
        self.flush();
        self.skip = self.state.fallback;
        // Written as a signed number of 16 bits.
        let Ok(unit) = u16::try_from(number.rem_euclid(0x1_0000)) else { return };
        let units = [self.high_surrogate.take().unwrap_or(unit), unit];
        if (0xD800..0xDC00).contains(&unit) {
            self.high_surrogate = Some(unit);
            return;
        }
        let pair = if units[0] == unit { &units[1..] } else { &units[..] };
        let decoded: String = char::decode_utf16(pair.iter().copied())
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        self.write(&decoded);
    }

    fn symbol(&mut self, symbol: u8) {
        let written = match symbol {
            b'\\' | b'{' | b'}' => return self.byte(symbol),
            b'~' => "\u{a0}",
            b'_' => "\u{2011}",
            b'\r' | b'\n' => return self.end_paragraph(),
            b'\t' => return self.end_cell(),
            // An optional hyphen, an index entry, a star: nothing that is read.
            _ => return,
        };
        self.flush();
        self.write(written);
    }

    fn in_text(&self) -> bool {
        self.state.destination == Destination::Text && !self.state.hidden
    }

    fn end_paragraph(&mut self) {
        self.flush();
        if self.in_text() {
            if self.heading_begun {
                self.text.paragraph();
            } else {
                self.text.line();
            }
            self.heading_begun = false;
        }
    }

    fn end_cell(&mut self) {
        self.flush();
        if self.in_text() {
            self.text.cell();
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>) {
        if word != "u" {
            self.flush();
            self.high_surrogate = None;
        }
        if let Some(destination) = destination_of(word, self.starred) {
            // What holds text nowhere has none within either.
            if self.state.destination != Destination::Nowhere {
                self.state.destination = destination;
                if destination == Destination::Text && !matches!(word, "rtf" | "fldrslt") {
                    self.state.aside = true;
                    self.text.line();
                }
            }
            return;
        }
        let on = number != Some(0);
        match word {
            "u" => self.unicode(number.unwrap_or(0)),
            "uc" => self.state.fallback = number.and_then(|count| u16::try_from(count).ok()).unwrap_or(1),
            "f" => self.state.font = number.unwrap_or(0),
            "s" => self.state.style = number.unwrap_or(0),
            "pard" => self.state.style = 0,
            "plain" => self.state.hidden = false,
            "v" | "deleted" => self.state.hidden = on,
            "outlinelevel" => self.outline(number),
            "fcharset" if self.state.destination == Destination::Fonts => self.charset(number.unwrap_or(0)),
            "ansicpg" => self.code_page = code_page(number.unwrap_or(0)).unwrap_or(self.code_page),
            "mac" => self.code_page = MACINTOSH,
            "par" | "sect" | "page" | "row" | "nestrow" | "line" | "column" => self.end_paragraph(),
            "tab" | "cell" | "nestcell" => self.end_cell(),
            _ => {
                if let Some(character) = character_of(word) {
                    self.write(character);
                }
            }
        }
    }

    /// A style's, or where there is none the paragraph's own.
    fn outline(&mut self, number: Option<i32>) {
        let Some(level) = number.and_then(|level| u8::try_from(level).ok()).filter(|level| *level < 9) else {
            return;
        };
        if self.levels.len() < MAX_TABLE {
            self.levels.entry(self.state.style).or_insert(level + 1);
        }
    }

    fn charset(&mut self, charset: i32) {
        if let Some(encoding) = font_charset(charset)
            && self.fonts.len() < MAX_TABLE
        {
            self.fonts.insert(self.state.font, encoding);
        }
    }
}

/// Titles and instructions are short; hostile ones are not.
fn push_bounded(into: &mut String, run: &str) {
    if into.len() < 4_096 {
        into.push_str(run);
    }
}

fn filled(text: &mut String) -> Option<String> {
    let text = std::mem::take(text);
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The address in `HYPERLINK "https://…"`.
fn link_of(instruction: &str) -> Option<String> {
    let address = instruction.trim().strip_prefix("HYPERLINK")?.trim();
    let quoted = address.strip_prefix('"').and_then(|rest| rest.split('"').next());
    quoted.or_else(|| address.split_whitespace().next()).map(str::to_owned)
}

/// Words that say where the characters of their group go. Unknown ones behind `\*` are left out, as the specification
/// demands of readers.
fn destination_of(word: &str, starred: bool) -> Option<Destination> {
    Some(match word {
        "rtf" | "footnote" | "header" | "headerl" | "headerr" | "headerf" | "footer" | "footerl"
        | "footerr" | "footerf" | "annotation" | "shptxt" | "fldrslt" => Destination::Text,
        "fonttbl" => Destination::Fonts,
        "stylesheet" => Destination::Styles,
        "info" => Destination::Properties,
        "title" => Destination::Title,
        "author" => Destination::Author,
        "fldinst" => Destination::Instruction,
        "colortbl" | "pict" | "objdata" | "themedata" | "colorschememapping" | "datastore"
        | "latentstyles" | "listtable" | "listoverridetable" | "rsidtbl" | "generator" | "filetbl"
        | "revtbl" | "xmlnstbl" | "atnid" | "atnauthor" | "atntime" | "atndate" | "atnref" | "bkmkstart"
        | "bkmkend" | "nonshppict" | "listtext" | "pntext" | "tc" | "xe" => Destination::Nowhere,
        _ if starred && word != "shppict" => Destination::Nowhere,
        _ => return None,
    })
}

fn character_of(word: &str) -> Option<&'static str> {
    Some(match word {
        "emdash" => "\u{2014}",
        "endash" => "\u{2013}",
        "bullet" => "\u{2022}",
        "lquote" => "\u{2018}",
        "rquote" => "\u{2019}",
        "ldblquote" => "\u{201c}",
        "rdblquote" => "\u{201d}",
        "emspace" | "enspace" | "qmspace" => " ",
        "zwj" => "\u{200d}",
        "zwnj" => "\u{200c}",
        "ltrmark" => "\u{200e}",
        "rtlmark" => "\u{200f}",
        _ => return None,
    })
}

fn code_page(number: i32) -> Option<&'static Encoding> {
    Some(match number {
        874 => WINDOWS_874,
        932 => SHIFT_JIS,
        936 => GBK,
        949 => EUC_KR,
        950 => BIG5,
        1250 => WINDOWS_1250,
        1251 => WINDOWS_1251,
        1252 => WINDOWS_1252,
        1253 => WINDOWS_1253,
        1254 => WINDOWS_1254,
        1255 => WINDOWS_1255,
        1256 => WINDOWS_1256,
        1257 => WINDOWS_1257,
        1258 => WINDOWS_1258,
        10_000 => MACINTOSH,
        65_001 => UTF_8,
        _ => return None,
    })
}

/// The encoding of a font's `\fcharset`; none where the document's code page holds.
fn font_charset(charset: i32) -> Option<&'static Encoding> {
    code_page(match charset {
        0 => 1252,
        77 => 10_000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Heading;

    fn read_all(rtf: &str) -> (String, Vec<Heading>, Reading) {
        let mut text = Text::new(100_000);
        let reading = read(rtf.as_bytes(), &mut text).unwrap();
        let (text, headings, _) = text.finish();
        (text, headings, reading)
    }

    fn text_of(body: &str) -> String {
        read_all(&format!("{{\\rtf1\\ansi\\ansicpg1252\\deff0 {body}}}")).0
    }

    #[test]
    fn paragraphs_cells_and_symbols_become_text() {
        assert_eq!(
            text_of("One\\par Two\\tab 2\\cell three\\row\\line{\\b f}our\\~x"),
            "One\nTwo\t2\tthree\nfour x"
        );
        assert_eq!(
            text_of("a\\{b\\}c\\\\d\\emdash e\\ldblquote f\\rdblquote"),
            "a{b}c\\d\u{2014}e\u{201c}f\u{201d}"
        );
    }

    #[test]
    fn characters_come_in_code_pages_and_in_unicode_with_fallbacks() {
        assert_eq!(text_of("Z\\'fcrich, \\u8364?100"), "Zürich, €100");
        assert_eq!(text_of("\\uc2\\u-10179\\'3f\\'3f\\u-8704\\'3f\\'3f!"), "😀!");
        assert_eq!(text_of("\\uc0\\u26085\\u26412 x"), "日本x");
        let fonts =
            "{\\fonttbl{\\f0\\fcharset0 Arial;}{\\f1\\fcharset128 MS Mincho;}{\\f2\\fcharset204 Cyr;}}";
        assert_eq!(text_of(&format!("{fonts}\\f1\\'93\\'fa\\'96\\'7b {{\\f2\\'cf}}\\f0\\'e4")), "日本 Пä");
    }

    #[test]
    fn what_is_not_text_is_left_out() {
        let body = "{\\*\\generator Riched20;}{\\colortbl;\\red255;}{\\pict\\bin5 ab}{\\x}{\\*\\unknown gone}\
                    {\\v hidden}{\\deleted away}{\\*\\shppict{\\pict 0102}}kept{\\header Head}{\\footnote Foot}";
        assert_eq!(text_of(body), "kept\nHead\nFoot");
    }

    #[test]
    fn headings_come_from_styles_and_outline_levels_and_properties_from_the_info_group() {
        let rtf = "{\\rtf1{\\stylesheet{\\s0 Normal;}{\\s1 heading 1;}{\\s7\\outlinelevel2 Mine;}}\
                   {\\info{\\title A \\'e4 title}{\\author Ann}{\\creatim\\yr2020}}\
                   {\\pard\\s1 Top\\par}\\pard plain\\par\\pard\\s7 Lower\\par\\pard end}";
        let (text, headings, reading) = read_all(rtf);
        assert_eq!(text, "Top\n\nplain\n\nLower\n\nend");
        let found: Vec<_> =
            headings.iter().map(|heading| (heading.level, &text[heading.start..heading.end])).collect();
        assert_eq!(found, [(1, "Top"), (3, "Lower")]);
        assert_eq!(reading.metadata.title.as_deref(), Some("A ä title"));
        assert_eq!(reading.metadata.author.as_deref(), Some("Ann"));
    }

    #[test]
    fn links_are_kept_beside_their_text() {
        let (text, _, reading) = read_all(
            "{\\rtf1 see {\\field{\\*\\fldinst{HYPERLINK \"https://example.org/a\"}}{\\fldrslt{here}}}.}",
        );
        assert_eq!(text, "see here.");
        assert_eq!(reading.metadata.links, ["https://example.org/a"]);
    }

    #[test]
    fn depth_is_bounded_and_a_cut_document_gives_what_it_has() {
        let deep = format!("{{\\rtf1 a{}b{}c}}", "{".repeat(100_000), "}".repeat(100_000));
        assert_eq!(read_all(&deep).0, "abc");
        let (text, _, reading) = read_all("{\\rtf1 first\\par {\\b sec");
        assert_eq!(text, "first\nsec");
        assert_eq!(reading.left_out.len(), 1);
        assert_eq!(read_all("{\\rtf1 a}}}}b").0, "ab");
        assert!(read(b"plain", &mut Text::new(9)).is_err());
    }
}
