//! The question "which records of this ledger follow that place", which a machine asks that lost its own. The answer is a run
//! of records as on the replication stream; it is believed because of the signatures in it, not because of who gave it.

use std::sync::Arc;
use std::time::Duration;

use ccpor_certs::Identity;
use ccpor_ledger::{Head, OriginId, Position, RunLimit, SignedRecord};
use ccpor_sync::{Frame, LENGTH_PREFIX, Ledgers, Run};
use ccpor_transport::{Answer, BoxAnswer};

use crate::reading::blocking;
use crate::signing::OwnKey;

/// Begins the question; the name of the ledger follows, and the epoch and number after which to begin, or nothing.
const QUESTION: &str = "records-after/1";

/// Records of one answer.
const LIMIT: RunLimit = RunLimit {
    records: ccpor_sync::limits::RUN_RECORDS_MOST,
    bytes: ccpor_sync::limits::RUN_BYTES_MOST,
};

/// Answers a hub's nodes: with the key it signs receipts with, and with records.
pub struct HubAnswers {
    /// The key.
    pub key: OwnKey,
    /// The ledgers.
    pub ledgers: Arc<dyn Ledgers>,
}

impl Answer for HubAnswers {
    fn answer(&self, peer: Identity, question: Vec<u8>, within: Duration) -> BoxAnswer {
        let asked = parse(&question).filter(|_| peer.is_node() || peer.is_hub());
        let Some((origin, after)) = asked else {
            return self.key.answer(peer, question, within);
        };
        let ledgers = Arc::clone(&self.ledgers);
        Box::pin(async move {
            blocking(move || records(ledgers.as_ref(), origin, after))
                .await
                .ok()
                .flatten()
        })
    }
}

/// The question for what follows `after` in the ledger of `origin`.
#[must_use]
pub fn question(origin: &OriginId, after: Option<Position>) -> Vec<u8> {
    match after {
        Some(after) => format!("{QUESTION} {origin} {} {}", after.epoch, after.seq),
        None => format!("{QUESTION} {origin}"),
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

fn parse(question: &[u8]) -> Option<(OriginId, Option<Position>)> {
    let words = std::str::from_utf8(question).ok()?.strip_prefix(QUESTION)?;
    let words: Vec<&str> = words.split_ascii_whitespace().collect();
    let (origin, after) = match words.as_slice() {
        [origin] => (origin, None),
        [origin, epoch, seq] => {
            let (epoch, seq) = (epoch.parse().ok()?, seq.parse().ok()?);
            (origin, Some(Position { epoch, seq }))
        }
        _ => return None,
    };
    Some((OriginId::new(origin).ok()?, after))
}

fn records(ledgers: &dyn Ledgers, origin: OriginId, after: Option<Position>) -> Option<Vec<u8>> {
    let records = ledgers.load(&origin, after, LIMIT).ok()?;
    let Some(last) = records.last() else {
        return Some(Vec::new());
    };
    let last = Head {
        position: last.outline().ok()?.position,
        hash: last.hash(),
    };
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
        for after in [None, Some(Position { epoch: 3, seq: 812 })] {
            assert_eq!(parse(&question(&origin, after)), Some((origin.clone(), after)));
        }
        for none in [
            &b"receipt-signing-key/1"[..],
            b"records-after/1",
            b"records-after/1 x 1",
            b"\xff",
        ] {
            assert_eq!(parse(none), None);
        }
    }
}
