//! The request budget: spends what Notion allows in each window, to the last request, and next to nothing more.
//!
//! One [`Budget`] for each integration, keyed by its bot so that a replaced secret keeps it, and one for each
//! workspace, whose limit all of its integrations share (developers.notion.com "request-limits"). A request needs a
//! turn in both. [`Budgets`] hands them out; [`Pacing`] is what a client carries.
//!
//! Invariants: turns are given by priority, then in the order of asking, and the bulk leaves the last of a window to
//! what is more urgent; a dropped waiter or permit loses nothing;
//! with one seed and tokio's paused clock everything happens at the same instants.

mod pace;
mod shell;
#[cfg(test)]
mod simulation;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use uuid::Uuid;

pub use pace::{Pace, PaceSettings, PaceSnapshot, Ticket, Turn};
use shell::Pass;
pub use shell::{Budget, BudgetSnapshot};

use crate::error::LimitReason;

/// The window of an integration is a minute; a second more for the rounding of clocks.
const INTEGRATION_WINDOW_AT_MOST: Duration = Duration::from_secs(61);
/// That of a workspace is not published; its `Retry-After` may exceed a minute.
const WORKSPACE_WINDOW_AT_MOST: Duration = Duration::from_secs(600);

/// How urgent a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody waits for the answer: validation, a preview.
    Interactive,
    /// Something changed: webhooks.
    Fresh,
    /// The bulk.
    Crawl,
}

/// Settings of all budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetSettings {
    /// Most requests of one integration without an answer at a time. Notion documents no limit on them; ten spend
    /// 600 requests within a minute even when each takes a second.
    pub max_in_flight: usize,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self { max_in_flight: 10 }
    }
}

/// The budgets of a process.
#[derive(Debug, Default)]
pub struct Budgets {
    settings: BudgetSettings,
    integrations: Mutex<BTreeMap<Uuid, Arc<Budget>>>,
    workspaces: Mutex<BTreeMap<Uuid, Arc<Budget>>>,
}

impl Budgets {
    /// No budget yet.
    #[must_use]
    pub fn new(settings: BudgetSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The budgets of the integration whose bot is `bot`, in `workspace` if that is known.
    #[must_use]
    pub fn pacing(&self, bot: Uuid, workspace: Option<Uuid>) -> Pacing {
        let max_in_flight = self.settings.max_in_flight;
        let window_at_most = INTEGRATION_WINDOW_AT_MOST;
        let integration = entry(&self.integrations, bot, PaceSettings { max_in_flight, window_at_most });
        let shared = PaceSettings { max_in_flight: usize::MAX, window_at_most: WORKSPACE_WINDOW_AT_MOST };
        let workspace = workspace.map(|workspace| entry(&self.workspaces, workspace, shared));
        Pacing { integration, workspace }
    }
}

fn entry(all: &Mutex<BTreeMap<Uuid, Arc<Budget>>>, key: Uuid, settings: PaceSettings) -> Arc<Budget> {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(all.entry(key).or_insert_with(|| Budget::new(settings)))
}

/// The budgets that the requests of one client draw on.
#[derive(Debug, Clone)]
pub struct Pacing {
    integration: Arc<Budget>,
    workspace: Option<Arc<Budget>>,
}

impl Pacing {
    /// The integration's.
    #[must_use]
    pub fn integration(&self) -> &Arc<Budget> {
        &self.integration
    }

    /// The workspace's, if it is known.
    #[must_use]
    pub fn workspace(&self) -> Option<&Arc<Budget>> {
        self.workspace.as_ref()
    }

    /// Waits until a request to `endpoint` may go out. Dropping the permit means that its outcome is not known.
    pub async fn acquire(&self, priority: Priority, endpoint: &'static str) -> Permit {
        let mut held: Option<Pass> = None;
        loop {
            let integration = self.integration.acquire(priority, endpoint).await;
            let Some(workspace) = &self.workspace else {
                return Permit { endpoint, integration, workspace: None };
            };
            let pass = match held.take() {
                Some(pass) if pass.renew() => Some(pass),
                Some(pass) => {
                    pass.unsent();
                    None
                }
                None => workspace.try_acquire(priority, endpoint),
            };
            if pass.is_some() {
                return Permit { endpoint, integration, workspace: pass };
            }
            // Wait for the scarcer one without keeping a place in the other.
            integration.unsent();
            held = Some(workspace.acquire(priority, endpoint).await);
        }
    }
}

/// Leave to send one request; tell it what came of it.
#[derive(Debug)]
#[must_use = "a permit that is dropped counts as a request whose outcome is not known"]
pub struct Permit {
    endpoint: &'static str,
    integration: Pass,
    workspace: Option<Pass>,
}

impl Permit {
    /// The request was answered, with whatever status but 429 and 5xx.
    pub fn granted(self) {
        self.integration.granted();
        if let Some(workspace) = self.workspace {
            workspace.granted();
        }
    }

    /// The request was answered with 429. The limit that did not refuse it may have counted it.
    pub fn refused(self, retry_after: Option<Duration>, reason: Option<&LimitReason>) {
        match reason {
            Some(LimitReason::Workspace) => match self.workspace {
                Some(workspace) => workspace.refused(retry_after),
                None => self.integration.overloaded(retry_after),
            },
            Some(LimitReason::Endpoint) => self.integration.refused_by_endpoint(self.endpoint, retry_after),
            Some(LimitReason::Integration | LimitReason::Blocked | LimitReason::Unknown(_)) | None => {
                self.integration.refused(retry_after);
            }
        }
    }

    /// The request was answered with 529: everything waits, and the limit is none the wiser.
    pub fn overloaded(self, retry_after: Option<Duration>) {
        self.integration.overloaded(retry_after);
    }

    /// The request never reached Notion.
    pub fn unsent(self) {
        self.integration.unsent();
        if let Some(workspace) = self.workspace {
            workspace.unsent();
        }
    }
}
