//! Runs seeds one after the other and tells which of them failed, and how to see one alone.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::world::World;

/// Seeds that failed once; they are always run first.
const PAST: &str = include_str!("../past-seeds.txt");

/// A seed that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The seed.
    pub seed: u64,
    /// What did not hold.
    pub why: String,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "seed {}: {}\n  replay it alone with: cargo sim --one {}",
            self.seed, self.why, self.seed
        )
    }
}

/// The seeds that failed once, in the order of their finding.
#[must_use]
pub fn past_seeds() -> Vec<u64> {
    let lines = PAST.lines().filter_map(|line| line.split_whitespace().next());
    lines.filter_map(|word| word.parse().ok()).collect()
}

/// Runs one world from beginning to end. Gives its digest.
///
/// # Errors
/// Something that must hold does not.
pub fn run(seed: u64, is_told: bool) -> Result<u64, Failed> {
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::of(seed, is_told);
        world.run();
        world.digest()
    }));
    outcome.map_err(|cause| {
        let text = cause.downcast_ref::<String>().map(String::as_str);
        let why = text.or_else(|| cause.downcast_ref::<&str>().copied());
        Failed {
            seed,
            why: why.unwrap_or("it stopped without a word").to_owned(),
        }
    })
}

/// Runs many worlds, silently. Gives those that failed.
pub fn run_all(seeds: impl IntoIterator<Item = u64>) -> Vec<Failed> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !SILENT.get() {
                before(info);
            }
        }));
    });
    SILENT.set(true);
    let failed = seeds
        .into_iter()
        .filter_map(|seed| run(seed, false).err())
        .collect();
    SILENT.set(false);
    failed
}

thread_local! {
    /// Whether this thread's failures are told by the caller.
    static SILENT: Cell<bool> = const { Cell::new(false) };
}
