use serde::{Deserialize, Deserializer};
use serde_json::Value;
use uuid::Uuid;

use super::lenient::{self, Tagged};
use super::rich_text::RichText;

/// A file that Notion stores, behind a signed address that is good for an hour.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HostedFile {
    /// The signed address; only its path identifies the file. Never send Notion's token there.
    pub url: String,
    /// When the signature ends.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub expiry_time: Option<jiff::Timestamp>,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq)]
pub enum FileSource {
    /// On somebody's host.
    External(String),
    /// On Notion's.
    Hosted(HostedFile),
    /// A file upload that is not attached yet.
    Upload(Uuid),
    /// A kind that this version does not know, or one that is malformed.
    Unknown {
        /// The `type`, empty if there was none.
        kind: String,
        /// The JSON as it came.
        raw: Value,
    },
}

impl FileSource {
    /// The address, if there is one.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::External(url) => Some(url),
            Self::Hosted(file) => Some(&file.url),
            Self::Upload(_) | Self::Unknown { .. } => None,
        }
    }

    fn known(raw: &Value) -> Result<Self, String> {
        let Some(object) = raw.as_object() else { return Err(String::new()) };
        let tagged = Tagged::read(object, &["external", "file", "file_upload"]);
        let known = match tagged.kind {
            "external" => url_of(tagged.payload).map(Self::External),
            "file" => tagged.decode().map(Self::Hosted),
            "file_upload" => {
                tagged.payload.as_object().and_then(|upload| lenient::id(upload, "id")).map(Self::Upload)
            }
            _ => None,
        };
        known.ok_or_else(|| tagged.kind.to_owned())
    }
}

impl<'de> Deserialize<'de> for FileSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        Ok(Self::known(&raw).unwrap_or_else(|kind| Self::Unknown { kind, raw }))
    }
}

/// A file in a block, in a `files` property or as a cover (developers.notion.com "file-object").
#[derive(Debug, Clone, PartialEq)]
pub struct FileObject {
    /// Its name; only `file` blocks and `files` properties carry one.
    pub name: Option<String>,
    /// What stands below it in the page.
    pub caption: Vec<RichText>,
    /// Where its bytes are.
    pub source: FileSource,
}

impl FileObject {
    /// The name, or else the last segment of the address, percent-decoded.
    #[must_use]
    pub fn display_name(&self) -> Option<String> {
        if let Some(name) = self.name.as_deref().filter(|name| !name.is_empty()) {
            return Some(name.to_owned());
        }
        let url = self.source.url()?;
        let path = url.split(['?', '#']).next()?;
        let (_, after_scheme) = path.split_once("://").unwrap_or(("", path));
        let (_, segment) = after_scheme.rsplit_once('/')?;
        let name = percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned();
        (!name.is_empty()).then_some(name)
    }
}

impl<'de> Deserialize<'de> for FileObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        let object = raw.as_object();
        let name = object.and_then(|object| lenient::string(object, "name"));
        let caption =
            object.and_then(|object| object.get("caption")).map(lenient::elements_of).unwrap_or_default();
        let source = FileSource::known(&raw).unwrap_or_else(|kind| FileSource::Unknown { kind, raw });
        Ok(Self { name, caption, source })
    }
}

/// An emoji that the workspace added.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct CustomEmoji {
    /// Its id.
    #[serde(deserialize_with = "lenient::or_default")]
    pub id: Option<Uuid>,
    /// Its name, without colons.
    #[serde(deserialize_with = "lenient::or_default")]
    pub name: String,
    /// Its picture.
    #[serde(deserialize_with = "lenient::or_default")]
    pub url: String,
}

/// The icon of a page, a database or a callout.
#[derive(Debug, Clone, PartialEq)]
pub enum Icon {
    /// A Unicode emoji.
    Emoji(String),
    /// One of the workspace's own.
    CustomEmoji(CustomEmoji),
    /// One of Notion's named icons.
    Named {
        /// Its name.
        name: String,
        /// Its colour.
        color: String,
    },
    /// A picture.
    File(FileSource),
    /// A kind that this version does not know, or one that is malformed.
    Unknown {
        /// The `type`, empty if there was none.
        kind: String,
        /// The JSON as it came.
        raw: Value,
    },
}

impl<'de> Deserialize<'de> for Icon {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        Ok(Self::known(&raw).unwrap_or_else(|kind| Self::Unknown { kind, raw }))
    }
}

impl Icon {
    fn known(raw: &Value) -> Result<Self, String> {
        let Some(object) = raw.as_object() else { return Err(String::new()) };
        let tagged = Tagged::read(object, &["emoji", "custom_emoji", "external", "file", "icon"]);
        let known = match tagged.kind {
            "emoji" => tagged.decode().map(Self::Emoji),
            "custom_emoji" => tagged.decode().map(Self::CustomEmoji),
            "external" | "file" | "file_upload" => FileSource::known(raw).ok().map(Self::File),
            "icon" => tagged.payload.as_object().and_then(|icon| {
                let color = lenient::string(icon, "color").unwrap_or_default();
                lenient::string(icon, "name").map(|name| Self::Named { name, color })
            }),
            _ => None,
        };
        known.ok_or_else(|| tagged.kind.to_owned())
    }
}

/// The `url` of an object, or the string itself.
pub(super) fn url_of(payload: &Value) -> Option<String> {
    payload.get("url").unwrap_or(payload).as_str().map(str::to_owned)
}
