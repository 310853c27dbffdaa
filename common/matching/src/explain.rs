//! Explains a verdict: which reasons are given with a hit, in which order. It weighs nothing.

use crate::asked::Asked;
use crate::birth::BirthAsked;
use crate::candidate::Candidate;
use crate::judge::Verdict;
use crate::naming::Suffix;
use crate::reason::{BirthReason, Reason};

/// The verdict in words.
pub(crate) fn reasons(asked: &Asked, candidate: &Candidate<'_>, verdict: &Verdict) -> Vec<Reason> {
    let mut why = Vec::with_capacity(6);
    if verdict.swapped {
        why.push(Reason::NamesSwapped);
    }
    let asks_surname = asked.readings.iter().any(|reading| !reading.surnames.is_empty());
    let asks_given = asked.readings.iter().any(|reading| !reading.given.is_empty());
    if asks_surname {
        why.push(Reason::Surname(verdict.surname.1));
    }
    if asks_given {
        why.push(Reason::Given(verdict.given.1));
    }
    why.extend(verdict.middle.1.map(Reason::Middle));
    if asked.birth.is_some_and(|birth| birth != BirthAsked::Nothing) {
        why.push(Reason::Birth(BirthReason::from(verdict.birth)));
    }
    if candidate.traits.alias {
        why.push(Reason::ByAlias);
    }
    if let (Some(a), Some(b)) = (asked.sex, candidate.traits.sex)
        && a != b
    {
        why.push(Reason::SexDiffers);
    }
    match (asked.suffix, candidate.traits.suffix) {
        (Suffix::None, _) | (_, Suffix::None) => {}
        (a, b) if a == b => why.push(Reason::SameSuffix),
        _ => why.push(Reason::SuffixDiffers),
    }
    why
}
