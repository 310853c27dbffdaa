//! The hand that writes a court's own ledger: begins epochs, signs what waits, makes it durable, answers. One thread at a time has it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use crate::chain::{ChainEnd, Link, Proven, prove_run};
use crate::floor;
use crate::heartbeat::SignedHeartbeat;
use crate::ledger::{AppendRefusal, Ledger};
use crate::queue::{Queue, Task};
use crate::record::{EpochReason, SignedRecord};
use crate::request::{AppendError, Appended, Batch, Reply};
use crate::scribe::{Scribe, ScribeError};
use crate::tail::Tail;

/// Why a writer does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The start of its epoch is refused: the key is not admitted, or the disk or the ledger do not allow it.
    #[error(transparent)]
    Epoch(#[from] AppendRefusal),
    /// The start of its epoch could not be made.
    #[error(transparent)]
    Record(#[from] ScribeError),
    /// Something beside the ledger could not be read, or the thread could not be started.
    #[error("the writer could not be started: {0}")]
    System(#[from] std::io::Error),
}

/// What is written with.
pub(crate) struct Pen {
    ledger: Arc<Ledger>,
    scribe: Scribe,
    queue: Arc<Queue>,
    /// Held from the signing of records until everybody who waits for them is answered, so that this goes in the order of the ledger.
    turn: Mutex<()>,
}

impl Pen {
    pub(crate) fn new(ledger: Arc<Ledger>, scribe: Scribe, queue: Arc<Queue>) -> Self {
        Self {
            ledger,
            scribe,
            queue,
            turn: Mutex::default(),
        }
    }

    /// The work of the writer's thread, until the queue is closed and empty.
    pub(crate) fn work(&self) {
        loop {
            match self.queue.next_task() {
                Task::Write => self.write(self.turn()),
                Task::Mark => self.mark(),
                Task::End => break,
            }
        }
        // Whoever writes on a thread of its own has answered by then.
        drop(self.turn());
        self.mark();
    }

    /// Writes what waits on this thread, unless another one is writing: then the writer's thread is called.
    pub(crate) fn write_here(&self) {
        match self.turn.try_lock() {
            Ok(turn) => self.write(turn),
            Err(TryLockError::Poisoned(turn)) => self.write(turn.into_inner()),
            Err(TryLockError::WouldBlock) => self.queue.call(),
        }
    }

    fn write(&self, turn: MutexGuard<'_, ()>) {
        let (batch, heartbeats) = self.queue.take();
        self.commit(batch);
        for reply in heartbeats {
            reply.answer(self.heartbeat());
        }
        // While it is this thread's turn: the next one to have it says so itself.
        self.queue.wrote();
        drop(turn);
    }

    /// Signs a batch, makes it durable, and answers each of its appends.
    fn commit(&self, batch: Batch) {
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
            match self.scribe.event(body, &mut end) {
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
                            last: false,
                        },
                    ));
                }
                Err(error) => refused.push((reply, error.into())),
            }
        }
        if let Some((_, last)) = replies.last_mut() {
            last.last = true;
        }
        let run = (!records.is_empty()).then_some(Run {
            records,
            proven: Proven { links, end },
        });
        (Signed { run, replies }, refused)
    }

    /// The end of the chain, if this key may write behind it.
    fn own_end(&self, tail: &Tail) -> Result<ChainEnd, AppendError> {
        Ok(self.scribe.takes_up(self.ledger.writable_end(tail)?)?)
    }

    /// Announces a new epoch if one is asked for or needed.
    pub(crate) fn begin_epoch(
        &self,
        chain: Vec<Vec<u8>>,
        asked: Option<EpochReason>,
    ) -> Result<(), StartError> {
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
        let run = self.scribe.epoch(end.as_ref(), floor, &chain, asked)?;
        if run.is_empty() {
            return Ok(());
        }
        // The own start passes the same door as a peer's: what peers would refuse must not begin here.
        let proven = prove_run(
            &self.ledger.origin,
            end.as_ref(),
            &run,
            self.ledger.trust.as_ref(),
        );
        let head = self
            .ledger
            .commit(&mut tail, &run, &proven.map_err(AppendRefusal::from)?)?;
        tracing::info!(origin = %self.ledger.origin, epoch = head.position.epoch, "a new epoch began");
        Ok(())
    }

    /// Records are stamped in turn, so between two turns nothing stamped is on its way.
    fn heartbeat(&self) -> Result<SignedHeartbeat, AppendError> {
        let end = self.own_end(&self.ledger.tail())?;
        Ok(self.scribe.heartbeat(&end)?)
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
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
