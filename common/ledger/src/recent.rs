//! The newest records of a ledger, kept in memory since they became durable: whoever follows closely is served without the disk.

use std::collections::VecDeque;

use crate::chain::Link;
use crate::position::{Head, Position};
use crate::record::SignedRecord;

/// Most records that are kept, and most bytes of them.
const MOST: usize = 128;
const MOST_BYTES: usize = 128 << 10;

/// A stretch of records up to the end of the ledger.
#[derive(Default)]
pub(crate) struct Recent {
    /// The last record before them.
    before: Option<Position>,
    records: VecDeque<(Position, SignedRecord)>,
    bytes: usize,
}

impl Recent {
    /// Records were made durable behind `head`. Of a run that is too long to be kept nothing is: who sends it is far behind.
    pub(crate) fn add(&mut self, head: Option<Head>, records: &[SignedRecord], links: &[Link]) {
        let follows = self.records.back().map(|(position, _)| *position) == head.map(|head| head.position);
        let bytes: usize = records.iter().map(bytes_of).sum();
        let kept = records.len() <= MOST && bytes <= MOST_BYTES;
        if !follows || !kept {
            *self = Self {
                before: links.last().map(|link| link.position),
                ..Self::default()
            };
            if kept {
                self.before = head.map(|head| head.position);
            }
        }
        if !kept {
            return;
        }
        for (signed, link) in records.iter().zip(links) {
            self.records.push_back((link.position, signed.clone()));
        }
        self.bytes += bytes;
        while self.records.len() > MOST || self.bytes > MOST_BYTES {
            let Some((position, oldest)) = self.records.pop_front() else {
                break;
            };
            self.before = Some(position);
            self.bytes -= bytes_of(&oldest).min(self.bytes);
        }
    }

    /// The records behind a position, so many and so many bytes of them but at least one; none when they do not reach back so far, or
    /// nothing is behind it.
    pub(crate) fn behind(
        &self,
        after: Option<Position>,
        records: usize,
        bytes: usize,
    ) -> Option<Vec<SignedRecord>> {
        let first = if after == self.before {
            0
        } else {
            let after = after?;
            let place = self
                .records
                .binary_search_by_key(&after, |(position, _)| *position);
            place.ok()? + 1
        };
        let mut room = bytes;
        let fitting = self.records.range(first..).take(records.max(1));
        let fitting = fitting.enumerate().take_while(|(number, (_, signed))| {
            let fits = bytes_of(signed) <= room;
            room = room.saturating_sub(bytes_of(signed));
            *number == 0 || fits
        });
        let run: Vec<SignedRecord> = fitting.map(|(_, (_, signed))| signed.clone()).collect();
        (!run.is_empty()).then_some(run)
    }
}

fn bytes_of(signed: &SignedRecord) -> usize {
    signed.bytes.len() + signed.signature.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::position::Hash;

    fn at(seq: u64) -> Position {
        Position { epoch: 1, seq }
    }

    fn record(seq: u64, bytes: usize) -> SignedRecord {
        SignedRecord {
            bytes: vec![u8::try_from(seq % 251).unwrap(); bytes],
            signature: [0; 64],
        }
    }

    proptest! {
        /// Whatever it gives is what the whole ledger would give, and right behind the end of what came last there is something.
        #[test]
        fn gives_what_the_ledger_holds(
            batches in proptest::collection::vec((1_usize..90, 1_usize..3_000), 1..12),
            after in 0_u64..300,
            records in 0_usize..40,
            bytes in 0_usize..9_000,
        ) {
            let mut recent = Recent::default();
            let mut all: Vec<SignedRecord> = Vec::new();
            for (count, length) in batches {
                let begin = all.len();
                all.extend((0..count).map(|more| record((begin + more) as u64 + 1, length)));
                let links: Vec<Link> = (begin..all.len())
                    .map(|place| Link { position: at(place as u64 + 1), hash: Hash::ZERO })
                    .collect();
                let head = (begin > 0).then(|| Head { position: at(begin as u64), hash: Hash::ZERO });
                recent.add(head, &all[begin..], &links);
                let kept = count <= MOST && count * (length + 64) <= MOST_BYTES;
                let behind = recent.behind(head.map(|head| head.position), 1, 0);
                prop_assert_eq!(behind, kept.then(|| vec![all[begin].clone()]));
                prop_assert!(recent.records.len() <= MOST && recent.bytes <= MOST_BYTES);
            }
            let from = (after > 0).then(|| at(after));
            if let Some(run) = recent.behind(from, records, bytes) {
                let begin = usize::try_from(after).unwrap();
                prop_assert!(!run.is_empty() && run.len() <= records.max(1));
                prop_assert_eq!(&run[..], &all[begin..begin + run.len()]);
                let held: usize = run.iter().map(bytes_of).sum();
                prop_assert!(run.len() == 1 || held <= bytes);
            }
        }
    }
}
