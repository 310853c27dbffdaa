//! The ledger of an origin: signed records in a hash chain, durable in segment files, and its independent verification.
//!
//! A court's node alone writes its ledger; the hub and every other node hold copies that they can prove. This crate knows
//! records as bytes with a place, a signature and a predecessor. It knows nothing of orders, and it opens no sockets.
//!
//! The modules below stand in the order of dependency: each uses only those declared after it.

mod verifier;
mod writer;
mod repair;
mod ledger;
mod receipt_book;
mod heartbeat;
mod receipt;
mod chain;
mod trust;
mod record;
mod sign;
mod clock;
mod origin;
mod position;

pub use chain::{ChainEnd, ChainFault, Link, Proven, RunFault, prove_run};
pub use clock::{Hlc, HybridClock};
pub use heartbeat::{BadHeartbeat, Heartbeat, MAX_HEARTBEAT_BYTES, SignedHeartbeat};
pub use ledger::{
    AppendRefusal, Damage, DamageKind, Ledger, OpenError, Opened, ReadError, RunLimit, Standing,
};
pub use origin::{MAX_ORIGIN_BYTES, NotAnOrigin, OriginId};
pub use position::{Hash, Head, Position};
pub use receipt::{BadReceipt, MAX_RECEIPT_BYTES, Receipt, SignedReceipt};
pub use receipt_book::{ReceiptBook, ReceiptBookError};
pub use record::{
    Body, BodyKind, DecodeError, EncodeError, EpochReason, EpochStart, MAX_BODY_BYTES, MAX_CERTIFICATE_BYTES,
    MAX_CHAIN_CERTIFICATES, MAX_RECORD_BYTES, Outline, RECORD_VERSION, Record, SignedRecord,
};
pub use repair::{RepairRefusal, Repaired, SetAside};
pub use sign::{
    BadSignature, Domain, KeyId, NotASigningKey, SIGNATURE_BYTES, SigningKey, VerifyingKey, WeakKey,
};
pub use trust::{KeyRefused, KeyTrust, PinnedKeys};
pub use verifier::{Fault, FaultKind, OriginReport, Report, VerifyOptions, verify_directory};
pub use writer::{AppendError, Appended, StartError, Writer, WriterOptions};
