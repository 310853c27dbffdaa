//! The certificate to present now: when the files of the identity directory are replaced by newer ones, the next handshake
//! presents those, and connections that stand are left alone.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use crate::folder::{IdentityDir, TLS_CHAIN_FILE, TLS_KEY_FILE};
use crate::roots::provider;

/// When the certificate's and the key's file were written last.
type Written = [Option<SystemTime>; 2];

/// Presents the certificate of an identity directory as it is on disk.
#[derive(Debug)]
pub(crate) struct Current {
    directory: IdentityDir,
    /// Certificates to present behind the chain.
    chain_end: Vec<CertificateDer<'static>>,
    known: Mutex<(Written, Arc<CertifiedKey>)>,
}

impl Current {
    /// Presents the certificate that was read when the directory was opened, until the files change.
    pub(crate) fn of(directory: &IdentityDir) -> Result<Current, rustls::Error> {
        Current::with_chain_end(directory, &[])
    }

    /// The same with further certificates behind the chain: the root, for those who know no more of it than its fingerprint.
    pub(crate) fn with_chain_end(
        directory: &IdentityDir,
        chain_end: &[CertificateDer<'static>],
    ) -> Result<Current, rustls::Error> {
        // The files may have been replaced since the directory was read, so the first handshake looks at them.
        let known = Mutex::new(([None; 2], certified(directory, chain_end)?));
        Ok(Current {
            directory: directory.clone(),
            chain_end: chain_end.to_vec(),
            known,
        })
    }

    fn certificate(&self) -> Arc<CertifiedKey> {
        let written = written(&self.directory);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != written {
            // Half-written files do not belong together; they are read again when the other half has come.
            match self.reread() {
                Ok(certificate) => {
                    if certificate.cert != known.1.cert {
                        tracing::info!(identity = %self.directory.identity(), "a new certificate is in use");
                    }
                    known.1 = certificate;
                }
                Err(reason) => tracing::warn!(reason, "the earlier certificate stays in use"),
            }
            known.0 = written;
        }
        Arc::clone(&known.1)
    }

    fn reread(&self) -> Result<Arc<CertifiedKey>, String> {
        let read = IdentityDir::open_with(self.directory.path(), self.directory.clock().clone());
        let read = read.map_err(|error| error.to_string())?;
        if read.identity() != self.directory.identity() {
            return Err("the new certificate is another identity's: restart to take it".to_owned());
        }
        certified(&read, &self.chain_end).map_err(|error| error.to_string())
    }
}

fn certified(
    directory: &IdentityDir,
    chain_end: &[CertificateDer<'static>],
) -> Result<Arc<CertifiedKey>, rustls::Error> {
    let chain = directory.tls_chain().iter().chain(chain_end).cloned().collect();
    CertifiedKey::from_der(chain, directory.tls_key(), &provider()).map(Arc::new)
}

fn written(directory: &IdentityDir) -> Written {
    [TLS_CHAIN_FILE, TLS_KEY_FILE].map(|name| fs::metadata(directory.path().join(name)).ok()?.modified().ok())
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.certificate())
    }
}

impl ResolvesClientCert for Current {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.certificate())
    }

    fn has_certs(&self) -> bool {
        true
    }
}
