//! Which orders count: in force at the moment, against the person who is asked about, grouped by the persons they protect.

use std::cmp::Ordering;

use super::topic::Topic;
use crate::court_calendar::Calendars;
use crate::family::Nature;
use crate::id::OrderId;
use crate::moment::UtcMillis;
use crate::party::{Person, Protected};
use crate::sameness::{Sameness, sameness};
use crate::standing::{Status, standing};
use crate::state::OrderState;
use crate::term::Term;

/// An order that counts.
#[derive(Clone, Copy)]
pub(super) struct InForce<'a> {
    pub(super) state: &'a OrderState,
    pub(super) nature: Nature,
    pub(super) served: bool,
}

impl<'a> InForce<'a> {
    pub(super) fn terms(&self, topic: Topic) -> impl Iterator<Item = &'a Term> {
        let terms = self.state.order.terms.iter();
        terms.filter(move |term| Topic::of(term) == topic)
    }
}

/// The orders for one protected person, in the order of issue.
pub(super) struct Group<'a> {
    pub(super) protected: Protected,
    pub(super) orders: Vec<InForce<'a>>,
}

#[derive(Default)]
pub(super) struct Gathered<'a> {
    pub(super) groups: Vec<Group<'a>>,
    pub(super) everywhere: Vec<InForce<'a>>,
    pub(super) possibly: Vec<OrderId>,
    pub(super) not_valid: Vec<OrderId>,
}

pub(super) fn gather<'a>(
    restrained: &Person,
    certain: &[OrderId],
    orders: &[&'a OrderState],
    at: UtcMillis,
    calendars: &Calendars,
) -> Gathered<'a> {
    let mut orders = orders.to_vec();
    // By issue and then by identifier, so that nothing depends on the order of arrival.
    orders.sort_by(|a, b| by_issue(a, b));
    orders.dedup_by_key(|state| state.order_id);
    let mut gathered = Gathered::default();
    for state in orders {
        let order = &state.order;
        let sure = if certain.contains(&state.order_id) {
            Sameness::Same
        } else {
            sameness(restrained, &order.restrained)
        };
        if sure == Sameness::Different {
            continue;
        }
        let standing = standing(state, at, calendars);
        if standing.status != Status::Active {
            continue;
        }
        let invalid = order.foreign.as_ref().and_then(|foreign| foreign.valid_on_face) == Some(false);
        if sure != Sameness::Same {
            gathered.possibly.push(state.order_id);
        } else if invalid {
            gathered.not_valid.push(state.order_id);
        } else {
            let nature = order.nature();
            let served = standing.served;
            gathered.take(InForce {
                state,
                nature,
                served,
            });
        }
    }
    gathered
}

impl<'a> Gathered<'a> {
    fn take(&mut self, order: InForce<'a>) {
        let face = &order.state.order;
        if face.resolved_family().protects_no_named_person() || face.protected.is_empty() {
            self.everywhere.push(order);
            return;
        }
        for protected in &face.protected {
            let held = self
                .groups
                .iter_mut()
                .find(|group| is_one(&group.protected, protected));
            match held {
                Some(group) => {
                    // A person who stands twice on one paper is protected once.
                    if group
                        .orders
                        .last()
                        .is_none_or(|last| last.state.order_id != order.state.order_id)
                    {
                        group.orders.push(order);
                    }
                    group.protected = protected.clone();
                }
                None => self.groups.push(Group {
                    protected: protected.clone(),
                    orders: vec![order],
                }),
            }
        }
    }
}

/// Whether two protected persons are one. Both are protected from the same person, so the same name is enough where nothing
/// speaks against it.
fn is_one(a: &Protected, b: &Protected) -> bool {
    sameness(&a.person, &b.person) >= Sameness::SameName
}

/// A day that is not known counts as the earliest; what is a tie in law is told by rank, not here.
fn by_issue(a: &OrderState, b: &OrderState) -> Ordering {
    let key = |state: &OrderState| (state.order.issued, state.order.issued_time, state.order_id);
    key(a).cmp(&key(b))
}
