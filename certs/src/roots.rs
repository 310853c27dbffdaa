//! The root certificates a program trusts, and the judgement whether a chain leads to one of them. No root of the
//! operating system is ever among them.

use std::fmt;
use std::sync::{Arc, LazyLock};

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls_pki_types::CertificateDer;
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::clock::Moment;
use crate::peer::fingerprint;

/// The cryptography of every TLS setting and certificate check, named here so that no process-wide default is needed.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    Arc::clone(&PROVIDER)
}

/// The root certificates that are trusted, and no others; cheap to clone.
#[derive(Clone)]
pub struct Roots {
    certificates: Arc<[CertificateDer<'static>]>,
    store: Arc<RootCertStore>,
}

/// The certificates cannot serve as roots.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum RootsError {
    /// There is no self-signed certificate among them.
    #[error("there is no root certificate (one that is signed by itself)")]
    None,
    /// One of them is damaged.
    #[error("a root certificate is damaged")]
    Damaged,
}

impl Roots {
    /// Takes the self-signed ones among `certificates` as roots and leaves the others out.
    pub fn among(certificates: &[CertificateDer<'static>]) -> Result<Roots, RootsError> {
        let mut store = RootCertStore::empty();
        let mut kept = Vec::new();
        for certificate in certificates {
            if is_self_signed(certificate).ok_or(RootsError::Damaged)? {
                store.add(certificate.clone()).map_err(|_| RootsError::Damaged)?;
                kept.push(certificate.clone());
            }
        }
        if kept.is_empty() {
            return Err(RootsError::None);
        }
        Ok(Roots {
            certificates: kept.into(),
            store: Arc::new(store),
        })
    }

    /// The root certificates.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// The fingerprint (SHA-256, hexadecimal) of the first of them, which tells one registry from another.
    pub fn fingerprint(&self) -> String {
        self.certificates.first().map(fingerprint).unwrap_or_default()
    }

    /// For the verifiers of the TLS library.
    pub(crate) fn store(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.store)
    }

    /// Whether `leaf` leads to one of the roots over `others`, all of them valid at `at` and allowed for `usage`.
    pub(crate) fn check_chain(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        at: Moment,
        usage: KeyUsage,
    ) -> Result<(), webpki::Error> {
        let leaf = EndEntityCert::try_from(leaf)?;
        let algorithms = provider().signature_verification_algorithms.all;
        leaf.verify_for_usage(
            algorithms,
            &self.store.roots,
            others,
            at.unix(),
            usage,
            None,
            None,
        )
        .map(|_| ())
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.certificates.iter().map(fingerprint))
            .finish()
    }
}

/// Whether a certificate names itself as its issuer; none when it is not a certificate.
fn is_self_signed(certificate: &CertificateDer<'_>) -> Option<bool> {
    let (_, parsed) = X509Certificate::from_der(certificate.as_ref()).ok()?;
    Some(parsed.subject().as_raw() == parsed.issuer().as_raw())
}
