//! EPUB 2 and 3: the documents of the spine, in its order.

use std::collections::BTreeMap;

use quick_xml::events::Event;

use crate::package::Package;
use crate::text::Text;
use crate::{Failure, Limits, Metadata, Reading, Status, html, xml};

/// Documents of a spine that are read.
const MAX_DOCUMENTS: usize = 20_000;

/// Reads a book.
pub(crate) fn read(bytes: &[u8], limits: &Limits, text: &mut Text) -> Result<Reading, Failure> {
    let mut package = Package::open(bytes, limits)?;
    let container = package.required("META-INF/container.xml")?;
    let path = root_file(&String::from_utf8_lossy(&container))
        .ok_or_else(|| Failure::broken("its container names no package document"))?;
    let document = package.required(&path)?;
    let book = Book::of(&String::from_utf8_lossy(&document));
    let mut reading = Reading { metadata: book.metadata, ..Reading::default() };
    for name in book.spine.iter().filter_map(|id| book.manifest.get(id)) {
        let name = beside(&path, name);
        match package.part(&name) {
            Ok(Some(chapter)) => read_chapter(&chapter, text, &mut reading),
            Ok(None) => reading.left_out.push(format!("{name}: the package has no such part")),
            Err(failure) if failure.status == Status::Limit && text.is_empty() => return Err(failure),
            Err(failure) => reading.left_out.push(format!("{name}: {}", failure.reason)),
        }
        if text.is_full() {
            break;
        }
    }
    let nothing_read = !book.spine.is_empty() && reading.left_out.len() == book.spine.len();
    if nothing_read && package.part("META-INF/encryption.xml")?.is_some() {
        return Err(Failure::encrypted());
    }
    Ok(reading)
}

fn read_chapter(chapter: &[u8], text: &mut Text, reading: &mut Reading) {
    if let Some(decoded) = html::decode(chapter) {
        text.paragraph();
        for link in html::read(&decoded.text, text).links {
            reading.metadata.add_link(&link);
        }
    }
}

/// The first package document that the container names.
fn root_file(container: &str) -> Option<String> {
    let mut reader = xml::reader(container);
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) if tag.local_name().as_ref() == "rootfile" => {
                return xml::attribute(tag.attributes(), "full-path");
            }
            Ok(Event::Eof) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// `name` as the document at `path` means it. Names that climb out of the package name no part of it.
fn beside(path: &str, name: &str) -> String {
    let name = name.split('#').next().unwrap_or_default();
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in name.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    percent_decoded(&steps.join("/"))
}

fn percent_decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// What the package document says.
#[derive(Default)]
struct Book {
    metadata: Metadata,
    /// Names of parts by their ids.
    manifest: BTreeMap<String, String>,
    spine: Vec<String>,
}

impl Book {
    fn of(document: &str) -> Self {
        let mut book = Self::default();
        let mut reader = xml::reader(document);
        let mut value = String::new();
        loop {
            match reader.read_event() {
                Ok(Event::Start(tag) | Event::Empty(tag)) => {
                    value.clear();
                    let attribute = |name| xml::attribute(tag.attributes(), name);
                    match tag.local_name().as_ref() {
                        "item" if book.manifest.len() < MAX_DOCUMENTS => {
                            if let (Some(id), Some(name)) = (attribute("id"), attribute("href")) {
                                book.manifest.insert(id, name);
                            }
                        }
                        "itemref" if book.spine.len() < MAX_DOCUMENTS => {
                            book.spine.extend(attribute("idref"));
                        }
                        _ => {}
                    }
                }
                Ok(Event::Text(run)) => value.push_str(&run),
                Ok(Event::GeneralRef(reference)) => value.push_str(&xml::resolve(&reference)),
                Ok(Event::End(tag)) => {
                    let slot = match tag.local_name().as_ref() {
                        "title" => &mut book.metadata.title,
                        "creator" => &mut book.metadata.author,
                        "date" => &mut book.metadata.created,
                        _ => continue,
                    };
                    if slot.is_none() && !value.trim().is_empty() {
                        *slot = Some(value.trim().to_owned());
                    }
                }
                Ok(Event::Eof) | Err(_) => return book,
                Ok(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_meant_beside_the_document_and_never_outside_of_the_package() {
        assert_eq!(beside("OEBPS/content.opf", "text/a%20b.xhtml#c"), "OEBPS/text/a b.xhtml");
        assert_eq!(beside("content.opf", "../../etc/passwd"), "etc/passwd");
    }
}
