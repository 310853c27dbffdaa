//! The table beside a sealed segment that saves scanning it at opening. A convenience only: rebuilt from the segment whenever
//! it is missing or does not fit, and never evidence of anything.
//!
//! Magic, format, stretches, segment, the last record's hash; for each stretch its first position, end, count and offsets;
//! then a BLAKE3 checksum of it all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::index::Stretch;
use crate::position::{Hash, Position};

const MAGIC: [u8; 8] = *b"ccporoff";
const FORMAT: u32 = 1;
const CHECKSUM_BYTES: usize = 32;
const CHECKSUM_CONTEXT: &str = "ccpor 2026-11 ledger offset table checksum v1";

/// What a table says of its segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// All records of the segment; without a gap, else no table is written.
    pub(crate) stretches: Vec<Stretch>,
    /// The hash of the last.
    pub(crate) last: Hash,
}

/// The path of a segment's table.
pub(crate) fn table_path(dir: &Path, segment: u64) -> PathBuf {
    dir.join(format!("{segment:08}.offsets"))
}

/// Writes the table of a sealed segment, whole or not at all. Not synced: losing it costs a scan.
pub(crate) fn write(dir: &Path, segment: u64, table: &Table) -> io::Result<()> {
    let path = table_path(dir, segment);
    let unfinished = path.with_extension("offsets.new");
    fs::write(&unfinished, encode(segment, table))?;
    fs::rename(unfinished, path)
}

/// Reads the table of a segment; `None` when there is none that can be used.
pub(crate) fn read(dir: &Path, segment: u64) -> Option<Table> {
    decode(&fs::read(table_path(dir, segment)).ok()?, segment)
}

fn encode(segment: u64, table: &Table) -> Vec<u8> {
    let mut out = Vec::new();
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&FORMAT.to_le_bytes());
    out.extend_from_slice(&count(table.stretches.len()));
    out.extend_from_slice(&segment.to_le_bytes());
    out.extend_from_slice(&table.last.0);
    for stretch in &table.stretches {
        out.extend_from_slice(&stretch.first.epoch.to_le_bytes());
        out.extend_from_slice(&stretch.first.seq.to_le_bytes());
        out.extend_from_slice(&stretch.end.to_le_bytes());
        out.extend_from_slice(&count(stretch.offsets.len()));
        out.extend(stretch.offsets.iter().flat_map(|offset| offset.to_le_bytes()));
    }
    let checksum = blake3::derive_key(CHECKSUM_CONTEXT, &out);
    out.extend_from_slice(&checksum);
    out
}

fn decode(bytes: &[u8], segment: u64) -> Option<Table> {
    let (mut rest, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
    if blake3::derive_key(CHECKSUM_CONTEXT, rest) != *checksum {
        return None;
    }
    let fits = take::<8>(&mut rest)? == MAGIC && take_u32(&mut rest)? == FORMAT;
    let count = take_u32(&mut rest)?;
    if !fits || u64::from_le_bytes(take(&mut rest)?) != segment {
        return None;
    }
    let last = Hash(take(&mut rest)?);
    let mut stretches = Vec::new();
    for _ in 0..count {
        let epoch = take_u32(&mut rest)?;
        let first = Position {
            epoch,
            seq: u64::from_le_bytes(take(&mut rest)?),
        };
        let end = take_u32(&mut rest)?;
        let records = usize::try_from(take_u32(&mut rest)?)
            .ok()
            .filter(|records| *records > 0)?;
        let (offsets, behind) = rest.split_at_checked(records.checked_mul(4)?)?;
        rest = behind;
        let (offsets, _) = offsets.as_chunks::<4>();
        let offsets = offsets.iter().map(|offset| u32::from_le_bytes(*offset)).collect();
        stretches.push(Stretch {
            segment,
            first,
            offsets,
            end,
        });
    }
    rest.is_empty().then_some(Table { stretches, last })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (front, back) = rest.split_first_chunk::<N>()?;
    *rest = back;
    Some(*front)
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    take(rest).map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_reads_what_it_writes_and_any_flipped_bit_makes_it_useless() {
        let first = Position { epoch: 1, seq: 5 };
        let one = Stretch {
            segment: 3,
            first,
            offsets: vec![256, 300, 410],
            end: 500,
        };
        let two = Stretch {
            segment: 3,
            first: Position { epoch: 2, seq: 1 },
            offsets: vec![500],
            end: 600,
        };
        let table = Table {
            stretches: vec![one, two],
            last: Hash([7; 32]),
        };
        let mut bytes = encode(3, &table);
        assert_eq!(decode(&bytes, 3), Some(table));
        assert_eq!(decode(&bytes, 4), None);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&bytes, 3), None, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length], 3), None);
        }
    }
}
