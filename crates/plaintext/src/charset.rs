//! In which encoding bytes are written: byte order mark, then UTF-8 if they are valid UTF-8, then statistics.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

/// Bytes looked at to tell text from other things, and an encoding from others.
const PROBE_BYTES: usize = 256 << 10;

pub(crate) struct Decoded<'b> {
    pub(crate) text: Cow<'b, str>,
    pub(crate) encoding: &'static str,
}

/// Decodes text; none when the bytes are no text. Malformed sequences become U+FFFD: partial content beats none.
pub(crate) fn decode(bytes: &[u8]) -> Option<Decoded<'_>> {
    decode_named(bytes, None)
}

/// Whether [`decode`] gives text.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    Encoding::for_bom(bytes).is_some() || looks_like_text(&bytes[..bytes.len().min(PROBE_BYTES)])
}

/// The encoding whose label follows `mark` in the first `within` bytes, in quotes or without.
pub(crate) fn named_after(bytes: &[u8], mark: &[u8], within: usize) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(within)].to_ascii_lowercase();
    let at = head.windows(mark.len()).position(|window| window == mark)? + mark.len();
    let label = head[at..].trim_ascii_start();
    let label = label.strip_prefix(b"\"").or_else(|| label.strip_prefix(b"'")).unwrap_or(label);
    let end = label.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"-_:.".contains(byte)));
    Encoding::for_label(&label[..end.unwrap_or(label.len())])
}

/// The same for a document that names its encoding: the name goes behind a byte order mark and before statistics.
pub(crate) fn decode_named<'b>(bytes: &'b [u8], named: Option<&'static Encoding>) -> Option<Decoded<'b>> {
    if let Some((encoding, mark_bytes)) = Encoding::for_bom(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes[mark_bytes..]);
        return Some(Decoded { text, encoding: encoding.name() });
    }
    let probe = &bytes[..bytes.len().min(PROBE_BYTES)];
    if !looks_like_text(probe) {
        return None;
    }
    // What is valid UTF-8 and not plain ASCII is UTF-8, whatever it says of itself; so is what was cut within a character.
    let is_utf8 = std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true);
    let encoding = if is_utf8 { UTF_8 } else { named.unwrap_or_else(|| guess(probe)) };
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    Some(Decoded { text, encoding: encoding.name() })
}

fn guess(probe: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(probe, true);
    detector.guess(None, Utf8Detection::Allow)
}

/// Text holds no NUL, and next to no other control characters than white space and escape (ISO-2022-JP).
fn looks_like_text(probe: &[u8]) -> bool {
    let controls =
        probe.iter().filter(|byte| matches!(byte, 0x01..=0x08 | 0x0E..=0x1A | 0x1C..=0x1F | 0x7F)).count();
    !probe.contains(&0) && controls * 100 <= probe.len()
}
