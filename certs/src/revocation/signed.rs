//! A revocation list with the issuing authority's signature: made, written as text, and believed because of the certificate that
//! travels with it. It keeps no file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::SigningKey;
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::keys::{self, KeyKind, PrivateKey, certified_key};
use crate::peer::fingerprint;
use crate::revocation::list::RevocationList;
use crate::roots::Roots;

/// Keeps the signatures of lists apart from every other signature of the issuing key, which are over DER and begin otherwise.
const DOMAIN: &[u8] = b"ccpor revocation list v1\0";
/// The most bytes of a signed list: some thousands of rules.
pub(crate) const MOST_BYTES: usize = 768 * 1024;

/// A list whose signature was checked, with the text it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedList {
    list: RevocationList,
    signer: String,
    text: Vec<u8>,
}

/// Why a list is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListRefused {
    /// Not a signed list in the form of this version.
    #[error("the revocation list cannot be read: it is damaged, or of another version of this program")]
    Malformed,
    /// The signature does not fit.
    #[error(
        "the revocation list is not signed by the certificate that comes with it: it was changed on the way"
    )]
    Signature,
    /// The signer's certificate does not lead to our root, or may not sign lists.
    #[error("the revocation list is signed by somebody who is not an issuing authority of this registry")]
    Signer,
    /// The signer was retired.
    #[error("the revocation list is signed by an issuing authority that was retired")]
    Retired,
}

/// The text on disk and on the wire.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    /// The list's JSON in base64: the very bytes that are signed.
    list: String,
    /// ECDSA P-256 with SHA-256, ASN.1, in base64.
    signature: String,
    /// The issuing certificate, DER in base64.
    signer: String,
}

impl SignedList {
    /// Signs a list with the issuing key.
    pub(crate) fn sign(
        list: RevocationList,
        key: &PrivateKey,
        issuing: &CertificateDer<'_>,
    ) -> Result<SignedList, rcgen::Error> {
        // Nothing in a list can fail to be written as JSON.
        let bytes = serde_json::to_vec(&list).unwrap_or_default();
        let signature = key.sign(&[DOMAIN, &bytes].concat())?;
        let envelope = Envelope {
            list: STANDARD.encode(&bytes),
            signature: STANDARD.encode(signature),
            signer: STANDARD.encode(issuing),
        };
        Ok(SignedList {
            list,
            signer: fingerprint(issuing),
            text: serde_json::to_vec(&envelope).unwrap_or_default(),
        })
    }

    /// Reads the text of a list and believes it only when an issuing certificate under `roots` signed it.
    ///
    /// The end of the signer's life is not checked: what was revoked stays so however old the list is.
    pub fn read(text: &[u8], roots: &Roots) -> Result<SignedList, ListRefused> {
        if text.len() > MOST_BYTES {
            return Err(ListRefused::Malformed);
        }
        let envelope: Envelope = serde_json::from_slice(text).map_err(|_| ListRefused::Malformed)?;
        let decode = |text: &str| STANDARD.decode(text).map_err(|_| ListRefused::Malformed);
        let (bytes, signature) = (decode(&envelope.list)?, decode(&envelope.signature)?);
        let signer = CertificateDer::from(decode(&envelope.signer)?);
        let public = match certified_key(&signer) {
            Some((KeyKind::P256, public)) if signs_lists(&signer, roots) => public,
            _ => return Err(ListRefused::Signer),
        };
        if !keys::verifies(KeyKind::P256, &public, &[DOMAIN, &bytes].concat(), &signature) {
            return Err(ListRefused::Signature);
        }
        let list: RevocationList = serde_json::from_slice(&bytes).map_err(|_| ListRefused::Malformed)?;
        let sorted = list
            .identities
            .is_sorted_by(|one, next| one.identity < next.identity);
        if !sorted {
            return Err(ListRefused::Malformed);
        }
        Ok(SignedList {
            list,
            signer: fingerprint(&signer),
            text: text.to_vec(),
        })
    }

    /// What it says.
    pub fn list(&self) -> &RevocationList {
        &self.list
    }

    /// The text to keep and to pass on.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// SHA-256 of the issuing certificate that signed it.
    pub(crate) fn signer(&self) -> &str {
        &self.signer
    }
}

/// Whether a certificate is an authority's own (it may sign revocation lists, RFC 5280, 4.2.1.3) and one of `roots` issued it.
fn signs_lists(certificate: &CertificateDer<'_>, roots: &Roots) -> bool {
    let Ok((_, signer)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    let may_sign = signer.is_ca()
        && signer
            .key_usage()
            .is_ok_and(|usage| usage.is_some_and(|usage| usage.value.crl_sign()));
    may_sign
        && roots.certificates().iter().any(|root| {
            X509Certificate::from_der(root).is_ok_and(|(_, root)| {
                root.subject().as_raw() == signer.issuer().as_raw()
                    && signer.verify_signature(Some(root.public_key())).is_ok()
            })
        })
}
