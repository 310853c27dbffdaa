//! The registry of one machine, node or hub: every court's ledger, the sled index over them, the people in memory, and
//! the images. It files for its own court, answers lookups for all, and is the store behind replication.
//!
//! What stands where:
//!
//! | what | is | lost, it comes back from |
//! |---|---|---|
//! | `ledger/` | the truth: signed records, one directory a court's node | the hub, or another node |
//! | `index/` | sled: where each order's records lie, and how far each ledger is applied | the ledgers |
//! | people in memory | who is named in which order | the index, and the ledgers for what it did not hold yet |
//! | tallies in memory | what the reports count each order by, from the first time that somebody asks | the ledgers |
//! | `branches/` | what this court filed on an old copy of its ledger, as it was signed | nowhere: kept beside the ledger that goes on |
//! | `heard-of` | which courts there are, as hubs told it | every connection to a hub |
//! | `images/` | scans of signed orders, named by their BLAKE3 | the hub, or another node |
//!
//! Nothing is acknowledged before the ledger's `fdatasync` returned. The index is never believed beyond the ledgers.
//! Nothing here opens a socket or knows a user.

pub mod image;

// A module uses only modules declared below it.
mod reconcile;
mod restore;
mod scrub;
mod quarantine;
mod person;
mod work;
mod waiting;
mod overdue;
mod counting;
mod key_rotation;
mod key_end;
mod mend;
mod ledgers;
mod lookup;
mod sight;
mod desk;
mod registry;
mod opening;
mod ending;
mod intake;
mod turns;
mod workbook;
mod counter;
mod counted;
mod tally;
mod fault;
mod replica;
mod branches;
mod refiling;
mod story;
mod written;
mod applier;
mod apply;
mod view;
mod people;
mod index;
mod catalogue;
mod card;
mod shelf;
mod heard_of;
mod freshness;
mod room;

pub use branches::{Shelved, shelved};
pub use card::id_kind;
pub use catalogue::KnownImage;
pub use counted::{Cell, Counted, Faulty, Group};
pub use counting::Counting;
pub use fault::{Fault, FaultKind, faults};
pub use freshness::{Answer, CourtFreshness, Freshness, Source, now};
pub use index::{IndexFailed, NotUsable};
pub use intake::{Done, IntakeRefused, Request};
pub use key_end::KeyEndRefused;
pub use key_rotation::RotationRefused;
pub use lookup::{Also, Found, Hits, Question};
pub use mend::MendRefused;
pub use opening::{OpenFailed, Opening};
pub use overdue::{Overdue, OverdueList};
pub use person::{Clashes, Enforced, Known, Naming};
pub use quarantine::Quarantined;
pub use reconcile::{ReconcileRefused, Reconciled};
pub use refiling::{Planned, Verdict};
pub use registry::{Counts, LedgerState, OwnLedger, Registry, RegistryConfig};
pub use restore::RestoreRefused;
pub use scrub::{Pass, Piece, Scrubbed};
pub use shelf::ShelfError;
pub use sight::{Everything, NotSeen, Seeing, SeenPerson, Sight};
pub use story::{NoStory, Story, Told, Unreadable};
pub use tally::Month;
pub use waiting::Waiting;
pub use work::LeftToDo;
