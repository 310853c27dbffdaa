//! Made-up people: the one an order restrains and those it protects, with the errors and gaps real records have.

use ccpor_domain::{
    Identifier, IdentifierKind, Name, Person, Protected, ProtectedRole, Relationship, Sex, Vehicle,
};

use super::calendar::Day;
use super::dice::Dice;
use super::names::{Group, Names};

const YEAR: u32 = 365;

/// Whom an order restrains: someone over 18 when `today` comes.
pub(super) fn restrained(dice: &mut Dice, today: Day) -> Person {
    let group = Group::draw(dice);
    let sex = match dice.below(1000) {
        0..775 => Sex::Male,
        775..992 => Sex::Female,
        992..997 => Sex::Nonbinary,
        _ => Sex::Unknown,
    };
    let age = 18 + dice.below(20) + dice.below(25) + if dice.chance(8) { dice.below(25) } else { 0 };
    let born = today.minus(age * YEAR + dice.below(YEAR));
    let woman = sex == Sex::Female || (sex != Sex::Male && dice.chance(50));
    let name = name(dice, woman, born.date().year(), group);
    let aliases = if dice.chance(30) {
        aliases(dice, &name, group)
    } else {
        Vec::new()
    };
    let known = dice.chance(93);
    let mut person = Person {
        name,
        aliases,
        dob: known.then(|| born.date()),
        age_estimate: (!known).then_some(age as u8),
        sex,
        race: group.race().iter().map(|&code| code.to_owned()).collect(),
        ..Person::default()
    };
    describe(&mut person, dice, woman, group);
    identify(&mut person, dice);
    person
}

fn name(dice: &mut Dice, woman: bool, year: i16, group: Group) -> Name {
    let names = Names::tables();
    let middle = match dice.below(100) {
        0..55 => names.given(woman, year, group, dice).to_owned(),
        55..80 => names.given(woman, year, group, dice).chars().take(1).collect(),
        _ => String::new(),
    };
    let suffix = if !woman && dice.chance(4) {
        dice.pick(&["JR", "SR", "II", "III"])
    } else {
        ""
    };
    Name {
        first: names.given(woman, year, group, dice).to_owned(),
        middle,
        last: surname(dice, woman, group),
        suffix: suffix.to_owned(),
    }
}

/// A surname, in some families two, in some spelled apart (`DE LA CRUZ`, `O'BRIEN`).
fn surname(dice: &mut Dice, woman: bool, group: Group) -> String {
    let names = Names::tables();
    let first = apart(names.surname(group, dice), dice);
    let doubled = if group == Group::Hispanic {
        35
    } else if woman {
        7
    } else {
        0
    };
    if !dice.chance(doubled) {
        return first;
    }
    let second = apart(names.surname(group, dice), dice);
    format!("{first}{}{second}", if dice.chance(45) { "-" } else { " " })
}

fn apart(name: &'static str, dice: &mut Dice) -> String {
    const PARTS: [(&str, &str); 4] = [
        ("DELOS", "DE LOS "),
        ("DELA", "DE LA "),
        ("DEL", "DEL "),
        ("VANDER", "VAN DER "),
    ];
    for (joined, parted) in PARTS {
        if let Some(rest) = name.strip_prefix(joined).filter(|rest| rest.len() > 2) {
            return if dice.chance(40) {
                format!("{parted}{rest}")
            } else {
                name.to_owned()
            };
        }
    }
    const IRISH: [&str; 8] = ["OBR", "OCO", "ODO", "OHA", "OKE", "ONE", "ORE", "OSU"];
    if name.len() > 4 && IRISH.iter().any(|start| name.starts_with(start)) && dice.chance(15) {
        return format!("O'{}", name.get(1..).unwrap_or_default());
    }
    name.to_owned()
}

fn aliases(dice: &mut Dice, name: &Name, group: Group) -> Vec<Name> {
    let count = dice.weigh(&[(1, 70), (2, 22), (3, 8)], |(_, weight)| *weight).0;
    (0..count).map(|_| alias(dice, name, group)).collect()
}

/// Another name of the same person, made in one of the ways such names come about.
fn alias(dice: &mut Dice, name: &Name, group: Group) -> Name {
    let names = Names::tables();
    let mut alias = Name {
        suffix: String::new(),
        ..name.clone()
    };
    match dice.below(100) {
        0..30 => {
            if let Some(short) = names.nickname(&name.first, dice) {
                short.clone_into(&mut alias.first);
            }
        }
        30..50 => names.surname(group, dice).clone_into(&mut alias.last),
        50..65 if name.middle.len() > 1 => (alias.first, alias.middle) = (name.middle.clone(), String::new()),
        65..85 => alias.last = misspelled(dice, &name.last),
        85..95 => {
            let parts: Vec<&str> = name.last.split([' ', '-']).collect();
            dice.pick(&parts).clone_into(&mut alias.last);
        }
        _ => names.surname(group, dice).clone_into(&mut alias.last),
    }
    if (&alias.first, &alias.last) == (&name.first, &name.last) {
        alias.last = misspelled(dice, &name.last);
    }
    alias
}

/// One letter left out, doubled, or swapped with the next.
fn misspelled(dice: &mut Dice, name: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    if letters.len() < 3 {
        return format!("{name}E");
    }
    let place = dice.within(1, letters.len() as u32 - 2) as usize;
    match dice.below(3) {
        0 => drop(letters.remove(place)),
        1 => letters.insert(place, letters.get(place).copied().unwrap_or('E')),
        _ => letters.swap(place, place + 1),
    }
    letters.into_iter().collect()
}

fn describe(person: &mut Person, dice: &mut Dice, woman: bool, group: Group) {
    let (height, weight) = if woman { (64, 165) } else { (69, 190) };
    person.height_inches = dice.chance(92).then(|| dice.around(height, 4) as u16);
    person.weight_pounds = dice.chance(90).then(|| dice.around(weight, 40) as u16);
    const HAIR: [(&str, u32); 6] = [
        ("BLK", 40),
        ("BRO", 40),
        ("BLN", 9),
        ("GRY", 6),
        ("RED", 3),
        ("XXX", 2),
    ];
    const EYE: [(&str, u32); 5] = [("BRO", 68), ("BLU", 12), ("HAZ", 9), ("GRN", 7), ("BLK", 4)];
    if dice.chance(94) {
        dice.weigh(&HAIR, |(_, weight)| *weight)
            .0
            .clone_into(&mut person.hair);
        dice.weigh(&EYE, |(_, weight)| *weight)
            .0
            .clone_into(&mut person.eye);
    }
    const MARKS: [&str; 6] = [
        "TATTOO RIGHT FOREARM, ROSE",
        "SCAR LEFT CHEEK",
        "TATTOO NECK, SCRIPT",
        "TATTOO BOTH ARMS",
        "SCAR CHIN",
        "TATTOO CHEST, EAGLE",
    ];
    if dice.chance(18) {
        dice.pick(&MARKS).clone_into(&mut person.marks);
    }
    if dice.chance(9) {
        person
            .cautions
            .push(dice.pick(&["00", "05", "20", "55", "70"]).to_owned());
    }
    if group == Group::Hispanic && dice.chance(22) {
        "Spanish".clone_into(&mut person.language);
    }
}

fn identify(person: &mut Person, dice: &mut Dice) {
    let mut add = |kind, value: String, issuer: &str| {
        person.identifiers.push(Identifier {
            kind,
            value,
            issuer: issuer.to_owned(),
        });
    };
    if dice.chance(80) {
        let letter = char::from(b'A' + dice.below(26) as u8);
        add(
            IdentifierKind::DriverLicense,
            format!("{letter}{:07}", dice.below(10_000_000)),
            "CA",
        );
    }
    if dice.chance(70) {
        add(
            IdentifierKind::Cii,
            format!("A{:08}", dice.within(1_000_000, 99_999_999)),
            "CA",
        );
    }
    if dice.chance(20) {
        let letters: [char; 2] = std::array::from_fn(|_| char::from(b'A' + dice.below(26) as u8));
        add(
            IdentifierKind::Fbi,
            format!("{}{}{}", dice.within(100_000, 999_999), letters[0], letters[1]),
            "",
        );
    }
    if dice.chance(25) {
        add(IdentifierKind::SsnLast4, format!("{:04}", dice.below(10_000)), "");
    }
    if dice.chance(35) {
        person.vehicles.push(vehicle(dice));
    }
}

fn vehicle(dice: &mut Dice) -> Vehicle {
    const CARS: [(&str, &str); 8] = [
        ("TOYT", "CAMRY"),
        ("HOND", "CIVIC"),
        ("FORD", "F-150"),
        ("CHEV", "SILVERADO"),
        ("NISS", "ALTIMA"),
        ("TOYT", "TACOMA"),
        ("HOND", "ACCORD"),
        ("DODG", "CHARGER"),
    ];
    let (make, model) = dice.pick(&CARS);
    let letters: String = (0..3).map(|_| char::from(b'A' + dice.below(26) as u8)).collect();
    Vehicle {
        plate: format!("{}{letters}{:03}", dice.within(4, 9), dice.below(1000)),
        state: "CA".to_owned(),
        make: make.to_owned(),
        model: model.to_owned(),
        year: Some(dice.within(1998, 2025) as u16),
        color: dice.pick(&["BLK", "WHI", "SIL", "GRY", "BLU", "RED"]).to_owned(),
        ..Vehicle::default()
    }
}

/// Who lives with, works with or fears the restrained person in the way this kind of order is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bond {
    Intimate,
    Elder,
    Work,
    School,
    Stranger,
}

impl Bond {
    fn relationships(self) -> &'static [Relationship] {
        use Relationship as R;
        match self {
            Self::Intimate => &[
                R::Spouse,
                R::FormerSpouse,
                R::ParentOfCommonChild,
                R::Cohabitant,
                R::Dating,
                R::Relative,
            ],
            Self::Elder => &[R::Child, R::Child, R::Relative, R::Household, R::Other],
            Self::Work => &[R::Coworker, R::Coworker, R::Stranger, R::Acquaintance],
            Self::School => &[R::Schoolmate, R::Acquaintance, R::Stranger],
            Self::Stranger => &[R::Neighbor, R::Acquaintance, R::Stranger, R::Household],
        }
    }

    fn age(self, dice: &mut Dice) -> u32 {
        match self {
            Self::Elder => dice.within(65, 92),
            Self::School => dice.within(17, 26),
            _ => 18 + dice.below(18) + dice.below(25),
        }
    }
}

/// Whom the order protects: one person of the bond, often with children or others of the household.
pub(super) fn protected(dice: &mut Dice, today: Day, restrained: &Person, bond: Bond) -> Vec<Protected> {
    let count = dice
        .weigh(&[(1, 55), (2, 22), (3, 15), (4, 8)], |(_, weight)| *weight)
        .0;
    let group = Group::draw(dice);
    let woman = dice.chance(if bond == Bond::Intimate { 76 } else { 55 });
    let age = bond.age(dice);
    let relationship = dice.pick(bond.relationships());
    let mut first = someone(dice, today, woman, age, group);
    if relationship == Relationship::Spouse && dice.chance(60) {
        first.name.last.clone_from(&restrained.name.last);
    }
    let last = first.name.last.clone();
    let mut all = vec![Protected {
        safe_at_home: dice.chance(3),
        person: first,
        role: ProtectedRole::Primary,
        relationship,
        minor_confidential: false,
    }];
    for _ in 1..count {
        let child = bond == Bond::Intimate && dice.chance(80);
        let (woman, age) = (
            dice.chance(50),
            if child {
                dice.below(18)
            } else {
                dice.within(18, 75)
            },
        );
        let mut person = someone(dice, today, woman, age, group);
        if child {
            let theirs = if dice.chance(50) {
                &restrained.name.last
            } else {
                &last
            };
            person.name.last.clone_from(theirs);
        }
        all.push(Protected {
            person,
            role: ProtectedRole::Additional,
            relationship: if child {
                Relationship::Parent
            } else {
                Relationship::NotStated
            },
            minor_confidential: child && dice.chance(6),
            safe_at_home: false,
        });
    }
    all
}

fn someone(dice: &mut Dice, today: Day, woman: bool, age: u32, group: Group) -> Person {
    let born = today.minus(age * YEAR + dice.below(YEAR));
    let known = dice.chance(72);
    Person {
        name: name(dice, woman, born.date().year(), group),
        dob: known.then(|| born.date()),
        age_estimate: (!known).then_some(age as u8),
        sex: if woman { Sex::Female } else { Sex::Male },
        race: group.race().iter().map(|&code| code.to_owned()).collect(),
        ..Person::default()
    }
}
