//! Codes that are good once: set-up codes and recovery codes. Only their hashes are kept. They are long and random, so that a
//! plain hash keeps them.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// Letters that are told apart when read aloud or from paper.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// The hash of a code, in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OneTime(String);

/// The random numbers of the system could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random numbers; try again")]
pub struct NoRandomness;

impl OneTime {
    /// A new code of 80 random bits, and what is kept of it: `ABCD-EFGH-JKLM-NPQR`.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate() -> Result<(Secret, Self), NoRandomness> {
        let mut bytes = [0; 16];
        rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
        let mut code = String::new();
        for (place, byte) in bytes.iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                code.push('-');
            }
            let letter = LETTERS.get(usize::from(byte & 31)).copied().unwrap_or(b'A');
            code.push(char::from(letter));
        }
        let kept = Self::of(&code);
        Ok((Secret::new(code), kept))
    }

    /// Whether this is the code; blanks, hyphens and case do not count.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), Self::of(code).0.as_bytes()).is_ok()
    }

    fn of(code: &str) -> Self {
        let mut plain: String = code
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        let hash = digest(&SHA256, plain.as_bytes());
        zeroize::Zeroize::zeroize(&mut plain);
        Self(hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_typed_and_no_other_is() {
        let (code, kept) = OneTime::generate().unwrap();
        let (other, _) = OneTime::generate().unwrap();
        assert_eq!(code.reveal().len(), 19);
        let typed = code.reveal().to_lowercase().replace('-', " ");
        assert!(kept.is(code.reveal()) && kept.is(&typed) && !kept.is(other.reveal()) && !kept.is(""));
        assert_eq!(format!("{code:?}"), "(secret)");
    }
}
