//! The question and the answer: what is asked, how a hit looks, what the scores mean.

use crate::card::{IdKind, NumberKind, Role, Sex};
use crate::date::{Born, PartialDate};
use crate::reason::Reason;

/// Score from which a hit is banded [`Band::Exact`].
pub const EXACT_SCORE: f32 = 0.99;
/// Score from which a hit is banded [`Band::Strong`]: the one published threshold for "listed" or "not listed".
/// On a generated corpus of a million orders one in a hundred of those who are not listed (strangers, namesakes and
/// siblings of listed persons in equal parts) reaches it, and 99 of a hundred who are.
pub const STRONG_SCORE: f32 = 0.58;
/// Score under which a hit is not returned unless the caller asks for less.
pub const DEFAULT_MIN_SCORE: f32 = 0.001;

/// What is asked about one person or one number. Empty strings and `None` mean "not known".
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Given names.
    pub first: String,
    /// Middle names or initials.
    pub middle: String,
    /// Surnames.
    pub last: String,
    /// JR, SR, II, III, IV.
    pub suffix: String,
    /// Date of birth or age.
    pub dob: Option<Born>,
    /// Soft evidence only.
    pub sex: Option<Sex>,
    /// Numbers of the person; each decides alone.
    pub ids: Vec<(IdKind, String)>,
    /// Numbers of the order; each decides alone.
    pub numbers: Vec<(NumberKind, String)>,
    /// Only persons of this role.
    pub role: Option<Role>,
    /// Hits under this score are left out; 0 to 1, not finite is read as the default.
    pub min_score: f32,
    /// Most hits to return.
    pub limit: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            first: String::new(),
            middle: String::new(),
            last: String::new(),
            suffix: String::new(),
            dob: None,
            sex: None,
            ids: Vec::new(),
            numbers: Vec::new(),
            role: None,
            min_score: DEFAULT_MIN_SCORE,
            limit: 20,
        }
    }
}

impl Query {
    /// Gives an age without a moment its moment: the day on which it was observed.
    pub fn as_of(mut self, today: PartialDate) -> Self {
        if let Some(Born::Age { at, .. }) = &mut self.dob {
            at.get_or_insert(today);
        }
        self
    }
}

/// Bounds that the server sets whatever the caller asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most hits of one answer.
    pub hits: usize,
    /// Most postings read for one question; what is beyond is left unread, the likeliest names first.
    pub postings: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hits: 1000,
            postings: 2_000_000,
        }
    }
}

/// How sure a hit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// Plausible only: read the order before acting.
    Possible,
    /// More likely than not the same person.
    Strong,
    /// Practically certain, or an equal number.
    Exact,
}

/// One person of one order, found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Ordinal of the order, as given on its card.
    pub order: u32,
    /// Side of the person who was found.
    pub role: Role,
    /// Index of the person on the card (255: the 256th or later).
    pub person: u8,
    /// Estimated probability, 0 to 1, that this is the person asked for.
    pub score: f32,
    /// The score in words.
    pub band: Band,
    /// What speaks for and against.
    pub why: Vec<Reason>,
}
