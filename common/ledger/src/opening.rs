//! Opening a ledger: lock, recovery, the unfinished end cut back, damage reported and left alone.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use crate::ledger::{Ledger, Opened, State};
use crate::mark::MarkFile;
use crate::origin::OriginId;
use crate::recovery::{RecoverError, Recovered, recover};
use crate::segment::{SEGMENT_BYTES, sync_dir};
use crate::tail::Tail;
use crate::trust::KeyTrust;

const LOCK_NAME: &str = "lock";
/// Smallest segment that may be asked for: header, first block of zeros, some records.
const MIN_SEGMENT_BYTES: u64 = 1 << 10;

/// Why a ledger does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has it open.
    #[error("{} is in use by another process: stop that one first", dir.display())]
    InUse {
        /// The ledger's directory.
        dir: PathBuf,
    },
    /// The files are another origin's.
    #[error("{} is of the ledger of {found}, not of {expected}: check the data directory", file.display())]
    OtherOrigin {
        /// The file that says so.
        file: PathBuf,
        /// Whose it is.
        found: OriginId,
        /// Whose was asked for.
        expected: OriginId,
    },
    /// A later version of this program wrote it.
    #[error("{} has segment format {format}, which this program does not know: update this program", file.display())]
    Format {
        /// The file.
        file: PathBuf,
        /// Its format.
        format: u32,
    },
    /// The disk refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What could not be read or written.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// How a ledger is kept. The defaults are for use; tests make segments small.
#[derive(Clone, Copy, Debug)]
pub struct LedgerOptions {
    /// A segment is not begun a batch that would make it longer than so many bytes.
    pub segment_bytes: u64,
}

impl Default for LedgerOptions {
    fn default() -> Self {
        LedgerOptions {
            segment_bytes: SEGMENT_BYTES,
        }
    }
}

impl Ledger {
    /// Opens the ledger in a directory and makes the directory when it is missing. Takes a lock that lasts as long as the
    /// ledger is open. An unfinished write at the end is cut back; damage is reported by [`Ledger::opened`], not cut.
    pub fn open(
        dir: impl AsRef<Path>,
        origin: OriginId,
        trust: Arc<dyn KeyTrust>,
    ) -> Result<Ledger, OpenError> {
        Ledger::open_with(dir, origin, trust, LedgerOptions::default())
    }

    /// As [`Ledger::open`], with options.
    pub fn open_with(
        dir: impl AsRef<Path>,
        origin: OriginId,
        trust: Arc<dyn KeyTrust>,
        options: LedgerOptions,
    ) -> Result<Ledger, OpenError> {
        let dir = dir.as_ref().to_path_buf();
        let io = |source| OpenError::Io {
            path: dir.clone(),
            source,
        };
        make_dir(&dir).map_err(io)?;
        let lock = lock(&dir)?;
        let mark = MarkFile::open(&dir, &origin).map_err(io)?;
        let recovered = recover(&dir, &origin, mark.mark()).map_err(|fault| explain(fault, &origin))?;
        let segment_bytes = options.segment_bytes.clamp(MIN_SEGMENT_BYTES, SEGMENT_BYTES);
        let mut tail = Tail::open(
            dir.clone(),
            origin.clone(),
            segment_bytes,
            recovered.last.as_ref(),
            mark,
        )
        .map_err(io)?;
        let cut_bytes = settle(&mut tail, &recovered).map_err(io)?;
        let state = State::from(recovered);
        let opened = Opened {
            records: state.index.records(),
            cut_bytes,
            damage: state.damage.clone(),
        };
        Ok(Ledger {
            dir,
            origin,
            trust,
            opened,
            state: RwLock::new(state),
            tail: Mutex::new(tail),
            files: Mutex::new(BTreeMap::new()),
            wounds: Mutex::default(),
            _lock: lock,
        })
    }
}

/// Puts the end in order so that records may follow; a damaged ledger is left exactly as it is. Gives the bytes cut.
pub(crate) fn settle(tail: &mut Tail, recovered: &Recovered) -> io::Result<u64> {
    for damage in &recovered.damage {
        tracing::error!(%damage, "the ledger is damaged; it is read, but nothing is added until it is repaired");
    }
    let (Some(last), true) = (&recovered.last, recovered.damage.is_empty()) else {
        return Ok(0);
    };
    if last.unfinished > 0 {
        tracing::warn!(origin = %tail.origin, bytes = last.unfinished, "tail_truncated: an unfinished write was cut back");
    }
    tail.settle(last)?;
    if let Err(fault) = tail.set_mark(recovered.head) {
        tracing::warn!(origin = %tail.origin, %fault, "the durable mark could not be written");
    }
    Ok(last.unfinished)
}

pub(crate) fn explain(fault: RecoverError, expected: &OriginId) -> OpenError {
    match fault {
        RecoverError::OtherOrigin { file, found } => OpenError::OtherOrigin {
            file,
            found,
            expected: expected.clone(),
        },
        RecoverError::Format { file, format } => OpenError::Format { file, format },
        RecoverError::Io { path, source } => OpenError::Io { path, source },
    }
}

/// Makes a directory and the ones above it, each name durably.
fn make_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_dir(parent)?;
    }
    match fs::create_dir(dir) {
        Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => return Err(fault),
        _ => {}
    }
    sync_dir(parent.unwrap_or(Path::new(".")))
}

fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(LOCK_NAME);
    let io = |source| OpenError::Io {
        path: path.clone(),
        source,
    };
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            dir: dir.to_path_buf(),
        }),
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}
