//! One record's bytes inside a segment file: length, batch, checksum, signature, record. Pure; reads untrusted bytes.
//!
//! ```text
//!  0  u32  length of the record's bytes; zero: nothing was written from here on
//!  4  u32  byte offset in the segment where the batch that this frame was written with begins
//!  8  [8]  checksum over the two numbers above and the record's hash
//! 16  [64] signature
//! 80  …    the record's canonical bytes
//! ```
//!
//! Numbers are little-endian. A batch is written at once and made durable at once, and the next one is written only after
//! that. So a whole frame of a later batch proves that everything before its batch had been durable, and a broken frame
//! there is damage; within the last batch, whole frames may follow broken ones after a power cut that tore the write.

use std::sync::LazyLock;

use crate::position::Hash;
use crate::record::{MAX_RECORD_BYTES, SignedRecord, record_hash};
use crate::sign::SIGNATURE_BYTES;

/// Bytes of a frame before the record.
pub(crate) const FRAME_HEAD_BYTES: usize = 80;

const CHECKSUM_CONTEXT: &str = "ccpor 2026-11 ledger frame checksum v1";
static CHECKSUM_KEY: LazyLock<[u8; 32]> = LazyLock::new(|| blake3::derive_key(CHECKSUM_CONTEXT, b""));

/// A whole frame, in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    /// Where its batch begins in the segment.
    pub(crate) batch: u32,
    /// The signature.
    pub(crate) signature: &'a [u8; SIGNATURE_BYTES],
    /// The record's bytes.
    pub(crate) bytes: &'a [u8],
    /// The hash of the two, which the checksum confirmed.
    pub(crate) hash: Hash,
}

impl Frame<'_> {
    /// The record, copied out.
    pub(crate) fn to_signed(self) -> SignedRecord {
        SignedRecord {
            bytes: self.bytes.to_vec(),
            signature: *self.signature,
        }
    }

    /// Bytes of the frame.
    pub(crate) fn len(&self) -> usize {
        frame_len(self.bytes.len())
    }
}

/// What stands at a place in a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Read<'a> {
    /// A whole frame.
    Whole(Frame<'a>),
    /// Nothing was written here, or no byte is left.
    End,
    /// Something that is not a whole frame.
    Broken,
    /// A frame that may be whole, but goes on behind the end of `data`.
    Short,
}

/// Bytes of the frame of a record with so many bytes.
pub(crate) fn frame_len(record_bytes: usize) -> usize {
    FRAME_HEAD_BYTES + record_bytes
}

/// Appends the frame of a record to a buffer. The record has at most [`MAX_RECORD_BYTES`].
pub(crate) fn write_frame(out: &mut Vec<u8>, batch: u32, signed: &SignedRecord, hash: &Hash) {
    let length = u32::try_from(signed.bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&batch.to_le_bytes());
    out.extend_from_slice(&checksum(length, batch, hash));
    out.extend_from_slice(&signed.signature);
    out.extend_from_slice(&signed.bytes);
}

/// Reads what stands at the beginning of `data`.
pub(crate) fn read_frame(data: &[u8]) -> Read<'_> {
    let Some((length, rest)) = data.split_first_chunk::<4>() else {
        return if data.iter().all(|byte| *byte == 0) {
            Read::End
        } else {
            Read::Broken
        };
    };
    let length = u32::from_le_bytes(*length);
    let Ok(record_bytes) = usize::try_from(length) else {
        return Read::Broken;
    };
    if record_bytes == 0 {
        return Read::End;
    }
    if record_bytes > MAX_RECORD_BYTES {
        return Read::Broken;
    }
    if data.len() < frame_len(record_bytes) {
        return Read::Short;
    }
    let whole = || {
        let (batch, rest) = rest.split_first_chunk::<4>()?;
        let (sum, rest) = rest.split_first_chunk::<8>()?;
        let (signature, rest) = rest.split_first_chunk::<SIGNATURE_BYTES>()?;
        let bytes = rest.get(..record_bytes)?;
        let batch = u32::from_le_bytes(*batch);
        let hash = record_hash(bytes, signature);
        (checksum(length, batch, &hash) == *sum).then_some(Frame {
            batch,
            signature,
            bytes,
            hash,
        })
    };
    whole().map_or(Read::Broken, Read::Whole)
}

fn checksum(length: u32, batch: u32, hash: &Hash) -> [u8; 8] {
    let mut input = [0; 40];
    let (numbers, rest) = input.split_at_mut(8);
    numbers.copy_from_slice(&((u64::from(batch) << 32) | u64::from(length)).to_le_bytes());
    rest.copy_from_slice(&hash.0);
    let [a, b, c, d, e, f, g, h, ..] = *blake3::keyed_hash(&CHECKSUM_KEY, &input).as_bytes();
    [a, b, c, d, e, f, g, h]
}

/// Most bytes that the search for a whole frame hashes before it gives up. Only bytes made to look like many frames reach it.
const SEARCH_BUDGET: usize = 1 << 30;

/// What a search behind broken bytes found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    /// A whole frame at an offset of `data`.
    Frame(usize),
    /// No whole frame.
    Nothing,
    /// The budget ran out before the end.
    GaveUp,
}

/// Looks in `data` for the first whole frame that begins at `from` or later and whose record begins before `to`. `opening` is
/// how every record of this origin begins (version and name), which makes the search a plain one for those bytes.
pub(crate) fn find_frame(data: &[u8], from: usize, to: usize, opening: &[u8]) -> Found {
    let mut budget = SEARCH_BUDGET;
    let to = to.saturating_add(opening.len()).min(data.len());
    let Some(rest) = data.get(from..to) else {
        return Found::Nothing;
    };
    for (at, window) in rest.windows(opening.len()).enumerate() {
        if window != opening {
            continue;
        }
        let Some(offset) = (from + at)
            .checked_sub(FRAME_HEAD_BYTES)
            .filter(|offset| *offset >= from)
        else {
            continue;
        };
        let Some(candidate) = data.get(offset..) else {
            continue;
        };
        match read_frame(candidate) {
            Read::Whole(_) => return Found::Frame(offset),
            Read::Broken => {
                let claimed = candidate
                    .first_chunk::<4>()
                    .map_or(0, |length| u32::from_le_bytes(*length));
                let hashed = usize::try_from(claimed).unwrap_or(0).min(MAX_RECORD_BYTES);
                match budget.checked_sub(hashed) {
                    Some(left) => budget = left,
                    None => return Found::GaveUp,
                }
            }
            Read::End | Read::Short => {}
        }
    }
    Found::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(fill: u8) -> (SignedRecord, Vec<u8>) {
        let mut bytes = b"opening".to_vec();
        bytes.extend([fill; 100]);
        let signed = SignedRecord {
            bytes,
            signature: [fill; 64],
        };
        let mut out = Vec::new();
        write_frame(&mut out, 7, &signed, &signed.hash());
        (signed, out)
    }

    #[test]
    fn any_flipped_bit_of_a_frame_is_found() {
        let (signed, mut frame) = sample(9);
        assert!(
            matches!(read_frame(&frame), Read::Whole(whole) if whole.to_signed() == signed && whole.batch == 7)
        );
        frame.extend([0; 64]);
        for bit in 0..(frame.len() - 64) * 8 {
            frame[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(read_frame(&frame), Read::Whole(_)), "bit {bit}");
            frame[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn the_search_finds_the_next_whole_frame() {
        let (_, first) = sample(1);
        let (second, frame) = sample(2);
        let mut data = first.clone();
        data[90] ^= 1;
        data.extend(&frame);
        let Found::Frame(offset) = find_frame(&data, 1, data.len(), b"opening") else {
            panic!("not found")
        };
        assert_eq!(offset, first.len());
        assert!(matches!(read_frame(&data[offset..]), Read::Whole(found) if found.to_signed() == second));
        data[first.len() + 20] ^= 1;
        assert!(matches!(
            find_frame(&data, 1, data.len(), b"opening"),
            Found::Nothing
        ));
    }

    #[test]
    fn ends_and_nonsense() {
        assert!(matches!(read_frame(&[]), Read::End));
        assert!(matches!(read_frame(&[0; 3]), Read::End));
        assert!(matches!(read_frame(&[1, 0]), Read::Broken));
        assert!(matches!(read_frame(&[0; 100]), Read::End));
        assert!(matches!(read_frame(&[0xff; 100]), Read::Broken));
        assert!(matches!(read_frame(&[5, 0, 0, 0, 1]), Read::Short));
    }
}
