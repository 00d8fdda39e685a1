//! HTML as it is found, not as it should be. Tags are handled one after another; no tree is built, because deep nesting
//! makes tree builders slow (300,000 open `<div>` took minutes), and an index needs none.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

use crate::text::Text;
use crate::{Metadata, charset};

/// Bytes in which a document names its encoding (HTML Standard, “prescan a byte stream to determine its encoding”).
const PRESCAN_BYTES: usize = 1_024;

/// Decodes by byte order mark, `<meta charset>`, or statistics.
pub(crate) fn decode(bytes: &[u8]) -> Option<charset::Decoded<'_>> {
    charset::decode_named(bytes, charset::named_after(bytes, b"charset=", PRESCAN_BYTES))
}

/// Reads a document.
pub(crate) fn read(html: &str, text: &mut Text) -> Metadata {
    let mut emitter = DefaultEmitter::default();
    // Scripts and styles hold no tags: the tokenizer must know where they begin.
    emitter.naively_switch_states(true);
    let mut page = Page { text, metadata: Metadata::default(), unread: None, preformatted: 0, title: None };
    for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
        match token {
            Token::StartTag(tag) => page.start(&tag),
            Token::EndTag(tag) => page.end(&tag.name),
            Token::String(run) => page.run(&String::from_utf8_lossy(&run)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
        if page.text.is_full() {
            break;
        }
    }
    page.metadata
}

struct Page<'t> {
    text: &'t mut Text,
    metadata: Metadata,
    /// The element around us whose text nobody reads, and how many of its name are open.
    unread: Option<(Vec<u8>, usize)>,
    preformatted: usize,
    /// The text of `<title>`, while we are in it.
    title: Option<String>,
}

/// What a tag does to the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Inline,
    Cell,
    Line,
    Paragraph,
    Heading(u8),
    Preformatted,
    Unread,
    Title,
}

fn layout_of(name: &[u8]) -> Layout {
    match name {
        [b'h', level @ b'1'..=b'6'] => Layout::Heading(level - b'0'),
        b"td" | b"th" => Layout::Cell,
        b"br" | b"li" | b"dt" | b"dd" | b"tr" | b"div" | b"option" | b"legend" | b"label" | b"summary"
        | b"caption" | b"figcaption" => Layout::Line,
        b"p" | b"ul" | b"ol" | b"dl" | b"table" | b"blockquote" | b"section" | b"article" | b"header"
        | b"footer" | b"main" | b"nav" | b"aside" | b"address" | b"figure" | b"form" | b"fieldset"
        | b"details" | b"hr" | b"body" => Layout::Paragraph,
        b"pre" | b"textarea" => Layout::Preformatted,
        b"script" | b"style" | b"noscript" | b"template" | b"svg" | b"math" | b"iframe" | b"object"
        | b"select" => Layout::Unread,
        b"title" => Layout::Title,
        _ => Layout::Inline,
    }
}

impl Page<'_> {
    fn start(&mut self, tag: &StartTag<()>) {
        if let Some((name, depth)) = &mut self.unread {
            *depth += usize::from(**name == **tag.name && !tag.self_closing);
            return;
        }
        let attribute = |name: &[u8]| {
            let value = tag.attributes.get(name)?;
            Some(String::from_utf8_lossy(&value.value).into_owned())
        };
        match layout_of(&tag.name) {
            Layout::Inline => {}
            Layout::Cell => self.text.begin_cell(),
            Layout::Line => self.text.begin_line(),
            Layout::Paragraph => self.text.begin_paragraph(),
            Layout::Heading(level) => self.text.heading(level),
            Layout::Preformatted => {
                self.text.paragraph();
                self.preformatted += 1;
            }
            Layout::Unread if tag.self_closing => {}
            Layout::Unread => self.unread = Some((tag.name.to_vec(), 1)),
            Layout::Title => self.title = Some(String::new()),
        }
        match &**tag.name {
            b"a" => {
                if let Some(address) = attribute(b"href") {
                    self.metadata.add_link(&address);
                }
            }
            b"img" => {
                if let Some(alternative) = attribute(b"alt") {
                    self.text.flow(&format!(" {alternative} "));
                }
            }
            b"meta" => self.meta(attribute(b"name").as_deref(), attribute(b"content")),
            _ => {}
        }
    }

    fn meta(&mut self, name: Option<&str>, content: Option<String>) {
        let slot = match name.map(str::to_ascii_lowercase).as_deref() {
            Some("author") => &mut self.metadata.author,
            Some("dcterms.created" | "created") => &mut self.metadata.created,
            Some("dcterms.modified" | "changed") => &mut self.metadata.modified,
            _ => return,
        };
        *slot = content.filter(|content| !content.trim().is_empty() && content.len() <= 1_000);
    }

    fn end(&mut self, name: &[u8]) {
        if let Some((open, depth)) = &mut self.unread {
            *depth -= usize::from(open == name);
            if *depth == 0 {
                self.unread = None;
            }
            return;
        }
        match layout_of(name) {
            Layout::Inline | Layout::Unread => {}
            Layout::Cell => self.text.end_cell(),
            Layout::Line => self.text.line(),
            Layout::Paragraph | Layout::Heading(_) => self.text.paragraph(),
            Layout::Preformatted => {
                self.preformatted = self.preformatted.saturating_sub(1);
                self.text.paragraph();
            }
            Layout::Title => {
                let title = self.title.take().unwrap_or_default();
                let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
                if self.metadata.title.is_none() && !title.is_empty() {
                    self.metadata.title = Some(title);
                }
            }
        }
    }

    fn run(&mut self, run: &str) {
        if self.unread.is_some() {
            return;
        }
        match &mut self.title {
            Some(title) if title.len() < 4_096 => title.push_str(run),
            Some(_) => {}
            None if self.preformatted > 0 => self.text.verbatim(run),
            None => self.text.flow(run),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(html: &str) -> (String, Metadata) {
        let mut text = Text::new(1_000_000);
        let metadata = read(html, &mut text);
        (text.finish().0, metadata)
    }

    #[test]
    fn text_stands_in_lines_and_cells_without_scripts_and_styles() {
        let html = "<!doctype html><title>A &amp; B</title><style>p{}</style><h1>T<b>op</b></h1><p>one\n two<br>three\
                    <script>if (a<b) {'</p>'}</script><ul><li>x<li>y</ul><table><tr><td>1<td>2<tr><td><p>3</p></td><td><div>4</div></td></table>\
                    <svg>no<svg>n</svg>o</svg><pre>  kept\n  so</pre><img alt=picture src=x>end";
        let (text, metadata) = text_of(html);
        assert_eq!(text, "Top\n\none two\nthree\n\nx\ny\n\n1\t2\n3\t4\n\n  kept\n  so\n\npicture end");
        assert_eq!(metadata.title.as_deref(), Some("A & B"));
    }

    #[test]
    fn references_are_resolved_and_links_kept() {
        let (text, metadata) =
            text_of("&Uuml;ber &#8364;5 &lt;tag&gt; &nosuch; <a href='https://e.org/?a=1&amp;b'>x</a>");
        assert_eq!(text, "Über €5 <tag> &nosuch; x");
        assert_eq!(metadata.links, ["https://e.org/?a=1&b"]);
    }

    #[test]
    fn deep_nesting_costs_nothing() {
        let (text, _) = text_of(&format!("{}deep", "<div>".repeat(300_000)));
        assert_eq!(text, "deep");
    }
}
