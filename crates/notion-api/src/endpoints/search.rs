use serde_json::{Map, json};

use super::{Direction, Paging};
use crate::client::{Answer, Call, Client};
use crate::error::Error;
use crate::wire::{List, SearchResult};

/// What a search may be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchObject {
    /// Pages and rows.
    Page,
    /// Data sources; databases in API versions up to 2022-06-28.
    DataSource,
}

/// A search by title; without a query, a listing of what is shared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchRequest {
    /// Words of the title.
    pub query: Option<String>,
    /// Only objects of one kind.
    pub object: Option<SearchObject>,
    /// Only what lies in the trash.
    pub in_trash: bool,
    /// By `last_edited_time`; without it the order is Notion's.
    pub sort: Option<Direction>,
    /// Which page of the listing.
    pub paging: Paging,
}

impl Client {
    /// `POST /v1/search`. Promises only what is shared directly, lags behind, and lists data sources in the trash too
    /// (developers.notion.com "search-optimizations-and-limitations").
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_search(&self, request: &SearchRequest) -> Result<Answer<List<SearchResult>>, Error> {
        let mut body = Map::new();
        if let Some(query) = &request.query {
            body.insert("query".to_owned(), query.as_str().into());
        }
        let mut filter = Map::new();
        if let Some(object) = request.object {
            let value = match object {
                SearchObject::Page => "page",
                SearchObject::DataSource if self.version().has_data_sources() => "data_source",
                SearchObject::DataSource => "database",
            };
            filter.insert("property".to_owned(), "object".into());
            filter.insert("value".to_owned(), value.into());
        }
        if request.in_trash {
            filter.insert("in_trash".to_owned(), true.into());
        }
        if !filter.is_empty() {
            body.insert("filter".to_owned(), filter.into());
        }
        if let Some(direction) = request.sort {
            body.insert(
                "sort".to_owned(),
                json!({"timestamp": "last_edited_time", "direction": direction.as_str()}),
            );
        }
        request.paging.put_into(&mut body);
        self.call(Call::post("search", "search".to_owned(), body.into())).await
    }
}
