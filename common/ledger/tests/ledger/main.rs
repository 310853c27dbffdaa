//! The ledger as its users see it: against a model, against damage, against forged runs, and against the clock.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod court;
mod damage;
mod full_disk;
mod golden;
mod keys;
mod model;
mod repair;
mod runs;
mod scrub;
mod torn;
mod verify;
mod writer;
