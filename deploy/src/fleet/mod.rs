//! A fleet on one machine: a private authority, a hub and courts' nodes, each a real process with its own directory.
//! The demonstration and the end-to-end tests start the registry through it.

mod court;
mod process;

pub use court::{Fleet, FleetFailed, Member};
pub use process::{Daemon, DaemonFailed, Starting, programs};
