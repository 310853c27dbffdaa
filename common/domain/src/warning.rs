//! What is missing from an order, or looks wrong. The clerk is told of it and it never stops a filing (Fam. Code 6380(b)).

mod consistency;
mod description;
mod duration;
mod service;
mod found;

use crate::event::{Ending, EndingKind};
use crate::order::Order;
use crate::service::Service;

pub use self::duration::{LONGEST_DURATIONS, LongestDuration};
use self::found::Warnings;
pub use self::found::{Warning, WarningCode};

/// Everything to look at in an order, in the order of its paper. Empty for a complete one. Nothing in it may stop a filing.
#[must_use]
pub fn check(order: &Order) -> Vec<Warning> {
    let mut found = Warnings::default();
    consistency::of_kind(order, &mut found);
    consistency::of_court(order, &mut found);
    consistency::of_days(order, &mut found);
    duration::of_order(order, &mut found);
    description::of_restrained(order, &mut found);
    description::of_protected(order, &mut found);
    consistency::of_terms(order, &mut found);
    found.0
}

/// Everything to look at in a proof of service, or in an attempt. Nothing in it may stop its entry.
#[must_use]
pub fn check_service(order: &Order, service: &Service) -> Vec<Warning> {
    let mut found = Warnings::default();
    service::of_order(order, service, &mut found);
    found.0
}

/// Everything to look at when an order is ended. Nothing in it may stop the end.
#[must_use]
pub fn check_ending(order: &Order, ending: &Ending) -> Vec<Warning> {
    let mut found = Warnings::default();
    if ending.kind == EndingKind::CancelledEntryError && order.previous.is_some() {
        // Nothing but a new filing brings its terms back.
        found.add(
            "previous",
            WarningCode::Contradiction,
            "the order that this one followed stays ended: if it still stands, file it again from a clone",
            "Fam. Code 6380(f)",
        );
    }
    found.0
}
