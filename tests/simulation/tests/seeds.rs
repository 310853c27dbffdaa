//! Thousands of worlds: those that went wrong once first, then others. `CCPOR_SEEDS=n` tries n.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::thread;

use ccpor_simulation::{Failed, past_seeds, run, run_all};

/// Seeds in a run without further ado.
const SEEDS: u64 = 2_000;

#[test]
fn worlds_that_went_wrong_once_and_two_thousand_others_hold_what_must_hold() {
    let count =
        std::env::var("CCPOR_SEEDS").map_or(SEEDS, |seeds| seeds.parse().expect("CCPOR_SEEDS is a number"));
    let seeds: Vec<u64> = past_seeds().into_iter().chain(0..count).collect();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let failed: Vec<Failed> = thread::scope(|scope| {
        let shares: Vec<_> = (0..cores)
            .map(|core| {
                let share: Vec<u64> = seeds.iter().copied().skip(core).step_by(cores).collect();
                scope.spawn(move || run_all(share))
            })
            .collect();
        shares
            .into_iter()
            .flat_map(|share| share.join().expect("failures are caught"))
            .collect()
    });
    let told: Vec<String> = failed.iter().map(ToString::to_string).collect();
    assert!(
        failed.is_empty(),
        "{} of {} worlds went wrong\n{}",
        failed.len(),
        seeds.len(),
        told.join("\n")
    );
}

#[test]
fn a_seed_is_the_same_world_every_time() {
    for seed in [3, 7, 11] {
        assert_eq!(run(seed, false).unwrap(), run(seed, false).unwrap());
    }
}
