//! Who a certificate speaks for: the name inside it, read from its URI names alone. It must not trust a common
//! name or a DNS name, and it does not judge whether the certificate itself is valid.

use std::fmt;
use std::str::FromStr;

use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::clock::Moment;

/// The trust domain that stands before every path (SPIFFE ID, section 2).
const TRUST_DOMAIN: &str = "spiffe://ccpor/";
/// What stands before an ORI (the agency identifier of CLETS and NCIC) in a URI name.
const ORI_PREFIX: &str = "urn:ccpor:ori:";
/// The most ORIs one certificate may carry; more than any agency has, and few enough to read at each handshake.
pub const MOST_ORIS: usize = 64;

/// Who somebody is, as the authority wrote it into a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// A node of a superior court: `court/alameda/node/1`.
    Court {
        /// The court's short name.
        slug: Slug,
        /// Which of the court's nodes.
        node: Number,
    },
    /// A node of a tribal court: `tribal/yurok/node/1`.
    Tribal {
        /// The court's short name.
        slug: Slug,
        /// Which of the court's nodes.
        node: Number,
    },
    /// A hub: `hub/1`.
    Hub {
        /// Which hub.
        number: Number,
    },
    /// A law enforcement agency's client: `lea/alameda-so`.
    Lea {
        /// The agency's short name.
        agency: Slug,
    },
    /// A court's case management system: `system/alameda-cms`.
    System {
        /// The system's short name.
        slug: Slug,
    },
    /// A person who runs the registry: `operator/jlee`.
    Operator {
        /// The operator's short name.
        name: Slug,
    },
}

impl Identity {
    /// The node `node` of the superior court `slug`.
    pub fn court(slug: &str, node: u16) -> Result<Identity, IdentityError> {
        Ok(Identity::Court {
            slug: slug.parse()?,
            node: Number::new(node)?,
        })
    }

    /// The node `node` of the tribal court `slug`.
    pub fn tribal(slug: &str, node: u16) -> Result<Identity, IdentityError> {
        Ok(Identity::Tribal {
            slug: slug.parse()?,
            node: Number::new(node)?,
        })
    }

    /// The hub `number`.
    pub fn hub(number: u16) -> Result<Identity, IdentityError> {
        Ok(Identity::Hub {
            number: Number::new(number)?,
        })
    }

    /// The agency `agency`.
    pub fn lea(agency: &str) -> Result<Identity, IdentityError> {
        Ok(Identity::Lea {
            agency: agency.parse()?,
        })
    }

    /// The path, as ledgers and messages name it: `court/alameda/node/1`.
    pub fn path(&self) -> String {
        self.to_string()
    }

    /// The URI, as it stands in a certificate: `spiffe://ccpor/court/alameda/node/1`.
    pub fn uri(&self) -> String {
        format!("{TRUST_DOMAIN}{self}")
    }

    /// Reads a whole URI of the form [`Identity::uri`] writes; nothing else is accepted.
    pub fn from_uri(uri: &str) -> Result<Identity, IdentityError> {
        uri.strip_prefix(TRUST_DOMAIN)
            .ok_or(IdentityError::ForeignTrustDomain)?
            .parse()
    }

    /// Whether this is a court's or a tribal court's node: the only identities that may write a court's ledger.
    pub fn is_node(&self) -> bool {
        matches!(self, Identity::Court { .. } | Identity::Tribal { .. })
    }

    /// Whether this is a hub.
    pub fn is_hub(&self) -> bool {
        matches!(self, Identity::Hub { .. })
    }

    /// Whether this identity answers connections (nodes and hubs) rather than only making them.
    pub fn is_server(&self) -> bool {
        self.is_node() || self.is_hub()
    }

    /// Whether this identity signs records, heartbeats or receipts, and so has a record-signing key.
    pub fn signs_records(&self) -> bool {
        self.is_server()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Identity::Court { slug, node } => write!(f, "court/{slug}/node/{node}"),
            Identity::Tribal { slug, node } => write!(f, "tribal/{slug}/node/{node}"),
            Identity::Hub { number } => write!(f, "hub/{number}"),
            Identity::Lea { agency } => write!(f, "lea/{agency}"),
            Identity::System { slug } => write!(f, "system/{slug}"),
            Identity::Operator { name } => write!(f, "operator/{name}"),
        }
    }
}

impl FromStr for Identity {
    type Err = IdentityError;

    fn from_str(path: &str) -> Result<Identity, IdentityError> {
        let mut parts = path.split('/');
        let (kind, name) = (
            parts.next().unwrap_or(""),
            parts.next().ok_or(IdentityError::Form)?,
        );
        let identity = match kind {
            "court" => Identity::Court {
                slug: name.parse()?,
                node: node_part(&mut parts)?,
            },
            "tribal" => Identity::Tribal {
                slug: name.parse()?,
                node: node_part(&mut parts)?,
            },
            "hub" => Identity::Hub {
                number: name.parse()?,
            },
            "lea" => Identity::Lea {
                agency: name.parse()?,
            },
            "system" => Identity::System { slug: name.parse()? },
            "operator" => Identity::Operator { name: name.parse()? },
            _ => return Err(IdentityError::Form),
        };
        match parts.next() {
            None => Ok(identity),
            Some(_) => Err(IdentityError::Form),
        }
    }
}

fn node_part<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Result<Number, IdentityError> {
    match (parts.next(), parts.next()) {
        (Some("node"), Some(number)) => number.parse(),
        _ => Err(IdentityError::Form),
    }
}

impl Serialize for Identity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Identity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Identity, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A short name: 1 to 40 of the characters a-z, 0-9 and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

impl Slug {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Slug, IdentityError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=40).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Slug(text.to_owned()))
        } else {
            Err(IdentityError::Slug)
        }
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of a node or hub, 1 to 9999, written without leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(u16);

impl Number {
    /// Takes a number from 1 to 9999.
    pub fn new(number: u16) -> Result<Number, IdentityError> {
        if (1..=9999).contains(&number) {
            Ok(Number(number))
        } else {
            Err(IdentityError::Number)
        }
    }

    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl FromStr for Number {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Number, IdentityError> {
        // One spelling for each number: "+1" and "01" would make two names of one node.
        if text.starts_with('0') || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(IdentityError::Number);
        }
        Number::new(text.parse().map_err(|_| IdentityError::Number)?)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is not an identity.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum IdentityError {
    /// The shape is wrong.
    #[error(
        "not an identity: write court/NAME/node/N, tribal/NAME/node/N, hub/N, lea/NAME, system/NAME or operator/NAME"
    )]
    Form,
    /// A short name has other characters, or is empty or too long.
    #[error("a short name has 1 to 40 of the characters a-z, 0-9 and '-'")]
    Slug,
    /// A node or hub number is out of range.
    #[error("a node or hub number is between 1 and 9999, without leading zeros")]
    Number,
    /// A URI of another trust domain.
    #[error("the URI does not begin with spiffe://ccpor/, so the certificate belongs to another registry")]
    ForeignTrustDomain,
}

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

    fn any_identity() -> impl Strategy<Value = Identity> {
        let slug = || "[a-z0-9-]{1,40}".prop_map(|text| text.parse::<Slug>().unwrap());
        let number = || (1u16..=9999).prop_map(|number| Number::new(number).unwrap());
        prop_oneof![
            (slug(), number()).prop_map(|(slug, node)| Identity::Court { slug, node }),
            (slug(), number()).prop_map(|(slug, node)| Identity::Tribal { slug, node }),
            number().prop_map(|number| Identity::Hub { number }),
            slug().prop_map(|agency| Identity::Lea { agency }),
            slug().prop_map(|slug| Identity::System { slug }),
            slug().prop_map(|name| Identity::Operator { name }),
        ]
    }

    #[test]
    fn examples_of_paths() {
        let court = Identity::court("alameda", 1).unwrap();
        assert_eq!(court.path(), "court/alameda/node/1");
        assert_eq!(court.uri(), "spiffe://ccpor/court/alameda/node/1");
        assert!(court.is_node() && court.is_server() && court.signs_records() && !court.is_hub());
        let agency = Identity::lea("alameda-so").unwrap();
        assert!(!agency.is_server() && !agency.signs_records());
        assert_eq!(
            serde_json::to_string(&Identity::hub(2).unwrap()).unwrap(),
            "\"hub/2\""
        );
    }

    #[test]
    fn other_texts_are_no_identities() {
        for (text, expected) in [
            ("", IdentityError::Form),
            ("court", IdentityError::Form),
            ("court/alameda", IdentityError::Form),
            ("court/alameda/node", IdentityError::Form),
            ("court/alameda/node/1/", IdentityError::Form),
            ("court/alameda/hub/1", IdentityError::Form),
            ("county/alameda/node/1", IdentityError::Form),
            ("hub/1/2", IdentityError::Form),
            ("court/Alameda/node/1", IdentityError::Slug),
            ("court//node/1", IdentityError::Slug),
            ("lea/al ameda", IdentityError::Slug),
            ("court/alameda/node/0", IdentityError::Number),
            ("court/alameda/node/01", IdentityError::Number),
            ("court/alameda/node/+1", IdentityError::Number),
            ("court/alameda/node/10000", IdentityError::Number),
            ("hub/", IdentityError::Number),
        ] {
            assert_eq!(text.parse::<Identity>(), Err(expected), "{text}");
        }
        assert!("a".repeat(40).parse::<Slug>().is_ok() && "a".repeat(41).parse::<Slug>().is_err());
        for foreign in [
            "spiffe://ccpor2/hub/1",
            "SPIFFE://ccpor/hub/1",
            "https://ccpor/hub/1",
            "spiffe://ccpor",
        ] {
            assert_eq!(
                Identity::from_uri(foreign),
                Err(IdentityError::ForeignTrustDomain),
                "{foreign}"
            );
        }
    }

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
        fn every_identity_survives_its_text(identity in any_identity()) {
            prop_assert_eq!(identity.path().parse::<Identity>().unwrap(), identity.clone());
            prop_assert_eq!(Identity::from_uri(&identity.uri()).unwrap(), identity);
        }

        #[test]
        fn one_text_for_each_identity(text in "(court|tribal|hub|lea)(/[a-z0-9+]{0,4}){1,3}") {
            if let Ok(identity) = text.parse::<Identity>() {
                prop_assert_eq!(identity.path(), text);
            }
        }

        #[test]
        fn reading_never_panics(text in ".{0,80}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = text.parse::<Identity>();
            let _ = Identity::from_uri(&text);
            let _ = identity_among([text.as_str()].into_iter());
            prop_assert_eq!(identity_of(&CertificateDer::from(bytes)), Err(NoIdentity::NotACertificate));
        }
    }
}
