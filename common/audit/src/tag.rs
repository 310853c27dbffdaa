//! The blind index: a tag says, to whoever holds the day's key, that an entry is about a person or number, and to nobody else
//! anything. Clues are brought to one spelling first; similar names have unrelated tags.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What a tag is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Clue<'a> {
    /// A name alone: first names and surnames, in any order.
    Name(&'a str, &'a str),
    /// A name and a date of birth, `1985-03-12` or its beginning.
    Person(&'a str, &'a str, &'a str),
    /// A number of a person, a vehicle or an order with its kind: `driver_license`, `cii`, `case`.
    Number(&'a str, &'a str),
}

/// 16 bytes that say nothing without the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tag([u8; 16]);

/// Makes the tags of a day.
pub struct TagKey(Zeroizing<[u8; 32]>);

impl TagKey {
    pub(crate) fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// The tag of a clue; none when the clue says nothing.
    #[must_use]
    pub fn tag(&self, clue: Clue<'_>) -> Option<Tag> {
        let text = Zeroizing::new(clue.spelled()?);
        let hash = blake3::keyed_hash(&self.0, text.as_bytes());
        let (front, _) = hash.as_bytes().split_first_chunk::<16>()?;
        Some(Tag(*front))
    }
}

impl Clue<'_> {
    /// The one spelling of a clue, with its kind before it.
    fn spelled(&self) -> Option<String> {
        match self {
            Self::Name(first, last) => name(first, last).map(|name| format!("name:{name}")),
            Self::Person(first, last, dob) => {
                let dob = letters(dob);
                let name = name(first, last).filter(|_| !dob.is_empty())?;
                Some(format!("person:{name}:{dob}"))
            }
            Self::Number(kind, value) => {
                let value = letters(value);
                (!value.is_empty()).then(|| format!("number:{kind}:{value}"))
            }
        }
    }
}

/// The words of a name in the order of the alphabet: whoever mixed up first and last names is found as well.
fn name(first: &str, last: &str) -> Option<String> {
    let mut words: Vec<String> = first
        .split_whitespace()
        .chain(last.split_whitespace())
        .map(letters)
        .filter(|word| !word.is_empty())
        .collect();
    words.sort_unstable();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Letters and digits in capitals, without accents, and nothing else.
pub(crate) fn letters(text: &str) -> String {
    let plain = |text: &str| {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|letter| letter.to_ascii_uppercase()).collect()
    };
    // Most names need no transliteration, and every hit of an answer passes here.
    if text.is_ascii() {
        plain(text)
    } else {
        plain(&deunicode::deunicode(text))
    }
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::hex::written(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> TagKey {
        TagKey::new(Zeroizing::new([byte; 32]))
    }

    #[test]
    fn spellings_of_one_person_have_one_tag_and_other_persons_another() {
        let tag = |clue| key(1).tag(clue);
        let one = tag(Clue::Person("José María", "O'Neil-Muñoz", "1985-03-12"));
        for (first, last, dob) in [
            ("JOSE MARIA", "ONEILMUNOZ", "19850312"),
            ("Maria Jose", "o'neil-munoz", "1985-03-12"),
            ("O'Neil-Muñoz", "José María", "1985.03.12"),
        ] {
            assert_eq!(tag(Clue::Person(first, last, dob)), one);
        }
        assert_ne!(tag(Clue::Person("Jose Maria", "ONEILMUNOZ", "1985-03-13")), one);
        assert_ne!(tag(Clue::Name("Jose Maria", "ONEILMUNOZ")), one);
        assert_ne!(
            tag(Clue::Number("cii", "A1234567")),
            tag(Clue::Number("driver_license", "A1234567"))
        );
        assert_eq!(
            tag(Clue::Number("cii", "a-123 4567")),
            tag(Clue::Number("cii", "A1234567"))
        );
    }

    #[test]
    fn nothing_has_no_tag_and_another_key_another_tag() {
        assert_eq!(key(1).tag(Clue::Name(" ", "'")), None);
        assert_eq!(key(1).tag(Clue::Person("A", "B", "")), None);
        assert_eq!(key(1).tag(Clue::Number("cii", "--")), None);
        assert_ne!(key(1).tag(Clue::Name("A", "B")), key(2).tag(Clue::Name("A", "B")));
    }

    proptest! {
        #[test]
        fn any_text_has_a_tag_or_none_and_case_does_not_matter(first in ".{0,40}", last in ".{0,40}") {
            let (first, last) = (deunicode::deunicode(&first), deunicode::deunicode(&last));
            let one = key(3).tag(Clue::Name(&first, &last));
            let other = key(3).tag(Clue::Name(&last.to_ascii_lowercase(), &first.to_ascii_uppercase()));
            prop_assert_eq!(one, other);
        }
    }
}
