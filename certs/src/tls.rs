//! Stub.
use std::sync::Arc;
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::CertificateDer;
use crate::folder::IdentityDir;
use crate::identity::{Identity, NoIdentity, Peer};
/// Whether a server insists on a client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// No connection without one.
    Required,
    /// May be left out; one that is sent must be good.
    Optional,
}
/// Whom a client wants to find at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Any hub.
    Hub,
    /// Exactly this identity.
    Exactly(Identity),
    /// Any node or hub.
    AnyServer,
}
/// The settings could not be built.
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct TlsSetupError;
/// Settings of a server.
pub fn server_config(_id: &IdentityDir, _client: ClientCertificate, _alpn: &[&[u8]]) -> Result<Arc<ServerConfig>, TlsSetupError> { todo!() }
/// Settings of a client. Any syntactically valid server name may be given at connect: it is not what is checked.
pub fn client_config(_id: &IdentityDir, _expect: Expect, _alpn: &[&[u8]]) -> Result<Arc<ClientConfig>, TlsSetupError> { todo!() }
/// Who is at the other end of a finished handshake; none when no certificate was sent.
pub fn peer_of(_certificates: Option<&[CertificateDer<'_>]>) -> Result<Option<Peer>, NoIdentity> { todo!() }
/// A TLS failure in words an operator can act on.
pub fn in_words(_error: &rustls::Error) -> String { todo!() }
