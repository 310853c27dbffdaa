//! A test that cannot fail is no evidence: with any one safeguard taken away, some world goes wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use ccpor_ledger::planted::{Planted, plant};
use ccpor_simulation::{run, run_all};

/// Worlds that are tried until one goes wrong.
const SEEDS: u64 = 500;

#[test]
fn every_safeguard_that_is_taken_away_is_missed() {
    for gone in Planted::ALL {
        plant(Some(gone));
        let missed = (0..SEEDS).find_map(|seed| run_all([seed]).pop());
        plant(None);
        let missed = missed.unwrap_or_else(|| panic!("{gone:?}: {SEEDS} worlds, and nobody missed it"));
        println!("{gone:?}: {missed}");
        assert_eq!(
            run(missed.seed, false).err(),
            None,
            "with it, the same world holds"
        );
    }
}
