//! Revocation: who is no longer believed although the certificate has not ended. A list of rules about identities, signed by
//! the issuing authority and numbered by a counter that only grows, kept by every machine and honoured without the authority.

mod held;
mod signed;
mod list;

pub use held::{Offered, Revocations, RevocationsError};
pub use list::{IdentityRule, IssuerRule, KeyRule, MOST_REASON, Refused, RevocationList};
pub use signed::{ListRefused, SignedList};
