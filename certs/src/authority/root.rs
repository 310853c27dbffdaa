//! The root's key, which signs issuing certificates and nothing else: made, kept encrypted in a directory of its own that belongs
//! on no network, and opened with its passphrase. It is never needed by a hub.

use std::fmt;
use std::path::{Path, PathBuf};

use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument};
use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::issuing::AuthorityError;
use super::issuing_key::{damaged, read, read_certificate};
use crate::clock::Clock;
use crate::files::{self, Readers};
use crate::keys::{KeyError, KeyKind, PrivateKey};
use crate::peer::fingerprint;
use crate::pem;
use crate::profile::{self, Life};

/// The root certificate.
pub(super) const ROOT_FILE: &str = "root.pem";
/// Its key.
pub(super) const ROOT_KEY_FILE: &str = "root.key";
/// What an encrypted key begins with (RFC 7468, section 11).
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
/// The fewest characters of a passphrase; guessing costs a tenth of a second and 128 MiB each time.
const LEAST_PASSPHRASE: usize = 12;

/// The root certificate with its key, in memory; wiped when dropped.
pub struct RootKey {
    key: PrivateKey,
    certificate: CertificateDer<'static>,
}

/// Why the root's key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The key is not there.
    #[error("{0} is not here: bring the root's directory from its safe place and name it")]
    Missing(PathBuf),
    /// Too short.
    #[error("a passphrase has at least {LEAST_PASSPHRASE} characters")]
    ShortPassphrase,
    /// None was given, or it could not be read.
    #[error("the passphrase of the root key could not be read ({0})")]
    NoPassphrase(std::io::Error),
    /// The passphrase does not open the key.
    #[error("the passphrase does not open the root key, or the key's file is damaged")]
    WrongPassphrase,
    /// The library could not encrypt.
    #[error("the root key could not be encrypted")]
    Encryption,
    /// Key and certificate are of two makings.
    #[error("root.key does not belong to root.pem beside it: they come from different authorities")]
    Mismatch,
    /// Not a key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl RootKey {
    /// Makes a new root in memory.
    pub(super) fn generate(clock: &Clock) -> Result<RootKey, AuthorityError> {
        let key = PrivateKey::generate(KeyKind::P384)?;
        let certificate = profile::root(Life::of_root(clock.now()))?
            .self_signed(&key)?
            .der()
            .clone();
        Ok(RootKey { key, certificate })
    }

    /// Makes a new root in the new directory `dir`, its key encrypted under `passphrase` (PKCS#8, PBES2 with scrypt and AES-256).
    pub fn init(dir: &Path, passphrase: &str, clock: &Clock) -> Result<RootKey, AuthorityError> {
        if passphrase.chars().count() < LEAST_PASSPHRASE {
            return Err(RootKeyError::ShortPassphrase.into());
        }
        let failed = |cause| AuthorityError::Files {
            dir: dir.to_path_buf(),
            cause,
        };
        if !files::is_free(dir).map_err(failed)? {
            return Err(AuthorityError::Exists(dir.to_path_buf()));
        }
        let root = RootKey::generate(clock)?;
        let encrypted = root.encrypted(passphrase)?;
        files::new_dir(dir, |staged| {
            let certificate = pem::certificates_text([&root.certificate]);
            files::replace(&staged.join(ROOT_FILE), certificate.as_bytes(), Readers::All)?;
            files::replace(&staged.join(ROOT_KEY_FILE), encrypted.as_bytes(), Readers::Owner)
        })
        .map_err(failed)?;
        Ok(root)
    }

    /// Opens the root in `dir`; the passphrase is asked for only when the key is encrypted.
    pub fn open(
        dir: &Path,
        passphrase: impl FnOnce() -> std::io::Result<Zeroizing<String>>,
    ) -> Result<RootKey, AuthorityError> {
        let file = dir.join(ROOT_KEY_FILE);
        if !file.exists() {
            return Err(RootKeyError::Missing(file).into());
        }
        let certificate = read_certificate(dir, ROOT_FILE)?;
        let text = read(dir, ROOT_KEY_FILE)?;
        let text =
            std::str::from_utf8(&text).map_err(|_| damaged(dir, format!("{ROOT_KEY_FILE} is no text")))?;
        let key = if text.contains(ENCRYPTED) {
            decrypted(text, &passphrase().map_err(RootKeyError::NoPassphrase)?)?
        } else {
            pem::key(text.as_bytes()).map_err(RootKeyError::from)?
        };
        if !key.belongs_to(&certificate) {
            return Err(RootKeyError::Mismatch.into());
        }
        Ok(RootKey { key, certificate })
    }

    /// SHA-256 of the root certificate, lower-case hexadecimal: what people compare.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.certificate)
    }

    pub(super) fn key(&self) -> &PrivateKey {
        &self.key
    }

    pub(super) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    pub(super) fn belongs_to(&self, root: &CertificateDer<'_>) -> bool {
        self.key.belongs_to(root)
    }

    fn encrypted(&self, passphrase: &str) -> Result<Zeroizing<String>, RootKeyError> {
        let plain = PrivateKeyInfoRef::try_from(self.key.pkcs8()).map_err(|_| RootKeyError::Encryption)?;
        let document = plain.encrypt(passphrase).map_err(|_| RootKeyError::Encryption)?;
        document
            .to_pem(ENCRYPTED, LineEnding::LF)
            .map_err(|_| RootKeyError::Encryption)
    }
}

fn decrypted(text: &str, passphrase: &str) -> Result<PrivateKey, RootKeyError> {
    let wrong = |_| RootKeyError::WrongPassphrase;
    let (_, document) = SecretDocument::from_pem(text).map_err(|_| RootKeyError::WrongPassphrase)?;
    let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(wrong)?;
    let plain = info
        .decrypt(passphrase)
        .map_err(|_| RootKeyError::WrongPassphrase)?;
    Ok(PrivateKey::from_pkcs8(Zeroizing::new(plain.as_bytes().to_vec()))?)
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKey({}, secret)", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encrypted_root_opens_with_its_passphrase_and_with_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let (path, clock) = (dir.path().join("root"), Clock::machine());
        assert!(matches!(
            RootKey::init(&path, "too short", &clock),
            Err(AuthorityError::RootKey(RootKeyError::ShortPassphrase))
        ));
        let made = RootKey::init(&path, "correct horse battery", &clock).unwrap();
        let text = std::fs::read_to_string(path.join(ROOT_KEY_FILE)).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        let open = |passphrase: &str| RootKey::open(&path, || Ok(passphrase.to_owned().into()));
        let opened = open("correct horse battery").unwrap();
        assert_eq!(opened.fingerprint(), made.fingerprint());
        assert!(matches!(
            open("incorrect horse battery"),
            Err(AuthorityError::RootKey(RootKeyError::WrongPassphrase))
        ));
        assert!(!format!("{opened:?}").contains("horse"));
    }
}
