//! Private keys: made, read, used for signing, and forgotten without a trace. It must never let key bytes reach a log,
//! an error or a `Debug` text.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA384_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair, UnparsedPublicKey,
    VerificationAlgorithm,
};
use rcgen::{PublicKeyData, SignatureAlgorithm, SigningKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_SIG_ED25519};
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};
use zeroize::Zeroizing;

/// What a key is for decides its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// ECDSA P-384: the root.
    P384,
    /// ECDSA P-256: the issuing authority and TLS.
    P256,
    /// Ed25519: records, heartbeats and receipts.
    Ed25519,
}

/// The cryptographic library could not make or read a key.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum KeyError {
    /// No key could be made.
    #[error("no key could be made: the cryptographic library or the machine's random source failed")]
    Generation,
    /// The bytes are not a key of a kind that is used here.
    #[error("not an unencrypted PKCS#8 key of kind ECDSA P-256, ECDSA P-384 or Ed25519")]
    Unreadable,
}

/// A private key with its public half; its bytes are wiped when it is dropped.
pub(crate) struct PrivateKey {
    kind: KeyKind,
    pair: Pair,
    pkcs8: Zeroizing<Vec<u8>>,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Makes a new key.
    pub(crate) fn generate(kind: KeyKind) -> Result<PrivateKey, KeyError> {
        let random = SystemRandom::new();
        let document = match kind {
            KeyKind::P384 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, &random),
            KeyKind::P256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random),
            // Version 1 of PKCS#8 is the one the openssl command reads.
            KeyKind::Ed25519 => Ed25519KeyPair::generate_pkcs8v1(&random),
        };
        let document = document.map_err(|_| KeyError::Generation)?;
        PrivateKey::from_pkcs8(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// Reads a key from unencrypted PKCS#8 DER.
    pub(crate) fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>) -> Result<PrivateKey, KeyError> {
        let ecdsa = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, &pkcs8).ok().map(Pair::Ecdsa);
        let (kind, pair) = if let Some(pair) = ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING) {
            (KeyKind::P256, pair)
        } else if let Ok(pair) = Ed25519KeyPair::from_pkcs8(&pkcs8) {
            (KeyKind::Ed25519, Pair::Ed25519(pair))
        } else if let Some(pair) = ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING) {
            (KeyKind::P384, pair)
        } else {
            return Err(KeyError::Unreadable);
        };
        Ok(PrivateKey { kind, pair, pkcs8 })
    }

    /// The key in PKCS#8 DER.
    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public half as it stands in a certificate: an uncompressed point, or 32 bytes of Ed25519.
    pub(crate) fn public(&self) -> &[u8] {
        match &self.pair {
            Pair::Ecdsa(pair) => pair.public_key().as_ref(),
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }

    /// A copy for the TLS library, which keeps it for as long as the settings live.
    pub(crate) fn for_tls(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.pkcs8.to_vec()))
    }

    /// Whether `certificate` was made for this key.
    pub(crate) fn belongs_to(&self, certificate: &CertificateDer<'_>) -> bool {
        certified_key(certificate).is_some_and(|(kind, public)| kind == self.kind && public == self.public())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?}, secret)", self.kind)
    }
}

impl PublicKeyData for PrivateKey {
    fn der_bytes(&self) -> &[u8] {
        self.public()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.kind {
            KeyKind::P384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            KeyKind::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            KeyKind::Ed25519 => &rcgen::PKCS_ED25519,
        }
    }
}

impl SigningKey for PrivateKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message);
                Ok(signature
                    .map_err(|_| rcgen::Error::RingUnspecified)?
                    .as_ref()
                    .to_vec())
            }
        }
    }
}

/// Whether `signature` over `message` was made with the private half of a public key.
pub(crate) fn verifies(kind: KeyKind, public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let algorithm: &dyn VerificationAlgorithm = match kind {
        KeyKind::P384 => &ECDSA_P384_SHA384_ASN1,
        KeyKind::P256 => &ECDSA_P256_SHA256_ASN1,
        KeyKind::Ed25519 => &ED25519,
    };
    UnparsedPublicKey::new(algorithm, public)
        .verify(message, signature)
        .is_ok()
}

/// The kind and the bytes of the public key a certificate was made for; none for kinds that are not used here.
pub(crate) fn certified_key(certificate: &CertificateDer<'_>) -> Option<(KeyKind, Vec<u8>)> {
    let (_, parsed) = X509Certificate::from_der(certificate.as_ref()).ok()?;
    public_key(parsed.public_key())
}

/// The kind and the bytes of a public key; none for kinds that are not used here.
pub(crate) fn public_key(info: &SubjectPublicKeyInfo<'_>) -> Option<(KeyKind, Vec<u8>)> {
    let algorithm = &info.algorithm.algorithm;
    let curve = info
        .algorithm
        .parameters
        .as_ref()
        .and_then(|parameters| parameters.as_oid().ok());
    let kind = if *algorithm == OID_SIG_ED25519 {
        KeyKind::Ed25519
    } else if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve == Some(OID_EC_P256) {
        KeyKind::P256
    } else if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve == Some(OID_NIST_EC_P384) {
        KeyKind::P384
    } else {
        return None;
    };
    Some((kind, info.subject_public_key.data.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_stored_form_and_keep_their_secret() {
        for kind in [KeyKind::P384, KeyKind::P256, KeyKind::Ed25519] {
            let key = PrivateKey::generate(kind).unwrap();
            let again = PrivateKey::from_pkcs8(Zeroizing::new(key.pkcs8().to_vec())).unwrap();
            assert_eq!((again.kind, again.public()), (kind, key.public()));
            assert_eq!(format!("{key:?}"), format!("PrivateKey({kind:?}, secret)"));
        }
    }

    #[test]
    fn other_bytes_are_no_key() {
        assert_eq!(
            PrivateKey::from_pkcs8(Zeroizing::new(vec![1, 2, 3])).unwrap_err(),
            KeyError::Unreadable
        );
        assert_eq!(
            PrivateKey::from_pkcs8(Zeroizing::new(Vec::new())).unwrap_err(),
            KeyError::Unreadable
        );
    }
}
