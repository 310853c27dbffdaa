//! The question made ready: patterns for its words, readings of which word is what, and the words of the
//! index that are near them. It looks words up; it looks at no person.

use std::collections::HashMap;

use crate::birth::{BirthAsked, DateSet};
use crate::card::Sex;
use crate::likeness::{Alike, Pattern, each_misspelling};
use crate::naming::{Naming, PARTICLES, Place, Suffix};
use crate::nickname::{Kinship, related_to};
use crate::query::Query;
use crate::spelling::Word;
use crate::words::{WordId, Words};

/// Words of a question, with variants, beyond this are dropped.
pub(crate) const MOST_PATTERNS: usize = 16;
/// A sound shared by more words than this tells too little to look through them all.
const MOST_SOUNDING: usize = 3000;

/// Degrees of likeness of one recorded word to each pattern.
pub(crate) type Degrees = [Alike; MOST_PATTERNS];

/// A surname of the question: the pattern as written, and the one without its particles.
#[derive(Clone, Copy)]
pub(crate) struct AskedSurname {
    pub(crate) whole: usize,
    pub(crate) core: Option<usize>,
}

/// One reading of the question: which patterns are given names and which are surnames.
#[derive(Clone, Default)]
pub(crate) struct Reading {
    pub(crate) given: Vec<usize>,
    pub(crate) middle: Vec<usize>,
    pub(crate) surnames: Vec<AskedSurname>,
    /// All surnames written together, in order and in reverse.
    pub(crate) together: Vec<usize>,
    pub(crate) swapped: bool,
}

/// A question about a person, made ready.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) patterns: Vec<Pattern>,
    /// As asked, and with given name and surname swapped when both are asked.
    pub(crate) readings: Vec<Reading>,
    pub(crate) birth: Option<BirthAsked>,
    pub(crate) sex: Option<Sex>,
    pub(crate) suffix: Suffix,
    /// Words of the index near each pattern, the nearest first.
    pub(crate) near: Vec<Vec<(WordId, Alike)>>,
    /// Words that occur and are nicknames of a pattern.
    nicknames: Vec<HashMap<WordId, Alike>>,
}

impl Asked {
    /// Makes a question ready; `None` when it names nobody.
    pub(crate) fn of(query: &Query, words: &Words) -> Option<Self> {
        let mut naming = Naming::default();
        naming.read(&query.first, &query.middle, &query.last, &query.suffix);
        if naming.words.is_empty() {
            return None;
        }
        let mut asked = Self {
            birth: Some(BirthAsked::of(query.dob.as_ref())),
            sex: query.sex,
            suffix: naming.suffix,
            ..Self::default()
        };
        asked.read(&naming);
        asked.find_nicknames(words);
        asked.find_near(words);
        Some(asked)
    }

    fn read(&mut self, naming: &Naming) {
        let mut straight = Reading::default();
        for (place, word) in &naming.words {
            let Some(at) = self.add(*word) else { break };
            match place {
                Place::Given => straight.given.push(at),
                Place::Middle => straight.middle.push(at),
                Place::Surname => straight.surnames.push(AskedSurname {
                    whole: at,
                    core: None,
                }),
                Place::Core => {
                    if let Some(surname) = straight.surnames.last_mut() {
                        surname.core = Some(at);
                    }
                }
            }
        }
        let mut swapped = Reading {
            swapped: true,
            middle: straight.middle.clone(),
            ..Reading::default()
        };
        if !straight.given.is_empty() && !straight.surnames.is_empty() {
            swapped.given = straight
                .surnames
                .iter()
                .map(|surname| surname.core.unwrap_or(surname.whole))
                .collect();
            swapped.surnames = straight
                .given
                .iter()
                .map(|at| AskedSurname {
                    whole: *at,
                    core: None,
                })
                .collect();
        }
        straight.together = self.write_together(&straight.surnames);
        swapped.together = self.write_together(&swapped.surnames);
        self.readings.push(straight);
        if !swapped.given.is_empty() {
            self.readings.push(swapped);
        }
    }

    fn add(&mut self, word: Word) -> Option<usize> {
        if self.patterns.len() >= MOST_PATTERNS {
            return None;
        }
        self.patterns.push(Pattern::of(word));
        Some(self.patterns.len() - 1)
    }

    fn write_together(&mut self, surnames: &[AskedSurname]) -> Vec<usize> {
        if surnames.len() < 2 {
            return Vec::new();
        }
        let whole = |at: &AskedSurname| {
            self.patterns
                .get(at.whole)
                .map_or(Word::EMPTY, |pattern| pattern.word)
        };
        let words: Vec<Word> = surnames.iter().map(whole).collect();
        let join = |words: &mut dyn Iterator<Item = &Word>| {
            words.fold(Word::EMPTY, |mut all, word| {
                all.append(word.letters());
                all
            })
        };
        let both = [join(&mut words.iter()), join(&mut words.iter().rev())];
        both.into_iter().filter_map(|word| self.add(word)).collect()
    }

    fn is_given(&self, pattern: usize) -> bool {
        self.readings
            .iter()
            .any(|reading| reading.given.contains(&pattern) || reading.middle.contains(&pattern))
    }

    fn find_nicknames(&mut self, words: &Words) {
        let all = (0..self.patterns.len()).map(|at| {
            let mut found = HashMap::new();
            if let Some(pattern) = self.patterns.get(at).filter(|_| self.is_given(at)) {
                for (name, kinship) in related_to(pattern.word.as_str()) {
                    let alike = match kinship {
                        Kinship::Nickname => Alike::Nick,
                        Kinship::SharedName => Alike::SharedNick,
                    };
                    if let Some(id) = words.find(name.as_bytes()) {
                        found.insert(id, alike);
                    }
                }
                add_nicknames_of_misspelt(pattern, words, &mut found);
            }
            found
        });
        self.nicknames = all.collect();
    }

    /// Likeness of one recorded word to every pattern.
    pub(crate) fn degrees_of(&self, words: &Words, id: WordId) -> Degrees {
        let mut degrees = [Alike::None; MOST_PATTERNS];
        let Some(row) = words.row(id) else { return degrees };
        let text = words.text_of(row);
        for ((degree, pattern), nicknames) in degrees.iter_mut().zip(&self.patterns).zip(&self.nicknames) {
            *degree = pattern.compare(row, text);
            if !nicknames.is_empty()
                && let Some(alike) = nicknames.get(&id)
            {
                *degree = (*degree).max(*alike);
            }
        }
        degrees
    }

    fn find_near(&mut self, words: &Words) {
        let mut near = Vec::with_capacity(self.patterns.len());
        for (at, pattern) in self.patterns.iter().enumerate() {
            let mut found: Vec<(WordId, Alike)> = Vec::new();
            let mut add = |id: WordId| {
                if let Some(row) = words.row(id) {
                    let alike = pattern.compare(row, words.text_of(row));
                    if alike > Alike::Near && alike != Alike::Initial {
                        found.push((id, alike));
                    }
                }
            };
            each_near_spelling(&pattern.word, |letters| {
                if let Some(id) = words.find(letters) {
                    add(id);
                }
            });
            for key in pattern.sounds.keys() {
                let sounding = words.sounding(key);
                if sounding.len() <= MOST_SOUNDING {
                    sounding.iter().for_each(|id| add(*id));
                }
            }
            if let Some(nicknames) = self.nicknames.get(at) {
                found.extend(nicknames.iter().map(|(id, alike)| (*id, *alike)));
            }
            found.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
            found.dedup_by_key(|(id, _)| *id);
            let mut seen = std::collections::HashSet::new();
            found.retain(|(id, _)| seen.insert(*id));
            near.push(found);
        }
        self.near = near;
    }

    /// Marks of the given words that may stand beside a surname, for one reading.
    pub(crate) fn mark_given(&self, reading: &Reading, words: &Words, marks: &mut DateSet) {
        marks.add(0);
        for at in &reading.given {
            for (id, _) in self.near.get(*at).into_iter().flatten() {
                if let Some(row) = words.row(*id) {
                    marks.add(row.mark);
                }
            }
            if let Some(pattern) = self.patterns.get(*at)
                && let Some(initial) = pattern.word.letters().get(..1)
                && let Some(row) = words.find(initial).and_then(|id| words.row(id))
            {
                marks.add(row.mark);
            }
        }
    }
}

/// The word itself, every spelling one slip away, with and without particles, and the halves of a word
/// that may be two written together.
fn each_near_spelling(word: &Word, mut each: impl FnMut(&[u8])) {
    let letters = word.letters();
    each(letters);
    if letters.len() < 2 {
        return;
    }
    each_misspelling(word, &mut each);
    if letters.len() < 3 {
        return;
    }
    for particle in PARTICLES {
        if let Some(rest) = letters.strip_prefix(particle.as_bytes())
            && rest.len() >= 3
        {
            each(rest);
        }
        let mut whole = Word::new(particle.as_bytes());
        whole.append(letters);
        each(whole.letters());
    }
}

/// Nicknames of names that are one slip away from what was asked: MIKEE is MIKE is MICHAEL.
fn add_nicknames_of_misspelt(pattern: &Pattern, words: &Words, found: &mut HashMap<WordId, Alike>) {
    if pattern.word.len() < 4 || !related_to(pattern.word.as_str()).is_empty() {
        return;
    }
    each_misspelling(&pattern.word, |letters| {
        let Ok(name) = std::str::from_utf8(letters) else {
            return;
        };
        for (other, kinship) in related_to(name) {
            if *kinship == Kinship::Nickname
                && let Some(id) = words.find(other.as_bytes())
            {
                found.entry(id).or_insert(Alike::NickMisspelt);
            }
        }
    });
}
