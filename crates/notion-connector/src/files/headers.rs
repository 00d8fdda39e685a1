//! What the head of an answer tells of a file. Pure; the host may write anything there.

use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;

/// Names are at most so long; file systems allow no more.
const MAX_NAME_CHARS: usize = 255;

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim).filter(|text| !text.is_empty())
}

/// The media type without its parameters, in lower case.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let essence = text(headers, header::CONTENT_TYPE)?.split(';').next()?.trim().to_ascii_lowercase();
    let is_one = essence.len() <= 127
        && essence.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
    is_one.then_some(essence)
}

/// A validator as it is to be sent back, if it is of a sensible length.
pub(super) fn validator(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    text(headers, name).filter(|value| value.len() <= 256).map(str::to_owned)
}

/// Whether the bytes are compressed.
pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CONTENT_ENCODING);
    values.iter().any(|value| {
        !value.as_bytes().trim_ascii().is_empty()
            && !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity")
    })
}

/// Seconds of `Retry-After`; a date there is not looked at.
pub(super) fn retry_after_s(headers: &HeaderMap) -> Option<u64> {
    text(headers, header::RETRY_AFTER)?.parse().ok()
}

/// The name that `Content-Disposition` gives (RFC 6266): `filename*` before `filename`, without folders and controls.
pub(super) fn disposition_name(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_DISPOSITION)?;
    let value = String::from_utf8_lossy(value.as_bytes());
    let mut plain = None;
    for (key, value) in parameters(&value) {
        match key.as_str() {
            "filename*" => {
                let mut parts = value.splitn(3, '\'');
                let (charset, _, coded) = (parts.next()?, parts.next(), parts.next());
                if charset.eq_ignore_ascii_case("utf-8")
                    && let Some(name) = coded.and_then(|coded| percent_decode_str(coded).decode_utf8().ok())
                {
                    return cleaned(&name);
                }
            }
            "filename" => plain = plain.or(Some(value)),
            _ => {}
        }
    }
    cleaned(&plain?)
}

/// `key=value` and `key="va\"lue"` after the first `;`.
fn parameters(value: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = value.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.trim().trim_start_matches(';').trim().to_ascii_lowercase();
        let after = after.trim_start();
        let (value, end) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, length) = unquoted(quoted);
                (value, length + 1)
            }
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim().to_owned(), end)
            }
        };
        found.push((key, value));
        rest = after.get(end..).unwrap_or_default().trim_start().trim_start_matches(';');
    }
    found
}

/// A quoted string after its first quotation mark, and how long it was.
fn unquoted(text: &str) -> (String, usize) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, at + 1),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, text.len())
}

fn cleaned(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
    let kept = kept.trim();
    (!kept.is_empty() && kept != "." && kept != "..").then(|| kept.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(value: &str) -> Option<String> {
        let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
        disposition_name(&HeaderMap::from_iter([(header::CONTENT_DISPOSITION, value)]))
    }

    #[test]
    fn a_name_is_read_in_every_spelling_and_leads_to_no_folder() {
        for (value, expected) in [
            ("attachment; filename=report.pdf", Some("report.pdf")),
            ("inline; FileName=\"a \\\"b\\\"; c.pdf\"; size=3", Some("a \"b\"; c.pdf")),
            ("attachment; filename=\"plain.txt\"; filename*=UTF-8''gr%C3%BC%C3%9Fe.txt", Some("grüße.txt")),
            ("attachment; filename*=utf-8'de'%e2%82%ac.txt; filename=x", Some("€.txt")),
            ("attachment; filename*=ISO-8859-1''%E4.txt; filename=x.txt", Some("x.txt")),
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            ("attachment; filename=\"C:\\\\a\\\\b.doc\"", Some("b.doc")),
            ("attachment; filename=\"..\"", None),
            ("attachment; filename=\"\"", None),
            ("attachment", None),
            ("attachment; filename", None),
            ("attachment; filename=\"open", Some("open")),
            ("attachment; =; = ;", None),
        ] {
            assert_eq!(name(value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_media_type_is_read_without_its_parameters() {
        let read = |value: &'static str| {
            media_type(&HeaderMap::from_iter([(header::CONTENT_TYPE, http::HeaderValue::from_static(value))]))
        };
        assert_eq!(read("Text/HTML; charset=utf-8").as_deref(), Some("text/html"));
        for none in ["", "text", "/", "; charset=utf-8"] {
            assert_eq!(read(none), None);
        }
    }

    proptest! {
        #[test]
        fn no_disposition_breaks_the_reader(value in "[ -~é]{0,80}") {
            if let Some(name) = name(&value) {
                prop_assert!(!name.is_empty() && !name.contains('/'));
            }
            name(&format!("attachment; filename{value}"));
        }
    }
}
