//! Whether an emergency order is more restrictive than another on one topic: only there it has precedence (Pen. Code
//! 136.2(c)(1)(A), (B)).

use super::topic::Topic;
use crate::order::Order;
use crate::term::{Place, Term, TermKind};

/// Whether `emergency` is stricter on this topic than what stands without it. Only contact and distance can be compared; on other
/// topics that take one order, nobody can say which is stricter, and both are shown.
pub(super) fn is_stricter(topic: Topic, emergency: &Order, without: &[&Order]) -> bool {
    match topic {
        Topic::Contact => {
            let held = without
                .iter()
                .map(|order| contact(order))
                .max()
                .unwrap_or(Contact::Open);
            contact(emergency) > held
        }
        Topic::Distance => terms(emergency, Topic::Distance).any(|term| {
            let mut held = without.iter().flat_map(|order| terms(order, Topic::Distance));
            !held.any(|other| covers(other, term))
        }),
        _ => false,
    }
}

/// How far contact is barred, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Contact {
    Open,
    ExceptAsAllowed,
    Barred,
}

fn contact(order: &Order) -> Contact {
    let allows = order
        .terms
        .iter()
        .any(|term| term.kind == TermKind::PeacefulContact);
    match (order.forbids_contact(), allows) {
        (false, _) => Contact::Open,
        (true, true) => Contact::ExceptAsAllowed,
        (true, false) => Contact::Barred,
    }
}

/// Whether keeping to `held` keeps to `asked` too: as many yards, from everything that it names.
fn covers(held: &Term, asked: &Term) -> bool {
    let far_enough = match (held.distance_yards, asked.distance_yards) {
        (Some(held), Some(asked)) => held >= asked,
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => held.text.trim() == asked.text.trim(),
    };
    let names = |place: &Place| *place != Place::Other && held.places.contains(place);
    far_enough && (asked.places.iter().all(names) || held.places == asked.places)
}

fn terms(order: &Order, topic: Topic) -> impl Iterator<Item = &Term> {
    order.terms.iter().filter(move |term| Topic::of(term) == topic)
}
