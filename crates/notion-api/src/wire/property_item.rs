//! Answers of the page-property endpoint (developers.notion.com "retrieve-a-page-property"): one value, or, for the
//! types that may be long, a listing of single values.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::lenient::{self, Tagged};
use super::list::List;
use super::property::{PropertyValue, Rollup};
use super::rich_text::RichText;
use super::user::User;

/// An answer of the page-property endpoint.
#[derive(Debug, Clone)]
pub enum PropertyItemAnswer {
    /// A whole value.
    Single(Box<PropertyItem>),
    /// A page of the values of a title, rich text, people, relation or rollup.
    List(Box<PropertyItemList>),
}

/// A page of single values.
#[derive(Debug, Clone)]
pub struct PropertyItemList {
    /// The values and the cursor.
    pub list: List<PropertyItem>,
    /// What they belong to.
    pub property_item: PropertyItemHeader,
}

/// What the values of a [`PropertyItemList`] belong to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PropertyItemHeader {
    /// The id of the property.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// The outcome of a rollup so far.
    pub rollup: Option<Rollup>,
}

/// One value, or one element of a value.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyItem {
    /// The id of the property.
    pub id: String,
    /// The value.
    pub kind: PropertyItemKind,
}

/// What a [`PropertyItem`] holds.
#[derive(Debug, Clone, PartialEq)]
pub enum PropertyItemKind {
    /// One run of a title.
    Title(RichText),
    /// One run of a text.
    RichText(RichText),
    /// One of the people.
    Person(User),
    /// One related page.
    Related(Uuid),
    /// A value that comes whole.
    Value(PropertyValue),
}

impl<'de> Deserialize<'de> for PropertyItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        let object = raw.as_object().ok_or_else(|| D::Error::custom("a property item that is no object"))?;
        let tagged = Tagged::read(object, &[]);
        let single = match (tagged.kind, tagged.payload) {
            ("title", Value::Object(_)) => tagged.decode().map(PropertyItemKind::Title),
            ("rich_text", Value::Object(_)) => tagged.decode().map(PropertyItemKind::RichText),
            ("people", Value::Object(_)) => tagged.decode().map(PropertyItemKind::Person),
            ("relation", Value::Object(related)) => lenient::id(related, "id").map(PropertyItemKind::Related),
            _ => None,
        };
        let id = lenient::string(object, "id").unwrap_or_default();
        let kind = single.unwrap_or_else(|| PropertyItemKind::Value(PropertyValue::read(&raw)));
        Ok(Self { id, kind })
    }
}

impl<'de> Deserialize<'de> for PropertyItemAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let shape: Shape = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
        if shape.object != "list" {
            return serde_json::from_str(raw.get())
                .map(|item| Self::Single(Box::new(item)))
                .map_err(D::Error::custom);
        }
        let list = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
        let header = shape.property_item.as_object();
        let property_item = header
            .map(|header| PropertyItemHeader {
                id: lenient::string(header, "id").unwrap_or_default(),
                kind: lenient::string(header, "type").unwrap_or_default(),
                rollup: header.get("rollup").and_then(Rollup::read),
            })
            .unwrap_or_default();
        Ok(Self::List(Box::new(PropertyItemList { list, property_item })))
    }
}

#[derive(Deserialize)]
struct Shape {
    #[serde(default, deserialize_with = "lenient::or_default")]
    object: String,
    #[serde(default)]
    property_item: Value,
}
