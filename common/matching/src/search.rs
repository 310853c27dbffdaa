//! The search: gathers candidates by every road that may lead to the person (date, surname with given name,
//! given name with date) and keeps the best judged. Bounded for every question; the answer depends on the
//! contents alone, never on the order in which they came.

use std::cell::RefCell;

use crate::asked::{Asked, Degrees};
use crate::birth::DateSet;
use crate::candidate::{Candidate, MOST_WORDS, Recorded};
use crate::card::Role;
use crate::date::DateCode;
use crate::explain::reasons;
use crate::judge::{Verdict, judge};
use crate::likeness::Alike;
use crate::naming::Place;
use crate::people::{Entry, EntryId, People, Posting};
use crate::query::{Limits, Query};
use crate::reason::Reason;
use crate::room::{NearWords, Remembered};
use crate::spelling::Word;
use crate::weights::InUse;
use crate::words::{WordId, Words};

/// Hits kept before the worse ones are dropped.
const MOST_KEPT: usize = 4096;
/// Names of an index with fewer are as frequent as in one of this size: a small court must not take
/// every name for a common one.
const SMALLEST_POPULATION: f32 = 20_000.0;
/// What a name not seen yet is taken to share of the population.
const UNSEEN: f32 = 0.000_05;

/// A hit before it is put in words.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) bits: f32,
    pub(crate) score: f32,
    pub(crate) order: u32,
    pub(crate) role: Role,
    pub(crate) person: u8,
    /// Settles which of two names of one person is shown when both weigh the same: the primary one, then by content.
    tie: u64,
    entry: EntryId,
}

/// A full name of which more than this share (log2) is common: nobody is told by it and a wrong date.
const COMMON: f32 = -14.5;
/// Candidates that are judged together.
const BATCH: usize = 64;

/// Room that a thread keeps from one question to the next.
#[derive(Default)]
struct Room {
    degrees: Remembered<Degrees>,
    seen: Remembered<()>,
    near: NearWords,
    telling: DateSet,
    marks: DateSet,
    dates: Vec<DateCode>,
    batch: Vec<EntryId>,
}

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

/// Finds the persons asked for, the likeliest first, with their reasons.
pub(crate) fn search(
    words: &Words,
    people: &People,
    query: &Query,
    limits: &Limits,
) -> Vec<(Found, Vec<Reason>)> {
    let Some(mut asked) = Asked::of(query, words) else {
        return Vec::new();
    };
    asked.in_use = asked
        .patterns
        .iter()
        .map(|pattern| in_use(words.find(&pattern.word), people))
        .collect();
    ROOM.with_borrow_mut(|room| {
        room.degrees.clear();
        room.seen.clear();
        room.batch.clear();
        room.near
            .fill(words.len(), asked.near.iter().flatten().map(|(id, _)| *id));
        let mut search = Search {
            words,
            people,
            asked: &asked,
            query,
            room,
            found: Vec::new(),
            left: limits.postings,
            most: query.limit.min(limits.hits),
            persons: (people.len() as f32).max(1000.0).log2(),
        };
        search.by_date();
        search.by_surname();
        search.by_given();
        search.judge_batch();
        search.finish()
    })
}

struct Search<'a> {
    words: &'a Words,
    people: &'a People,
    asked: &'a Asked,
    query: &'a Query,
    room: &'a mut Room,
    found: Vec<Found>,
    /// Postings that may still be read.
    left: usize,
    most: usize,
    persons: f32,
}

impl Search<'_> {
    fn degrees_of(&mut self, id: WordId) -> Degrees {
        if let Some(degrees) = self.room.degrees.get(id) {
            return degrees;
        }
        let degrees = self.asked.degrees_of(self.words, id);
        self.room.degrees.put(id, degrees);
        degrees
    }

    /// Everybody born on the day; of those born on neighbouring days whoever has a word near what was asked.
    fn by_date(&mut self) {
        let Some(birth) = self.asked.birth else { return };
        if let crate::birth::BirthAsked::Day { year, month, day } = birth {
            for id in self.people.born_on(crate::date::code(year, month, day)) {
                self.consider(*id);
            }
        }
        let mut dates = std::mem::take(&mut self.room.dates);
        dates.clear();
        birth.neighbours(&mut dates);
        for date in &dates {
            let ids = self.people.born_on(*date);
            self.left = self.left.saturating_sub(ids.len());
            for id in ids {
                if self.has_near_word(*id) {
                    self.consider(*id);
                }
            }
        }
        self.room.dates = dates;
    }

    fn has_near_word(&self, id: EntryId) -> bool {
        let Some(entry) = self.people.entry(id) else {
            return false;
        };
        let words = self.people.words_of(entry);
        words
            .iter()
            .any(|placed| placed.place() != Place::Middle && self.room.near.has(placed.word()))
    }

    /// Whoever has a surname near what was asked and besides a near given name or a telling date.
    fn by_surname(&mut self) {
        let Some(birth) = self.asked.birth else { return };
        for reading in &self.asked.readings {
            let known = reading
                .given
                .iter()
                .any(|at| self.asked.patterns.get(*at).is_some_and(|p| p.word.len() > 1));
            self.room.telling.clear();
            birth.mark_telling(&mut self.room.telling, known);
            self.room.marks.clear();
            self.asked.mark_given(reading, self.words, &mut self.room.marks);
            let given = self.given_share(reading);
            let surnames = reading
                .surnames
                .iter()
                .flat_map(|s| [Some(s.whole), s.core])
                .flatten();
            for pattern in surnames.chain(reading.together.iter().copied()) {
                let near = self
                    .asked
                    .near
                    .get(pattern)
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                // In the less likely reading only clear agreement is followed.
                let follow = |alike: Alike| {
                    !reading.swapped || matches!(alike, Alike::Same | Alike::SpeltOne | Alike::SoundsClose)
                };
                let near = || {
                    near.iter()
                        .filter(|(_, alike)| follow(*alike))
                        .map(|(word, _)| *word)
                };
                self.people.touch_surnames(near());
                for word in near() {
                    self.through(self.people.with_surname(word), given);
                }
            }
        }
    }

    /// Takes from the list of a surname who has a near given name or a telling date. Where surname and given
    /// name are both common, a namesake with quite another date is one of many: then the year must agree too.
    fn through(&mut self, postings: &[Posting], given: f32) {
        if postings.len() > self.left {
            return;
        }
        self.left -= postings.len();
        let year = match self.asked.birth {
            Some(crate::birth::BirthAsked::Day { year, .. })
                if share(self.people, postings.len()) + given > COMMON =>
            {
                crate::date::years(year, year)
            }
            _ => 0..=DateCode::MAX,
        };
        for posting in postings {
            if self.room.telling.has(posting.date)
                || (self.room.marks.has(posting.mark) && year.contains(&posting.date))
            {
                self.consider(posting.entry);
            }
        }
    }

    /// log2 of the share of the most frequent given name near what is asked.
    fn given_share(&self, reading: &crate::asked::Reading) -> f32 {
        let near = reading
            .given
            .iter()
            .filter_map(|at| self.asked.near.get(*at))
            .flatten();
        let clear = near.filter(|(_, alike)| *alike == Alike::Same);
        share(
            self.people,
            clear
                .map(|(word, _)| self.people.with_given(*word).len())
                .max()
                .unwrap_or(0),
        )
    }

    /// Whoever has the given name asked for and was born when asked, whatever the surname.
    fn by_given(&mut self) {
        let Some(birth) = self.asked.birth else { return };
        let Some(codes) = birth.span_codes() else { return };
        let Some(reading) = self.asked.readings.first() else {
            return;
        };
        for pattern in &reading.given {
            let near = self
                .asked
                .near
                .get(*pattern)
                .map(Vec::as_slice)
                .unwrap_or_default();
            for (word, alike) in near {
                if *alike < Alike::Nick {
                    continue;
                }
                let postings = self.people.with_given(*word);
                let from = postings.partition_point(|posting| posting.date < *codes.start());
                let to = postings.partition_point(|posting| posting.date <= *codes.end());
                let postings = postings.get(from..to).unwrap_or_default();
                if postings.len() > self.left {
                    return;
                }
                self.left -= postings.len();
                for posting in postings {
                    self.consider(posting.entry);
                }
            }
        }
    }

    /// Takes an entry to be judged, once.
    fn consider(&mut self, id: EntryId) {
        if self.room.seen.put(id, ()) {
            self.room.batch.push(id);
            if self.room.batch.len() >= BATCH {
                self.judge_batch();
            }
        }
    }

    fn judge_batch(&mut self) {
        let mut batch = std::mem::take(&mut self.room.batch);
        self.people.touch(&batch, self.words);
        for id in batch.drain(..) {
            self.judge_entry(id);
        }
        self.room.batch = batch;
    }

    fn judge_entry(&mut self, id: EntryId) {
        let Some(entry) = self.people.entry(id).copied() else {
            return;
        };
        if self.query.role.is_some_and(|role| role != entry.role()) {
            return;
        }
        let Some(verdict) = self.judge(&entry, |_, _| ()).map(|(verdict, ())| verdict) else {
            return;
        };
        let score = verdict.score();
        let floor = if self.query.min_score.is_finite() {
            self.query.min_score
        } else {
            crate::query::DEFAULT_MIN_SCORE
        };
        if score < floor && !(verdict.undisputed && floor <= crate::query::DEFAULT_MIN_SCORE) {
            return;
        }
        self.found.push(Found {
            bits: verdict.bits,
            score,
            order: entry.order,
            role: entry.role(),
            person: entry.person,
            tie: self.tie_of(&entry),
            entry: id,
        });
        if self.found.len() >= MOST_KEPT.max(self.most * 2) {
            self.keep_best();
        }
    }

    /// Judges an entry; `None` when no word of it is like any asked.
    fn judge<T>(
        &mut self,
        entry: &Entry,
        then: impl FnOnce(&Candidate<'_>, &Verdict) -> T,
    ) -> Option<(Verdict, T)> {
        let people = self.people;
        let placed = people.words_of(entry);
        let empty = Recorded {
            word: *placed.first()?,
            degrees: [Alike::None; crate::asked::MOST_PATTERNS],
            as_surname: 0.0,
            as_given: 0.0,
            length: 0,
        };
        let mut recorded = [empty; MOST_WORDS];
        let mut any = false;
        let count = placed.len().min(MOST_WORDS);
        for (place, word) in recorded.iter_mut().zip(placed) {
            place.word = *word;
            place.degrees = self.degrees_of(word.word());
            place.length = self.words.row(word.word()).map_or(0, |row| row.len);
            any |= word.place() != Place::Middle && place.degrees.iter().any(|degree| degree.tells());
        }
        if !any {
            return None;
        }
        let recorded = recorded.get_mut(..count)?;
        for place in recorded.iter_mut() {
            if place.degrees.iter().any(|degree| *degree != Alike::None) {
                place.as_surname = share(self.people, self.people.with_surname(place.word.word()).len());
                place.as_given = share(self.people, self.people.with_given(place.word.word()).len());
            }
        }
        let mut together = Word::EMPTY;
        if placed
            .iter()
            .filter(|word| word.place() == Place::Surname)
            .count()
            > 1
        {
            for word in placed.iter().filter(|word| word.place() == Place::Surname) {
                together.append(self.words.word(word.word()).letters());
            }
        }
        let candidate = Candidate {
            words: recorded,
            together: together.letters(),
            date: entry.date,
            traits: entry.traits(),
        };
        let verdict = judge(self.asked, &candidate, self.persons);
        let out = then(&candidate, &verdict);
        Some((verdict, out))
    }

    /// A number that depends on the content of an entry alone, lower for a primary name.
    fn tie_of(&self, entry: &Entry) -> u64 {
        let words = self.people.words_of(entry).iter();
        let codes = words
            .map(|placed| self.words.row(placed.word()).map_or(0, |row| row.code) ^ placed.place() as u64);
        let mix = |hash: u64, code: u64| (hash.rotate_left(7) ^ code).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        codes.fold(mix(0, u64::from(entry.date)), mix) >> 1 | u64::from(entry.traits().alias) << 63
    }

    fn keep_best(&mut self) {
        sort(&mut self.found);
        let mut before = None;
        self.found.retain(|found| {
            let who = (found.order, found.role, found.person);
            before.replace(who) != Some(who)
        });
        self.found.sort_by(rank);
        self.found.truncate(self.most);
    }

    fn finish(&mut self) -> Vec<(Found, Vec<Reason>)> {
        self.keep_best();
        let found = std::mem::take(&mut self.found);
        let with_reasons = found.into_iter().map(|found| {
            let entry = self.people.entry(found.entry).copied();
            let asked = self.asked;
            let why = entry.and_then(|entry| {
                self.judge(&entry, |candidate, verdict| reasons(asked, candidate, verdict))
            });
            (found, why.map(|(_, why)| why).unwrap_or_default())
        });
        with_reasons.collect()
    }
}

/// By person, the best name first.
fn sort(found: &mut [Found]) {
    found.sort_by(|a, b| {
        (a.order, a.role, a.person)
            .cmp(&(b.order, b.role, b.person))
            .then(b.bits.total_cmp(&a.bits))
            .then(a.tie.cmp(&b.tie))
    });
}

/// The likeliest first, then by order, role and person.
fn rank(a: &Found, b: &Found) -> std::cmp::Ordering {
    b.bits
        .total_cmp(&a.bits)
        .then((a.order, a.role, a.person).cmp(&(b.order, b.role, b.person)))
}

/// A word asked for, as surname and as given name of those who are recorded.
fn in_use(word: Option<WordId>, people: &People) -> (InUse, InUse) {
    let count = |of: fn(&People, WordId) -> usize| word.map_or(0, |word| of(people, word));
    let surname = count(|people, word| people.with_surname(word).len());
    let given = count(|people, word| people.with_given(word).len());
    if surname + given == 0 {
        return (InUse::No, InUse::No);
    }
    (
        InUse::Share(share(people, surname)),
        InUse::Share(share(people, given)),
    )
}

/// log2 of the share of names that have a word so many times.
fn share(people: &People, count: usize) -> f32 {
    let seen = count as f32 + UNSEEN * SMALLEST_POPULATION;
    (seen / (people.len() as f32 + SMALLEST_POPULATION)).log2()
}
