//! What a search page says around its results.

use super::OpsError;
use crate::app::App;
use crate::model::{Caller, Role, Sight, Viewer};
use crate::search::SearchIndex;

/// What there is to search, and whether more is coming.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// Items that the viewer can find.
    pub items: usize,
    /// Names of the workspaces, each once.
    pub workspaces: Vec<String>,
    /// Crawls that have not ended, of connectors of which the caller sees everything.
    pub under_way: Vec<UnderWay>,
    /// What decides what the caller finds.
    pub reach: Reach,
    /// Why there is nothing, where there is.
    pub nothing: Nothing,
    /// Whether the caller administers anything, and may be told what to do about it.
    pub administers: bool,
}

/// What decides what somebody finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// Nothing: they have everything of this machine.
    #[default]
    Everything,
    /// In which workspaces they are known as a person; and they are in none.
    Nowhere,
    /// The same, and they are in some: they find all of those.
    Workspaces,
    /// Audience rules.
    Rules,
    /// Audience rules in some workspaces, and in others that they are known there.
    Both,
}

/// Why somebody can find nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Nothing {
    /// Nothing is indexed that they might see, of workspaces of which they see all; or, for administrators, nothing at all.
    #[default]
    NotIndexed,
    /// No connector knows them as a person of its workspace.
    Unmapped,
    /// No audience rule grants them anything of what is indexed, if anything is.
    NotGranted,
}

impl Reach {
    fn of(viewer: &Viewer) -> Self {
        let Viewer::Mapped(sights) = viewer else { return Self::Everything };
        let of_rules = sights.connectors.values().filter(|sight| matches!(sight, Sight::Ruled(_))).count();
        match (sights.connectors.len(), of_rules) {
            (0, _) => Self::Nowhere,
            (_, 0) => Self::Workspaces,
            (all, ruled) if all == ruled => Self::Rules,
            _ => Self::Both,
        }
    }
}

/// Why there is nothing for somebody who can find none of the items that are held; how many those are, administrators may know.
const fn why_nothing(reach: Reach, held: Option<usize>) -> Nothing {
    match (reach, held) {
        (Reach::Everything | Reach::Workspaces, _) | (_, Some(0)) => Nothing::NotIndexed,
        (Reach::Nowhere, _) => Nothing::Unmapped,
        (Reach::Rules | Reach::Both, _) => Nothing::NotGranted,
    }
}

/// A crawl that has not ended.
#[derive(Debug, Clone)]
pub struct UnderWay {
    /// Name of the connector.
    pub connector: String,
    /// Items processed.
    pub processed: u64,
    /// Items met.
    pub known: u64,
    /// Whether more may be met.
    pub listing: bool,
}

/// What there is to search, and whether more is coming.
///
/// # Errors
/// When the database or the index cannot be read.
pub fn overview(app: &App, index: Option<&SearchIndex>, caller: &Caller) -> Result<Overview, OpsError> {
    let count =
        |viewer| index.map(|index| index.count_visible(viewer)).transpose().map(Option::unwrap_or_default);
    let administers =
        [Role::ConnectorAdmin, Role::SecurityAdmin].iter().any(|role| caller.roles.contains(*role));
    let (items, reach) = (count(&caller.viewer)?, Reach::of(&caller.viewer));
    let held = if items == 0 && administers { Some(count(&Viewer::LocalOperator)?) } else { None };
    let nothing = why_nothing(reach, held);
    let mut overview = Overview { items, reach, nothing, administers, ..Overview::default() };
    for connector in app.store.load_connectors()? {
        if !caller.viewer.enters(connector.id) {
            continue;
        }
        if let Some(name) = connector.workspace_name.filter(|name| !overview.workspaces.contains(name)) {
            overview.workspaces.push(name);
        }
        if !caller.viewer.sees_all_of(connector.id) {
            continue;
        }
        let Some(crawl) = app.store.load_last_crawl(connector.id)?.filter(|crawl| crawl.state.is_open())
        else {
            continue;
        };
        let (known, listing) = app.store.count_known(crawl.id)?;
        let processed = crawl.counters.discovered();
        overview.under_way.push(UnderWay { connector: connector.name, processed, known, listing });
    }
    Ok(overview)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{ConnectorId, Rulings, Sights};

    #[test]
    fn what_somebody_finds_is_decided_by_all_connectors_that_know_them() {
        let (all, ruled) = (Sight::Everything, Sight::Ruled(Rulings::default()));
        let reach = |sights: &[&Sight]| {
            let connectors = sights.iter().zip(1..).map(|(sight, id)| (ConnectorId(id), (*sight).clone()));
            let connectors: BTreeMap<_, _> = connectors.collect();
            Reach::of(&Viewer::Mapped(Sights { connectors, searches_joined: false }))
        };
        assert_eq!(
            [reach(&[]), reach(&[&all, &all]), reach(&[&ruled]), reach(&[&all, &ruled])],
            [Reach::Nowhere, Reach::Workspaces, Reach::Rules, Reach::Both]
        );
        assert_eq!(Reach::of(&Viewer::LocalOperator), Reach::Everything);
    }

    #[test]
    fn only_administrators_and_who_sees_all_are_told_that_nothing_is_indexed() {
        for reach in [Reach::Nowhere, Reach::Rules, Reach::Both] {
            assert_ne!(why_nothing(reach, None), Nothing::NotIndexed, "{reach:?}");
            assert_ne!(why_nothing(reach, Some(73)), Nothing::NotIndexed, "{reach:?}");
            assert_eq!(why_nothing(reach, Some(0)), Nothing::NotIndexed, "{reach:?}");
        }
        for reach in [Reach::Everything, Reach::Workspaces] {
            assert_eq!(why_nothing(reach, None), Nothing::NotIndexed, "{reach:?}");
        }
        assert_eq!(why_nothing(Reach::Nowhere, None), Nothing::Unmapped);
        assert_eq!(why_nothing(Reach::Rules, Some(73)), Nothing::NotGranted);
    }
}
