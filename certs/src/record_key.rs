//! Stub.
use crate::folder::Roots;
/// Judges record-signing keys by their certificates; cheap to clone.
#[derive(Clone, Debug)]
pub struct RecordKeyTrust { roots: Roots }
/// Why a record-signing key is not admitted.
#[derive(Debug, thiserror::Error)]
#[error("refused")]
pub struct RecordKeyRefused;
impl RecordKeyTrust {
    /// Trusts certificates that lead to one of `roots`.
    pub fn new(roots: Roots) -> RecordKeyTrust { RecordKeyTrust { roots } }
    /// Whether `key` may sign for `origin` (`court/alameda/node/1`, `hub/1`), by the chain `chain` (DER, leaf first).
    pub fn admit(&self, _origin: &str, _key: &[u8; 32], _chain: &[Vec<u8>]) -> Result<(), RecordKeyRefused> { let _ = &self.roots; todo!() }
}
