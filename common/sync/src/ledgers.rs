//! The door to the store: what the driver of a session asks of it. Implemented by the registry; the machine itself
//! never calls it.

use std::sync::Arc;

use ccpor_ledger::{
    Head, Heartbeat, OriginId, Overlap, Position, RunFault, RunLimit, SignedHeartbeat, SignedReceipt,
    SignedRecord, Standing,
};
use thiserror::Error;

/// The ledgers of all origins at this node or hub.
///
/// Calls block (they read and sync files) and may come from several threads at once, but never two `store` calls for
/// one origin from the same connection. Two connections may store the same records of one origin at the same time.
pub trait Ledgers: Send + Sync {
    /// How far each ledger reaches.
    fn heads(&self) -> Vec<(OriginId, Head)>;

    /// A peer holds ledgers of these origins and may send them: from now on answers say how far each is included here, also when it
    /// is not at all.
    fn heard_of(&self, origins: &[OriginId]);

    /// How `head`, which a peer holds of `origin`, stands to our ledger.
    ///
    /// # Errors
    /// The ledger could not be read.
    fn standing(&self, origin: &OriginId, head: &Head) -> Result<Standing, LoadFailed>;

    /// The records of `origin` that follow `after` (all from the first one when `None`), unbroken and in order, up to
    /// the limit but at least one record when there is any; empty when there is none.
    ///
    /// # Errors
    /// The ledger could not be read, or a record in it is damaged.
    fn load(
        &self,
        origin: &OriginId,
        after: Option<Position>,
        limit: RunLimit,
    ) -> Result<Vec<SignedRecord>, LoadFailed>;

    /// As [`Ledgers::load`], when that needs no waiting: the newest records are often in memory. `None` means to load them. This one
    /// must not block.
    fn at_hand(
        &self,
        _origin: &OriginId,
        _after: Option<Position>,
        _limit: RunLimit,
    ) -> Option<Vec<SignedRecord>> {
        None
    }

    /// Verifies a run, makes it durable and visible to lookups, and signs a receipt when this is a hub.
    ///
    /// Records that are there already are skipped, so that a repeated run changes nothing.
    ///
    /// # Errors
    /// Nothing of the run that failed was kept; what to do about it is in the error.
    fn store(&self, origin: &OriginId, run: Vec<SignedRecord>) -> Result<Stored, StoreRefused>;

    /// Keeps a hub's receipt if it verifies and is newer than what is held.
    fn receipt(&self, receipt: SignedReceipt);

    /// Keeps a heartbeat; true when it verified and is newer than what was held.
    fn heartbeat(&self, heartbeat: SignedHeartbeat) -> bool;

    /// The newest heartbeat of each origin, without those that close a moment still to come.
    fn heartbeats(&self) -> Vec<SignedHeartbeat>;

    /// Calls `changed` after every change of a head or heartbeat, once it is visible to lookups. The call must return
    /// quickly and may come from any thread.
    fn watch(&self, changed: Box<dyn Fn(&Moved) + Send + Sync>);
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// An origin's ledger reaches further.
    Head(OriginId, Head),
    /// A newer heartbeat of an origin was made or verified.
    Heartbeat(Arc<Beat>),
}

/// A heartbeat and what it says, read once for all connections that it goes out on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// What it says.
    pub said: Heartbeat,
    /// As it was signed.
    pub signed: SignedHeartbeat,
}

impl Beat {
    /// Reads a heartbeat; its signature is not checked. `None` when it is none.
    pub fn of(signed: SignedHeartbeat) -> Option<Arc<Self>> {
        let said = signed.decode().ok()?;
        Some(Arc::new(Self { said, signed }))
    }
}

/// A run is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// How far the ledger reaches now.
    pub head: Head,
    /// The hub's signed receipt for that; `None` at a node.
    pub receipt: Option<SignedReceipt>,
}

/// A ledger could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LoadFailed {
    /// A record on disk failed its check.
    #[error("a record of this ledger is damaged on disk; see the runbook for a damaged ledger")]
    Damaged,
    /// The operating system did not give the bytes.
    #[error("the ledger's files could not be read; check the disk and the data directory's permissions")]
    Unreadable,
}

/// A run was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StoreRefused {
    /// The run begins after the record that follows our head.
    #[error("the run does not begin where this copy of the ledger ends")]
    Gap,
    /// Another record stands at a place of the run, or the run does not continue the chain.
    #[error("the run contradicts the records held here; nothing was overwritten")]
    Forked,
    /// A record failed a check: signature, key, form, or an origin that it does not belong to.
    #[error("a record of the run failed its check; nothing of it was kept")]
    BadRecord,
    /// The run could not be made durable.
    #[error("the run could not be made durable; check disk space and health")]
    CannotStore,
}

impl From<&RunFault> for StoreRefused {
    fn from(fault: &RunFault) -> Self {
        match fault {
            // Sent again from where this copy ends, it may fit.
            RunFault::Chain(_) => Self::Gap,
            RunFault::Empty
            | RunFault::TooLong
            | RunFault::Form { .. }
            | RunFault::Signature { .. }
            | RunFault::Weak { .. }
            | RunFault::Key { .. } => Self::BadRecord,
        }
    }
}

impl<E> From<Overlap<E>> for StoreRefused {
    fn from(overlap: Overlap<E>) -> Self {
        match overlap {
            Overlap::Form(_) => Self::BadRecord,
            Overlap::Contradicts(_) => Self::Forked,
            Overlap::Unread(_) => Self::CannotStore,
        }
    }
}
