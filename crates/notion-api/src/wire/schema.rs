use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::lenient::{self, Tagged};
use super::property::SelectOption;

/// A column of a data source (developers.notion.com "property-object").
#[derive(Debug, Clone, PartialEq)]
pub struct PropertySchema {
    /// Its name.
    pub name: String,
    /// Its id, percent-encoded as it is put into addresses.
    pub id: String,
    /// What its makers say about it.
    pub description: Option<String>,
    /// Its type.
    pub kind: SchemaKind,
}

/// The type of a column, with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum SchemaKind {
    /// `title`.
    Title,
    /// `rich_text`.
    RichText,
    /// `number`.
    Number {
        /// How it is shown, such as `percent` or `euro`.
        format: String,
    },
    /// `select`.
    Select(Vec<SelectOption>),
    /// `multi_select`.
    MultiSelect(Vec<SelectOption>),
    /// `status`.
    Status {
        /// What may be chosen.
        options: Vec<SelectOption>,
        /// How the options are grouped.
        groups: Vec<StatusGroup>,
    },
    /// `date`.
    Date,
    /// `people`.
    People,
    /// `files`.
    Files,
    /// `checkbox`.
    Checkbox,
    /// `url`.
    Url,
    /// `email`.
    Email,
    /// `phone_number`.
    PhoneNumber,
    /// `formula`.
    Formula {
        /// Its source.
        expression: String,
    },
    /// `relation`.
    Relation(RelationSchema),
    /// `rollup`.
    Rollup(RollupSchema),
    /// `created_time`.
    CreatedTime,
    /// `last_edited_time`.
    LastEditedTime,
    /// `last_visited_time`.
    LastVisitedTime,
    /// `created_by`.
    CreatedBy,
    /// `last_edited_by`.
    LastEditedBy,
    /// `unique_id`.
    UniqueId {
        /// The letters before the number.
        prefix: Option<String>,
    },
    /// `verification`.
    Verification,
    /// `place`.
    Place,
    /// `location`.
    Location,
    /// `button`.
    Button,
    /// A type that this version does not know, or one that is malformed.
    Unknown {
        /// The `type`, empty if there was none.
        kind: String,
        /// The whole column as it came.
        raw: Value,
    },
}

/// A group of status options.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct StatusGroup {
    /// Its id.
    #[serde(deserialize_with = "lenient::or_default")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::or_default")]
    pub name: String,
    /// The ids of its options.
    #[serde(deserialize_with = "lenient::elements")]
    pub option_ids: Vec<String>,
}

/// Where a relation leads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct RelationSchema {
    /// The data source of the related rows; sent since 2025-09-03.
    #[serde(deserialize_with = "lenient::or_default")]
    pub data_source_id: Option<Uuid>,
    /// Its database.
    #[serde(deserialize_with = "lenient::or_default")]
    pub database_id: Option<Uuid>,
}

/// What a rollup rolls up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct RollupSchema {
    /// How it is calculated.
    #[serde(deserialize_with = "lenient::or_default")]
    pub function: String,
    /// The relation it follows.
    #[serde(deserialize_with = "lenient::or_default")]
    pub relation_property_name: String,
    /// The column it reads there.
    #[serde(deserialize_with = "lenient::or_default")]
    pub rollup_property_name: String,
}

impl PropertySchema {
    /// Reads the object under `properties`, in the order of the wire.
    pub(super) fn read_all(properties: Option<&Value>) -> Vec<Self> {
        let Some(Value::Object(properties)) = properties else { return Vec::new() };
        properties.iter().map(|(name, column)| Self::read(name, column)).collect()
    }

    fn read(name: &str, column: &Value) -> Self {
        let text = |key| column.get(key).and_then(Value::as_str).map(str::to_owned);
        Self {
            name: name.to_owned(),
            id: text("id").unwrap_or_default(),
            description: text("description"),
            kind: SchemaKind::read(column),
        }
    }
}

impl SchemaKind {
    fn read(column: &Value) -> Self {
        let Some(object) = column.as_object() else {
            return Self::Unknown { kind: String::new(), raw: column.clone() };
        };
        let tagged = Tagged::read(object, &[]);
        Self::known(&tagged)
            .unwrap_or_else(|| Self::Unknown { kind: tagged.kind.to_owned(), raw: column.clone() })
    }

    fn known(tagged: &Tagged<'_>) -> Option<Self> {
        let text = |key| tagged.payload.get(key).and_then(Value::as_str).map(str::to_owned);
        let options = || tagged.payload.get("options").map(lenient::elements_of).unwrap_or_default();
        Some(match tagged.kind {
            "title" => Self::Title,
            "rich_text" | "text" => Self::RichText,
            "number" => Self::Number { format: text("format").unwrap_or_default() },
            "select" => Self::Select(options()),
            "multi_select" => Self::MultiSelect(options()),
            "status" => Self::Status {
                options: options(),
                groups: tagged.payload.get("groups").map(lenient::elements_of).unwrap_or_default(),
            },
            "date" => Self::Date,
            "people" => Self::People,
            "files" => Self::Files,
            "checkbox" => Self::Checkbox,
            "url" => Self::Url,
            "email" => Self::Email,
            "phone_number" => Self::PhoneNumber,
            "formula" => Self::Formula { expression: text("expression").unwrap_or_default() },
            "relation" => Self::Relation(tagged.decode()?),
            "rollup" => Self::Rollup(tagged.decode()?),
            "created_time" => Self::CreatedTime,
            "last_edited_time" => Self::LastEditedTime,
            "last_visited_time" => Self::LastVisitedTime,
            "created_by" => Self::CreatedBy,
            "last_edited_by" => Self::LastEditedBy,
            "unique_id" => Self::UniqueId { prefix: text("prefix") },
            "verification" => Self::Verification,
            "place" => Self::Place,
            "location" => Self::Location,
            "button" => Self::Button,
            _ => return None,
        })
    }
}
