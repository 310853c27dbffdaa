//! Whether two descriptions are of one person, as far as a sign needs: same words of the name, and dates of birth that agree where
//! both are said.

use std::collections::BTreeSet;

use crate::tag::letters;
use crate::told::Asked;

/// Who somebody is: what stays the same when the same person is asked for again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Person {
    words: BTreeSet<String>,
    dob: String,
}

impl Person {
    /// A person with a name; none when no name is said.
    pub(super) fn of(first: &str, last: &str, dob: &str) -> Option<Self> {
        let words: BTreeSet<String> = words(first).chain(words(last)).collect();
        (words.len() > 1).then(|| Self {
            words,
            dob: letters(dob),
        })
    }

    /// The person who was asked for.
    pub(super) fn asked(asked: &Asked) -> Option<Self> {
        Self::of(&asked.first, &asked.last, &asked.dob)
    }

    /// Whether both may be one.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        let dates = self.dob.starts_with(&other.dob) || other.dob.starts_with(&self.dob);
        dates && (self.words.is_subset(&other.words) || other.words.is_subset(&self.words))
    }
}

/// The words of a name in one spelling; hyphens part them.
pub(super) fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|letter: char| letter.is_whitespace() || letter == '-')
        .map(letters)
        .filter(|word| !word.is_empty())
}
