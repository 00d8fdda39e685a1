use std::path::PathBuf;

use clap::Args;

use super::{Context, Exit};
use crate::data_dir::DataDir;
use crate::model::Caller;
use crate::ops::{self, OpsError};

#[derive(Debug, Args)]
pub(super) struct BackupArguments {
    /// The file: a new one for `backup`, one that `backup` wrote for `restore`.
    file: PathBuf,
}

pub(super) fn run(context: &Context, arguments: &BackupArguments) -> Result<Exit, OpsError> {
    let backup = ops::backup(&context.open_existing()?, &Caller::LOCAL_OPERATOR, &arguments.file)?;
    context.output.show(&backup, || {
        format!(
            "{} ({} bytes). Keep the key of the secrets in another place: it is not in it.",
            backup.file.display(),
            backup.bytes
        )
    });
    Ok(Exit::Completed)
}

pub(super) fn restore(context: &Context, arguments: &BackupArguments) -> Result<Exit, OpsError> {
    let dir = DataDir::create(&context.path()?)?;
    let backup = ops::restore(&dir, &arguments.file)?;
    context.output.show(&backup, || {
        "Restored. The next crawl or serve fills the index, without asking Notion for it.".to_owned()
    });
    Ok(Exit::Completed)
}
