//! What is asked of a writer, and the answer that each asker gets exactly once. Signs and writes nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::clock::Hlc;
use crate::damage::Damage;
use crate::heartbeat::SignedHeartbeat;
use crate::ledger::AppendRefusal;
use crate::position::Head;
use crate::record::{EncodeError, MAX_BODY_BYTES};
use crate::scribe::ScribeError;

/// Most records and bytes of bodies that are made durable at once.
const MAX_BATCH_RECORDS: usize = 1024;
const MAX_BATCH_BYTES: usize = 4 << 20;

/// A record that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its place and hash.
    pub head: Head,
    /// Its moment.
    pub hlc: Hlc,
    /// Whether it is the last of the records that became durable together.
    pub last: bool,
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

impl From<AppendRefusal> for AppendError {
    fn from(refusal: AppendRefusal) -> Self {
        match refusal {
            AppendRefusal::DiskFull => AppendError::DiskFull,
            AppendRefusal::Damaged(damage) => AppendError::Damaged(damage),
            AppendRefusal::Stopped | AppendRefusal::Unproven(_) => AppendError::Stopped,
        }
    }
}

impl From<ScribeError> for AppendError {
    fn from(error: ScribeError) -> Self {
        match error {
            ScribeError::TooLong { bytes } => AppendError::TooLong { bytes },
            ScribeError::OtherKey => AppendError::OtherKey,
            ScribeError::UsedUp | ScribeError::Epochs(_) => AppendError::UsedUp,
            ScribeError::Record(EncodeError::TooLong) => AppendError::TooLong {
                bytes: MAX_BODY_BYTES,
            },
            ScribeError::Record(EncodeError::Signing(_)) => AppendError::Signing,
        }
    }
}
/// What is called once a record is durable, or is not to be.
pub type Done = Box<dyn FnOnce(Result<Appended, AppendError>) + Send>;

pub(crate) enum Command {
    Append(Vec<u8>, Reply<Appended>),
    Heartbeat(Reply<SignedHeartbeat>),
}

impl Command {
    pub(crate) fn refuse(self, error: &AppendError) {
        match self {
            Command::Append(_, reply) => reply.answer(Err(error.clone())),
            Command::Heartbeat(reply) => reply.answer(Err(error.clone())),
        }
    }
}

pub(crate) type Answer<T> = Box<dyn FnOnce(Result<T, AppendError>) + Send>;

/// Answers exactly once: with what it is told, or, dropped unanswered, that the writer is closed.
pub(crate) struct Reply<T>(Option<Answer<T>>);

impl<T> Reply<T> {
    pub(crate) fn new(done: Answer<T>) -> Reply<T> {
        Reply(Some(done))
    }

    pub(crate) fn answer(mut self, result: Result<T, AppendError>) {
        self.call(result);
    }

    /// A caller's panic must not end the thread that everyone's records depend on.
    fn call(&mut self, result: Result<T, AppendError>) {
        if let Some(done) = self.0.take()
            && catch_unwind(AssertUnwindSafe(|| done(result))).is_err()
        {
            tracing::error!("a callback of the ledger's writer panicked");
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        self.call(Err(AppendError::Closed));
    }
}
/// Appends that are made durable together.
#[derive(Default)]
pub(crate) struct Batch {
    /// Bodies and whom to answer, in the order of the ledger.
    pub(crate) waiting: Vec<(Vec<u8>, Reply<Appended>)>,
    bytes: usize,
}

impl Batch {
    pub(crate) fn push(&mut self, body: Vec<u8>, reply: Reply<Appended>) {
        self.bytes += body.len();
        self.waiting.push((body, reply));
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_BATCH_RECORDS || self.bytes >= MAX_BATCH_BYTES
    }
}
