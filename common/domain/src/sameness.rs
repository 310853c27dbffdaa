//! Whether two descriptions are of one person. Only a number that decides alone, or the same name with the same date of birth,
//! makes it certain; everything else is for a person to decide.

use crate::party::{Identifier, IdentifierKind, Name, Person};

/// How sure it is that two descriptions are of one person, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sameness {
    /// The names do not agree, and no number does.
    Different,
    /// The names are alike, or dates of birth or numbers speak against it: somebody has to look.
    Possibly,
    /// The same name, and nothing that decides for or against.
    SameName,
    /// A number that decides alone agrees, or the name and the date of birth.
    Same,
}

/// Compares two descriptions; the order of the two makes no difference.
#[must_use]
pub fn sameness(a: &Person, b: &Person) -> Sameness {
    let numbers = numbers(a, b);
    if numbers == Some(true) {
        return Sameness::Same;
    }
    let names = names(a, b);
    let against = numbers == Some(false) || a.dob.zip(b.dob).is_some_and(|(a, b)| a != b);
    match names {
        Sameness::SameName if against => Sameness::Possibly,
        Sameness::SameName if a.dob.is_some() && a.dob == b.dob => Sameness::Same,
        Sameness::Possibly if against => Sameness::Different,
        names => names,
    }
}

/// Whether a number of a kind that belongs to one person alone agrees (true), or all of one kind differ (false).
fn numbers(a: &Person, b: &Person) -> Option<bool> {
    let mut verdict = None;
    for one in a.identifiers.iter().filter(|number| decides(number)) {
        for other in b.identifiers.iter().filter(|other| comparable(one, other)) {
            if folded(&one.value).eq(folded(&other.value)) {
                return Some(true);
            }
            verdict = Some(false);
        }
    }
    verdict
}

fn decides(number: &Identifier) -> bool {
    use IdentifierKind::{Cii, DriverLicense, Fbi, Sid};
    matches!(number.kind, Cii | Fbi | Sid | DriverLicense) && folded(&number.value).next().is_some()
}

/// Numbers of one kind, and of one issuer where the kind has several.
fn comparable(a: &Identifier, b: &Identifier) -> bool {
    let national = matches!(a.kind, IdentifierKind::Cii | IdentifierKind::Fbi);
    decides(b) && a.kind == b.kind && (national || folded(&a.issuer).eq(folded(&b.issuer)))
}

/// The best agreement among all names of the two.
fn names(a: &Person, b: &Person) -> Sameness {
    let all = |person: &Person| {
        let names = std::iter::once(&person.name).chain(&person.aliases);
        names.map(Parts::of).collect::<Vec<_>>()
    };
    let (a, b) = (all(a), all(b));
    let pairs = a.iter().flat_map(|a| b.iter().map(move |b| a.against(b)));
    pairs.max().unwrap_or(Sameness::Different)
}

struct Parts {
    first: String,
    middle: String,
    last: Vec<String>,
}

impl Parts {
    fn of(name: &Name) -> Self {
        Self {
            first: folded(&name.first).collect(),
            middle: folded(&name.middle).collect(),
            last: name
                .last
                .split(|c: char| !c.is_alphanumeric() && c != '\'')
                .map(|word| folded(word).collect::<String>())
                .filter(|word| !word.is_empty())
                .collect(),
        }
    }

    fn against(&self, other: &Self) -> Sameness {
        if self.last.is_empty() || other.last.is_empty() {
            return Sameness::Different;
        }
        let same = self.first == other.first && self.last == other.last;
        if same && begins(&self.middle, &other.middle) {
            return Sameness::SameName;
        }
        let shares = self.last.iter().any(|word| other.last.contains(word));
        if shares && begins(&self.first, &other.first) {
            Sameness::Possibly
        } else {
            Sameness::Different
        }
    }
}

/// Whether one is the beginning of the other: an initial, a missing middle name.
fn begins(a: &str, b: &str) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

/// Letters and digits alone, in capitals.
fn folded(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
}
