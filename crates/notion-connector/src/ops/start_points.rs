//! Where partial crawls may begin.

use super::OpsError;
use super::connectors::find_connector;
use crate::app::App;
use crate::store::StartPoint;

/// The connector's items whose parent is the workspace or not visible, as the last crawls met them. Notion lists no
/// grants, so this is what can be known.
///
/// # Errors
/// When there is no such connector.
pub fn list_start_points(app: &App, connector: Option<&str>) -> Result<Vec<StartPoint>, OpsError> {
    let connector = find_connector(app, connector)?;
    Ok(app.store.load_start_points(connector.id)?)
}
