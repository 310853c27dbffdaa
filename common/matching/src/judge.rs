//! The judge: weighs one recorded name against the question and says how probable it is that they are one person.
//! After Fellegi and Sunter (1969), with rare names weighing more, and with two further suspects besides a
//! person met at random: the sibling, who shares the surname, and the namesake, who shares the whole name.

use crate::asked::{Asked, AskedSurname, Degrees, Reading};
use crate::birth::BirthAlike;
use crate::date::DateCode;
use crate::likeness::Alike;
use crate::naming::{Place, Suffix};
use crate::people::{PlacedWord, Traits};
use crate::reason::NameReason;
use crate::room::Vec8;
use crate::weights::{self, Odds};

/// Words of a recorded name.
pub(crate) const MOST_WORDS: usize = 16;

/// Below so many bits the exact figure does not matter.
const HOPELESS: f32 = -16.0;

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

/// A recorded name, ready to be judged.
pub(crate) struct Candidate<'a> {
    pub(crate) words: &'a [Recorded],
    /// The surnames written together, when there are several.
    pub(crate) together: &'a [u8],
    pub(crate) date: DateCode,
    pub(crate) traits: Traits,
}

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
            .any(|asked| degree(word, asked.whole) > Alike::Initial)
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
    let (given, mut middle) = judge_given(reading, candidate.words);
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

fn degree(recorded: &Recorded, pattern: usize) -> Alike {
    recorded.degrees.get(pattern).copied().unwrap_or_default()
}

fn surname_odds(recorded: &Recorded, alike: Alike) -> Odds {
    let odds = weights::surname(alike);
    match alike {
        Alike::None => odds,
        Alike::Same => Odds::new(odds.same, recorded.as_surname),
        _ => Odds::new(odds.same, odds.other.max(recorded.as_surname)),
    }
}

fn given_odds(recorded: &Recorded, alike: Alike) -> Odds {
    let odds = weights::given(alike);
    match alike {
        Alike::None | Alike::Initial => odds,
        Alike::Same => Odds::new(odds.same, recorded.as_given),
        _ => Odds::new(odds.same, odds.other.max(recorded.as_given)),
    }
}

/// A surname of the question beside one of the record.
#[derive(Clone, Copy)]
struct Pair {
    asked: usize,
    recorded: usize,
    odds: Odds,
    alike: Alike,
    stray: bool,
}

/// The recorded surnames and, as strays, the full middle names.
struct Surnames<'a> {
    list: [Option<(&'a Recorded, Option<&'a Recorded>, bool)>; 8],
    count: usize,
}

fn recorded_surnames<'a>(words: &'a [Recorded]) -> Surnames<'a> {
    let mut surnames = Surnames {
        list: [None; 8],
        count: 0,
    };
    let mut add = |recorded: &'a Recorded, stray: bool| {
        if let Some(place) = surnames.list.get_mut(surnames.count) {
            *place = Some((recorded, None, stray));
            surnames.count += 1;
        }
    };
    words
        .iter()
        .filter(|word| word.word.place() == Place::Surname)
        .for_each(|word| add(word, false));
    let whole = surnames.count;
    for pair in words.windows(2) {
        if let [before, core] = pair
            && core.word.place() == Place::Core
            && let Some(Some(place)) = surnames
                .list
                .iter_mut()
                .flatten()
                .position(|other| std::ptr::eq(other.0, before))
                .map(|at| surnames.list.get_mut(at).and_then(Option::as_mut))
        {
            place.1 = Some(core);
        }
    }
    let mut count = whole;
    for word in words
        .iter()
        .filter(|word| word.word.place() == Place::Middle && word.length > 2)
    {
        if let Some(place) = surnames.list.get_mut(count) {
            *place = Some((word, None, true));
            count += 1;
        }
    }
    surnames
}

fn judge_surnames(asked: &Asked, reading: &Reading, candidate: &Candidate<'_>) -> (Odds, NameReason) {
    let surnames = recorded_surnames(candidate.words);
    if reading.surnames.is_empty() || surnames.count == 0 {
        return (Odds::EVEN, NameReason::Same);
    }
    let none = (weights::surname(Alike::None), NameReason::Differs);
    let paired = pair_up(reading, &surnames);
    let together = judge_together(asked, reading, candidate, &surnames);
    [none, paired, together].into_iter().fold(none, |best, other| {
        if other.0.gain() > best.0.gain() {
            other
        } else {
            best
        }
    })
}

/// The best odds of one asked surname (or asked middle name astray) against one recorded.
fn best_pair(surname: &AskedSurname, recorded: &(&Recorded, Option<&Recorded>, bool)) -> (Odds, Alike) {
    let whole = degree(recorded.0, surname.whole);
    let mut best = (surname_odds(recorded.0, whole), whole);
    let mut consider = |word: &Recorded, pattern: usize| {
        let alike = degree(word, pattern);
        let odds = surname_odds(word, alike).less(weights::NO_PARTICLE);
        if alike != Alike::None && odds.gain() > best.0.gain() {
            best = (odds, if alike == Alike::Same { Alike::Core } else { alike });
        }
    };
    if let Some(core) = recorded.1 {
        consider(core, surname.whole);
    }
    if let Some(pattern) = surname.core {
        consider(recorded.0, pattern);
        if let Some(core) = recorded.1 {
            consider(core, pattern);
        }
    }
    best
}

fn pair_up(reading: &Reading, surnames: &Surnames<'_>) -> (Odds, NameReason) {
    let mut pairs: [Option<Pair>; 4] = [None; 4];
    let (mut used_asked, mut used_recorded) = (0_u32, 0_u32);
    let strays = reading.middle.iter().map(|at| {
        (
            AskedSurname {
                whole: *at,
                core: None,
            },
            true,
        )
    });
    let all_asked = || {
        reading
            .surnames
            .iter()
            .map(|surname| (*surname, false))
            .chain(strays.clone())
            .take(8)
    };
    for place in &mut pairs {
        let mut best: Option<Pair> = None;
        for (i, (surname, asked_stray)) in all_asked().enumerate() {
            for (j, recorded) in surnames.list.iter().enumerate() {
                let Some(recorded) = recorded else { break };
                if used_asked >> i & 1 == 1 || used_recorded >> j & 1 == 1 || (asked_stray && recorded.2) {
                    continue;
                }
                let (mut odds, alike) = best_pair(&surname, recorded);
                let stray = asked_stray || recorded.2;
                if stray {
                    if !matches!(alike, Alike::Same | Alike::SpeltOne | Alike::SoundsClose) {
                        continue;
                    }
                    odds = odds.less(weights::STRAY);
                }
                if odds.gain() > 1.0 && best.is_none_or(|best| odds.gain() > best.odds.gain()) {
                    best = Some(Pair {
                        asked: i,
                        recorded: j,
                        odds,
                        alike,
                        stray,
                    });
                }
            }
        }
        let Some(found) = best else { break };
        used_asked |= 1 << found.asked;
        used_recorded |= 1 << found.recorded;
        *place = Some(found);
    }
    sum_pairs(&pairs, reading.surnames.len(), surnames.count)
}

fn sum_pairs(pairs: &[Option<Pair>; 4], asked: usize, recorded: usize) -> (Odds, NameReason) {
    let found = || pairs.iter().flatten();
    let Some(first) = found().next() else {
        return (weights::surname(Alike::None), NameReason::Differs);
    };
    let mut odds = found().fold(Odds::EVEN, |sum, pair| sum.and(&pair.odds));
    let asked_left = asked.saturating_sub(found().filter(|pair| pair.asked < asked).count());
    let recorded_left = recorded.saturating_sub(found().filter(|pair| pair.recorded < recorded).count());
    let reversed = found()
        .any(|a| found().any(|b| a.asked < b.asked && a.recorded > b.recorded && !a.stray && !b.stray));
    let weakest = found().map(|pair| pair.alike).min().unwrap_or_default();
    let mut how = NameReason::from(weakest);
    if reversed {
        odds = odds.less(weights::OTHER_ORDER);
        how = NameReason::OtherOrder;
    }
    if asked_left > 0 && recorded_left > 0 {
        odds = odds.less(weights::BOTH_HAVE_MORE);
        how = NameReason::Part;
    } else if asked_left + recorded_left > 0 {
        odds = odds.less(weights::PART_LEFT_OUT);
        odds.other += 1.0;
        if first.alike == Alike::Same {
            how = NameReason::Part;
        }
    }
    (odds, how)
}

/// Surnames written together on one side.
fn judge_together(
    asked: &Asked,
    reading: &Reading,
    candidate: &Candidate<'_>,
    surnames: &Surnames<'_>,
) -> (Odds, NameReason) {
    let mut best = (weights::surname(Alike::None), NameReason::Differs);
    if surnames.count == 1
        && let Some(Some((recorded, _, _))) = surnames.list.first()
    {
        for pattern in &reading.together {
            let alike = degree(recorded, *pattern);
            let fits = match alike {
                Alike::Same | Alike::SpeltOne | Alike::SoundsClose | Alike::SpeltTwo => true,
                Alike::Short => recorded.length >= 8,
                _ => false,
            };
            let odds = surname_odds(recorded, alike).less(weights::TOGETHER);
            if fits && odds.gain() > best.0.gain() {
                best = (odds, NameReason::RunTogether);
            }
        }
    }
    if let ([surname], true) = (reading.surnames.as_slice(), candidate.together.len() >= 6)
        && let Some(pattern) = asked.patterns.get(surname.whole)
        && pattern.word.len() >= 6
    {
        let slips = pattern.slips(candidate.together);
        let first = surnames
            .list
            .first()
            .copied()
            .flatten()
            .map_or(0, |(recorded, _, _)| usize::from(recorded.length));
        let cut =
            pattern.word.len() >= 8.max(first + 1) && candidate.together.starts_with(pattern.word.letters());
        let odds = match slips {
            0 => Odds::new(-2.5, -17.0),
            _ if cut => Odds::new(-4.0, -15.0),
            1 => Odds::new(-5.5, -16.0),
            2 if pattern.word.len() >= 8 => Odds::new(-7.0, -15.0),
            _ => return best,
        };
        if odds.gain() > best.0.gain() {
            best = (odds, NameReason::RunTogether);
        }
    }
    best
}

fn judge_given(reading: &Reading, words: &[Recorded]) -> ((Odds, NameReason), (Odds, Option<NameReason>)) {
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
            let alike = degree(word, pattern);
            let mut odds = given_odds(word, alike);
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
            let alike = degree(word, pattern);
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
