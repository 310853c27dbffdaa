//! Power cuts under load: what was acknowledged stands in the ledger that the disk still has, at node and hub. Needs root.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use ccpor_api::message::Position;
use ccpor_ledger::{OriginId, Position as Place};
use ccpor_tests::agreement::{converged, exactly_once, ledger_after_crash, sound};
use ccpor_tests::choices::{choices, number, on_threads};
use ccpor_tests::crash::{at_work, kill, pause, start};
use ccpor_tests::load::{Amount, Load, Machine};
use ccpor_tests::power::{Cut, Disk, own_mounts};
use ccpor_tests::world::{Outcome, World};
use rand::Rng;
use rand::rngs::StdRng;

/// `CCPOR_CUTS` sets the number of cuts, `CCPOR_SEED` repeats the choices of another run.
#[test]
fn nothing_acknowledged_is_lost_or_doubled_when_the_power_fails() -> Outcome<()> {
    if !own_mounts()? {
        return Ok(());
    }
    on_threads(async {
        let cuts = number("CCPOR_CUTS")?.unwrap_or(6);
        let (seed, mut random) = choices()?;
        println!("CCPOR_CUTS={cuts}");
        let mut images = tempfile::tempdir()?;
        images.disable_cleanup(true);
        let hub = Disk::make(images.path(), "hub", 64)?;
        let node = Disk::make(images.path(), "alameda", 64)?;
        let disks = BTreeMap::from([
            ("hub".into(), hub.path().to_owned()),
            ("alameda".into(), node.path().to_owned()),
        ]);
        let mut world = World::start_on(&["alameda", "tuolumne"], &disks).await?;
        world.keep();
        let begun = Instant::now();
        let mut load = Load::start(
            &world,
            Amount {
                writers: 3,
                deeds: 25,
            },
            seed,
        )
        .await?;
        let mut done = BTreeMap::<Machine, u32>::new();
        for _ in 0..cuts {
            let (machine, disk) = if random.random_bool(0.4) {
                (Machine::Hub, &hub)
            } else {
                (Machine::Node(0), &node)
            };
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
        images.disable_cleanup(false);
        world.succeeded();
        Ok(())
    })
}

/// Cuts the power of a machine at work, and looks at what is left before it serves again.
async fn cut(
    world: &mut World,
    load: &mut Load,
    machine: Machine,
    disk: &Disk,
    random: &mut StdRng,
) -> Outcome<()> {
    const WORKS_MOST_MS: u64 = 150;
    // Meanwhile it meets a dead disk.
    const OUTLIVES_MOST_MS: u64 = 20;
    at_work(world, load, machine).await?;
    pause(random, WORKS_MOST_MS).await;
    load.down(machine);
    disk.cut(if random.random_bool(0.8) {
        Cut::Everything
    } else {
        Cut::Contents
    })?;
    pause(random, OUTLIVES_MOST_MS).await;
    kill(world, machine).await?;
    disk.restore()?;
    for (origin, place) in promises(world, load, machine).await? {
        reaches(disk.path(), &origin, &place)?;
    }
    start(world, machine).await?;
    load.up(machine);
    Ok(())
}

/// What a machine promised to hold: a node the last deed that it acknowledged, the hub what it gave receipts for.
async fn promises(world: &World, load: &Load, machine: Machine) -> Outcome<Vec<(String, Position)>> {
    let mut promises = Vec::new();
    for (number, member) in world.fleet.members().iter().enumerate() {
        let origin = member.identity().path();
        let promised = match machine {
            Machine::Node(node) if node == number => load
                .history()
                .promised(origin.rsplit_once("/node/").map_or("", |(court, _)| court)),
            Machine::Node(_) => None,
            Machine::Hub => {
                let courts = world.node(number).await?.list_courts().await?.courts;
                courts
                    .into_iter()
                    .find(|court| court.origin == origin)
                    .and_then(|court| court.receipt)
            }
        };
        promises.extend(promised.map(|place| (origin, place)));
    }
    Ok(promises)
}

/// The ledger on the disk holds the record that was promised to be durable.
fn reaches(data: &Path, origin: &str, promised: &Position) -> Outcome<()> {
    let place = Place {
        epoch: promised.epoch,
        seq: promised.seq,
    };
    ledger_after_crash(data, &OriginId::new(origin)?, |ledger| {
        if let Some(damage) = ledger.damage() {
            return Err(format!("the power cut damaged the ledger: {damage}").into());
        }
        match ledger.hash_at(place)? {
            Some(hash) if hash.to_string() == promised.hash => Ok(()),
            held => Err(format!(
                "{origin}: {promised:?} was promised, {held:?} is there of {:?}",
                ledger.head()
            )
            .into()),
        }
    })
}
