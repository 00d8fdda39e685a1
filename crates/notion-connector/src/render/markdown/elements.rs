//! What each tag of the two dialects means.

use crate::render::address;
use crate::render::document::{Kind, Media, Node, Section, Web};

use super::tags::Tag;

/// What a tag makes.
pub(super) enum Element {
    /// A block whose first text is its label; more text and blocks are its children.
    Labelled(Kind),
    /// A block whose text and blocks are all children.
    Holder(Kind),
    /// A cell of a table row.
    Cell,
    /// The label of the block around it.
    Summary,
    /// Nothing by itself; what is in it belongs to what is around it.
    Transparent,
    /// Nothing at all, and nothing closes it.
    Void,
    /// Formula: literal until closed.
    Equation,
    /// Belongs to the text of a block.
    Inline,
    /// A name that this version does not know.
    Unknown,
}

/// The name of a tag with one spelling for both dialects.
pub(super) fn canonical(name: &str) -> String {
    name.replace('_', "-")
}

/// What `tag` is; `parent` is the innermost open tag.
pub(super) fn element(tag: &Tag<'_>, name: &str, parent: Option<&str>) -> Element {
    match name {
        "callout" => Element::Labelled(Kind::Callout),
        "details" | "toggle" => Element::Labelled(toggle(tag)),
        "p" => Element::Labelled(Kind::Paragraph),
        "h1" | "h2" | "h3" | "h4" => Element::Labelled(Kind::Heading { level: level(name), toggle: false }),
        "quote" => Element::Labelled(Kind::Quote),
        "li" if parent == Some("ol") => Element::Labelled(Kind::NumberedItem),
        "li" => Element::Labelled(Kind::BulletedItem),
        "todo" => Element::Labelled(Kind::Todo { checked: tag.flag("checked") }),
        "tab" => Element::Labelled(Kind::Tab),
        "columns" | "tabs" => Element::Holder(Kind::Container),
        "column" => Element::Holder(Kind::Column),
        "synced-block" | "synced-block-reference" => {
            Element::Holder(Kind::Synced { copy: name.ends_with("reference") })
        }
        "meeting-notes" => Element::Labelled(Kind::MeetingNotes),
        "meeting-notes-section-notes" => section(Section::Notes),
        "meeting-notes-section-summary" => section(Section::Summary),
        "meeting-notes-section-transcript" => section(Section::Transcript),
        "notes" if parent == Some("meeting-notes") => section(Section::Notes),
        "summary" if parent == Some("meeting-notes") => section(Section::Summary),
        "transcript" if parent == Some("meeting-notes") => section(Section::Transcript),
        "summary" => Element::Summary,
        "mail" => Element::Labelled(Kind::Mail),
        "table" => Element::Holder(Kind::Table),
        "tr" => Element::Holder(Kind::TableRow { cells: Vec::new() }),
        "td" | "th" => Element::Cell,
        "ul" | "ol" | "colgroup" | "thead" | "tbody" => Element::Transparent,
        "col" | "empty-block" | "hr" => Element::Void,
        "equation" => Element::Equation,
        _ => leaf(tag, name),
    }
}

fn section(section: Section) -> Element {
    Element::Holder(Kind::MeetingSection(section))
}

fn leaf(tag: &Tag<'_>, name: &str) -> Element {
    let kind = match name {
        "image" | "img" => media(Media::Image, tag),
        "video" => media(Media::Video, tag),
        "audio" => media(Media::Audio, tag),
        "pdf" => media(Media::Pdf, tag),
        "file" => media(Media::File, tag),
        "bookmark" => web(Web::Bookmark, tag),
        "embed" => web(Web::Embed, tag),
        "link-preview" | "external-object-instance" => web(Web::LinkPreview, tag),
        "page" => Kind::ChildPage { page: tag.attribute("url").and_then(|url| address::object_of(&url)) },
        "folder" => Kind::Folder,
        "database" => Kind::ChildDatabase {
            database: tag.attribute("url").and_then(|url| address::object_of(&url)),
            data_source: tag.attribute("data-source-url").and_then(|url| address::object_of(&url)),
        },
        "table-of-contents" => Kind::TableOfContents,
        "breadcrumb" => Kind::Breadcrumb,
        // Made of the ancestors: there is nothing to miss.
        "unknown" if tag.attribute("alt").as_deref() == Some("breadcrumb") => Kind::Breadcrumb,
        "unknown" => Kind::Unknown {
            kind: tag
                .attribute("alt")
                .filter(|alt| !alt.is_empty())
                .map_or_else(|| "unknown".to_owned(), Into::into),
            withheld: true,
        },
        "custom-block" => Kind::Unknown { kind: "custom_block".to_owned(), withheld: true },
        _ if is_inline(name) => return Element::Inline,
        _ => return Element::Unknown,
    };
    Element::Labelled(kind)
}

fn is_inline(name: &str) -> bool {
    name == "mention"
        || name.starts_with("mention-")
        || matches!(
            name,
            "br" | "span"
                | "b"
                | "i"
                | "s"
                | "u"
                | "strong"
                | "em"
                | "del"
                | "code"
                | "date"
                | "a"
                | "sup"
                | "sub"
                | "mark"
        )
}

/// `<toggle heading="h2">` is a toggle heading of the second dialect.
fn toggle(tag: &Tag<'_>) -> Kind {
    match tag.attribute("heading").as_deref() {
        Some(name @ ("h1" | "h2" | "h3" | "h4")) => Kind::Heading { level: level(name), toggle: true },
        _ => Kind::Toggle,
    }
}

fn level(name: &str) -> u8 {
    match name {
        "h1" => 1,
        "h2" => 2,
        "h3" => 3,
        _ => 4,
    }
}

fn source(tag: &Tag<'_>) -> Option<String> {
    ["src", "source", "url"].into_iter().find_map(|name| tag.attribute(name)).map(Into::into)
}

fn media(media: Media, tag: &Tag<'_>) -> Kind {
    media_of(media, source(tag).as_deref(), tag.attribute("name").map(Into::into))
}

fn web(web: Web, tag: &Tag<'_>) -> Kind {
    Kind::Web { web, url: source(tag).map(|url| address::strip_braces(&url).to_owned()) }
}

/// A file at `url`, which is stripped of its signature; the name is taken from the address if none is told.
pub(in crate::render) fn media_of(media: Media, url: Option<&str>, name: Option<String>) -> Kind {
    let name = name.filter(|name| !name.is_empty()).or_else(|| url.and_then(address::file_name));
    let url = url.map(address::strip_braces).filter(|url| !url.is_empty()).map(str::to_owned);
    Kind::Media { media, url, name }
}

/// A block made of `tag`, with the ids and texts that its attributes carry.
pub(super) fn node_of(kind: Kind, tag: &Tag<'_>) -> Node {
    let id = match &kind {
        Kind::Unknown { .. } | Kind::Synced { .. } => {
            tag.attribute("url").and_then(|url| address::block_of(&url))
        }
        Kind::Folder => tag.attribute("url").and_then(|url| address::object_of(&url)),
        _ => None,
    };
    Node { id, ..Node::new(kind) }
}
