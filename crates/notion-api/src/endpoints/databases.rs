use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Paging;
use crate::client::{Answer, Call, Client};
use crate::error::Error;
use crate::wire::{DataSource, Database, List, SearchResult};

/// A direction of sorting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Oldest or smallest first.
    Ascending,
    /// Newest or largest first.
    Descending,
}

impl Direction {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        }
    }
}

/// A time that every row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timestamp {
    /// When it was made.
    Created,
    /// When it was last edited.
    LastEdited,
}

impl Timestamp {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created_time",
            Self::LastEdited => "last_edited_time",
        }
    }
}

/// How a time is compared. Notion rounds the times of rows to the minute: overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeCondition {
    /// At that time or later.
    OnOrAfter(jiff::Timestamp),
    /// At that time or earlier.
    OnOrBefore(jiff::Timestamp),
    /// Earlier than that time.
    Before(jiff::Timestamp),
}

/// Which rows a query lists.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryFilter {
    /// By a time of the row.
    Time(Timestamp, TimeCondition),
    /// All of these. Notion takes two levels of them.
    All(Vec<Self>),
    /// Any filter in Notion's own words (developers.notion.com "filter-data-source-entries").
    Raw(Value),
}

impl QueryFilter {
    fn to_json(&self) -> Value {
        match self {
            Self::Time(stamp, condition) => {
                let (operator, at) = match condition {
                    TimeCondition::OnOrAfter(at) => ("on_or_after", at),
                    TimeCondition::OnOrBefore(at) => ("on_or_before", at),
                    TimeCondition::Before(at) => ("before", at),
                };
                let stamp = stamp.as_str();
                json!({"timestamp": stamp, stamp: {operator: at.to_string()}})
            }
            Self::All(filters) => json!({"and": filters.iter().map(Self::to_json).collect::<Vec<_>>()}),
            Self::Raw(filter) => filter.clone(),
        }
    }
}

/// What rows are sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortKey {
    /// A time of the row.
    Time(Timestamp),
    /// A property, by name or id.
    Property(String),
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuerySort {
    /// What to sort by.
    pub key: SortKey,
    /// Which way.
    pub direction: Direction,
}

impl QuerySort {
    fn to_json(&self) -> Value {
        let direction = self.direction.as_str();
        match &self.key {
            SortKey::Time(stamp) => json!({"timestamp": stamp.as_str(), "direction": direction}),
            SortKey::Property(property) => json!({"property": property, "direction": direction}),
        }
    }
}

/// A wiki lists data sources beside pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultType {
    /// Pages only.
    Page,
    /// Data sources only.
    DataSource,
}

/// A query of a data source. Ends after 10,000 rows (developers.notion.com "query-a-data-source"): see
/// [`List::is_incomplete`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueryRequest {
    /// Which rows; all without it.
    pub filter: Option<QueryFilter>,
    /// In which order; Notion's without it.
    pub sorts: Vec<QuerySort>,
    /// Asks for the archived rows instead of the others.
    pub is_archived: bool,
    /// Which kind of results.
    pub result_type: Option<ResultType>,
    /// Which page of the listing.
    pub paging: Paging,
}

impl QueryRequest {
    fn to_json(&self) -> Value {
        let mut body = Map::new();
        if let Some(filter) = &self.filter {
            body.insert("filter".to_owned(), filter.to_json());
        }
        if !self.sorts.is_empty() {
            body.insert("sorts".to_owned(), self.sorts.iter().map(QuerySort::to_json).collect());
        }
        if self.is_archived {
            body.insert("is_archived".to_owned(), true.into());
        }
        if let Some(result_type) = self.result_type {
            let value = match result_type {
                ResultType::Page => "page",
                ResultType::DataSource => "data_source",
            };
            body.insert("result_type".to_owned(), value.into());
        }
        self.paging.put_into(&mut body);
        body.into()
    }
}

impl Client {
    /// `GET /v1/databases/{database_id}`: the container with its data sources; none for a linked view.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_database(&self, id: Uuid) -> Result<Answer<Database>, Error> {
        self.call(Call::get("databases/{id}", format!("databases/{id}"))).await
    }

    /// `GET /v1/data_sources/{data_source_id}`: a table's columns. From API version 2025-09-03.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_data_source(&self, id: Uuid) -> Result<Answer<DataSource>, Error> {
        self.call(Call::get("data_sources/{id}", format!("data_sources/{id}"))).await
    }

    /// `POST /v1/data_sources/{data_source_id}/query`: its rows, as full pages. From API version 2025-09-03.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_data_source_query(
        &self,
        id: Uuid,
        request: &QueryRequest,
    ) -> Result<Answer<List<SearchResult>>, Error> {
        let path = format!("data_sources/{id}/query");
        self.call(Call::post("data_sources/{id}/query", path, request.to_json())).await
    }

    /// `POST /v1/databases/{database_id}/query`: the rows of a database, in API versions up to 2022-06-28.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_database_query(
        &self,
        id: Uuid,
        request: &QueryRequest,
    ) -> Result<Answer<List<SearchResult>>, Error> {
        let path = format!("databases/{id}/query");
        self.call(Call::post("databases/{id}/query", path, request.to_json())).await
    }
}
