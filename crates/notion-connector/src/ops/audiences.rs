//! Audiences: who may see which part of a connector, as security administrators say it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OpsError;
use super::audit::Act;
use super::connectors::find_connector;
use super::why::named;
use crate::app::App;
use crate::model::{
    Caller, ConnectorId, ItemKind, NotionId, PropertyValue, Role, RowsRuling, Ruling, Rulings, Sight, Sights,
    Viewer, on_one_line, option_mark,
};
use crate::search::SearchIndex;
use crate::store::{AudienceGrant, AudienceRule, Connector, GrantedTo, NewAudienceRule};

/// Most rules of a connector: each costs every search a little.
const MAX_RULES: usize = 1_000;
/// Most grants of a rule.
const MAX_GRANTS: usize = 1_000;
/// Of more rules than this it is not counted what each decides.
const MAX_COUNTED: usize = 100;
/// Rows that are looked at for the columns of a data source.
const SAMPLED_ROWS: u32 = 500;
/// How long an answer waits for a running server to write a new rule into the index, and between two looks.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Longest name of a column or an option, in characters.
const MAX_NAME_CHARS: usize = 1_000;

/// To whom a grant goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantTo {
    /// Everybody who is mapped in the connector.
    Everyone,
    /// The people whom the row names in the rule's column.
    Named,
    /// The people of a group of the directory.
    Group,
    /// One person of the directory.
    Person,
}

/// A part of what a rule grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// To whom.
    pub to: GrantTo,
    /// Name of the group, or user name of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of a rule by a column: only rows with this option. Without it, all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A rule as it is asked for.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAudience {
    /// The page, database, data source or row that it is about, by its id or its address in Notion, with all that lies below it;
    /// the whole connector without.
    #[serde(default)]
    pub place: Option<String>,
    /// The column (person, select, multi-select or status) of the database or data source that its rows are decided by.
    #[serde(default)]
    pub property: Option<String>,
    /// To whom it is granted; nobody sees it if this is empty.
    pub grants: Vec<Grant>,
}

/// A rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AudienceLine {
    /// Its number.
    pub id: i64,
    /// What it is about; none for the whole connector.
    pub place: Option<NotionId>,
    /// The title of that now; none where it is not known.
    pub title: Option<String>,
    /// The column that rows are decided by.
    pub property: Option<String>,
    /// To whom it is granted.
    pub grants: Vec<Grant>,
    /// How many items of the index it decides, because none of them has a nearer rule; of many rules that is not counted.
    pub items: Option<usize>,
    /// Of a rule by a column: the options that grants name.
    pub options: Vec<OptionItems>,
}

/// An option that a grant goes by.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OptionItems {
    /// Its name.
    pub value: String,
    /// How many items of the index are rows with it, or lie below one. None of them: it is misspelt, or used later. It is not
    /// counted of many rules, nor while changes wait for the index.
    pub items: Option<usize>,
}

/// The audiences of a connector.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Audiences {
    /// Name of the connector.
    pub connector: String,
    /// Whether the rules hold. If not, everybody who is mapped in the connector sees all of it.
    pub on: bool,
    /// The rules; that of the whole connector first.
    pub rules: Vec<AudienceLine>,
    /// How many items of the index no rule decides: nobody sees them while audiences are on.
    pub without_rule: Option<usize>,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(value) = &self.value {
            write!(f, "{value}=")?;
        }
        let name = self.name.as_deref().unwrap_or_default();
        match self.to {
            GrantTo::Everyone => f.write_str("everyone"),
            GrantTo::Named => f.write_str("named"),
            GrantTo::Group => write!(f, "group:{name}"),
            GrantTo::Person => write!(f, "person:{name}"),
        }
    }
}

impl FromStr for Grant {
    type Err = String;

    /// Reads `everyone`, `named`, `group:NAME`, `person:NAME`, each with an option before it: `Finance=group:NAME`.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let whom = |text: &str| match text.trim().split_once(':') {
            None if text.trim() == "everyone" => Some((GrantTo::Everyone, None)),
            None if text.trim() == "named" => Some((GrantTo::Named, None)),
            Some(("group", name)) => Some((GrantTo::Group, Some(name.trim().to_owned()))),
            Some(("person", name)) => Some((GrantTo::Person, Some(name.trim().to_owned()))),
            _ => None,
        };
        if let Some((to, name)) = whom(text) {
            return Ok(Self { to, name, value: None });
        }
        // A name may hold the sign too: the first one behind which it makes sense parts them.
        let parted = text.match_indices('=').find_map(|(at, _)| Some((&text[..at], whom(&text[at + 1..])?)));
        parted.map(|(value, (to, name))| Self { to, name, value: Some(value.trim().to_owned()) }).ok_or_else(|| {
            format!(
                "“{text}” grants nothing: write everyone, named, group:NAME or person:NAME, with an option of the column before \
                 it where only rows with that are meant: Finance=group:NAME"
            )
        })
    }
}

/// The rules of a connector, and whether they hold.
///
/// # Errors
/// When the caller is no security administrator, or there is no such connector.
pub fn show_audiences(app: &App, caller: &Caller, connector: Option<&str>) -> Result<Audiences, OpsError> {
    Act::of_security("audiences.show", connector.unwrap_or_default()).run(app, caller, || {
        let connector = find_connector(app, connector)?;
        told(app, &connector)
    })
}

/// Lets the rules of a connector hold, or no longer. Off, everybody who is mapped sees all of it.
///
/// # Errors
/// As in [`show_audiences`].
pub fn switch_audiences(
    app: &App,
    caller: &Caller,
    connector: Option<&str>,
    on: bool,
) -> Result<Audiences, OpsError> {
    let action = if on { "audiences.on" } else { "audiences.off" };
    Act::of_security(action, connector.unwrap_or_default()).run(app, caller, || {
        let connector = find_connector(app, connector)?;
        app.store.set_audiences(connector.id, on)?;
        told(app, &connector)
    })
}

/// Makes a rule, in place of the one at the same place: there is one for a place and what lies below it, and of a data source one by
/// a column beside it.
///
/// # Errors
/// As in [`show_audiences`], when the place, the column or somebody who is named is not known, and when there are too many rules.
pub async fn set_audience(
    app: &Arc<App>,
    caller: &Caller,
    connector: Option<&str>,
    set: &SetAudience,
) -> Result<Audiences, OpsError> {
    let place = set.place.as_deref().unwrap_or("the whole connector");
    let target =
        [connector.unwrap_or_default(), place, set.property.as_deref().unwrap_or_default()].join(" ");
    let act = Act::of_security("audiences.set", target.trim());
    act.run_async(app, caller, async {
        let connector = find_connector(app, connector)?;
        let rule = checked(app, &connector, set)?;
        if app.store.load_audience_rules(connector.id)?.len() >= MAX_RULES {
            return Err(OpsError::Conflict(format!("a connector has at most {MAX_RULES} audience rules")));
        }
        app.store.save_audience_rule(connector.id, &rule)?.map_err(OpsError::Invalid)?;
        // What rows say goes into the index: by the one who owns the data directory, or else now.
        if rule.column.is_some() {
            match app.own("audiences set") {
                Ok(_ownership) => drop(app.pump()?.drain().await?),
                Err(_) => wait_for_index(app).await?,
            }
        }
        told(app, &connector)
    })
    .await
}

/// Takes a rule away: what it decided is decided by the next one further up, or by none.
///
/// # Errors
/// As in [`show_audiences`], and when there is no such rule.
pub fn remove_audience(
    app: &App,
    caller: &Caller,
    connector: Option<&str>,
    rule: i64,
) -> Result<Audiences, OpsError> {
    let target = format!("{} rule {rule}", connector.unwrap_or_default());
    Act::of_security("audiences.remove", target.trim()).run(app, caller, || {
        let connector = find_connector(app, connector)?;
        if !app.store.delete_audience_rule(connector.id, rule)? {
            let name = &connector.name;
            return Err(OpsError::NotFound(format!("connector “{name}” has no audience rule {rule}")));
        }
        told(app, &connector)
    })
}

/// Waits for whoever owns the data directory to deliver, but not for long.
async fn wait_for_index(app: &App) -> Result<(), OpsError> {
    for _ in 0..PATIENCE.as_millis() / LOOK_AGAIN.as_millis() {
        if app.store.count_outbox()? == 0 {
            break;
        }
        app.runtime.sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

fn told(app: &App, connector: &Connector) -> Result<Audiences, OpsError> {
    let rules = app.store.load_audience_rules(connector.id)?;
    let index = app.open_index()?.filter(|_| rules.len() <= MAX_COUNTED);
    let count = |decider: Option<usize>| {
        let Some(index) = &index else { return Ok(None) };
        count_decided(index, connector.id, &rules, decider).map(Some)
    };
    let is_behind = app.store.count_outbox()? > 0;
    let values = rules.iter().flat_map(|one| &one.rule.grants).filter(|grant| grant.value.is_some()).count();
    let marked = index.as_ref().filter(|_| !is_behind && values <= MAX_COUNTED);
    let lines = rules.iter().enumerate().map(|(at, one)| {
        Ok(AudienceLine {
            id: one.id,
            place: one.rule.place,
            title: one.title.clone(),
            property: one.rule.column.clone(),
            grants: one.rule.grants.iter().map(shown).collect(),
            items: count(Some(at))?,
            options: options_of(marked, connector.id, one)?,
        })
    });
    let lines = lines.collect::<Result<Vec<_>, OpsError>>()?;
    let on = app.store.has_audiences(connector.id)?;
    Ok(Audiences { connector: connector.name.clone(), on, rules: lines, without_rule: count(None)? })
}

fn options_of(
    index: Option<&SearchIndex>,
    connector: ConnectorId,
    rule: &AudienceRule,
) -> Result<Vec<OptionItems>, OpsError> {
    let Some(place) = rule.rule.place else { return Ok(Vec::new()) };
    let values: BTreeSet<&String> =
        rule.rule.grants.iter().filter_map(|grant| grant.value.as_ref()).collect();
    let options = values.into_iter().map(|value| {
        let marks = BTreeSet::from([option_mark(rule.id, value)]);
        let ruling = Ruling { below: None, rows: Some(RowsRuling::Marked(marks)) };
        let rulings = Rulings { whole: false, places: BTreeMap::from([(place, ruling)]) };
        let connectors = BTreeMap::from([(connector, Sight::Ruled(rulings))]);
        let viewer = Viewer::Mapped(Sights { connectors, searches_joined: false });
        let items = index.map(|index| index.count_visible(&viewer)).transpose()?;
        Ok(OptionItems { value: value.clone(), items })
    });
    options.collect()
}

/// How many items one of the rules decides, or none of them: as many as somebody sees whom it alone grants everything, or whom all
/// of them do and the rest of the connector too.
fn count_decided(
    index: &SearchIndex,
    connector: ConnectorId,
    rules: &[AudienceRule],
    decider: Option<usize>,
) -> Result<usize, OpsError> {
    let count = |rulings| {
        let connectors = BTreeMap::from([(connector, Sight::Ruled(rulings))]);
        index.count_visible(&Viewer::Mapped(Sights { connectors, searches_joined: false }))
    };
    match decider {
        Some(_) => Ok(count(rulings(rules, |at| Some(at) == decider))?),
        None => {
            let all = index.count_visible(&Viewer::of_connectors([connector]))?;
            Ok(all - count(rulings(rules, |_| true))?)
        }
    }
}

/// The rules as they are for somebody whom those that `grants` names grant everything, and no others.
pub(super) fn rulings(rules: &[AudienceRule], grants: impl Fn(usize) -> bool) -> Rulings {
    let mut rulings = Rulings::default();
    for (at, AudienceRule { rule, .. }) in rules.iter().enumerate() {
        let granted = grants(at);
        let Some(place) = rule.place else {
            rulings.whole = granted;
            continue;
        };
        let ruling: &mut Ruling = rulings.places.entry(place).or_default();
        match (&rule.column, granted) {
            (None, granted) => ruling.below = Some(granted),
            (Some(_), true) => ruling.rows = Some(RowsRuling::All),
            (Some(_), false) => ruling.rows = Some(RowsRuling::Marked(BTreeSet::new())),
        }
    }
    rulings
}

pub(super) fn shown(grant: &AudienceGrant) -> Grant {
    let (to, name) = match &grant.to {
        GrantedTo::Everyone => (GrantTo::Everyone, None),
        GrantedTo::Named => (GrantTo::Named, None),
        GrantedTo::Group(name) => (GrantTo::Group, Some(name.clone())),
        GrantedTo::Person(name) => (GrantTo::Person, Some(name.clone())),
    };
    Grant { to, name, value: grant.value.clone() }
}

/// While audiences are on, whatever may open what they close is a matter of security: who is mapped as whom, and whether there are
/// rules at all.
///
/// # Errors
/// When the caller may not decide it.
pub(super) fn check_may_open(app: &App, caller: &Caller, connector: &Connector) -> Result<(), OpsError> {
    if app.store.has_audiences(connector.id)? { Ok(caller.require(Role::SecurityAdmin)?) } else { Ok(()) }
}

fn checked(app: &App, connector: &Connector, set: &SetAudience) -> Result<NewAudienceRule, OpsError> {
    if set.grants.len() > MAX_GRANTS {
        return Err(OpsError::Invalid(format!("a rule has at most {MAX_GRANTS} grants")));
    }
    let column = set.property.as_deref().map(on_one_line);
    let mut grants = Vec::new();
    for grant in &set.grants {
        grants.push(checked_grant(grant, column.is_some())?);
    }
    grants.sort();
    grants.dedup();
    let Some(text) = &set.place else {
        if column.is_some() {
            return Err(OpsError::Invalid("a rule by a column names the database it is about".to_owned()));
        }
        return Ok(NewAudienceRule { place: None, column: None, grants });
    };
    let id = named(text).ok_or_else(|| {
        OpsError::Invalid(format!("“{text}” names nothing: give an id or an address of Notion's"))
    })?;
    let Some(item) = app.store.load_item(connector.id, id)? else {
        let name = &connector.name;
        return Err(OpsError::Invalid(format!(
            "connector “{name}” has met nothing with the id {id}; crawl first"
        )));
    };
    if item.kind == ItemKind::File {
        return Err(OpsError::Invalid(
            "a file is seen by those who see its page: make a rule for that".to_owned(),
        ));
    }
    let place = match &column {
        Some(column) => {
            let data_source = data_source_of(app, connector, (id, item.kind))?;
            check_column(app, connector, data_source, column, &grants)?;
            data_source
        }
        None => id,
    };
    Ok(NewAudienceRule { place: Some(place), column, grants })
}

fn checked_grant(grant: &Grant, by_column: bool) -> Result<AudienceGrant, OpsError> {
    let fail = |why: &str| Err(OpsError::Invalid(format!("the grant “{grant}” cannot be: {why}")));
    let name = grant.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let value = grant.value.as_deref().map(on_one_line).filter(|value| !value.is_empty());
    if [name, value.as_deref()].into_iter().flatten().any(|text| text.chars().count() > MAX_NAME_CHARS) {
        return fail("a name in it is too long");
    }
    if grant.value.is_some() && (!by_column || value.is_none()) {
        return fail("only a rule by a column (property) goes by an option of it");
    }
    let to = match (grant.to, name) {
        (GrantTo::Named, _) if !by_column || value.is_some() => {
            return fail("only a rule by a column of people goes by whom it names");
        }
        (GrantTo::Everyone, None) => GrantedTo::Everyone,
        (GrantTo::Named, None) => GrantedTo::Named,
        (GrantTo::Group, Some(name)) => GrantedTo::Group(name.to_owned()),
        (GrantTo::Person, Some(name)) => GrantedTo::Person(name.to_owned()),
        (GrantTo::Group | GrantTo::Person, None) => return fail("it names nobody"),
        (GrantTo::Everyone | GrantTo::Named, Some(_)) => return fail("it takes no name"),
    };
    Ok(AudienceGrant { value, to })
}

/// The data source that is meant, itself or by its database.
fn data_source_of(
    app: &App,
    connector: &Connector,
    (id, kind): (NotionId, ItemKind),
) -> Result<NotionId, OpsError> {
    Ok(match kind {
        ItemKind::DataSource => id,
        ItemKind::Database => match app.store.load_data_sources(connector.id, id)?.as_slice() {
            [only] => *only,
            [] => {
                return Err(OpsError::Invalid(format!(
                    "no data source of the database {id} is known: crawl first"
                )));
            }
            several => {
                let ids: Vec<String> = several.iter().map(NotionId::to_string).collect();
                return Err(OpsError::Invalid(format!(
                    "the database {id} has {} data sources: name the one that is meant: {}",
                    several.len(),
                    ids.join(", ")
                )));
            }
        },
        ItemKind::Page | ItemKind::Row | ItemKind::File => {
            return Err(OpsError::Invalid(format!(
                "{id} is a {kind}: only a database has rows with columns"
            )));
        }
    })
}

/// What rows show of a column.
#[derive(Default)]
struct Shown {
    people: bool,
    options: bool,
    /// A value that rules do not go by.
    other: bool,
}

/// Refuses what can grant nothing, by what rows show of the columns there. A column in which every one of them is empty may be of any
/// kind, and an option that none has may be used later.
fn check_column(
    app: &App,
    connector: &Connector,
    data_source: NotionId,
    column: &str,
    grants: &[AudienceGrant],
) -> Result<(), OpsError> {
    let rows = app.store.load_some_rows(connector.id, data_source, SAMPLED_ROWS)?;
    let mut columns: BTreeMap<String, Shown> = BTreeMap::new();
    for property in rows.iter().flat_map(|row| &row.properties) {
        let shown = columns.entry(on_one_line(&property.name)).or_default();
        match &property.value {
            PropertyValue::Options(_) => shown.options = true,
            PropertyValue::People(_) => shown.people = true,
            PropertyValue::Empty => {}
            _ => shown.other = true,
        }
    }
    let can_be = |shown: &Shown| shown.people || shown.options;
    match columns.get(column) {
        None if rows.is_empty() => return Ok(()),
        Some(shown) if can_be(shown) || !shown.other => return check_grants(column, shown, grants),
        _ => {}
    }
    let known = columns.iter().filter(|(_, shown)| can_be(shown)).map(|(name, _)| name.as_str());
    let known: Vec<&str> = known.collect();
    let known = if known.is_empty() { "none was found".to_owned() } else { known.join(", ") };
    Err(OpsError::Invalid(format!(
        "“{column}” is no column of people or options there; such columns, exactly as they are written: {known}"
    )))
}

fn check_grants(column: &str, shown: &Shown, grants: &[AudienceGrant]) -> Result<(), OpsError> {
    let fail = |grant: &AudienceGrant, why: &str| {
        let grant = self::shown(grant);
        Err(OpsError::Invalid(format!("the grant “{grant}” cannot be: “{column}” is a column of {why}")))
    };
    for grant in grants {
        if grant.to == GrantedTo::Named && shown.options && !shown.people {
            return fail(grant, "options, and names nobody");
        }
        if grant.value.is_some() && shown.people && !shown.options {
            return fail(grant, "people, and has no options");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_as_they_are_written() {
        for text in [
            "everyone",
            "named",
            "group:Sales",
            "person:ana",
            "Red=group:Sales",
            "a=b=everyone",
            "x=group:y=group:z",
        ] {
            assert_eq!(text.parse::<Grant>().unwrap().to_string(), text);
        }
        let grant: Grant = " In review = group: a:b ".parse().unwrap();
        assert_eq!((grant.value.as_deref(), grant.name.as_deref()), (Some("In review"), Some("a:b")));
        for text in ["", "nobody", "group", "Red=", "Red=nobody", "=x"] {
            assert!(text.parse::<Grant>().unwrap_err().contains("grants nothing"), "{text}");
        }
    }

    #[test]
    fn grants_that_make_no_sense_are_refused() {
        let grant = |text: &str, by_column| checked_grant(&text.parse().unwrap(), by_column);
        assert!(
            grant("Red=everyone", true).is_ok()
                && grant("named", true).is_ok()
                && grant("group:a", false).is_ok()
        );
        for (text, by_column) in [
            ("Red=everyone", false),
            ("named", false),
            ("Red=named", true),
            ("group:", true),
            ("=everyone", true),
        ] {
            assert!(grant(text, by_column).is_err(), "{text}");
        }
    }
}
