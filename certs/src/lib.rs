//! Certificates of the registry: the private authority, the identities it certifies, enrolment of a node by a one-time
//! invitation, the folder a node keeps its keys in, and the TLS settings that follow from them. It knows nothing of
//! orders or ledgers.

// A module may use only the modules declared below it.
pub mod enrolment;
pub mod renewal;
pub mod authority;
pub mod renewal_request;
mod request;
pub mod topology;
pub mod listener;
pub mod tls;
mod current;
mod new_identity;
pub mod folder;
pub mod revocation;
pub mod record_key;
pub mod roots;
pub mod invitation;
pub mod profile;
mod pem;
mod files;
mod keys;
pub mod peer;
pub mod identity;
pub mod clock;

pub use authority::Authority;
pub use clock::{Clock, Moment};
pub use folder::IdentityDir;
pub use identity::Identity;
pub use invitation::Invitation;
pub use peer::{Peer, identity_of};
pub use record_key::RecordKeyTrust;
pub use revocation::Revocations;
pub use roots::Roots;
pub use rustls_pki_types::CertificateDer;
pub use topology::{Machine, SignedTopology, Topology};
