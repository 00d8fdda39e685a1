use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A decoded object together with the JSON it was decoded from, byte for byte.
#[derive(Debug, Clone)]
pub struct Kept<T> {
    /// The object.
    pub value: T,
    /// Its JSON as it came.
    pub raw: Box<RawValue>,
}

impl<T: DeserializeOwned> Kept<T> {
    /// Decodes `raw`, and hands it back when it does not decode.
    pub fn decode(raw: Box<RawValue>) -> Result<Self, Malformed> {
        match serde_json::from_str(raw.get()) {
            Ok(value) => Ok(Self { value, raw }),
            Err(error) => Err(Malformed { reason: describe(&error), raw }),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::decode(raw).map_err(|malformed| D::Error::custom(malformed.reason))
    }
}

/// An element of a listing that is JSON, yet not the object that the listing promises.
#[derive(Debug, Clone)]
pub struct Malformed {
    /// Why it did not decode. Names fields and types, never content.
    pub reason: String,
    /// Its JSON as it came.
    pub raw: Box<RawValue>,
}

/// What is wrong with a piece of JSON, without the content that serde quotes.
pub(crate) fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match (text.find('"'), text.rfind('"')) {
        (Some(first), Some(last)) if first < last => format!("{}…{}", &text[..first], &text[last + 1..]),
        _ => text,
    }
}
