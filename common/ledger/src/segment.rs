//! A segment file: its name, its header, how a new one comes to be durably. Does not know what stands in the frames.
//!
//! ```text
//!   0  [8]  "ccporseg"
//!   8  u32  format, 1
//!  12  u32  bytes of the origin's name
//!  16  u64  number of the segment, from 1
//!  24  u64  sequence number of the last record before this segment, 0 in the first
//!  32  u32  its epoch, 0 in the first
//!  36  u32  zero
//!  40  [32] its hash, zero in the first
//!  72  [96] the origin's name, filled up with zeros
//! 168  [56] zero
//! 224  [32] BLAKE3 checksum of the bytes before
//! 256  …    frames, then zeros that were written ahead
//! ```

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::origin::{MAX_ORIGIN_BYTES, OriginId};
use crate::position::{Hash, Head, Position};

/// Bytes of the header; the first frame follows.
pub(crate) const HEADER_BYTES: usize = 256;
/// The same, as a place in a file.
pub(crate) const FIRST_FRAME: u64 = 256;
/// A segment is not begun a batch that would make it longer than this.
pub(crate) const SEGMENT_BYTES: u64 = 64 << 20;
/// Zeros are written ahead of the frames in steps of this many bytes: overwriting allocated blocks makes fdatasync about
/// twice as fast as growing the file (measured on ext4), and a full disk shows here, before any frame is written.
pub(crate) const AHEAD_BYTES: u64 = 256 << 10;

const MAGIC: [u8; 8] = *b"ccporseg";
const FORMAT: u32 = 1;
const CHECKSUM_AT: usize = 224;
const CHECKSUM_CONTEXT: &str = "ccpor 2026-11 ledger segment header checksum v1";

/// What a segment's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) origin: OriginId,
    /// From 1, without holes.
    pub(crate) number: u64,
    /// The last record of the segment before; `None` in the first.
    pub(crate) continues: Option<Head>,
}

/// Why a header says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadHeader {
    /// Not what was written.
    Damaged,
    /// Of a format that this program does not know.
    Format(u32),
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        let name = self.origin.as_str().as_bytes();
        let (position, hash) = match self.continues {
            Some(head) => (head.position, head.hash),
            None => (Position { epoch: 0, seq: 0 }, Hash::ZERO),
        };
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&u32::try_from(name.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&position.seq.to_le_bytes());
        out.extend_from_slice(&position.epoch.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&hash.0);
        out.extend_from_slice(name);
        out.resize(CHECKSUM_AT, 0);
        let checksum = blake3::derive_key(CHECKSUM_CONTEXT, &out);
        out.extend_from_slice(&checksum);
        let mut header = [0; HEADER_BYTES];
        header.copy_from_slice(&out);
        header
    }

    pub(crate) fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Header, BadHeader> {
        let (body, checksum) = bytes.split_at(CHECKSUM_AT);
        if blake3::derive_key(CHECKSUM_CONTEXT, body) != *checksum {
            return Err(BadHeader::Damaged);
        }
        let mut rest = body;
        let mut take = |count: usize| {
            let (front, back) = rest.split_at_checked(count).unwrap_or((&[], &[]));
            rest = back;
            front
        };
        let (magic, format) = (take(8), little_endian(take(4)));
        if magic != MAGIC {
            return Err(BadHeader::Damaged);
        }
        if format != u64::from(FORMAT) {
            return Err(BadHeader::Format(u32::try_from(format).unwrap_or(u32::MAX)));
        }
        let name_bytes = usize::try_from(little_endian(take(4))).unwrap_or(usize::MAX);
        let number = little_endian(take(8));
        let seq = little_endian(take(8));
        let epoch = u32::try_from(little_endian(take(4))).unwrap_or(0);
        take(4);
        let hash = Hash(take(32).try_into().unwrap_or_default());
        let name = take(MAX_ORIGIN_BYTES)
            .get(..name_bytes)
            .ok_or(BadHeader::Damaged)?;
        let origin = std::str::from_utf8(name)
            .ok()
            .and_then(|name| OriginId::new(name).ok());
        let continues = (seq > 0).then_some(Head {
            position: Position { epoch, seq },
            hash,
        });
        Ok(Header {
            origin: origin.ok_or(BadHeader::Damaged)?,
            number,
            continues,
        })
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// The file name of a segment.
pub(crate) fn segment_name(number: u64) -> String {
    format!("{number:08}.segment")
}

/// The number in a segment's file name.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".segment")?;
    let number = digits.parse().ok().filter(|number| *number > 0)?;
    (segment_name(number) == name).then_some(number)
}

/// Makes a new segment that holds its header only. It appears under its name when it is whole and durable, or not at all.
/// Gives the file, open for reading and writing, and how many bytes of it are allocated.
pub(crate) fn create(dir: &Path, header: &Header) -> io::Result<(File, u64)> {
    let path = dir.join(segment_name(header.number));
    let unfinished = path.with_extension("segment.new");
    let written = write_new(&unfinished, header).and_then(|file| {
        fs::rename(&unfinished, &path)?;
        sync_dir(dir)?;
        Ok(file)
    });
    match written {
        Ok(file) => Ok((file, AHEAD_BYTES)),
        Err(fault) => {
            // The segment before must be the last one again, or records written there later would count as damage.
            remove(&unfinished)?;
            remove(&path)?;
            Err(fault)
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        // Said as a failure of another kind, so that it is not taken for a full disk that can be waited out.
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(io::Error::other(fault)),
        _ => Ok(()),
    }
}

fn write_new(path: &Path, header: &Header) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    let mut bytes = vec![0; usize::try_from(AHEAD_BYTES).unwrap_or(HEADER_BYTES)];
    if let Some(front) = bytes.get_mut(..HEADER_BYTES) {
        front.copy_from_slice(&header.encode());
    }
    file.write_all_at(&bytes, 0)?;
    file.sync_all()?;
    Ok(file)
}

/// Opens a segment for reading and writing.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// The numbers of the segments in a directory, in order. Files that an interrupted program left unfinished are removed.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.ends_with(".new") {
            fs::remove_file(entry.path())?;
        } else if let Some(number) = segment_number(name) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The path of a segment.
pub(crate) fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(segment_name(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(segment_name(1), "00000001.segment");
        assert_eq!(segment_number("00000001.segment"), Some(1));
        assert_eq!(segment_number("123456789.segment"), Some(123_456_789));
        for name in [
            "1.segment",
            "00000000.segment",
            "00000001.offsets",
            "0000000a.segment",
            "+0000001.segment",
        ] {
            assert_eq!(segment_number(name), None, "{name}");
        }
    }

    #[test]
    fn a_header_reads_what_it_writes_and_any_flipped_bit_is_found() {
        let head = Head {
            position: Position { epoch: 3, seq: 99 },
            hash: Hash([8; 32]),
        };
        for continues in [None, Some(head)] {
            let origin = OriginId::new("tribal/yurok/node/1").unwrap();
            let header = Header {
                origin,
                number: 4,
                continues,
            };
            let mut bytes = header.encode();
            assert_eq!(Header::decode(&bytes), Ok(header));
            for bit in 0..HEADER_BYTES * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Header::decode(&bytes), Err(BadHeader::Damaged), "bit {bit}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }
}
