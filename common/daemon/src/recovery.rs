//! The question "which records of this ledger follow that place", which a machine asks that lost its own. The answer is a run
//! of records as on the replication stream; it is believed because of the signatures in it, not because of who gave it.

use std::sync::Arc;
use std::time::Duration;

use ccpor_certs::Identity;
use ccpor_ledger::{Hash, Head, OriginId, Position, RunLimit, SignedRecord, Standing};
use ccpor_registry::Registry;
use ccpor_sync::{Frame, LENGTH_PREFIX, Ledgers, Run};
use ccpor_transport::{Answer, BoxAnswer};

use crate::reading::blocking;

/// Begins the question; the name of the ledger follows, then the epoch and number after which to begin, or nothing, then the
/// hash that the record there has to have, if that matters: an answer is given only by who holds that very record.
const QUESTION: &str = "records-after/1";

/// Records of one answer.
const LIMIT: RunLimit = RunLimit {
    records: ccpor_sync::limits::RUN_RECORDS_MOST,
    bytes: ccpor_sync::limits::RUN_BYTES_MOST,
};

/// Answers nodes and hubs with records, and leaves every other question to somebody else.
pub struct GivesRecords<A> {
    /// The ledgers.
    pub ledgers: Arc<dyn Ledgers>,
    /// Who answers the other questions.
    pub otherwise: A,
}

impl<A: Answer> Answer for GivesRecords<A> {
    fn answer(&self, peer: Identity, question: Vec<u8>, within: Duration) -> BoxAnswer {
        let asked = parse(&question).filter(|_| peer.is_node() || peer.is_hub());
        let Some(asked) = asked else {
            return self.otherwise.answer(peer, question, within);
        };
        let ledgers = Arc::clone(&self.ledgers);
        Box::pin(async move {
            blocking(move || records(ledgers.as_ref(), asked))
                .await
                .ok()
                .flatten()
        })
    }
}

/// Mends a ledger with records of a peer's copy; true when it is whole again. `ask` puts a question to the peer. What comes of it
/// is told to the log.
pub async fn mend(
    registry: &Arc<Registry>,
    origin: &OriginId,
    ask: impl AsyncFn(Vec<u8>) -> Result<Vec<u8>, String> + Send + 'static,
) -> bool {
    let (registry, origin) = (Arc::clone(registry), origin.clone());
    let here = tokio::runtime::Handle::current();
    let mended = blocking(move || {
        let mended = registry.mend(&origin, |after| {
            let answer = here.block_on(ask(question(&origin, after, None)))?;
            read(&origin, &answer)
        });
        if let Err(error) = &mended {
            tracing::error!(%origin, %error, "a damaged ledger could not be mended");
        }
        mended.is_ok()
    });
    mended.await.unwrap_or(false)
}

/// The question for what follows `after` in the ledger of `origin`, to be answered only if the record there has this hash.
#[must_use]
pub fn question(origin: &OriginId, after: Option<Position>, hash: Option<Hash>) -> Vec<u8> {
    match (after, hash) {
        (Some(after), Some(hash)) => format!("{QUESTION} {origin} {} {} {hash}", after.epoch, after.seq),
        (Some(after), None) => format!("{QUESTION} {origin} {} {}", after.epoch, after.seq),
        (None, _) => format!("{QUESTION} {origin}"),
    }
    .into_bytes()
}

/// The records of an answer; none when nothing follows.
///
/// # Errors
/// In words, when the answer is none.
pub fn read(origin: &OriginId, answer: &[u8]) -> Result<Vec<SignedRecord>, String> {
    if answer.is_empty() {
        return Ok(Vec::new());
    }
    match ccpor_sync::decode(answer) {
        Ok(Frame::Run(run)) if run.origin == *origin => Ok(run.records),
        Ok(_) => Err("the hub answered with something else than the records asked for".to_owned()),
        Err(error) => Err(format!("the hub's answer cannot be read: {error}")),
    }
}

/// Which records are asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    origin: OriginId,
    after: Option<Position>,
    hash: Option<Hash>,
}

fn parse(question: &[u8]) -> Option<Asked> {
    let words = std::str::from_utf8(question).ok()?.strip_prefix(QUESTION)?;
    let words: Vec<&str> = words.split_ascii_whitespace().collect();
    let (origin, place) = words.split_first()?;
    let origin = OriginId::new(origin).ok()?;
    let (after, hash) = match place {
        [] => (None, None),
        [epoch, seq, hash @ ..] => {
            let (epoch, seq) = (epoch.parse().ok()?, seq.parse().ok()?);
            let hash = match hash {
                [] => None,
                [hash] => Some(Hash::from_hex(hash)?),
                _ => return None,
            };
            (Some(Position { epoch, seq }), hash)
        }
        _ => return None,
    };
    Some(Asked { origin, after, hash })
}

fn records(ledgers: &dyn Ledgers, asked: Asked) -> Option<Vec<u8>> {
    let Asked { origin, after, hash } = asked;
    if let Some((position, hash)) = after.zip(hash) {
        // Of two ledgers that differ before that place, none continues the other.
        match ledgers.standing(&origin, &Head { position, hash }).ok()? {
            Standing::Same | Standing::PeerBehind => {}
            Standing::PeerAhead | Standing::Diverged => return None,
        }
    }
    let records = ledgers.load(&origin, after, LIMIT).ok()?;
    let Some(last) = records.last() else {
        return Some(Vec::new());
    };
    let last = last.head().ok()?;
    let run = Frame::Run(Run {
        origin,
        after,
        last,
        records,
    });
    let mut bytes = ccpor_sync::encode(&run).ok()?;
    Some(bytes.split_off(LENGTH_PREFIX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_question_is_read_as_it_was_asked() {
        let origin = OriginId::new("court/alameda/node/1").unwrap();
        let place = Some(Position { epoch: 3, seq: 812 });
        for (after, hash) in [(None, None), (place, None), (place, Some(Hash([0xAB; 32])))] {
            let asked = Asked {
                origin: origin.clone(),
                after,
                hash,
            };
            assert_eq!(parse(&question(&origin, after, hash)), Some(asked));
        }
        for none in [
            &b"receipt-signing-key/1"[..],
            b"records-after/1",
            b"records-after/1 x 1",
            b"records-after/1 court/alameda/node/1 1 2 00",
            b"\xff",
        ] {
            assert_eq!(parse(none), None);
        }
    }
}
