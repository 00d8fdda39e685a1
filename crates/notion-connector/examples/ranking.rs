//! Measures how well search ranks, on a set of pages and queries with known answers.
//!
//! ```text
//! cargo run --release --example ranking -- DIR [SETTINGS]…
//! ```
//!
//! `DIR` holds `corpus.jsonl.gz` (`_id`, `title`, `text`), `queries.jsonl` (`_id`, `text`) and `qrels.tsv` (query, page,
//! relevance), as the BEIR benchmarks do. Without settings the defaults are measured. Each further argument is measured
//! against them: `title=6,body_pair=0`. `-v` lists the queries whose page is not first.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use notion_connector::model::{
    Change, ConnectorId, Crumb, Delivery, Item, ItemKey, ItemKind, NotionId, OutboxCursor, Parent, Passage,
    Position, Viewer,
};
use notion_connector::runtime::Runtime;
use notion_connector::search::ranking::Weights;
use notion_connector::search::{SearchIndex, SearchRequest};
use notion_connector::sink::index::IndexSink;
use serde::Deserialize;
use uuid::Uuid;

const DEPTH: usize = 10;
const BATCH: usize = 500;

#[derive(Deserialize)]
struct Record {
    _id: String,
    #[serde(default)]
    title: String,
    text: String,
}

struct Set {
    queries: Vec<Record>,
    relevant: BTreeMap<String, BTreeSet<String>>,
    names: BTreeMap<NotionId, String>,
}

fn main() -> anyhow::Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let verbose = arguments.iter().any(|argument| argument == "-v");
    arguments.retain(|argument| argument != "-v");
    let Some((directory, settings)) = arguments.split_first() else {
        bail!("usage: ranking DIR [name=value,…]… [-v]");
    };
    let directory = Path::new(directory);
    let mut set = Set {
        queries: records(BufReader::new(File::open(directory.join("queries.jsonl"))?))?,
        relevant: relevant(&directory.join("qrels.tsv"))?,
        names: BTreeMap::new(),
    };
    let index = index(directory, &mut set.names)?;
    println!("{} pages, {} queries", set.names.len(), set.queries.len());
    println!("{:>8} {:>9} {:>9} {:>8} {:>8}  settings", "MRR@10", "recall@1", "recall@10", "total", "ms");
    measure(&index, &set, &Weights::default(), "defaults", verbose)?;
    for setting in settings {
        measure(&index, &set, &weights(setting)?, setting, verbose)?;
    }
    Ok(())
}

fn measure(
    index: &SearchIndex,
    set: &Set,
    weights: &Weights,
    name: &str,
    verbose: bool,
) -> anyhow::Result<()> {
    let (mut reciprocal, mut first, mut found, mut total) = (0.0, 0, 0, 0);
    let mut elapsed = Duration::ZERO;
    for query in &set.queries {
        let relevant =
            set.relevant.get(&query._id).with_context(|| format!("no answer for {}", query._id))?;
        let request =
            SearchRequest { limit: DEPTH, ..SearchRequest::new(&query.text, Viewer::LocalOperator) };
        let start = tokio::time::Instant::now();
        let response = index.search_weighted(&request, weights)?;
        elapsed += start.elapsed();
        total += response.total;
        let names: Vec<&String> = response.hits.iter().filter_map(|hit| set.names.get(&hit.id)).collect();
        let rank = names.iter().position(|name| relevant.contains(*name));
        if let Some(rank) = rank {
            reciprocal += 1.0 / (rank + 1) as f64;
            found += 1;
            first += usize::from(rank == 0);
        }
        if verbose && rank != Some(0) {
            println!("{:?} {:?}\n    wants {relevant:?}\n    first {:?}", rank, query.text, names.first());
        }
    }
    let count = set.queries.len() as f64;
    println!(
        "{:>8.4} {:>9.4} {:>9.4} {:>8.0} {:>8.2}  {name}",
        reciprocal / count,
        f64::from(first as u32) / count,
        f64::from(found) / count,
        total as f64 / count,
        elapsed.as_secs_f64() * 1000.0 / count,
    );
    Ok(())
}

fn index(directory: &Path, names: &mut BTreeMap<NotionId, String>) -> anyhow::Result<SearchIndex> {
    let sink = IndexSink::in_memory(Runtime::real())?;
    let file = flate2::read::GzDecoder::new(File::open(directory.join("corpus.jsonl.gz"))?);
    let cursor = OutboxCursor { epoch: Uuid::nil(), sequence: 0 };
    let mut batch = Vec::new();
    for record in records(BufReader::new(file))? {
        let id = NotionId(Uuid::from_u128(names.len() as u128 + 1));
        batch.push(Change::Upsert(Box::new(delivery(id, &record))));
        names.insert(id, record._id);
        if batch.len() == BATCH {
            sink.deliver_now(&std::mem::take(&mut batch), cursor)?;
        }
    }
    sink.deliver_now(&batch, cursor)?;
    Ok(sink.search_index())
}

/// A page as a crawl would deliver it: the title is not repeated in the body, folders are the breadcrumb.
fn delivery(id: NotionId, record: &Record) -> Delivery {
    let (text, passages) = body(&record.text, &record.title);
    let folders = record._id.rsplit_once('/').map_or("", |(folders, _)| folders);
    let ancestors = folders.split('/').filter(|name| !name.is_empty()).map(|name| Crumb {
        id: NotionId(Uuid::nil()),
        kind: ItemKind::Page,
        title: name.to_owned(),
        is_held: true,
    });
    Delivery {
        ancestors: ancestors.collect(),
        item: Item {
            key: ItemKey::new(NotionId(Uuid::nil()), ItemKind::Page, id),
            kind: ItemKind::Page,
            id,
            title: record.title.clone(),
            url: String::new(),
            icon: None,
            cover: None,
            parent: Parent::Workspace,
            text,
            passages,
            properties: Vec::new(),
            links: Vec::new(),
            created_time: Timestamp::UNIX_EPOCH,
            last_edited_time: Timestamp::UNIX_EPOCH,
            created_by: None,
            last_edited_by: None,
            file: None,
        },
        holders: vec![ConnectorId(1)],
        position: Position::default(),
        related: Vec::new(),
        last_edited_by_name: None,
    }
}

/// The text without the marks of Markdown, and its headings.
fn body(markdown: &str, title: &str) -> (String, Vec<Passage>) {
    let mut text = String::new();
    let mut passages = Vec::new();
    for line in markdown.lines() {
        let heading = line.trim_start_matches('#');
        let plain = unlinked(heading.trim()).replace(['*', '`', '\\'], "");
        if heading.len() < line.len() {
            if plain == title {
                continue;
            }
            let start = text.len();
            passages.push(Passage {
                heading_path: vec![plain.clone()],
                block_id: None,
                range: start..start + plain.len(),
            });
        }
        text.push_str(&plain);
        text.push('\n');
    }
    (text, passages)
}

/// `[text](address)` as `text`.
fn unlinked(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("](") {
        plain.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

fn records(reader: impl BufRead) -> anyhow::Result<Vec<Record>> {
    reader.lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

fn relevant(path: &Path) -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    let mut relevant: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in BufReader::new(File::open(path)?).lines().skip(1) {
        let line = line?;
        let [query, page, score] = line.split('\t').collect::<Vec<_>>()[..] else {
            bail!("not three columns: {line}")
        };
        if score != "0" {
            relevant.entry(query.to_owned()).or_default().insert(page.to_owned());
        }
    }
    Ok(relevant)
}

fn weights(settings: &str) -> anyhow::Result<Weights> {
    let mut weights = Weights::default();
    for setting in settings.split(',') {
        let (name, value) = setting.split_once('=').context("settings are name=value")?;
        let value: f32 = value.parse()?;
        let field = match name {
            "title" => &mut weights.title,
            "title_stem" => &mut weights.title_stem,
            "headings" => &mut weights.headings,
            "breadcrumb" => &mut weights.breadcrumb,
            "body" => &mut weights.body,
            "body_stem" => &mut weights.body_stem,
            "tie_breaker" => &mut weights.tie_breaker,
            "title_pair" => &mut weights.title_pair,
            "body_pair" => &mut weights.body_pair,
            "title_near" => &mut weights.title_near,
            "title_whole" => &mut weights.title_whole,
            "required_share" => &mut weights.required_share,
            _ => bail!("no weight is called {name}"),
        };
        *field = value;
    }
    Ok(weights)
}
