//! A recorded name, ready to be weighed against the question. It weighs nothing itself.

use crate::asked::Degrees;
use crate::date::DateCode;
use crate::likeness::Alike;
use crate::people::{PlacedWord, Traits};

/// Words of a recorded name.
pub(crate) const MOST_WORDS: usize = 16;

/// One recorded word: where it stands, how it is like what is asked, how frequent it is.
#[derive(Clone, Copy)]
pub(crate) struct Recorded {
    pub(crate) word: PlacedWord,
    pub(crate) degrees: Degrees,
    /// log2 of the share of names that have the word as surname, and as given name.
    pub(crate) as_surname: f32,
    pub(crate) as_given: f32,
    pub(crate) length: u8,
}

impl Recorded {
    /// How it is like a pattern of the question.
    pub(crate) fn is_like(&self, pattern: usize) -> Alike {
        self.degrees.get(pattern).copied().unwrap_or_default()
    }
}

/// A recorded name, ready to be judged.
pub(crate) struct Candidate<'a> {
    pub(crate) words: &'a [Recorded],
    /// The surnames written together, when there are several.
    pub(crate) together: &'a [u8],
    pub(crate) date: DateCode,
    pub(crate) traits: Traits,
}
