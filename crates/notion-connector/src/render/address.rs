//! What an address in a body tells: the object it names, the file it holds, and which part of it is a signature.
//!
//! Files on Notion's hosts come with signed addresses that differ at every read (developers.notion.com "file-object");
//! nothing signed may enter text or hash, or every crawl would look like a change.

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::model::NotionId;

/// The object that an address names: the id at the end of its path, or of a `scheme://id` address.
pub fn object_of(url: &str) -> Option<NotionId> {
    let path = strip_braces(url).split(['?', '#']).next().unwrap_or_default();
    trailing_id(path.trim_end_matches('/'))
}

/// The block that an address names by its fragment, else the object.
pub fn block_of(url: &str) -> Option<NotionId> {
    strip_braces(url)
        .rsplit_once('#')
        .and_then(|(_, fragment)| trailing_id(fragment))
        .or_else(|| object_of(url))
}

/// The object that a link in the text leads to, if it leads into Notion.
pub fn notion_target(url: &str) -> Option<NotionId> {
    let url = strip_braces(url);
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else {
        // Notion writes links to pages of the same workspace as bare paths, too.
        return url.starts_with('/').then(|| object_of(url)).flatten();
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let of_notion = ["notion.so", "notion.com", "notion.site"].iter().any(|domain| {
        host.strip_suffix(domain).is_some_and(|front| front.is_empty() || front.ends_with('.'))
    });
    of_notion.then(|| object_of(url)).flatten()
}

/// An id written with or without dashes at the end of `text`.
fn trailing_id(text: &str) -> Option<NotionId> {
    let tail = |length: usize| text.len().checked_sub(length).and_then(|start| text.get(start..));
    let undashed = tail(32).filter(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    undashed.or_else(|| tail(36)).and_then(|id| Uuid::try_parse(id).ok()).map(NotionId)
}

/// The address alone: some copies of the format write it as `{{https://…}}`.
pub fn strip_braces(url: &str) -> &str {
    let url = url.trim();
    url.strip_prefix("{{").and_then(|url| url.strip_suffix("}}")).unwrap_or(url)
}

/// The address without query and fragment.
pub fn without_query(url: &str) -> &str {
    let url = strip_braces(url);
    if url.starts_with("data:") {
        return "";
    }
    url.split(['?', '#']).next().unwrap_or_default()
}

/// The address as text may show it: without its query when that is a signature.
pub fn unsigned(url: &str) -> &str {
    if url.starts_with("data:") || is_signed(url) { without_query(url) } else { strip_braces(url) }
}

/// Whether its query is a signature.
pub fn is_signed(url: &str) -> bool {
    const MARKS: [&str; 6] =
        ["x-amz-", "signature=", "sig=", "expirationtimestamp=", "x-goog-", "awsaccesskeyid="];
    let Some((_, query)) = url.split_once('?') else { return false };
    let query = query.to_ascii_lowercase();
    MARKS.iter().any(|mark| query.contains(mark))
}

/// The name of the file that an address ends in, if it looks like one.
pub fn file_name(url: &str) -> Option<String> {
    let path = without_query(url);
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let (_, segment) = path.rsplit_once('/')?;
    let name = percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let name = name.trim().replace(['\n', '\r', '\t'], " ");
    (!name.is_empty() && name.contains('.')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "393abc1e-edcd-81d5-bf32-d1339d9031c2";

    #[test]
    fn ids_are_found_in_every_spelling() {
        let id = ID.parse::<NotionId>().ok();
        for url in [
            "https://app.notion.com/p/Some-Title-393abc1eedcd81d5bf32d1339d9031c2",
            "https://www.notion.so/393abc1eedcd81d5bf32d1339d9031c2?v=1#00000000000000000000000000000001",
            "{{https://www.notion.so/393abc1e-edcd-81d5-bf32-d1339d9031c2}}",
            "collection://393abc1e-edcd-81d5-bf32-d1339d9031c2",
            "user://393ABC1Eedcd81d5bf32d1339d9031c2",
        ] {
            assert_eq!(object_of(url), id, "{url}");
        }
        assert_eq!(object_of("https://example.com/short"), None);
        assert_eq!(object_of("https://example.com/ééééééééééééééééééé"), None);
    }

    #[test]
    fn a_fragment_names_the_block() {
        let url =
            "https://app.notion.com/p/00000000000000000000000000000001#393abc1eedcd81d5bf32d1339d9031c2";
        assert_eq!(block_of(url), ID.parse().ok());
        assert_eq!(
            block_of("https://app.notion.com/p/393abc1eedcd81d5bf32d1339d9031c2#top"),
            ID.parse().ok()
        );
    }

    #[test]
    fn only_links_into_notion_have_a_target() {
        assert!(notion_target("https://acme.notion.site/x-393abc1eedcd81d5bf32d1339d9031c2").is_some());
        assert!(notion_target("/393abc1eedcd81d5bf32d1339d9031c2").is_some());
        assert!(notion_target("https://notnotion.com/393abc1eedcd81d5bf32d1339d9031c2").is_none());
        assert!(notion_target("https://github.com/393abc1eedcd81d5bf32d1339d9031c2").is_none());
    }

    #[test]
    fn signatures_do_not_survive() {
        let url = "https://files.example/w/f/plan%20B.pdf?X-Amz-Signature=abc&X-Amz-Expires=3600";
        assert_eq!(unsigned(url), "https://files.example/w/f/plan%20B.pdf");
        assert_eq!(file_name(url).as_deref(), Some("plan B.pdf"));
        assert_eq!(unsigned("https://example.com/watch?v=1"), "https://example.com/watch?v=1");
        assert_eq!(file_name("https://example.com/watch?v=1"), None);
        assert_eq!(file_name("https://example.com"), None);
    }
}
