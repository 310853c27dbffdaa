//! Names as often as the United States has them: surnames by group, given names by sex, decade of birth and group.
//! Nobody's name comes from here but by chance.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::dice::{Dice, Urn};

const SURNAMES: &str = include_str!("../../data/surnames.csv");
const FIRST_NAMES: &str = include_str!("../../data/first_names.csv");
const NICKNAMES: &str = include_str!("../../data/nicknames.csv");
const DECADES: usize = 9;

/// Groups of the Census Bureau's tables, with their part in the population of the courts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Hispanic,
    White,
    Black,
    Asian,
    Native,
    Multiple,
}

impl Group {
    const ALL: [(Self, u32); 6] = [
        (Self::Hispanic, 44),
        (Self::White, 32),
        (Self::Black, 13),
        (Self::Asian, 8),
        (Self::Native, 1),
        (Self::Multiple, 2),
    ];

    pub(super) fn draw(dice: &mut Dice) -> Self {
        dice.weigh(&Self::ALL, |(_, weight)| *weight).0
    }

    /// Codes of the police databases.
    pub(super) fn race(self) -> &'static [&'static str] {
        match self {
            Self::Hispanic => &["H"],
            Self::White => &["W"],
            Self::Black => &["B"],
            Self::Asian => &["A"],
            Self::Native => &["I"],
            Self::Multiple => &["W", "B"],
        }
    }
}

/// The tables, read once.
pub(super) struct Names {
    surnames: Vec<&'static str>,
    surname_urns: Vec<Urn>,
    given: [Vec<&'static str>; 2],
    /// By sex, decade and group.
    given_urns: [Vec<Urn>; 2],
    nicknames: HashMap<&'static str, Vec<&'static str>>,
}

impl Names {
    pub(super) fn tables() -> &'static Self {
        static TABLES: OnceLock<Names> = OnceLock::new();
        TABLES.get_or_init(Self::read)
    }

    fn read() -> Self {
        let surnames: Vec<(&str, f64, [f64; 6])> = rows(SURNAMES)
            .map(|row| (row.first, row.second.parse().unwrap_or(0.0), shares(row.third)))
            .collect();
        let surname_urns = (0..6)
            .map(|group| {
                Urn::new(
                    &surnames
                        .iter()
                        .map(|(_, count, of)| count * at(of, group))
                        .collect::<Vec<_>>(),
                )
            })
            .collect();
        let [women, men] = ["F", "M"].map(GivenNames::read);
        Self {
            surnames: surnames.iter().map(|(name, ..)| *name).collect(),
            surname_urns,
            given_urns: [women.urns(), men.urns()],
            given: [women.names, men.names],
            nicknames: rows(NICKNAMES)
                .map(|row| (row.first, row.line.split(',').skip(1).collect()))
                .collect(),
        }
    }

    pub(super) fn surname(&self, group: Group, dice: &mut Dice) -> &'static str {
        let place = self
            .surname_urns
            .get(group as usize)
            .map_or(0, |urn| urn.draw(dice));
        self.surnames.get(place).copied().unwrap_or("SMITH")
    }

    /// A given name of someone born in `year`.
    pub(super) fn given(&self, woman: bool, year: i16, group: Group, dice: &mut Dice) -> &'static str {
        let decade = usize::try_from((year - 1930) / 10).unwrap_or(0).min(DECADES - 1);
        let ([women, men], [women_urns, men_urns]) = (&self.given, &self.given_urns);
        let (names, urns) = if woman {
            (women, women_urns)
        } else {
            (men, men_urns)
        };
        let place = urns
            .get(decade * 6 + group as usize)
            .map_or(0, |urn| urn.draw(dice));
        names.get(place).copied().unwrap_or("JORDAN")
    }

    pub(super) fn nickname(&self, given: &str, dice: &mut Dice) -> Option<&'static str> {
        self.nicknames.get(given).map(|short| dice.pick(short))
    }
}

struct GivenNames {
    names: Vec<&'static str>,
    births: Vec<[f64; DECADES]>,
    shares: Vec<[f64; 6]>,
}

impl GivenNames {
    fn read(sex: &str) -> Self {
        let mut read = Self {
            names: Vec::new(),
            births: Vec::new(),
            shares: Vec::new(),
        };
        for row in rows(FIRST_NAMES).filter(|row| row.first == sex) {
            let mut births = [0.0; DECADES];
            for (births, text) in births.iter_mut().zip(row.line.split(',').skip(3)) {
                *births = text.parse().unwrap_or(0.0);
            }
            read.names.push(row.second);
            read.births.push(births);
            read.shares.push(shares(row.third));
        }
        read
    }

    fn urns(&self) -> Vec<Urn> {
        let of = |decade: usize, group: usize| {
            let both = self.births.iter().zip(&self.shares);
            Urn::new(
                &both
                    .map(|(births, shares)| at(births, decade) * at(shares, group))
                    .collect::<Vec<_>>(),
            )
        };
        (0..DECADES)
            .flat_map(|decade| (0..6).map(move |group| of(decade, group)))
            .collect()
    }
}

struct Row {
    line: &'static str,
    first: &'static str,
    second: &'static str,
    third: &'static str,
}

fn rows(table: &'static str) -> impl Iterator<Item = Row> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut fields = line.splitn(4, ',');
        let mut field = || fields.next().unwrap_or_default();
        Row {
            line,
            first: field(),
            second: field(),
            third: field(),
        }
    })
}

/// Six shares in 63rds, one character each. None is quite nothing: anyone may bear any name.
fn shares(text: &str) -> [f64; 6] {
    const DIGITS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-";
    let mut shares = [0.0; 6];
    for (share, digit) in shares.iter_mut().zip(text.chars()) {
        *share = DIGITS.find(digit).unwrap_or(0) as f64 / 63.0 + 0.0005;
    }
    shares
}

fn at<const N: usize>(values: &[f64; N], place: usize) -> f64 {
    values.get(place).copied().unwrap_or(0.0)
}
