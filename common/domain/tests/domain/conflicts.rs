//! Conflicts of a draft by example and by property, and the Brady suggestion.

use ccpor_domain::*;
use proptest::prelude::*;

use crate::enforcement::{AT, away, filed, no_contact, paper, peaceful};
use crate::sample::{date, moment};

fn found(draft: &Order, states: &[OrderState]) -> Vec<(u8, Clash)> {
    let states: Vec<_> = states.iter().collect();
    let found = conflicts(draft, &states, moment(AT), &Calendars::default());
    found
        .iter()
        .map(|conflict| (conflict.order.0[0], conflict.clash))
        .collect()
}

fn term(kind: TermKind) -> Term {
    Term {
        kind,
        ..Term::default()
    }
}

use Family::{CriminalDomestic, DomesticViolence, Emergency};

#[test]
fn an_exchange_of_children_clashes_with_a_criminal_no_contact_order() {
    let draft = paper(
        DomesticViolence,
        "DV-130",
        "2026-06-01",
        vec![term(TermKind::Visitation)],
    );
    let criminal = filed(
        1,
        paper(CriminalDomestic, "CR-160", "2026-01-05", vec![no_contact()]),
    );
    assert_eq!(
        found(&draft, std::slice::from_ref(&criminal)),
        [(1, Clash::CriminalNoContact)]
    );
    assert_eq!(Clash::CriminalNoContact.law(), "Pen. Code 136.2(e)(3), (f)");
    let harmless = paper(DomesticViolence, "DV-130", "2026-06-01", vec![away(100)]);
    assert_eq!(found(&harmless, &[criminal]), []);
}

#[test]
fn terms_that_cannot_both_be_followed_clash() {
    let civil = |terms| filed(1, paper(DomesticViolence, "DV-130", "2026-01-05", terms));
    let draft = |terms| paper(DomesticViolence, "DV-130", "2026-06-01", terms);
    assert_eq!(
        found(&draft(vec![peaceful()]), &[civil(vec![no_contact()])]),
        [(1, Clash::AllowsWhatIsBarred)]
    );
    assert_eq!(
        found(&draft(vec![no_contact()]), &[civil(vec![peaceful()])]),
        [(1, Clash::BarsWhatIsAllowed)]
    );
    assert_eq!(
        found(&draft(vec![away(50)]), &[civil(vec![away(100)])]),
        [(1, Clash::Distance)]
    );
    assert_eq!(found(&draft(vec![away(100)]), &[civil(vec![away(100)])]), []);
    let temporary = Order {
        stage: Stage::Temporary,
        ..draft(vec![])
    };
    assert_eq!(
        found(&temporary, &[civil(vec![])]),
        [(1, Clash::TemporaryBesideFinal)]
    );
    let emergency = filed(1, paper(Emergency, "EPO-001", "2026-05-30", vec![]));
    assert_eq!(
        found(&draft(vec![]), &[emergency]),
        [(1, Clash::EmergencyInForce)]
    );
}

#[test]
fn reversed_parties_are_mutual_orders() {
    let draft = paper(DomesticViolence, "DV-130", "2026-06-01", vec![]);
    let mut reversed = paper(DomesticViolence, "DV-130", "2026-01-05", vec![]);
    std::mem::swap(&mut reversed.restrained, &mut reversed.protected[0].person);
    assert_eq!(found(&draft, &[filed(1, reversed.clone())]), [(1, Clash::Mutual)]);
    reversed.restrained.dob = Some(date("1990-01-01"));
    let states = [filed(1, reversed)];
    let all: Vec<_> = states.iter().collect();
    let mut known = draft.clone();
    known.protected[0].person.dob = Some(date("1990-01-01"));
    let sure = conflicts(&known, &all, moment(AT), &Calendars::default())[0].sameness;
    assert_eq!(sure, Sameness::Same);
    known.protected[0].person.dob = Some(date("1991-01-01"));
    let sure = conflicts(&known, &all, moment(AT), &Calendars::default())[0].sameness;
    assert_eq!(sure, Sameness::Possibly);
}

#[test]
fn the_brady_suggestion_needs_all_four() {
    let order = crate::sample::order();
    let seen = brady_suggestion(&order);
    assert_eq!((seen.partner, seen.reasons().len()), (Some(true), 4));
    let met = Order {
        stage: Stage::AfterHearing,
        present_at_hearing: Some(true),
        terms: vec![crate::sample::term(TermKind::Conduct)],
        ..order.clone()
    };
    assert_eq!(brady_suggestion(&met).indicator(), BradyIndicator::Yes);
    let temporary = Order {
        stage: Stage::Temporary,
        form: "DV-110".into(),
        ..met.clone()
    };
    assert_eq!(brady_suggestion(&temporary).indicator(), BradyIndicator::No);
    let mut absent = met;
    absent.present_at_hearing = None;
    assert_eq!(brady_suggestion(&absent).indicator(), BradyIndicator::Unknown);
}

proptest! {
    #[test]
    fn conflicts_are_of_orders_in_force_and_do_not_depend_on_arrival(
        draft in crate::arbitrary::order(),
        filed in prop::collection::vec(crate::arbitrary::filed(), 0..5),
        at in crate::arbitrary::moment(),
    ) {
        let mut states: Vec<_> = filed.into_iter().map(OrderState::start).collect();
        // The draft itself, filed: the parties are surely the same.
        states.push(OrderState::start(Filed {
            act: crate::sample::act(1, "2026-05-30T10:00:00Z"),
            order_id: OrderId([7; 16]),
            source_id: None,
            order: draft.clone(),
        }));
        let calendars = Calendars::default();
        let all: Vec<_> = states.iter().collect();
        let backwards: Vec<_> = states.iter().rev().collect();
        let found = conflicts(&draft, &all, at, &calendars);
        prop_assert_eq!(&found, &conflicts(&draft, &backwards, at, &calendars));
        for conflict in &found {
            let of = states.iter().find(|state| state.order_id == conflict.order).unwrap();
            let status = standing(of, at, &calendars).status;
            prop_assert!(matches!(status, Status::Active | Status::NotYetEffective));
            prop_assert!(conflict.sameness != Sameness::Different);
            prop_assert!(conflict.ours.iter().all(|term| draft.terms.contains(term)));
            prop_assert!(conflict.theirs.iter().all(|term| of.order.terms.contains(term)));
        }
        let _ = brady_suggestion(&draft).indicator();
    }
}
