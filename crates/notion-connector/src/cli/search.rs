use clap::Args;

use super::{Context, Exit};
use crate::model::Viewer;
use crate::ops::{self, OpsError, SearchAnswer, SearchQuery};

#[derive(Debug, Args)]
pub(super) struct SearchArguments {
    /// Words; "a phrase", a prefix*; after `--` also -without.
    #[arg(required = true)]
    query: Vec<String>,
    /// How many results, 1 to 100.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=100))]
    limit: u8,
}

pub(super) fn run(context: &Context, arguments: &SearchArguments) -> Result<Exit, OpsError> {
    let app = context.open_existing()?;
    let index = app.require_index()?;
    let query = SearchQuery {
        text: arguments.query.join(" "),
        limit: usize::from(arguments.limit),
        offset: 0,
        kinds: Vec::new(),
    };
    // Whoever can read the data directory's files can read everything in them.
    let answer = ops::search(&index, &query, &Viewer::LocalOperator)?;
    context.output.show(&answer, || describe(&answer));
    Ok(Exit::Completed)
}

fn describe(answer: &SearchAnswer) -> String {
    if answer.hits.is_empty() {
        return "Nothing found.".to_owned();
    }
    let mut lines = vec![format!("{} found", answer.total)];
    for hit in &answer.hits {
        let place = if hit.breadcrumb.is_empty() {
            String::new()
        } else {
            format!("{} / ", hit.breadcrumb.join(" / "))
        };
        lines.push(String::new());
        lines.push(format!("{place}{}", hit.title));
        lines.push(format!("  {}  {}", hit.last_edited_time.strftime("%Y-%m-%d"), hit.url));
        if !hit.snippet.is_empty() {
            lines.push(format!("  {}", hit.snippet.replace('\n', " ")));
        }
    }
    lines.join("\n")
}
