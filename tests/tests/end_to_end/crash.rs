//! SIGKILL at random moments under load: every acknowledged deed is there, once, at every machine.

use std::time::{Duration, Instant};

use ccpor_tests::agreement::{converged, exactly_once, indexes_are_as_made_anew, sound};
use ccpor_tests::choices::{choices, number};
use ccpor_tests::crash::kill_at_random;
use ccpor_tests::load::{Amount, Load};
use ccpor_tests::world::{Outcome, World, file, lookup, order, until};

/// `CCPOR_KILLS` sets the number of kills, `CCPOR_SEED` repeats the choices of another run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_when_machines_are_killed() -> Outcome<()> {
    let kills = number("CCPOR_KILLS")?.unwrap_or(12);
    let (seed, mut random) = choices()?;
    println!("CCPOR_KILLS={kills}");
    let mut world = World::start(&["alameda", "los-angeles", "tuolumne"]).await?;
    world.keep();
    let begun = Instant::now();
    let mut load = Load::start(
        &world,
        Amount {
            writers: 3,
            deeds: 12,
        },
        seed,
    )
    .await?;
    let done = kill_at_random(&mut world, &mut load, u32::try_from(kills)?, &mut random).await?;
    load.finish().await?;
    println!("{done:?} in {:.1?}", begun.elapsed());
    converged(&world, load.history()).await?;
    println!("converged after {:.1?}", begun.elapsed());
    let tally = exactly_once(&world, load.history()).await?;
    println!("{tally:?} after {:.1?}", begun.elapsed());
    for node in 0..world.fleet.members().len() {
        world.fleet.take_node(node).ok_or("the node runs")?.kill().await;
    }
    world.fleet.stop().await;
    indexes_are_as_made_anew(&world)?;
    sound(&world)?;
    world.succeeded();
    println!("sound after {:.1?}", begun.elapsed());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_was_killed_tells_its_nodes_when_it_is_back() -> Outcome<()> {
    /// Well below the time after which silence alone tells.
    const WITHIN: Duration = Duration::from_secs(5);
    let mut world = World::start(&["alameda"]).await?;
    let alameda = world.node(0).await?;
    file(&alameda, "before-the-end", order("GARCIA", "JOSE", "HF26-001")).await?;
    found(&world, "GARCIA").await?;
    world.fleet.take_hub().ok_or("the hub does not run")?.kill().await;
    world.fleet.start_hub().await?;
    let begun = Instant::now();
    file(&alameda, "after-the-end", order("NGUYEN", "JOSE", "HF26-002")).await?;
    found(&world, "NGUYEN").await?;
    println!("replicated again after {:.1?}", begun.elapsed());
    assert!(
        begun.elapsed() < WITHIN,
        "the node noticed only after {:.1?}",
        begun.elapsed()
    );
    world.fleet.stop().await;
    Ok(())
}

async fn found(world: &World, last: &str) -> Outcome<()> {
    let hub = world.hub().await?;
    until("the hub finds it", || async {
        Ok((!lookup(&hub, last, "JOSE").await?.hits.is_empty()).then_some(()))
    })
    .await
}
