//! Invented people and the orders against them: person `n` and order `n` are the same in a corpus of any size.

use ccpor_matching::{Card, CardPerson, IdKind, NameParts, NumberKind, PartialDate, Role, Sex};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::names::{HISPANIC, Names};
use super::slips::typo;

/// The day on which the corpus is as old as it says.
const TODAY: Date = date(2026, 11, 1);

/// A name with the date of birth given with it.
#[derive(Clone, PartialEq)]
pub(super) struct Named {
    pub(super) first: String,
    pub(super) middle: String,
    pub(super) last: String,
    pub(super) born: Date,
}

/// A restrained person.
#[derive(Clone)]
pub(super) struct Invented {
    pub(super) group: usize,
    pub(super) male: bool,
    pub(super) name: Named,
    pub(super) suffix: &'static str,
    pub(super) aliases: Vec<Named>,
    /// A second surname that the person may be given.
    pub(super) other_surname: String,
    pub(super) license: String,
    pub(super) cii: String,
}

impl Invented {
    /// Person `number`.
    pub(super) fn person(names: &Names, seed: u64, number: u32) -> Self {
        let random = &mut StdRng::seed_from_u64(seed ^ u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let group = Names::group(random);
        let male = random.random_bool(0.76);
        let born = birth(random);
        let other_surname = names.surname(group, random).to_owned();
        let mothers = names.surname(group, random).to_owned();
        let middle = match random.random_range(0..100) {
            0..55 => names.given(male, born.year(), group, random).to_owned(),
            55..80 => names
                .given(male, born.year(), group, random)
                .chars()
                .take(1)
                .collect(),
            _ => String::new(),
        };
        let name = Named {
            first: names.given(male, born.year(), group, random).to_owned(),
            middle,
            last: surname(names, group, male, &other_surname, random),
            born,
        };
        let suffix = if male && random.random_bool(0.04) {
            ["JR", "SR", "II", "III"]
                .choose(random)
                .copied()
                .unwrap_or_default()
        } else {
            ""
        };
        let mut person = Self {
            group,
            male,
            name,
            suffix,
            aliases: Vec::new(),
            other_surname,
            license: String::new(),
            cii: String::new(),
        };
        if random.random_bool(0.8) {
            let letter = char::from(random.random_range(b'A'..=b'Z'));
            person.license = format!("{letter}{:07}", random.random_range(0..10_000_000));
        }
        if random.random_bool(0.7) {
            person.cii = format!("A{:08}", random.random_range(1_000_000..100_000_000));
        }
        if random.random_bool(0.3) {
            let count = match random.random_range(0..100) {
                0..70 => 1,
                70..92 => 2,
                _ => 3,
            };
            person.aliases = (0..count)
                .map(|_| person.alias(names, &mothers, random))
                .collect();
        }
        person
    }

    fn alias(&self, names: &Names, mothers: &str, random: &mut StdRng) -> Named {
        let mut alias = self.name.clone();
        match random.random_range(0..100) {
            0..30 => {
                if let Some(nickname) = names.nicknames(&alias.first).choose(random) {
                    alias.first = nickname.clone();
                }
            }
            30..50 => alias.last = mothers.to_owned(),
            50..65 if alias.middle.len() > 1 => alias.first = std::mem::take(&mut alias.middle),
            65..85 => alias.last = typo(&alias.last, random),
            85..95 => {
                let parts: Vec<&str> = self.name.last.split([' ', '-']).collect();
                alias.last = parts.choose(random).copied().unwrap_or_default().to_owned();
            }
            _ => alias.last = self.other_surname.clone(),
        }
        if alias == self.name {
            alias.last = typo(&alias.last, random);
        }
        if random.random_bool(0.03) {
            let days = [1, -1, 365, -365, 30].choose(random).copied().unwrap_or(1);
            alias.born = shifted(alias.born, days);
        }
        alias
    }

    fn card(&self) -> CardPerson {
        let parts = |name: &Named, suffix: &str| NameParts {
            first: name.first.clone(),
            middle: name.middle.clone(),
            last: name.last.clone(),
            suffix: suffix.to_owned(),
        };
        let mut dob = vec![partial(self.name.born)];
        for alias in &self.aliases {
            if !dob.contains(&partial(alias.born)) {
                dob.push(partial(alias.born));
            }
        }
        let ids = [(IdKind::DriverLicense, &self.license), (IdKind::Cii, &self.cii)];
        let ids = ids.into_iter().filter(|(_, id)| !id.is_empty());
        CardPerson {
            role: Role::Restrained,
            names: std::iter::once(parts(&self.name, self.suffix))
                .chain(self.aliases.iter().map(|alias| parts(alias, "")))
                .collect(),
            dob,
            sex: Some(sex(self.male)),
            ids: ids.map(|(kind, id)| (kind, id.clone())).collect(),
        }
    }
}

/// The day so many days later.
pub(super) fn shifted(day: Date, days: i32) -> Date {
    day.saturating_add(days.days())
}

pub(super) fn partial(day: Date) -> PartialDate {
    PartialDate {
        year: day.year(),
        month: Some(day.month() as u8),
        day: Some(day.day() as u8),
    }
}

pub(super) fn sex(male: bool) -> Sex {
    if male { Sex::Male } else { Sex::Female }
}

/// Most are in their twenties to forties; nobody is under 18 or over 85.
fn birth(random: &mut StdRng) -> Date {
    let spread: f64 = -(random.random::<f64>() * random.random::<f64>()).max(1e-9).ln() * 8.0;
    let age = (18.0 + spread).min(85.0);
    shifted(TODAY, -((age * 365.25) as i32 + random.random_range(0..365)))
}

/// One surname, or two together, or one with its particle.
fn surname(names: &Names, group: usize, male: bool, other: &str, random: &mut StdRng) -> String {
    let one = names.surname(group, random).to_owned();
    let two = if group == HISPANIC { 0.35 } else { 0.07 };
    if (group == HISPANIC || !male) && random.random_bool(two) {
        let between = if random.random_bool(0.45) { '-' } else { ' ' };
        return format!("{one}{between}{other}");
    }
    for (start, particle) in [
        ("DELA", "DE LA "),
        ("DELOS", "DE LOS "),
        ("DEL", "DEL "),
        ("VANDER", "VAN DER "),
    ] {
        if let Some(rest) = one.strip_prefix(start)
            && rest.len() > 2
            && random.random_bool(0.4)
        {
            return format!("{particle}{rest}");
        }
    }
    let irish = ["OB", "OC", "OD", "OH", "OK", "ON", "OR", "OS"];
    if one.len() > 4 && irish.iter().any(|start| one.starts_with(start)) && random.random_bool(0.15) {
        return format!("O'{}", one.get(1..).unwrap_or_default());
    }
    one
}

/// The person against whom each order is made: four in five orders name somebody new.
pub(super) fn persons_of_orders(orders: usize, seed: u64) -> Vec<u32> {
    let random = &mut StdRng::seed_from_u64(seed);
    let mut persons = 0;
    let order = |_| {
        if persons == 0 || random.random_bool(0.8) {
            persons += 1;
            persons - 1
        } else {
            random.random_range(0..persons)
        }
    };
    (0..orders).map(order).collect()
}

/// What order `number` tells the index: the restrained person and one to four protected ones.
pub(super) fn card(names: &Names, seed: u64, number: u32, person: &Invented) -> Card {
    let random = &mut StdRng::seed_from_u64(!seed ^ u64::from(number).wrapping_mul(0xd6e8_feb8_6659_fd93));
    let mut persons = vec![person.card()];
    let count = match random.random_range(0..100) {
        0..55 => 1,
        55..77 => 2,
        77..92 => 3,
        _ => 4,
    };
    for _ in 0..count {
        let male = random.random_bool(0.28);
        let born = shifted(TODAY, -random.random_range(365..70 * 365));
        let group = random.random_range(0..2);
        let last = if random.random_bool(0.35) {
            person.name.last.clone()
        } else {
            names.surname(group, random).to_owned()
        };
        persons.push(CardPerson {
            role: Role::Protected,
            names: vec![NameParts {
                first: names.given(male, born.year(), group, random).to_owned(),
                last,
                ..NameParts::default()
            }],
            dob: vec![partial(born)],
            sex: Some(sex(male)),
            ids: Vec::new(),
        });
    }
    Card {
        order: number,
        persons,
        numbers: vec![(NumberKind::Case, format!("BE26DV{number:07}"))],
    }
}
