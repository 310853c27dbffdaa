//! The replica's bookkeeping: heads that moved, heartbeats, receipts, and from them how fresh each court is here.
//! It sends nothing itself; the sessions with other machines watch it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use ccpor_domain::UtcMillis;
use ccpor_ledger::{
    Head, Heartbeat, Hlc, HybridClock, Ledger, OriginId, Receipt, ReceiptBook, ReceiptBookError, RunLimit,
    SignedHeartbeat, SignedReceipt, SigningKey, Standing, VerifyingKey,
};
use ccpor_sync::{Beat, FreshnessBook, Moved};

use crate::freshness::{CourtFreshness, now};
use crate::shelf::Shelf;

/// How far ahead of the clock here another court's moments may be to be followed, in milliseconds.
const CLOCK_AHEAD_MOST_MS: u64 = 60_000;

type Watcher = Box<dyn Fn(&Moved) + Send + Sync>;

/// What this machine knows of the other machines' progress and its own.
pub(crate) struct Replica {
    own: Option<OriginId>,
    identity: String,
    /// Signs receipts at a hub.
    key: Option<SigningKey>,
    clock: Arc<HybridClock>,
    watchers: RwLock<Vec<Watcher>>,
    freshness: Mutex<FreshnessBook>,
    heartbeats: Mutex<BTreeMap<OriginId, Arc<Beat>>>,
    receipts: Option<ReceiptBook>,
    hubs: Mutex<BTreeMap<String, VerifyingKey>>,
    /// The newest receipt of each hub whose key is not known yet.
    unproven: Mutex<BTreeMap<String, SignedReceipt>>,
    storing: Mutex<BTreeMap<OriginId, Arc<Mutex<()>>>>,
}

impl Replica {
    pub(crate) fn open(
        shelf: &Shelf,
        own: Option<OriginId>,
        identity: &str,
        key: Option<SigningKey>,
        clock: Arc<HybridClock>,
    ) -> Result<Arc<Self>, ReceiptBookError> {
        let own_ledger = own
            .as_ref()
            .and_then(|origin| shelf.get(origin).map(|ledger| (origin, ledger)));
        let receipts = own_ledger
            .map(|(origin, ledger)| ReceiptBook::open(ledger.dir(), origin.clone()))
            .transpose()?;
        let mut freshness = FreshnessBook::new();
        for (origin, ledger) in shelf.all() {
            freshness.know(&origin);
            // One writer with a clock that never goes back: whatever it recorded before its last record here, is here.
            let last = ledger
                .head()
                .and_then(|head| Some((head, ledger.read(head.position).ok()?)));
            if let Some((head, record)) = last.and_then(|(head, signed)| Some((head, signed.decode().ok()?)))
            {
                // From a clock that ran ahead: when it was heard is not known any more. The next heartbeat tells.
                let received = if record.hlc <= wall() { record.hlc } else { Hlc(0) };
                let heartbeat = Heartbeat {
                    origin,
                    head: Some(head),
                    closed: record.hlc,
                };
                freshness.heartbeat(&heartbeat, received);
            }
        }
        Ok(Arc::new(Self {
            own,
            identity: identity.to_owned(),
            key,
            clock,
            watchers: RwLock::new(Vec::new()),
            freshness: Mutex::new(freshness),
            heartbeats: Mutex::new(BTreeMap::new()),
            receipts,
            hubs: Mutex::new(BTreeMap::new()),
            unproven: Mutex::new(BTreeMap::new()),
            storing: Mutex::new(BTreeMap::new()),
        }))
    }

    pub(crate) fn watch(&self, watcher: Watcher) {
        self.watchers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(watcher);
    }

    /// These origins exist, whatever is held of them.
    pub(crate) fn know<'a>(&self, origins: impl IntoIterator<Item = &'a OriginId>) {
        let mut freshness = lock(&self.freshness);
        origins.into_iter().for_each(|origin| freshness.know(origin));
    }

    /// A ledger reaches further, durably.
    pub(crate) fn moved(&self, origin: &OriginId, head: Head) {
        self.tell(&Moved::Head(origin.clone(), head));
    }

    /// Lookups include everything of `origin` up to `head`.
    pub(crate) fn applied(&self, origin: &OriginId, head: Head) {
        lock(&self.freshness).applied(origin, head.position);
    }

    /// The copy of `origin` here was taken back to `head`: lookups may include less than before.
    pub(crate) fn taken_back(&self, origin: &OriginId, head: Option<Head>) {
        lock(&self.freshness).taken_back(origin, head.map(|head| head.position));
    }

    /// The newest record of a replicated run, and its moment: nothing earlier is missing before it.
    pub(crate) fn recorded(&self, origin: &OriginId, head: Head, hlc: Hlc) {
        let received = wall();
        // One court whose clock runs ahead must not carry the clocks of all others with it.
        if hlc.millis() <= received.millis().saturating_add(CLOCK_AHEAD_MOST_MS) {
            self.clock.observe(hlc);
        }
        let heartbeat = Heartbeat {
            origin: origin.clone(),
            head: Some(head),
            closed: hlc,
        };
        lock(&self.freshness).heartbeat(&heartbeat, received);
    }

    pub(crate) fn own_heartbeat(&self, signed: SignedHeartbeat) {
        if let Ok(said) = signed.decode() {
            self.keep(Beat { said, signed });
        }
    }

    /// Keeps a heartbeat that verifies and is newer; true when it was kept.
    pub(crate) fn heartbeat(&self, shelf: &Shelf, signed: SignedHeartbeat) -> bool {
        let Ok(claimed) = signed.decode() else {
            return false;
        };
        if self.own.as_ref() == Some(&claimed.origin) {
            return false;
        }
        let Some((head, ledger)) = claimed.head.zip(shelf.get(&claimed.origin)) else {
            return false;
        };
        let key = ledger.epoch_key(head.position.epoch).ok();
        match key.and_then(|key| signed.verify(&key).ok()) {
            Some(said) if speaks_of(&ledger, &said, &head) => self.keep(Beat { said, signed }),
            Some(_) => {
                tracing::debug!(origin = %claimed.origin, "a heartbeat speaks of another ledger than the one held here");
                false
            }
            None => false,
        }
    }

    /// Keeps a heartbeat that closes a later moment than the held one does. A held one whose moment is still to come gives way to any: it
    /// was made by a clock that ran ahead, and if that was set back, or its machine is gone, it would keep every later word out.
    fn keep(&self, beat: Beat) -> bool {
        let (beat, now) = (Arc::new(beat), wall());
        {
            let mut heartbeats = lock(&self.heartbeats);
            let newer = heartbeats
                .get(&beat.said.origin)
                .map(|held| held.said.closed)
                .is_none_or(|held| held < beat.said.closed || (held > beat.said.closed && held > now));
            if !newer {
                return false;
            }
            heartbeats.insert(beat.said.origin.clone(), Arc::clone(&beat));
        }
        lock(&self.freshness).heartbeat(&beat.said, now);
        self.tell(&Moved::Heartbeat(beat));
        true
    }

    /// The heartbeats for a peer that was not there when they were made. One that closes a moment still to come was made by a
    /// clock that runs ahead: it counts up to when it is heard, so that heard late it would promise what nobody promised.
    pub(crate) fn heartbeats(&self) -> Vec<SignedHeartbeat> {
        let now = wall();
        lock(&self.heartbeats)
            .values()
            .filter(|beat| beat.said.closed <= now)
            .map(|beat| beat.signed.clone())
            .collect()
    }

    /// A hub's signature under what it holds durably; none at a node.
    pub(crate) fn receipt_for(&self, origin: &OriginId, head: Head) -> Option<SignedReceipt> {
        let key = self.key.as_ref()?;
        let received = self.clock.now();
        let receipt = Receipt {
            hub: self.identity.clone(),
            origin: origin.clone(),
            head,
            received,
        };
        match receipt.sign(key) {
            Ok(signed) => Some(signed),
            Err(error) => {
                tracing::error!(%error, "a receipt could not be signed; the node shows the order as not yet statewide");
                None
            }
        }
    }

    /// Keeps a hub's receipt for the own ledger, once the hub's key is known.
    pub(crate) fn receipt(&self, signed: SignedReceipt) {
        let Ok(claimed) = signed.decode() else { return };
        let key = lock(&self.hubs).get(&claimed.hub).copied();
        match key {
            Some(key) => self.keep_receipt(&signed, &key),
            None => {
                lock(&self.unproven).insert(claimed.hub, signed);
            }
        }
    }

    fn keep_receipt(&self, signed: &SignedReceipt, key: &VerifyingKey) {
        let Some(book) = &self.receipts else { return };
        if let Err(error) = book.keep(signed, key) {
            tracing::warn!(%error, "a receipt of the hub was not kept");
        }
    }

    pub(crate) fn trust_hub(&self, hub: &str, key: VerifyingKey) {
        lock(&self.hubs).insert(hub.to_owned(), key);
        let waiting = lock(&self.unproven).remove(hub);
        if let Some(signed) = waiting {
            self.keep_receipt(&signed, &key);
        }
    }

    /// The receipt that reaches furthest.
    pub(crate) fn furthest_receipt(&self) -> Option<Receipt> {
        self.receipts.as_ref()?.furthest().map(|(receipt, _)| receipt)
    }

    /// The turn to append to, and apply, one ledger.
    pub(crate) fn turn(&self, origin: &OriginId) -> Arc<Mutex<()>> {
        Arc::clone(lock(&self.storing).entry(origin.clone()).or_default())
    }

    /// How far each court is included in answers made at `now`. The own court is included up to now as long as lookups
    /// follow the ledgers.
    pub(crate) fn courts(&self, now: UtcMillis, stale_after_ms: u64, follows: bool) -> Vec<CourtFreshness> {
        let book = lock(&self.freshness);
        let mut courts: Vec<_> = book
            .all()
            .map(|(origin, as_of)| {
                let own = follows && self.own.as_ref() == Some(origin);
                let as_of = as_of
                    .and_then(|as_of| i64::try_from(as_of.millis()).ok())
                    .map(UtcMillis);
                court(origin, if own { Some(now) } else { as_of }, now, stale_after_ms)
            })
            .collect();
        drop(book);
        courts.sort_by(|a, b| a.origin.cmp(&b.origin));
        courts
    }

    /// Makes durable what may wait.
    pub(crate) fn close(&self) {
        if let Some(Err(error)) = self.receipts.as_ref().map(ReceiptBook::flush) {
            tracing::warn!(%error, "the newest receipts were not written; the hub gives them again");
        }
    }

    fn tell(&self, moved: &Moved) {
        for watcher in self
            .watchers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            watcher(moved);
        }
    }
}

/// Whether a heartbeat speaks of the ledger that is held here; see [`Heartbeat::speaks_of_this`].
fn speaks_of(ledger: &Ledger, heartbeat: &Heartbeat, head: &Head) -> bool {
    let Ok(standing) = ledger.standing(head) else {
        return false;
    };
    let next = match standing {
        Standing::PeerBehind => {
            let next = ledger.run(Some(head.position), RunLimit { records: 1, bytes: 1 });
            next.ok().and_then(|run| Some(run.first()?.outline().ok()?.hlc))
        }
        Standing::Same | Standing::PeerAhead | Standing::Diverged => None,
    };
    heartbeat.speaks_of_this(standing, next)
}

/// The wall clock of this machine.
fn wall() -> Hlc {
    Hlc::from_millis(u64::try_from(now().0).unwrap_or_default())
}

fn court(origin: &OriginId, as_of: Option<UtcMillis>, now: UtcMillis, stale_after_ms: u64) -> CourtFreshness {
    let bound = i64::try_from(stale_after_ms).unwrap_or(i64::MAX);
    // A moment far ahead was heard while the clock here ran ahead too; when that was is not known. A little ahead is now.
    let is_known = |as_of: &UtcMillis| as_of.0.saturating_sub(now.0) <= bound;
    let as_of = as_of.filter(is_known).map(|as_of| as_of.min(now));
    let age_ms = as_of.map(|as_of| now.0.saturating_sub(as_of.0));
    let current = age_ms.is_some_and(|age| age <= bound);
    let reason = match age_ms {
        None => "nothing of this court has arrived yet, or it is not known when".to_owned(),
        Some(_) if current => String::new(),
        Some(age) => format!("not heard of for {}", in_words(age)),
    };
    CourtFreshness {
        origin: origin.clone(),
        as_of,
        age_ms,
        current,
        reason,
        left_out: false,
    }
}

/// `41 min`, `3 h 05 min`: as a dispatcher would say it.
fn in_words(ms: i64) -> String {
    let seconds = ms / 1_000;
    match (seconds / 3_600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) if hours < 48 => format!("{hours} h {minutes:02} min"),
        (hours, _) => format!("{} days", hours / 24),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these hold is replaced whole, never half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
