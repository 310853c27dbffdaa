//! The tally of one order: what the reports count it by, made from its story. Numbers, dates and kinds; no name, and no text that
//! anybody wrote. It reads nothing.

use ccpor_domain::{Calendars, Date, Form, OrderId, Status, UtcMillis, standing, standing_until};

use crate::fault::{FaultKind, faults, filed_at};
use crate::story::Story;

/// An order as the reports count it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Which of the courts in the book made it.
    pub(crate) court: u16,
    /// The form that it is written on; none for one that the table lacks.
    pub(crate) form: Option<&'static Form>,
    pub(crate) status: Status,
    pub(crate) served: bool,
    /// Until then the standing above holds; none when time changes nothing.
    pub(crate) until: Option<UtcMillis>,
    /// Whether its court sealed it, or may have.
    pub(crate) sealed: bool,
    /// Whether it is a registered order of another jurisdiction.
    pub(crate) registered: bool,
    /// The month in which it was filed.
    pub(crate) filed: Month,
    /// Whole days from issue to service; none when it is not served or has no day of issue.
    pub(crate) days_to_service: Option<u16>,
    pub(crate) faults: FaultSet,
}

/// A month, counted from January of the year 0 in California.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(u16);

impl Month {
    /// The month of a moment.
    #[must_use]
    pub fn of(at: UtcMillis) -> Self {
        let day = at.in_pacific().0;
        let year = u16::try_from(day.year()).unwrap_or(0);
        Self(
            year.saturating_mul(12)
                .saturating_add(u16::from(day.month().saturating_sub(1))),
        )
    }

    /// So many months earlier.
    #[must_use]
    pub fn back(self, months: u16) -> Self {
        Self(self.0.saturating_sub(months))
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, form: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(form, "{:04}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

/// Kinds of fault, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FaultSet(u16);

impl FaultSet {
    pub(crate) fn add(&mut self, kind: FaultKind) {
        self.0 |= Self::bit(kind);
    }

    pub(crate) fn has(self, kind: FaultKind) -> bool {
        self.0 & Self::bit(kind) != 0
    }

    /// The worst of them.
    pub(crate) fn worst(self) -> Option<FaultKind> {
        FaultKind::ALL.into_iter().find(|kind| self.has(*kind))
    }

    fn bit(kind: FaultKind) -> u16 {
        1 << (kind as u16)
    }
}

impl FromIterator<FaultKind> for FaultSet {
    fn from_iter<I: IntoIterator<Item = FaultKind>>(kinds: I) -> Self {
        let mut set = Self::default();
        kinds.into_iter().for_each(|kind| set.add(kind));
        set
    }
}

impl Tally {
    /// The tally of a story as it stands at a moment; `court` is its court's number.
    pub(crate) fn of(story: &Story, court: u16, at: UtcMillis, calendars: &Calendars) -> Self {
        let state = &story.state;
        let held = standing(state, at, calendars);
        let own = story.origin.court();
        Self {
            court,
            form: Form::find(&state.order.form),
            status: held.status,
            served: held.served,
            until: standing_until(state, at, calendars),
            // A seal may be among what cannot be read.
            sealed: state.sealed.is_some() || story.unreadable.iter().any(|lost| lost.origin.court() == own),
            registered: state
                .order
                .foreign
                .as_ref()
                .is_some_and(|foreign| foreign.registered.is_some()),
            filed: filed_at(state).map(Month::of).unwrap_or_default(),
            days_to_service: held
                .served_how
                .zip(state.order.issued)
                .map(|(notice, issued)| days(issued, notice.date)),
            faults: faults(story, held.status)
                .into_iter()
                .map(|fault| fault.kind)
                .collect(),
        }
    }
}

/// Whole days from one day to another; 0 when the other is the earlier one.
fn days(from: Date, to: Date) -> u16 {
    const HALF_A_DAY_MS: i64 = 12 * 3_600_000;
    // A day of the change of clocks has 23 or 25 hours.
    let between = UtcMillis::pacific(to, None).0 - UtcMillis::pacific(from, None).0 + HALF_A_DAY_MS;
    u16::try_from(between.div_euclid(2 * HALF_A_DAY_MS).max(0)).unwrap_or(u16::MAX)
}

/// An order in the book, and from how many records its tally was made.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) order: OrderId,
    pub(crate) records: usize,
    pub(crate) kept: Kept,
}

/// What is known of an order.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    /// This.
    Whole(Tally),
    /// It cannot be read here; the number of the court whose record cannot.
    Unreadable(u16),
    /// Only what others say about it has arrived.
    NotArrived,
}

impl Line {
    /// What is wrong with it.
    pub(crate) fn faults(&self) -> FaultSet {
        match &self.kept {
            Kept::Whole(tally) => tally.faults,
            Kept::Unreadable(_) => [FaultKind::Unreadable].into_iter().collect(),
            Kept::NotArrived => FaultSet::default(),
        }
    }

    /// Whether it has to be made anew by `at`: time has changed it, or there was something that could not be read.
    pub(crate) fn is_stale(&self, at: UtcMillis) -> bool {
        match &self.kept {
            Kept::Whole(tally) => {
                tally.until.is_some_and(|until| until <= at) || tally.faults.has(FaultKind::InPart)
            }
            Kept::Unreadable(_) => true,
            Kept::NotArrived => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_whole_over_a_change_of_clocks_and_never_less_than_none() {
        assert_eq!(days(date("2026-10-31"), date("2026-11-02")), 2);
        assert_eq!(days(date("2026-03-07"), date("2026-03-09")), 2);
        assert_eq!(days(date("2026-03-09"), date("2026-03-07")), 0);
        assert_eq!(days(date("1900-01-01"), date("2100-01-01")), u16::MAX);
    }

    #[test]
    fn months_are_those_of_california_and_go_back_over_a_new_year() {
        let month = Month::of("2027-01-01T07:59:59Z".parse().unwrap());
        assert_eq!(month.to_string(), "2026-12");
        assert_eq!(month.back(12).to_string(), "2025-12");
    }

    #[test]
    fn a_set_has_what_was_added_and_names_the_worst() {
        for kind in FaultKind::ALL {
            let set: FaultSet = [kind, FaultKind::NoImage].into_iter().collect();
            let held = FaultKind::ALL.into_iter().filter(|one| set.has(*one));
            assert!(
                held.eq([kind, FaultKind::NoImage]
                    .into_iter()
                    .take(if kind == FaultKind::NoImage { 1 } else { 2 }))
            );
            assert_eq!(set.worst(), Some(kind));
        }
        assert_eq!(FaultSet::default().worst(), None);
    }
}
