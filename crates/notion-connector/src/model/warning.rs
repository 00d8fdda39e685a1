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
    /// A kind of parent that this version does not know; the item stands at no known place.
    UnknownParent {
        /// Notion's name of the kind.
        kind: String,
    },
    /// A kind of user that this version does not know; the name was kept.
    UnknownUser {
        /// Notion's name of the kind.
        kind: String,
    },
    /// A kind of file, icon or cover that this version does not know; its name and caption were kept.
    UnknownFile {
        /// Notion's name of the kind.
        kind: String,
    },
    /// A bound was reached, and what lies beyond it was not read.
    LeftOut {
        /// What, and where the bound is: "comments beyond 10,000".
        what: String,
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
    /// The kind of Notion's that this version does not know: of what, and its name.
    pub fn unknown_kind(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::UnknownBlock { kind } => Some(("block", kind)),
            Self::UnknownProperty { kind } => Some(("property", kind)),
            Self::UnknownMention { kind } => Some(("mention", kind)),
            Self::UnknownParent { kind } => Some(("parent", kind)),
            Self::UnknownUser { kind } => Some(("user", kind)),
            Self::UnknownFile { kind } => Some(("file", kind)),
            Self::LeftOut { .. }
            | Self::Unreadable { .. }
            | Self::NotComputed { .. }
            | Self::Incomplete { .. } => None,
        }
    }

    /// A name for grouping: one alert a kind and crawl, with a count.
    pub fn group(&self) -> String {
        match self {
            Self::UnknownBlock { kind } => format!("unknown block type “{kind}”"),
            Self::UnknownProperty { kind } => format!("unknown property type “{kind}”"),
            Self::UnknownMention { kind } => format!("unknown mention type “{kind}”"),
            Self::UnknownParent { kind } => format!("unknown kind of parent “{kind}”"),
            Self::UnknownUser { kind } => format!("unknown kind of user “{kind}”"),
            Self::UnknownFile { kind } => format!("unknown kind of file “{kind}”"),
            Self::LeftOut { what } => format!("left out: {what}"),
            Self::Unreadable { what } => {
                // Without ids and names, of which there may be any number.
                let kind = what.split([' ', '“']).next().unwrap_or_default();
                format!("part of a page that the integration cannot read: {kind}")
            }
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
            Self::UnknownParent { kind } => {
                write!(f, "a parent of the unknown kind “{kind}”: the item is indexed without its place")
            }
            Self::UnknownUser { kind } => {
                write!(f, "a user of the unknown kind “{kind}”: the name was kept")
            }
            Self::UnknownFile { kind } => {
                write!(f, "a file of the unknown kind “{kind}”: its name and caption were kept")
            }
            Self::LeftOut { what } => write!(f, "{what} were left out"),
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
