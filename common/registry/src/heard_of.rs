//! The origins that exist, as far as peers said so: kept on the disk, so that answers are not silent about a court of which nothing
//! is held here. It knows nothing of what is held.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ccpor_files::put_in_place;
use ccpor_ledger::OriginId;
use ccpor_sync::limits::ORIGINS_MOST;

/// Below the directory of the registry: one origin a line.
const FILE: &str = "heard-of";

pub(crate) struct HeardOf {
    file: PathBuf,
    origins: Mutex<BTreeSet<OriginId>>,
}

impl HeardOf {
    /// What was heard of before. A file that cannot be read is made anew: every new connection tells all of it again.
    pub(crate) fn open(directory: &Path) -> Self {
        let file = directory.join(FILE);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                tracing::warn!(%error, "which courts there are is not known until a hub is connected");
                String::new()
            }
        };
        let origins = text.lines().filter_map(|line| OriginId::new(line).ok()).collect();
        Self {
            file,
            origins: Mutex::new(origins),
        }
    }

    pub(crate) fn all(&self) -> BTreeSet<OriginId> {
        self.lock().clone()
    }

    /// Keeps origins that a peer told of. When they cannot be written they count until the program ends.
    pub(crate) fn add(&self, told: &[OriginId]) {
        let mut origins = self.lock();
        let before = origins.len();
        for origin in told.iter().filter(|origin| !origin.is_audit()) {
            if origins.len() < ORIGINS_MOST {
                origins.insert(origin.clone());
            }
        }
        if origins.len() > before
            && let Err(error) = self.write(&origins)
        {
            tracing::warn!(%error, "which courts there are could not be kept; it is told again by the next connection");
        }
    }

    fn write(&self, origins: &BTreeSet<OriginId>) -> io::Result<()> {
        let lines: String = origins.iter().map(|origin| format!("{origin}\n")).collect();
        put_in_place(&self.file, lines.as_bytes())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<OriginId>> {
        // Only ever added to.
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(name: &str) -> OriginId {
        OriginId::new(name).unwrap()
    }

    #[test]
    fn what_was_heard_of_once_is_known_after_a_restart_whatever_the_file_has_become() {
        let directory = tempfile::tempdir().unwrap();
        let (kern, yurok) = (origin("court/kern/node/1"), origin("tribal/yurok/node/1"));
        HeardOf::open(directory.path()).add(&[kern.clone(), yurok.clone(), kern.clone()]);
        let again = HeardOf::open(directory.path());
        assert_eq!(again.all(), BTreeSet::from([kern.clone(), yurok]));
        fs::write(
            directory.path().join(FILE),
            b"court/kern/node/1\nno origin at all\n",
        )
        .unwrap();
        assert_eq!(HeardOf::open(directory.path()).all(), BTreeSet::from([kern]));
        fs::write(directory.path().join(FILE), b"\xff\xfe").unwrap();
        let anew = HeardOf::open(directory.path());
        anew.add(&[origin("court/inyo/node/1")]);
        assert_eq!(HeardOf::open(directory.path()).all().len(), 1);
    }
}
