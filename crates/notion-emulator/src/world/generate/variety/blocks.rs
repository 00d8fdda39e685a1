//! Every type of block in every variant, and what may be nested in what.

use serde_json::{Value, json};

use super::{Author, PEOPLE};
use crate::seed::{BlockSeed, Content};
use crate::world::ids::Space;

/// A block with all its variants told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Paragraph,
    ColoredParagraph,
    EmptyParagraph,
    Heading(u8),
    EmptyToggleHeading(u8),
    Bullet,
    Numbers(Option<&'static str>),
    Task(bool),
    EmptyToggle,
    Quote,
    Callout,
    Code,
    Equation,
    Divider,
    Breadcrumb,
    Contents,
    Table { column_header: bool, row_header: bool },
    Copy,
    Template,
    LinkTo(&'static str),
    Bookmark,
    Embed,
    LinkPreview(&'static str),
    External(&'static str),
    Hosted(&'static str),
    BareMeeting,
    Unsupported(&'static str),
    Holder(Holder),
}

/// A block that holds others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    Text(&'static str),
    ToggleHeading(u8),
    Callout { with_text: bool },
    Columns,
    Tabs,
    Synced,
    Template,
    Meeting,
}

pub(super) const HOLDERS: [Holder; 17] = [
    Holder::Text("paragraph"),
    Holder::Text("bulleted_list_item"),
    Holder::Text("numbered_list_item"),
    Holder::Text("to_do"),
    Holder::Text("toggle"),
    Holder::Text("quote"),
    Holder::ToggleHeading(1),
    Holder::ToggleHeading(2),
    Holder::ToggleHeading(3),
    Holder::ToggleHeading(4),
    Holder::Callout { with_text: true },
    Holder::Callout { with_text: false },
    Holder::Columns,
    Holder::Tabs,
    Holder::Synced,
    Holder::Template,
    Holder::Meeting,
];

const LANGUAGES: [&str; 5] = ["plain text", "rust", "markdown", "html", "mermaid"];
const MEDIA: [&str; 5] = ["image", "video", "pdf", "audio", "file"];
const NOT_SUPPORTED: [&str; 5] = ["form", "button", "drive", "ai_block", "external_object_instance"];

/// Each form once.
pub(super) fn forms() -> Vec<Form> {
    let mut forms = vec![
        Form::Paragraph,
        Form::ColoredParagraph,
        Form::EmptyParagraph,
        Form::Bullet,
        Form::Numbers(None),
        Form::Numbers(Some("numbers")),
        Form::Numbers(Some("letters")),
        Form::Numbers(Some("roman")),
        Form::Task(false),
        Form::Task(true),
        Form::EmptyToggle,
        Form::Quote,
        Form::Callout,
        Form::Code,
        Form::Equation,
        Form::Divider,
        Form::Breadcrumb,
        Form::Contents,
        Form::Copy,
        Form::Template,
        Form::LinkTo("page_id"),
        Form::LinkTo("database_id"),
        Form::LinkTo("comment_id"),
        Form::Bookmark,
        Form::Embed,
        Form::LinkPreview("https://github.com/works/gauge/pull/12"),
        Form::LinkPreview("https://tickets.example/T-7"),
        Form::BareMeeting,
    ];
    for level in 1..=4 {
        forms.extend([Form::Heading(level), Form::EmptyToggleHeading(level)]);
    }
    for (column_header, row_header) in [(false, false), (true, false), (false, true), (true, true)] {
        forms.push(Form::Table { column_header, row_header });
    }
    forms.extend(MEDIA.iter().flat_map(|kind| [Form::External(kind), Form::Hosted(kind)]));
    forms.extend(NOT_SUPPORTED.map(Form::Unsupported));
    forms.extend(HOLDERS.map(Form::Holder));
    forms
}

impl Holder {
    /// Levels from this block to what is nested in it.
    const fn levels(self) -> u32 {
        match self {
            Self::Columns | Self::Tabs | Self::Meeting => 2,
            _ => 1,
        }
    }
}

fn block(kind: &str, payload: Value, children: Vec<Content>) -> Content {
    named(None, kind, payload, children)
}

fn named(name: Option<String>, kind: &str, payload: Value, children: Vec<Content>) -> Content {
    Content::Block(BlockSeed { name, kind: kind.to_owned(), payload, children })
}

impl Author<'_> {
    /// The body of a page: `count` entries of random forms, one of which reaches down to the last level, and the pages
    /// and databases that stand in it.
    pub(super) fn body(&mut self, levels: u32, count: usize, embedded: Vec<Content>) -> Vec<Content> {
        self.embedded = embedded;
        self.originals.clear();
        let deep_at = self.rng.below(count.max(1));
        let mut body = Vec::with_capacity(count + 1);
        for number in 0..count {
            body.push(if number == deep_at { self.chain(levels) } else { self.any(levels.min(4)) });
        }
        while let Some(child) = self.embedded.pop() {
            let at = self.rng.below(body.len() + 1);
            body.insert(at, child);
        }
        body
    }

    /// A block of the next form that fits into so many levels.
    fn any(&mut self, levels: u32) -> Content {
        if self.is_tame {
            return self.form(Form::Paragraph, levels);
        }
        for _ in 0..8 {
            let form = self.decks.forms.draw(&mut self.rng);
            let fits = match form {
                Form::Holder(holder) => self.may_hold(holder, levels),
                Form::Table { .. } => levels > 1,
                _ => true,
            };
            if fits {
                return self.form(form, levels);
            }
        }
        self.form(Form::Paragraph, levels)
    }

    /// Neither synced blocks nor meeting notes hold their own kind.
    fn may_hold(&self, holder: Holder, levels: u32) -> bool {
        let allowed = match holder {
            Holder::Synced => !self.is_synced,
            Holder::Meeting => !self.is_meeting,
            _ => true,
        };
        allowed && levels > holder.levels()
    }

    /// One block in another, down to the last level.
    fn chain(&mut self, levels: u32) -> Content {
        let mut holder = self.decks.holders.draw(&mut self.rng);
        // A template is no type of either dialect: what is in it would be out of sight of both.
        if holder == Holder::Template || !self.may_hold(holder, levels) {
            holder = Holder::Text("toggle");
        }
        if levels == 1 {
            return self.form(Form::Paragraph, 1);
        }
        self.hold(holder, levels, |author, below| {
            let mut children = Vec::new();
            if author.rng.chance(30) {
                children.push(author.any(1));
            }
            children.push(author.chain(below));
            if author.rng.chance(30) {
                children.push(author.any(1));
            }
            children
        })
    }

    fn few(&mut self, levels: u32) -> Vec<Content> {
        let mut children: Vec<Content> = (0..self.rng.between(1, 2)).map(|_| self.any(levels)).collect();
        if !self.is_synced
            && !self.is_meeting
            && self.rng.chance(50)
            && let Some(child) = self.embedded.pop()
        {
            children.push(child);
        }
        children
    }

    pub(super) fn hold(
        &mut self,
        holder: Holder,
        levels: u32,
        mut fill: impl FnMut(&mut Self, u32) -> Vec<Content>,
    ) -> Content {
        let below = levels.saturating_sub(holder.levels()).max(1);
        match holder {
            Holder::Text(kind) => {
                let payload = self.text_payload(kind);
                block(kind, payload, fill(self, below))
            }
            Holder::ToggleHeading(level) => {
                let payload =
                    json!({"rich_text": self.rich_text(), "is_toggleable": true, "color": self.color()});
                block(&format!("heading_{level}"), payload, fill(self, below))
            }
            Holder::Callout { with_text } => {
                let text = if with_text { self.rich_text() } else { json!([]) };
                let payload = json!({"rich_text": text, "icon": self.icon(), "color": self.color()});
                block("callout", payload, fill(self, below))
            }
            Holder::Columns => self.columns(below, fill),
            Holder::Tabs => self.tabs(below, fill),
            Holder::Synced => {
                let name = self.name("synced");
                self.is_synced = true;
                let children = fill(self, below);
                self.is_synced = false;
                self.originals.push(name.clone());
                named(Some(name), "synced_block", json!({"synced_from": null}), children)
            }
            Holder::Template => {
                let payload = json!({"rich_text": self.label()});
                // A template holds what a new page gets, and no page of its own.
                let embedded = std::mem::take(&mut self.embedded);
                let children = fill(self, below);
                self.embedded = embedded;
                block("template", payload, children)
            }
            Holder::Meeting => self.meeting(below, fill),
        }
    }

    fn columns(&mut self, below: u32, mut fill: impl FnMut(&mut Self, u32) -> Vec<Content>) -> Content {
        let count = self.rng.between(2, 3);
        let deep = self.rng.below(count);
        let columns = (0..count).map(|number| {
            let payload = if self.rng.chance(50) { json!({"width_ratio": 0.25}) } else { json!({}) };
            let children = if number == deep { fill(self, below) } else { vec![self.any(1)] };
            block("column", payload, children)
        });
        let columns = columns.collect();
        block("column_list", json!({}), columns)
    }

    fn tabs(&mut self, below: u32, mut fill: impl FnMut(&mut Self, u32) -> Vec<Content>) -> Content {
        let count = self.rng.between(1, 3);
        let deep = self.rng.below(count);
        let tabs = (0..count).map(|number| {
            let payload = json!({"rich_text": self.label(), "icon": self.icon()});
            let children = if number == deep { fill(self, below) } else { vec![self.any(1)] };
            block("paragraph", payload, children)
        });
        let tabs = tabs.collect();
        block("tab", json!({}), tabs)
    }

    fn meeting(&mut self, below: u32, mut fill: impl FnMut(&mut Self, u32) -> Vec<Content>) -> Content {
        let was_meeting = std::mem::replace(&mut self.is_meeting, true);
        let name = self.name("meeting");
        let part = |part: &str| format!("{name}-{part}");
        let attendees: Vec<String> = (0..2)
            .filter_map(|_| u32::try_from(self.rng.below(PEOPLE)).ok())
            .map(|user| self.ids.seal(Space::User, user, 0).to_string())
            .collect();
        let payload = json!({
            "title": self.rich_text(),
            "status": "notes_ready",
            "children": {"summary_block_id": {"ref": part("summary")}, "notes_block_id": {"ref": part("notes")},
                "transcript_block_id": {"ref": part("transcript")}},
            "calendar_event": {"start_time": "2026-03-02T09:00:00.000Z", "end_time": "2026-03-02T09:30:00.000Z",
                "attendees": attendees},
            "recording": {"start_time": "2026-03-02T09:01:00.000Z", "end_time": "2026-03-02T09:29:00.000Z"},
        });
        let section = |which: &str, children| named(Some(part(which)), "paragraph", json!({}), children);
        let summary = section("summary", vec![self.any(1)]);
        let notes = section("notes", fill(self, below));
        let spoken = vec![self.form(Form::Paragraph, 1), self.form(Form::Paragraph, 1)];
        let transcript = section("transcript", spoken);
        self.is_meeting = was_meeting;
        block("meeting_notes", payload, vec![summary, notes, transcript])
    }

    fn text_payload(&mut self, kind: &str) -> Value {
        let mut payload = json!({"rich_text": self.rich_text(), "color": self.color()});
        match kind {
            "to_do" => payload["checked"] = json!(self.rng.chance(50)),
            "numbered_list_item" if self.rng.chance(30) => {
                payload["list_start_index"] = json!(self.rng.between(2, 40));
            }
            _ => {}
        }
        payload
    }

    fn text_block(&mut self, kind: &str) -> Content {
        let payload = json!({"rich_text": self.rich_text()});
        block(kind, payload, Vec::new())
    }

    /// A block of that form; holders get what fits into so many levels.
    pub(super) fn form(&mut self, form: Form, levels: u32) -> Content {
        match form {
            Form::Paragraph => self.text_block("paragraph"),
            Form::ColoredParagraph => {
                let payload = self.text_payload("paragraph");
                block("paragraph", payload, Vec::new())
            }
            Form::EmptyParagraph => block("paragraph", json!({}), Vec::new()),
            Form::Heading(level) => self.text_block(&format!("heading_{level}")),
            Form::EmptyToggleHeading(level) => {
                let payload = json!({"rich_text": self.rich_text(), "is_toggleable": true});
                block(&format!("heading_{level}"), payload, Vec::new())
            }
            Form::Bullet => self.text_block("bulleted_list_item"),
            Form::Numbers(format) => {
                let mut payload = json!({"rich_text": self.rich_text()});
                if let Some(format) = format {
                    payload["list_start_index"] = json!(self.rng.between(1, 20));
                    payload["list_format"] = json!(format);
                }
                block("numbered_list_item", payload, Vec::new())
            }
            Form::Task(checked) => {
                let payload = json!({"rich_text": self.rich_text(), "checked": checked});
                block("to_do", payload, Vec::new())
            }
            Form::EmptyToggle => self.text_block("toggle"),
            Form::Quote => self.text_block("quote"),
            Form::Callout => {
                let payload = json!({"rich_text": self.rich_text(), "icon": self.icon()});
                block("callout", payload, Vec::new())
            }
            Form::Template => {
                let payload = json!({"rich_text": self.label()});
                block("template", payload, Vec::new())
            }
            Form::Holder(holder) => self.hold(holder, levels, Self::few),
            Form::Table { column_header, row_header } => self.table(column_header, row_header),
            other => self.void(other),
        }
    }

    /// Blocks without text of their own, or with text in other places than `rich_text`.
    fn void(&mut self, form: Form) -> Content {
        let (kind, payload) = match form {
            Form::Code => {
                let caption = if self.rng.chance(50) { self.rich_text() } else { json!([]) };
                let language = LANGUAGES[self.rng.below(LANGUAGES.len())];
                ("code", json!({"rich_text": self.literal(), "language": language, "caption": caption}))
            }
            Form::Equation => ("equation", json!({"expression": self.expression()})),
            Form::Divider => ("divider", json!({})),
            Form::Breadcrumb => ("breadcrumb", json!({})),
            Form::Contents => ("table_of_contents", json!({"color": self.color()})),
            Form::Copy => {
                let at = self.rng.below(self.originals.len() + 1);
                let name = self.originals.get(at).cloned().unwrap_or_else(|| "shared".to_owned());
                if self.is_synced {
                    return self.form(Form::Divider, 1);
                }
                ("synced_block", json!({"synced_from": {"type": "block_id", "block_id": {"ref": name}}}))
            }
            Form::LinkTo(kind) => ("link_to_page", self.link_to(kind)),
            Form::Bookmark => ("bookmark", json!({"url": self.address(), "caption": self.caption()})),
            Form::Embed => {
                ("embed", json!({"url": "https://maps.example/embed?x=1&y=2", "caption": self.caption()}))
            }
            Form::LinkPreview(url) => ("link_preview", json!({ "url": url })),
            Form::External(kind) => {
                let mut payload = json!({"caption": self.caption(), "type": "external",
                    "external": {"url": format!("https://media.example/{kind}/one%20file.bin?size=l")}});
                if kind == "file" {
                    payload["name"] = json!("one file.bin");
                }
                (kind, payload)
            }
            Form::Hosted(kind) => {
                let file = self.file(kind);
                let mut payload = json!({"caption": self.caption(), "type": "file", "file": {"ref": file}});
                if kind == "file" {
                    payload["name"] = json!(file);
                }
                (kind, payload)
            }
            Form::BareMeeting => {
                ("meeting_notes", json!({"title": self.rich_text(), "status": "transcription_not_started"}))
            }
            Form::Unsupported(kind) => ("unsupported", json!({ "block_type": kind })),
            _ => ("divider", json!({})),
        };
        block(kind, payload, Vec::new())
    }

    fn caption(&mut self) -> Value {
        if self.rng.chance(70) { self.rich_text() } else { json!([]) }
    }

    fn link_to(&mut self, kind: &str) -> Value {
        let page = json!({"ref": self.some_page()});
        match (kind, self.some_database()) {
            ("database_id", Some(name)) => json!({"type": "database_id", "database_id": {"ref": name}}),
            ("comment_id", _) => {
                json!({"type": "comment_id", "comment_id": self.ids.seal(Space::Comment, 0, 0)})
            }
            _ => json!({"type": "page_id", "page_id": page}),
        }
    }

    fn table(&mut self, column_header: bool, row_header: bool) -> Content {
        let width = self.rng.between(1, 4);
        let rows = (0..self.rng.between(1, 4)).map(|_| {
            let cells: Vec<Value> = (0..width)
                .map(|_| match self.rng.below(4) {
                    0 => json!([]),
                    1 => self.label(),
                    _ => self.rich_text(),
                })
                .collect();
            block("table_row", json!({ "cells": cells }), Vec::new())
        });
        let rows = rows.collect();
        let payload =
            json!({"table_width": width, "has_column_header": column_header, "has_row_header": row_header});
        block("table", payload, rows)
    }
}
