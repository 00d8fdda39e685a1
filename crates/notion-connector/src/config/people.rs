use serde::{Deserialize, Serialize};

/// How the people of a workspace are mapped to those of the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeopleSettings {
    /// What Notion tells of somebody that they are known by.
    pub source: SourceField,
    /// Where that is looked for in the directory.
    pub directory: DirectoryField,
    /// JavaScript between the two; none where what Notion tells is looked for as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// Whether crawls of content that somebody or a schedule starts are followed by one of people.
    pub with_content: bool,
}

impl PeopleSettings {
    /// Whether nothing was set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What Notion tells of somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceField {
    /// Their e-mail address, unless Notion says that it is not verified.
    #[default]
    Email,
    /// Their name, which they choose themselves.
    Name,
    /// Notion's id.
    Id,
}

/// An attribute of people of the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum DirectoryField {
    /// The e-mail address.
    #[default]
    Email,
    /// The user name.
    UserName,
    /// The source's own id.
    ExternalId,
    /// The name that is shown.
    Name,
    /// A field of the organisation's own, by its name.
    Own(String),
}

impl From<DirectoryField> for String {
    fn from(field: DirectoryField) -> Self {
        match field {
            DirectoryField::Email => "email".to_owned(),
            DirectoryField::UserName => "user_name".to_owned(),
            DirectoryField::ExternalId => "external_id".to_owned(),
            DirectoryField::Name => "name".to_owned(),
            DirectoryField::Own(name) => name,
        }
    }
}

impl From<String> for DirectoryField {
    fn from(name: String) -> Self {
        match name.trim() {
            "email" => Self::Email,
            "user_name" => Self::UserName,
            "external_id" => Self::ExternalId,
            "name" => Self::Name,
            own => Self::Own(own.to_owned()),
        }
    }
}
