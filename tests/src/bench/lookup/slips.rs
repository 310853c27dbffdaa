//! Slips: how a name is written down wrongly, by hand on a keyboard or by ear.

use std::collections::HashMap;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rphonetic::{Encoder, Metaphone};

use super::names::Names;

/// Neighbours on the keyboard, the key itself first.
const KEYS: [&str; 26] = [
    "QWA", "WQES", "EWRD", "RETF", "TRYG", "YTUH", "UYIJ", "IUOK", "OIPL", "POL", "AQSZ", "SAWDX", "DSEFC",
    "FDRGV", "GFTHB", "HGYJN", "JHUKM", "KJIL", "LKOP", "ZASX", "XZSDC", "CXDFV", "VCFGB", "BVGHN", "NBHJM",
    "MNJK",
];

/// Spellings that are taken for one another, English and Spanish.
const RESPELT: [(&str, &str); 34] = [
    ("PH", "F"),
    ("CK", "K"),
    ("C", "K"),
    ("K", "C"),
    ("EI", "IE"),
    ("IE", "EI"),
    ("EA", "EE"),
    ("Y", "IE"),
    ("I", "Y"),
    ("Z", "S"),
    ("S", "Z"),
    ("V", "B"),
    ("B", "V"),
    ("LL", "Y"),
    ("LL", "L"),
    ("L", "LL"),
    ("TT", "T"),
    ("NN", "N"),
    ("N", "NN"),
    ("H", ""),
    ("GH", "G"),
    ("J", "H"),
    ("G", "J"),
    ("QU", "K"),
    ("X", "J"),
    ("E", "A"),
    ("A", "E"),
    ("OU", "OO"),
    ("CE", "SE"),
    ("CI", "SI"),
    ("GUE", "GE"),
    ("HU", "W"),
    ("EZ", "ES"),
    ("W", "U"),
];

/// One slip of the hand that changes the word: another letter, one left out, one too many, two in each other's place.
pub(super) fn typo(word: &str, random: &mut StdRng) -> String {
    let letters: Vec<char> = word.chars().collect();
    for _ in 0..50 {
        let first = letters.len() < 2 || random.random_bool(0.12);
        let at = if first {
            0
        } else {
            random.random_range(1..letters.len())
        };
        let Some(letter) = letters.get(at).copied() else {
            break;
        };
        let mut wrong = letters.clone();
        match random.random_range(0..100) {
            0..30 => {
                if let Some(place) = wrong.get_mut(at) {
                    *place = beside(letter, random);
                }
            }
            30..55 => {
                wrong.remove(at);
            }
            55..80 => {
                let more = if random.random_bool(0.4) {
                    letter
                } else {
                    any(random)
                };
                wrong.insert(at, more);
            }
            _ if at > 0 => wrong.swap(at - 1, at),
            _ => {}
        }
        let wrong: String = wrong.into_iter().collect();
        if wrong != word && wrong.trim() == wrong && wrong.len() > 1 {
            return wrong;
        }
    }
    format!("{word}E")
}

fn any(random: &mut StdRng) -> char {
    char::from(random.random_range(b'A'..=b'Z'))
}

fn beside(letter: char, random: &mut StdRng) -> char {
    let key = KEYS.iter().find(|key| key.starts_with(letter));
    match key {
        Some(key) if random.random_bool(0.6) => {
            let around: Vec<char> = key.chars().skip(1).collect();
            around.choose(random).copied().unwrap_or('E')
        }
        _ => any(random),
    }
}

/// Real names that sound alike.
pub(super) struct Homophones(HashMap<String, Vec<(String, f64)>>);

impl Homophones {
    pub(super) fn surnames(names: &Names) -> Self {
        Self::of(names.surnames())
    }

    pub(super) fn given(names: &Names) -> Self {
        Self::of(names.givens())
    }

    fn of<'a>(names: impl Iterator<Item = (&'a str, f64)>) -> Self {
        let mut alike: HashMap<String, Vec<(String, f64)>> = HashMap::new();
        for (name, count) in names {
            let key = Metaphone::new(None).encode(name);
            alike.entry(key).or_default().push((name.to_owned(), count));
        }
        Self(alike)
    }

    /// The word as another may hear it; of several words only the first is misheard.
    pub(super) fn misheard(&self, word: &str, random: &mut StdRng) -> String {
        if let Some((first, rest)) = word.split_once([' ', '-']) {
            return format!("{} {}", self.misheard(first, random), rest.replace('-', " "));
        }
        if random.random_bool(0.5) {
            let key = Metaphone::new(None).encode(word);
            let near = |other: &str| {
                rapidfuzz::distance::jaro_winkler::similarity(other.chars(), word.chars()) >= 0.78
            };
            let alike: Vec<&(String, f64)> = self.0.get(&key).into_iter().flatten().collect();
            let alike: Vec<_> = alike
                .into_iter()
                .filter(|(other, _)| other != word && near(other))
                .collect();
            if let Ok((other, _)) = alike.choose_weighted(random, |(_, count)| *count) {
                return other.clone();
            }
        }
        respelt(word, random)
    }
}

fn respelt(word: &str, random: &mut StdRng) -> String {
    let mut rules = RESPELT;
    rules.shuffle(random);
    for (from, to) in rules {
        // Most slips of the ear spare the beginning.
        let start = usize::from(!(word.starts_with(from) && random.random_bool(0.3)));
        let found = word
            .get(start..)
            .and_then(|rest| rest.find(from))
            .map(|at| at + start);
        let Some((before, after)) =
            found.and_then(|at| Some((word.get(..at)?, word.get(at + from.len()..)?)))
        else {
            continue;
        };
        let wrong = format!("{before}{to}{after}");
        if wrong.len() > 1 && wrong != word {
            return wrong;
        }
    }
    typo(word, random)
}
