//! Who would see something, and what somebody would see: for security administrators, with the rule that decides.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::OpsError;
use super::audiences::{Grant, rulings, shown};
use super::audit::Act;
use super::search::{SearchAnswer, SearchQuery, search, title_or_untitled};
use super::why::named;
use crate::app::App;
use crate::model::{Caller, ItemKind, Nearest, NotionId, Role, Sight, Sights, Viewer};
use crate::search::SearchIndex;
use crate::store::{AudienceRule, Connector, DirectoryPerson, Granted, MappedAs, Stand};

/// Most people that are named for an item, of each connector that holds it.
const MAX_NAMED: u32 = 1_000;

/// Somebody who sees an item.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Seeing {
    /// The user name.
    pub user_name: String,
    /// The name that is shown.
    pub name: Option<String>,
    /// Why the rule lets them: `everyone`, `person`, `named`, or `group:` and the name of a group.
    pub because: Vec<String>,
    /// As whom they are mapped in the connector, which they have to be.
    pub mapped_as: Vec<MappedAs>,
}

/// The rule that decides.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Deciding {
    /// Its number.
    pub id: i64,
    /// What it is about; none for the whole connector.
    pub place: Option<NotionId>,
    /// The title of that now.
    pub title: Option<String>,
    /// The column that rows are decided by.
    pub property: Option<String>,
    /// To whom it is granted.
    pub grants: Vec<Grant>,
}

/// Who sees an item by one of the connectors that hold it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccessByConnector {
    /// Name of the connector.
    pub connector: String,
    /// Whether audience rules hold there; if not, everybody who is mapped sees it.
    pub audiences: bool,
    /// The rule that decides; none where audiences are off, and where there is none, so that nobody sees it.
    pub rule: Option<Deciding>,
    /// Whether it is known for certain where it stands; else the rule of the whole connector does not open it.
    pub place_is_known: bool,
    /// How many people see it.
    pub total: u64,
    /// Those people, by user name; at most 1,000.
    pub people: Vec<Seeing>,
}

/// Who sees an item.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccessOfPage {
    /// Notion's id.
    pub id: NotionId,
    /// What it is.
    pub kind: ItemKind,
    /// Its title.
    pub title: String,
    /// By each connector that holds it. One suffices to see it.
    pub connectors: Vec<AccessByConnector>,
}

/// A rule, and whether it lets somebody see what it decides.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleFor {
    /// The rule.
    #[serde(flatten)]
    pub rule: Deciding,
    /// `all` that it decides, the rows that are `marked` for them, or `nothing`.
    pub grants_them: String,
}

/// What somebody sees of one connector.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SightOfConnector {
    /// Name of the connector.
    pub connector: String,
    /// As whom they are mapped; they see nothing where they are not.
    pub mapped_as: Vec<MappedAs>,
    /// Whether audience rules hold there; if not, they see all of it where they are mapped.
    pub audiences: bool,
    /// The rules, if they hold.
    pub rules: Vec<RuleFor>,
    /// How many items of the index they see by this connector.
    pub items: usize,
}

/// What somebody sees.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccessOfPerson {
    /// The user name.
    pub user_name: String,
    /// The name that is shown.
    pub name: Option<String>,
    /// Whether they are active in the directory: else they see nothing.
    pub active: bool,
    /// Their groups.
    pub groups: Vec<String>,
    /// What they see of each connector.
    pub connectors: Vec<SightOfConnector>,
    /// How many items of the index they see.
    pub items: usize,
}

/// Who sees the item with this id, or at this address of Notion's, and by which rule.
///
/// # Errors
/// When the caller is no security administrator, or there is no such item.
pub fn show_access_of_page(app: &App, caller: &Caller, page: &str) -> Result<AccessOfPage, OpsError> {
    Act::of_security("access.who", page).run(app, caller, || {
        let id = named(page).ok_or_else(|| {
            OpsError::Invalid(format!("“{page}” names nothing: give an id or an address of Notion's"))
        })?;
        let stands = app.store.load_stands(id)?;
        let Some(first) = stands.first() else {
            return Err(OpsError::NotFound(format!("there is no item {id} in the index; why says more")));
        };
        let (kind, title) = (first.kind, title_or_untitled(first.title.clone()));
        let mut connectors = Vec::new();
        for stand in &stands {
            for connector in app.store.load_connectors()?.iter().filter(|one| stand.holders.contains(&one.id))
            {
                connectors.push(access_by(app, connector, stand)?);
            }
        }
        Ok(AccessOfPage { id, kind, title, connectors })
    })
}

fn access_by(app: &App, connector: &Connector, stand: &Stand) -> Result<AccessByConnector, OpsError> {
    let audiences = app.store.has_audiences(connector.id)?;
    let rules = app.store.load_audience_rules(connector.id)?;
    let rule = decider(&rules, stand).filter(|_| audiences);
    let (total, granted) = if audiences && rule.is_none() {
        (0, Vec::new())
    } else {
        app.store.load_granted(connector.id, rule.map(|rule| rule.id), &stand.position.marks, MAX_NAMED)?
    };
    let mut people = Vec::new();
    for one in granted {
        let mut mapped_as = app.store.load_mapped_as(one.person)?;
        mapped_as.retain(|mapped| mapped.connector == connector.name);
        people.push(Seeing { because: because(&one), user_name: one.user_name, name: one.name, mapped_as });
    }
    let (connector, rule) = (connector.name.clone(), rule.map(deciding));
    let place_is_known = stand.position.is_known;
    Ok(AccessByConnector { connector, audiences, rule, place_is_known, total, people })
}

fn because(granted: &Granted) -> Vec<String> {
    let ways = [(granted.as_everyone, "everyone"), (granted.by_name, "person"), (granted.as_named, "named")];
    let ways = ways.into_iter().filter(|(applies, _)| *applies).map(|(_, way)| way.to_owned());
    ways.chain(granted.groups.iter().map(|group| format!("group:{group}"))).collect()
}

/// The rule that decides of what stands there.
fn decider<'a>(rules: &'a [AudienceRule], stand: &Stand) -> Option<&'a AudienceRule> {
    let (place, by_column) = match rulings(rules, |_| false).nearest(&stand.position) {
        Nearest::Rows(place) => (Some(place), true),
        Nearest::Below(place) => (Some(place), false),
        Nearest::Whole => (None, false),
        Nearest::Nothing => return None,
    };
    rules.iter().find(|one| one.rule.place == place && one.rule.column.is_some() == by_column)
}

fn deciding(rule: &AudienceRule) -> Deciding {
    Deciding {
        id: rule.id,
        place: rule.rule.place,
        title: rule.title.clone(),
        property: rule.rule.column.clone(),
        grants: rule.rule.grants.iter().map(shown).collect(),
    }
}

/// What a person of the directory sees, and by which rules.
///
/// # Errors
/// When the caller is no security administrator, or there is no such person.
pub fn show_access_of_person(app: &App, caller: &Caller, person: &str) -> Result<AccessOfPerson, OpsError> {
    Act::of_security("access.what", person).run(app, caller, || {
        let person = find_person(app, person)?;
        let viewer = app.store.load_viewer(person.id)?;
        let mut mapped_as = app.store.load_mapped_as(person.id)?;
        let index = app.open_index()?;
        let count = |viewer: &Viewer| {
            index.as_ref().map(|index| index.count_visible(viewer)).transpose().map(Option::unwrap_or_default)
        };
        let mut connectors = Vec::new();
        for connector in app.store.load_connectors()? {
            let sight = match &viewer {
                Viewer::Mapped(sights) => sights.connectors.get(&connector.id).cloned(),
                Viewer::LocalOperator => None,
            };
            let audiences = app.store.has_audiences(connector.id)?;
            let rules = if audiences { app.store.load_audience_rules(connector.id)? } else { Vec::new() };
            let rules = rules.iter().map(|rule| rule_for(rule, sight.as_ref()));
            let only = sight.clone().map(|sight| (connector.id, sight));
            let only =
                Sights { connectors: only.into_iter().collect::<BTreeMap<_, _>>(), searches_joined: false };
            connectors.push(SightOfConnector {
                mapped_as: mapped_as.extract_if(.., |mapped| mapped.connector == connector.name).collect(),
                connector: connector.name,
                audiences,
                rules: rules.collect(),
                items: count(&Viewer::Mapped(only))?,
            });
        }
        let items = count(&viewer)?;
        let DirectoryPerson { user_name, name, active, groups, .. } = person;
        Ok(AccessOfPerson { user_name, name, active, groups, connectors, items })
    })
}

fn rule_for(rule: &AudienceRule, sight: Option<&Sight>) -> RuleFor {
    use crate::model::RowsRuling::{All, Marked};
    let ruling = |place: &NotionId| match sight {
        Some(Sight::Ruled(rulings)) => rulings.places.get(place),
        _ => None,
    };
    let grants_them = match (&rule.rule.place, &rule.rule.column) {
        (None, _) => match sight {
            Some(Sight::Ruled(rulings)) if rulings.whole => "all",
            _ => "nothing",
        },
        (Some(place), None) => match ruling(place).and_then(|ruling| ruling.below) {
            Some(true) => "all",
            _ => "nothing",
        },
        (Some(place), Some(_)) => match ruling(place).and_then(|ruling| ruling.rows.as_ref()) {
            Some(All) => "all",
            Some(Marked(marks)) if !marks.is_empty() => "marked",
            _ => "nothing",
        },
    };
    RuleFor { rule: deciding(rule), grants_them: grants_them.to_owned() }
}

/// Runs a search as a person of the directory would see it, on the record.
///
/// # Errors
/// When the caller is no security administrator, there is no such person, or the index cannot be read.
pub fn search_as(
    app: &App,
    index: &SearchIndex,
    query: &SearchQuery,
    person: &str,
    caller: &Caller,
) -> Result<SearchAnswer, OpsError> {
    Act::of_security("search.as", person).run(app, caller, || {
        let person = find_person(app, person)?;
        let viewer = app.store.load_viewer(person.id)?;
        let roles = [Role::SearchUser].into_iter().collect();
        search(index, query, &Caller { viewer, roles, ..caller.clone() })
    })
}

fn find_person(app: &App, user_name: &str) -> Result<DirectoryPerson, OpsError> {
    app.store.load_person(user_name)?.ok_or_else(|| {
        OpsError::NotFound(format!(
            "the directory has nobody with the user name “{user_name}”; see directory list"
        ))
    })
}
