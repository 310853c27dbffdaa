//! What a ledger's directory holds, found out at opening: places of records, damage, an unfinished end. Changes nothing
//! but the offset tables, so that it may be interrupted and repeated at will.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::chain::{ChainEnd, epoch_start};
use crate::damage::{Damage, DamageKind};
use crate::frame::{Read, read_frame};
use crate::index::{Index, Place, Stretch};
use crate::mark::Mark;
use crate::offsets::{self, Table};
use crate::origin::OriginId;
use crate::position::{Hash, Head, Position};
use crate::record::SignedRecord;
use crate::segment::{self, BadHeader, FIRST_FRAME, HEADER_BYTES, Header, segment_path};
use crate::sign::VerifyingKey;
use crate::walk::{Before, Gap, GapKind, Walk, walk};

/// What was found.
pub(crate) struct Recovered {
    pub(crate) index: Index,
    /// The end of the chain; `None` for an empty ledger, and for one whose last epoch's start is damaged.
    pub(crate) end: Option<ChainEnd>,
    /// The last whole record.
    pub(crate) head: Option<Head>,
    /// The last segment, to be written on.
    pub(crate) last: Option<LastSegment>,
    pub(crate) damage: Vec<Damage>,
}

/// The segment that is written on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastSegment {
    pub(crate) number: u64,
    /// Where the last whole frame ends.
    pub(crate) end: u64,
    /// Where the batch of the last whole frame begins.
    pub(crate) batch: u64,
    /// Bytes in the file.
    pub(crate) allocated: u64,
    /// Bytes behind `end` of a write that was never finished.
    pub(crate) unfinished: u64,
}

/// Why a directory cannot be made sense of.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecoverError {
    #[error("{} holds the ledger of {found}", file.display())]
    OtherOrigin { file: PathBuf, found: OriginId },
    #[error("{} has segment format {format}", file.display())]
    Format { file: PathBuf, format: u32 },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// Reads the segments of a directory. `mark` is the durable mark.
pub(crate) fn recover(dir: &Path, origin: &OriginId, mark: Option<Mark>) -> Result<Recovered, RecoverError> {
    let numbers = segment::list(dir).map_err(|source| RecoverError::Io {
        path: dir.to_path_buf(),
        source,
    })?;
    let recovered = Recovered {
        index: Index::default(),
        end: None,
        head: None,
        last: None,
        damage: Vec::new(),
    };
    let mut recovery = Recovery {
        dir,
        origin,
        mark,
        recovered,
    };
    let mut expected = 1;
    for (index, number) in numbers.iter().copied().enumerate() {
        if number != expected {
            recovery.damaged(number - 1, 0, DamageKind::MissingFile, None);
        }
        let sealed = index + 1 < numbers.len();
        recovery
            .segment(number, sealed)
            .map_err(|fault| fault.at(&segment_path(dir, number)))?;
        expected = number + 1;
    }
    recovery
        .check_mark(expected)
        .map_err(|fault| fault.at(&segment_path(dir, expected - 1)))?;
    recovery.find_end().map_err(|fault| fault.at(dir))?;
    Ok(recovery.recovered)
}

/// A failure inside a segment, before its path is known.
enum SegmentFault {
    OtherOrigin(OriginId),
    Format(u32),
    Io(io::Error),
}

impl From<io::Error> for SegmentFault {
    fn from(source: io::Error) -> Self {
        SegmentFault::Io(source)
    }
}

impl SegmentFault {
    fn at(self, path: &Path) -> RecoverError {
        let file = path.to_path_buf();
        match self {
            SegmentFault::OtherOrigin(found) => RecoverError::OtherOrigin { file, found },
            SegmentFault::Format(format) => RecoverError::Format { file, format },
            SegmentFault::Io(source) => RecoverError::Io { path: file, source },
        }
    }
}

struct Recovery<'a> {
    dir: &'a Path,
    origin: &'a OriginId,
    mark: Option<Mark>,
    recovered: Recovered,
}

impl Recovery<'_> {
    fn segment(&mut self, number: u64, sealed: bool) -> Result<(), SegmentFault> {
        let mut file = File::open(segment_path(self.dir, number))?;
        let bytes = file.metadata()?.len();
        let continues = self.header(&file, number)?;
        let next = read_header(self.dir, number + 1)
            .filter(|_| sealed)
            .and_then(|header| header.continues);
        let table = offsets::read(self.dir, number).filter(|_| sealed);
        if let Some(table) = table.filter(|table| fits(table, continues.as_ref(), next.as_ref(), bytes)) {
            let last = table.stretches.last().map(Stretch::last);
            self.recovered.head = last
                .map(|position| Head {
                    position,
                    hash: table.last,
                })
                .or(continues);
            self.recovered.index.extend(table.stretches);
            return Ok(());
        }
        let mut data = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
        file.read_to_end(&mut data)?;
        let walk = self.walk(&data, number, continues, next, sealed);
        if sealed && walk.gaps.is_empty() {
            self.write_table(number, &walk);
        }
        if !sealed {
            self.recovered.last = Some(LastSegment {
                number,
                end: u64::try_from(walk.end).unwrap_or(u64::MAX),
                batch: u64::try_from(walk.batch).unwrap_or(u64::MAX),
                allocated: bytes.max(FIRST_FRAME),
                unfinished: walk.unfinished,
            });
        }
        for gap in &walk.gaps {
            self.gap(number, gap);
        }
        self.recovered.head = walk.head;
        self.recovered.index.extend(walk.stretches);
        Ok(())
    }

    /// Checks a segment's header, and gives what its first record continues: what the header says, or, when the header is
    /// damaged, what was found in the segment before.
    fn header(&mut self, file: &File, number: u64) -> Result<Option<Head>, SegmentFault> {
        let mut bytes = [0; HEADER_BYTES];
        let whole = match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => Header::decode(&bytes),
            Err(short) if short.kind() == io::ErrorKind::UnexpectedEof => Err(BadHeader::Damaged),
            Err(source) => return Err(source.into()),
        };
        let found = self.recovered.head;
        match whole {
            Ok(header) if header.origin != *self.origin => Err(SegmentFault::OtherOrigin(header.origin)),
            Err(BadHeader::Format(format)) => Err(SegmentFault::Format(format)),
            Ok(header) if header.number == number => {
                if header.continues != found && !self.gap_before(number) {
                    // The segment before ends elsewhere than it did when this one was begun.
                    let end = self
                        .recovered
                        .index
                        .of_segment(number - 1)
                        .last()
                        .map_or(FIRST_FRAME, |s| s.end.into());
                    self.damaged(number - 1, end, DamageKind::MissingEnd, found);
                }
                Ok(header.continues)
            }
            Ok(_) | Err(BadHeader::Damaged) => {
                self.damaged(number, 0, DamageKind::Header, found);
                Ok(found)
            }
        }
    }

    /// Whether damage was found already that explains why the segment before does not lead up to this one.
    fn gap_before(&self, number: u64) -> bool {
        let before = segment_path(self.dir, number - 1);
        self.recovered
            .damage
            .iter()
            .any(|damage| damage.file == before && damage.kind != DamageKind::Header)
    }

    fn walk(
        &self,
        data: &[u8],
        number: u64,
        continues: Option<Head>,
        next: Option<Head>,
        sealed: bool,
    ) -> Walk {
        let durable_to = match self.mark {
            Some(mark) if mark.segment == number => mark.end.into(),
            Some(mark) if mark.segment > number => u64::MAX,
            _ => 0,
        };
        let known: Vec<Head> = self.mark.map(|mark| mark.head).into_iter().chain(next).collect();
        let key_of = |epoch| self.epoch_key(epoch).ok().flatten();
        let origin = self.origin;
        walk(
            data,
            &Before {
                origin,
                segment: number,
                continues,
                sealed,
                durable_to,
                known: &known,
                key_of: &key_of,
            },
        )
    }

    fn write_table(&self, number: u64, walk: &Walk) {
        let Some(head) = walk.head else { return };
        let table = Table {
            stretches: walk.stretches.clone(),
            last: head.hash,
        };
        if let Err(fault) = offsets::write(self.dir, number, &table) {
            tracing::warn!(origin = %self.origin, segment = number, %fault, "offset table not written; opening stays slower");
        }
    }

    /// The durable mark must be in the ledger: the record it names, where it says.
    fn check_mark(&mut self, segments_end: u64) -> Result<(), SegmentFault> {
        let Some(mark) = self.mark else { return Ok(()) };
        let place = self.recovered.index.find(mark.head.position);
        let held = match place.filter(|place| (place.segment, place.end) == (mark.segment, mark.end)) {
            Some(place) => read_place(self.dir, place)?.is_some_and(|(_, hash)| hash == mark.head.hash),
            None => false,
        };
        if held || !self.recovered.damage.is_empty() {
            return Ok(());
        }
        let last = segments_end.saturating_sub(1).max(1);
        let end = self.recovered.last.map_or(0, |last| last.end);
        self.damaged(last, end, DamageKind::MissingEnd, self.recovered.head);
        Ok(())
    }

    fn find_end(&mut self) -> Result<(), SegmentFault> {
        let Some(head) = self.recovered.head else {
            return Ok(());
        };
        let Some(place) = self.recovered.index.find(head.position) else {
            return Ok(());
        };
        let Some((last, _)) = read_place(self.dir, place)? else {
            self.damaged_once(place, head.position);
            return Ok(());
        };
        let Some(key) = self.epoch_key(head.position.epoch)? else {
            let start = Position {
                seq: 1,
                ..head.position
            };
            self.damaged_once(self.recovered.index.find(start).unwrap_or(place), start);
            return Ok(());
        };
        if let Ok(outline) = last.outline() {
            self.recovered.end = Some(ChainEnd {
                head,
                hlc: outline.hlc,
                key,
            });
        }
        Ok(())
    }

    fn epoch_key(&self, epoch: u32) -> io::Result<Option<VerifyingKey>> {
        let Some(place) = self.recovered.index.find(Position { epoch, seq: 1 }) else {
            return Ok(None);
        };
        let start = read_place(self.dir, place)?.and_then(|(signed, _)| epoch_start(&signed).ok());
        Ok(start.and_then(|start| VerifyingKey::new(start.signing_key).ok()))
    }

    fn gap(&mut self, number: u64, gap: &Gap) {
        let kind = match gap.kind {
            GapKind::Frame => DamageKind::Frame,
            GapKind::Chain => DamageKind::Chain,
            GapKind::MissingEnd => DamageKind::MissingEnd,
        };
        let file = segment_path(self.dir, number);
        let damage = Damage {
            origin: self.origin.clone(),
            position: gap.position,
            file,
            offset: gap.offset,
            kind,
        };
        self.recovered.damage.push(damage);
    }

    /// Damage behind a record: the first that is missing is the next one.
    fn damaged(&mut self, segment: u64, offset: u64, kind: DamageKind, behind: Option<Head>) {
        let position = match behind.or(self.recovered.head) {
            Some(head) => head.position.next().unwrap_or(head.position),
            None => Position::FIRST,
        };
        let file = segment_path(self.dir, segment);
        self.recovered.damage.push(Damage {
            origin: self.origin.clone(),
            position,
            file,
            offset,
            kind,
        });
    }

    /// The end of a ledger, or the start of its last epoch, is in a sealed segment and cannot be read.
    fn damaged_once(&mut self, place: Place, position: Position) {
        if self.recovered.damage.is_empty() {
            let file = segment_path(self.dir, place.segment);
            let (offset, kind) = (place.begin.into(), DamageKind::Frame);
            self.recovered.damage.push(Damage {
                origin: self.origin.clone(),
                position,
                file,
                offset,
                kind,
            });
        }
    }
}

/// Whether a table can be of a segment that continues so, has so many bytes, and that the next one continues so.
fn fits(table: &Table, continues: Option<&Head>, next: Option<&Head>, bytes: u64) -> bool {
    let (Some(first), Some(last)) = (table.stretches.first(), table.stretches.last()) else {
        return false;
    };
    let follows =
        first.first.seq == 1 || continues.is_some_and(|before| before.position.next() == Some(first.first));
    let leads = next.is_none_or(|next| {
        *next
            == Head {
                position: last.last(),
                hash: table.last,
            }
    });
    follows && leads && u64::from(last.end) <= bytes
}

/// The header of a segment, when it is there and whole.
pub(crate) fn read_header(dir: &Path, segment: u64) -> Option<Header> {
    let mut bytes = [0; HEADER_BYTES];
    File::open(segment_path(dir, segment))
        .ok()?
        .read_exact_at(&mut bytes, 0)
        .ok()?;
    Header::decode(&bytes).ok()
}

/// Reads the record at a place, and its hash; `None` when it is not whole.
pub(crate) fn read_place(dir: &Path, place: Place) -> io::Result<Option<(SignedRecord, Hash)>> {
    read_frame_at(&File::open(segment_path(dir, place.segment))?, place)
}

/// Reads the record at a place of an open segment, and its hash; `None` when it is not whole.
pub(crate) fn read_frame_at(file: &File, place: Place) -> io::Result<Option<(SignedRecord, Hash)>> {
    let mut bytes = vec![0; usize::try_from(place.end.saturating_sub(place.begin)).unwrap_or(0)];
    match file.read_exact_at(&mut bytes, place.begin.into()) {
        Ok(()) => {}
        Err(short) if short.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(source) => return Err(source),
    }
    match read_frame(&bytes) {
        Read::Whole(frame) if frame.len() == bytes.len() => Ok(Some((frame.to_signed(), frame.hash))),
        _ => Ok(None),
    }
}
