//! What a caller told with a call: whom or what was asked for, and why. It is personal data, so it leaves this type only sealed.

use serde::{Deserialize, Serialize};

/// The most people or drafts of one call.
const MAX_ASKED: usize = 16;
/// The longest text that is kept, in characters.
const MAX_CHARACTERS: usize = 200;

/// What a caller told.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Told {
    /// Why, in the caller's words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub purpose: String,
    /// The caller's number of the case or incident.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub case_number: String,
    /// Who or what was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
}

/// One person or thing that was asked for. Empty texts mean: not said.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asked {
    /// First names.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub first: String,
    /// Middle names.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub middle: String,
    /// Surnames.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub last: String,
    /// Date of birth as far as said: `1985-03-12`, `1985-03`, `1985`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub dob: String,
    /// Numbers with their kind: `driver_license`, `cii`, `case`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<(String, String)>,
}

impl Told {
    /// Whether nothing was told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Cuts what is longer than what is kept.
    pub fn bound(&mut self) {
        self.asked.truncate(MAX_ASKED);
        cut(&mut self.purpose);
        cut(&mut self.case_number);
        for asked in &mut self.asked {
            asked.numbers.truncate(MAX_ASKED);
            for text in [
                &mut asked.first,
                &mut asked.middle,
                &mut asked.last,
                &mut asked.dob,
            ] {
                cut(text);
            }
            for (kind, value) in &mut asked.numbers {
                cut(kind);
                cut(value);
            }
        }
    }
}

fn cut(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(MAX_CHARACTERS) {
        text.truncate(end);
    }
}

/// Never shows what was told: a log may hold no personal data.
impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Told({} asked for)", self.asked.len())
    }
}

/// As for [`Told`].
impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_not_printed_and_is_bounded() {
        let long = "é".repeat(10_000);
        let asked = Asked {
            last: long.clone(),
            numbers: vec![("cii".into(), long.clone()); 40],
            ..Asked::default()
        };
        let mut told = Told {
            purpose: long,
            asked: vec![asked; 40],
            ..Told::default()
        };
        told.bound();
        assert_eq!((told.purpose.chars().count(), told.asked.len()), (200, MAX_ASKED));
        assert!(told.asked.iter().all(|asked| asked.numbers.len() == MAX_ASKED));
        assert!(!format!("{told:?}{:?}", told.asked[0]).contains('é'));
    }
}
