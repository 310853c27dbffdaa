//! The threads that keep the view in step with the ledgers: one applies what is handed over, many records at a time, and one writes
//! the index behind it. What is handed over waits in a bounded queue: whoever replicates faster than it can follow is slowed down.
//! Whoever files one order at a time need not wait for a thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ccpor_ledger::{Head, OriginId};

use crate::apply::{Batch, apply};
use crate::index::IndexFailed;
use crate::view::{CurrentView, View};

/// What is waiting is taken together up to this many facts.
const TOGETHER_FACTS: usize = 2_000;
/// Pause between two attempts to make the index anew when it lags behind.
const MEND_EVERY: Duration = Duration::from_secs(1);
/// Pause between two attempts to bring an index that is kept in memory back to the disk.
const BACK_EVERY: Duration = Duration::from_secs(5);
/// Pause before an index that cannot be read is made anew once more.
const RENOUNCE_EVERY: Duration = Duration::from_secs(10);
/// So many blocks of the index are written without waiting for more; fewer gather for a moment.
const WORTH_WRITING: usize = 128;
const GATHER: Duration = Duration::from_millis(100);
/// Blocks of the index that may wait to be written: some ten megabytes.
const WAITING_MOST: usize = 2_048;
/// Batches that may wait; each is at most one run of replication.
const QUEUE: usize = 256;

/// The entrance to the applying thread.
pub(crate) struct Applier {
    queue: SyncSender<Batch>,
    work: Arc<Applying>,
}

/// What is told after a batch was applied: the ledgers with the last record that lookups now include.
pub(crate) type OnApplied = Box<dyn Fn(&OriginId, Head) + Send + Sync>;

/// Makes the view anew from the ledgers. Told whether it must, because nothing else follows them; otherwise it is only to
/// bring the index back to the disk. None when that cannot be done now.
pub(crate) type Anew = Box<dyn Fn(bool) -> Option<View> + Send + Sync>;

impl Applier {
    /// Starts the threads. They end when the last [`Applier`] is dropped; gives the one that ends last.
    pub(crate) fn start(
        current: Arc<CurrentView>,
        on_applied: OnApplied,
        anew: Anew,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (queue, batches) = std::sync::mpsc::sync_channel(QUEUE);
        let (call, called) = std::sync::mpsc::sync_channel(1);
        let work = Arc::new(Applying {
            current,
            on_applied,
            anew,
            broken: AtomicBool::new(false),
            turn: Mutex::new(()),
            writing: Mutex::new(()),
            call,
            over: AtomicBool::new(false),
            queued: AtomicUsize::new(0),
            renounced: Mutex::new(None),
        });
        let own = Arc::clone(&work);
        let index = std::thread::Builder::new()
            .name("index".into())
            .spawn(move || own.keep_written(&called))?;
        let ends_index = EndsIndex(Arc::clone(&work));
        let own = Arc::clone(&work);
        let thread = std::thread::Builder::new().name("apply".into()).spawn(move || {
            let ends_index = ends_index;
            own.run(&batches);
            drop(ends_index);
            if index.join().is_err() {
                tracing::error!("the thread that writes the index stopped by a fault");
            }
            own.write_all();
            own.current.get().index.flush();
        })?;
        Ok((Self { queue, work }, thread))
    }

    /// Whether everything handed over so far could be applied.
    pub(crate) fn follows(&self) -> bool {
        !self.work.broken.load(Ordering::Relaxed)
    }

    /// Applies a batch at once, on the calling thread, when nobody else is at it; gives it back otherwise. Only for a ledger of
    /// which nothing waits in the queue: its records would be overtaken.
    pub(crate) fn at_once(&self, batch: Batch) -> Option<Batch> {
        match self.work.turn.try_lock() {
            Ok(_turn) if self.follows() && !self.work.is_laden() => {
                self.work.carry_out(vec![batch]);
                None
            }
            _ => Some(batch),
        }
    }

    /// Makes the view anew in the place of one whose index could not be read. Not again and again: a disk that fails does so
    /// at every attempt.
    pub(crate) fn renounce(&self, view: &Arc<View>) {
        let _turn = self.work.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = self.work.renounced.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = last.is_some_and(|last| last.elapsed() < RENOUNCE_EVERY);
        if !lately && Arc::ptr_eq(view, &self.work.current.get()) {
            self.work.broken.store(true, Ordering::Relaxed);
            self.work.mend();
            *last = Some(Instant::now());
        }
    }

    /// Makes the view anew, because the ledgers no longer hold all that it speaks of. Until that is done lookups say that they
    /// lag behind.
    pub(crate) fn make_anew(&self) {
        let _turn = self.work.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.work.broken.store(true, Ordering::Relaxed);
        self.work.mend();
    }

    /// Hands over a batch; waits while the queue is full. False when the thread is gone.
    pub(crate) fn push(&self, batch: Batch) -> bool {
        self.work.queued.fetch_add(1, Ordering::AcqRel);
        self.queue.send(batch).is_ok()
    }

    /// Applies a batch at once when nothing of any ledger waits and nobody is at it, otherwise hands it over. Whoever calls this has
    /// the turn of the batch's ledger, so that nothing of it is handed over meanwhile. False when the thread is gone.
    pub(crate) fn soon(&self, batch: Batch) -> bool {
        let waits = self.work.queued.load(Ordering::Acquire) > 0;
        let left = if waits { Some(batch) } else { self.at_once(batch) };
        left.is_none_or(|batch| self.push(batch))
    }
}

/// What the thread works with.
struct Applying {
    current: Arc<CurrentView>,
    on_applied: OnApplied,
    anew: Anew,
    /// The index could not be written: what is handed over is left to the ledgers until the index is made anew.
    broken: AtomicBool,
    /// Held by whoever changes the view.
    turn: Mutex<()>,
    /// Held by whoever writes the index.
    writing: Mutex<()>,
    /// Calls the thread that writes it.
    call: SyncSender<()>,
    /// That thread is to end.
    over: AtomicBool,
    /// Batches handed over and not applied yet.
    queued: AtomicUsize,
    /// When a view was last made anew because its index could not be read.
    renounced: Mutex<Option<Instant>>,
}

impl Applying {
    fn run(&self, batches: &Receiver<Batch>) {
        let mut mended = Instant::now();
        loop {
            if mended.elapsed() >= self.pause() {
                let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
                self.mend();
                mended = Instant::now();
                continue;
            }
            // Never for long: a batch that was applied on another thread may have found the index unwritable, and then nobody
            // hands over another one before it is made anew.
            match batches.recv_timeout(MEND_EVERY) {
                Ok(first) => self.take(first, batches),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.is_laden() {
                // Whoever files or replicates faster than it is written is slowed down.
                self.write();
            } else if self.current.get().index.waiting() >= WORTH_WRITING {
                self.call_index();
            }
        }
    }

    /// Writes the index a moment after it is called, or at once when it is called again. Filing and replication go on meanwhile.
    fn keep_written(&self, called: &Receiver<()>) {
        while !self.over.load(Ordering::Acquire) && called.recv().is_ok() {
            if !self.over.load(Ordering::Acquire) {
                let _ = called.recv_timeout(GATHER);
                self.write();
            }
        }
    }

    /// Whether more of the index waits to be written than should.
    fn is_laden(&self) -> bool {
        self.current.get().index.waiting() >= WAITING_MOST
    }

    fn call_index(&self) {
        // It was called already if this fails.
        let _ = self.call.try_send(());
    }

    /// Writes what the index has in memory alone. Whoever has the turn goes on meanwhile.
    fn write(&self) {
        if self.current.get().index.waiting() > 0 {
            self.write_all();
        }
    }

    /// As [`Applying::write`], and the positions reached also when no entry changed.
    fn write_all(&self) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.broken.load(Ordering::Relaxed) {
            return;
        }
        let view = self.current.get();
        let leaving = view.leave();
        drop(turn);
        // sled 0.34 is known to panic on some damaged files where an error would be right.
        let written = catch_unwind(AssertUnwindSafe(|| view.index.write(leaving)));
        if let Err(error) = written.unwrap_or(Err(IndexFailed::Behind)) {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            // Another view may have taken its place meanwhile.
            if Arc::ptr_eq(&view, &self.current.get()) {
                self.fail(&error);
                self.mend();
            }
        }
    }

    /// The index is of no use any more. The ledgers have the records; going on with it would leave a hole in it.
    fn fail(&self, error: &IndexFailed) {
        if !self.broken.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "the index can no longer be used and is made anew");
        }
    }

    /// Applies a batch and what waits behind it, and tells.
    fn take(&self, first: Batch, batches: &Receiver<Batch>) {
        let mut facts = first.facts.len();
        let mut taken = vec![first];
        while facts < TOGETHER_FACTS {
            let Ok(next) = batches.try_recv() else { break };
            facts += next.facts.len();
            taken.push(next);
        }
        let count = taken.len();
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.carry_out(taken);
        self.queued.fetch_sub(count, Ordering::AcqRel);
    }

    /// Applies batches and tells; the caller has the turn.
    fn carry_out(&self, taken: Vec<Batch>) {
        let mut outcome = if self.broken.load(Ordering::Relaxed) {
            Err(IndexFailed::Behind)
        } else {
            let view = self.current.get();
            let none_waited = view.index.waiting() == 0;
            apply(&taken, &view).inspect(|_| {
                if none_waited {
                    self.call_index();
                }
            })
        };
        if let Err(error) = &outcome {
            self.fail(error);
            if self.mend() {
                outcome = Ok(Vec::new());
            }
        }
        for (origin, head) in outcome.as_ref().map(Vec::as_slice).unwrap_or_default() {
            (self.on_applied)(origin, *head);
        }
        for applied in taken.into_iter().filter_map(|batch| batch.applied) {
            applied(outcome.as_ref().map(|_| ()).map_err(|_| IndexFailed::Behind));
        }
    }

    /// How long after an attempt to mend the next one is due.
    fn pause(&self) -> Duration {
        match self.broken.load(Ordering::Relaxed) {
            true => MEND_EVERY,
            false if !self.current.get().index.is_lasting() => BACK_EVERY,
            false => Duration::MAX,
        }
    }

    /// Puts a view made from the ledgers in the place of one that lags behind or whose index is not on the disk; the caller
    /// has the turn. Records that are still queued are in it already; applying them again changes nothing.
    fn mend(&self) -> bool {
        let broken = self.broken.load(Ordering::Relaxed);
        let Some(view) = (self.anew)(broken) else {
            return false;
        };
        let heads: Vec<(OriginId, Head)> = view
            .meta()
            .applied_heads()
            .map(|(origin, head)| (origin.clone(), head))
            .collect();
        let lasting = view.index.is_lasting();
        self.current.replace(view);
        for (origin, head) in &heads {
            (self.on_applied)(origin, *head);
        }
        self.broken.store(false, Ordering::Relaxed);
        tracing::info!(lasting, "the index was made anew");
        true
    }
}

/// Ends the thread that writes the index, however the applying thread ends.
struct EndsIndex(Arc<Applying>);

impl Drop for EndsIndex {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Release);
        self.0.call_index();
    }
}
