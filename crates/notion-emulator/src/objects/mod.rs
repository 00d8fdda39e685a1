//! World → JSON of the API, as one token reads it in one API version. Key order is that of recorded answers.
//!
//! A new object or field belongs here and nowhere else; routes only choose what to show.

/// An object whose values are moved in; `json!` would copy them, and whole pages pass through here.
macro_rules! object {
    ($($key:expr => $value:expr),* $(,)?) => {{
        let mut map = serde_json::Map::new();
        $(map.insert(String::from($key), serde_json::Value::from($value));)*
        serde_json::Value::Object(map)
    }};
}
pub(crate) use object;

mod block;
mod comment;
mod database;
mod markdown;
mod page;
mod stored;
mod user;

pub(crate) use self::block::MARKDOWN_ONLY;
pub use self::page::same_property;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::files::Signer;
use crate::options::{Behavior, BelowTrash};
use crate::rules::auth::Token;
use crate::rules::version::Version;
use crate::world::access::Standing;
use crate::world::model::{Ix, Kind, Parent};
use crate::world::{Found, World};

/// One reader: everything that decides how the world looks.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The world.
    pub world: &'a World,
    /// Who reads.
    pub token: &'a Token,
    /// In which version.
    pub version: Version,
    /// Switches.
    pub behavior: &'a Behavior,
    /// Who signs URLs of files.
    pub signer: &'a Signer,
    /// When.
    pub now_ms: i64,
    /// For the markdown renderers, which know types that the block API does not deliver.
    pub for_markdown: bool,
}

impl Reader<'_> {
    /// How an entity stands towards this reader.
    #[must_use]
    pub fn standing(&self, ix: Ix) -> Standing {
        let mut standing = self.token.access.standing(self.world, ix);
        let is_inherited = standing.trashed && !self.world.entity(ix).trashed;
        match self.behavior.below_trash {
            BelowTrash::NotFound if is_inherited => standing.visible = false,
            BelowTrash::Unmarked if is_inherited => standing.trashed = false,
            _ => {}
        }
        standing
    }

    /// Whether this reader may read an entity.
    #[must_use]
    pub fn sees(&self, ix: Ix) -> bool {
        self.standing(ix).visible
    }

    /// The page, database or data source of that id, if it is one of those kinds and visible.
    #[must_use]
    pub fn find(&self, id: Uuid, kinds: &[Kind]) -> Option<Ix> {
        match self.world.find(id)? {
            Found::Entity(ix) if kinds.contains(&self.world.entity(ix).kind) && self.sees(ix) => Some(ix),
            _ => None,
        }
    }

    /// The address of a page or database.
    #[must_use]
    pub fn url(&self, ix: Ix) -> String {
        let url = self.world.url(ix);
        if self.behavior.legacy_urls {
            url.replacen("https://app.notion.com/p/", "https://www.notion.so/", 1)
        } else {
            url
        }
    }

    /// The parent object of an entity.
    fn parent(&self, parent: Parent) -> Value {
        let id = |ix: Ix| self.world.id(ix);
        match parent {
            Parent::Workspace => json!({"type": "workspace", "workspace": true}),
            Parent::Page(ix) => json!({"type": "page_id", "page_id": id(ix)}),
            Parent::Block(ix, ordinal) => {
                json!({"type": "block_id", "block_id": self.world.block_id(ix, ordinal)})
            }
            Parent::Database(ix) => json!({"type": "database_id", "database_id": id(ix)}),
            Parent::DataSource(ix) => {
                let database = self.world.entity(ix).parent.holder().unwrap_or(ix);
                if self.version.has_data_sources() {
                    json!({"type": "data_source_id", "data_source_id": id(ix), "database_id": id(database)})
                } else {
                    json!({"type": "database_id", "database_id": id(database)})
                }
            }
        }
    }

    /// An object as it goes out: what a test wants delivered for it comes instead of, or over, what the world says.
    pub(crate) fn delivered(&self, kind: &str, id: Uuid, mut object: Value) -> Value {
        match self.world.override_of(id, kind) {
            None => {}
            Some(given) if given.whole => object = given.object.clone(),
            Some(given) => overlay(&mut object, &given.object),
        }
        object
    }

    fn partial_user(&self, user: u32) -> Value {
        json!({"object": "user", "id": self.world.user_id(user)})
    }

    /// `archived` is the older name of `in_trash` and comes after the other keys (developers.notion.com
    /// "upgrade-guide-2026-03-11" removed it).
    fn with_archived(&self, mut object: Value, trashed: bool) -> Value {
        if self.version.has_archived() {
            object["archived"] = Value::Bool(trashed);
        }
        object
    }
}

/// Lays one object over another; what both have as objects, likewise.
fn overlay(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                overlay(below.entry(key.as_str()).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above.clone(),
    }
}

/// Times of pages, blocks, data sources and comments: rounded down to the minute.
#[must_use]
pub fn minute(ms: i64) -> String {
    let time = civil(ms);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:00.000Z",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute()
    )
}

/// Times of databases: milliseconds and an offset, not rounded.
#[must_use]
pub fn exact(ms: i64) -> String {
    let time = civil(ms);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+00:00",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}

/// Times of signed URLs' expiry: milliseconds and `Z`.
#[must_use]
pub fn exact_utc(ms: i64) -> String {
    exact(ms).replace("+00:00", "Z")
}

/// As the header `Date` writes it (RFC 9110, 5.6.7), without milliseconds.
pub fn http_date(ms: i64) -> String {
    civil(ms).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn civil(ms: i64) -> jiff::civil::DateTime {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    jiff::tz::Offset::UTC.to_datetime(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_times_are_rounded_to_the_minute_and_database_times_are_not() {
        assert_eq!(minute(1_783_156_185_607), "2026-07-04T09:09:00.000Z");
        assert_eq!(exact(1_783_156_185_607), "2026-07-04T09:09:45.607+00:00");
        assert_eq!(exact_utc(1_783_156_185_607), "2026-07-04T09:09:45.607Z");
    }
}
