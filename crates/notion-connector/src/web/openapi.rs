//! The description of the REST API: what routes do not say themselves.

use std::sync::LazyLock;

use axum::body::Bytes;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "notion-connector",
        description = "Searches what was indexed of Notion workspaces, and shows and steers the crawls that index it.\n\n\
            Programs bring a key as `Authorization: Bearer nck_…`; browsers sign in at \
            `/sign-in` and keep a cookie. Who brings neither gets `401`, but where the server was told that nobody signs in: then \
            whoever works at its machine is its operator. Requests must name the server in the `Host` header, others get \
            `421`. Requests that change something are refused with `403` when a page of another origin makes them, and with a \
            cookie also when they do not say from which they come.\n\n\
            A route says in `security` which scope of a key opens it.\n\n\
            Every error has a body `{\"error\": {\"code\", \"message\"}}`; `400` lists all parameters that cannot be used.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "search", description = "Finding and reading items."),
        (name = "connectors", description = "Connections to workspaces, from their validation to their end."),
        (name = "crawls", description = "What was crawled, and what is being crawled."),
        (name = "security", description = "Who may do and see what, and what was done."),
        (name = "people", description = "Who of the directory the people of workspaces are."),
        (name = "scim", description = "The directory, as identity providers push it: SCIM 2.0."),
        (name = "health", description = "How the server is."),
        (name = "page", description = "What browsers are shown.")
    )
)]
struct Head;

/// Everything of the document but the routes.
pub(super) fn head() -> utoipa::openapi::OpenApi {
    let mut head = Head::openapi();
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A key made by `notion-connector keys create`."))
        .build();
    let components = head.components.get_or_insert_default();
    components.add_security_scheme("key", SecurityScheme::Http(key));
    let session = ApiKeyValue::with_description(
        "__Host-notion-connector",
        "What a browser keeps when somebody signed in; over http on this machine its name is notion-connector-PORT.",
    );
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    head
}

/// Made once: anybody may ask for it, and it takes long to make.
static DOCUMENT: LazyLock<Result<Bytes, serde_json::Error>> =
    LazyLock::new(|| super::router::routes().1.to_pretty_json().map(Bytes::from));

/// The whole document, as it is served and committed. All answers share its bytes.
pub(super) fn document() -> Result<Bytes, &'static serde_json::Error> {
    DOCUMENT.as_ref().map(Bytes::clone)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/openapi.json");

    fn text() -> String {
        String::from_utf8(document().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn the_document_is_made_once() {
        assert_eq!(document().unwrap().as_ptr(), document().unwrap().as_ptr());
    }

    #[test]
    fn the_committed_document_is_the_one_that_is_served() {
        let served = text() + "\n";
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(COMMITTED, &served).unwrap();
        }
        let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
        assert!(
            committed == served,
            "docs/reference/openapi.json is not what the server describes; run: \
             UPDATE_DOCS=1 cargo test -p notion-connector web::openapi"
        );
    }

    #[test]
    fn every_route_says_what_it_is_for_and_has_a_name_of_its_own() {
        let document: serde_json::Value = serde_json::from_slice(&document().unwrap()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut names = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(operation["summary"].is_string(), "{method} {path} has no summary");
                assert!(operation["tags"].is_array(), "{method} {path} has no tag");
                assert!(
                    operation["responses"].as_object().is_some_and(|all| !all.is_empty()),
                    "{method} {path}"
                );
                let name = operation["operationId"].as_str().unwrap().to_owned();
                assert!(names.insert(name.clone()), "two routes are named {name}");
            }
        }
        // Counted from the routers' own text, so that two routes of one address and method show.
        let router = concat!(include_str!("router.rs"), include_str!("scim/mod.rs"));
        let lists = router.split(".routes(routes!(").skip(1).filter_map(|rest| rest.split("))").next());
        let handlers: usize =
            lists.map(|list| list.split(',').filter(|one| !one.trim().is_empty()).count()).sum();
        assert!(handlers > 20 && names.len() == handlers, "{handlers} handlers, described are {names:?}");
    }
}
