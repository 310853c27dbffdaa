//! Choices of a run of faults: how many, with which seed, on which threads.

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::world::Outcome;

/// A number given by an environment variable.
///
/// # Errors
/// When it is given and is none.
pub fn number(variable: &str) -> Outcome<Option<u64>> {
    match std::env::var(variable) {
        Ok(text) => Ok(Some(
            text.parse().map_err(|_| format!("{variable} must be a number"))?,
        )),
        Err(_) => Ok(None),
    }
}

/// The seed of this run, `CCPOR_SEED` or a new one, and what it gives. It is printed, so that a run can be repeated.
///
/// # Errors
/// When `CCPOR_SEED` is no number.
pub fn choices() -> Outcome<(u64, StdRng)> {
    let seed = number("CCPOR_SEED")?.unwrap_or_else(rand::random);
    println!("CCPOR_SEED={seed}");
    Ok((seed, StdRng::seed_from_u64(seed)))
}

/// Runs a test on two threads that are started now, so that they share what this one has set up.
///
/// # Errors
/// As the test.
pub fn on_threads<T>(test: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(test)
}
