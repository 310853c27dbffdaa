//! Freshness: every answer carries, in its type, the moment up to which each court is included; this file must not look anything up.

use ccpor_domain::UtcMillis;
use ccpor_ledger::OriginId;
use serde::Serialize;

/// The moment, by the clock of this machine.
#[must_use]
pub fn now() -> UtcMillis {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    UtcMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Who holds the data that an answer was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A court's node, which owns its court's orders and holds a replica of the others.
    Node,
    /// The hub, which holds a replica of every court.
    Hub,
}

impl Source {
    /// The word for messages: `node` or `hub`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Hub => "hub",
        }
    }
}

/// How far one court's ledger is included in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CourtFreshness {
    /// The ledger that is meant; a court has one for each of its nodes.
    pub origin: OriginId,
    /// Every order of this ledger filed up to this moment is in the answer; none when the ledger was never heard of.
    pub as_of: Option<UtcMillis>,
    /// Age of `as_of` when the answer was made, in milliseconds.
    pub age_ms: Option<i64>,
    /// Whether the age is within the bound that this machine applies.
    pub current: bool,
    /// Why it is not current, in words for a dispatcher; empty when it is.
    pub reason: String,
    /// Whether the operator of this machine chose not to hold it; then it is never current.
    pub left_out: bool,
}

/// The freshness of one answer: all courts, one by one, so that a silent court never hides behind the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Freshness {
    /// When the answer was made.
    pub answered_at: UtcMillis,
    /// Identity of the machine that answered.
    pub served_by: String,
    /// What kind of machine that is.
    pub source: Source,
    /// Every ledger that this machine knows of.
    pub courts: Vec<CourtFreshness>,
}

impl Freshness {
    /// The earliest `as_of` among the courts that are current; none when no court is.
    ///
    /// Courts that are not current are listed by [`Freshness::not_current`] with their own moments: one silent court
    /// must not make the whole state look old.
    #[must_use]
    pub fn as_of(&self) -> Option<UtcMillis> {
        self.courts
            .iter()
            .filter(|court| court.current)
            .filter_map(|court| court.as_of)
            .min()
    }

    /// The same for an answer that is given out again at a later moment: what is in it has aged meanwhile.
    pub(crate) fn given_again(mut self, at: UtcMillis) -> Self {
        let later = at.0.saturating_sub(self.answered_at.0).max(0);
        self.answered_at = UtcMillis(self.answered_at.0.saturating_add(later));
        for age in self.courts.iter_mut().filter_map(|court| court.age_ms.as_mut()) {
            *age = age.saturating_add(later);
        }
        self
    }

    /// The courts whose newest filings may be missing from the answer.
    pub fn not_current(&self) -> impl Iterator<Item = &CourtFreshness> {
        self.courts.iter().filter(|court| !court.current)
    }

    /// Whether every known court is current.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.not_current().next().is_none()
    }
}

/// A value together with its freshness. There is no way to make one without the other: in particular "no match" cannot be
/// said without saying up to when, and for which courts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer<T> {
    value: T,
    freshness: Freshness,
}

impl<T> Answer<T> {
    pub(crate) fn new(value: T, freshness: Freshness) -> Self {
        Self { value, freshness }
    }

    /// What was found.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Up to when, for each court.
    pub fn freshness(&self) -> &Freshness {
        &self.freshness
    }

    /// Both parts.
    pub fn into_parts(self) -> (T, Freshness) {
        (self.value, self.freshness)
    }

    /// The same freshness over another form of the value.
    pub fn map<U>(self, form: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            value: form(self.value),
            freshness: self.freshness,
        }
    }
}
