//! Parts of a page: answers that belong together and take several requests. The body, what it withholds, properties too
//! long for the page object, comments.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::tasks::{add, finish};
use super::{CrawlId, Millis, NewTask, Packed, Result, Store, StoreError, Task, named_enum};
use crate::model::NotionId;

named_enum! {
    /// What an answer is made of.
    pub enum AnswerForm {
        /// Notion's "enhanced markdown".
        MarkdownV1 = "markdown_v1",
        /// "Notion-flavored Markdown".
        MarkdownV2 = "markdown_v2",
        /// The block lists of `GET /blocks/{id}/children`.
        Blocks = "blocks",
        /// The lists of `GET /pages/{id}/properties/{id}`.
        PropertyItems = "property_items",
        /// The lists of `GET /comments`.
        Comments = "comments",
    }
}

/// Which part of a page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum PartKey {
    /// The body below a block; the page's own id stands for all of it.
    Block(NotionId),
    /// A property, by its id.
    Property(String),
    /// The comments on the page or on a block.
    Comments(NotionId),
}

impl fmt::Display for PartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(id) => id.0.simple().fmt(f),
            Self::Property(id) => write!(f, "property:{id}"),
            Self::Comments(id) => write!(f, "comments:{}", id.0.simple()),
        }
    }
}

impl FromStr for PartKey {
    type Err = uuid::Error;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let id = |text: &str| Uuid::try_parse(text).map(NotionId);
        match text.split_once(':') {
            Some(("property", property)) => Ok(Self::Property(property.to_owned())),
            Some(("comments", block)) => id(block).map(Self::Comments),
            _ => id(text).map(Self::Block),
        }
    }
}

impl From<PartKey> for String {
    fn from(key: PartKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for PartKey {
    type Error = uuid::Error;

    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        text.parse()
    }
}

/// One part of a page with its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which.
    #[serde(rename = "part")]
    pub key: PartKey,
    /// None where there is no answer.
    pub form: Option<AnswerForm>,
    /// Whether it may be had another time: it failed, instead of not being there for us.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// The answers, in order.
    pub answers: Vec<String>,
}

/// A page as it was read, beside the page object itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageSource {
    /// Its parts; the first of those in a form of a body is the page's own.
    pub parts: Vec<Part>,
}

/// One answer towards a page.
#[derive(Debug, Clone)]
pub struct PartAnswer {
    /// Its form; none where there is no answer.
    pub form: Option<AnswerForm>,
    /// Whether there is none because asking failed.
    pub failed: bool,
    /// The answer.
    pub text: String,
    /// Where this part goes on.
    pub next_cursor: Option<String>,
    /// Parts that the answer shows to be missing.
    pub further: Vec<NewTask>,
    /// When it was asked for.
    pub asked: Timestamp,
}

impl PartAnswer {
    /// No answer: what was asked for is not there for us, or asking `failed`.
    pub fn none(failed: bool, asked: Timestamp) -> Self {
        Self { form: None, failed, text: String::new(), next_cursor: None, further: Vec::new(), asked }
    }
}

impl Store {
    /// Saves one answer towards a page and, when it was the last one missing, returns all of them with the time when the
    /// first was asked for; then the task stays claimed until the page is saved with [`Store::save_page`].
    ///
    /// # Errors
    /// When the database cannot be written, or the task is not claimed.
    pub fn save_part(&self, task: &Task, answer: &PartAnswer) -> Result<Option<(Vec<Part>, Timestamp)>> {
        let (Some(page), Some(part)) = (task.page, task.part()) else { return Ok(None) };
        self.try_write(|tx| {
            let save = || {
                let held: bool = tx
                    .prepare_cached(
                        "SELECT 1 FROM tasks WHERE id = ?1 AND state = 'claimed' AND cursor IS ?2",
                    )?
                    .exists(params![task.id.0, task.cursor])?;
                if !held {
                    return Ok(None);
                }
                save_slice(tx, task.crawl, page, &part, answer)?;
                for new in &answer.further {
                    add_further(tx, task.crawl, page, new)?;
                }
                let others: bool = tx
                    .prepare_cached("SELECT 1 FROM tasks WHERE crawl = ?1 AND page = ?2 AND id <> ?3")?
                    .exists(params![task.crawl.0, page, task.id.0])?;
                if answer.next_cursor.is_some() || others {
                    finish(tx, task, answer.next_cursor.as_deref())?;
                    return Ok(Some(None));
                }
                load_parts(tx, task.crawl, page).map(|parts| Some(Some(parts)))
            };
            save().map_err(|source| self.sqlite(source))?.ok_or(StoreError::StaleTask(task.id.0))
        })
    }
}

/// The row is the mark that keeps a cycle (a synced block inside its own copy) from running for ever.
fn add_further(tx: &Transaction<'_>, crawl: CrawlId, page: NotionId, new: &NewTask) -> rusqlite::Result<()> {
    let Some(part) = new.part() else { return Ok(()) };
    let fresh = tx
        .prepare_cached(
            "INSERT INTO parts (crawl, page, part, slice) VALUES (?1, ?2, ?3, 0) ON CONFLICT DO NOTHING",
        )?
        .execute(params![crawl.0, page, part.to_string()])?;
    if fresh == 1 { add(tx, crawl, new) } else { Ok(()) }
}

fn save_slice(
    tx: &Transaction<'_>,
    crawl: CrawlId,
    page: NotionId,
    part: &PartKey,
    answer: &PartAnswer,
) -> rusqlite::Result<()> {
    let part = part.to_string();
    let slice: i64 = tx
        .prepare_cached(
            "SELECT coalesce(max(slice), -1) + 1 FROM parts WHERE crawl = ?1 AND page = ?2 AND part = ?3 AND form IS NOT NULL",
        )?
        .query_row(params![crawl.0, page, part], |row| row.get(0))?;
    let none = if answer.failed { "failed" } else { "unreadable" };
    let form = answer.form.map_or(none, AnswerForm::as_str);
    tx.prepare_cached(
        "INSERT INTO parts (crawl, page, part, slice, form, answer, asked) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET form = excluded.form, answer = excluded.answer, asked = excluded.asked",
    )?
    .execute(params![crawl.0, page, part, slice, form, Packed(answer.text.clone()), Millis(answer.asked)])
    .map(|_| ())
}

fn load_parts(
    tx: &Transaction<'_>,
    crawl: CrawlId,
    page: NotionId,
) -> rusqlite::Result<(Vec<Part>, Timestamp)> {
    let mut parts: Vec<Part> = Vec::new();
    let mut first_asked = Timestamp::MAX;
    let mut select = tx.prepare_cached(
        "SELECT part, form, answer, asked FROM parts WHERE crawl = ?1 AND page = ?2 AND form IS NOT NULL ORDER BY part, slice",
    )?;
    let mut rows = select.query(params![crawl.0, page])?;
    while let Some(row) = rows.next()? {
        let (key, form, answer): (String, String, Packed) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let key: PartKey = key.parse().map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
        })?;
        first_asked = first_asked.min(row.get::<_, Millis>(3)?.0);
        let failed = form == "failed";
        match parts.last_mut() {
            Some(last) if last.key == key => {
                last.failed |= failed;
                last.answers.push(answer.0);
            }
            _ => parts.push(Part { key, form: form.parse().ok(), failed, answers: vec![answer.0] }),
        }
    }
    Ok((parts, first_asked))
}

/// Drops what was read of a part, and keeps the mark that it is asked for.
pub(super) fn forget_answers(tx: &Transaction<'_>, task: &Task) -> rusqlite::Result<()> {
    let (Some(page), Some(part)) = (task.page, task.part()) else { return Ok(()) };
    let part = part.to_string();
    tx.prepare_cached("DELETE FROM parts WHERE crawl = ?1 AND page = ?2 AND part = ?3")?.execute(params![
        task.crawl.0,
        page,
        part
    ])?;
    tx.prepare_cached("INSERT INTO parts (crawl, page, part, slice) VALUES (?1, ?2, ?3, 0)")?
        .execute(params![task.crawl.0, page, part])
        .map(|_| ())
}

pub(super) fn drop_parts(tx: &Transaction<'_>, crawl: CrawlId, page: NotionId) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM parts WHERE crawl = ?1 AND page = ?2")?
        .execute(params![crawl.0, page])
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_parts_are_read_back_as_they_were_written() {
        let id = NotionId(Uuid::from_u128(0xABC));
        for key in [
            PartKey::Block(id),
            PartKey::Comments(id),
            PartKey::Property("%3FB%3AW".to_owned()),
            PartKey::Property("a:b".to_owned()),
        ] {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        assert_eq!(id.to_string().parse(), Ok(PartKey::Block(id)));
    }
}
