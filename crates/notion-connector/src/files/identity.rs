//! Which file an address means, whatever its signature. Pure.
//!
//! On Notion's hosts the path names a file and the rest of the URL is a signature of an hour, new with every read
//! (developers.notion.com "file-object"; recorded). Elsewhere the whole URL but its fragment names it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Host, Url};

/// The bucket of uploads, by name in the path or in the host (recorded, in the region us-west-2).
const UPLOADS: &str = "prod-files-secure";
/// What follows on the region in a host of S3.
const AMAZON: &str = ".amazonaws.com";
/// Buckets of earlier years and of what everybody may see.
const OTHER_BUCKETS: [&str; 2] = ["secure.notion-static.com", "public.notion-static.com"];
/// Where Notion's own pages take uploads from: `/f/f/<path in the bucket>`, `/f/s/<path in the older one>` (observed).
const FILE_HOST: &str = "file.notion.so";
/// Notion's web application, which leads on to files below these paths (observed).
const WEB_HOSTS: [&str; 4] = ["www.notion.so", "notion.so", "app.notion.com", "www.notion.com"];
const WRAPPED: [&str; 2] = ["/signed/", "/image/"];
/// Addresses are at most so long; Notion's own limit for URLs that are written is 2,000 ("request-limits"), and signed ones
/// are longer than what was written.
const MAX_URL_BYTES: usize = 16 << 10;
/// Addresses within addresses: a picture of a picture is unheard of.
const MAX_WRAPPING: usize = 3;

/// What is not escaped in a name (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whose host a file is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosting {
    /// Notion's.
    Notion,
    /// Any other.
    Other,
}

/// What names a file: the same text for every address of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileKey(String);

impl FileKey {
    /// The text, for a column.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an address tells of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAddress {
    /// What names the file.
    pub key: FileKey,
    /// Whose host it is on.
    pub hosting: Hosting,
    /// The last part of its path, decoded, if it has one.
    pub name: Option<String>,
}

/// Why an address names no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no URL.
    #[error("the address is no URL")]
    NoUrl,
    /// It leads to no host, like `attachment:` and `data:`.
    #[error("the address is no https:// URL")]
    Scheme,
    /// It is longer than any address.
    #[error("the address is longer than 16 KiB")]
    TooLong,
}

impl FileAddress {
    /// Reads an address; `stand_ins` are hosts, as `host:port`, that count as Notion's.
    ///
    /// # Errors
    /// When it names no file on any host.
    pub fn parse(text: &str, stand_ins: &[String]) -> Result<Self, AddressError> {
        Self::of(&parsed(text)?, stand_ins, 0)
    }

    /// The same of a URL.
    pub(super) fn of(url: &Url, stand_ins: &[String], depth: usize) -> Result<Self, AddressError> {
        if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
            return Err(AddressError::Scheme);
        }
        if let Some(inner) = wrapped(url).filter(|_| depth < MAX_WRAPPING) {
            return Self::of(&inner, stand_ins, depth + 1);
        }
        let path: Vec<String> = segments(url.path());
        let name = path.last().filter(|name| !name.is_empty()).cloned();
        let key = match notion_path(url, &path, stand_ins) {
            Some(path) => {
                let parts: Vec<String> =
                    path.iter().map(|part| utf8_percent_encode(part, RESERVED).to_string()).collect();
                return Ok(Self {
                    key: FileKey(format!("notion:{}", parts.join("/"))),
                    hosting: Hosting::Notion,
                    name,
                });
            }
            None => plain(url),
        };
        Ok(Self { key: FileKey(key), hosting: Hosting::Other, name })
    }
}

/// An address as a URL of any kind.
pub(super) fn parsed(text: &str) -> Result<Url, AddressError> {
    if text.len() > MAX_URL_BYTES {
        return Err(AddressError::TooLong);
    }
    Url::parse(text.trim()).map_err(|_| AddressError::NoUrl)
}

/// The parts of the path in Notion's bucket of uploads; in another one they begin with its name.
fn notion_path<'p>(url: &Url, path: &'p [String], stand_ins: &[String]) -> Option<Vec<&'p str>> {
    let Some(Host::Domain(host)) = url.host() else {
        return is_stand_in(url, stand_ins).then(|| path.iter().map(String::as_str).collect());
    };
    let host = host.trim_end_matches('.');
    let rest = |from: usize| path[from..].iter().map(String::as_str).collect::<Vec<_>>();
    let first = path.first().map(String::as_str);
    let in_host = host.split_once(".s3.").filter(|(_, region)| is_region(region)).map(|(bucket, _)| bucket);
    if in_host == Some(UPLOADS) || is_stand_in(url, stand_ins) {
        return Some(rest(0));
    }
    // The bucket is the first part of the path (recorded, both spellings).
    if host.strip_prefix("s3.").or_else(|| host.strip_prefix("s3-")).is_some_and(is_region) {
        return match first {
            Some(UPLOADS) => Some(rest(1)),
            Some(bucket) if OTHER_BUCKETS.contains(&bucket) => Some(rest(0)),
            _ => None,
        };
    }
    if host == FILE_HOST {
        return match (first, path.get(1).map(String::as_str)) {
            (Some("f"), Some("f")) => Some(rest(2)),
            (Some("f"), Some("s")) => Some([vec![OTHER_BUCKETS[0]], rest(2)].concat()),
            _ => Some([vec![FILE_HOST], rest(0)].concat()),
        };
    }
    let bucket = OTHER_BUCKETS.iter().find(|bucket| host == **bucket || in_host == Some(**bucket));
    bucket.map(|bucket| [vec![*bucket], rest(0)].concat())
}

/// Whether the rest of a host of S3 names a region where a bucket's name is Notion's: names are unique among all regions of a
/// partition, and those of the government's partition are another's (docs.aws.amazon.com "bucketnamingrules").
fn is_region(rest: &str) -> bool {
    let Some(region) = rest.strip_suffix(AMAZON) else { return false };
    let mut parts = region.split('-');
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let (area, number) = (parts.next(), parts.next_back());
    let is_number = |part: &str| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut middle = parts.peekable();
    area.is_some_and(|area| area.len() == 2 && is_word(area))
        && number.is_some_and(is_number)
        && middle.peek().is_some_and(|part| *part != "gov")
        && middle.all(is_word)
}

/// Whether a URL leads to one of these hosts.
pub(super) fn is_stand_in(url: &Url, stand_ins: &[String]) -> bool {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return false };
    let place = format!("{host}:{port}");
    stand_ins.contains(&place)
}

/// The address that one of the web application's carries.
fn wrapped(url: &Url) -> Option<Url> {
    let host = url.host_str()?;
    if !WEB_HOSTS.contains(&host) {
        return None;
    }
    let inner = WRAPPED.iter().find_map(|prefix| url.path().strip_prefix(prefix))?;
    Url::parse(&percent_decode_str(inner).decode_utf8().ok()?).ok()
}

/// The decoded parts of a path. An escaped `/` stays within its part.
fn segments(path: &str) -> Vec<String> {
    let parts = path.trim_start_matches('/').split('/');
    parts.map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
}

/// A URL without user, password and fragment, in one spelling: the URL parser has lowered the host and dropped default ports;
/// escapes of what needs none are undone, the others are in capitals (RFC 3986, 6.2.2).
fn plain(url: &Url) -> String {
    let origin = url.origin().ascii_serialization();
    let mut text = respelt(&format!("{origin}{}", url.path()));
    if let Some(query) = url.query() {
        text.push('?');
        text.push_str(&respelt(query));
    }
    text
}

fn respelt(text: &str) -> String {
    let mut spelt = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        spelt.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        let Some(byte) = byte else {
            spelt.push('%');
            rest = &rest[at + 1..];
            continue;
        };
        match byte {
            b'-' | b'.' | b'_' | b'~' => spelt.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => spelt.push(char::from(byte)),
            byte => spelt.push_str(&format!("%{byte:02X}")),
        }
        rest = &rest[at + 3..];
    }
    spelt.push_str(rest);
    spelt
}

/// The extension of a file's name, in lower case, without the dot.
#[must_use]
pub fn extension(name: &str) -> Option<String> {
    let (stem, extension) = name.trim().rsplit_once('.')?;
    let is_one = !stem.is_empty()
        && (1..=10).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_one.then(|| extension.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BUCKET: &str = "https://prod-files-secure.s3.us-west-2.amazonaws.com";

    fn key(text: &str) -> String {
        FileAddress::parse(text, &["127.0.0.1:9000".to_owned()]).unwrap().key.0
    }

    fn hosting(text: &str) -> Hosting {
        FileAddress::parse(text, &[]).unwrap().hosting
    }

    #[test]
    fn a_signature_is_no_part_of_a_files_name() {
        let path = "231674b6/0b3f/quarterly%20report.pdf";
        let one = key(&format!("{BUCKET}/{path}?X-Amz-Date=1&X-Amz-Signature=a"));
        assert_eq!(one, key(&format!("{BUCKET}/{path}?X-Amz-Date=2&X-Amz-Signature=b#page=3")));
        assert_eq!(one, "notion:231674b6/0b3f/quarterly%20report.pdf");
        assert_ne!(one, key(&format!("{BUCKET}/231674b6/0b40/quarterly%20report.pdf")));
    }

    #[test]
    fn every_address_of_an_upload_names_the_same_file() {
        let name = "notion:w/f/a%20%28final%29%20%C3%BC.pdf";
        for text in [
            "https://prod-files-secure.s3.us-west-2.amazonaws.com/w/f/a%20(final)%20%c3%bc.pdf?X-Amz-Signature=1",
            "https://PROD-files-secure.s3.us-west-2.amazonaws.com:443/w/f/a%20%28final%29%20ü.pdf",
            "https://s3.us-west-2.amazonaws.com/prod-files-secure/w/f/a%20(final)%20ü.pdf?X-Amz-Signature=1",
            "https://prod-files-secure.s3.eu-central-1.amazonaws.com/w/f/a%20(final)%20ü.pdf?X-Amz-Signature=1",
            "https://s3.ap-southeast-2.amazonaws.com/prod-files-secure/w/f/a%20(final)%20ü.pdf?X-Amz-Signature=1",
            "https://file.notion.so/f/f/w/f/a%20(final)%20%C3%BC.pdf?table=block&id=1&expirationTimestamp=2&signature=3",
            "https://www.notion.so/signed/https%3A%2F%2Fprod-files-secure.s3.us-west-2.amazonaws.com%2Fw%2Ff%2Fa%2520(final)%2520%25C3%25BC.pdf?table=block&id=1",
            "https://www.notion.so/image/https%3A%2F%2Fprod-files-secure.s3.us-west-2.amazonaws.com%2Fw%2Ff%2Fa%2520(final)%2520%25C3%25BC.pdf?width=200",
            "http://127.0.0.1:9000/w/f/a%20(final)%20ü.pdf?X-Amz-Signature=1",
        ] {
            assert_eq!(key(text), name, "{text}");
        }
    }

    #[test]
    fn files_of_earlier_years_are_named_with_their_bucket() {
        for text in [
            "https://s3.us-west-2.amazonaws.com/secure.notion-static.com/f/a.pdf?X-Amz-Signature=1",
            "https://s3-us-west-2.amazonaws.com/secure.notion-static.com/f/a.pdf",
            "https://secure.notion-static.com.s3.us-west-2.amazonaws.com/f/a.pdf",
            "https://file.notion.so/f/s/f/a.pdf?id=1&signature=2",
        ] {
            assert_eq!(key(text), "notion:secure.notion-static.com/f/a.pdf", "{text}");
            assert_eq!(hosting(text), Hosting::Notion);
        }
        let picture = "https://s3-us-west-2.amazonaws.com/public.notion-static.com/a.png";
        assert_eq!(key(picture), "notion:public.notion-static.com/a.png");
    }

    #[test]
    fn hosts_that_look_like_notions_are_others() {
        for text in [
            "https://prod-files-secure.s3.us-gov-west-1.amazonaws.com/w/f/a.pdf",
            "https://prod-files-secure.s3.cn-north-1.amazonaws.com.cn/w/f/a.pdf",
            "https://prod-files-secure.s3.evil.amazonaws.com/w/f/a.pdf",
            "https://prod-files-secure.s3.x.eu-west-1.amazonaws.com/w/f/a.pdf",
            "https://prod-files-secure.s3.amazonaws.com.evil-west-1.amazonaws.com/w/f/a.pdf",
            "https://s3.eu-west-1.amazonaws.com/another-bucket/w/f/a.pdf",
            "https://prod-files-secure-x.s3.us-west-2.amazonaws.com/w/f/a.pdf",
            "https://prod-files-secure.s3.us-west-2.amazonaws.com.evil.example/w/f/a.pdf",
            "https://s3.us-west-2.amazonaws.com/another-bucket/w/f/a.pdf",
            "https://file.notion.so.evil.example/f/f/w/f/a.pdf",
            "https://user@evil.example/prod-files-secure/w/f/a.pdf",
            "https://www.notion.so/images/page-cover/woodcuts_1.jpg",
            "https://www.notion.so/image/https%3A%2F%2Fevil.example%2Fa.png?table=block",
            "http://127.0.0.1:9000/w/f/a.pdf",
        ] {
            assert_eq!(hosting(text), Hosting::Other, "{text}");
        }
    }

    #[test]
    fn elsewhere_the_url_without_its_fragment_names_a_file_in_one_spelling() {
        let name = "https://example.org/a%20b/C-~d.pdf?q=1&r=%2F";
        for text in [
            "https://example.org/a%20b/C-~d.pdf?q=1&r=%2f#page=2",
            "HTTPS://Example.ORG:443/x/../a b/%43%2D%7ed.pdf?q=%31&r=%2F",
            "https://someone:secret@example.org/a%20b/C-~d.pdf?q=1&r=%2F",
        ] {
            assert_eq!(key(text), name, "{text}");
        }
        assert_ne!(key("https://example.org/a?v=1"), key("https://example.org/a?v=2"));
        assert_ne!(key("https://example.org/a%2Fb"), key("https://example.org/a/b"));
        assert_ne!(key("https://example.org/a"), key("https://example.org:8443/a"));
        assert_eq!(key("https://example.org/100%"), "https://example.org/100%");
    }

    #[test]
    fn what_leads_to_no_host_names_no_file() {
        for (text, error) in [
            ("attachment:0b3f:report.pdf", AddressError::Scheme),
            ("data:text/plain,hello", AddressError::Scheme),
            ("file:///etc/passwd", AddressError::Scheme),
            ("ftp://example.org/a", AddressError::Scheme),
            ("report.pdf", AddressError::NoUrl),
            ("", AddressError::NoUrl),
            ("https://", AddressError::NoUrl),
        ] {
            assert_eq!(FileAddress::parse(text, &[]), Err(error), "{text}");
        }
        let long = format!("https://example.org/{}", "a".repeat(20_000));
        assert_eq!(FileAddress::parse(&long, &[]), Err(AddressError::TooLong));
    }

    #[test]
    fn a_name_and_its_extension_are_read_from_the_path() {
        let name = |text: &str| FileAddress::parse(text, &[]).unwrap().name;
        assert_eq!(name(&format!("{BUCKET}/w/f/a%20b.PDF?x=.exe")).as_deref(), Some("a b.PDF"));
        assert_eq!(name("https://example.org/"), None);
        assert_eq!(extension("a b.PDF").as_deref(), Some("pdf"));
        for none in ["", "a", ".profile", "a.", "version 1.2 of it", "a.toolongextension"] {
            assert_eq!(extension(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_the_key_of_itself_and_no_text_breaks_it(text in "(https?://)?[a-zA-Z0-9./%?#@:é-]{0,60}") {
            if let Ok(address) = FileAddress::parse(&text, &[])
                && address.hosting == Hosting::Other
            {
                let again = FileAddress::parse(address.key.as_str(), &[]).unwrap();
                prop_assert_eq!(again.key, address.key);
            }
        }
    }
}
