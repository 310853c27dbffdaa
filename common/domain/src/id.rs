//! The names of orders and of requests: 16 bytes derived from who made them and what they called it.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use crate::text::text_in_json;

/// A text that is not 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier: write 32 hexadecimal digits")]
pub struct HexRefused;

macro_rules! identifier {
    ($(#[$meta:meta])* $name:ident, $context:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The identifier that `origin` gives to what it calls `key`: the same two texts always give the same
            /// one, no other two texts do.
            #[must_use]
            pub fn derive(origin: &str, key: &str) -> Self {
                // Deriving a key from the context costs a hash of its own; it is done once.
                static HASHER: LazyLock<blake3::Hasher> =
                    LazyLock::new(|| blake3::Hasher::new_derive_key($context));
                Self(derived(HASHER.clone(), origin, key))
            }
        }

        impl From<$name> for [u8; 16] {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<[u8; 16]> for $name {
            fn from(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl FromStr for $name {
            type Err = HexRefused;

            fn from_str(text: &str) -> Result<Self, HexRefused> {
                unhex(text.trim()).map(Self).ok_or(HexRefused)
            }
        }

        text_in_json!($name, [u8; 16]);
    };
}

identifier!(
    /// An order, for ever: through amendment, service and ending. JSON: 32 hexadecimal digits.
    OrderId,
    "ccpor 2026 order id v1"
);

identifier!(
    /// One request of one client. A request sent again carries the same one and is done once.
    RequestId,
    "ccpor 2026 request id v1"
);

identifier!(
    /// A sheet of confidential information. JSON: 32 hexadecimal digits.
    SheetId,
    "ccpor 2026 sheet id v1"
);

/// Keyed by purpose (BLAKE3 key derivation), so that an order and a request never share bytes; the origin's length goes
/// first, so that no two pairs of texts read alike.
fn derived(mut hasher: blake3::Hasher, origin: &str, key: &str) -> [u8; 16] {
    hasher.update(&(origin.len() as u64).to_le_bytes());
    hasher.update(origin.as_bytes());
    hasher.update(key.as_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

/// The bytes of exactly `2 * N` hexadecimal digits.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let mut value = 0;
        for &digit in pair {
            value = value * 16 + char::from(digit).to_digit(16)?;
        }
        *byte = u8::try_from(value).ok()?;
    }
    Some(bytes)
}
