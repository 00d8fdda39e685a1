//! What browsers are shown: rendered here, usable without JavaScript, escaped by the templates.

pub(super) mod account;
pub(super) mod openid;
pub(super) mod problem;
pub(super) mod search;
mod segments;
pub(super) mod sign_in;
mod when;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::problem::Problem;

/// A page from its template.
fn render(template: &impl Template) -> Result<Response, Problem> {
    match template.render() {
        Ok(html) => Ok(Html(html).into_response()),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            let message = "the page could not be made; the server's log says why";
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message.to_owned()))
        }
    }
}
