//! A caller's sight: who a caller is to the table of rights, and each order shown, masked or hidden as the table says. It
//! decides nothing itself.

use std::fmt;
use std::sync::Arc;

use ccpor_access::{
    Facts, Minors, Place, Seen, Who, is_confidential, masked, masked_order, names_minors, see,
};
use ccpor_api::{Caller, Code, Problem};
use ccpor_domain::{Event, Name, Order, OrderId, Status, standing};
use ccpor_matching::{CardPerson, Role as MatchedRole};
use ccpor_registry::{Group, Registry, Seeing, SeenPerson, Sight, Story};

use crate::sharing::{Shares, Sharing};

/// What is said when something was left out that a purpose would show.
pub const WITHHELD: &str = "Orders that are over were left out: state the purpose of the call to see them.";

/// Who a caller is: the person at the desk, else the program with the certificate.
///
/// # Errors
/// A [`Problem`] when it is nobody who may call.
pub fn who(caller: &Caller) -> Result<Who, Problem> {
    let nobody = || {
        Problem::new(
            Code::CertificateNotAccepted,
            "the certificate names nobody who may call",
        )
    };
    let Some(person) = &caller.person else {
        return Who::of_machine(&caller.identity).map_err(|_| nobody());
    };
    let role: ccpor_access::Role = person.role.parse().map_err(|_| nobody())?;
    let place = if role.is_of_a_court() {
        Place::Court(person.of.clone())
    } else if role.is_of_an_agency() {
        Place::Agency(person.of.clone())
    } else {
        Place::Registry
    };
    Ok(Who { role, place })
}

/// What one caller sees of the orders that a machine holds.
#[derive(Clone)]
pub struct CallersSight {
    who: Who,
    purpose: bool,
    registry: Arc<Registry>,
    sharing: Arc<Sharing>,
}

/// What a caller sees of an image of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SeenImage {
    /// To this caller the order does not exist, or shows no image.
    Hidden,
    /// The order is shown for a stated purpose.
    Withheld,
    /// The court keeps its images to itself.
    Kept,
    /// It.
    Shown,
}

impl CallersSight {
    /// The sight of `caller` over `registry`.
    ///
    /// # Errors
    /// A [`Problem`] when it is nobody who may call.
    pub fn of(registry: &Arc<Registry>, sharing: &Arc<Sharing>, caller: &Caller) -> Result<Self, Problem> {
        Ok(Self {
            who: who(caller)?,
            purpose: !caller.purpose.is_empty(),
            registry: Arc::clone(registry),
            sharing: Arc::clone(sharing),
        })
    }

    /// Whose sight it is.
    #[must_use]
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// What of an order is shown; the least of what it may be, when not all of its court's records can be read.
    #[must_use]
    pub fn seen(&self, now: &Story) -> Option<Seen> {
        let facts = self.facts(now);
        if !self.reaches(now.origin.court(), facts.over) {
            return Some(Seen::Hidden);
        }
        let seen = see(self.who.role, facts, self.purpose);
        let whole = now
            .unreadable
            .iter()
            .all(|lost| lost.origin.court() != now.origin.court());
        if whole {
            return Some(seen);
        }
        // A seal may be among what cannot be read.
        let sealed = see(
            self.who.role,
            Facts {
                sealed: true,
                ..facts
            },
            self.purpose,
        )
        .min(seen);
        (sealed != Seen::Hidden || seen == Seen::Hidden).then_some(sealed)
    }

    /// What of an order held here is shown; [`Seen::Hidden`] for one that is not known here.
    #[must_use]
    pub fn seen_of(&self, order: OrderId) -> Seen {
        let (told, _) = self.registry.show(order, None).into_parts();
        // Of one that cannot be read it is only said that it is there.
        told.map_or(Seen::Hidden, |now| self.seen(&now).unwrap_or(Seen::ToEnforce))
    }

    /// What of an image of an order held here is shown.
    #[must_use]
    pub fn image_of(&self, order: OrderId) -> SeenImage {
        let (told, _) = self.registry.show(order, None).into_parts();
        let Ok(now) = told else { return SeenImage::Hidden };
        match self.seen(&now) {
            Some(Seen::Whole) if !self.shares(now.origin.court()).images => SeenImage::Kept,
            Some(Seen::Whole) => SeenImage::Shown,
            Some(Seen::Withheld) => SeenImage::Withheld,
            Some(Seen::ToEnforce | Seen::Hidden) | None => SeenImage::Hidden,
        }
    }

    /// What a court shares with this caller.
    #[must_use]
    pub fn shares(&self, court: &str) -> Shares {
        if self.who.owns(court) {
            Shares::default()
        } else {
            self.sharing.of(court)
        }
    }

    /// Whether a court shares its orders with this caller, those that are over too if this one is.
    #[must_use]
    pub fn reaches(&self, court: &str, over: bool) -> bool {
        let shares = self.shares(court);
        shares.orders && (shares.history || !over)
    }

    /// Whether an order may stand in a list that names no person: all but those under a seal that this one does not see through.
    #[must_use]
    pub fn lists(&self, now: &Story) -> bool {
        self.shares(now.origin.court()).orders && self.sees_through(self.facts(now))
    }

    /// Whether orders of this kind are counted for this one: those that may stand in such a list, as far as their court shares them.
    #[must_use]
    pub fn counts(&self, court: &str, group: &Group) -> bool {
        let facts = Facts {
            own: self.who.owns(court),
            sealed: group.sealed,
            registered: group.registered,
            in_force: !group.over,
            over: group.over,
        };
        self.reaches(court, group.over) && self.sees_through(facts)
    }

    /// Whether no seal hides such an order from this one.
    fn sees_through(&self, facts: Facts) -> bool {
        let in_force = Facts { over: false, ..facts };
        (!facts.sealed && !facts.registered) || see(self.who.role, in_force, true) == Seen::Whole
    }

    fn facts(&self, now: &Story) -> Facts {
        let status = standing(&now.state, ccpor_registry::now(), self.registry.calendars()).status;
        Facts {
            own: self.who.owns(now.origin.court()),
            sealed: now.state.sealed.is_some(),
            registered: now
                .state
                .order
                .foreign
                .as_ref()
                .is_some_and(|foreign| foreign.registered.is_some()),
            in_force: status == Status::Active,
            over: matches!(
                status,
                Status::Expired | Status::Terminated | Status::Cancelled | Status::Superseded
            ),
        }
    }

    fn minors(&self, now: &Story) -> Minors {
        names_minors(self.who.role, self.who.owns(now.origin.court()))
    }
}

impl Sight for CallersSight {
    fn see(&self, mut story: Story, now: Option<&Story>) -> Seeing {
        let judged = now.unwrap_or(&story);
        let seen = match self.seen(judged) {
            None => return Seeing::NotClear,
            Some(Seen::Hidden) => return Seeing::Hidden,
            Some(Seen::Withheld) => return Seeing::Withheld,
            Some(seen) => seen,
        };
        let minors = self.minors(judged);
        if !self.shares(judged.origin.court()).images {
            story.state.images.clear();
        }
        let judged = now.unwrap_or(&story);
        if seen == Seen::Whole && (minors == Minors::Named || !has_confidential(&story, judged)) {
            return Seeing::Shown(Box::new(story));
        }
        let order_now = judged.state.order.clone();
        let sealed_now = judged.state.sealed.clone();
        if seen == Seen::Whole {
            for told in &mut story.records {
                let order = match &mut told.event {
                    Event::Filed(filed) => &mut filed.order,
                    Event::Amended(amended) => &mut amended.order,
                    Event::Served(_)
                    | Event::ImageAttached(_)
                    | Event::Ended(_)
                    | Event::Sealing(_)
                    | Event::Violated(_)
                    | Event::Confided(_) => continue,
                };
                *order = masked_order(std::mem::take(order), &order_now, seen, minors);
            }
        } else {
            story.records.clear();
            // An officer is told that it is sealed whatever moment is asked about.
            story.state.sealed = sealed_now;
        }
        story.state = masked(story.state, &order_now, seen, minors);
        Seeing::Shown(Box::new(story))
    }

    fn person(&self, person: &CardPerson, now: &Story) -> SeenPerson {
        let hidden = match self.minors(now) {
            Minors::Named => return SeenPerson::Named,
            Minors::Unnamed => SeenPerson::Unnamed,
            Minors::Hidden => SeenPerson::Hidden,
        };
        if person.role != MatchedRole::Protected {
            return SeenPerson::Named;
        }
        let confidential = person.names.iter().all(|name| {
            let name = Name {
                first: name.first.clone(),
                middle: name.middle.clone(),
                last: name.last.clone(),
                suffix: name.suffix.clone(),
            };
            is_confidential(&name, &now.state.order)
        });
        if confidential && now.state.order.protected.iter().any(|one| one.minor_confidential) {
            hidden
        } else {
            SeenPerson::Named
        }
    }
}

/// Whether any version of the order makes somebody confidential.
fn has_confidential(story: &Story, now: &Story) -> bool {
    let some = |order: &Order| order.protected.iter().any(|one| one.minor_confidential);
    let versions = story.records.iter().filter_map(|told| match &told.event {
        Event::Filed(filed) => Some(&filed.order),
        Event::Amended(amended) => Some(&amended.order),
        Event::Served(_)
        | Event::ImageAttached(_)
        | Event::Ended(_)
        | Event::Sealing(_)
        | Event::Violated(_)
        | Event::Confided(_) => None,
    });
    some(&now.state.order) || some(&story.state.order) || versions.into_iter().any(some)
}

impl fmt::Debug for CallersSight {
    fn fmt(&self, form: &mut fmt::Formatter<'_>) -> fmt::Result {
        form.debug_struct("CallersSight")
            .field("who", &self.who)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}
