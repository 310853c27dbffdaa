//! What the TLS settings of all listeners and clients have in common: TLS 1.3 only, our own roots only, and names read from the
//! certificate's identity instead of from DNS. It opens no connection and decides nothing about what a peer may do.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::server::{
    NoServerSessionStorage, ParsedCertificate, ResolvesServerCert, VerifierBuilderError, WantsServerCert,
};
use rustls::version::TLS13;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, OtherError,
    RootCertStore, ServerConfig, SignatureScheme, WantsVerifier,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::clock::{Clock, Moment};
use crate::current::Current;
use crate::folder::IdentityDir;
use crate::identity::Identity;
use crate::peer::{NoIdentity, Peer, identity_of};
use crate::revocation::{Refused, Revocations};
use crate::roots::{Roots, provider};

/// Whom a client accepts at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Any hub.
    Hub,
    /// This identity and no other.
    Exactly(Identity),
    /// Any node or hub.
    AnyServer,
}

impl Expect {
    fn admits(&self, identity: &Identity) -> bool {
        match self {
            Expect::Hub => identity.is_hub(),
            Expect::Exactly(expected) => identity == expected,
            Expect::AnyServer => identity.is_server(),
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expect::Hub => f.write_str("a hub"),
            Expect::Exactly(identity) => identity.fmt(f),
            Expect::AnyServer => f.write_str("a node or hub"),
        }
    }
}

/// The settings could not be made from the identity directory.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    /// The TLS library refused a certificate or key.
    #[error("the TLS certificate or key cannot be used ({0}): check the identity directory")]
    Refused(#[from] rustls::Error),
    /// The TLS library refused the roots.
    #[error("the root certificates cannot be used ({0}): check ca.pem in the identity directory")]
    Roots(#[from] VerifierBuilderError),
}

/// The settings of a client with the certificate of `directory`, speaking one of `alpn`, that accepts only `expect`.
///
/// Any well-formed server name may be given when connecting; the identity in the server's certificate is what counts.
/// A client of TLS 1.3 learns that the server refused its certificate only at its first read.
pub fn client_config(
    directory: &IdentityDir,
    expect: Expect,
    alpn: &[&[u8]],
) -> Result<Arc<ClientConfig>, TlsSetupError> {
    let servers = NamedServers::new(directory.roots(), directory.revocations(), expect);
    let config = client_builder(directory.clock(), Arc::new(servers))?
        .with_client_cert_resolver(Arc::new(Current::of(directory)?));
    Ok(Arc::new(without_resumption(config, alpn)))
}

/// What every server's settings begin with.
pub(crate) fn server_builder(
    clock: &Clock,
) -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, rustls::Error> {
    ServerConfig::builder_with_details(provider(), Arc::new(clock.clone())).with_protocol_versions(&[&TLS13])
}

/// A server's settings for any way of judging clients, presenting what `presented` says.
///
/// No session is ever resumed: a resumed session would not look at the client's certificate again, and so keep a revoked
/// one alive. Early data is off because it can be replayed.
pub(crate) fn server_settings(
    judging: ConfigBuilder<ServerConfig, WantsServerCert>,
    presented: Arc<dyn ResolvesServerCert>,
    alpn: Vec<Vec<u8>>,
) -> ServerConfig {
    let mut config = judging.with_cert_resolver(presented);
    config.alpn_protocols = alpn;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config
}

/// The settings of a client without a certificate, for any way of judging servers.
pub(crate) fn anonymous_client(
    clock: &Clock,
    servers: Arc<dyn ServerCertVerifier>,
    alpn: &[&[u8]],
) -> Result<ClientConfig, rustls::Error> {
    Ok(without_resumption(
        client_builder(clock, servers)?.with_no_client_auth(),
        alpn,
    ))
}

fn client_builder(
    clock: &Clock,
    servers: Arc<dyn ServerCertVerifier>,
) -> Result<ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, rustls::Error> {
    let builder = ClientConfig::builder_with_details(provider(), Arc::new(clock.clone()));
    // The TLS library calls every verifier of one's own dangerous; this one checks chain, usage, dates and identity.
    Ok(builder
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(servers))
}

fn without_resumption(mut config: ClientConfig, alpn: &[&[u8]]) -> ClientConfig {
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config
}

/// Who is at the other end of a finished handshake; none when no certificate was presented.
pub fn peer_of(certificates: Option<&[CertificateDer<'_>]>) -> Result<Option<Peer>, NoIdentity> {
    certificates
        .and_then(|chain| chain.first())
        .map(identity_of)
        .transpose()
}

/// Accepts servers whose certificate leads to our root and whose identity is expected; DNS names play no part.
#[derive(Debug)]
pub(crate) struct NamedServers {
    roots: Arc<RootCertStore>,
    revocations: Revocations,
    expect: Expect,
    algorithms: WebPkiSupportedAlgorithms,
}

impl NamedServers {
    pub(crate) fn new(roots: &Roots, revocations: &Revocations, expect: Expect) -> NamedServers {
        let algorithms = provider().signature_verification_algorithms;
        NamedServers {
            roots: roots.store(),
            revocations: revocations.clone(),
            expect,
            algorithms,
        }
    }
}

impl ServerCertVerifier for NamedServers {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        let peer = identity_of(end_entity).map_err(refuse)?;
        if let Some(refused) = is_refused(&self.revocations, &peer, intermediates) {
            tracing::warn!(server = %peer.identity, %refused, "server certificate refused");
            return Err(rustls::Error::InvalidCertificate(CertificateError::Revoked));
        }
        if self.expect.admits(&peer.identity) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(refuse(OtherServer {
            expected: self.expect.clone(),
            found: peer.identity,
        }))
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The server is a good one, but not the one that was wanted.
#[derive(Debug, thiserror::Error)]
#[error("the server there is {found}, but {expected} was expected: check the address")]
pub(crate) struct OtherServer {
    expected: Expect,
    found: Identity,
}

/// What the revocation list has against a certificate or those that issued it.
fn is_refused(revocations: &Revocations, peer: &Peer, issuers: &[CertificateDer<'_>]) -> Option<Refused> {
    revocations
        .refuses(peer)
        .or_else(|| revocations.refuses_issuers(issuers))
}

/// A refusal with words of our own, which [`in_words`] gives back.
pub(crate) fn refuse(reason: impl std::error::Error + Send + Sync + 'static) -> rustls::Error {
    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(reason))))
}

/// A TLS failure in words an operator can act on.
pub fn in_words(failure: &rustls::Error) -> String {
    match failure {
        rustls::Error::InvalidCertificate(reason) => certificate_in_words(reason),
        rustls::Error::AlertReceived(alert) => alert_in_words(*alert),
        rustls::Error::NoCertificatesPresented => {
            "the other side presented no certificate, and one is required".to_owned()
        }
        rustls::Error::NoApplicationProtocol => {
            "the two sides have no protocol in common: one of them is the wrong port or another version"
                .to_owned()
        }
        other => format!("the TLS connection failed: {other}"),
    }
}

fn certificate_in_words(reason: &CertificateError) -> String {
    match reason {
        CertificateError::ExpiredContext { time, not_after } => format!(
            "the other side's certificate expired on {}, and this machine's clock says {}: \
             renew the certificate there, or set the clock here",
            Moment::from(*not_after),
            Moment::from(*time)
        ),
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "the other side's certificate is valid from {}, and this machine's clock says {}: set the clock",
            Moment::from(*not_before),
            Moment::from(*time)
        ),
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the other side's certificate was issued by another authority".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the other side's certificate was not made for this use".to_owned()
        }
        CertificateError::Revoked => "the other side's certificate is revoked".to_owned(),
        CertificateError::Other(own) => own.to_string(),
        other => format!("the other side's certificate cannot be used: {other}"),
    }
}

fn alert_in_words(alert: AlertDescription) -> String {
    let refused = match alert {
        AlertDescription::CertificateExpired => {
            "it has expired or not begun: enrol again, and compare the clocks of both machines"
        }
        AlertDescription::UnknownCA | AlertDescription::DecryptError => "it was issued by another authority",
        AlertDescription::CertificateRevoked => "it is revoked: ask the registry's operators",
        AlertDescription::CertificateRequired => "there was none: give this program its identity directory",
        AlertDescription::UnsupportedCertificate => "it was not made for this use",
        AlertDescription::CertificateUnknown
        | AlertDescription::BadCertificate
        | AlertDescription::AccessDenied => "its identity is not accepted there",
        AlertDescription::NoApplicationProtocol => {
            return "the other side speaks another protocol: check the port and the version".to_owned();
        }
        other => return format!("the other side ended the TLS connection: {other:?}"),
    };
    format!("the other side refused this side's certificate: {refused}")
}
