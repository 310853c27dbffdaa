//! The seeded world: machines, links between them, one queue of everything that will happen, and the checks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;

use ccpor_ledger::{Head, OriginId, Position, RunLimit, SignedHeartbeat, SigningKey};
use ccpor_sync::{
    Action, CloseReason, DivergenceKind, Event, Frame, FreshnessBook, Millis, OriginSet, Run, Session,
    SessionConfig, Side, backoff, decode, encode, limits,
};

use crate::copies::Copies;
use crate::dice::Dice;

pub(crate) static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::from_seed(&[7; 32]).expect("a key"));
pub(crate) const FORGED: u8 = 0xF0;
pub(crate) const HONEST: u8 = 1;

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
    pub(crate) plan: Plan,
    pub(crate) dice: Dice,
    pub(crate) agenda: BTreeMap<(u64, u64), What>,
    pub(crate) machines: Vec<Machine>,
    pub(crate) links: Vec<Link>,
    pub(crate) desks: BTreeMap<(Place, OriginId), VecDeque<Run>>,
    /// The next tick of each session, so that it has one and not many.
    pub(crate) ticks: BTreeMap<Place, u64>,
    pub(crate) diverged: Vec<(usize, OriginId, DivergenceKind)>,
    pub(crate) heals_at: u64,
    /// A test made a second chain of one origin, or cut the writer's ledger short: copies may differ from it.
    pub(crate) has_second_chain: bool,
}

pub(crate) struct Machine {
    pub(crate) copies: Copies,
    pub(crate) own: Option<OriginId>,
    pub(crate) recovering: bool,
    pub(crate) offers: Option<OriginSet>,
    pub(crate) book: FreshnessBook,
    pub(crate) beats: BTreeMap<OriginId, SignedHeartbeat>,
    /// How many records the writer had when it closed a moment.
    pub(crate) closed: BTreeMap<u64, u64>,
}

pub(crate) struct Link {
    /// The dialler, then the listener.
    pub(crate) ends: [usize; 2],
    pub(crate) connection: u64,
    pub(crate) sessions: [Option<Session>; 2],
    pub(crate) arrival: [u64; 2],
    pub(crate) blocked_until: [u64; 2],
    pub(crate) bytes_per_second: u64,
    pub(crate) failures: u32,
}

/// One end of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) link: usize,
    pub(crate) end: usize,
    pub(crate) connection: u64,
}

pub(crate) enum What {
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

    pub(crate) fn later(&mut self, delay: u64, what: What) {
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

    pub(crate) fn session(&mut self, place: Place) -> Option<&mut Session> {
        let link = &mut self.links[place.link];
        if link.connection == place.connection {
            link.sessions[place.end].as_mut()
        } else {
            None
        }
    }

    pub(crate) fn tell(&mut self, place: Place, event: Event) {
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

    pub(crate) fn lost(&mut self, place: Place) {
        if self.session(place).is_none() {
            return;
        }
        self.links[place.link].sessions[place.end] = None;
        if place.end == 0 {
            self.dial_again(place.link);
        }
    }
}
