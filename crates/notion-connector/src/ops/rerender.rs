//! Rendering again what an older version of this program rendered.

use std::sync::Arc;

use serde::Serialize;

use super::OpsError;
use crate::app::App;
use crate::crawl;

/// What rendering again came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rerendered {
    /// Items that an older version had rendered.
    pub items: u64,
}

/// Renders again what an older version rendered, from what is kept of it. Notion is not asked.
///
/// # Errors
/// When the database cannot be used.
pub async fn rerender(app: &App) -> Result<Rerendered, OpsError> {
    let (store, config, now) = (Arc::clone(&app.store), app.config.clone(), app.runtime.now());
    let items = app.runtime.blocking(move || crawl::rerender(&store, &config, now)).await?;
    if items > 0 {
        tracing::info!(items, "rendered again what an older version had rendered");
    }
    Ok(Rerendered { items })
}
