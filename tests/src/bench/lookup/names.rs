//! Names, drawn as often as they occur: surnames by group, given names by sex, decade of birth and group.

use std::collections::HashMap;
use std::path::Path;

use rand::Rng;
use rand::rngs::StdRng;

use crate::world::Outcome;

/// Groups of the population, in the order of the columns of the tables.
const GROUPS: [&str; 6] = ["hispanic", "white", "black", "api", "native", "multiple"];
const SURNAME_COLUMNS: [&str; 6] = [
    "pcthispanic",
    "pctwhite",
    "pctblack",
    "pctapi",
    "pctaian",
    "pct2prace",
];
/// Shares of the groups among restrained persons, and among bearers of a given name that the table does not know.
const SHARES: [f64; 6] = [0.44, 0.32, 0.13, 0.08, 0.01, 0.02];
const PRIOR: [f64; 6] = [0.20, 0.60, 0.13, 0.05, 0.01, 0.01];

/// The first group: of its bearers many carry two surnames.
pub(super) const HISPANIC: usize = 0;

/// Words with the running sum of their weights.
#[derive(Default)]
struct Urn {
    words: Vec<u32>,
    sums: Vec<f64>,
}

impl Urn {
    fn put(&mut self, word: u32, weight: f64) {
        self.words.push(word);
        self.sums.push(self.sums.last().copied().unwrap_or(0.0) + weight);
    }

    fn draw(&self, random: &mut StdRng) -> u32 {
        let all = self.sums.last().copied().unwrap_or(0.0);
        let at = random.random::<f64>() * all;
        let place = self.sums.partition_point(|sum| *sum <= at);
        self.words.get(place).or(self.words.last()).copied().unwrap_or(0)
    }
}

/// The tables.
pub(super) struct Names {
    surnames: Vec<String>,
    surname_counts: Vec<f64>,
    surnames_of: Vec<Urn>,
    given: Vec<String>,
    given_counts: Vec<f64>,
    given_of: HashMap<(bool, i16, usize), Urn>,
    /// Given names with their nicknames, English and Spanish.
    nicknames: HashMap<String, Vec<String>>,
}

impl Names {
    /// Reads the tables that lie beside the tests.
    pub(super) fn read() -> Outcome<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut names = Self {
            surnames: Vec::new(),
            surname_counts: Vec::new(),
            surnames_of: GROUPS.iter().map(|_| Urn::default()).collect(),
            given: Vec::new(),
            given_counts: Vec::new(),
            given_of: HashMap::new(),
            nicknames: HashMap::new(),
        };
        names.read_surnames(&here.join("names/surnames.csv"))?;
        names.read_given(&here.join("names"))?;
        for language in ["en", "es"] {
            let table = here.join(format!("../common/matching/data/nicknames_{language}.txt"));
            names.read_nicknames(&std::fs::read_to_string(table)?);
        }
        Ok(names)
    }

    fn read_surnames(&mut self, table: &Path) -> Outcome<()> {
        let mut reader = csv::Reader::from_path(table)?;
        let headers = reader.headers()?.clone();
        let column = |name: &str| {
            headers
                .iter()
                .position(|header| header == name)
                .ok_or("a column is missing")
        };
        let columns: Vec<usize> = SURNAME_COLUMNS
            .iter()
            .map(|name| column(name))
            .collect::<Result<_, _>>()?;
        for row in reader.records() {
            let row = row?;
            let (Some(name), Some(count)) = (row.get(0), row.get(1)) else {
                continue;
            };
            let count: f64 = count.parse()?;
            let word = self.surnames.len() as u32;
            self.surnames.push(name.to_owned());
            self.surname_counts.push(count);
            for (urn, column) in self.surnames_of.iter_mut().zip(&columns) {
                // A share that is kept secret because so few bear the name is small.
                let share = row.get(*column).and_then(|text| text.parse().ok()).unwrap_or(0.5);
                urn.put(word, count * share);
            }
        }
        Ok(())
    }

    fn read_given(&mut self, folder: &Path) -> Outcome<()> {
        let mut shares: HashMap<String, [f64; 6]> = HashMap::new();
        let mut reader = csv::Reader::from_path(folder.join("first_name_race.csv"))?;
        let headers = reader.headers()?.clone();
        for row in reader.records() {
            let row = row?;
            let mut of_groups = [0.0; 6];
            for (share, group) in of_groups.iter_mut().zip(GROUPS) {
                let at = headers.iter().position(|header| header == group);
                *share = at.and_then(|at| row.get(at)).unwrap_or_default().parse()?;
            }
            shares.insert(row.get(0).unwrap_or_default().to_owned(), of_groups);
        }
        let rare = PRIOR.map(|share| share * 0.5);
        let mut words: HashMap<String, u32> = HashMap::new();
        for row in csv::Reader::from_path(folder.join("first_names.csv"))?.into_deserialize() {
            let (sex, decade, name, count): (String, i16, String, f64) = row?;
            let of_groups = shares.get(&name).unwrap_or(&rare);
            let word = *words.entry(name).or_insert_with_key(|name| {
                self.given.push(name.clone());
                self.given_counts.push(0.0);
                self.given.len() as u32 - 1
            });
            if let Some(sum) = self.given_counts.get_mut(word as usize) {
                *sum += count;
            }
            for (group, share) in of_groups.iter().enumerate() {
                let urn = self.given_of.entry((sex == "M", decade, group)).or_default();
                urn.put(word, count * share);
            }
        }
        Ok(())
    }

    fn read_nicknames(&mut self, table: &str) {
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line
                .split(|letter: char| !letter.is_alphabetic())
                .filter(|word| !word.is_empty());
            if let Some(formal) = words.next() {
                let list = self.nicknames.entry(formal.to_uppercase()).or_default();
                list.extend(words.map(str::to_uppercase));
            }
        }
    }

    /// A group, as often as it occurs.
    pub(super) fn group(random: &mut StdRng) -> usize {
        let mut at: f64 = random.random();
        for (group, share) in SHARES.iter().enumerate() {
            at -= share;
            if at < 0.0 {
                return group;
            }
        }
        HISPANIC
    }

    /// A surname of a group.
    pub(super) fn surname(&self, group: usize, random: &mut StdRng) -> &str {
        let word = self.surnames_of.get(group).map_or(0, |urn| urn.draw(random));
        self.surnames.get(word as usize).map_or("SMITH", String::as_str)
    }

    /// A given name of a group for somebody born in a year.
    pub(super) fn given(&self, male: bool, year: i16, group: usize, random: &mut StdRng) -> &str {
        let decade = (year / 10 * 10).clamp(1930, 2000);
        let urn = self.given_of.get(&(male, decade, group));
        let word = urn.map_or(0, |urn| urn.draw(random));
        self.given.get(word as usize).map_or("MARIA", String::as_str)
    }

    /// The nicknames of a given name.
    pub(super) fn nicknames(&self, given: &str) -> &[String] {
        self.nicknames.get(given).map(Vec::as_slice).unwrap_or_default()
    }

    /// Every given name that has nicknames, with them.
    #[cfg(feature = "rivals")]
    pub(super) fn all_nicknames(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.nicknames
            .iter()
            .map(|(formal, list)| (formal.as_str(), list.as_slice()))
    }

    /// Surnames with their counts.
    pub(super) fn surnames(&self) -> impl Iterator<Item = (&str, f64)> {
        self.surnames
            .iter()
            .map(String::as_str)
            .zip(self.surname_counts.iter().copied())
    }

    /// Given names with their counts.
    pub(super) fn givens(&self) -> impl Iterator<Item = (&str, f64)> {
        self.given
            .iter()
            .map(String::as_str)
            .zip(self.given_counts.iter().copied())
    }
}
