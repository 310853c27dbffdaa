//! The hand that writes a court's own ledger: begins epochs, signs what waits, makes it durable, answers. One thread's work.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::chain::{ChainEnd, ChainFault, Link, Proven, prove_run};
use crate::clock::{Hlc, HybridClock};
use crate::floor;
use crate::heartbeat::{Heartbeat, SignedHeartbeat};
use crate::ledger::{AppendRefusal, Ledger};
use crate::position::{Hash, Head, Position};
use crate::record::{
    Body, EncodeError, EpochReason, EpochStart, MAX_BODY_BYTES, RECORD_VERSION, Record, SignedRecord,
};
use crate::request::{AppendError, Appended, Batch, Command, Reply};
use crate::sign::SigningKey;
use crate::tail::Tail;

/// How long nothing has to be written before the durable mark is set.
const IDLE: Duration = Duration::from_millis(100);

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
/// What the thread works with.
pub(crate) struct Pen {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) key: Arc<SigningKey>,
    /// The key that signed before, when it is to hand the ledger over to this one.
    pub(crate) handing_over: Option<Arc<SigningKey>>,
    pub(crate) clock: Arc<HybridClock>,
}
impl Pen {
    /// Takes whatever waits, up to a full batch, and makes it durable; never waits for more to come.
    pub(crate) fn work(&self, commands: &Receiver<Command>) {
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
        let record = self.record(&self.key, position, end.head.hash, hlc, Body::Event(body));
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

    fn record(&self, key: &SigningKey, position: Position, prev: Hash, hlc: Hlc, body: Body) -> Record {
        Record {
            version: RECORD_VERSION,
            origin: self.ledger.origin.clone(),
            epoch: position.epoch,
            seq: position.seq,
            prev,
            hlc,
            key_id: key.public().id(),
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
        let reason = asked.or(match end {
            None if floor == 0 => Some(EpochReason::Created),
            None => Some(EpochReason::Repaired),
            Some(end) if end.head.position.epoch <= floor => Some(EpochReason::Repaired),
            Some(end) if end.key != self.key.public() => Some(EpochReason::KeyRotated),
            Some(_) => None,
        });
        let Some(reason) = reason else { return Ok(()) };
        let handover = end.and_then(|end| self.handover(&end)).transpose()?;
        let after = Position {
            epoch: end.map_or(0, |end| end.head.position.epoch).max(floor),
            seq: 1,
        };
        let used_up = || AppendRefusal::Unproven(ChainFault::UsedUp { after }.into());
        let position = after.next_epoch().ok_or_else(used_up)?;
        let previous = match &handover {
            Some((head, _)) => Some(*head),
            None => end.map(|end| end.head),
        };
        let start = EpochStart {
            reason,
            previous,
            signing_key: *self.key.public().as_bytes(),
            chain,
        };
        let prev = previous.map_or(Hash::ZERO, |head| head.hash);
        let record = self
            .record(
                &self.key,
                position,
                prev,
                self.clock.now(),
                Body::EpochStart(start),
            )
            .sign(&self.key)?;
        let mut run: Vec<_> = handover.map(|(_, signed)| signed).into_iter().collect();
        run.push(record);
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

    /// The record with which the key of the last epoch hands over to this one; none when it is not here, or is this one.
    fn handover(&self, end: &ChainEnd) -> Option<Result<(Head, SignedRecord), EncodeError>> {
        let old = self.handing_over.as_ref()?;
        if old.public() != end.key || end.key == self.key.public() {
            return None;
        }
        // A ledger whose numbers are used up goes on without a handover.
        let position = end.head.position.next()?;
        let body = Body::KeyHandover(*self.key.public().as_bytes());
        let record = self.record(old, position, end.head.hash, self.clock.now(), body);
        let signed = match record.sign(old) {
            Ok(signed) => signed,
            Err(error) => return Some(Err(error)),
        };
        let head = Head {
            position,
            hash: signed.hash(),
        };
        Some(Ok((head, signed)))
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
