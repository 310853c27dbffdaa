//! The audit trail: who did what with whose record, signed, chained and durable before an answer leaves; what was asked can be read
//! by the auditors alone. It knows no sockets, no pages and no interface.
//!
//! A machine keeps its trail as a ledger of its own ([`ccpor_ledger::OriginId::audit_of`]), which is written, chained, signed and
//! verified like the ledger of a court's orders and shares nothing else with it. In the directory `audit` lie:
//!
//! | path | is |
//! |---|---|
//! | `ledger/audit.hub.1/` | the trail: a ledger whose records are [`Entry`] |
//! | `keys/audit.hub.1/` | the key of each day, wrapped for the auditors; without it nobody reads that day's questions |
//! | `reserve` | room that is given up when the disk is full and answers must still be recorded |
//!
//! In the clear stand identities, times, operations, order numbers and counts. Names, dates of birth, numbers of persons, purposes
//! and case numbers are sealed under the day's key, and can be searched for by tags that only the day's key makes.
//!
//! The modules below stand in the order of dependency: each uses only those declared after it.

pub mod weekly;
pub mod snoop;
mod export;
mod newest;
mod archive;
mod trail;
mod reserve;
mod codec;
mod entry;
mod operation;
mod day_keys;
mod day_key;
mod auditors;
mod passphrase;
mod hpke;
mod shown;
mod tag;
mod told;
mod files;
mod hex;

pub use archive::{Archive, ArchiveFailed, Found, Place, Search, readings};
pub use auditors::{AuditorsFailed, AuditorsKey, AuditorsPublic, LEAST_PASSPHRASE};
pub use codec::{DecodeRefused, EncodeRefused, MAX_ENTRY_BYTES, decode, encode};
pub use day_key::{DayKey, DayKeyFailed, KeyName, Sealed, WrappedKey};
pub use day_keys::{DayKeyFiles, DayKeyFilesFailed};
pub use entry::{
    Act, BeganAnew, Entry, KeyBegan, KeyDestroyed, MAX_ORDERS, MAX_TAGS, MAX_TEXT, Outcome, Reading, Who,
};
pub use export::{ExportFailed, Exported, Exporter, check_export};
pub use hpke::SealedTo;
pub use newest::{Bounds, Newest, Onward, newest};
pub use operation::{Kind, Operation};
pub use shown::ShownNames;
pub use tag::{Clue, Tag, TagKey};
pub use told::{Asked, Told};
pub use trail::{Draft, LEAST_KEEP_DAYS, NotRecorded, Opening, Trail, TrailConfig, TrailFailed};
