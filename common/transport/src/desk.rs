//! The calls to the ledgers, which block, on threads that may: reads side by side, the runs of one origin one after
//! another with those that wait stored together. Results go back as events of the session.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ccpor_ledger::{Head, OriginId, Position, RunLimit, SignedHeartbeat, SignedReceipt, SignedRecord};
use ccpor_sync::{Event, Ledgers, LoadFailed, Run};
use tokio::sync::mpsc;

use crate::hearing::Hearing;
use crate::limits::{HEARTBEAT_BATCHES_MOST, STORE_TOGETHER_BYTES, STORES_AT_ONCE};
use crate::platform::Platform;

/// Whether the peer is still somebody from whom records are taken: asked before each call that keeps something.
pub(crate) type Admitted = Arc<dyn Fn() -> bool + Send + Sync>;

/// One connection's desk.
#[derive(Clone)]
pub(crate) struct Desk(Arc<Shared>);

struct Shared {
    ledgers: Arc<dyn Ledgers>,
    results: mpsc::Sender<Event>,
    platform: Arc<dyn Platform>,
    hearing: Hearing,
    admitted: Admitted,
    trays: Mutex<Trays>,
}

#[derive(Default)]
struct Trays {
    runs: BTreeMap<OriginId, VecDeque<Run>>,
    storing: BTreeSet<OriginId>,
    compares: VecDeque<(OriginId, Head)>,
    comparing: bool,
    receipts: BTreeMap<OriginId, SignedReceipt>,
    heartbeats: VecDeque<Vec<SignedHeartbeat>>,
    filing: bool,
    /// Whether the heartbeats are known to wait.
    called: bool,
}

impl Desk {
    /// A desk whose results go to `results`.
    pub(crate) fn new(
        ledgers: Arc<dyn Ledgers>,
        results: mpsc::Sender<Event>,
        admitted: Admitted,
        platform: Arc<dyn Platform>,
        hearing: Hearing,
    ) -> Self {
        let trays = Mutex::new(Trays::default());
        Self(Arc::new(Shared {
            ledgers,
            results,
            platform,
            hearing,
            admitted,
            trays,
        }))
    }

    /// Loads records; gives them at once when they are at hand.
    pub(crate) fn load(&self, origin: OriginId, after: Option<Position>, limit: RunLimit) -> Option<Event> {
        if let Some(run) = self.0.ledgers.at_hand(&origin, after, limit) {
            let answer = with_last(run);
            return Some(Event::Loaded { origin, answer });
        }
        let desk = self.clone();
        self.0.platform.work(Box::new(move || {
            let answer = desk.0.ledgers.load(&origin, after, limit).and_then(with_last);
            desk.answer(Event::Loaded { origin, answer });
        }));
        None
    }

    pub(crate) fn compare(&self, origin: OriginId, peer: Head) {
        let mut trays = self.trays();
        trays.compares.push_back((origin, peer));
        if !std::mem::replace(&mut trays.comparing, true) {
            drop(trays);
            let desk = self.clone();
            self.0.platform.work(Box::new(move || desk.work_off_compares()));
        }
    }

    pub(crate) fn heard_of(&self, origins: Vec<OriginId>) {
        let desk = self.clone();
        self.0
            .platform
            .work(Box::new(move || desk.0.ledgers.heard_of(&origins)));
    }

    pub(crate) fn store(&self, run: Run) {
        let mut trays = self.trays();
        trays.runs.entry(run.origin.clone()).or_default().push_back(run);
        let may_start = trays.storing.len() < STORES_AT_ONCE;
        let origin = may_start.then(|| trays.next_to_store()).flatten();
        drop(trays);
        if let Some(origin) = origin {
            let desk = self.clone();
            self.0.platform.work(Box::new(move || desk.work_off_runs(origin)));
        }
    }

    pub(crate) fn keep_receipt(&self, origin: OriginId, receipt: SignedReceipt) {
        let mut trays = self.trays();
        trays.receipts.insert(origin, receipt);
        self.start_filing(trays);
    }

    pub(crate) fn take_heartbeats(&self, heartbeats: Vec<SignedHeartbeat>) {
        let mut trays = self.trays();
        if trays.heartbeats.len() < HEARTBEAT_BATCHES_MOST {
            trays.heartbeats.push_back(heartbeats);
            if !std::mem::replace(&mut trays.called, true) {
                drop(trays);
                let desk = self.clone();
                self.0.hearing.call(Box::new(move || desk.hear()));
            }
        }
    }

    /// Gives one batch of heartbeats to the ledgers. True when more wait.
    fn hear(&self) -> bool {
        let batch = self.trays().heartbeats.pop_front();
        if (self.0.admitted)() {
            for heartbeat in batch.into_iter().flatten() {
                self.0.ledgers.heartbeat(heartbeat);
            }
        }
        let mut trays = self.trays();
        trays.called = !trays.heartbeats.is_empty();
        trays.called
    }

    fn start_filing(&self, mut trays: MutexGuard<'_, Trays>) {
        if !std::mem::replace(&mut trays.filing, true) {
            drop(trays);
            let desk = self.clone();
            self.0.platform.work(Box::new(move || desk.work_off_filing()));
        }
    }

    fn work_off_compares(&self) {
        loop {
            let mut trays = self.trays();
            let Some((origin, peer)) = trays.compares.pop_front() else {
                trays.comparing = false;
                return;
            };
            drop(trays);
            let answer = self.0.ledgers.standing(&origin, &peer);
            self.answer(Event::Compared { origin, answer });
        }
    }

    /// Stores what waits of `origin`, then of others whose turn it is, until nothing waits.
    fn work_off_runs(&self, mut origin: OriginId) {
        loop {
            // Of a peer that was revoked meanwhile nothing more is kept; its connection is about to end, and nobody waits for an answer.
            let together = self
                .trays()
                .take_together(&origin)
                .filter(|_| (self.0.admitted)());
            if let Some((records, runs)) = together {
                let answer = self.0.ledgers.store(&origin, records);
                self.answer(Event::Stored {
                    origin: origin.clone(),
                    runs,
                    answer,
                });
            }
            let mut trays = self.trays();
            trays.storing.remove(&origin);
            match trays.next_to_store() {
                Some(next) => origin = next,
                None => return,
            }
        }
    }

    fn work_off_filing(&self) {
        loop {
            let mut trays = self.trays();
            let receipts = std::mem::take(&mut trays.receipts);
            if receipts.is_empty() {
                trays.filing = false;
                return;
            }
            drop(trays);
            if !(self.0.admitted)() {
                continue;
            }
            receipts
                .into_values()
                .for_each(|receipt| self.0.ledgers.receipt(receipt));
        }
    }

    /// Gives a result back; when the connection is over nobody wants it any more.
    fn answer(&self, event: Event) {
        let _ = self.0.results.blocking_send(event);
    }

    fn trays(&self) -> MutexGuard<'_, Trays> {
        self.0.trays.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trays {
    /// An origin with waiting runs that nobody stores now; it counts as being stored from here on.
    fn next_to_store(&mut self) -> Option<OriginId> {
        let origin = self
            .runs
            .keys()
            .find(|origin| !self.storing.contains(*origin))?
            .clone();
        self.storing.insert(origin.clone());
        Some(origin)
    }

    /// The first run of `origin` and those that follow it without a hole, and how many runs that are.
    fn take_together(&mut self, origin: &OriginId) -> Option<(Vec<SignedRecord>, usize)> {
        let waiting = self.runs.get_mut(origin)?;
        let Run {
            mut last,
            mut records,
            ..
        } = waiting.pop_front()?;
        let mut bytes: usize = records.iter().map(|record| record.bytes.len()).sum();
        let mut runs = 1;
        while bytes < STORE_TOGETHER_BYTES
            && waiting
                .front()
                .is_some_and(|next| next.after == Some(last.position))
            && let Some(next) = waiting.pop_front()
        {
            last = next.last;
            bytes += next
                .records
                .iter()
                .map(|record| record.bytes.len())
                .sum::<usize>();
            records.extend(next.records);
            runs += 1;
        }
        if waiting.is_empty() {
            self.runs.remove(origin);
        }
        Some((records, runs))
    }
}

/// A run with the head of its last record.
fn with_last(run: Vec<SignedRecord>) -> Result<Option<(Vec<SignedRecord>, Head)>, LoadFailed> {
    let Some(last) = run.last() else { return Ok(None) };
    let head = last.head().map_err(|_| LoadFailed::Damaged)?;
    Ok(Some((run, head)))
}
