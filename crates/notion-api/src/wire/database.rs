use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::file::{FileSource, Icon};
use super::lenient;
use super::parent::Parent;
use super::rich_text::{RichText, plain_text};
use super::schema::PropertySchema;
use super::user::User;

/// A database: since 2025-09-03 a container of data sources, before that the table itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Database {
    /// Its id.
    pub id: Uuid,
    /// Its title.
    pub title: Vec<RichText>,
    /// Its description.
    pub description: Vec<RichText>,
    /// Where it lives.
    pub parent: Option<Parent>,
    /// Whether it is shown within its page.
    pub is_inline: bool,
    /// Whether it lies in the trash (`archived` up to 2025-09-03).
    pub in_trash: bool,
    /// Whether it is locked.
    pub is_locked: bool,
    /// When it was made.
    pub created_time: Option<jiff::Timestamp>,
    /// When it was last edited.
    pub last_edited_time: Option<jiff::Timestamp>,
    /// Its data sources; none for a linked view, whose rows live elsewhere.
    pub data_sources: Vec<DataSourceRef>,
    /// Its icon.
    pub icon: Option<Icon>,
    /// The picture above it.
    pub cover: Option<FileSource>,
    /// Its address; for showing only.
    pub url: Option<String>,
    /// Its address on the web, if it is published.
    pub public_url: Option<String>,
    /// Its columns; only in API versions up to 2022-06-28.
    pub properties: Vec<PropertySchema>,
}

impl Database {
    /// The text of the title.
    #[must_use]
    pub fn title_text(&self) -> String {
        plain_text(&self.title)
    }
}

/// A data source as its database names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DataSourceRef {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub name: String,
}

/// A table of rows with its columns.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSource {
    /// Its id.
    pub id: Uuid,
    /// Its title.
    pub title: Vec<RichText>,
    /// Its description.
    pub description: Vec<RichText>,
    /// Its database, or the data source that an external one is synced from.
    pub parent: Option<Parent>,
    /// Where its database lives.
    pub database_parent: Option<Parent>,
    /// Whether it is shown within its page.
    pub is_inline: bool,
    /// Whether it lies in the trash; a search returns such ones too (developers.notion.com "post-search").
    pub in_trash: bool,
    /// Whether it was archived.
    pub is_archived: bool,
    /// When it was made.
    pub created_time: Option<jiff::Timestamp>,
    /// When it was last edited.
    pub last_edited_time: Option<jiff::Timestamp>,
    /// Who made it.
    pub created_by: Option<User>,
    /// Who edited it last.
    pub last_edited_by: Option<User>,
    /// Its columns, in the order of the wire.
    pub properties: Vec<PropertySchema>,
    /// Its icon.
    pub icon: Option<Icon>,
    /// The picture above it.
    pub cover: Option<FileSource>,
    /// Its address; for showing only.
    pub url: Option<String>,
    /// Its address on the web, if it is published.
    pub public_url: Option<String>,
}

impl DataSource {
    /// The text of the title.
    #[must_use]
    pub fn title_text(&self) -> String {
        plain_text(&self.title)
    }

    /// The database that contains it.
    #[must_use]
    pub fn database_id(&self) -> Option<Uuid> {
        match self.parent {
            Some(Parent::Database(id)) => Some(id),
            Some(Parent::DataSource { database_id, .. }) => database_id,
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Database {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (object, id) = lenient::identified(deserializer, "database")?;
        Ok(Self {
            id,
            title: runs(&object, "title"),
            description: runs(&object, "description"),
            parent: lenient::field(&object, "parent"),
            is_inline: lenient::flag(&object, "is_inline"),
            in_trash: lenient::flag(&object, "in_trash") || lenient::flag(&object, "archived"),
            is_locked: lenient::flag(&object, "is_locked"),
            created_time: lenient::time(&object, "created_time"),
            last_edited_time: lenient::time(&object, "last_edited_time"),
            data_sources: object.get("data_sources").map(lenient::elements_of).unwrap_or_default(),
            icon: lenient::field(&object, "icon"),
            cover: lenient::field(&object, "cover"),
            url: lenient::string(&object, "url"),
            public_url: lenient::string(&object, "public_url"),
            properties: PropertySchema::read_all(object.get("properties")),
        })
    }
}

impl<'de> Deserialize<'de> for DataSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (object, id) = lenient::identified(deserializer, "data source")?;
        Ok(Self {
            id,
            title: runs(&object, "title"),
            description: runs(&object, "description"),
            parent: lenient::field(&object, "parent"),
            database_parent: lenient::field(&object, "database_parent"),
            is_inline: lenient::flag(&object, "is_inline"),
            in_trash: lenient::flag(&object, "in_trash") || lenient::flag(&object, "archived"),
            is_archived: lenient::flag(&object, "is_archived"),
            created_time: lenient::time(&object, "created_time"),
            last_edited_time: lenient::time(&object, "last_edited_time"),
            created_by: lenient::field(&object, "created_by"),
            last_edited_by: lenient::field(&object, "last_edited_by"),
            properties: PropertySchema::read_all(object.get("properties")),
            icon: lenient::field(&object, "icon"),
            cover: lenient::field(&object, "cover"),
            url: lenient::string(&object, "url"),
            public_url: lenient::string(&object, "public_url"),
        })
    }
}

fn runs(object: &Map<String, Value>, key: &str) -> Vec<RichText> {
    object.get(key).map(lenient::elements_of).unwrap_or_default()
}
