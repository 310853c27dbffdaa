//! SIGKILL at random moments under load: every acknowledged deed is there, once, at every machine.

use std::time::Instant;

use ccpor_tests::agreement::{converged, exactly_once, sound};
use ccpor_tests::choices::{choices, number};
use ccpor_tests::crash::kill_at_random;
use ccpor_tests::load::{Amount, Load};
use ccpor_tests::world::{Outcome, World};

/// `CCPOR_KILLS` sets the number of kills, `CCPOR_SEED` repeats the choices of another run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_when_machines_are_killed() -> Outcome<()> {
    let kills = number("CCPOR_KILLS")?.unwrap_or(50);
    let (seed, mut random) = choices()?;
    println!("CCPOR_KILLS={kills}");
    let mut world = World::start(&["alameda", "los-angeles", "tuolumne"]).await?;
    world.keep();
    let begun = Instant::now();
    let mut load = Load::start(&world, Amount { writers: 3, deeds: 12 }, seed).await?;
    let done = kill_at_random(&mut world, &mut load, u32::try_from(kills)?, &mut random).await?;
    load.finish().await?;
    println!("{done:?} in {:.1?}", begun.elapsed());
    converged(&world, load.history()).await?;
    println!("converged after {:.1?}", begun.elapsed());
    let tally = exactly_once(&world, load.history()).await?;
    println!("{tally:?} after {:.1?}", begun.elapsed());
    world.fleet.stop().await;
    sound(&world)?;
    world.succeeded();
    println!("sound after {:.1?}", begun.elapsed());
    Ok(())
}
