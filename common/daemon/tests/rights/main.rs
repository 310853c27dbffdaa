//! The table of rights in service: every operation behind the guard, and every kind of order through the readers, for each role.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as well"
)]

mod court;
mod operations;
mod hubs;
mod orders;
mod reports;
