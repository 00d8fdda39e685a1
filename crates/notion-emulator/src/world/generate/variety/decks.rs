//! Random choices that leave nothing out: cards come up in a random order, each once before any comes up again.

use super::blocks::{Form, HOLDERS, Holder, forms};
use super::catalogue::{COVERS, ICONS};
use super::text::{
    ADDRESSES, COLORS, EXPRESSIONS, INSIDE, LINE_STARTS, MENTIONS, Mention, PIECES, Piece, SCRIPTS, SPACES,
};
use crate::world::rng::Rng;

/// Cards of one kind.
#[derive(Debug)]
pub(super) struct Deck<T> {
    all: Vec<T>,
    left: Vec<T>,
}

impl<T: Copy> Deck<T> {
    fn new(cards: &[T]) -> Self {
        Self { all: cards.to_vec(), left: Vec::new() }
    }

    pub(super) fn draw(&mut self, rng: &mut Rng) -> T {
        if self.left.is_empty() {
            self.left.extend_from_slice(&self.all);
        }
        let at = rng.below(self.left.len());
        self.left.swap_remove(at)
    }
}

/// A deck for each kind of choice.
#[derive(Debug)]
pub(super) struct Decks {
    pub(super) forms: Deck<Form>,
    pub(super) holders: Deck<Holder>,
    pub(super) pieces: Deck<Piece>,
    pub(super) mentions: Deck<Mention>,
    /// Bold 1, italic 2, strikethrough 4, underline 8, code 16, and all sums of these.
    pub(super) marks: Deck<u8>,
    pub(super) colors: Deck<&'static str>,
    pub(super) icons: Deck<&'static str>,
    pub(super) covers: Deck<&'static str>,
    pub(super) line_starts: Deck<&'static str>,
    pub(super) inside: Deck<&'static str>,
    pub(super) scripts: Deck<&'static str>,
    pub(super) spaces: Deck<&'static str>,
    pub(super) expressions: Deck<&'static str>,
    pub(super) addresses: Deck<&'static str>,
    /// A day, several, an instant, a range in a time zone.
    pub(super) dates: Deck<u8>,
    pub(super) verified: Deck<&'static str>,
}

impl Decks {
    pub(super) fn new() -> Self {
        let marks: Vec<u8> = (1..32).collect();
        Self {
            forms: Deck::new(&forms()),
            holders: Deck::new(&HOLDERS),
            pieces: Deck::new(&PIECES),
            mentions: Deck::new(&MENTIONS),
            marks: Deck::new(&marks),
            colors: Deck::new(&COLORS),
            icons: Deck::new(&ICONS),
            covers: Deck::new(&COVERS),
            line_starts: Deck::new(&LINE_STARTS),
            inside: Deck::new(&INSIDE),
            scripts: Deck::new(&SCRIPTS),
            spaces: Deck::new(&SPACES),
            expressions: Deck::new(&EXPRESSIONS),
            addresses: Deck::new(&ADDRESSES),
            dates: Deck::new(&[0, 1, 2, 3]),
            verified: Deck::new(&["verified", "expired"]),
        }
    }
}
