//! A hub and courts' nodes with the real driver in a simulated network, and what an observer from outside does to them and sees
//! of them.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ccpor_certs::IdentityDir;
use ccpor_ledger::RunLimit;
use ccpor_sync::Ledgers;
use ccpor_transport::{
    Landing, LandingConfig, LinkState, Permissions, TransportChoice, Uplink, UplinkConfig,
};
use turmoil::Sim;

use crate::diary::Diary;
use crate::machine::{Loss, Machine};
use crate::memory::Memory;
use crate::realm::{Realm, origin};

pub(crate) const HUB: &str = "hub";
const PORT: u16 = 4433;

/// The certificates of a hub and some courts: made once, because chance in them is beyond any seed.
pub(crate) struct Papers {
    hub: IdentityDir,
    courts: Vec<(&'static str, IdentityDir)>,
    _realm: Realm,
}

impl Papers {
    pub(crate) fn of(courts: &[&'static str]) -> Self {
        let realm = Realm::new();
        Self {
            hub: realm.hub_identity(),
            courts: courts.iter().map(|slug| (*slug, realm.court(slug))).collect(),
            _realm: realm,
        }
    }
}

pub(crate) struct State {
    pub(crate) sim: Sim<'static>,
    pub(crate) diary: Diary,
    pub(crate) loss: Loss,
    hub: Arc<Memory>,
    courts: Vec<(&'static str, Arc<Memory>)>,
    seed: u64,
}

impl State {
    pub(crate) fn begin(papers: &Papers, seed: u64) -> Self {
        let mut sim = turmoil::Builder::new()
            .rng_seed(seed)
            .simulation_duration(Duration::from_secs(3_600))
            .tick_duration(Duration::from_millis(2))
            .min_message_latency(Duration::from_millis(5))
            .max_message_latency(Duration::from_millis(40))
            .udp_capacity(4_096)
            .build();
        let (diary, loss, hub) = (Diary::default(), Loss::default(), Memory::hub());
        let machine = |name: &'static str, number: u64| {
            let (diary, loss, life) = (diary.clone(), loss.clone(), Rc::new(Cell::new(0)));
            move || {
                life.set(life.get() + 1);
                Machine::new(name, &diary, &loss, seed ^ (number << 32) ^ (life.get() << 48))
            }
        };
        sim.host(HUB, {
            let (identity, memory, machine) = (papers.hub.clone(), Arc::clone(&hub), machine(HUB, 1));
            let diary = diary.clone();
            move || run_hub(identity.clone(), Arc::clone(&memory), machine(), diary.clone())
        });
        let mut courts = Vec::new();
        for ((slug, identity), number) in papers.courts.iter().zip(2..) {
            let (slug, identity, memory) = (*slug, identity.clone(), Memory::node());
            courts.push((slug, Arc::clone(&memory)));
            let (machine, diary) = (machine(slug, number), diary.clone());
            sim.host(slug, move || {
                run_node(
                    slug,
                    identity.clone(),
                    Arc::clone(&memory),
                    machine(),
                    diary.clone(),
                )
            });
        }
        Self {
            sim,
            diary,
            loss,
            hub,
            courts,
            seed,
        }
    }

    /// So many records more in the ledger of a court, at its node.
    pub(crate) fn file(&self, slug: &str, records: usize) {
        self.court(slug).file(&origin(slug), records);
    }

    /// How many records of a court the hub holds.
    pub(crate) fn at_hub(&self, slug: &str) -> usize {
        self.hub.len(&origin(slug))
    }

    /// How many records of other courts a node holds.
    pub(crate) fn others_at(&self, slug: &str) -> usize {
        let others = self.courts.iter().filter(|(name, _)| *name != slug);
        others.map(|(name, _)| self.court(slug).len(&origin(name))).sum()
    }

    fn court(&self, slug: &str) -> &Memory {
        &self.courts.iter().find(|(name, _)| *name == slug).unwrap().1
    }

    /// Whether every machine holds the same records of every court.
    pub(crate) fn is_level(&self) -> bool {
        let (heads, courts) = (self.hub.heads(), || self.courts.iter().map(|(_, court)| court));
        // Heads first: all records are looked at once, at the end.
        courts().all(|court| court.heads() == heads) && {
            let hub = digest(&self.hub);
            courts().all(|court| digest(court) == hub)
        }
    }

    /// What the diary of `who` said last that begins with `link`.
    pub(crate) fn link(&self, who: &str) -> String {
        let lines = self.diary.lines();
        let of_link = |line: &&String| line[11..].starts_with(&format!("{who} link "));
        lines.iter().rev().find(of_link).map_or_else(String::new, |line| {
            line[11..]
                .trim_start_matches(who)
                .trim_start_matches(" link ")
                .to_owned()
        })
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.sim.elapsed() + time;
        while self.sim.elapsed() < until {
            self.step();
        }
    }

    /// Lets time pass until it is so, and gives how long that took.
    pub(crate) fn until(&mut self, what: &str, within: Duration, is_so: impl Fn(&Self) -> bool) -> Duration {
        let begun = self.sim.elapsed();
        loop {
            // What is asked for changes rarely; it is looked at every twenty milliseconds.
            for _ in 0..10 {
                self.step();
            }
            let passed = self.sim.elapsed() - begun;
            if is_so(self) {
                return passed;
            }
            assert!(
                passed < within,
                "{what}: not within {within:?} (seed {})\n{}",
                self.seed,
                self.diary.end()
            );
        }
    }

    fn step(&mut self) {
        if let Err(failure) = self.sim.step() {
            panic!("{failure} (seed {})\n{}", self.seed, self.diary.end());
        }
    }
}

/// All records that a machine holds, in one number.
fn digest(memory: &Memory) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for (origin, _) in memory.heads() {
        hasher.update(origin.as_str().as_bytes());
        let all = RunLimit {
            records: usize::MAX,
            bytes: usize::MAX,
        };
        for record in memory.load(&origin, None, all).unwrap() {
            hasher.update(&record.hash().0);
        }
    }
    hasher.finalize()
}

async fn run_hub(
    identity: IdentityDir,
    memory: Arc<Memory>,
    machine: Machine,
    diary: Diary,
) -> turmoil::Result {
    let landing = Landing::start(
        &identity,
        memory.services(),
        LandingConfig {
            platform: Arc::new(machine),
            ..LandingConfig::hub(([0, 0, 0, 0], PORT).into())
        },
    )?;
    let mut changes = landing.changes();
    loop {
        changes.changed().await?;
        let peers = landing.peers();
        let up = peers.iter().filter(|(_, state)| state.up_since.is_some());
        let up: Vec<String> = up.map(|(identity, _)| identity.path()).collect();
        diary.note(HUB, &format!("link to [{}]", up.join(" ")));
    }
}

async fn run_node(
    slug: &'static str,
    identity: IdentityDir,
    memory: Arc<Memory>,
    machine: Machine,
    diary: Diary,
) -> turmoil::Result {
    let hub = format!("{}:{PORT}", turmoil::lookup(HUB));
    let config = UplinkConfig {
        transport: TransportChoice::Quic,
        platform: Arc::new(machine),
        ..UplinkConfig::new(vec![hub], Permissions::node(origin(slug)))
    };
    let link = Uplink::start(identity, memory.services(), config)?;
    let (mut status, mut told) = (link.status(), String::new());
    loop {
        status.changed().await?;
        let state = in_words(&status.borrow_and_update());
        if state != told {
            diary.note(slug, &format!("link {state}"));
            told = state;
        }
    }
}

fn in_words(state: &LinkState) -> String {
    match (state.up_since, &state.last_trouble) {
        (Some(_), _) => "up".to_owned(),
        (None, Some(trouble)) => format!("down: {trouble}"),
        (None, None) => "down".to_owned(),
    }
}
