//! The court's key as a line that a person writes down and types back: hexadecimal in groups of four, the last group a check.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

/// Bytes of the court's key (AES-256).
pub(crate) const KEY_BYTES: usize = 32;
/// Digits of the check.
const CHECK_DIGITS: usize = 4;

/// The court's key, to be kept on paper in a safe. It is shown once, and never to a log.
pub(crate) struct RecoveryCode(pub(crate) Zeroizing<[u8; KEY_BYTES]>);

/// A line that is not a recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotACode {
    /// Too short, too long, or other characters.
    #[error("a recovery code has 17 groups of 4 of the characters 0-9 and a-f")]
    Shape,
    /// A digit is wrong.
    #[error("a character of the recovery code is wrong: compare it with the paper, group by group")]
    Check,
}

fn check(key: &[u8; KEY_BYTES]) -> String {
    let hash = blake3::derive_key("ccpor 2026-11 recovery code check v1", key);
    let [high, low, ..] = hash;
    format!("{high:02x}{low:02x}")
}

impl RecoveryCode {
    /// The line to write down.
    pub(crate) fn line(&self) -> Zeroizing<String> {
        let mut digits = Zeroizing::new(String::with_capacity(2 * KEY_BYTES + CHECK_DIGITS));
        for byte in self.0.iter() {
            digits.push_str(&format!("{byte:02x}"));
        }
        digits.push_str(&check(&self.0));
        let mut line = Zeroizing::new(String::with_capacity(digits.len() * 5 / 4));
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                line.push('-');
            }
            line.push(digit);
        }
        line
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(secret)")
    }
}

impl FromStr for RecoveryCode {
    type Err = NotACode;

    fn from_str(line: &str) -> Result<Self, NotACode> {
        let digits: Zeroizing<Vec<u8>> = Zeroizing::new(
            line.chars()
                .filter(|c| !c.is_whitespace() && *c != '-')
                .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
                .collect::<Option<_>>()
                .ok_or(NotACode::Shape)?,
        );
        if digits.len() != 2 * KEY_BYTES + CHECK_DIGITS {
            return Err(NotACode::Shape);
        }
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().fold(0, |value, digit| value << 4 | digit);
        }
        let typed: String = digits
            .iter()
            .skip(2 * KEY_BYTES)
            .map(|digit| format!("{digit:x}"))
            .collect();
        if typed == check(&key) {
            Ok(Self(key))
        } else {
            Err(NotACode::Check)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_down_is_read_back_however_it_is_spaced(key in any::<[u8; KEY_BYTES]>(), spaced in any::<bool>()) {
            let line = RecoveryCode(Zeroizing::new(key)).line();
            prop_assert_eq!(line.len(), 17 * 5 - 1);
            let typed = if spaced { line.replace('-', " ").to_uppercase() } else { line.to_string() };
            prop_assert_eq!(*typed.parse::<RecoveryCode>().unwrap().0, key);
        }

        #[test]
        fn one_wrong_digit_is_told(key in any::<[u8; KEY_BYTES]>(), place in 0..68_usize, by in 1..16_u32) {
            let line = RecoveryCode(Zeroizing::new(key)).line().replace('-', "");
            let wrong: String = line
                .chars()
                .enumerate()
                .map(|(at, c)| if at == place { char::from_digit((c.to_digit(16).unwrap() + by) % 16, 16).unwrap() } else { c })
                .collect();
            // The check has 16 bits: one wrong key in 65,536 passes it, and is then refused by the keys it does not open.
            if let Ok(code) = wrong.parse::<RecoveryCode>() { prop_assert!(*code.0 != key); }
        }
    }

    #[test]
    fn other_lines_are_told() {
        for bad in ["", "1234", &"g".repeat(68), &"0".repeat(69)] {
            assert_eq!(bad.parse::<RecoveryCode>().unwrap_err(), NotACode::Shape, "{bad}");
        }
        assert_eq!(
            "0".repeat(68).parse::<RecoveryCode>().unwrap_err(),
            NotACode::Check
        );
    }
}
