//! Writes what answers and failures change.

use std::sync::Arc;

use jiff::Timestamp;

use super::advice::advise;
use super::driver::{CrawlError, Crawler};
use super::plan::{Verdict, plan_read};
use super::snapshot::{finish, source_of};
use super::step::{Outcome, Transition, step};
use crate::model::NotionId;
use crate::render::RENDERER_VERSION;
use crate::store::{
    AlertLevel, BodyForm, BodySource, Crawl, NewTask, Proof, StoreError, StoredPart, Task, TaskKind,
};

impl Crawler {
    /// One answer: rendering what it completes, then one transaction.
    pub(super) fn apply(
        &self,
        crawl: &Crawl,
        task: &Task,
        outcome: Outcome,
        asked_at: Timestamp,
    ) -> Result<(), StoreError> {
        match step(task, outcome, self.workspace) {
            Transition::People(people, next) => {
                self.store.save_people(self.workspace, &people)?;
                self.store.finish_task(task, next.as_deref(), &[])
            }
            Transition::Discovery(discovery, next) => self.store.save_discovery(
                crawl,
                task,
                next.as_deref(),
                &discovery,
                self.runtime.now(),
                |listed, stored| plan_read(crawl.scope, listed, stored, RENDERER_VERSION),
            ),
            Transition::Body { form, answer, next_cursor, further } => {
                self.apply_body(crawl, task, form, answer, next_cursor.as_deref(), &further, asked_at)
            }
            Transition::Home { object, home } => self.store.save_home(crawl, task, object, home),
            Transition::Done(follow_up) => self.store.finish_task(task, None, &follow_up),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one answer, spelled out")]
    fn apply_body(
        &self,
        crawl: &Crawl,
        task: &Task,
        form: Option<BodyForm>,
        answer: String,
        next_cursor: Option<&str>,
        further: &[NewTask],
        asked_at: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(page) = task.page else { return self.store.finish_task(task, None, &[]) };
        // Nearly every page is complete with its first answer; then nothing needs to be set aside.
        let whole = task.kind == TaskKind::ReadBody
            && task.cursor.is_none()
            && next_cursor.is_none()
            && further.is_empty();
        let body = if whole {
            Some(BodySource { parts: vec![StoredPart { part: page, form, answers: vec![answer] }] })
        } else {
            let parts = self.store.save_body_part(task, form, &answer, next_cursor, further)?;
            parts.map(|parts| source_of(page, parts))
        };
        let Some(body) = body else { return Ok(()) };
        let Some(row) = self.store.load_item(crawl.connector, page)? else {
            return self.store.finish_task(task, None, &[]);
        };
        match finish(&row, Some(&body), self.workspace) {
            Some(finished) => {
                self.store.save_page(crawl, &finished, Some((task, &body, asked_at)), self.runtime.now())
            }
            None => self.store.fail_task(crawl, task, UNREADABLE_OBJECT, self.runtime.now()),
        }
    }

    /// Does what was decided about a failure.
    pub(super) async fn carry_out(
        self: &Arc<Self>,
        crawl: &Crawl,
        task: &Task,
        verdict: Verdict,
        error: notion_api::Error,
        out_of_patience: bool,
    ) -> Result<(), CrawlError> {
        let now = self.runtime.now();
        let (at, message) = (crawl.clone(), error.to_string());
        let one = task.clone();
        match verdict {
            Verdict::Stop => Err(stopped(error)),
            Verdict::Retry { .. } if out_of_patience => Err(stopped(error)),
            Verdict::Retry { after, counted } => {
                Ok(self.blocking(move |crawler| crawler.store.retry_task(&one, now + after, counted)).await?)
            }
            Verdict::Instead(others) => {
                Ok(self.blocking(move |crawler| crawler.store.replace_task(&one, &others)).await?)
            }
            Verdict::Restart => Ok(self.blocking(move |crawler| crawler.store.restart_task(&one)).await?),
            Verdict::Gone(proof) => self.gone(crawl, task, proof).await,
            Verdict::Fail => Ok(self.blocking(move |crawler| crawler.fail(&at, &one, &message, now)).await?),
        }
    }

    fn fail(&self, crawl: &Crawl, task: &Task, message: &str, now: Timestamp) -> Result<(), StoreError> {
        if task.kind == TaskKind::ListUsers {
            let advice = format!("the names of people are not known: {message}");
            self.store.add_alert(crawl.id, AlertLevel::Warning, "list_users", None, &advice, now)?;
            return self.store.finish_task(task, None, &[]);
        }
        if is_part(task) {
            // Partial content beats none: the page is indexed without this part, with a warning.
            return self.apply_body(crawl, task, None, String::new(), None, &[], now);
        }
        self.store.fail_task(crawl, task, message, now)
    }

    /// Notion says 404: for most requests that only means that there is nothing to read.
    async fn gone(self: &Arc<Self>, crawl: &Crawl, task: &Task, proof: Proof) -> Result<(), CrawlError> {
        let (at, one, now) = (crawl.clone(), task.clone(), self.runtime.now());
        match (task.kind, task.target) {
            (TaskKind::Verify, Some(object)) => Ok(self
                .blocking(move |crawler| crawler.store.save_vanished(&at, &one, object, proof))
                .await?),
            (TaskKind::ReadPart | TaskKind::ReadBlock | TaskKind::ReadChildren, _) if is_part(task) => {
                let write =
                    move |crawler: &Self| crawler.apply_body(&at, &one, None, String::new(), None, &[], now);
                Ok(self.blocking(write).await?)
            }
            (TaskKind::ReadBody | TaskKind::ReadPart | TaskKind::ReadBlock | TaskKind::ReadChildren, _) => {
                match task.page {
                    Some(page) => self.body_is_missing(crawl, task, page).await,
                    None => {
                        Ok(self.blocking(move |crawler| crawler.store.finish_task(&one, None, &[])).await?)
                    }
                }
            }
            _ => Ok(self.blocking(move |crawler| crawler.store.finish_task(&one, None, &[])).await?),
        }
    }

    /// A listed page has no body: either it vanished since, which its own endpoint says, or only this way to it fails.
    async fn body_is_missing(
        self: &Arc<Self>,
        crawl: &Crawl,
        task: &Task,
        page: NotionId,
    ) -> Result<(), CrawlError> {
        let (at, one, now) = (crawl.clone(), task.clone(), self.runtime.now());
        let vanished = match self.client.fetch_page(page.0).await {
            Ok(answer) if answer.value.in_trash => Some(Proof::Trashed),
            Ok(_) => None,
            Err(error) if matches!(error.class(), notion_api::Class::NotFound) => Some(Proof::NotFound),
            Err(_) => {
                let retry =
                    move |crawler: &Self| crawler.store.retry_task(&one, now + super::plan::PAUSE, true);
                return Ok(self.blocking(retry).await?);
            }
        };
        Ok(self
            .blocking(move |crawler| match (vanished, one.kind) {
                (Some(proof), _) => crawler.store.save_vanished(&at, &one, page, proof),
                (None, TaskKind::ReadBody) => {
                    crawler.store.replace_task(&one, &[NewTask::for_page(TaskKind::ReadChildren, page, page)])
                }
                (None, _) => crawler.store.fail_task(&at, &one, MISSING_BODY, now),
            })
            .await?)
    }
}

const UNREADABLE_OBJECT: &str =
    "the object that Notion listed could not be understood; run the crawl again, and report it if it stays";
const MISSING_BODY: &str = "Notion lists the page and answers 404 for its content; open the page in Notion, then run the crawl again";

fn is_part(task: &Task) -> bool {
    matches!(task.kind, TaskKind::ReadPart | TaskKind::ReadBlock | TaskKind::ReadChildren)
        && task.target != task.page
}

fn stopped(error: notion_api::Error) -> CrawlError {
    CrawlError::Stopped { advice: advise(&error), source: Box::new(error) }
}
