//! Ed25519 keys and signatures with a separate domain for each kind of signed bytes; knows nothing of what the bytes say.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

/// Bytes of an Ed25519 signature.
pub const SIGNATURE_BYTES: usize = 64;

/// What a signature is for. Each kind signs under a prefix of its own, so that no signature can be passed off as another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// A ledger record, by its origin.
    Record,
    /// A receipt, by a hub.
    Receipt,
    /// A heartbeat, by an origin.
    Heartbeat,
    /// An export of an audit trail, by the auditors.
    Export,
}

impl Domain {
    fn prefix(self) -> &'static [u8] {
        match self {
            Domain::Record => b"ccpor record v1\0",
            Domain::Receipt => b"ccpor receipt v1\0",
            Domain::Heartbeat => b"ccpor heartbeat v1\0",
            Domain::Export => b"ccpor audit export v1\0",
        }
    }

    fn message(self, bytes: &[u8]) -> Vec<u8> {
        [self.prefix(), bytes].concat()
    }
}

/// The first 8 bytes of the BLAKE3 hash of a public key: names a key in a record without repeating it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The key can be no one's own: anybody could make signatures that it accepts, or it is written in a second way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("weak Ed25519 public key: make a new signing key")]
pub struct WeakKey;

/// The signature was not made over these bytes by this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signature does not verify under key {key}: the bytes were changed or another key signed them")]
pub struct BadSignature {
    /// The key it was checked against.
    pub key: KeyId,
}

/// An Ed25519 public key (RFC 8032) that is not weak.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// Takes the 32 bytes of a public key; refuses points of small order and second spellings of a point.
    ///
    /// The library checks that S is below the group order, that the key decodes, and compares R as bytes; it accepts keys
    /// of small order, under which one signature can fit many messages. Hence the list here.
    pub fn new(bytes: [u8; 32]) -> Result<VerifyingKey, WeakKey> {
        if is_small_order(&bytes) || !is_canonical(&bytes) {
            Err(WeakKey)
        } else {
            Ok(VerifyingKey(bytes))
        }
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The short name of the key.
    pub fn id(&self) -> KeyId {
        let hash = blake3::hash(&self.0);
        let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
        KeyId([a, b, c, d, e, f, g, h])
    }

    /// Checks a signature made by [`SigningKey::sign`] in the same domain. About 33 microseconds.
    pub fn verify(
        &self,
        domain: Domain,
        bytes: &[u8],
        signature: &[u8; SIGNATURE_BYTES],
    ) -> Result<(), BadSignature> {
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(&domain.message(bytes), signature)
            .map_err(|_| BadSignature { key: self.id() })
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.id())
    }
}

/// The y coordinates of the eight points of small order, sign bit cleared, second spellings included
/// (the list of Cremers and Jackson, "Prime, Order Please!", 2019, which libsodium uses as well).
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    {
        let mut minus_one = [0xff; 32];
        minus_one[0] = 0xec;
        minus_one[31] = 0x7f;
        minus_one
    },
];

fn is_small_order(key: &[u8; 32]) -> bool {
    let mut y = *key;
    y[31] &= 0x7f;
    SMALL_ORDER.contains(&y)
}

/// y must be below p = 2^255 - 19; the 19 values above it would be second spellings of small ones.
fn is_canonical(key: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = key;
    !(*first >= 0xed && middle.iter().all(|byte| *byte == 0xff) && last & 0x7f == 0x7f)
}

/// The bytes are not an Ed25519 private key in PKCS#8 form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 private key in PKCS#8 DER form: check the key file")]
pub struct NotASigningKey;

/// An Ed25519 private key. Never printed; wiped by the library when dropped.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifyingKey,
}

impl SigningKey {
    /// Makes a new key from the operating system's random numbers.
    pub fn generate() -> Result<SigningKey, NotASigningKey> {
        SigningKey::of(Ed25519KeyPair::generate().map_err(|_| NotASigningKey)?)
    }

    /// Reads a key in PKCS#8 DER form (RFC 8410), with or without the public half.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<SigningKey, NotASigningKey> {
        SigningKey::of(Ed25519KeyPair::from_pkcs8(der).map_err(|_| NotASigningKey)?)
    }

    /// Makes a key from its 32 byte seed (RFC 8032, 5.1.5). For tests and fixed examples.
    pub fn from_seed(seed: &[u8; 32]) -> Result<SigningKey, NotASigningKey> {
        SigningKey::of(Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NotASigningKey)?)
    }

    /// The key in PKCS#8 DER form: secret, for a file of mode 0600 only.
    pub fn to_pkcs8_der(&self) -> Result<Vec<u8>, NotASigningKey> {
        Ok(self
            .pair
            .to_pkcs8v1()
            .map_err(|_| NotASigningKey)?
            .as_ref()
            .to_vec())
    }

    /// The public half.
    pub fn public(&self) -> VerifyingKey {
        self.public
    }

    /// Signs bytes in a domain. About 10 microseconds. Fails only when the library cannot allocate.
    pub fn sign(&self, domain: Domain, bytes: &[u8]) -> Result<[u8; SIGNATURE_BYTES], NotASigningKey> {
        let signature = self
            .pair
            .try_sign(&domain.message(bytes))
            .map_err(|_| NotASigningKey)?;
        signature.as_ref().try_into().map_err(|_| NotASigningKey)
    }

    fn of(pair: Ed25519KeyPair) -> Result<SigningKey, NotASigningKey> {
        let bytes: [u8; 32] = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| NotASigningKey)?;
        let public = VerifyingKey::new(bytes).map_err(|_| NotASigningKey)?;
        Ok(SigningKey { pair, public })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_keep_signatures_apart() {
        let key = SigningKey::from_seed(&[7; 32]).unwrap();
        let signature = key.sign(Domain::Record, b"bytes").unwrap();
        assert_eq!(key.public().verify(Domain::Record, b"bytes", &signature), Ok(()));
        for domain in [Domain::Receipt, Domain::Heartbeat, Domain::Export] {
            assert!(key.public().verify(domain, b"bytes", &signature).is_err());
        }
        let other = SigningKey::generate().unwrap();
        assert!(
            other
                .public()
                .verify(Domain::Record, b"bytes", &signature)
                .is_err()
        );
    }

    #[test]
    fn a_key_survives_its_file_form() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_pkcs8_der(&key.to_pkcs8_der().unwrap()).unwrap();
        assert_eq!(again.public(), key.public());
        assert!(SigningKey::from_pkcs8_der(b"no key").is_err());
    }

    #[test]
    fn weak_keys_are_refused() {
        for y in SMALL_ORDER {
            let mut signed = y;
            signed[31] |= 0x80;
            assert_eq!(VerifyingKey::new(y), Err(WeakKey));
            assert_eq!(VerifyingKey::new(signed), Err(WeakKey));
        }
        for low in 0xed..=0xff {
            let mut key = [0xff; 32];
            key[0] = low;
            assert_eq!(VerifyingKey::new(key), Err(WeakKey));
            key[31] = 0x7f;
            assert_eq!(VerifyingKey::new(key), Err(WeakKey));
        }
    }

    /// Why the list is needed: the library itself lets a signature of the identity key through for any message.
    #[test]
    fn the_library_alone_accepts_a_small_order_key() {
        let identity = SMALL_ORDER[1];
        let mut signature = [0; 64];
        signature[0] = 1; // R = identity, S = 0
        let accepted = UnparsedPublicKey::new(&ED25519, identity)
            .verify(b"anything", &signature)
            .is_ok();
        assert!(
            accepted,
            "the library has grown a check of its own: the comment at VerifyingKey::new is out of date"
        );
    }

    /// S + L is the same scalar in a second spelling; accepting it would give a record two valid hashes.
    #[test]
    fn a_second_spelling_of_a_signature_is_refused() {
        const L: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let key = SigningKey::from_seed(&[3; 32]).unwrap();
        let mut signature = key.sign(Domain::Record, b"bytes").unwrap();
        let mut carry = 0u16;
        for (byte, add) in signature[32..].iter_mut().zip(L) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        assert!(key.public().verify(Domain::Record, b"bytes", &signature).is_err());
    }
}
