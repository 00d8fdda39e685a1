//! Users and bots.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Reader;
use crate::rules::auth::UserCapability;
use crate::world::ids::Space;

impl Reader<'_> {
    /// The number of the user with that id.
    #[must_use]
    pub fn user_number(&self, id: Uuid) -> Option<u32> {
        let address = self.world.ids().open(id)?;
        let known = address.space == Space::User && (address.index as usize) < self.world.users().len();
        known.then_some(address.index)
    }

    /// A user in full, as far as the capabilities allow; other bots have an empty `bot`.
    #[must_use]
    pub fn user(&self, number: u32) -> Value {
        let Some(user) = self.world.users().get(number as usize) else { return self.partial_user(number) };
        if self.token.capabilities.users == UserCapability::None && number != self.token.bot {
            return self.partial_user(number);
        }
        let id = self.world.user_id(number);
        if user.is_bot {
            let bot = if number == self.token.bot { self.bot() } else { json!({}) };
            let object = json!({"object": "user", "id": id, "name": user.name, "avatar_url": user.avatar_url, "type": "bot", "bot": bot});
            return self.delivered("user", id, object);
        }
        let mut person = json!({});
        if self.token.capabilities.users == UserCapability::WithEmail
            && let Some(email) = &user.email
        {
            person = json!({"email": email, "email_verified": user.email_verified});
        }
        let object = json!({"object": "user", "id": id, "name": user.name, "avatar_url": user.avatar_url, "type": "person", "person": person});
        self.delivered("user", id, object)
    }

    fn bot(&self) -> Value {
        json!({
            "owner": {"type": "workspace", "workspace": true},
            "workspace_name": self.world.name(),
            "workspace_id": self.world.workspace_id(),
            "workspace_limits": {"max_file_upload_size_in_bytes": 5_242_880},
        })
    }
}
