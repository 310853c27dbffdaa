//! Whether a record-signing key may sign for a ledger: judged by the certificate that travels with the ledger. It reads
//! no record and no clock.
//!
//! The end of the certificate's life is deliberately not checked. Records are verified for as long as they are kept,
//! decades after the certificate that vouches for their key has ended, and a record's own time is a claim of its
//! signer, so neither today's date nor the record's can decide. What is checked is that the chain was whole and valid at the
//! first second of the certificate's own life. A stolen key is dealt with by naming the place in the ledger
//! from which it counts no more, not by a date.

use rustls_pki_types::CertificateDer;
use webpki::KeyUsage;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::keys::{KeyKind, certified_key};
use crate::peer::{NoIdentity, identity_of};
use crate::profile::RECORD_SIGNING;
use crate::roots::Roots;

/// The most certificates in a chain: leaf, issuing, and room for a root or a cross-signature.
const MOST_CERTIFICATES: usize = 4;
/// The most bytes of one certificate.
const MOST_BYTES: usize = 8 * 1024;

/// Judges record-signing keys by their certificates; cheap to clone.
#[derive(Clone, Debug)]
pub struct RecordKeyTrust {
    roots: Roots,
}

/// Why a key may not sign for a ledger.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum RecordKeyRefused {
    /// No chain, too long a chain, or too large a certificate.
    #[error("the record key comes with no certificate, or with more or larger ones than are ever issued")]
    Size,
    /// The leaf is unreadable or names nobody.
    #[error("the record key's certificate cannot be used: {0}")]
    Identity(NoIdentity),
    /// The leaf names somebody else.
    #[error("the record key's certificate is for {found}, not for {origin}")]
    OtherOrigin {
        /// Whose ledger it is, as the caller named it.
        origin: String,
        /// Whom the certificate names.
        found: String,
    },
    /// The leaf certifies another key.
    #[error("the record key's certificate for {0} certifies another key, or a key that is not Ed25519")]
    OtherKey(String),
    /// The key is one of the few that make forged signatures pass.
    #[error("the record key of {0} is one of the weak Ed25519 keys that let anybody sign: make a new one")]
    WeakKey(String),
    /// A TLS certificate, or one of another purpose.
    #[error("the certificate presented for {0}'s record key is not a record-signing certificate")]
    Purpose(String),
    /// The chain does not lead to a trusted root.
    #[error("the record key's certificate for {0} was not issued by this registry's authority ({1})")]
    Untrusted(String, String),
}

impl RecordKeyTrust {
    /// Trusts certificates that lead to one of `roots`.
    pub fn new(roots: Roots) -> RecordKeyTrust {
        RecordKeyTrust { roots }
    }

    /// Whether the Ed25519 public key `key` may sign for `origin` (`court/alameda/node/1`, `hub/1`), vouched for by
    /// `chain`: certificates in DER, the key's own first.
    pub fn admit(&self, origin: &str, key: &[u8; 32], chain: &[Vec<u8>]) -> Result<(), RecordKeyRefused> {
        if chain.len() > MOST_CERTIFICATES || chain.iter().any(|certificate| certificate.len() > MOST_BYTES) {
            return Err(RecordKeyRefused::Size);
        }
        let chain: Vec<_> = chain
            .iter()
            .map(|der| CertificateDer::from(der.as_slice()))
            .collect();
        let (leaf, others) = chain.split_first().ok_or(RecordKeyRefused::Size)?;
        let peer = identity_of(leaf).map_err(RecordKeyRefused::Identity)?;
        let path = peer.identity.path();
        if path != origin {
            let origin = origin.chars().take(80).collect();
            return Err(RecordKeyRefused::OtherOrigin { origin, found: path });
        }
        if !certified_key(leaf).is_some_and(|(kind, public)| kind == KeyKind::Ed25519 && public == key) {
            return Err(RecordKeyRefused::OtherKey(path));
        }
        if is_weak(key) {
            return Err(RecordKeyRefused::WeakKey(path));
        }
        if !only_for_records(leaf) {
            return Err(RecordKeyRefused::Purpose(path));
        }
        // The authority's own certificates carry no usage, which this form of the check lets pass.
        let usage = KeyUsage::required_if_present(RECORD_SIGNING);
        self.roots
            .check_chain(leaf, others, peer.not_before, usage)
            .map_err(|refused| RecordKeyRefused::Untrusted(path, refused.to_string()))
    }
}

fn only_for_records(leaf: &CertificateDer<'_>) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(leaf.as_ref()) else {
        return false;
    };
    let Ok(Some(usage)) = parsed.extended_key_usage() else {
        return false;
    };
    let usage = usage.value;
    let for_others = usage.any
        || usage.server_auth
        || usage.client_auth
        || usage.code_signing
        || usage.email_protection
        || usage.time_stamping
        || usage.ocsp_signing;
    !for_others && matches!(usage.other.as_slice(), [only] if only.as_bytes() == RECORD_SIGNING)
}

/// Whether an Ed25519 public key is a point of small order (RFC 8032 leaves this to the verifier): with it one
/// signature fits many messages. The encodings with and without the sign bit are the same point's.
pub(crate) fn is_weak(key: &[u8; 32]) -> bool {
    const SMALL_ORDER: [[u8; 32]; 7] = [
        edge(0, 0, 0),
        edge(1, 0, 0),
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
            0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
        edge(0xec, 0xff, 0x7f),
        edge(0xed, 0xff, 0x7f),
        edge(0xee, 0xff, 0x7f),
    ];
    let mut unsigned = *key;
    if let Some(last) = unsigned.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER.contains(&unsigned)
}

const fn edge(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::PrivateKey;

    #[test]
    fn small_order_keys_are_weak_under_either_sign_and_real_ones_are_not() {
        let mut identity_point = [0; 32];
        identity_point[0] = 1;
        let mut order_two = [0xff; 32];
        (order_two[0], order_two[31]) = (0xec, 0x7f);
        for mut key in [[0; 32], identity_point, order_two] {
            assert!(is_weak(&key));
            key[31] ^= 0x80;
            assert!(is_weak(&key));
        }
        let real = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        assert!(!is_weak(real.public().try_into().unwrap()));
    }
}
