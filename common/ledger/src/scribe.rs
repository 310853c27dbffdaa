//! Makes the records of a court's own ledger: numbers, stamps, chains and signs them, and decides when an epoch begins. Reads a
//! clock and nothing else; writing down what it makes is the caller's.

use std::sync::Arc;

use crate::chain::{ChainEnd, ChainFault};
use crate::clock::HybridClock;
use crate::heartbeat::{Heartbeat, SignedHeartbeat};
use crate::origin::OriginId;
use crate::position::{Hash, Head, Position};
use crate::record::{
    Body, EncodeError, EpochReason, EpochStart, MAX_BODY_BYTES, RECORD_VERSION, Record, SignedRecord,
};
use crate::sign::{SigningKey, VerifyingKey};

/// Why a record was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScribeError {
    /// The body is longer than a record may carry.
    #[error("a record of {bytes} bytes is too long: the most is {MAX_BODY_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Another key has the ledger.
    #[error("the ledger goes on under another signing key: start the writer anew")]
    OtherKey,
    /// The numbers or the moments of this epoch are used up.
    #[error("no number is left in this epoch: begin a new epoch")]
    UsedUp,
    /// The epochs are used up.
    #[error(transparent)]
    Epochs(#[from] ChainFault),
    /// The record cannot be expressed or signed.
    #[error(transparent)]
    Record(#[from] EncodeError),
}

/// Writes in the name of one origin with one key.
#[derive(Clone)]
pub struct Scribe {
    origin: OriginId,
    key: Arc<SigningKey>,
    clock: Arc<HybridClock>,
    /// The key that signed before, when it is to hand the ledger over to this one.
    handing_over: Option<Arc<SigningKey>>,
}

impl Scribe {
    /// A scribe for `origin`.
    pub fn new(origin: OriginId, key: Arc<SigningKey>, clock: Arc<HybridClock>) -> Scribe {
        Scribe {
            origin,
            key,
            clock,
            handing_over: None,
        }
    }

    /// The key that signed before hands the ledger over to this one, if it is here.
    #[must_use]
    pub fn after(mut self, handing_over: Option<Arc<SigningKey>>) -> Scribe {
        self.handing_over = handing_over;
        self
    }

    /// Checks that this key may write behind `end`, and moves the clock past it.
    ///
    /// # Errors
    /// [`ScribeError::OtherKey`], also for an empty ledger: its first epoch has not begun.
    pub fn takes_up(&self, end: Option<ChainEnd>) -> Result<ChainEnd, ScribeError> {
        let end = end
            .filter(|end| end.key == self.key.public())
            .ok_or(ScribeError::OtherKey)?;
        self.clock.observe(end.hlc);
        Ok(end)
    }

    /// Makes the record that follows `end`, and moves `end` to it.
    ///
    /// # Errors
    /// [`ScribeError`]; `end` is as it was.
    pub fn event(&self, body: Vec<u8>, end: &mut ChainEnd) -> Result<SignedRecord, ScribeError> {
        if body.len() > MAX_BODY_BYTES {
            return Err(ScribeError::TooLong { bytes: body.len() });
        }
        let position = end.head.position.next().ok_or(ScribeError::UsedUp)?;
        let record = self.record(&self.key, position, end.head.hash, Body::Event(body));
        if record.hlc <= end.hlc {
            return Err(ScribeError::UsedUp);
        }
        let signed = record.sign(&self.key)?;
        *end = ChainEnd {
            head: Head {
                position,
                hash: signed.hash(),
            },
            hlc: record.hlc,
            key: end.key,
        };
        Ok(signed)
    }

    /// Makes the start of a new epoch behind `end` (`None`: an empty ledger), if one is asked for or needed, and before it the
    /// handover from the key of the epoch that ends, if that key is here. `floor` is the highest epoch of which records were
    /// set aside, 0 when there was none; `chain` are the key's certificates. Nothing when no epoch has to begin.
    ///
    /// # Errors
    /// [`ScribeError`].
    pub fn epoch(
        &self,
        end: Option<&ChainEnd>,
        floor: u32,
        chain: &[Vec<u8>],
        asked: Option<EpochReason>,
    ) -> Result<Vec<SignedRecord>, ScribeError> {
        let Some((reason, position)) = epoch_due(end, floor, &self.key.public(), asked)? else {
            return Ok(Vec::new());
        };
        if let Some(end) = end {
            self.clock.observe(end.hlc);
        }
        let handover = end.and_then(|end| self.handover(end)).transpose()?;
        let previous = match &handover {
            Some((head, _)) => Some(*head),
            None => end.map(|end| end.head),
        };
        let start = EpochStart {
            reason,
            previous,
            signing_key: *self.key.public().as_bytes(),
            chain: chain.to_vec(),
        };
        let prev = previous.map_or(Hash::ZERO, |head| head.hash);
        let record = self.record(&self.key, position, prev, Body::EpochStart(start));
        let mut run: Vec<SignedRecord> = handover.map(|(_, signed)| signed).into_iter().collect();
        run.push(record.sign(&self.key)?);
        Ok(run)
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
        let signed = self.record(old, position, end.head.hash, body).sign(old);
        Some(signed.map(|signed| {
            let hash = signed.hash();
            (Head { position, hash }, signed)
        }))
    }

    /// A heartbeat behind `end`. True only if nothing that this scribe made is still on its way to the disk.
    ///
    /// # Errors
    /// It could not be signed.
    pub fn heartbeat(&self, end: &ChainEnd) -> Result<SignedHeartbeat, ScribeError> {
        let heartbeat = Heartbeat {
            origin: self.origin.clone(),
            head: Some(end.head),
            closed: self.clock.now(),
        };
        Ok(heartbeat.sign(&self.key).map_err(EncodeError::from)?)
    }

    fn record(&self, key: &SigningKey, position: Position, prev: Hash, body: Body) -> Record {
        Record {
            version: RECORD_VERSION,
            origin: self.origin.clone(),
            epoch: position.epoch,
            seq: position.seq,
            prev,
            hlc: self.clock.now(),
            key_id: key.public().id(),
            body,
        }
    }
}

/// Whether an epoch has to begin, why, and where its start stands: no number is ever used twice.
fn epoch_due(
    end: Option<&ChainEnd>,
    floor: u32,
    key: &VerifyingKey,
    asked: Option<EpochReason>,
) -> Result<Option<(EpochReason, Position)>, ChainFault> {
    let reason = asked.or(match end {
        None if floor == 0 => Some(EpochReason::Created),
        None => Some(EpochReason::Repaired),
        Some(end) if end.head.position.epoch <= floor => Some(EpochReason::Repaired),
        Some(end) if end.key != *key => Some(EpochReason::KeyRotated),
        Some(_) => None,
    });
    let Some(reason) = reason else { return Ok(None) };
    let after = Position {
        epoch: end.map_or(0, |end| end.head.position.epoch).max(floor),
        seq: 1,
    };
    let start = after.next_epoch().ok_or(ChainFault::UsedUp { after })?;
    Ok(Some((reason, start)))
}
