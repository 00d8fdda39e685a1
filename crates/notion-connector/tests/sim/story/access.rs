//! Who finds what, while rules, people and the workspace change.

use std::collections::BTreeMap;
use std::sync::Arc;

use notion_connector::app::App;
use notion_connector::store::Scope;
use uuid::Uuid;

use super::{MINUTE, Story, Task};
use crate::facts::Fact;
use crate::machine::End;

impl Story {
    /// People, rules, and what is in the workspace change one after the other, and after each people find what they may and nothing
    /// else. What changed in Notion is told to the index by a crawl; rules, groups and mappings by nobody.
    pub(super) async fn judge_access(&mut self, steps: u32) {
        self.shuffle_people();
        self.change_rules().await;
        self.compare_access();
        for _ in 0..steps {
            match self.dice.below(4) {
                0 => self.shuffle_people(),
                1 => self.change_rules().await,
                _ => {
                    self.workspace().edit_something();
                    tokio::time::sleep(10 * MINUTE).await;
                    for connector in self.connectors {
                        self.peaceful_crawl(connector, Some(Scope::Incremental)).await;
                    }
                }
            }
            self.compare_access();
        }
    }

    fn shuffle_people(&mut self) {
        let users = self.workspace().people();
        self.audiences.shuffle_people(&self.machine.connect(), self.connectors, &users);
    }

    async fn change_rules(&mut self) {
        let (app, truth) = (self.app(), self.known());
        self.audiences.change_rules(&app, self.connectors, &self.held, &truth).await;
        // A rule by a column has to be written into the index.
        let deliver = |app: Arc<App>| async move { app.pump().unwrap().drain().await };
        let End::Done(Ok(_)) = self.machine.run(None, deliver).await else { panic!("not delivered") };
    }

    /// Objects and files.
    fn known(&self) -> BTreeMap<Uuid, Fact> {
        let truth = self.workspace().truth();
        truth.into_iter().chain(self.workspace().expected()).collect()
    }

    fn compare_access(&mut self) {
        let truth = self.known();
        let may_end_below = self.may_end_below();
        let (app, index) = (self.app(), self.machine.search_index());
        let found = self.audiences.differences(&app, &index, &self.held, &truth, &may_end_below);
        assert!(
            found.is_empty(),
            "people find what they may not, or not what they may:\n{}",
            found.join("\n")
        );
    }

    /// Everything goes wrong again, and whoever finds something may. Rules, groups and mappings stay as they are, and who may find what
    /// has not moved since; what they may find need not be there meanwhile.
    pub(super) async fn guard_access(&mut self) {
        if !self.dice.chance(50) {
            return;
        }
        self.trace.say("everything goes wrong under audiences");
        // A store of old has the rules of old.
        let crashes_left = std::mem::take(&mut self.crashes_left);
        let truth = self.known();
        let may_end_below = self.may_end_below();
        let held = self.held.iter().flatten().copied().collect();
        let anchors = self.audiences.anchor(&held, &truth, &may_end_below);
        self.workspace().anchor(anchors);
        self.workspace().bury();
        for connector in self.connectors {
            let scope = Some(self.dice.pick(&[Scope::Full, Scope::Incremental]));
            self.work(
                Task::Crawl { connector, scope, start_point: None, restart: false, cancel_after: None },
                None,
            )
            .await;
            self.compare_leaks();
        }
        self.workspace().calm();
        for _ in 0..2 {
            self.act().await;
            self.compare_leaks();
        }
        self.workspace().anchor(BTreeMap::new());
        self.crashes_left = crashes_left;
        self.quiesce().await;
        self.compare(true);
        self.compare_access();
    }

    fn compare_leaks(&self) {
        let anchors = self.workspace().anchors().clone();
        let leaks = self.audiences.leaks(&self.app(), &self.machine.search_index(), &anchors);
        assert!(leaks.is_empty(), "people find what they may not:\n{}", leaks.join("\n"));
    }

    fn may_end_below(&self) -> impl Fn(&Fact) -> bool + 'static {
        let archived = self.workspace().wanted().iter().any(|wanted| wanted.archived);
        let is_limited = self.limit.is_some();
        move |holder: &Fact| is_limited || (!archived && holder.archived && holder.has_body())
    }
}
