//! Mending a damaged or forked ledger from proven records; what is taken out is set aside byte for byte, never deleted.

use std::io;
use std::path::PathBuf;

use crate::ledger::{AppendRefusal, Ledger, ReadError};
use crate::position::{Head, Position};
use crate::record::SignedRecord;

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Records that were put back in place.
    pub records: u64,
    /// Where the damaged bytes were kept.
    pub kept_in: PathBuf,
}

/// The part of a ledger that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Whole records among what was set aside.
    pub records: u64,
    /// The directory that now holds it.
    pub kept_in: PathBuf,
    /// The head that remains.
    pub head: Option<Head>,
}

/// Why a ledger could not be mended in this way.
#[derive(Debug, thiserror::Error)]
pub enum RepairRefusal {
    /// The records offered are not the ones that are damaged: their hashes do not fit between their neighbours.
    #[error("record {at} does not fit the records around the damage: fetch it from another peer")]
    DoesNotFit {
        /// The first that does not fit.
        at: Position,
    },
    /// There is no damage at that place.
    #[error("there is no damage at {at}")]
    NotDamaged {
        /// The place.
        at: Position,
    },
    /// The place to keep is not in this ledger, or not whole.
    #[error("the ledger could not be read: {0}")]
    Read(#[from] ReadError),
    /// Writing is stopped.
    #[error(transparent)]
    Stopped(#[from] AppendRefusal),
    /// The disk refused.
    #[error("the repair could not be written: {0}; check the disk, then open the ledger again")]
    Disk(#[from] io::Error),
}

impl Ledger {
    /// Puts damaged records back from a peer's copy. Each must be byte for byte what was there: it must name the record
    /// before it, and the record after it (or the durable mark) must name it. The damaged bytes are kept in `quarantine/`.
    pub fn repair(&self, records: &[SignedRecord]) -> Result<Repaired, RepairRefusal> {
        let _ = records;
        Err(io::Error::from(io::ErrorKind::Unsupported).into())
    }

    /// Moves everything behind a position (`None`: everything) to `quarantine/` and goes on from there: for a fork, whose
    /// other branch is canonical, and for a damaged tail, which a peer has whole. Ends a damaged ledger's refusal to append
    /// when the damage is in what was moved. The next record written must begin a new epoch; a peer's run may continue this one.
    pub fn set_aside(&self, after: Option<Position>) -> Result<SetAside, RepairRefusal> {
        let _ = after;
        Err(io::Error::from(io::ErrorKind::Unsupported).into())
    }
}
