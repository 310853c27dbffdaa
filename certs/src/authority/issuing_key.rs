//! The issuing certificate with its key, as the authority's directory holds them now. Read anew for every use, so that a
//! rotation by another process needs no restart; which pair is active follows from the files alone.

use std::fs;
use std::io;
use std::path::Path;

use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::issuing::AuthorityError;
use crate::keys::PrivateKey;
use crate::pem;
use crate::profile::Life;

/// The active issuing certificate.
pub(super) const ISSUING_FILE: &str = "issuing.pem";
/// Its key.
pub(super) const ISSUING_KEY_FILE: &str = "issuing.key";
/// The issuing certificate that is prepared to follow.
pub(super) const NEXT_FILE: &str = "issuing-next.pem";
/// Its key.
pub(super) const NEXT_KEY_FILE: &str = "issuing-next.key";

/// An issuing certificate with its key.
pub(super) struct IssuingKey {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) life: Life,
    pub(super) key: PrivateKey,
}

impl IssuingKey {
    /// The pair that signs now. An activation that was interrupted has put the next key in place and not yet its certificate;
    /// the certificate is found where it was prepared.
    pub(super) fn active(dir: &Path) -> Result<IssuingKey, AuthorityError> {
        let key = read_key(dir, ISSUING_KEY_FILE)?;
        for name in [ISSUING_FILE, NEXT_FILE] {
            if name == NEXT_FILE && !dir.join(name).exists() {
                break;
            }
            let certificate = read_certificate(dir, name)?;
            if key.belongs_to(&certificate) {
                return IssuingKey::of(dir, certificate, key, name);
            }
        }
        Err(damaged(
            dir,
            "issuing.key does not belong to issuing.pem".to_owned(),
        ))
    }

    /// The pair that is prepared; none when there is none, or only half of it.
    pub(super) fn next(dir: &Path) -> Result<Option<IssuingKey>, AuthorityError> {
        if !dir.join(NEXT_FILE).exists() || !dir.join(NEXT_KEY_FILE).exists() {
            return Ok(None);
        }
        let (certificate, key) = (read_certificate(dir, NEXT_FILE)?, read_key(dir, NEXT_KEY_FILE)?);
        if !key.belongs_to(&certificate) {
            return Ok(None);
        }
        IssuingKey::of(dir, certificate, key, NEXT_FILE).map(Some)
    }

    fn of(
        dir: &Path,
        certificate: CertificateDer<'static>,
        key: PrivateKey,
        name: &str,
    ) -> Result<IssuingKey, AuthorityError> {
        let life =
            Life::of(&certificate).ok_or_else(|| damaged(dir, format!("{name} is not a certificate")))?;
        Ok(IssuingKey {
            certificate,
            life,
            key,
        })
    }
}

pub(super) fn read_certificate(dir: &Path, name: &str) -> Result<CertificateDer<'static>, AuthorityError> {
    let found = pem::certificates(&read(dir, name)?)
        .ok()
        .and_then(|certificates| certificates.into_iter().next());
    found.ok_or_else(|| damaged(dir, format!("{name} holds no certificate")))
}

pub(super) fn read_key(dir: &Path, name: &str) -> Result<PrivateKey, AuthorityError> {
    pem::key(&read(dir, name)?).map_err(|what| damaged(dir, format!("{name}: {what}")))
}

pub(super) fn read(dir: &Path, name: &str) -> Result<Zeroizing<Vec<u8>>, AuthorityError> {
    let read = fs::read(dir.join(name)).map(Zeroizing::new);
    read.map_err(|cause: io::Error| AuthorityError::Files {
        dir: dir.join(name),
        cause,
    })
}

pub(super) fn damaged(dir: &Path, what: String) -> AuthorityError {
    AuthorityError::Damaged {
        dir: dir.to_path_buf(),
        what,
    }
}
