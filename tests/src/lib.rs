//! The end-to-end tests and benchmarks: a world of real daemons, and what it takes to ask them.

pub mod bench;
pub mod world;
