//! The shelf: every ledger that this machine holds, one directory each, opened at start and made when a new court appears.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use ccpor_ledger::{Head, KeyTrust, Ledger, OpenError, OriginId};

/// All ledgers by the node that writes them.
pub(crate) struct Shelf {
    directory: PathBuf,
    trust: Arc<dyn KeyTrust>,
    ledgers: RwLock<BTreeMap<OriginId, Arc<Ledger>>>,
}

/// Why the ledgers could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The directory cannot be read or made.
    #[error(
        "the ledger directory {directory} cannot be used: {reason}. Check that it exists and belongs to this user"
    )]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// The system's words.
        reason: std::io::Error,
    },
    /// One ledger does not open.
    #[error(transparent)]
    Ledger(#[from] OpenError),
}

impl Shelf {
    /// Opens every ledger below `directory`, making the directory when it is missing.
    pub(crate) fn open(directory: &Path, trust: Arc<dyn KeyTrust>) -> Result<Self, ShelfError> {
        let unusable = |reason| ShelfError::Directory {
            directory: directory.to_owned(),
            reason,
        };
        if !directory.is_dir() {
            std::fs::create_dir_all(directory).map_err(unusable)?;
            // Records are durable only if the names of the directories above them are.
            let above = directory.parent().filter(|above| !above.as_os_str().is_empty());
            std::fs::File::open(above.unwrap_or(Path::new(".")))
                .and_then(|above| above.sync_all())
                .map_err(unusable)?;
        }
        let mut ledgers = BTreeMap::new();
        for entry in std::fs::read_dir(directory).map_err(unusable)? {
            let entry = entry.map_err(unusable)?;
            let name = entry.file_name();
            let origin = name.to_str().and_then(|name| OriginId::from_file_name(name).ok());
            let Some(origin) = origin.filter(|origin| !origin.is_audit()) else {
                tracing::warn!(path = %entry.path().display(), "not a ledger; it is left alone");
                continue;
            };
            let ledger = Ledger::open(entry.path(), origin.clone(), Arc::clone(&trust))?;
            ledgers.insert(origin, Arc::new(ledger));
        }
        Ok(Self {
            directory: directory.to_owned(),
            trust,
            ledgers: RwLock::new(ledgers),
        })
    }

    /// The ledger of `origin`, if it is held.
    pub(crate) fn get(&self, origin: &OriginId) -> Option<Arc<Ledger>> {
        self.ledgers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(origin)
            .cloned()
    }

    /// As [`Shelf::get`], without waiting while a ledger is made.
    pub(crate) fn at_hand(&self, origin: &OriginId) -> Option<Arc<Ledger>> {
        self.ledgers.try_read().ok()?.get(origin).cloned()
    }

    /// The ledger of `origin`, made now when it is not held yet.
    pub(crate) fn get_or_make(&self, origin: &OriginId) -> Result<Arc<Ledger>, OpenError> {
        if let Some(ledger) = self.get(origin) {
            return Ok(ledger);
        }
        let mut ledgers = self.ledgers.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(ledger) = ledgers.get(origin) {
            return Ok(Arc::clone(ledger));
        }
        let directory = self.directory.join(origin.file_name());
        let ledger = Arc::new(Ledger::open(&directory, origin.clone(), Arc::clone(&self.trust))?);
        ledgers.insert(origin.clone(), Arc::clone(&ledger));
        Ok(ledger)
    }

    /// Every ledger.
    pub(crate) fn all(&self) -> Vec<(OriginId, Arc<Ledger>)> {
        let ledgers = self.ledgers.read().unwrap_or_else(PoisonError::into_inner);
        ledgers
            .iter()
            .map(|(origin, ledger)| (origin.clone(), Arc::clone(ledger)))
            .collect()
    }

    /// How far each ledger reaches.
    pub(crate) fn heads(&self) -> Vec<(OriginId, Head)> {
        self.all()
            .into_iter()
            .filter_map(|(origin, ledger)| ledger.head().map(|head| (origin, head)))
            .collect()
    }
}

/// What is damaged in a ledger, in words: found at opening, or met by a reader since.
pub(crate) fn damage_of(ledger: &Ledger) -> Option<String> {
    let wounds = ledger.wounds();
    match (ledger.damage(), wounds.first()) {
        (Some(damage), _) => Some(damage.to_string()),
        (None, Some(first)) => Some(format!(
            "{} damaged records, the first at {first}; they are fetched again when the other side is connected",
            wounds.len()
        )),
        (None, None) => None,
    }
}
