use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::file::{FileObject, FileSource};
use super::lenient;
use super::parent::Parent;
use super::rich_text::RichText;
use super::user::User;

/// An open comment (developers.notion.com "comment-object"). Resolved ones cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// Its id.
    pub id: Uuid,
    /// The page or block that it is about.
    pub parent: Option<Parent>,
    /// The thread that it belongs to.
    pub discussion_id: Option<Uuid>,
    /// When it was written, to the minute.
    pub created_time: Option<jiff::Timestamp>,
    /// When it was last edited, to the minute.
    pub last_edited_time: Option<jiff::Timestamp>,
    /// Who wrote it.
    pub created_by: Option<User>,
    /// What it says.
    pub rich_text: Vec<RichText>,
    /// The name it is signed with.
    pub display_name: Option<String>,
    /// Files attached to it.
    pub attachments: Vec<CommentAttachment>,
}

/// A file attached to a comment.
#[derive(Debug, Clone, PartialEq)]
pub struct CommentAttachment {
    /// `audio`, `image`, `pdf`, `productivity` or `video`.
    pub category: String,
    /// The file.
    pub source: FileSource,
}

impl<'de> Deserialize<'de> for CommentAttachment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = serde_json::Value::deserialize(deserializer)?;
        let category = raw.get("category").and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let file = FileObject::deserialize(&raw).map_err(serde::de::Error::custom)?;
        Ok(Self { category, source: file.source })
    }
}

impl<'de> Deserialize<'de> for Comment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (object, id) = lenient::identified(deserializer, "comment")?;
        let signed = object.get("display_name").and_then(|value| value.as_object());
        Ok(Self {
            id,
            parent: lenient::field(&object, "parent"),
            discussion_id: lenient::id(&object, "discussion_id"),
            created_time: lenient::time(&object, "created_time"),
            last_edited_time: lenient::time(&object, "last_edited_time"),
            created_by: lenient::field(&object, "created_by"),
            rich_text: object.get("rich_text").map(lenient::elements_of).unwrap_or_default(),
            display_name: signed.and_then(|signed| lenient::string(signed, "resolved_name")),
            attachments: object.get("attachments").map(lenient::elements_of).unwrap_or_default(),
        })
    }
}
