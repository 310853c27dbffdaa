//! What the node and the hub have in common as programs: settings, logs, exit codes, and the half of the programming
//! interface that only reads, and the registry as replication sees it. It knows nothing of a court's filing.

pub mod front;
pub mod course;
pub mod lags;
pub mod audit;
pub mod exit;
pub mod forward;
mod accounts;
pub mod reports;
mod faults;
pub mod guard;
pub mod people;
mod refused;
pub mod witness;
pub mod users;
pub mod topology;
pub mod sharing;
pub mod identity;
pub mod key_ends;
pub mod lifetime;
pub mod logs;
mod merge;
pub mod reading;
pub mod certificate;
pub mod ready;
pub mod recovery;
pub mod renewal;
pub mod revocation;
pub mod scrub;
pub mod sections;
pub mod replication;
pub mod settings;
pub mod signing;
pub mod sight;
