//! Several people asked for at once, against single questions brought together by hand.

#![allow(
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::collections::BTreeSet;

use ccpor_matching::{Card, CardPerson, Index, Limits, NameParts, PartialDate, Query, Role};
use proptest::prelude::*;

const LAST: [&str; 5] = ["GARCIA", "GARCIA LOPEZ", "LOPEZ", "NGUYEN", "SMITH"];
const FIRST: [&str; 4] = ["JOSE", "MARIA", "JUAN", "PEPE"];

fn person(role: Role, first: &str, last: &str, year: i16) -> CardPerson {
    CardPerson {
        role,
        names: vec![NameParts {
            first: first.into(),
            last: last.into(),
            ..NameParts::default()
        }],
        dob: vec![PartialDate {
            year,
            month: Some(3),
            day: Some(12),
        }],
        sex: None,
        ids: Vec::new(),
    }
}

fn any_person(role: Role) -> impl Strategy<Value = CardPerson> {
    (0..FIRST.len(), 0..LAST.len(), 1980_i16..1983)
        .prop_map(move |(first, last, year)| person(role, FIRST[first], LAST[last], year))
}

fn any_card() -> impl Strategy<Value = Vec<CardPerson>> {
    (
        any_person(Role::Restrained),
        prop::collection::vec(any_person(Role::Protected), 1..3),
    )
        .prop_map(|(restrained, protected)| std::iter::once(restrained).chain(protected).collect())
}

fn any_query() -> impl Strategy<Value = Query> {
    (0..FIRST.len(), 0..LAST.len()).prop_map(|(first, last)| ask(FIRST[first], LAST[last]))
}

fn ask(first: &str, last: &str) -> Query {
    Query {
        first: first.into(),
        last: last.into(),
        ..Query::default()
    }
}

fn index(cards: &[Vec<CardPerson>]) -> Index {
    Index::build(cards.iter().zip(0..).map(|(persons, order)| Card {
        order,
        persons: persons.clone(),
        numbers: Vec::new(),
    }))
}

/// Every hit of a question asked alone.
fn alone(index: &Index, query: &Query) -> Vec<(u32, u8)> {
    let wide = Query {
        limit: 1000,
        ..query.clone()
    };
    index
        .lookup(&wide, &Limits::default())
        .iter()
        .map(|hit| (hit.order, hit.person))
        .collect()
}

proptest! {
    #[test]
    fn together_and_each_are_what_single_questions_find(
        cards in prop::collection::vec(any_card(), 1..30),
        people in prop::collection::vec(any_query(), 1..4),
    ) {
        let index = index(&cards);
        let answer = index.several(&people, &Limits::default());
        let single: Vec<Vec<(u32, u8)>> = people.iter().map(|query| alone(&index, query)).collect();
        let mut together = BTreeSet::new();
        for named in &answer.together {
            prop_assert!(together.insert(named.order), "an order is told once");
            let persons: BTreeSet<u8> = named.hits.iter().map(|(_, hit)| hit.person).collect();
            let asked: BTreeSet<usize> = named.hits.iter().map(|(asked, _)| *asked).collect();
            prop_assert!(named.hits.len() > 1 && persons.len() == named.hits.len() && asked.len() == named.hits.len());
            for (asked, hit) in &named.hits {
                prop_assert!(single[*asked].contains(&(named.order, hit.person)));
            }
        }
        // Two of them, found as two persons of one order: then the order is told as naming both.
        for (a, first) in single.iter().enumerate() {
            for second in single.iter().skip(a + 1) {
                for (order, person) in first {
                    if second.iter().any(|(other, another)| other == order && another != person) {
                        prop_assert!(together.contains(order), "order {order} names two of them");
                    }
                }
            }
        }
        for (asked, hits) in answer.each.iter().enumerate() {
            let left: Vec<(u32, u8)> = hits.iter().map(|hit| (hit.order, hit.person)).collect();
            let expected: Vec<(u32, u8)> =
                single[asked].iter().copied().filter(|(order, _)| !together.contains(order)).collect();
            prop_assert_eq!(left, expected);
        }
    }
}

#[test]
fn these_two_whichever_is_restrained() {
    let cards = [
        vec![
            person(Role::Restrained, "JOSE", "GARCIA", 1980),
            person(Role::Protected, "MARIA", "LOPEZ", 1981),
        ],
        vec![
            person(Role::Restrained, "MARIA", "LOPEZ", 1981),
            person(Role::Protected, "JOSE", "GARCIA", 1980),
        ],
        vec![
            person(Role::Restrained, "JOSE", "GARCIA", 1980),
            person(Role::Protected, "KIM", "NGUYEN", 1990),
        ],
    ];
    let answer = index(&cards).several(
        &[ask("JOSE", "GARCIA"), ask("MARIA", "LOPEZ")],
        &Limits::default(),
    );
    let orders: Vec<u32> = answer.together.iter().map(|together| together.order).collect();
    assert_eq!(orders, [0, 1]);
    let others: Vec<u32> = answer.each[0].iter().map(|hit| hit.order).collect();
    assert_eq!((others, answer.each[1].len()), (vec![2], 0));
}
