//! Hybrid public key encryption (RFC 9180) to the auditors: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, base mode, by the
//! implementation in rustls over AWS-LC. Knows nothing of what is sealed.

use rustls::crypto::aws_lc_rs::hpke::DH_KEM_P256_HKDF_SHA256_AES_256 as SUITE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke as _, HpkePrivateKey, HpkePublicKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What was sealed for the auditors' key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedTo {
    /// The encapsulated secret.
    pub(crate) secret: Vec<u8>,
    /// The ciphertext.
    pub(crate) bytes: Vec<u8>,
}

impl std::fmt::Debug for SealedTo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedTo({} bytes)", self.bytes.len())
    }
}

/// The name of the suite, as it stands in files.
pub(crate) const SUITE_NAME: &str = "DHKEM(P-256,HKDF-SHA256),HKDF-SHA256,AES-256-GCM";

/// The library could not make a key or seal, or what is to be opened was not sealed for this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes were not sealed for this key, or were changed")]
pub(crate) struct HpkeFailed;

/// A new pair: public and private bytes.
pub(crate) fn generate() -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), HpkeFailed> {
    let (public, private) = SUITE.generate_key_pair().map_err(|_| HpkeFailed)?;
    Ok((public.0, Zeroizing::new(private.secret_bytes().to_vec())))
}

/// Seals for a public key. The same `info` and `bound_to` are needed to open.
pub(crate) fn seal(
    public: &[u8],
    info: &[u8],
    bound_to: &[u8],
    plain: &[u8],
) -> Result<SealedTo, HpkeFailed> {
    let sealed = SUITE.seal(info, bound_to, plain, &HpkePublicKey(public.to_vec()));
    let (secret, bytes) = sealed.map_err(|_| HpkeFailed)?;
    Ok(SealedTo {
        secret: secret.0,
        bytes,
    })
}

/// Opens what was sealed.
pub(crate) fn open(
    private: &[u8],
    info: &[u8],
    bound_to: &[u8],
    sealed: &SealedTo,
) -> Result<Zeroizing<Vec<u8>>, HpkeFailed> {
    let (secret, private) = (
        EncapsulatedSecret(sealed.secret.clone()),
        HpkePrivateKey::from(private.to_vec()),
    );
    let opened = SUITE.open(&secret, info, bound_to, &sealed.bytes, &private);
    opened.map(Zeroizing::new).map_err(|_| HpkeFailed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_it_was_sealed_for_opens_it_and_only_for_what_it_was_sealed() {
        let ((public, private), (_, other)) = (generate().unwrap(), generate().unwrap());
        let sealed = seal(&public, b"info", b"bound", b"plain").unwrap();
        assert_eq!(
            open(&private, b"info", b"bound", &sealed).unwrap().as_slice(),
            b"plain"
        );
        assert!(open(&other, b"info", b"bound", &sealed).is_err());
        assert!(open(&private, b"other", b"bound", &sealed).is_err());
        assert!(open(&private, b"info", b"other", &sealed).is_err());
        let mut changed = sealed;
        changed.bytes[0] ^= 1;
        assert!(open(&private, b"info", b"bound", &changed).is_err());
    }
}
