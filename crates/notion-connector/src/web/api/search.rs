use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;

use crate::model::ItemKind;
use crate::ops::{self, SearchAnswer, SearchQuery};
use crate::search::{MAX_LIMIT, MAX_OFFSET};
use crate::web::Web;
use crate::web::parameters::Parameters;
use crate::web::problem::{Problem, ProblemBody};
use crate::web::viewer::Asking;

/// Longest query; search itself reads no more.
pub(in crate::web) const MAX_QUERY_CHARS: usize = 2_000;
const KINDS: &str = "page, row, database, data_source";

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
            description = "Only these kinds; repeat it, or separate them by commas. All if not given.")
    ),
    responses(
        (status = 200, description = "The results, best first.", body = SearchAnswer),
        (status = 400, description = "Parameters that cannot be used, all of them.", body = ProblemBody),
        (status = 503, description = "The index cannot be read.", body = ProblemBody)
    )
)]
pub(in crate::web) async fn search(
    State(web): State<Arc<Web>>,
    Asking(viewer): Asking,
    uri: Uri,
) -> Result<Json<SearchAnswer>, Problem> {
    let mut parameters = Parameters::of(&uri);
    let query = SearchQuery {
        text: parameters.text("q", MAX_QUERY_CHARS).unwrap_or_default(),
        limit: parameters.number("limit", 1..=MAX_LIMIT, 10),
        offset: parameters.number("offset", 0..=MAX_OFFSET, 0),
        kinds: parameters.many("kind", KINDS),
    };
    parameters.finish()?;
    let answer = web.blocking(move |web| match web.index()? {
        Some(index) => ops::search(&index, &query, &viewer),
        None => Ok(SearchAnswer::default()),
    });
    answer.await.map(Json)
}
