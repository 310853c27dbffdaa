//! Whom and what a message asks for, and whom an answer names, in the words of the audit trail. Nothing is judged here.

use std::collections::BTreeMap;

use ccpor_api::message::{EnforceAnswer, Hit, LookupRequest, Order, OrderAnswer, Person};
use ccpor_api::question::question_from;
use ccpor_audit::Asked;
use ccpor_matching::{Born, IdKind, NumberKind, PartialDate, Query};

use crate::reading::people_of;

/// Everybody a look-up asks for, a free line taken apart. What cannot be read stands as it was written.
#[must_use]
pub fn asked_for(request: &LookupRequest) -> Vec<Asked> {
    let read = question_from(request).and_then(|question| people_of(&question));
    match read {
        Ok(queries) => queries.iter().map(person).collect(),
        Err(_not_understood) => vec![unread(request)],
    }
}

fn person(query: &Query) -> Asked {
    let ids = query.ids.iter().map(|(kind, value)| (id_word(*kind), value));
    let numbers = query
        .numbers
        .iter()
        .map(|(kind, value)| (number_word(*kind), value));
    Asked {
        first: query.first.clone(),
        middle: query.middle.clone(),
        last: query.last.clone(),
        dob: query.dob.as_ref().map(born).unwrap_or_default(),
        numbers: ids
            .chain(numbers)
            .map(|(kind, value)| (kind.to_owned(), value.clone()))
            .collect(),
    }
}

fn born(born: &Born) -> String {
    match born {
        Born::On(PartialDate {
            year,
            month: Some(month),
            day: Some(day),
        }) => format!("{year:04}-{month:02}-{day:02}"),
        Born::On(PartialDate {
            year,
            month: Some(month),
            ..
        }) => format!("{year:04}-{month:02}"),
        Born::On(PartialDate { year, .. }) => format!("{year:04}"),
        Born::Age { years, .. } => format!("age {years}"),
    }
}

const fn id_word(kind: IdKind) -> &'static str {
    match kind {
        IdKind::DriverLicense => "driver_license",
        IdKind::Cii => "cii",
        IdKind::Fbi => "fbi",
        IdKind::SocialSecurity => "social_security",
        IdKind::Plate => "plate",
        IdKind::Vin => "vin",
        IdKind::Other => "other",
    }
}

const fn number_word(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::Case => "case",
        NumberKind::Registry => "registry",
        NumberKind::Fcn => "fcn",
        NumberKind::LeaCase => "lea_case",
    }
}

fn unread(request: &LookupRequest) -> Asked {
    let numbers = [
        ("line", &request.line),
        ("dl", &request.dl),
        ("case", &request.case_number),
    ];
    Asked {
        first: request.first.clone(),
        middle: request.middle.clone(),
        last: request.last.clone(),
        dob: request.dob.clone(),
        numbers: numbers
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(kind, value)| (kind.to_owned(), value.clone()))
            .collect(),
    }
}

/// An order that is asked for by its identifier or registry number.
pub(super) fn order(text: &str) -> Vec<Asked> {
    numbered("order", text)
}

/// An image that is asked for by its hash.
pub(super) fn image(blake3: &str) -> Vec<Asked> {
    numbered("image", blake3)
}

fn numbered(kind: &str, value: &str) -> Vec<Asked> {
    vec![Asked {
        numbers: vec![(kind.to_owned(), value.to_owned())],
        ..Asked::default()
    }]
}

/// A person of a message.
pub(super) fn somebody(person: &Person) -> Asked {
    let name = person.name.clone().unwrap_or_default();
    let numbers = person.identifiers.iter();
    Asked {
        first: name.first,
        middle: name.middle,
        last: name.last,
        dob: person.dob.clone(),
        numbers: numbers
            .map(|number| (one_word(&number.kind).to_owned(), number.value.clone()))
            .collect(),
    }
}

/// Kinds of numbers that have two words have one here.
fn one_word(kind: &str) -> &str {
    match kind {
        "sid" => "cii",
        "ssn_last4" => "social_security",
        other => other,
    }
}

/// Everybody an order names.
pub(super) fn parties(order: Option<&Order>) -> Vec<Asked> {
    let Some(order) = order else { return Vec::new() };
    let protected = order
        .protected
        .iter()
        .filter_map(|protected| protected.person.as_ref());
    order.restrained.iter().chain(protected).map(somebody).collect()
}

/// Everybody whom the hits of a look-up name, each once.
pub(super) fn hits(hits: &[Hit]) -> Vec<Asked> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for hit in hits {
        names.entry(&hit.restrained_name).or_default();
        let also = hit
            .also
            .iter()
            .map(|also| (also.name.as_str(), also.dob.as_str()));
        for (name, dob) in std::iter::once((hit.name.as_str(), hit.dob.as_str())).chain(also) {
            let known = names.entry(name).or_default();
            if known.is_empty() {
                *known = dob;
            }
        }
    }
    names
        .into_iter()
        .flat_map(|(name, dob)| named(name, dob))
        .collect()
}

/// Everybody whom an order with its history names.
pub(super) fn order_parties(answer: &OrderAnswer) -> Vec<Asked> {
    parties(answer.order.as_ref())
}

/// Whom an answer about enforcement names first: the restrained person.
pub(super) fn enforced(answer: &EnforceAnswer) -> Vec<Asked> {
    named(&answer.restrained_name, &answer.restrained_dob)
}

/// A name in one piece, `DOE, JANE MARIE` or `Jane Marie Doe`: once whole, and once by its outer words, since who asks rarely knows
/// what stands between.
#[must_use]
pub fn named(name: &str, dob: &str) -> Vec<Asked> {
    let words: Vec<&str> = name
        .split([' ', ','])
        .filter(|word| !word.is_empty() && !is_suffix(word))
        .collect();
    let person = |first: &str, last: &str| Asked {
        first: first.to_owned(),
        last: last.to_owned(),
        dob: dob.to_owned(),
        ..Asked::default()
    };
    let surname_first = name.split_once(',').map(|(last, rest)| {
        let first = rest.split_whitespace().next().unwrap_or_default();
        person(first, last)
    });
    match words.as_slice() {
        [] => Vec::new(),
        [_] | [_, _] => vec![person("", &words.join(" "))],
        [first, .., last] => {
            let outer = surname_first.unwrap_or_else(|| person(first, last));
            vec![person("", &words.join(" ")), outer]
        }
    }
}

fn is_suffix(word: &str) -> bool {
    ["JR", "SR", "II", "III", "IV"]
        .iter()
        .any(|suffix| word.trim_end_matches('.').eq_ignore_ascii_case(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_line_is_taken_apart_and_one_that_cannot_be_read_is_kept_as_it_is() {
        let line = |line: &str| {
            asked_for(&LookupRequest {
                line: line.into(),
                ..LookupRequest::default()
            })
        };
        let [jane] = line("DOE,JANE 19850312").try_into().unwrap();
        assert_eq!(
            (jane.first.to_uppercase(), jane.last.to_uppercase(), jane.dob),
            ("JANE".to_owned(), "DOE".to_owned(), "1985-03-12".to_owned())
        );
        let unread = asked_for(&LookupRequest {
            line: "x".repeat(1_000),
            ..LookupRequest::default()
        });
        assert_eq!(unread[0].numbers.len(), 1);
    }

    #[test]
    fn a_name_in_one_piece_is_found_by_its_outer_words() {
        let outer = |name| {
            let named = named(name, "1985-03-12");
            named
                .last()
                .map(|asked| format!("{}/{}", asked.first, asked.last))
        };
        assert_eq!(outer("DOE, JANE MARIE"), Some("JANE/DOE".into()));
        assert_eq!(outer("Jane Marie Doe Jr."), Some("Jane/Doe".into()));
        assert_eq!(outer("DE LA CRUZ, ANA"), Some("ANA/DE LA CRUZ".into()));
        assert_eq!(outer(""), None);
    }
}
