//! The decisions: what a row of the table means for one call and one order. Nothing is decided anywhere else.

use crate::role::Role;
use crate::table::{Minors, Over, Reach, Row, TABLE, View};
use crate::verb::Verb;
use crate::who::Who;

/// What matters about one order, as it stands now: whatever past moment a question names, a seal of today hides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Facts {
    /// Whether it is an order of the asker's own court.
    pub own: bool,
    /// Whether its court has sealed it.
    pub sealed: bool,
    /// Whether it is a registered order of another jurisdiction (Fam. Code 6404).
    pub registered: bool,
    /// Whether it is in force.
    pub in_force: bool,
    /// Whether it is over: expired, terminated, cancelled or superseded.
    pub over: bool,
}

/// What somebody sees of one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    /// It does not exist for this one; nothing may tell it from an order that was never filed.
    Hidden,
    /// It would be shown if the call stated a purpose; that may be said.
    Withheld,
    /// What an officer needs to enforce it.
    ToEnforce,
    /// Whole.
    Whole,
}

fn row(role: Role) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.role == role)
}

/// Whether somebody may do this, with an order of the own court (`own`) or of another. What is not in the table is not allowed.
#[must_use]
pub fn may(who: &Who, verb: Verb, own: bool) -> bool {
    let verbs = row(who.role).map_or(&[][..], |row| row.verbs);
    let reach = verbs
        .iter()
        .find(|(listed, _)| *listed == verb)
        .map(|(_, reach)| *reach);
    match reach {
        Some(Reach::Any) => true,
        Some(Reach::Own) => own,
        None => false,
    }
}

/// What somebody sees of an order; `purpose` says whether the call states one.
#[must_use]
pub fn see(role: Role, facts: Facts, purpose: bool) -> Seen {
    let Some(row) = row(role) else { return Seen::Hidden };
    // Every reason to hide counts: the least of what each of them leaves is what is seen.
    let mut view = row.open;
    for (applies, sealed) in [(facts.sealed, row.sealed), (facts.registered, row.registered)] {
        if applies {
            view = view.min(if facts.own { sealed.own } else { sealed.other });
        }
    }
    let over = if facts.own { row.over_own } else { row.over_other };
    match view {
        View::Nothing => Seen::Hidden,
        View::ToEnforce if facts.in_force => Seen::ToEnforce,
        // There is nothing to enforce.
        View::ToEnforce => Seen::Hidden,
        View::Whole if !facts.over => Seen::Whole,
        View::Whole => match over {
            Over::No => Seen::Hidden,
            Over::WithPurpose if !purpose => Seen::Withheld,
            Over::WithPurpose | Over::Yes => Seen::Whole,
        },
    }
}

/// How confidential minors are shown in an order of the own court (`own`) or of another.
#[must_use]
pub fn names_minors(role: Role, own: bool) -> Minors {
    row(role).map_or(Minors::Hidden, |row| {
        if own { row.minors_own } else { row.minors_other }
    })
}
