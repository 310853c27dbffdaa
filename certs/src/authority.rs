//! The private authority: makes its root and issuing certificates, invites, and issues. It opens no socket.

mod inviting;
mod issuing;
mod issuance_log;
mod invitation_book;

pub use crate::request::RequestError;
pub use invitation_book::{Grant, Redeemed, StoredInvitation};
pub use inviting::{InvitationTerms, RedeemRefusal};
pub use issuance_log::{IssuedCertificate, Purpose};
pub use issuing::{Authority, AuthorityError};
