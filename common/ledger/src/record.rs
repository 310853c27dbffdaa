//! One record and its canonical bytes: encode, decode, sign, hash. What an event's body says is not looked at.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Hlc;
use crate::origin::OriginId;
use crate::position::{Hash, Head, Position};
use crate::sign::{BadSignature, Domain, KeyId, NotASigningKey, SIGNATURE_BYTES, SigningKey, VerifyingKey};

/// The version that every record of this format begins with.
pub const RECORD_VERSION: u16 = 1;
/// Longest body of an event in bytes.
pub const MAX_BODY_BYTES: usize = 1 << 20;
/// Longest record in bytes, without its signature: a body and room for the fields around it.
pub const MAX_RECORD_BYTES: usize = MAX_BODY_BYTES + 1024;
/// Most certificates in the chain of an epoch's start, leaf included.
pub const MAX_CHAIN_CERTIFICATES: usize = 8;
/// Longest certificate in bytes (DER).
pub const MAX_CERTIFICATE_BYTES: usize = 16 << 10;

/// What the hash of a record is made under, so that it equals no other hash of the same bytes.
const HASH_CONTEXT: &str = "ccpor 2026-11 ledger record hash v1";

/// One entry of an origin's ledger. Fields are encoded in this order, at fixed widths, little end first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// [`RECORD_VERSION`].
    pub version: u16,
    /// Whose ledger it is in.
    pub origin: OriginId,
    /// The epoch, from 1.
    pub epoch: u32,
    /// The number within the epoch, from 1, without holes.
    pub seq: u64,
    /// Hash of the record before it, across epochs; [`Hash::ZERO`] for the origin's first.
    pub prev: Hash,
    /// When it was made; greater than that of the record before it.
    pub hlc: Hlc,
    /// The key that signed it: the one that the start of its epoch announced.
    pub key_id: KeyId,
    /// What it says.
    pub body: Body,
}

/// What a record says. Appended to, never reordered: the index of a kind is in the signed bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// An epoch begins. The first record of each epoch and nowhere else.
    EpochStart(EpochStart),
    /// An event of the registry, in a form that is not known here. At most [`MAX_BODY_BYTES`].
    Event(#[serde(with = "raw_bytes")] Vec<u8>),
    /// The key of this epoch hands the ledger over to another Ed25519 public key: the last record of its epoch. It is signed with the old
    /// key; the start of the next epoch is signed with the new one and names this record. So both have agreed.
    KeyHandover([u8; 32]),
}

/// The announcement that begins an epoch: why, after what, and under which key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochStart {
    /// Why the epoch begins.
    pub reason: EpochReason,
    /// The head of the epoch before; `None` in the origin's first epoch.
    pub previous: Option<Head>,
    /// The Ed25519 public key that signs this epoch, this record included.
    pub signing_key: [u8; 32],
    /// The certificates of the signing key, leaf first, DER; what they must say is up to [`crate::KeyTrust`].
    pub chain: Vec<Vec<u8>>,
}

/// Why an epoch begins. Appended to, never reordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpochReason {
    /// The origin is new.
    Created,
    /// The signing key was replaced.
    KeyRotated,
    /// The machine was restored from a backup or found itself behind its own records held by a peer.
    Restored,
    /// Two machines wrote under one name; this is the one that goes on.
    Cloned,
    /// Damage was repaired in a way that leaves numbers unused.
    Repaired,
}

/// The bytes are not a record in the one form that a record has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The record is longer than any may be.
    #[error("record of {bytes} bytes; the most is {MAX_RECORD_BYTES}: the sender breaks the format")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A later version of this program wrote it.
    #[error(
        "record format version {version}; this program reads version {RECORD_VERSION}: update this program"
    )]
    Version {
        /// The version it begins with.
        version: u16,
    },
    /// The bytes end early, go on too long, or say what no record can say.
    #[error("not a record in its one canonical form: the sender breaks the format")]
    Malformed,
}

/// The record cannot be written down as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The body or the certificate chain is longer than a record may carry.
    #[error(
        "too long for a record: a body has at most {MAX_BODY_BYTES} bytes, a key at most {MAX_CHAIN_CERTIFICATES} certificates"
    )]
    TooLong,
    /// The signing library failed.
    #[error("the record could not be signed: {0}")]
    Signing(#[from] NotASigningKey),
}

fn config() -> impl bincode::config::Config {
    bincode::config::legacy().with_limit::<MAX_RECORD_BYTES>()
}

impl Record {
    /// Where it stands.
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            seq: self.seq,
        }
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        if !self.body.fits() {
            return Err(EncodeError::TooLong);
        }
        let bytes = bincode::serde::encode_to_vec(self, config()).map_err(|_| EncodeError::TooLong)?;
        if bytes.len() > MAX_RECORD_BYTES {
            Err(EncodeError::TooLong)
        } else {
            Ok(bytes)
        }
    }

    /// Reads canonical bytes: no trailing bytes, no second spelling, no unknown version.
    pub fn decode(bytes: &[u8]) -> Result<Record, DecodeError> {
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(DecodeError::TooLong { bytes: bytes.len() });
        }
        let [low, high, ..] = *bytes else {
            return Err(DecodeError::Malformed);
        };
        let version = u16::from_le_bytes([low, high]);
        if version != RECORD_VERSION {
            return Err(DecodeError::Version { version });
        }
        let (record, used): (Record, usize) =
            bincode::serde::decode_from_slice(bytes, config()).map_err(|_| DecodeError::Malformed)?;
        let same = used == bytes.len() && record.encode().is_ok_and(|again| again == bytes);
        if same {
            Ok(record)
        } else {
            Err(DecodeError::Malformed)
        }
    }

    /// Encodes and signs.
    pub fn sign(&self, key: &SigningKey) -> Result<SignedRecord, EncodeError> {
        let bytes = self.encode()?;
        let signature = key.sign(Domain::Record, &bytes)?;
        Ok(SignedRecord { bytes, signature })
    }
}

impl Body {
    fn fits(&self) -> bool {
        match self {
            Body::EpochStart(start) => {
                start.chain.len() <= MAX_CHAIN_CERTIFICATES
                    && start
                        .chain
                        .iter()
                        .all(|certificate| certificate.len() <= MAX_CERTIFICATE_BYTES)
            }
            Body::Event(bytes) => bytes.len() <= MAX_BODY_BYTES,
            Body::KeyHandover(_) => true,
        }
    }
}

/// A record as it is stored and sent: the very bytes that were signed, never an encoding made anew.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SignedRecord {
    /// Canonical bytes of a [`Record`].
    #[serde(with = "raw_bytes")]
    pub bytes: Vec<u8>,
    /// Ed25519 over the bytes in [`Domain::Record`].
    #[serde(with = "raw_signature")]
    pub signature: [u8; SIGNATURE_BYTES],
}

impl SignedRecord {
    /// BLAKE3 of bytes and signature: what the next record's `prev` names.
    pub fn hash(&self) -> Hash {
        record_hash(&self.bytes, &self.signature)
    }

    /// Where it stands, with its hash.
    pub fn head(&self) -> Result<Head, DecodeError> {
        Ok(Head {
            position: self.outline()?.position,
            hash: self.hash(),
        })
    }

    /// Reads the record without checking its signature.
    pub fn decode(&self) -> Result<Record, DecodeError> {
        Record::decode(&self.bytes)
    }

    /// Reads the fields before the body, without checking the signature and without copying the body.
    pub fn outline(&self) -> Result<Outline<'_>, DecodeError> {
        Outline::read(&self.bytes)
    }

    /// The bytes of the event in its body, without copying them; none in a record that begins or ends an epoch.
    pub fn event(&self) -> Result<Option<&[u8]>, DecodeError> {
        match self.outline()?.body {
            BodyKind::EpochStart | BodyKind::KeyHandover => Ok(None),
            // An event is the last field, and its length came out exactly.
            BodyKind::Event(length) => Ok(self
                .bytes
                .len()
                .checked_sub(length)
                .and_then(|begin| self.bytes.get(begin..))),
        }
    }

    /// Checks the signature.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), BadSignature> {
        key.verify(Domain::Record, &self.bytes, &self.signature)
    }
}

impl fmt::Debug for SignedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outline() {
            Ok(outline) => write!(f, "SignedRecord({} {})", outline.origin, outline.position),
            Err(_) => write!(f, "SignedRecord({} bytes)", self.bytes.len()),
        }
    }
}

/// The hash of a signed record, from its parts.
pub(crate) fn record_hash(bytes: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> Hash {
    let mut hasher = record_hasher().clone();
    hasher.update(bytes).update(signature);
    Hash(*hasher.finalize().as_bytes())
}

/// Deriving the key from the context costs a hash of its own; it is done once.
fn record_hasher() -> &'static blake3::Hasher {
    static HASHER: std::sync::LazyLock<blake3::Hasher> =
        std::sync::LazyLock::new(|| blake3::Hasher::new_derive_key(HASH_CONTEXT));
    &HASHER
}

/// Which body follows, and for an event how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// An epoch's start.
    EpochStart,
    /// An event of so many bytes.
    Event(usize),
    /// A handover to another key.
    KeyHandover,
}

/// The fields of a record before its body, read in place. For an event this settles that the whole is canonical:
/// every field has a fixed width and the length must come out exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline<'a> {
    /// The origin's name as written; not yet validated, compare it with a known one.
    pub origin: &'a str,
    /// Where the record says it stands.
    pub position: Position,
    /// The hash it names as its predecessor's.
    pub prev: Hash,
    /// Its moment.
    pub hlc: Hlc,
    /// The key it says it is signed with.
    pub key_id: KeyId,
    /// What follows.
    pub body: BodyKind,
}

impl<'a> Outline<'a> {
    /// Reads the fields; allocates nothing and trusts no length.
    pub fn read(bytes: &'a [u8]) -> Result<Outline<'a>, DecodeError> {
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(DecodeError::TooLong { bytes: bytes.len() });
        }
        let mut rest = bytes;
        let version = u16::from_le_bytes(take(&mut rest)?);
        if version != RECORD_VERSION {
            return Err(DecodeError::Version { version });
        }
        let origin = take_slice(&mut rest)?;
        let origin = std::str::from_utf8(origin).map_err(|_| DecodeError::Malformed)?;
        let epoch = u32::from_le_bytes(take(&mut rest)?);
        let seq = u64::from_le_bytes(take(&mut rest)?);
        let prev = Hash(take(&mut rest)?);
        let hlc = Hlc(u64::from_le_bytes(take(&mut rest)?));
        let key_id = KeyId(take(&mut rest)?);
        let body = match u32::from_le_bytes(take(&mut rest)?) {
            0 => BodyKind::EpochStart,
            1 => {
                let body = take_slice(&mut rest)?;
                if !rest.is_empty() || body.len() > MAX_BODY_BYTES {
                    return Err(DecodeError::Malformed);
                }
                BodyKind::Event(body.len())
            }
            2 => {
                take::<32>(&mut rest)?;
                if !rest.is_empty() {
                    return Err(DecodeError::Malformed);
                }
                BodyKind::KeyHandover
            }
            _ => return Err(DecodeError::Malformed),
        };
        Ok(Outline {
            origin,
            position: Position { epoch, seq },
            prev,
            hlc,
            key_id,
            body,
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], DecodeError> {
    let (front, back) = rest.split_first_chunk::<N>().ok_or(DecodeError::Malformed)?;
    *rest = back;
    Ok(*front)
}

fn take_slice<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let length = usize::try_from(u64::from_le_bytes(take(rest)?)).map_err(|_| DecodeError::Malformed)?;
    let (front, back) = rest.split_at_checked(length).ok_or(DecodeError::Malformed)?;
    *rest = back;
    Ok(front)
}

/// Bytes as one block: the same encoding as a vector of bytes, without a call for each.
pub(crate) mod raw_bytes {
    use super::{Deserializer, Serializer, Visitor, fmt};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_byte_buf(Block)
    }

    struct Block;

    impl Visitor<'_> for Block {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }
    }
}

/// 64 bytes without a length: serde itself stops at arrays of 32.
pub(crate) mod raw_signature {
    use serde::ser::SerializeTuple as _;

    use super::{Deserializer, SIGNATURE_BYTES, SeqAccess, Serializer, Visitor, fmt};

    pub(crate) fn serialize<S: Serializer>(
        bytes: &[u8; SIGNATURE_BYTES],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(SIGNATURE_BYTES)?;
        bytes.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; SIGNATURE_BYTES], D::Error> {
        deserializer.deserialize_tuple(SIGNATURE_BYTES, Signature)
    }

    struct Signature;

    impl<'de> Visitor<'de> for Signature {
        type Value = [u8; SIGNATURE_BYTES];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a signature of 64 bytes")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
            use super::de_error;
            let mut signature = [0; SIGNATURE_BYTES];
            for byte in &mut signature {
                *byte = elements.next_element()?.ok_or_else(de_error::<A::Error>)?;
            }
            Ok(signature)
        }
    }
}

fn de_error<E: serde::de::Error>() -> E {
    E::custom("a signature has 64 bytes")
}
