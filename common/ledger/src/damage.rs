//! Damage as it is reported: whose ledger, which record, which file and where. Ids and places only, never contents.

use std::path::PathBuf;

use crate::origin::OriginId;
use crate::position::Position;

/// Bytes of a ledger that are not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {kind} at {position}, in {} at byte {offset}: the rest is readable; bring this ledger back from the hub's copy", file.display())]
pub struct Damage {
    /// Whose ledger.
    pub origin: OriginId,
    /// The first record that cannot be read; as far as it is known from the records before it.
    pub position: Position,
    /// The file.
    pub file: PathBuf,
    /// Where in the file the damage begins, in bytes.
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
