//! Stub.
use std::path::Path;
use rustls_pki_types::CertificateDer;
use crate::clock::{Clock, Moment};
use crate::identity::{Identity, Peer};
/// The root certificates that are trusted, and no others; cheap to clone.
#[derive(Clone, Debug)]
pub struct Roots;
/// An identity's certificates and keys, read from its directory; cheap to clone.
#[derive(Clone, Debug)]
pub struct IdentityDir;
/// Addresses noted at enrolment.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// host:port of the hub's replication port; none for identities issued by hand.
    pub hub_address: Option<String>,
    /// host:port of the hub's enrolment port.
    pub enrolment_address: Option<String>,
    /// Which hub.
    pub hub: Option<Identity>,
}
/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct IdentityDirError;
impl IdentityDir {
    /// Opens the directory. An expired certificate still opens: see [`IdentityDir::validate`].
    pub fn open(_dir: &Path) -> Result<IdentityDir, IdentityDirError> { todo!() }
    /// The same with a clock of the caller's.
    pub fn open_with(_dir: &Path, _clock: Clock) -> Result<IdentityDir, IdentityDirError> { todo!() }
    /// Whose directory it is.
    pub fn identity(&self) -> &Identity { todo!() }
    /// The facts of the TLS certificate.
    pub fn peer(&self) -> &Peer { todo!() }
    /// The directory.
    pub fn path(&self) -> &Path { todo!() }
    /// The trusted roots.
    pub fn roots(&self) -> &Roots { todo!() }
    /// Addresses noted at enrolment.
    pub fn facts(&self) -> &Facts { todo!() }
    /// Whether the TLS certificate is within its life at `now`.
    pub fn validate(&self, _now: Moment) -> Result<(), IdentityDirError> { todo!() }
    /// Whole days until the TLS certificate ends; negative when it has.
    pub fn days_left(&self, _now: Moment) -> i64 { todo!() }
    /// The record-signing key in PKCS#8 DER; none for agencies, systems and operators. Never log it.
    pub fn record_key_pkcs8(&self) -> Option<&[u8]> { todo!() }
    /// The public half.
    pub fn record_public_key(&self) -> Option<[u8; 32]> { todo!() }
    /// The record-signing certificate's chain in DER, leaf first; empty when there is no record key.
    pub fn record_chain(&self) -> &[Vec<u8>] { todo!() }
    /// The TLS certificate's chain, leaf first.
    pub fn tls_chain(&self) -> &[CertificateDer<'static>] { todo!() }
    /// Things to put right that do not stop the program, such as a key that others may read.
    pub fn warnings(&self) -> Vec<String> { todo!() }
}
