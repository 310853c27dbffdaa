//! The auditors' key pair. Machines hold the public half and seal for it; the private half, under a passphrase, reads what was told
//! and signs exports and the record of what auditors read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ccpor_ledger::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::Zeroizing;

use crate::files::{Readers, write_new};
use crate::hpke::{self, SUITE_NAME, SealedTo};
use crate::passphrase::{self, Locked, PassphraseFailed};

/// The least characters of a passphrase.
pub const LEAST_PASSPHRASE: usize = 12;
const NAME_CONTEXT: &str = "ccpor 2026-11 auditors key name v1";
const BOUND_TO: &[u8] = b"ccpor auditors key v1";

/// Why an auditors' key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuditorsFailed {
    /// No key could be made.
    #[error("no key could be made: the cryptographic library or the machine's random source failed")]
    Generation,
    /// The passphrase is too short.
    #[error("the passphrase has fewer than {LEAST_PASSPHRASE} characters: choose a longer one")]
    Passphrase,
    /// The passphrase is another one, or the file was changed.
    #[error("the passphrase is wrong, or the key file was changed")]
    Wrong,
    /// The file is none of this program's.
    #[error("{0} is not an auditors' key that this program knows: it is damaged, or of a newer version")]
    Unreadable(String),
    /// The file cannot be read or written.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
}

/// The public half, which every machine of the registry is given.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditorsPublic {
    name: String,
    wrapping: Vec<u8>,
    signing: VerifyingKey,
}

/// Both halves.
pub struct AuditorsKey {
    public: AuditorsPublic,
    wrapping: Zeroizing<Vec<u8>>,
    signing: std::sync::Arc<SigningKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicFile {
    version: u16,
    name: String,
    suite: String,
    wrapping_key: String,
    signing_key: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrivateFile {
    public: PublicFile,
    locked: Locked,
}

impl AuditorsPublic {
    /// The key's name: 16 hexadecimal digits of its hash.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key that checks exports and the record of readings.
    #[must_use]
    pub fn signing(&self) -> VerifyingKey {
        self.signing
    }

    /// Seals for the auditors.
    pub(crate) fn seal(&self, info: &[u8], bound_to: &[u8], plain: &[u8]) -> Option<SealedTo> {
        hpke::seal(&self.wrapping, info, bound_to, plain).ok()
    }

    /// Reads the public file.
    ///
    /// # Errors
    /// [`AuditorsFailed`] when it cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, AuditorsFailed> {
        let bytes = std::fs::read(path).map_err(|error| file(path, error))?;
        let parsed = serde_json::from_slice(&bytes)
            .ok()
            .and_then(|file| Self::of(&file));
        parsed.ok_or_else(|| AuditorsFailed::Unreadable(path.display().to_string()))
    }

    /// Writes the public file, which must not exist.
    ///
    /// # Errors
    /// [`AuditorsFailed::File`].
    pub fn write(&self, path: &Path) -> Result<(), AuditorsFailed> {
        let mut text = serde_json::to_vec_pretty(&self.file()).unwrap_or_default();
        text.push(b'\n');
        write_new(path, &text, Readers::All).map_err(|error| file(path, error))
    }

    fn new(wrapping: Vec<u8>, signing: VerifyingKey) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(NAME_CONTEXT);
        hasher.update(&wrapping).update(signing.as_bytes());
        let name = crate::hex::written(hasher.finalize().as_bytes())
            .chars()
            .take(16)
            .collect();
        Self {
            name,
            wrapping,
            signing,
        }
    }

    fn of(file: &PublicFile) -> Option<Self> {
        let wrapping = STANDARD.decode(&file.wrapping_key).ok()?;
        let signing: [u8; 32] = STANDARD.decode(&file.signing_key).ok()?.try_into().ok()?;
        let known = file.version == 1 && file.suite == SUITE_NAME;
        let public = Self::new(wrapping, VerifyingKey::new(signing).ok()?);
        // A key that nothing can be sealed for is found here and not when somebody asks at night.
        (known && public.name == file.name && public.seal(b"", b"", b"").is_some()).then_some(public)
    }

    fn file(&self) -> PublicFile {
        PublicFile {
            version: 1,
            name: self.name.clone(),
            suite: SUITE_NAME.to_owned(),
            wrapping_key: STANDARD.encode(&self.wrapping),
            signing_key: STANDARD.encode(self.signing.as_bytes()),
        }
    }
}

impl AuditorsKey {
    /// Makes a new pair.
    ///
    /// # Errors
    /// [`AuditorsFailed::Generation`].
    pub fn generate() -> Result<Self, AuditorsFailed> {
        let (public, wrapping) = hpke::generate().map_err(|_| AuditorsFailed::Generation)?;
        let signing = SigningKey::generate().map_err(|_| AuditorsFailed::Generation)?;
        Ok(Self {
            public: AuditorsPublic::new(public, signing.public()),
            wrapping,
            signing: signing.into(),
        })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &AuditorsPublic {
        &self.public
    }

    /// The key that signs exports and the record of readings.
    #[must_use]
    pub fn signing(&self) -> &std::sync::Arc<SigningKey> {
        &self.signing
    }

    /// Opens what was sealed for the auditors.
    pub(crate) fn open(&self, info: &[u8], bound_to: &[u8], sealed: &SealedTo) -> Option<Zeroizing<Vec<u8>>> {
        hpke::open(&self.wrapping, info, bound_to, sealed).ok()
    }

    /// Writes both halves under a passphrase to a file that only its owner may read and that must not exist.
    ///
    /// # Errors
    /// [`AuditorsFailed`] when the passphrase is too short or the file cannot be written.
    pub fn write(&self, path: &Path, passphrase: &str) -> Result<(), AuditorsFailed> {
        if passphrase.chars().count() < LEAST_PASSPHRASE {
            return Err(AuditorsFailed::Passphrase);
        }
        let pkcs8 = Zeroizing::new(
            self.signing
                .to_pkcs8_der()
                .map_err(|_| AuditorsFailed::Generation)?,
        );
        let length = u32::try_from(self.wrapping.len()).map_err(|_| AuditorsFailed::Generation)?;
        let mut secret = Zeroizing::new(length.to_be_bytes().to_vec());
        secret.extend_from_slice(&self.wrapping);
        secret.extend_from_slice(&pkcs8);
        let locked =
            passphrase::lock(&secret, passphrase, BOUND_TO).map_err(|_| AuditorsFailed::Generation)?;
        let file_text = PrivateFile {
            public: self.public.file(),
            locked,
        };
        let mut text = serde_json::to_vec_pretty(&file_text).unwrap_or_default();
        text.push(b'\n');
        write_new(path, &text, Readers::Owner).map_err(|error| file(path, error))
    }

    /// Reads both halves.
    ///
    /// # Errors
    /// [`AuditorsFailed`] when the passphrase is wrong, or the file is none.
    pub fn read(path: &Path, passphrase: &str) -> Result<Self, AuditorsFailed> {
        let unreadable = || AuditorsFailed::Unreadable(path.display().to_string());
        let bytes = std::fs::read(path).map_err(|error| file(path, error))?;
        let parsed: PrivateFile = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
        let public = AuditorsPublic::of(&parsed.public).ok_or_else(unreadable)?;
        let secret =
            passphrase::unlock(&parsed.locked, passphrase, BOUND_TO).map_err(|failed| match failed {
                PassphraseFailed::Wrong => AuditorsFailed::Wrong,
                PassphraseFailed::Unreadable | PassphraseFailed::Library => unreadable(),
            })?;
        let (length, rest) = secret.split_first_chunk::<4>().ok_or_else(unreadable)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| unreadable())?;
        let (wrapping, pkcs8) = rest.split_at_checked(length).ok_or_else(unreadable)?;
        let signing = SigningKey::from_pkcs8_der(pkcs8).map_err(|_| unreadable())?;
        let key = Self {
            public,
            wrapping: Zeroizing::new(wrapping.to_vec()),
            signing: signing.into(),
        };
        // The public half stands in the clear beside the locked one: it must be this one's.
        let probe = key.public.seal(BOUND_TO, b"", b"probe").ok_or_else(unreadable)?;
        let fits = key.signing.public() == key.public.signing && key.open(BOUND_TO, b"", &probe).is_some();
        fits.then_some(key).ok_or_else(unreadable)
    }
}

fn file(path: &Path, error: std::io::Error) -> AuditorsFailed {
    AuditorsFailed::File(path.display().to_string(), error)
}

impl std::fmt::Debug for AuditorsPublic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuditorsPublic({})", self.name)
    }
}

impl std::fmt::Debug for AuditorsKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuditorsKey({})", self.public.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "correct horse battery";

    #[test]
    fn a_key_comes_back_with_its_passphrase_and_with_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let (private, public) = (dir.path().join("auditors.key"), dir.path().join("auditors.json"));
        let key = AuditorsKey::generate().unwrap();
        key.write(&private, PASSPHRASE).unwrap();
        key.public().write(&public).unwrap();
        assert_eq!(AuditorsPublic::read(&public).unwrap(), *key.public());
        let again = AuditorsKey::read(&private, PASSPHRASE).unwrap();
        let sealed = key.public().seal(b"i", b"b", b"told").unwrap();
        assert_eq!(again.open(b"i", b"b", &sealed).unwrap().as_slice(), b"told");
        assert!(matches!(
            AuditorsKey::read(&private, "correct horse batterz"),
            Err(AuditorsFailed::Wrong)
        ));
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&private).unwrap().permissions().mode() & 0o077,
            0
        );
        assert!(
            key.write(&private, PASSPHRASE).is_err(),
            "a key file is never replaced"
        );
    }

    #[test]
    fn short_passphrases_and_swapped_public_halves_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("auditors.key");
        let (one, other) = (AuditorsKey::generate().unwrap(), AuditorsKey::generate().unwrap());
        assert!(matches!(
            one.write(&path, "short"),
            Err(AuditorsFailed::Passphrase)
        ));
        one.write(&path, PASSPHRASE).unwrap();
        let mut file: PrivateFile = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        file.public = other.public().file();
        std::fs::write(&path, serde_json::to_vec(&file).unwrap()).unwrap();
        assert!(matches!(
            AuditorsKey::read(&path, PASSPHRASE),
            Err(AuditorsFailed::Unreadable(_))
        ));
    }
}
