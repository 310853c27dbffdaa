//! Where each record stands in the segment files: four bytes a record in memory. Holds places only, reads no files.

use crate::position::Position;

/// Records that follow on from each other in one epoch and stand one behind the other in one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The number of the segment.
    pub(crate) segment: u64,
    /// The first record.
    pub(crate) first: Position,
    /// Where each record's frame begins in the segment, in order. Never empty.
    pub(crate) offsets: Vec<u32>,
    /// Where the last frame ends.
    pub(crate) end: u32,
}

impl Stretch {
    /// The last record.
    pub(crate) fn last(&self) -> Position {
        let further = u64::try_from(self.offsets.len().saturating_sub(1)).unwrap_or(u64::MAX);
        Position {
            epoch: self.first.epoch,
            seq: self.first.seq.saturating_add(further),
        }
    }

    /// The frame of a record, as its beginning and end in the segment.
    fn frame(&self, index: usize) -> Option<(u32, u32)> {
        let begin = *self.offsets.get(index)?;
        Some((begin, self.offsets.get(index + 1).copied().unwrap_or(self.end)))
    }

    fn index_of(&self, position: Position) -> Option<usize> {
        if position.epoch != self.first.epoch {
            return None;
        }
        let index = usize::try_from(position.seq.checked_sub(self.first.seq)?).ok()?;
        (index < self.offsets.len()).then_some(index)
    }
}

/// The place of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The number of the segment.
    pub(crate) segment: u64,
    /// Where the frame begins.
    pub(crate) begin: u32,
    /// Where it ends.
    pub(crate) end: u32,
}

/// A piece of a segment that holds some records one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where it is, from the first frame's beginning to the last one's end.
    pub(crate) place: Place,
    /// The first record in it.
    pub(crate) first: Position,
    /// How many there are.
    pub(crate) records: usize,
}

/// All stretches of a ledger in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    stretches: Vec<Stretch>,
    records: u64,
}

impl Index {
    /// How many records there are.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// The stretches of one segment.
    pub(crate) fn of_segment(&self, segment: u64) -> &[Stretch] {
        let from = self
            .stretches
            .partition_point(|stretch| stretch.segment < segment);
        let to = self
            .stretches
            .partition_point(|stretch| stretch.segment <= segment);
        self.stretches.get(from..to).unwrap_or_default()
    }

    /// Adds stretches behind the last.
    pub(crate) fn extend(&mut self, stretches: impl IntoIterator<Item = Stretch>) {
        for stretch in stretches {
            self.records += u64::try_from(stretch.offsets.len()).unwrap_or(0);
            self.stretches.push(stretch);
        }
    }

    /// Adds one record behind the last.
    pub(crate) fn push(&mut self, position: Position, place: Place) {
        self.records += 1;
        if let Some(last) = self.stretches.last_mut()
            && last.segment == place.segment
            && last.end == place.begin
            && last.last().next() == Some(position)
        {
            last.offsets.push(place.begin);
            last.end = place.end;
            return;
        }
        let Place { segment, begin, end } = place;
        self.stretches.push(Stretch {
            segment,
            first: position,
            offsets: vec![begin],
            end,
        });
    }

    /// Where a record stands.
    pub(crate) fn find(&self, position: Position) -> Option<Place> {
        let stretch = self.stretch_from(position)?;
        let (begin, end) = stretch.frame(stretch.index_of(position)?)?;
        Some(Place {
            segment: stretch.segment,
            begin,
            end,
        })
    }

    /// The first record behind a position (`None`: the first of all).
    pub(crate) fn next_after(&self, position: Option<Position>) -> Option<Position> {
        let Some(position) = position else {
            return self.stretches.first().map(|stretch| stretch.first);
        };
        if let Some(stretch) = self.stretch_from(position)
            && position < stretch.last()
        {
            return position.next();
        }
        let next = self
            .stretches
            .partition_point(|stretch| stretch.first <= position);
        self.stretches.get(next).map(|stretch| stretch.first)
    }

    /// The last record before a position.
    pub(crate) fn last_before(&self, position: Position) -> Option<Position> {
        let behind = self.stretches.partition_point(|stretch| stretch.first < position);
        let stretch = self.stretches.get(behind.checked_sub(1)?)?;
        let before = Position {
            seq: position.seq.saturating_sub(1),
            ..position
        };
        Some(if position <= stretch.last() {
            before
        } else {
            stretch.last()
        })
    }

    /// The record that so many others follow; `None` when there are not so many.
    pub(crate) fn followed_by(&self, records: u64) -> Option<Position> {
        let mut left = records;
        for stretch in self.stretches.iter().rev() {
            let held = u64::try_from(stretch.offsets.len()).unwrap_or(u64::MAX);
            if left < held {
                let last = stretch.last();
                return Some(Position {
                    seq: last.seq - left,
                    ..last
                });
            }
            left -= held;
        }
        None
    }

    /// The piece of a segment that begins with a record and holds at most so many records and bytes, but at least the one.
    pub(crate) fn piece(&self, first: Position, records: usize, bytes: usize) -> Option<Piece> {
        let stretch = self.stretch_from(first)?;
        let index = stretch.index_of(first)?;
        let (begin, mut end) = stretch.frame(index)?;
        let longest = begin.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        let mut count = 1;
        while count < records {
            match stretch.frame(index + count) {
                Some((_, next)) if next <= longest => end = next,
                _ => break,
            }
            count += 1;
        }
        Some(Piece {
            place: Place {
                segment: stretch.segment,
                begin,
                end,
            },
            first,
            records: count,
        })
    }

    /// The stretch with the greatest first position that is not behind `position`.
    fn stretch_from(&self, position: Position) -> Option<&Stretch> {
        let behind = self
            .stretches
            .partition_point(|stretch| stretch.first <= position);
        self.stretches.get(behind.checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u32, seq: u64) -> Position {
        Position { epoch, seq }
    }

    fn sample() -> Index {
        let mut index = Index::default();
        for (position, segment, begin, end) in [
            (at(1, 1), 1, 256, 300),
            (at(1, 2), 1, 300, 400),
            (at(1, 3), 2, 256, 300),
            (at(3, 1), 2, 300, 350),
            (at(3, 2), 2, 350, 500),
            // 3 is damaged
            (at(3, 4), 2, 600, 700),
        ] {
            index.push(position, Place { segment, begin, end });
        }
        index
    }

    #[test]
    fn every_record_is_found_and_nothing_else() {
        let index = sample();
        assert_eq!(index.records(), 6);
        assert_eq!(
            index.find(at(1, 2)),
            Some(Place {
                segment: 1,
                begin: 300,
                end: 400
            })
        );
        assert_eq!(
            index.find(at(3, 4)),
            Some(Place {
                segment: 2,
                begin: 600,
                end: 700
            })
        );
        for absent in [
            at(0, 9),
            at(1, 0),
            at(1, 4),
            at(2, 1),
            at(3, 3),
            at(3, 5),
            at(4, 1),
        ] {
            assert_eq!(index.find(absent), None, "{absent}");
        }
        assert_eq!(index.of_segment(2).len(), 3);
        assert!(index.of_segment(3).is_empty());
    }

    #[test]
    fn walking_visits_every_record() {
        let index = sample();
        let mut seen = Vec::new();
        let mut after = None;
        while let Some(next) = index.next_after(after) {
            seen.push(next);
            after = Some(next);
        }
        assert_eq!(seen, [at(1, 1), at(1, 2), at(1, 3), at(3, 1), at(3, 2), at(3, 4)]);
        assert_eq!(index.next_after(Some(at(2, 7))), Some(at(3, 1)));
    }

    #[test]
    fn pieces_stop_at_limits_and_at_the_end_of_a_stretch() {
        let index = sample();
        let piece = |first, records, bytes| {
            index
                .piece(first, records, bytes)
                .map(|piece| (piece.records, piece.place.end))
        };
        assert_eq!(piece(at(1, 1), 9, 9_999), Some((2, 400)));
        assert_eq!(piece(at(1, 1), 1, 9_999), Some((1, 300)));
        assert_eq!(piece(at(1, 1), 9, 143), Some((1, 300)));
        assert_eq!(piece(at(1, 1), 9, 144), Some((2, 400)));
        assert_eq!(piece(at(1, 1), 0, 0), Some((1, 300)));
        assert_eq!(piece(at(3, 1), 9, 9_999), Some((2, 500)));
        assert_eq!(piece(at(2, 1), 9, 9_999), None);
    }
}
