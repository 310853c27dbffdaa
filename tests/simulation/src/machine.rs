//! One machine: its disk, its clock, and, while its program runs, what the program holds in memory. It keeps the rules of the
//! registry for heartbeats and receipts; whom it talks to is the world's business.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use ccpor_ledger::{
    Body, EpochReason, Head, Heartbeat, Hlc, HybridClock, KeyRefused, KeyTrust, OriginId, Position, Receipt,
    RunLimit, Scribe, SignedHeartbeat, SignedReceipt, SignedRecord, SigningKey, Standing, VerifyingKey,
    prove_run,
};
use ccpor_sync::{FreshnessBook, LoadFailed};

use crate::copy::Copy;

/// Most courts and hubs of a world.
pub(crate) const COURTS: usize = 3;
pub(crate) const HUBS: usize = 2;

/// How far ahead of its own clock a machine follows another court's moments, in milliseconds; as the registry does.
const CLOCK_AHEAD_MOST_MS: u64 = 60_000;

static COURT_KEYS: LazyLock<Vec<Arc<SigningKey>>> = LazyLock::new(|| keys(COURTS, 1));
static HUB_KEYS: LazyLock<Vec<Arc<SigningKey>>> = LazyLock::new(|| keys(HUBS, 101));
static ORIGINS: LazyLock<Vec<OriginId>> = LazyLock::new(|| {
    let name = |number| OriginId::new(&format!("court/county-{number}/node/1")).expect("a valid name");
    (0..COURTS).map(name).collect()
});

fn keys(count: usize, first: u8) -> Vec<Arc<SigningKey>> {
    (0..count)
        .map(|number| Arc::new(SigningKey::from_seed(&[first + number as u8; 32]).expect("a key")))
        .collect()
}

/// The ledger of the court with this number.
pub(crate) fn origin(court: usize) -> OriginId {
    ORIGINS[court].clone()
}

/// The key of somebody who is no court.
pub(crate) fn court_key(court: usize) -> Arc<SigningKey> {
    Arc::clone(&COURT_KEYS[court])
}

/// What a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The node of a court; several machines are of one court only when one is the clone of the other.
    Court(usize),
    Hub(usize),
}

/// One machine.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) ledgers: BTreeMap<OriginId, Copy>,
    /// What an operator took out of the own ledger and is to be recorded once more.
    pub(crate) shelf: Vec<Vec<u8>>,
    /// The furthest receipt of each hub.
    pub(crate) receipts: BTreeMap<String, Receipt>,
    /// By how much its clock is wrong, in milliseconds.
    pub(crate) clock_error: i64,
    wall: Arc<AtomicU64>,
    pub(crate) up: Option<Up>,
    /// Counts starts: what was under way when the power failed belongs to an earlier life.
    pub(crate) life: u64,
    /// Switched off for good.
    pub(crate) is_gone: bool,
}

/// A running program.
#[derive(Debug)]
pub(crate) struct Up {
    clock: Arc<HybridClock>,
    /// None at a hub, and while the own ledger is being restored.
    pub(crate) is_writing: bool,
    pub(crate) book: FreshnessBook,
    beats: BTreeMap<OriginId, (Heartbeat, SignedHeartbeat)>,
    /// Why nothing is filed, when that is so.
    pub(crate) halted: Option<String>,
    pub(crate) restoring: Option<Restoring>,
}

/// How far the way back of the own ledger has got.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restoring {
    pub(crate) link: usize,
    pub(crate) connection: u64,
    pub(crate) filed: Option<Head>,
    /// Whether the first answer was judged.
    pub(crate) is_judged: bool,
    pub(crate) restored: usize,
    pub(crate) set_aside: bool,
}

/// Judges keys: those of the courts, and at a hub none that was revoked.
pub(crate) struct Trust<'a> {
    pub(crate) revoked: &'a BTreeSet<OriginId>,
    pub(crate) at_hub: bool,
}

impl KeyTrust for Trust<'_> {
    fn admit(&self, of: &OriginId, key: &[u8; 32], _: &[Vec<u8>]) -> Result<(), KeyRefused> {
        let known = ORIGINS.iter().position(|known| known == of);
        match known.filter(|court| COURT_KEYS[*court].public().as_bytes() == key) {
            Some(_) => self.not_revoked(of),
            None => Err(KeyRefused::Unknown),
        }
    }

    fn still_good(&self, of: &OriginId, _: &[u8; 32], _: Position) -> Result<(), KeyRefused> {
        self.not_revoked(of)
    }
}

impl Trust<'_> {
    fn not_revoked(&self, of: &OriginId) -> Result<(), KeyRefused> {
        if self.at_hub && self.revoked.contains(of) {
            Err(KeyRefused::Revoked)
        } else {
            Ok(())
        }
    }
}

impl Machine {
    pub(crate) fn new(role: Role) -> Self {
        let name = match role {
            Role::Court(court) => format!("court-{court}"),
            Role::Hub(hub) => format!("hub-{hub}"),
        };
        Self {
            name,
            role,
            ledgers: BTreeMap::new(),
            shelf: Vec::new(),
            receipts: BTreeMap::new(),
            clock_error: 0,
            wall: Arc::new(AtomicU64::new(0)),
            up: None,
            life: 0,
            is_gone: false,
        }
    }

    /// The ledger that it writes.
    pub(crate) fn own(&self) -> Option<OriginId> {
        match self.role {
            Role::Court(court) => Some(origin(court)),
            Role::Hub(_) => None,
        }
    }

    pub(crate) fn is_hub(&self) -> bool {
        matches!(self.role, Role::Hub(_))
    }

    /// Its clock at the true time `now`.
    pub(crate) fn set_clock(&self, now: u64) {
        self.wall
            .store(now.saturating_add_signed(self.clock_error), Ordering::Relaxed);
    }

    pub(crate) fn wall(&self) -> Hlc {
        Hlc::from_millis(self.wall.load(Ordering::Relaxed))
    }

    /// A copy of an origin's ledger, made when it is not held yet.
    pub(crate) fn copy(&mut self, origin: &OriginId) -> &mut Copy {
        self.ledgers
            .entry(origin.clone())
            .or_insert_with(|| Copy::new(origin.clone()))
    }

    pub(crate) fn heads(&self) -> Vec<(OriginId, Head)> {
        let head = |(origin, copy): (&OriginId, &Copy)| Some((origin.clone(), copy.head()?));
        self.ledgers.iter().filter_map(head).collect()
    }

    /// Starts the program over what the disk holds. Gives the records that it made.
    pub(crate) fn start(&mut self) -> Vec<SignedRecord> {
        self.life += 1;
        if let Some(own) = self.own() {
            self.copy(&own);
        }
        self.ledgers.values_mut().for_each(Copy::open);
        let wall = Arc::clone(&self.wall);
        let mut book = FreshnessBook::new();
        for (origin, copy) in &self.ledgers {
            book.know(origin);
            // One writer with a clock that never goes back: whatever it recorded before its last record here, is here.
            if let Some(end) = copy.end() {
                let closed = end.hlc;
                let received = if closed <= self.wall() { closed } else { Hlc::ZERO };
                let head = Some(end.head);
                let origin = origin.clone();
                book.heartbeat(&Heartbeat { origin, head, closed }, received);
            }
            if let Some(head) = copy.head() {
                book.applied(origin, head.position);
            }
        }
        self.up = Some(Up {
            clock: Arc::new(HybridClock::over(move || wall.load(Ordering::Relaxed))),
            is_writing: false,
            book,
            beats: BTreeMap::new(),
            halted: None,
            restoring: None,
        });
        self.take_pen(None).unwrap_or_default()
    }

    /// Who writes the own ledger.
    pub(crate) fn scribe(&self) -> Option<Scribe> {
        let (Role::Court(court), Some(up)) = (self.role, &self.up) else {
            return None;
        };
        Some(Scribe::new(
            origin(court),
            court_key(court),
            Arc::clone(&up.clock),
        ))
    }

    /// Begins to write the own ledger, in a new epoch if there has to be one. Gives the records with which it begins; they are
    /// durable.
    pub(crate) fn take_pen(&mut self, asked: Option<EpochReason>) -> Result<Vec<SignedRecord>, String> {
        let (Some(own), Some(scribe)) = (self.own(), self.scribe()) else {
            return Ok(Vec::new());
        };
        let copy = self.copy(&own);
        let mut made = Vec::new();
        // A damaged ledger takes no records; it is told when one is filed.
        if !copy.refuses() {
            let end = copy.end();
            made = scribe
                .epoch(end.as_ref(), copy.floor, &[], asked)
                .map_err(|error| error.to_string())?;
            if !made.is_empty() {
                let trust = Trust {
                    revoked: &BTreeSet::new(),
                    at_hub: false,
                };
                let proven =
                    prove_run(&own, end.as_ref(), &made, &trust).map_err(|fault| fault.to_string())?;
                copy.write(&made, proven.end);
                copy.commit();
            }
        }
        if let Some(up) = &mut self.up {
            up.is_writing = true;
        }
        Ok(made)
    }

    /// Records of another court became durable here: the newest one's moment tells how far its court is included.
    pub(crate) fn recorded(&mut self, origin: &OriginId) {
        let wall = self.wall();
        let Some(end) = self.ledgers.get(origin).and_then(Copy::end) else {
            return;
        };
        let Some(up) = &mut self.up else { return };
        if end.hlc.millis() <= wall.millis().saturating_add(CLOCK_AHEAD_MOST_MS) {
            up.clock.observe(end.hlc);
        }
        let heartbeat = Heartbeat {
            origin: origin.clone(),
            head: Some(end.head),
            closed: end.hlc,
        };
        up.book.heartbeat(&heartbeat, wall);
        up.book.applied(origin, end.head.position);
    }

    /// Signs a heartbeat, when the own ledger is written here and nothing is on its way to the disk.
    pub(crate) fn beat(&mut self) -> Option<SignedHeartbeat> {
        let own = self.own()?;
        let scribe = self
            .scribe()
            .filter(|_| self.up.as_ref().is_some_and(|up| up.is_writing))?;
        let end = scribe.takes_up(self.copy(&own).end()).ok()?;
        let signed = scribe.heartbeat(&end).ok()?;
        let heartbeat = signed.decode().expect("our own");
        self.keep_beat(heartbeat, signed.clone());
        Some(signed)
    }

    /// Keeps a peer's heartbeat that verifies, is newer, and speaks of the ledger that is held here.
    pub(crate) fn hear(&mut self, signed: &SignedHeartbeat) -> bool {
        let Ok(claimed) = signed.decode() else {
            return false;
        };
        let held = self.up.as_ref().and_then(|up| up.beats.get(&claimed.origin));
        if self.own().as_ref() == Some(&claimed.origin) || held.is_some_and(|(_, held)| held == signed) {
            return false;
        }
        let Some((head, copy)) = claimed.head.zip(self.ledgers.get_mut(&claimed.origin)) else {
            return false;
        };
        let key = epoch_key(copy, head.position.epoch);
        let Some(heartbeat) = key.and_then(|key| signed.verify(&key).ok()) else {
            return false;
        };
        if !speaks_of(copy, &heartbeat) {
            return false;
        }
        self.keep_beat(heartbeat, signed.clone())
    }

    fn is_newer(&self, heartbeat: &Heartbeat) -> bool {
        let held = self.up.as_ref().and_then(|up| up.beats.get(&heartbeat.origin));
        let (closed, wall) = (heartbeat.closed, self.wall());
        // One whose moment is still to come was made by a clock that ran ahead, and gives way to any.
        held.is_none_or(|(held, _)| held.closed < closed || (held.closed > closed && held.closed > wall))
    }

    fn keep_beat(&mut self, heartbeat: Heartbeat, signed: SignedHeartbeat) -> bool {
        let (wall, is_newer) = (self.wall(), self.is_newer(&heartbeat));
        let Some(up) = self.up.as_mut().filter(|_| is_newer) else {
            return false;
        };
        up.book.heartbeat(&heartbeat, wall);
        up.beats.insert(heartbeat.origin.clone(), (heartbeat, signed));
        true
    }

    pub(crate) fn heartbeats(&self) -> Vec<SignedHeartbeat> {
        let beats = self.up.iter().flat_map(|up| up.beats.values());
        // What a clock that runs ahead promised is not for who was not there to hear it.
        let past = beats.filter(|(heartbeat, _)| heartbeat.closed <= self.wall());
        past.map(|(_, signed)| signed.clone()).collect()
    }

    /// A hub's signature under what it holds; none at a node.
    pub(crate) fn receipt_for(&self, origin: &OriginId, head: Head) -> Option<SignedReceipt> {
        let (Role::Hub(hub), Some(up)) = (self.role, &self.up) else {
            return None;
        };
        let receipt = Receipt {
            hub: format!("hub/{hub}"),
            origin: origin.clone(),
            head,
            received: up.clock.now(),
        };
        receipt.sign(&HUB_KEYS[hub]).ok()
    }

    /// Keeps a hub's receipt for the own ledger, if it verifies and reaches further. Gives it then.
    pub(crate) fn keep_receipt(&mut self, signed: &SignedReceipt) -> Option<Receipt> {
        let claimed = signed.decode().ok()?;
        let hub: usize = claimed.hub.strip_prefix("hub/")?.parse().ok()?;
        let receipt = signed.verify(&HUB_KEYS.get(hub)?.public()).ok()?;
        let held = self.receipts.get(&receipt.hub);
        let further = held.is_none_or(|held| held.head.position < receipt.head.position);
        if self.own().as_ref() != Some(&receipt.origin) || !further {
            return None;
        }
        self.receipts.insert(receipt.hub.clone(), receipt.clone());
        Some(receipt)
    }
}

fn epoch_key(copy: &mut Copy, epoch: u32) -> Option<VerifyingKey> {
    if let Some(end) = copy.end().filter(|end| end.head.position.epoch == epoch) {
        return Some(end.key);
    }
    match copy.read(Position { epoch, seq: 1 }).ok()?.decode().ok()?.body {
        Body::EpochStart(start) => VerifyingKey::new(start.signing_key).ok(),
        Body::KeyHandover(_) | Body::Event(_) => None,
    }
}

fn speaks_of(copy: &mut Copy, heartbeat: &Heartbeat) -> bool {
    let Some(head) = heartbeat.head else { return false };
    let Ok(standing) = copy.standing(&head) else {
        return false;
    };
    let next = match standing {
        Standing::PeerBehind => next_moment(copy, head.position),
        Standing::Same | Standing::PeerAhead | Standing::Diverged => None,
    };
    heartbeat.speaks_of_this(standing, next)
}

fn next_moment(copy: &mut Copy, after: Position) -> Option<Hlc> {
    let next: Result<_, LoadFailed> = copy.load(Some(after), RunLimit { records: 1, bytes: 1 });
    Some(next.ok()?.first()?.outline().ok()?.hlc)
}
