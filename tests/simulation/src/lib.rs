//! Machines against machines, by chance from a seed: courts' nodes and hubs whose networks, disks, clocks and operators fail, with
//! the real replication protocol (`ccpor-sync`) and the real rules of the ledger (`ccpor-ledger`) at work in each of them.
//!
//! A [`Plan`] says what a seed makes of a [`World`]; the world lets one thing happen after the other; after each of them the
//! model looks at everything, and after the healing everybody must come to hold the same. There are no threads, no clock and no
//! files: the same seed gives the same world on every machine.
//!
//! | file | is |
//! |---|---|
//! | `plan` | what befalls the world of a seed |
//! | `disk`, `copy` | files with a live and a durable half, and ledgers in them |
//! | `machine` | a node or hub: its disk, its clock, what its program remembers |
//! | `link`, `connections` | what the network does to frames, and how connections come and go |
//! | `driver`, `way_back` | what the programs around the protocol do, in the order in which they do it |
//! | `troubles` | what goes wrong |
//! | `model`, `settling` | what must be true after every step, and at the end |
//!
//! It knows nothing of orders, and of certificates only that one can be revoked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a world ends by panicking; whoever runs it tells the seed"
)]

#[cfg(test)]
mod scenarios;
mod run;
mod settling;
mod reconcile;
mod troubles;
mod way_back;
mod driver;
mod connections;
mod choosing;
mod world;
mod model;
mod machine;
mod link;
mod copy;
mod disk;
mod plan;
mod dice;

pub use plan::{Plan, Trouble};
pub use run::{Failed, past_seeds, run, run_all};
pub use world::World;
