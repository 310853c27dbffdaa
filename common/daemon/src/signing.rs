//! The question "which key do you sign receipts with", which a node asks its hub on every connection. The answer carries the
//! key's certificates; it is believed because of them, not because of who gave it.

use std::time::Duration;

use ccpor_certs::{Identity, IdentityDir};
use ccpor_transport::{Answer, BoxAnswer};

/// The question.
pub const QUESTION: &[u8] = b"receipt-signing-key/1";

/// The most certificates in a chain, and the most bytes in one.
const CHAIN: usize = 8;
const CERTIFICATE_BYTES: usize = 16 << 10;

/// A hub answers with its own key.
pub struct OwnKey(Vec<u8>);

impl OwnKey {
    /// The key of this identity; an empty answer when it has none.
    #[must_use]
    pub fn of(identity: &IdentityDir) -> Self {
        let mut answer = Vec::new();
        if let Some(key) = identity.record_public_key() {
            answer.extend(key);
            for certificate in identity.record_chain() {
                let length = u32::try_from(certificate.len()).unwrap_or(0);
                answer.extend(length.to_be_bytes());
                answer.extend(certificate);
            }
        }
        Self(answer)
    }
}

impl Answer for OwnKey {
    fn answer(&self, _peer: Identity, question: Vec<u8>, _within: Duration) -> BoxAnswer {
        let answer = (question == QUESTION && !self.0.is_empty()).then(|| self.0.clone());
        Box::pin(async move { answer })
    }
}

/// A node answers no questions of its hub.
pub struct NobodyAsks;

impl Answer for NobodyAsks {
    fn answer(&self, _peer: Identity, _question: Vec<u8>, _within: Duration) -> BoxAnswer {
        Box::pin(async { None })
    }
}

/// Reads an answer: the key and its certificates in DER, leaf first. None when it is not one.
#[must_use]
pub fn read(answer: &[u8]) -> Option<([u8; 32], Vec<Vec<u8>>)> {
    let (key, mut rest) = answer.split_first_chunk::<32>()?;
    let mut chain = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        if length > CERTIFICATE_BYTES || chain.len() == CHAIN {
            return None;
        }
        let (certificate, after) = after.split_at_checked(length)?;
        chain.push(certificate.to_vec());
        rest = after;
    }
    Some((*key, chain))
}
