//! Enrolment over the network: the hub's service that redeems invitations, and the machine's side that asks. It carries
//! certificate requests and certificates; no private key ever crosses it.
//!
//! One TLS 1.3 connection, one request, one reply. The machine has no certificate yet and trusts nobody: it accepts only
//! a server whose chain contains the root named in the invitation, and which is the hub named there.

mod joining;
mod service;
mod messages;

pub use joining::{EnrolError, enroll, enroll_with};
pub use messages::{Refusal, RefusalCode};
pub use service::{ServeError, serve};
