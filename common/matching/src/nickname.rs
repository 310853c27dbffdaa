//! Nicknames: which given names are used for one another, read once from the tables of the crate; no scores.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::spelling::each_word;

/// How two given names belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kinship {
    /// One is a nickname of the other.
    Nickname,
    /// Both are nicknames of one and the same name.
    SharedName,
}

/// English: Apache-2.0 table by Carlton Northern and others; Spanish: compiled for this crate (see the headers).
const TABLES: [&str; 2] = [
    include_str!("../data/nicknames_en.txt"),
    include_str!("../data/nicknames_es.txt"),
];

static RELATED: LazyLock<HashMap<String, Vec<(String, Kinship)>>> = LazyLock::new(read_tables);

/// The names related to a given name (capitals A to Z), nearest kinship first.
pub(crate) fn related_to(name: &str) -> &'static [(String, Kinship)] {
    RELATED.get(name).map(Vec::as_slice).unwrap_or_default()
}

fn read_tables() -> HashMap<String, Vec<(String, Kinship)>> {
    let mut related: HashMap<String, Vec<(String, Kinship)>> = HashMap::new();
    let mut add = |a: &str, b: &str, kinship: Kinship| {
        if a != b {
            let list = related.entry(a.to_owned()).or_default();
            match list.iter_mut().find(|(name, _)| name == b) {
                Some((_, known)) => *known = kinship.min(*known),
                None => list.push((b.to_owned(), kinship)),
            }
        }
    };
    for line in TABLES.iter().flat_map(|table| table.lines()) {
        if line.starts_with('#') {
            continue;
        }
        let mut names = Vec::new();
        each_word(line, |word| names.push(word.as_str().to_owned()));
        let Some((formal, nicknames)) = names.split_first() else {
            continue;
        };
        for nickname in nicknames {
            add(formal, nickname, Kinship::Nickname);
            add(nickname, formal, Kinship::Nickname);
            for other in nicknames {
                add(nickname, other, Kinship::SharedName);
            }
        }
    }
    related
        .values_mut()
        .for_each(|list| list.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0))));
    related
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinship(a: &str, b: &str) -> Option<Kinship> {
        related_to(a)
            .iter()
            .find(|(name, _)| name == b)
            .map(|(_, kinship)| *kinship)
    }

    #[test]
    fn both_languages_in_both_directions() {
        assert_eq!(kinship("WILLIAM", "BILL"), Some(Kinship::Nickname));
        assert_eq!(kinship("BILL", "WILLIAM"), Some(Kinship::Nickname));
        assert_eq!(kinship("CHUY", "JESUS"), Some(Kinship::Nickname));
        assert_eq!(kinship("PACO", "PANCHO"), Some(Kinship::SharedName));
        assert_eq!(kinship("ANTONIO", "TONO"), Some(Kinship::Nickname));
        assert_eq!(kinship("JESUS", "ROBERT"), None);
    }

    #[test]
    fn kinship_is_mutual() {
        for (name, list) in RELATED.iter() {
            for (other, kind) in list {
                assert_eq!(kinship(other, name), Some(*kind), "{name} {other}");
            }
        }
    }
}
