//! TLS of the web server, by rustls. Files that change are read again; a pair that cannot be used leaves the old one in place.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsConfig;
use crate::ops::OpsError;
use crate::runtime::Runtime;

/// How often the files are looked at; whoever cannot wait sends SIGHUP.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// The certificate that the server shows, and its key.
pub(super) struct Certificate {
    files: [std::path::PathBuf; 2],
    current: RwLock<Arc<ServerConfig>>,
}

impl Certificate {
    /// Reads both files; none if the settings name none. From here on SIGHUP is heard, which would end the process otherwise.
    pub(super) fn load(config: &TlsConfig) -> Result<Option<(Arc<Self>, Hangups)>, OpsError> {
        let (Some(certificate), Some(key)) = (&config.certificate_file, &config.key_file) else {
            return Ok(None);
        };
        let current = RwLock::new(Arc::new(read(certificate, key)?));
        let loaded = Self { files: [certificate.clone(), key.clone()], current };
        Ok(Some((Arc::new(loaded), Hangups::new())))
    }

    /// Shakes hands with the certificate of the moment.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current))
    }

    /// Reads the files whenever they change, or somebody asks for it.
    pub(super) async fn keep_fresh(&self, mut asked: Hangups, runtime: &Runtime) {
        let mut known = self.stamps();
        loop {
            let is_asked = tokio::select! {
                () = runtime.sleep(LOOK_AGAIN) => false,
                () = asked.next() => true,
            };
            let stamps = self.stamps();
            if !is_asked && stamps == known {
                continue;
            }
            let [certificate, key] = &self.files;
            match read(certificate, key) {
                Ok(fresh) => {
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
                    tracing::info!("the certificate of the web server was read again");
                }
                Err(error) => tracing::error!(%error, "the web server goes on with its old certificate"),
            }
            known = stamps;
        }
    }

    fn stamps(&self) -> [Option<(SystemTime, u64)>; 2] {
        self.files.each_ref().map(|file| {
            let facts = std::fs::metadata(file).ok()?;
            Some((facts.modified().ok()?, facts.len()))
        })
    }
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, OpsError> {
    let refuse = |file: &Path, why: &dyn std::fmt::Display| {
        OpsError::Invalid(format!("the file {} for TLS cannot be used: {why}", file.display()))
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refuse(certificate, &error))?;
    if chain.is_empty() {
        return Err(refuse(certificate, &"there is no certificate in it"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| refuse(key, &error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| refuse(key, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What asks a service to read its files again.
pub(super) struct Hangups {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangups {
    fn new() -> Self {
        Self {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok(),
        }
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
