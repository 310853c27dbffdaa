//! Ledgers that were damaged on a node's disk, its own and its copies: mended from the hub at connect, byte for byte, with the
//! real programs.

use std::path::Path;

use ccpor_tests::agreement::sound;
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, World, file, heads, lookup, order, until};

const ORDERS: usize = 12;

fn written(segment: &Path) -> Outcome<usize> {
    let bytes = std::fs::read(segment)?;
    Ok(bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .ok_or("an empty segment")?
        + 1)
}

fn flip(segment: &Path, at: usize) -> Outcome<()> {
    let mut bytes = std::fs::read(segment)?;
    bytes[at] ^= 8;
    Ok(std::fs::write(segment, bytes)?)
}

fn cut(segment: &Path, at: usize) -> Outcome<()> {
    let bytes = std::fs::read(segment)?;
    Ok(std::fs::write(segment, &bytes[..at])?)
}

#[tokio::test]
async fn a_nodes_damaged_ledgers_are_whole_again_after_it_met_the_hub() -> Outcome<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    let (alameda, tuolumne) = (world.node(0).await?, world.node(1).await?);
    for number in 0..ORDERS {
        let name = format!("FAMILY{number}");
        let (here, there) = (format!("alameda-{number:03}"), format!("tuolumne-{number:03}"));
        file(&alameda, &here, order(&name, "PAT", &format!("HF26-{number}"))).await?;
        file(&tuolumne, &there, order(&name, "PAT", &format!("TU26-{number}"))).await?;
    }
    level(&world).await?;
    let data = world.fleet.members()[1].data().to_owned();
    let copy = data.join("ledger/court.alameda.node.1/00000001.segment");
    let own = data.join("ledger/court.tuolumne.node.1/00000001.segment");

    let harms: [fn(&Path, usize) -> Outcome<()>; 4] = [
        |segment, _| flip(segment, 40),
        |segment, end| flip(segment, end / 2),
        |segment, end| flip(segment, end / 3).and_then(|()| flip(segment, end * 2 / 3)),
        |segment, end| cut(segment, end / 2),
    ];
    for (round, harm) in harms.into_iter().enumerate() {
        world.fleet.take_node(1).ok_or("the node runs")?.stop().await;
        for segment in [&copy, &own] {
            harm(segment, written(segment)?)?;
        }
        let verify = Program::ccpor()?.arg("verify").arg(&data);
        verify.run().await?.said(8, &["00000001.segment"]);

        world.fleet.start_node(1).await?;
        let node = world.node(1).await?;
        until(&format!("round {round}: the node is whole"), || async {
            let status = node.status().await?;
            let fresh = status.freshness.is_some_and(|fresh| fresh.complete);
            Ok((status.ready && fresh).then_some(()))
        })
        .await?;
        let key = format!("goes-on-{round:03}");
        file(&node, &key, order("DOE", "JANE", &format!("TU26-new-{round}"))).await?;
        level(&world).await?;
        for number in 0..ORDERS {
            let found = lookup(&node, &format!("FAMILY{number}"), "PAT").await?.hits;
            for court in ["HF", "TU"] {
                let case = format!("{court}26-{number}");
                assert_eq!(
                    found.iter().filter(|hit| hit.case_number == case).count(),
                    1,
                    "round {round}: {case}"
                );
            }
        }
    }
    world.fleet.stop().await;
    Program::ccpor()?
        .arg("verify")
        .arg(&data)
        .run()
        .await?
        .said(0, &[]);
    sound(&world)
}

/// Waits until node and hub hold the same of every court.
async fn level(world: &World) -> Outcome<()> {
    until("the ledgers are the same", || async {
        let hub = heads(&world.hub().await?.list_courts().await?);
        let node = heads(&world.node(1).await?.list_courts().await?);
        Ok((hub == node && hub.len() == 2).then_some(()))
    })
    .await
}
