//! What the markdown renderers ask about other objects.

use uuid::Uuid;

use super::Reader;
use crate::markdown::{BlockTree, DatabaseEntry, Directory, PageEntry};
use crate::world::model::{Block, Ix, Kind, Parent};
use crate::world::{Found, find_block};

impl Reader<'_> {
    /// What stands below a block in the tree for the renderers: its own children, a synced copy's original, or the three
    /// parts of meeting notes. A copy below its own original shows nothing: what Notion does with such a circle is not
    /// documented, but it must end.
    pub(super) fn nested(&self, page: Ix, block: &Block, above: &mut Vec<(Ix, u32)>) -> Vec<BlockTree> {
        let origin =
            block.payload["synced_from"]["block_id"].as_str().and_then(|id| Uuid::parse_str(id).ok());
        if let Some(Found::Block(home, ordinal)) = origin.and_then(|id| self.world.find(id))
            && self.sees(home)
        {
            let body = self.world.body(home);
            return match find_block(&body, ordinal) {
                // A copy of a copy is not followed, so that two copies of each other end.
                Some((original, _))
                    if original.payload["synced_from"].is_null() && !above.contains(&(home, ordinal)) =>
                {
                    self.below_original(home, original, above)
                }
                _ => Vec::new(),
            };
        }
        if block.kind == "synced_block" {
            return self.below_original(page, block, above);
        }
        self.trees_below(page, Parent::Block(page, block.ordinal), &block.children, above)
    }

    fn below_original(&self, page: Ix, original: &Block, above: &mut Vec<(Ix, u32)>) -> Vec<BlockTree> {
        above.push((page, original.ordinal));
        let parent = Parent::Block(page, original.ordinal);
        let trees = self.trees_below(page, parent, &original.children, above);
        above.pop();
        trees
    }
}

impl Directory for Reader<'_> {
    fn page(&self, id: Uuid) -> Option<PageEntry> {
        let ix = self.find(id, &[Kind::Page])?;
        Some(PageEntry { title: self.world.title(ix).into_owned(), url: self.url(ix) })
    }

    fn database(&self, id: Uuid) -> Option<DatabaseEntry> {
        let ix = self.find(id, &[Kind::Database, Kind::DataSource])?;
        let ix = match self.world.entity(ix).parent {
            Parent::Database(database) => database,
            _ => ix,
        };
        let database = self.world.database(ix)?;
        Some(DatabaseEntry {
            title: database.title.clone(),
            url: self.url(ix),
            icon: database.icon["emoji"].as_str().map(str::to_owned),
            is_inline: database.is_inline,
            is_wiki: database.is_wiki,
            data_source_ids: self.data_sources_of(ix).map(|child| self.world.id(child)).collect(),
        })
    }

    fn user_name(&self, id: Uuid) -> Option<String> {
        let number = self.user_number(id)?;
        self.world.users().get(number as usize)?.name.clone()
    }

    fn block_url(&self, id: Uuid) -> Option<String> {
        match self.world.find(id)? {
            Found::Block(page, _) if self.sees(page) => Some(format!("{}#{}", self.url(page), id.simple())),
            Found::Entity(ix) if self.sees(ix) => Some(self.url(ix)),
            _ => None,
        }
    }
}
