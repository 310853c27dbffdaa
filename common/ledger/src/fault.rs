//! What the independent check reports when something is wrong. Ids and places only, never contents.

use std::io;
use std::path::PathBuf;

use crate::chain::ChainFault;
use crate::origin::OriginId;
use crate::position::Position;
use crate::trust::KeyRefused;

/// The first thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} at byte {offset}{}{}: {what}", file.display(), shown(origin.as_ref()), shown(position.as_ref()))]
pub struct Fault {
    /// The file, or the directory.
    pub file: PathBuf,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// Whose ledger, when known.
    pub origin: Option<OriginId>,
    /// Which record, when known.
    pub position: Option<Position>,
    /// What is wrong.
    pub what: FaultKind,
}

fn shown(part: Option<&impl std::fmt::Display>) -> String {
    part.map(|part| format!(", {part}")).unwrap_or_default()
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// The disk refused.
    #[error("cannot be read: {0}")]
    Unreadable(io::ErrorKind),
    /// A segment is not there although a later one is.
    #[error("segment file is missing")]
    MissingSegment,
    /// The header is not what was written.
    #[error("segment header is damaged")]
    Header,
    /// The header says that another record comes before than the one that does.
    #[error("segment does not continue the one before")]
    HeaderChain,
    /// A later version of the program wrote it.
    #[error("segment has format {0}, which this program does not know: update this program")]
    Format(u32),
    /// Bytes that are not a whole frame.
    #[error(
        "not a whole record; if the program was not ended properly, open the ledger with it once and check again"
    )]
    Frame,
    /// Something behind the end.
    #[error(
        "bytes behind the end of the records; if the program was not ended properly, open the ledger with it once and check again"
    )]
    BehindEnd,
    /// A whole frame with something else in it than a record.
    #[error("not a record in its one form")]
    Form,
    /// The chain is broken.
    #[error(transparent)]
    Chain(#[from] ChainFault),
    /// The announced key could be anyone's.
    #[error("weak signing key")]
    WeakKey,
    /// The announced key is not admitted.
    #[error(transparent)]
    Key(#[from] KeyRefused),
    /// The record's own signature.
    #[error("signature does not verify")]
    Signature,
    /// The durable mark names a record that is not there.
    #[error("records are missing at the end: they had been durable")]
    MissingEnd,
    /// The durable mark is not what was written.
    #[error("durable mark is damaged")]
    Mark,
    /// Bytes that are not a whole receipt of this origin.
    #[error(
        "not a whole receipt; if the program was not ended properly, open the ledger with it once and check again"
    )]
    Receipt,
    /// The hub's signature on a receipt.
    #[error("signature of the receipt does not verify")]
    ReceiptSignature,
    /// A hub certified a record that is not in the chain.
    #[error("a hub holds a record that is not in this ledger: the ledger was rolled back or forked")]
    ReceiptNotInChain,
}
