//! The query of an address, read so that everything wrong with it is said at once.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::http::Uri;
use url::form_urlencoded;

use super::problem::{ParameterProblem, Problem};

/// How often one parameter is given at most.
pub(super) const MAX_VALUES: usize = 50;

/// Parameters that are still to be read, and what was wrong with those that were.
pub(super) struct Parameters {
    given: Vec<(String, String)>,
    known: Vec<&'static str>,
    problems: Vec<ParameterProblem>,
}

impl Parameters {
    pub(super) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        Self {
            given: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            known: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// A text of at most `max_chars`; none when it is not given.
    pub(super) fn text(&mut self, name: &'static str, max_chars: usize) -> Option<String> {
        let text = self.one(name)?;
        let chars = text.chars().count();
        if chars > max_chars {
            self.problem(name, format!("has {chars} characters; at most {max_chars} are read"));
        }
        Some(text)
    }

    /// A whole number; `default` when it is not given.
    pub(super) fn number<T>(&mut self, name: &'static str, range: RangeInclusive<T>, default: T) -> T
    where
        T: FromStr + PartialOrd + Display + Copy,
    {
        let Some(text) = self.one(name) else { return default };
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (least, most) = (range.start(), range.end());
                self.problem(
                    name,
                    format!("“{}” is not a whole number from {least} to {most}", short(&text)),
                );
                default
            }
        }
    }

    /// Values of a fixed list, given as often as wanted or separated by commas.
    pub(super) fn many<T: FromStr + PartialEq>(&mut self, name: &'static str, known: &str) -> Vec<T> {
        let mut values = Vec::new();
        for text in self.take(name) {
            for text in text.split(',').map(str::trim).filter(|text| !text.is_empty()) {
                match text.parse() {
                    Ok(value) if values.contains(&value) => {}
                    Ok(value) => values.push(value),
                    Err(_) => self.problem(name, format!("“{}” is none of {known}", short(text))),
                }
            }
        }
        values
    }

    /// A value that says by itself what is wrong with it; none when it is not given.
    pub(super) fn value<T>(&mut self, name: &'static str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        let text = self.one(name)?;
        text.parse().map_err(|error: T::Err| self.problem(name, error.to_string())).ok()
    }

    /// Such values, given as often as wanted; a comma is a part of a value.
    pub(super) fn values<T>(&mut self, name: &'static str) -> Vec<T>
    where
        T: FromStr<Err: Display>,
    {
        let texts = self.take(name);
        if texts.len() > MAX_VALUES {
            self.problem(name, format!("is given {} times; at most {MAX_VALUES} are read", texts.len()));
        }
        let mut values = Vec::new();
        for text in texts.into_iter().take(MAX_VALUES) {
            match text.parse() {
                Ok(value) => values.push(value),
                Err(error) => self.problem(name, T::Err::to_string(&error)),
            }
        }
        values
    }

    /// What is still there has no meaning here.
    ///
    /// # Errors
    /// With everything that cannot be used.
    pub(super) fn finish(mut self) -> Result<(), Problem> {
        let names = if self.known.is_empty() { "none".to_owned() } else { self.known.join(", ") };
        for (name, _) in std::mem::take(&mut self.given) {
            self.problem(&short(&name), format!("there is no such parameter; known are: {names}"));
        }
        if self.problems.is_empty() { Ok(()) } else { Err(Problem::invalid_parameters(self.problems)) }
    }

    fn one(&mut self, name: &'static str) -> Option<String> {
        let mut values = self.take(name);
        if values.len() > 1 {
            self.problem(name, format!("is given {} times; give it once", values.len()));
        }
        if values.is_empty() { None } else { Some(values.swap_remove(0)) }
    }

    fn take(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        let (taken, left) = std::mem::take(&mut self.given).into_iter().partition(|(given, _)| given == name);
        self.given = left;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    fn problem(&mut self, name: &str, message: String) {
        self.problems.push(ParameterProblem { name: name.to_owned(), message });
    }
}

/// A value from a path.
///
/// # Errors
/// When the text is none.
pub(super) fn from_path<T: FromStr>(name: &str, text: &str, expected: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| {
        let message = format!("“{}” is not {expected}", short(text));
        Problem::invalid_parameters(vec![ParameterProblem { name: name.to_owned(), message }])
    })
}

/// As much of what was given as is worth repeating.
fn short(text: &str) -> String {
    const CHARS: usize = 60;
    if text.chars().count() <= CHARS {
        text.to_owned()
    } else {
        text.chars().take(CHARS).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ItemKind;

    #[test]
    fn everything_wrong_is_said_at_once() {
        let uri = Uri::from_static("/?limit=0&offset=x&kind=page,nest&kind=row&kind=page&q=a&q=b&colour=red");
        let mut parameters = Parameters::of(&uri);
        assert_eq!(parameters.text("q", 10).as_deref(), Some("a"));
        assert_eq!(parameters.number("limit", 1..=100, 10), 10);
        assert_eq!(parameters.number("offset", 0..=10_000, 0), 0);
        assert_eq!(parameters.many::<ItemKind>("kind", "page, row"), [ItemKind::Page, ItemKind::Row]);
        let problem = parameters.finish().unwrap_err();
        let names = ["q", "limit", "offset", "kind", "colour"];
        for name in names {
            assert!(problem.message().contains(&format!("{name}: ")), "{name} in {}", problem.message());
        }
        assert!(problem.message().ends_with("known are: q, limit, offset, kind"), "{}", problem.message());
    }

    #[test]
    fn what_is_good_is_read() {
        let uri = Uri::from_static("/?q=on+call%20%E8%AD%B0&limit=5");
        let mut parameters = Parameters::of(&uri);
        assert_eq!(parameters.text("q", 10).as_deref(), Some("on call 議"));
        assert_eq!(parameters.number("limit", 1..=100, 10), 5);
        assert!(parameters.finish().is_ok());
    }
}
