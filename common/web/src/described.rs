//! A person in words: name, description, numbers and vehicles, each left out where nothing is known.

use ccpor_api::message::{Identifier, Name, Person, Vehicle};
use ccpor_domain::CodeTable;

use crate::words::{Words, fill};

/// A person ready to be shown.
pub(crate) struct Described {
    /// `DOE JR, JANE ANN`.
    pub(crate) name: String,
    /// What is known, each with its label.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// What officers should be careful of.
    pub(crate) cautions: Vec<String>,
}

/// Describes a person.
pub(crate) fn person(person: &Person, w: &'static Words) -> Described {
    let all = |list: Vec<String>| list.join("; ");
    let facts = [
        (w.person_dob, person.dob.clone()),
        (
            w.person_age,
            person
                .age_estimate
                .map(|age| fill(w.person_about, &[("age", &age.to_string())]))
                .unwrap_or_default(),
        ),
        (w.person_sex, sex(&person.sex, w)),
        (w.person_race, person.race.join("/")),
        (w.person_build, build(person)),
        (w.person_hair_eyes, joined(&[&person.hair, &person.eye], " / ")),
        (w.person_marks, person.marks.clone()),
        (w.person_aliases, all(person.aliases.iter().map(name).collect())),
        (
            w.person_numbers,
            all(person.identifiers.iter().map(number).collect()),
        ),
        (
            w.person_vehicles,
            all(person.vehicles.iter().map(vehicle).collect()),
        ),
        (w.person_language, person.language.clone()),
    ];
    Described {
        name: person.name.as_ref().map(name).unwrap_or_default(),
        facts: facts.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        cautions: person.cautions.iter().map(|code| caution(code)).collect(),
    }
}

/// `DOE JR, JANE ANN`.
pub(crate) fn name(name: &Name) -> String {
    let last = joined(&[&name.last, &name.suffix], " ");
    let first = joined(&[&name.first, &name.middle], " ");
    joined(&[&last, &first], ", ")
}

/// A code of caution with its words; what is no code is words already.
fn caution(code: &str) -> String {
    let known = CodeTable::Caution.find(code);
    known.map_or_else(|| code.to_owned(), |entry| format!("{} ({code})", entry.words))
}

fn build(person: &Person) -> String {
    let height = person
        .height_inches
        .map(|inches| format!("{}'{:02}\"", inches / 12, inches % 12));
    let weight = person.weight_pounds.map(|pounds| format!("{pounds} lb"));
    joined(&[&height.unwrap_or_default(), &weight.unwrap_or_default()], ", ")
}

fn sex(word: &str, w: &Words) -> String {
    match word {
        "male" => w.sex_male.to_owned(),
        "female" => w.sex_female.to_owned(),
        "nonbinary" => w.sex_nonbinary.to_owned(),
        "unknown" => String::new(),
        other => other.to_owned(),
    }
}

fn number(one: &Identifier) -> String {
    joined(
        &[
            &one.kind.replace('_', " ").to_uppercase(),
            &one.issuer,
            &one.value,
        ],
        " ",
    )
}

fn vehicle(one: &Vehicle) -> String {
    let year = one.year.map(|year| year.to_string()).unwrap_or_default();
    joined(
        &[
            &one.state, &one.plate, &year, &one.make, &one.model, &one.color, &one.vin,
        ],
        " ",
    )
}

fn joined(parts: &[&str], between: &str) -> String {
    let some: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    some.join(between)
}
