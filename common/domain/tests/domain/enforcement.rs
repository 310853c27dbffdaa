//! The priority of enforcement by examples: what the statutes say of orders that overlap.

use ccpor_domain::*;

use crate::sample::{date, moment, protected, time};

pub(crate) const AT: &str = "2026-06-01T10:00:00Z";

/// A paper against the one restrained person of these tests.
pub(crate) fn paper(family: Family, form: &str, issued: &str, terms: Vec<Term>) -> Order {
    Order {
        family,
        form: form.into(),
        stage: Stage::AfterHearing,
        issued: Some(date(issued)),
        expires: Expiry::OnDate {
            date: date("2028-01-01"),
            time: None,
        },
        restrained: Person {
            name: Name::new("John", "Doe"),
            dob: Some(date("1985-03-12")),
            ..Person::default()
        },
        present_at_hearing: Some(true),
        protected: vec![protected("Alice", ProtectedRole::Primary)],
        terms,
        ..Order::default()
    }
}

pub(crate) fn filed(number: u8, order: Order) -> OrderState {
    OrderState::start(Filed {
        act: crate::sample::act(number, "2026-05-30T10:00:00Z"),
        order_id: OrderId([number; 16]),
        source_id: None,
        order,
    })
}

pub(crate) fn no_contact() -> Term {
    term(NoContact)
}

pub(crate) fn peaceful() -> Term {
    term(PeacefulContact)
}

pub(crate) fn away(yards: u16) -> Term {
    Term {
        distance_yards: Some(yards),
        places: vec![Place::Person],
        ..term(StayAway)
    }
}

fn term(kind: TermKind) -> Term {
    Term {
        kind,
        ..Term::default()
    }
}

fn answer(states: &[OrderState]) -> Enforcement {
    let subject = states.first().unwrap().order.restrained.clone();
    enforcement(
        &subject,
        &[],
        &states.iter().collect::<Vec<_>>(),
        moment(AT),
        &Calendars::default(),
    )
}

/// Of the first protected person: which order's term is enforced on a topic, and why.
fn on(answer: &Enforcement, topic: Topic) -> Vec<(u8, TermKind, Rule)> {
    of(answer.persons.first().unwrap(), topic)
}

fn of(person: &ForPerson, topic: Topic) -> Vec<(u8, TermKind, Rule)> {
    let terms = person.terms.iter().filter(|term| term.topic == topic);
    terms
        .map(|term| (term.order.0[0], term.term.kind, term.rule))
        .collect()
}

use Family::{CivilHarassment, CriminalDomestic, DomesticViolence, Emergency, Tribal};
use TermKind::{NoContact, PeacefulContact, StayAway};

#[test]
fn an_emergency_order_goes_first_where_it_is_stricter_and_the_rest_stays() {
    let conduct = term(TermKind::Conduct);
    let mut epo = paper(Emergency, "EPO-001", "2026-05-30", vec![no_contact(), away(100)]);
    epo.expires = Expiry::NotStated;
    let answer = answer(&[
        filed(
            1,
            paper(
                DomesticViolence,
                "DV-130",
                "2026-01-05",
                vec![peaceful(), conduct],
            ),
        ),
        filed(2, epo),
    ]);
    assert_eq!(
        on(&answer, Topic::Contact),
        [(2, NoContact, Rule::EmergencyOverlay)]
    );
    assert_eq!(
        on(&answer, Topic::Distance),
        [(2, StayAway, Rule::EmergencyOverlay)]
    );
    assert_eq!(on(&answer, Topic::Conduct), [(1, TermKind::Conduct, Rule::Adds)]);
    let aside = &answer.persons[0].set_aside;
    assert_eq!(aside.len(), 1);
    assert_eq!((aside[0].order.0[0], aside[0].before.0[0]), (1, 2));
}

#[test]
fn a_weaker_emergency_order_does_not_touch_a_criminal_no_contact_order() {
    let answer = answer(&[
        filed(
            1,
            paper(
                CriminalDomestic,
                "CR-160",
                "2026-01-05",
                vec![no_contact(), away(100)],
            ),
        ),
        filed(2, paper(Emergency, "EPO-001", "2026-05-30", vec![away(50)])),
    ]);
    assert_eq!(on(&answer, Topic::Contact), [(1, NoContact, Rule::NoContact)]);
    assert_eq!(on(&answer, Topic::Distance), [(1, StayAway, Rule::NoContact)]);
}

#[test]
fn no_contact_goes_before_a_later_criminal_order() {
    let answer = answer(&[
        filed(
            1,
            paper(CriminalDomestic, "CR-160", "2026-05-05", vec![peaceful()]),
        ),
        filed(
            2,
            paper(DomesticViolence, "DV-130", "2026-01-05", vec![no_contact()]),
        ),
    ]);
    assert_eq!(on(&answer, Topic::Contact), [(2, NoContact, Rule::NoContact)]);
}

#[test]
fn an_older_criminal_order_goes_before_a_later_civil_one() {
    let answer = answer(&[
        filed(
            1,
            paper(
                CriminalDomestic,
                "CR-160",
                "2026-01-05",
                vec![peaceful(), away(50)],
            ),
        ),
        filed(
            2,
            paper(
                DomesticViolence,
                "DV-130",
                "2026-05-05",
                vec![peaceful(), away(100)],
            ),
        ),
    ]);
    assert_eq!(
        on(&answer, Topic::Contact),
        [(1, PeacefulContact, Rule::CriminalLatest)]
    );
    assert_eq!(
        on(&answer, Topic::Distance),
        [(1, StayAway, Rule::CriminalLatest)]
    );
    assert_eq!(answer.persons[0].terms[0].also, [OrderId([2; 16])]);
}

#[test]
fn of_two_criminal_orders_the_one_issued_last() {
    let answer = answer(&[
        filed(1, paper(CriminalDomestic, "CR-160", "2026-01-05", vec![away(50)])),
        filed(2, paper(CriminalDomestic, "CR-160", "2026-03-05", vec![away(75)])),
        filed(
            3,
            paper(DomesticViolence, "DV-130", "2026-05-05", vec![away(100)]),
        ),
    ]);
    assert_eq!(
        on(&answer, Topic::Distance),
        [(2, StayAway, Rule::CriminalLatest)]
    );
    assert_eq!(answer.persons[0].set_aside.len(), 2);
}

#[test]
fn of_two_civil_orders_the_one_issued_last() {
    let answer = answer(&[
        filed(1, paper(DomesticViolence, "DV-110", "2026-01-05", vec![away(50)])),
        filed(2, paper(CivilHarassment, "CH-130", "2026-03-05", vec![away(75)])),
    ]);
    assert_eq!(on(&answer, Topic::Distance), [(2, StayAway, Rule::CivilLatest)]);
}

#[test]
fn an_unserved_tribal_no_contact_order_is_enforced_after_notice() {
    let mut tribal = paper(Tribal, "", "2024-02-01", vec![no_contact()]);
    tribal.present_at_hearing = None;
    let answer = answer(&[
        filed(1, tribal),
        filed(
            2,
            paper(CriminalDomestic, "CR-160", "2026-05-05", vec![peaceful()]),
        ),
    ]);
    let contact = &answer.persons[0].terms[0];
    assert_eq!(
        (contact.order.0[0], contact.rule, contact.after_notice),
        (1, Rule::NoContact, true)
    );
}

#[test]
fn the_overlay_is_for_the_persons_whom_the_emergency_order_protects() {
    let mut both = paper(DomesticViolence, "DV-130", "2026-01-05", vec![peaceful()]);
    both.protected.push(protected("Bert", ProtectedRole::Additional));
    let answer = answer(&[
        filed(1, both),
        filed(2, paper(Emergency, "EPO-001", "2026-05-30", vec![no_contact()])),
    ]);
    let [alice, bert] = &answer.persons[..] else {
        panic!()
    };
    assert_eq!(
        of(alice, Topic::Contact),
        [(2, NoContact, Rule::EmergencyOverlay)]
    );
    assert_eq!(of(bert, Topic::Contact), [(1, PeacefulContact, Rule::OnlyOrder)]);
}

#[test]
fn an_expired_emergency_order_says_nothing() {
    let mut epo = paper(Emergency, "EPO-001", "2026-05-20", vec![no_contact()]);
    epo.expires = Expiry::NotStated;
    let answer = answer(&[
        filed(1, paper(DomesticViolence, "DV-110", "2026-05-25", vec![away(50)])),
        filed(2, epo),
    ]);
    assert!(on(&answer, Topic::Contact).is_empty());
    assert_eq!(on(&answer, Topic::Distance), [(1, StayAway, Rule::OnlyOrder)]);
}

#[test]
fn an_older_order_that_arrives_later_does_not_win() {
    let (old, new) = (
        filed(1, paper(DomesticViolence, "DV-130", "2026-01-05", vec![away(50)])),
        filed(2, paper(DomesticViolence, "DV-130", "2026-03-05", vec![away(75)])),
    );
    for states in [[old.clone(), new.clone()], [new, old]] {
        assert_eq!(
            on(&answer(&states), Topic::Distance),
            [(2, StayAway, Rule::CivilLatest)]
        );
    }
}

#[test]
fn what_the_statute_does_not_decide_is_shown_as_a_tie() {
    let mut morning = paper(DomesticViolence, "DV-130", "2026-03-05", vec![away(75)]);
    let evening = paper(DomesticViolence, "DV-130", "2026-03-05", vec![away(50)]);
    let tied = answer(&[filed(1, morning.clone()), filed(2, evening.clone())]);
    assert_eq!(on(&tied, Topic::Distance).len(), 2);
    assert!(tied.persons[0].terms.iter().all(|term| term.tie));
    morning.issued_time = Some(time("09:00"));
    let told = answer(&[
        filed(1, morning),
        filed(
            2,
            Order {
                issued_time: Some(time("17:00")),
                ..evening
            },
        ),
    ]);
    assert_eq!(on(&told, Topic::Distance), [(2, StayAway, Rule::CivilLatest)]);
    assert!(!told.persons[0].terms[0].tie);
}

#[test]
fn orders_without_a_protected_person_add_and_namesakes_are_told_apart() {
    let mut guns = paper(
        Family::GunViolence,
        "GV-130",
        "2026-04-01",
        vec![term(TermKind::Firearms)],
    );
    guns.protected.clear();
    let mut namesake = paper(DomesticViolence, "DV-130", "2026-05-01", vec![no_contact()]);
    namesake.restrained.dob = None;
    let mut invalid = paper(Family::OutOfState, "", "2026-05-01", vec![no_contact()]);
    invalid.foreign = Some(ForeignOrder {
        valid_on_face: Some(false),
        ..ForeignOrder::default()
    });
    let states = [
        filed(1, paper(DomesticViolence, "DV-130", "2026-01-05", vec![away(50)])),
        filed(2, guns),
        filed(3, namesake),
        filed(4, invalid),
    ];
    let given = answer(&states);
    assert_eq!(given.everywhere.len(), 1);
    assert_eq!(given.possibly, [OrderId([3; 16])]);
    assert_eq!(given.not_valid, [OrderId([4; 16])]);
    assert!(on(&given, Topic::Contact).is_empty());
    let all: Vec<_> = states.iter().collect();
    let sure = enforcement(
        &states[0].order.restrained,
        &[OrderId([3; 16])],
        &all,
        moment(AT),
        &Calendars::default(),
    );
    assert_eq!(on(&sure, Topic::Contact), [(3, NoContact, Rule::NoContact)]);
}

#[test]
fn a_foreign_order_without_a_bar_on_contact_is_shown_beside_the_others() {
    let answer = answer(&[
        filed(1, paper(DomesticViolence, "DV-130", "2026-01-05", vec![away(50)])),
        filed(2, paper(Family::OutOfState, "", "2026-05-01", vec![away(100)])),
    ]);
    assert_eq!(
        on(&answer, Topic::Distance),
        [(1, StayAway, Rule::CivilLatest), (2, StayAway, Rule::NotRanked)]
    );
}

#[test]
fn whoever_was_told_by_one_order_need_not_be_told_by_another() {
    let mut unserved = paper(CriminalDomestic, "CR-160", "2026-05-05", vec![no_contact()]);
    unserved.present_at_hearing = None;
    let served = paper(DomesticViolence, "DV-130", "2026-01-05", vec![no_contact()]);
    let given = answer(&[filed(1, unserved.clone()), filed(2, served)]);
    let contact = &given.persons[0].terms[0];
    assert_eq!((contact.order.0[0], contact.after_notice), (1, false));
    assert!(answer(&[filed(1, unserved)]).persons[0].terms[0].after_notice);
}
