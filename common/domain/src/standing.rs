//! The standing of an order at a moment: in force or not, served or not, and what an officer must know first. Computed from
//! signed facts each time it is asked, never stored.

use crate::closed::closed;
use crate::court_calendar::Calendars;
use crate::date::{Date, TimeOfDay};
use crate::event::EndingKind;
use crate::expiry::{End, begins, ends};
use crate::family::Family;
use crate::moment::UtcMillis;
use crate::order::Order;
use crate::service::ServiceMode;
use crate::state::OrderState;
use crate::term::{Term, TermKind};

closed! {
    /// Whether an order is in force, and why not.
    pub enum Status: "status" {
        /// It begins later.
        NotYetEffective = "not_yet_effective",
        /// In force.
        Active = "active",
        /// Its time has run out.
        Expired = "expired",
        /// A court ended it.
        Terminated = "terminated",
        /// It was entered in error and never stood.
        Cancelled = "cancelled",
        /// Another order took its place.
        Superseded = "superseded",
    }
}

impl Status {
    /// In capitals, for screens and the radio.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotYetEffective => "NOT YET EFFECTIVE",
            Self::Active => "ACTIVE",
            Self::Expired => "EXPIRED",
            Self::Terminated => "TERMINATED",
            Self::Cancelled => "CANCELLED, ENTERED IN ERROR",
            Self::Superseded => "SUPERSEDED",
        }
    }
}

/// How the restrained person came to know of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The way.
    pub mode: ServiceMode,
    /// The day, in California.
    pub date: Date,
    /// The minute, when recorded.
    pub time: Option<TimeOfDay>,
    /// The agency that served; empty when none is recorded.
    pub agency: String,
}

/// What an order amounts to at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// In force, or why not.
    pub status: Status,
    /// Whether the restrained person had notice by then, of the order in any of its versions. An order that is in force and
    /// not served is to be returned and served on the spot (Fam. Code 6380(e), 6383(e)).
    pub served: bool,
    /// The first notice.
    pub served_how: Option<Notice>,
    /// When it ends of itself.
    pub ends: End,
    /// Whether it forbids contact.
    pub no_contact: bool,
    /// Whether a term of it forbids firearms. Without such a term the law may forbid them all the same (Fam. Code 6389).
    pub firearms: bool,
    /// The greatest distance to keep, in yards.
    pub stay_away_yards: Option<u16>,
    /// Whether it is over and its terms on children may stand all the same: custody, visitation and support outlive a restraining
    /// order (Fam. Code 6345(b)).
    pub custody_remains: bool,
}

impl Standing {
    /// `ACTIVE, NOT SERVED`.
    #[must_use]
    pub fn words(&self) -> String {
        let served = if self.served { "SERVED" } else { "NOT SERVED" };
        match self.status {
            Status::Cancelled => self.status.words().to_owned(),
            status => format!("{}, {served}", status.words()),
        }
    }
}

/// The standing at `at`, as far as the state knows. It takes the order as it is now; for what was known at an earlier moment,
/// fold the events up to that moment. `calendars` count the court days of emergency orders.
#[must_use]
pub fn standing(state: &OrderState, at: UtcMillis, calendars: &Calendars) -> Standing {
    let ends = ends(&state.order, calendars);
    let served_how = notice(state, at);
    let status = status(state, ends, at);
    Standing {
        status,
        custody_remains: status == Status::Expired && decides_on_children(&state.order),
        served: served_how.is_some(),
        served_how,
        ends,
        no_contact: state.order.forbids_contact(),
        firearms: state.order.forbids_firearms(),
        stay_away_yards: state.order.stay_away_yards(),
    }
}

/// The first moment after `at` at which the standing may be another one if nothing more is recorded; none when time alone changes
/// nothing. Until then the standing at `at` holds.
#[must_use]
pub fn standing_until(state: &OrderState, at: UtcMillis, calendars: &Calendars) -> Option<UtcMillis> {
    let ends = ends(&state.order, calendars).moment();
    let ended = state.ending.as_ref().map(|record| record.moment());
    let told = present_in_court(&state.order).map(|(moment, _)| moment);
    let moments = [begins(&state.order), ends, ended, told];
    let served = state.service.iter().map(|record| record.moment());
    let all = moments.into_iter().flatten().chain(served);
    all.filter(|moment| *moment > at).min()
}

fn decides_on_children(order: &Order) -> bool {
    let family = matches!(
        order.resolved_family(),
        Family::DomesticViolence | Family::Juvenile | Family::NotStated
    );
    let on_children = |term: &Term| matches!(term.kind, TermKind::Custody | TermKind::Visitation);
    family && order.terms.iter().any(on_children)
}

fn status(state: &OrderState, ends: End, at: UtcMillis) -> Status {
    let runs_out = ends.moment().filter(|&end| end <= at);
    if let Some(record) = &state.ending {
        let ended = record.moment();
        let first = ended <= at && runs_out.is_none_or(|end| ended <= end);
        match record.ending.kind {
            EndingKind::CancelledEntryError => return Status::Cancelled,
            EndingKind::Terminated if first => return Status::Terminated,
            EndingKind::Superseded { .. } if first => return Status::Superseded,
            EndingKind::Terminated | EndingKind::Superseded { .. } => {}
        }
    }
    if begins(&state.order).is_some_and(|begin| begin > at) {
        return Status::NotYetEffective;
    }
    if runs_out.is_some() {
        Status::Expired
    } else {
        Status::Active
    }
}

/// The first notice at or before `at`.
fn notice(state: &OrderState, at: UtcMillis) -> Option<Notice> {
    let recorded = state
        .service
        .iter()
        .filter(|record| record.service.mode.gives_notice())
        .map(|record| {
            let moment = record.moment();
            let notice = Notice {
                mode: record.service.mode,
                date: record.service.date.unwrap_or_else(|| moment.in_pacific().0),
                time: record.service.time,
                agency: record.service.agency.trim().to_owned(),
            };
            (moment, notice)
        });
    let told = present_in_court(&state.order)
        .into_iter()
        .chain(recorded)
        .filter(|(moment, _)| *moment <= at);
    told.min_by_key(|(moment, _)| *moment).map(|(_, notice)| notice)
}

/// Presence in court when the order was made is notice (Fam. Code 6380(c), 6384(a); Code Civ. Proc. 527.6(q)(1)).
fn present_in_court(order: &Order) -> Option<(UtcMillis, Notice)> {
    if order.present_at_hearing != Some(true) {
        return None;
    }
    let date = order.issued?;
    let notice = Notice {
        mode: ServiceMode::InCourt,
        date,
        time: order.issued_time,
        agency: String::new(),
    };
    Some((UtcMillis::pacific(date, order.issued_time), notice))
}
