//! The durable mark: a note, written when a ledger is idle, that everything up to a head is on the disk.
//!
//! With it a change of the very last records is told apart from a write that never finished: what stands before the mark is
//! never cut. The file `durable` has two slots of 4096 bytes, written in turn, so that a torn write leaves the older one.
//! A slot holds: magic, counter, segment, end offset, epoch, zero, sequence number, hash, and a BLAKE3 checksum of these.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::origin::OriginId;
use crate::position::{Hash, Head, Position};
use crate::segment::sync_dir;

const FILE_NAME: &str = "durable";
const SLOT_BYTES: u64 = 4096;
const MAGIC: [u8; 8] = *b"ccpormrk";
const BODY_BYTES: usize = 80;
const SLOT_USED: usize = BODY_BYTES + 32;
const CHECKSUM_CONTEXT: &str = "ccpor 2026-11 ledger durable mark checksum v1";

/// Up to where a ledger is known to be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The last record's segment.
    pub(crate) segment: u64,
    /// Where its frame ends there.
    pub(crate) end: u32,
    /// The record.
    pub(crate) head: Head,
}

/// The file with the mark.
pub(crate) struct MarkFile {
    file: File,
    origin: OriginId,
    counter: u64,
    mark: Option<Mark>,
}

impl MarkFile {
    /// Opens the file of a ledger's directory, and makes it when missing.
    pub(crate) fn open(dir: &Path, origin: &OriginId) -> io::Result<MarkFile> {
        let path = dir.join(FILE_NAME);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        if file.metadata()?.len() < 2 * SLOT_BYTES {
            file.set_len(2 * SLOT_BYTES)?;
            file.sync_all()?;
            sync_dir(dir)?;
        }
        let mut newest = (0, None);
        for slot in [0, 1] {
            let mut bytes = [0; SLOT_USED];
            file.read_exact_at(&mut bytes, slot * SLOT_BYTES)?;
            if let Some((counter, mark)) = decode(&bytes, origin)
                && counter > newest.0
            {
                newest = (counter, mark);
            }
        }
        Ok(MarkFile {
            file,
            origin: origin.clone(),
            counter: newest.0,
            mark: newest.1,
        })
    }

    /// The mark as it is on the disk.
    pub(crate) fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// Sets the mark durably; `None` says that nothing is known to be durable.
    pub(crate) fn set(&mut self, mark: Option<Mark>) -> io::Result<()> {
        if mark == self.mark {
            return Ok(());
        }
        let counter = self.counter.saturating_add(1);
        self.file
            .write_all_at(&encode(counter, mark, &self.origin), counter % 2 * SLOT_BYTES)?;
        self.file.sync_data()?;
        (self.counter, self.mark) = (counter, mark);
        Ok(())
    }
}

fn encode(counter: u64, mark: Option<Mark>, origin: &OriginId) -> Vec<u8> {
    let nowhere = Head {
        position: Position { epoch: 0, seq: 0 },
        hash: Hash::ZERO,
    };
    let mark = mark.unwrap_or(Mark {
        segment: 0,
        end: 0,
        head: nowhere,
    });
    let mut out = Vec::with_capacity(SLOT_USED);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&counter.to_le_bytes());
    out.extend_from_slice(&mark.segment.to_le_bytes());
    out.extend_from_slice(&u64::from(mark.end).to_le_bytes());
    out.extend_from_slice(&u64::from(mark.head.position.epoch).to_le_bytes());
    out.extend_from_slice(&mark.head.position.seq.to_le_bytes());
    out.extend_from_slice(&mark.head.hash.0);
    let checksum = checksum(&out, origin);
    out.extend_from_slice(&checksum);
    out
}

fn decode(bytes: &[u8; SLOT_USED], origin: &OriginId) -> Option<(u64, Option<Mark>)> {
    let (mut body, sum) = bytes.split_at(BODY_BYTES);
    if checksum(body, origin) != *sum || take::<8>(&mut body)? != MAGIC {
        return None;
    }
    let counter = u64::from_le_bytes(take(&mut body)?);
    let segment = u64::from_le_bytes(take(&mut body)?);
    let end = u32::try_from(u64::from_le_bytes(take(&mut body)?)).ok()?;
    let epoch = u32::try_from(u64::from_le_bytes(take(&mut body)?)).ok()?;
    let seq = u64::from_le_bytes(take(&mut body)?);
    let hash = Hash(take(&mut body)?);
    let mark = Mark {
        segment,
        end,
        head: Head {
            position: Position { epoch, seq },
            hash,
        },
    };
    Some((counter, (segment > 0).then_some(mark)))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (front, back) = rest.split_first_chunk::<N>()?;
    *rest = back;
    Some(*front)
}

/// The origin's name goes in, so that a file that strayed from another ledger says nothing here.
fn checksum(body: &[u8], origin: &OriginId) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(CHECKSUM_CONTEXT);
    hasher.update(body).update(origin.as_str().as_bytes());
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_whole_slot_counts() {
        let dir = tempfile::tempdir().unwrap();
        let origin = OriginId::new("court/alameda/node/1").unwrap();
        let mark = |seq| Mark {
            segment: 2,
            end: 1_000,
            head: Head {
                position: Position { epoch: 1, seq },
                hash: Hash([1; 32]),
            },
        };
        let mut file = MarkFile::open(dir.path(), &origin).unwrap();
        assert_eq!(file.mark(), None);
        file.set(Some(mark(1))).unwrap();
        file.set(Some(mark(2))).unwrap();
        let reopen = || MarkFile::open(dir.path(), &origin).unwrap().mark();
        assert_eq!(reopen(), Some(mark(2)));
        // A torn write of the third mark goes to the first one's slot and leaves the second.
        file.file.write_all_at(b"torn", SLOT_BYTES).unwrap();
        assert_eq!(reopen(), Some(mark(2)));
        file.set(None).unwrap();
        assert_eq!(reopen(), None);
        let other = OriginId::new("court/alameda/node/2").unwrap();
        assert_eq!(MarkFile::open(dir.path(), &other).unwrap().mark(), None);
    }
}
