//! The handle to the pen that writes a court's own ledger and to its thread: queues what is to be written, and closes it.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::clock::HybridClock;
use crate::heartbeat::SignedHeartbeat;
use crate::ledger::Ledger;
use crate::pen::{Pen, StartError};
use crate::queue::{By, Queue};
use crate::record::EpochReason;
use crate::request::{AppendError, Appended, Command, Done, Reply};
use crate::scribe::Scribe;
use crate::sign::SigningKey;

/// How a writer works. The defaults suit a court's node.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// The key that signed before. It hands the ledger over to the writer's key, when it is the one that signed last; without it a new
    /// key begins its epoch on the word of its certificates alone.
    pub handing_over: Option<Arc<SigningKey>>,
    /// Begin a new epoch at once, for this reason, even though the ledger and the key would let the last one go on.
    pub new_epoch: Option<EpochReason>,
    /// Most appends that wait; more make [`Writer::append`] wait.
    pub queue: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        WriterOptions {
            handing_over: None,
            new_epoch: None,
            queue: 4096,
        }
    }
}
/// Writes the own ledger. Dropping it closes it.
pub struct Writer {
    ledger: Arc<Ledger>,
    pen: Arc<Pen>,
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread. Begins the first epoch when the ledger is empty, and a new one when the last one has another key or
    /// when records of this epoch were set aside. The clock is first moved past the ledger's last record.
    pub fn start(
        ledger: Arc<Ledger>,
        key: impl Into<Arc<SigningKey>>,
        chain: Vec<Vec<u8>>,
        clock: Arc<HybridClock>,
    ) -> Result<Writer, StartError> {
        Writer::start_with(ledger, key, chain, clock, WriterOptions::default())
    }

    /// As [`Writer::start`], with options.
    pub fn start_with(
        ledger: Arc<Ledger>,
        key: impl Into<Arc<SigningKey>>,
        chain: Vec<Vec<u8>>,
        clock: Arc<HybridClock>,
        options: WriterOptions,
    ) -> Result<Writer, StartError> {
        if let Some(end) = ledger.end() {
            clock.observe(end.hlc);
        }
        let queue = Arc::new(Queue::new(options.queue.max(1)));
        let scribe = Scribe::new(ledger.origin().clone(), key.into(), clock).after(options.handing_over);
        let pen = Arc::new(Pen::new(Arc::clone(&ledger), scribe, Arc::clone(&queue)));
        pen.begin_epoch(chain, options.new_epoch)?;
        let thread = thread::Builder::new().name("ledger-writer".to_owned()).spawn({
            let (pen, queue) = (Arc::clone(&pen), EndsQueue(Arc::clone(&queue)));
            move || {
                let _ends_with_the_thread = queue;
                pen.work();
            }
        })?;
        Ok(Writer {
            ledger,
            pen,
            queue,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The ledger it writes.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Queues a body for the writer's thread. `done` is called exactly once, on the thread that writes, in the order of the ledger, after
    /// fdatasync (or with the error); it must be quick. Waits while the queue is full. After [`Writer::close`] `done` is called right here.
    pub fn append(&self, body: Vec<u8>, done: Done) {
        self.queue
            .push(Command::Append(body, Reply::new(done)), By::Another);
    }

    /// As [`Writer::append`], for somebody who waits for this record alone: it is written here and now, with what waits besides, unless
    /// somebody else is writing. `done` may be called before this returns.
    pub fn append_here(&self, body: Vec<u8>, done: Done) {
        let command = Command::Append(body, Reply::new(done));
        if self.queue.push(command, By::Itself) {
            self.pen.write_here();
        }
    }

    /// As [`Writer::append`], for an asker who waits for this record before asking for another one. Where several such askers come
    /// one after the other, a batch waits for some of them, for a millisecond at most; who is alone never waits. Whoever completes a batch
    /// writes it, here and now: waking another thread for it would take about as long as the fdatasync.
    pub fn append_for(&self, asker: u64, body: Vec<u8>, done: Done) {
        let command = Command::Append(body, Reply::new(done));
        if self.queue.push(command, By::Asker(asker)) {
            self.pen.write_here();
        }
    }

    /// Adds a body and waits until it is durable. Not to be called from within a `done`.
    pub fn append_wait(&self, body: Vec<u8>) -> Result<Appended, AppendError> {
        let (answer, answered) = sync_channel(1);
        // The receiver waits below; a failure to send could only mean that it is gone.
        self.append(body, Box::new(move |result| drop(answer.send(result))));
        answered.recv().unwrap_or(Err(AppendError::Closed))
    }

    /// A heartbeat that is true when it is made: nothing stamped up to its `closed` is still on the way to the disk.
    /// Waits for what was queued before. Not to be called from within a `done`.
    pub fn heartbeat_wait(&self) -> Result<SignedHeartbeat, AppendError> {
        let (answer, answered) = sync_channel(1);
        let reply = Reply::new(Box::new(move |result| drop(answer.send(result))));
        self.queue.push(Command::Heartbeat(reply), By::Another);
        answered.recv().unwrap_or(Err(AppendError::Closed))
    }

    /// Writes what waits, marks the ledger durable and ends the thread. Later appends get [`AppendError::Closed`]. From within a `done`
    /// it does not wait for that.
    pub fn close(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread.filter(|_| !self.queue.is_written_here()) else {
            return;
        };
        if thread.join().is_err() {
            tracing::error!(origin = %self.ledger.origin, "the ledger's writer thread panicked");
        }
    }
}

/// Refuses what still waits when the thread ends, however it does.
struct EndsQueue(Arc<Queue>);

impl Drop for EndsQueue {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}
