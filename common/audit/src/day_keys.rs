//! The files of the wrapped keys, one directory for each trail. A file is written once and removed once: to destroy the key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ccpor_ledger::OriginId;

use crate::day_key::{DayKeyFailed, KeyName, WrappedKey};
use crate::files::{Readers, make_dir, sync_dir, write_new};

const ENDING: &str = "key";

/// Why a key's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DayKeyFilesFailed {
    /// The disk refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what was written.
    #[error("{}: {reason}", path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: DayKeyFailed,
    },
}

impl DayKeyFilesFailed {
    /// Whether there was no room.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            Self::Bad { .. } => false,
        }
    }
}

/// The wrapped keys of one trail.
#[derive(Clone, Debug)]
pub struct DayKeyFiles {
    dir: PathBuf,
}

impl DayKeyFiles {
    /// The keys of a trail below an audit directory.
    #[must_use]
    pub fn of(audit: &Path, origin: &OriginId) -> Self {
        Self {
            dir: audit.join("keys").join(origin.file_name()),
        }
    }

    /// Writes a key's file; it is durable on return. The same key again changes nothing.
    ///
    /// # Errors
    /// [`DayKeyFilesFailed`] when it cannot be written, or another file has its name.
    pub fn keep(&self, key: &WrappedKey) -> Result<(), DayKeyFilesFailed> {
        let bad = |reason| DayKeyFilesFailed::Bad {
            path: self.dir.clone(),
            reason,
        };
        let path = self.path(key.name().ok_or_else(|| bad(DayKeyFailed::Malformed))?);
        make_dir(&self.dir).map_err(|source| io_failed(&self.dir, source))?;
        match write_new(&path, &key.bytes(), Readers::Owner) {
            Err(fault)
                if fault.kind() == io::ErrorKind::AlreadyExists
                    && fs::read(&path).is_ok_and(|held| held == key.bytes()) =>
            {
                Ok(())
            }
            done => done.map_err(|source| io_failed(&path, source)),
        }
    }

    /// The bytes of a key's file; none when it is not there.
    ///
    /// # Errors
    /// [`DayKeyFilesFailed::Io`] when the disk refuses.
    pub fn bytes(&self, key: KeyName) -> Result<Option<Vec<u8>>, DayKeyFilesFailed> {
        let path = self.path(key);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(io_failed(&path, source)),
        }
    }

    /// Every key that has a file, by name.
    ///
    /// # Errors
    /// [`DayKeyFilesFailed`] when a file cannot be read or is none.
    pub fn all(&self) -> Result<Vec<WrappedKey>, DayKeyFilesFailed> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(io_failed(&self.dir, source)),
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(|source| io_failed(&self.dir, source))?.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                paths.push(path);
            }
        }
        paths.sort();
        let read = |path: PathBuf| {
            let bytes = fs::read(&path).map_err(|source| io_failed(&path, source))?;
            WrappedKey::read(&bytes).map_err(|reason| DayKeyFilesFailed::Bad { path, reason })
        };
        paths.into_iter().map(read).collect()
    }

    /// Destroys a key: its file is gone, durably. What is not there is destroyed already.
    ///
    /// # Errors
    /// [`DayKeyFilesFailed::Io`].
    pub fn destroy(&self, key: KeyName) -> Result<(), DayKeyFilesFailed> {
        let path = self.path(key);
        match fs::remove_file(&path) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(io_failed(&path, fault)),
            _ => sync_dir(&self.dir).map_err(|source| io_failed(&self.dir, source)),
        }
    }

    /// Where a key's file lies.
    #[must_use]
    pub fn path(&self, key: KeyName) -> PathBuf {
        self.dir.join(format!("{key}.{ENDING}"))
    }
}

fn io_failed(path: &Path, source: io::Error) -> DayKeyFilesFailed {
    DayKeyFilesFailed::Io {
        path: path.to_path_buf(),
        source,
    }
}
