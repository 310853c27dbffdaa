//! Where a record stands in its origin's ledger and what its hash is; plain values, no bytes of records in sight.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// BLAKE3 hash of a signed record (its bytes followed by its signature), or all zero where nothing comes before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the very first record of an origin names as its predecessor.
    pub const ZERO: Hash = Hash([0; 32]);

    /// Reads 64 hexadecimal digits of either case.
    pub fn from_hex(text: &str) -> Option<Hash> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            let value = char::from(*high).to_digit(16)? * 16 + char::from(*low).to_digit(16)?;
            *byte = u8::try_from(value).ok()?;
        }
        Some(Hash(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// 64 hexadecimal digits where people read it (JSON), 32 raw bytes in binary formats.
impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            Hash::from_hex(&text).ok_or_else(|| D::Error::custom("a hash is 64 hexadecimal digits"))
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Hash)
        }
    }
}

/// A place in an origin's ledger. Ordered as the ledger is: by epoch, then by sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Counts 1, 2, 3 …; a new one begins when a machine is restored, cloned, repaired or changes its key.
    pub epoch: u32,
    /// Counts 1, 2, 3 … within the epoch, without holes. Number 1 is always the epoch's start record.
    pub seq: u64,
}

impl Position {
    /// The position of the first record of an origin.
    pub const FIRST: Position = Position { epoch: 1, seq: 1 };

    /// The next position in the same epoch; `None` when the numbers are used up.
    pub fn next(self) -> Option<Position> {
        Some(Position {
            epoch: self.epoch,
            seq: self.seq.checked_add(1)?,
        })
    }

    /// The first position of the next epoch; `None` when the epochs are used up.
    pub fn next_epoch(self) -> Option<Position> {
        Some(Position {
            epoch: self.epoch.checked_add(1)?,
            seq: 1,
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}

/// The last record of a ledger, or of the part of it that is spoken of. Equal heads mean equal ledgers up to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Head {
    /// Where the record stands.
    pub position: Position,
    /// Its hash, which pins every record before it too.
    pub hash: Hash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_ordered_as_the_ledger_is() {
        let last = Position {
            epoch: 1,
            seq: u64::MAX,
        };
        assert!(last < Position { epoch: 2, seq: 1 });
        assert_eq!(last.next(), None);
        assert_eq!(last.next_epoch(), Some(Position { epoch: 2, seq: 1 }));
        assert_eq!(
            Position {
                epoch: u32::MAX,
                seq: 1
            }
            .next_epoch(),
            None
        );
    }

    #[test]
    fn a_hash_reads_what_it_writes() {
        let hash = Hash(std::array::from_fn(|i| u8::try_from(i * 7 % 256).unwrap()));
        assert_eq!(Hash::from_hex(&hash.to_string()), Some(hash));
        assert_eq!(Hash::from_hex("00"), None);
        assert_eq!(Hash::from_hex(&"g".repeat(64)), None);
        assert_eq!(Hash::from_hex(&"é".repeat(32)), None);
    }
}
