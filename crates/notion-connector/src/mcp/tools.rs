//! The tools: what each is called, takes, and answers.

use std::sync::Arc;

use jiff::Timestamp;
use rmcp::model::{JsonObject, ToolAnnotations};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::app::App;
use crate::model::{Caller, ItemKind, NotionId};
use crate::ops::{self, ExportLine, Filters, OpsError, PointInTime, SearchAnswer, SearchQuery};
use crate::search::{MAX_LIMIT, MAX_OFFSET};

/// Results that a search gives unless it says how many.
const USUAL_LIMIT: usize = 10;

/// Characters of a text that are handed out at once: about 25,000 tokens.
const PART_CHARS: usize = 100_000;

/// What agents can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    /// Find items.
    Search,
    /// Read one.
    Fetch,
    /// Learn why one is, or is not, to be found.
    Why,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SearchArguments {
    query: String,
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
    #[serde(default)]
    kinds: Vec<ItemKind>,
    #[serde(default)]
    within: Vec<String>,
    edited_after: Option<String>,
    edited_before: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FetchArguments {
    id: String,
    #[serde(default)]
    offset: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WhyArguments {
    page: String,
    #[serde(default)]
    ask_notion: bool,
}

impl Tool {
    pub(super) const ALL: [Self; 3] = [Self::Search, Self::Fetch, Self::Why];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Fetch => "fetch",
            Self::Why => "why",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::Search => {
                "Find pages, database rows, databases and files of the organisation's Notion by their words. All words count; \"…\" is a \
                 phrase, word* a beginning, -word excludes. An empty query gives what was edited last. Answers with ids, titles, \
                 places, times and the passage that matches best."
            }
            Self::Fetch => {
                "Read one item whole, by its id from a search or by its address in Notion: text, properties, place and times. \
                 Long texts come in parts: ask again with offset = next_offset."
            }
            Self::Why => {
                "Say why a page, row, database or file is, or is not, to be found here, and what to do about it. Who does \
                 not administer connectors learns only of what they may see."
            }
        }
    }

    fn schema(self) -> Value {
        match self {
            Self::Search => json!({
                "type": "object",
                "properties": {
                    "query": { "type": "string", "description": "What to search for." },
                    "limit": { "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "description": "How many results; 10 if not given." },
                    "offset": { "type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "description": "How many to skip." },
                    "kinds": { "type": "array", "items": { "enum": ItemKind::ALL.map(ItemKind::as_str) }, "description": "Only these kinds." },
                    "within": { "type": "array", "items": { "type": "string" }, "description": "Only these pages or databases, by id, and what lies below them." },
                    "edited_after": { "type": "string", "description": "Only what was edited at this time or later, as 2026-03-01 or with a time." },
                    "edited_before": { "type": "string", "description": "Only what was edited before this time." }
                },
                "required": ["query"],
                "additionalProperties": false
            }),
            Self::Fetch => json!({
                "type": "object",
                "properties": {
                    "id": { "type": "string", "description": "Id from a search, or address in Notion." },
                    "offset": { "type": "integer", "minimum": 0, "description": "Where in the text to begin, in characters; 0 if not given." }
                },
                "required": ["id"],
                "additionalProperties": false
            }),
            Self::Why => json!({
                "type": "object",
                "properties": {
                    "page": { "type": "string", "description": "Id, or address in Notion." },
                    "ask_notion": { "type": "boolean", "description": "Whether Notion is asked too; that takes a few of its requests." }
                },
                "required": ["page"],
                "additionalProperties": false
            }),
        }
    }

    pub(super) fn describe(self) -> rmcp::model::Tool {
        let schema: JsonObject = self.schema().as_object().cloned().unwrap_or_default();
        let open = self == Self::Why;
        let annotations = ToolAnnotations::new().read_only(true).destructive(false).open_world(open);
        rmcp::model::Tool::new(self.name(), self.description(), schema).with_annotations(annotations)
    }

    pub(super) async fn call(
        self,
        app: &Arc<App>,
        caller: &Caller,
        arguments: Value,
    ) -> Result<Value, OpsError> {
        match self {
            Self::Search => {
                let query = query_of(parse(self, arguments)?)?;
                blocking(app, caller, move |app, caller| search(app, caller, &query)).await
            }
            Self::Fetch => {
                let arguments: FetchArguments = parse(self, arguments)?;
                let id = NotionId::in_address(&arguments.id).map_err(OpsError::Invalid)?;
                let fetch = move |app: &App, caller: &Caller| {
                    Ok(part_of(ops::load_item(app, id, caller)?, arguments.offset))
                };
                blocking(app, caller, fetch).await
            }
            Self::Why => {
                let arguments: WhyArguments = parse(self, arguments)?;
                let why = ops::why(app, caller, &arguments.page, arguments.ask_notion).await?;
                Ok(json!(why))
            }
        }
    }
}

fn parse<T: DeserializeOwned>(tool: Tool, arguments: Value) -> Result<T, OpsError> {
    serde_json::from_value(arguments).map_err(|error| {
        OpsError::Invalid(format!("the arguments of “{}” cannot be used: {error}", tool.name()))
    })
}

async fn blocking<T: Send + 'static>(
    app: &Arc<App>,
    caller: &Caller,
    verb: impl FnOnce(&App, &Caller) -> Result<T, OpsError> + Send + 'static,
) -> Result<T, OpsError> {
    let (verb_app, caller) = (Arc::clone(app), caller.clone());
    app.runtime.blocking(move || verb(&verb_app, &caller)).await
}

fn query_of(arguments: SearchArguments) -> Result<SearchQuery, OpsError> {
    let limit = arguments.limit.unwrap_or(USUAL_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) || arguments.offset > MAX_OFFSET {
        return Err(OpsError::Invalid(format!(
            "limit must be 1 to {MAX_LIMIT}, and offset at most {MAX_OFFSET}; narrow the search instead"
        )));
    }
    let within = arguments.within.iter().map(|id| NotionId::in_address(id)).collect::<Result<Vec<_>, _>>();
    let filters = Filters {
        kinds: arguments.kinds.into_iter().collect(),
        within: within.map_err(OpsError::Invalid)?.into_iter().collect(),
        edited_from: time(arguments.edited_after)?,
        edited_before: time(arguments.edited_before)?,
        ..Filters::default()
    };
    Ok(SearchQuery {
        text: arguments.query,
        limit,
        offset: arguments.offset,
        filters,
        ..SearchQuery::default()
    })
}

fn time(text: Option<String>) -> Result<Option<Timestamp>, OpsError> {
    let time = text.map(|text| text.parse::<PointInTime>().map(|PointInTime(time)| time)).transpose();
    time.map_err(|error| OpsError::Invalid(error.to_string()))
}

fn search(app: &App, caller: &Caller, query: &SearchQuery) -> Result<Value, OpsError> {
    let index = app.require_index()?;
    Ok(found(ops::search_on_record(app, &index, query, caller)?))
}

fn found(answer: SearchAnswer) -> Value {
    let hits = answer.hits.into_iter().map(|hit| {
        let properties: serde_json::Map<String, Value> =
            hit.properties.into_iter().map(|property| (property.name, property.text.into())).collect();
        json!({
            "id": hit.id,
            "title": hit.title,
            "url": hit.url,
            "text": hit.snippet,
            "kind": hit.kind,
            "breadcrumb": hit.breadcrumb,
            "properties": properties,
            "last_edited_time": hit.last_edited_time,
            "last_edited_by": hit.last_edited_by,
        })
    });
    let hits: Vec<Value> = hits.collect();
    json!({ "results": hits, "total": answer.total })
}

/// An item with the part of its text that begins at that character.
fn part_of(item: ExportLine, offset: usize) -> Value {
    let part: String = item.text.chars().skip(offset).take(PART_CHARS).collect();
    let end = offset + part.chars().count();
    let more = item.text.chars().nth(end).is_some();
    let properties: serde_json::Map<String, Value> =
        item.properties.into_iter().map(|property| (property.name, property.text.into())).collect();
    json!({
        "id": item.id,
        "title": item.title,
        "text": part,
        "next_offset": more.then_some(end),
        "url": item.url,
        "metadata": {
            "kind": item.kind,
            "breadcrumb": item.breadcrumb,
            "properties": properties,
            "created_time": item.created_time,
            "last_edited_time": item.last_edited_time,
            "file": item.file,
        }
    })
}
