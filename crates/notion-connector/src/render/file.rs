//! A file as an item: what its page says of it, and the text that was found in it.

use super::passages::Cutter;
use super::text::clean;
use super::{Rendered, title_line};
use crate::model::{
    FileContent, Item, ItemKey, ItemKind, Link, LinkKind, NotionId, PageFile, Parent, Property,
    PropertyValue, Warning,
};

/// Renders a file.
pub fn render_file(id: NotionId, source: &PageFile, content: &FileContent, workspace: NotionId) -> Rendered {
    let mut cutter = Cutter::default();
    for caption in &source.captions {
        cutter.block(caption, None);
    }
    write_text(content, &mut cutter);
    let (text, passages) = cutter.finish();
    let mut properties = Vec::new();
    for (name, value) in [("Document title", &content.title), ("Author", &content.author)] {
        let value = value.as_deref().map(title_line).filter(|value| !value.is_empty());
        if let Some(value) = value {
            let (name, text) = (name.to_owned(), value.clone());
            properties.push(Property { name, value: PropertyValue::Text(value), text });
        }
    }
    let mention = |target: &NotionId| Link { kind: LinkKind::Mention, target: *target };
    let item = Item {
        key: ItemKey::new(workspace, ItemKind::File, id),
        kind: ItemKind::File,
        id,
        title: title_line(&source.name),
        url: source.page.url.clone(),
        icon: None,
        cover: None,
        parent: Parent::Page(source.page.id),
        text,
        passages,
        properties,
        links: source.further_pages.iter().map(mention).collect(),
        created_time: source.page.created_time,
        last_edited_time: source.page.last_edited_time,
        created_by: source.page.created_by,
        last_edited_by: source.page.last_edited_by,
        file: Some(content.facts.clone()),
    };
    let warnings =
        content.left_out.iter().map(|what| Warning::LeftOut { what: format!("{}: {what}", source.name) });
    Rendered { item, warnings: warnings.collect(), files: Vec::new() }
}

/// Line by line, so that passages end where lines do, under the headings that the format has.
fn write_text(content: &FileContent, cutter: &mut Cutter) {
    let mut headings = content.headings.iter().peekable();
    let mut start = 0;
    for line in content.text.split('\n') {
        let end = start + line.len();
        // Where headings overlap, the first one counts.
        while headings.next_if(|(_, from, _)| *from < start).is_some() {}
        let heading = headings.next_if(|(_, from, to)| *from < end.max(start + 1) && *to >= *from);
        let line = clean(line);
        match heading {
            Some((level, ..)) => cutter.heading(*level, &line, None),
            None => cutter.block(&line, None),
        }
        start = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::model::HoldingPage;

    fn id(number: u128) -> NotionId {
        NotionId(Uuid::from_u128(number))
    }

    fn source() -> PageFile {
        PageFile {
            identity: "https://files.example/w/f/Plan.PDF".to_owned(),
            hosted: true,
            name: "Plan.PDF".to_owned(),
            captions: vec!["the plan we agreed on".to_owned()],
            page: HoldingPage {
                id: id(1),
                url: "https://app.notion.com/p/1#2".to_owned(),
                created_time: Timestamp::from_second(60).unwrap(),
                last_edited_time: Timestamp::from_second(120).unwrap(),
                created_by: Some(id(5)),
                last_edited_by: None,
            },
            further_pages: vec![id(2)],
        }
    }

    #[test]
    fn a_file_has_the_place_and_times_of_its_page_and_the_text_of_its_bytes() {
        let text = "Goals\nWe ship in May.\n\nRisks\nNone.".to_owned();
        let content = FileContent {
            headings: vec![(1, 0, 5), (1, 23, 28)],
            text,
            author: Some("Anna\nBerg".to_owned()),
            left_out: vec!["page 7".to_owned()],
            ..FileContent::default()
        };
        let Rendered { item, warnings, .. } = render_file(id(9), &source(), &content, id(0));
        assert_eq!(item.text, "the plan we agreed on\nGoals\nWe ship in May.\nRisks\nNone.");
        let paths: Vec<_> = item.passages.iter().map(|passage| passage.heading_path.join("/")).collect();
        assert_eq!(paths, ["", "Goals", "Risks"]);
        assert_eq!((item.parent, item.last_edited_time.as_second()), (Parent::Page(id(1)), 120));
        assert_eq!(item.links, [Link { kind: LinkKind::Mention, target: id(2) }]);
        assert_eq!(item.properties[0].text, "Anna Berg");
        assert_eq!(warnings, [Warning::LeftOut { what: "Plan.PDF: page 7".to_owned() }]);
    }

    #[test]
    fn headings_that_lie_anywhere_lose_no_text() {
        let content = FileContent {
            text: "a\nb\n\nc".to_owned(),
            headings: vec![(1, 0, 1), (1, 0, 3), (2, 3, 3), (9, 90, 99)],
            ..FileContent::default()
        };
        let item = render_file(id(9), &source(), &content, id(0)).item;
        assert!(item.text.ends_with("a\nb\nc"), "{}", item.text);
    }
}
