use uuid::Uuid;

use super::Paging;
use crate::client::{Answer, Call, Client};
use crate::error::Error;
use crate::wire::{List, User};

impl Client {
    /// `GET /v1/users/me`: the bot that the secret belongs to, with its workspace. Works with any capabilities.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_me(&self) -> Result<Answer<User>, Error> {
        self.call(Call::get("users/me", "users/me".to_owned())).await
    }

    /// `GET /v1/users`: members and bots, no guests. Needs the capability to read user information.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_users(&self, paging: &Paging) -> Result<Answer<List<User>>, Error> {
        self.call(
            Call::get("users", "users".to_owned())
                .with("start_cursor", paging.start_cursor.as_deref())
                .with("page_size", Some(paging.page_size)),
        )
        .await
    }

    /// `GET /v1/users/{user_id}`: a member or a guest.
    ///
    /// # Errors
    /// See [`Error::class`]. Without the capability to read user information the answer is *not found* as well.
    pub async fn fetch_user(&self, id: Uuid) -> Result<Answer<User>, Error> {
        self.call(Call::get("users/{id}", format!("users/{id}"))).await
    }
}
