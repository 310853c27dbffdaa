//! Conflicts of a draft with orders that exist already, between the same two persons or the same two reversed, in any court: what
//! a judge must know before signing. It refuses nothing.

use crate::closed::closed;
use crate::court_calendar::Calendars;
use crate::family::{Nature, Stage};
use crate::id::OrderId;
use crate::moment::UtcMillis;
use crate::order::Order;
use crate::sameness::{Sameness, sameness};
use crate::standing::{Status, standing};
use crate::state::OrderState;
use crate::term::{Term, TermKind};

closed! {
    /// In which way a draft clashes with an order.
    pub enum Clash: "clash" {
        /// The draft lets the two meet, for children or peacefully, where a criminal order bars all contact.
        CriminalNoContact = "criminal_no_contact",
        /// The draft allows contact that another order bars.
        AllowsWhatIsBarred = "allows_what_is_barred",
        /// The draft bars contact that another order allows; the draft would go before it.
        BarsWhatIsAllowed = "bars_what_is_allowed",
        /// Both command a distance, and not the same: only one of them can be followed.
        Distance = "distance",
        /// Both decide with whom the children live, or who visits them.
        Children = "children",
        /// The restrained person of the draft is protected from its protected person: the two orders are mutual.
        Mutual = "mutual",
        /// A temporary order beside one made after a hearing between the same persons.
        TemporaryBesideFinal = "temporary_beside_final",
        /// An emergency order is in force: where it is stricter it goes first until it ends.
        EmergencyInForce = "emergency_in_force",
    }
}

impl Clash {
    /// The sections of law.
    #[must_use]
    pub const fn law(self) -> &'static str {
        match self {
            Self::CriminalNoContact => "Pen. Code 136.2(e)(3), (f)",
            Self::AllowsWhatIsBarred | Self::BarsWhatIsAllowed => {
                "Pen. Code 136.2(c)(2); Fam. Code 6383(h)(2)"
            }
            Self::Distance | Self::Children => "Fam. Code 6383(h)(2); Pen. Code 136.2(e)(2)",
            Self::Mutual => "Fam. Code 6305",
            Self::TemporaryBesideFinal => "Fam. Code 6340, 6383(h)(2)",
            Self::EmergencyInForce => "Pen. Code 136.2(c)(1)",
        }
    }

    /// What it means, in a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::CriminalNoContact => {
                "a criminal order bars all contact: state a safe exchange that it allows, and that it goes before this order"
            }
            Self::AllowsWhatIsBarred => {
                "another order in force bars the contact that this one allows, and goes before it"
            }
            Self::BarsWhatIsAllowed => "this order would bar contact that another order in force allows",
            Self::Distance => {
                "another order in force commands another distance; only one of the two can be followed"
            }
            Self::Children => "another order in force decides about the children too",
            Self::Mutual => {
                "the parties are reversed in another order in force: mutual orders need both to appear, and findings that both acted \
                 primarily as aggressors"
            }
            Self::TemporaryBesideFinal => {
                "an order made after a hearing is in force between the same persons already"
            }
            Self::EmergencyInForce => {
                "an emergency order is in force; where it is stricter it goes first until it ends"
            }
        }
    }
}

/// One clash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The order that exists.
    pub order: OrderId,
    /// How they clash.
    pub clash: Clash,
    /// The term of the draft, where the clash is about one.
    pub ours: Option<Term>,
    /// The term of the order that exists.
    pub theirs: Option<Term>,
    /// How sure it is that the parties are the same.
    pub sameness: Sameness,
}

/// Lists the clashes of a draft with orders that are in force at `at` or will be; by order of issue, the latest first. `orders` may
/// be any orders in any order.
#[must_use]
pub fn conflicts(
    draft: &Order,
    orders: &[&OrderState],
    at: UtcMillis,
    calendars: &Calendars,
) -> Vec<Conflict> {
    let mut orders = orders.to_vec();
    orders.sort_by_key(|state| {
        std::cmp::Reverse((state.order.issued, state.order.issued_time, state.order_id))
    });
    orders.dedup_by_key(|state| state.order_id);
    let mut found = Vec::new();
    for state in orders {
        let status = standing(state, at, calendars).status;
        if !matches!(status, Status::Active | Status::NotYetEffective) {
            continue;
        }
        let mut add = |clash, ours: Option<&Term>, theirs: Option<&Term>, sameness| {
            found.push(Conflict {
                order: state.order_id,
                clash,
                ours: ours.cloned(),
                theirs: theirs.cloned(),
                sameness,
            });
        };
        let sure = reversed_parties(draft, &state.order);
        if sure != Sameness::Different {
            add(Clash::Mutual, None, None, sure);
        }
        let sure = same_parties(draft, &state.order);
        if sure != Sameness::Different {
            compare(draft, &state.order, |clash, ours, theirs| {
                add(clash, ours, theirs, sure)
            });
        }
    }
    found
}

/// The clashes of two orders between the same persons.
fn compare<'a>(
    draft: &'a Order,
    other: &'a Order,
    mut add: impl FnMut(Clash, Option<&'a Term>, Option<&'a Term>),
) {
    let bar = other.terms.iter().find(|term| term.forbids_contact());
    if let Some(bar) = bar {
        let criminal = other.nature() == Nature::Criminal;
        for term in draft.terms.iter().filter(|term| lets_meet(term, criminal)) {
            let clash = if criminal {
                Clash::CriminalNoContact
            } else {
                Clash::AllowsWhatIsBarred
            };
            add(clash, Some(term), Some(bar));
        }
    }
    let own_bar = draft.terms.iter().find(|term| term.forbids_contact());
    if let (Some(own_bar), None) = (own_bar, bar) {
        for term in other.terms.iter().filter(|term| lets_meet(term, false)) {
            add(Clash::BarsWhatIsAllowed, Some(own_bar), Some(term));
        }
    }
    if let Some((ours, theirs)) = differing(draft, other, |term| {
        term.commands_distance() && term.distance_yards.is_some()
    }) {
        add(Clash::Distance, Some(ours), Some(theirs));
    }
    for kind in [TermKind::Custody, TermKind::Visitation] {
        if let Some((ours, theirs)) = differing(draft, other, |term| term.kind == kind) {
            add(Clash::Children, Some(ours), Some(theirs));
        }
    }
    let civil = draft.nature() == Nature::Civil && other.nature() == Nature::Civil;
    if civil && is_temporary(draft) && is_final(other) {
        add(Clash::TemporaryBesideFinal, None, None);
    }
    if other.nature() == Nature::Emergency {
        add(Clash::EmergencyInForce, None, None);
    }
}

/// Whether the two meet, or speak, when they follow this term. What a criminal order bars, custody needs as well: the children
/// are handed over.
fn lets_meet(term: &Term, criminal: bool) -> bool {
    matches!(term.kind, TermKind::PeacefulContact | TermKind::Visitation)
        || (criminal && term.kind == TermKind::Custody)
}

/// A term of each that are about the same and do not ask the same.
fn differing<'a>(
    draft: &'a Order,
    other: &'a Order,
    about: impl Fn(&Term) -> bool,
) -> Option<(&'a Term, &'a Term)> {
    let ours = draft.terms.iter().find(|term| about(term))?;
    let theirs = other.terms.iter().find(|term| about(term))?;
    let same = ours.distance_yards == theirs.distance_yards && ours.text.trim() == theirs.text.trim();
    (!same).then_some((ours, theirs))
}

fn is_temporary(order: &Order) -> bool {
    matches!(order.resolved_stage(), Stage::Temporary | Stage::Continued)
}

fn is_final(order: &Order) -> bool {
    matches!(
        order.resolved_stage(),
        Stage::AfterHearing | Stage::Renewed | Stage::Modified
    )
}

/// How sure it is that both orders restrain one person and protect one.
fn same_parties(draft: &Order, other: &Order) -> Sameness {
    let protected = pairs(draft, other).max().unwrap_or(Sameness::Different);
    sameness(&draft.restrained, &other.restrained).min(protected)
}

fn pairs<'a>(draft: &'a Order, other: &'a Order) -> impl Iterator<Item = Sameness> + 'a {
    draft.protected.iter().flat_map(|ours| {
        let theirs = other.protected.iter();
        theirs.map(|theirs| sameness(&ours.person, &theirs.person))
    })
}

/// How sure it is that each restrains whom the other protects.
fn reversed_parties(draft: &Order, other: &Order) -> Sameness {
    let theirs = other
        .protected
        .iter()
        .map(|protected| sameness(&draft.restrained, &protected.person));
    let ours = draft
        .protected
        .iter()
        .map(|protected| sameness(&other.restrained, &protected.person));
    let best = |found: Option<Sameness>| found.unwrap_or(Sameness::Different);
    best(theirs.max()).min(best(ours.max()))
}
