//! The question made ready: patterns for its words, readings of which word is what, and the words of the
//! index that are near them. It looks words up; it looks at no person.

use crate::birth::{BirthAsked, DateSet};
use crate::card::Sex;
use crate::likeness::{Alike, Pattern, each_misspelling};
use crate::naming::{Naming, PARTICLES, Place, Suffix};
use crate::nickname::{Kinship, related_to};
use crate::query::Query;
use crate::spelling::Word;
use crate::weights::InUse;
use crate::words::{WordId, Words};

/// Words of a question, with variants, beyond this are dropped.
pub(crate) const MOST_PATTERNS: usize = 16;

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
    /// Words of the index near each pattern, by id.
    pub(crate) near: Vec<Vec<(WordId, Alike)>>,
    /// Each pattern itself, as surname and as given name of those who are recorded.
    pub(crate) in_use: Vec<(InUse, InUse)>,
    /// Words that occur and are nicknames of a pattern.
    nicknames: Vec<Vec<(WordId, Alike)>>,
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
            let mut found = Vec::new();
            if let Some(pattern) = self.patterns.get(at).filter(|_| self.is_given(at)) {
                let straight = self
                    .readings
                    .first()
                    .is_some_and(|reading| reading.given.contains(&at));
                add_nicknames(pattern, straight, words, &mut found);
            }
            found
        });
        self.nicknames = all.collect();
    }

    /// Likeness of one recorded word to every pattern.
    pub(crate) fn degrees_of(&self, words: &Words, id: WordId) -> Degrees {
        let mut degrees = [Alike::None; MOST_PATTERNS];
        let Some(row) = words.row(id) else { return degrees };
        for ((degree, pattern), nicknames) in degrees.iter_mut().zip(&self.patterns).zip(&self.nicknames) {
            *degree = pattern.compare(row, || words.word_of(row));
            if let Ok(place) = nicknames.binary_search_by_key(&id, |(word, _)| *word)
                && let Some((_, alike)) = nicknames.get(place)
            {
                *degree = (*degree).max(*alike);
            }
        }
        degrees
    }

    fn find_near(&mut self, words: &Words) {
        let places = 0..self.patterns.len();
        self.near = places
            .map(|at| {
                if self.is_searched(at) {
                    self.near_to(at, words)
                } else {
                    Vec::new()
                }
            })
            .collect();
    }

    /// Middle names are compared, but nobody is looked for by them.
    fn is_searched(&self, pattern: usize) -> bool {
        !self
            .readings
            .iter()
            .any(|reading| reading.middle.contains(&pattern))
    }

    fn near_to(&self, at: usize, words: &Words) -> Vec<(WordId, Alike)> {
        let Some(pattern) = self.patterns.get(at) else {
            return Vec::new();
        };
        let mut found: Vec<(WordId, Alike)> = Vec::with_capacity(256);
        let alike = |id: WordId| {
            words
                .row(id)
                .map_or(Alike::None, |row| pattern.compare(row, || words.word_of(row)))
        };
        let mut codes = Vec::with_capacity(128);
        each_misspelling(&pattern.word, |code| {
            if words.may_occur_code(code) {
                codes.push(code);
            }
        });
        words.touch_codes(&codes);
        // Of a long word the degree is known; a short one has to be looked at.
        let long = pattern.word.len() >= 5;
        let misspelt = codes.iter().filter_map(|code| words.find_code(*code));
        found.extend(misspelt.map(|id| (id, if long { Alike::SpeltOne } else { alike(id) })));

        let mut ids: Vec<WordId> = Vec::with_capacity(128);
        each_variant(&pattern.word, |word| ids.extend(words.find(word)));
        for sounding in pattern.sounds.keys().flat_map(|key| words.sounding(key)) {
            if pattern.may_be_near(sounding.letters, sounding.len) {
                ids.push(sounding.word);
            }
        }
        words.touch(ids.iter().copied());
        found.extend(ids.into_iter().map(|id| (id, alike(id))));
        found.retain(|(_, alike)| *alike > Alike::Near && *alike != Alike::Initial);
        found.extend(self.nicknames.get(at).into_iter().flatten());
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        found.dedup_by_key(|(id, _)| *id);
        found
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
                && let Some(row) = words.find(&Word::new(initial)).and_then(|id| words.row(id))
            {
                marks.add(row.mark);
            }
        }
    }
}

/// The word itself, with and without particles.
fn each_variant(word: &Word, mut each: impl FnMut(&Word)) {
    each(word);
    if word.len() < 3 {
        return;
    }
    for particle in PARTICLES {
        if let Some(rest) = word.letters().strip_prefix(particle.as_bytes())
            && rest.len() >= 3
        {
            each(&Word::new(rest));
        }
        let mut whole = Word::new(particle.as_bytes());
        whole.append(word.letters());
        each(&whole);
    }
}

/// Words that occur and are nicknames of a pattern, by id; for a pattern that is no known name, if `misspelt`,
/// nicknames of the names that are one slip away: MIKEE is MIKE is MICHAEL.
fn add_nicknames(pattern: &Pattern, misspelt: bool, words: &Words, found: &mut Vec<(WordId, Alike)>) {
    let related = related_to(pattern.word.as_str());
    for (name, kinship) in related {
        let alike = match kinship {
            Kinship::Nickname => Alike::Nick,
            Kinship::SharedName => Alike::SharedNick,
        };
        found.extend(words.find(&Word::new(name.as_bytes())).map(|id| (id, alike)));
    }
    if misspelt && related.is_empty() && pattern.word.len() >= 4 {
        each_misspelling(&pattern.word, |code| {
            let Some(name) = words.find_code(code).map(|id| words.word(id)) else {
                return;
            };
            let related = related_to(name.as_str());
            for (other, _) in related
                .iter()
                .filter(|(_, kinship)| *kinship == Kinship::Nickname)
            {
                found.extend(
                    words
                        .find(&Word::new(other.as_bytes()))
                        .map(|id| (id, Alike::NickMisspelt)),
                );
            }
        });
    }
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    found.dedup_by_key(|(id, _)| *id);
}
