use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::file::{CustomEmoji, url_of};
use super::lenient::{self, Tagged};
use super::property::DateValue;
use super::user::User;

/// One run of text (developers.notion.com "rich-text"). Long text comes as several runs: always join them.
#[derive(Debug, Clone, PartialEq)]
pub struct RichText {
    /// What a reader sees; for a mention the name or title of its target.
    pub plain_text: String,
    /// Where the run links to, if anywhere.
    pub href: Option<String>,
    /// How it looks.
    pub annotations: Annotations,
    /// What it is.
    pub kind: RichTextKind,
}

/// How a run of text looks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Annotations {
    /// Bold.
    #[serde(deserialize_with = "lenient::or_default")]
    pub bold: bool,
    /// Italic.
    #[serde(deserialize_with = "lenient::or_default")]
    pub italic: bool,
    /// Struck through.
    #[serde(deserialize_with = "lenient::or_default")]
    pub strikethrough: bool,
    /// Underlined.
    #[serde(deserialize_with = "lenient::or_default")]
    pub underline: bool,
    /// Code.
    #[serde(deserialize_with = "lenient::or_default")]
    pub code: bool,
    /// `default`, `gray`, …, `red`, each also with `_background`; empty when not given.
    #[serde(deserialize_with = "lenient::or_default")]
    pub color: String,
}

/// What a run of text is.
#[derive(Debug, Clone, PartialEq)]
pub enum RichTextKind {
    /// Text that somebody wrote.
    Text {
        /// The text itself.
        content: String,
        /// What it links to.
        link: Option<String>,
    },
    /// A mention of something.
    Mention(Mention),
    /// An inline formula.
    Equation {
        /// LaTeX.
        expression: String,
    },
    /// A kind that this version does not know, or one that is malformed.
    Unknown {
        /// The `type`, empty if there was none.
        kind: String,
        /// The JSON as it came.
        raw: Value,
    },
}

/// What a mention points to.
#[derive(Debug, Clone, PartialEq)]
pub enum Mention {
    /// A user.
    User(Box<User>),
    /// A page.
    Page(Uuid),
    /// A database.
    Database(Uuid),
    /// A data source.
    DataSource(Uuid),
    /// A day, an instant or a range.
    Date(DateValue),
    /// A link with a preview by an integration.
    LinkPreview {
        /// The address.
        url: String,
    },
    /// A link shown with the target's title.
    Link(Box<LinkMention>),
    /// "Today", "now" or "me" in a template.
    Template {
        /// `template_mention_date` or `template_mention_user`.
        kind: String,
        /// What it stands for, such as `today`.
        value: String,
    },
    /// An emoji of the workspace.
    CustomEmoji(CustomEmoji),
    /// A kind that this version does not know, or one that is malformed.
    Unknown {
        /// The `type`, empty if there was none.
        kind: String,
        /// The JSON as it came.
        raw: Value,
    },
}

/// A link shown with the target's title.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct LinkMention {
    /// The address.
    #[serde(deserialize_with = "lenient::or_default")]
    pub href: String,
    /// The title of the target.
    #[serde(deserialize_with = "lenient::or_default")]
    pub title: Option<String>,
    /// Its description.
    #[serde(deserialize_with = "lenient::or_default")]
    pub description: Option<String>,
    /// Who wrote it.
    #[serde(deserialize_with = "lenient::or_default")]
    pub link_author: Option<String>,
    /// The site.
    #[serde(deserialize_with = "lenient::or_default")]
    pub link_provider: Option<String>,
}

/// Joins the runs of a text, without anything between them.
#[must_use]
pub fn plain_text(runs: &[RichText]) -> String {
    runs.iter().map(|run| run.plain_text.as_str()).collect()
}

impl<'de> Deserialize<'de> for RichText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        let Value::Object(object) = raw else {
            let plain_text = raw.as_str().unwrap_or_default().to_owned();
            let kind = RichTextKind::Unknown { kind: String::new(), raw };
            return Ok(Self { plain_text, href: None, annotations: Annotations::default(), kind });
        };
        let kind = RichTextKind::known(&object);
        let plain_text = lenient::string(&object, "plain_text").unwrap_or_else(|| match &kind {
            Ok(RichTextKind::Text { content, .. }) => content.clone(),
            Ok(RichTextKind::Equation { expression }) => expression.clone(),
            Ok(RichTextKind::Mention(_) | RichTextKind::Unknown { .. }) | Err(_) => String::new(),
        });
        let href = lenient::string(&object, "href");
        let annotations = lenient::field(&object, "annotations").unwrap_or_default();
        let kind = kind.unwrap_or_else(|kind| RichTextKind::Unknown { kind, raw: Value::Object(object) });
        Ok(Self { plain_text, href, annotations, kind })
    }
}

impl RichTextKind {
    fn known(object: &Map<String, Value>) -> Result<Self, String> {
        let tagged = Tagged::read(object, &["text", "mention", "equation"]);
        let known = match tagged.kind {
            "text" => tagged.payload.as_object().and_then(|text| {
                let link = text.get("link").and_then(url_of);
                lenient::string(text, "content").map(|content| Self::Text { content, link })
            }),
            "mention" => Some(Self::Mention(Mention::read(tagged.payload))),
            "equation" => tagged
                .payload
                .as_object()
                .and_then(|equation| lenient::string(equation, "expression"))
                .map(|expression| Self::Equation { expression }),
            _ => None,
        };
        known.ok_or_else(|| tagged.kind.to_owned())
    }
}

impl Mention {
    fn read(payload: &Value) -> Self {
        Self::known(payload).unwrap_or_else(|kind| Self::Unknown { kind, raw: payload.clone() })
    }

    fn known(payload: &Value) -> Result<Self, String> {
        let Some(object) = payload.as_object() else { return Err(String::new()) };
        let tagged = Tagged::read(object, &["user", "page", "database", "date"]);
        let target = || tagged.payload.as_object().and_then(|target| lenient::id(target, "id"));
        let known = match tagged.kind {
            "user" => tagged.decode().map(Self::User),
            "page" => target().map(Self::Page),
            "database" => target().map(Self::Database),
            "data_source" => target().map(Self::DataSource),
            "date" => tagged.decode().map(Self::Date),
            "link_preview" => url_of(tagged.payload).map(|url| Self::LinkPreview { url }),
            "link_mention" => tagged.decode().map(Self::Link),
            "template_mention" => tagged.payload.as_object().and_then(|template| {
                let inner = Tagged::read(template, &["template_mention_date", "template_mention_user"]);
                let value = inner.payload.as_str()?.to_owned();
                Some(Self::Template { kind: inner.kind.to_owned(), value })
            }),
            "custom_emoji" => tagged.decode().map(Self::CustomEmoji),
            _ => None,
        };
        known.ok_or_else(|| tagged.kind.to_owned())
    }
}
