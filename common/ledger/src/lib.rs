//! The ledger of an origin: signed records in a hash chain, durable in segment files, and its independent verification.
//!
//! A court's node alone writes its ledger; the hub and every other node hold copies that they can prove. This crate knows
//! records as bytes with a place, a signature and a predecessor. It knows nothing of orders, and it opens no sockets.
//!
//! An origin's directory holds:
//!
//! | file | is |
//! |---|---|
//! | `00000001.segment` … | the records, in frames: the truth |
//! | `00000001.offsets` … | where the frames of a full segment begin; made anew when missing |
//! | `durable` | up to where everything is known to be on the disk |
//! | `receipts` | what hubs have certified |
//! | `epoch-floor` | the highest epoch of which records were set aside, if any |
//! | `quarantine/` | what was taken out of the ledger by a repair, byte for byte |
//! | `lock` | held while a program has the ledger open |
//!
//! The modules below stand in the order of dependency: each uses only those declared after it.

mod scan;
mod verifier;
mod inspection;
mod signatures;
mod layout;
mod fault;
mod receipt_book;
mod writer;
mod pen;
mod queue;
mod company;
mod request;
mod aside;
mod repair;
mod reader;
mod opening;
mod ledger;
mod recent;
mod scribe;
mod way_back;
mod fork;
mod floor;
mod tail;
mod recovery;
pub mod bytes;
mod walk;
mod mark;
mod offsets;
mod index;
mod segment;
mod frame;
mod damage;
mod heartbeat;
mod standing;
mod receipt;
mod chain;
mod trust;
mod record;
mod sign;
mod clock;
mod origin;
mod position;
#[cfg(feature = "planted")]
pub mod planted;

pub use aside::SetAside;
pub use chain::{ChainEnd, ChainFault, Link, MAX_RUN_BYTES, MAX_RUN_RECORDS, Proven, RunFault, prove_run};
pub use clock::{Hlc, HybridClock};
pub use damage::{Damage, DamageKind};
pub use fault::{Fault, FaultKind};
pub use fork::shared;
pub use heartbeat::{BadHeartbeat, Heartbeat, MAX_HEARTBEAT_BYTES, SignedHeartbeat};
pub use inspection::{OriginReport, VerifyOptions};
pub use ledger::{AppendRefusal, Ledger, Opened};
pub use opening::{LedgerOptions, OpenError};
pub use origin::{MAX_ORIGIN_BYTES, NotAnOrigin, OriginId};
pub use pen::StartError;
pub use position::{Hash, Head, Position};
pub use reader::{LookedAt, ReadError, RunLimit};
pub use receipt::{BadReceipt, MAX_HUB_BYTES, MAX_RECEIPT_BYTES, Receipt, SignedReceipt};
pub use receipt_book::{ReceiptBook, ReceiptBookError};
pub use record::{
    Body, BodyKind, DecodeError, EncodeError, EpochReason, EpochStart, MAX_BODY_BYTES, MAX_CERTIFICATE_BYTES,
    MAX_CHAIN_CERTIFICATES, MAX_RECORD_BYTES, Outline, RECORD_VERSION, Record, SignedRecord,
};
pub use repair::{Gap, RepairRefusal, Repaired};
pub use request::{AppendError, Appended, Done};
pub use scan::{ScanError, scan};
pub use scribe::{Scribe, ScribeError};
pub use sign::{
    BadSignature, Domain, KeyId, NotASigningKey, SIGNATURE_BYTES, SigningKey, VerifyingKey, WeakKey,
};
pub use standing::{Overlap, Standing, not_held, standing};
pub use trust::{KeyRefused, KeyTrust, PinnedKeys};
pub use verifier::{Report, verify_directory};
pub use way_back::{Unread, WayBack, last_filed, way_back};
pub use writer::{Writer, WriterOptions};
