//! Who says that a key may sign for an origin: a question to the outside, asked before anything under the key is kept.

use std::collections::{BTreeMap, BTreeSet};

use crate::origin::OriginId;
use crate::position::Position;

/// Why a signing key is not accepted for an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    /// Nothing vouches for the key.
    #[error("no certificate vouches for this signing key: enrol the node or bring its certificates")]
    Unknown,
    /// A certificate vouches for the key, but for another origin.
    #[error("the signing key is certified for another origin: the sender may write only its own ledger")]
    OtherOrigin,
    /// The certificates do not lead to the authority, or do not belong to the key.
    #[error("the certificates of the signing key do not verify: enrol the node anew")]
    BadChain,
    /// The key counts no more at this place in the ledger.
    #[error(
        "the signing key was revoked from an earlier place in the ledger on: the court has to enrol a new one"
    )]
    Revoked,
    /// The key's certificate was not valid at the time that counts.
    #[error("the certificate of the signing key is out of date: the court enrols again")]
    OutOfDate,
}

/// Decides which keys may sign for an origin. Implemented over the certificates, which are not known here.
pub trait KeyTrust: Send + Sync {
    /// Asked for the start of each epoch, before it is kept: may this key sign for this origin? `chain` is the
    /// certificate chain that the record carries, leaf first, DER.
    fn admit(&self, origin: &OriginId, key: &[u8; 32], chain: &[Vec<u8>]) -> Result<(), KeyRefused>;

    /// Asked for the last record of each epoch in a run: does the key, admitted before, still count at this place? A stolen key counts
    /// up to a named place and not behind it. Must be quick (a look at the revocation list); the default says yes.
    fn still_good(&self, origin: &OriginId, key: &[u8; 32], at: Position) -> Result<(), KeyRefused> {
        let _ = (origin, key, at);
        Ok(())
    }
}

/// Trust by a fixed list of keys: for tests, and for machines that are told their peers' keys by hand.
#[derive(Clone, Debug, Default)]
pub struct PinnedKeys {
    keys: BTreeMap<OriginId, BTreeSet<[u8; 32]>>,
}

impl PinnedKeys {
    /// Trusts nobody yet.
    pub fn new() -> PinnedKeys {
        PinnedKeys::default()
    }

    /// Lets a key sign for an origin, besides those it may already use.
    #[must_use]
    pub fn with(mut self, origin: &OriginId, key: &[u8; 32]) -> PinnedKeys {
        self.keys.entry(origin.clone()).or_default().insert(*key);
        self
    }
}

impl KeyTrust for PinnedKeys {
    fn admit(&self, origin: &OriginId, key: &[u8; 32], _chain: &[Vec<u8>]) -> Result<(), KeyRefused> {
        if self.keys.get(origin).is_some_and(|keys| keys.contains(key)) {
            Ok(())
        } else if self.keys.values().any(|keys| keys.contains(key)) {
            Err(KeyRefused::OtherOrigin)
        } else {
            Err(KeyRefused::Unknown)
        }
    }
}
