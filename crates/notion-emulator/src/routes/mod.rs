//! The endpoints. [`ROUTES`] is the whole list; a new endpoint is a line here and a function in the file of its resource.

mod blocks;
mod comments;
mod data_sources;
mod databases;
mod filter;
mod matched;
mod pages;
mod properties;
mod search;
mod users;
mod views;

pub(crate) use self::matched::Matched;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::error::ApiError;
use crate::objects::{Reader, object};
use crate::rules::validate::{self, Paging, Query};
use crate::world::model::{Ix, Kind};

/// One request that passed the general rules.
pub(crate) struct Call<'a> {
    pub reader: Reader<'a>,
    /// Results of earlier queries.
    pub matched: &'a Matched,
    /// Grows with every change of the world.
    pub revision: u64,
    /// Values of the template's `{…}` segments, in order.
    pub segments: Vec<&'a str>,
    pub query: Query,
    pub body: Value,
}

type Handler = fn(&Call<'_>) -> Result<Value, ApiError>;

/// Method, template, whether read-content is needed, handler. The first match wins.
const ROUTES: [(&str, &str, bool, Handler); 22] = [
    ("GET", "/v1/users/me", false, users::me),
    ("GET", "/v1/users", false, users::list),
    ("GET", "/v1/users/{user_id}", false, users::retrieve),
    ("POST", "/v1/search", true, search::search),
    ("GET", "/v1/pages/{page_id}", true, pages::retrieve),
    ("GET", "/v1/pages/{page_id}/markdown", true, pages::markdown),
    ("GET", "/v1/pages/{page_id}/properties/{property_id}", true, properties::retrieve),
    ("GET", "/v1/blocks/{block_id}", true, blocks::retrieve),
    ("GET", "/v1/blocks/{block_id}/children", true, blocks::children),
    ("GET", "/v1/databases/{database_id}", true, databases::retrieve),
    ("POST", "/v1/databases/{database_id}/query", true, databases::query),
    ("GET", "/v1/data_sources/{data_source_id}", true, data_sources::retrieve),
    ("POST", "/v1/data_sources/{data_source_id}/query", true, data_sources::query),
    ("PATCH", "/v1/data_sources/{data_source_id}/query", true, data_sources::query),
    ("GET", "/v1/data_sources/{data_source_id}/templates", true, data_sources::templates),
    ("GET", "/v1/comments", false, comments::list),
    ("GET", "/v1/comments/{comment_id}", false, comments::retrieve),
    ("GET", "/v1/views", true, views::list),
    ("GET", "/v1/views/{view_id}", true, views::retrieve),
    ("POST", "/v1/views/{view_id}/queries", true, views::query),
    ("GET", "/v1/views/{view_id}/queries/{query_id}", true, views::results),
    ("GET", "/v1/custom_emojis", true, views::custom_emojis),
];

/// An endpoint that a request was found to mean.
pub(crate) struct Endpoint<'a> {
    pub template: &'static str,
    pub needs_content: bool,
    pub handler: Handler,
    pub segments: Vec<&'a str>,
}

/// The endpoint of a method and path.
pub(crate) fn resolve<'a>(method: &str, path: &'a str) -> Option<Endpoint<'a>> {
    ROUTES.iter().filter(|(wanted, ..)| *wanted == method).find_map(
        |(_, template, needs_content, handler)| {
            let mut segments = Vec::new();
            let mut asked = path.split('/');
            for wanted in template.split('/') {
                let given = asked.next()?;
                if wanted.starts_with('{') && !given.is_empty() {
                    segments.push(given);
                } else if wanted != given {
                    return None;
                }
            }
            let matched = asked.next().is_none();
            matched.then_some(Endpoint {
                template,
                needs_content: *needs_content,
                handler: *handler,
                segments,
            })
        },
    )
}

impl Call<'_> {
    /// The UUID in the first `{…}` segment.
    fn path_id(&self, name: &str) -> Result<Uuid, ApiError> {
        validate::path_id(name, self.segments.first().copied().unwrap_or_default())
    }

    /// The visible entity of that id and of one of these kinds; else the 404 for a `what`.
    fn entity(&self, what: &str, id: Uuid, kinds: &[Kind]) -> Result<Ix, ApiError> {
        self.reader.find(id, kinds).ok_or_else(|| self.not_found(what, id))
    }

    fn not_found(&self, what: &str, id: Uuid) -> ApiError {
        let token = self.reader.token;
        ApiError::not_found(what, id, &token.name, self.reader.world.user_id(token.bot))
    }

    /// Paging of a GET.
    fn paging(&self) -> Result<Paging, ApiError> {
        Ok(self.shortened(Paging::from_query(&self.query)?))
    }

    /// Paging of a POST.
    fn body_paging(&self) -> Result<Paging, ApiError> {
        Ok(self.shortened(Paging::from_body(&self.body)?))
    }

    fn shortened(&self, mut paging: Paging) -> Paging {
        paging.size = paging.size.min(self.reader.behavior.short_pages.unwrap_or(usize::MAX).max(1));
        paging
    }

    /// A list that may carry `request_status`; ordinary recorded ones do not.
    fn complete(&self, mut list: Value) -> Value {
        if self.reader.behavior.request_status_complete && list.get("request_status").is_none() {
            list["request_status"] = json!({"type": "complete"});
        }
        list
    }
}

/// The envelope of a list (developers.notion.com "pagination").
fn list(kind: &str, results: Vec<Value>, next_cursor: Option<String>) -> Value {
    let has_more = next_cursor.is_some();
    object! {
        "object" => "list",
        "results" => results,
        "next_cursor" => next_cursor,
        "has_more" => has_more,
        "type" => kind,
        kind => Map::new(),
    }
}

/// Cuts one page out of a list whose cursors are the id of the next page's first item (measured for block children).
fn slice<T: Copy>(
    items: &[T],
    paging: &Paging,
    id: impl Fn(T) -> Uuid,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let start = match &paging.cursor {
        None => 0,
        Some(cursor) => validate::uuid(cursor)
            .and_then(|wanted| items.iter().position(|item| id(*item) == wanted))
            .ok_or_else(|| ApiError::cursor(cursor))?,
    };
    let end = items.len().min(start + paging.size);
    let next = items.get(end).map(|item| id(*item).to_string());
    Ok((items[start..end].to_vec(), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_resolve_to_their_template_and_nothing_else_does() {
        let found = resolve("GET", "/v1/pages/abc/properties/%3A").unwrap();
        assert_eq!(found.template, "/v1/pages/{page_id}/properties/{property_id}");
        assert_eq!(found.segments, ["abc", "%3A"]);
        assert_eq!(resolve("GET", "/v1/users/me").unwrap().template, "/v1/users/me");
        for (method, path) in
            [("GET", "/v1/search"), ("GET", "/v1/pages/"), ("GET", "/v2/users"), ("GET", "/v1/pages/a/b")]
        {
            assert!(resolve(method, path).is_none(), "{method} {path}");
        }
    }
}
