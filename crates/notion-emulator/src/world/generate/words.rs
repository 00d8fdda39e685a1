//! A vocabulary whose words occur about as often as Zipf's law says: a few hundred plain office words, then thousands
//! made of syllables.

use crate::world::rng::Rng;

const COMMON: &str = "the of and to in a is for that on with as are this by be or it from at an not we our can will when \
each have all if one team you which then before after who was more page work must should use new time day week also into \
plan other than only first report project customer service data order system process review change question answer list \
meeting release support request office account region contract supplier invoice budget schedule training policy safety \
quality design draft version owner result risk issue step note file table field value name link group role access rule \
market product factory machine sensor engine valve filter pump battery panel cable bridge harbour garden library archive \
journal letter paper pencil window corner ladder hammer basket bottle kettle copper silver marble cotton timber velvet \
morning evening autumn winter spring summer river mountain island forest meadow valley desert glacier canyon lagoon \
north south east west upper lower early late quick steady narrow broad gentle bright silent modern ancient common rare \
measure compare collect deliver prepare inspect replace install connect repair approve publish translate estimate observe \
remember decide explain describe arrange improve protect restore transfer verify welcome wonder achieve balance capture";

const SYLLABLES: [&str; 40] = [
    "ba", "ker", "lo", "min", "tra", "ven", "dor", "fi", "gal", "hum", "jor", "kla", "lin", "mar", "nes",
    "ol", "pri", "qua", "ras", "sen", "tol", "ur", "vik", "wen", "yel", "zor", "bri", "cas", "del", "em",
    "fro", "gri", "hol", "ist", "jun", "kem", "lur", "mod", "nim", "pel",
];

const FIRST_NAMES: [&str; 12] = [
    "Amara", "Bruno", "Chiara", "Daniel", "Edith", "Farid", "Greta", "Hiro", "Ines", "Jonas", "Keiko", "Liam",
];
const LAST_NAMES: [&str; 8] =
    ["Okafor", "Lindqvist", "Moreau", "Tanaka", "Weber", "Silva", "Novak", "Hughes"];

const EMOJI: [&str; 10] = ["📘", "🛠️", "🌿", "📦", "🧭", "🔬", "🗓️", "💡", "🚲", "☕"];

/// The words of a world.
#[derive(Debug)]
pub(super) struct Vocabulary {
    words: Vec<String>,
}

impl Vocabulary {
    pub(super) fn new(seed: u64) -> Self {
        let mut words: Vec<String> = COMMON.split_whitespace().map(str::to_owned).collect();
        let mut rng = Rng::new(seed, 0, 99);
        while words.len() < 6000 {
            let count = rng.between(2, 4);
            let word: String = (0..count).filter_map(|_| rng.pick(&SYLLABLES).copied()).collect();
            words.push(word);
        }
        Self { words }
    }

    /// One word. A logarithmically uniform rank gives word number n a frequency of about 1/n.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank between 1 and the number of words"
    )]
    pub(super) fn word(&self, rng: &mut Rng) -> &str {
        let rank = ((self.words.len() as f64).ln() * rng.unit()).exp() as usize;
        self.words.get(rank.saturating_sub(1)).map_or("", String::as_str)
    }

    /// Appends a sentence of so many words.
    pub(super) fn push_sentence(&self, rng: &mut Rng, words: usize, text: &mut String) {
        let start = text.len();
        for number in 0..words {
            if number > 0 {
                text.push_str(if number % 11 == 9 { ", " } else { " " });
            }
            text.push_str(self.word(rng));
        }
        if let Some(first) = text.get_mut(start..=start) {
            first.make_ascii_uppercase();
        }
        text.push('.');
    }

    pub(super) fn sentence(&self, rng: &mut Rng, words: usize) -> String {
        let mut text = String::with_capacity(words * 7);
        self.push_sentence(rng, words, &mut text);
        text
    }

    /// A title: words from beyond the commonest, each with a capital.
    pub(super) fn title(&self, rng: &mut Rng, words: usize) -> String {
        let mut title = String::new();
        for number in 0..words {
            let word = self.words.get(rng.between(50, self.words.len() - 1)).map_or("", String::as_str);
            let word = if rng.chance(60) {
                self.words.get(rng.between(40, 230)).map_or(word, String::as_str)
            } else {
                word
            };
            if number > 0 {
                title.push(' ');
            }
            let start = title.len();
            title.push_str(word);
            if let Some(first) = title.get_mut(start..=start) {
                first.make_ascii_uppercase();
            }
        }
        title
    }
}

pub(super) fn person(number: usize) -> (String, String) {
    let first = FIRST_NAMES[number % FIRST_NAMES.len()];
    let last = LAST_NAMES[(number / 2 + number) % LAST_NAMES.len()];
    (format!("{first} {last}"), format!("{}.{}@works.example", first.to_lowercase(), last.to_lowercase()))
}

pub(super) fn emoji(rng: &mut Rng) -> &'static str {
    rng.pick(&EMOJI).copied().unwrap_or("📘")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commonest_word_is_common_and_the_rare_ones_occur() {
        let vocabulary = Vocabulary::new(1);
        let mut rng = Rng::new(1, 1, 1);
        let drawn: Vec<&str> = (0..20_000).map(|_| vocabulary.word(&mut rng)).collect();
        let first = drawn.iter().filter(|word| **word == "the").count();
        assert!((800..2600).contains(&first), "{first}");
        assert!(drawn.iter().any(|word| !COMMON.contains(*word)));
    }

    #[test]
    fn two_dozen_people_have_distinct_addresses() {
        let mut emails: Vec<String> = (0..24).map(|number| person(number).1).collect();
        emails.sort();
        emails.dedup();
        assert_eq!(emails.len(), 24);
    }
}
