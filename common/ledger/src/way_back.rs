//! How a court's ledger that lost its end goes on: a comparison of what is here with what a peer holds. Pure; nothing is
//! fetched or written here.

use crate::position::{Hash, Head, Position};
use crate::record::{Body, DecodeError, SignedRecord};

/// What is to be done with the records that a peer holds behind the last one that was filed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayBack {
    /// The peer holds nothing that is not here.
    Whole,
    /// All of the peer's run after so many records continues what is here.
    Append {
        /// Records at the beginning of the run that are here already.
        held: usize,
    },
    /// Here stand starts of epochs, in which nothing was filed, that the peer does not have: they give way to all of the run.
    GiveWay,
    /// Records were filed here that the peer's copy contradicts. They never give way.
    Contradicted,
}

/// Judges a peer's `run`: the records that follow the last one filed here, of which `filed` is the hash (`None`: nothing was
/// filed, and the run is the peer's copy from the first record on). `trail` is what is here behind that record: starts of
/// epochs only.
///
/// # Errors
/// The run's first record cannot be read.
pub fn way_back(
    filed: Option<Hash>,
    trail: &[SignedRecord],
    run: &[SignedRecord],
) -> Result<WayBack, DecodeError> {
    let Some(first) = run.first() else {
        return Ok(WayBack::Whole);
    };
    if first.outline()?.prev != filed.unwrap_or(Hash::ZERO) {
        return Ok(WayBack::Contradicted);
    }
    let agree = trail
        .iter()
        .zip(run)
        .all(|(ours, theirs)| ours.hash() == theirs.hash());
    Ok(match agree {
        true if run.len() >= trail.len() => WayBack::Append { held: trail.len() },
        true => WayBack::Whole,
        false => WayBack::GiveWay,
    })
}

/// Why the last filed record could not be found.
#[derive(Debug, PartialEq, Eq)]
pub enum Unread<E> {
    /// The ledger could not be read.
    Read(E),
    /// What was read is no record.
    Form(DecodeError),
}

/// The last record up to `head` that files something: what follows it are starts of epochs and handovers to
/// another key only. `None` when nothing was filed.
///
/// # Errors
/// [`Unread`].
pub fn last_filed<E>(
    head: Option<Head>,
    mut read: impl FnMut(Position) -> Result<SignedRecord, E>,
) -> Result<Option<Position>, Unread<E>> {
    let mut position = head.map(|head| head.position);
    // An epoch's start names the head before it, so the walk back goes from start to start.
    while let Some(at) = position {
        match read(at)
            .map_err(Unread::Read)?
            .decode()
            .map_err(Unread::Form)?
            .body
        {
            Body::EpochStart(start) => position = start.previous.map(|head| head.position),
            // The last of its epoch; what it hands over was begun before it.
            Body::KeyHandover(_) => {
                let seq = at.seq.saturating_sub(1);
                position = Some(Position { epoch: at.epoch, seq });
            }
            Body::Event(_) => return Ok(Some(at)),
        }
    }
    Ok(None)
}
