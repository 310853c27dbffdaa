//! Whom a certificate speaks for, read from its URI names alone. It must not trust a common name or a DNS name, and it
//! does not judge whether the certificate itself is valid.

use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::clock::Moment;
use crate::identity::{Identity, IdentityError};

/// What stands before an ORI (the agency identifier of CLETS and NCIC) in a URI name.
const ORI_PREFIX: &str = "urn:ccpor:ori:";
/// The most ORIs one certificate may carry; more than any agency has, and few enough to read at each handshake.
pub const MOST_ORIS: usize = 64;

/// Whether `text` has the shape of an ORI: nine of the characters A-Z and 0-9 (NCIC Operating Manual: ORI, 9 characters).
pub fn is_ori(text: &str) -> bool {
    text.len() == 9 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// The URI name that carries an ORI in a certificate.
pub(crate) fn ori_uri(ori: &str) -> String {
    format!("{ORI_PREFIX}{ori}")
}

/// The facts of a certificate that the rest of the program decides by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Whom the certificate speaks for.
    pub identity: Identity,
    /// The agency identifiers it may act for; empty for all but agencies.
    pub oris: Vec<String>,
    /// First second of its life.
    pub not_before: Moment,
    /// Last second of its life.
    pub not_after: Moment,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// SHA-256 of the certificate, lower-case hexadecimal, as `openssl x509 -fingerprint -sha256` shows it without colons.
    pub fingerprint: String,
}

/// Why no identity could be read from a certificate.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum NoIdentity {
    /// The bytes are not one X.509 certificate.
    #[error("the bytes are not an X.509 certificate")]
    NotACertificate,
    /// No `spiffe:` name.
    #[error(
        "the certificate names no registry identity; present one that was issued by this registry's authority"
    )]
    Missing,
    /// More than one `spiffe:` name.
    #[error("the certificate names {0} identities, where exactly one is allowed")]
    Several(usize),
    /// The one identity is malformed.
    #[error("the certificate's identity is malformed: {0}")]
    Malformed(IdentityError),
    /// An ORI name is malformed or there are too many.
    #[error(
        "the certificate carries an ORI that is not 9 of the characters A-Z and 0-9, or more than {MOST_ORIS}"
    )]
    Ori,
}

/// Reads whom a certificate speaks for: exactly one `spiffe:` URI name, and the ORIs in further URI names.
///
/// This checks no signature and no date; the handshake or [`crate::record_key`] does that.
pub fn identity_of(certificate: &CertificateDer<'_>) -> Result<Peer, NoIdentity> {
    let (rest, parsed) =
        X509Certificate::from_der(certificate.as_ref()).map_err(|_| NoIdentity::NotACertificate)?;
    if !rest.is_empty() {
        return Err(NoIdentity::NotACertificate);
    }
    let names = parsed
        .subject_alternative_name()
        .map_err(|_| NoIdentity::NotACertificate)?;
    let uris = names
        .iter()
        .flat_map(|names| &names.value.general_names)
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
    let (identity, oris) = identity_among(uris)?;
    let validity = parsed.validity();
    Ok(Peer {
        identity,
        oris,
        not_before: Moment(validity.not_before.timestamp()),
        not_after: Moment(validity.not_after.timestamp()),
        serial: hex(parsed.raw_serial()),
        fingerprint: fingerprint(certificate),
    })
}

/// The DNS names and addresses in a certificate, as browsers check them; a renewal carries them over.
pub(crate) fn names_of(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate.as_ref()) else {
        return Vec::new();
    };
    let Ok(Some(names)) = parsed.subject_alternative_name() else {
        return Vec::new();
    };
    let names = names.value.general_names.iter();
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
            _ => None,
        })
        .collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

fn identity_among<'a>(uris: impl Iterator<Item = &'a str>) -> Result<(Identity, Vec<String>), NoIdentity> {
    let (mut identities, mut oris) = (Vec::new(), Vec::new());
    for uri in uris {
        // Schemes are compared without case (RFC 3986, 3.1), so that a second identity cannot hide as "SPIFFE:".
        if uri
            .get(..7)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("spiffe:"))
        {
            identities.push(uri);
        } else if let Some(ori) = uri.strip_prefix(ORI_PREFIX) {
            if !is_ori(ori) || oris.len() == MOST_ORIS {
                return Err(NoIdentity::Ori);
            }
            oris.push(ori.to_owned());
        }
    }
    match identities.as_slice() {
        [] => Err(NoIdentity::Missing),
        [uri] => Ok((Identity::from_uri(uri).map_err(NoIdentity::Malformed)?, oris)),
        several => Err(NoIdentity::Several(several.len())),
    }
}

/// SHA-256 of a certificate's bytes in lower-case hexadecimal.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate.as_ref()).as_ref())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_among_uris() {
        let found = |uris: &[&str]| identity_among(uris.iter().copied());
        let (hub, ori) = ("spiffe://ccpor/hub/1", "urn:ccpor:ori:CA0010000");
        let (identity, oris) = found(&[ori, "https://example.gov", hub]).unwrap();
        assert_eq!(
            (identity.path().as_str(), oris),
            ("hub/1", vec!["CA0010000".to_owned()])
        );
        assert_eq!(found(&[ori]), Err(NoIdentity::Missing));
        assert_eq!(found(&[hub, hub]), Err(NoIdentity::Several(2)));
        assert_eq!(found(&[hub, "SPIFFE://other/x"]), Err(NoIdentity::Several(2)));
        assert_eq!(
            found(&["Spiffe://ccpor/hub/1"]),
            Err(NoIdentity::Malformed(IdentityError::ForeignTrustDomain))
        );
        assert_eq!(found(&[hub, "urn:ccpor:ori:ca0010000"]), Err(NoIdentity::Ori));
        assert_eq!(
            found(&[&[hub][..], &[ori; MOST_ORIS + 1][..]].concat()),
            Err(NoIdentity::Ori)
        );
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in ".{0,80}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = identity_among([text.as_str()].into_iter());
            prop_assert_eq!(identity_of(&CertificateDer::from(bytes)), Err(NoIdentity::NotACertificate));
        }
    }
}
