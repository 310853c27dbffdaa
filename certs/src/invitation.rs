//! Stub.
use crate::clock::Moment;
use crate::identity::Identity;
/// An invitation.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Whom it is for.
    pub identity: Identity,
    /// host:port of the hub's enrolment port.
    pub enrolment_address: String,
    /// host:port of the hub's replication port.
    pub hub_address: String,
    /// Which hub.
    pub hub: Identity,
    /// SHA-256 of the root certificate, lower-case hexadecimal.
    pub ca_fingerprint: String,
    /// When it ends.
    pub expires: Moment,
}
