//! The two closed lists a driver works with: what it may tell a session, and what a session asks of it.

use ccpor_ledger::{
    Head, OriginId, Position, RunLimit, SignedHeartbeat, SignedReceipt, SignedRecord, Standing,
};

use crate::frame::{CloseReason, Divergence, Frame, OriginHead, RefusalCode, Run};
use crate::ledgers::{LoadFailed, Moved, StoreRefused, Stored};

/// What a driver tells a session.
#[derive(Clone, Debug)]
pub enum Event {
    /// A whole frame came in.
    Received(Frame),
    /// Bytes came in that are no frame.
    Garbage,
    /// One of our own ledgers reaches further, or a newer heartbeat is known.
    Moved(Moved),
    /// The answer to [`Action::Compare`].
    Compared {
        /// The origin asked about.
        origin: OriginId,
        /// How the peer's head stands to our ledger.
        answer: Result<Standing, LoadFailed>,
    },
    /// The answer to [`Action::Load`].
    Loaded {
        /// The origin asked about.
        origin: OriginId,
        /// The records and the head of the last one; `None` when nothing follows.
        answer: Result<Option<(Vec<SignedRecord>, Head)>, LoadFailed>,
    },
    /// The answer to one or more [`Action::Store`] of one origin that were stored together, in their order.
    Stored {
        /// The origin.
        origin: OriginId,
        /// How many runs this answers.
        runs: usize,
        /// What became of them: all or nothing.
        answer: Result<Stored, StoreRefused>,
    },
    /// The time [`crate::Session::deadline`] named has come.
    Tick,
    /// The driver wants to end the connection.
    Leave(CloseReason),
}

/// What a session asks of its driver, in this order.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Send a frame. Frames other than runs may overtake runs that are not yet written, never one another.
    Send(Frame),
    /// Find out how `peer` stands to our ledger; answer with [`Event::Compared`].
    Compare {
        /// The origin.
        origin: OriginId,
        /// What the peer holds.
        peer: Head,
    },
    /// Read a run; answer with [`Event::Loaded`]. At most one is under way for each origin.
    Load {
        /// The origin.
        origin: OriginId,
        /// Read what follows this; from the first record when `None`.
        after: Option<Position>,
        /// How much.
        limit: RunLimit,
    },
    /// Verify a run and make it durable; answer with [`Event::Stored`]. The runs of one origin are stored in the order
    /// of these actions; runs that follow one another without a hole may be stored together.
    Store(Run),
    /// A hub's receipt for our records; of several for one origin the last one says it all.
    KeepReceipt {
        /// The origin whose records were received.
        origin: OriginId,
        /// The hub's signature under that.
        receipt: SignedReceipt,
    },
    /// Heartbeats from the peer. They may be dropped when there are too many: newer ones follow.
    TakeHeartbeats(Vec<SignedHeartbeat>),
    /// The greeting is done: the connection counts as up, and this is what the peer holds.
    Up {
        /// The protocol version both speak.
        version: u16,
        /// What the peer holds of the origins in scope.
        peer: Vec<OriginHead>,
    },
    /// The peer holds ledgers of these origins, which it may send, whether they are wanted here or not: no answer here may be silent
    /// about them.
    HeardOf(Vec<OriginId>),
    /// An origin's ledgers cannot be made equal by sending records; the others go on. For the operator.
    Diverged {
        /// What was found; `ours` is this side's head.
        found: Divergence,
        /// Whether the peer found it.
        told_by_peer: bool,
    },
    /// Records of an origin were refused; the others go on. For the operator.
    Refused {
        /// The origin.
        origin: OriginId,
        /// Why.
        code: RefusalCode,
        /// Whether the peer refused ours, or we the peer's.
        by_peer: bool,
    },
    /// Our own ledger of an origin could not be read; it is tried again later. For the operator.
    Unreadable {
        /// The origin.
        origin: OriginId,
        /// Why.
        why: LoadFailed,
    },
    /// The connection is over; close it with this reason once what was sent before is written. Nothing follows.
    Close {
        /// Why.
        reason: CloseReason,
        /// Whether the peer ended it.
        by_peer: bool,
    },
}
