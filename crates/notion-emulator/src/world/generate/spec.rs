//! What a generated world is asked for: `key=value` pairs such as `pages=500,seed=7` or `shape=long,blocks=50000`.

use std::collections::BTreeMap;
use std::str::FromStr;

/// How a generated world is laid out, and what its pages hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// Pages in several levels, some in toggles and columns, and databases with rows.
    #[default]
    Mixed,
    /// Top-level pages with up to a thousand subpages each, nothing below them.
    Flat,
    /// Chains of pages, thirty levels deep.
    Deep,
    /// One page with one database that has all the rows.
    Database {
        /// So many rows after each other share their minute of creation.
        per_minute: Option<u32>,
    },
    /// Areas of a thousand pages and two databases each, whose rows are most of the world.
    Tables {
        /// Rows of a data source; every tenth has five times as many.
        rows: u32,
    },
    /// Pages and rows that hold every type of block, mention, mark and property, nested in every legal way, with text
    /// that looks like markdown or tags.
    Varied {
        /// Levels of blocks in the body of each page.
        depth: u32,
    },
    /// One small page for each type and variant of block, mention, icon, cover and comment, and databases of every kind.
    Catalogue,
    /// One page with one chain of nested blocks.
    Nested {
        /// Its length.
        depth: u32,
    },
    /// One page with very many blocks.
    Long {
        /// Blocks of the page itself.
        blocks: u32,
        /// How many of these are toggles.
        toggles: u32,
        /// Blocks in each toggle.
        children: u32,
    },
    /// Synced blocks that hold copies of themselves and of each other.
    Synced,
    /// A row with a very long text.
    Text {
        /// Its length.
        bytes: u32,
    },
    /// A row that is related to very many others.
    Relations {
        /// How many.
        count: u32,
    },
}

impl Shape {
    /// Whether the shape is laid out for any number of pages; the others have a few pages of their own.
    const fn takes_pages(self) -> bool {
        matches!(
            self,
            Self::Mixed
                | Self::Flat
                | Self::Deep
                | Self::Database { .. }
                | Self::Tables { .. }
                | Self::Varied { .. }
        )
    }
}

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generate {
    /// Pages and rows together; 0 for shapes that have a number of their own.
    pub pages: u32,
    /// The seed: one seed, one world.
    pub seed: u64,
    /// The layout.
    pub shape: Shape,
}

/// Why a description of a generated world is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GenerateError {
    /// Something that is not `key=value`.
    #[error("{0:?} is not understood; write key=value, such as pages=500,seed=7,shape=mixed")]
    NotAPair(String),
    /// A key that this shape does not take.
    #[error("shape {shape} takes no {key}; docs/reference/emulator.md lists what each shape takes")]
    Unknown {
        /// The key.
        key: String,
        /// The shape.
        shape: String,
    },
    /// No such shape.
    #[error(
        "there is no shape {0:?}; there are mixed|flat|deep|database|tables|varied|catalogue|nested|long|synced|text|relations"
    )]
    Shape(String),
    /// Not a number, or one out of bounds.
    #[error("{key}={value} is not a whole number between {low} and {high}")]
    NotANumber {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// The least that is taken.
        low: u64,
        /// The most that is taken.
        high: u64,
    },
    /// The key is missing.
    #[error("{0} must be given")]
    Missing(&'static str),
}

/// The pairs that are not read yet.
struct Pairs<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Pairs<'a> {
    fn read(text: &'a str) -> Result<Self, GenerateError> {
        let pair = |part: &'a str| {
            let (key, value) = part.split_once('=')?;
            Some((key.trim(), value.trim()))
        };
        let parts = text.split(',').map(|part| pair(part).ok_or_else(|| part.to_owned()));
        parts.collect::<Result<_, _>>().map(Self).map_err(GenerateError::NotAPair)
    }

    fn number(&mut self, key: &str, low: u64, high: u64) -> Result<Option<u64>, GenerateError> {
        let Some(value) = self.0.remove(key) else { return Ok(None) };
        let number = value.parse().ok().filter(|number| (low..=high).contains(number));
        let refused =
            || GenerateError::NotANumber { key: key.to_owned(), value: value.to_owned(), low, high };
        number.ok_or_else(refused).map(Some)
    }

    fn count(&mut self, key: &str, low: u32, high: u32) -> Result<Option<u32>, GenerateError> {
        let number = self.number(key, u64::from(low), u64::from(high))?;
        Ok(number.and_then(|number| u32::try_from(number).ok()))
    }

    fn shape(&mut self, named: &str) -> Result<Shape, GenerateError> {
        Ok(match named {
            "mixed" => Shape::Mixed,
            "flat" => Shape::Flat,
            "deep" => Shape::Deep,
            "database" => Shape::Database { per_minute: self.count("per_minute", 1, 5_000_000)? },
            "tables" => Shape::Tables { rows: self.count("rows", 1, 1_000_000)?.unwrap_or(4_000) },
            "varied" => Shape::Varied { depth: self.count("depth", 1, 100)?.unwrap_or(12) },
            "catalogue" => Shape::Catalogue,
            // Deeper ones would need more stack than a thread has.
            "nested" => Shape::Nested { depth: self.count("depth", 1, 2_000)?.unwrap_or(1_000) },
            "long" => {
                let blocks = self.count("blocks", 1, 1_000_000)?.unwrap_or(50_000);
                let toggles = self.count("toggles", 0, blocks)?.unwrap_or_default();
                let children = self.count("children", 1, 100_000)?.unwrap_or(100);
                Shape::Long { blocks, toggles, children }
            }
            "synced" => Shape::Synced,
            "text" => Shape::Text { bytes: self.count("bytes", 1, 50_000_000)?.unwrap_or(5_000_000) },
            "relations" => Shape::Relations { count: self.count("count", 1, 100_000)?.unwrap_or(5_000) },
            other => return Err(GenerateError::Shape(other.to_owned())),
        })
    }
}

impl FromStr for Generate {
    type Err = GenerateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut pairs = Pairs::read(text)?;
        let seed = pairs.number("seed", 0, u64::MAX)?.unwrap_or_default();
        let named = pairs.0.remove("shape").unwrap_or("mixed");
        let shape = pairs.shape(named)?;
        let pages = if shape.takes_pages() {
            pairs.count("pages", 1, 5_000_000)?.ok_or(GenerateError::Missing("pages"))?
        } else {
            0
        };
        match pairs.0.keys().next() {
            Some(key) => Err(GenerateError::Unknown { key: (*key).to_owned(), shape: named.to_owned() }),
            None => Ok(Self { pages, seed, shape }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_read_and_mistakes_named() {
        let parsed: Generate = "pages=10,seed=3,shape=deep".parse().unwrap();
        assert_eq!(parsed, Generate { pages: 10, seed: 3, shape: Shape::Deep });
        let parsed: Generate = "pages=10,shape=varied,depth=4".parse().unwrap();
        assert_eq!(parsed, Generate { pages: 10, seed: 0, shape: Shape::Varied { depth: 4 } });
        let parsed: Generate = "shape=long,blocks=250,toggles=50,children=150".parse().unwrap();
        let long = Shape::Long { blocks: 250, toggles: 50, children: 150 };
        assert_eq!(parsed, Generate { pages: 0, seed: 0, shape: long });
        let refused = |text: &str| text.parse::<Generate>().unwrap_err().to_string();
        assert!(refused("seed=3").contains("pages must be given"));
        assert!(refused("pages=ten").contains("whole number"));
        assert!(refused("pages=0").contains("between 1 and 5000000"));
        assert!(refused("pages=1,colour=red").contains("takes no colour"));
        assert!(refused("pages=1,depth=3").contains("shape mixed takes no depth"));
        assert!(refused("pages=1,shape=nested").contains("shape nested takes no pages"));
        assert!(refused("shape=long,blocks=3,toggles=4").contains("between 0 and 3"));
        assert!(refused("pages=1,shape=round").contains("no shape"));
        assert!(refused("pages").contains("key=value"));
    }
}
