//! Decoding rules shared by all objects: what is malformed costs itself and nothing else.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// For `#[serde(default, deserialize_with = "or_default")]`: a missing, null or malformed field is its default.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Value::deserialize(deserializer)?;
    Ok(T::deserialize(&value).unwrap_or_default())
}

/// For lists whose elements stand for themselves: those that do not decode are left out.
pub(super) fn elements<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(elements_of(&Value::deserialize(deserializer)?))
}

/// The elements of `value` that decode; nothing when it is no array.
pub(super) fn elements_of<T: DeserializeOwned>(value: &Value) -> Vec<T> {
    value
        .as_array()
        .map(|all| all.iter().filter_map(|one| T::deserialize(one).ok()).collect())
        .unwrap_or_default()
}

/// For counts: a whole number, however it is written (`3`, `3.0`, `3e0`).
pub(super) fn whole_number<'de, D>(deserializer: D) -> Result<Option<i64>, D::Error>
where
    D: Deserializer<'de>,
{
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_i64().or_else(|| value.as_f64().and_then(whole)))
}

/// Beyond 2^53 a float no longer tells neighbouring integers apart, so that such a number is not what was meant.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked, and nothing stands behind the point"
)]
fn whole(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    (value.fract() == 0.0 && value.abs() <= LIMIT).then_some(value as i64)
}

/// For times, in either spelling of [`super::parse_timestamp`].
pub(super) fn timestamp<'de, D>(deserializer: D) -> Result<Option<jiff::Timestamp>, D::Error>
where
    D: Deserializer<'de>,
{
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().and_then(super::parse_timestamp))
}

/// An object of the form `{"type": kind, kind: payload}`, which most of Notion's unions take.
pub(super) struct Tagged<'a> {
    pub(super) kind: &'a str,
    /// `null` when the object has no key named like its type.
    pub(super) payload: &'a Value,
}

impl<'a> Tagged<'a> {
    /// Reads the tag of `object`; without one, the first key of `guesses` that is present stands for it.
    pub(super) fn read(object: &'a Map<String, Value>, guesses: &[&'a str]) -> Self {
        let kind = object
            .get("type")
            .and_then(Value::as_str)
            .or_else(|| guesses.iter().copied().find(|key| object.contains_key(*key)))
            .unwrap_or_default();
        Self { kind, payload: object.get(kind).unwrap_or(&Value::Null) }
    }

    /// The payload as `T`, if it decodes.
    pub(super) fn decode<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(self.payload).ok()
    }
}

/// A string field of an object.
pub(super) fn string(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// A field of an object, decoded, or nothing. Null is nothing even to a type that keeps whatever it does not know.
pub(super) fn field<T: DeserializeOwned>(object: &Map<String, Value>, key: &str) -> Option<T> {
    object.get(key).filter(|value| !value.is_null()).and_then(|value| T::deserialize(value).ok())
}

/// A time of an object.
pub(super) fn time(object: &Map<String, Value>, key: &str) -> Option<jiff::Timestamp> {
    object.get(key).and_then(Value::as_str).and_then(super::parse_timestamp)
}

/// A flag of an object; false when missing or malformed.
pub(super) fn flag(object: &Map<String, Value>, key: &str) -> bool {
    object.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// An id of an object.
pub(super) fn id(object: &Map<String, Value>, key: &str) -> Option<uuid::Uuid> {
    object.get(key).and_then(Value::as_str).and_then(|text| uuid::Uuid::try_parse(text).ok())
}

/// The object and its id, which no object of the API can do without.
pub(super) fn identified<'de, D>(
    deserializer: D,
    what: &str,
) -> Result<(Map<String, Value>, uuid::Uuid), D::Error>
where
    D: Deserializer<'de>,
{
    use serde::de::Error as _;
    let object = Map::<String, Value>::deserialize(deserializer)?;
    let id =
        id(&object, "id").ok_or_else(|| D::Error::custom(format!("{what} without an id that is a UUID")))?;
    Ok((object, id))
}
