//! The name of a ledger: the machine that alone may write it, and whether it is its orders or its audit trail. Knows names only,
//! no certificates.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest name in bytes; a segment header has room for exactly this many.
pub const MAX_ORIGIN_BYTES: usize = 96;
/// Longest court or tribe name in bytes, as in a DNS label.
const MAX_SLUG_BYTES: usize = 63;
/// What the name of an audit trail begins with: its records can never be passed off as orders, nor orders as its records.
const AUDIT: &str = "audit/";

/// An origin: `court/alameda/node/1` or `tribal/yurok/node/1`, the path of the node's certificate identity; or an audit trail,
/// `audit/` and the path of the machine that keeps it: `audit/court/alameda/node/1`, `audit/hub/1`, and `audit/auditors/1` for what
/// auditors did.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginId(Arc<str>);

/// The text is not the name of an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an origin: it is written court/NAME/node/NUMBER or tribal/NAME/node/NUMBER, in small letters, digits and hyphens"
)]
pub struct NotAnOrigin;

impl OriginId {
    /// Checks and takes a name such as `court/alameda/node/1`.
    pub fn new(text: &str) -> Result<OriginId, NotAnOrigin> {
        let fits = match text.strip_prefix(AUDIT) {
            Some(keeper) => is_node(keeper) || is_numbered(keeper, "hub") || is_numbered(keeper, "auditors"),
            None => is_node(text),
        };
        if fits && text.len() <= MAX_ORIGIN_BYTES {
            Ok(OriginId(text.into()))
        } else {
            Err(NotAnOrigin)
        }
    }

    /// The audit trail that the machine with this identity keeps: of `hub/1` it is `audit/hub/1`.
    pub fn audit_of(identity: &str) -> Result<OriginId, NotAnOrigin> {
        OriginId::new(&format!("{AUDIT}{identity}"))
    }

    /// Whether this is an audit trail, which holds no orders.
    pub fn is_audit(&self) -> bool {
        self.0.starts_with(AUDIT)
    }

    /// The identity that alone may write it: `court/alameda/node/1` for the court's orders and for its audit trail.
    pub fn writer(&self) -> &str {
        self.0.strip_prefix(AUDIT).unwrap_or(&self.0)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The court or tribe without its node: `court/alameda`.
    pub fn court(&self) -> &str {
        let writer = self.writer();
        match writer.match_indices('/').nth(1) {
            Some((end, _)) => writer.get(..end).unwrap_or(writer),
            None => writer,
        }
    }

    /// The name as one file name: `court.alameda.node.1`.
    pub fn file_name(&self) -> String {
        self.0.replace('/', ".")
    }

    /// Reads back what [`OriginId::file_name`] wrote.
    pub fn from_file_name(name: &str) -> Result<OriginId, NotAnOrigin> {
        if name.contains('/') {
            return Err(NotAnOrigin);
        }
        OriginId::new(&name.replace('.', "/"))
    }
}

/// `court/alameda/node/1`, `tribal/yurok/node/1`.
fn is_node(text: &str) -> bool {
    let mut parts = text.split('/');
    let (kind, slug, node, number) = (parts.next(), parts.next(), parts.next(), parts.next());
    matches!(kind, Some("court" | "tribal"))
        && slug.is_some_and(is_slug)
        && node == Some("node")
        && number.is_some_and(is_number)
        && parts.next().is_none()
}

/// `hub/1`.
fn is_numbered(text: &str, kind: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(found, number)| found == kind && is_number(number))
}

/// Small letters, digits and single or double hyphens inside: what a URI path and a file name both carry unchanged.
fn is_slug(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= MAX_SLUG_BYTES
        && text.bytes().all(inside)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// 1 to 9999 without leading zeros, so that one node has one name.
fn is_number(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0')
}

impl FromStr for OriginId {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OriginId::new(text)
    }
}

impl fmt::Display for OriginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for OriginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for OriginId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for OriginId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        OriginId::new(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_file_names() {
        let origin = OriginId::new("court/san-luis-obispo/node/12").unwrap();
        assert_eq!(origin.court(), "court/san-luis-obispo");
        assert_eq!(origin.file_name(), "court.san-luis-obispo.node.12");
        assert_eq!(OriginId::from_file_name(&origin.file_name()), Ok(origin));
        assert!(OriginId::new("tribal/yurok/node/1").is_ok());
    }

    #[test]
    fn an_audit_trail_has_a_name_of_its_own_and_the_writer_of_the_orders() {
        for (keeper, court) in [
            ("court/alameda/node/1", "court/alameda"),
            ("hub/1", "hub/1"),
            ("auditors/1", "auditors/1"),
        ] {
            let trail = OriginId::audit_of(keeper).unwrap();
            assert!(trail.is_audit() && trail.writer() == keeper && trail.court() == court);
            assert_eq!(OriginId::from_file_name(&trail.file_name()), Ok(trail));
        }
        let orders = OriginId::new("court/alameda/node/1").unwrap();
        assert!(!orders.is_audit() && orders.writer() == orders.as_str());
        let longest = OriginId::audit_of(&format!("tribal/{}/node/9999", "a".repeat(63)));
        assert!(longest.is_ok());
    }

    #[test]
    fn what_is_no_origin() {
        let long = format!("court/{}/node/1", "a".repeat(64));
        for text in [
            "",
            "court",
            "court/alameda",
            "court/alameda/node/",
            "court/alameda/node/0",
            "court/alameda/node/01",
            "court/alameda/node/10000",
            "court/Alameda/node/1",
            "court/../node/1",
            "court//node/1",
            "court/-a/node/1",
            "court/a/node/1/x",
            "hub/1",
            "auditors/1",
            "audit/hub/0",
            "audit/audit/hub/1",
            "audit/lea/alameda-so",
            "audit/",
            "court/a.b/node/1",
            &long,
        ] {
            assert_eq!(OriginId::new(text), Err(NotAnOrigin), "{text}");
        }
        assert_eq!(OriginId::from_file_name("court/a/node/1"), Err(NotAnOrigin));
    }
}
