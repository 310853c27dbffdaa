//! The registry number: what people read out, type and print instead of an order's 32 digits.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::id::OrderId;
use crate::text::text_in_json;

/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS: usize = 12;

/// A text that is not a registry number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberRefused {
    /// Not twelve letters and digits and a check character.
    #[error("not a registry number: write it as XXXX-XXXX-XXXX-C")]
    Shape,
    /// One character, or the order of two, is wrong.
    #[error(
        "the check character does not fit: one character of the registry number is wrong, or two are swapped"
    )]
    Check,
}

/// The first 60 bits of an order's identifier, written `XXXX-XXXX-XXXX-C`.
///
/// `C` finds every single wrong character and every swap of two. It comes from the same 32 characters (a Reed-Solomon
/// symbol over GF(32)), because Crockford's own five extra check symbols cannot be read over a radio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryNumber(u64);

impl RegistryNumber {
    /// The number of that order.
    #[must_use]
    pub fn of(order: OrderId) -> Self {
        Self((u128::from_be_bytes(order.0) >> 68) as u64)
    }

    /// The 60 bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    fn digits(self) -> [u8; DIGITS] {
        let mut digits = [0; DIGITS];
        for (place, digit) in digits.iter_mut().rev().enumerate() {
            *digit = (self.0 >> (5 * place)) as u8 & 31;
        }
        digits
    }
}

impl OrderId {
    /// The number people use for this order.
    #[must_use]
    pub fn registry_number(self) -> RegistryNumber {
        RegistryNumber::of(self)
    }
}

impl From<RegistryNumber> for u64 {
    fn from(number: RegistryNumber) -> Self {
        number.0
    }
}

impl TryFrom<u64> for RegistryNumber {
    type Error = NumberRefused;

    fn try_from(bits: u64) -> Result<Self, NumberRefused> {
        if bits >> 60 != 0 {
            return Err(NumberRefused::Shape);
        }
        Ok(Self(bits))
    }
}

impl fmt::Display for RegistryNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        for (place, &digit) in digits.iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                f.write_str("-")?;
            }
            f.write_char(letter(digit))?;
        }
        write!(f, "-{}", letter(check_digit(&digits)))
    }
}

impl FromStr for RegistryNumber {
    type Err = NumberRefused;

    /// Takes either case, any blanks and hyphens, O for 0, and I or L for 1.
    fn from_str(text: &str) -> Result<Self, NumberRefused> {
        let mut digits = [0; DIGITS + 1];
        let mut count = 0;
        for character in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let place = digits.get_mut(count).ok_or(NumberRefused::Shape)?;
            *place = digit(character).ok_or(NumberRefused::Shape)?;
            count += 1;
        }
        let [number @ .., check] = digits;
        if count != DIGITS + 1 {
            return Err(NumberRefused::Shape);
        }
        if check_digit(&number) != check {
            return Err(NumberRefused::Check);
        }
        Ok(Self(
            number.iter().fold(0, |bits, &digit| bits << 5 | u64::from(digit)),
        ))
    }
}

text_in_json!(RegistryNumber, u64);

fn letter(digit: u8) -> char {
    ALPHABET
        .get(usize::from(digit))
        .map_or('?', |&byte| char::from(byte))
}

fn digit(character: char) -> Option<u8> {
    let sought = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = ALPHABET.iter().position(|&byte| char::from(byte) == sought)?;
    u8::try_from(place).ok()
}

/// The sum of `digit * 2^place` in GF(32) with the polynomial x^5 + x^2 + 1. The weights are distinct and not zero, so
/// a change of one digit, or a swap of two different ones, always changes it.
fn check_digit(digits: &[u8; DIGITS]) -> u8 {
    digits.iter().fold(0, |sum, &digit| doubled(sum ^ digit))
}

fn doubled(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 32 == 0 {
        shifted
    } else {
        shifted ^ 0b10_0101
    }
}
