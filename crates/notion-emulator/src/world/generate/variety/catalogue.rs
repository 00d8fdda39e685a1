//! One small page for each thing there is: for tests that must miss nothing, and for people who want to look.

use serde_json::{Map, Value, json};

use super::blocks::{Form, Holder, forms};
use super::text::{COLORS, INSIDE, LINE_STARTS, MENTIONS, SCRIPTS};
use super::{Author, rows};
use crate::seed::{BlockSeed, CommentSeed, Content, DataSourceSeed, DatabaseSeed, PageSeed};

/// Icons and covers; the empty one is none.
pub(super) const ICONS: [&str; 6] = ["", "emoji", "external", "file", "custom_emoji", "icon"];
pub(super) const COVERS: [&str; 3] = ["", "external", "file"];

const ATTACHMENTS: [(&str, &str); 5] = [
    ("audio", "memo.mp3"),
    ("image", "drawing.png"),
    ("pdf", "report (final).pdf"),
    ("productivity", "Größe & Maß.txt"),
    ("video", "clip.mp4"),
];

fn paragraph(items: &Value) -> Content {
    Content::Block(BlockSeed {
        kind: "paragraph".to_owned(),
        payload: json!({ "rich_text": items }),
        ..BlockSeed::default()
    })
}

fn text(content: &str) -> Value {
    json!({"text": {"content": content}})
}

/// What the page of a form is called.
fn title(form: Form) -> String {
    let kind = |kind: &str, variant: &str| format!("{kind}: {variant}");
    match form {
        Form::Heading(level) => format!("heading_{level}"),
        Form::EmptyToggleHeading(level) => kind(&format!("heading_{level}"), "toggle without content"),
        Form::Numbers(format) => kind("numbered_list_item", format.unwrap_or("without format")),
        Form::Task(checked) => kind("to_do", if checked { "done" } else { "open" }),
        Form::Table { column_header, row_header } => {
            kind("table", &format!("column header {column_header}, row header {row_header}"))
        }
        Form::LinkTo(target) => kind("link_to_page", target),
        Form::LinkPreview(url) => kind("link_preview", url),
        Form::External(media) => kind(media, "elsewhere"),
        Form::Hosted(media) => kind(media, "hosted by Notion"),
        Form::Unsupported(what) => kind("unsupported", what),
        Form::Copy => kind("synced_block", "copy"),
        Form::BareMeeting => kind("meeting_notes", "not started"),
        Form::Holder(holder) => match holder {
            Holder::Text(holder) => kind(holder, "with nested blocks"),
            Holder::ToggleHeading(level) => kind(&format!("heading_{level}"), "toggle"),
            Holder::Callout { with_text: true } => kind("callout", "with nested blocks"),
            Holder::Callout { with_text: false } => kind("callout", "text in nested blocks only"),
            Holder::Columns => "column_list".to_owned(),
            Holder::Tabs => "tab".to_owned(),
            Holder::Synced => kind("synced_block", "original"),
            Holder::Template => kind("template", "with nested blocks"),
            Holder::Meeting => "meeting_notes".to_owned(),
        },
        plain => format!("{plain:?}"),
    }
}

impl Author<'_> {
    /// The catalogue's pages. The first is called as other worlds call their first page, the database likewise, so that
    /// mentions and links lead somewhere.
    pub(super) fn catalogue(&mut self) -> Vec<Content> {
        self.is_tame = true;
        let shared = self.shared();
        let sections = vec![
            self.section("Blocks", Self::block_pages),
            self.section("Text", Self::text_pages),
            self.section("Icons and covers", Self::icon_pages),
            self.section("Comments", |author| vec![author.commented()]),
            self.section("Databases", Self::databases),
        ];
        let body = sections.into_iter().chain([shared]).collect();
        let root = self.entry("Catalogue", body);
        vec![Content::Page(PageSeed { name: Some(super::page_name(0)), ..root })]
    }

    fn section(&mut self, title: &str, pages: impl FnOnce(&mut Self) -> Vec<Content>) -> Content {
        let pages = pages(self);
        Content::Page(self.entry(title, pages))
    }

    /// A page with the markers that were given out since the page before.
    fn entry(&mut self, title: &str, body: Vec<Content>) -> PageSeed {
        let markers = std::mem::take(&mut self.markers);
        PageSeed { title: title.to_owned(), body, markers, ..PageSeed::default() }
    }

    fn block_pages(&mut self) -> Vec<Content> {
        let page = |form: Form| {
            let block = match form {
                Form::Holder(holder) => self.hold(holder, 3, |author, _| {
                    vec![author.form(Form::Paragraph, 1), author.form(Form::Bullet, 1)]
                }),
                other => self.form(other, 2),
            };
            Content::Page(self.entry(&title(form), vec![block]))
        };
        let mut pages: Vec<Content> = forms().into_iter().map(page).collect();
        let colored = |color: &&str| {
            let payload = json!({"rich_text": [text(color)], "color": color});
            Content::Block(BlockSeed { kind: "paragraph".to_owned(), payload, ..BlockSeed::default() })
        };
        pages.extend(self.markdown_pages());
        pages.push(Content::Page(self.entry("Colours of blocks", COLORS.iter().map(colored).collect())));
        pages
    }

    /// Types that the second dialect has a form for; by blocks they are `unsupported`, so no marker word stands in them.
    fn markdown_pages(&mut self) -> Vec<Content> {
        self.is_shared = true;
        let reports = vec![Content::Page(self.entry("Report in a folder", Vec::new()))];
        let mail = vec![self.form(Form::Paragraph, 1)];
        let (subject, issue) = (self.label(), self.label());
        self.is_shared = false;
        let kinds = [
            ("folder", json!({"title": "Reports"}), reports),
            ("mail", json!({"url": "https://mail.example/7", "rich_text": subject}), mail),
            ("custom_block", json!({"definition_id": "chart"}), Vec::new()),
            ("external_object_instance", json!({"integration": "github", "rich_text": issue}), Vec::new()),
        ];
        let page = |(kind, payload, children): (&str, Value, Vec<Content>)| {
            let block = BlockSeed { name: None, kind: kind.to_owned(), payload, children };
            Content::Page(self.entry(&format!("{kind}: in markdown only"), vec![Content::Block(block)]))
        };
        kinds.into_iter().map(page).collect()
    }

    fn text_pages(&mut self) -> Vec<Content> {
        let mut pages = Vec::new();
        for which in MENTIONS {
            let item = self.mention(which);
            let body =
                vec![paragraph(&json!([text("Before "), item, text(&format!(" after{}", self.marker()))]))];
            pages.push(Content::Page(self.entry(&format!("mention: {which:?}"), body)));
        }
        let marks = ["bold", "italic", "strikethrough", "underline", "code"];
        let marked =
            |mark: &&str| json!({"text": {"content": format!("{mark} ")}, "annotations": {*mark: true}});
        let colored =
            |color: &&str| json!({"text": {"content": format!("{color} ")}, "annotations": {"color": color}});
        let lines =
            |texts: &[&str]| texts.iter().map(|line| paragraph(&json!([text(line)]))).collect::<Vec<_>>();
        let link = json!([{"text": {"content": "works", "link": {"url": "https://works.example/wiki"}}}]);
        let equation = json!([text("Inline "), {"type": "equation", "equation": {"expression": "E = mc^2"}}]);
        for (title, body) in [
            ("marks", vec![paragraph(&marks.iter().map(marked).collect())]),
            ("colours", vec![paragraph(&COLORS.iter().map(colored).collect())]),
            ("link", vec![paragraph(&link)]),
            ("equation in text", vec![paragraph(&equation)]),
            ("line breaks", lines(&["One line\nanother line\n\nafter an empty one"])),
            ("other scripts", lines(&SCRIPTS)),
            ("markup at the start of lines", lines(&LINE_STARTS)),
            ("markup inside lines", lines(&INSIDE)),
        ] {
            pages.push(Content::Page(self.entry(title, body)));
        }
        let title = json!([
            text("A title with "),
            self.mention(MENTIONS[0]),
            text(" and "),
            self.mention(MENTIONS[3])
        ]);
        pages.push(Content::Page(PageSeed { title_text: title, ..self.entry("", Vec::new()) }));
        pages.push(Content::Page(self.entry("", Vec::new())));
        pages
    }

    fn icon_pages(&mut self) -> Vec<Content> {
        let name = |what: &str, kind: &str| match kind {
            "" => format!("{what}: none"),
            kind => format!("{what}: {kind}"),
        };
        let icons = ICONS
            .map(|kind| PageSeed { icon: self.icon_of(kind), ..self.entry(&name("icon", kind), Vec::new()) });
        let covers = COVERS.map(|kind| PageSeed {
            cover: self.cover_of(kind),
            ..self.entry(&name("cover", kind), Vec::new())
        });
        icons.into_iter().chain(covers).map(Content::Page).collect()
    }

    /// A page with comments on itself and on a block, under names of all kinds, with attachments of all kinds.
    fn commented(&mut self) -> Content {
        let block = self.form(Form::Paragraph, 1);
        let block = match block {
            Content::Block(block) => {
                Content::Block(BlockSeed { name: Some("commented".to_owned()), ..block })
            }
            other => other,
        };
        let of_page = std::mem::take(&mut self.markers);
        let mut says = |words: &str| {
            let rich_text = json!([text(&format!("{words}{}", self.marker()))]);
            CommentSeed { rich_text, markers: std::mem::take(&mut self.markers), ..CommentSeed::default() }
        };
        let threaded =
            |comment: CommentSeed| CommentSeed { discussion: Some("thread".to_owned()), ..comment };
        let shown_as = |kind: &str, name: &str, comment: CommentSeed| CommentSeed {
            display_name: json!({"type": kind, "resolved_name": name}),
            ..comment
        };
        let attachments: Vec<Value> = ATTACHMENTS
            .iter()
            .map(|(category, file)| json!({"category": category, "file": {"ref": file}}))
            .collect();
        let comments = vec![
            threaded(says("A question")),
            threaded(says("An answer")),
            CommentSeed { block: Some("commented".to_owned()), ..says("On a block") },
            CommentSeed { attachments: Value::from(attachments), ..says("With attachments") },
            shown_as("custom", "Survey desk", says("Under a name")),
            shown_as("integration", "Gauge bot", says("By a bot")),
        ];
        self.markers = of_page;
        Content::Page(PageSeed { comments, ..self.entry("A page with comments", vec![block]) })
    }

    /// A database with every type of property, one with two data sources, one inside its page, a linked view, a wiki.
    fn databases(&mut self) -> Vec<Content> {
        let table = super::table_name(0);
        let mates: Vec<String> = (1..=30).map(super::page_name).collect();
        let mut every = Vec::new();
        for number in 1..=4 {
            let properties = self.full(&mates);
            every.push(PageSeed { properties, ..self.entry(&format!("Every value, {number}"), Vec::new()) });
        }
        let empty = PageSeed { properties: rows::empty(), ..self.entry("No value", Vec::new()) };
        every.push(empty);
        every.extend(mates.iter().map(|name| PageSeed {
            name: Some(name.clone()),
            ..self.entry(&format!("Related {name}"), Vec::new())
        }));
        let plain = |title: &str, schema: Map<String, Value>, rows| DataSourceSeed {
            title: title.to_owned(),
            schema,
            rows,
            ..DataSourceSeed::default()
        };
        let database = |title: &str, data_sources| DatabaseSeed {
            title: title.to_owned(),
            data_sources,
            ..DatabaseSeed::default()
        };
        let source = DataSourceSeed {
            name: Some(table.clone()),
            ..plain("Every property", rows::schema(&table), every)
        };
        let every = DatabaseSeed {
            name: Some(super::database_name(0)),
            description: "Every type of property, full and empty".to_owned(),
            icon: self.icon_of("emoji"),
            cover: self.cover_of("external"),
            ..database("Every property", vec![source])
        };
        let two = database(
            "Two data sources",
            vec![plain("First", Map::new(), Vec::new()), plain("Second", Map::new(), Vec::new())],
        );
        let row = self.entry("Row", Vec::new());
        let inline = DatabaseSeed {
            is_inline: true,
            ..database("Inside the page", vec![plain("Inside the page", Map::new(), vec![row])])
        };
        let page = self.entry("Page of the wiki", Vec::new());
        let inner =
            database("Database of the wiki", vec![plain("Table of the wiki", Map::new(), Vec::new())]);
        let source = DataSourceSeed { databases: vec![inner], ..plain("Wiki", Map::new(), vec![page]) };
        let wiki = DatabaseSeed { is_wiki: true, ..database("Wiki", vec![source]) };
        let linked = database("Untitled", Vec::new());
        [every, two, inline, linked, wiki].map(Content::Database).to_vec()
    }
}
