//! Enrolment and renewal over the network: the hub's service that redeems invitations and renews, and the machine's side that asks.
//! It carries certificate requests and certificates; no private key ever crosses it.
//!
//! One TLS 1.3 connection, one request, one reply. A machine that enrols has no certificate yet and trusts nobody: it accepts only
//! a server whose chain contains the root named in the invitation, and which is the hub named there. One that renews knows the root.

mod renewing;
mod joining;
mod asking;
mod service;
mod messages;

pub use asking::EnrolError;
pub use joining::{enroll, enroll_with};
pub use messages::{Refusal, RefusalCode};
pub use renewing::renew;
pub use service::{Enrolling, OnRefusal, ServeError, serve};
