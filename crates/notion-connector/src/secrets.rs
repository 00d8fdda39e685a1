//! Integration secrets at rest: sealed by XChaCha20-Poly1305 under a key that does not live with the data.
//!
//! The key comes from `NOTION_CONNECTOR_KEY`, else from what a command prints, else from a file of mode 0600 outside the data
//! directory. A sealed secret is bound to its connector's name: one row's bytes do not open as another's.
//!
//! Where a source holds several keys, the first one seals and all of them open: so a key is exchanged at no time at which some secret
//! could not be opened.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// Name of the environment variable that holds the key.
pub const KEY_VARIABLE: &str = "NOTION_CONNECTOR_KEY";

const NONCE_BYTES: usize = 24;

/// Most keys of a source: the new one and some that are on their way out.
const MAX_KEYS: usize = 8;

/// How long a command may take to print the key: somebody may be asked for a password meanwhile.
const COMMAND_TIME: Duration = Duration::from_secs(60);

/// Most that is read of what a command prints.
const MAX_PRINTED_BYTES: u64 = 4_096;

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
    /// The command could not be run, failed, or took too long.
    #[error("the command of secrets.key_command ({command}) {what}")]
    Command {
        /// Its first word.
        command: String,
        /// What happened.
        what: String,
    },
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

/// Where keys come from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// The variable's value.
    Variable(SecretString),
    /// What a program with these arguments prints.
    Command(Vec<String>),
    /// A file, which is made when it is missing.
    File(PathBuf),
}

impl KeySource {
    /// The variable if it is there, else the command, else the file.
    ///
    /// # Errors
    /// When there is none of them.
    pub fn choose(
        variable: Option<SecretString>,
        command: &[String],
        file: Option<PathBuf>,
    ) -> Result<Self, SecretError> {
        match (variable, command, file) {
            (Some(text), ..) => Ok(Self::Variable(text)),
            (None, [_, ..], _) => Ok(Self::Command(command.to_vec())),
            (None, [], Some(path)) => Ok(Self::File(path)),
            (None, [], None) => Err(SecretError::NoPlace),
        }
    }
}

/// Seals and opens secrets.
pub struct Vault {
    current: XChaCha20Poly1305,
    /// Keys that open what was sealed before.
    older: Vec<XChaCha20Poly1305>,
}

impl Vault {
    /// Takes the keys from where they are.
    ///
    /// # Errors
    /// When a key is malformed, exposed, misplaced or unreadable.
    pub fn load(source: &KeySource, data_dir: &Path) -> Result<Self, SecretError> {
        let keys = match source {
            KeySource::Variable(text) => {
                parse_keys(text.expose_secret()).ok_or(SecretError::MalformedVariable)?
            }
            KeySource::Command(words) => printed_keys(words)?,
            KeySource::File(path) => load_or_make(path, data_dir)?,
        };
        let mut ciphers = keys.iter().map(|key| XChaCha20Poly1305::new((&**key).into()));
        let current = ciphers.next().ok_or(SecretError::NoPlace)?;
        Ok(Self { current, older: ciphers.collect() })
    }

    /// Whether there are keys that only open.
    pub fn has_older_keys(&self) -> bool {
        !self.older.is_empty()
    }

    /// The same secret under the current key; none where it is sealed so already.
    ///
    /// # Errors
    /// When no key opens it.
    pub fn reseal(&self, connector: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, SecretError> {
        if self.open_with(&self.current, connector, sealed).is_some() {
            return Ok(None);
        }
        Ok(Some(self.seal(connector, &self.open(connector, sealed)?)))
    }

    /// Encrypts the secret of the connector of that name.
    pub fn seal(&self, connector: &str, secret: &SecretString) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: connector.as_bytes() };
        // Encryption fails only for messages beyond 256 GiB.
        let sealed = self.current.encrypt(&XNonce::from(nonce), payload).unwrap_or_default();
        [nonce.as_slice(), sealed.as_slice()].concat()
    }

    /// Decrypts it.
    ///
    /// # Errors
    /// When it was sealed with another key or for another connector, or is damaged.
    pub fn open(&self, connector: &str, sealed: &[u8]) -> Result<SecretString, SecretError> {
        let mut ciphers = std::iter::once(&self.current).chain(&self.older);
        ciphers
            .find_map(|cipher| self.open_with(cipher, connector, sealed))
            .ok_or_else(|| SecretError::WrongKey(connector.to_owned()))
    }

    #[expect(clippy::unused_self, reason = "a cipher is one of the vault's")]
    fn open_with(&self, cipher: &XChaCha20Poly1305, connector: &str, sealed: &[u8]) -> Option<SecretString> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: connector.as_bytes() };
        let plain = Zeroizing::new(cipher.decrypt(&XNonce::from(*nonce), payload).ok()?);
        std::str::from_utf8(&plain).ok().map(SecretString::from)
    }
}

/// Puts a new key before the one in the file. At any instant the file is whole: the one before, or this one.
///
/// # Errors
/// When the file cannot be written.
pub fn add_key(path: &Path) -> Result<(), SecretError> {
    let old = read_file(path)?;
    replace_file(path, &Zeroizing::new(format!("{}\n{}", new_key().as_str(), old.trim())))
}

/// Leaves the first key in the file, and no other.
///
/// # Errors
/// When the file cannot be written.
pub fn keep_first_key(path: &Path) -> Result<(), SecretError> {
    let text = read_file(path)?;
    let first = text.split(is_between).find(|word| !word.is_empty()).unwrap_or_default();
    replace_file(path, first)
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    let fail = |source| SecretError::File { path: path.to_owned(), doing: "read", source };
    std::fs::read_to_string(path).map(Zeroizing::new).map_err(fail)
}

fn replace_file(path: &Path, text: &str) -> Result<(), SecretError> {
    let fail = |source| SecretError::File { path: path.to_owned(), doing: "written", source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    // What a rotation left that was killed.
    let _ = std::fs::remove_file(&beside);
    write_private(&beside, text).and_then(|()| std::fs::rename(&beside, path)).map_err(fail)?;
    let directory = path.parent().map(std::fs::File::open);
    // That the name lasts too; not every system lets a directory be opened for it.
    if let Some(Ok(directory)) = directory {
        let _ = directory.sync_all();
    }
    Ok(())
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// What a command prints. It gets neither a shell nor this program's own secrets.
fn printed_keys(words: &[String]) -> Result<Vec<Zeroizing<[u8; 32]>>, SecretError> {
    let name = words.first().map(String::as_str).unwrap_or_default();
    let fail = |what: String| SecretError::Command { command: name.to_owned(), what };
    let mut child = Command::new(name)
        .args(words.get(1..).unwrap_or_default())
        .env_remove("NOTION_TOKEN")
        .env_remove(KEY_VARIABLE)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| fail(format!("could not be started: {error}")))?;
    let output = child.stdout.take();
    let (sender, receiver) = mpsc::sync_channel(1);
    let printed = std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut text = Zeroizing::new(String::new());
            let read = output.map(|output| output.take(MAX_PRINTED_BYTES).read_to_string(&mut text));
            let _ = sender.send(read.is_some_and(|read| read.is_ok()).then_some(text));
        });
        let printed = receiver.recv_timeout(COMMAND_TIME);
        if printed.is_err() {
            let _ = child.kill();
        }
        printed
    });
    let status = child.wait().map_err(|error| fail(format!("could not be waited for: {error}")))?;
    let Ok(Some(text)) = printed else {
        return Err(fail(format!("did not print a key within {} seconds", COMMAND_TIME.as_secs())));
    };
    if !status.success() {
        return Err(fail(format!("failed ({status})")));
    }
    parse_keys(&text).ok_or_else(|| fail("must print 64 hexadecimal digits, and nothing else".to_owned()))
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || c == ','
}

fn parse_keys(text: &str) -> Option<Vec<Zeroizing<[u8; 32]>>> {
    let words = text.split(is_between).filter(|word| !word.is_empty());
    let keys: Vec<_> = words.map(parse_key).collect::<Option<_>>()?;
    (1..=MAX_KEYS).contains(&keys.len()).then_some(keys)
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

fn load_or_make(path: &Path, data_dir: &Path) -> Result<Vec<Zeroizing<[u8; 32]>>, SecretError> {
    let resolve = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = path.parent().map_or_else(PathBuf::new, resolve);
    if directory.starts_with(resolve(data_dir)) {
        return Err(SecretError::InsideData(path.to_owned()));
    }
    if !path.exists() {
        make_key(path)?;
    }
    check_mode(path)?;
    parse_keys(&read_file(path)?).ok_or_else(|| SecretError::MalformedFile(path.to_owned()))
}

fn make_key(path: &Path) -> Result<(), SecretError> {
    let fail = |source| SecretError::File { path: path.to_owned(), doing: "made", source };
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(fail)?;
    }
    match write_private(path, &new_key()) {
        Ok(()) => Ok(()),
        // Another process made it a moment ago: its key is as good.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(fail(error)),
    }
}

fn new_key() -> Zeroizing<String> {
    let mut key = Zeroizing::new([0_u8; 32]);
    rand::rng().fill_bytes(key.as_mut());
    Zeroizing::new(key.iter().map(|byte| format!("{byte:02x}")).collect())
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
        Vault::load(&KeySource::Variable(SecretString::from(key)), Path::new("/nowhere")).unwrap()
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
        let of = |path: &Path| Vault::load(&KeySource::File(path.to_owned()), data.path());
        let sealed = of(&path).unwrap().seal("a", &SecretString::from("s"));
        assert!(of(&path).unwrap().open("a", &sealed).is_ok());
        let inside = data.path().join("secret.key");
        assert!(matches!(of(&inside), Err(SecretError::InsideData(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let keys = tempfile::tempdir().unwrap();
        let path = keys.path().join("secret.key");
        std::fs::write(&path, "a".repeat(64)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = Vault::load(&KeySource::File(path), Path::new("/nowhere"));
        assert!(matches!(refused, Err(SecretError::Exposed { mode: 0o644, .. })));
    }

    #[test]
    fn malformed_keys_are_named_and_not_shown() {
        let short = KeySource::Variable(SecretString::from("short"));
        let refused = Vault::load(&short, Path::new("/nowhere"));
        assert!(
            matches!(&refused, Err(error @ SecretError::MalformedVariable) if !error.to_string().contains("short"))
        );
    }

    #[test]
    fn the_first_key_seals_all_of_them_open_and_what_is_sealed_so_is_left() {
        let (one, two) = ("1".repeat(64), "2".repeat(64));
        let secret = SecretString::from("ntn_x");
        let old = vault(&one).seal("acme", &secret);
        let both = vault(&format!("{two}, {one}\n"));
        assert!(both.has_older_keys() && !vault(&one).has_older_keys());
        let new = both.reseal("acme", &old).unwrap().unwrap();
        assert_eq!(vault(&two).open("acme", &new).unwrap().expose_secret(), "ntn_x");
        assert!(vault(&one).open("acme", &new).is_err());
        assert!(both.reseal("acme", &new).unwrap().is_none());
        assert!(both.reseal("other", &old).is_err());
        assert!(parse_keys(&format!("{one} {}", &two[1..])).is_none() && parse_keys(" ").is_none());
    }

    #[test]
    fn a_key_file_changes_keys_in_two_steps_and_is_whole_at_each() {
        let keys = tempfile::tempdir().unwrap();
        let path = keys.path().join("secret.key");
        let load = || Vault::load(&KeySource::File(path.clone()), Path::new("/nowhere")).unwrap();
        let sealed = load().seal("a", &SecretString::from("s"));
        std::fs::write(keys.path().join("secret.key.new"), "left by a kill").unwrap();
        add_key(&path).unwrap();
        assert!(load().has_older_keys() && load().open("a", &sealed).is_ok());
        let again = load().reseal("a", &sealed).unwrap().unwrap();
        keep_first_key(&path).unwrap();
        assert!(!load().has_older_keys() && load().open("a", &again).is_ok());
        assert!(load().open("a", &sealed).is_err());
        assert_eq!(std::fs::read_dir(keys.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_command_prints_the_key_or_says_why_not_and_its_output_is_in_no_error() {
        let of = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            Vault::load(&KeySource::Command(words), Path::new("/nowhere"))
        };
        let key = "3".repeat(64);
        let sealed = of(&["echo", &key]).unwrap().seal("a", &SecretString::from("s"));
        assert!(vault(&key).open("a", &sealed).is_ok());
        for (words, expected) in [
            (&["no-such-program-anywhere"][..], "could not be started"),
            (&["false"], "failed"),
            (&["echo", "something secret"], "must print"),
        ] {
            let error = of(words).err().unwrap().to_string();
            assert!(error.contains(expected) && !error.contains("something"), "{error}");
        }
    }
}
