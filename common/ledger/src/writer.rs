//! The one thread that writes a court's own ledger: takes what waits, signs it, makes it durable at once, then says so.

use std::sync::Arc;

use crate::clock::{Hlc, HybridClock};
use crate::heartbeat::SignedHeartbeat;
use crate::ledger::{AppendRefusal, Damage, Ledger};
use crate::position::Head;
use crate::record::{EpochReason, MAX_BODY_BYTES};
use crate::sign::SigningKey;

/// How a writer works. The defaults suit a court's node.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// Begin a new epoch at once, for this reason, even though the ledger and the key would let the last one go on.
    pub new_epoch: Option<EpochReason>,
    /// Most appends that wait; more make [`Writer::append`] wait.
    pub queue: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        WriterOptions { new_epoch: None, queue: 4096 }
    }
}

/// A record that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its place and hash.
    pub head: Head,
    /// Its moment.
    pub hlc: Hlc,
}

/// Why a record was not added. Nothing of it will ever appear, except after [`AppendError::Stopped`], where it may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The body is longer than a record may carry.
    #[error("a record of {bytes} bytes is too long: the most is {MAX_BODY_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// No space is left; works again by itself when there is some.
    #[error("the disk is full: free some space; nothing was lost and filing goes on by itself afterwards")]
    DiskFull,
    /// A write failed. Whether this record is on the disk shows after the restart.
    #[error("writing to the disk failed: check the disk, then restart; what was acknowledged is safe")]
    Stopped,
    /// The ledger is damaged.
    #[error("appending is stopped until the ledger is repaired: {0}")]
    Damaged(Damage),
    /// Another key has taken over the ledger since this writer began.
    #[error("the ledger goes on under another signing key: start the writer anew")]
    OtherKey,
    /// The numbers or the moments of this ledger are used up.
    #[error("no number is left in this epoch: begin a new epoch")]
    UsedUp,
    /// The signing library failed.
    #[error("the record could not be signed: restart the program")]
    Signing,
    /// The writer was closed.
    #[error("the ledger is being closed: try again after the restart")]
    Closed,
    /// The queue is full and waiting for it would wait for oneself (an append from within a `done`).
    #[error("too many records are waiting: try again")]
    Busy,
}

/// Why a writer does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The start of its epoch could not be written.
    #[error(transparent)]
    Epoch(#[from] AppendRefusal),
    /// The thread could not be started.
    #[error("the writer's thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// What is called once a record is durable, or is not to be.
pub type Done = Box<dyn FnOnce(Result<Appended, AppendError>) + Send>;

/// Writes the own ledger. Dropping it closes it.
pub struct Writer {
    ledger: Arc<Ledger>,
}

impl Writer {
    /// Starts the thread. Begins the first epoch when the ledger is empty, and a new one when the last one has another key.
    /// The clock is first moved past the ledger's last record.
    pub fn start(
        ledger: Arc<Ledger>,
        key: SigningKey,
        chain: Vec<Vec<u8>>,
        clock: Arc<HybridClock>,
    ) -> Result<Writer, StartError> {
        Writer::start_with(ledger, key, chain, clock, WriterOptions::default())
    }

    /// As [`Writer::start`], with options.
    pub fn start_with(
        ledger: Arc<Ledger>,
        key: SigningKey,
        chain: Vec<Vec<u8>>,
        clock: Arc<HybridClock>,
        options: WriterOptions,
    ) -> Result<Writer, StartError> {
        let _ = (key, chain, clock, options);
        Ok(Writer { ledger })
    }

    /// The ledger it writes.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Queues a body. `done` is called exactly once, on the writer's thread, in the order of the ledger, after fdatasync (or
    /// with the error); it must be quick. Waits while the queue is full. After [`Writer::close`] `done` is called right here.
    pub fn append(&self, body: Vec<u8>, done: Done) {
        let _ = body;
        done(Err(AppendError::Closed));
    }

    /// Adds a body and waits until it is durable. Not to be called from within a `done`.
    pub fn append_wait(&self, body: Vec<u8>) -> Result<Appended, AppendError> {
        let _ = body;
        Err(AppendError::Closed)
    }

    /// A heartbeat that is true when it is made: nothing stamped up to its `closed` is still on the way to the disk.
    /// Waits for the batch that is being written.
    pub fn heartbeat_wait(&self) -> Result<SignedHeartbeat, AppendError> {
        Err(AppendError::Closed)
    }

    /// Writes what waits, marks the ledger durable and ends the thread. Later appends get [`AppendError::Closed`].
    pub fn close(&self) {}
}
