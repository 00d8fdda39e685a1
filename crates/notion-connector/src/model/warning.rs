use serde::{Deserialize, Serialize};

/// Something an item lost or that this version does not understand. A warning never fails an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Warning {
    /// A block type that this version does not know; its text was kept.
    UnknownBlock {
        /// Notion's name of the type, or the tag in Markdown.
        kind: String,
    },
    /// A property type that this version does not know; its text was kept.
    UnknownProperty {
        /// Notion's name of the type.
        kind: String,
    },
    /// A mention that this version does not know; its text was kept.
    UnknownMention {
        /// Notion's name of the type.
        kind: String,
    },
    /// Part of the page could not be read: not shared with the integration, or of a type that the API does not
    /// deliver.
    Unreadable {
        /// What Notion says it is, or the block's id.
        what: String,
    },
    /// A formula or rollup that Notion does not compute for the API.
    NotComputed {
        /// Name of the property.
        property: String,
    },
    /// More values exist than were read.
    Incomplete {
        /// Name of the property.
        property: String,
    },
}

impl Warning {
    /// A name for grouping: one alert a kind and crawl, with a count.
    pub fn group(&self) -> String {
        match self {
            Self::UnknownBlock { kind } => format!("unknown block type “{kind}”"),
            Self::UnknownProperty { kind } => format!("unknown property type “{kind}”"),
            Self::UnknownMention { kind } => format!("unknown mention type “{kind}”"),
            Self::Unreadable { .. } => "part of a page that the integration cannot read".to_owned(),
            Self::NotComputed { .. } => "formula or rollup that Notion does not compute".to_owned(),
            Self::Incomplete { .. } => "property with more values than were read".to_owned(),
        }
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownBlock { kind } => {
                write!(f, "a block of the unknown type “{kind}”: its text was kept")
            }
            Self::UnknownProperty { kind } => {
                write!(f, "a property of the unknown type “{kind}”: its text was kept")
            }
            Self::UnknownMention { kind } => {
                write!(f, "a mention of the unknown type “{kind}”: its text was kept")
            }
            Self::Unreadable { what } => {
                write!(
                    f,
                    "{what} could not be read: it is not shared with the integration, or Notion does not deliver it"
                )
            }
            Self::NotComputed { property } => write!(f, "Notion does not compute “{property}” for the API"),
            Self::Incomplete { property } => write!(f, "“{property}” has more values than were read"),
        }
    }
}
