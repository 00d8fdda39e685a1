use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::lenient::{self, Tagged};

/// Somebody or something that edits, is mentioned, or stands in a people property.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// Its id.
    pub id: Uuid,
    /// Its name. Nothing without the capability to read user information.
    pub name: Option<String>,
    /// Its picture.
    pub avatar_url: Option<String>,
    /// What it is.
    pub kind: UserKind,
}

/// What a [`User`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum UserKind {
    /// A human being: a member or a guest.
    Person {
        /// Nothing without the capability to read e-mail addresses.
        email: Option<String>,
        /// Whether Notion verified the address; sent since July 2026.
        email_verified: Option<bool>,
    },
    /// An integration. Other integrations' bots come without any detail.
    Bot(Box<Bot>),
    /// A permission group, which may stand in people properties.
    Group,
    /// Only the id is known, as in `created_by`.
    Partial,
    /// A kind that this version does not know.
    Unknown {
        /// The `type`.
        kind: String,
        /// The JSON as it came.
        raw: Value,
    },
}

/// The detail of a bot.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Bot {
    /// Who owns it.
    #[serde(deserialize_with = "lenient::or_default")]
    pub owner: Option<BotOwner>,
    /// The name of the workspace it lives in.
    #[serde(deserialize_with = "lenient::or_default")]
    pub workspace_name: Option<String>,
    /// The id of that workspace.
    #[serde(deserialize_with = "lenient::or_default")]
    pub workspace_id: Option<Uuid>,
    /// Limits of the workspace, as they come; 5 MiB uploads mean the free plan.
    #[serde(deserialize_with = "lenient::or_default")]
    pub workspace_limits: Map<String, Value>,
}

/// Who owns a bot.
#[derive(Debug, Clone, PartialEq)]
pub enum BotOwner {
    /// An internal integration: the workspace.
    Workspace,
    /// A public integration or a personal access token: a user.
    User(Box<User>),
    /// A kind that this version does not know.
    Unknown(Value),
}

impl<'de> Deserialize<'de> for BotOwner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        let known = raw.as_object().and_then(|object| {
            let tagged = Tagged::read(object, &["workspace", "user"]);
            match tagged.kind {
                "workspace" => Some(Self::Workspace),
                "user" => tagged.decode().map(Self::User),
                _ => None,
            }
        });
        Ok(known.unwrap_or(Self::Unknown(raw)))
    }
}

impl<'de> Deserialize<'de> for User {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (object, id) = lenient::identified(deserializer, "user")?;
        let name = lenient::string(&object, "name");
        let avatar_url = lenient::string(&object, "avatar_url");
        let kind = UserKind::read(object);
        Ok(Self { id, name, avatar_url, kind })
    }
}

impl UserKind {
    fn read(object: Map<String, Value>) -> Self {
        let tagged = Tagged::read(&object, &["person", "bot"]);
        match tagged.kind {
            "person" => {
                let person = tagged.payload.as_object();
                Self::Person {
                    email: person.and_then(|person| lenient::string(person, "email")),
                    email_verified: person.and_then(|person| lenient::field(person, "email_verified")),
                }
            }
            "bot" => Self::Bot(Box::new(tagged.decode().unwrap_or_default())),
            "group" => Self::Group,
            "" if object.get("object").and_then(Value::as_str) == Some("group") => Self::Group,
            "" => Self::Partial,
            other => Self::Unknown { kind: other.to_owned(), raw: Value::Object(object) },
        }
    }
}

impl User {
    /// The e-mail address, of a person whose address may be read.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        match &self.kind {
            UserKind::Person { email, .. } => email.as_deref(),
            UserKind::Bot(_) | UserKind::Group | UserKind::Partial | UserKind::Unknown { .. } => None,
        }
    }
}
