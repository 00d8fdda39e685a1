//! What people type, understood without ever refusing it.
//!
//! Words, `"phrases"`, `prefix*` and `-exclusions`. Unbalanced quotes, lone signs and the like are read as plain
//! text. Parsing gives [`ParsedQuery`]: for each thing wanted, the alternative sequences of terms that satisfy it.
//! [`super::ranking`] makes an index query of it, [`super::snippets`] marks it in texts. Pure.

use super::analysis::{Word, title_key, words};

/// Longest query that is read; what follows is ignored.
const MAX_CHARS: usize = 2_000;
/// Most things wanted or excluded; what follows is ignored. Each costs a lookup in every field.
const MAX_CLAUSES: usize = 32;

/// Words that say little about what is wanted: they count for ranking, but need not occur.
const STOP_WORDS: [&str; 44] = [
    "a", "about", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "has",
    "have", "how", "i", "if", "in", "into", "is", "it", "its", "my", "not", "of", "on", "or", "our", "that",
    "the", "their", "this", "to", "was", "we", "what", "when", "where", "which", "with", "you", "your",
];

/// A query as understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedQuery {
    /// What should be found.
    pub wanted: Vec<Clause>,
    /// What must not be found.
    pub excluded: Vec<Clause>,
    /// Whether a text with any one of them will do.
    pub any_suffices: bool,
    /// All that is wanted as one term, for a title that equals it.
    pub title_key: String,
}

/// One thing wanted or excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// How it is matched.
    pub matching: Matching,
    /// Alternatives, each a sequence of folded terms at consecutive positions. The first is made of parts, as texts
    /// spell it. Never empty, nor is any of them.
    pub sequences: Vec<Vec<String>>,
    /// Whether it is of a script without spaces, which has no stems.
    pub unspaced: bool,
    /// Whether a text without it is as good: a stop word or a particle.
    pub optional: bool,
}

/// How a [`Clause`] is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// As it is or by its stem.
    Word,
    /// As it is.
    Phrase,
    /// By the beginning of the last term.
    Prefix,
}

impl ParsedQuery {
    /// What to ask when nothing was found; none when there is nothing to give up. What was quoted or excluded stands.
    pub fn relaxed(&self) -> Option<Self> {
        let words = |clause: &&Clause| !clause.optional && clause.matching == Matching::Word;
        let several = self.wanted.iter().filter(words).count() > 1;
        let only_words = self.wanted.iter().all(|clause| clause.matching != Matching::Phrase);
        (several && only_words && !self.any_suffices).then(|| Self { any_suffices: true, ..self.clone() })
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.excluded.is_empty()
    }

    /// How many of the clauses that are not optional a text must have.
    pub fn required(&self, share: f32) -> usize {
        let firm = self.wanted.iter().filter(|clause| !clause.optional).count();
        if self.any_suffices {
            return firm.min(1);
        }
        if firm <= 2 {
            return firm;
        }
        (2..firm).find(|&count| count as f32 >= firm as f32 * share).unwrap_or(firm)
    }
}

/// Reads what somebody typed.
pub fn parse(text: &str) -> ParsedQuery {
    let end = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(at, _)| at);
    let mut query = ParsedQuery::default();
    let mut positive = String::new();
    for piece in pieces(&text[..end]) {
        let clauses = clauses_of(&piece);
        let list = if piece.excluded { &mut query.excluded } else { &mut query.wanted };
        for clause in clauses {
            if list.len() < MAX_CLAUSES && !list.contains(&clause) {
                list.push(clause);
            }
        }
        if !piece.excluded {
            positive.push_str(piece.text);
            positive.push(' ');
        }
    }
    if query.wanted.iter().all(|clause| clause.optional) {
        query.wanted.iter_mut().for_each(|clause| clause.optional = false);
    }
    query.title_key = title_key(&positive);
    query
}

/// A chunk of the typed text, before analysis.
#[derive(Debug, PartialEq, Eq)]
struct Piece<'a> {
    text: &'a str,
    matching: Matching,
    excluded: bool,
}

const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '＂' | '「' | '」' | '『' | '』')
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
        rest = &rest[start..];
        let after_sign = rest
            .strip_prefix('-')
            .filter(|after| after.chars().next().is_some_and(|c| c.is_alphanumeric() || is_quote(c)));
        let excluded = after_sign.is_some();
        let body = after_sign.unwrap_or(rest);
        let quote = body.chars().next().filter(|c| is_quote(*c));
        if let Some(quote) = quote {
            let inner = &body[quote.len_utf8()..];
            let close = inner.char_indices().find(|(_, c)| is_quote(*c));
            let Some((close_at, close)) = close else {
                // No second quote: the first one is punctuation.
                rest = inner;
                continue;
            };
            found.push(Piece { text: &inner[..close_at], matching: Matching::Phrase, excluded });
            rest = &inner[close_at + close.len_utf8()..];
            continue;
        }
        let end = body.find(|c: char| c.is_whitespace() || is_quote(c)).unwrap_or(body.len());
        let chunk = &body[..end];
        rest = &body[end..];
        let stem = chunk.trim_end_matches('*');
        let prefix = stem.len() < chunk.len() && stem.chars().next_back().is_some_and(char::is_alphanumeric);
        let matching = if prefix { Matching::Prefix } else { Matching::Word };
        found.push(Piece { text: stem, matching, excluded });
    }
    found
}

fn clauses_of(piece: &Piece<'_>) -> Vec<Clause> {
    let found: Vec<Word> = words(piece.text).collect();
    match piece.matching {
        Matching::Phrase => phrase(&found).into_iter().collect(),
        // An exclusion of several words excludes them where they stand together.
        _ if piece.excluded && found.len() > 1 => phrase(&found).into_iter().collect(),
        Matching::Word => found.iter().flat_map(word).collect(),
        Matching::Prefix => {
            let mut clauses: Vec<Clause> = found.iter().flat_map(word).collect();
            if let Some(last) = clauses.last_mut() {
                last.matching = Matching::Prefix;
                last.optional = false;
            }
            clauses
        }
    }
}

fn word(word: &Word) -> Vec<Clause> {
    if word.unspaced {
        return runs_of_one_script(word);
    }
    let mut parts: Vec<String> = word.parts.iter().map(|part| part.text.clone()).collect();
    if word.possessive && parts.len() > 1 {
        parts.pop();
    }
    let optional =
        matches!(parts.as_slice(), [only] if STOP_WORDS.contains(&only.as_str())) && word.whole.is_none();
    let mut sequences = vec![parts];
    if word.parts.iter().any(|part| part.variant.is_some()) {
        sequences.push(
            word.parts.iter().map(|part| part.variant.as_ref().unwrap_or(&part.text).clone()).collect(),
        );
    }
    sequences.extend(word.whole.clone().map(|whole| vec![whole]));
    vec![Clause { matching: Matching::Word, sequences, unspaced: false, optional }]
}

/// Cuts where the script changes, which in Japanese mostly is where words end; kana between are particles.
fn runs_of_one_script(word: &Word) -> Vec<Clause> {
    let mut runs: Vec<(Script, Vec<&str>)> = Vec::new();
    for part in &word.parts {
        let script = script(&part.text);
        match runs.last_mut() {
            Some((last, units)) if *last == script => units.push(&part.text),
            _ => runs.push((script, vec![&part.text])),
        }
    }
    let alone = runs.len() == 1;
    runs.into_iter()
        .map(|(script, units)| Clause {
            matching: Matching::Word,
            optional: script == Script::Hiragana && units.len() <= 2 && !alone,
            sequences: vec![pairs(&units)],
            unspaced: true,
        })
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Hiragana,
    Katakana,
    Other,
}

fn script(unit: &str) -> Script {
    match unit.chars().next() {
        Some('\u{3041}'..='\u{309f}') => Script::Hiragana,
        Some('\u{30a0}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}') => Script::Katakana,
        _ => Script::Other,
    }
}

/// Units as the index has them: overlapping pairs, or the one unit.
fn pairs(units: &[&str]) -> Vec<String> {
    if let [only] = units {
        return vec![(*only).to_owned()];
    }
    units.windows(2).map(<[&str]>::concat).collect()
}

/// A phrase: once by parts, and once with whole words, for texts that write a compound in one.
fn phrase(words: &[Word]) -> Option<Clause> {
    let mut by_parts = Vec::new();
    let mut by_wholes = Vec::new();
    for word in words {
        let units: Vec<&str> = word.parts.iter().map(|part| part.text.as_str()).collect();
        if word.unspaced {
            let mut terms = pairs(&units);
            // Each character has a position: the last pair reaches into the position of its second character.
            if let (Some(last), true) = (units.last(), units.len() > 1) {
                terms.push((*last).to_owned());
            }
            by_parts.extend(terms.clone());
            by_wholes.extend(terms);
        } else {
            by_parts.extend(units.iter().map(|&unit| unit.to_owned()));
            match &word.whole {
                Some(whole) => by_wholes.push(whole.clone()),
                None => by_wholes.extend(units.iter().map(|&unit| unit.to_owned())),
            }
        }
    }
    if by_parts.is_empty() {
        return None;
    }
    let unspaced = words.iter().all(|word| word.unspaced);
    let mut sequences = vec![by_parts];
    if sequences.first() != Some(&by_wholes) {
        sequences.push(by_wholes);
    }
    Some(Clause { matching: Matching::Phrase, sequences, unspaced, optional: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(query: &ParsedQuery) -> Vec<String> {
        let show = |sign: &str, clause: &Clause| {
            let sequences: Vec<String> = clause.sequences.iter().map(|terms| terms.join(" ")).collect();
            let mark = match clause.matching {
                Matching::Word => "",
                Matching::Phrase => "\"",
                Matching::Prefix => "*",
            };
            let optional = if clause.optional { "?" } else { "" };
            format!("{sign}{}{mark}{optional}", sequences.join("|"))
        };
        let wanted = query.wanted.iter().map(|clause| show("", clause));
        wanted.chain(query.excluded.iter().map(|clause| show("-", clause))).collect()
    }

    fn read(text: &str) -> Vec<String> {
        shown(&parse(text))
    }

    #[test]
    fn words_phrases_prefixes_and_exclusions_are_told_apart() {
        assert_eq!(
            read("Deploy \"release notes\" conf* -draft -\"old plan\""),
            ["deploy", "release notes\"", "conf*", "-draft", "-old plan\""]
        );
    }

    #[test]
    fn signs_that_mean_nothing_are_not_an_error() {
        assert!(parse("").is_empty());
        assert!(parse("  - * \"\" -- \" … -* ").is_empty());
        assert_eq!(read("glide - show(boolean b)"), ["glide", "show", "boolean", "b"]);
        assert_eq!(read("\"unbalanced phrase"), ["unbalanced", "phrase"]);
        assert_eq!(read("a-b"), ["a b|ab"]);
    }

    #[test]
    fn compound_words_are_wanted_by_parts_or_whole() {
        assert_eq!(read("notionApi"), ["notion api|notionapi"]);
        assert_eq!(read("über"), ["uber|ueber"]);
        assert_eq!(read("Anna's"), ["anna|annas"]);
        assert_eq!(read("error_co*"), ["error co|errorco*"]);
        assert_eq!(read("\"GitHub action\""), ["git hub action|github action\""]);
    }

    #[test]
    fn stop_words_are_optional_unless_they_are_all_there_is() {
        assert_eq!(read("how to deploy"), ["how?", "to?", "deploy"]);
        assert_eq!(read("to be"), ["to", "be"]);
    }

    #[test]
    fn japanese_is_cut_where_the_script_changes() {
        assert_eq!(read("東京都の予算"), ["東京 京都", "の?", "予算"]);
        assert_eq!(read("「東京都」"), ["東京 京都 都\""]);
        assert_eq!(read("本"), ["本"]);
    }

    #[test]
    fn most_of_a_long_query_suffices() {
        assert_eq!(parse("one two").required(0.75), 2);
        assert_eq!(parse("one two three").required(0.75), 3);
        assert_eq!(parse("one two three four").required(0.75), 3);
        assert_eq!(parse("one the two").required(0.75), 2);
        assert_eq!(parse("one two three").relaxed().map(|query| query.required(0.75)), Some(1));
        assert_eq!(parse("one").relaxed(), None);
        assert_eq!(parse("one \"two three\"").relaxed(), None);
    }

    #[test]
    fn endless_queries_are_cut() {
        let query = parse(&(0..5_000).map(|n| format!("w{n} ")).collect::<String>());
        assert!(query.wanted.len() <= MAX_CLAUSES);
    }

    proptest::proptest! {
        #[test]
        fn nothing_typed_is_an_error(text in "[-\"*“” a-zA-Z_0-9日本のー.']{0,40}") {
            let query = parse(&text);
            for clause in query.wanted.iter().chain(&query.excluded) {
                proptest::prop_assert!(!clause.sequences.is_empty());
                proptest::prop_assert!(clause.sequences.iter().all(|terms| !terms.is_empty()));
            }
        }
    }
}
