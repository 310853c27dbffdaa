//! The registry on real files: what is filed is found, survives every way of losing the index, and replicates.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

mod counting;
mod court;
mod filing;
mod index;
mod lines;
mod model;
mod reconcile;
mod replication;
mod work;
