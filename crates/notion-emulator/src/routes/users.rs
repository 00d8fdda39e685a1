//! Users.

use serde_json::Value;

use super::{Call, list as envelope, slice};
use crate::error::ApiError;
use crate::rules::auth::UserCapability;

/// The token's own bot; works with any capability.
pub(super) fn me(call: &Call<'_>) -> Result<Value, ApiError> {
    Ok(call.reader.user(call.reader.token.bot))
}

/// Members and bots, no guests (developers.notion.com "get-users").
pub(super) fn list(call: &Call<'_>) -> Result<Value, ApiError> {
    if call.reader.token.capabilities.users == UserCapability::None {
        return Err(ApiError::restricted());
    }
    let paging = call.paging()?;
    let members: Vec<u32> = (0..)
        .zip(call.reader.world.users())
        .filter(|(_, user)| !user.is_guest && !user.is_gone)
        .map(|(number, _)| number)
        .collect();
    let (page, next) = slice(&members, &paging, |number| call.reader.world.user_id(number))?;
    Ok(envelope("user", page.into_iter().map(|number| call.reader.user(number)).collect(), next))
}

/// A member or guest; the 404 blames a missing capability too (recorded).
pub(super) fn retrieve(call: &Call<'_>) -> Result<Value, ApiError> {
    let id = call.path_id("user_id")?;
    let token = call.reader.token;
    let known = call.reader.user_number(id).filter(|number| {
        let readable = token.capabilities.users != UserCapability::None || *number == token.bot;
        readable && !call.reader.world.users()[*number as usize].is_gone
    });
    known.map(|number| call.reader.user(number)).ok_or_else(|| {
        let message = format!("Could not find user with ID: {id}. Make sure your integration has capabilities to read user information. With those capabilities, only members and guests in the integration's workspace are visible.");
        ApiError::new(404, "object_not_found", message).with("integration_id", call.reader.world.user_id(token.bot).to_string())
    })
}
