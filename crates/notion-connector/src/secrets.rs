//! Integration secrets at rest: sealed by XChaCha20-Poly1305 under a key that does not live with the data.
//!
//! The key comes from `NOTION_CONNECTOR_KEY`, else from a file of mode 0600 outside the data directory. A sealed secret
//! is bound to its connector's name: one row's bytes do not open as another's.

use std::io::Write;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// Name of the environment variable that holds the key.
pub const KEY_VARIABLE: &str = "NOTION_CONNECTOR_KEY";

const NONCE_BYTES: usize = 24;

/// Why a secret could not be sealed or opened. No message holds key or secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable holds something else than a key.
    #[error("{KEY_VARIABLE} must hold 64 hexadecimal digits (make one with: openssl rand -hex 32)")]
    MalformedVariable,
    /// The file holds something else than a key.
    #[error(
        "the key file {0} must hold 64 hexadecimal digits: restore it from your backup, or set {KEY_VARIABLE}"
    )]
    MalformedFile(PathBuf),
    /// Others may read the key.
    #[error("the key file {path} may be read by others (mode {mode:03o}): run chmod 600 {path}")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key would lie with what it encrypts.
    #[error(
        "the key file {0} lies inside the data directory: a copy of the data would hold the key; choose another place (secrets.key_file)"
    )]
    InsideData(PathBuf),
    /// The file system refused.
    #[error("the key file {path} could not be {doing}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no home directory to keep a key in.
    #[error("there is no place to keep a key: set {KEY_VARIABLE} or secrets.key_file")]
    NoPlace,
    /// Another key sealed it, or the bytes are damaged.
    #[error(
        "the secret of connector “{0}” does not open with this key: use the key it was saved with, or save the secret again with: notion-connector connector set-secret {0}"
    )]
    WrongKey(String),
}

/// Seals and opens secrets.
pub struct Vault(XChaCha20Poly1305);

impl Vault {
    /// Takes the key from the variable's value if there is one, else from the file, which is made when it is missing.
    ///
    /// # Errors
    /// When the key is malformed, exposed, misplaced or unreadable.
    pub fn load(
        variable: Option<SecretString>,
        file: Option<&Path>,
        data_dir: &Path,
    ) -> Result<Self, SecretError> {
        let key = match (variable, file) {
            (Some(text), _) => parse_key(text.expose_secret()).ok_or(SecretError::MalformedVariable)?,
            (None, Some(path)) => load_or_make(path, data_dir)?,
            (None, None) => return Err(SecretError::NoPlace),
        };
        Ok(Self(XChaCha20Poly1305::new((&*key).into())))
    }

    /// Encrypts the secret of the connector of that name.
    pub fn seal(&self, connector: &str, secret: &SecretString) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: connector.as_bytes() };
        // Encryption fails only for messages beyond 256 GiB.
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).unwrap_or_default();
        [nonce.as_slice(), sealed.as_slice()].concat()
    }

    /// Decrypts it.
    ///
    /// # Errors
    /// When it was sealed with another key or for another connector, or is damaged.
    pub fn open(&self, connector: &str, sealed: &[u8]) -> Result<SecretString, SecretError> {
        let wrong = || SecretError::WrongKey(connector.to_owned());
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or_else(wrong)?;
        let payload = Payload { msg: sealed, aad: connector.as_bytes() };
        let plain = Zeroizing::new(self.0.decrypt(&XNonce::from(*nonce), payload).map_err(|_| wrong())?);
        let text = std::str::from_utf8(&plain).map_err(|_| wrong())?;
        Ok(SecretString::from(text))
    }
}

fn parse_key(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let text = text.trim();
    let mut key = Zeroizing::new([0; 32]);
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}

fn load_or_make(path: &Path, data_dir: &Path) -> Result<Zeroizing<[u8; 32]>, SecretError> {
    let resolve = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = path.parent().map_or_else(PathBuf::new, resolve);
    if directory.starts_with(resolve(data_dir)) {
        return Err(SecretError::InsideData(path.to_owned()));
    }
    if !path.exists() {
        make_key(path)?;
    }
    check_mode(path)?;
    let fail = |source| SecretError::File { path: path.to_owned(), doing: "read", source };
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(fail)?);
    parse_key(&text).ok_or_else(|| SecretError::MalformedFile(path.to_owned()))
}

fn make_key(path: &Path) -> Result<(), SecretError> {
    let fail = |source| SecretError::File { path: path.to_owned(), doing: "made", source };
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(fail)?;
    }
    let mut key = Zeroizing::new([0_u8; 32]);
    rand::rng().fill_bytes(key.as_mut());
    let text: Zeroizing<String> = Zeroizing::new(key.iter().map(|byte| format!("{byte:02x}")).collect());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => file
            .write_all(text.as_bytes())
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| file.sync_all())
            .map_err(fail),
        // Another process made it a moment ago: its key is as good.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(fail(error)),
    }
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), SecretError> {
    use std::os::unix::fs::PermissionsExt;
    let fail = |source| SecretError::File { path: path.to_owned(), doing: "read", source };
    let mode = std::fs::metadata(path).map_err(fail)?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(SecretError::Exposed { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_path: &Path) -> Result<(), SecretError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(key: &str) -> Vault {
        Vault::load(Some(SecretString::from(key)), None, Path::new("/nowhere")).unwrap()
    }

    #[test]
    fn a_secret_opens_only_with_its_key_and_for_its_connector() {
        let (one, other) = (vault(&"1".repeat(64)), vault(&"2".repeat(64)));
        let sealed = one.seal("acme", &SecretString::from("ntn_x"));
        assert!(!sealed.windows(5).any(|window| window == b"ntn_x"));
        assert_eq!(one.open("acme", &sealed).unwrap().expose_secret(), "ntn_x");
        assert!(one.open("other", &sealed).is_err());
        assert!(other.open("acme", &sealed).is_err());
        assert!(one.open("acme", &sealed[..10]).is_err());
    }

    #[test]
    fn a_key_file_is_made_once_private_and_outside_the_data() {
        let (keys, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = keys.path().join("deep/secret.key");
        let sealed = Vault::load(None, Some(&path), data.path()).unwrap().seal("a", &SecretString::from("s"));
        assert!(Vault::load(None, Some(&path), data.path()).unwrap().open("a", &sealed).is_ok());
        let inside = data.path().join("secret.key");
        assert!(matches!(Vault::load(None, Some(&inside), data.path()), Err(SecretError::InsideData(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let keys = tempfile::tempdir().unwrap();
        let path = keys.path().join("secret.key");
        std::fs::write(&path, "a".repeat(64)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = Vault::load(None, Some(&path), Path::new("/nowhere"));
        assert!(matches!(refused, Err(SecretError::Exposed { mode: 0o644, .. })));
    }

    #[test]
    fn malformed_keys_are_named_and_not_shown() {
        let refused = Vault::load(Some(SecretString::from("short")), None, Path::new("/nowhere"));
        assert!(
            matches!(&refused, Err(error @ SecretError::MalformedVariable) if !error.to_string().contains("short"))
        );
    }
}
