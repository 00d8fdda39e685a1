use std::path::PathBuf;

use serde::Deserialize;

use super::Section;

/// TLS of the web server. Without both files it speaks plain HTTP, for this machine or for a proxy that opens TLS.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate in PEM, followed by those that lead from it to one that browsers trust. It is read again when it
    /// changes.
    pub certificate_file: Option<PathBuf>,
    /// Its private key in PEM.
    pub key_file: Option<PathBuf>,
}

impl TlsConfig {
    /// Whether the web server speaks TLS.
    pub const fn is_on(&self) -> bool {
        self.certificate_file.is_some() && self.key_file.is_some()
    }
}

impl Section for TlsConfig {
    const NAME: &'static str = "tls";

    fn problems(&self) -> Vec<String> {
        match (&self.certificate_file, &self.key_file) {
            (Some(_), None) => vec!["key_file: the key of the certificate is missing".to_owned()],
            (None, Some(_)) => vec!["certificate_file: the certificate of the key is missing".to_owned()],
            _ => Vec::new(),
        }
    }
}
