//! Everything known of one person: the orders of all courts that name somebody like them, found by name, date of birth and
//! numbers, and judged one by one whether it is the same person.

use std::collections::BTreeMap;

use ccpor_domain::{
    Conflict, Enforcement, Order, OrderId, OrderState, Person, Sameness, UtcMillis, conflicts, enforcement,
    sameness,
};
use ccpor_matching::{Born, Limits, PartialDate, Query, Role};

use crate::card::id_kind;
use crate::freshness::{Answer, now};
use crate::registry::Registry;
use crate::sight::{NotSeen, Seeing, Sight};
use crate::story::{NoStory, Story};

/// The most orders that are read for one person.
const MOST: usize = 500;

/// An order that names somebody like the person who is asked about.
#[derive(Clone, Debug)]
pub struct Naming {
    /// The order, as the reader sees it.
    pub story: Story,
    /// Its state as it is, for computing; nothing of it is shown but what follows from it.
    held: OrderState,
    /// As restrained, protected, or both.
    pub roles: Vec<Role>,
    /// How sure it is that it is the same person.
    pub sameness: Sameness,
}

/// What is known of a person.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The orders, those issued last first.
    pub orders: Vec<Naming>,
    /// Orders that were found and cannot be read here.
    pub not_readable: Vec<OrderId>,
    /// Whether orders were left out because the call states no purpose.
    pub withheld: bool,
}

/// What is to be enforced against the person whom an order restrains.
#[derive(Clone, Debug)]
pub struct Enforced {
    /// The order that was asked about.
    pub asked: Story,
    /// What is to be enforced, term by term.
    pub enforcement: Enforcement,
    /// Every order that the answer names.
    pub orders: Vec<Story>,
    /// Orders that were found and cannot be read here.
    pub not_readable: Vec<OrderId>,
    /// The moment it is said for.
    pub at: UtcMillis,
}

/// The clashes of a draft, with the orders that it clashes with.
#[derive(Clone, Debug, Default)]
pub struct Clashes {
    /// Each clash.
    pub conflicts: Vec<Conflict>,
    /// Every order that the clashes name.
    pub orders: Vec<Story>,
    /// Orders that were found and cannot be read here.
    pub not_readable: Vec<OrderId>,
}

impl Registry {
    /// Compares a draft with every order held here that the reader sees and that has its parties, the same way or reversed.
    pub fn clashes(&self, draft: &Order, sight: &dyn Sight) -> Answer<Clashes> {
        let freshness = self.freshness(None);
        let known = self.known_of(&draft.restrained, None, None, sight);
        let (mut orders, held): (Vec<Story>, Vec<OrderState>) = known
            .orders
            .into_iter()
            .map(|naming| (naming.story, naming.held))
            .unzip();
        let states: Vec<&OrderState> = held.iter().collect();
        let conflicts = conflicts(draft, &states, now(), self.calendars());
        orders.retain(|story| conflicts.iter().any(|conflict| conflict.order == story.order));
        let clashes = Clashes {
            conflicts,
            orders,
            not_readable: known.not_readable,
        };
        Answer::new(clashes, freshness)
    }

    /// Finds the orders that the reader sees and that name somebody like `person`, in one role or (`None`) in any.
    #[must_use]
    pub fn known_of(
        &self,
        person: &Person,
        role: Option<Role>,
        until: Option<UtcMillis>,
        sight: &dyn Sight,
    ) -> Known {
        let mut found: BTreeMap<OrderId, Vec<Role>> = BTreeMap::new();
        for query in queries(person, role) {
            let limits = Limits {
                hits: MOST,
                ..Limits::default()
            };
            let hits = self.view().people().lookup(&query, &limits);
            for (order, hit) in hits {
                let roles = found.entry(order).or_default();
                if !roles.contains(&hit.role) {
                    roles.push(hit.role);
                }
            }
        }
        let mut known = Known::default();
        for (order, roles) in found {
            let story = match self.told(order, until) {
                Ok(story) => story,
                // It was filed after the moment that is asked about.
                Err(NoStory::Unknown(_)) => continue,
                Err(NoStory::NotReadable { order, reason }) => {
                    tracing::warn!(%order, reason, "an order that was found cannot be shown");
                    known.not_readable.push(order);
                    continue;
                }
            };
            // Who is meant is judged by the order itself, not by what is left of it for the reader.
            let Some((roles, sameness)) = named(&story, person, &roles) else {
                continue;
            };
            let held = story.state.clone();
            match self.seen(sight, story, until.is_some()) {
                Seeing::Shown(story) => known.orders.push(Naming {
                    held: as_confidential_as(held, &story),
                    story: *story,
                    roles,
                    sameness,
                }),
                Seeing::Withheld => known.withheld = true,
                Seeing::Hidden => {}
                Seeing::NotClear => known.not_readable.push(order),
            }
        }
        known.orders.sort_by_key(|naming| {
            let order = &naming.story.state.order;
            std::cmp::Reverse((order.issued, order.issued_time, naming.story.order))
        });
        known
    }

    /// Says what is to be enforced against the person whom `order` restrains, from every order held here that the reader sees.
    pub fn enforce(
        &self,
        order: OrderId,
        at: Option<UtcMillis>,
        sight: &dyn Sight,
    ) -> Answer<Result<Enforced, NotSeen>> {
        // The freshness is taken first: what arrives meanwhile can only make the answer better than it says.
        let freshness = self.freshness(None);
        Answer::new(self.enforced(order, at, sight), freshness)
    }

    fn enforced(
        &self,
        order: OrderId,
        until: Option<UtcMillis>,
        sight: &dyn Sight,
    ) -> Result<Enforced, NotSeen> {
        let told = self.told(order, until)?;
        let asked = self.told_to(sight, Ok(told.clone()), until.is_some())?;
        let at = until.unwrap_or_else(now);
        let restrained = asked.state.order.restrained.clone();
        let known = self.known_of(&restrained, Some(Role::Restrained), until, sight);
        let (mut orders, mut held): (Vec<Story>, Vec<OrderState>) = known
            .orders
            .into_iter()
            .map(|naming| (naming.story, naming.held))
            .unzip();
        if orders.iter().all(|story| story.order != order) {
            held.push(as_confidential_as(told.state, &asked));
            orders.push(asked.clone());
        }
        let states: Vec<&OrderState> = held.iter().collect();
        let enforcement = enforcement(&restrained, &[order], &states, at, self.calendars());
        orders.retain(|story| names(&enforcement, story.order) || story.order == order);
        Ok(Enforced {
            asked,
            enforcement,
            orders,
            not_readable: known.not_readable,
            at,
        })
    }
}

/// The questions that find a person: under every name, with the numbers once.
fn queries(person: &Person, role: Option<Role>) -> Vec<Query> {
    let ids: Vec<_> = person
        .identifiers
        .iter()
        .map(|id| (id_kind(id.kind), id.value.clone()))
        .collect();
    let named = std::iter::once(&person.name)
        .chain(&person.aliases)
        .filter(|name| !name.is_blank())
        .map(|name| Query {
            first: name.first.clone(),
            middle: name.middle.clone(),
            last: name.last.clone(),
            suffix: name.suffix.clone(),
            dob: person.dob.map(|date| {
                Born::On(PartialDate {
                    year: date.year(),
                    month: Some(date.month()),
                    day: Some(date.day()),
                })
            }),
            ids: ids.clone(),
            role,
            limit: MOST,
            ..Query::default()
        });
    named.collect()
}

/// As what the order names the person asked about, and how sure that is; none if it is somebody else.
fn named(story: &Story, person: &Person, roles: &[Role]) -> Option<(Vec<Role>, Sameness)> {
    let order = &story.state.order;
    let as_restrained = sameness(person, &order.restrained);
    let protected = order
        .protected
        .iter()
        .filter(|protected| !protected.minor_confidential);
    let as_protected = protected
        .map(|protected| sameness(person, &protected.person))
        .max();
    let judged = [
        (Role::Restrained, as_restrained),
        (Role::Protected, as_protected.unwrap_or(Sameness::Different)),
    ];
    let may_be: Vec<_> = judged
        .into_iter()
        .filter(|(role, sure)| roles.contains(role) && *sure != Sameness::Different)
        .collect();
    let sameness = may_be.iter().map(|(_, sure)| *sure).max()?;
    Some((may_be.into_iter().map(|(role, _)| role).collect(), sameness))
}

/// The state as it is, with every protected person marked as a confidential minor who is one to the reader.
fn as_confidential_as(mut held: OrderState, seen: &Story) -> OrderState {
    for (held, seen) in held.order.protected.iter_mut().zip(&seen.state.order.protected) {
        held.minor_confidential |= seen.minor_confidential;
    }
    held
}

fn names(enforcement: &Enforcement, order: OrderId) -> bool {
    let for_persons = enforcement.persons.iter().flat_map(|person| person.orders.iter());
    let everywhere = enforcement.everywhere.iter().map(|term| &term.order);
    let others = enforcement.possibly.iter().chain(&enforcement.not_valid);
    for_persons
        .chain(everywhere)
        .chain(others)
        .any(|named| *named == order)
}
