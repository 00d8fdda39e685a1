use std::io::{BufWriter, ErrorKind, Write};

use super::{Context, Exit};
use crate::model::Caller;
use crate::ops::{self, OpsError};

/// JSON Lines in either mode: that is what an export is.
pub(super) fn run(context: &Context) -> Result<Exit, OpsError> {
    let app = context.open_existing()?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let exported = ops::export(&app, &Caller::LOCAL_OPERATOR, |line| {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")
    });
    let failed = |source| OpsError::Io { what: "the export could not be written".to_owned(), source };
    match exported.and_then(|_| out.flush().map_err(failed)) {
        // Whoever reads has seen enough, as `head` does.
        Err(OpsError::Io { source, .. }) if source.kind() == ErrorKind::BrokenPipe => Ok(Exit::Completed),
        ended => ended.map(|()| Exit::Completed),
    }
}
