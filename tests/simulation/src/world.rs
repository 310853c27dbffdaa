//! A world: machines, the links between them, one queue of everything that will happen, and the step from one event to the
//! next, after each of which the model looks at everything.

use std::collections::{BTreeMap, BTreeSet};

use ccpor_ledger::{Head, OriginId, Position, RunLimit, SignedRecord};
use ccpor_sync::{CloseReason, DivergenceKind, Event};

use crate::copy::Copy;
use crate::dice::Dice;
use crate::link::{Link, Place, Trays};
use crate::machine::{Machine, Role, origin};
use crate::model::Model;
use crate::plan::{Plan, Trouble};

/// Says what happens, when somebody wants to know.
macro_rules! say {
    ($world:expr, $($words:tt)*) => {
        if $world.is_told {
            println!("{:>7} ms  {}", $world.now, format_args!($($words)*));
        }
    };
}
pub(crate) use say;

/// What happens.
#[derive(Debug)]
pub(crate) enum What {
    Dial(usize),
    Accept(Place),
    Arrive(Place, Vec<u8>),
    Lost(Place),
    Tick(Place),
    News(Place),
    Filing(Place),
    Compare(Place, OriginId, Head),
    Load(Place, OriginId, Option<Position>, RunLimit),
    Store(Place, OriginId),
    Answer(Place, Event),
    /// A batch reaches the disk: of which machine, in which of its lives, of which ledger, and what follows.
    Durable(usize, u64, OriginId, Then),
    File(usize),
    Beat(usize),
    /// A machine looks for damage and for what its links found about its own ledger.
    Look(usize),
    /// A hub answers which records follow that place in a court's ledger.
    Asked(Place, u64, Option<Head>),
    /// The answer; none when it was refused.
    Told(Place, u64, Option<Vec<SignedRecord>>),
    Start(usize),
    Trouble,
    Heal,
}

/// What follows when a batch is durable.
#[derive(Debug)]
pub(crate) enum Then {
    /// The client is told.
    Filed(Vec<SignedRecord>),
    /// The session is told.
    Stored(Place, usize),
}

/// What an operator is told of a divergence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    WriterBehind,
    Forked,
}

impl From<DivergenceKind> for Told {
    fn from(kind: DivergenceKind) -> Self {
        match kind {
            DivergenceKind::WriterBehind => Self::WriterBehind,
            DivergenceKind::Forked => Self::Forked,
        }
    }
}

/// Everything.
pub struct World {
    pub(crate) plan: Plan,
    pub(crate) now: u64,
    pub(crate) steps: u64,
    pub(crate) dice: Dice,
    queue: BTreeMap<(u64, u64), What>,
    planned: u64,
    pub(crate) machines: Vec<Machine>,
    pub(crate) links: Vec<Link>,
    pub(crate) trays: Trays,
    pub(crate) model: Model,
    pub(crate) revoked: BTreeSet<OriginId>,
    /// On which machine's disk bits of a ledger turned over.
    pub(crate) flipped: BTreeMap<OriginId, usize>,
    /// Old copies of disks: of which machine, and what was on it.
    pub(crate) backups: Vec<(usize, BTreeMap<OriginId, Copy>)>,
    /// Which machine does not hold which ledger, as its operator chose.
    pub(crate) left_out: BTreeSet<(usize, OriginId)>,
    /// Why connections were ended, by which machine.
    pub(crate) closes: Vec<(usize, CloseReason)>,
    /// Which operator was told of which divergence.
    pub(crate) divergences: BTreeSet<(usize, OriginId, Told)>,
    /// What operators took out of ledgers, as it must be in them again at the end.
    pub(crate) reconciled: Vec<(OriginId, Vec<u8>)>,
    /// From then on nothing more goes wrong.
    pub(crate) heals_at: u64,
    pub(crate) is_told: bool,
}

impl World {
    /// The world of a seed. `is_told`: everything that happens is printed.
    #[must_use]
    pub fn of(seed: u64, is_told: bool) -> Self {
        let plan = Plan::of(seed);
        let mut world = Self::quiet(plan.clone(), is_told);
        for _ in 0..plan.filings {
            let court = world.dice.index(plan.courts);
            let at = world.dice.below(plan.troubled_ms + 1_000);
            world.later(at, What::File(court));
        }
        world.model.may_be_damaged = world.has(Trouble::Flip);
        world.heals_at = plan.troubled_ms;
        world.later(100, What::Trouble);
        world.later(plan.troubled_ms, What::Heal);
        world
    }

    /// A world in which nothing is filed and nothing goes wrong by itself. Machines `0..courts` are nodes, the hubs follow;
    /// every node dials every hub, and each hub those before it.
    #[must_use]
    pub fn quiet(plan: Plan, is_told: bool) -> Self {
        let courts = (0..plan.courts).map(Role::Court);
        let roles = courts.chain((0..plan.hubs).map(Role::Hub));
        let mut world = Self {
            now: 0,
            steps: 0,
            dice: Dice(plan.seed ^ 0xD1CE_D1CE),
            queue: BTreeMap::new(),
            planned: 0,
            machines: roles.map(Machine::new).collect(),
            links: Vec::new(),
            trays: Trays::new(),
            model: Model::default(),
            revoked: BTreeSet::new(),
            flipped: BTreeMap::new(),
            backups: Vec::new(),
            left_out: plan
                .left_out
                .iter()
                .map(|(node, court)| (*node, origin(*court)))
                .collect(),
            closes: Vec::new(),
            divergences: BTreeSet::new(),
            reconciled: Vec::new(),
            heals_at: 0,
            is_told,
            plan,
        };
        say!(world, "{:?}", world.plan);
        for hub in world.plan.courts..world.machines.len() {
            for dialler in 0..hub {
                let mut link = Link::new(dialler, hub);
                link.delay_ms = world.dice.between(1, 30);
                world.links.push(link);
            }
        }
        for machine in 0..world.machines.len() {
            world.start(machine);
        }
        world
    }

    pub(crate) fn later(&mut self, delay: u64, what: What) {
        self.planned += 1;
        self.queue.insert((self.now + delay, self.planned), what);
    }

    /// Whether things still go wrong by chance.
    pub(crate) fn is_troubled(&self) -> bool {
        self.now < self.heals_at
    }

    pub(crate) fn has(&self, trouble: Trouble) -> bool {
        self.plan.troubles.contains(&trouble)
    }

    /// Lets everything happen up to a time.
    pub fn run_until(&mut self, end: u64) {
        while self
            .queue
            .first_key_value()
            .is_some_and(|((at, _), _)| *at <= end)
        {
            self.step();
        }
        self.now = end;
    }

    /// Lets the next thing happen.
    pub(crate) fn step(&mut self) {
        let Some(((at, _), what)) = self.queue.pop_first() else {
            return;
        };
        self.now = self.now.max(at);
        self.steps += 1;
        for machine in &self.machines {
            machine.set_clock(self.now);
        }
        self.happen(what);
        for (number, machine) in self.machines.iter().enumerate() {
            self.model.look(number, machine, self.now);
        }
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Dial(link) => self.dial(link),
            What::Accept(place) => self.accept(place),
            What::Arrive(place, bytes) => self.arrive(place, &bytes),
            What::Lost(place) => self.lost(place),
            What::Tick(place) => self.tell(place, Event::Tick),
            What::News(place) => self.tell_news(place),
            What::Filing(place) => self.work_off_filing(place),
            What::Compare(place, origin, peer) => self.compare(place, origin, peer),
            What::Load(place, origin, after, limit) => self.load(place, origin, after, limit),
            What::Store(place, origin) => self.store(place, origin),
            What::Answer(place, event) => self.tell(place, event),
            What::Durable(machine, life, origin, then) => self.durable(machine, life, &origin, then),
            What::File(machine) => self.file(machine),
            What::Beat(machine) => self.beat(machine),
            What::Look(machine) => self.look(machine),
            What::Asked(place, life, after) => self.asked(place, life, after),
            What::Told(place, life, answer) => self.told(place, life, answer),
            What::Start(machine) => self.start(machine),
            What::Trouble => self.trouble(),
            What::Heal => self.heal(),
        }
    }

    /// The machine at one end of a connection.
    pub(crate) fn machine_at(&self, place: Place) -> usize {
        self.links[place.link].machines[place.end]
    }

    /// What has happened, as one number: equal for equal seeds.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut digest = Dice(self.steps ^ self.now.rotate_left(32));
        for machine in &self.machines {
            for (_, head) in machine.heads() {
                digest.0 ^= u64::from_le_bytes(head.hash.0[..8].try_into().expect("8 bytes"));
                digest.next();
            }
        }
        digest.next()
    }
}
