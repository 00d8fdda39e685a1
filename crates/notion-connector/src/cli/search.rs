use clap::Args;

use super::values::whole_of;
use super::{Context, Exit};
use crate::model::{Caller, ItemKind, NotionId};
use crate::ops::{
    self, FacetBy, FacetCounts, Filters, OpsError, PointInTime, PropertyFilter, SearchAnswer, SearchHit,
    SearchQuery,
};

/// Options that say by themselves what is looked for.
const NARROWING: [&str; 11] = [
    "as_person",
    "kind",
    "extension",
    "within",
    "editor",
    "property",
    "facets",
    "edited_after",
    "edited_before",
    "created_after",
    "created_before",
];

#[derive(Debug, Args)]
pub(super) struct SearchArguments {
    /// Words; "a phrase", a prefix*; after `--` also -without. May be left out beside an option that narrows: then the
    /// items edited last come first.
    #[arg(required_unless_present_any = NARROWING)]
    query: Vec<String>,
    /// How many results, 1 to 100.
    #[arg(long, default_value_t = 10, value_parser = whole_of::<u8>(1..=100))]
    limit: u8,
    /// Only this kind: page, row, database, data_source, file; may be repeated.
    #[arg(long)]
    kind: Vec<ItemKind>,
    /// Only files whose names end so: pdf, docx; may be repeated, or separated by commas.
    #[arg(long, value_name = "EXTENSION", value_delimiter = ',')]
    extension: Vec<String>,
    /// Only this page or database, by its id or its address, and what lies below it; may be repeated.
    #[arg(long = "in", value_name = "ID", value_parser = NotionId::in_address)]
    within: Vec<NotionId>,
    /// Only what this person edited last, by name or id; may be repeated.
    #[arg(long, value_name = "PERSON")]
    editor: Vec<String>,
    /// Only what was edited at this time or later: 2026-03-01, or 2026-03-01T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    edited_after: Option<PointInTime>,
    /// Only what was edited before this time.
    #[arg(long, value_name = "TIME")]
    edited_before: Option<PointInTime>,
    /// Only what was created at this time or later.
    #[arg(long, value_name = "TIME")]
    created_after: Option<PointInTime>,
    /// Only what was created before this time.
    #[arg(long, value_name = "TIME")]
    created_before: Option<PointInTime>,
    /// Only rows with this property: Status=Done, Points>=3, Due<2026-03-01, Notes~word, Owner=; may be repeated.
    #[arg(long, value_name = "CONDITION")]
    property: Vec<PropertyFilter>,
    /// Search as this person of the directory would, by the user name.
    #[arg(long = "as", value_name = "PERSON")]
    as_person: Option<String>,
    /// Also count what was found by kind, extension, database, editor, property.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    facets: Vec<FacetBy>,
}

pub(super) fn run(context: &Context, arguments: SearchArguments) -> Result<Exit, OpsError> {
    let app = context.open_existing()?;
    let index = app.require_index()?;
    let time = |point: Option<PointInTime>| point.map(|PointInTime(time)| time);
    let query = SearchQuery {
        text: arguments.query.join(" "),
        limit: usize::from(arguments.limit),
        offset: 0,
        filters: Filters {
            kinds: arguments.kind,
            extensions: arguments.extension,
            within: arguments.within,
            editors: arguments.editor,
            edited_from: time(arguments.edited_after),
            edited_before: time(arguments.edited_before),
            created_from: time(arguments.created_after),
            created_before: time(arguments.created_before),
            properties: arguments.property,
        },
        facets: arguments.facets.into_iter().collect(),
    };
    // Whoever can read the data directory's files can read everything in them.
    let caller = &Caller::LOCAL_OPERATOR;
    let answer = match &arguments.as_person {
        Some(person) => ops::search_as(&app, &index, &query, person, caller)?,
        None => ops::search_on_record(&app, &index, &query, caller)?,
    };
    context.output.show(&answer, || describe(&answer));
    Ok(Exit::Completed)
}

fn describe(answer: &SearchAnswer) -> String {
    if answer.hits.is_empty() {
        return "Nothing found.".to_owned();
    }
    let mut lines = vec![format!("{} found", answer.total)];
    for hit in &answer.hits {
        describe_hit(hit, &mut lines);
    }
    for facet in &answer.facets {
        describe_facet(facet, &mut lines);
    }
    if answer.more_properties > 0 {
        lines.push(format!("\nand {} more properties", answer.more_properties));
    }
    lines.join("\n")
}

fn describe_hit(hit: &SearchHit, lines: &mut Vec<String>) {
    let place =
        if hit.breadcrumb.is_empty() { String::new() } else { format!("{} / ", hit.breadcrumb.join(" / ")) };
    lines.push(String::new());
    lines.push(format!("{place}{}", hit.title));
    lines.push(format!("  {}  {}", hit.last_edited_time.strftime("%Y-%m-%d"), hit.url));
    if let Some(file) = &hit.file {
        lines.push(format!("  {}", file.facts.told().join(" · ")));
    }
    if !hit.properties.is_empty() {
        let properties: Vec<String> =
            hit.properties.iter().map(|property| format!("{}: {}", property.name, property.text)).collect();
        lines.push(format!("  {}", properties.join(" · ")));
    }
    if !hit.snippet.is_empty() {
        lines.push(format!("  {}", hit.snippet.replace('\n', " ")));
    }
}

fn describe_facet(facet: &FacetCounts, lines: &mut Vec<String>) {
    lines.push(format!("\n{}", facet.property.as_deref().unwrap_or(facet.by)));
    for value in &facet.values {
        lines.push(format!("{:>8}  {}", value.count, value.label));
    }
    if facet.more > 0 {
        lines.push(format!("          and {} more", facet.more));
    }
}
