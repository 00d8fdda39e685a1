//! Comments.

use serde_json::{Value, json};

use super::{Reader, minute};
use crate::world::ids::Space;

impl Reader<'_> {
    /// A comment.
    #[must_use]
    pub fn comment(&self, number: u32) -> Value {
        let Some(comment) = self.world.comments().get(number as usize) else { return Value::Null };
        let ids = self.world.ids();
        let parent = match comment.ordinal {
            0 => json!({"type": "page_id", "page_id": self.world.id(comment.page)}),
            ordinal => json!({"type": "block_id", "block_id": self.world.block_id(comment.page, ordinal)}),
        };
        let author = self.world.users().get(comment.created_by as usize);
        let own_name =
            || json!({"type": "user", "resolved_name": author.and_then(|user| user.name.as_deref())});
        let display_name =
            if comment.display_name.is_null() { own_name() } else { comment.display_name.clone() };
        let mut object = json!({
            "object": "comment",
            "id": ids.seal(Space::Comment, number, 0),
            "parent": parent,
            "discussion_id": ids.seal(Space::Discussion, comment.discussion, 0),
            "created_time": minute(comment.created_ms),
            "last_edited_time": minute(comment.edited_ms),
            "created_by": self.partial_user(comment.created_by),
            "rich_text": self.served(&comment.rich_text),
            "display_name": display_name,
        });
        if !comment.attachments.is_null() {
            object["attachments"] = self.served(&comment.attachments);
        }
        self.delivered("comment", ids.seal(Space::Comment, number, 0), object)
    }
}
