//! The end-to-end tests and benchmarks: a world of real daemons, and what it takes to ask them.

pub mod bench;
pub mod stand;
pub mod lone;
pub mod program;
pub mod visitor;
pub mod rest;
pub mod crash;
pub mod power;
pub mod choices;
pub mod agreement;
pub mod load;
pub mod history;
pub mod line;
pub mod world;
