//! Stub.
use std::path::Path;
use std::time::Duration;
use crate::clock::{Clock, Moment};
use crate::folder::{IdentityDir, Roots};
use crate::identity::Identity;
use crate::invitation::Invitation;
/// The private authority.
#[derive(Debug)]
pub struct Authority;
/// Why the authority could not do it.
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct AuthorityError;
/// One certificate that was issued.
#[derive(Clone, Debug)]
pub struct IssuedCertificate {
    /// Whom for.
    pub identity: Identity,
    /// `tls` or `record`.
    pub purpose: String,
    /// Serial number.
    pub serial: String,
    /// SHA-256.
    pub fingerprint: String,
    /// When it was issued.
    pub issued: Moment,
    /// Its end.
    pub not_after: Moment,
}
impl Authority {
    /// Makes a new authority; refuses when there is one.
    pub fn init(_dir: &Path) -> Result<Authority, AuthorityError> { todo!() }
    /// Opens one.
    pub fn open(_dir: &Path) -> Result<Authority, AuthorityError> { todo!() }
    /// The same two with a clock of the caller's.
    pub fn init_with(_dir: &Path, _clock: Clock) -> Result<Authority, AuthorityError> { todo!() }
    /// See [`Authority::init_with`].
    pub fn open_with(_dir: &Path, _clock: Clock) -> Result<Authority, AuthorityError> { todo!() }
    /// Makes a one-time invitation of hub/1 for `identity`; `.to_string()` is the text to hand over.
    pub fn invite(&self, _identity: Identity, _enrolment_address: &str, _hub_address: &str, _ttl: Duration) -> Result<Invitation, AuthorityError> { todo!() }
    /// Makes keys and certificates for `identity` in the new directory `target`; `names` are DNS names or IP addresses
    /// that browsers check, `oris` the agency identifiers.
    pub fn issue(&self, _identity: &Identity, _names: &[String], _oris: &[String], _target: &Path) -> Result<IdentityDir, AuthorityError> { todo!() }
    /// What was issued, oldest first.
    pub fn list(&self) -> Result<Vec<IssuedCertificate>, AuthorityError> { todo!() }
    /// The root.
    pub fn roots(&self) -> &Roots { todo!() }
    /// SHA-256 of the root certificate, lower-case hexadecimal.
    pub fn fingerprint(&self) -> &str { todo!() }
}
