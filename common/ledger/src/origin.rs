//! The name of a ledger: the court's node that alone may write it. Knows names only, no certificates.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest name in bytes; a segment header has room for exactly this many.
pub const MAX_ORIGIN_BYTES: usize = 96;
/// Longest court or tribe name in bytes, as in a DNS label.
const MAX_SLUG_BYTES: usize = 63;

/// An origin: `court/alameda/node/1` or `tribal/yurok/node/1`, the path of the node's certificate identity.
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
        let mut parts = text.split('/');
        let (kind, slug, node, number) = (parts.next(), parts.next(), parts.next(), parts.next());
        let fits = matches!(kind, Some("court" | "tribal"))
            && slug.is_some_and(is_slug)
            && node == Some("node")
            && number.is_some_and(is_number)
            && parts.next().is_none()
            && text.len() <= MAX_ORIGIN_BYTES;
        if fits {
            Ok(OriginId(text.into()))
        } else {
            Err(NotAnOrigin)
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The court or tribe without its node: `court/alameda`.
    pub fn court(&self) -> &str {
        match self.0.match_indices('/').nth(1) {
            Some((end, _)) => self.0.get(..end).unwrap_or(&self.0),
            None => &self.0,
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
            "court/a.b/node/1",
            &long,
        ] {
            assert_eq!(OriginId::new(text), Err(NotAnOrigin), "{text}");
        }
        assert_eq!(OriginId::from_file_name("court/a/node/1"), Err(NotAnOrigin));
    }
}
