//! Questions with known answers: by class, what somebody asks who means a listed person, or one who is not listed.

use std::collections::{HashMap, HashSet};

use ccpor_matching::{Born, IdKind, PartialDate, Query};
use jiff::civil::{Date, date};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};

use super::corpus::Question;
use super::names::Names;
use super::people::{Invented, partial, sex, shifted};
use super::slips::{Homophones, typo};

/// Those who are not listed may have a namesake born so many days before or after at the nearest.
const APART: i32 = 730;

/// Whom the questions are about and what they are made with.
pub(super) struct Questions<'a> {
    pub(super) names: &'a Names,
    /// Persons of the first orders, so that the same questions serve a corpus of any size.
    pub(super) pool: Vec<(u32, Invented)>,
    /// Questions of a class.
    pub(super) each: usize,
    pub(super) seed: u64,
}

/// Name and date, ready to be asked.
struct Said {
    first: String,
    middle: String,
    last: String,
    born: Option<PartialDate>,
}

impl Said {
    fn of(person: &Invented) -> Self {
        Self {
            first: person.name.first.clone(),
            middle: person.name.middle.clone(),
            last: person.name.last.clone(),
            born: Some(partial(person.name.born)),
        }
    }

    fn question(self, class: &'static str, person: &Invented, truth: Option<u32>) -> Question {
        Question {
            class: class.to_owned(),
            truth,
            query: Query {
                first: self.first,
                middle: self.middle,
                last: self.last,
                dob: self.born.map(Born::On),
                sex: Some(sex(person.male)),
                limit: super::corpus::LIMIT,
                ..Query::default()
            },
        }
    }
}

/// How somebody who means the person says it; `None` when the class does not fit the person.
type Saying<'a> = Box<dyn Fn(&Invented, &mut StdRng) -> Option<Said> + 'a>;

impl Questions<'_> {
    /// Questions about listed persons, class by class.
    pub(super) fn about_listed(&self) -> Vec<Question> {
        let surnames = Homophones::surnames(self.names);
        let givens = Homophones::given(self.names);
        let mut questions = Vec::new();
        for (class, saying) in sayings(self.names, &surnames, &givens) {
            let random = &mut StdRng::seed_from_u64(self.seed ^ class.len() as u64);
            let mut pool: Vec<&(u32, Invented)> = self.pool.iter().collect();
            pool.shuffle(random);
            let said = pool.into_iter().filter_map(|(number, person)| {
                Some(saying(person, random)?.question(class, person, Some(*number)))
            });
            questions.extend(said.take(self.each));
        }
        let licensed = self.pool.iter().filter(|(_, person)| !person.license.is_empty());
        questions.extend(licensed.take(self.each).map(|(number, person)| Question {
            class: "dl_exact".into(),
            truth: Some(*number),
            query: Query {
                ids: vec![(IdKind::DriverLicense, person.license.clone())],
                limit: super::corpus::LIMIT,
                ..Query::default()
            },
        }));
        questions
    }

    /// Questions about persons who are not listed: strangers, namesakes of listed persons, siblings. `listed` are the
    /// names of the corpus with their dates.
    pub(super) fn about_others(&self, listed: &Listed) -> Vec<Question> {
        let random = &mut StdRng::seed_from_u64(!self.seed);
        let mut questions = Vec::new();
        while questions.len() < self.each {
            let stranger = Invented::person(self.names, random.random(), 0);
            if !listed.near(
                &stranger.name.first,
                &stranger.name.last,
                stranger.name.born,
                APART,
            ) {
                questions.push(Said::of(&stranger).question("neg_random", &stranger, None));
            }
        }
        let namesakes = self.pool.iter().filter_map(|(_, person)| {
            let name = &person.name;
            let days = random.random_range(APART + 1..4000) * if random.random_bool(0.5) { 1 } else { -1 };
            let born = shifted(name.born, days);
            let mut said = Said::of(person);
            said.middle = self
                .names
                .given(person.male, name.born.year(), person.group, random)
                .to_owned();
            said.born = Some(partial(born));
            let far = !listed.near(&name.first, &name.last, born, APART);
            far.then(|| said.question("neg_namesake", person, None))
        });
        questions.extend(namesakes.take(self.each));
        let siblings = self.pool.iter().filter_map(|(_, person)| {
            let name = &person.name;
            let mut said = Said::of(person);
            let given = |random: &mut StdRng| {
                self.names
                    .given(person.male, name.born.year(), person.group, random)
            };
            said.first = given(random).to_owned();
            said.middle = given(random).to_owned();
            // Who has the other's names in another order is not another person.
            let like =
                |a: &str, b: &str| rapidfuzz::distance::jaro_winkler::similarity(a.chars(), b.chars()) >= 0.7;
            let other = !like(&said.first, &name.first)
                && !like(&said.first, &name.middle)
                && !like(&said.middle, &name.first)
                && !self.names.nicknames(&name.first).contains(&said.first)
                && !listed.near(&said.first, &name.last, name.born, 0);
            other.then(|| said.question("neg_sibling", person, None))
        });
        questions.extend(siblings.take(self.each));
        questions
    }
}

/// The classes of questions about listed persons.
fn sayings<'a>(
    names: &'a Names,
    surnames: &'a Homophones,
    givens: &'a Homophones,
) -> Vec<(&'static str, Saying<'a>)> {
    let said = |change: fn(&mut Said, &Invented, &mut StdRng) -> bool| -> Saying<'a> {
        Box::new(move |person, random| {
            let mut said = Said::of(person);
            change(&mut said, person, random).then_some(said)
        })
    };
    let misheard = move |person: &Invented, random: &mut StdRng| {
        let mut said = Said::of(person);
        if random.random_bool(0.6) {
            said.last = surnames.misheard(&said.last, random);
        } else {
            said.first = givens.misheard(&said.first, random);
        }
        Some(said)
    };
    let nickname = |person: &Invented, random: &mut StdRng| {
        let mut said = Said::of(person);
        said.first = names.nicknames(&said.first).choose(random)?.clone();
        Some(said)
    };
    let compound = move |person: &Invented, random: &mut StdRng| {
        let mut said = Said::of(person);
        if let Some(nickname) = names.nicknames(&said.first).choose(random)
            && random.random_bool(0.5)
        {
            said.first = nickname.clone();
        }
        said.middle.clear();
        said.last = if random.random_bool(0.5) {
            surnames.misheard(&said.last, random)
        } else {
            typo(&said.last, random)
        };
        if random.random_bool(0.5) {
            day_beside(&mut said, person, random);
        }
        Some(said)
    };
    vec![
        ("exact", said(|_, _, _| true)),
        ("typo1", said(|said, _, random| slip(said, random))),
        (
            "typo2",
            said(|said, _, random| slip(said, random) && slip(said, random)),
        ),
        ("phonetic", Box::new(misheard)),
        (
            "swap_names",
            said(|said, _, _| {
                std::mem::swap(&mut said.first, &mut said.last);
                true
            }),
        ),
        (
            "no_middle",
            said(|said, _, random| {
                let fits = said.middle.len() > 1;
                said.middle.truncate(usize::from(random.random_bool(0.4)));
                fits
            }),
        ),
        ("dob_off1", said(day_beside)),
        (
            "dob_swap_md",
            said(|said, person, _| {
                let born = person.name.born;
                said.born = Date::new(born.year(), born.day(), born.month()).ok().map(partial);
                said.born.is_some() && born.day() != born.month()
            }),
        ),
        (
            "dob_year",
            said(|said, person, random| {
                let born = person.name.born;
                let years = [-1, 1, -10, 10].choose(random).copied().unwrap_or(1);
                let day = if born.month() == 2 {
                    born.day().min(28)
                } else {
                    born.day()
                };
                said.born = Some(partial(date(born.year() + years, born.month(), day)));
                true
            }),
        ),
        ("surname_part", said(surname_part)),
        (
            "surname_hyph",
            said(|said, person, random| {
                let fits = !said.last.contains([' ', '-']);
                said.last = if random.random_bool(0.5) {
                    format!("{}-{}", said.last, person.other_surname)
                } else {
                    format!("{} {}", person.other_surname, said.last)
                };
                fits
            }),
        ),
        ("nickname", Box::new(nickname)),
        (
            "alias",
            Box::new(|person: &Invented, random: &mut StdRng| {
                let alias = person.aliases.choose(random)?;
                Some(Said {
                    first: alias.first.clone(),
                    middle: alias.middle.clone(),
                    last: alias.last.clone(),
                    born: Some(partial(alias.born)),
                })
            }),
        ),
        ("compound", Box::new(compound)),
        (
            "name_year_only",
            said(|said, _, _| {
                said.born = said.born.map(|born| PartialDate {
                    month: None,
                    day: None,
                    ..born
                });
                true
            }),
        ),
    ]
}

/// One slip of the hand, in the surname more often.
fn slip(said: &mut Said, random: &mut StdRng) -> bool {
    let word = if random.random_bool(0.6) {
        &mut said.last
    } else {
        &mut said.first
    };
    *word = typo(word, random);
    true
}

fn day_beside(said: &mut Said, person: &Invented, random: &mut StdRng) -> bool {
    let days = if random.random_bool(0.5) { 1 } else { -1 };
    said.born = Some(partial(shifted(person.name.born, days)));
    true
}

/// Only some of several surnames, or all of them in another order or run together.
fn surname_part(said: &mut Said, _: &Invented, random: &mut StdRng) -> bool {
    let parts: Vec<&str> = said.last.split([' ', '-']).collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return false;
    };
    if parts.len() < 2 {
        return false;
    }
    said.last = match random.random_range(0..10) {
        0..4 if first.len() > 3 => (*first).to_owned(),
        0..7 => (*last).to_owned(),
        _ if parts.len() == 2 => format!("{last} {first}"),
        _ => parts.concat(),
    };
    true
}

/// The names of a corpus with their dates of birth.
#[derive(Default)]
pub(super) struct Listed(HashMap<(String, String), HashSet<PartialDate>>);

impl Listed {
    pub(super) fn add(&mut self, first: &str, last: &str, born: &PartialDate) {
        self.0
            .entry((first.to_owned(), last.to_owned()))
            .or_default()
            .insert(*born);
    }

    /// Whether somebody of the name was born within so many days of the day.
    fn near(&self, first: &str, last: &str, born: Date, days: i32) -> bool {
        let listed = self.0.get(&(first.to_owned(), last.to_owned()));
        listed.into_iter().flatten().any(|other| {
            let month = other.month.unwrap_or(1) as i8;
            let other = Date::new(other.year, month, other.day.unwrap_or(1) as i8);
            other.is_ok_and(|other| (other - born).get_days().abs() <= days)
        })
    }
}
