//! From text to terms, the same way for what is indexed and for what is asked.
//!
//! **Words** are runs of letters and digits with their combining marks. Runs joined by one connector (`error_code`,
//! `foo-bar`, `v1.2.3`, `anna@example.org`) make one word of several **parts**; so do the humps of `camelCase` and a
//! single border between letters and digits (`ABC123`). Each part takes one position, so that phrases and proximity work the same
//! whether people write `error code`, `error_code` or `errorCode`. The **whole** word (`errorcode`) is a further term at
//! the position of its first part. This is finer than the word borders of UAX #29, which would keep `error_code` in
//! one piece and lose `code`; where a text has plain words, both agree.
//!
//! **Folding** makes case, width, ligatures and Latin or Greek accents equal (`É` = `é` = `e`, `ß` = `ss`). German
//! umlauts are also indexed in their second spelling (`ü` = `u` and `ue`).
//!
//! **Scripts without spaces** (Han, Kana, Hangul, Thai, Lao, Khmer, Myanmar) become overlapping pairs of characters,
//! one position for each character, and single characters beside them, so that a query of one character finds too.
//!
//! Nothing is dropped for its length: a longer run than [`MAX_PART_CHARS`] becomes several parts.
//!
//! Whoever changes what comes out of here raises [`super::SCHEMA_VERSION`]: indexes are then filled anew.

use std::ops::Range;
use std::sync::LazyLock;

use tantivy::tokenizer::{Language, RawTokenizer, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;

/// Everything, folded.
pub const FOLDED: &str = "folded";
/// Words of scripts with spaces only, folded and stemmed: beside a [`FOLDED`] field that holds the rest.
pub const STEMMED: &str = "stemmed";
/// Everything, folded, and stemmed where a stem is known: for fields that exist once.
pub const MIXED: &str = "mixed";
/// Everything behind the first NUL, folded, and what stands before it at the beginning of each term.
pub const COLUMN: &str = "column";

/// Longest part: a longer run is cut into pieces of this many characters.
pub const MAX_PART_CHARS: usize = 200;
/// A run with more humps is taken for a hash or an identifier of a machine and not split.
const MAX_HUMPS: usize = 6;
/// A word with more parts is cut: paths and generated names have no meaningful whole.
const MAX_PARTS: usize = 24;
/// Longest whole, in bytes, that is worth a term of its own.
const MAX_WHOLE_BYTES: usize = 200;

/// A word of a text, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// Whether its script is written without spaces: then each part is one character.
    pub unspaced: bool,
    /// Whether its last part is the `s` of `Anna’s`, without which it means the same.
    pub possessive: bool,
    /// Its parts, in order; never empty.
    pub parts: Vec<Part>,
    /// All of it as one term, when it has several parts.
    pub whole: Option<String>,
}

/// A part of a [`Word`]: what takes one position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// Folded.
    pub text: String,
    /// A second spelling.
    pub variant: Option<String>,
}

/// The words of a text, in order.
pub fn words(text: &str) -> Words<'_> {
    Words { text, at: 0 }
}

/// Iterator of [`words`].
#[derive(Debug, Clone)]
pub struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        while let Some(c) = self.text[self.at..].chars().next() {
            let word = match class(c) {
                Class::Unspaced => self.unspaced_word(),
                Class::Letter | Class::Digit => self.spaced_word(),
                Class::Extend | Class::Other => {
                    self.at += c.len_utf8();
                    None
                }
            };
            if word.is_some() {
                return word;
            }
        }
        None
    }
}

impl Words<'_> {
    fn unspaced_word(&mut self) -> Option<Word> {
        let start = self.at;
        self.at = run_end(self.text, start, |class| class == Class::Unspaced);
        let parts: Vec<Part> = self.text[start..self.at]
            .grapheme_indices(true)
            .map(|(at, unit)| Part {
                range: start + at..start + at + unit.len(),
                text: fold(unit),
                variant: None,
            })
            .filter(|part| !part.text.is_empty())
            .collect();
        (!parts.is_empty()).then_some(Word {
            range: start..self.at,
            unspaced: true,
            possessive: false,
            parts,
            whole: None,
        })
    }

    fn spaced_word(&mut self) -> Option<Word> {
        let start = self.at;
        let mut parts = Vec::new();
        let mut whole = String::new();
        let mut possessive = false;
        loop {
            let run = self.at..run_end(self.text, self.at, Class::is_word);
            self.at = run.end;
            whole.push_str(&fold(&self.text[run.clone()]));
            push_parts(self.text, run.clone(), &mut parts);
            if let Some((name, end)) = language_name(self.text, run.clone(), start) {
                whole = name;
                self.at = end;
                break;
            }
            let Some((connector, next)) = connector(self.text, run.end) else { break };
            if parts.len() >= MAX_PARTS {
                break;
            }
            self.at = next;
            if matches!(connector, '\'' | '’') && is_possessive(self.text, next) {
                possessive = true;
            }
            if !matches!(connector, '-' | '‐' | '‑' | '_' | '\'' | '’') {
                whole.push(connector);
            }
        }
        parts.retain(|part| !part.text.is_empty());
        let several = parts.len() > 1 || parts.first().is_some_and(|part| part.text != whole);
        let whole = (several && whole.len() <= MAX_WHOLE_BYTES && !whole.is_empty()).then_some(whole);
        (!parts.is_empty()).then_some(Word {
            range: start..self.at,
            unspaced: false,
            possessive,
            parts,
            whole,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    /// Of a script that is written without spaces.
    Unspaced,
    /// Belongs to whatever it follows.
    Extend,
    Other,
}

impl Class {
    fn is_word(self) -> bool {
        matches!(self, Self::Letter | Self::Digit)
    }
}

fn class(c: char) -> Class {
    if c.is_ascii() {
        return match c {
            'a'..='z' | 'A'..='Z' => Class::Letter,
            '0'..='9' => Class::Digit,
            _ => Class::Other,
        };
    }
    if is_unspaced(c) {
        Class::Unspaced
    } else if c.is_alphabetic() && !is_combining_mark(c) {
        Class::Letter
    } else if c.is_numeric() {
        Class::Digit
    } else if is_combining_mark(c) || matches!(c, '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}') {
        Class::Extend
    } else if std::iter::once(c).nfkc().any(char::is_alphanumeric) {
        Class::Letter
    } else {
        Class::Other
    }
}

fn is_unspaced(c: char) -> bool {
    if c < '\u{e01}' {
        return false;
    }
    let script = matches!(u32::from(c),
        0x0E01..=0x0E4E | 0x0E80..=0x0ECF | 0x1000..=0x103F | 0x1780..=0x17D3
        | 0x1100..=0x11FF | 0x3130..=0x318F | 0xA960..=0xA97F | 0xAC00..=0xD7FF
        | 0x2E80..=0x2FDF | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xF900..=0xFAFF | 0x20000..=0x3FFFF
        | 0x3041..=0x309F | 0x30A1..=0x30FA | 0x30FC..=0x312F | 0x31A0..=0x31FF | 0xFF66..=0xFFDC);
    script
        && (c.is_alphanumeric() || is_combining_mark(c) || matches!(c, '\u{2e80}'..='\u{2fdf}' | '々' | '〇'))
}

/// Where the run of such characters that begins at `start` ends; what extends a character stays with it.
fn run_end(text: &str, start: usize, belongs: impl Fn(Class) -> bool) -> usize {
    text[start..]
        .char_indices()
        .find(|(_, c)| {
            let class = class(*c);
            !belongs(class) && class != Class::Extend
        })
        .map_or(text.len(), |(at, _)| start + at)
}

/// The connector at `at`, and where the run behind it begins, when it joins two runs.
fn connector(text: &str, at: usize) -> Option<(char, usize)> {
    let mut chars = text[at..].chars();
    let connector = chars.next()?;
    let next = chars.next()?;
    let joins = match connector {
        '-' | '‐' | '‑' | '_' | '.' | '\'' | '’' | '@' | '+' | '&' => class(next).is_word(),
        ',' => {
            class(next) == Class::Digit
                && text[..at].chars().next_back().is_some_and(|c| class(c) == Class::Digit)
        }
        _ => false,
    };
    joins.then(|| (connector, at + connector.len_utf8()))
}

/// `C++`, `C#`, `F#`: names whose sign tells them from a single letter.
fn language_name(text: &str, run: Range<usize>, word_start: usize) -> Option<(String, usize)> {
    if run.start != word_start || run.len() > 2 {
        return None;
    }
    let sign = ["++", "#"].into_iter().find(|sign| text[run.end..].starts_with(sign))?;
    let end = run.end + sign.len();
    let alone = text[end..].chars().next().is_none_or(|c| class(c) == Class::Other);
    alone.then(|| (fold(&text[run]) + sign, end))
}

/// The `s` of `Anna’s`.
fn is_possessive(text: &str, at: usize) -> bool {
    let end = run_end(text, at, Class::is_word);
    matches!(&text[at..end], "s" | "S") && connector(text, end).is_none()
}

/// Splits a run at humps and at borders between letters and digits, and what is still too long into pieces.
fn push_parts(text: &str, run: Range<usize>, parts: &mut Vec<Part>) {
    let mut cuts = Vec::new();
    let chars: Vec<(usize, char)> = text[run.clone()].char_indices().collect();
    let borders =
        chars.windows(2).filter(|pair| matches!(pair, [a, b] if is_border(a.1, b.1))).take(2).count();
    for (index, window) in chars.windows(2).enumerate() {
        let [(_, before), (at, here)] = window else { continue };
        let after = chars.get(index + 2).map(|(_, c)| *c);
        if is_hump(*before, *here, after) || (borders == 1 && is_border(*before, *here)) {
            cuts.push(run.start + at);
            if cuts.len() >= MAX_HUMPS {
                cuts.clear();
                break;
            }
        }
    }
    let mut from = run.start;
    for to in cuts.into_iter().chain([run.end]) {
        push_pieces(text, from..to, parts);
        from = to;
    }
}

/// Where a word begins in `camelCase` and `HTTPServer`.
fn is_hump(before: char, here: char, after: Option<char>) -> bool {
    (before.is_lowercase() && here.is_uppercase())
        || (before.is_uppercase() && here.is_uppercase() && after.is_some_and(char::is_lowercase))
}

/// Between letters and digits: `ABC` and `123`. A run with several such borders is a code, and its pieces say nothing.
fn is_border(before: char, here: char) -> bool {
    if before.is_ascii_lowercase() && here.is_ascii_lowercase() {
        return false;
    }
    matches!((class(before), class(here)), (Class::Letter, Class::Digit) | (Class::Digit, Class::Letter))
}

fn push_pieces(text: &str, range: Range<usize>, parts: &mut Vec<Part>) {
    let mut start = range.start;
    while start < range.end {
        let end =
            text[start..range.end].char_indices().nth(MAX_PART_CHARS).map_or(range.end, |(at, _)| start + at);
        let raw = &text[start..end];
        parts.push(Part { range: start..end, text: fold(raw), variant: umlaut_spelling(raw) });
        start = end;
    }
}

/// The folded form of a run of word characters.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let lower: String = text.nfkc().flat_map(char::to_lowercase).collect();
    let mut plain = String::with_capacity(lower.len());
    let mut base = ' ';
    for c in lower.nfd() {
        let accent = matches!(c, '\u{300}'..='\u{36f}');
        if accent && (is_latin_or_greek(base) || (base == 'е' && c == '\u{308}')) {
            continue;
        }
        if !accent {
            base = c;
        }
        match c {
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'þ' => plain.push_str("th"),
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'đ' | 'ð' => plain.push('d'),
            'ı' => plain.push('i'),
            'ς' => plain.push('σ'),
            c if c.is_alphanumeric() || is_combining_mark(c) => plain.push(c),
            _ => {}
        }
    }
    plain.nfc().collect()
}

fn is_latin_or_greek(c: char) -> bool {
    c.is_ascii() || matches!(c, '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{3ff}' | '\u{1e00}'..='\u{1fff}')
}

/// `über` as `ueber`.
fn umlaut_spelling(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let lower: String = text.nfkc().flat_map(char::to_lowercase).collect();
    if !lower.contains(['ä', 'ö', 'ü']) {
        return None;
    }
    Some(fold(&lower.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue")))
}

/// The whole of a text as one term: what a query must equal to be a title.
pub fn title_key(text: &str) -> String {
    let mut key = String::new();
    for word in words(text) {
        for part in &word.parts {
            if !key.is_empty() && !word.unspaced {
                key.push(' ');
            }
            key.push_str(&part.text);
        }
    }
    let cut = key.char_indices().nth(2 * MAX_PART_CHARS).map_or(key.len(), |(at, _)| at);
    key.truncate(cut);
    key
}

/// Stems one folded word (English; words of other scripts stay as they are).
pub fn stem(word: &str) -> String {
    static STEMMER: LazyLock<TextAnalyzer> = LazyLock::new(|| {
        TextAnalyzer::builder(RawTokenizer::default()).filter(Stemmer::new(Language::English)).build()
    });
    let mut analyzer = STEMMER.clone();
    let mut stream = analyzer.token_stream(word);
    if stream.advance() { stream.token().text.clone() } else { word.to_owned() }
}

/// The analyzers by the name under which the schema's fields ask for them.
pub fn analyzers() -> [(&'static str, TextAnalyzer); 4] {
    let english = || Stemmer::new(Language::English);
    [
        (FOLDED, TextAnalyzer::builder(WordTokenizer { keep: Keep::All }).build()),
        (STEMMED, TextAnalyzer::builder(WordTokenizer { keep: Keep::Spaced }).filter(english()).build()),
        (MIXED, TextAnalyzer::builder(WordTokenizer { keep: Keep::All }).filter(english()).build()),
        (COLUMN, TextAnalyzer::builder(ColumnTokenizer).build()),
    ]
}

/// Tokens of [`WordTokenizer`] for the words of one column among all columns.
#[derive(Debug, Clone)]
struct ColumnTokenizer;

impl Tokenizer for ColumnTokenizer {
    type TokenStream<'a> = ColumnStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> ColumnStream<'a> {
        let border = text.find('\0').map_or(0, |at| at + 1);
        let (column, text) = text.split_at(border);
        ColumnStream { column, words: WordStream::of(text, Keep::All) }
    }
}

/// Token stream of [`ColumnTokenizer`].
#[derive(Debug)]
struct ColumnStream<'a> {
    column: &'a str,
    words: WordStream<'a>,
}

impl TokenStream for ColumnStream<'_> {
    fn advance(&mut self) -> bool {
        let has_more = self.words.advance();
        if has_more {
            self.words.token_mut().text.insert_str(0, self.column);
        }
        has_more
    }

    fn token(&self) -> &Token {
        self.words.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.words.token_mut()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    All,
    Spaced,
}

/// Makes tokens of [`words`].
#[derive(Debug, Clone)]
pub struct WordTokenizer {
    keep: Keep,
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        WordStream::of(text, self.keep)
    }
}

/// Token stream of [`WordTokenizer`]. Positions never decrease.
#[derive(Debug)]
pub struct WordStream<'a> {
    words: Words<'a>,
    keep: Keep,
    /// Tokens of the current word, last first.
    queue: Vec<Token>,
    token: Token,
    position: usize,
}

impl<'a> WordStream<'a> {
    fn of(text: &'a str, keep: Keep) -> Self {
        WordStream { words: words(text), keep, queue: Vec::new(), token: Token::default(), position: 0 }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        while self.queue.is_empty() {
            let Some(word) = self.words.next() else { return false };
            let first = self.position;
            self.position += word.parts.len();
            if word.unspaced && self.keep == Keep::Spaced {
                continue;
            }
            push_tokens(word, first, &mut self.queue);
            self.queue.reverse();
        }
        match self.queue.pop() {
            Some(token) => {
                self.token = token;
                true
            }
            None => false,
        }
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

fn push_tokens(word: Word, first: usize, queue: &mut Vec<Token>) {
    let span = word.parts.len();
    let mut push = |range: &Range<usize>, position: usize, position_length: usize, text: String| {
        queue.push(Token { offset_from: range.start, offset_to: range.end, position, text, position_length });
    };
    if let Some(whole) = word.whole {
        push(&word.range, first, span, whole);
    }
    let mut parts = word.parts.into_iter().enumerate().peekable();
    while let Some((at, part)) = parts.next() {
        if word.unspaced
            && let Some((_, next)) = parts.peek()
        {
            let pair = format!("{}{}", part.text, next.text);
            push(&(part.range.start..next.range.end), first + at, 1, pair);
        }
        if let Some(variant) = part.variant {
            push(&part.range, first + at, 1, variant);
        }
        push(&part.range, first + at, 1, part.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens as `term@position`.
    fn tokens(analyzer: &str, text: &str) -> Vec<String> {
        let (_, mut analyzer) = analyzers().into_iter().find(|(name, _)| *name == analyzer).unwrap();
        let mut stream = analyzer.token_stream(text);
        let mut found = Vec::new();
        while stream.advance() {
            let token = stream.token();
            assert!(text.is_char_boundary(token.offset_from) && text.is_char_boundary(token.offset_to));
            found.push(format!("{}@{}", token.text, token.position));
        }
        found
    }

    #[test]
    fn english_is_folded_and_stemmed() {
        assert_eq!(tokens(FOLDED, "Running  the Tests!"), ["running@0", "the@1", "tests@2"]);
        assert_eq!(tokens(STEMMED, "Running  the Tests!"), ["run@0", "the@1", "test@2"]);
        assert_eq!(tokens(FOLDED, "Anna’s café"), ["annas@0", "anna@0", "s@1", "cafe@2"]);
        assert_eq!(tokens(STEMMED, "Anna’s"), ["anna@0", "anna@0", "s@1"]);
        assert_eq!(tokens(FOLDED, "can't"), ["cant@0", "can@0", "t@1"]);
    }

    #[test]
    fn german_umlauts_are_found_in_both_spellings() {
        assert_eq!(tokens(FOLDED, "Über Straße"), ["ueber@0", "uber@0", "strasse@1"]);
        assert_eq!(tokens(FOLDED, "U\u{308}ber"), ["ueber@0", "uber@0"]);
        assert_eq!(fold("ŁÓDŹ"), "lodz");
    }

    #[test]
    fn japanese_becomes_pairs_and_single_characters() {
        assert_eq!(tokens(FOLDED, "日本語"), ["日本@0", "日@0", "本語@1", "本@1", "語@2"]);
        assert_eq!(tokens(FOLDED, "ｶﾞｽ"), tokens(FOLDED, "ガス"));
        assert_eq!(tokens(FOLDED, "API設計"), ["api@0", "設計@1", "設@1", "計@2"]);
        assert_eq!(tokens(STEMMED, "設計 tests"), ["test@2"], "positions agree with the folded field");
        assert_eq!(tokens(FOLDED, "が"), ["が@0"], "a voiced sound mark is no accent");
    }

    #[test]
    fn korean_is_the_same_composed_and_decomposed() {
        let composed = "한국";
        let decomposed: String = composed.nfd().collect();
        assert_eq!(tokens(FOLDED, composed), tokens(FOLDED, &decomposed));
    }

    #[test]
    fn identifiers_are_found_whole_and_by_part() {
        assert_eq!(tokens(FOLDED, "error_code"), ["errorcode@0", "error@0", "code@1"]);
        assert_eq!(tokens(FOLDED, "errorCode x"), ["errorcode@0", "error@0", "code@1", "x@2"]);
        assert_eq!(tokens(FOLDED, "HTTPServer"), ["httpserver@0", "http@0", "server@1"]);
        assert_eq!(tokens(FOLDED, "v1.2.3"), ["v1.2.3@0", "v@0", "1@1", "2@2", "3@3"]);
        assert_eq!(tokens(FOLDED, "a@b.org"), ["a@b.org@0", "a@0", "b@1", "org@2"]);
        assert_eq!(tokens(FOLDED, "/usr/local"), ["usr@0", "local@1"]);
        assert_eq!(tokens(FOLDED, "C++ C# c"), ["c++@0", "c@0", "c#@1", "c@1", "c@2"]);
        assert_eq!(tokens(FOLDED, "e-mail"), ["email@0", "e@0", "mail@1"]);
        assert_eq!(tokens(FOLDED, "1,000 a,b"), ["1,000@0", "1@0", "000@1", "a@2", "b@3"]);
    }

    #[test]
    fn codes_and_hashes_stay_whole() {
        assert_eq!(tokens(FOLDED, "a1b2c3d4e5f6"), ["a1b2c3d4e5f6@0"]);
        assert_eq!(tokens(FOLDED, "x5y"), ["x5y@0"]);
        assert_eq!(tokens(FOLDED, "ABC123"), ["abc123@0", "abc@0", "123@1"]);
    }

    #[test]
    fn long_runs_are_cut_and_keep_every_character() {
        let long = "x".repeat(450);
        let pieces = tokens(FOLDED, &long);
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces.iter().map(|piece| piece.matches('x').count()).sum::<usize>(), 450);
        let path = vec!["ab"; 100].join("-");
        let found = tokens(FOLDED, &path);
        assert_eq!(found.iter().filter(|token| token.starts_with("ab@")).count(), 100);
    }

    #[test]
    fn ligatures_and_squared_words_are_spelled_out() {
        assert_eq!(tokens(FOLDED, "ﬁle ①"), ["file@0", "1@1"]);
        assert_eq!(tokens(FOLDED, "㍿"), ["株式会社@0"]);
    }

    #[test]
    fn title_keys_are_equal_for_equal_titles() {
        assert_eq!(title_key("How-to: Über_Uns"), title_key("how to uber uns"));
        assert_eq!(title_key("日本 語"), "日本語");
        assert_eq!(title_key("…"), "");
    }

    proptest::proptest! {
        #[test]
        fn every_letter_and_digit_is_inside_a_word_and_positions_never_decrease(text in "\\PC{0,60}") {
            let words: Vec<Word> = words(&text).collect();
            for (at, c) in text.char_indices().filter(|(_, c)| c.is_alphanumeric() && !is_combining_mark(*c)) {
                if fold(&c.to_string()).is_empty() { continue }
                proptest::prop_assert!(words.iter().any(|word| word.range.contains(&at)), "{c:?} at {at} is lost");
            }
            let (_, mut analyzer) = analyzers().into_iter().next().unwrap();
            let mut stream = analyzer.token_stream(&text);
            let mut last = 0;
            while stream.advance() {
                proptest::prop_assert!(stream.token().position >= last);
                last = stream.token().position;
                proptest::prop_assert!(text.get(stream.token().offset_from..stream.token().offset_to).is_some());
            }
        }
    }
}
