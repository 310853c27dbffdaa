//! How one copy of a ledger stands to another, judged by heads and hashes alone. Pure: where the hashes come from, a file or a
//! simulator's disk, is the caller's.

use crate::position::{Hash, Head, Position};
use crate::record::{DecodeError, SignedRecord};

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

/// Compares a peer's head with the ledger that ends at `own`; `hash_at` gives the hash of a record of it.
///
/// # Errors
/// Those of `hash_at`.
pub fn standing<E>(
    own: Option<Head>,
    peer: &Head,
    hash_at: impl FnOnce(Position) -> Result<Option<Hash>, E>,
) -> Result<Standing, E> {
    let Some(own) = own else {
        return Ok(Standing::PeerAhead);
    };
    if peer.position > own.position {
        return Ok(Standing::PeerAhead);
    }
    let same = hash_at(peer.position)? == Some(peer.hash);
    #[cfg(feature = "planted")]
    let same = same || crate::planted::is(crate::planted::Planted::NoHeadComparison);
    Ok(match (same, peer.position == own.position) {
        (true, true) => Standing::Same,
        (true, false) => Standing::PeerBehind,
        (false, _) => Standing::Diverged,
    })
}

/// Why a run cannot be laid over what is held.
#[derive(Debug, PartialEq, Eq)]
pub enum Overlap<E> {
    /// Bytes of the run that are no record.
    Form(DecodeError),
    /// Another record is held at this place.
    Contradicts(Position),
    /// What is held could not be read.
    Unread(E),
}

/// The part of a run that lies behind `held`, the last place that is filled here. What lies before it must be what is held.
///
/// # Errors
/// [`Overlap`].
pub fn not_held<E>(
    held: Option<Position>,
    run: Vec<SignedRecord>,
    mut hash_at: impl FnMut(Position) -> Result<Option<Hash>, E>,
) -> Result<Vec<SignedRecord>, Overlap<E>> {
    let mut new = Vec::with_capacity(run.len());
    for record in run {
        let position = record.outline().map_err(Overlap::Form)?.position;
        if held < Some(position) {
            new.push(record);
        } else if hash_at(position).map_err(Overlap::Unread)? != Some(record.hash()) {
            return Err(Overlap::Contradicts(position));
        }
    }
    Ok(new)
}
