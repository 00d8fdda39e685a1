//! One function for each endpoint that reads. To add one: a function in the file of its object, built from
//! [`Call`](crate::client::Call); its name in the API's own words is what errors, budgets and metrics show.

mod blocks;
mod comments;
mod databases;
mod pages;
mod search;
mod users;
mod views;

pub use databases::{
    Direction, QueryFilter, QueryRequest, QuerySort, ResultType, SortKey, TimeCondition, Timestamp,
};
pub use pages::{MarkdownOptions, MarkdownVersion};
pub use search::{SearchObject, SearchRequest};

use serde_json::{Map, Value};

/// Largest page of any listing (developers.notion.com "pagination"), which is what is asked for.
pub const MAX_PAGE_SIZE: u8 = 100;

/// From where a listing is read, and how much of it at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// Where to go on; nothing for the beginning.
    pub start_cursor: Option<String>,
    /// At most this many; Notion may send fewer.
    pub page_size: u8,
}

impl Default for Paging {
    fn default() -> Self {
        Self { start_cursor: None, page_size: MAX_PAGE_SIZE }
    }
}

impl Paging {
    /// The page at `cursor`, or the first.
    #[must_use]
    pub fn at(cursor: Option<&str>) -> Self {
        Self { start_cursor: cursor.map(str::to_owned), ..Self::default() }
    }

    fn put_into(&self, body: &mut Map<String, Value>) {
        if let Some(cursor) = &self.start_cursor {
            body.insert("start_cursor".to_owned(), cursor.as_str().into());
        }
        body.insert("page_size".to_owned(), self.page_size.into());
    }
}
