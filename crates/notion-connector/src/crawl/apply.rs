//! Writes what answers and failures change.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use super::advice::advise;
use super::driver::{CrawlError, Crawler};
use super::files::FilePolicy;
use super::plan::{ATTEMPTS, PAUSE, Verdict, another_way, plan_read};
use super::snapshot::{finish, source_of};
use super::step::{Context, Outcome, Transition, cut_search, step};
use super::sweep::Sweep;
use crate::config::BodyChoice;
use crate::model::NotionId;
use crate::render::RENDERER_VERSION;
use crate::store::{
    Admission, AlertScope, Crawl, Listed, NewAlert, NewTask, PageRead, Part, PartAnswer, PartKey,
    PlaceDetail, Proof, ReadPlan, Scope, StoreError, Stored, Task, TaskKind,
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
        let hosts = self.files.as_ref().map(|files| files.config.test_hosts.as_slice()).unwrap_or_default();
        let context = Context { workspace: self.workspace, settings: &self.settings, asked: asked_at, hosts };
        match step(task, outcome, context) {
            Transition::People(people, next) if crawl.scope == Scope::People => {
                self.store.save_met_users(self.workspace, task, &people, next.as_deref())
            }
            Transition::People(people, next) => {
                self.store.save_people(self.workspace, &people)?;
                self.store.finish_task(task, next.as_deref(), &[])
            }
            Transition::Discovery(mut discovery, next) => {
                let policy = self.file_policy();
                discovery.admission = Admission {
                    filtered: !self.filters.is_empty(),
                    limit: self.settings.item_limit,
                    files: policy.as_ref().map(FilePolicy::reading).unwrap_or_default(),
                };
                self.store.save_discovery(
                    crawl,
                    task,
                    next.as_deref(),
                    &discovery,
                    self.runtime.now(),
                    |listed, stored, files| {
                        let scope = if task.is_hint() { Scope::Events } else { crawl.scope };
                        // Edits through the API were reported to leave the stamp as it was (dvanoni/notero, issue 571).
                        let forget = |stored| Stored { body: None, ..stored };
                        let stored = if task.reads_anyway() { stored.map(forget) } else { stored };
                        let wanted = |policy: &FilePolicy<'_>| {
                            files.iter().any(|file| policy.unwanted(file).is_none())
                        };
                        let has_due_files = policy.as_ref().is_some_and(wanted);
                        let read_again = |stored| Stored { failed: true, ..stored };
                        let stored = if has_due_files { stored.map(read_again) } else { stored };
                        plan_read(scope, self.settings.comments, listed, stored, RENDERER_VERSION)
                    },
                )
            }
            Transition::Part(answer) => self.apply_part(crawl, task, answer),
            Transition::Instead(others) => self.store.replace_task(task, &others),
            Transition::RowCount(total) => {
                // A view shows no archived rows, and they are among those that were listed.
                let total = total.filter(|_| !self.settings.archived);
                self.store.save_row_count(crawl, task, total, self.runtime.now())
            }
            Transition::Home { object, home } => self.store.save_home(crawl, task, object, home),
            Transition::Done(follow_up) => self.store.finish_task(task, None, &follow_up),
        }
    }

    fn apply_part(&self, crawl: &Crawl, task: &Task, answer: PartAnswer) -> Result<(), StoreError> {
        let (Some(page), Some(key)) = (task.page, task.part()) else {
            return self.store.finish_task(task, None, &[]);
        };
        // Nearly every page is complete with its first answer; then nothing needs to be set aside.
        let whole =
            task.alone && task.cursor.is_none() && answer.next_cursor.is_none() && answer.further.is_empty();
        let read = if whole {
            let part = Part { key, form: answer.form, failed: answer.failed, answers: vec![answer.text] };
            Some((vec![part], answer.asked))
        } else {
            self.store.save_part(task, &answer)?
        };
        let Some((parts, asked)) = read else { return Ok(()) };
        let Some(mut row) = self.store.load_item(crawl.connector, page)? else {
            return self.store.finish_task(task, None, &[]);
        };
        let (source, has_new_body) = source_of(page, parts, row.read.take());
        match finish(&row, Some(&source), self.workspace, self.file_policy().as_ref()) {
            Some(finished) => {
                let read = PageRead { task, source: &source, body_asked: has_new_body.then_some(asked) };
                self.store.save_page(crawl, &finished, Some(read), self.runtime.now())
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
            Verdict::Nothing => {
                Ok(self.blocking(move |crawler| crawler.store.finish_task(&one, None, &[])).await?)
            }
            Verdict::Absent => {
                Ok(self.blocking(move |crawler| crawler.store.save_absence(&at, &one)).await?)
            }
            Verdict::WithoutArchived => {
                let told = move |crawler: &Self| {
                    let alert = NewAlert::error(AlertScope::Items, "archived", NO_ARCHIVED);
                    crawler.store.add_alert(at.id, alert, now)?;
                    crawler.store.finish_task(&one, None, &[])
                };
                Ok(self.blocking(told).await?)
            }
            Verdict::WithoutComments => {
                let told = self.refused.comments.swap(true, Ordering::Relaxed);
                Ok(self.blocking(move |crawler| crawler.without_comments(&at, &one, told, now)).await?)
            }
            Verdict::WithoutDialect if message.contains("markdown_version") => {
                let told = self.refused.dialect.swap(true, Ordering::Relaxed);
                Ok(self.blocking(move |crawler| crawler.without_dialect(&at, &one, told, now)).await?)
            }
            Verdict::WithoutDialect => {
                let otherwise = another_way(task, BodyChoice::Auto);
                Box::pin(self.carry_out(crawl, task, otherwise, error, out_of_patience)).await
            }
            Verdict::Cut => Ok(self
                .blocking(move |crawler| {
                    let plan = |_: &Listed, _, _: &[PlaceDetail]| ReadPlan::Nothing;
                    crawler.store.save_discovery(&at, &one, None, &cut_search(&one), now, plan)
                })
                .await?),
            Verdict::Restart => {
                Ok(self.blocking(move |crawler| crawler.store.restart_task(&one, now)).await?)
            }
            Verdict::Gone(proof) => self.gone(crawl, task, proof).await,
            Verdict::Fail if is_part(task) && message.contains(UNSUPPORTED_TYPE) => {
                self.gone(crawl, task, Proof::NotFound).await
            }
            Verdict::Fail => Ok(self.blocking(move |crawler| crawler.fail(&at, &one, &message, now)).await?),
        }
    }

    fn fail(&self, crawl: &Crawl, task: &Task, message: &str, now: Timestamp) -> Result<(), StoreError> {
        if crawl.scope == Scope::People {
            return self.fail_user(crawl, task, message, now);
        }
        if task.kind == TaskKind::ListUsers {
            let advice = format!(
                "the names of people are not known: {message}; choose “Read user information” in the integration's settings in \
                 Notion, if it is not chosen"
            );
            let alert = NewAlert::warning(AlertScope::AllItems, "list_users", &advice);
            self.store.add_alert(crawl.id, alert, now)?;
            return self.store.finish_task(task, None, &[]);
        }
        if task.kind == TaskKind::CountRows {
            return self.store.save_row_count(crawl, task, None, now);
        }
        if task.kind == TaskKind::Search && Sweep::of(task.detail.as_deref()).trash {
            let advice = format!(
                "the trash could not be listed, the next full crawl finds what lies there: {message}"
            );
            let alert = NewAlert::warning(AlertScope::Items, "trash", &advice);
            self.store.add_alert(crawl.id, alert, now)?;
            return self.store.finish_task(task, None, &[]);
        }
        if is_part(task) {
            // Partial content beats none: the page is indexed without this part, and read again by the next crawl.
            let message = format!(
                "a part of the page could not be read, the rest is indexed, and the next crawl reads it again: {message}"
            );
            let alert = NewAlert::error(AlertScope::Item, "part", &message).about(task.page);
            self.store.add_alert(crawl.id, alert, now)?;
            return self.apply_part(crawl, task, PartAnswer::none(true, now));
        }
        self.store.fail_task(crawl, task, message, now)
    }

    /// The integration may not read comments: says so once, and goes on without.
    pub(super) fn without_comments(
        &self,
        crawl: &Crawl,
        task: &Task,
        told: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if !told {
            let alert = NewAlert::error(AlertScope::AllItems, "read_comments", NO_COMMENTS);
            self.store.add_alert(crawl.id, alert, now)?;
        }
        self.apply_part(crawl, task, PartAnswer::none(false, now))
    }

    fn without_dialect(
        &self,
        crawl: &Crawl,
        task: &Task,
        told: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if !told {
            let alert = NewAlert::warning(AlertScope::AllItems, "dialect", NO_DIALECT);
            self.store.add_alert(crawl.id, alert, now)?;
        }
        self.store.retry_task(task, now, false)
    }

    /// Notion says 404: for most requests that only means that there is nothing to read.
    async fn gone(self: &Arc<Self>, crawl: &Crawl, task: &Task, proof: Proof) -> Result<(), CrawlError> {
        let (at, one, now) = (crawl.clone(), task.clone(), self.runtime.now());
        match (task.kind, task.target) {
            (TaskKind::ReadUser, Some(user)) => {
                let gone = move |crawler: &Self| crawler.store.save_gone_user(&at, &one, user, now);
                Ok(self.blocking(gone).await?)
            }
            (TaskKind::CountRows, _) => {
                Ok(self.blocking(move |crawler| crawler.store.save_row_count(&at, &one, None, now)).await?)
            }
            (
                TaskKind::Verify | TaskKind::ReadPage | TaskKind::ReadDatabase | TaskKind::ReadDataSource,
                Some(object),
            ) => Ok(self
                .blocking(move |crawler| crawler.store.save_vanished(&at, &one, object, proof))
                .await?),
            _ if is_part(task) => self.part_is_missing(crawl, task).await,
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

    /// A part that is not there is left out for good, unless its page went meanwhile: what comes back later comes back whole.
    async fn part_is_missing(self: &Arc<Self>, crawl: &Crawl, task: &Task) -> Result<(), CrawlError> {
        let vanished = match task.page {
            Some(page) => self.find_departure(page).await,
            None => Ok(None),
        };
        let (at, one, now) = (crawl.clone(), task.clone(), self.runtime.now());
        Ok(self
            .blocking(move |crawler| match (vanished, one.page) {
                (Ok(Some(proof)), Some(page)) => crawler.store.save_vanished(&at, &one, page, proof),
                (Ok(_), _) => crawler.apply_part(&at, &one, PartAnswer::none(false, now)),
                (Err(error), _) if one.attempts >= ATTEMPTS => {
                    crawler.fail(&at, &one, &error.to_string(), now)
                }
                (Err(_), _) => crawler.store.retry_task(&one, now + PAUSE, true),
            })
            .await?)
    }

    /// Whether a page that was listed is gone since: its own endpoint says so.
    pub(super) async fn find_departure(&self, page: NotionId) -> Result<Option<Proof>, notion_api::Error> {
        match self.client.fetch_page(page.0).await {
            Ok(answer) => Ok(answer.value.in_trash.then_some(Proof::Trashed)),
            Err(error) if matches!(error.class(), notion_api::Class::NotFound) => Ok(Some(Proof::NotFound)),
            Err(error) => Err(error),
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
        let vanished = match self.find_departure(page).await {
            Ok(vanished) => vanished,
            Err(_) if task.attempts >= ATTEMPTS => {
                return Ok(self.blocking(move |crawler| crawler.fail(&at, &one, MISSING_BODY, now)).await?);
            }
            Err(_) => {
                let retry = move |crawler: &Self| crawler.store.retry_task(&one, now + PAUSE, true);
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

/// How children of a block whose type the API does not know are refused (observed: elastic/connectors, issue 2306).
const UNSUPPORTED_TYPE: &str = "is not supported via the API";
const UNREADABLE_OBJECT: &str =
    "the object that Notion listed could not be understood; run the crawl again, and report it if it stays";
const MISSING_BODY: &str = "Notion lists the page and answers 404 for its content; open the page in Notion, then run the crawl again";

const NO_COMMENTS: &str = "the integration may not read comments: choose “Read comments” in its settings in Notion, or set \
    crawl.comments = \"off\"; pages keep the comments that were read before";
const NO_ARCHIVED: &str = "Notion does not list archived rows here: they are indexed only as far as search names them; set \
    crawl.archived = false";
const NO_DIALECT: &str = "Notion refuses the dialect of Markdown that notion.body asks for: bodies are read in the one that it \
    answers by itself; set notion.body = \"auto\"";

/// Whether the page can be indexed without the answer.
fn is_part(task: &Task) -> bool {
    task.part().is_some_and(|part| task.page.map(PartKey::Block) != Some(part))
}

fn stopped(error: notion_api::Error) -> CrawlError {
    CrawlError::Stopped { advice: advise(&error), source: Box::new(error) }
}
