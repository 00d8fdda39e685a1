//! Why something is, or is not, in the index.
//!
//! Told from the store; with `ask`, Notion is asked too: as a page, a database, a data source and a block, in at most four requests
//! for each connector, and a few more from a block up to its page. A new reason to leave
//! something out is an arm of [`setting_of`].

use jiff::Timestamp;
use notion_api::{Class, Client};
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use super::OpsError;
use super::scheduler::next_crawl;
use super::why_files::{self, FileAnswer, FileNotIndexed, Verdict};
use crate::app::App;
use crate::crawl::{advise, step};
use crate::model::{Caller, NotionId, Parent, Role};
use crate::store::{Connector, Departure, Failure, Holding, LeftOut, Proof, Trace, Waiting};

/// Where an object stands, by the word that matters most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It can be found.
    InIndex,
    /// It is read, and the index takes it within seconds.
    WaitsForIndex,
    /// A crawl has still to read it.
    WaitsInCrawl,
    /// It failed, and the next crawl tries again.
    Failed,
    /// A limit left it out.
    Skipped,
    /// A setting leaves it out.
    Filtered,
    /// Notion said that it is in the trash.
    Trashed,
    /// Notion said that it does not exist or is not shared; it does not say which.
    NotVisible,
    /// No crawl has met it.
    NeverSeen,
}

/// One thing that is known, in words.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Reason {
    /// The connector it is about; none for what is about all.
    pub connector: Option<String>,
    /// What is so, and what to do.
    pub message: String,
}

/// What Notion said now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AskedNotion {
    /// The connector whose secret was used.
    pub connector: String,
    /// Whether its integration can read the object.
    pub readable: bool,
    /// Whether it lies in the trash.
    pub in_trash: bool,
    /// When it was last edited, if Notion told.
    pub last_edited: Option<Timestamp>,
    /// The page it stands in, where it is a block.
    pub page: Option<NotionId>,
    /// In words, with what to do.
    pub message: String,
}

/// Why something is, or is not, in the index.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Why {
    /// Notion's id.
    pub id: NotionId,
    /// Where it stands.
    pub standing: Standing,
    /// The setting that leaves it out, where one does.
    pub setting: Option<String>,
    /// All of it in words, the most important first.
    pub reasons: Vec<Reason>,
    /// The connectors that hold it.
    pub holdings: Vec<Holding>,
    /// What failed and was not repaired.
    pub failures: Vec<Failure>,
    /// When a crawl that nobody has to ask for tries again, while `serve` runs; of what failed, and none where nothing is due.
    pub next_try: Option<Timestamp>,
    /// What crawls have still to ask.
    pub waiting: Vec<Waiting>,
    /// The connectors that it left, or is to leave.
    pub departures: Vec<Departure>,
    /// What is known of it, where it is a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileAnswer>,
    /// Of a page, its files that are not indexed, each with the reason; at most 100 files are looked at.
    pub files: Vec<FileNotIndexed>,
    /// What Notion said, if it was asked; of a file, what it said of the first of its pages.
    pub asked: Vec<AskedNotion>,
}

/// What Notion does not tell apart, and what to do about each.
const NOT_VISIBLE: &str = "it is not connected to the integration, or was deleted for good, or never existed: Notion does not say \
     which. Open it in Notion: if it is there, choose ••• → Connections and add the integration to it or to a page above it, then \
     crawl again";

/// Why the object with this id, or at this address of Notion's, is or is not in the index.
///
/// Who administers no connectors learns only of what they may see; of all else, whether or not it is there, the same.
///
/// # Errors
/// When `page` names nothing, the caller may see nothing of it or may not ask Notion, or the database cannot be read. What Notion refuses
/// is part of the answer.
pub async fn why(app: &App, caller: &Caller, page: &str, ask: bool) -> Result<Why, OpsError> {
    let administers = caller.require(Role::ConnectorAdmin);
    if administers.is_err() {
        caller.require(Role::SearchUser)?;
    }
    if ask {
        administers?;
    }
    let id = named(page).ok_or_else(|| {
        OpsError::Invalid(format!("“{page}” names nothing: give an id or an address of Notion's"))
    })?;
    if administers.is_err() {
        return why_for_viewer(app, caller, id);
    }
    let trace = app.store.load_trace(id)?;
    let file = why_files::of_file(app, id)?;
    let verdicts = if file.is_some() { why_files::verdicts(app, id)? } else { Vec::new() };
    let standing = standing(&trace, &verdicts);
    let next_try = next_try(app, &trace)?;
    let of_verdict = verdicts.iter().find(|(verdict, _)| verdict.standing == standing);
    let setting = of_verdict.map_or_else(|| setting_of(&trace, standing), |(verdict, _)| verdict.setting);
    let mut reasons = reasons(&trace, standing, next_try, ask);
    // What failed by itself has said so.
    let is_told =
        |verdict: &Verdict| standing == Standing::Failed && verdict.standing == Standing::WaitsInCrawl;
    let told = verdicts.into_iter().filter(|(verdict, _)| !is_told(verdict)).map(|(_, reason)| reason);
    reasons.splice(0..0, told);
    let asked_for = file.as_ref().and_then(|file| file.pages.first()).map_or(id, |page| page.id);
    let mut why = Why {
        id,
        standing,
        setting: setting.map(str::to_owned),
        reasons,
        files: if file.is_none() { why_files::not_indexed(app, id)? } else { Vec::new() },
        file,
        holdings: trace.holdings,
        failures: trace.failures,
        next_try,
        waiting: trace.waiting,
        departures: trace.departures,
        asked: Vec::new(),
    };
    if ask {
        for connector in app.store.load_connectors()? {
            let mut asked = ask_notion(app, &connector, asked_for).await;
            if asked.readable && !asked.in_trash && asked.page.is_none() {
                let whose = if why.file.is_some() { "its page" } else { "it" };
                asked.message = format!("Notion says now that {whose} can be read{}", then(standing));
            }
            why.asked.push(asked);
        }
    }
    Ok(why)
}

/// What comes of it that Notion can be read there.
const fn then(standing: Standing) -> &'static str {
    match standing {
        Standing::InIndex | Standing::WaitsForIndex => "",
        Standing::Filtered | Standing::Skipped => {
            ", which does not bring it: what leaves it out is said above"
        }
        Standing::WaitsInCrawl
        | Standing::Failed
        | Standing::Trashed
        | Standing::NotVisible
        | Standing::NeverSeen => ": the next crawl brings it",
    }
}

/// That somebody finds what they may see.
fn why_for_viewer(app: &App, caller: &Caller, id: NotionId) -> Result<Why, OpsError> {
    let stands = app.store.load_stands(id)?;
    if !stands.iter().any(|stand| caller.viewer.sees(&stand.holders, &stand.position)) {
        return Err(OpsError::NotFound(format!("{id} is not in the index, or not for you")));
    }
    let trace = app.store.load_trace(id)?;
    let standing = standing(&trace, &[]);
    let message = match standing {
        Standing::InIndex => "in the index, and you may see it",
        _ => "the index takes it within seconds, and you may see it",
    };
    Ok(Why {
        id,
        standing,
        setting: None,
        reasons: vec![Reason { connector: None, message: message.to_owned() }],
        holdings: Vec::new(),
        failures: Vec::new(),
        next_try: None,
        waiting: Vec::new(),
        departures: Vec::new(),
        file: None,
        files: Vec::new(),
        asked: Vec::new(),
    })
}

/// The object that a text names: an id, or an address. In an address with a page opened beside a list (`?p=`) that page is meant,
/// else the id at the end of the path.
pub(super) fn named(text: &str) -> Option<NotionId> {
    let text = text.trim();
    if let Ok(id) = text.parse() {
        return Some(id);
    }
    let url = Url::parse(text).or_else(|_| Url::parse(&format!("https://{text}"))).ok()?;
    let beside = url.query_pairs().find(|(name, _)| name == "p").map(|(_, id)| id.into_owned());
    beside.and_then(|id| trailing_id(&id)).or_else(|| trailing_id(url.path().trim_end_matches('/')))
}

/// When what failed is tried again by itself: with the next crawl of its connector that is due.
fn next_try(app: &App, trace: &Trace) -> Result<Option<Timestamp>, OpsError> {
    let mut next = None;
    for failure in &trace.failures {
        if let Some(connector) = app.store.load_connector(&failure.connector)? {
            next = next.into_iter().chain(next_crawl(app, &connector)?).min();
        }
    }
    Ok(next)
}

fn trailing_id(text: &str) -> Option<NotionId> {
    let tail = |length: usize| text.len().checked_sub(length).and_then(|start| text.get(start..));
    [32, 36].into_iter().find_map(|length| tail(length)?.parse().ok())
}

fn standing(trace: &Trace, files: &[(Verdict, Reason)]) -> Standing {
    let indexed = trace.holdings.iter().filter(|holding| holding.indexed.is_some());
    let outcome = |name: &str| trace.holdings.iter().any(|one| one.outcome.as_deref() == Some(name));
    let left = trace.departures.iter().find(|departure| departure.applied);
    match indexed.map(|holding| holding.waits_for_index).min() {
        Some(false) => Standing::InIndex,
        Some(true) => Standing::WaitsForIndex,
        None if !trace.waiting.is_empty() => Standing::WaitsInCrawl,
        None if !trace.failures.is_empty() => Standing::Failed,
        None if files.is_empty() && outcome("skipped") || left_out(trace, LeftOut::Limit) => {
            Standing::Skipped
        }
        None if left_out(trace, LeftOut::Filter) || left_out(trace, LeftOut::Archived) => Standing::Filtered,
        None if !files.is_empty() => files[0].0.standing,
        None => match left.map(|departure| departure.proof) {
            Some(Proof::Archived | Proof::Excluded) => Standing::Filtered,
            Some(Proof::Trashed) => Standing::Trashed,
            Some(Proof::NotFound | Proof::Removed) => Standing::NotVisible,
            None => Standing::NeverSeen,
        },
    }
}

fn left_out(trace: &Trace, why: LeftOut) -> bool {
    trace.left_out.iter().any(|(_, _, reason)| *reason == why)
}

/// The setting that leaves it out.
fn setting_of(trace: &Trace, standing: Standing) -> Option<&'static str> {
    let archived = left_out(trace, LeftOut::Archived)
        || !left_out(trace, LeftOut::Filter)
            && trace.departures.iter().any(|departure| departure.proof == Proof::Archived);
    match standing {
        Standing::Filtered if archived => Some("crawl.archived"),
        Standing::Filtered => Some("filters of the connector"),
        Standing::Skipped if left_out(trace, LeftOut::Limit) => Some("crawl.item_limit"),
        _ => None,
    }
}

fn reasons(trace: &Trace, standing: Standing, next_try: Option<Timestamp>, ask: bool) -> Vec<Reason> {
    let about = |connector: &str, message| Reason { connector: Some(connector.to_owned()), message };
    let held = trace.holdings.iter().map(|holding| about(&holding.connector, of_holding(holding)));
    let failed =
        trace.failures.iter().map(|failure| about(&failure.connector, of_failure(failure, trace, next_try)));
    let waiting = trace.waiting.iter().map(|waiting| about(&waiting.connector, of_waiting(waiting)));
    let left = trace.departures.iter().map(|departure| about(&departure.connector, of_departure(departure)));
    let out =
        trace.left_out.iter().map(|(connector, crawl, why)| about(connector, of_left_out(*crawl, *why)));
    let mut reasons: Vec<Reason> = held.chain(failed).chain(waiting).chain(left).chain(out).collect();
    if standing == Standing::NeverSeen {
        let or_ask = if ask { "" } else { "; or ask Notion now with --ask" };
        let message = format!("no crawl has met it: {NOT_VISIBLE}{or_ask}");
        reasons.push(Reason { connector: None, message });
    }
    reasons
}

fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn of_holding(holding: &Holding) -> String {
    let by = match (holding.crawl, holding.since) {
        (Some(crawl), Some(since)) => format!(" since crawl {crawl} of {}", shown(since)),
        (Some(crawl), None) => format!(" since crawl {crawl}"),
        _ => String::new(),
    };
    let read = holding.last_read.map(|time| format!(", last read {}", shown(time))).unwrap_or_default();
    let edited = shown(holding.last_edited);
    match holding.indexed {
        Some(indexed) => {
            let wait = if holding.waits_for_index {
                "; the index takes its newest state within seconds"
            } else {
                ""
            };
            let indexed = shown(indexed);
            format!(
                "in the index{by}, last changed there {indexed}{read}, last edited in Notion {edited}{wait}"
            )
        }
        None if holding.outcome.as_deref() == Some("skipped") => {
            format!("known{by}, and left out because it is larger than a limit; see `crawls show` for which")
        }
        None => format!("known{by}, and not in the index yet; last edited in Notion {edited}"),
    }
}

fn of_failure(failure: &Failure, trace: &Trace, next_try: Option<Timestamp>) -> String {
    let due = next_try.map_or_else(
        || ": start one".to_owned(),
        |time| format!(", which is due at {} while serve runs", shown(time)),
    );
    let again = trace.waiting.iter().find(|waiting| waiting.connector == failure.connector).map_or_else(
        || format!("the next crawl of this connector tries again{due}"),
        |waiting| format!("crawl {} tries again", waiting.crawl),
    );
    let (times, last) = (failure.times, shown(failure.last));
    format!(
        "failed in {times} crawls in a row, last in crawl {} on {last}: {}; {again}",
        failure.crawl, failure.message
    )
}

fn of_waiting(waiting: &Waiting) -> String {
    let after = if waiting.attempts > 0 {
        format!(", after {} failures, not before {}", waiting.attempts, shown(waiting.not_before))
    } else {
        String::new()
    };
    format!("crawl {} has still to ask for it ({}){after}", waiting.crawl, waiting.task)
}

fn of_left_out(crawl: i64, why: LeftOut) -> String {
    match why {
        LeftOut::Filter => format!(
            "crawl {crawl} met it, and the connector's filters leave it out: see connector show, change them with connector edit"
        ),
        LeftOut::Archived => format!(
            "crawl {crawl} met it, it is archived, and archived pages are left out by the setting crawl.archived"
        ),
        LeftOut::Limit => format!(
            "crawl {crawl} met it when the connector held as many items as it may; raise the limit with connector edit \
             NAME --item-limit N"
        ),
    }
}

fn of_departure(departure: &Departure) -> String {
    let when = departure.time.map(|time| format!(" on {}", shown(time))).unwrap_or_default();
    let why = match departure.proof {
        Proof::Trashed => {
            "Notion said that it lies in the trash; restore it there and crawl again".to_owned()
        }
        Proof::NotFound => format!("Notion answered 404: {NOT_VISIBLE}"),
        Proof::Removed => "every page that held the file was read again, without it".to_owned(),
        Proof::Excluded => "a filter or a file setting of the connector left it out".to_owned(),
        Proof::Archived => {
            "it is archived, and archived pages are left out by the setting crawl.archived".to_owned()
        }
    };
    if departure.applied {
        format!("left with crawl {}{when}: {why}", departure.crawl)
    } else {
        let crawl = departure.crawl;
        format!(
            "to leave with crawl {crawl}, when it ends or `crawls approve-deletions {crawl}` says so: {why}"
        )
    }
}

pub(super) async fn ask_notion(app: &App, connector: &Connector, id: NotionId) -> AskedNotion {
    let mut asked = AskedNotion {
        connector: connector.name.clone(),
        readable: false,
        in_trash: false,
        last_edited: None,
        page: None,
        message: String::new(),
    };
    let client = match app.client_of(connector) {
        Ok(client) => client,
        Err(error) => return AskedNotion { message: error.to_string(), ..asked },
    };
    match read(&client, id).await {
        Ok(Seen { in_trash, last_edited, page }) => {
            let place = match (in_trash, page) {
                (true, _) => "can be read, and lies in the trash".to_owned(),
                (false, Some(page)) => {
                    format!("is a block of the page {page}, which is what is indexed: ask why for that")
                }
                (false, None) => "can be read".to_owned(),
            };
            asked.message = format!("Notion says now that it {place}");
            asked.readable = true;
            (asked.in_trash, asked.last_edited, asked.page) = (in_trash, last_edited, page);
        }
        Err(error) if matches!(error.class(), Class::NotFound | Class::Validation(_)) => {
            asked.message = format!("Notion answers 404 now: {NOT_VISIBLE}");
        }
        Err(error) => asked.message = advise(&error),
    }
    asked
}

/// What Notion says of an object.
struct Seen {
    in_trash: bool,
    last_edited: Option<Timestamp>,
    page: Option<NotionId>,
}

/// Most blocks that are asked for from one up to its page.
const MAX_STEPS_UP: usize = 8;

/// An id does not tell of what kind it is: as a page, then as a database, a data source, and a block.
async fn read(client: &Client, id: NotionId) -> Result<Seen, notion_api::Error> {
    let seen = |in_trash, last_edited| Ok(Seen { in_trash, last_edited, page: None });
    match client.fetch_page(id.0).await {
        Ok(page) => return seen(page.value.in_trash, page.value.last_edited_time),
        Err(error) if is_another_kind(&error) => {}
        Err(error) => return Err(error),
    }
    match client.fetch_database(id.0).await {
        Ok(database) => return seen(database.value.in_trash, database.value.last_edited_time),
        Err(error) if is_another_kind(&error) => {}
        Err(error) => return Err(error),
    }
    match client.fetch_data_source(id.0).await {
        Ok(found) => return seen(found.value.in_trash, found.value.last_edited_time),
        Err(error) if is_another_kind(&error) => {}
        Err(error) => return Err(error),
    }
    let block = client.fetch_block(id.0).await?.value;
    let (in_trash, last_edited) = (block.in_trash, block.last_edited_time);
    let mut parent = step::parent_of(block.parent.as_ref());
    for _ in 0..MAX_STEPS_UP {
        let Parent::Block(above) = parent else { break };
        let above = client.fetch_block(above.0).await?.value;
        parent = step::parent_of(above.parent.as_ref());
    }
    let page = match parent {
        Parent::Page(page) => Some(page),
        _ => None,
    };
    Ok(Seen { in_trash, last_edited, page })
}

fn is_another_kind(error: &notion_api::Error) -> bool {
    matches!(error.class(), Class::NotFound | Class::Validation(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_every_spelling_of_an_address() {
        let plain = "393abc1eedcd81d5bf32d1339d9031c2";
        let id: NotionId = plain.parse().unwrap();
        for text in [
            plain.to_owned(),
            id.to_string(),
            format!("https://app.notion.com/p/Tide-tables-{plain}"),
            format!("https://www.notion.so/acme/Tide-{plain}?pvs=4#11111111111111111111111111111111"),
            format!("https://www.notion.so/acme/22222222222222222222222222222222?v=3&p={plain}&pm=s"),
            format!("https://acme.notion.site/{id}/"),
            format!("https://acme.notion.site/Tide-tables-{plain}?pvs=4"),
            format!("https://www.notion.so/{plain}?v=11111111111111111111111111111111"),
            format!("https://app.notion.com/p/acme/Tide-{plain}?v=11111111111111111111111111111111&p="),
            format!("https://app.notion.com/acme/22222222222222222222222222222222?p={plain}&pm=c"),
            format!("notion.so/{plain}#11111111111111111111111111111111"),
            format!("notion://www.notion.so/acme/Tide-{plain}"),
            format!(" {}\n", plain.to_uppercase()),
            format!("www.notion.so/Tide-{plain}"),
        ] {
            assert_eq!(named(&text), Some(id), "{text}");
        }
        for text in ["", "Tide tables", "https://www.notion.so/", "../../etc/passwd", "393abc1e"] {
            assert_eq!(named(text), None, "{text}");
        }
    }
}
