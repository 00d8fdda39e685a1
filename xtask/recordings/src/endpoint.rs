//! Addresses without what is somebody's: `GET /v1/pages/{page_id}`.

/// Collections of the API, the name of what stands behind each, and what asking for one of it answers.
const COLLECTIONS: &[(&str, &str, &str)] = &[
    ("pages", "page_id", "page"),
    ("blocks", "block_id", "block"),
    ("databases", "database_id", "database"),
    ("data_sources", "data_source_id", "data_source"),
    ("users", "user_id", "user"),
    ("comments", "comment_id", "comment"),
    ("properties", "property_id", "property_item"),
    ("views", "view_id", "view"),
    ("queries", "query_id", "view_query"),
    ("file_uploads", "file_upload_id", "file_upload"),
    ("custom_emojis", "custom_emoji_id", "custom_emoji"),
    ("async_tasks", "task_id", "async_task"),
];

/// Segments that stand where an id could.
const VERBS: &[&str] = &["me", "meeting_notes", "query"];

/// The longest word of an address that is printed.
const MAX_WORD: usize = 32;

/// What stands for the address of an object that was recorded by itself.
const SINGLE: &str = "(single object)";

/// What stands for other addresses: of files, whose paths hold names, and of other services.
const ELSEWHERE: &str = "(not the API)";

/// Method and path with placeholders for ids; host and parameters are left out.
pub(super) fn template(method: &str, url: &str) -> String {
    if url.trim().is_empty() {
        return SINGLE.to_owned();
    }
    let Some(path) = path_of(url.trim()) else { return ELSEWHERE.to_owned() };
    let mut before = "";
    let mut out = "/v1".to_owned();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let collection = COLLECTIONS.iter().find(|(name, ..)| *name == before);
        out.push('/');
        match collection {
            Some((_, id, _)) if !VERBS.contains(&segment) => {
                out.push('{');
                out.push_str(id);
                out.push('}');
            }
            _ if is_word(segment) => out.push_str(segment),
            _ => out.push_str("{id}"),
        }
        before = segment;
    }
    let method = if is_method(method) { method } else { "?" };
    format!("{method} {out}")
}

/// Whether a template stands for an address that is not the API's.
pub(super) fn is_elsewhere(template: &str) -> bool {
    template == ELSEWHERE
}

/// What an endpoint answers with when it is read, where that is one object. What writing answers need not hold anything.
pub(super) fn answers_with(template: &str) -> Option<&'static str> {
    if !template.starts_with("GET ") {
        return None;
    }
    if template.ends_with("/markdown") {
        return Some("page_markdown");
    }
    if template.ends_with("/users/me") {
        return Some("user");
    }
    let (head, last) = template.rsplit_once('/')?;
    let collection = head.rsplit_once('/').map_or(head, |(_, name)| name);
    COLLECTIONS
        .iter()
        .find(|(name, ..)| last.starts_with('{') && *name == collection)
        .map(|(_, _, object)| *object)
}

/// The path below the version, where an address is the API's: with or without scheme and host, with or without the
/// version. Other hosts have files and other APIs; a Notion on this machine or behind a proxy has paths of the API.
fn path_of(url: &str) -> Option<&str> {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').unwrap_or((rest, "")),
        None => match url.split_once('/') {
            Some((host, path)) if host.contains('.') => (host, path),
            _ => ("", url),
        },
    };
    let path = path.trim_matches('/');
    let versioned = path.strip_prefix("v1/");
    let first = path.split('/').next().unwrap_or_default();
    let known = |first: &str| {
        ["search", "oauth"].contains(&first) || COLLECTIONS.iter().any(|(name, ..)| *name == first)
    };
    if ["notion.com", "notion.so", ""].iter().any(|own| *own == host || host.ends_with(&format!(".{own}"))) {
        return versioned.or_else(|| (host.is_empty() && known(first)).then_some(path));
    }
    versioned.filter(|rest| known(rest.split('/').next().unwrap_or_default()))
}

/// Letters only, but for the version: an id has digits, capitals or percent signs.
fn is_word(segment: &str) -> bool {
    let plain = segment.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'-');
    (plain && segment.len() <= MAX_WORD) || segment == "v1"
}

fn is_method(method: &str) -> bool {
    (1..=7).contains(&method.len()) && method.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_hosts_and_parameters_are_left_out() {
        let id = "38c93f42-0000-4000-8000-000000000000";
        let cases = [
            (format!("https://api.notion.com/v1/pages/{id}?filter=secret"), "GET /v1/pages/{page_id}"),
            (format!("/v1/blocks/{id}/children"), "GET /v1/blocks/{block_id}/children"),
            (format!("/v1/pages/{id}/properties/title"), "GET /v1/pages/{page_id}/properties/{property_id}"),
            (format!("/v1/pages/{id}/properties/%3Aab"), "GET /v1/pages/{page_id}/properties/{property_id}"),
            ("/v1/users/me".to_owned(), "GET /v1/users/me"),
            ("/v1/search".to_owned(), "GET /v1/search"),
            (format!("/v1/views/{id}/queries/abc"), "GET /v1/views/{view_id}/queries/{query_id}"),
            (format!("/v1/novelties/{id}"), "GET /v1/novelties/{id}"),
            (format!("pages/{id}"), "GET /v1/pages/{page_id}"),
            (format!("v1/pages/{id}/"), "GET /v1/pages/{page_id}"),
            (format!("api.notion.com/v1/pages/{id}#a"), "GET /v1/pages/{page_id}"),
            (format!("http://127.0.0.1:8080/v1/pages/{id}"), "GET /v1/pages/{page_id}"),
            ("https://www.notion.so/signed/letters".to_owned(), "(not the API)"),
            ("https://other.example/v1/chat/completions".to_owned(), "(not the API)"),
            ("https://other.example/400".to_owned(), "(not the API)"),
            ("letters".to_owned(), "(not the API)"),
            ("https://files.example/people/letters".to_owned(), "(not the API)"),
            (String::new(), "(single object)"),
        ];
        for (url, expected) in cases {
            assert_eq!(template("GET", &url), expected);
        }
    }

    #[test]
    fn endpoints_say_what_they_answer() {
        assert_eq!(answers_with("GET /v1/pages/{page_id}"), Some("page"));
        assert_eq!(answers_with("PATCH /v1/blocks/{block_id}"), None);
        assert_eq!(answers_with("POST /v1/pages"), None);
        assert_eq!(answers_with("GET /v1/pages/{page_id}/markdown"), Some("page_markdown"));
        assert_eq!(answers_with("GET /v1/users/me"), Some("user"));
        assert_eq!(answers_with("GET /v1/users"), None);
        assert_eq!(answers_with("POST /v1/search"), None);
        assert_eq!(answers_with("POST /v1/oauth/token"), None);
    }
}
