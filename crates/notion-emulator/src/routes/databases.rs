//! Databases. Up to 2022-06-28 a database is its only data source; with more than one such a client is refused.

use serde_json::Value;
use uuid::Uuid;

use super::{Call, data_sources};
use crate::error::ApiError;
use crate::options::LinkedViews;
use crate::world::model::{Ix, Kind};

pub(super) fn retrieve(call: &Call<'_>) -> Result<Value, ApiError> {
    let id = call.path_id("database_id")?;
    let ix = call.entity("database", id, &[Kind::Database])?;
    if call.reader.world.entity(ix).children.is_empty() {
        match call.reader.behavior.linked_views {
            LinkedViews::Empty => {}
            LinkedViews::Refused => {
                return Err(ApiError::validation(format!(
                    "Database with ID {id} is a linked database. Database retrievals do not support linked databases."
                )));
            }
            LinkedViews::WithoutDataSources => return Err(no_data_sources(id)),
            LinkedViews::NotFound => return Err(call.not_found("database", id)),
        }
    }
    if call.reader.version.has_data_sources() {
        return Ok(call.reader.database(ix));
    }
    Ok(call.reader.legacy_database(ix, only_data_source(call, ix)?))
}

/// Rows of a database, for versions up to 2022-06-28 only.
pub(super) fn query(call: &Call<'_>) -> Result<Value, ApiError> {
    if call.reader.version.has_data_sources() {
        return Err(ApiError::url());
    }
    let ix = call.entity("database", call.path_id("database_id")?, &[Kind::Database])?;
    data_sources::rows(call, only_data_source(call, ix)?)
}

fn only_data_source(call: &Call<'_>, database: Ix) -> Result<Ix, ApiError> {
    let world = call.reader.world;
    let found: Vec<Ix> = call.reader.data_sources_of(database).collect();
    match found[..] {
        [only] => Ok(only),
        [] => Err(no_data_sources(world.id(database))),
        _ => {
            let ids: Vec<String> = found.iter().map(|ix| world.id(*ix).to_string()).collect();
            Err(ApiError::validation(
                "Databases with multiple data sources are not supported in this API version.",
            )
            .with("child_data_source_ids", ids))
        }
    }
}

fn no_data_sources(database: Uuid) -> ApiError {
    ApiError::validation(format!(
        "Database with ID {database} does not contain any data sources accessible by this API bot."
    ))
}
