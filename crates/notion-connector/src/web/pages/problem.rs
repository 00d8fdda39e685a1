//! The page that says what went wrong.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use super::Sentence;
use crate::web::assets::Assets;
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    assets: &'static Assets,
    heading: &'static str,
    message: Sentence<'a>,
}

/// The page for a problem.
pub(in crate::web) fn page(problem: &Problem) -> Response {
    let status = problem.status();
    let heading = match status.as_u16() {
        404 => "There is no such page",
        401 => "Nobody is signed in",
        429 => "Not so fast",
        403 | 421 => "This request is refused",
        500..=599 => "This did not work",
        _ => "This cannot be answered",
    };
    let page = ProblemPage { assets: Assets::get(), heading, message: Sentence(problem.message()) };
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(_) => (status, problem.message().to_owned()).into_response(),
    }
}
