//! The sample workspace: a small company that builds river gauges.
//!
//! Prose is Markdown in `content/`, read like any other folder; what Markdown cannot say (databases with relations,
//! toggles, columns, synced blocks, comments) is written in `databases.rs` and `launch.rs`. All people and companies are
//! invented; addresses end in `.example`.
//!
//! To add a page, put a file into `content/`; to add a row, a line into `databases.rs`.

mod databases;
mod launch;
mod pieces;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use include_dir::{Dir, include_dir};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use self::pieces::{comment, emoji};
use crate::files::FileContent;
use crate::import::import_embedded;
use crate::seed::{Content, FileSeed, Import, PageSeed};

static CONTENT: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/sample/content");

/// Files that databases and blocks refer to, beside those that Markdown shows.
const FILES: &[&str] = &[
    "Product/acceptance-report.pdf",
    "Product/calibration-record.docx",
    "Product/harbour-offer.csv",
    "Product/ice-map.html",
    "Product/img/mounting-notes.txt",
    "Product/launch-budget.xlsx",
    "Product/launch-talk.pptx",
    "Product/radar-chirp.wav",
    "Product/tide-tables.txt",
];

/// 2025-09-01T08:00:00Z, when the first page was written.
const FOUNDED_SECONDS: i64 = 1_756_713_600;

/// The sample workspace and its files.
#[must_use]
pub fn sample() -> Import {
    let mut import = import_embedded(&CONTENT);
    import.workspace.name = "Halden Brook".into();
    import.workspace.people = people();
    for path in FILES {
        if let Some(file) = CONTENT.get_file(path) {
            let name = path.rsplit('/').next().unwrap_or(path).to_owned();
            let content = FileContent::Bytes(Bytes::from_static(file.contents()));
            import.files.push(FileSeed { name, path: (*path).to_owned(), content });
        }
    }
    let roots = &mut import.workspace.roots;
    roots.push(Content::Page(databases::work()));
    roots.push(Content::Page(launch::page()));
    for root in roots.iter_mut() {
        if let Content::Page(page) = root {
            decorate(page);
        }
    }
    let mut written = 0;
    date(roots, &mut written);
    import
}

/// E-mail addresses of the people who are mentioned elsewhere.
mod email {
    pub(super) const INES: &str = "ines.duarte@halden-brook.example";
    pub(super) const TOMASZ: &str = "tomasz.wilk@halden-brook.example";
    pub(super) const YUKI: &str = "yuki.tanabe@halden-brook.example";
    pub(super) const JONAS: &str = "jonas.reuter@halden-brook.example";
    pub(super) const AMARA: &str = "amara.okafor@halden-brook.example";
    pub(super) const PRIYA: &str = "priya.raman@halden-brook.example";
    pub(super) const SOFIE: &str = "sofie.lindqvist@halden-brook.example";
    pub(super) const MATEO: &str = "mateo.ferrer@surveyors.example";
}

fn people() -> Vec<Value> {
    let member = |name: &str, email: &str| json!({"name": name, "email": email});
    vec![
        member("Ines Duarte", email::INES),
        member("Tomasz Wilk", email::TOMASZ),
        member("田辺 雪 (Yuki Tanabe)", email::YUKI),
        member("Jonas Reuter", email::JONAS),
        member("Amara Okafor", email::AMARA),
        member("Priya Raman", email::PRIYA),
        member("Sofie Lindqvist", email::SOFIE),
        json!({"name": "Mateo Ferrer", "email": email::MATEO, "guest": true}),
    ]
}

/// Icons of the top-level pages, and the discussions on pages that come from Markdown.
fn decorate(root: &mut PageSeed) {
    let icon = match root.title.as_str() {
        "Handbook" => "📗",
        "Engineering" => "🛠️",
        "Product" => "📐",
        "東京オフィス" => "🗼",
        "Standort Bremen" => "⚓",
        _ => return,
    };
    root.icon = emoji(icon);
    if let Some(page) = find(&mut root.body, "Engineering/Runbooks/incident-response.md") {
        page.comments = vec![
            comment(
                email::SOFIE,
                Some("ninety"),
                "Is ninety seconds still right for the satellite sites? They batch.",
            ),
            comment(
                email::JONAS,
                Some("ninety"),
                "No. For those look at the gateway lag instead; I will add a line.",
            ),
            comment(email::AMARA, None, "Please print the level table for the Bremen control room."),
        ];
    }
    if let Some(page) = find(&mut root.body, "Handbook/travel-and-expenses.md") {
        page.comments =
            vec![comment(email::PRIYA, None, "Does the allowance cover ferries to the Azores gateways?")];
    }
    if let Some(page) = find(&mut root.body, "Product/river-gauge-2.md") {
        let mut record = comment(email::TOMASZ, None, "The record of the towing basin is attached.");
        record.attachments =
            json!([{"category": "productivity", "file": {"ref": "Product/calibration-record.docx"}}]);
        page.comments = vec![record];
    }
}

fn find<'c>(contents: &'c mut [Content], name: &str) -> Option<&'c mut PageSeed> {
    for content in contents {
        let Content::Page(page) = content else { continue };
        if page.name.as_deref() == Some(name) {
            return Some(page);
        }
        if let Some(found) = find(&mut page.body, name) {
            return Some(found);
        }
    }
    None
}

/// Gives every page the time at which it might have been written: one after the other, some hours apart.
fn date(contents: &mut [Content], written: &mut i64) {
    for content in contents {
        match content {
            Content::Block(block) => date(&mut block.children, written),
            Content::Page(page) => date_page(page, written),
            Content::Database(database) => {
                for row in database.data_sources.iter_mut().flat_map(|source| &mut source.rows) {
                    date_page(row, written);
                }
            }
        }
    }
}

fn date_page(page: &mut PageSeed, written: &mut i64) {
    *written += 1;
    let founded = Timestamp::from_second(FOUNDED_SECONDS).unwrap_or_default();
    let created = founded.checked_add(SignedDuration::from_hours(*written * 31)).unwrap_or(founded);
    let edited = created.checked_add(SignedDuration::from_mins(*written * 977 % 90_000)).unwrap_or(created);
    page.created_time = Some(created);
    page.last_edited_time = Some(edited);
    date(&mut page.body, written);
}
