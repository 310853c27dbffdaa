//! Room on the disk: whether there is enough of it to record something more and to bring it into the index as well.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Below this nothing more is recorded. The index cannot be written half-way, and its files grow by half a megabyte.
const LEAST_BYTES: u64 = 8 << 20;
/// How long it holds that there was room: less than it takes to fill what must be left.
const HOLDS: Duration = Duration::from_millis(5);

/// Whether there is room where `directory` lies. A disk that does not say is left to be found out by writing.
pub(crate) fn is_left(directory: &Path) -> bool {
    rustix::fs::statvfs(directory).map_or(true, |space| {
        space.f_bavail.saturating_mul(space.f_frsize) >= LEAST_BYTES
    })
}

/// The room of one directory, for those who ask before every record.
pub(crate) struct Room {
    directory: PathBuf,
    /// When there was some.
    found: Mutex<Option<Instant>>,
}

impl Room {
    pub(crate) fn of(directory: PathBuf) -> Self {
        Self {
            directory,
            found: Mutex::new(None),
        }
    }

    /// As [`is_left`], at most a few milliseconds old.
    pub(crate) fn is_left(&self) -> bool {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_some_and(|at| at.elapsed() < HOLDS) {
            return true;
        }
        let left = is_left(&self.directory);
        *found = left.then(Instant::now);
        left
    }
}
