//! The identity of a daemon: its certificates and keys, what it trusts because of them, and who calls it.

use std::path::Path;
use std::sync::Arc;

use ccpor_api::{Caller, CallerOf, Code, Problem, TlsNow};
use ccpor_certs::folder::IdentityDirError;
use ccpor_certs::tls::{ClientCertificate, TlsSetupError, server_config};
use ccpor_certs::{Clock, IdentityDir, RecordKeyTrust};
use ccpor_ledger::{KeyRefused, KeyTrust, OriginId, SigningKey};

/// Why a daemon cannot use its identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityFailed {
    /// The directory does not open.
    #[error(transparent)]
    Directory(#[from] IdentityDirError),
    /// The record-signing key is missing or does not parse.
    #[error(
        "the record-signing key of {0} is missing or damaged; restore the identity directory, or enrol again"
    )]
    RecordKey(String),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
}

/// Opens the identity directory and tells the log what an operator should put right.
///
/// # Errors
/// [`IdentityFailed`] when it cannot be used. An expired certificate is only warned of: local work goes on.
pub fn open(directory: &Path) -> Result<IdentityDir, IdentityFailed> {
    let identity = IdentityDir::open(directory)?;
    for warning in identity.warnings() {
        tracing::warn!("{warning}");
    }
    if let Err(error) = identity.validate(Clock::machine().now()) {
        tracing::error!(%error, "the certificate cannot be used; local work goes on, other machines will refuse it");
    }
    Ok(identity)
}

/// The record-signing key and its certificates in DER, leaf first.
///
/// # Errors
/// [`IdentityFailed::RecordKey`] when the directory has none.
pub fn record_key(identity: &IdentityDir) -> Result<(SigningKey, Vec<Vec<u8>>), IdentityFailed> {
    let missing = || IdentityFailed::RecordKey(identity.identity().path());
    let pkcs8 = identity.record_key_pkcs8().ok_or_else(missing)?;
    let key = SigningKey::from_pkcs8_der(pkcs8).map_err(|_| missing())?;
    Ok((key, identity.record_chain().to_vec()))
}

/// Trust in record-signing keys by the certificates of this registry's authority.
pub struct CertifiedKeys {
    trust: RecordKeyTrust,
}

impl CertifiedKeys {
    /// Trusts what the roots in this identity directory vouch for.
    #[must_use]
    pub fn of(identity: &IdentityDir) -> Self {
        Self {
            trust: RecordKeyTrust::new(identity.roots().clone()),
        }
    }
}

impl KeyTrust for CertifiedKeys {
    fn admit(&self, origin: &OriginId, key: &[u8; 32], chain: &[Vec<u8>]) -> Result<(), KeyRefused> {
        self.trust.admit(origin.writer(), key, chain).map_err(|error| {
            tracing::warn!(%origin, %error, "a record-signing key is refused");
            KeyRefused::BadChain
        })
    }
}

/// The TLS side of the programming interface: asks for a client certificate, lets in one of this registry only.
///
/// # Errors
/// [`IdentityFailed::Tls`] when the certificates do not make a server.
pub fn interface_tls(identity: &IdentityDir) -> Result<TlsNow, IdentityFailed> {
    let config = server_config(identity, ClientCertificate::Optional, &ccpor_api::ALPN)?;
    Ok(Arc::new(move || Arc::clone(&config)))
}

/// Reads the caller from a verified client certificate.
#[must_use]
pub fn caller_of() -> CallerOf {
    Arc::new(|certificate| match ccpor_certs::identity_of(certificate) {
        Ok(peer) => Ok(Caller {
            identity: peer.identity.path(),
            oris: peer.oris,
            ..Caller::default()
        }),
        Err(error) => Err(Problem::new(Code::CertificateNotAccepted, error.to_string())),
    })
}
