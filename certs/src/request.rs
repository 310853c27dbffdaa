//! Certificate requests (PKCS#10, RFC 2986): a machine's proof that it holds a key. Only the key is ever taken from a
//! request; the names and rights in the certificate are the authority's alone.

use rcgen::{CertificateParams, DistinguishedName, SubjectPublicKeyInfo};
use x509_parser::prelude::{FromDer, X509CertificationRequest};

use crate::keys::{KeyKind, PrivateKey, public_key};
use crate::peer::hex;
use crate::record_key::is_weak;

/// The most bytes of a request for one of these small keys.
const MOST_BYTES: usize = 4096;

/// Why a certificate request is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum RequestError {
    /// Not a request.
    #[error("the certificate request is malformed or too large")]
    Malformed,
    /// The signature does not fit, so the sender has not shown that it holds the key.
    #[error("the certificate request is not signed with the key it asks a certificate for")]
    Unproven,
    /// The key is of another kind than this certificate's.
    #[error(
        "the certificate request is for a key of the wrong kind: TLS keys are ECDSA P-256, record keys Ed25519"
    )]
    Kind,
    /// An Ed25519 key of small order.
    #[error("the record key is one of the weak Ed25519 keys that let anybody sign: make a new one")]
    Weak,
}

/// A public key whose holder has proved to hold the private half.
#[derive(Debug)]
pub(crate) struct ProvenKey {
    pub(crate) key: SubjectPublicKeyInfo,
    /// SHA-256 of the public key in its certificate form, lower-case hexadecimal.
    pub(crate) hash: String,
}

/// A request for `key`, in DER; it asks for nothing else.
pub(crate) fn make(key: &PrivateKey) -> Result<Vec<u8>, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    Ok(params.serialize_request(key)?.der().to_vec())
}

/// Checks a request and takes the key out of it, which must be of kind `kind`.
pub(crate) fn prove(der: &[u8], kind: KeyKind) -> Result<ProvenKey, RequestError> {
    if der.len() > MOST_BYTES {
        return Err(RequestError::Malformed);
    }
    let (rest, request) = X509CertificationRequest::from_der(der).map_err(|_| RequestError::Malformed)?;
    if !rest.is_empty() {
        return Err(RequestError::Malformed);
    }
    let subject_key = &request.certification_request_info.subject_pki;
    let Some((_, public)) = public_key(subject_key).filter(|(found, _)| *found == kind) else {
        return Err(RequestError::Kind);
    };
    request.verify_signature().map_err(|_| RequestError::Unproven)?;
    if kind == KeyKind::Ed25519 && public.as_slice().try_into().is_ok_and(is_weak) {
        return Err(RequestError::Weak);
    }
    let key = SubjectPublicKeyInfo::from_der(subject_key.raw).map_err(|_| RequestError::Kind)?;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, subject_key.raw);
    Ok(ProvenKey {
        key,
        hash: hex(hash.as_ref()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::PublicKeyData;

    #[test]
    fn a_request_proves_its_key_and_no_other_kind() {
        for (kind, other) in [
            (KeyKind::P256, KeyKind::Ed25519),
            (KeyKind::Ed25519, KeyKind::P256),
        ] {
            let key = PrivateKey::generate(kind).unwrap();
            let der = make(&key).unwrap();
            assert_eq!(prove(&der, kind).unwrap().key.der_bytes(), key.public());
            assert_eq!(prove(&der, other).unwrap_err(), RequestError::Kind);
        }
        let root_kind = PrivateKey::generate(KeyKind::P384).unwrap();
        assert_eq!(
            prove(&make(&root_kind).unwrap(), KeyKind::P256).unwrap_err(),
            RequestError::Kind
        );
    }

    #[test]
    fn a_foreign_signature_proves_nothing() {
        let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        let mut der = make(&key).unwrap();
        *der.last_mut().unwrap() ^= 1;
        assert_eq!(prove(&der, KeyKind::Ed25519).unwrap_err(), RequestError::Unproven);
        der.push(0);
        assert_eq!(
            prove(&der, KeyKind::Ed25519).unwrap_err(),
            RequestError::Malformed
        );
        assert_eq!(
            prove(&vec![0x30; 5000], KeyKind::P256).unwrap_err(),
            RequestError::Malformed
        );
    }

    proptest! {
        #[test]
        fn a_damaged_request_never_panics_and_never_yields_another_key(
            at in 0usize..300,
            to in any::<u8>(),
            noise in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let key = PrivateKey::generate(KeyKind::P256).unwrap();
            let mut der = make(&key).unwrap();
            let at = at % der.len();
            der[at] = to;
            // The envelope around the signed part has bytes that the parser does not insist on.
            if let Ok(proven) = prove(&der, KeyKind::P256) {
                prop_assert_eq!(proven.key.der_bytes(), key.public());
            }
            prop_assert!(prove(&noise, KeyKind::Ed25519).is_err());
        }
    }
}
