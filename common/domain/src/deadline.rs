//! Deadlines: what the law wants recorded within one business day, and what was recorded later than that.

use crate::closed::closed;
use crate::court_calendar::CourtCalendar;
use crate::date::Date;
use crate::event::{Ended, Event, Filed, Served};
use crate::moment::UtcMillis;

closed! {
    /// What has to be done within one business day.
    pub enum Duty: "duty" {
        /// To transmit an order after it was issued, modified, extended or terminated (Fam. Code 6380(a)).
        Transmission = "transmission",
        /// To record proof of service after service (Fam. Code 6380(d)).
        ProofOfService = "proof_of_service",
    }
}

impl Duty {
    /// The section of law.
    #[must_use]
    pub const fn law(self) -> &'static str {
        match self {
            Self::Transmission => "Fam. Code 6380(a)",
            Self::ProofOfService => "Fam. Code 6380(d)",
        }
    }
}

/// A duty that a record fulfils, with the day by which it was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// What.
    pub duty: Duty,
    /// The day of the act that has to be recorded: of issue, of service, of the end.
    pub acted: Date,
    /// The last day for recording it.
    pub due: Date,
}

impl Deadline {
    /// The deadline of a record. None where the record does not say when the act was, and for records that no deadline is set for.
    #[must_use]
    pub fn of(event: &Event, calendar: &CourtCalendar) -> Option<Self> {
        let (duty, acted) = match event {
            Event::Filed(Filed { order, .. }) => (Duty::Transmission, order.issued?),
            Event::Ended(Ended { ending, .. }) => (Duty::Transmission, ending.date?),
            Event::Served(Served { service, .. }) if service.mode.gives_notice() => {
                (Duty::ProofOfService, service.date?)
            }
            Event::Served(_)
            | Event::Amended(_)
            | Event::ImageAttached(_)
            | Event::Sealing(_)
            | Event::Violated(_)
            | Event::Confided(_) => {
                return None;
            }
        };
        Some(Self {
            duty,
            acted,
            due: calendar.court_day_after(acted, 1),
        })
    }

    /// Whether `at` is after the end of the last day.
    #[must_use]
    pub fn is_over(&self, at: UtcMillis) -> bool {
        at >= UtcMillis::pacific_end_of(self.due)
    }
}
