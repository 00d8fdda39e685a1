//! Who sees what. A grant on a page, database or data source is inherited by everything below it; a denial ends that
//! inheritance. The nearest of the two on the way up decides.

use std::collections::BTreeSet;

use super::World;
use super::model::{Ix, Kind, Parent};

/// What one token was given.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The whole workspace, present and future.
    pub everything: bool,
    /// Start points.
    pub grants: BTreeSet<Ix>,
    /// Where inheritance ends.
    pub denials: BTreeSet<Ix>,
}

/// How an entity stands towards a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// It can be read.
    pub visible: bool,
    /// It or something above it is in the trash.
    pub trashed: bool,
    /// It is archived itself, or something above it is.
    pub archived: bool,
}

impl Access {
    /// Access to the whole workspace.
    #[must_use]
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// How an entity stands towards this access.
    #[must_use]
    pub fn standing(&self, world: &World, ix: Ix) -> Standing {
        let mut standing = Standing { visible: false, trashed: false, archived: false };
        let mut decided = false;
        let mut at = Some(ix);
        while let Some(here) = at {
            let entity = world.entity(here);
            if entity.purged {
                return Standing { visible: false, ..standing };
            }
            standing.trashed |= entity.trashed;
            standing.archived |= entity.archived;
            if !decided && self.denials.contains(&here) {
                decided = true;
            } else if !decided && self.grants.contains(&here) {
                decided = true;
                standing.visible = true;
            }
            at = entity.parent.holder();
        }
        standing.visible |= !decided && self.everything;
        standing
    }

    /// Whether an entity can be read.
    #[must_use]
    pub fn sees(&self, world: &World, ix: Ix) -> bool {
        self.standing(world, ix).visible
    }

    /// Gives an entity and everything below it.
    pub fn share(&mut self, world: &World, ix: Ix) {
        self.denials.remove(&ix);
        if !self.sees(world, ix) {
            self.grants.insert(ix);
        }
    }

    /// Takes an entity and everything below it, except for grants of their own further down.
    pub fn unshare(&mut self, world: &World, ix: Ix) {
        self.grants.remove(&ix);
        if self.sees(world, ix) {
            self.denials.insert(ix);
        }
    }

    /// Whether an entity is visible, while what holds it is not; a data source counts as its database.
    #[must_use]
    pub fn is_start_point(&self, world: &World, ix: Ix) -> bool {
        let top = match world.entity(ix).parent {
            Parent::Database(database) => database,
            _ => ix,
        };
        let standing = self.standing(world, ix);
        let holder = world.entity(top).parent.holder();
        standing.visible && !standing.trashed && holder.is_none_or(|holder| !self.sees(world, holder))
    }

    /// The visible pages and databases that stand at the top level or below something invisible.
    #[must_use]
    pub fn start_points(&self, world: &World) -> Vec<Ix> {
        let candidates: Vec<Ix> = if self.everything {
            world.roots().iter().chain(&self.grants).copied().collect()
        } else {
            self.grants.iter().copied().collect()
        };
        let mut found: Vec<Ix> = candidates
            .into_iter()
            .filter(|ix| world.entity(*ix).kind != Kind::DataSource && self.is_start_point(world, *ix))
            .collect();
        found.sort();
        found.dedup();
        found
    }
}
