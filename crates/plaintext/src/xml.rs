//! XML of any vocabulary, and what the readers of packages share. Entities of a document's own are never expanded, and
//! nothing outside of the bytes is ever asked for.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesRef, Event};

use crate::charset;
use crate::text::Text;

/// Bytes in which the XML declaration names the encoding.
const DECLARATION_BYTES: usize = 256;

/// Decodes by byte order mark, XML declaration, or statistics.
pub(crate) fn decode(bytes: &[u8]) -> Option<charset::Decoded<'_>> {
    charset::decode_named(bytes, charset::named_after(bytes, b"encoding=", DECLARATION_BYTES))
}

/// A reader that goes on where documents are not quite well formed.
pub(crate) fn reader(xml: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(xml);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    reader
}

/// The character or characters of a reference that XML itself defines; an entity of the document's own gives nothing.
pub(crate) fn resolve(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    quick_xml::escape::resolve_predefined_entity(reference).unwrap_or_default().to_owned()
}

/// The value of an attribute, by its name without prefix.
pub(crate) fn attribute(attributes: Attributes<'_>, name: &str) -> Option<String> {
    attributes.flatten().find(|attribute| attribute.key.local_name().as_ref() == name).map(|attribute| {
        attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_or_else(|_| attribute.value.clone().into_owned(), std::borrow::Cow::into_owned)
    })
}

/// Reads text and the values of attributes. Returns what could not be read.
pub(crate) fn read(xml: &str, text: &mut Text) -> Vec<String> {
    let mut reader = reader(xml);
    while !text.is_full() {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) => {
                text.line();
                for attribute in tag.attributes().flatten() {
                    if !attribute.key.as_ref().starts_with("xmlns")
                        && let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0)
                    {
                        text.flow(&value);
                        text.line();
                    }
                }
            }
            Ok(Event::End(_)) => text.line(),
            Ok(Event::Text(run)) => text.flow(&run),
            Ok(Event::CData(run)) => text.flow(&run),
            Ok(Event::GeneralRef(reference)) => text.flow(&resolve(&reference)),
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {}
            Ok(Event::Eof) => return Vec::new(),
            Err(error) => {
                return vec![format!("what follows byte {}: {error}", reader.error_position())];
            }
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(xml: &str) -> (String, Vec<String>) {
        let mut text = Text::new(10_000);
        let left_out = read(xml, &mut text);
        (text.finish().0, left_out)
    }

    #[test]
    fn text_and_attributes_are_read() {
        let (text, left_out) = text_of(
            "<?xml version='1.0'?><a xmlns='urn:x' name='n &amp; m'><b>one &lt; two &#233;</b><c><![CDATA[<raw>]]></c></a>",
        );
        assert_eq!(text, "n & m\none < two é\n<raw>");
        assert!(left_out.is_empty());
    }

    #[test]
    fn entities_of_the_document_are_never_expanded() {
        let laughs = "<!DOCTYPE a [<!ENTITY l 'lol'><!ENTITY m '&l;&l;&l;'><!ENTITY f SYSTEM 'file:///etc/passwd'>]>\
                      <a>x&m;&f;y</a>";
        assert_eq!(text_of(laughs).0, "xy");
    }

    #[test]
    fn what_is_malformed_gives_what_it_has() {
        assert_eq!(text_of("<a>one<b>two</a>three").0, "one\ntwo\nthree");
        let (text, left_out) = text_of("<a>kept</a><!-- open");
        assert_eq!((text.as_str(), left_out.len()), ("kept", 1));
    }

    #[test]
    fn declared_encodings_are_obeyed() {
        let xml = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>Stra\xDFe</a>";
        assert!(decode(xml).is_some_and(|decoded| decoded.text.contains("Straße")));
    }
}
