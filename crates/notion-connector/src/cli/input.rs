//! Standard input: secrets, which never come as arguments, where everybody on the machine could read them.

use std::io::{BufRead, IsTerminal, Write};

use secrecy::SecretString;

use crate::ops::OpsError;

/// The first line of standard input, asked for where somebody sits there; none if it is empty.
pub(super) fn secret_line(prompt: &str) -> Result<Option<SecretString>, OpsError> {
    let input = std::io::stdin();
    if input.is_terminal() {
        let _ = write!(std::io::stderr(), "{prompt}: ");
    }
    let mut line = zeroize::Zeroizing::new(String::new());
    input.lock().read_line(&mut line).map_err(|source| OpsError::Io {
        what: "the secret could not be read from standard input".to_owned(),
        source,
    })?;
    let secret = line.trim_matches(['\r', '\n']);
    Ok((!secret.trim().is_empty()).then(|| SecretString::from(secret)))
}
