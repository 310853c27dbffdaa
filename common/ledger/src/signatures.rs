//! Checks many signatures on all cores while the caller goes on reading. Bounded: the caller waits when the cores are behind.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::fault::{Fault, FaultKind};
use crate::origin::OriginId;
use crate::position::Position;
use crate::sign::{Domain, SIGNATURE_BYTES, VerifyingKey};

/// Batches that may wait.
const QUEUE: usize = 16;

/// One signature of a segment.
pub(crate) struct Check {
    pub(crate) key: VerifyingKey,
    pub(crate) signature: [u8; SIGNATURE_BYTES],
    /// The record's bytes in the segment.
    pub(crate) record: Range<usize>,
    /// Where its frame begins.
    pub(crate) offset: u64,
    pub(crate) position: Position,
}

/// Signatures of one segment.
pub(crate) struct Checks {
    pub(crate) segment: Arc<Vec<u8>>,
    pub(crate) file: PathBuf,
    pub(crate) origin: OriginId,
    pub(crate) checks: Vec<Check>,
}

/// Takes signatures to check.
pub(crate) struct Checker {
    queue: SyncSender<Checks>,
    found: Arc<AtomicBool>,
}

impl Checker {
    /// Hands over signatures; false when one before was bad, so that it is no use to go on.
    pub(crate) fn check(&self, checks: Checks) -> bool {
        // A worker ends only when the queue does.
        let _ = self.queue.send(checks);
        !self.found.load(Ordering::Acquire)
    }
}

/// Runs `read` with a checker, waits until everything handed over is checked, and gives what `read` gave and the bad
/// signatures.
pub(crate) fn with_checker<T>(read: impl FnOnce(&Checker) -> T) -> (T, Vec<Fault>) {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (queue, waiting) = sync_channel(QUEUE);
    let waiting = Mutex::new(waiting);
    let faults = Mutex::new(Vec::new());
    let found = Arc::new(AtomicBool::new(false));
    let result = thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| work(&waiting, &faults, &found));
        }
        let checker = Checker {
            queue,
            found: Arc::clone(&found),
        };
        read(&checker)
    });
    (
        result,
        faults.into_inner().unwrap_or_else(PoisonError::into_inner),
    )
}

fn work(waiting: &Mutex<Receiver<Checks>>, faults: &Mutex<Vec<Fault>>, found: &AtomicBool) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(checks) = next else { return };
        let bad = checks
            .checks
            .iter()
            .find(|check| !is_good(&checks.segment, check));
        if let Some(check) = bad {
            found.store(true, Ordering::Release);
            faults.lock().unwrap_or_else(PoisonError::into_inner).push(Fault {
                file: checks.file.clone(),
                offset: check.offset,
                origin: Some(checks.origin.clone()),
                position: Some(check.position),
                what: FaultKind::Signature,
            });
        }
    }
}

fn is_good(segment: &[u8], check: &Check) -> bool {
    let record = segment.get(check.record.clone());
    record.is_some_and(|record| check.key.verify(Domain::Record, record, &check.signature).is_ok())
}
