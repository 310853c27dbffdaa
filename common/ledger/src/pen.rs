//! The hand that writes a court's own ledger: begins epochs, signs what waits, makes it durable, answers. One thread's work, but
//! that whoever asks alone may write for itself.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::bell::Bell;
use crate::chain::{ChainEnd, Link, Proven, prove_run};
use crate::company::Company;
use crate::floor;
use crate::heartbeat::SignedHeartbeat;
use crate::ledger::{AppendRefusal, Ledger};
use crate::record::{EpochReason, SignedRecord};
use crate::request::{AppendError, Appended, Batch, Command, Reply};
use crate::scribe::{Scribe, ScribeError};
use crate::tail::Tail;

/// How long nothing has to be written before the durable mark is set.
const IDLE: Duration = Duration::from_millis(100);

/// The longest that a batch waits for more of those who are likely to come.
const PATIENCE: Duration = Duration::from_millis(1);

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
    bell: Arc<Bell>,
    /// Held from the signing of records until everybody who waits for them is answered, so that this goes in the order of the ledger.
    turn: Mutex<Turn>,
}

#[derive(Default)]
struct Turn {
    company: Company,
    /// The thread sleeps until it is sent something.
    sleeps: bool,
    /// Something was written beside the thread since it last looked.
    wrote: bool,
    /// Nothing is written any more.
    closed: bool,
}

/// A body that was written on the thread of who asked for it.
pub(crate) struct WroteHere {
    pub(crate) appended: Result<Appended, AppendError>,
    /// The writer's thread sleeps, and is to be told.
    pub(crate) wake: bool,
}

impl Pen {
    pub(crate) fn new(ledger: Arc<Ledger>, scribe: Scribe, bell: Arc<Bell>) -> Self {
        Self {
            ledger,
            scribe,
            bell,
            turn: Mutex::default(),
        }
    }

    /// Writes a body on this thread, if nobody else writes, or asked lately; gives it back otherwise.
    pub(crate) fn write_here(&self, asker: u64, body: Vec<u8>) -> Result<WroteHere, Vec<u8>> {
        let Ok(mut turn) = self.turn.try_lock() else {
            return Err(body);
        };
        let now = Instant::now();
        if turn.closed || !turn.company.is_only(asker, now) {
            return Err(body);
        }
        turn.company.came(asker, now);
        let (answer, answered) = sync_channel(1);
        let mut batch = Batch::default();
        batch.push(
            body,
            Reply::new(Box::new(move |result| drop(answer.send(result)))),
        );
        self.write_in_turn(batch);
        turn.wrote = true;
        Ok(WroteHere {
            appended: answered.try_recv().unwrap_or(Err(AppendError::Closed)),
            wake: std::mem::take(&mut turn.sleeps),
        })
    }

    /// Takes whatever waits, up to a full batch, and makes it durable.
    pub(crate) fn work(&self, commands: &Receiver<Command>) {
        let mut idle = false;
        loop {
            let first = if idle {
                commands.recv().ok()
            } else {
                match commands.recv_timeout(IDLE) {
                    Ok(command) => Some(command),
                    Err(RecvTimeoutError::Timeout) => {
                        idle = self.may_sleep();
                        if idle {
                            self.mark();
                        }
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
        self.turn().closed = true;
        self.mark();
    }

    /// Whether nothing was written beside this thread since it last looked: from now on whoever writes wakes it.
    fn may_sleep(&self) -> bool {
        let mut turn = self.turn();
        turn.sleeps = !std::mem::take(&mut turn.wrote);
        turn.sleeps
    }

    /// Serves one command and all appends that wait behind it, or are about to. False when the writer is to end.
    fn serve(&self, first: Command, commands: &Receiver<Command>) -> bool {
        let mut batch = Batch::default();
        let mut next = Some(first);
        let mut waited = false;
        while let Some(command) = next {
            match command {
                Command::Append(body, asker, reply) => {
                    if let Some(asker) = asker {
                        self.turn().company.came(asker, Instant::now());
                    }
                    batch.push(body, reply);
                }
                Command::Heartbeat(reply) => {
                    self.write(std::mem::take(&mut batch));
                    reply.answer(self.heartbeat());
                }
                Command::Wrote => {}
                Command::Close => {
                    self.write(batch);
                    return false;
                }
            }
            if batch.is_full() {
                break;
            }
            next = commands.try_recv().ok();
            if next.is_none() && !waited {
                waited = true;
                self.gather(&batch);
                next = commands.try_recv().ok();
            }
        }
        self.write(batch);
        true
    }

    /// Waits until a batch is worth its fdatasync, if somebody is likely to add to it.
    fn gather(&self, batch: &Batch) {
        let worth_it = self.turn().company.worth_a_batch(Instant::now());
        let wanted = worth_it.saturating_sub(batch.waiting.len());
        if wanted > 0 && !batch.waiting.is_empty() {
            self.bell.sleep(wanted, PATIENCE);
        }
    }

    fn write(&self, batch: Batch) {
        let _turn = self.turn();
        self.write_in_turn(batch);
    }

    /// Signs a batch, makes it durable, and answers each of its appends.
    fn write_in_turn(&self, batch: Batch) {
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
                        },
                    ));
                }
                Err(error) => refused.push((reply, error.into())),
            }
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
        let _turn = self.turn();
        let end = self.own_end(&self.ledger.tail())?;
        Ok(self.scribe.heartbeat(&end)?)
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
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
