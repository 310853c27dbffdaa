//! Which of several orders for the same two persons is followed first: no-contact, then criminal, then the latest civil, each
//! by the day and time it was issued (Fam. Code 6383(h)(2), 6405(b); Pen. Code 136.2(c)(2), (e)(2)). Never by arrival.

use std::cmp::Ordering;

use super::Rule;
use crate::family::Nature;
use crate::order::Order;

/// The orders that govern, by their places in the list: one, or several where the statute leaves a tie.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Governing {
    pub(super) places: Vec<usize>,
    pub(super) rule: Option<Rule>,
}

/// The class an order is ranked in: a greater one goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Civil,
    Criminal,
    NoContact,
}

/// Picks the governing orders: of orders none of which is an emergency order, or all of which are.
pub(super) fn governing(orders: &[&Order]) -> Governing {
    let ranked = orders.iter().filter_map(|order| class(order));
    let Some(highest) = ranked.max() else {
        return Governing::default();
    };
    let of_class = |place: &usize| orders.get(*place).and_then(|order| class(order)) == Some(highest);
    let places = unbeaten(orders, (0..orders.len()).filter(of_class).collect());
    Governing {
        places,
        rule: Some(match highest {
            Class::NoContact => Rule::NoContact,
            Class::Criminal => Rule::CriminalLatest,
            Class::Civil => Rule::CivilLatest,
        }),
    }
}

/// Those that no other was surely issued after.
fn unbeaten(orders: &[&Order], places: Vec<usize>) -> Vec<usize> {
    let later = |a: &usize, b: &usize| match (orders.get(*a), orders.get(*b)) {
        (Some(a), Some(b)) => issued(a, b) == Ordering::Greater,
        _ => false,
    };
    let beaten = |place: &usize| places.iter().any(|other| later(other, place));
    places.iter().copied().filter(|place| !beaten(place)).collect()
}

/// Orders of other jurisdictions, and of no stated nature, are ranked by the statute only when they forbid contact.
fn class(order: &Order) -> Option<Class> {
    if order.forbids_contact() {
        return Some(Class::NoContact);
    }
    match order.nature() {
        Nature::Criminal => Some(Class::Criminal),
        // Emergency orders are ranked only among themselves.
        Nature::Civil | Nature::Emergency => Some(Class::Civil),
        Nature::Foreign | Nature::NotStated => None,
    }
}

/// Which was issued later; equal where the records do not say.
pub(super) fn issued(a: &Order, b: &Order) -> Ordering {
    let (Some(a_day), Some(b_day)) = (a.issued, b.issued) else {
        return Ordering::Equal;
    };
    a_day
        .cmp(&b_day)
        .then_with(|| match (a.issued_time, b.issued_time) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => Ordering::Equal,
        })
}
