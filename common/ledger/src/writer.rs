//! The one thread that writes a court's own ledger: takes what waits, signs it, makes it durable at once, then says so.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

use crate::chain::{ChainEnd, ChainFault, Link, Proven, prove_run};
use crate::clock::{Hlc, HybridClock};
use crate::damage::Damage;
use crate::floor;
use crate::heartbeat::{Heartbeat, SignedHeartbeat};
use crate::ledger::{AppendRefusal, Ledger};
use crate::position::{Hash, Head, Position};
use crate::record::{
    Body, EncodeError, EpochReason, EpochStart, MAX_BODY_BYTES, RECORD_VERSION, Record, SignedRecord,
};
use crate::sign::SigningKey;
use crate::tail::Tail;

/// Most records and bytes of bodies that are made durable at once.
const MAX_BATCH_RECORDS: usize = 1024;
const MAX_BATCH_BYTES: usize = 4 << 20;
/// How long nothing has to be written before the durable mark is set.
const IDLE: Duration = Duration::from_millis(100);

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
        WriterOptions {
            new_epoch: None,
            queue: 4096,
        }
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

impl From<AppendRefusal> for AppendError {
    fn from(refusal: AppendRefusal) -> Self {
        match refusal {
            AppendRefusal::DiskFull => AppendError::DiskFull,
            AppendRefusal::Damaged(damage) => AppendError::Damaged(damage),
            AppendRefusal::Stopped | AppendRefusal::Unproven(_) => AppendError::Stopped,
        }
    }
}

impl From<EncodeError> for AppendError {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::TooLong => AppendError::TooLong {
                bytes: MAX_BODY_BYTES,
            },
            EncodeError::Signing(_) => AppendError::Signing,
        }
    }
}

/// Why a writer does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The start of its epoch is refused: the key is not admitted, or the disk or the ledger do not allow it.
    #[error(transparent)]
    Epoch(#[from] AppendRefusal),
    /// The start of its epoch could not be made.
    #[error(transparent)]
    Record(#[from] EncodeError),
    /// Something beside the ledger could not be read, or the thread could not be started.
    #[error("the writer could not be started: {0}")]
    System(#[from] std::io::Error),
}

/// What is called once a record is durable, or is not to be.
pub type Done = Box<dyn FnOnce(Result<Appended, AppendError>) + Send>;

/// Writes the own ledger. Dropping it closes it.
pub struct Writer {
    ledger: Arc<Ledger>,
    queue: SyncSender<Command>,
    id: ThreadId,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread. Begins the first epoch when the ledger is empty, and a new one when the last one has another key or
    /// when records of this epoch were set aside. The clock is first moved past the ledger's last record.
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
        if let Some(end) = ledger.end() {
            clock.observe(end.hlc);
        }
        let pen = Pen {
            ledger: Arc::clone(&ledger),
            key,
            clock,
        };
        pen.begin_epoch(chain, options.new_epoch)?;
        let (queue, commands) = sync_channel(options.queue.max(1));
        let thread = thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || pen.work(&commands))?;
        let id = thread.thread().id();
        Ok(Writer {
            ledger,
            queue,
            id,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The ledger it writes.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Queues a body. `done` is called exactly once, on the writer's thread, in the order of the ledger, after fdatasync (or
    /// with the error); it must be quick. Waits while the queue is full. After [`Writer::close`] `done` is called right here.
    pub fn append(&self, body: Vec<u8>, done: Done) {
        self.send(Command::Append(body, Reply::new(done)));
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
        self.send(Command::Heartbeat(Reply::new(Box::new(move |result| {
            drop(answer.send(result))
        }))));
        answered.recv().unwrap_or(Err(AppendError::Closed))
    }

    /// Writes what waits, marks the ledger durable and ends the thread. Later appends get [`AppendError::Closed`].
    pub fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread.filter(|_| thread::current().id() != self.id) else {
            return;
        };
        self.send(Command::Close);
        if thread.join().is_err() {
            tracing::error!(origin = %self.ledger.origin, "the ledger's writer thread panicked");
        }
    }

    /// Puts a command into the queue, waiting for room unless this is the thread that makes room. What cannot be sent is
    /// dropped, and dropping its reply answers it.
    fn send(&self, command: Command) {
        match self.queue.try_send(command) {
            Ok(()) => {}
            Err(TrySendError::Full(command)) if thread::current().id() == self.id => {
                command.refuse(&AppendError::Busy)
            }
            Err(TrySendError::Full(command)) => drop(self.queue.send(command)),
            Err(TrySendError::Disconnected(command)) => drop(command),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

enum Command {
    Append(Vec<u8>, Reply<Appended>),
    Heartbeat(Reply<SignedHeartbeat>),
    Close,
}

impl Command {
    fn refuse(self, error: &AppendError) {
        match self {
            Command::Append(_, reply) => reply.answer(Err(error.clone())),
            Command::Heartbeat(reply) => reply.answer(Err(error.clone())),
            Command::Close => {}
        }
    }
}

type Answer<T> = Box<dyn FnOnce(Result<T, AppendError>) + Send>;

/// Answers exactly once: with what it is told, or, dropped unanswered, that the writer is closed.
struct Reply<T>(Option<Answer<T>>);

impl<T> Reply<T> {
    fn new(done: Answer<T>) -> Reply<T> {
        Reply(Some(done))
    }

    fn answer(mut self, result: Result<T, AppendError>) {
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

/// What the thread works with.
struct Pen {
    ledger: Arc<Ledger>,
    key: SigningKey,
    clock: Arc<HybridClock>,
}

/// Appends that are made durable together.
#[derive(Default)]
struct Batch {
    waiting: Vec<(Vec<u8>, Reply<Appended>)>,
    bytes: usize,
}

impl Batch {
    fn push(&mut self, body: Vec<u8>, reply: Reply<Appended>) {
        self.bytes += body.len();
        self.waiting.push((body, reply));
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_BATCH_RECORDS || self.bytes >= MAX_BATCH_BYTES
    }
}

impl Pen {
    /// Takes whatever waits, up to a full batch, and makes it durable; never waits for more to come.
    fn work(&self, commands: &Receiver<Command>) {
        let mut idle = false;
        loop {
            let first = if idle {
                commands.recv().ok()
            } else {
                match commands.recv_timeout(IDLE) {
                    Ok(command) => Some(command),
                    Err(RecvTimeoutError::Timeout) => {
                        self.mark();
                        idle = true;
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => None,
                }
            };
            let Some(first) = first else { break };
            idle = false;
            if !self.serve(first, commands) {
                break;
            }
        }
        self.mark();
    }

    /// Serves one command and all appends that wait behind it. False when the writer is to end.
    fn serve(&self, first: Command, commands: &Receiver<Command>) -> bool {
        let mut batch = Batch::default();
        let mut next = Some(first);
        while let Some(command) = next {
            match command {
                Command::Append(body, reply) => batch.push(body, reply),
                Command::Heartbeat(reply) => {
                    self.write(std::mem::take(&mut batch));
                    reply.answer(self.heartbeat());
                }
                Command::Close => {
                    self.write(batch);
                    return false;
                }
            }
            if batch.is_full() {
                break;
            }
            next = commands.try_recv().ok();
        }
        self.write(batch);
        true
    }

    /// Signs a batch, makes it durable, and answers each of its appends.
    fn write(&self, batch: Batch) {
        if batch.waiting.is_empty() {
            return;
        }
        let mut tail = self.ledger.tail();
        let end = match self.own_end(&tail) {
            Ok(end) => end,
            Err(error) => {
                drop(tail);
                batch
                    .waiting
                    .into_iter()
                    .for_each(|(_, reply)| reply.answer(Err(error.clone())));
                return;
            }
        };
        let (signed, refused) = self.sign(batch, end);
        let committed = match &signed.run {
            Some(run) => self
                .ledger
                .commit(&mut tail, &run.records, &run.proven)
                .map_err(AppendError::from),
            None => Ok(end.head),
        };
        drop(tail);
        for (reply, appended) in signed.replies {
            reply.answer(committed.clone().map(|_| appended));
        }
        for (reply, error) in refused {
            reply.answer(Err(error));
        }
    }

    fn sign(&self, batch: Batch, mut end: ChainEnd) -> (Signed, Vec<(Reply<Appended>, AppendError)>) {
        let mut records = Vec::with_capacity(batch.waiting.len());
        let mut links = Vec::with_capacity(batch.waiting.len());
        let mut replies = Vec::with_capacity(batch.waiting.len());
        let mut refused = Vec::new();
        for (body, reply) in batch.waiting {
            match self.sign_one(body, &mut end) {
                Ok(record) => {
                    links.push(Link {
                        position: end.head.position,
                        hash: end.head.hash,
                    });
                    records.push(record);
                    replies.push((
                        reply,
                        Appended {
                            head: end.head,
                            hlc: end.hlc,
                        },
                    ));
                }
                Err(error) => refused.push((reply, error)),
            }
        }
        let run = (!records.is_empty()).then_some(Run {
            records,
            proven: Proven { links, end },
        });
        (Signed { run, replies }, refused)
    }

    /// Makes the record that follows `end`, and moves `end` to it.
    fn sign_one(&self, body: Vec<u8>, end: &mut ChainEnd) -> Result<SignedRecord, AppendError> {
        if body.len() > MAX_BODY_BYTES {
            return Err(AppendError::TooLong { bytes: body.len() });
        }
        let position = end.head.position.next().ok_or(AppendError::UsedUp)?;
        let hlc = self.clock.now();
        if hlc <= end.hlc {
            return Err(AppendError::UsedUp);
        }
        let record = self.record(position, end.head.hash, hlc, Body::Event(body));
        let signed = record.sign(&self.key)?;
        *end = ChainEnd {
            head: Head {
                position,
                hash: signed.hash(),
            },
            hlc,
            key: end.key,
        };
        Ok(signed)
    }

    fn record(&self, position: Position, prev: Hash, hlc: Hlc, body: Body) -> Record {
        Record {
            version: RECORD_VERSION,
            origin: self.ledger.origin.clone(),
            epoch: position.epoch,
            seq: position.seq,
            prev,
            hlc,
            key_id: self.key.public().id(),
            body,
        }
    }

    /// The end of the chain, if this key may write behind it.
    fn own_end(&self, tail: &Tail) -> Result<ChainEnd, AppendError> {
        let end = self.ledger.writable_end(tail)?.ok_or(AppendError::OtherKey)?;
        if end.key != self.key.public() {
            return Err(AppendError::OtherKey);
        }
        self.clock.observe(end.hlc);
        Ok(end)
    }

    /// Announces a new epoch if one is asked for or needed.
    fn begin_epoch(&self, chain: Vec<Vec<u8>>, asked: Option<EpochReason>) -> Result<(), StartError> {
        let mut tail = self.ledger.tail();
        let end = match self.ledger.writable_end(&tail) {
            Ok(end) => end,
            // A ledger that takes no records still has readers; each append is told why.
            Err(refusal) if asked.is_none() && self.ledger.head().is_some() => {
                tracing::error!(origin = %self.ledger.origin, %refusal, "the ledger takes no records");
                return Ok(());
            }
            Err(refusal) => return Err(refusal.into()),
        };
        let floor = floor::read(&self.ledger.dir)?;
        let reason = asked.or(match end {
            None if floor == 0 => Some(EpochReason::Created),
            None => Some(EpochReason::Repaired),
            Some(end) if end.head.position.epoch <= floor => Some(EpochReason::Repaired),
            Some(end) if end.key != self.key.public() => Some(EpochReason::KeyRotated),
            Some(_) => None,
        });
        let Some(reason) = reason else { return Ok(()) };
        let after = Position {
            epoch: end.map_or(0, |end| end.head.position.epoch).max(floor),
            seq: 1,
        };
        let used_up = || AppendRefusal::Unproven(ChainFault::UsedUp { after }.into());
        let position = after.next_epoch().ok_or_else(used_up)?;
        let previous = end.map(|end| end.head);
        let start = EpochStart {
            reason,
            previous,
            signing_key: *self.key.public().as_bytes(),
            chain,
        };
        let prev = previous.map_or(Hash::ZERO, |head| head.hash);
        let record = self
            .record(position, prev, self.clock.now(), Body::EpochStart(start))
            .sign(&self.key)?;
        let run = [record];
        // The own start passes the same door as a peer's: what peers would refuse must not begin here.
        let proven = prove_run(
            &self.ledger.origin,
            end.as_ref(),
            &run,
            self.ledger.trust.as_ref(),
        );
        self.ledger
            .commit(&mut tail, &run, &proven.map_err(AppendRefusal::from)?)?;
        tracing::info!(origin = %self.ledger.origin, epoch = position.epoch, ?reason, "a new epoch began");
        Ok(())
    }

    /// This thread alone stamps records, so between two batches nothing stamped is on its way.
    fn heartbeat(&self) -> Result<SignedHeartbeat, AppendError> {
        let end = self.own_end(&self.ledger.tail())?;
        let heartbeat = Heartbeat {
            origin: self.ledger.origin.clone(),
            head: Some(end.head),
            closed: self.clock.now(),
        };
        heartbeat.sign(&self.key).map_err(|_| AppendError::Signing)
    }

    fn mark(&self) {
        // Refused only when appending is stopped, which has been said already.
        let _ = self.ledger.mark_durable();
    }
}

struct Run {
    records: Vec<SignedRecord>,
    proven: Proven,
}

struct Signed {
    run: Option<Run>,
    replies: Vec<(Reply<Appended>, Appended)>,
}
