//! People are found in spite of what dispatchers, clerks and scanners do to names and dates; others are not.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail by panic"
)]

use ccpor_matching::{
    Band, Born, Card, CardPerson, IdKind, Index, Limits, NameParts, NumberKind, PartialDate, Query, Role,
    STRONG_SCORE, Sex,
};
use proptest::prelude::*;

const SURNAMES: [&str; 24] = [
    "GARCIA",
    "LOPEZ",
    "HERNANDEZ",
    "SMITH",
    "JOHNSON",
    "NGUYEN",
    "O'BRIEN",
    "De la Cruz",
    "VASQUEZ",
    "MUÑOZ",
    "MILLER",
    "KIM",
    "PATEL",
    "GARCIA LOPEZ",
    "HERNANDEZ-GARCIA",
    "MCDONALD",
    "WASHINGTON",
    "SCHWARTZ",
    "RODRIGUEZ",
    "YANG",
    "FITZGERALD",
    "ABDULLAH",
    "ZAMORA",
    "QUINTERO",
];
const GIVEN: [&str; 16] = [
    "JOSE",
    "MARIA",
    "MICHAEL",
    "ROBERT",
    "JESUS",
    "FRANCISCO",
    "ELIZABETH",
    "WILLIAM",
    "GUADALUPE",
    "JUAN",
    "LINDA",
    "DAVID",
    "THANH",
    "PATRICIA",
    "KEVIN",
    "ALEJANDRO",
];

fn person(role: Role, first: &str, middle: &str, last: &str, dob: PartialDate) -> CardPerson {
    let name = NameParts {
        first: first.into(),
        middle: middle.into(),
        last: last.into(),
        suffix: String::new(),
    };
    CardPerson {
        role,
        names: vec![name],
        dob: vec![dob],
        sex: None,
        ids: Vec::new(),
    }
}

fn day(year: i16, month: u8, day: u8) -> PartialDate {
    PartialDate::full(year, month, day).unwrap()
}

/// A small town: every pair of names once, on scattered days; order 0 is the person of the examples.
fn town(wanted: CardPerson) -> Index {
    let mut cards = vec![Card {
        order: 0,
        persons: vec![wanted],
        numbers: Vec::new(),
    }];
    for (i, last) in SURNAMES.iter().enumerate() {
        for (j, first) in GIVEN.iter().enumerate() {
            let n = i * GIVEN.len() + j;
            let dob = day(
                1950 + (n * 7 % 50) as i16,
                (n % 12 + 1) as u8,
                (n * 11 % 28 + 1) as u8,
            );
            let order = cards.len() as u32;
            cards.push(Card {
                order,
                persons: vec![person(Role::Restrained, first, "", last, dob)],
                numbers: Vec::new(),
            });
        }
    }
    Index::build(cards)
}

fn ask(first: &str, middle: &str, last: &str, dob: Option<PartialDate>) -> Query {
    Query {
        first: first.into(),
        middle: middle.into(),
        last: last.into(),
        dob: dob.map(Born::On),
        ..Query::default()
    }
}

/// Whether the first hit is order 0, as the same person; with the reasons, to be read when it fails.
fn found(wanted: (&str, &str, &str), asked: &Query) -> (bool, String) {
    let index = town(person(
        Role::Restrained,
        wanted.0,
        wanted.1,
        wanted.2,
        day(1985, 3, 12),
    ));
    let hits = index.lookup(asked, &Limits::default());
    let words = hits.iter().take(2).map(|hit| {
        let why: Vec<String> = hit.why.iter().map(ToString::to_string).collect();
        format!("{} {:.4} {}", hit.order, hit.score, why.join("; "))
    });
    let words: Vec<String> = words.collect();
    (
        hits.first()
            .is_some_and(|hit| hit.order == 0 && hit.score >= STRONG_SCORE),
        words.join(" | "),
    )
}

#[test]
fn errors_of_the_ear_the_hand_and_the_scanner() {
    let born = Some(day(1985, 3, 12));
    let cases = [
        (
            ("JOSE", "", "GARCIA LOPEZ"),
            ask("JOSE", "", "GARCIA LOPEZ", born),
        ),
        (
            ("JOSE", "", "GARCIA LOPEZ"),
            ask("JOSE", "", "LOPEZ GARCIA", born),
        ),
        (("JOSE", "", "GARCIA LOPEZ"), ask("JOSE", "", "GARCIALOPE", born)),
        (("JOSE", "", "GARCIA-LOPEZ"), ask("JOSE", "", "LOPEZ", born)),
        (("JOSE", "", "GARCIA LOPEZ"), ask("JOSE", "GARCIA", "LOPEZ", born)),
        (("JOSE", "", "GARCIALOPEZ"), ask("JOSE", "", "GARCIA LOPEZ", born)),
        (("FRANCISCO", "", "ZAMORA"), ask("PANCHO", "", "SAMORA", born)),
        (("BILL", "", "FITZGERALD"), ask("WILLIAM", "", "FITZGERLAD", born)),
        (
            ("ELIZABETH", "ANN", "SCHWARTZ"),
            ask("SCHWARTZ", "", "ELIZABETH", born),
        ),
        (("ELIZABETH", "ANN", "SCHWARTZ"), ask("ANN", "", "SCHWARTZ", born)),
        (("ELIZABETH", "", "SCHWARTZ"), ask("E", "", "SHWARTS", born)),
        (("MARIA", "", "DE LA CRUZ"), ask("MARIA", "", "CRUZ", born)),
        (("MARIA", "", "CRUZ"), ask("MARIA", "", "DELACRUZ", born)),
        (("SEAN", "", "O'BRIEN"), ask("SHAWN", "", "O BRIAN", born)),
        (("JOSÉ", "", "MUÑOZ"), ask("jose", "", "MUNOS", born)),
        (("GUADALUPE", "", "QUINTERO"), ask("LUPE", "", "KINTERO", born)),
        (
            ("THANH", "", "NGUYEN"),
            ask("THANH", "", "NGUYEN", Some(day(1985, 12, 3))),
        ),
        (
            ("KEVIN", "", "WASHINGTON"),
            ask("KEVIN", "", "WASHINGTON", Some(day(1985, 3, 13))),
        ),
        (
            ("KEVIN", "", "WASHINGTON"),
            ask("KEVIN", "", "WASHINGTN", Some(day(1975, 3, 12))),
        ),
        (
            ("KEVIN", "", "WASHINGTON"),
            ask("KEVIN", "", "WASHINGTON", Some(PartialDate::year(1985))),
        ),
        (("KEVIN", "", "WASHINGTON"), ask("KEV1N", "", "VVASHINGTON", born)),
    ];
    for (wanted, asked) in cases {
        let (right, words) = found(wanted, &asked);
        assert!(
            right,
            "{wanted:?} by {} {} {}: {words}",
            asked.first, asked.middle, asked.last
        );
    }
}

#[test]
fn others_are_not_taken_for_the_person() {
    let cases = [
        // Brothers born on one day, a namesake, a father, a stranger.
        ask("KEVIN", "", "ZAMORA", Some(day(1985, 3, 12))),
        ask("ALEJANDRO", "", "ZAMORA", Some(day(1979, 8, 30))),
        ask("ALEJANDRO", "LUIS", "ZAMORA", Some(day(1955, 6, 1))),
        ask("BRENDA", "", "TALAMANTES", Some(day(1985, 3, 12))),
    ];
    for asked in cases {
        let (right, words) = found(("ALEJANDRO", "LUIS", "ZAMORA"), &asked);
        assert!(!right, "{} {}: {words}", asked.first, asked.last);
    }
}

#[test]
fn a_name_in_use_is_hardly_a_misspelling_of_another() {
    let others = (0..2_000_u32).map(|number| {
        let (last, first) = (
            ["GOMEZ", "GARCIA"][number as usize % 2],
            GIVEN[number as usize % 16],
        );
        let born = day(
            1950 + (number % 50) as i16,
            1 + (number % 12) as u8,
            1 + (number % 28) as u8,
        );
        person(Role::Restrained, first, "", last, born)
    });
    let meant = person(Role::Restrained, "HECTOR", "", "LOPEZ", day(2000, 12, 7));
    let cards = others.chain([meant]).zip(0..).map(|(person, order)| Card {
        order,
        persons: vec![person],
        ..Card::default()
    });
    let index = Index::build(cards);
    let odds = |last: &str| {
        let asked = ask("HECTOR", "", last, Some(day(2001, 12, 7)));
        let hits = index.lookup(&asked, &Limits::default());
        hits.first().map_or(0.0, |hit| hit.score / (1.0 - hit.score))
    };
    let (nobodys, somebodys) = (odds("LOWZZ"), odds("GOMEZ"));
    assert!(nobodys > 16.0 * somebodys, "{nobodys} {somebodys}");
}

#[test]
fn an_age_stands_for_a_date() {
    let mut asked = ask("KEVIN", "", "WASHINGTON", None);
    asked.dob = Some(Born::Age {
        years: 41,
        within: 1,
        at: None,
    });
    let (right, words) = found(("KEVIN", "", "WASHINGTON"), &asked.as_of(day(2026, 11, 1)));
    assert!(right, "{words}");
}

#[test]
fn reasons_are_readable() {
    let asked = ask("JOSE", "", "VASKES", Some(day(1985, 12, 3)));
    let (_, words) = found(("JOSE", "", "VAZQUES"), &asked);
    assert!(
        words.contains("surname sounds alike; same given name; day and month swapped"),
        "{words}"
    );
}

#[test]
fn numbers_decide_alone_and_roles_are_kept_apart() {
    let mut index = Index::new();
    let mut restrained = person(Role::Restrained, "ANA", "", "RUIZ", day(1990, 1, 2));
    restrained.ids.push((IdKind::DriverLicense, "D1234567".into()));
    restrained.sex = Some(Sex::Female);
    let protected = person(Role::Protected, "LUZ", "", "PAZ", day(1991, 1, 2));
    let numbers = vec![
        (NumberKind::Case, "ST23-DV-001".to_owned()),
        (NumberKind::Fcn, "00123456".to_owned()),
    ];
    index.insert(&Card {
        order: 7,
        persons: vec![restrained, protected],
        numbers,
    });
    let line =
        |index: &Index, line: &str| index.lookup(&Query::parse_line(line).unwrap(), &Limits::default());
    for by in [
        "OLN/d 123 4567",
        "st23 dv 001x",
        "CAS/st23dv001",
        "FCN/00123456",
        "D1234567",
    ] {
        let hits = line(&index, by);
        if by.ends_with('x') {
            assert!(hits.is_empty());
            continue;
        }
        assert_eq!(hits.len(), 1, "{by}");
        assert_eq!(
            (hits[0].order, hits[0].role, hits[0].band),
            (7, Role::Restrained, Band::Exact),
            "{by}"
        );
    }
    assert_eq!(line(&index, "NAM/PAZ,LUZ.DOB/19910102")[0].role, Role::Protected);
    let only = Query {
        role: Some(Role::Restrained),
        ..ask("LUZ", "", "PAZ", Some(day(1991, 1, 2)))
    };
    assert!(
        index
            .lookup(&only, &Limits::default())
            .iter()
            .all(|hit| hit.role == Role::Restrained)
    );
    assert!(index.remove(7) && !index.remove(7));
    assert!(line(&index, "OLN/D1234567").is_empty() && line(&index, "NAM/PAZ,LUZ.DOB/19910102").is_empty());
}

#[test]
fn questions_without_sense_have_empty_answers() {
    let index = town(person(Role::Restrained, "JOSE", "", "GARCIA", day(1985, 3, 12)));
    for text in ["", " ", "\u{0}\u{1b}", "🙂🙂", "12345", "\u{202e}\u{200f}"] {
        assert!(
            index
                .lookup(&ask(text, text, text, None), &Limits::default())
                .is_empty(),
            "{text:?}"
        );
    }
    let long = "GARCIA ".repeat(2000);
    assert!(
        index
            .lookup(&ask(&long, &long, &long, None), &Limits::default())
            .len()
            <= 20
    );
    assert!(
        index
            .lookup(&ask("JOSE", "", "GARCIA", None), &Limits { hits: 0, postings: 0 })
            .is_empty()
    );
}

fn any_card() -> impl Strategy<Value = Card> {
    let dob = (1950_i16..1953, 0_u8..4, 0_u8..4).prop_map(|(year, month, day)| PartialDate {
        year,
        month: (month > 0).then_some(month),
        day: (month > 0 && day > 0).then_some(day),
    });
    let name =
        (0..GIVEN.len(), 0..GIVEN.len(), 0..SURNAMES.len(), any::<bool>()).prop_map(|(g, m, s, has)| {
            NameParts {
                first: GIVEN[g].into(),
                middle: if has { GIVEN[m].into() } else { String::new() },
                last: SURNAMES[s].into(),
                suffix: String::new(),
            }
        });
    let names = prop::collection::vec(name, 1..3);
    let id = prop::collection::vec(
        (1000_u32..1010).prop_map(|n| (IdKind::DriverLicense, format!("D{n}"))),
        0..2,
    );
    let person =
        (any::<bool>(), names, prop::collection::vec(dob, 0..3), id).prop_map(|(role, names, dob, ids)| {
            let role = if role { Role::Restrained } else { Role::Protected };
            CardPerson {
                role,
                names,
                dob,
                sex: None,
                ids,
            }
        });
    (0_u32..40, prop::collection::vec(person, 0..3)).prop_map(|(order, persons)| Card {
        order,
        persons,
        numbers: vec![],
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However the cards came in, the digest and every answer are those of a fresh build.
    #[test]
    fn one_by_one_is_as_all_at_once(cards in prop::collection::vec(any_card(), 0..60), removed in prop::collection::vec(0_u32..40, 0..6)) {
        let mut grown = Index::new();
        cards.iter().for_each(|card| grown.replace(card));
        removed.iter().for_each(|order| { grown.remove(*order); });
        let mut last: std::collections::BTreeMap<u32, Card> = cards.into_iter().map(|card| (card.order, card)).collect();
        last.retain(|order, _| !removed.contains(order));
        let built = Index::build(last.values().rev().cloned());
        prop_assert_eq!(grown.digest(), built.digest());
        prop_assert_eq!(grown.measure().names, built.measure().names);
        let mut asked = vec![Query { ids: vec![(IdKind::DriverLicense, "D1003".into())], ..Query::default() }];
        for (n, last) in SURNAMES.iter().enumerate() {
            let dob = (n % 3 > 0).then(|| day(1950 + (n % 3) as i16, (n % 4 + 1) as u8, 2));
            asked.push(Query { min_score: 0.0, ..ask(GIVEN[n % GIVEN.len()], "", last, dob) });
        }
        for query in asked {
            prop_assert_eq!(grown.lookup(&query, &Limits::default()), built.lookup(&query, &Limits::default()));
        }
    }

    /// Any text may be asked for: scores are probabilities, in order, and not more hits than wanted.
    #[test]
    fn answers_are_in_order_and_in_bounds(first in "\\PC{0,12}", middle in "\\PC{0,6}", last in "[A-Zñ' -]{0,14}|\\PC{0,12}", year in -5000_i16..5000, month in 0_u8..20, dom in 0_u8..40, limit in 0_usize..9) {
        let index = town(person(Role::Restrained, "JOSE", "", "GARCIA", day(1985, 3, 12)));
        let dob = PartialDate { year, month: Some(month), day: Some(dom) };
        let query = Query { limit, min_score: 0.0, ..ask(&first, &middle, &last, Some(dob)) };
        let hits = index.lookup(&query, &Limits::default());
        prop_assert!(hits.len() <= limit);
        prop_assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score) && !hit.why.is_empty()));
        prop_assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
        let more = index.lookup(&Query { limit: limit + 3, ..query }, &Limits::default());
        prop_assert_eq!(&more[..hits.len()], &hits[..]);
    }
}
