use super::output::table;
use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, OpsError};

pub(super) async fn run(context: &Context) -> Result<Exit, OpsError> {
    let app = context.open_existing()?;
    let status = ops::status(&app, &Caller::LOCAL_OPERATOR, ops::find_unconfined(&app).await)?;
    context.output.show(&status, || {
        let rows: Vec<Vec<String>> = status
            .connectors
            .iter()
            .map(|one| {
                let (state, crawled) = match &one.last_crawl {
                    Some(crawl) => (
                        format!("{} (crawl {})", crawl.state, crawl.id),
                        crawl.ended.map_or_else(
                            || "-".to_owned(),
                            |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
                        ),
                    ),
                    None => ("never crawled".to_owned(), "-".to_owned()),
                };
                let state = if one.recrawl_required { format!("{state}, recrawl required") } else { state };
                vec![one.name.clone(), one.items.to_string(), state, crawled]
            })
            .collect();
        format!(
            "{}\n\nData: {}\nFailures: {}\nWaiting for the index: {}{}{}{}",
            table(&["CONNECTOR", "ITEMS", "LAST CRAWL", "ENDED"], &rows),
            status.data_dir,
            status.failures,
            status.waiting_for_index,
            status
                .index_trouble
                .as_ref()
                .map(|why| format!("\nThe index is behind: {why}"))
                .unwrap_or_default(),
            unconfined(&status),
            unknown(&status)
        )
    });
    Ok(Exit::Completed)
}

/// What does not protect this machine from the files that are read.
fn unconfined(status: &ops::Status) -> String {
    let missing = status.unconfined.join(", ");
    if missing.is_empty() { missing } else { format!("\nMissing where files are read: {missing}") }
}

/// What this version does not know, one line a kind.
fn unknown(status: &ops::Status) -> String {
    let mut lines = String::new();
    for connector in &status.connectors {
        for found in &connector.unknown_kinds {
            let ops::UnknownKind { what, kind, items, example } = found;
            lines.push_str(&format!(
                "\n{}: {what} of the unknown kind “{kind}” in {items} items, such as {example}; its text was kept",
                connector.name
            ));
        }
    }
    lines
}
