//! The priority of enforcement by properties, over orders of every family with terms of every kind.

use std::collections::BTreeSet;

use ccpor_domain::*;
use proptest::prelude::*;

use crate::enforcement::{AT, away, filed, no_contact, paper, peaceful};
use crate::sample::{moment, protected};

fn some_term() -> impl Strategy<Value = Term> {
    let other = prop::sample::select(TermKind::ALL).prop_map(|kind| Term {
        kind,
        ..Term::default()
    });
    prop_oneof![
        Just(no_contact()),
        Just(peaceful()),
        (1_u16..200).prop_map(away),
        other
    ]
}

prop_compose! {
    fn some_order()(
        family in prop::sample::select(Family::ALL),
        month in 1_u8..6,
        day in 1_u8..28,
        served in prop::option::of(any::<bool>()),
        terms in prop::collection::vec(some_term(), 0..5),
        who in prop::collection::btree_set(prop::sample::select(&["Alice", "Bert", "Carla"]), 0..3),
        ended in any::<bool>(),
    ) -> (Order, bool) {
        let mut order = paper(family, "", &format!("2026-{month:02}-{day:02}"), terms);
        order.present_at_hearing = served;
        order.protected = who.into_iter().map(|name| protected(name, ProtectedRole::Primary)).collect();
        (order, ended && day % 3 == 0)
    }
}

fn states() -> impl Strategy<Value = Vec<OrderState>> {
    prop::collection::vec(some_order(), 1..9).prop_map(|orders| {
        orders
            .into_iter()
            .zip(1..)
            .map(|((mut order, ended), number)| {
                if ended {
                    order.expires = Expiry::OnDate {
                        date: crate::sample::date("2026-05-29"),
                        time: None,
                    };
                }
                filed(number, order)
            })
            .collect()
    })
}

fn answer(states: &[&OrderState]) -> Enforcement {
    let subject = paper(Family::DomesticViolence, "", "2026-01-01", Vec::new()).restrained;
    enforcement(&subject, &[], states, moment(AT), &Calendars::default())
}

fn every_term(answer: &Enforcement) -> Vec<&EnforcedTerm> {
    let for_persons = answer.persons.iter().flat_map(|person| &person.terms);
    for_persons.chain(&answer.everywhere).collect()
}

proptest! {
    #[test]
    fn the_answer_does_not_depend_on_the_order_of_arrival(states in states().prop_shuffle()) {
        let arrived: Vec<_> = states.iter().collect();
        let mut sorted = arrived.clone();
        sorted.sort_by_key(|state| state.order_id);
        prop_assert_eq!(answer(&arrived), answer(&sorted));
    }

    #[test]
    fn orders_that_are_not_in_force_change_nothing(states in states()) {
        let all: Vec<_> = states.iter().collect();
        let in_force: Vec<_> = all
            .iter()
            .copied()
            .filter(|state| standing(state, moment(AT), &Calendars::default()).status == Status::Active)
            .collect();
        prop_assert_eq!(answer(&all), answer(&in_force));
    }

    #[test]
    fn every_enforced_term_stands_in_an_order_in_force(states in states()) {
        let all: Vec<_> = states.iter().collect();
        let given = answer(&all);
        for term in every_term(&given) {
            for order in std::iter::once(&term.order).chain(&term.also) {
                let state = states.iter().find(|state| state.order_id == *order).unwrap();
                prop_assert_eq!(standing(state, moment(AT), &Calendars::default()).status, Status::Active);
                prop_assert!(state.order.terms.contains(&term.term));
            }
        }
    }

    /// Whatever an order in force says for a person is enforced, said by another too, or set aside for an order that is named.
    #[test]
    fn no_term_in_force_disappears_whichever_order_is_taken_away(states in states(), gone in 0_usize..9) {
        for without in [None, Some(gone)] {
            let held: Vec<_> = states
                .iter()
                .enumerate()
                .filter(|(place, _)| Some(*place) != without)
                .map(|(_, state)| state)
                .collect();
            let given = answer(&held);
            for person in &given.persons {
                for id in &person.orders {
                    let state = states.iter().find(|state| state.order_id == *id).unwrap();
                    for term in &state.order.terms {
                        let enforced = person
                            .terms
                            .iter()
                            .any(|held| held.term == *term && (held.order == *id || held.also.contains(id)));
                        let aside = person.set_aside.iter().any(|aside| {
                            aside.term == *term && aside.order == *id && person.orders.contains(&aside.before)
                        });
                        prop_assert!(enforced || aside, "{:?} of {}", term.kind, id);
                    }
                }
            }
        }
    }

    /// Contact is barred for a person exactly when an order in force for that person bars it.
    #[test]
    fn a_bar_on_contact_is_never_lost(states in states()) {
        let all: Vec<_> = states.iter().collect();
        for person in answer(&all).persons {
            let ids: BTreeSet<_> = person.orders.iter().collect();
            let bars = states.iter().any(|state| ids.contains(&state.order_id) && state.order.forbids_contact());
            let barred = person.terms.iter().any(|term| term.term.forbids_contact());
            prop_assert_eq!(bars, barred);
        }
    }

    #[test]
    fn sameness_is_the_same_both_ways(a in crate::arbitrary::person(), b in crate::arbitrary::person()) {
        prop_assert_eq!(sameness(&a, &b), sameness(&b, &a));
        let known = a.dob.is_some() && a.name.last.chars().any(char::is_alphanumeric);
        prop_assert!(!known || sameness(&a, &a) == Sameness::Same);
    }
}
