//! What browsers are shown: rendered here, usable without JavaScript, escaped by the templates.

pub(super) mod account;
pub(super) mod openid;
pub(super) mod problem;
pub(super) mod search;
mod segments;
pub(super) mod sign_in;
mod when;

use std::fmt;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::problem::Problem;

/// A message of an error, which begins in lower case for logs and programs, as a sentence for people.
struct Sentence<'a>(&'a str);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.chars();
        if let Some(first) = rest.next() {
            write!(f, "{}", first.to_uppercase())?;
        }
        write!(f, "{}.", rest.as_str())
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_a_sentence() {
        for (message, sentence) in [
            ("the two passwords differ", "The two passwords differ."),
            ("“acme” is no connector", "“acme” is no connector."),
            ("éclair", "Éclair."),
            ("", "."),
        ] {
            assert_eq!(Sentence(message).to_string(), sentence);
        }
    }
}
