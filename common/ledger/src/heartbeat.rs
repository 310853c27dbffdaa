//! An origin's signed word that nothing older is still to come: what freshness is computed from. Bytes and signature only.

use serde::{Deserialize, Serialize};

use crate::clock::Hlc;
use crate::origin::OriginId;
use crate::position::Head;
use crate::record::{raw_bytes, raw_signature};
use crate::sign::{BadSignature, Domain, NotASigningKey, SIGNATURE_BYTES, SigningKey, VerifyingKey};
use crate::standing::Standing;

/// The version that every heartbeat of this format begins with.
pub(crate) const HEARTBEAT_VERSION: u16 = 1;
/// Longest heartbeat in bytes, without its signature.
pub const MAX_HEARTBEAT_BYTES: usize = 512;

/// "My ledger ends at `head`, and no record with a moment up to `closed` is still to come behind it."
///
/// Who holds the ledger up to `head` therefore knows all that the origin had recorded by `closed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Whose word it is.
    pub origin: OriginId,
    /// The end of its ledger; `None` while it is empty.
    pub head: Option<Head>,
    /// The moment up to which the ledger is complete.
    pub closed: Hlc,
}

/// A heartbeat as it is sent: the very bytes that were signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SignedHeartbeat {
    /// The version, then the heartbeat, in the encoding of records.
    #[serde(with = "raw_bytes")]
    pub bytes: Vec<u8>,
    /// Ed25519 over the bytes in [`Domain::Heartbeat`], by the record key of the origin's epoch.
    #[serde(with = "raw_signature")]
    pub signature: [u8; SIGNATURE_BYTES],
}

/// The heartbeat cannot be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHeartbeat {
    /// Not a heartbeat in its one form, or of a later version.
    #[error("not a heartbeat this program can read: the sender breaks the format or is newer")]
    Malformed,
    /// The origin's key did not sign it.
    #[error(transparent)]
    Signature(#[from] BadSignature),
}

fn config() -> impl bincode::config::Config {
    bincode::config::legacy().with_limit::<MAX_HEARTBEAT_BYTES>()
}

impl Heartbeat {
    /// Encodes and signs with the origin's record key.
    pub fn sign(&self, key: &SigningKey) -> Result<SignedHeartbeat, NotASigningKey> {
        let bytes = self.encode().ok_or(NotASigningKey)?;
        let signature = key.sign(Domain::Heartbeat, &bytes)?;
        Ok(SignedHeartbeat { bytes, signature })
    }

    /// Whether it speaks of the ledger that is held here. `head` stands to that ledger as `standing` says; `next` is the moment
    /// of the first record here behind `head`.
    ///
    /// The word of a machine that was taken back to an old copy, or cloned, does not: what it closes may hide what it lost or
    /// what its twin filed.
    pub fn speaks_of_this(&self, standing: Standing, next: Option<Hlc>) -> bool {
        match standing {
            Standing::Same | Standing::PeerAhead => true,
            Standing::PeerBehind => next.is_some_and(|next| next > self.closed),
            Standing::Diverged => false,
        }
    }

    fn encode(&self) -> Option<Vec<u8>> {
        bincode::serde::encode_to_vec((HEARTBEAT_VERSION, self), config()).ok()
    }
}

impl SignedHeartbeat {
    /// Checks the signature against the key of the origin's epoch ([`crate::Ledger::epoch_key`]), then reads.
    pub fn verify(&self, key: &VerifyingKey) -> Result<Heartbeat, BadHeartbeat> {
        if self.bytes.len() > MAX_HEARTBEAT_BYTES {
            return Err(BadHeartbeat::Malformed);
        }
        key.verify(Domain::Heartbeat, &self.bytes, &self.signature)?;
        self.decode()
    }

    /// Reads without checking the signature: to learn whose key is needed.
    pub fn decode(&self) -> Result<Heartbeat, BadHeartbeat> {
        if self.bytes.len() > MAX_HEARTBEAT_BYTES {
            return Err(BadHeartbeat::Malformed);
        }
        let ((version, heartbeat), used): ((u16, Heartbeat), usize) =
            bincode::serde::decode_from_slice(&self.bytes, config()).map_err(|_| BadHeartbeat::Malformed)?;
        let same = used == self.bytes.len() && heartbeat.encode().is_some_and(|again| again == self.bytes);
        if version == HEARTBEAT_VERSION && same {
            Ok(heartbeat)
        } else {
            Err(BadHeartbeat::Malformed)
        }
    }
}
