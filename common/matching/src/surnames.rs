//! Weighs the surnames of a recorded name against those asked for: whole, in part, in another order, run together or astray among the
//! middle names.

use crate::asked::{Asked, AskedSurname, Reading};
use crate::candidate::{Candidate, Recorded};
use crate::likeness::Alike;
use crate::naming::Place;
use crate::reason::NameReason;
use crate::weights::{self, Odds};

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

pub(crate) fn judge_surnames(
    asked: &Asked,
    reading: &Reading,
    candidate: &Candidate<'_>,
) -> (Odds, NameReason) {
    let surnames = recorded_surnames(candidate.words);
    if reading.surnames.is_empty() || surnames.count == 0 {
        return (Odds::EVEN, NameReason::Same);
    }
    let none = (weights::surname(Alike::None), NameReason::Differs);
    let paired = pair_up(asked, reading, &surnames);
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
fn best_pair(
    asked: &Asked,
    surname: &AskedSurname,
    recorded: &(&Recorded, Option<&Recorded>, bool),
) -> (Odds, Alike) {
    let mut best = surname_odds(asked, surname.whole, recorded.0);
    let mut consider = |word: &Recorded, pattern: usize| {
        let (odds, alike) = surname_odds(asked, pattern, word);
        let odds = odds.less(weights::NO_PARTICLE);
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

fn pair_up(asked: &Asked, reading: &Reading, surnames: &Surnames<'_>) -> (Odds, NameReason) {
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
                let (mut odds, alike) = best_pair(asked, &surname, recorded);
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
            let (odds, alike) = surname_odds(asked, *pattern, recorded);
            let fits = match alike {
                Alike::Same | Alike::SpeltOne | Alike::SoundsClose | Alike::SpeltTwo => true,
                Alike::Short => recorded.length >= 8,
                _ => false,
            };
            let odds = odds.less(weights::TOGETHER);
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

fn surname_odds(asked: &Asked, pattern: usize, recorded: &Recorded) -> (Odds, Alike) {
    let alike = recorded.is_like(pattern);
    let odds = weights::surname(alike);
    let odds = match alike {
        Alike::None => odds,
        Alike::Same => Odds::new(odds.same, recorded.as_surname),
        _ => Odds::new(odds.same, odds.other.max(recorded.as_surname)),
    };
    let (in_use, _) = asked.in_use.get(pattern).copied().unwrap_or_default();
    (weights::slip(odds, alike, in_use), alike)
}
