//! Whom and what a message asks for, and whom an answer names, in the words of the audit trail. Nothing is judged here.

use ccpor_api::message::{EnforceAnswer, Hit, LookupRequest, Name, Order, OrderAnswer, Person};
use ccpor_api::question::question_from;
use ccpor_audit::{Asked, ShownNames};
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
pub(crate) fn order(text: &str) -> Vec<Asked> {
    numbered("order", text)
}

/// An image that is asked for by its hash.
pub(crate) fn image(blake3: &str) -> Vec<Asked> {
    numbered("image", blake3)
}

fn numbered(kind: &str, value: &str) -> Vec<Asked> {
    vec![Asked {
        numbers: vec![(kind.to_owned(), value.to_owned())],
        ..Asked::default()
    }]
}

/// A person of a message.
pub(crate) fn somebody(person: &Person) -> Asked {
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

/// Everybody an order names, as it is drafted or amended.
pub(super) fn parties(order: Option<&Order>) -> Vec<Asked> {
    persons(order).map(somebody).collect()
}

fn persons(order: Option<&Order>) -> impl Iterator<Item = &Person> {
    order.into_iter().flat_map(|order| {
        let protected = order.protected.iter();
        let protected = protected.filter_map(|protected| protected.person.as_ref());
        order.restrained.iter().chain(protected)
    })
}

/// The names that the hits of a look-up show, each once.
pub(super) fn hits(hits: &[Hit]) -> ShownNames {
    let mut names: Vec<&str> = Vec::with_capacity(2 * hits.len());
    for hit in hits {
        names.extend([hit.restrained_name.as_str(), hit.name.as_str()]);
        names.extend(hit.also.iter().map(|also| also.name.as_str()));
    }
    names.sort_unstable();
    names.dedup();
    ShownNames(names.into_iter().map(str::to_owned).collect())
}

/// The names that an order with its history shows.
pub(super) fn order_parties(answer: &OrderAnswer) -> ShownNames {
    let names = persons(answer.order.as_ref()).filter_map(|person| person.name.as_ref());
    let whole = |name: &Name| format!("{}, {} {}", name.last, name.first, name.middle);
    let outer = |name: &Name| format!("{}, {}", name.last, name.first);
    ShownNames(names.flat_map(|name| [whole(name), outer(name)]).collect())
}

/// The name that an answer about enforcement shows first: the restrained person's.
pub(super) fn enforced(answer: &EnforceAnswer) -> ShownNames {
    ShownNames(vec![answer.restrained_name.clone()])
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
}
