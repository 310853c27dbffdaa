//! Crashes: kills machines of a world at random moments, again while they recover, and starts them anew.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;

use crate::load::{Load, Machine};
use crate::world::{Outcome, World, heads, until};

/// What was done to the machines.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kills {
    /// Kills of nodes that served.
    pub nodes: u32,
    /// Kills of a hub that served.
    pub hub: u32,
    /// Kills during the start after a kill.
    pub starting: u32,
}

impl Kills {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> u32 {
        self.nodes + self.hub + self.starting
    }
}

/// The longest time that a machine serves between "ready", or the event waited for, and its end.
const SERVES_MOST_MS: u64 = 200;

/// Kills machines until there were so many kills; all of them serve at the end.
///
/// # Errors
/// When a machine does not start again, or a client found something wrong.
pub async fn kill_at_random(
    world: &mut World,
    load: &mut Load,
    kills: u32,
    random: &mut StdRng,
) -> Outcome<Kills> {
    let nodes = world.fleet.members().len();
    let mut done = Kills::default();
    while done.all() < kills {
        let victims: Vec<Machine> = match random.random_range(0..100) {
            0..30 => vec![Machine::Hub],
            30..90 => vec![Machine::Node(random.random_range(0..nodes))],
            90..95 => vec![Machine::Hub, Machine::Node(random.random_range(0..nodes))],
            _ => (0..nodes).map(Machine::Node).chain([Machine::Hub]).collect(),
        };
        load.next_round();
        // Half of them die at work, the others wherever their start has brought them.
        if random.random_bool(0.5) {
            at_work(world, load, victims.first().copied().unwrap_or(Machine::Hub)).await?;
        }
        pause(random, SERVES_MOST_MS).await;
        for victim in &victims {
            load.down(*victim);
            kill(world, *victim).await?;
            match victim {
                Machine::Hub => done.hub += 1,
                Machine::Node(_) => done.nodes += 1,
            }
        }
        for victim in &victims {
            while done.all() < kills && random.random_bool(0.25) {
                kill_starting(world, *victim, random).await?;
                done.starting += 1;
            }
            start(world, *victim).await?;
            load.up(*victim);
        }
    }
    Ok(done)
}

/// Waits until a machine did something: a node acknowledged a deed, or the hub received a record.
///
/// # Errors
/// When it does nothing within a minute, or a client found something wrong.
pub async fn at_work(world: &World, load: &mut Load, machine: Machine) -> Outcome<()> {
    let node = match machine {
        Machine::Node(node) => return load.acknowledged(node).await,
        Machine::Hub => world.hub().await?,
    };
    let before = heads(&node.list_courts().await?);
    let moved = until("the hub receives a record", || async {
        let now: BTreeMap<_, _> = heads(&node.list_courts().await?);
        Ok((now != before).then_some(()))
    });
    load.while_right(moved).await
}

/// Lets a random time pass, at most so many milliseconds.
pub async fn pause(random: &mut StdRng, most_ms: u64) {
    tokio::time::sleep(Duration::from_micros(random.random_range(0..=most_ms * 1_000))).await;
}

/// Kills a machine that serves.
///
/// # Errors
/// When it does not run.
pub async fn kill(world: &mut World, machine: Machine) -> Outcome<()> {
    let daemon = match machine {
        Machine::Hub => world.fleet.take_hub(),
        Machine::Node(node) => world.fleet.take_node(node),
    };
    daemon.ok_or("the machine was not started")?.kill().await;
    Ok(())
}

/// Starts a machine and kills it on its way, at the latest a little after it has become ready.
async fn kill_starting(world: &World, machine: Machine, random: &mut StdRng) -> Outcome<()> {
    /// Somewhat longer than a start takes.
    const START_MS: u64 = 150;
    let starting = match machine {
        Machine::Hub => world.fleet.spawn_hub()?,
        Machine::Node(node) => world.fleet.spawn_node(node)?,
    };
    pause(random, START_MS).await;
    starting.kill().await;
    Ok(())
}

/// Starts a machine that was killed.
///
/// # Errors
/// When it does not become ready.
pub async fn start(world: &mut World, machine: Machine) -> Outcome<()> {
    match machine {
        Machine::Hub => world.fleet.start_hub().await?,
        Machine::Node(node) => world.fleet.start_node(node).await?,
    }
    Ok(())
}
