//! Masks: an order's state with everything taken out that somebody may not see, before any answer is made of it.

use ccpor_domain::{Name, Order, OrderState, Person, Protected};

use crate::decision::Seen;
use crate::table::Minors;

/// The state as somebody sees it. `now` is the order as it stands now: a minor whom it makes confidential is masked in every
/// earlier version as well.
#[must_use]
pub fn masked(mut state: OrderState, now: &Order, seen: Seen, minors: Minors) -> OrderState {
    state.order = masked_order(state.order, now, seen, minors);
    if seen < Seen::Whole {
        state.source_id = None;
        state.images.clear();
        state.violations.clear();
        state.steps.clear();
        state.sheets.clear();
        for record in &mut state.service {
            record.act.reason.clear();
            record.service.note.clear();
        }
        if let Some(seal) = &mut state.sealed {
            seal.reason.clear();
            seal.by = ccpor_domain::Actor::default();
        }
    }
    state
}

/// One version of an order as somebody sees it.
#[must_use]
pub fn masked_order(mut order: Order, now: &Order, seen: Seen, minors: Minors) -> Order {
    if minors != Minors::Named {
        for protected in &mut order.protected {
            if protected.minor_confidential || is_confidential(&protected.person.name, now) {
                hide(protected);
            }
        }
    }
    if seen < Seen::Whole {
        to_enforce(&mut order);
    }
    order
}

/// Whether the person of this name has to be taken for one whom the order as it stands now makes confidential. Names are mended
/// from version to version: where there is such a minor, only who stands beside it openly is known to be somebody else.
#[must_use]
pub fn is_confidential(name: &Name, now: &Order) -> bool {
    let some_are = now.protected.iter().any(|protected| protected.minor_confidential);
    let openly = |protected: &Protected| !protected.minor_confidential && protected.person.name == *name;
    some_are && !now.protected.iter().any(openly)
}

/// That there is a confidential minor is left, and what the minor is to the restrained person.
fn hide(protected: &mut Protected) {
    protected.person = Person::default();
    protected.minor_confidential = true;
}

/// Whom it restrains stays whole, since that is whom an officer must recognise; of whom it protects the name stays.
fn to_enforce(order: &mut Order) {
    for protected in &mut order.protected {
        let name = std::mem::take(&mut protected.person.name);
        protected.person = Person {
            name,
            ..Person::default()
        };
    }
    order.hearing = None;
    order.brady = None;
    order.previous = None;
    order.lineage = None;
}
