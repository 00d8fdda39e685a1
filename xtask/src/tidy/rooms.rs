//! Arrows between the rooms of `notion-connector`, and which crate of others' each room may know.
//!
//! The table is the architecture: changing it is a decision, to be argued in ARCHITECTURE.md.

use super::source::{product_lines, test_files};
use super::{File, Problem};

const SOURCE: &str = "crates/notion-connector/src/";

/// Each room (a folder or a file of `src`), and the rooms that it may use.
const ARROWS: &[(&str, &[&str])] = &[
    // Foundations: nothing of ours.
    ("model", &[]),
    ("runtime", &[]),
    ("config", &["model"]),
    ("data_dir", &[]),
    ("secrets", &[]),
    ("observe", &[]),
    // Bytes of files, which know nothing of pages.
    ("files", &["config", "model", "runtime"]),
    // Who somebody is, by the organisation's provider.
    ("openid", &["config"]),
    // The line.
    ("render", &["model"]),
    ("store", &["model"]),
    ("search", &["model"]),
    // Processes that can do nothing but compute, and what is computed in them.
    ("confined", &[]),
    ("extract", &["config", "confined"]),
    ("scripts", &["confined"]),
    ("sink", &["model", "runtime", "search", "store"]),
    ("crawl", &["config", "extract", "files", "model", "render", "runtime", "scripts", "store"]),
    // The product's verbs, and what they work with. The composition root answers with their errors.
    (
        "app",
        &[
            "config", "data_dir", "extract", "files", "openid", "ops", "runtime", "scripts", "search",
            "secrets", "sink", "store",
        ],
    ),
    (
        "ops",
        &[
            "app", "config", "crawl", "data_dir", "extract", "files", "model", "openid", "runtime",
            "scripts", "search", "secrets", "sink", "store",
        ],
    ),
    // The mouths: nothing imports them, but the command that starts a server, and the web server with the agents' door in it.
    ("mcp", &["app", "model", "ops", "search"]),
    ("web", &["app", "config", "mcp", "model", "openid", "ops", "runtime", "search"]),
    (
        "cli",
        &[
            "app", "config", "crawl", "data_dir", "extract", "mcp", "model", "observe", "ops", "scripts",
            "store", "web",
        ],
    ),
    ("main", &["cli"]),
    ("lib", &[]),
];

/// Crates that only these rooms may use: what they stand for can then be exchanged in one place.
const BELONGS_TO: &[(&str, &[&str])] = &[
    ("notion_api", &["app", "cli", "config", "crawl", "extract", "files", "openid", "ops", "render"]),
    ("notion_emulator", &["cli"]),
    ("rusqlite", &["store"]),
    ("tantivy", &["search", "sink"]),
    ("axum", &["web"]),
    ("hyper", &["web"]),
    ("hyper_util", &["files", "web"]),
    ("askama", &["web"]),
    ("utoipa", &["model", "ops", "store", "web"]),
    ("rmcp", &["mcp"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("chacha20poly1305", &["secrets"]),
    ("argon2", &["ops"]),
    ("plaintext", &["crawl", "extract"]),
    ("seccompiler", &["confined"]),
    ("rustix", &["confined", "data_dir", "extract"]),
    ("ring", &["openid", "ops", "store", "web"]),
    ("jsonwebtoken", &["openid"]),
    ("signature", &["openid"]),
    ("rustls", &["web"]),
    ("tokio_rustls", &["web"]),
    ("reqwest", &["files"]),
    ("csv", &["ops"]),
    ("rquickjs", &["scripts"]),
];

pub(crate) fn check(files: &[File]) -> Vec<Problem> {
    let tests = test_files(files);
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| !tests.contains(&file.path)) {
        let Some(room) = room_of(&file.path) else { continue };
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
            let message =
                format!("the room `{room}` is in no table: say in xtask/src/tidy/rooms.rs what it may use");
            problems.push(Problem::new(&file.path, 1, message));
            continue;
        };
        for (line, code) in product_lines(&file.text) {
            for other in rooms_used(code).filter(|other| *other != room && !allowed.contains(other)) {
                problems.push(Problem::new(&file.path, line, forbidden(room, other)));
            }
            for (name, rooms) in BELONGS_TO.iter().filter(|(_, rooms)| !rooms.contains(&room)) {
                if uses_crate(code, name) {
                    problems.push(Problem::new(&file.path, line, misplaced(room, name, rooms)));
                }
            }
        }
    }
    problems
}

fn room_of(path: &str) -> Option<&str> {
    let inner = path.strip_prefix(SOURCE)?;
    inner.split_once('/').map_or_else(|| inner.strip_suffix(".rs"), |(room, _)| Some(room))
}

/// The rooms that a line names: `crate::room`, and each of `crate::{…}`.
fn rooms_used(code: &str) -> impl Iterator<Item = &str> {
    code.match_indices("crate::")
        .filter(|(at, _)| !code[..*at].ends_with('$'))
        .flat_map(move |(at, found)| {
            let rest = &code[at + found.len()..];
            let list = rest.strip_prefix('{').map_or(rest, |inner| inner.split('}').next().unwrap_or(inner));
            let many = rest.starts_with('{');
            list.split(',').take(if many { usize::MAX } else { 1 }).map(|part| {
                let part = part.trim();
                let end = part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len());
                &part[..end]
            })
        })
        .filter(|name| name.chars().next().is_some_and(char::is_lowercase))
}

fn uses_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"');
        whole && code[at + name.len()..].starts_with("::")
    })
}

fn forbidden(room: &str, other: &str) -> String {
    format!(
        "`{room}` must not use `{other}`: arrows point downwards only (cli web mcp → ops → crawl → render → model, ops → \
         search → model, sink → store → model). Move what is needed to a room below, or hand it in from above"
    )
}

fn misplaced(room: &str, name: &str, rooms: &[&str]) -> String {
    let where_it_belongs =
        if rooms.is_empty() { "no room of this crate".to_owned() } else { rooms.join(", ") };
    format!("`{name}` belongs to {where_it_belongs}; `{room}` asks there instead of knowing it")
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        check(&[file(path, text)]).into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn an_arrow_upwards_is_found() {
        let upwards = problems("crates/notion-connector/src/render/text.rs", "use crate::store::Store;\n");
        assert!(matches!(upwards.as_slice(), [one] if one.contains("`render` must not use `store`")));
        let listed = problems("crates/notion-connector/src/model/id.rs", "use crate::{model, ops};\n");
        assert_eq!(listed.len(), 1);
        let inline = problems("crates/notion-connector/src/crawl/apply.rs", "    crate::web::serve(x)\n");
        assert_eq!(inline.len(), 1);
    }

    #[test]
    fn arrows_downwards_comments_and_tests_are_free() {
        let text = "\
//! See [`crate::cli`].
use crate::model::Item;
use crate::render::{self, Body};

#[cfg(test)]
mod tests {
    use crate::ops::search;
}
";
        assert_eq!(problems("crates/notion-connector/src/crawl/step.rs", text), [""; 0]);
    }

    #[test]
    fn a_room_without_a_place_is_found() {
        assert_eq!(problems("crates/notion-connector/src/misc.rs", "").len(), 1);
    }

    #[test]
    fn a_crate_in_the_wrong_room_is_found() {
        let sql = problems("crates/notion-connector/src/ops/search.rs", "use rusqlite::Connection;\n");
        assert!(matches!(sql.as_slice(), [one] if one.contains("`rusqlite` belongs to store")));
        assert_eq!(
            problems("crates/notion-connector/src/store/mod.rs", "use rusqlite::Connection;\n"),
            [""; 0]
        );
    }
}
