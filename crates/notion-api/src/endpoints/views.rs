use serde_json::json;
use uuid::Uuid;

use super::Paging;
use crate::client::{Answer, Call, Client};
use crate::error::Error;
use crate::wire::{List, View, ViewQuery};

impl Client {
    /// `GET /v1/views?data_source_id=`: references to the views of a data source.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_views(&self, data_source: Uuid, paging: &Paging) -> Result<Answer<List<View>>, Error> {
        self.call(
            Call::get("views", "views".to_owned())
                .with("data_source_id", Some(data_source))
                .with("start_cursor", paging.start_cursor.as_deref())
                .with("page_size", Some(paging.page_size)),
        )
        .await
    }

    /// `GET /v1/views/{view_id}`: a view with its filter.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_view(&self, id: Uuid) -> Result<Answer<View>, Error> {
        self.call(Call::get("views/{id}", format!("views/{id}"))).await
    }

    /// `POST /v1/views/{view_id}/queries`: how many rows a view shows.
    ///
    /// # Errors
    /// See [`Error::class`].
    pub async fn fetch_view_query(&self, id: Uuid) -> Result<Answer<ViewQuery>, Error> {
        let body = json!({"page_size": 1});
        self.call(Call::post("views/{id}/queries", format!("views/{id}/queries"), body)).await
    }
}
