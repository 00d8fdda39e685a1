//! How a plan's listings differ from what the connector holds. Read from a copy of the store, on which nothing is indexed.

use std::collections::BTreeSet;

use rusqlite::params;

use super::crawls::Outcome;
use super::{Crawl, Proof, Result, Store, TaskKind, named_enum};
use crate::model::{ItemKind, NotionId};

named_enum! {
    /// What a full crawl would do about an item.
    pub enum Difference {
        /// Index it for the first time.
        New = "new",
        /// Index it again.
        Changed = "changed",
        /// Read it again, because it was read within its stamp's minute or failed; nothing says that it changed.
        ReadAgain = "read_again",
        /// Count it and not index it, because of the item limit.
        OverLimit = "over_limit",
        /// Let it go: it is in the trash.
        Trashed = "trashed",
        /// Let it go: Notion does not have it, or does not show it to the integration.
        NotFound = "not_found",
        /// Let it go: it is archived.
        Archived = "archived",
        /// Let it go: a filter leaves it out.
        Excluded = "excluded",
        /// Nothing: no listing returned it, and Notion has it when asked.
        Unlisted = "unlisted",
    }
}

/// An item and what would become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// What a crawl would do.
    pub difference: Difference,
    /// Notion's id.
    pub id: NotionId,
    /// What it is.
    pub kind: ItemKind,
    /// Its title.
    pub title: String,
}

impl From<Proof> for Difference {
    fn from(proof: Proof) -> Self {
        match proof {
            Proof::Trashed => Self::Trashed,
            // Plans read no pages, so that none is found without a file.
            Proof::NotFound | Proof::Removed => Self::NotFound,
            Proof::Archived => Self::Archived,
            Proof::Excluded => Self::Excluded,
        }
    }
}

impl Store {
    /// The objects that a crawl has still to ask for in this way.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_targets(&self, crawl: &Crawl, kind: TaskKind) -> Result<BTreeSet<NotionId>> {
        self.read(|tx| {
            tx.prepare("SELECT target FROM tasks WHERE crawl = ?1 AND kind = ?2 AND target IS NOT NULL")?
                .query_map(params![crawl.id.0, kind], |row| row.get(0))?
                .collect()
        })
    }

    /// Tells each item that differs, with what would become of it; `unlisted` are those that no listing returned. Returns how
    /// many do not differ.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_differences(
        &self,
        crawl: &Crawl,
        unlisted: &BTreeSet<NotionId>,
        mut each: impl FnMut(Differing),
    ) -> Result<u64> {
        self.read(|tx| {
            let mut same = 0;
            let mut met = tx.prepare(MET)?;
            let mut met = met.query(params![crawl.id.0, TaskKind::ReadBody, Outcome::Skipped])?;
            while let Some(row) = met.next()? {
                let found: Option<Difference> = row.get(0)?;
                let (id, kind, title) = (row.get(1)?, row.get(2)?, row.get(3)?);
                let difference = match found {
                    None if unlisted.contains(&id) => Difference::Unlisted,
                    None => {
                        same += 1;
                        continue;
                    }
                    Some(found) => found,
                };
                each(Differing { difference, id, kind, title });
            }
            let mut gone = tx.prepare(
                "SELECT proof, object, kind, title FROM departures JOIN items ON items.id = departures.item
                 WHERE crawl = ?1 AND rendered IS NOT NULL ORDER BY title, items.id",
            )?;
            let mut gone = gone.query([crawl.id.0])?;
            while let Some(row) = gone.next()? {
                let proof: Proof = row.get(0)?;
                let (id, kind, title) = (row.get(1)?, row.get(2)?, row.get(3)?);
                each(Differing { difference: proof.into(), id, kind, title });
            }
            Ok(same)
        })
    }
}

/// What was met and is accounted for did not change. What is open would be read, or rendered with what its object says now.
const MET: &str = "SELECT CASE
         WHEN outcome = ?3 THEN 'over_limit'
         WHEN fresh OR rendered IS NULL THEN 'new'
         WHEN outcome IS NOT NULL THEN NULL
         WHEN body_edited IS edited AND EXISTS (
           SELECT 1 FROM tasks WHERE tasks.crawl = ?1 AND tasks.page = items.object AND tasks.kind = ?2) THEN 'read_again'
         ELSE 'changed' END,
       object, kind, title
     FROM sightings JOIN items ON items.id = sightings.item WHERE sightings.crawl = ?1 ORDER BY title, items.id";
