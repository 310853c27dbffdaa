//! One machine's copy of one origin's ledger on a simulated disk. The rules are those of `ccpor-ledger`: frames, the judgement of
//! what a crash left, the proof of runs, the comparison of heads. Here they are only put together without files and threads.

use std::collections::BTreeSet;
use std::ops::Range;

#[cfg(feature = "planted")]
use ccpor_ledger::planted::{self, Planted};
use ccpor_ledger::{
    Body, ChainEnd, Hash, Head, KeyTrust, OriginId, Position, Proven, RunLimit, SignedRecord, Standing,
    VerifyingKey, bytes, not_held, prove_run, standing,
};
use ccpor_sync::{LoadFailed, StoreRefused};

use crate::dice::Dice;
use crate::disk::File;

/// A ledger as it lies on the disk, and, while its machine runs, what the program knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) origin: OriginId,
    file: File,
    /// The head that is known to have been durable, and where its frame ended: a small file of its own.
    mark: Option<(Head, usize)>,
    /// The highest epoch that was set aside.
    pub(crate) floor: u32,
    /// Hashes of the records that were set aside: they are kept, but no longer part of the ledger.
    pub(crate) aside: Vec<Hash>,
    /// Whether something damaged was set aside: what it was cannot be told any more.
    pub(crate) gave_up_damage: bool,
    /// Counts what changed the entries.
    pub(crate) revision: u64,
    entries: Vec<Entry>,
    end: Option<ChainEnd>,
    /// Damage that was found at opening, and where it begins: until it is mended nothing is added.
    damaged: Vec<(Position, usize)>,
    /// Records that a reader found damaged since.
    wounds: BTreeSet<Position>,
    /// How many records stand before the last batch.
    last_batch: usize,
    /// Records that are written and not durable yet.
    pending: Option<Pending>,
}

/// One record that is visible to readers.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) position: Position,
    pub(crate) hash: Hash,
    place: Range<usize>,
}

#[derive(Clone, Debug)]
struct Pending {
    entries: Vec<Entry>,
    end: ChainEnd,
}

impl Copy {
    pub(crate) fn new(origin: OriginId) -> Self {
        Self {
            file: File::new(bytes::begin(&origin)),
            origin,
            mark: None,
            floor: 0,
            aside: Vec::new(),
            gave_up_damage: false,
            revision: 0,
            entries: Vec::new(),
            end: None,
            damaged: Vec::new(),
            wounds: BTreeSet::new(),
            last_batch: 0,
            pending: None,
        }
    }

    /// The power of its machine fails.
    pub(crate) fn crash(&mut self, dice: &mut Dice) {
        self.file.crash(dice);
        self.pending = None;
    }

    /// What a backup of this moment holds.
    pub(crate) fn backup(&self) -> Self {
        let mut backup = Self {
            file: self.file.backup(),
            pending: None,
            ..self.clone()
        };
        backup.open();
        backup
    }

    /// Finds out what is there, as a program does at its start.
    pub(crate) fn open(&mut self) {
        let found = bytes::examine(&self.origin, self.file.bytes(), self.mark);
        self.damaged = found.damaged;
        self.wounds.clear();
        let (mut entries, mut end): (Vec<Entry>, Option<ChainEnd>) = (Vec::new(), None);
        for (position, place) in found.records {
            let record = bytes::read(self.file.bytes(), place.clone()).expect("was found whole");
            let key = match record.decode().expect("was found whole").body {
                Body::EpochStart(start) => VerifyingKey::new(start.signing_key).ok(),
                Body::KeyHandover(_) | Body::Event(_) => end.map(|end| end.key),
            };
            let (hash, hlc) = (record.hash(), record.outline().expect("was found whole").hlc);
            entries.push(Entry {
                position,
                hash,
                place,
            });
            end = key.map(|key| ChainEnd {
                head: Head { position, hash },
                hlc,
                key,
            });
        }
        (self.entries, self.end) = (entries, end);
        self.revision += 1;
        self.last_batch = 0;
        if self.damaged.is_empty() {
            self.file.cut(found.end);
            self.note_durable();
        }
    }

    /// Notes up to where everything is durable.
    pub(crate) fn note_durable(&mut self) {
        if let (Some(head), Some(last), true) = (self.head(), self.entries.last(), self.damaged.is_empty()) {
            self.mark = Some((head, last.place.end));
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn head(&self) -> Option<Head> {
        self.entries.last().map(|last| Head {
            position: last.position,
            hash: last.hash,
        })
    }

    /// The end that may be written behind; none while the ledger is damaged.
    pub(crate) fn end(&self) -> Option<ChainEnd> {
        self.end.filter(|_| self.damaged.is_empty())
    }

    pub(crate) fn is_damaged(&self) -> bool {
        !self.damaged.is_empty() || !self.wounds.is_empty()
    }

    pub(crate) fn refuses(&self) -> bool {
        !self.damaged.is_empty()
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.pending.is_some()
    }

    /// Reads one record and checks that it is what was written.
    pub(crate) fn read(&mut self, position: Position) -> Result<SignedRecord, LoadFailed> {
        let found = self
            .entries
            .binary_search_by_key(&position, |entry| entry.position);
        let Ok(index) = found else {
            let hidden = self.damaged.iter().any(|(damaged, _)| *damaged <= position);
            return Err(if hidden {
                LoadFailed::Damaged
            } else {
                LoadFailed::Unreadable
            });
        };
        let entry = &self.entries[index];
        let whole =
            bytes::read(self.file.bytes(), entry.place.clone()).filter(|record| record.hash() == entry.hash);
        whole.ok_or_else(|| {
            self.wounds.insert(position);
            LoadFailed::Damaged
        })
    }

    pub(crate) fn hash_at(&mut self, position: Position) -> Result<Option<Hash>, LoadFailed> {
        if let Some(head) = self.head().filter(|head| head.position == position) {
            return Ok(Some(head.hash));
        }
        match self.read(position) {
            Ok(record) => Ok(Some(record.hash())),
            Err(LoadFailed::Unreadable) => Ok(None),
            Err(LoadFailed::Damaged) => Err(LoadFailed::Damaged),
        }
    }

    pub(crate) fn standing(&mut self, peer: &Head) -> Result<Standing, LoadFailed> {
        standing(self.head(), peer, |position| self.hash_at(position))
    }

    /// The records behind a place, up to a limit; stops short of damage, fails when the first one is damaged or `after` is not
    /// part of this ledger.
    pub(crate) fn load(
        &mut self,
        after: Option<Position>,
        limit: RunLimit,
    ) -> Result<Vec<SignedRecord>, LoadFailed> {
        let from = match after {
            None => 0,
            Some(after) => {
                let found = self.entries.binary_search_by_key(&after, |entry| entry.position);
                1 + found.map_err(|_| LoadFailed::Unreadable)?
            }
        };
        let (mut run, mut size, mut last) = (Vec::new(), 0, after);
        while run.len() < limit.records {
            let next = self.entries.get(from + run.len()).map(|entry| entry.position);
            let hidden = |(damaged, _): &(Position, usize)| {
                last < Some(*damaged) && next.is_none_or(|next| *damaged < next)
            };
            let read = match (self.damaged.iter().any(hidden), next) {
                (true, _) => Err(LoadFailed::Damaged),
                (false, Some(next)) => self.read(next),
                (false, None) => break,
            };
            match read {
                Ok(record) => {
                    size += record.bytes.len() + 64;
                    if size > limit.bytes && !run.is_empty() {
                        break;
                    }
                    last = next;
                    run.push(record);
                }
                Err(_) if !run.is_empty() => break,
                Err(why) => return Err(why),
            }
        }
        Ok(run)
    }

    /// Every record that is whole.
    pub(crate) fn readable(&mut self) -> Vec<SignedRecord> {
        let positions: Vec<Position> = self.entries.iter().map(|entry| entry.position).collect();
        positions
            .into_iter()
            .filter_map(|position| self.read(position).ok())
            .collect()
    }

    /// Leaves of a run what is not here and proves it.
    pub(crate) fn judge(
        &mut self,
        run: Vec<SignedRecord>,
        trust: &dyn KeyTrust,
    ) -> Result<Option<(Vec<SignedRecord>, Proven)>, StoreRefused> {
        let held = self.head().map(|head| head.position);
        let new = not_held(held, run, |position| self.hash_at(position)).map_err(StoreRefused::from)?;
        if new.is_empty() {
            return Ok(None);
        }
        if self.refuses() {
            return Err(StoreRefused::CannotStore);
        }
        let proven = prove_run(&self.origin, self.end.as_ref(), &new, trust)
            .map_err(|fault| StoreRefused::from(&fault))?;
        Ok(Some((new, proven)))
    }

    /// Writes a batch. It is neither durable nor visible before [`Copy::commit`].
    pub(crate) fn write(&mut self, records: &[SignedRecord], end: ChainEnd) {
        assert!(self.pending.is_none(), "one batch at a time");
        let at = self
            .entries
            .last()
            .map_or(self.file.bytes().len(), |last| last.place.end);
        let (frames, places) = bytes::batch(at, records);
        self.file.write(at, &frames);
        let entry = |(record, place): (&SignedRecord, Range<usize>)| Entry {
            position: record.outline().expect("proven").position,
            hash: record.hash(),
            place,
        };
        let entries = records.iter().zip(places).map(entry).collect();
        self.pending = Some(Pending { entries, end });
    }

    /// Makes the batch durable, then visible.
    pub(crate) fn commit(&mut self) {
        #[cfg(feature = "planted")]
        if planted::is(Planted::NoSync) {
            return self.publish();
        }
        self.file.sync();
        self.publish();
    }

    /// Shows the batch to readers.
    pub(crate) fn publish(&mut self) {
        if let Some(Pending { entries, end }) = self.pending.take() {
            self.revision += 1;
            self.last_batch = self.entries.len();
            self.entries.extend(entries);
            self.end = Some(end);
        }
    }

    /// Moves everything behind a place out of the ledger, to where it is kept.
    pub(crate) fn set_aside(&mut self, after: Option<Position>) {
        self.gave_up_damage |= self.is_damaged();
        let stays = self
            .entries
            .partition_point(|entry| Some(entry.position) <= after);
        let last = self.entries.last().map_or(0, |last| last.position.epoch);
        self.floor = self.floor.max(last);
        self.aside
            .extend(self.entries.drain(stays..).map(|entry| entry.hash));
        let end = self.entries.last().map(|last| last.place.end);
        self.file.cut(end.unwrap_or(bytes::begin(&self.origin).len()));
        self.mark = None;
        self.open();
    }

    /// Puts damaged records back in their places from a peer's copy, as far as something here names them: the record behind
    /// them, or the durable mark. True when the ledger is whole again.
    pub(crate) fn mend(&mut self, peer: &[SignedRecord]) -> bool {
        let position_of = |record: &SignedRecord| record.outline().expect("a record of a ledger").position;
        let at = |wound: &Position| self.entries.iter().find(|entry| entry.position == *wound);
        let wounds: Vec<Entry> = self.wounds.iter().filter_map(at).cloned().collect();
        let fits = |entry: &Entry| peer.iter().find(|record| record.hash() == entry.hash).cloned();
        // Found by a reader while everything around is whole: it stays so until the peer has them all.
        let Some(records) = wounds.iter().map(fits).collect::<Option<Vec<_>>>() else {
            return false;
        };
        for (entry, record) in wounds.iter().zip(records) {
            self.put_in_place(entry.place.start, &[record]);
        }
        for (first, at) in self.damaged.clone() {
            let behind = self.entries.iter().find(|entry| entry.position > first);
            let last = behind
                .map(|entry| entry.position)
                .or(self.mark.map(|(head, _)| head.position));
            let ends = |record: &&SignedRecord| match behind {
                Some(behind) => position_of(record) < behind.position,
                None => Some(position_of(record)) <= last,
            };
            let missing = peer
                .iter()
                .filter(|record| position_of(record) >= first)
                .filter(ends);
            self.put_in_place(at, &missing.cloned().collect::<Vec<_>>());
        }
        self.open();
        !self.is_damaged()
    }

    fn put_in_place(&mut self, mut at: usize, records: &[SignedRecord]) {
        for record in records {
            let (frame, _) = bytes::batch(at, std::slice::from_ref(record));
            self.file.write(at, &frame);
            at += frame.len();
        }
        self.file.sync();
    }

    /// Where the whole beginning of a damaged ledger ends.
    pub(crate) fn whole_up_to(&self) -> Option<Position> {
        let first = self
            .damaged
            .first()
            .map(|(first, _)| first)
            .or(self.wounds.first())?;
        let before = self.entries.partition_point(|entry| entry.position < *first);
        Some(self.entries.get(before.checked_sub(1)?)?.position)
    }

    /// A bit of some durable record turns over. A record of the last batch is spared until the durable mark vouches for it:
    /// before that, damage and a write that never finished look the same after a power cut.
    pub(crate) fn flip(&mut self, dice: &mut Dice) -> Option<Position> {
        let marked = self.mark.map_or(0, |(head, _)| {
            self.entries
                .partition_point(|entry| entry.position <= head.position)
        });
        let certain = marked.max(self.last_batch);
        if certain == 0 {
            return None;
        }
        let entry = self.entries[dice.index(certain)].clone();
        let at = dice.between(entry.place.start as u64, entry.place.end as u64);
        self.file.flip(at as usize, dice.below(8) as u8);
        Some(entry.position)
    }
}
