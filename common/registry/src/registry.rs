//! The registry on one machine: ledgers, index, people and images put together, opened, and asked.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use ccpor_domain::{Calendars, OrderId, UtcMillis};
use ccpor_ledger::{
    AppendError, Head, HybridClock, KeyTrust, Ledger, OriginId, Receipt, SignedHeartbeat, SigningKey,
    VerifyingKey, Writer,
};
use ccpor_sync::Choice;

use crate::applier::{Anew, Applier};
use crate::apply::Batch;
use crate::catalogue::KnownImage;
use crate::counter::Counter;
use crate::freshness::{Answer, Freshness, Source, now};
use crate::heard_of::HeardOf;
use crate::image::ImageStore;
use crate::index::IndexFailed;
use crate::opening::{self, OpenFailed, Opening, Quill};
use crate::replica::Replica;
use crate::room::{self, Room};
use crate::shelf::{Shelf, ShelfError, damage_of};
use crate::story::{NoStory, Story};
use crate::turns::Turns;
use crate::view::{CurrentView, View};
use crate::workbook::WorkBook;
use crate::written::Written;

/// What a registry is opened with.
pub struct RegistryConfig {
    /// Directory of ledgers, index and images; made when missing.
    pub directory: PathBuf,
    /// Identity of this machine, as answers name it.
    pub identity: String,
    /// What kind of machine it is.
    pub source: Source,
    /// The ledger that this machine writes; none at a hub.
    pub own: Option<OwnLedger>,
    /// The key with which a hub signs receipts; none at a node.
    pub receipts: Option<SigningKey>,
    /// Judges the record-signing keys of the courts.
    pub trust: Arc<dyn KeyTrust>,
    /// A court not heard of for longer than this is not current, in milliseconds.
    pub stale_after_ms: u64,
    /// Memory for the index's page cache, in bytes.
    pub index_cache_bytes: u64,
    /// The court days of the courts.
    pub calendars: Calendars,
    /// Which of the other courts' ledgers this machine wants to hold. The sessions keep to it; answers say what is left out.
    pub takes: Choice,
}

/// The ledger that this machine writes.
pub struct OwnLedger {
    /// Its name.
    pub origin: OriginId,
    /// Its record-signing key.
    pub key: SigningKey,
    /// The key's certificate chain in DER, leaf first.
    pub chain: Vec<Vec<u8>>,
    /// The key before it, to hand the ledger over, when the key was replaced and the ledger does not go on under it yet.
    pub handing_over: Option<SigningKey>,
}

/// An open registry. Every call may block on the disk; none may be made from an async task directly.
pub struct Registry {
    /// Itself, for what runs when a record has become durable.
    pub(crate) this: Weak<Self>,
    pub(crate) identity: String,
    pub(crate) source: Source,
    directory: PathBuf,
    room: Room,
    pub(crate) own: Option<OriginId>,
    /// None while the own ledger is being restored.
    writer: RwLock<Option<Arc<Writer>>>,
    /// None when this machine writes no ledger.
    pub(crate) quill: Option<RwLock<Quill>>,
    pub(crate) shelf: Arc<Shelf>,
    view: Arc<CurrentView>,
    applier: Mutex<Option<Arc<Applier>>>,
    applying: Mutex<Option<std::thread::JoinHandle<()>>>,
    pub(crate) turns: Turns,
    /// Acts of the own court that are being recorded and applied.
    pub(crate) under_way: AtomicUsize,
    /// Own records that became durable together, until they are told of.
    pub(crate) written: Mutex<Written>,
    /// Why nothing may be filed, when that is so.
    halted: RwLock<Option<String>>,
    images: ImageStore,
    /// What is left to do with the own orders.
    pub(crate) work: Mutex<WorkBook>,
    /// How many orders there are of each kind, for the reports.
    pub(crate) counter: Counter,
    pub(crate) replica: Arc<Replica>,
    pub(crate) heard_of: HeardOf,
    takes: Choice,
    stale_after_ms: u64,
    calendars: Calendars,
}

/// Sizes for the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Orders of all courts that lookups find.
    pub orders: u64,
    /// Records of all courts.
    pub records: u64,
    /// Bytes of the index on disk.
    pub index_bytes: u64,
}

/// One ledger as it stands here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerState {
    /// Whose.
    pub origin: OriginId,
    /// Its last record here.
    pub head: Option<Head>,
    /// Its records here.
    pub records: u64,
    /// The orders it files.
    pub orders: u64,
    /// What is damaged in it, in words.
    pub damage: Option<String>,
}

impl Registry {
    /// Opens the registry: ledgers, then the index over them (made anew when it cannot be used), then what the ledgers
    /// hold beyond it, then the people in memory. When it returns, every lookup is answered in full.
    ///
    /// # Errors
    /// [`OpenFailed`] when a directory or a ledger cannot be used. A damaged index is no error.
    pub fn open(config: RegistryConfig) -> Result<(Arc<Self>, Opening), OpenFailed> {
        let shelf = Arc::new(Shelf::open(
            &config.directory.join("ledger"),
            Arc::clone(&config.trust),
        )?);
        let clock = Arc::new(HybridClock::system());
        let own = config.own.as_ref().map(|own| own.origin.clone());
        let quill = config.own.map(|own| Quill::of(own, &clock));
        let writer = match (&own, &quill) {
            (Some(own), Some(quill)) => {
                let ledger = shelf.get_or_make(own).map_err(ShelfError::from)?;
                Some(Arc::new(quill.write(ledger, None)?))
            }
            _ => None,
        };
        let images = ImageStore::open(&config.directory.join("images")).map_err(opening::images)?;
        let index = config.directory.join("index");
        let (view, opening) = opening::view(&index, config.index_cache_bytes, &shelf, images.clone())?;
        let replica = Replica::open(&shelf, own.clone(), &config.identity, config.receipts, clock)?;
        for (origin, head) in view.meta().applied_heads() {
            replica.applied(origin, head);
        }
        let heard_of = HeardOf::open(&config.directory);
        replica.know(&heard_of.all());
        let view = Arc::new(CurrentView::new(view));
        let told = Arc::clone(&replica);
        let (applier, applying) = Applier::start(
            Arc::clone(&view),
            Box::new(move |origin, head| told.applied(origin, head)),
            anew(index, config.index_cache_bytes, &shelf, &images),
        )
        .map_err(OpenFailed::Thread)?;
        let registry = Arc::new_cyclic(|this| Self {
            this: this.clone(),
            identity: config.identity,
            source: config.source,
            room: Room::of(config.directory.clone()),
            directory: config.directory,
            own,
            writer: RwLock::new(writer),
            quill: quill.map(RwLock::new),
            shelf,
            view,
            applier: Mutex::new(Some(Arc::new(applier))),
            applying: Mutex::new(Some(applying)),
            turns: Turns::new(),
            under_way: AtomicUsize::new(0),
            written: Mutex::default(),
            halted: RwLock::new(None),
            images,
            work: Mutex::default(),
            counter: Counter::default(),
            replica,
            heard_of,
            takes: config.takes,
            stale_after_ms: config.stale_after_ms,
            calendars: config.calendars,
        });
        Ok((registry, opening))
    }

    /// An order with its whole history, or as it was known at a past moment.
    pub fn show(&self, order: OrderId, until: Option<UtcMillis>) -> Answer<Result<Story, NoStory>> {
        // The freshness is taken first: what arrives meanwhile can only make the answer better than it says.
        let freshness = self.freshness(None);
        let story = self.told(order, until);
        Answer::new(story, freshness)
    }

    /// Up to when each court is included in an answer made now. `stale_after_ms` takes the place of this machine's own
    /// bound.
    #[must_use]
    pub fn freshness(&self, stale_after_ms: Option<u64>) -> Freshness {
        let stale_after_ms = stale_after_ms.unwrap_or(self.stale_after_ms);
        let halted = self.halted().is_some();
        let follows = self.follows() && !halted;
        let answered_at = now();
        let mut courts = self.replica.courts(answered_at, stale_after_ms, follows);
        for court in &mut courts {
            if halted && self.own() == Some(&court.origin) {
                court.current = false;
                court.reason =
                    "records of this court may be missing on its own machine; nothing is filed here".into();
            }
            // Whatever was promised: a record that cannot be read cannot be in the answer.
            let ledger = self.shelf.get(&court.origin);
            if ledger.is_some_and(|ledger| damage_of(&ledger).is_some()) {
                court.current = false;
                court.reason = "its ledger is damaged on this machine".into();
            }
            // Of a court that was held before and is left out now, the orders are shown as they were: to hide one that is known would
            // be worse. But even a moment ago is no longer current, since nothing of what followed is coming.
            court.left_out = self.leaves_out(&court.origin);
            if court.left_out {
                court.current = false;
                court.reason = "not held on this machine, as its operator chose".into();
            }
        }
        Freshness {
            answered_at,
            served_by: self.identity.clone(),
            source: self.source,
            courts,
        }
    }

    /// The machine that this registry is of.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Whether a ledger is not held here, or no longer kept up to date, as the operator of this machine chose.
    #[must_use]
    pub fn leaves_out(&self, origin: &OriginId) -> bool {
        self.own() != Some(origin) && !self.takes.takes(origin)
    }

    /// The court days of the courts.
    #[must_use]
    pub fn calendars(&self) -> &Calendars {
        &self.calendars
    }

    /// The images.
    #[must_use]
    pub fn images(&self) -> &ImageStore {
        &self.images
    }

    /// From now on nothing is filed here, for this reason, until the program is started again: the own ledger turned out not
    /// to be what other machines hold of it, and a record written now would contradict theirs.
    pub fn halt(&self, reason: &str) {
        let mut halted = self.halted.write().unwrap_or_else(PoisonError::into_inner);
        if halted.is_none() {
            tracing::error!(reason, "nothing is filed here any more; lookups go on");
            *halted = Some(reason.to_owned());
        }
    }

    /// As [`Registry::halt`], in the place of an earlier reason.
    pub(crate) fn halt_because(&self, reason: String) {
        tracing::error!(reason, "nothing is filed here; lookups go on");
        *self.halted.write().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    /// Why nothing is filed here, when that is so.
    #[must_use]
    pub fn halted(&self) -> Option<String> {
        self.halted.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the records say of an image, wherever its bytes are.
    #[must_use]
    pub fn known_image(&self, blake3: &[u8; 32]) -> Option<KnownImage> {
        self.view().catalogue.find(blake3)
    }

    /// Up to `most` images that records speak of and that are not here.
    #[must_use]
    pub fn missing_images(&self, most: usize) -> Vec<KnownImage> {
        self.view().catalogue.missing(most)
    }

    /// Up to `most` images of the own ledger that are not here: lost, or not yet brought back after a restore.
    #[must_use]
    pub fn missing_own_images(&self, most: usize) -> Vec<KnownImage> {
        let own = self.own.as_ref();
        own.map_or_else(Vec::new, |own| self.view().catalogue.missing_of(own, most))
    }

    /// The bytes of an image turned out to be gone or damaged; it is wanted again.
    pub fn lost_image(&self, blake3: &[u8; 32]) {
        self.view().catalogue.lost(blake3);
    }

    /// The ledger that this machine writes, if it is a court's.
    #[must_use]
    pub fn own(&self) -> Option<&OriginId> {
        self.own.as_ref()
    }

    /// A value that is equal at two machines, or two starts of one, that find the same people in the same orders.
    #[must_use]
    pub fn people_digest(&self) -> [u8; 16] {
        self.view().people().digest()
    }

    /// Sizes for the operator.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            orders: u64::try_from(self.view().people().orders()).unwrap_or(u64::MAX),
            records: self.shelf.all().iter().map(|(_, ledger)| ledger.records()).sum(),
            index_bytes: self.view().index.size_bytes(),
        }
    }

    /// Whether lookups follow the ledgers. When not, the index could not be written; it is made anew as soon as there is room.
    #[must_use]
    pub fn follows(&self) -> bool {
        self.applier().is_some_and(|applier| applier.follows())
    }

    /// Every ledger as it stands here, by name.
    #[must_use]
    pub fn ledgers(&self) -> Vec<LedgerState> {
        let view = self.view();
        let meta = view.meta();
        let state = |(origin, ledger): (OriginId, Arc<Ledger>)| LedgerState {
            head: ledger.head(),
            records: ledger.records(),
            orders: meta.orders_of(&origin),
            damage: damage_of(&ledger),
            origin,
        };
        self.shelf.all().into_iter().map(state).collect()
    }

    /// The hub's receipt that reaches furthest into the own ledger.
    #[must_use]
    pub fn newest_receipt(&self) -> Option<Receipt> {
        self.replica.furthest_receipt()
    }

    /// The directory of ledgers, index and images.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Signs a heartbeat: nothing earlier than its moment is still to come from this court. None at a hub.
    ///
    /// # Errors
    /// [`AppendError`] when the ledger can no longer be written; then there is nothing to promise.
    pub fn sign_heartbeat(&self) -> Result<Option<SignedHeartbeat>, AppendError> {
        let Some(writer) = self.writer() else {
            return Ok(None);
        };
        let heartbeat = writer.heartbeat_wait()?;
        self.replica.own_heartbeat(heartbeat.clone());
        Ok(Some(heartbeat))
    }

    /// From now on receipts of `hub` are verified with `key`.
    pub fn trust_hub(&self, hub: &str, key: VerifyingKey) {
        self.replica.trust_hub(hub, key);
    }

    /// Stops writing, applies what is durable, writes the index out. The registry answers no more afterwards.
    pub fn close(&self) {
        self.lay_down_writer();
        drop(self.applier.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self
            .applying
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.counter.close();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(
                "the applying thread stopped by a fault; the next start reads more of the ledgers"
            );
        }
        for (origin, ledger) in self.shelf.all() {
            if let Err(error) = ledger.mark_durable() {
                tracing::debug!(%origin, %error, "the next start looks at the end of this ledger more closely");
            }
        }
        self.replica.close();
    }

    /// The writer of the own ledger.
    pub(crate) fn writer(&self) -> Option<Arc<Writer>> {
        self.writer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes what waits and ends the writer.
    pub(crate) fn lay_down_writer(&self) {
        let writer = self.writer.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            writer.close();
        }
    }

    /// The own ledger is written on by `writer`, and orders are filed again.
    pub(crate) fn go_on_with(&self, writer: Writer) {
        *self.writer.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(writer));
        *self.halted.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Brings records into lookups on this thread, when nobody else is doing so; gives them back otherwise.
    pub(crate) fn at_once(&self, batch: Batch) -> Option<Batch> {
        match self.applier() {
            Some(applier) => applier.at_once(batch),
            None => Some(batch),
        }
    }

    /// The applier, until the registry is closed. Nobody holds the lock while waiting for it.
    pub(crate) fn applier(&self) -> Option<Arc<Applier>> {
        self.applier
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Brings durable records of `origin` into lookups; `applied` is called when they are visible.
    pub(crate) fn apply(&self, batch: Batch) -> bool {
        self.applier().is_some_and(|applier| applier.push(batch))
    }

    /// The story of an order from its records.
    pub(crate) fn told(&self, order: OrderId, until: Option<UtcMillis>) -> Result<Story, NoStory> {
        let view = self.view();
        let places = view.people().places_of(order);
        match places {
            Some(places) => Story::read(order, &places, &view.meta(), &self.shelf, until),
            // What is missing in an index that lags behind may well be in a ledger.
            None if !self.follows() => Err(NoStory::NotReadable {
                order,
                reason: IndexFailed::Behind.to_string(),
            }),
            None => Err(NoStory::Unknown(order)),
        }
    }

    /// What lookups use now.
    pub(crate) fn view(&self) -> Arc<View> {
        self.view.get()
    }

    /// Whether there is room on the disk to record something more.
    pub(crate) fn has_room(&self) -> bool {
        self.room.is_left()
    }
}

/// Makes the view anew: with its index on the disk when there is room for it, else in memory if it has to be.
fn anew(index: PathBuf, cache_bytes: u64, shelf: &Arc<Shelf>, images: &ImageStore) -> Anew {
    let (shelf, images) = (Arc::clone(shelf), images.clone());
    Box::new(move |must| {
        let room = index.parent().is_none_or(room::is_left);
        let lasting = room.then(|| opening::view_anew(&index, cache_bytes, &shelf, images.clone()));
        let view = match lasting {
            Some(Ok(view)) => Ok(view),
            _ if must => opening::view_in_memory(&shelf, images.clone()).map(|(view, _)| view),
            Some(Err(error)) => Err(error),
            None => return None,
        };
        view.inspect_err(
            |error| tracing::error!(%error, "the index could not be made anew; it is tried again"),
        )
        .ok()
    })
}
