//! Open comments, behind the body: a line each, threads together, under a heading path of their own.

use std::collections::{BTreeMap, BTreeSet};

use notion_api::wire::{Comment, Parent};
use uuid::Uuid;

use super::address;
use super::blocks::inlines_of;
use super::document::plain;
use super::passages::Cutter;
use super::text::{LinkSet, clean_line};
use super::unknowns;
use crate::model::{FilePlace, FileRef, NotionId, Warning};

/// The heading path of comments' passages. It is no line of the text: nobody wrote it.
const HEADING: &str = "Comments";
/// Comments kept of a page. Popular pages have hundreds; the bound keeps a hostile listing from filling an item.
const MAX_COMMENTS: usize = 10_000;

/// Writes the comments of a page behind its text.
pub(super) fn write_comments(
    page: Uuid,
    comments: &[Comment],
    cutter: &mut Cutter,
    links: &mut LinkSet,
    warnings: &mut BTreeSet<Warning>,
) {
    if comments.is_empty() {
        return;
    }
    cutter.section(HEADING);
    let mut block = None;
    for comment in in_threads(comments, warnings) {
        unknowns::check_users(&comment.created_by, warnings);
        unknowns::check_parent(comment.parent.as_ref(), warnings);
        let line = line_of(comment, links, warnings);
        let above = match comment.parent {
            Some(Parent::Block(id)) if id != page => Some(NotionId(id)),
            _ => None,
        };
        if above != block {
            cutter.close();
            block = above;
        }
        cutter.block(&line, block);
    }
}

/// Each comment once: threads by their first comment, comments in a thread by time, as they were listed where that is
/// the same, since times are to the minute.
fn in_threads<'a>(comments: &'a [Comment], warnings: &mut BTreeSet<Warning>) -> Vec<&'a Comment> {
    let mut seen = BTreeSet::new();
    let mut all: Vec<&Comment> = comments.iter().filter(|comment| seen.insert(comment.id)).collect();
    all.sort_by_key(|comment| comment.created_time);
    if all.len() > MAX_COMMENTS {
        all.truncate(MAX_COMMENTS);
        warnings.insert(Warning::LeftOut { what: "comments beyond 10,000".to_owned() });
    }
    let mut firsts = BTreeMap::new();
    for (number, comment) in all.iter().enumerate() {
        firsts.entry(thread_of(comment)).or_insert(number);
    }
    all.sort_by_key(|comment| firsts.get(&thread_of(comment)).copied());
    all
}

fn thread_of(comment: &Comment) -> Uuid {
    comment.discussion_id.unwrap_or(comment.id)
}

/// `Anna Berg: text (plan.pdf)`
fn line_of(comment: &Comment, links: &mut LinkSet, warnings: &mut BTreeSet<Warning>) -> String {
    let inlines = inlines_of(&comment.rich_text, warnings);
    links.add_inlines(&inlines);
    let text = clean_line(&plain(&inlines));
    let mut files = Vec::with_capacity(comment.attachments.len());
    for attachment in &comment.attachments {
        unknowns::check_file(&attachment.source, warnings);
        let Some(address) = attachment.source.url() else { continue };
        let name = address::file_name(address);
        files.extend(name.clone());
        links.add_file(FileRef {
            place: FilePlace::Comment,
            block: comment.parent.as_ref().and_then(|parent| super::parent_of(Some(parent)).id()),
            address: address.to_owned(),
            name,
            caption: text.clone(),
        });
    }
    let files = clean_line(&files.join(", "));
    let said = match (text.is_empty(), files.is_empty()) {
        (_, true) => text,
        (true, false) => files,
        (false, false) => format!("{text} ({files})"),
    };
    let names =
        [comment.display_name.as_deref(), comment.created_by.as_ref().and_then(|user| user.name.as_deref())];
    let author = names.into_iter().flatten().map(clean_line).find(|name| !name.is_empty());
    match author {
        Some(author) if !said.is_empty() => format!("{author}: {said}"),
        _ => said,
    }
}

#[cfg(test)]
mod tests {
    use notion_api::wire;
    use serde_json::{Value, json};

    use super::*;
    use crate::model::{Link, LinkKind};
    use crate::render::{Body, PageBody, Rendered, render_page};

    const PAGE: Uuid = Uuid::from_u128(5);

    /// With all the keys that Notion sends (developers.notion.com "comment-object").
    fn comment(number: u128, thread: u128, minute: u8, author: &str, text: &str) -> Value {
        json!({
            "object": "comment", "id": Uuid::from_u128(number),
            "parent": {"type": "page_id", "page_id": PAGE}, "discussion_id": Uuid::from_u128(thread),
            "created_time": format!("2026-03-01T09:{minute:02}:00.000Z"),
            "last_edited_time": format!("2026-03-01T09:{minute:02}:00.000Z"),
            "created_by": {"object": "user", "id": Uuid::from_u128(77)},
            "rich_text": [{"type": "text", "text": {"content": text, "link": null}, "plain_text": text, "href": null,
                "annotations": {"bold": false, "italic": false, "strikethrough": false, "underline": false,
                    "code": false, "color": "default"}}],
            "display_name": {"type": "user", "resolved_name": author}
        })
    }

    fn render(body: &str, comments: &[Value]) -> Rendered {
        let page: wire::Page = serde_json::from_value(json!({"object": "page", "id": PAGE})).unwrap();
        let comments = comments.iter().map(|raw| serde_json::from_value(raw.clone()).unwrap()).collect();
        let body = PageBody { main: Body::MarkdownV1(body.to_owned()), comments, ..PageBody::default() };
        render_page(&page, &body, NotionId(Uuid::nil()))
    }

    fn on_block(mut comment: Value, block: u128) -> Value {
        comment["parent"] = json!({"type": "block_id", "block_id": Uuid::from_u128(block)});
        comment
    }

    fn passages(rendered: &Rendered) -> Vec<(String, Option<NotionId>, &str)> {
        let show = |passage: &crate::model::Passage| {
            (
                passage.heading_path.join("/"),
                passage.block_id,
                rendered.item.text.get(passage.range.clone()).unwrap(),
            )
        };
        rendered.item.passages.iter().map(show).collect()
    }

    #[test]
    fn comments_stand_behind_the_body_in_passages_of_their_own() {
        let rendered = render("# Plan\nbody", &[comment(1, 9, 0, "Anna Berg", "why\nso")]);
        assert_eq!(rendered.item.text, "Plan\nbody\nAnna Berg: why so");
        let expected =
            [("Plan".to_owned(), None, "Plan\nbody"), ("Comments".to_owned(), None, "Anna Berg: why so")];
        assert_eq!(passages(&rendered), expected);
        assert_eq!(render("", &[comment(1, 9, 0, "A", "x")]).item.text, "A: x");
        assert_eq!(render("x", &[]).item.passages.len(), 1);
    }

    #[test]
    fn threads_stay_together_in_the_order_of_time_and_each_comment_comes_once() {
        let all = [
            comment(4, 8, 5, "D", "second of eight"),
            comment(1, 9, 1, "A", "first of nine"),
            comment(2, 8, 2, "B", "first of eight"),
            comment(3, 9, 3, "C", "second of nine"),
            comment(1, 9, 1, "A", "first of nine"),
        ];
        let expected = "A: first of nine\nC: second of nine\nB: first of eight\nD: second of eight";
        assert_eq!(render("", &all).item.text, expected);
    }

    #[test]
    fn a_comment_on_a_block_opens_at_it() {
        let all = [
            comment(1, 1, 0, "A", "page"),
            on_block(comment(2, 2, 1, "A", "block"), 50),
            on_block(comment(3, 2, 2, "B", "reply"), 50),
            on_block(comment(4, 3, 3, "B", "other"), 51),
        ];
        let path = || "Comments".to_owned();
        let block = |number| Some(NotionId(Uuid::from_u128(number)));
        let expected = [
            (path(), None, "A: page"),
            (path(), block(50), "A: block\nB: reply"),
            (path(), block(51), "B: other"),
        ];
        assert_eq!(passages(&render("", &all)), expected);
    }

    #[test]
    fn files_links_and_unknown_kinds_of_a_comment_are_kept() {
        let mut first = comment(1, 1, 0, "", "see");
        first["created_by"] =
            json!({"object": "user", "id": Uuid::from_u128(7), "type": "agent", "agent": {}, "name": "Robo"});
        first["rich_text"] = json!([
            {"type": "mention", "mention": {"type": "page", "page": {"id": Uuid::from_u128(6)}}, "plain_text": "Goals", "href": null},
            {"type": "text", "text": {"content": " soon"}, "plain_text": " soon"}
        ]);
        let mut second = comment(2, 1, 1, "B", "");
        second["rich_text"] = json!([]);
        second["attachments"] = json!([
            {"category": "pdf", "file": {"url": "https://files.example/w/plan%20B.pdf?X-Amz-Signature=5ec2e7", "expiry_time": "2026-03-01T10:00:00.000Z"}},
            {"category": "hologram", "type": "hologram", "hologram": {}}
        ]);
        let rendered = render("", &[first, second]);
        assert_eq!(rendered.item.text, "Robo: Goals soon\nB: plan B.pdf");
        let mention = Link { kind: LinkKind::Mention, target: NotionId(Uuid::from_u128(6)) };
        assert_eq!(rendered.item.links, [mention]);
        let expected = [
            Warning::UnknownUser { kind: "agent".to_owned() },
            Warning::UnknownFile { kind: "hologram".to_owned() },
        ];
        assert_eq!(rendered.warnings, expected);
    }

    #[test]
    fn comments_beyond_the_bound_are_told_of() {
        let all: Vec<Value> =
            (0..=MAX_COMMENTS as u128).map(|number| comment(number + 1, 1, 0, "A", "x")).collect();
        let rendered = render("", &all);
        assert_eq!(rendered.item.text.lines().count(), MAX_COMMENTS);
        assert_eq!(rendered.warnings, [Warning::LeftOut { what: "comments beyond 10,000".to_owned() }]);
    }
}
