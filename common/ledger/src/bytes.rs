//! A ledger's segment as plain bytes, for whoever keeps it elsewhere than in files, such as a simulator's disk. The same frames
//! and the same judgement of what a crash left as in files; nothing is read or written here.

use std::ops::Range;

use crate::chain::epoch_start;
use crate::frame::{Read, read_frame, write_frame};
use crate::origin::OriginId;
use crate::position::{Head, Position};
use crate::record::SignedRecord;
use crate::segment::{FIRST_FRAME, Header};
use crate::sign::VerifyingKey;
use crate::walk::{Before, walk};

/// What the bytes hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Every record that can be believed, and where its frame stands.
    pub records: Vec<(Position, Range<usize>)>,
    /// The last of them.
    pub head: Option<Head>,
    /// Where the last whole frame ends.
    pub end: usize,
    /// Bytes behind `end` of a write that was never finished: to be cut.
    pub unfinished: u64,
    /// The first record of each stretch that is damaged, and where it stood. While there is any, nothing may be added.
    pub damaged: Vec<(Position, usize)>,
}

/// The bytes of a new segment, the only one of its ledger.
pub fn begin(origin: &OriginId) -> Vec<u8> {
    let header = Header {
        origin: origin.clone(),
        number: 1,
        continues: None,
    };
    header.encode().to_vec()
}

/// The frames of records that are written together at byte `at` of the segment, and where each of them will stand.
pub fn batch(at: usize, records: &[SignedRecord]) -> (Vec<u8>, Vec<Range<usize>>) {
    let begin = u32::try_from(at).unwrap_or(u32::MAX);
    let mut frames = Vec::new();
    let mut places = Vec::with_capacity(records.len());
    for record in records {
        let from = at + frames.len();
        write_frame(&mut frames, begin, record, &record.hash());
        places.push(from..at + frames.len());
    }
    (frames, places)
}

/// The record whose frame stands at a place; `None` when it is not whole.
pub fn read(segment: &[u8], place: Range<usize>) -> Option<SignedRecord> {
    match read_frame(segment.get(place)?) {
        Read::Whole(frame) => Some(frame.to_signed()),
        Read::End | Read::Broken | Read::Short => None,
    }
}

/// Finds out what a segment holds after a crash. `durable` is the head that is known to have been durable, and where its frame
/// ended.
pub fn examine(origin: &OriginId, segment: &[u8], durable: Option<(Head, usize)>) -> Examined {
    let known: Vec<Head> = durable.iter().map(|(head, _)| *head).collect();
    let first = usize::try_from(FIRST_FRAME).unwrap_or(usize::MAX);
    // Epochs that begin in the segment itself are known to the walk; here only the first one's key may be missing to it.
    let key_of = |epoch: u32| {
        let Read::Whole(frame) = read_frame(segment.get(first..)?) else {
            return None;
        };
        let start = frame.to_signed();
        let begins = start.outline().ok()?.position == (Position { epoch, seq: 1 });
        let key = epoch_start(&start).ok().filter(|_| begins)?.signing_key;
        VerifyingKey::new(key).ok()
    };
    let walked = walk(
        segment,
        &Before {
            origin,
            segment: 1,
            continues: None,
            sealed: false,
            durable_to: durable.map_or(0, |(_, end)| u64::try_from(end).unwrap_or(u64::MAX)),
            known: &known,
            key_of: &key_of,
        },
    );
    let mut records = Vec::new();
    for stretch in &walked.stretches {
        let ends = stretch.offsets.iter().skip(1).chain([&stretch.end]);
        let mut position = stretch.first;
        for (begin, end) in stretch.offsets.iter().zip(ends) {
            let byte = |offset: &u32| usize::try_from(*offset).unwrap_or(usize::MAX);
            records.push((position, byte(begin)..byte(end)));
            position.seq = position.seq.saturating_add(1);
        }
    }
    Examined {
        records,
        head: walked.head,
        end: walked.end,
        unfinished: walked.unfinished,
        damaged: walked
            .gaps
            .iter()
            .map(|gap| (gap.position, usize::try_from(gap.offset).unwrap_or(usize::MAX)))
            .collect(),
    }
}
