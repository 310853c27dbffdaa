//! Machines against machines: seeded worlds of nodes and hubs that lose connections, hear only one way, fail to read
//! or store, and must in the end hold the same ledgers. A failing seed is printed: `CCPOR_SEED=n` replays it alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as well"
)]

mod copies;
mod dice;
mod driver;
mod scenario;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use ccpor_ledger::OriginId;
use ccpor_sync::{CloseReason, DivergenceKind, OriginSet};
use world::{Plan, World};

/// Seeds in a run without further ado; `CCPOR_SEEDS=n` tries n.
const SEEDS: u64 = 120;

#[test]
fn every_world_converges_and_no_copy_ever_leaves_its_writers_chain() {
    let seeds = match std::env::var("CCPOR_SEED") {
        Ok(one) => {
            let seed = one.parse::<u64>().expect("CCPOR_SEED is a number");
            seed..seed + 1
        }
        Err(_) => {
            0..std::env::var("CCPOR_SEEDS")
                .map_or(SEEDS, |seeds| seeds.parse().expect("CCPOR_SEEDS is a number"))
        }
    };
    for seed in seeds {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut world = World::random(seed);
            world.run();
            world.check_converged();
        }));
        assert!(
            outcome.is_ok(),
            "seed {seed} failed; CCPOR_SEED={seed} replays it"
        );
    }
}

#[test]
fn a_world_is_the_same_for_the_same_seed() {
    let digest = |seed| {
        let mut world = World::random(seed);
        world.run();
        (world.steps, world.now)
    };
    assert_eq!(digest(7), digest(7));
}

#[test]
fn a_fork_is_told_to_both_operators_and_the_other_origins_go_on() {
    let mut world = World::planned(Plan {
        nodes: 3,
        hubs: 1,
        filings: 20,
        faults: false,
        seed: 1,
    });
    let origin = world.origin(0);
    // The hub got records 1 to 8 from the machine's clone, which filed others after number 5.
    world.file(0, 10);
    world.seed_copy(3, &origin, 5);
    world.forge_tail(3, &origin, 3);
    let before = world.copy(3, &origin).to_vec();
    world.run();
    let told = world.divergences(&origin);
    assert!(told.iter().all(|(_, kind)| *kind == DivergenceKind::Forked));
    assert!(
        told.iter().any(|(machine, _)| *machine == 0),
        "the node's operator"
    );
    assert!(
        told.iter().any(|(machine, _)| *machine == 3),
        "the hub's operator"
    );
    assert_eq!(world.copy(3, &origin), before, "nothing was overwritten");
    world.check_converged_except(&[origin]);
}

#[test]
fn a_node_restored_from_an_old_copy_is_told_and_nothing_is_overwritten() {
    let mut world = World::planned(Plan {
        nodes: 2,
        hubs: 1,
        filings: 0,
        faults: false,
        seed: 2,
    });
    let origin = world.origin(0);
    world.file(0, 9);
    world.seed_copy(2, &origin, 9);
    world.roll_back(0, &origin, 4);
    world.run();
    let told = world.divergences(&origin);
    assert!(
        told.contains(&(0, DivergenceKind::WriterBehind)),
        "the node's operator: {told:?}"
    );
    assert!(
        told.contains(&(2, DivergenceKind::WriterBehind)),
        "the hub's operator: {told:?}"
    );
    assert_eq!(world.copy(2, &origin).len(), 9);
    assert_eq!(world.copy(0, &origin).len(), 4);
}

#[test]
fn a_node_in_recovery_fetches_its_own_records_back() {
    let mut world = World::planned(Plan {
        nodes: 2,
        hubs: 1,
        filings: 0,
        faults: false,
        seed: 3,
    });
    let origin = world.origin(0);
    world.file(0, 9);
    world.seed_copy(2, &origin, 9);
    world.roll_back(0, &origin, 0);
    world.recovering(0);
    world.run();
    assert_eq!(world.copy(0, &origin).len(), 9);
    assert!(world.divergences(&origin).is_empty());
}

#[test]
fn a_hub_restored_from_an_old_copy_is_filled_again() {
    let mut world = World::planned(Plan {
        nodes: 3,
        hubs: 2,
        filings: 5,
        faults: false,
        seed: 4,
    });
    let origin = world.origin(0);
    world.file(0, 30);
    for machine in 1..5 {
        world.seed_copy(machine, &origin, 30);
    }
    world.roll_back(3, &origin, 2);
    world.run();
    world.check_converged();
}

#[test]
fn a_record_of_a_foreign_origin_ends_the_connection_with_the_reason() {
    let mut world = World::planned(Plan {
        nodes: 2,
        hubs: 1,
        filings: 3,
        faults: false,
        seed: 5,
    });
    world.offers_instead(0, OriginSet::All);
    let foreign = world.origin(1);
    world.file(0, 2);
    world.seed_copy(0, &foreign, 0);
    world.forge_tail(0, &foreign, 4);
    world.run_for(20_000);
    assert!(world.closes.contains(&CloseReason::NotYours));
    assert!(
        world
            .copy(2, &foreign)
            .iter()
            .all(|record| !scenario::is_forged(record))
    );
}

#[test]
fn a_new_filing_does_not_wait_for_a_backlog() {
    let mut world = World::planned(Plan {
        nodes: 3,
        hubs: 1,
        filings: 0,
        faults: false,
        seed: 6,
    });
    let (backlog, live) = (world.origin(0), world.origin(1));
    // The hub has far more of one court to send to the third node than the link carries in a second.
    world.file(0, 30_000);
    world.seed_copy(3, &backlog, 30_000);
    world.slow_link(2, 1_000_000);
    world.run_for(3_000);
    let behind = world.copy(2, &backlog).len();
    assert!(behind < 29_000, "the backlog is still under way: {behind}");
    world.file(1, 1);
    let filed = world.now;
    while world.copy(2, &live).is_empty() {
        world.step();
    }
    assert!(
        world.now - filed <= 1_500,
        "visible after {} ms",
        world.now - filed
    );
    assert!(world.copy(2, &backlog).len() < 29_500);
}

#[test]
fn a_link_cut_in_one_direction_is_down_to_both_within_ten_seconds() {
    for deaf in [0, 1] {
        let mut world = World::planned(Plan {
            nodes: 1,
            hubs: 1,
            filings: 0,
            faults: false,
            seed: 8,
        });
        world.run_for(5_000);
        assert!(world.is_up(0, 0) && world.is_up(0, 1));
        world.cut_one_way(0, deaf);
        world.run_for(10_000);
        assert!(!world.is_up(0, 0) && !world.is_up(0, 1));
    }
}

fn name(number: usize) -> OriginId {
    OriginId::new(&format!("court/county-{number}/node/1")).expect("a valid origin")
}
