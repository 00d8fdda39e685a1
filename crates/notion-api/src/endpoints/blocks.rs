use uuid::Uuid;

use super::Paging;
use crate::client::{Answer, Call, Client};
use crate::error::Error;
use crate::wire::{Block, List};

impl Client {
    /// `GET /v1/blocks/{block_id}`: a block; the id of a page gives its `child_page` block.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_block(&self, id: Uuid) -> Result<Answer<Block>, Error> {
        self.call(Call::get("blocks/{id}", format!("blocks/{id}"))).await
    }

    /// `GET /v1/blocks/{block_id}/children`: one level of a page or block, in the order of the document.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_block_children(
        &self,
        id: Uuid,
        paging: &Paging,
    ) -> Result<Answer<List<Block>>, Error> {
        self.call(
            Call::get("blocks/{id}/children", format!("blocks/{id}/children"))
                .with("start_cursor", paging.start_cursor.as_deref())
                .with("page_size", Some(paging.page_size)),
        )
        .await
    }
}
