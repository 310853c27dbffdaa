//! Cards: by which names, dates and numbers an order is to be found, its earlier versions included.

use ccpor_domain::{Date, IdentifierKind, Name, Order, OrderId, Person, RegistryNumber};
use ccpor_matching::{Card, CardPerson, IdKind, NameParts, NumberKind, PartialDate, Role, Sex};

/// A card takes no more than about so many bytes, or what the newest version of its order takes.
const MOST_BYTES: usize = 256 << 10;
/// What a field takes besides its text, about.
const FIELD_BYTES: usize = 32;

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

/// The newest card with what an earlier one says besides: a name that was once on the order still finds it. As far as there is room:
/// an order that is amended again and again with other names must not grow without an end.
pub(crate) fn with_history(mut newest: Card, earlier: Option<Card>) -> Card {
    let Some(earlier) = earlier else { return newest };
    let mut room = Room(MOST_BYTES.saturating_sub(bytes_of(&newest)));
    for past in earlier.persons {
        match newest
            .persons
            .iter_mut()
            .find(|person| same_person(person, &past))
        {
            Some(person) => {
                room.add(&mut person.names, past.names, bytes_of_name);
                room.add(&mut person.dob, past.dob, |_| FIELD_BYTES);
                room.add(&mut person.ids, past.ids, |(_, id)| FIELD_BYTES + id.len());
            }
            None => room.add(&mut newest.persons, vec![past], bytes_of_person),
        }
    }
    room.add(&mut newest.numbers, earlier.numbers, |(_, number)| {
        FIELD_BYTES + number.len()
    });
    newest
}

/// What is left for earlier names, in bytes.
struct Room(usize);

impl Room {
    /// Adds what is not there yet and fits.
    fn add<T: PartialEq>(&mut self, to: &mut Vec<T>, from: Vec<T>, bytes_of: impl Fn(&T) -> usize) {
        for item in from {
            if !to.contains(&item)
                && let Some(left) = self.0.checked_sub(bytes_of(&item))
            {
                self.0 = left;
                to.push(item);
            }
        }
    }
}

fn bytes_of(card: &Card) -> usize {
    let numbers = card.numbers.iter().map(|(_, number)| FIELD_BYTES + number.len());
    numbers.chain(card.persons.iter().map(bytes_of_person)).sum()
}

fn bytes_of_person(person: &CardPerson) -> usize {
    let ids = person.ids.iter().map(|(_, id)| FIELD_BYTES + id.len());
    let fields = ids.chain(person.names.iter().map(bytes_of_name));
    FIELD_BYTES * (1 + person.dob.len()) + fields.sum::<usize>()
}

fn bytes_of_name(name: &NameParts) -> usize {
    FIELD_BYTES + name.first.len() + name.middle.len() + name.last.len() + name.suffix.len()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of_number(number: u32, length: usize) -> Card {
        let order = Order {
            case_number: format!("{number}{}", "0".repeat(length)),
            restrained: Person {
                name: Name::new("ANN", &format!("NAME{number}")),
                ..Person::default()
            },
            ..Order::default()
        };
        of(0, OrderId([1; 16]), &order)
    }

    #[test]
    fn earlier_names_and_numbers_stay() {
        let card = (1..=20).fold(None, |earlier, number| {
            Some(with_history(of_number(number, 8), earlier))
        });
        let card = card.unwrap();
        assert_eq!(card.persons.len(), 1);
        assert_eq!(card.persons[0].names.len(), 20);
        assert_eq!(card.persons[0].names[0].last, "NAME20");
        assert_eq!(card.numbers.len(), 21);
    }

    #[test]
    fn a_card_does_not_grow_without_an_end_and_always_has_the_newest() {
        let mut card = None;
        for number in 1..=100 {
            let newest = with_history(of_number(number, 10_000), card);
            let case = format!("{number}{}", "0".repeat(10_000));
            assert!(newest.numbers.contains(&(NumberKind::Case, case)));
            assert!(bytes_of(&newest) <= MOST_BYTES);
            card = Some(newest);
        }
        let large = with_history(of_number(1, 2 * MOST_BYTES), card);
        assert!(large.persons[0].names.len() == 1 && bytes_of(&large) > MOST_BYTES);
    }
}
