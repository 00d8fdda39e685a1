//! Property values (developers.notion.com "page-property-values").
//!
//! To add a property type: a variant of [`PropertyValue`], its line in `known` and `type_name`, its name in
//! [`PROPERTY_TYPES`], and its schema in `schema.rs`.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};
use uuid::Uuid;

use super::file::FileObject;
use super::lenient::{self, Tagged};
use super::rich_text::{RichText, plain_text};
use super::user::User;

/// Every property type whose values this version reads, as named on the wire.
pub const PROPERTY_TYPES: [&str; 24] = [
    "title",
    "rich_text",
    "number",
    "select",
    "status",
    "multi_select",
    "date",
    "people",
    "files",
    "checkbox",
    "url",
    "email",
    "phone_number",
    "relation",
    "formula",
    "rollup",
    "created_time",
    "last_edited_time",
    "created_by",
    "last_edited_by",
    "unique_id",
    "verification",
    "place",
    "button",
];

/// A property of a page: its column and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// The column's name.
    pub name: String,
    /// The column's id, as it is put into addresses; `title` for the title whatever its name.
    pub id: String,
    /// The value.
    pub value: PropertyValue,
}

impl Property {
    /// Reads the object under `properties`, in the order of the wire.
    pub(super) fn read_all(properties: Option<&Value>) -> Vec<Self> {
        let Some(Value::Object(properties)) = properties else { return Vec::new() };
        properties.iter().map(|(name, value)| Self::read(name, value)).collect()
    }

    fn read(name: &str, value: &Value) -> Self {
        let id = value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { name: name.to_owned(), id, value: PropertyValue::read(value) }
    }
}

/// The value of a property.
#[derive(Debug, Clone, PartialEq)]
pub enum PropertyValue {
    /// `title`. At most 25 mentions in it are filled in.
    Title(Vec<RichText>),
    /// `rich_text`. At most 25 mentions in it are filled in.
    RichText(Vec<RichText>),
    /// `number`.
    Number(Option<Number>),
    /// `select`.
    Select(Option<SelectOption>),
    /// `status`.
    Status(Option<SelectOption>),
    /// `multi_select`.
    MultiSelect(Vec<SelectOption>),
    /// `date`.
    Date(Option<DateValue>),
    /// `people`. Cut at 25, without a sign.
    People(Vec<User>),
    /// `files`.
    Files(Vec<FileObject>),
    /// `checkbox`.
    Checkbox(bool),
    /// `url`.
    Url(Option<String>),
    /// `email`.
    Email(Option<String>),
    /// `phone_number`.
    PhoneNumber(Option<String>),
    /// `relation`. Cut at 25, with a sign.
    Relation(Relation),
    /// `formula`.
    Formula(Formula),
    /// `rollup`.
    Rollup(Rollup),
    /// `created_time`.
    CreatedTime(Option<jiff::Timestamp>),
    /// `last_edited_time`.
    LastEditedTime(Option<jiff::Timestamp>),
    /// `created_by`.
    CreatedBy(Option<User>),
    /// `last_edited_by`.
    LastEditedBy(Option<User>),
    /// `unique_id`.
    UniqueId(UniqueId),
    /// `verification`.
    Verification(Option<Verification>),
    /// `place`.
    Place(Option<Place>),
    /// `button`, which has no value.
    Button,
    /// A type that this version does not know, or one that is malformed.
    Unknown {
        /// The `type`, empty if there was none.
        kind: String,
        /// The whole value as it came.
        raw: Value,
    },
}

/// An option of a select, multi-select or status.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct SelectOption {
    /// Its id.
    #[serde(deserialize_with = "lenient::or_default")]
    pub id: String,
    /// What it says.
    #[serde(deserialize_with = "lenient::or_default")]
    pub name: String,
    /// Its colour.
    #[serde(deserialize_with = "lenient::or_default")]
    pub color: String,
    /// What it is for; told by the column, not by the rows.
    #[serde(deserialize_with = "lenient::or_default")]
    pub description: Option<String>,
}

/// A day, an instant, or a range of either, as written: `YYYY-MM-DD` or ISO 8601 with an offset.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DateValue {
    /// Where it begins.
    pub start: String,
    /// Where it ends, if it is a range.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub end: Option<String>,
    /// The IANA time zone that the two are meant in.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub time_zone: Option<String>,
}

/// Pages that a row is related to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relation {
    /// Their ids.
    pub ids: Vec<Uuid>,
    /// Whether there are more, which the property endpoint lists.
    pub has_more: bool,
}

/// What a formula came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Formula {
    /// A text.
    String(Option<String>),
    /// A number.
    Number(Option<Number>),
    /// Yes or no.
    Boolean(Option<bool>),
    /// A date.
    Date(Option<DateValue>),
    /// Too many related pages, or calculations nested too deep: asking again does not help.
    Unsupported,
    /// A kind that this version does not know, or one that is malformed.
    Unknown {
        /// The `type`, empty if there was none.
        kind: String,
        /// The JSON as it came.
        raw: Value,
    },
}

/// What a rollup came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollup {
    /// How it was calculated, such as `sum` or `show_original`.
    pub function: String,
    /// The outcome.
    pub value: RollupValue,
}

/// The outcome of a rollup.
#[derive(Debug, Clone, PartialEq)]
pub enum RollupValue {
    /// A number.
    Number(Option<Number>),
    /// A date.
    Date(Option<DateValue>),
    /// The values themselves.
    Array(Vec<PropertyValue>),
    /// Too many related pages: asking again does not help.
    Unsupported,
    /// Only in answers of the property endpoint: the pages of the listing are not all read yet.
    Incomplete,
    /// A kind that this version does not know, or one that is malformed.
    Unknown {
        /// The `type`, empty if there was none.
        kind: String,
        /// The JSON as it came.
        raw: Value,
    },
}

/// The number of a row in its data source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct UniqueId {
    /// The letters before it.
    #[serde(deserialize_with = "lenient::or_default")]
    pub prefix: Option<String>,
    /// The number.
    #[serde(deserialize_with = "lenient::whole_number")]
    pub number: Option<i64>,
}

impl UniqueId {
    /// As Notion shows it, `PREFIX-12`.
    #[must_use]
    pub fn display(&self) -> Option<String> {
        let number = self.number?;
        Some(match self.prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
            Some(prefix) => format!("{prefix}-{number}"),
            None => number.to_string(),
        })
    }
}

/// Whether somebody vouches for a wiki page.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Verification {
    /// `unverified`, `verified` or `expired`.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub state: String,
    /// Who verified it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub verified_by: Option<User>,
    /// From when until when.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub date: Option<DateValue>,
}

/// A place on earth, or one that only has a name so far.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Place {
    /// Degrees north.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub lat: Option<f64>,
    /// Degrees east.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub lon: Option<f64>,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub name: Option<String>,
    /// Its address.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub address: Option<String>,
}

impl<'de> Deserialize<'de> for PropertyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::read(&Value::deserialize(deserializer)?))
    }
}

impl PropertyValue {
    pub(super) fn read(raw: &Value) -> Self {
        let Some(object) = raw.as_object() else {
            return Self::Unknown { kind: String::new(), raw: raw.clone() };
        };
        let tagged = Tagged::read(object, &[]);
        Self::known(object, &tagged)
            .unwrap_or_else(|| Self::Unknown { kind: tagged.kind.to_owned(), raw: raw.clone() })
    }

    fn known(object: &Map<String, Value>, tagged: &Tagged<'_>) -> Option<Self> {
        match tagged.kind {
            "title" => list(tagged.payload).map(Self::Title),
            "rich_text" => list(tagged.payload).map(Self::RichText),
            "number" => tagged.decode().map(Self::Number),
            "select" => tagged.decode().map(Self::Select),
            "status" => tagged.decode().map(Self::Status),
            "multi_select" => list(tagged.payload).map(Self::MultiSelect),
            "date" => date(tagged.payload).map(Self::Date),
            "people" => list(tagged.payload).map(Self::People),
            "files" => list(tagged.payload).map(Self::Files),
            "checkbox" => tagged.decode::<Option<bool>>().map(|ticked| Self::Checkbox(ticked == Some(true))),
            "url" => tagged.decode().map(Self::Url),
            "email" => tagged.decode().map(Self::Email),
            "phone_number" => tagged.decode().map(Self::PhoneNumber),
            "relation" => list::<Value>(tagged.payload).map(|related| {
                let ids = related.iter().filter_map(|one| lenient::id(one.as_object()?, "id")).collect();
                Self::Relation(Relation { ids, has_more: lenient::flag(object, "has_more") })
            }),
            "formula" if tagged.payload.is_null() => Some(Self::Formula(Formula::String(None))),
            "formula" => tagged.payload.as_object().map(|formula| Self::Formula(Formula::read(formula))),
            "rollup" => Rollup::read(tagged.payload).map(Self::Rollup),
            "created_time" => time(tagged.payload).map(Self::CreatedTime),
            "last_edited_time" => time(tagged.payload).map(Self::LastEditedTime),
            "created_by" => tagged.decode().map(Self::CreatedBy),
            "last_edited_by" => tagged.decode().map(Self::LastEditedBy),
            "unique_id" => {
                tagged.decode::<Option<UniqueId>>().map(|id| Self::UniqueId(id.unwrap_or_default()))
            }
            "verification" => tagged.decode().map(Self::Verification),
            "place" => tagged.decode().map(Self::Place),
            "button" => Some(Self::Button),
            _ => None,
        }
    }

    /// The type as named on the wire.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match self {
            Self::Title(_) => "title",
            Self::RichText(_) => "rich_text",
            Self::Number(_) => "number",
            Self::Select(_) => "select",
            Self::Status(_) => "status",
            Self::MultiSelect(_) => "multi_select",
            Self::Date(_) => "date",
            Self::People(_) => "people",
            Self::Files(_) => "files",
            Self::Checkbox(_) => "checkbox",
            Self::Url(_) => "url",
            Self::Email(_) => "email",
            Self::PhoneNumber(_) => "phone_number",
            Self::Relation(_) => "relation",
            Self::Formula(_) => "formula",
            Self::Rollup(_) => "rollup",
            Self::CreatedTime(_) => "created_time",
            Self::LastEditedTime(_) => "last_edited_time",
            Self::CreatedBy(_) => "created_by",
            Self::LastEditedBy(_) => "last_edited_by",
            Self::UniqueId(_) => "unique_id",
            Self::Verification(_) => "verification",
            Self::Place(_) => "place",
            Self::Button => "button",
            Self::Unknown { kind, .. } => kind,
        }
    }

    /// The text of a title or rich text; nothing for other types.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Title(runs) | Self::RichText(runs) => Some(plain_text(runs)),
            _ => None,
        }
    }
}

impl Formula {
    fn read(object: &Map<String, Value>) -> Self {
        let tagged = Tagged::read(object, &["string", "number", "boolean", "date"]);
        let known = match tagged.kind {
            "string" => tagged.decode().map(Self::String),
            "number" => tagged.decode().map(Self::Number),
            "boolean" => tagged.decode().map(Self::Boolean),
            "date" => date(tagged.payload).map(Self::Date),
            "unsupported" => Some(Self::Unsupported),
            _ => None,
        };
        known.unwrap_or_else(|| Self::Unknown {
            kind: tagged.kind.to_owned(),
            raw: Value::Object(object.clone()),
        })
    }
}

impl Rollup {
    pub(super) fn read(payload: &Value) -> Option<Self> {
        if payload.is_null() {
            return Some(Self { function: String::new(), value: RollupValue::Array(Vec::new()) });
        }
        let object = payload.as_object()?;
        let tagged = Tagged::read(object, &["number", "date", "array"]);
        let known = match tagged.kind {
            "number" => tagged.decode().map(RollupValue::Number),
            "date" => date(tagged.payload).map(RollupValue::Date),
            "array" => list(tagged.payload).map(RollupValue::Array),
            "unsupported" => Some(RollupValue::Unsupported),
            "incomplete" => Some(RollupValue::Incomplete),
            _ => None,
        };
        let value = known
            .unwrap_or_else(|| RollupValue::Unknown { kind: tagged.kind.to_owned(), raw: payload.clone() });
        Some(Self { function: lenient::string(object, "function").unwrap_or_default(), value })
    }
}

/// The elements of an array that decode; null is an empty one, and anything else is malformed.
fn list<T: serde::de::DeserializeOwned>(payload: &Value) -> Option<Vec<T>> {
    (payload.is_array() || payload.is_null()).then(|| lenient::elements_of(payload))
}

/// A date whose every part is null is no date.
fn date(payload: &Value) -> Option<Option<DateValue>> {
    let fields = payload.as_object();
    if fields.is_some_and(|fields| fields.values().all(Value::is_null)) {
        return Some(None);
    }
    Option::<DateValue>::deserialize(payload).ok()
}

/// Null is no time; a string that is none is malformed.
fn time(payload: &Value) -> Option<Option<jiff::Timestamp>> {
    match payload {
        Value::Null => Some(None),
        other => other.as_str().and_then(super::parse_timestamp).map(Some),
    }
}
