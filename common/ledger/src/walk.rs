//! Walks over the bytes of one segment and tells whole records, damage and an unfinished end apart. Pure: changes nothing.
//!
//! What is read here was proven when it was kept; checksums and the chain find what changed since. Frames behind damage are
//! believed only if a hash known from elsewhere is among them or the last of them carries a valid signature of a key known
//! from before the damage, because a record's body may hold bytes that look like a frame. Believed or not, a whole frame of
//! a later batch keeps anything from being cut.

use std::collections::BTreeMap;

use crate::chain::epoch_start;
use crate::frame::{Found, Frame, Read, find_frame, read_frame};
use crate::index::Stretch;
use crate::origin::OriginId;
use crate::position::{Hash, Head, Position};
use crate::record::{BodyKind, Outline, RECORD_VERSION};
use crate::segment::HEADER_BYTES;
use crate::sign::VerifyingKey;

/// Most places behind damage that are tried as the beginning of whole records.
const MAX_TRIES: usize = 1_000;

/// What is known about a segment before it is walked over.
pub(crate) struct Before<'a> {
    pub(crate) origin: &'a OriginId,
    /// The number of the segment.
    pub(crate) segment: u64,
    /// The last record of the segment before.
    pub(crate) continues: Option<Head>,
    /// Whether another segment follows: then nothing in this one is unfinished.
    pub(crate) sealed: bool,
    /// The byte up to which the durable mark vouches for this segment.
    pub(crate) durable_to: u64,
    /// Heads known from elsewhere: from the next segment's header, from the durable mark.
    pub(crate) known: &'a [Head],
    /// The key of an epoch that began in an earlier segment.
    pub(crate) key_of: &'a dyn Fn(u32) -> Option<VerifyingKey>,
}

/// Bytes that are not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Where the damage begins.
    pub(crate) offset: u64,
    /// The record that should be there.
    pub(crate) position: Position,
    /// What is wrong.
    pub(crate) kind: GapKind,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GapKind {
    /// Bytes that are not a whole frame.
    Frame,
    /// A whole frame that does not continue the one before.
    Chain,
    /// Nothing, where the durable mark vouches for records.
    MissingEnd,
}

/// What a segment holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Walk {
    pub(crate) stretches: Vec<Stretch>,
    pub(crate) gaps: Vec<Gap>,
    /// The last whole record, of this segment or before.
    pub(crate) head: Option<Head>,
    /// Where the last whole frame ends.
    pub(crate) end: usize,
    /// Where the batch of the last whole frame begins.
    pub(crate) batch: usize,
    /// Bytes behind `end` of a write that was never finished.
    pub(crate) unfinished: u64,
}

/// Walks over a segment's bytes, header included.
pub(crate) fn walk(data: &[u8], before: &Before<'_>) -> Walk {
    let walk = Walk {
        head: before.continues,
        end: HEADER_BYTES,
        batch: HEADER_BYTES,
        ..Walk::default()
    };
    let mut walker = Walker {
        data,
        before,
        keys: BTreeMap::new(),
        walk,
    };
    walker.contiguous();
    walker.behind_the_end();
    walker.walk
}

/// How every record of an origin begins: its version and the origin's name.
fn opening(origin: &OriginId) -> Vec<u8> {
    let name = origin.as_str().as_bytes();
    let length = u64::try_from(name.len()).unwrap_or(u64::MAX);
    [&RECORD_VERSION.to_le_bytes()[..], &length.to_le_bytes(), name].concat()
}

struct Walker<'a> {
    data: &'a [u8],
    before: &'a Before<'a>,
    /// Keys of the epochs that begin in this segment before any damage.
    keys: BTreeMap<u32, VerifyingKey>,
    walk: Walk,
}

/// Records behind damage that follow on from each other.
struct Island<'a> {
    begin: usize,
    end: usize,
    frames: Vec<(usize, Frame<'a>, Position)>,
}

impl<'a> Walker<'a> {
    /// The records from the header on that follow on from what came before.
    fn contiguous(&mut self) {
        while let Some((frame, outline)) = self.frame_at(self.walk.end) {
            if !continues(self.walk.head.as_ref(), &outline) {
                return;
            }
            if outline.body == BodyKind::EpochStart
                && let Ok(start) = epoch_start(&frame.to_signed())
                && let Ok(key) = VerifyingKey::new(start.signing_key)
            {
                self.keys.insert(outline.position.epoch, key);
            }
            self.keep(self.walk.end, &frame, outline.position);
        }
    }

    /// Judges what stands behind the last record that follows on: nothing, an unfinished write, or damage.
    fn behind_the_end(&mut self) {
        let end = self.walk.end;
        let vouched = u64_of(end) < self.before.durable_to;
        let rest = self.data.get(end..).unwrap_or_default();
        let Some(last_byte) = last_written(rest) else {
            if vouched && !self.before.sealed {
                self.gap(GapKind::MissingEnd);
            }
            return;
        };
        let (islands, later_batch) = self.islands(end, end + last_byte + 1);
        let whole = self.frame_at(end).is_some();
        if !self.before.sealed && !vouched && !whole && !later_batch {
            self.walk.unfinished = u64_of(last_byte) + 1;
            return;
        }
        self.gap(if whole { GapKind::Chain } else { GapKind::Frame });
        for (index, island) in islands.iter().enumerate() {
            if index > 0 {
                self.gap(GapKind::Frame);
            }
            self.walk.end = island.begin;
            for (offset, frame, position) in &island.frames {
                self.keep(*offset, frame, *position);
            }
        }
    }

    /// The records behind `from` that can be believed, and whether anything there is, or could be, of a batch that was written
    /// after what should stand at `from` had been durable.
    fn islands(&self, from: usize, to: usize) -> (Vec<Island<'a>>, bool) {
        let opening = opening(self.before.origin);
        let mut islands: Vec<Island<'a>> = Vec::new();
        let mut last = self.walk.head.map(|head| head.position);
        let mut search = from;
        let mut later_batch = false;
        for _ in 0..MAX_TRIES {
            let begin = match find_frame(self.data, search, to, &opening) {
                Found::Frame(begin) => begin,
                Found::Nothing => return (islands, later_batch),
                Found::GaveUp => return (islands, true),
            };
            search = begin + 1;
            let Some(island) = self.island(begin, last) else {
                continue;
            };
            later_batch |= island
                .frames
                .iter()
                .any(|(_, frame, _)| usize_of(frame.batch) > from);
            search = island.end;
            if self.is_believed(&island) {
                last = island.frames.last().map(|(_, _, position)| *position);
                islands.push(island);
            }
        }
        (islands, true)
    }

    /// The records from `begin` on that stand behind `last` and follow on from each other; none is no island.
    fn island(&self, begin: usize, last: Option<Position>) -> Option<Island<'a>> {
        let mut island = Island {
            begin,
            end: begin,
            frames: Vec::new(),
        };
        let mut head: Option<Head> = None;
        while let Some((frame, outline)) = self.frame_at(island.end) {
            let fits = match &head {
                None => last.is_none_or(|last| outline.position > last),
                Some(head) => continues(Some(head), &outline),
            };
            if !fits {
                break;
            }
            island.frames.push((island.end, frame, outline.position));
            island.end += frame.len();
            head = Some(Head {
                position: outline.position,
                hash: frame.hash,
            });
        }
        (!island.frames.is_empty()).then_some(island)
    }

    fn is_believed(&self, island: &Island<'_>) -> bool {
        let known = |(_, frame, position): &(usize, Frame<'_>, Position)| {
            self.before.known.contains(&Head {
                position: *position,
                hash: frame.hash,
            })
        };
        if island.frames.iter().any(known) {
            return true;
        }
        let Some((_, frame, position)) = island.frames.last() else {
            return false;
        };
        let key = self
            .keys
            .get(&position.epoch)
            .copied()
            .or_else(|| (self.before.key_of)(position.epoch));
        key.is_some_and(|key| frame.to_signed().verify(&key).is_ok())
    }

    /// The whole frame at an offset, if it is a record of this origin.
    fn frame_at(&self, offset: usize) -> Option<(Frame<'a>, Outline<'a>)> {
        let Read::Whole(frame) = read_frame(self.data.get(offset..)?) else {
            return None;
        };
        let outline = Outline::read(frame.bytes).ok()?;
        (outline.origin == self.before.origin.as_str()).then_some((frame, outline))
    }

    fn keep(&mut self, offset: usize, frame: &Frame<'_>, position: Position) {
        let walk = &mut self.walk;
        let end = offset + frame.len();
        let (offset, frame_end) = (u32_of(offset), u32_of(end));
        let joins = |last: &&mut Stretch| last.end == offset && last.last().next() == Some(position);
        match walk.stretches.last_mut().filter(joins) {
            Some(last) => {
                last.offsets.push(offset);
                last.end = frame_end;
            }
            None => {
                let segment = self.before.segment;
                walk.stretches.push(Stretch {
                    segment,
                    first: position,
                    offsets: vec![offset],
                    end: frame_end,
                });
            }
        }
        walk.head = Some(Head {
            position,
            hash: frame.hash,
        });
        walk.end = end;
        walk.batch = usize_of(frame.batch);
    }

    fn gap(&mut self, kind: GapKind) {
        let position = match self.walk.head {
            Some(head) => head.position.next().unwrap_or(head.position),
            None => Position::FIRST,
        };
        self.walk.gaps.push(Gap {
            offset: u64_of(self.walk.end),
            position,
            kind,
        });
    }
}

/// The last byte that is not zero; looks at blocks, because there may be much that was only written ahead.
fn last_written(bytes: &[u8]) -> Option<usize> {
    const ZEROS: [u8; 4096] = [0; 4096];
    let mut end = bytes.len();
    for block in bytes.rchunks(ZEROS.len()) {
        end -= block.len();
        if ZEROS.get(..block.len()) != Some(block) {
            return block.iter().rposition(|byte| *byte != 0).map(|at| end + at);
        }
    }
    None
}

/// Whether a record stands where the next may stand and names the one before.
fn continues(head: Option<&Head>, outline: &Outline<'_>) -> bool {
    let starts = outline.body == BodyKind::EpochStart && outline.position.seq == 1;
    match head {
        None => starts && outline.prev == Hash::ZERO,
        Some(head) => {
            let next = head.position.next() == Some(outline.position);
            let next_epoch = starts && outline.position.epoch > head.position.epoch;
            (next || next_epoch) && outline.prev == head.hash
        }
    }
}

fn u64_of(offset: usize) -> u64 {
    u64::try_from(offset).unwrap_or(u64::MAX)
}

/// Segments are shorter than 4 GiB; see [`crate::segment::SEGMENT_BYTES`].
fn u32_of(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

fn usize_of(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
