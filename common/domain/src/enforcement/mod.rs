//! Which order is to be enforced, term by term, when several restrain one person.
//!
//! The orders in force that restrain the person are taken for each protected person apart. On the things of which only one
//! order can be followed ([`Topic::takes_one_order`]) an emergency order goes first where it is more restrictive (Pen. Code
//! 136.2(c)(1)), then a no-contact order (Pen. Code 136.2(c)(2); Fam. Code 6383(h)(2)), then the criminal order issued last, then
//! the civil order issued last (Fam. Code 6383(h)(2), 6405(b), 6457; Pen. Code 136.2(e)(2)). Terms of the other orders that do not
//! conflict stay in force. Orders that protect no named person only add.
//!
//! An order counts as a no-contact order also when it allows peaceful contact for a purpose, as for the exchange of children:
//! the exception is then shown with the bar.

mod gather;
mod overlay;
mod rank;
mod topic;

use crate::closed::closed;
use crate::court_calendar::Calendars;
use crate::family::Nature;
use crate::id::OrderId;
use crate::moment::UtcMillis;
use crate::order::Order;
use crate::party::{Person, Protected};
use crate::state::OrderState;
use crate::term::{Term, TermKind};

use gather::{InForce, gather};
pub use topic::Topic;

closed! {
    /// Why a term is enforced, or another one set aside.
    pub enum Rule: "rule of priority" {
        /// No other order protects this person from the restrained one.
        OnlyOrder = "only_order",
        /// An emergency order is more restrictive here.
        EmergencyOverlay = "emergency_overlay",
        /// A no-contact order goes before every other; of several, the one issued last.
        NoContact = "no_contact",
        /// The criminal order issued last goes before civil orders.
        CriminalLatest = "criminal_latest",
        /// The civil order issued last.
        CivilLatest = "civil_latest",
        /// It conflicts with nothing: it stays beside the others.
        Adds = "adds",
        /// The statute ranks no order of this kind: it is shown beside the others, and the court must be asked.
        NotRanked = "not_ranked",
    }
}

impl Rule {
    /// The sections of law.
    #[must_use]
    pub const fn law(self) -> &'static str {
        match self {
            Self::OnlyOrder => "Fam. Code 6383; Pen. Code 136.2",
            Self::EmergencyOverlay => "Pen. Code 136.2(c)(1)",
            Self::NoContact => "Pen. Code 136.2(c)(2); Fam. Code 6383(h)(2), 6405(b)",
            Self::CriminalLatest => "Fam. Code 6383(h)(2); Pen. Code 136.2(e)(2)",
            Self::CivilLatest => "Fam. Code 6383(h)(2)",
            Self::Adds => "Fam. Code 6383(h); terms that do not conflict stay in effect",
            Self::NotRanked => "Fam. Code 6402, 6405; not ranked by the statute",
        }
    }
}

/// One thing that is barred, commanded or allowed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnforcedTerm {
    /// What it is about.
    pub topic: Topic,
    /// The term, as its order has it.
    pub term: Term,
    /// The order that it stands in.
    pub order: OrderId,
    /// Other orders in force that have the same term.
    pub also: Vec<OrderId>,
    /// Why this one.
    pub rule: Rule,
    /// Whether the restrained person must first be told of it: no service is recorded (Fam. Code 6383(e), 6403(c)).
    pub after_notice: bool,
    /// Whether another order ranks the same, so that the statute does not decide: the more protective term is to be enforced.
    pub tie: bool,
}

/// A term that gives way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// What it is about.
    pub topic: Topic,
    /// The term.
    pub term: Term,
    /// The order that it stands in.
    pub order: OrderId,
    /// The order that goes before it.
    pub before: OrderId,
    /// Why.
    pub rule: Rule,
}

/// What is to be enforced for one protected person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForPerson {
    /// The person, as the order issued last describes them.
    pub protected: Protected,
    /// The orders in force that protect this person, in the order of issue.
    pub orders: Vec<OrderId>,
    /// Every term in force, by topic.
    pub terms: Vec<EnforcedTerm>,
    /// Every term that gives way, with the one it gives way to.
    pub set_aside: Vec<SetAside>,
}

/// What is to be enforced against one person at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Enforcement {
    /// For each protected person.
    pub persons: Vec<ForPerson>,
    /// Terms of orders that protect no named person; they add to everything (Pen. Code 18100, 490.8).
    pub everywhere: Vec<EnforcedTerm>,
    /// Orders in force whose restrained person is only possibly this one: nobody may be held to them before it is certain.
    pub possibly: Vec<OrderId>,
    /// Orders of other jurisdictions that are not valid on their face (Fam. Code 6402).
    pub not_valid: Vec<OrderId>,
}

/// Says what is to be enforced against `restrained` at `at`. `orders` may be any orders in any order: those that are not in force,
/// or are of somebody else, make no difference. `certain` names those that are known to be of this person, whatever their
/// descriptions say: above all the one that is asked about.
#[must_use]
pub fn enforcement(
    restrained: &Person,
    certain: &[OrderId],
    orders: &[&OrderState],
    at: UtcMillis,
    calendars: &Calendars,
) -> Enforcement {
    let gathered = gather(restrained, certain, orders, at, calendars);
    let mut answer = Enforcement {
        possibly: gathered.possibly,
        not_valid: gathered.not_valid,
        ..Enforcement::default()
    };
    for order in &gathered.everywhere {
        for term in &order.state.order.terms {
            answer.everywhere.push(enforced(order, term, Rule::Adds, false));
        }
    }
    for group in gathered.groups {
        let mut person = ForPerson {
            protected: group.protected,
            orders: group.orders.iter().map(|order| order.state.order_id).collect(),
            terms: Vec::new(),
            set_aside: Vec::new(),
        };
        decide(&group.orders, &mut person);
        answer.persons.push(person);
    }
    answer
}

/// Decides topic by topic among the orders for one protected person.
fn decide(orders: &[InForce<'_>], person: &mut ForPerson) {
    let all: Vec<&InForce<'_>> = orders.iter().collect();
    for &topic in Topic::ALL {
        if topic.takes_one_order() {
            one_order(topic, &all, person);
        } else {
            every_order(topic, &all, person);
        }
    }
}

/// On this topic only one order can be followed.
fn one_order(topic: Topic, orders: &[&InForce<'_>], person: &mut ForPerson) {
    let (winners, rule) = winners(topic, orders);
    let rule = if orders.len() == 1 { Rule::OnlyOrder } else { rule };
    let tie = winners
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if !a.terms(topic).eq(b.terms(topic))));
    for winner in &winners {
        for term in winner.terms(topic) {
            add(person, enforced(winner, term, rule, tie));
        }
    }
    let wins = |order: &InForce<'_>| {
        let id = order.state.order_id;
        winners.iter().any(|winner| winner.state.order_id == id)
    };
    for order in orders.iter().filter(|order| !wins(order)) {
        for term in order.terms(topic) {
            give_way(topic, order, term, &winners, rule, person);
        }
    }
}

/// The orders to follow on this topic, several where the statute leaves a tie, and why.
fn winners<'a, 'o>(topic: Topic, orders: &[&'a InForce<'o>]) -> (Vec<&'a InForce<'o>>, Rule) {
    let (emergency, others): (Vec<_>, Vec<_>) = orders
        .iter()
        .copied()
        .partition(|order| order.nature == Nature::Emergency);
    // Emergency orders alone are ranked among themselves as civil ones are.
    let (base, overlaid) = if others.is_empty() {
        (emergency, Vec::new())
    } else {
        let faces = faces(&others);
        let stricter = |order: &&InForce<'_>| overlay::is_stricter(topic, &order.state.order, &faces);
        let overlaid = emergency.into_iter().filter(stricter).collect();
        (others, overlaid)
    };
    if !overlaid.is_empty() {
        return (overlaid, Rule::EmergencyOverlay);
    }
    let (governing, rule) = ranked(&base);
    let speaks = |order: &&InForce<'_>| order.terms(topic).next().is_some();
    let governing: Vec<_> = governing.into_iter().filter(speaks).collect();
    if !governing.is_empty() {
        return (governing, rule);
    }
    // Where the governing order is silent, whatever else is said does not conflict with it.
    let further: Vec<_> = base.into_iter().filter(speaks).collect();
    let further = if further.is_empty() {
        orders.iter().copied().filter(speaks).collect()
    } else {
        further
    };
    if further.len() < 2 {
        return (further, Rule::Adds);
    }
    ranked(&further)
}

/// The first in rank; all of them where the statute ranks none.
fn ranked<'a, 'o>(orders: &[&'a InForce<'o>]) -> (Vec<&'a InForce<'o>>, Rule) {
    let governing = rank::governing(&faces(orders));
    let first = |place: &usize| orders.get(*place).copied();
    match governing.rule {
        Some(rule) => (governing.places.iter().filter_map(first).collect(), rule),
        None => (orders.to_vec(), Rule::NotRanked),
    }
}

fn faces<'a>(orders: &[&'a InForce<'_>]) -> Vec<&'a Order> {
    orders.iter().map(|order| &order.state.order).collect()
}

/// A term of an order that does not govern on its topic: the same is said by the one that does, or it gives way.
fn give_way(
    topic: Topic,
    order: &InForce<'_>,
    term: &Term,
    winners: &[&InForce<'_>],
    rule: Rule,
    person: &mut ForPerson,
) {
    let same = |held: &&mut EnforcedTerm| held.topic == topic && says_the_same(&held.term, term);
    if let Some(held) = person.terms.iter_mut().find(same) {
        held.also.push(order.state.order_id);
        // Somebody who knows of one of the orders knows what it bars.
        held.after_notice &= !order.served;
        return;
    }
    let ranked = match order.nature {
        Nature::Civil | Nature::Criminal => true,
        // Whether it is more restrictive there nobody can compute.
        Nature::Emergency => matches!(topic, Topic::Contact | Topic::Distance),
        Nature::Foreign | Nature::NotStated => false,
    };
    match winners.first() {
        // A bar that the statute does not rank is shown beside the one that it does.
        Some(_) if !ranked && term.kind != TermKind::PeacefulContact => {
            add(person, enforced(order, term, Rule::NotRanked, true));
        }
        Some(winner) => person.set_aside.push(SetAside {
            topic,
            term: term.clone(),
            order: order.state.order_id,
            before: winner.state.order_id,
            rule,
        }),
        None => add(person, enforced(order, term, Rule::NotRanked, false)),
    }
}

/// On this topic every order's terms stay.
fn every_order(topic: Topic, orders: &[&InForce<'_>], person: &mut ForPerson) {
    let rule = if orders.len() == 1 {
        Rule::OnlyOrder
    } else {
        Rule::Adds
    };
    // The order issued last is named first.
    for order in orders.iter().rev() {
        for term in order.terms(topic) {
            add(person, enforced(order, term, rule, false));
        }
    }
}

/// Adds a term, or the order of one that says the same.
fn add(person: &mut ForPerson, new: EnforcedTerm) {
    let same = person
        .terms
        .iter_mut()
        .find(|held| held.topic == new.topic && says_the_same(&held.term, &new.term));
    match same {
        // Somebody who knows of one of the orders knows what it bars.
        Some(held) => {
            if held.order != new.order && !held.also.contains(&new.order) {
                held.also.push(new.order);
            }
            held.after_notice &= new.after_notice;
        }
        None => person.terms.push(new),
    }
}

fn enforced(order: &InForce<'_>, term: &Term, rule: Rule, tie: bool) -> EnforcedTerm {
    EnforcedTerm {
        topic: Topic::of(term),
        term: term.clone(),
        order: order.state.order_id,
        also: Vec::new(),
        rule,
        after_notice: !order.served,
        tie,
    }
}

/// Whether two terms ask the same, in the same words where words are all there is.
fn says_the_same(a: &Term, b: &Term) -> bool {
    a.kind == b.kind && a.distance_yards == b.distance_yards && a.places == b.places && a.text == b.text
}
