//! Putting damaged records back from a peer's copy, found at opening or since. What was there instead is kept byte for byte in
//! `quarantine/`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use crate::damage::{Damage, DamageKind};
use crate::frame::write_frame;
use crate::index::Place;
use crate::ledger::{AppendRefusal, Ledger, State};
use crate::offsets::table_path;
use crate::opening::{OpenError, explain, settle};
use crate::position::{Hash, Head, Position};
use crate::reader::ReadError;
use crate::record::SignedRecord;
use crate::recovery::{read_header, recover};
use crate::segment::{self, HEADER_BYTES, Header, segment_number, segment_path, sync_dir};
use crate::tail::Tail;

const QUARANTINE: &str = "quarantine";

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Records that were put back in place.
    pub records: usize,
    /// The file that now holds the damaged bytes.
    pub kept_in: PathBuf,
}

/// Why a ledger could not be mended.
#[derive(Debug, thiserror::Error)]
pub enum RepairRefusal {
    /// The records offered are not the ones that were there: nothing around the damage names the last of them.
    #[error(
        "the records up to {last} are not proven to be the damaged ones: fetch all that are missing, from any peer"
    )]
    DoesNotFit {
        /// The last record offered.
        last: Position,
    },
    /// There is no damage there.
    #[error("nothing is damaged at that place")]
    NotDamaged,
    /// What is needed for the repair could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Writing is stopped after a failed write.
    #[error(transparent)]
    Stopped(#[from] AppendRefusal),
    /// The repaired ledger could not be opened again.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The disk refused.
    #[error("the repair could not be written: {0}; check the disk, then open the ledger again")]
    Disk(#[from] io::Error),
}

/// Where damaged records stood.
struct DamagedPlace {
    segment: u64,
    begin: u32,
    known: Known,
}

/// How damage became known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Found at opening: the places of the records are not known.
    FromOpening,
    /// Met by a reader since: the places are known, and everything around is whole.
    ByReading,
}

/// Records that are missing by damage, between two that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last record before it; `None`: it begins with the first of all.
    pub after: Option<Position>,
    /// The first record behind it; `None`: it goes on to the end.
    pub before: Option<Position>,
    /// The last record that is known to have been durable; a gap at the end ends with it.
    pub head: Option<Head>,
}

impl Gap {
    /// Whether a record belongs into it.
    #[must_use]
    pub fn holds(&self, position: Position) -> bool {
        let end = match (self.before, self.head) {
            (Some(before), _) => position < before,
            (None, Some(head)) => position <= head.position,
            (None, None) => true,
        };
        self.after < Some(position) && end
    }
}

impl Ledger {
    /// The first gap that is not mended yet: found at opening, or else by a reader since. A damaged header hides no record.
    #[must_use]
    pub fn gap(&self) -> Option<Gap> {
        let marked = self.tail().mark.mark().map(|mark| mark.head);
        let wounds = self.wounds();
        let state = self.state();
        let hides = |damage: &&Damage| damage.kind != DamageKind::Header;
        let reported = state.damage.iter().find(hides).map(|damage| damage.position);
        let position = reported.or_else(|| {
            let known = |wound: &&Position| state.index.find(**wound).is_some();
            wounds.iter().find(known).copied()
        })?;
        let mut before = state.index.next_after(Some(position));
        if reported.is_none() {
            let segment = |position| state.index.find(position).map(|place| place.segment);
            // The next one that is whole, but not beyond the segment: its own header names the end of the one before.
            while let Some(next) = before
                && segment(next) == segment(position)
                && wounds.contains(&next)
            {
                before = state.index.next_after(Some(next));
            }
        }
        Some(Gap {
            after: state.index.last_before(position),
            before,
            head: [marked, state.head]
                .into_iter()
                .flatten()
                .max_by_key(|head| head.position),
        })
    }

    /// Puts damaged records back from a peer's copy: all records of one gap in order, from the first that is missing.
    ///
    /// They are proven to be what was there, byte for byte: the record behind the gap, the next segment's header or the durable
    /// mark names the hash of the last of them, and each names the one before.
    pub fn repair(&self, records: &[SignedRecord]) -> Result<Repaired, RepairRefusal> {
        let mut tail = self.tail();
        refuse_when_stopped(&tail)?;
        let (first, last) = chained(records).ok_or(RepairRefusal::NotDamaged)?;
        let DamagedPlace {
            segment,
            begin,
            known,
        } = self.damaged_place(first)?;
        let mut frames = Vec::new();
        for signed in records {
            write_frame(&mut frames, begin, signed, &signed.hash());
        }
        let end = begin.saturating_add(u32::try_from(frames.len()).unwrap_or(u32::MAX));
        if !self.is_pinned(&tail, &last, Place { segment, begin, end }) {
            return Err(RepairRefusal::DoesNotFit { last: last.position });
        }
        let path = segment_path(&self.dir, segment);
        let file = segment::open(&path)?;
        let kept_in = self.keep_bytes(&file, segment, begin.into(), frames.len())?;
        if known == Known::FromOpening {
            drop_table(&self.dir, segment)?;
        }
        file.write_all_at(&frames, begin.into())?;
        file.sync_all()?;
        tracing::warn!(origin = %self.origin, segment, records = records.len(), "damaged records were put back");
        if known == Known::FromOpening {
            self.reload(&mut tail)?;
        }
        self.wounded()
            .retain(|wound| !(first..=last.position).contains(wound));
        Ok(Repaired {
            records: records.len(),
            kept_in,
        })
    }

    /// Writes damaged segment headers anew from the records before them. Gives how many.
    pub fn repair_headers(&self) -> Result<usize, RepairRefusal> {
        let mut tail = self.tail();
        refuse_when_stopped(&tail)?;
        let damaged: Vec<u64> = {
            let state = self.state();
            let headers = state
                .damage
                .iter()
                .filter(|damage| damage.kind == DamageKind::Header);
            headers
                .filter_map(|damage| segment_number(damage.file.file_name()?.to_str()?))
                .collect()
        };
        for number in &damaged {
            let before = number.checked_sub(1).and_then(|before| {
                self.state()
                    .index
                    .of_segment(before)
                    .last()
                    .map(|stretch| stretch.last())
            });
            let continues = match before {
                Some(position) => Some(Head {
                    position,
                    hash: self.read(position)?.hash(),
                }),
                None => None,
            };
            let header = Header {
                origin: self.origin.clone(),
                number: *number,
                continues,
            };
            let file = segment::open(&segment_path(&self.dir, *number))?;
            self.keep_bytes(&file, *number, 0, HEADER_BYTES)?;
            file.write_all_at(&header.encode(), 0)?;
            file.sync_all()?;
        }
        if !damaged.is_empty() {
            self.reload(&mut tail)?;
        }
        Ok(damaged.len())
    }

    /// Where the first missing record belongs: at a reported damage, or where a record stands that cannot be read.
    fn damaged_place(&self, first: Position) -> Result<DamagedPlace, RepairRefusal> {
        let state = self.state();
        let reported = state.damage.iter().find(|damage| {
            damage.position == first && matches!(damage.kind, DamageKind::Frame | DamageKind::MissingEnd)
        });
        if let Some(damage) = reported {
            let number = damage
                .file
                .file_name()
                .and_then(|name| segment_number(name.to_str()?));
            let offset = u32::try_from(damage.offset).ok();
            let place = number.zip(offset).map(|(segment, begin)| DamagedPlace {
                segment,
                begin,
                known: Known::FromOpening,
            });
            return place.ok_or(RepairRefusal::NotDamaged);
        }
        let place = state.index.find(first).ok_or(RepairRefusal::NotDamaged)?;
        drop(state);
        match self.read(first) {
            Err(ReadError::Damaged(_)) => Ok(DamagedPlace {
                segment: place.segment,
                begin: place.begin,
                known: Known::ByReading,
            }),
            Ok(_) => Err(RepairRefusal::NotDamaged),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Whether something outside the gap names `last` as the record that stood at the gap's end.
    fn is_pinned(&self, tail: &Tail, last: &Head, gap: Place) -> bool {
        let next = {
            let state = self.state();
            let next = state.index.next_after(Some(last.position));
            next.and_then(|next| Some((next, state.index.find(next)?)))
        };
        if let Some((next, place)) = next.filter(|(_, place)| place.segment == gap.segment) {
            let named = self
                .read(next)
                .ok()
                .and_then(|signed| signed.outline().ok().map(|outline| outline.prev));
            return named == Some(last.hash) && place.begin == gap.end;
        }
        let header = read_header(&self.dir, gap.segment + 1).and_then(|header| header.continues);
        let mark = tail
            .mark
            .mark()
            .filter(|mark| (mark.segment, mark.end) == (gap.segment, gap.end));
        let known = [header, mark.map(|mark| mark.head), self.state().head];
        known.into_iter().flatten().any(|pin| pin == *last)
    }

    /// Copies bytes of a segment to a file of their own, durably, before they are overwritten.
    fn keep_bytes(&self, file: &File, segment: u64, from: u64, count: usize) -> io::Result<PathBuf> {
        let length = file.metadata()?.len();
        let held = usize::try_from(length.saturating_sub(from))
            .unwrap_or(usize::MAX)
            .min(count);
        let mut bytes = vec![0; held];
        file.read_exact_at(&mut bytes, from)?;
        let dir = quarantine(&self.dir)?;
        let mut copy = 0_u32;
        let (path, mut kept) = loop {
            let path = dir.join(format!("{segment:08}-{from}-{copy}.bytes"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => break (path, file),
                Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists && copy < 10_000 => copy += 1,
                Err(fault) => return Err(fault),
            }
        };
        kept.write_all(&bytes)?;
        kept.sync_all()?;
        sync_dir(&dir)?;
        Ok(path)
    }

    /// Finds out anew what the directory holds.
    pub(crate) fn reload(&self, tail: &mut Tail) -> Result<(), RepairRefusal> {
        let recovered = recover(&self.dir, &self.origin, tail.mark.mark())
            .map_err(|fault| explain(fault, &self.origin))?;
        tail.continue_at(recovered.last.as_ref())?;
        settle(tail, &recovered)?;
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.clear();
        *self.state_mut() = State::from(recovered);
        Ok(())
    }
}

pub(crate) fn refuse_when_stopped(tail: &Tail) -> Result<(), AppendRefusal> {
    if tail.stopped {
        Err(AppendRefusal::Stopped)
    } else {
        Ok(())
    }
}

/// The directory for what is taken out of a ledger.
pub(crate) fn quarantine(dir: &Path) -> io::Result<PathBuf> {
    let quarantine = dir.join(QUARANTINE);
    match fs::create_dir(&quarantine) {
        Ok(()) => sync_dir(dir)?,
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => {}
        Err(fault) => return Err(fault),
    }
    Ok(quarantine)
}

/// Removes the offset table of a segment whose frames may change their places.
pub(crate) fn drop_table(dir: &Path, segment: u64) -> io::Result<()> {
    match fs::remove_file(table_path(dir, segment)) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
        _ => Ok(()),
    }
}

/// The first position of records that follow on from each other, and the head they lead to.
fn chained(records: &[SignedRecord]) -> Option<(Position, Head)> {
    let mut prev: Option<Hash> = None;
    let mut last = None;
    for signed in records {
        let outline = signed.outline().ok()?;
        if prev.is_some_and(|prev| prev != outline.prev) {
            return None;
        }
        let hash = signed.hash();
        prev = Some(hash);
        last = Some(Head {
            position: outline.position,
            hash,
        });
    }
    Some((records.first()?.outline().ok()?.position, last?))
}
