use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::kept::{Kept, Malformed};
use super::lenient;

/// A page of a listing (developers.notion.com "pagination").
#[derive(Debug, Clone)]
pub struct List<T> {
    /// What the listing gave, in its order, each with its JSON.
    pub results: Vec<Kept<T>>,
    /// The elements that are not what the listing promises.
    pub malformed: Vec<Malformed>,
    /// Where the next page starts.
    pub next_cursor: Option<String>,
    /// Whether there is one. A page with fewer elements than asked for is not the last.
    pub has_more: bool,
    /// Whether Notion cut the listing, if it says anything about it.
    pub request_status: Option<RequestStatus>,
}

/// Whether a listing is whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct RequestStatus {
    /// `complete` or `incomplete`.
    #[serde(rename = "type", deserialize_with = "lenient::or_default")]
    pub kind: String,
    /// Why it is not, such as `query_result_limit_reached` after 10,000 rows.
    #[serde(deserialize_with = "lenient::or_default")]
    pub incomplete_reason: Option<String>,
}

/// What follows a page of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuation<'a> {
    /// Another page, from this cursor.
    Next(&'a str),
    /// Nothing: the listing was read to its end.
    End,
    /// Nothing that can be read, though there is more: the listing says so and gives no cursor.
    Lost,
}

impl<T> List<T> {
    /// What follows this page.
    #[must_use]
    pub fn continuation(&self) -> Continuation<'_> {
        match (self.has_more, self.next_cursor.as_deref()) {
            (true, Some(cursor)) => Continuation::Next(cursor),
            (true, None) => Continuation::Lost,
            (false, _) => Continuation::End,
        }
    }

    /// Whether Notion cut the listing off, so that reading on from its end needs another query.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.request_status.as_ref().is_some_and(|status| status.kind == "incomplete")
    }

    /// The values without their JSON.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.results.iter().map(|kept| &kept.value)
    }
}

#[derive(Deserialize)]
struct Envelope {
    results: Vec<Box<RawValue>>,
    #[serde(default)]
    next_cursor: Option<String>,
    has_more: Option<bool>,
    #[serde(default)]
    request_status: Option<Box<RawValue>>,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let envelope = Envelope::deserialize(deserializer)?;
        let mut results = Vec::with_capacity(envelope.results.len());
        let mut malformed = Vec::new();
        for raw in envelope.results {
            match Kept::decode(raw) {
                Ok(kept) => results.push(kept),
                Err(broken) => malformed.push(broken),
            }
        }
        let has_more = envelope.has_more.unwrap_or(envelope.next_cursor.is_some());
        let request_status = envelope.request_status.and_then(|raw| serde_json::from_str(raw.get()).ok());
        Ok(Self { results, malformed, next_cursor: envelope.next_cursor, has_more, request_status })
    }
}
