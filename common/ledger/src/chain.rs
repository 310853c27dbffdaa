//! The rules by which one record follows another, and the proof of a run of records; pure, before anything is kept.

use crate::clock::Hlc;
use crate::origin::OriginId;
use crate::position::{Hash, Head, Position};
use crate::record::{Body, BodyKind, DecodeError, EpochStart, MAX_RECORD_BYTES, Outline, SignedRecord};
use crate::sign::{BadSignature, KeyId, SIGNATURE_BYTES, VerifyingKey, WeakKey};
use crate::trust::{KeyRefused, KeyTrust};

/// Most records in one run.
pub const MAX_RUN_RECORDS: usize = 1 << 16;
/// Most bytes in one run, records and signatures together. Room for many records of the greatest length.
pub const MAX_RUN_BYTES: usize = 16 << 20;

/// The end of a non-empty chain: all that is needed to judge what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainEnd {
    /// The last record.
    pub head: Head,
    /// Its moment.
    pub hlc: Hlc,
    /// The key of its epoch.
    pub key: VerifyingKey,
}

/// How a record breaks the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// It is in the name of another origin.
    #[error("record {at} is in another origin's name")]
    OtherOrigin {
        /// The record.
        at: Position,
    },
    /// It does not stand where the next record must stand: a hole, a repetition, or an epoch that is no successor.
    #[error("record {at} where {expected} has to follow: fetch what is missing first")]
    NotNext {
        /// Where it says it stands.
        at: Position,
        /// The only place that may follow.
        expected: Position,
    },
    /// It names another predecessor than the record before it.
    #[error("record {at} continues a different ledger: its predecessor is not the record held here")]
    OtherPredecessor {
        /// The record.
        at: Position,
    },
    /// Its moment is not after that of the record before it.
    #[error("record {at} is not later than the record before it")]
    NotLater {
        /// The record.
        at: Position,
    },
    /// It says it is signed with a key that is not the epoch's.
    #[error("record {at} names key {names}, which is not the key of its epoch")]
    OtherKey {
        /// The record.
        at: Position,
        /// The key it names.
        names: KeyId,
    },
    /// An epoch begins without its announcement, or there is one in the middle of an epoch.
    #[error("record {at}: the first record of an epoch, and no other, announces it")]
    MisplacedStart {
        /// The record.
        at: Position,
    },
    /// The announcement names another end of the epoch before.
    #[error("record {at} announces an epoch after a different end of the epoch before")]
    OtherPrevious {
        /// The record.
        at: Position,
    },
    /// No position can follow: the numbers are used up.
    #[error("no number is left after {after}: begin a new epoch")]
    UsedUp {
        /// The last position.
        after: Position,
    },
}

/// Why a run of records is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunFault {
    /// There is nothing in it.
    #[error("the run is empty")]
    Empty,
    /// There is more in it than is taken at once.
    #[error("the run is too long: send at most {MAX_RUN_RECORDS} records and {MAX_RUN_BYTES} bytes at once")]
    TooLong,
    /// A record is not in the one form of a record.
    #[error("record number {index} of the run: {fault}")]
    Form {
        /// Counted from 0 in the run.
        index: usize,
        /// What is wrong with it.
        fault: DecodeError,
    },
    /// The records do not follow on from each other, or from the ledger.
    #[error(transparent)]
    Chain(#[from] ChainFault),
    /// A signature that proves the run does not verify.
    #[error("record {at}: {fault}")]
    Signature {
        /// The record.
        at: Position,
        /// Under which key.
        fault: BadSignature,
    },
    /// The announced key can be no one's own.
    #[error("record {at}: {fault}")]
    Weak {
        /// The epoch's start.
        at: Position,
        /// Why.
        fault: WeakKey,
    },
    /// The key may not sign for this origin.
    #[error("key of record {at}: {refused}")]
    Key {
        /// The epoch's start, or the first record of the run that continues an epoch.
        at: Position,
        /// Why.
        refused: KeyRefused,
    },
}

/// A record whose place in the chain is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it stands.
    pub position: Position,
    /// Its hash.
    pub hash: Hash,
}

/// A run that has been proven, and the end of the chain behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// One for each record of the run, in order.
    pub links: Vec<Link>,
    /// The chain's new end.
    pub end: ChainEnd,
}

/// Proves that a run may be added behind `end` (`None`: an empty ledger).
///
/// For every record: its length, its form, and that it follows on from the one before. The signature is checked of the
/// last record of each epoch in the run and of each epoch's start, whose key `trust` must admit and still find good there.
///
/// What this proves: the holder of the epoch's key signed the last record, and through the chain of hashes every byte of
/// the records before it, their signatures included. What it does not prove: that each of those signatures is valid by
/// itself. So a record that is handed to someone else alone is checked by its own signature, and
/// [`crate::verify_directory`] checks every one.
pub fn prove_run(
    origin: &OriginId,
    end: Option<&ChainEnd>,
    run: &[SignedRecord],
    trust: &dyn KeyTrust,
) -> Result<Proven, RunFault> {
    let outlines = read_outlines(run)?;
    check_signatures(origin, end, run, &outlines, trust)?;
    let mut links = Vec::with_capacity(run.len());
    let mut end = end.copied();
    for (signed, outline) in run.iter().zip(&outlines) {
        let next = follow(origin, end.as_ref(), signed, outline)?;
        links.push(Link {
            position: next.head.position,
            hash: next.head.hash,
        });
        end = Some(next);
    }
    end.map(|end| Proven { links, end }).ok_or(RunFault::Empty)
}

fn read_outlines(run: &[SignedRecord]) -> Result<Vec<Outline<'_>>, RunFault> {
    if run.is_empty() {
        return Err(RunFault::Empty);
    }
    let bytes = run
        .iter()
        .map(|signed| signed.bytes.len() + SIGNATURE_BYTES)
        .sum::<usize>();
    if run.len() > MAX_RUN_RECORDS || bytes > MAX_RUN_BYTES {
        return Err(RunFault::TooLong);
    }
    let form = |index, fault| RunFault::Form { index, fault };
    if let Some((index, long)) = run
        .iter()
        .enumerate()
        .find(|(_, signed)| signed.bytes.len() > MAX_RECORD_BYTES)
    {
        return Err(form(
            index,
            DecodeError::TooLong {
                bytes: long.bytes.len(),
            },
        ));
    }
    run.iter()
        .enumerate()
        .map(|(index, signed)| signed.outline().map_err(|fault| form(index, fault)))
        .collect()
}

/// Checks the signatures that prove a run: each epoch's start by the key it announces, and the last record of each epoch.
fn check_signatures(
    origin: &OriginId,
    end: Option<&ChainEnd>,
    run: &[SignedRecord],
    outlines: &[Outline<'_>],
    trust: &dyn KeyTrust,
) -> Result<(), RunFault> {
    let mut key = end.map(|end| end.key);
    let mut records = run.iter().zip(outlines).enumerate().peekable();
    while let Some((index, (signed, outline))) = records.next() {
        let at = outline.position;
        let verify = |key: &VerifyingKey| {
            #[cfg(feature = "planted")]
            if crate::planted::is(crate::planted::Planted::NoSignatureCheck) {
                return Ok(());
            }
            signed
                .verify(key)
                .map_err(|fault| RunFault::Signature { at, fault })
        };
        let last_of_epoch = records
            .peek()
            .is_none_or(|(_, (_, next))| next.body == BodyKind::EpochStart);
        let still_good = |key: &VerifyingKey| {
            let good = trust.still_good(origin, key.as_bytes(), at);
            good.map_err(|refused| RunFault::Key { at, refused })
        };
        if outline.body == BodyKind::EpochStart {
            let start = epoch_start(signed).map_err(|fault| RunFault::Form { index, fault })?;
            let announced =
                VerifyingKey::new(start.signing_key).map_err(|fault| RunFault::Weak { at, fault })?;
            verify(&announced)?;
            trust
                .admit(origin, announced.as_bytes(), &start.chain)
                .map_err(|refused| RunFault::Key { at, refused })?;
            if last_of_epoch {
                still_good(&announced)?;
            }
            key = Some(announced);
            continue;
        }
        let Some(key) = key else {
            return Err(ChainFault::MisplacedStart { at }.into());
        };
        if last_of_epoch {
            still_good(&key)?;
            verify(&key)?;
        }
    }
    Ok(())
}

/// The announcement in a record whose outline says that it is one.
pub(crate) fn epoch_start(signed: &SignedRecord) -> Result<EpochStart, DecodeError> {
    match signed.decode()?.body {
        Body::EpochStart(start) => Ok(start),
        Body::Event(_) | Body::KeyHandover(_) => Err(DecodeError::Malformed),
    }
}

/// Checks that one record follows on from `end`, and gives the new end. Signatures are not looked at.
pub(crate) fn follow(
    origin: &OriginId,
    end: Option<&ChainEnd>,
    signed: &SignedRecord,
    outline: &Outline<'_>,
) -> Result<ChainEnd, RunFault> {
    let at = outline.position;
    if outline.origin != origin.as_str() {
        return Err(ChainFault::OtherOrigin { at }.into());
    }
    let starts = outline.body == BodyKind::EpochStart;
    expect_position(end, at, starts)?;
    if outline.prev != end.map_or(Hash::ZERO, |end| end.head.hash) {
        return Err(ChainFault::OtherPredecessor { at }.into());
    }
    if end.is_some_and(|end| outline.hlc <= end.hlc) {
        return Err(ChainFault::NotLater { at }.into());
    }
    let key = match end {
        Some(end) if !starts => end.key,
        _ => announced_key(end, signed, at)?,
    };
    if outline.key_id != key.id() {
        return Err(ChainFault::OtherKey {
            at,
            names: outline.key_id,
        }
        .into());
    }
    Ok(ChainEnd {
        head: Head {
            position: at,
            hash: signed.hash(),
        },
        hlc: outline.hlc,
        key,
    })
}

/// An epoch's start stands at number 1 of a later epoch, every other record at the next number of the same one.
///
/// Epochs only count upwards: the number of an epoch whose records were set aside in a fork is never used again, so the next
/// one may be skipped. Nothing can hide in such a gap, because the start names the very record before it.
fn expect_position(end: Option<&ChainEnd>, at: Position, starts: bool) -> Result<(), ChainFault> {
    if starts != (at.seq == 1) {
        return Err(ChainFault::MisplacedStart { at });
    }
    let last = end.map(|end| end.head.position);
    let expected = match last {
        None => Position::FIRST,
        Some(last) if starts => last.next_epoch().ok_or(ChainFault::UsedUp { after: last })?,
        Some(last) => last.next().ok_or(ChainFault::UsedUp { after: last })?,
    };
    let fits = if starts {
        at >= expected
    } else {
        last.is_some() && at == expected
    };
    if fits {
        Ok(())
    } else {
        Err(ChainFault::NotNext { at, expected })
    }
}

fn announced_key(
    end: Option<&ChainEnd>,
    signed: &SignedRecord,
    at: Position,
) -> Result<VerifyingKey, RunFault> {
    let start = epoch_start(signed).map_err(|_| ChainFault::MisplacedStart { at })?;
    if start.previous != end.map(|end| end.head) {
        return Err(ChainFault::OtherPrevious { at }.into());
    }
    VerifyingKey::new(start.signing_key).map_err(|fault| RunFault::Weak { at, fault })
}
