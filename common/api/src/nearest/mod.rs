//! Asking the nearest of several machines: which one is best, when a second one is asked, and who takes over.

mod roster;
mod client;
pub mod choice;
pub mod budget;

pub use client::{Nearest, Told};
pub use roster::{Roster, RosterFailed};
