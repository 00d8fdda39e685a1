//! Arguments: path ids, query parameters and body fields, with the refusals' wording.

use serde_json::Value;
use uuid::{Uuid, Variant};

use crate::error::ApiError;

/// The largest and default `page_size` (developers.notion.com "pagination").
pub const MAX_PAGE_SIZE: usize = 100;

/// Reads an id, dashed or not. The variant is checked, the version is not: Notion refuses
/// `12345678-1234-1234-1234-123456789abc` and knows the nil UUID as "not found" (both recorded).
#[must_use]
pub fn uuid(text: &str) -> Option<Uuid> {
    if text.len() != 32 && text.len() != 36 {
        return None;
    }
    let id = Uuid::try_parse(text).ok()?;
    (id.is_nil() || id.get_variant() == Variant::RFC4122).then_some(id)
}

/// Reads the id of a path segment called `name`.
///
/// # Errors
/// 400 `validation_error`.
pub fn path_id(name: &str, text: &str) -> Result<Uuid, ApiError> {
    uuid(text).ok_or_else(|| {
        ApiError::validation(format!(
            "path failed validation: path.{name} should be a valid uuid, instead was `\"{text}\"`."
        ))
    })
}

/// The query string, decoded, in order.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query string.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let decode = |part: &str| {
            percent_encoding::percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned()
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        });
        Self(pairs.collect())
    }

    /// The last value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// All values of an array parameter, spelled `key=` or `key[]=`.
    #[must_use]
    pub fn all(&self, key: &str) -> Vec<String> {
        let matches = |name: &str| name == key || name.strip_suffix("[]") == Some(key);
        self.0.iter().filter(|(name, _)| matches(name)).map(|(_, value)| value.clone()).collect()
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn flag(&self, key: &str) -> Result<bool, ApiError> {
        match self.get(key) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(ApiError::validation(format!(
                "query failed validation: query.{key} should be a boolean, instead was `\"{other}\"`."
            ))),
        }
    }
}

/// Where a list starts and how much of it is asked for.
#[derive(Debug, Clone)]
pub struct Paging {
    /// `start_cursor`.
    pub cursor: Option<String>,
    /// `page_size`.
    pub size: usize,
}

impl Paging {
    /// From the query string of a GET.
    ///
    /// # Errors
    /// 400 for a page size that is no number from 1 to 100.
    pub fn from_query(query: &Query) -> Result<Self, ApiError> {
        let size = match query.get("page_size") {
            None => MAX_PAGE_SIZE,
            Some(text) => match text.parse::<i64>() {
                Ok(number) => page_size("query", number)?,
                Err(_) => return Err(not_a_number("query", &format!("\"{text}\""))),
            },
        };
        Ok(Self { cursor: query.get("start_cursor").map(str::to_owned), size })
    }

    /// From the body of a POST.
    ///
    /// # Errors
    /// 400 for a page size that is no number from 1 to 100, or a cursor that is no string.
    pub fn from_body(body: &Value) -> Result<Self, ApiError> {
        let size = match &body["page_size"] {
            Value::Null => MAX_PAGE_SIZE,
            Value::Number(number) => match number.as_i64() {
                Some(number) => page_size("body", number)?,
                None => return Err(not_a_number("body", &number.to_string())),
            },
            other => return Err(not_a_number("body", &other.to_string())),
        };
        let cursor = match &body["start_cursor"] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => {
                return Err(ApiError::validation(format!(
                    "body failed validation: body.start_cursor should be a string or `undefined`, instead was `{other}`."
                )));
            }
        };
        Ok(Self { cursor, size })
    }
}

fn not_a_number(place: &str, shown: &str) -> ApiError {
    ApiError::validation(format!(
        "{place} failed validation: {place}.page_size should be a number or `undefined`, instead was `{shown}`."
    ))
}

fn page_size(place: &str, number: i64) -> Result<usize, ApiError> {
    let bound = if number < 1 { "≥ `1`" } else { "≤ `100`" };
    match usize::try_from(number) {
        Ok(size @ 1..=MAX_PAGE_SIZE) => Ok(size),
        _ => Err(ApiError::validation(format!(
            "{place} failed validation: {place}.page_size should be {bound}, instead was `{number}`."
        ))),
    }
}

/// Refuses keys of a body that the endpoint does not know.
///
/// # Errors
/// 400 naming the first of them.
pub fn known_keys(body: &Value, known: &[&str]) -> Result<(), ApiError> {
    let unknown = body.as_object().into_iter().flatten().find(|(key, _)| !known.contains(&key.as_str()));
    match unknown {
        None => Ok(()),
        Some((key, value)) => Err(ApiError::validation(format!(
            "body failed validation: body.{key} should be not present, instead was `{value}`."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_dashed_or_not_and_must_be_of_the_usual_variant() {
        assert!(uuid("393abc1e-edcd-81d5-bf32-d1339d9031c2").is_some());
        assert!(uuid("393abc1eedcd81d5bf32d1339d9031c2").is_some());
        assert!(uuid("00000000-0000-0000-0000-000000000000").is_some());
        assert!(uuid("12345678-1234-1234-1234-123456789abc").is_none());
        assert!(uuid("{393abc1e-edcd-81d5-bf32-d1339d9031c2}").is_none());
        assert!(uuid("page").is_none());
    }

    #[test]
    fn array_parameters_are_repeated_with_or_without_brackets() {
        let query = Query::parse("filter_properties=a%3Ab&filter_properties[]=c&page_size=7");
        assert_eq!(query.all("filter_properties"), ["a:b", "c"]);
        assert_eq!(Paging::from_query(&query).unwrap().size, 7);
    }

    #[test]
    fn page_sizes_outside_one_to_a_hundred_are_refused() {
        for size in [0, -1, 101, 5000] {
            assert!(Paging::from_body(&serde_json::json!({"page_size": size})).is_err());
        }
        let message = Paging::from_body(&serde_json::json!({"page_size": 101})).unwrap_err().message;
        assert_eq!(message, "body failed validation: body.page_size should be ≤ `100`, instead was `101`.");
    }
}
