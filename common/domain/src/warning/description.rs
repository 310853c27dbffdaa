//! Warnings on how an order describes people. They name fields, never what is in them.

use crate::code::{CodeTable, Sex};
use crate::date::Date;
use crate::order::Order;
use crate::party::{Identifier, IdentifierKind, Person};
use crate::warning::found::{REQUIRED, WarningCode, Warnings};

/// The restrained person: officers must be able to recognise one.
pub(super) fn of_restrained(order: &Order, found: &mut Warnings) {
    let person = &order.restrained;
    let no_age = person.dob.is_none() && person.age_estimate.is_none();
    let no_name = person.name.first.trim().is_empty() || person.name.last.trim().is_empty();
    for (missing, field, message) in [
        (no_name, "name", "first or last name is not stated"),
        (
            no_age,
            "dob",
            "neither date of birth nor age is stated: an estimate will do",
        ),
        (person.sex == Sex::Unknown, "sex", "sex is not stated"),
        (person.race.is_empty(), "race", "race is not stated"),
        (
            person.height_inches.is_none(),
            "height_inches",
            "height is not stated",
        ),
        (
            person.weight_pounds.is_none(),
            "weight_pounds",
            "weight is not stated",
        ),
        (person.hair.trim().is_empty(), "hair", "hair color is not stated"),
        (person.eye.trim().is_empty(), "eye", "eye color is not stated"),
    ] {
        found.missing_if(missing, format!("restrained.{field}"), message, REQUIRED);
    }
    of_person("restrained", person, order.issued, found);
}

/// The protected persons: their names are enough.
pub(super) fn of_protected(order: &Order, found: &mut Warnings) {
    let family = order.resolved_family();
    if family.protects_no_named_person() {
        let establishment = order.establishment.as_deref().unwrap_or_default().trim();
        found.missing_if(
            family == crate::family::Family::RetailCrime && establishment.is_empty(),
            "establishment",
            "the establishment that the order protects is not stated",
            "Pen. Code 490.8",
        );
    } else {
        let message = "no protected person is entered";
        found.missing_if(order.protected.is_empty(), "protected", message, REQUIRED);
    }
    for (place, protected) in order.protected.iter().enumerate() {
        let field = format!("protected[{place}].person");
        let message = "the name of a protected person is not stated";
        found.missing_if(
            protected.person.name.is_blank(),
            format!("{field}.name"),
            message,
            REQUIRED,
        );
        of_person(&field, &protected.person, order.issued, found);
    }
}

/// What can be wrong in any description.
fn of_person(path: &str, person: &Person, issued: Option<Date>, found: &mut Warnings) {
    if person
        .dob
        .zip(issued)
        .is_some_and(|(born, issued)| born > issued || born.year() < issued.year() - 120)
    {
        let message = "the date of birth is after the order was made, or more than 120 years before";
        found.add(format!("{path}.dob"), WarningCode::Unlikely, message, REQUIRED);
    }
    if person
        .height_inches
        .is_some_and(|inches| !(12..=107).contains(&inches))
    {
        found.add(
            format!("{path}.height_inches"),
            WarningCode::Unlikely,
            "check the height, in inches",
            "NCIC HGT",
        );
    }
    if person
        .weight_pounds
        .is_some_and(|pounds| !(5..=999).contains(&pounds))
    {
        found.add(
            format!("{path}.weight_pounds"),
            WarningCode::Unlikely,
            "check the weight, in pounds",
            "NCIC WGT",
        );
    }
    let races = person.race.iter().map(|code| (CodeTable::Race, "race", code));
    let looks = [
        (CodeTable::Eye, "eye", &person.eye),
        (CodeTable::Hair, "hair", &person.hair),
        (CodeTable::Skin, "skin", &person.skin),
    ];
    for (table, field, code) in races.chain(looks) {
        if !code.trim().is_empty() && table.find(code).is_none() {
            let message = "the code is not in the table: it is kept as it is; check it";
            found.add(
                format!("{path}.{field}"),
                WarningCode::UnknownCode,
                message,
                "NCIC code table",
            );
        }
    }
    for (place, identifier) in person.identifiers.iter().enumerate() {
        of_identifier(&format!("{path}.identifiers[{place}]"), identifier, found);
    }
}

fn of_identifier(path: &str, identifier: &Identifier, found: &mut Warnings) {
    let value = identifier.value.trim();
    let four_digits = value.len() == 4 && value.bytes().all(|byte| byte.is_ascii_digit());
    if identifier.kind == IdentifierKind::SsnLast4 && !four_digits {
        let message =
            "the last four digits of a social security number are four digits: enter no more than those";
        found.add(
            format!("{path}.value"),
            WarningCode::Unlikely,
            message,
            "data minimisation",
        );
    }
    let by_state = matches!(
        identifier.kind,
        IdentifierKind::DriverLicense | IdentifierKind::Plate | IdentifierKind::Sid
    );
    if by_state && identifier.issuer.trim().is_empty() {
        found.add(
            format!("{path}.issuer"),
            WarningCode::Missing,
            "the state that issued it is not stated",
            "NCIC OLS, LIS",
        );
    }
}
