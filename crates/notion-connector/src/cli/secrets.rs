use clap::Subcommand;

use super::output::counted;
use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, OpsError};

#[derive(Debug, Subcommand)]
pub(super) enum SecretsCommand {
    /// Seal every secret under a new key; killed at any instant, it goes on when it is run again.
    Rotate,
}

pub(super) fn run(context: &Context, command: &SecretsCommand) -> Result<Exit, OpsError> {
    match command {
        SecretsCommand::Rotate => {
            let rotation = ops::rotate_secrets(&context.open_existing()?, &Caller::LOCAL_OPERATOR)?;
            context.output.show(&rotation, || {
                let old = if rotation.old_key_removed {
                    "The old key is gone: backups from before open with it only."
                } else {
                    "Take the old key away now. Backups from before open with it only."
                };
                let sealed = counted(rotation.resealed, "secret is", "secrets are");
                format!("{sealed} sealed under the new key. {old}")
            });
        }
    }
    Ok(Exit::Completed)
}
