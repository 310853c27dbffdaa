//! Identities: the names of courts' nodes, hubs, agencies, systems and operators, as text and as URI. It reads no
//! certificate.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The trust domain that stands before every path (SPIFFE ID, section 2).
const TRUST_DOMAIN: &str = "spiffe://ccpor/";

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
        fn reading_never_panics(text in ".{0,80}") {
            let _ = text.parse::<Identity>();
            let _ = Identity::from_uri(&text);
        }
    }
}
