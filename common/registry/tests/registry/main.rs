//! The registry on real files: what is filed is found, survives every way of losing the index, and replicates.

mod court;
mod filing;
mod index;
mod model;
mod replication;
