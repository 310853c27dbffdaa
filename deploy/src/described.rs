//! A person in words: name, description, numbers and vehicles, each left out where nothing is known.

use ccpor_api::message::{Name, Person};

/// A person in one to three lines: the description, other names, numbers and vehicles.
pub(crate) fn person(person: &Person) -> Vec<String> {
    let dob = if person.dob.is_empty() {
        String::new()
    } else {
        format!("DOB {}", person.dob)
    };
    let age = person
        .age_estimate
        .map(|age| format!("about {age} years old"))
        .unwrap_or_default();
    let height = person
        .height_inches
        .map(|inches| format!("{}'{:02}\"", inches / 12, inches % 12))
        .unwrap_or_default();
    let weight = person
        .weight_pounds
        .map(|pounds| format!("{pounds} lb"))
        .unwrap_or_default();
    let race = person.race.join("/");
    let mut lines = vec![said([
        &person.name.as_ref().map(name).unwrap_or_default(),
        &dob,
        &age,
        &person.sex,
        &race,
        &height,
        &weight,
        &person.hair,
        &person.eye,
        &person.marks,
    ])];
    lines.extend(person.aliases.iter().map(|alias| format!("also {}", name(alias))));
    lines.extend(
        person
            .identifiers
            .iter()
            .map(|one| said([&one.kind, &one.issuer, &one.value])),
    );
    lines.extend(person.vehicles.iter().map(|one| {
        let year = one.year.map(|year| year.to_string()).unwrap_or_default();
        said([
            &one.state, &one.plate, &year, &one.make, &one.model, &one.color, &one.vin,
        ])
    }));
    lines.extend(
        person
            .cautions
            .iter()
            .map(|caution| format!("CAUTION: {caution}")),
    );
    lines
}

/// `DOE JR, JANE ANN`.
fn name(name: &Name) -> String {
    let family = [name.last.as_str(), &name.suffix]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let given = [name.first.as_str(), &name.middle]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    if given.is_empty() {
        family
    } else {
        format!("{family}, {given}")
    }
}

/// The parts that say something, with ` · ` between them.
pub(crate) fn said<const N: usize>(parts: [&str; N]) -> String {
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ")
}
