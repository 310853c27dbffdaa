//! The judge: weighs one recorded name against the question and says how probable it is that they are one person.
//! After Fellegi and Sunter (1969), with rare names weighing more, and with two further suspects besides a
//! person met at random: the sibling, who shares the surname, and the namesake, who shares the whole name.

use crate::asked::{Asked, Reading};
use crate::birth::BirthAlike;
use crate::candidate::{Candidate, Recorded};
use crate::likeness::Alike;
use crate::naming::{Place, Suffix};
use crate::reason::NameReason;
use crate::room::Vec8;
use crate::surnames::judge_surnames;
use crate::weights::{self, Odds};

/// Below so many bits the exact figure does not matter.
const HOPELESS: f32 = -16.0;

/// The outcome for one recorded name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    /// log2 of the odds that it is the person asked for.
    pub(crate) bits: f32,
    /// Nothing that was asked speaks against the person.
    pub(crate) undisputed: bool,
    pub(crate) surname: (Odds, NameReason),
    pub(crate) given: (Odds, NameReason),
    pub(crate) middle: (Odds, Option<NameReason>),
    pub(crate) birth: BirthAlike,
    pub(crate) swapped: bool,
}

impl Verdict {
    /// The probability, 0 to 1.
    pub(crate) fn score(&self) -> f32 {
        1.0 / (1.0 + (-self.bits).exp2())
    }
}

/// Judges a candidate; `persons` is log2 of the number of names among which it was found.
pub(crate) fn judge(asked: &Asked, candidate: &Candidate<'_>, persons: f32) -> Verdict {
    let birth = asked
        .birth
        .map_or(BirthAlike::Unknown, |asked| asked.compare(candidate.date));
    let mut best: Option<Verdict> = None;
    for reading in &asked.readings {
        let clear = best.is_some_and(|best| best.surname.0.gain() + best.given.0.gain() > 6.0);
        if reading.swapped && (clear || !may_be_swapped(reading, candidate.words)) {
            break;
        }
        let verdict = judge_reading(asked, reading, candidate, birth, persons);
        if best.is_none_or(|best| verdict.bits > best.bits) {
            best = Some(verdict);
        }
    }
    best.unwrap_or(Verdict {
        bits: f32::NEG_INFINITY,
        undisputed: false,
        surname: (Odds::EVEN, NameReason::Differs),
        given: (Odds::EVEN, NameReason::Differs),
        middle: (Odds::EVEN, None),
        birth,
        swapped: false,
    })
}

/// Whether a recorded surname is like any given name asked for.
fn may_be_swapped(reading: &Reading, words: &[Recorded]) -> bool {
    let surnames = words
        .iter()
        .filter(|word| matches!(word.word.place(), Place::Surname | Place::Core));
    let like = |word: &Recorded| {
        reading
            .surnames
            .iter()
            .any(|asked| word.is_like(asked.whole) > Alike::Initial)
    };
    surnames.into_iter().any(like)
}

fn judge_reading(
    asked: &Asked,
    reading: &Reading,
    candidate: &Candidate<'_>,
    birth: BirthAlike,
    persons: f32,
) -> Verdict {
    let mut surname = judge_surnames(asked, reading, candidate);
    if reading.swapped {
        surname.0 = surname.0.less(weights::SWAPPED);
    }
    let (given, mut middle) = judge_given(asked, reading, candidate.words);
    if given.1 == NameReason::Differs && middle.0.gain() > 0.0 {
        // Brothers may well share a middle initial; it does not make up for another first name.
        middle.0 = Odds::EVEN;
    }
    let date = weights::birth(birth);
    let sex = match (asked.sex, candidate.traits.sex) {
        (Some(a), Some(b)) if a == b => weights::SAME_SEX,
        (Some(_), Some(_)) => weights::OTHER_SEX,
        _ => Odds::EVEN,
    };
    let suffix = match (asked.suffix, candidate.traits.suffix) {
        (Suffix::None, _) | (_, Suffix::None) => Odds::EVEN,
        (a, b) if a == b => weights::SAME_SUFFIX,
        _ => weights::OTHER_SUFFIX,
    };
    let names = surname.0.and(&given.0);
    let same = names.same + middle.0.same + date.same + sex.same + suffix.same;
    let random = persons + names.other + middle.0.other + date.other + sex.other + suffix.other;
    let sibling_birth = if birth == BirthAlike::Same {
        weights::SIBLING_SAME_BIRTH
    } else {
        date.other + 1.0
    };
    let sibling =
        weights::SIBLING + surname.0.same + given.0.other + middle.0.other + sibling_birth + sex.other;
    // A son may have his father's whole name.
    let inherited = middle.0.other.max(middle.0.same + weights::NAMESAKE_SAME_MIDDLE);
    let namesake = weights::NAMESAKE + names.same + inherited + date.other + sex.same + suffix.other;
    let undisputed = |how: NameReason| !matches!(how, NameReason::Differs | NameReason::SeveralSlips);
    Verdict {
        bits: same - log2_sum([random, sibling, namesake], same),
        undisputed: undisputed(surname.1)
            && undisputed(given.1)
            && (date.gain() > 0.0 || birth == BirthAlike::Unknown),
        surname,
        given,
        middle,
        birth,
        swapped: reading.swapped,
    }
}

/// log2 of the sum of powers of two; of the greatest alone when it is hopelessly more than `same`.
fn log2_sum(bits: [f32; 3], same: f32) -> f32 {
    let most = bits.into_iter().fold(f32::NEG_INFINITY, f32::max);
    if same - most < HOPELESS {
        return most;
    }
    most + bits
        .into_iter()
        .map(|bit| (bit - most).exp2())
        .sum::<f32>()
        .log2()
}

fn given_odds(asked: &Asked, pattern: usize, recorded: &Recorded) -> (Odds, Alike) {
    let alike = recorded.is_like(pattern);
    let odds = weights::given(alike);
    let odds = match alike {
        Alike::None | Alike::Initial => odds,
        Alike::Same => Odds::new(odds.same, recorded.as_given),
        _ => Odds::new(odds.same, odds.other.max(recorded.as_given)),
    };
    let (_, in_use) = asked.in_use.get(pattern).copied().unwrap_or_default();
    (weights::slip(odds, alike, in_use), alike)
}

fn judge_given(
    question: &Asked,
    reading: &Reading,
    words: &[Recorded],
) -> ((Odds, NameReason), (Odds, Option<NameReason>)) {
    let none = ((Odds::EVEN, NameReason::Same), (Odds::EVEN, None));
    let of = |place: Place| words.iter().filter(move |word| word.word.place() == place);
    if reading.given.is_empty() || of(Place::Given).next().is_none() {
        return none;
    }
    let asked: Vec8<usize> = reading.given.iter().chain(&reading.middle).copied().collect();
    let recorded: Vec8<&Recorded> = of(Place::Given).chain(of(Place::Middle)).collect();
    let (given_asked, given_recorded) = (reading.given.len(), of(Place::Given).count());
    let mut best: Option<(Odds, Alike, usize, usize)> = None;
    for (i, pattern) in asked.iter().enumerate() {
        for (j, word) in recorded.iter().enumerate() {
            let (mut odds, alike) = given_odds(question, pattern, word);
            if (i, j) != (0, 0) {
                // One of the two must be the first name; only a clear agreement counts.
                if (i > 0 && j > 0) || alike < Alike::Nick {
                    continue;
                }
                let bits = if i < given_asked && j < given_recorded {
                    weights::SECOND_GIVEN
                } else {
                    weights::MIDDLE_USED
                };
                odds = odds.less(bits);
            } else if alike == Alike::None && word.length == 1 {
                odds = weights::OTHER_INITIAL;
            }
            if best.is_none_or(|best| odds.gain() > best.0.gain()) {
                best = Some((odds, alike, i, j));
            }
        }
    }
    let Some((odds, alike, i, j)) = best else {
        return none;
    };
    let how = if i >= given_asked || j >= given_recorded {
        NameReason::IsMiddle
    } else {
        NameReason::from(alike)
    };
    let mut middle = judge_middle(&asked, &recorded, i, j);
    if how == NameReason::IsMiddle && middle.1 == Some(NameReason::Differs) {
        // The names are not the same two in another order.
        middle.0 = middle.0.less(weights::MIDDLE_USED_BUT_OTHER);
    }
    ((odds, how), middle)
}

/// What is left of the given names when the first is settled.
fn judge_middle(
    asked: &Vec8<usize>,
    recorded: &Vec8<&Recorded>,
    i: usize,
    j: usize,
) -> (Odds, Option<NameReason>) {
    let mut best: Option<(Odds, Alike)> = None;
    for (_, pattern) in asked.iter().enumerate().filter(|(at, _)| *at != i) {
        for (_, word) in recorded.iter().enumerate().filter(|(at, _)| *at != j) {
            let alike = word.is_like(pattern);
            let odds = weights::middle(alike);
            let odds = match alike {
                Alike::Same if word.length > 1 => Odds::new(odds.same, word.as_given.clamp(-10.0, -4.0)),
                Alike::Same => weights::middle(Alike::Initial),
                _ => odds,
            };
            if best.is_none_or(|best| odds.gain() > best.0.gain()) {
                best = Some((odds, alike));
            }
        }
    }
    best.map_or((Odds::EVEN, None), |(odds, alike)| {
        (odds, Some(NameReason::from(alike)))
    })
}
