//! Two courts that reach their hub over bad lines only: datagrams late, lost, doubled, out of order, and for a while none at all
//! in one direction. Everything that was acknowledged is everywhere in the end, once, and every machine holds the same.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ccpor_tests::agreement::{converged, exactly_once, sound};
use ccpor_tests::choices::{choices, on_threads};
use ccpor_tests::line::{Line, Weather};
use ccpor_tests::load::{Amount, Load};
use ccpor_tests::world::{Outcome, World, until};
use rand::Rng;

const AMOUNT: Amount = Amount { writers: 2, deeds: 8 };

/// The link of a node to its hub is up or down, as the node says itself.
async fn link(world: &World, node: usize, state: &str) -> Outcome<()> {
    let client = world.node(node).await?;
    until(&format!("the link of node {node} is {state}"), || async {
        let links = client.status().await?.links;
        Ok(links.iter().all(|link| link.state == state).then_some(()))
    })
    .await
}

#[test]
fn over_bad_lines_nothing_acknowledged_is_lost_and_every_machine_comes_to_hold_the_same() -> Outcome<()> {
    let (seed, mut dice) = choices()?;
    on_threads(async {
        let mut world = World::start(&["alameda", "tuolumne"]).await?;
        world.keep();
        let mut lines = Vec::new();
        for node in 0..2 {
            let line = Line::to(world.fleet.hub_nodes(), dice.random()).await?;
            line.set(Weather::BAD);
            let hub = format!("[hub]\naddress = \"{}\"\ntransport = \"quic\"\n", line.address());
            world.set(node, &hub).await?;
            lines.push(line);
        }
        let mut load = Load::start(&world, AMOUNT, seed).await?;
        load.while_right(async {
            link(&world, 0, "up").await?;
            link(&world, 1, "up").await
        })
        .await?;
        load.next_round();
        load.acknowledged(0).await?;
        load.acknowledged(1).await?;
        // One court is not heard any more, the other hears nothing: both notice, and the courts go on filing.
        let deaf = |cut_out| Weather {
            cut_out,
            cut_back: !cut_out,
            ..Weather::BAD
        };
        lines
            .iter()
            .zip([true, false])
            .for_each(|(line, out)| line.set(deaf(out)));
        load.while_right(async {
            link(&world, 0, "connecting").await?;
            link(&world, 1, "connecting").await
        })
        .await?;
        load.next_round();
        load.acknowledged(0).await?;
        load.acknowledged(1).await?;
        // The worst of it while they catch up.
        let worse = Weather {
            delay_ms: (50, 150),
            lost: 0.1,
            ..Weather::BAD
        };
        lines.iter().for_each(|line| line.set(worse));
        load.while_right(async {
            link(&world, 0, "up").await?;
            link(&world, 1, "up").await
        })
        .await?;
        load.next_round();
        load.finish().await?;
        converged(&world, load.history()).await?;
        let tally = exactly_once(&world, load.history()).await?;
        assert!(tally.orders > 0 && tally.deeds > tally.orders, "{tally:?}");
        for line in &lines {
            let done = line.tally();
            for counter in [&done.came, &done.lost, &done.doubled, &done.kept_back] {
                assert!(counter.load(Ordering::Relaxed) > 0, "{done:?}");
            }
        }
        world.fleet.stop().await;
        sound(&world)?;
        world.succeeded();
        Ok(())
    })
}

/// What the hub sends is everything that a lookup elsewhere needs: a line that is bad, but passes, keeps every court current.
#[test]
fn over_bad_lines_every_court_stays_current() -> Outcome<()> {
    let (_, mut dice) = choices()?;
    on_threads(async {
        let mut world = World::start(&["alameda", "tuolumne"]).await?;
        let line = Line::to(world.fleet.hub_nodes(), dice.random()).await?;
        line.set(Weather::BAD);
        let hub = format!("[hub]\naddress = \"{}\"\ntransport = \"quic\"\n", line.address());
        world.set(0, &hub).await?;
        let node = world.node(0).await?;
        let current = || async {
            let courts = node.list_courts().await?.courts;
            Ok((courts.len() == 2 && courts.iter().all(|court| court.current)).then_some(()))
        };
        until("both courts are current", current).await?;
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_secs(3) {
            assert!(
                current().await?.is_some(),
                "{:?}",
                node.list_courts().await?.courts
            );
        }
        world.fleet.stop().await;
        Ok(())
    })
}
