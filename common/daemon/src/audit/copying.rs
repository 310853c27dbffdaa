//! What a node and its hub say to each other about the copy of the node's audit trail: records are offered after a place, and the hub
//! answers how far its copy reaches, with its receipt. The messages alone.

use ccpor_ledger::{Head, SignedReceipt, SignedRecord};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Begins the question; an [`Offer`] follows.
const QUESTION: &[u8] = b"audit-trail-copy/1 ";
/// The most bytes of an offer; a question on the link has room for it.
const MOST_BYTES: usize = 1 << 20;

/// Records of a trail for the hub's copy.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Offer {
    /// The record that they follow; `None` when they begin with the first.
    pub(super) after: Option<Head>,
    /// The records; none only asks how far the copy reaches.
    pub(super) records: Vec<SignedRecord>,
    /// The files of the wrapped keys that begin with these records.
    pub(super) keys: Vec<Vec<u8>>,
}

/// How far the hub's copy reaches.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The last record of the copy.
    pub(super) head: Option<Head>,
    /// The hub's signature under that.
    pub(super) receipt: Option<SignedReceipt>,
}

/// An offer as it goes over the link.
pub(super) fn question(offer: &Offer) -> Option<Vec<u8>> {
    let mut question = QUESTION.to_vec();
    question.extend(encoded(offer)?);
    Some(question)
}

/// The offer in a question; none when the question is another one.
pub(super) fn offer(question: &[u8]) -> Option<Offer> {
    decoded(question.strip_prefix(QUESTION)?)
}

/// Bytes of a message.
pub(super) fn encoded(message: &impl Serialize) -> Option<Vec<u8>> {
    bincode::serde::encode_to_vec(message, config()).ok()
}

/// A message from its bytes, all of them.
pub(super) fn decoded<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (message, used) = bincode::serde::decode_from_slice(bytes, config()).ok()?;
    (used == bytes.len()).then_some(message)
}

fn config() -> impl bincode::config::Config {
    bincode::config::legacy().with_limit::<MOST_BYTES>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_read_as_it_was_made_and_nothing_else_is_one() {
        let made = Offer {
            keys: vec![vec![1, 2, 3]],
            ..Offer::default()
        };
        let bytes = question(&made).unwrap();
        assert_eq!(offer(&bytes), Some(made));
        for length in 0..bytes.len() {
            assert_eq!(offer(&bytes[..length]), None, "{length}");
        }
        assert_eq!(offer(&[bytes, vec![0]].concat()), None);
        assert_eq!(offer(b"lookup/1 {}"), None);
    }
}
