//! Where stories write. What is in there when one ends holds no secret in clear: databases, indexes, logs, exports, backups.

use std::io::Read as _;
use std::path::Path;
use std::sync::Mutex;

use notion_emulator::DEFAULT_TOKEN;

use crate::program::KEY;

/// A directory that is deleted with the story, and looked through before.
pub(crate) struct Scratch {
    directory: tempfile::TempDir,
    secrets: Mutex<Vec<String>>,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let secrets = [DEFAULT_TOKEN, KEY].map(str::to_owned).to_vec();
        Self { directory: tempfile::tempdir().unwrap(), secrets: Mutex::new(secrets) }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Something else that is to stand nowhere.
    pub(crate) fn guard(&self, secret: &str) {
        self.secrets.lock().unwrap().push(secret.to_owned());
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            look_through(self.path(), &self.secrets.lock().unwrap());
        }
    }
}

fn look_through(directory: &Path, secrets: &[String]) {
    // What a process that still ends takes away is not there.
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            look_through(&path, secrets);
        } else if kind.is_file() {
            for secret in secrets {
                assert!(!holds(&path, secret.as_bytes()), "{} holds a secret in clear", path.display());
            }
        }
    }
}

fn holds(path: &Path, secret: &[u8]) -> bool {
    let Ok(mut file) = std::fs::File::open(path) else { return false };
    let (mut piece, mut kept) = (vec![0; 1 << 20], 0);
    loop {
        let Ok(read) = file.read(&mut piece[kept..]) else { return false };
        let filled = kept + read;
        if memchr::memmem::find(&piece[..filled], secret).is_some() {
            return true;
        }
        if read == 0 {
            return false;
        }
        // A secret may stand across two pieces.
        kept = filled.min(secret.len() - 1);
        piece.copy_within(filled - kept..filled, 0);
    }
}

#[test]
fn a_secret_is_found_wherever_it_stands() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("a file");
    for before in [0, 5, (1 << 20) - 7, 1 << 20, (2 << 20) - 30] {
        let text = [vec![b'.'; before], DEFAULT_TOKEN.as_bytes().to_vec(), vec![b'.'; 9]].concat();
        std::fs::write(&path, text).unwrap();
        assert!(holds(&path, DEFAULT_TOKEN.as_bytes()), "after {before} bytes");
        assert!(!holds(&path, KEY.as_bytes()));
    }
}
