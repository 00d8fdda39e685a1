//! Identifiers: every UUID of a world is its address, enciphered.
//!
//! An id can be opened again into what it names ([`Address`]), so blocks that are generated only when somebody reads
//! them need no table, and one seed always gives the same ids. Notion's own ids carry version nibble 8 today; ours do too.

use uuid::Uuid;

/// What kind of thing an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Space {
    /// A page, database or data source (detail 0), or a block of the page (its ordinal).
    Object = 1,
    /// A person or bot.
    User = 2,
    /// A comment.
    Comment = 3,
    /// A thread of comments.
    Discussion = 4,
    /// A hosted file.
    File = 5,
    /// A place in the search listing.
    SearchCursor = 6,
    /// One request.
    Request = 7,
    /// The workspace.
    Workspace = 8,
    /// A data-source query.
    Session = 9,
    /// A select or status option.
    PropertyOption = 10,
    /// A view of a data source.
    View = 11,
    /// The query of a view, with the time it began.
    ViewQuery = 12,
    /// One of the workspace's own emoji.
    CustomEmoji = 13,
    /// A webhook subscription (detail 0), or a half of its verification token.
    Subscription = 14,
    /// A webhook event.
    Event = 15,
}

impl Space {
    fn from_bits(bits: u64) -> Option<Self> {
        Some(match bits {
            1 => Self::Object,
            2 => Self::User,
            3 => Self::Comment,
            4 => Self::Discussion,
            5 => Self::File,
            6 => Self::SearchCursor,
            7 => Self::Request,
            8 => Self::Workspace,
            9 => Self::Session,
            10 => Self::PropertyOption,
            11 => Self::View,
            12 => Self::ViewQuery,
            13 => Self::CustomEmoji,
            14 => Self::Subscription,
            15 => Self::Event,
            _ => return None,
        })
    }
}

/// What an id opens into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The kind of thing.
    pub space: Space,
    /// Its number in that space.
    pub index: u32,
    /// A detail below the index, under 2^48: for a block its ordinal within the page.
    pub detail: u64,
}

/// The cipher between addresses and UUIDs: four Feistel rounds over the 122 free bits.
#[derive(Debug, Clone)]
pub struct Ids {
    keys: [u64; 4],
}

const HALF: u64 = (1 << 61) - 1;
const DETAIL: u64 = (1 << 48) - 1;

impl Ids {
    /// The ids of the world with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let digest = blake3::derive_key("notion-emulator 2026 object ids", &seed.to_le_bytes());
        let mut keys = [0; 4];
        for (key, bytes) in keys.iter_mut().zip(digest.chunks_exact(8)) {
            *key = bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
        }
        Self { keys }
    }

    /// The id of an address.
    #[must_use]
    pub fn seal(&self, space: Space, index: u32, detail: u64) -> Uuid {
        let mut left = ((space as u64) << 32) | u64::from(index);
        let mut right = detail & DETAIL;
        for key in self.keys {
            (left, right) = (right, left ^ mixed(right ^ key));
        }
        let bits = (u128::from(left) << 61) | u128::from(right);
        let high = (bits >> 74) << 80;
        let middle = ((bits >> 62) & 0xfff) << 64;
        let low = bits & ((1 << 62) - 1);
        Uuid::from_u128(high | (8 << 76) | middle | (0b10 << 62) | low)
    }

    /// What an id names; `None` if this world never gave it out.
    #[must_use]
    pub fn open(&self, id: Uuid) -> Option<Address> {
        let raw = id.as_u128();
        if (raw >> 76) & 0xf != 8 || (raw >> 62) & 0b11 != 0b10 {
            return None;
        }
        let bits = ((raw >> 80) << 74) | (((raw >> 64) & 0xfff) << 62) | (raw & ((1 << 62) - 1));
        let mut left = low_half(bits >> 61);
        let mut right = low_half(bits);
        for key in self.keys.iter().rev() {
            (left, right) = (right ^ mixed(left ^ key), left);
        }
        if left >> 40 != 0 || right > DETAIL {
            return None;
        }
        let index = u32::try_from(left & 0xffff_ffff).ok()?;
        Some(Address { space: Space::from_bits(left >> 32)?, index, detail: right })
    }
}

fn low_half(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(HALF)).unwrap_or_default()
}

fn mixed(value: u64) -> u64 {
    super::rng::mix(value) & HALF
}

/// A stable short number of a text, for everything that is derived from a name.
#[must_use]
pub fn hash_text(text: &str) -> u64 {
    blake3::hash(text.as_bytes()).as_bytes()[..8].iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_opens_into_the_address_it_was_sealed_from() {
        let ids = Ids::new(7);
        for index in [0, 1, 77, u32::MAX] {
            for detail in [0, 1, 65_537, DETAIL] {
                let id = ids.seal(Space::Object, index, detail);
                assert_eq!(ids.open(id), Some(Address { space: Space::Object, index, detail }));
                assert_eq!(id.get_version_num(), 8);
                assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
            }
        }
    }

    #[test]
    fn an_id_of_another_world_or_none_opens_into_nothing() {
        let ids = Ids::new(7);
        assert_eq!(ids.open(Ids::new(8).seal(Space::Object, 1, 0)), None);
        assert_eq!(ids.open(Uuid::nil()), None);
    }
}
