//! What the registry knows of an image of the signed order: never its bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::closed::closed;
use crate::id::unhex;
use crate::text::text_in_json;

closed! {
    /// The formats in which images are kept.
    #[derive(Default)]
    pub enum Media: "kind of image" {
        /// `application/pdf`.
        #[default]
        Pdf = "pdf",
        /// `image/png`.
        Png = "png",
        /// `image/jpeg`.
        Jpeg = "jpeg",
        /// `image/tiff`.
        Tiff = "tiff",
    }
}

impl Media {
    /// The name in HTTP headers (RFC 2046 and the IANA list).
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Tiff => "image/tiff",
        }
    }
}

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: write 64 hexadecimal digits")]
pub struct DigestRefused;

/// A 32-byte digest. JSON: 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ImageDigest(pub [u8; 32]);

impl From<ImageDigest> for [u8; 32] {
    fn from(digest: ImageDigest) -> Self {
        digest.0
    }
}

impl From<[u8; 32]> for ImageDigest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for ImageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for ImageDigest {
    type Err = DigestRefused;

    fn from_str(text: &str) -> Result<Self, DigestRefused> {
        unhex(text.trim()).map(Self).ok_or(DigestRefused)
    }
}

text_in_json!(ImageDigest, [u8; 32]);

/// An image of an order, named by its content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageRef {
    /// BLAKE3 of the bytes: the name under which they are stored and sent.
    pub blake3: ImageDigest,
    /// SHA-256 of the bytes: what courts and other systems compare.
    pub sha256: ImageDigest,
    /// In bytes.
    pub length: u64,
    /// The format.
    pub media: Media,
    /// Pages, 0 when not counted.
    pub pages: u32,
    /// For people: `DV-130, signed`.
    pub title: String,
}
