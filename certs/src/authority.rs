//! The private authority: makes its root and issuing certificates, invites, issues, renews and revokes. It opens no socket.

mod making;
mod renewing;
mod rotation;
mod crl;
mod acknowledged;
mod root;
mod revoking;
mod inviting;
mod issuing;
mod issuing_key;
mod issuance_log;
mod renewal_book;
mod invitation_book;

pub use crate::request::RequestError;
pub use acknowledged::Acknowledged;
pub use invitation_book::{Grant, Redeemed, StoredInvitation};
pub use inviting::{InvitationTerms, RedeemRefusal};
pub use issuance_log::{IssuedCertificate, Purpose};
pub use issuing::{Authority, AuthorityError};
pub use renewal_book::Renewal;
pub use renewing::{RenewRefusal, RenewalTerms};
pub use revoking::Verdict;
pub use root::{RootKey, RootKeyError};
pub use rotation::{IssuingFacts, RotationRefusal, Stage};
