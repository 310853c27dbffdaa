//! The TLS settings of a listener, made for each connection, and what is found out about the client in its handshake: a failed one
//! leaves nothing else behind. Only whoever has shown the key of a certificate under our root is named; anybody can claim a name.
//! It opens no connection and keeps no record.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{WantsServerCert, WebPkiClientVerifier};
use rustls::{
    CertificateError, ConfigBuilder, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    WantsVerifier,
};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::clock::{Clock, Moment};
use crate::current::Current;
use crate::folder::IdentityDir;
use crate::peer::{Peer, identity_of};
use crate::revocation::{Refused, Revocations};
use crate::roots::provider;
use crate::tls::{TlsSetupError, in_words, refuse, server_builder, server_settings};

/// Whether a server insists on a client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// No connection without one.
    Required,
    /// It may be left out; one that is presented must be good.
    Optional,
}

/// What a client's certificate is refused for once its key was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwelcome {
    /// The revocation list refuses it.
    Listed(Refused),
    /// It has ended.
    Expired(Moment),
    /// It has not begun.
    NotYet(Moment),
}

impl Unwelcome {
    /// The kind of it in words, the same for everybody, so that refusals can be counted by them.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Listed(Refused::Revoked(_)) => "the certificate is revoked",
            Self::Listed(Refused::Suspended(_)) => "the identity is suspended",
            Self::Listed(Refused::Retired(_)) => "the certificate's issuing authority is retired",
            Self::Expired(_) => "the certificate has expired",
            Self::NotYet(_) => "the certificate is not valid yet",
        }
    }

    fn of_dates(peer: &Peer, now: Moment) -> Option<Self> {
        if now > peer.not_after {
            Some(Self::Expired(peer.not_after))
        } else if now < peer.not_before {
            Some(Self::NotYet(peer.not_before))
        } else {
            None
        }
    }

    /// For the TLS library, whose alert tells the client the same.
    fn error(self, now: Moment) -> CertificateError {
        let time = now.unix();
        match self {
            Self::Listed(_) => CertificateError::Revoked,
            Self::Expired(end) => CertificateError::ExpiredContext {
                time,
                not_after: end.unix(),
            },
            Self::NotYet(begin) => CertificateError::NotValidYetContext {
                time,
                not_before: begin.unix(),
            },
        }
    }
}

/// Somebody who was refused although the certificate is one of this registry, and whose key was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whom the certificate names.
    pub peer: Peer,
    /// Why it is refused.
    pub why: Unwelcome,
}

/// What the handshake of one connection found out: whom it refused, if that is known.
#[derive(Clone, Debug, Default)]
pub struct Finding(Arc<OnceLock<Known>>);

impl Finding {
    /// Who was refused; none when nobody was, or nobody knows who it is.
    #[must_use]
    pub fn known(&self) -> Option<&Known> {
        self.0.get()
    }
}

/// A server with the certificate of an identity directory.
pub struct Listener {
    builder: ConfigBuilder<ServerConfig, WantsVerifier>,
    chains: Arc<dyn ClientCertVerifier>,
    revocations: Revocations,
    clock: Clock,
    presented: Arc<Current>,
    alpn: Vec<Vec<u8>>,
}

impl Listener {
    /// A server with the certificate of `directory`, speaking one of `alpn`. Clients that the revocation list of the directory refuses
    /// at the moment of the handshake are turned away.
    ///
    /// # Errors
    /// The certificate, the key or the roots cannot be used.
    pub fn of(
        directory: &IdentityDir,
        client: ClientCertificate,
        alpn: &[&[u8]],
    ) -> Result<Self, TlsSetupError> {
        let chains = WebPkiClientVerifier::builder_with_provider(directory.roots().store(), provider());
        Ok(Self {
            builder: server_builder(directory.clock())?,
            chains: match client {
                ClientCertificate::Required => chains.build()?,
                ClientCertificate::Optional => chains.allow_unauthenticated().build()?,
            },
            revocations: directory.revocations().clone(),
            clock: directory.clock().clone(),
            presented: Arc::new(Current::of(directory)?),
            alpn: alpn.iter().map(|protocol| protocol.to_vec()).collect(),
        })
    }

    /// The settings of one connection, whose handshake leaves in `finding` whom it refused.
    #[must_use]
    pub fn settings(&self, finding: &Finding) -> Arc<ServerConfig> {
        let clients: ConfigBuilder<ServerConfig, WantsServerCert> = self
            .builder
            .clone()
            .with_client_cert_verifier(Arc::new(NamedClients {
                chains: Arc::clone(&self.chains),
                revocations: self.revocations.clone(),
                clock: self.clock.clone(),
                finding: finding.clone(),
            }));
        Arc::new(server_settings(
            clients,
            self.presented.clone(),
            self.alpn.clone(),
        ))
    }
}

/// Accepts clients whose certificate leads to our root and names an identity that is let in, and logs those it refuses.
///
/// It judges in two steps. A chain that does not lead to our root is refused when it comes. Whether its identity is let in is judged
/// when the client has shown the key, the next message of the same flight: only then it is certain whom the refusal concerns.
#[derive(Debug)]
struct NamedClients {
    chains: Arc<dyn ClientCertVerifier>,
    revocations: Revocations,
    clock: Clock,
    finding: Finding,
}

impl NamedClients {
    /// Whether the chain leads to our root at some moment of the certificate's own life, and names an identity.
    fn believe(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let named = identity_of(end_entity);
        let within = named.as_ref().map_or(now, |peer| {
            // Not `clamp`, which panics when a certificate ends before it begins.
            Moment::from(now).max(peer.not_before).min(peer.not_after).unix()
        });
        let verified = self
            .chains
            .verify_client_cert(end_entity, intermediates, within)?;
        named.map_err(refuse)?;
        match self.revocations.refuses_issuers(intermediates) {
            None => Ok(verified),
            // Whoever has the key of a retired authority can have written any name.
            Some(_) => Err(CertificateError::Revoked.into()),
        }
    }

    /// Why somebody is not let in whose chain was believed.
    fn judge(&self, certificate: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        let peer = identity_of(certificate).map_err(refuse)?;
        let now = self.clock.now();
        let listed = self.revocations.refuses(&peer).map(Unwelcome::Listed);
        let Some(why) = listed.or_else(|| Unwelcome::of_dates(&peer, now)) else {
            return Ok(());
        };
        tracing::warn!(client = %peer.identity, serial = peer.serial, reason = why.cause(), "client certificate refused");
        // Set once: a connection ends with its first refusal.
        let _ = self.finding.0.set(Known { peer, why });
        Err(why.error(now).into())
    }
}

impl ClientCertVerifier for NamedClients {
    fn offer_client_auth(&self) -> bool {
        self.chains.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.chains.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.believe(end_entity, intermediates, now)
            .inspect_err(|reason| {
                // The name is only claimed: with a bad signature anybody can have written it.
                let claims =
                    identity_of(end_entity).map_or_else(|_| "nobody".to_owned(), |peer| peer.identity.path());
                tracing::warn!(claims, reason = in_words(reason), "client certificate refused");
            })
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
        let shown = self
            .chains
            .verify_tls13_signature(message, certificate, signature)?;
        self.judge(certificate)?;
        Ok(shown)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}
