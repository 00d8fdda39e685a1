//! Signed URLs of the file host ("file-object": valid for one hour; a new signature on every read).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use uuid::Uuid;

use crate::objects::exact;
use crate::rules::validate::Query;

/// What a client's URL parser would change if it stood in a path as it is.
const NAME: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'/')
    .add(b'\\')
    .add(b'{')
    .add(b'}')
    .add(b'|')
    .add(b'^')
    .add(b'[')
    .add(b']');

/// Signs URLs and checks them.
#[derive(Debug)]
pub struct Signer {
    key: [u8; 32],
    origin: RwLock<String>,
    external_origin: RwLock<String>,
    nonce: AtomicU64,
}

impl Signer {
    /// A signer for the host at this origin, beside an external host at the other.
    #[must_use]
    pub fn new(origin: &str, external_origin: &str) -> Self {
        let key = blake3::derive_key("notion-emulator 2026 file urls", b"emulated");
        Self {
            key,
            origin: RwLock::new(origin.to_owned()),
            external_origin: RwLock::new(external_origin.to_owned()),
            nonce: AtomicU64::new(1),
        }
    }

    /// Where Notion's host is.
    #[must_use]
    pub fn origin(&self) -> String {
        self.origin.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_origin(&self, origin: &str) {
        origin.clone_into(&mut self.origin.write().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn set_external_origin(&self, origin: &str) {
        origin.clone_into(&mut self.external_origin.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// The address of a file on the external host, which nobody signs.
    #[must_use]
    pub fn external(&self, file: &str, name: &str) -> String {
        let origin = self.external_origin.read().unwrap_or_else(PoisonError::into_inner);
        format!("{origin}{}", external_path(file, name))
    }

    /// A URL of a file that is valid for so long, and when it expires.
    #[must_use]
    pub fn sign(
        &self,
        workspace: Uuid,
        (file, name): (&str, &str),
        now_ms: i64,
        valid_ms: i64,
    ) -> (String, i64) {
        let path = hosted_path(workspace, file, name);
        let date = amz_date(now_ms);
        let expires = valid_ms.div_euclid(1000).to_string();
        let nonce = format!("{:016x}", crate::world::rng::mix(self.nonce.fetch_add(1, Ordering::Relaxed)));
        let signature = self.signature(&path, &date, &expires, &nonce);
        let url = format!(
            "{}{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=EMULATOR%2F{}%2Fus-west-2%2Fs3%2Faws4_request&X-Amz-Date={date}&X-Amz-Expires={expires}&X-Amz-Security-Token={nonce}&X-Amz-Signature={signature}&X-Amz-SignedHeaders=host&x-amz-checksum-mode=ENABLED&x-id=GetObject",
            self.origin(),
            date.get(..8).unwrap_or_default(),
        );
        (url, now_ms.saturating_add(valid_ms))
    }

    fn signature(&self, path: &str, date: &str, expires: &str, nonce: &str) -> String {
        let text = format!("{path}\n{date}\n{expires}\n{nonce}");
        blake3::keyed_hash(&self.key, text.as_bytes()).to_hex().to_string()
    }

    /// When a URL expires, if its signature fits it.
    pub(super) fn verify(&self, path: &str, query: &Query) -> Option<i64> {
        let part = |key: &str| query.get(key).unwrap_or_default();
        let (date, expires) = (part("X-Amz-Date"), part("X-Amz-Expires"));
        let signature = self.signature(path, date, expires, part("X-Amz-Security-Token"));
        if signature != part("X-Amz-Signature") {
            return None;
        }
        let valid_ms = expires.parse::<i64>().ok()?.checked_mul(1000)?;
        amz_date_ms(date)?.checked_add(valid_ms)
    }
}

/// The path of a file on Notion's host, as it stands in URLs.
pub(crate) fn hosted_path(workspace: Uuid, file: &str, name: &str) -> String {
    format!("/{workspace}/{file}/{}", utf8_percent_encode(name, NAME))
}

/// The path of a file on the external host.
pub(crate) fn external_path(file: &str, name: &str) -> String {
    format!("/shared/{file}/{}", utf8_percent_encode(name, NAME))
}

/// `20260704T090945Z`.
fn amz_date(ms: i64) -> String {
    let text: String = exact(ms).chars().filter(|c| *c != '-' && *c != ':').collect();
    format!("{}Z", text.split('.').next().unwrap_or_default())
}

fn amz_date_ms(text: &str) -> Option<i64> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
    let small = |from: usize| digits.get(from..from + 2)?.parse::<i8>().ok();
    let time =
        jiff::civil::DateTime::new(number(0, 4)?, small(4)?, small(6)?, small(8)?, small(10)?, small(12)?, 0)
            .ok()?;
    Some(jiff::tz::Offset::UTC.to_timestamp(time).ok()?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_signatures_read_back() {
        assert_eq!(amz_date(1_783_156_185_607), "20260704T090945Z");
        assert_eq!(amz_date_ms("20260704T090945Z"), Some(1_783_156_185_000));
    }
}
