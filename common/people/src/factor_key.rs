//! The key under which a machine seals what it shares with authenticators, so that a copy of the accounts alone tells nobody's codes.
//! It is bound to one account by whoever seals. Which accounts there are is not known here, and the file is written elsewhere.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Keeps these apart from everything else that is ever sealed under the same key.
const DOMAIN: &[u8] = b"ccpor second factor v1\0";

/// See the module.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct FactorKey(Arc<Zeroizing<[u8; 32]>>);

/// The cryptographic library or the system's random numbers failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library failed")]
pub(crate) struct CryptographyFailed;

/// What lies in the place of the key.
pub(crate) enum Held {
    /// The key.
    Key(FactorKey),
    /// Nothing.
    Nothing,
    /// Something that is no key.
    NoKey,
}

impl FactorKey {
    pub(crate) fn generate() -> Result<Self, CryptographyFailed> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(bytes.as_mut()).map_err(|_| CryptographyFailed)?;
        Ok(Self(Arc::new(bytes)))
    }

    pub(crate) fn read(path: &Path) -> io::Result<Held> {
        let bytes = match fs::read(path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Held::Nothing),
            Err(error) => return Err(error),
        };
        let key = <[u8; 32]>::try_from(bytes.as_slice()).ok();
        Ok(key.map_or(Held::NoKey, |key| Held::Key(Self(Arc::new(Zeroizing::new(key))))))
    }

    /// What the file is to hold.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals a text for whoever is called `of`: base64 of the nonce, what is sealed and the tag.
    pub(crate) fn seal(&self, of: &[u8], plain: &Secret) -> Result<String, CryptographyFailed> {
        let mut bytes = plain.reveal().as_bytes().to_vec();
        let nonce = self
            .cipher()?
            .seal_in_place_append_tag(bound_to(of), &mut bytes)
            .map_err(|_| CryptographyFailed)?;
        Ok(STANDARD.encode([nonce.as_ref().as_slice(), &bytes].concat()))
    }

    /// The text; none when it was sealed under another key, for somebody else, or was changed.
    pub(crate) fn open(&self, of: &[u8], sealed: &str) -> Option<Secret> {
        let sealed = STANDARD.decode(sealed).ok()?;
        let (nonce, bytes) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = Zeroizing::new(bytes.to_vec());
        let plain = self
            .cipher()
            .ok()?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), bound_to(of), &mut bytes)
            .ok()?;
        Some(Secret::new(str::from_utf8(plain).ok()?.to_owned()))
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, CryptographyFailed> {
        RandomizedNonceKey::new(&AES_256_GCM, self.0.as_slice()).map_err(|_| CryptographyFailed)
    }
}

impl fmt::Debug for FactorKey {
    fn fmt(&self, form: &mut fmt::Formatter<'_>) -> fmt::Result {
        form.write_str("(key)")
    }
}

fn bound_to(of: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([DOMAIN, of].concat())
}
