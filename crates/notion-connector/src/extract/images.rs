//! What has no text of its own: images, and pages that were scanned. Where it is switched on, text is generated for them,
//! by recognition (`ocr`) and by description (`captions`), and marked as generated.

use plaintext::{Extraction, Format, Status};
use serde::Serialize;

/// Why there is nothing to find in an image or a scan.
const NO_TEXT_LAYER: &str = "no text layer";

/// How a text came to be that is not in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Generated {
    /// Letters were recognised in pictures of them.
    Ocr,
    /// A model described an image.
    Caption,
}

impl Generated {
    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ocr => "ocr",
            Self::Caption => "caption",
        }
    }
}

/// What may be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Picture {
    /// An image of this media type.
    Image(&'static str),
    /// Pages without text.
    Pdf,
}

/// Images by what they begin with.
const IMAGES: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
];

/// The media type of an image; none for anything else.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some("image/webp");
    }
    // Two letters alone are in many texts; the four bytes behind the size are 0.
    if bytes.starts_with(b"BM") && bytes.get(6..10) == Some(b"\0\0\0\0") {
        return Some("image/bmp");
    }
    IMAGES.iter().find_map(|(begin, media_type)| bytes.starts_with(begin).then_some(*media_type))
}

/// Says of an image or a scan that it has no text layer, and what may be looked at; none where there is nothing to see.
pub(super) fn judge(extraction: &mut Extraction, bytes: &[u8]) -> Option<Picture> {
    let picture = match (extraction.format, extraction.status) {
        (Some(Format::Pdf), Status::NoText) if !bytes.is_empty() => Picture::Pdf,
        // Whatever its name says.
        (_, Status::Unsupported) => Picture::Image(media_type(bytes)?),
        _ => return None,
    };
    if matches!(picture, Picture::Image(_)) {
        extraction.format = None;
    }
    extraction.status = Status::NoText;
    extraction.reason = Some(NO_TEXT_LAYER.to_owned());
    Some(picture)
}

/// Adds a text that was generated, behind those that were before.
pub(super) fn add(extraction: &mut Extraction, text: &str, most_bytes: usize) {
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    if !extraction.text.is_empty() {
        extraction.text.push_str("\n\n");
    }
    let room = most_bytes.saturating_sub(extraction.text.len());
    let kept = &text[..text.floor_char_boundary(room)];
    extraction.text.push_str(kept);
    extraction.cut_bytes += (text.len() - kept.len()) as u64;
    extraction.status = Status::Text;
    extraction.reason = None;
}

/// Says why a text was not generated.
pub(super) fn explain(extraction: &mut Extraction, why: String) {
    if extraction.status == Status::Text {
        extraction.left_out.push(why);
    } else {
        let before = extraction.reason.take().unwrap_or_default();
        extraction.reason = Some(format!("{before}; {why}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(bytes: &[u8], name: &str) -> (Extraction, Option<Picture>) {
        let mut extraction = plaintext::extract(bytes, name, &plaintext::Limits::default());
        let picture = judge(&mut extraction, bytes);
        (extraction, picture)
    }

    #[test]
    fn images_are_known_by_their_bytes_and_have_no_text_layer() {
        let (image, picture) = judged(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "scan.txt");
        assert_eq!(picture, Some(Picture::Image("image/png")));
        assert_eq!((image.format, image.status), (None, Status::NoText));
        assert_eq!(image.reason.as_deref(), Some("no text layer"));
        for bytes in [&b"RIFF\0\0\0\0WEBP"[..], b"BM\x10\x20\0\0\0\0\0\0", b"II*\0\x08", b"\xFF\xD8\xFF\xE0"]
        {
            assert!(judged(bytes, "a.bin").1.is_some(), "{bytes:?}");
        }
        assert_eq!(judged(b"BMW builds cars", "a.txt").1, None);
        assert_eq!(judged(b"RIFF\0\0\0\0WAVE", "a.wav").1, None);
    }

    #[test]
    fn what_is_generated_follows_what_was_there_and_keeps_to_the_limit() {
        let (mut image, _) = judged(b"GIF89a", "a.gif");
        explain(&mut image, "nobody looked".to_owned());
        assert_eq!(image.reason.as_deref(), Some("no text layer; nobody looked"));
        add(&mut image, " \x0c", 100);
        assert_eq!(image.status, Status::NoText);
        add(&mut image, "a bird\n", 100);
        add(&mut image, "on the rööf", 13);
        assert_eq!(
            (image.status, image.text.as_str(), image.cut_bytes),
            (Status::Text, "a bird\n\non th", 8)
        );
        explain(&mut image, "a page failed".to_owned());
        assert_eq!((image.reason, image.left_out), (None, vec!["a page failed".to_owned()]));
    }
}
