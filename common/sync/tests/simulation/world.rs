//! The seeded world: machines, links between them, one queue of everything that will happen, and the checks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;

use ccpor_ledger::{
    Head, Heartbeat, Hlc, OriginId, Position, RunLimit, SignedHeartbeat, SignedRecord, SigningKey,
};
use ccpor_sync::{
    Action, CloseReason, DivergenceKind, Event, Frame, FreshnessBook, LoadFailed, Millis, Moved, OriginSet,
    Run, Session, SessionConfig, Side, StoreRefused, backoff, decode, encode, limits,
};

use crate::copies::{Copies, head_of};
use crate::dice::Dice;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed(&[7; 32]).expect("a key"));
const FORGED: u8 = 0xF0;
const HONEST: u8 = 1;

pub(crate) fn is_forged(record: &SignedRecord) -> bool {
    record.bytes[40] == FORGED
}

pub(crate) struct Plan {
    pub(crate) nodes: usize,
    pub(crate) hubs: usize,
    pub(crate) filings: u64,
    pub(crate) faults: bool,
    pub(crate) seed: u64,
}

pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) steps: u64,
    pub(crate) closes: Vec<CloseReason>,
    plan: Plan,
    dice: Dice,
    agenda: BTreeMap<(u64, u64), What>,
    machines: Vec<Machine>,
    links: Vec<Link>,
    desks: BTreeMap<(Place, OriginId), VecDeque<Run>>,
    /// The next tick of each session, so that it has one and not many.
    ticks: BTreeMap<Place, u64>,
    diverged: Vec<(usize, OriginId, DivergenceKind)>,
    heals_at: u64,
    /// A test made a second chain of one origin, or cut the writer's ledger short: copies may differ from it.
    has_second_chain: bool,
}

struct Machine {
    copies: Copies,
    own: Option<OriginId>,
    recovering: bool,
    offers: Option<OriginSet>,
    book: FreshnessBook,
    beats: BTreeMap<OriginId, SignedHeartbeat>,
    /// How many records the writer had when it closed a moment.
    closed: BTreeMap<u64, u64>,
}

struct Link {
    /// The dialler, then the listener.
    ends: [usize; 2],
    connection: u64,
    sessions: [Option<Session>; 2],
    arrival: [u64; 2],
    blocked_until: [u64; 2],
    bytes_per_second: u64,
    failures: u32,
}

/// One end of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    link: usize,
    end: usize,
    connection: u64,
}

enum What {
    Arrive(Place, Vec<u8>),
    Compare(Place, OriginId, Head),
    Load(Place, OriginId, Option<Position>, RunLimit),
    Store(Place, OriginId),
    Answer(Place, Event),
    Tick(Place),
    Lost(Place),
    Dial(usize),
    File(usize),
    Beat(usize),
    Fault,
}

impl World {
    pub(crate) fn random(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let (nodes, hubs) = (2 + dice.below(2) as usize, 1 + dice.below(2) as usize);
        Self::planned(Plan {
            nodes,
            hubs,
            filings: dice.below(25),
            faults: true,
            seed,
        })
    }

    /// Machines `0..nodes` are nodes, the hubs follow. Every node dials every hub, and each hub those before it.
    pub(crate) fn planned(plan: Plan) -> Self {
        let machines = (0..plan.nodes + plan.hubs).map(|number| Machine {
            copies: Copies::default(),
            own: (number < plan.nodes).then(|| crate::name(number)),
            recovering: false,
            offers: None,
            book: FreshnessBook::new(),
            beats: BTreeMap::new(),
            closed: BTreeMap::new(),
        });
        let hubs = plan.nodes..plan.nodes + plan.hubs;
        let links = hubs.flat_map(|hub| {
            (0..hub).map(move |dialler| Link {
                ends: [dialler, hub],
                connection: 0,
                sessions: [None, None],
                arrival: [0; 2],
                blocked_until: [0; 2],
                bytes_per_second: 100_000_000,
                failures: 0,
            })
        });
        let mut world = Self {
            now: 0,
            steps: 0,
            closes: Vec::new(),
            dice: Dice(plan.seed ^ 0xD1CE),
            agenda: BTreeMap::new(),
            machines: machines.collect(),
            links: links.collect(),
            desks: BTreeMap::new(),
            ticks: BTreeMap::new(),
            diverged: Vec::new(),
            heals_at: if plan.faults { 20_000 } else { 0 },
            has_second_chain: false,
            plan,
        };
        for link in 0..world.links.len() {
            world.later(0, What::Dial(link));
        }
        for node in 0..world.plan.nodes {
            for _ in 0..world.plan.filings {
                let at = world.dice.below(20_000);
                world.later(at, What::File(node));
            }
            world.later(1_000, What::Beat(node));
        }
        if world.plan.faults {
            world.later(500, What::Fault);
        }
        world
    }

    // What a test arranges.

    pub(crate) fn origin(&self, node: usize) -> OriginId {
        crate::name(node)
    }

    pub(crate) fn file(&mut self, node: usize, records: usize) {
        let origin = crate::name(node);
        for _ in 0..records {
            self.machines[node].copies.append(&origin, HONEST);
        }
        self.moved(node, &origin);
    }

    /// Gives `machine` the first `records` of the writer's ledger.
    pub(crate) fn seed_copy(&mut self, machine: usize, origin: &OriginId, records: usize) {
        let first = self.writers(origin)[..records].to_vec();
        self.machines[machine].copies.set(origin, first);
    }

    pub(crate) fn forge_tail(&mut self, machine: usize, origin: &OriginId, records: usize) {
        self.has_second_chain = true;
        for _ in 0..records {
            self.machines[machine].copies.append(origin, FORGED);
        }
    }

    pub(crate) fn roll_back(&mut self, machine: usize, origin: &OriginId, records: usize) {
        self.has_second_chain = true;
        let first = self.copy(machine, origin)[..records].to_vec();
        self.machines[machine].copies.set(origin, first);
    }

    pub(crate) fn recovering(&mut self, machine: usize) {
        self.machines[machine].recovering = true;
    }

    pub(crate) fn offers_instead(&mut self, machine: usize, offers: OriginSet) {
        self.machines[machine].offers = Some(offers);
    }

    pub(crate) fn slow_link(&mut self, link: usize, bytes_per_second: u64) {
        self.links[link].bytes_per_second = bytes_per_second;
    }

    /// From now on nothing that `end` sends arrives.
    pub(crate) fn cut_one_way(&mut self, link: usize, end: usize) {
        self.links[link].blocked_until[end] = u64::MAX / 2;
    }

    pub(crate) fn is_up(&self, link: usize, end: usize) -> bool {
        self.links[link].sessions[end]
            .as_ref()
            .is_some_and(Session::is_up)
    }

    pub(crate) fn copy(&self, machine: usize, origin: &OriginId) -> &[SignedRecord] {
        self.machines[machine].copies.records(origin)
    }

    pub(crate) fn divergences(&self, origin: &OriginId) -> Vec<(usize, DivergenceKind)> {
        self.diverged
            .iter()
            .filter(|(_, of, _)| of == origin)
            .map(|(machine, _, kind)| (*machine, *kind))
            .collect()
    }

    // Time.

    pub(crate) fn run(&mut self) {
        self.run_for(60_000);
    }

    pub(crate) fn run_for(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        while self
            .agenda
            .first_key_value()
            .is_some_and(|((at, _), _)| *at <= end)
        {
            self.step();
        }
        self.now = end;
    }

    pub(crate) fn step(&mut self) {
        let ((at, _), what) = self.agenda.pop_first().expect("pings never end");
        self.now = self.now.max(at);
        self.steps += 1;
        match what {
            What::Arrive(place, bytes) => {
                let frame = decode(&bytes).expect("what was encoded decodes");
                self.tell(place, Event::Received(frame));
            }
            What::Answer(place, event) => self.tell(place, event),
            What::Tick(place) => self.tell(place, Event::Tick),
            What::Compare(place, origin, peer) => self.compare(place, origin, peer),
            What::Load(place, origin, after, limit) => self.load(place, origin, after, limit),
            What::Store(place, origin) => self.store(place, origin),
            What::Lost(place) => self.lost(place),
            What::Dial(link) => self.dial(link),
            What::File(node) => self.file(node, 1),
            What::Beat(node) => self.beat(node),
            What::Fault => self.fault(),
        }
    }

    fn later(&mut self, delay: u64, what: What) {
        let tie = self.agenda.len() as u64 + self.steps * 1_000_000;
        let mut key = (self.now + delay, tie);
        while self.agenda.contains_key(&key) {
            key.1 += 1;
        }
        self.agenda.insert(key, what);
    }

    // Connections.

    fn dial(&mut self, link: usize) {
        let blocked = self.links[link]
            .blocked_until
            .iter()
            .any(|until| *until > self.now);
        if self.links[link].sessions[0].is_some() {
            return;
        }
        if blocked {
            self.dial_again(link);
            return;
        }
        self.links[link].connection += 1;
        self.links[link].arrival = [self.now; 2];
        let connection = self.links[link].connection;
        for end in [0, 1] {
            let machine = self.links[link].ends[end];
            let other = self.links[link].ends[1 - end];
            let config = self.config(
                machine,
                other,
                if end == 0 { Side::Dialler } else { Side::Listener },
            );
            let heads = self.machines[machine].copies.heads();
            let beats = self.machines[machine].beats.values().cloned().collect();
            let mut actions = Vec::new();
            let session = Session::open(config, Millis(self.now), heads, beats, &mut actions);
            self.links[link].sessions[end] = Some(session);
            let place = Place {
                link,
                end,
                connection,
            };
            self.act(place, actions);
        }
    }

    fn dial_again(&mut self, link: usize) {
        self.links[link].failures += 1;
        let (failures, random) = (self.links[link].failures.min(6), self.dice.next());
        self.later(backoff::RECONNECT.wait(failures, random).0, What::Dial(link));
    }

    fn config(&self, machine: usize, other: usize, side: Side) -> SessionConfig {
        let this = &self.machines[machine];
        let (own, accepts, offers) = match (&this.own, &self.machines[other].own) {
            (Some(own), _) if this.recovering => (None, OriginSet::All, OriginSet::Only(own.clone())),
            (Some(own), _) => (
                Some(own.clone()),
                OriginSet::AllBut(own.clone()),
                OriginSet::Only(own.clone()),
            ),
            (None, Some(node)) if self.machines[other].recovering => {
                (None, OriginSet::Only(node.clone()), OriginSet::All)
            }
            (None, Some(node)) => (
                None,
                OriginSet::Only(node.clone()),
                OriginSet::AllBut(node.clone()),
            ),
            (None, None) => (None, OriginSet::All, OriginSet::All),
        };
        let offers = this.offers.clone().unwrap_or(offers);
        SessionConfig {
            side,
            own,
            accepts,
            offers,
            receive_window: limits::RECEIVE_MOST,
        }
    }

    fn session(&mut self, place: Place) -> Option<&mut Session> {
        let link = &mut self.links[place.link];
        if link.connection == place.connection {
            link.sessions[place.end].as_mut()
        } else {
            None
        }
    }

    fn tell(&mut self, place: Place, event: Event) {
        let now = Millis(self.now);
        let mut actions = Vec::new();
        let Some(session) = self.session(place) else {
            return;
        };
        session.step(now, event, &mut actions);
        self.act(place, actions);
    }

    fn act(&mut self, place: Place, actions: Vec<Action>) {
        let machine = self.links[place.link].ends[place.end];
        for action in actions {
            match action {
                Action::Send(frame) => self.send(place, &frame),
                Action::Compare { origin, peer } => {
                    let delay = self.dice.below(4);
                    self.later(delay, What::Compare(place, origin, peer));
                }
                Action::Load { origin, after, limit } => {
                    let delay = self.dice.below(4);
                    self.later(delay, What::Load(place, origin, after, limit));
                }
                Action::Store(run) => {
                    let origin = run.origin.clone();
                    self.desks
                        .entry((place, origin.clone()))
                        .or_default()
                        .push_back(run);
                    let delay = if self.faulty() && self.dice.one_in(8) {
                        400
                    } else {
                        1 + self.dice.below(5)
                    };
                    self.later(delay, What::Store(place, origin));
                }
                Action::TakeHeartbeats(beats) => {
                    beats.into_iter().for_each(|beat| self.take_beat(machine, beat))
                }
                Action::Diverged { found, .. } => self.diverged.push((machine, found.origin, found.kind)),
                Action::Up { .. } => self.links[place.link].failures = 0,
                Action::Close { reason, by_peer } => self.closed(place, reason, by_peer),
                Action::KeepReceipt { .. } | Action::Refused { .. } | Action::Unreadable { .. } => {}
            }
        }
        if let Some(deadline) = self.session(place).and_then(|session| session.deadline()) {
            let at = deadline.0.max(self.now + 1);
            if self
                .ticks
                .get(&place)
                .is_none_or(|planned| *planned > at || *planned <= self.now)
            {
                self.ticks.insert(place, at);
                self.later(at - self.now, What::Tick(place));
            }
        }
    }

    fn send(&mut self, place: Place, frame: &Frame) {
        let bytes = encode(frame).expect("every frame fits");
        let transit = 1 + self.dice.below(10);
        let link = &mut self.links[place.link];
        let start = link.arrival[place.end]
            .max(self.now)
            .max(link.blocked_until[place.end]);
        let sending = bytes.len() as u64 * 1_000 / link.bytes_per_second;
        link.arrival[place.end] = start + sending;
        let delay = start + sending + transit.min(1 + sending) - self.now;
        let other = Place {
            end: 1 - place.end,
            ..place
        };
        self.later(delay, What::Arrive(other, bytes[4..].to_vec()));
    }

    fn closed(&mut self, place: Place, reason: CloseReason, by_peer: bool) {
        if !by_peer {
            self.closes.push(reason);
        }
        let allowed = matches!(
            reason,
            CloseReason::Silent | CloseReason::NoGreeting | CloseReason::NotYours
        );
        assert!(allowed, "an honest world closed with {reason:?}");
        self.lost(place);
        let link = &self.links[place.link];
        let delay = 5 + link.blocked_until[place.end].saturating_sub(self.now);
        self.later(
            delay,
            What::Lost(Place {
                end: 1 - place.end,
                ..place
            }),
        );
    }

    fn lost(&mut self, place: Place) {
        if self.session(place).is_none() {
            return;
        }
        self.links[place.link].sessions[place.end] = None;
        if place.end == 0 {
            self.dial_again(place.link);
        }
    }

    // The driver's work.

    fn compare(&mut self, place: Place, origin: OriginId, peer: Head) {
        let machine = self.links[place.link].ends[place.end];
        let answer = if self.faulty() && self.dice.one_in(30) {
            Err(LoadFailed::Unreadable)
        } else {
            Ok(self.machines[machine].copies.standing(&origin, &peer))
        };
        let delay = self.dice.below(4);
        self.later(delay, What::Answer(place, Event::Compared { origin, answer }));
    }

    fn load(&mut self, place: Place, origin: OriginId, after: Option<Position>, limit: RunLimit) {
        let machine = self.links[place.link].ends[place.end];
        let answer = if self.faulty() && self.dice.one_in(30) {
            Err(LoadFailed::Damaged)
        } else {
            let limit = RunLimit {
                records: limit.records.min(1 + self.dice.below(2_000) as usize),
                ..limit
            };
            let run = self.machines[machine].copies.load(&origin, after, limit);
            Ok(run.last().map(head_of).map(|last| (run, last)))
        };
        let delay = self.dice.below(4);
        self.later(delay, What::Answer(place, Event::Loaded { origin, answer }));
    }

    /// Stores the run at the front, sometimes with those that follow it without a hole. Runs of a connection that died
    /// are still stored: they were handed over.
    fn store(&mut self, place: Place, origin: OriginId) {
        let Some(desk) = self.desks.get_mut(&(place, origin.clone())) else {
            return;
        };
        let Some(first) = desk.pop_front() else { return };
        let (mut last, mut records, mut runs) = (first.last, first.records, 1);
        while self.dice.one_in(2)
            && let Some(next) = desk.pop_front_if(|next| next.after == Some(last.position))
        {
            last = next.last;
            records.extend(next.records);
            runs += 1;
        }
        let machine = self.links[place.link].ends[place.end];
        let answer = if self.faulty() && self.dice.one_in(20) {
            Err(StoreRefused::CannotStore)
        } else {
            self.machines[machine].copies.store(&origin, records)
        };
        if answer.is_ok() {
            self.check_prefix(machine, &origin);
            self.moved(machine, &origin);
        }
        let delay = self.dice.below(4);
        self.later(delay, What::Answer(place, Event::Stored { origin, runs, answer }));
    }

    fn moved(&mut self, machine: usize, origin: &OriginId) {
        let Some(head) = self.machines[machine].copies.head(origin) else {
            return;
        };
        self.machines[machine].book.applied(origin, head.position);
        self.news(machine, &Moved::Head(origin.clone(), head));
    }

    fn news(&mut self, machine: usize, moved: &Moved) {
        for link in 0..self.links.len() {
            for end in [0, 1] {
                if self.links[link].ends[end] == machine {
                    let place = Place {
                        link,
                        end,
                        connection: self.links[link].connection,
                    };
                    self.tell(place, Event::Moved(moved.clone()));
                }
            }
        }
    }

    fn beat(&mut self, node: usize) {
        let origin = crate::name(node);
        let held = self.copy(node, &origin).len() as u64;
        let closed = Hlc::from_millis(self.now);
        self.machines[node].closed.insert(self.now, held);
        let head = self.machines[node].copies.head(&origin);
        let signed = Heartbeat { origin, head, closed }.sign(&KEY).expect("signs");
        self.take_beat(node, signed);
        self.later(2_000, What::Beat(node));
    }

    fn take_beat(&mut self, machine: usize, signed: SignedHeartbeat) {
        let beat = signed.decode().expect("our own");
        let held = self.machines[machine]
            .beats
            .get(&beat.origin)
            .and_then(|held| held.decode().ok());
        if held.is_some_and(|held| held.closed >= beat.closed) {
            return;
        }
        self.machines[machine].book.heartbeat(&beat);
        self.machines[machine].beats.insert(beat.origin, signed.clone());
        self.news(machine, &Moved::Heartbeat(signed));
    }

    // Faults and checks.

    fn faulty(&self) -> bool {
        self.plan.faults && self.now < self.heals_at
    }

    fn fault(&mut self) {
        if !self.faulty() {
            return;
        }
        let link = self.dice.below(self.links.len() as u64) as usize;
        let connection = self.links[link].connection;
        match self.dice.below(4) {
            0 => [0, 1].into_iter().for_each(|end| {
                self.lost(Place {
                    link,
                    end,
                    connection,
                })
            }),
            1 => {
                let end = self.dice.below(2) as usize;
                self.lost(Place {
                    link,
                    end,
                    connection,
                });
                self.later(
                    300,
                    What::Lost(Place {
                        link,
                        end: 1 - end,
                        connection,
                    }),
                );
            }
            _ => {
                let end = self.dice.below(2) as usize;
                let length = self.dice.below(15_000);
                self.links[link].blocked_until[end] = (self.now + length).min(self.heals_at);
            }
        }
        let next = 100 + self.dice.below(3_000);
        self.later(next, What::Fault);
    }

    fn writers(&self, origin: &OriginId) -> &[SignedRecord] {
        let writer = self
            .machines
            .iter()
            .find(|machine| machine.own.as_ref() == Some(origin))
            .expect("a writer");
        writer.copies.records(origin)
    }

    /// Every copy is a prefix of its writer's ledger; the chain makes one comparison enough.
    fn check_prefix(&self, machine: usize, origin: &OriginId) {
        let copy = self.copy(machine, origin);
        let writers = self.writers(origin);
        if !self.has_second_chain {
            assert!(
                copy.len() <= writers.len(),
                "a copy is longer than its writer's ledger"
            );
            assert_eq!(
                copy.last(),
                copy.len().checked_sub(1).and_then(|last| writers.get(last))
            );
        }
    }

    pub(crate) fn check_converged(&self) {
        self.check_converged_except(&[]);
    }

    pub(crate) fn check_converged_except(&self, left_out: &[OriginId]) {
        for node in 0..self.plan.nodes {
            let origin = crate::name(node);
            if left_out.contains(&origin) {
                continue;
            }
            let written = self.copy(node, &origin).len();
            for (number, machine) in self.machines.iter().enumerate() {
                assert_eq!(
                    machine.copies.records(&origin).len(),
                    written,
                    "{origin} at machine {number}"
                );
                assert!(
                    machine
                        .copies
                        .records(&origin)
                        .iter()
                        .all(|record| !is_forged(record))
                );
                let as_of = machine.book.as_of(&origin).expect("heard of by now").millis();
                let held_then = self.machines[node].closed[&as_of];
                assert!(
                    written as u64 >= held_then && as_of + 10_000 > self.now,
                    "fresh again: {as_of}"
                );
            }
        }
    }
}
