//! What the command line, the end-to-end tests and the benchmarks share: a fleet of real daemons, and a population of
//! invented people with realistic orders.

pub mod fleet;
pub mod population;
