//! Cards: by which names, dates and numbers an order is to be found, its earlier versions included.

use ccpor_domain::{Date, IdentifierKind, Name, Order, OrderId, Person, RegistryNumber};
use ccpor_matching::{Card, CardPerson, IdKind, NameParts, NumberKind, PartialDate, Role, Sex};

/// The person at a place of the card of an order as it stands; none for a person of an earlier version.
pub(crate) fn person_at(order: &Order, place: u8) -> Option<CardPerson> {
    persons(order).nth(usize::from(place))
}

fn persons(order: &Order) -> impl Iterator<Item = CardPerson> {
    let protected = order
        .protected
        .iter()
        .map(|protected| person(Role::Protected, &protected.person));
    std::iter::once_with(|| person(Role::Restrained, &order.restrained))
        .chain(protected)
        .filter(|person| !person.names.is_empty() || !person.ids.is_empty())
}

/// The card of an order as it stands, with its ordinal in the index.
pub(crate) fn of(ordinal: u32, id: OrderId, order: &Order) -> Card {
    let persons = persons(order).collect();
    let mut numbers = vec![(NumberKind::Registry, RegistryNumber::of(id).to_string())];
    number(&mut numbers, NumberKind::Case, &order.case_number);
    number(&mut numbers, NumberKind::LeaCase, &order.agency_case_number);
    number(&mut numbers, NumberKind::Fcn, &order.fcn);
    Card {
        order: ordinal,
        persons,
        numbers,
    }
}

/// The newest card with everything that an earlier one says besides: a name that was once on the order still finds it.
pub(crate) fn with_history(mut newest: Card, earlier: Option<Card>) -> Card {
    let Some(earlier) = earlier else { return newest };
    for past in earlier.persons {
        match newest
            .persons
            .iter_mut()
            .find(|person| same_person(person, &past))
        {
            Some(person) => {
                add(&mut person.names, past.names);
                add(&mut person.dob, past.dob);
                add(&mut person.ids, past.ids);
            }
            None => newest.persons.push(past),
        }
    }
    add(&mut newest.numbers, earlier.numbers);
    newest
}

/// There is one restrained person; a protected person is known again by a name.
fn same_person(person: &CardPerson, past: &CardPerson) -> bool {
    person.role == past.role
        && (person.role == Role::Restrained || person.names.iter().any(|name| past.names.contains(name)))
}

fn add<T: PartialEq>(to: &mut Vec<T>, from: Vec<T>) {
    for item in from {
        if !to.contains(&item) {
            to.push(item);
        }
    }
}

fn person(role: Role, person: &Person) -> CardPerson {
    let mut names = Vec::new();
    for name in std::iter::once(&person.name).chain(&person.aliases) {
        if !name.is_blank() {
            add(&mut names, vec![parts(name)]);
        }
    }
    let dob = person.dob.iter().map(partial).collect();
    let sex = match person.sex {
        ccpor_domain::Sex::Female => Some(Sex::Female),
        ccpor_domain::Sex::Male => Some(Sex::Male),
        ccpor_domain::Sex::Nonbinary => Some(Sex::Nonbinary),
        ccpor_domain::Sex::Unknown => None,
    };
    let mut ids: Vec<(IdKind, String)> = Vec::new();
    for identifier in &person.identifiers {
        if !identifier.value.trim().is_empty() {
            add(
                &mut ids,
                vec![(id_kind(identifier.kind), identifier.value.trim().to_owned())],
            );
        }
    }
    for vehicle in &person.vehicles {
        for (kind, value) in [(IdKind::Plate, &vehicle.plate), (IdKind::Vin, &vehicle.vin)] {
            if !value.trim().is_empty() {
                add(&mut ids, vec![(kind, value.trim().to_owned())]);
            }
        }
    }
    CardPerson {
        role,
        names,
        dob,
        sex,
        ids,
    }
}

fn parts(name: &Name) -> NameParts {
    NameParts {
        first: name.first.trim().to_owned(),
        middle: name.middle.trim().to_owned(),
        last: name.last.trim().to_owned(),
        suffix: name.suffix.trim().to_owned(),
    }
}

fn partial(date: &Date) -> PartialDate {
    PartialDate {
        year: date.year(),
        month: Some(date.month()),
        day: Some(date.day()),
    }
}

/// The kind of number by which the index of people knows an identifier.
#[must_use]
pub fn id_kind(kind: IdentifierKind) -> IdKind {
    match kind {
        IdentifierKind::DriverLicense => IdKind::DriverLicense,
        IdentifierKind::Cii | IdentifierKind::Sid => IdKind::Cii,
        IdentifierKind::Fbi => IdKind::Fbi,
        IdentifierKind::SsnLast4 => IdKind::SocialSecurity,
        IdentifierKind::Plate => IdKind::Plate,
        IdentifierKind::Vin => IdKind::Vin,
        IdentifierKind::Other => IdKind::Other,
    }
}

fn number(numbers: &mut Vec<(NumberKind, String)>, kind: NumberKind, value: &str) {
    if !value.trim().is_empty() {
        numbers.push((kind, value.trim().to_owned()));
    }
}
