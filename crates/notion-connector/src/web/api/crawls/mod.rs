pub(in crate::web) mod alerts;
pub(in crate::web) mod approve;
pub(in crate::web) mod cancel;
pub(in crate::web) mod events;
pub(in crate::web) mod list;
pub(in crate::web) mod show;
pub(in crate::web) mod start;

use crate::web::parameters::from_path;
use crate::web::problem::Problem;

fn number(text: &str) -> Result<i64, Problem> {
    from_path("id", text, "the number of a crawl")
}
