//! One origin's ledger in its directory: opened with recovery, read by position, extended by proven runs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chain::{ChainEnd, RunFault};
use crate::origin::OriginId;
use crate::position::{Hash, Head, Position};
use crate::record::SignedRecord;
use crate::sign::VerifyingKey;
use crate::trust::KeyTrust;

/// How much [`Ledger::run`] may return. At least one record is returned when there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimit {
    /// Most records.
    pub records: usize,
    /// Most bytes of records and signatures together.
    pub bytes: usize,
}

/// How a peer's copy of a ledger stands to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The same records.
    Same,
    /// The peer lacks the last records held here.
    PeerBehind,
    /// The peer says it holds more. Whether it continues this ledger shows when its run is proven.
    PeerAhead,
    /// The peer holds another record at a place that is filled here too: one of the two was rolled back, cloned or forged.
    Diverged,
}

/// Bytes of a ledger that are not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {kind} at {position}, in {} at byte {offset}: the rest is readable; repair from a peer's copy", file.display())]
pub struct Damage {
    /// Whose ledger.
    pub origin: OriginId,
    /// The first record that cannot be read; as far as it is known from the records before it.
    pub position: Position,
    /// The file.
    pub file: PathBuf,
    /// Where in the file the damaged frame begins, in bytes.
    pub offset: u64,
    /// What is wrong.
    pub kind: DamageKind,
}

/// What is wrong with damaged bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DamageKind {
    /// The header of a segment file.
    #[error("damaged segment header")]
    Header,
    /// A frame whose checksum does not fit, before bytes that are known to have been durable.
    #[error("damaged record")]
    Frame,
    /// Whole frames that do not follow on from each other.
    #[error("records that do not continue each other")]
    Chain,
    /// The ledger ends before the place up to which it is known to have been durable.
    #[error("missing end")]
    MissingEnd,
    /// A segment file is not there.
    #[error("missing segment file")]
    MissingFile,
}

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
    #[error("{} holds the ledger of {found}, not of {expected}: check the data directory", dir.display())]
    OtherOrigin {
        /// The ledger's directory.
        dir: PathBuf,
        /// Whose it is.
        found: String,
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

/// What opening a ledger found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Records in the ledger.
    pub records: u64,
    /// Bytes of an unfinished write that were cut from the end; none of them were ever acknowledged.
    pub cut_bytes: u64,
    /// Damage that was found. While there is any, the ledger refuses to append.
    pub damage: Vec<Damage>,
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such record: behind the end, or at a number that an epoch did not use.
    #[error("{origin} has no record {position}")]
    NoRecord {
        /// Whose ledger.
        origin: OriginId,
        /// The place.
        position: Position,
    },
    /// The record is damaged. Nothing of it is returned.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The disk refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Why nothing was added.
#[derive(Debug, thiserror::Error)]
pub enum AppendRefusal {
    /// The run does not continue this ledger or is not proven. Nothing of it was kept.
    #[error(transparent)]
    Unproven(#[from] RunFault),
    /// No space is left. Nothing was kept; it works again when there is space.
    #[error("the disk is full: free some space; nothing was lost and filing goes on by itself afterwards")]
    DiskFull,
    /// The ledger is damaged, so its end is not certain.
    #[error("appending is stopped until the ledger is repaired: {0}")]
    Damaged(Damage),
    /// An earlier write failed in a way that leaves open what is on the disk.
    #[error("appending is stopped after a failed write: check the disk, then restart; what was acknowledged is safe")]
    Stopped,
}

/// One origin's ledger, open. Reading from many threads; appending one at a time.
pub struct Ledger {
    dir: PathBuf,
    origin: OriginId,
    trust: Arc<dyn KeyTrust>,
    opened: Opened,
}

impl Ledger {
    /// Opens the ledger in a directory and makes the directory when it is missing. Takes a lock that lasts as long as the
    /// ledger is open. An unfinished write at the end is cut back; damage is reported by [`Ledger::opened`], not cut.
    pub fn open(dir: impl AsRef<Path>, origin: OriginId, trust: Arc<dyn KeyTrust>) -> Result<Ledger, OpenError> {
        Ok(Ledger { dir: dir.as_ref().to_path_buf(), origin, trust, opened: Opened::default() })
    }

    /// Whose ledger it is.
    pub fn origin(&self) -> &OriginId {
        &self.origin
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What opening it found and did.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Damage that keeps the ledger from being appended to; the first, if there is any.
    pub fn damage(&self) -> Option<Damage> {
        self.opened.damage.first().cloned()
    }

    /// The last durable record.
    pub fn head(&self) -> Option<Head> {
        None
    }

    /// The end of the chain with its moment and key.
    pub fn end(&self) -> Option<ChainEnd> {
        None
    }

    /// How many records there are.
    pub fn records(&self) -> u64 {
        self.opened.records
    }

    /// The key that signs an epoch, from the start record of that epoch; it was admitted when that record was kept.
    pub fn epoch_key(&self, epoch: u32) -> Result<VerifyingKey, ReadError> {
        let position = Position { epoch, seq: 1 };
        Err(ReadError::NoRecord { origin: self.origin.clone(), position })
    }

    /// Reads one record and checks that it is what was written.
    pub fn read(&self, position: Position) -> Result<SignedRecord, ReadError> {
        Err(ReadError::NoRecord { origin: self.origin.clone(), position })
    }

    /// The records behind a position (`None`: from the first), in order, within a limit. Empty at the end. Stops short of
    /// damage; fails when the very first is damaged, or when `after` is not in the ledger.
    pub fn run(&self, after: Option<Position>, limit: RunLimit) -> Result<Vec<SignedRecord>, ReadError> {
        let _ = (after, limit);
        Ok(Vec::new())
    }

    /// The hash of the record at a position; `None` when there is no such record.
    pub fn hash_at(&self, position: Position) -> Result<Option<Hash>, ReadError> {
        let _ = position;
        Ok(None)
    }

    /// Compares a peer's head with this ledger.
    pub fn standing(&self, peer: &Head) -> Result<Standing, ReadError> {
        let _ = peer;
        Ok(Standing::PeerAhead)
    }

    /// Adds a run of records that another origin's node signed. It is proven first (see [`crate::prove_run`]) and durable on
    /// return. All of it is kept or nothing. Records that are here already are the caller's to leave out.
    pub fn append_run(&self, run: &[SignedRecord]) -> Result<Head, AppendRefusal> {
        let _ = (run, &self.trust);
        Err(AppendRefusal::Stopped)
    }

    /// Notes durably that everything up to the head is on the disk, so that a later change of the very last records is told
    /// apart from an unfinished write. A [`crate::Writer`] does it when idle; call it for a copy after catching up.
    pub fn mark_durable(&self) -> Result<(), AppendRefusal> {
        Ok(())
    }
}
