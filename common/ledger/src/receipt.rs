//! A hub's signed word that it holds an origin's ledger up to a head, durably; bytes and signature only, no files.

use serde::{Deserialize, Serialize};

use crate::clock::Hlc;
use crate::origin::OriginId;
use crate::position::Head;
use crate::record::{raw_bytes, raw_signature};
use crate::sign::{BadSignature, Domain, NotASigningKey, SIGNATURE_BYTES, SigningKey, VerifyingKey};

/// The version that every receipt of this format begins with.
pub(crate) const RECEIPT_VERSION: u16 = 1;
/// Longest receipt in bytes, without its signature.
pub const MAX_RECEIPT_BYTES: usize = 512;
/// Longest name of a hub in bytes.
pub const MAX_HUB_BYTES: usize = 96;

/// What a hub certifies after its own fdatasync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The hub, by the path of its identity: `hub/1`.
    pub hub: String,
    /// Whose ledger it holds.
    pub origin: OriginId,
    /// Up to where.
    pub head: Head,
    /// When it became durable there, by the hub's clock.
    pub received: Hlc,
}

/// A receipt as it is sent and kept: the very bytes that were signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SignedReceipt {
    /// The version, then the receipt, in the encoding of records.
    #[serde(with = "raw_bytes")]
    pub bytes: Vec<u8>,
    /// Ed25519 over the bytes in [`Domain::Receipt`].
    #[serde(with = "raw_signature")]
    pub signature: [u8; SIGNATURE_BYTES],
}

/// The receipt cannot be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadReceipt {
    /// Not a receipt in its one form, or of a later version.
    #[error("not a receipt this program can read: the sender breaks the format or is newer")]
    Malformed,
    /// The hub's key did not sign it.
    #[error(transparent)]
    Signature(#[from] BadSignature),
    /// It speaks of another origin's ledger.
    #[error("the receipt is for another origin's ledger")]
    OtherOrigin,
}

fn config() -> impl bincode::config::Config {
    bincode::config::legacy().with_limit::<MAX_RECEIPT_BYTES>()
}

impl Receipt {
    /// Encodes and signs with the hub's receipt key. The hub's name has at most [`MAX_HUB_BYTES`].
    pub fn sign(&self, key: &SigningKey) -> Result<SignedReceipt, NotASigningKey> {
        let bytes = self.encode().ok_or(NotASigningKey)?;
        let signature = key.sign(Domain::Receipt, &bytes)?;
        Ok(SignedReceipt { bytes, signature })
    }

    fn encode(&self) -> Option<Vec<u8>> {
        if self.hub.len() > MAX_HUB_BYTES {
            return None;
        }
        bincode::serde::encode_to_vec((RECEIPT_VERSION, self), config()).ok()
    }
}

impl SignedReceipt {
    /// Checks the hub's signature, then reads.
    pub fn verify(&self, key: &VerifyingKey) -> Result<Receipt, BadReceipt> {
        if self.bytes.len() > MAX_RECEIPT_BYTES {
            return Err(BadReceipt::Malformed);
        }
        key.verify(Domain::Receipt, &self.bytes, &self.signature)?;
        self.decode()
    }

    /// Reads without checking the signature: to learn which hub's key is needed.
    pub fn decode(&self) -> Result<Receipt, BadReceipt> {
        if self.bytes.len() > MAX_RECEIPT_BYTES {
            return Err(BadReceipt::Malformed);
        }
        let ((version, receipt), used): ((u16, Receipt), usize) =
            bincode::serde::decode_from_slice(&self.bytes, config()).map_err(|_| BadReceipt::Malformed)?;
        let same = used == self.bytes.len() && receipt.encode().is_some_and(|again| again == self.bytes);
        if version == RECEIPT_VERSION && same {
            Ok(receipt)
        } else {
            Err(BadReceipt::Malformed)
        }
    }
}
