//! The blind index: a tag says, to whoever holds the day's key, that an entry is about a person or number, and to nobody else
//! anything. Clues are brought to one spelling first; similar names have unrelated tags.

use std::ops::Range;

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
        self.tag_in(clue, &mut Speller::default())
    }

    /// The same, spelled in buffers that are used for many clues one after the other.
    pub(crate) fn tag_in(&self, clue: Clue<'_>, speller: &mut Speller) -> Option<Tag> {
        let hash = blake3::keyed_hash(&self.0, speller.spelled(clue)?.as_bytes());
        let (front, _) = hash.as_bytes().split_first_chunk::<16>()?;
        Some(Tag(*front))
    }
}

/// Buffers in which clues are brought to their one spelling: an answer may name many people, and who asks waits for their tags.
#[derive(Default)]
pub(crate) struct Speller {
    spelled: Zeroizing<String>,
    letters: Zeroizing<String>,
    words: Vec<Range<usize>>,
}

impl Speller {
    /// The one spelling of a clue, with its kind before it.
    fn spelled(&mut self, clue: Clue<'_>) -> Option<&str> {
        self.spelled.clear();
        let says_something = match clue {
            Clue::Name(first, last) => {
                self.spelled.push_str("name:");
                self.name(first, last)
            }
            Clue::Person(first, last, dob) => {
                self.spelled.push_str("person:");
                let named = self.name(first, last);
                self.spelled.push(':');
                push_letters(&mut self.spelled, dob) && named
            }
            Clue::Number(kind, value) => {
                self.spelled.extend(["number:", kind, ":"]);
                push_letters(&mut self.spelled, value)
            }
        };
        says_something.then_some(self.spelled.as_str())
    }

    /// The words of a name in the order of the alphabet: whoever mixed up first and last names is found as well.
    fn name(&mut self, first: &str, last: &str) -> bool {
        self.letters.clear();
        self.words.clear();
        for word in first.split_whitespace().chain(last.split_whitespace()) {
            let begin = self.letters.len();
            if push_letters(&mut self.letters, word) {
                self.words.push(begin..self.letters.len());
            }
        }
        let letters = self.letters.as_str();
        let word = |place: &Range<usize>| letters.get(place.clone()).unwrap_or_default();
        self.words.sort_unstable_by(|a, b| word(a).cmp(word(b)));
        for (number, place) in self.words.iter().enumerate() {
            if number > 0 {
                self.spelled.push(' ');
            }
            self.spelled.push_str(word(place));
        }
        !self.words.is_empty()
    }
}

/// Letters and digits in capitals, without accents, and nothing else.
pub(crate) fn letters(text: &str) -> String {
    let mut letters = String::new();
    push_letters(&mut letters, text);
    letters
}

/// The same behind what is there; false when the text has none.
fn push_letters(into: &mut String, text: &str) -> bool {
    let before = into.len();
    let mut plain = |text: &str| {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        into.extend(letters.map(|letter| letter.to_ascii_uppercase()));
    };
    // Most names need no transliteration.
    if text.is_ascii() {
        plain(text);
    } else {
        plain(&deunicode::deunicode(text));
    }
    into.len() > before
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
