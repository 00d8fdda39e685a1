//! What happened, when, in the order in which it happened.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

/// Lines with their virtual time. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Trace(Arc<Mutex<Vec<String>>>, Instant);

impl Trace {
    pub(crate) fn begin() -> Self {
        Self(Arc::default(), Instant::now())
    }

    pub(crate) fn say(&self, line: impl AsRef<str>) {
        let at = self.1.elapsed().as_secs_f64();
        self.0.lock().unwrap().push(format!("{at:>12.3}  {}", line.as_ref()));
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }

    /// One number for all of it.
    pub(crate) fn hash(&self) -> u64 {
        // Keyed with zeros, so that it is the same in every process.
        let mut hasher = DefaultHasher::new();
        self.0.lock().unwrap().hash(&mut hasher);
        hasher.finish()
    }
}
