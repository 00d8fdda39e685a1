//! In which encoding bytes are written: byte order mark, then UTF-8 if they are valid UTF-8, then statistics.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

/// Bytes looked at to tell text from other things, and an encoding from others.
const PROBE_BYTES: usize = 256 << 10;

pub(crate) struct Decoded {
    pub(crate) text: String,
    pub(crate) encoding: &'static str,
}

/// Decodes text; none when the bytes are no text. Malformed sequences become U+FFFD: partial content beats none.
pub(crate) fn decode(bytes: &[u8]) -> Option<Decoded> {
    if let Some((encoding, mark_bytes)) = Encoding::for_bom(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes[mark_bytes..]);
        return Some(Decoded { text: text.into_owned(), encoding: encoding.name() });
    }
    let probe = &bytes[..bytes.len().min(PROBE_BYTES)];
    if !looks_like_text(probe) {
        return None;
    }
    let encoding = if std::str::from_utf8(bytes).is_ok() { UTF_8 } else { guess(probe) };
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    Some(Decoded { text: text.into_owned(), encoding: encoding.name() })
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
