use uuid::Uuid;

use super::Paging;
use crate::client::{Answer, Call, Client};
use crate::error::Error;
use crate::wire::{Comment, List};

impl Client {
    /// `GET /v1/comments?block_id=`: the open comments of a page or block. Needs the capability to read comments.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_comments(&self, block: Uuid, paging: &Paging) -> Result<Answer<List<Comment>>, Error> {
        self.call(
            Call::get("comments", "comments".to_owned())
                .with("block_id", Some(block))
                .with("start_cursor", paging.start_cursor.as_deref())
                .with("page_size", Some(paging.page_size)),
        )
        .await
    }
}
