use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::file::{FileSource, Icon};
use super::lenient;
use super::parent::Parent;
use super::property::{Property, PropertyValue};
use super::user::User;

/// A page, or a row of a data source, which is a page too (developers.notion.com "page").
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Its id.
    pub id: Uuid,
    /// When it was made, to the minute.
    pub created_time: Option<jiff::Timestamp>,
    /// When it was last edited, to the minute.
    pub last_edited_time: Option<jiff::Timestamp>,
    /// Who made it.
    pub created_by: Option<User>,
    /// Who edited it last.
    pub last_edited_by: Option<User>,
    /// The picture above it.
    pub cover: Option<FileSource>,
    /// Its icon.
    pub icon: Option<Icon>,
    /// Where it lives.
    pub parent: Option<Parent>,
    /// Whether it lies in the trash (`archived` up to 2025-09-03).
    pub in_trash: bool,
    /// Whether it was archived, which leaves it readable.
    pub is_archived: bool,
    /// Whether it is locked.
    pub is_locked: bool,
    /// Its properties, in the order of the wire.
    pub properties: Vec<Property>,
    /// Its address; for showing only, since it follows the title.
    pub url: Option<String>,
    /// Its address on the web, if it is published.
    pub public_url: Option<String>,
    /// Whether more than the id came. Without it the integration may not read the page.
    pub is_full: bool,
}

impl Page {
    /// The title: the text of the property of that type, whatever its name.
    #[must_use]
    pub fn title(&self) -> Option<String> {
        self.properties.iter().find_map(|property| match &property.value {
            PropertyValue::Title(_) => property.value.text(),
            _ => None,
        })
    }

    /// The property of that name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

impl<'de> Deserialize<'de> for Page {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (object, id) = lenient::identified(deserializer, "page")?;
        Ok(Self {
            id,
            created_time: lenient::time(&object, "created_time"),
            last_edited_time: lenient::time(&object, "last_edited_time"),
            created_by: lenient::field(&object, "created_by"),
            last_edited_by: lenient::field(&object, "last_edited_by"),
            cover: lenient::field(&object, "cover"),
            icon: lenient::field(&object, "icon"),
            parent: lenient::field(&object, "parent"),
            in_trash: lenient::flag(&object, "in_trash") || lenient::flag(&object, "archived"),
            is_archived: lenient::flag(&object, "is_archived"),
            is_locked: lenient::flag(&object, "is_locked"),
            properties: Property::read_all(object.get("properties")),
            url: lenient::string(&object, "url"),
            public_url: lenient::string(&object, "public_url"),
            is_full: object.contains_key("properties"),
        })
    }
}
