//! The identity of a daemon: its certificates and keys, what it trusts because of them, and who calls it.

use std::path::Path;
use std::sync::Arc;

use ccpor_api::{Caller, CallerOf, Code, Problem, TlsNow, TurnedAway};
use ccpor_certs::folder::IdentityDirError;
use ccpor_certs::listener::{ClientCertificate, Listener};
use ccpor_certs::tls::TlsSetupError;
use ccpor_certs::{Clock, IdentityDir, RecordKeyTrust, Revocations};
use ccpor_ledger::{KeyRefused, KeyTrust, OriginId, Position, SigningKey};

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

/// The identity with the certificate that handshakes present now: files replaced since the start count. Damaged or half-replaced
/// files do not, nor another identity's, as in a handshake.
#[must_use]
pub fn as_on_disk(identity: &IdentityDir) -> IdentityDir {
    match IdentityDir::open_with(identity.path(), identity.clock().clone()) {
        Ok(read) if read.identity() == identity.identity() => read,
        _ => identity.clone(),
    }
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

/// The record-signing key before the present one, as long as it has not handed the ledger over.
#[must_use]
pub fn old_record_key(identity: &IdentityDir) -> Option<SigningKey> {
    SigningKey::from_pkcs8_der(&identity.old_record_key_pkcs8()?).ok()
}

/// Trust in record-signing keys by the certificates of this registry's authority.
pub struct CertifiedKeys {
    trust: RecordKeyTrust,
    revocations: Revocations,
}

impl CertifiedKeys {
    /// Trusts what the roots in this identity directory vouch for.
    #[must_use]
    pub fn of(identity: &IdentityDir) -> Self {
        Self {
            trust: RecordKeyTrust::new(identity.roots().clone()),
            revocations: identity.revocations().clone(),
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

    fn still_good(&self, origin: &OriginId, key: &[u8; 32], at: Position) -> Result<(), KeyRefused> {
        match self.revocations.key_ends(origin.as_str(), key) {
            Some((epoch, seq)) if at >= (Position { epoch, seq }) => {
                tracing::error!(%origin, %at, "records under a revoked signing key are refused");
                Err(KeyRefused::Revoked)
            }
            _ => Ok(()),
        }
    }
}

/// The TLS side of the programming interface: asks for a client certificate, lets in one of this registry only.
///
/// # Errors
/// [`IdentityFailed::Tls`] when the certificates do not make a server.
pub fn interface_tls(identity: &IdentityDir) -> Result<TlsNow, IdentityFailed> {
    let listener = Listener::of(identity, ClientCertificate::Optional, &ccpor_api::ALPN)?;
    Ok(Arc::new(move |finding| listener.settings(finding)))
}

/// Waits until the revocation list refuses a caller whose connection is open.
#[must_use]
pub fn turned_away(identity: &IdentityDir) -> TurnedAway {
    let revocations = identity.revocations().clone();
    Arc::new(move |certificate| {
        let (revocations, peer) = (revocations.clone(), ccpor_certs::identity_of(certificate));
        Box::pin(async move {
            // Without an identity every call is refused anyway.
            let Ok(peer) = peer else {
                return std::future::pending().await;
            };
            let refused = revocations.turned_away(&peer).await;
            tracing::warn!(caller = %peer.identity, %refused, "a caller is cut off");
        })
    })
}

/// Reads the caller from a verified client certificate, and refuses one that was revoked since.
#[must_use]
pub fn caller_of(identity: &IdentityDir) -> CallerOf {
    let revocations = identity.revocations().clone();
    Arc::new(move |certificate| match ccpor_certs::identity_of(certificate) {
        Ok(peer) if revocations.refuses(&peer).is_some() => Err(Problem::new(
            Code::CertificateNotAccepted,
            "the certificate was revoked or suspended",
        )),
        Ok(peer) => Ok(Caller {
            identity: peer.identity.path(),
            oris: peer.oris,
            ..Caller::default()
        }),
        Err(error) => Err(Problem::new(Code::CertificateNotAccepted, error.to_string())),
    })
}
