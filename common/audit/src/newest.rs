//! Trails read backwards from their ends, the newest act of all of them first, a page at a time and within bounds however long they
//! are. What was told stays sealed here: nobody gives a key.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ccpor_domain::UtcMillis;
use ccpor_ledger::{Body, Ledger, OriginId, Position, ReadError, RunLimit};

use crate::archive::Search;
use crate::codec::decode;
use crate::entry::{Act, Entry};

/// Records that are read at a time.
const BLOCK: u64 = 256;
/// Bytes that are read at a time.
const BLOCK_BYTES: usize = 1 << 20;
/// Acts stand in the order in which they were recorded, which is not quite that of their moments: an act carries the moment when it
/// began, and a machine's clock may have been a day ahead before somebody set it right. Further apart than this they are not.
const OUT_OF_ORDER_MS: i64 = 48 * 3_600_000;
/// Before the first record of every trail.
const BEGINNING: Position = Position { epoch: 0, seq: 0 };

/// How far one page may go.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most acts that are given.
    pub acts: usize,
    /// Most acts that are looked at.
    pub looked_at: u64,
    /// The longest time.
    pub time: Duration,
}

/// Where each trail is gone on with: before this place. Empty: from the ends.
pub type Onward = BTreeMap<OriginId, Position>;

/// One page.
#[derive(Debug, Default)]
pub struct Newest {
    /// What was found, the newest first.
    pub acts: Vec<(OriginId, Position, Act)>,
    /// How many acts were looked at.
    pub looked_at: u64,
    /// The moment of the oldest of them.
    pub back_to: Option<UtcMillis>,
    /// Where to go on; none when nothing older can be looked for.
    pub onward: Option<Onward>,
    /// Trails that could not be read to their beginning, and why.
    pub stopped: Vec<(OriginId, String)>,
}

/// The newest acts of these trails that a search finds, from a place on.
#[must_use]
pub fn newest(ledgers: &[Arc<Ledger>], from: &Onward, search: &Search, bounds: Bounds) -> Newest {
    let until = Instant::now() + bounds.time;
    let mut page = Newest::default();
    let mut ways: Vec<Way> = ledgers
        .iter()
        .map(|ledger| Way::new(ledger, from, search))
        .collect();
    loop {
        for way in &mut ways {
            way.stand_at_next(&mut page.stopped);
        }
        let newest = ways.iter_mut().filter(|way| way.next.is_some());
        let Some(way) = newest.max_by_key(|way| way.at()) else {
            return page;
        };
        let full = page.acts.len() >= bounds.acts || page.looked_at >= bounds.looked_at;
        if full || (page.looked_at % BLOCK == BLOCK - 1 && Instant::now() >= until) {
            page.onward = Some(ways.iter().map(Way::onward).collect());
            return page;
        }
        let Some((position, act)) = way.next.take() else {
            return page;
        };
        page.looked_at += 1;
        page.back_to = Some(act.at);
        let too_old = |since: UtcMillis| act.at.0.saturating_add(OUT_OF_ORDER_MS) < since.0;
        if search.since.is_some_and(too_old) {
            way.end();
        } else if search.finds(&act, None).is_some() {
            page.acts.push((way.ledger.origin().clone(), position, act));
        }
    }
}

/// The way back through one trail.
struct Way {
    ledger: Arc<Ledger>,
    /// What is read next stands before this.
    before: Position,
    /// Acts that are read and not given, the newest last.
    block: Vec<(Position, Act)>,
    next: Option<(Position, Act)>,
}

impl Way {
    fn new(ledger: &Arc<Ledger>, from: &Onward, search: &Search) -> Self {
        let before = if from.is_empty() {
            search
                .until
                .map_or_else(|| Some(end(ledger)), |until| last_before(ledger, until))
                // What cannot be looked up is read through.
                .unwrap_or_else(|| end(ledger))
        } else {
            from.get(ledger.origin()).copied().unwrap_or(BEGINNING)
        };
        Self {
            ledger: Arc::clone(ledger),
            before,
            block: Vec::new(),
            next: None,
        }
    }

    fn at(&self) -> Option<UtcMillis> {
        self.next.as_ref().map(|(_, act)| act.at)
    }

    fn onward(&self) -> (OriginId, Position) {
        let place = self.next.as_ref().map_or(BEGINNING, |(at, _)| behind(*at));
        (self.ledger.origin().clone(), place)
    }

    fn end(&mut self) {
        self.block.clear();
        self.before = BEGINNING;
    }

    fn stand_at_next(&mut self, stopped: &mut Vec<(OriginId, String)>) {
        while self.next.is_none() {
            self.next = self.block.pop();
            if self.next.is_some() || self.before.seq == 0 {
                return;
            }
            if let Err(error) = self.read_block() {
                stopped.push((self.ledger.origin().clone(), error.to_string()));
                self.end();
            }
        }
    }

    /// Reads the block before `before`, which does not reach into another epoch.
    fn read_block(&mut self) -> Result<(), ReadError> {
        let Position { epoch, seq } = self.before;
        let last = seq - 1;
        let first = last.saturating_sub(BLOCK - 1).max(1);
        let previous = if first > 1 {
            Some(Position {
                epoch,
                seq: first - 1,
            })
        } else {
            self.before_epoch(epoch)?
        };
        let mut after = previous;
        while after.is_none_or(|at| at.epoch < epoch || at.seq < last) {
            let begun = after.filter(|at| at.epoch == epoch).map_or(0, |at| at.seq);
            let limit = RunLimit {
                records: usize::try_from(last - begun).unwrap_or(usize::MAX),
                bytes: BLOCK_BYTES,
            };
            let run = self.ledger.run(after, limit)?;
            if run.is_empty() {
                break;
            }
            for record in run.iter().filter_map(|signed| signed.decode().ok()) {
                let at = Position {
                    epoch: record.epoch,
                    seq: record.seq,
                };
                after = Some(at);
                let Body::Event(bytes) = record.body else { continue };
                if let Ok(Entry::Act(act)) = decode(&bytes) {
                    self.block.push((at, *act));
                }
            }
        }
        self.before = previous.map_or(BEGINNING, behind);
        Ok(())
    }

    /// The last record before an epoch.
    fn before_epoch(&self, epoch: u32) -> Result<Option<Position>, ReadError> {
        let start = self.ledger.read(Position { epoch, seq: 1 })?;
        let body = start.decode().ok().map(|record| record.body);
        Ok(match body {
            Some(Body::EpochStart(start)) => start.previous.map(|head| head.position),
            Some(Body::Event(_) | Body::KeyHandover(_)) | None => None,
        })
    }
}

fn behind(position: Position) -> Position {
    Position {
        seq: position.seq.saturating_add(1),
        ..position
    }
}

fn end(ledger: &Ledger) -> Position {
    ledger.head().map_or(BEGINNING, |head| behind(head.position))
}

/// The place behind the last record that can be of an act before `until`; none when it cannot be found.
fn last_before(ledger: &Ledger, until: UtcMillis) -> Option<Position> {
    let latest = u64::try_from(until.0.saturating_add(OUT_OF_ORDER_MS)).ok()?;
    let records = ledger.records();
    // So many records at the end are too young.
    let (mut low, mut high) = (0, records);
    while low < high {
        let middle = low + (high - low) / 2;
        let record = ledger.read(ledger.followed_by(middle)?).ok()?.decode().ok()?;
        if record.hlc.millis() > latest {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if low >= records {
        return Some(BEGINNING);
    }
    ledger.followed_by(low).map(behind)
}
