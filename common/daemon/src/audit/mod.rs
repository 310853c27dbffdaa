//! The audit trail of a daemon: who looked is recorded before the answer leaves. Everything that people and programs ask for goes
//! through [`Audited`]; what nodes ask their hub for goes through the same [`Recorder`].
//!
//! One entry is written for each call, after the operation and before its answer: it says what was seen as well as who asked. A crash
//! before the entry is durable loses an entry whose answer never left; the acts of courts stand in the orders' own ledger besides, signed,
//! with who did them. Calls that wait at the same time are made durable by one fdatasync.

mod audited;
mod accounts;
mod trails;
mod reports;
mod keeping;
mod sending;
mod copying;
mod door;
mod recorder;
mod asked;
mod opening;

pub(crate) use asked::{image as named_image, order as named_order, somebody as named_person};
pub(crate) use audited::{enforced, history, looked_up, viewed};

pub use accounts::AuditedAccounts;
pub use asked::asked_for;
pub use audited::Audited;
pub use keeping::{KeepsTrails, TrailCopies};
pub use opening::{AuditFailed, AuditSettings, directory, open};
pub use recorder::{Call, Recorder, Seen};
pub use reports::AuditedReports;
pub use sending::{NotCopied, Sender};
pub use trails::AuditedTrails;
