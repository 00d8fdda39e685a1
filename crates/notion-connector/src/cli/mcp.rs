use std::sync::Arc;

use super::{Context, Exit};
use crate::mcp;
use crate::ops::OpsError;

/// Standard output is the protocol's alone.
pub(super) async fn run(context: &Context) -> Result<Exit, OpsError> {
    mcp::over_stdio(Arc::new(context.open_existing()?)).await?;
    Ok(Exit::Completed)
}
