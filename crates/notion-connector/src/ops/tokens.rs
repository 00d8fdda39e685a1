//! Secrets that this program makes itself, for keys, sessions and links: 256 random bits, shown once and kept as a hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// Bytes of randomness.
const BYTES: usize = 32;
/// Characters that they take.
const CHARS: usize = 43;

/// A new one, behind what says what it is for.
pub(super) fn new_token(prefix: &str) -> SecretString {
    let mut bytes = Zeroizing::new([0; BYTES]);
    rand::rng().fill_bytes(bytes.as_mut());
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes));
    SecretString::from(format!("{prefix}{}", text.as_str()))
}

/// What is kept of a token; none of a text that no token of that prefix looks like.
pub(super) fn hash_of(token: &SecretString, prefix: &str) -> Option<[u8; 32]> {
    let text = token.expose_secret();
    let random = text.strip_prefix(prefix)?;
    let is_random = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if random.len() != CHARS || !random.bytes().all(is_random) {
        return None;
    }
    // A plain hash does: there is nothing to guess among 2^256, and what is found by it is found by an index, so that no
    // comparison tells how much of it was right.
    digest(&SHA256, text.as_bytes()).as_ref().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_new_each_time_and_known_by_its_hash_and_prefix() {
        let (one, other) = (new_token("nck_"), new_token("nck_"));
        assert_eq!(one.expose_secret().len(), 47);
        let hash = hash_of(&one, "nck_").unwrap();
        assert_ne!(Some(hash), hash_of(&other, "nck_"));
        assert_eq!(hash_of(&one, "ncs_"), None);
        for wrong in ["", "nck_", "nck_short", &format!("nck_{}=", "a".repeat(42)), &"nck_é".repeat(10)] {
            assert_eq!(hash_of(&SecretString::from(wrong), "nck_"), None, "{wrong}");
        }
    }
}
