use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;

use crate::model::ItemKind;
use crate::ops::{self, FacetBy, Filters, PointInTime, SearchAnswer, SearchQuery};
use crate::search::{MAX_LIMIT, MAX_OFFSET};
use crate::web::Web;
use crate::web::caller::Asking;
use crate::web::parameters::Parameters;
use crate::web::problem::{Problem, ProblemBody};

/// Longest query; search itself reads no more.
pub(in crate::web) const MAX_QUERY_CHARS: usize = 2_000;
const KINDS: &str = "page, row, database, data_source, file";
const FACETS: &str = "kind, extension, database, editor, property";

/// Search
///
/// Finds items by their words: all words count, `"…"` is a phrase, `word*` a beginning, `-word` excludes. Only what the
/// one who asks may see is found and counted. Without `q` the items edited last come first.
#[utoipa::path(
    get,
    path = "/api/v1/search",
    operation_id = "search",
    tag = "search",
    params(
        ("q" = Option<String>, Query, description = "What to search for; at most 2,000 characters.", example = "incident"),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 100, description = "How many results; 10 if not given."),
        ("offset" = Option<usize>, Query, minimum = 0, maximum = 10000, description = "How many to skip; 0 if not given."),
        ("kind" = Option<Vec<ItemKind>>, Query,
            description = "Only these kinds; repeat it, or separate them by commas. All if not given."),
        ("extension" = Option<Vec<String>>, Query,
            description = "Only files whose names end so; repeat it, or separate them by commas.",
            example = json!(["pdf,docx"])),
        ("in" = Option<Vec<String>>, Query,
            description = "Only these pages or databases, by id, and what lies below them; may be repeated."),
        ("editor" = Option<Vec<String>>, Query,
            description = "Only what these people edited last, by name or id; may be repeated."),
        ("edited_after" = Option<String>, Query, description = "Only what was edited at this time or later.",
            example = "2026-03-01"),
        ("edited_before" = Option<String>, Query, description = "Only what was edited before this time.",
            example = "2026-03-01T09:00:00Z"),
        ("created_after" = Option<String>, Query, description = "Only what was created at this time or later."),
        ("created_before" = Option<String>, Query, description = "Only what was created before this time."),
        ("property" = Option<Vec<String>>, Query,
            description = "Only rows with this property: a column, one of `=` `!=` `~` `<` `<=` `>` `>=`, and a value. \
                May be repeated: values of one column with `=` or `~` are alternatives, all else must hold.",
            example = json!(["Status=In review", "Due>=2026-03-01"])),
        ("facets" = Option<Vec<String>>, Query,
            description = "What to count of everything that matches: `kind`, `extension`, `database`, `editor`, \
                `property`; separated by commas.", example = json!(["kind,property"]))
    ),
    responses(
        (status = 200, description = "The results, best first.", body = SearchAnswer),
        (status = 400, description = "Parameters that cannot be used, all of them.", body = ProblemBody),
        (status = 503, description = "The index cannot be read.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn search(
    State(web): State<Arc<Web>>,
    Asking(caller): Asking,
    uri: Uri,
) -> Result<Json<SearchAnswer>, Problem> {
    let mut parameters = Parameters::of(&uri);
    let query = SearchQuery {
        text: parameters.text("q", MAX_QUERY_CHARS).unwrap_or_default(),
        limit: parameters.number("limit", 1..=MAX_LIMIT, 10),
        offset: parameters.number("offset", 0..=MAX_OFFSET, 0),
        filters: filters(&mut parameters),
        facets: parameters.many::<FacetBy>("facets", FACETS).into_iter().collect(),
    };
    parameters.finish()?;
    let answer = web.blocking(move |web| match web.index()? {
        Some(index) => ops::search_on_record(&web.app, &index, &query, &caller),
        None => Ok(SearchAnswer::default()),
    });
    answer.await.map(Json)
}

fn filters(parameters: &mut Parameters) -> Filters {
    let mut time = |name| parameters.value(name).map(|PointInTime(time)| time);
    Filters {
        edited_from: time("edited_after"),
        edited_before: time("edited_before"),
        created_from: time("created_after"),
        created_before: time("created_before"),
        kinds: parameters.many("kind", KINDS),
        extensions: parameters.many("extension", "the ends of files' names, such as pdf"),
        within: parameters
            .many("in", "the ids that Notion gives (32 hexadecimal digits, with or without dashes)"),
        editors: parameters.values("editor"),
        properties: parameters.values("property"),
    }
}
