//! Power cuts under load: what was acknowledged stands in the ledger that the disk still has, at node and hub. Needs root.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use ccpor_api::message::Position;
use ccpor_ledger::{OriginId, Position as Place};
use ccpor_tests::agreement::{converged, exactly_once, ledger_after_crash, sound};
use ccpor_tests::choices::{choices, number, on_threads};
use ccpor_tests::load::{Amount, Load, Machine};
use ccpor_tests::power::{Cut, Disk, own_mounts};
use ccpor_tests::world::{Outcome, World, heads, until};
use rand::Rng;
use rand::rngs::StdRng;

/// `CCPOR_CUTS` sets the number of cuts, `CCPOR_SEED` repeats the choices of another run.
#[test]
fn nothing_acknowledged_is_lost_or_doubled_when_the_power_fails() -> Outcome<()> {
    if !own_mounts()? {
        return Ok(());
    }
    on_threads(async {
        let cuts = number("CCPOR_CUTS")?.unwrap_or(20);
        let (seed, mut random) = choices()?;
        println!("CCPOR_CUTS={cuts}");
        let directory = tempfile::tempdir()?;
        let hub = Disk::make(directory.path(), "hub", 64)?;
        let node = Disk::make(directory.path(), "alameda", 64)?;
        let disks = BTreeMap::from([("hub".into(), hub.path().to_owned()), ("alameda".into(), node.path().to_owned())]);
        let mut world = World::start_on(&["alameda", "tuolumne"], &disks).await?;
        world.keep();
        let begun = Instant::now();
        let mut load = Load::start(&world, Amount { writers: 3, deeds: 25 }, seed).await?;
        let mut done = BTreeMap::<Machine, u32>::new();
        for _ in 0..cuts {
            let (machine, disk) = if random.random_bool(0.4) { (Machine::Hub, &hub) } else { (Machine::Node(0), &node) };
            load.next_round();
            cut(&mut world, &mut load, machine, disk, &mut random).await?;
            *done.entry(machine).or_default() += 1;
        }
        load.finish().await?;
        println!("{done:?} in {:.1?}", begun.elapsed());
        converged(&world, load.history()).await?;
        println!("converged after {:.1?}", begun.elapsed());
        let tally = exactly_once(&world, load.history()).await?;
        println!("{tally:?} after {:.1?}", begun.elapsed());
        world.fleet.stop().await;
        sound(&world)?;
        world.succeeded();
        Ok(())
    })
}

/// Cuts the power of a machine at work, and looks at what is left before it serves again.
async fn cut(world: &mut World, load: &mut Load, machine: Machine, disk: &Disk, random: &mut StdRng) -> Outcome<()> {
    /// The longest time between the work waited for and the cut.
    const WORKS_MOST_US: u64 = 150_000;
    /// The longest time that a machine lives on without its disk.
    const OUTLIVES_MOST_US: u64 = 20_000;
    let pause = |us| tokio::time::sleep(Duration::from_micros(us));
    match machine {
        Machine::Node(number) => load.acknowledged(number).await?,
        Machine::Hub => {
            let hub = world.hub().await?;
            let before = heads(&hub.list_courts().await?);
            let moved = until("the hub receives a record", || async {
                Ok((heads(&hub.list_courts().await?) != before).then_some(()))
            });
            load.while_right(moved).await?;
        }
    }
    pause(random.random_range(0..=WORKS_MOST_US)).await;
    load.down(machine);
    disk.cut(if random.random_bool(0.8) { Cut::Everything } else { Cut::Contents })?;
    pause(random.random_range(0..=OUTLIVES_MOST_US)).await;
    let daemon = match machine {
        Machine::Hub => world.fleet.take_hub(),
        Machine::Node(node) => world.fleet.take_node(node),
    };
    daemon.ok_or("the machine does not run")?.kill().await;
    disk.restore()?;
    match machine {
        Machine::Node(_) => {
            reaches(disk.path(), "court/alameda/node/1", load.history().promised("court/alameda"))?;
            world.fleet.start_node(0).await?;
        }
        Machine::Hub => {
            for (node, member) in world.fleet.members().iter().enumerate() {
                let origin = member.identity().path();
                let courts = world.node(node).await?.list_courts().await?.courts;
                let receipt = courts.into_iter().find(|court| court.origin == origin).and_then(|court| court.receipt);
                reaches(disk.path(), &origin, receipt)?;
            }
            world.fleet.start_hub().await?;
        }
    }
    load.up(machine);
    Ok(())
}

/// The ledger on the disk holds the record that was promised to be durable.
fn reaches(data: &Path, origin: &str, promised: Option<Position>) -> Outcome<()> {
    let Some(promised) = promised else { return Ok(()) };
    let place = Place { epoch: promised.epoch, seq: promised.seq };
    ledger_after_crash(data, &OriginId::new(origin)?, |ledger| {
        if let Some(damage) = ledger.damage() {
            return Err(format!("the power cut damaged the ledger: {damage}").into());
        }
        match ledger.hash_at(place)? {
            Some(hash) if hash.to_string() == promised.hash => Ok(()),
            held => Err(format!("{origin}: {promised:?} was promised, {held:?} is there of {:?}", ledger.head()).into()),
        }
    })
}
