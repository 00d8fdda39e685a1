//! Blocks.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Reader, minute};
use crate::markdown::BlockTree;
use crate::rules::version::Version;
use crate::world::model::{Block, Entity, Ix, Kind, Node, Parent};

/// Types that only v2 markdown has a form for ("notion-flavored-markdown"); by blocks they are `unsupported`.
pub(crate) const MARKDOWN_ONLY: [&str; 4] = ["folder", "mail", "custom_block", "external_object_instance"];

impl Reader<'_> {
    /// An entry of a page's body as a block object.
    #[must_use]
    pub fn node(&self, page: Ix, parent: Parent, node: &Node) -> Value {
        match node {
            Node::Block(block) => self.block(page, parent, block),
            Node::Child(child) => self.child(*child),
        }
    }

    /// A block. `parent` is the page or block it stands in.
    #[must_use]
    pub fn block(&self, page: Ix, parent: Parent, block: &Block) -> Value {
        let entity = self.world.entity(page);
        let trashed = block.trashed || self.standing(page).trashed;
        // A copy of a synced block has its children elsewhere (recorded: true).
        let is_copy = !block.payload["synced_from"]["block_id"].is_null();
        let has_children = is_copy || block.children.iter().any(|node| !self.world.is_node_gone(node));
        let id = self.world.block_id(page, block.ordinal);
        let kind = match (block.kind.as_str(), self.version) {
            ("meeting_notes", Version::V2022 | Version::V2025) => "transcription",
            (kind, _) => kind,
        };
        let edited_ms = block.edited_ms.unwrap_or(entity.created_ms);
        let (kind, has_children, payload) = if !self.for_markdown && MARKDOWN_ONLY.contains(&kind) {
            ("unsupported", false, json!({ "block_type": kind }))
        } else {
            (kind, has_children, self.served(&block.payload))
        };
        self.block_object(id, self.parent(parent), entity, edited_ms, (has_children, trashed), kind, payload)
    }

    /// A child page or database as the block that stands for it; its id is the page's own.
    #[must_use]
    pub fn child(&self, child: Ix) -> Value {
        let entity = self.world.entity(child);
        let trashed = self.standing(child).trashed;
        let payload = object! {"title" => self.world.title(child).into_owned()};
        let (kind, has_children) = match entity.kind {
            Kind::Page => ("child_page", self.world.has_body(child)),
            _ => ("child_database", false),
        };
        let id = self.world.id(child);
        self.block_object(
            id,
            self.parent(entity.parent),
            entity,
            entity.edited_ms,
            (has_children, trashed),
            kind,
            payload,
        )
    }

    #[expect(clippy::too_many_arguments, reason = "the keys of a block object, in the order of the wire")]
    fn block_object(
        &self,
        id: Uuid,
        parent: Value,
        entity: &Entity,
        edited_ms: i64,
        (has_children, trashed): (bool, bool),
        kind: &str,
        payload: Value,
    ) -> Value {
        let object = object! {
            "object" => "block",
            "id" => id.to_string(),
            "parent" => parent,
            "created_time" => minute(entity.created_ms),
            "last_edited_time" => minute(edited_ms),
            "created_by" => self.partial_user(entity.created_by),
            "last_edited_by" => self.partial_user(entity.edited_by),
            "has_children" => has_children,
            "in_trash" => trashed,
            "type" => kind,
            kind => payload,
        };
        self.delivered("block", id, self.with_archived(object, trashed))
    }

    /// A body as the tree that the markdown renderers take. Unlike the block API, it is complete in one piece.
    #[must_use]
    pub fn trees(&self, page: Ix, parent: Parent, nodes: &[Node]) -> Vec<BlockTree> {
        self.trees_below(page, parent, nodes, &mut Vec::new())
    }

    /// As [`Reader::trees`], below these originals of synced blocks.
    pub(super) fn trees_below(
        &self,
        page: Ix,
        parent: Parent,
        nodes: &[Node],
        above: &mut Vec<(Ix, u32)>,
    ) -> Vec<BlockTree> {
        nodes
            .iter()
            .filter(|node| !self.world.is_node_gone(node))
            .map(|node| BlockTree {
                value: self.node(page, parent, node),
                children: match node {
                    Node::Block(block) => self.nested(page, block, above),
                    Node::Child(_) => Vec::new(),
                },
            })
            .collect()
    }
}
