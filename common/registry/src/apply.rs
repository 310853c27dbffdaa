//! Applying: what the ledgers say, brought into the index and the people in memory, one record after the other.
//!
//! Changes are made one after the other, many records at a time, by a thread that is fed by a bounded queue: whoever
//! replicates faster than it can follow is slowed down. Whoever files one order at a time need not wait for that thread.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ccpor_domain::{Event, OrderId};
use ccpor_ledger::{Body, Head, Hlc, OriginId, Position, SignedRecord};

use crate::card;
use crate::catalogue::KnownImage;
use crate::index::{Change, Entry, IndexFailed, Place};
use crate::view::{CurrentView, View};

/// What one durable record says.
pub(crate) struct Fact {
    pub(crate) head: Head,
    pub(crate) hlc: Hlc,
    pub(crate) said: Said,
}

/// What a record says of an order.
pub(crate) enum Said {
    /// Nothing: it concerns the ledger itself.
    Nothing,
    /// This, as whoever recorded it knows.
    Event(Box<Event>),
    /// What is in these bytes. They are read when they are applied, so that nothing waits for it before it is durable.
    Bytes(Vec<u8>),
}

impl Fact {
    /// Of a record that was verified before.
    pub(crate) fn of(signed: &SignedRecord) -> Result<Self, IndexFailed> {
        let record = signed.decode().map_err(|_| IndexFailed::Entry)?;
        let head = Head {
            position: record.position(),
            hash: signed.hash(),
        };
        let said = match record.body {
            Body::EpochStart(_) | Body::KeyHandover(_) => Said::Nothing,
            Body::Event(bytes) => Said::Bytes(bytes),
        };
        Ok(Self {
            head,
            hlc: record.hlc,
            said,
        })
    }

    /// The event; none for a record that concerns the ledger itself, and for one of a kind that this version does not know.
    fn event(&self, origin: &OriginId) -> Option<Cow<'_, Event>> {
        match &self.said {
            Said::Nothing => None,
            Said::Event(event) => Some(Cow::Borrowed(event.as_ref())),
            Said::Bytes(bytes) => ccpor_domain::decode(bytes)
                .inspect_err(|error| {
                    let Position { epoch, seq } = self.head.position;
                    tracing::warn!(
                        %origin, epoch, seq, %error,
                        "a record is not understood by this version; it is kept and passed on, but not shown"
                    );
                })
                .ok()
                .map(Cow::Owned),
        }
    }
}

/// Facts of one ledger, in its order, that wait to be applied.
pub(crate) struct Batch {
    pub(crate) origin: OriginId,
    pub(crate) facts: Vec<Fact>,
    /// Called once the facts are visible to lookups, or could not be applied.
    pub(crate) applied: Option<WhenApplied>,
}

/// Called once, when the facts of a batch are visible to lookups or could not be applied.
pub(crate) type WhenApplied = Box<dyn FnOnce(Result<(), IndexFailed>) + Send>;

/// What is waiting is taken together up to this many facts: one write to the index for all of them.
const TOGETHER_FACTS: usize = 2_000;
/// Pause between two attempts to make the index anew when it lags behind.
const MEND_EVERY: Duration = Duration::from_secs(1);
/// Pause between two attempts to bring an index that is kept in memory back to the disk.
const BACK_EVERY: Duration = Duration::from_secs(5);
/// Pause before an index that cannot be read is made anew once more.
const RENOUNCE_EVERY: Duration = Duration::from_secs(10);
/// So many entries of the index are written without waiting for more, and after this time all are.
const WORTH_WRITING: usize = 1_024;
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// Entries of the index that may wait to be written: some ten megabytes.
const WAITING_MOST: usize = 16_384;
/// Batches that may wait; each is at most one run of replication.
const QUEUE: usize = 256;

/// The entrance to the applying thread.
pub(crate) struct Applier {
    queue: SyncSender<Batch>,
    work: Arc<Applying>,
}

/// What is told after a batch was applied: the ledgers with the last record that lookups now include.
pub(crate) type OnApplied = Box<dyn Fn(&OriginId, Head) + Send + Sync>;

/// Makes the view anew from the ledgers. Told whether it must, because nothing else follows them; otherwise it is only to
/// bring the index back to the disk. None when that cannot be done now.
pub(crate) type Anew = Box<dyn Fn(bool) -> Option<View> + Send + Sync>;

impl Applier {
    /// Starts the thread. It ends when the last [`Applier`] is dropped.
    pub(crate) fn start(
        current: Arc<CurrentView>,
        on_applied: OnApplied,
        anew: Anew,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (queue, batches) = std::sync::mpsc::sync_channel(QUEUE);
        let work = Arc::new(Applying {
            current,
            on_applied,
            anew,
            broken: AtomicBool::new(false),
            turn: Mutex::new(()),
            writing: Mutex::new(()),
            queued: AtomicUsize::new(0),
            renounced: Mutex::new(None),
        });
        let (call, called) = std::sync::mpsc::sync_channel(1);
        let own = Arc::clone(&work);
        let index = std::thread::Builder::new()
            .name("index".into())
            .spawn(move || own.keep_written(&called))?;
        let own = Arc::clone(&work);
        let thread = std::thread::Builder::new().name("apply".into()).spawn(move || {
            own.run(&batches, &call);
            drop(call);
            if index.join().is_err() {
                tracing::error!("the thread that writes the index stopped by a fault");
            }
            own.write();
            own.current.get().index.flush();
        })?;
        Ok((Self { queue, work }, thread))
    }

    /// Whether everything handed over so far could be applied.
    pub(crate) fn follows(&self) -> bool {
        !self.work.broken.load(Ordering::Relaxed)
    }

    /// Applies a batch at once, on the calling thread, when nobody else is at it; gives it back otherwise. Only for a ledger of
    /// which nothing waits in the queue: its records would be overtaken.
    pub(crate) fn at_once(&self, batch: Batch) -> Option<Batch> {
        match self.work.turn.try_lock() {
            Ok(_turn) if self.follows() => {
                self.work.carry_out(vec![batch]);
                None
            }
            _ => Some(batch),
        }
    }

    /// Makes the view anew in the place of one whose index could not be read. Not again and again: a disk that fails does so
    /// at every attempt.
    pub(crate) fn renounce(&self, view: &Arc<View>) {
        let _turn = self.work.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = self.work.renounced.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = last.is_some_and(|last| last.elapsed() < RENOUNCE_EVERY);
        if !lately && Arc::ptr_eq(view, &self.work.current.get()) {
            self.work.broken.store(true, Ordering::Relaxed);
            self.work.mend();
            *last = Some(Instant::now());
        }
    }

    /// Makes the view anew, because the ledgers no longer hold all that it speaks of. Until that is done lookups say that they
    /// lag behind.
    pub(crate) fn make_anew(&self) {
        let _turn = self.work.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.work.broken.store(true, Ordering::Relaxed);
        self.work.mend();
    }

    /// Hands over a batch; waits while the queue is full. False when the thread is gone.
    pub(crate) fn push(&self, batch: Batch) -> bool {
        self.work.queued.fetch_add(1, Ordering::AcqRel);
        self.queue.send(batch).is_ok()
    }

    /// Applies a batch at once when nothing of any ledger waits and nobody is at it, otherwise hands it over. Whoever calls this has
    /// the turn of the batch's ledger, so that nothing of it is handed over meanwhile. False when the thread is gone.
    pub(crate) fn soon(&self, batch: Batch) -> bool {
        let waits = self.work.queued.load(Ordering::Acquire) > 0;
        let left = if waits { Some(batch) } else { self.at_once(batch) };
        left.is_none_or(|batch| self.push(batch))
    }
}

/// What the thread works with.
struct Applying {
    current: Arc<CurrentView>,
    on_applied: OnApplied,
    anew: Anew,
    /// The index could not be written: what is handed over is left to the ledgers until the index is made anew.
    broken: AtomicBool,
    /// Held by whoever changes the view.
    turn: Mutex<()>,
    /// Held by whoever writes the index.
    writing: Mutex<()>,
    /// Batches handed over and not applied yet.
    queued: AtomicUsize,
    /// When a view was last made anew because its index could not be read.
    renounced: Mutex<Option<Instant>>,
}

impl Applying {
    fn run(&self, batches: &Receiver<Batch>, index: &SyncSender<()>) {
        let mut mended = Instant::now();
        loop {
            if mended.elapsed() >= self.pause() {
                let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
                self.mend();
                mended = Instant::now();
                continue;
            }
            // Never for long: a batch that was applied on another thread may have found the index unwritable, and then nobody
            // hands over another one before it is made anew.
            match batches.recv_timeout(MEND_EVERY) {
                Ok(first) => self.take(first, batches),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            match self.current.get().index.waiting() {
                ..WORTH_WRITING => {}
                // It was called already if this fails.
                WORTH_WRITING..WAITING_MOST => drop(index.try_send(())),
                // It does not keep up: whoever replicates faster is slowed down.
                _ => self.write(),
            }
        }
    }

    /// Writes the index when it is called, and from time to time what came without a call, until nobody is there to call. Filing and
    /// replication go on meanwhile.
    fn keep_written(&self, called: &Receiver<()>) {
        while !matches!(
            called.recv_timeout(WRITE_EVERY),
            Err(RecvTimeoutError::Disconnected)
        ) {
            self.write();
        }
    }

    /// Writes what the index has in memory alone. Whoever has the turn goes on meanwhile.
    fn write(&self) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.broken.load(Ordering::Relaxed) {
            return;
        }
        let view = self.current.get();
        if view.index.waiting() == 0 {
            return;
        }
        let leaving = view.leave();
        drop(turn);
        if let Err(error) = view.index.write(leaving) {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            // Another view may have taken its place meanwhile.
            if Arc::ptr_eq(&view, &self.current.get()) {
                self.fail(&error);
                self.mend();
            }
        }
    }

    /// The index is of no use any more. The ledgers have the records; going on with it would leave a hole in it.
    fn fail(&self, error: &IndexFailed) {
        if !self.broken.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "the index can no longer be used and is made anew");
        }
    }

    /// Applies a batch and what waits behind it, and tells.
    fn take(&self, first: Batch, batches: &Receiver<Batch>) {
        let mut facts = first.facts.len();
        let mut taken = vec![first];
        while facts < TOGETHER_FACTS {
            let Ok(next) = batches.try_recv() else { break };
            facts += next.facts.len();
            taken.push(next);
        }
        let count = taken.len();
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.carry_out(taken);
        self.queued.fetch_sub(count, Ordering::AcqRel);
    }

    /// Applies batches and tells; the caller has the turn.
    fn carry_out(&self, taken: Vec<Batch>) {
        let mut outcome = if self.broken.load(Ordering::Relaxed) {
            Err(IndexFailed::Behind)
        } else {
            apply(&taken, &self.current.get())
        };
        if let Err(error) = &outcome {
            self.fail(error);
            if self.mend() {
                outcome = Ok(Vec::new());
            }
        }
        for (origin, head) in outcome.as_ref().map(Vec::as_slice).unwrap_or_default() {
            (self.on_applied)(origin, *head);
        }
        for applied in taken.into_iter().filter_map(|batch| batch.applied) {
            applied(outcome.as_ref().map(|_| ()).map_err(|_| IndexFailed::Behind));
        }
    }

    /// How long after an attempt to mend the next one is due.
    fn pause(&self) -> Duration {
        match self.broken.load(Ordering::Relaxed) {
            true => MEND_EVERY,
            false if !self.current.get().index.is_lasting() => BACK_EVERY,
            false => Duration::MAX,
        }
    }

    /// Puts a view made from the ledgers in the place of one that lags behind or whose index is not on the disk; the caller
    /// has the turn. Records that are still queued are in it already; applying them again changes nothing.
    fn mend(&self) -> bool {
        let broken = self.broken.load(Ordering::Relaxed);
        let Some(view) = (self.anew)(broken) else {
            return false;
        };
        let heads: Vec<(OriginId, Head)> = view
            .meta()
            .applied_heads()
            .map(|(origin, head)| (origin.clone(), head))
            .collect();
        let lasting = view.index.is_lasting();
        self.current.replace(view);
        for (origin, head) in &heads {
            (self.on_applied)(origin, *head);
        }
        self.broken.store(false, Ordering::Relaxed);
        tracing::info!(lasting, "the index was made anew");
        true
    }
}

/// Brings the batches into the index, then into memory, and gives the new applied heads.
pub(crate) fn apply(batches: &[Batch], view: &View) -> Result<Vec<(OriginId, Head)>, IndexFailed> {
    let mut next = view.meta().clone();
    let mut work = Work {
        view,
        entries: BTreeMap::new(),
        orders: next.orders,
        images: Vec::new(),
    };
    let mut heads = Vec::new();
    for batch in batches {
        let number = next.number_of(&batch.origin)?;
        let (mut last, mut orders) = (None, 0);
        for fact in &batch.facts {
            let position = fact.head.position;
            if let Some(event) = fact.event(&batch.origin) {
                let place = Place {
                    hlc: fact.hlc.0,
                    origin: number,
                    epoch: position.epoch,
                    seq: position.seq,
                };
                orders += u64::from(work.event(place, &batch.origin, &event)?);
            }
            last = Some(fact.head);
        }
        if let Some(head) = last {
            next.set_applied(number, head, orders);
            heads.push((batch.origin.clone(), head));
        }
    }
    next.orders = work.orders;
    let (changes, images) = work.done();
    // A reader may meet the new entries before the rest of the state; the ledgers that they name must be known by then.
    view.meta_mut().know(&next);
    let mut people = view.people_mut();
    for change in &changes {
        people.put(change.order, &change.after);
    }
    drop(people);
    view.index.put(changes);
    *view.meta_mut() = next;
    for image in images {
        view.catalogue.learn(image);
    }
    Ok(heads)
}

/// The entries touched by the records at hand.
struct Work<'a> {
    view: &'a View,
    entries: BTreeMap<OrderId, (Option<sled::IVec>, Entry)>,
    /// Orders in the index, the new ones at hand included.
    orders: u64,
    images: Vec<KnownImage>,
}

impl Work<'_> {
    /// Takes in one event; true when it brought a new order.
    fn event(&mut self, place: Place, origin: &OriginId, event: &Event) -> Result<bool, IndexFailed> {
        let entry = self.entry(event.order_id())?;
        // A second pass over the same record changes nothing.
        if !entry.places.contains(&place) {
            entry.places.push(place);
            entry
                .places
                .sort_by_key(|place| (place.hlc, place.origin, place.epoch, place.seq));
        }
        let brings_order = entry.card.is_none() && matches!(event, Event::Filed(_) | Event::Amended(_));
        match event {
            Event::Filed(filed) => {
                let newest = card::of(filed.order_id, &filed.order);
                entry.card = Some(card::with_history(newest, entry.card.take()));
            }
            Event::Amended(amended) => {
                let newest = card::of(amended.order_id, &amended.order);
                entry.card = Some(card::with_history(newest, entry.card.take()));
            }
            Event::ImageAttached(attached) => {
                let (blake3, length) = (attached.image.blake3.0, attached.image.length);
                if !entry.images.iter().any(|(known, _)| *known == blake3) {
                    entry.images.push((blake3, length));
                }
                self.images.push(KnownImage {
                    blake3,
                    length,
                    origin: origin.clone(),
                    orders: vec![attached.order_id],
                });
            }
            Event::Served(_)
            | Event::Ended(_)
            | Event::Sealing(_)
            | Event::Violated(_)
            | Event::Confided(_) => {}
        }
        Ok(brings_order)
    }

    fn entry(&mut self, order: OrderId) -> Result<&mut Entry, IndexFailed> {
        match self.entries.entry(order) {
            std::collections::btree_map::Entry::Occupied(known) => Ok(&mut known.into_mut().1),
            std::collections::btree_map::Entry::Vacant(vacant) => {
                // The people in memory know every order of the index.
                let known = self.view.people().ordinal(order).is_some();
                let found = if known {
                    self.view.index.entry(order)?
                } else {
                    None
                };
                let (entry, before) = match found {
                    Some(found) => found,
                    None => {
                        let ordinal = u32::try_from(self.orders).map_err(|_| IndexFailed::TooManyOrders)?;
                        self.orders += 1;
                        let entry = Entry {
                            ordinal,
                            ..Entry::default()
                        };
                        (entry, None)
                    }
                };
                Ok(&mut vacant.insert((before, entry)).1)
            }
        }
    }

    fn done(self) -> (Vec<Change>, Vec<KnownImage>) {
        let change = |(order, (before, after))| Change { order, before, after };
        (self.entries.into_iter().map(change).collect(), self.images)
    }
}
